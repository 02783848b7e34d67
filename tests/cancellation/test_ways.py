"""Every way out of a contract: its day, its money, and which one costs least."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cancellation import ways
from cancellation.quotes import Agreed, Paid, Quote, Withdrawable, ordinary
from cancellation.ways import Wish
from subscriptions.amounts import Money
from subscriptions.law import improve
from subscriptions.places import packs
from subscriptions.terms import Terms
from tests.factories import terms_dict

NOTHING = Money(0, "EUR")


def euro(minor: int) -> Money:
    return Money(minor, "EUR")


def at(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time().replace(hour=12), UTC)


def fixed(**changes: object) -> Agreed:
    """Return 24 months from May 2026 for 40.00 a month, 120.00 of up-front cost, paid for November 2026."""
    terms = Terms.from_dict(
        terms_dict(
            starts_on="2026-05-01",
            billing_anchor="2026-05-01",
            initial_term={"months": 24},
            notice={"months": 1},
            notice_to="any_day",
        )
    )
    agreed = Agreed(
        terms,
        euro(4000),
        "daily",
        (Paid(date(2026, 11, 1), date(2026, 11, 30), euro(4000)),),
        upfront_cost=euro(12_000),
        early_release=True,
    )
    return replace(agreed, **changes)  # type: ignore[arg-type]


def usual_of(agreed: Agreed, day: str) -> Quote:
    quote = ordinary(agreed, at(day))
    assert quote is not None
    return quote


def test_an_early_release_costs_what_the_up_front_cost_still_lacks() -> None:
    agreed = fixed()
    usual = usual_of(agreed, "2026-11-10")

    quote = ways.early(agreed, usual, date(2026, 11, 30))

    # 214 of 731 days are served: 120.00 × 517 ÷ 731, rounded down.
    assert (quote.way, quote.last_day, quote.fee) == ("early_release", date(2026, 11, 30), euro(8487))
    assert quote.charges_total == NOTHING
    assert quote.cost.minor < usual.cost.minor


def test_a_cap_of_plan_or_law_bounds_the_fee() -> None:
    agreed = fixed(exit_fee_cap=euro(4000))

    quote = ways.early(agreed, usual_of(agreed, "2026-11-10"), date(2026, 11, 30))

    assert quote.fee == euro(4000)


def test_leaving_early_never_costs_more_than_staying_even_where_all_is_paid_and_nothing_comes_back() -> None:
    paid = (Paid(date(2026, 5, 1), date(2028, 4, 30), euro(96_000)),)
    agreed = fixed(paid=paid, refund_policy="none")
    usual = usual_of(agreed, "2026-11-10")

    quote = ways.early(agreed, usual, date(2026, 11, 10))

    assert (quote.fee, quote.refund, quote.cost) == (NOTHING, NOTHING, usual.cost)


def test_a_contract_without_a_running_term_has_no_early_release() -> None:
    agreed = replace(fixed(), terms=Terms.from_dict(terms_dict()))

    assert not ways.may_leave_early(agreed, usual_of(agreed, "2026-11-10"))
    assert "early_release" not in [quote.way for quote in ways.others(agreed, at("2026-11-10"))]


def test_a_plan_may_close_the_early_release() -> None:
    agreed = fixed(early_release=False)

    assert "early_release" not in [quote.way for quote in ways.others(agreed, at("2026-11-10"))]
    asked = ways.asked_for(agreed, at("2026-11-10"), Wish("early_release", date(2026, 11, 30)))
    assert asked == usual_of(agreed, "2026-11-10")


def test_a_later_day_is_honoured_and_an_earlier_one_means_the_earliest() -> None:
    agreed = replace(fixed(), terms=Terms.from_dict(terms_dict()))
    usual = usual_of(agreed, "2026-11-10")

    wished = ways.asked_for(agreed, at("2026-11-10"), Wish("later", date(2027, 3, 15)))
    too_early = ways.asked_for(agreed, at("2026-11-10"), Wish("later", date(2026, 11, 20)))
    too_far = ways.asked_for(agreed, at("2026-11-10"), Wish("later", date(3000, 1, 1)))

    assert wished is not None
    assert (wished.way, wished.last_day) == ("later", date(2027, 3, 15))
    assert wished.charges_total.minor > usual.charges_total.minor
    assert too_early == too_far == usual


def test_hardship_and_a_cause_are_free_but_only_the_ordinary_end_is_scheduled_for_them() -> None:
    agreed = fixed()
    usual = usual_of(agreed, "2026-11-10")

    by_way = {quote.way: quote for quote in ways.others(agreed, at("2026-11-10"))}

    for way in ("hardship", "for_cause"):
        assert (by_way[way].fee, by_way[way].last_day) == (NOTHING, date(2026, 11, 10))
        # 20 of 30 days of November come back.
        assert by_way[way].refund == euro(2667)
        assert ways.asked_for(agreed, at("2026-11-10"), Wish(way)) == usual


@pytest.mark.parametrize(("asked_to_start", "back"), [(True, 11_672), (False, 12_000)], ids=["W14", "W15"])
def test_r13_a_withdrawal_gives_back_all_but_the_days_used_at_the_holders_wish(asked_to_start: bool, back: int) -> None:
    paid = (Paid(date(2027, 1, 10), date(2028, 1, 9), euro(12_000)),)
    right = Withdrawable(date(2027, 1, 24), asked_to_start, informed=True)
    agreed = replace(fixed(paid=paid), withdrawable=right)

    quote = ways.withdrawal(agreed, date(2027, 1, 20))

    assert quote is not None
    assert (quote.way, quote.last_day, quote.refund) == ("withdrawal", date(2027, 1, 20), euro(back))
    assert (quote.fee, quote.charges_total) == (NOTHING, NOTHING)


def test_r13_a_withdrawal_is_there_until_its_last_day_and_not_after() -> None:
    right = Withdrawable(date(2026, 11, 10), asked_to_start=False, informed=True)
    agreed = fixed(withdrawable=right)

    assert ways.withdrawal(agreed, date(2026, 11, 10)) is not None
    assert ways.withdrawal(agreed, date(2026, 11, 11)) is None
    assert ways.withdrawal(fixed(), date(2026, 11, 10)) is None


def test_the_cheapest_way_is_the_one_that_leaves_most_with_the_holder() -> None:
    agreed = fixed(withdrawable=Withdrawable(date(2026, 11, 20), asked_to_start=False, informed=True))
    quotes = [usual_of(agreed, "2026-11-10"), *ways.others(agreed, at("2026-11-10"))]

    best = ways.cheapest(quotes)

    assert best is not None
    assert best.way == "withdrawal"
    assert best.cost == min((quote.cost for quote in quotes), key=lambda money: money.minor)


@pytest.mark.parametrize("given", [{"months": 3}, {"by_day": 15, "months_before": 2}], ids=["period", "cut-off"])
def test_r10_the_law_gives_the_better_end_and_says_what_is_better(given: dict[str, int]) -> None:
    terms = Terms.from_dict(
        terms_dict(
            starts_on="2024-01-01", billing_anchor="2024-01-01", initial_term={"months": 12}, renewal={"months": 12},
            notice=given,
        )
    )  # fmt: skip
    german = improve(terms, packs()["de"], concluded_on=terms.starts_on, on=date(2026, 11, 10))

    quote = usual_of(fixed(terms=terms, law=german), "2026-11-10")

    assert quote.last_day == date(2026, 12, 10)
    assert quote.terms is not None
    assert {line.parameter for line in quote.improvements} >= {"renewal_rule", "max_notice_after_initial_term"}
    assert Quote.from_dict(quote.as_dict()) == quote


def test_r10_terms_as_agreed_stay_where_the_law_says_nothing() -> None:
    terms = Terms.from_dict(terms_dict(notice={"weeks": 6}, notice_to="quarter_end"))
    german = improve(terms, packs()["de"], concluded_on=terms.starts_on, on=date(2026, 11, 10))

    quote = usual_of(fixed(terms=terms, law=german), "2026-11-10")

    assert (quote.last_day, quote.terms, quote.improvements) == (date(2026, 12, 31), None, ())


def test_r11_a_page_at_fault_lets_the_contract_end_on_the_day_of_the_notice() -> None:
    quote = usual_of(fixed(at_once=True), "2026-11-10")

    assert (quote.rule, quote.last_day) == ("at_once", date(2026, 11, 10))


def test_r10_an_earlier_day_where_the_sender_is_counts_for_them() -> None:
    """Case Z03: 18:30 on 31 December in New York, 00:30 on 1 January in Berlin."""
    terms = Terms.from_dict(terms_dict(notice_to="any_day"))
    agreed = fixed(terms=terms, sender_zone="America/New_York")

    quote = ordinary(agreed, datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    assert quote is not None
    assert (quote.received_on, quote.last_day) == (date(2027, 1, 1), date(2027, 1, 31))


def test_a_page_left_open_over_midnight_means_the_first_day_that_is_left() -> None:
    agreed = fixed()

    quote = ways.early(agreed, usual_of(agreed, "2026-11-11"), date(2026, 11, 10))

    assert quote.last_day == date(2026, 11, 11)


def test_a_wish_that_cannot_be_read_asks_for_nothing() -> None:
    assert Wish.read({"way": None, "day": "tomorrow"}) == Wish()
    assert Wish.read(Wish("later", date(2027, 1, 31), "moved").as_dict()) == Wish("later", date(2027, 1, 31), "moved")


@given(
    day=st.dates(date(2026, 5, 1), date(2028, 4, 30)),
    after=st.integers(0, 400),
    upfront=st.integers(0, 100_000),
    policy=st.sampled_from(["none", "daily", "monthly"]),
    ahead=st.booleans(),
)
def test_no_early_end_is_ever_dearer_or_later_than_the_ordinary_one(
    day: date, after: int, upfront: int, policy: str, ahead: bool
) -> None:
    months = (Paid(date(2026, 5, 1), date(2028, 4, 30), euro(96_000)),) if ahead else ()
    agreed = fixed(paid=months, refund_policy=policy, upfront_cost=euro(upfront))
    usual = ordinary(agreed, at(day.isoformat()))
    assert usual is not None

    for quote in (
        ways.early(agreed, usual, day + timedelta(days=after)),
        ways.hardship(agreed, usual, day + timedelta(days=after)),
    ):
        assert quote.cost.minor <= usual.cost.minor
        assert usual.received_on <= quote.last_day <= usual.last_day
        assert quote.fee.minor <= upfront
