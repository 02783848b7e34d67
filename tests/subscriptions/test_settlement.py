"""Refunds and exit fees to the cent: worked cases, and sums taken day by day beside the quick ones."""

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriptions.money import minor_digits
from subscriptions.periods import Period, billing_period_of, last_day_of_term, month_later
from subscriptions.settlement import RefundPolicy, exit_fee, refund, withdrawal_refund

DATA = Path(__file__).resolve().parents[1] / "data"
VECTORS = json.loads((DATA / "terms_vectors.json").read_text(encoding="utf-8"))
LAW = json.loads((DATA / "law_vectors.json").read_text(encoding="utf-8"))["vectors"]
ONE_DAY = timedelta(days=1)
YEAR = {"paid_from": "2025-01-01", "paid_to": "2025-12-31", "amount": "120.00", "currency": "EUR"}
RELEASE = {
    "starts_on": "2025-01-01",
    "initial_term": {"months": 24},
    "last_day": "2025-12-31",
    "ordinary_last_day": "2026-12-31",
    "upfront_cost": "100.00",
    "price": "10.00",
    "currency": "EUR",
    "billing": {"months": 1},
    "billing_anchor": "2025-01-01",
    "cap": None,
}

DAYS = st.dates(date(2023, 1, 1), date(2026, 12, 31))
CURRENCIES = st.sampled_from(["JPY", "EUR", "KWD"])
PERIODS = st.builds(lambda n: Period(days=n), st.integers(1, 60)) | st.builds(
    lambda n: Period(months=n), st.integers(1, 14)
)


def money(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-minor_digits(currency))


def unit(currency: str) -> Decimal:
    return money(1, currency)


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in VECTORS[kind]]


# Refunds.


@pytest.mark.parametrize("case", cases("refund"))
def test_worked_refund(case: dict[str, Any]) -> None:
    assert {"refund": str(refund(**case["given"]))} == case["expect"]


@pytest.mark.parametrize("case", cases("refund")[::5])
def test_a_refund_is_the_same_from_values_as_from_text(case: dict[str, Any]) -> None:
    given_ = case["given"]
    days = {name: date.fromisoformat(given_[name]) for name in ("paid_from", "paid_to", "last_day")}
    values = {**given_, **days, "amount": Decimal(given_["amount"]), "policy": RefundPolicy(given_["policy"])}

    assert str(refund(**values)) == case["expect"]["refund"]


@st.composite
def payments(draw: st.DrawFn) -> dict[str, Any]:
    paid_from, currency = draw(DAYS), draw(CURRENCIES)
    paid_to = paid_from + timedelta(days=draw(st.integers(0, 800)))
    return {
        "paid_from": paid_from,
        "paid_to": paid_to,
        "amount": money(draw(st.integers(0, 10**7)), currency),
        "currency": currency,
        "last_day": draw(st.dates(paid_from - 40 * ONE_DAY, paid_to + 40 * ONE_DAY)),
    }


def unused_days(payment: dict[str, Any]) -> Fraction:
    paid = [payment["paid_from"] + n * ONE_DAY for n in range((payment["paid_to"] - payment["paid_from"]).days + 1)]
    return Fraction(sum(day > payment["last_day"] for day in paid), len(paid))


def unused_months(payment: dict[str, Any]) -> Fraction:
    starts = (month_later(payment["paid_from"], k) for k in count())
    paid = list(takewhile(lambda start: start <= payment["paid_to"], starts))
    # A last day at the end of what was paid leaves nothing, one before it leaves every month.
    return Fraction(sum(start > payment["last_day"] for start in paid), len(paid))


@settings(max_examples=300)
@given(payments(), st.sampled_from(["daily", "monthly"]))
def test_a_refund_is_the_unused_share_and_rounds_up_by_less_than_a_coin(payment: dict[str, Any], policy: str) -> None:
    exact = Fraction(payment["amount"]) * (unused_days if policy == "daily" else unused_months)(payment)

    paid_back = refund(**payment, policy=policy)

    assert exact <= Fraction(paid_back) < exact + Fraction(unit(payment["currency"]))


@given(payments(), st.sampled_from(RefundPolicy))
def test_refund_and_what_is_kept_make_the_amount(payment: dict[str, Any], policy: RefundPolicy) -> None:
    paid_back = refund(**payment, policy=policy)
    kept = payment["amount"] - paid_back

    assert paid_back + kept == payment["amount"]
    assert 0 <= paid_back <= payment["amount"]
    assert -paid_back.as_tuple().exponent == minor_digits(payment["currency"])  # type: ignore[operator]


@given(payments(), st.sampled_from(RefundPolicy))
def test_leaving_later_never_pays_back_more(payment: dict[str, Any], policy: RefundPolicy) -> None:
    later = {**payment, "last_day": payment["last_day"] + ONE_DAY}

    assert refund(**later, policy=policy) <= refund(**payment, policy=policy)


@pytest.mark.parametrize(
    ("last_day", "policy", "paid_back"),
    [
        pytest.param("2024-12-31", "daily", "120.00", id="before-it-starts-everything"),
        pytest.param("2024-12-31", "monthly", "120.00", id="in-months-too"),
        pytest.param("2024-12-31", "none", "120.00", id="also-where-unused-time-is-not-refunded"),
        pytest.param("2025-12-31", "daily", "0.00", id="at-its-end-nothing"),
        pytest.param("2026-05-01", "monthly", "0.00", id="after-it-nothing"),
        pytest.param("2025-01-01", "daily", "119.68", id="the-first-day-is-used"),
        pytest.param("2025-01-31", "monthly", "110.00", id="a-month-ends-before-the-next-begins"),
        pytest.param("2025-02-01", "monthly", "100.00", id="a-month-begun-is-used"),
    ],
)
def test_refund_of_a_year_paid_ahead(last_day: str, policy: str, paid_back: str) -> None:
    assert str(refund(**YEAR, last_day=last_day, policy=policy)) == paid_back


def test_a_last_partial_month_counts_as_one() -> None:
    given_ = {**YEAR, "paid_to": "2025-03-02", "amount": "90.00"}

    assert str(refund(**given_, last_day="2025-02-10", policy="monthly")) == "30.00"


def test_contract_months_from_the_31st_begin_on_the_last_day_of_short_months() -> None:
    given_ = {**YEAR, "paid_from": "2025-01-31", "paid_to": "2025-04-29", "amount": "90.00"}

    paid_back = [str(refund(**given_, last_day=day, policy="monthly")) for day in ("2025-02-27", "2025-02-28")]

    assert paid_back == ["60.00", "30.00"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paid_to": "2024-12-31"}, "paid_to: 2024-12-31 lies before paid_from, 2025-01-01; "),
        ({"amount": "-1.00"}, 'amount: "-1.00" is negative; give an amount from 0'),
        ({"amount": 120}, "amount: 120 is not an amount; "),
        ({"amount": "1.005"}, 'amount: "1.005" is finer than EUR counts; '),
        ({"currency": "EURO"}, 'currency: "EURO" is not a currency; '),
        ({"policy": "weekly"}, 'policy: "weekly" is not known; give one of none, daily, monthly'),
        ({"last_day": None}, "last_day: null is not a day; "),
    ],
)
def test_an_unusable_refund_is_refused_by_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared below
        refund(**{**YEAR, "last_day": "2025-06-30", "policy": "daily", **changes})

    assert str(refused.value).startswith(message)


# Exit fees.


@pytest.mark.parametrize("case", cases("exit_fee"))
def test_worked_exit_fee(case: dict[str, Any]) -> None:
    assert {"exit_fee": str(exit_fee(**case["given"]))} == case["expect"]


@st.composite
def releases(draw: st.DrawFn) -> dict[str, Any]:
    starts_on, currency = draw(DAYS), draw(CURRENCIES)
    term = draw(st.none() | PERIODS)
    ordinary = last_day_of_term(starts_on, term or Period(months=1)) + draw(st.integers(0, 400)) * ONE_DAY
    return {
        "starts_on": starts_on,
        "initial_term": term,
        "last_day": draw(st.dates(starts_on - 40 * ONE_DAY, ordinary + 40 * ONE_DAY)),
        "ordinary_last_day": ordinary,
        "upfront_cost": money(draw(st.integers(0, 10**6)), currency),
        "price": money(draw(st.integers(0, 10**5)), currency),
        "currency": currency,
        "billing": draw(PERIODS),
        "billing_anchor": draw(DAYS),
        "cap": draw(st.none() | st.builds(money, st.integers(0, 10**5), st.just(currency))),
    }


def days_between(after: date, until: date) -> list[date]:
    return [after + n * ONE_DAY for n in range(1, (until - after).days + 1)]


def cost_of_staying(release: dict[str, Any]) -> Fraction:
    """Each day that is given up costs the price over the length of its billing period."""
    total = Fraction(0)
    for day in days_between(release["last_day"], release["ordinary_last_day"]):
        if day >= release["starts_on"]:
            period = billing_period_of(release["billing_anchor"], release["billing"], day)
            length = (period.last_day - period.first_day).days + 1
            total += Fraction(release["price"]) / length
    return total


def cost_not_paid_back(release: dict[str, Any]) -> Fraction:
    if release["initial_term"] is None:
        return Fraction(0)
    term = days_between(release["starts_on"] - ONE_DAY, last_day_of_term(release["starts_on"], release["initial_term"]))
    return Fraction(release["upfront_cost"]) * sum(day > release["last_day"] for day in term) / len(term)


@settings(max_examples=300, deadline=None)
@given(releases())
def test_a_fee_is_the_smallest_of_three_and_rounds_down_by_less_than_a_coin(release: dict[str, Any]) -> None:
    caps = [] if release["cap"] is None else [Fraction(release["cap"])]
    exact = min(cost_not_paid_back(release), cost_of_staying(release), *caps)

    fee = exit_fee(**release)

    assert exact - Fraction(unit(release["currency"])) < Fraction(fee) <= exact
    assert fee >= 0


@given(releases())
def test_leaving_later_never_costs_more(release: dict[str, Any]) -> None:
    later = {**release, "last_day": release["last_day"] + ONE_DAY}

    assert exit_fee(**later) <= exit_fee(**release)


@pytest.mark.parametrize(
    ("changes", "fee"),
    [
        pytest.param({}, "50.00", id="half-the-cost-is-paid-back"),
        pytest.param({"price": "1.00"}, "12.00", id="staying-would-have-cost-less"),
        pytest.param({"cap": "7.50"}, "7.50", id="the-cap-holds"),
        pytest.param({"cap": "0.00"}, "0.00", id="a-cap-of-nothing-too"),
        pytest.param({"initial_term": None}, "0.00", id="no-initial-term-no-fee"),
        pytest.param({"last_day": "2027-01-15", "ordinary_last_day": "2027-06-30"}, "0.00", id="nor-after-it"),
        pytest.param({"ordinary_last_day": "2025-12-31"}, "0.00", id="nor-at-the-ordinary-end"),
        pytest.param({"last_day": "2024-11-01", "price": "1.00"}, "24.00", id="days-before-the-start-are-free"),
        pytest.param({"last_day": "2026-12-30"}, "0.13", id="one-day-of-730-rounded-down"),
    ],
)
def test_fee_of_an_early_release(changes: dict[str, Any], fee: str) -> None:
    assert str(exit_fee(**{**RELEASE, **changes})) == fee


def test_each_billing_period_weighs_its_own_days() -> None:
    # 28 days of February and 31 of March: half a month and a whole one, however long they are.
    given_ = {**RELEASE, "last_day": "2026-02-14", "ordinary_last_day": "2026-03-31", "price": "10.00"}

    assert str(exit_fee(**given_)) == "15.00"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"starts_on": "1.1.2025"}, 'starts_on: "1.1.2025" is not a day; '),
        ({"ordinary_last_day": None}, "ordinary_last_day: null is not a day; "),
        ({"initial_term": {"months": 0}}, "initial_term: a period of nothing never passes; "),
        ({"billing": None}, "billing: null is not a period; "),
        ({"price": "-0.01"}, 'price: "-0.01" is negative; '),
        ({"upfront_cost": None}, "upfront_cost: null is not an amount; "),
        ({"cap": "1.005"}, 'cap: "1.005" is finer than EUR counts; '),
        ({"currency": "BTC"}, 'currency: "BTC" is not a currency; '),
        ({"initial_term": {"months": 119988}}, "the days reach beyond the years 1 to 9999; "),
        ({"ordinary_last_day": "9999-12-31"}, "the days reach beyond the years 1 to 9999; "),
    ],
)
def test_an_unusable_release_is_refused_by_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared below
        exit_fee(**{**RELEASE, **changes})

    assert str(refused.value).startswith(message)


# Withdrawal.


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["id"]) for case in LAW if case["rule"] == "prorata_withdrawal"]
)
def test_withdrawal_as_the_law_settles_it(case: dict[str, Any]) -> None:
    given_ = case["inputs"]

    paid_back = withdrawal_refund(
        paid=given_["total_price"],
        currency=given_["currency"],
        starts_on=given_["service_start"],
        term_days=given_["term_days"],
        received_on=given_["withdrawal_received_local_date"],
        asked_to_start=given_["express_request_to_start"],
        informed=given_["informed_of_payment"],
    )

    owed = Decimal(given_["total_price"]) - paid_back
    assert {"owed": str(owed), "refund": str(paid_back)} == {
        name: case["expected"][name] for name in ("owed", "refund")
    }


@pytest.mark.parametrize(
    ("received_on", "asked", "informed", "paid_back"),
    [
        pytest.param("2027-01-20", True, False, "120.00", id="not-told-that-it-costs"),
        pytest.param("2027-01-05", True, True, "120.00", id="before-it-started"),
        pytest.param("2029-01-05", True, True, "0.00", id="never-more-than-was-paid"),
    ],
)
def test_withdrawal_keeps_nothing_that_is_not_owed(
    received_on: str, asked: bool, informed: bool, paid_back: str
) -> None:
    refunded = withdrawal_refund(
        paid="120.00",
        currency="EUR",
        starts_on="2027-01-10",
        term_days=365,
        received_on=received_on,
        asked_to_start=asked,
        informed=informed,
    )

    assert str(refunded) == paid_back
