"""What the demo business sells, and contracts and payments for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from subscriptions.models import Contract, Customer, Payment, Plan, PlanPrice, Product, RefundPolicy
from subscriptions.terms import Terms, billing_period_around

SOURCE = "demo"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ware:
    """A plan of the demo with the terms that its contracts copy, in the language of the customers it is sold to."""

    code: str
    product: str
    name: str
    price: int
    currency: str
    terms: dict[str, Any]
    refund: str
    stays: str = ""
    kind: str = ""
    upfront: int = 0
    sector: str = ""
    is_consumer: bool = True


MONTHLY = {"billing": {"months": 1}, "initial_term": None, "renewal": "open_ended", "renewal_notice": None}
WARES = (
    Ware(
        "hosting-yearly", "ウェブホスティング", "ドメイン＋サーバー", 13_200, "JPY",
        {**MONTHLY, "timezone": "Asia/Tokyo", "counting": "from_next_day", "notice": {"months": 1},
         "notice_to": "month_end", "billing": {"months": 12}},
        RefundPolicy.MONTHLY, "ドメインは引き続きお使いいただけます。他社へ移すこともできます。", "Yearly",
    ),
    Ware(
        "care", "Agenturbetreuung", "Shop-Betreuung", 49_000, "EUR",
        {**MONTHLY, "timezone": "Europe/Berlin", "counting": "same_day_number", "notice": {"weeks": 6},
         "notice_to": "quarter_end"},
        RefundPolicy.DAILY, "Alles, was wir für Sie gestaltet haben, gehört Ihnen.", "Open-ended", is_consumer=False,
    ),
    Ware(
        "books-online", "Księgowość online", "Solo", 7_900, "PLN",
        {**MONTHLY, "timezone": "Europe/Warsaw", "counting": "same_day_number", "notice": {"months": 1},
         "notice_to": "month_end"},
        RefundPolicy.MONTHLY, "Księgi pozostają dostępne do odczytu i można je wyeksportować.", "Open-ended",
    ),
    Ware(
        "audio", "Audiobooks", "Membership", 999, "GBP",
        {**MONTHLY, "timezone": "Europe/London", "counting": "same_day_number", "notice": {"days": 0},
         "notice_to": "billing_period"},
        RefundPolicy.NONE, "Your account and every audiobook you bought stay with you.", "Month-to-Month",
    ),
    Ware(
        "fibre-24", "Internet fibre", "Fibre 500, 24 mois", 3_999, "EUR",
        {**MONTHLY, "timezone": "Europe/Paris", "counting": "same_day_number", "initial_term": {"months": 24},
         "notice": {"months": 1}, "notice_to": "any_day"},
        RefundPolicy.DAILY, "Votre numéro de téléphone peut vous suivre.", "Two Year", 12_000, "telecom",
    ),
)  # fmt: skip
# The crowd pays in euro wherever it lives: a report that never adds currencies is easier to read with one of them.
EURO = dict(zip((ware.code for ware in WARES), (9_600, 49_000, 1_900, 1_199, 3_999), strict=True))
CROWD = tuple(replace(ware, price=EURO[ware.code], currency="EUR") for ware in WARES)


def plan_of(ware: Ware) -> Plan:
    product = Product.objects.create(code=f"{ware.code}-product", name=ware.product, sector=ware.sector)
    plan = Plan.objects.create(product=product, code=ware.code, name=ware.name, stays_usable=ware.stays)
    prices = {ware.currency: ware.price, "EUR": EURO[ware.code]}
    for currency, price in prices.items():
        PlanPrice.objects.create(plan=plan, valid_from=date(2020, 1, 1), price_minor=price, currency=currency)
    return plan


def _terms(ware: Ware, starts_on: date) -> Terms:
    days = {"starts_on": starts_on.isoformat(), "billing_anchor": starts_on.isoformat()}
    return Terms.from_dict({**ware.terms, **days})


def contract_for(ware: Ware, plan: Plan, customer: Customer, starts_on: date, reference: str) -> Contract:
    months = ware.terms["billing"]["months"]
    return Contract(
        reference=reference,
        customer=customer,
        plan=plan,
        kind=ware.kind,
        country=customer.country,
        is_consumer=ware.is_consumer,
        terms=_terms(ware, starts_on).as_dict(),
        starts_on=starts_on,
        concluded_at=datetime.combine(starts_on, time(9), UTC),
        price_minor=ware.price,
        currency=ware.currency,
        monthly_charge_minor=ware.price // months,
        refund_policy=ware.refund,
        upfront_cost_minor=ware.upfront,
        source=SOURCE,
    )


def payments(
    contract: Contract,
    until: date,
    *,
    since: date = date.min,
    most: int = 6,
    price: Callable[[date], int] | None = None,
) -> Iterator[Payment]:
    """Yield the payments of the newest billing periods, from the one that runs on ``until`` back to ``since``.

    ``price`` says what the period that begins on a day cost; a period of nothing has no payment.
    """
    agreed, day = contract.agreed, until
    for _nth in range(most):
        first, last = billing_period_around(agreed, day)
        if first < contract.starts_on or last < since:
            return
        if amount := price(first) if price else contract.price_minor:
            yield Payment(
                contract=contract,
                reference=f"P-{first:%Y%m%d}",
                paid_from=first,
                paid_to=last,
                amount_minor=amount,
                currency=contract.currency,
            )
        day = first - ONE_DAY
