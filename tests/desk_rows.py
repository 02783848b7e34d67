"""Rows for the tests of the desk and the reports, made as the importer and the guided way leave them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

from cancellation.models import Cancellation, State, Way
from feedback.models import Answer, Root
from subscriptions.models import Contract, Customer, Plan, Product

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
