"""Rows for the tests of the desk and the reports, made as the importer and the guided way leave them."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, date, datetime
from typing import Any

from cancellation.models import (
    Acceptance,
    Cancellation,
    Offer,
    OfferDecision,
    OfferEvent,
    State,
    Visit,
    Way,
)
from feedback.models import Answer, Root
from subscriptions.models import Contract, Customer, Payment, Plan, Product

TERMS: dict[str, Any] = {
    "starts_on": "2026-01-01",
    "timezone": "Europe/Berlin",
    "counting": "same_day_number",
    "initial_term": None,
    "renewal": "none",
    "notice": {"months": 1},
    "notice_to": "month_end",
    "billing": {"months": 1},
    "billing_anchor": "2026-01-01",
}
_numbers = itertools.count(1)


def plan(code: str = "host", name: str = "Hosting S") -> Plan:
    """Return the plan of a code, made when it is not there."""
    product, _made = Product.objects.get_or_create(code="web", defaults={"name": "Web hosting"})
    return Plan.objects.get_or_create(code=code, defaults={"name": name, "product": product})[0]


def customer(**given: Any) -> Customer:
    """Return a new customer."""
    number = next(_numbers)
    return Customer.objects.create(**{"name": f"Customer {number}", "email": f"c{number}@example.org"} | given)


def contract(**given: Any) -> Contract:
    """Return a new contract of 12.30 euro a month, ending with any month at one month's notice."""
    charge = given.pop("charge", 1230)
    values: dict[str, Any] = {
        "customer": given.get("customer") or customer(),
        "plan": given.get("plan") or plan(),
        "country": "DE",
        "terms": TERMS,
        "starts_on": date(2026, 1, 1),
        "price_minor": charge,
        "monthly_charge_minor": charge,
        "currency": "EUR",
    }
    return Contract.objects.create(**values | given)


def left(on: date | str = date(2026, 5, 10), *, state: str = State.ENDED, **given: Any) -> Cancellation:
    """Return a cancellation received on a day, with its answer unless ``root`` is None."""
    on = date.fromisoformat(on) if isinstance(on, str) else on
    said = {
        name: given.pop(name) for name in ("primary", "imported_reason", "imported_category", "words") if name in given
    }
    root = given.pop("root", Root.COST)
    of = given.pop("contract", None) or contract(**given)
    cancellation = Cancellation.objects.create(
        contract=of, way=Way.IMPORTED, received_on=on, last_day=on, currency=of.currency, state=state
    )
    if root is not None:
        Answer.objects.create(
            contract=of, cancellation_id=cancellation.pk, root=root, said_at=datetime(2026, 5, 10, tzinfo=UTC), **said
        )
    return cancellation


def offer(code: str = "pause-2", **given: Any) -> Offer:
    """Return the option of a code, made when it is not there."""
    texts = {"en": {"title": f"Option {code}", "text": "What it is."}}
    values = {"kind": "pause", "valid_from": date(2020, 1, 1), "texts": texts, "terms": {"months": 2}}
    return Offer.objects.get_or_create(code=code, defaults=values | given)[0]


def decided(at: datetime, *, held_out: bool = False, **given: Any) -> OfferDecision:
    """Return a decision in the guided way: one option shown, or held back from somebody held out."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "contract": given.pop("contract", None) or contract(**given.pop("of", {})),
        "key": f"visit:{number}",
        "place": "flow",
        "shown": [] if held_out else [{"code": "pause-2", "version": 1, "kind": "pause", "title": "A pause"}],
        "not_shown": {"pause-2": "held_out"} if held_out else {},
    }
    return OfferDecision.objects.create(at=at, held_out=held_out, **values | given)


def agreed(at: datetime, *, to: str = "pause-2", **given: Any) -> Acceptance:
    """Return an option that was agreed to, carried out and costing nothing."""
    number, of = next(_numbers), given.pop("contract", None) or contract()
    values: dict[str, Any] = {
        "offer": offer(to),
        "version": 1,
        "kind": offer(to).kind,
        "contract": of,
        "customer": of.customer,
        "idempotency_key": f"k{number}",
        "place": "flow",
        "terms": {},
        "title": "A pause",
        "starts_on": at.date(),
        "currency": of.currency,
        "state": "applied",
    }
    return Acceptance.objects.create(accepted_at=at, **values | given)


def ledger(what: str, at: datetime, *, of: str = "pause-2", contract: Contract) -> OfferEvent:
    """Return an entry of the option ledger."""
    return OfferEvent.objects.create(
        offer=offer(of), version=1, contract=contract, place="flow", what=what, at=at, actor="customer"
    )


def paid(contract: Contract, first: date, last: date, minor: int = 1230, currency: str = "EUR") -> Payment:
    """Return a payment for a stretch of days, both inclusive."""
    return Payment.objects.create(
        contract=contract,
        reference=f"P{next(_numbers)}",
        paid_from=first,
        paid_to=last,
        amount_minor=minor,
        currency=currency,
    )


def visit(started_at: datetime, *, outcome: str = "", of: Contract | None = None) -> Visit:
    """Return a visit to the guided way that began and was last seen at an instant."""
    row = Visit.objects.create(
        key=uuid.uuid4(), contract=of or contract(), step="overview", seen_at=started_at, outcome=outcome
    )
    # The database notes the start by its own clock.
    Visit.objects.filter(pk=row.pk).update(started_at=started_at)
    return row
