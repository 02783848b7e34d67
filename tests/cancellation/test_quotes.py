"""Quotes: what leaving would mean, by example."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cancellation.quotes import Agreed, Paid, Quote, ordinary
from subscriptions.amounts import Money
from subscriptions.terms import Terms
from tests.factories import terms_dict


def euro(minor: int) -> Money:
    return Money(minor, "EUR")


def agreed(*, paid: tuple[Paid, ...] = (), policy: str = "monthly", price: int = 1200, **terms: object) -> Agreed:
    return Agreed(Terms.from_dict(terms_dict(**terms)), euro(price), policy, paid)


def at(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time().replace(hour=12), UTC)


def test_the_last_day_of_a_month_saves_a_month_and_the_quote_says_so() -> None:
    quote = ordinary(agreed(), at("2026-11-30"))

    assert quote is not None
    assert quote.last_day == date(2026, 12, 31)
    assert quote.is_last_chance
    assert quote.if_missed_last_day == date(2027, 1, 31)


def test_the_first_of_a_month_tells_what_one_day_earlier_would_have_meant() -> None:
    quote = ordinary(agreed(), at("2026-12-01"))

    assert quote is not None
    assert quote.last_day == date(2027, 1, 31)
    assert quote.one_day_earlier_last_day == date(2026, 12, 31)
    assert not quote.is_last_chance


def test_an_end_that_moves_with_every_day_is_no_reason_to_warn() -> None:
    quote = ordinary(agreed(notice_to="any_day"), at("2026-11-10"))

    assert quote is not None
    assert quote.one_day_earlier_last_day is None
    assert not quote.is_last_chance


def test_a_year_paid_ahead_comes_back_by_whole_unused_months() -> None:
    paid = Paid(date(2026, 7, 1), date(2027, 6, 30), euro(12_000))

    quote = ordinary(agreed(paid=(paid,), billing={"months": 12}), at("2026-11-10"))

    assert quote is not None
    # Ends on 31 December: six of twelve months have not begun.
    assert quote.refund == euro(6_000)
    assert quote.net == euro(6_000)
    assert quote.charges == 0


def test_charges_still_to_come_are_counted_until_the_last_day() -> None:
    paid = Paid(date(2026, 11, 1), date(2026, 11, 30), euro(1200))

    quote = ordinary(agreed(paid=(paid,), notice={"months": 3}), at("2026-11-10"))

    assert quote is not None
    assert quote.last_day == date(2027, 2, 28)
    assert (quote.charges, quote.charges_total) == (3, euro(3600))
    assert (quote.last_charge_on, quote.last_charge) == (date(2027, 2, 1), euro(1200))


def test_a_last_period_cut_short_costs_its_share_only() -> None:
    paid = Paid(date(2026, 11, 1), date(2026, 11, 30), euro(3000))

    quote = ordinary(agreed(paid=(paid,), notice_to="any_day", policy="daily", price=3000), at("2026-11-15"))

    assert quote is not None
    assert quote.last_day == date(2026, 12, 15)
    assert quote.last_charge == euro(1451)  # 30.00 less 16 of 31 days, 15.49 rounded in the customer's favour


@pytest.mark.parametrize(
    ("terms", "received", "first_charge"),
    [
        pytest.param(
            {"starts_on": "2026-06-15", "billing_anchor": "2026-01-01"}, "2026-06-10", "2026-06-15",
            id="starts-in-the-middle-of-a-billing-period",
        ),
        pytest.param({}, "2026-06-01", "2026-06-01", id="on-a-billing-day-that-is-not-booked-yet"),
        pytest.param({}, "2026-06-02", "2026-07-01", id="the-day-after-it"),
    ],
)  # fmt: skip
def test_no_charge_to_come_is_forgotten(terms: dict[str, object], received: str, first_charge: str) -> None:
    with_notice = agreed(**{"initial_term": {"months": 3}, "starts_on": "2026-05-01", **terms})

    quote = ordinary(with_notice, at(received))

    assert quote is not None
    start, day, expected = date.fromisoformat(first_charge), date.fromisoformat(first_charge), 0
    while day <= quote.last_day:
        expected += 1
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    assert (quote.charges, quote.charges_total) == (expected, euro(1200 * expected)), start


def test_payments_in_another_currency_come_back_in_theirs_and_are_never_added_up() -> None:
    dollars = Paid(date(2026, 7, 1), date(2027, 6, 30), Money(30_000, "USD"))
    euros = Paid(date(2026, 7, 1), date(2027, 6, 30), euro(12_000))

    quote = ordinary(agreed(paid=(dollars, euros)), at("2026-11-10"))
    less = ordinary(agreed(paid=(euros,)), at("2026-11-10"))

    assert quote is not None
    assert less is not None
    assert quote.refund == euro(6_000)
    assert quote.other_refunds == (Money(15_000, "USD"),)
    assert less.worse_than(quote)


def test_what_costs_nothing_is_no_charge() -> None:
    quote = ordinary(agreed(price=0, notice={"months": 3}), at("2026-11-10"))

    assert quote is not None
    assert (quote.charges, quote.last_charge) == (0, None)


def test_a_contract_that_has_ended_by_itself_has_no_quote() -> None:
    ended = agreed(initial_term={"months": 12}, renewal="none")

    assert ordinary(ended, at("2026-11-10")) is None


def test_the_fingerprint_covers_what_is_shown_and_not_the_instant() -> None:
    morning = ordinary(agreed(), datetime(2026, 11, 10, 8, tzinfo=UTC))
    evening = ordinary(agreed(), datetime(2026, 11, 10, 20, tzinfo=UTC))
    next_month = ordinary(agreed(), at("2026-12-10"))

    assert morning is not None
    assert evening is not None
    assert next_month is not None
    assert morning.fingerprint == evening.fingerprint
    assert morning.fingerprint != next_month.fingerprint


@pytest.mark.parametrize(
    ("other_day", "worse"),
    [
        pytest.param("2026-11-29", False, id="the-same-end"),
        pytest.param("2026-12-01", True, id="midnight-moved-the-end"),
        pytest.param("2026-10-31", False, id="an-earlier-end-is-better"),
    ],
)
def test_a_quote_is_worse_when_it_ends_later(other_day: str, worse: bool) -> None:
    shown, now = ordinary(agreed(), at("2026-11-30")), ordinary(agreed(), at(other_day))

    assert shown is not None
    assert now is not None
    assert now.worse_than(shown) is worse


def test_less_money_back_is_worse_and_more_is_not() -> None:
    full = Paid(date(2026, 7, 1), date(2027, 6, 30), euro(12_000))
    more = Paid(date(2026, 7, 1), date(2027, 6, 30), euro(13_000))
    shown, now = ordinary(agreed(paid=(full,)), at("2026-11-10")), ordinary(agreed(paid=(more,)), at("2026-11-10"))

    assert shown is not None
    assert now is not None
    assert shown.worse_than(now)
    assert not now.worse_than(shown)


@given(st.dates(date(2025, 1, 1), date(2030, 12, 31)), st.sampled_from(["none", "daily", "monthly"]))
def test_a_quote_survives_the_journey_through_json(day: date, policy: str) -> None:
    paid = Paid(day.replace(day=1), date(day.year + 1, 12, 31), euro(9_999))
    quote = ordinary(agreed(paid=(paid,), policy=policy), datetime.combine(day, datetime.min.time(), UTC))

    assert quote is not None
    assert Quote.from_dict(quote.as_dict()) == quote
    assert euro(0).minor <= quote.refund.minor <= paid.amount.minor
