"""Rows for tests: small, explicit, real."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from subscriptions.models import Contract, Customer, Payment, Plan, Product
from subscriptions.terms import Terms

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


def terms_dict(**changes: Any) -> dict[str, Any]:
    """Return monthly terms in Berlin, one month's notice to the end of a month, with changes."""
    return {
        "starts_on": "2025-01-01",
        "timezone": "Europe/Berlin",
        "counting": "same_day_number",
        "initial_term": None,
        "renewal": "open_ended",
        "notice": {"months": 1},
        "renewal_notice": None,
        "notice_to": "month_end",
        "billing": {"months": 1},
        "billing_anchor": "2025-01-01",
        **changes,
    }


def make_customer(**changes: Any) -> Customer:
    """Return a stored customer."""
    number = Customer.objects.count() + 1
    values = {"name": f"Customer {number}", "email": f"customer{number}@example.org", "country": "DE", **changes}
    return Customer.objects.create(**values)


def make_plan(**changes: Any) -> Plan:
    """Return a stored plan of a stored product."""
    product, _made = Product.objects.get_or_create(code="hosting", defaults={"name": "Hosting"})
    number = Plan.objects.count() + 1
    return Plan.objects.create(
        **{"product": product, "code": f"plan-{number}", "name": "Server S", "stays_usable": "Your domain.", **changes}
    )


def make_contract(*, terms: dict[str, Any] | None = None, **changes: Any) -> Contract:
    """Return a stored contract for 12.00 EUR a month; refunds by whole unused months."""
    agreed = Terms.from_dict(terms or terms_dict())
    values: dict[str, Any] = {
        "terms": agreed.as_dict(),
        "starts_on": agreed.starts_on,
        "price_minor": 1200,
        "currency": "EUR",
        "monthly_charge_minor": 1200,
        "country": "DE",
        "kind": "Month-to-Month",
        **changes,
    }
    values["customer"] = values.get("customer") or make_customer()
    values["plan"] = values.get("plan") or make_plan()
    return Contract.objects.create(**values)


def pay(contract: Contract, paid_from: str, paid_to: str, minor: int, currency: str = "EUR") -> Payment:
    """Return a stored payment for a stretch of days, both inclusive."""
    return Payment.objects.create(
        contract=contract,
        reference=f"P-{paid_from}",
        paid_from=date.fromisoformat(paid_from),
        paid_to=date.fromisoformat(paid_to),
        amount_minor=minor,
        currency=currency,
    )
