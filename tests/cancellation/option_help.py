"""Options for tests: rows as an operator writes them, pages as a customer sees them, clicks as they make them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from cancellation import offer_actions, offering
from cancellation.actions import Actor
from cancellation.models import Acceptance, Offer
from cancellation.offering import Sealed
from subscriptions.models import Contract, Plan, PlanPrice
from tests.factories import NOON

TERMS: dict[str, dict[str, Any]] = {
    "pause": {"months": 2},
    "smaller_plan": {"to_plan": "small"},
    "todays_price": {},
    "discount": {"percent": 50, "periods": 3},
    "free_period": {"periods": 1},
    "interval": {"months": 12, "prices": {"EUR": 12_000, "JPY": 12_000}},
    "help_session": {"minutes": 30},
    "fix": {},
    "skip": {},
    "hand_over": {},
}


def make_offer(kind: str, **changes: Any) -> Offer:
    """Return a stored option of a kind, open to everybody; its code is its kind."""
    values = {
        "code": kind,
        "kind": kind,
        "valid_from": date(2026, 1, 1),
        "texts": {"en": {"title": f"A {kind}", "text": "What it is."}},
        "terms": TERMS[kind],
        **changes,
    }
    offer = Offer.objects.create(**values)
    offering.forget_offers()
    return offer


def make_price(plan: Plan, minor: int, currency: str = "EUR", since: str = "2026-01-01") -> PlanPrice:
    """Return a stored price of a plan."""
    offering.forget_offers()
    return PlanPrice.objects.create(
        plan=plan, price_minor=minor, currency=currency, valid_from=date.fromisoformat(since)
    )


def shown(contract: Contract, code: str, at: datetime = NOON) -> Sealed:
    """Return an option as the options page of a contract shows it at an instant."""
    page = offering.for_page(Contract.objects.get(pk=contract.pk), at, "en")
    sealed = next((option.sealed for option in page.options if option.code == code), "")
    told = offering.unsealed(sealed, contract)
    assert told is not None, page.decision and page.decision.not_shown
    return told


def holder(contract: Contract) -> Actor:
    """Return whose contract it is, as events name them."""
    return Actor.customer(contract.customer_id)


def click(
    contract: Contract, sealed: Sealed, at: datetime = NOON, *, visit: UUID | None = None, **asked: str
) -> Acceptance:
    """Agree to an option that was shown."""
    return offer_actions.accept(
        contract=contract, sealed=sealed, asked=asked, actor=holder(contract), at=at, locale="en", visit=visit
    )


def agree(contract: Contract, code: str, at: datetime = NOON) -> Acceptance:
    """See an option and agree to it."""
    return click(contract, shown(contract, code, at), at)
