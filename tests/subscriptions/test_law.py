"""Terms that the law makes better: what changes, what does not, and never anything for the worse."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriptions import law
from subscriptions.law import Applied, Improvement, improve
from subscriptions.packs import CODES, load
from subscriptions.periods import Counting, Period
from subscriptions.terms import Boundary, CutOff, Rule, Terms, TermsError, quote_for_day

PACKS = load(Path(__file__).resolve().parents[2] / "policies")
ONE_DAY = timedelta(days=1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def agreed(**changes: Any) -> Terms:
    plain: dict[str, Any] = {
        "starts_on": day("2023-03-15"),
        "timezone": "Europe/Berlin",
        "counting": Counting.SAME_DAY_NUMBER,
        "initial_term": Period(months=24),
        "renewal": Period(months=12),
        "notice": Period(months=3),
        "notice_to": Boundary.QUARTER_END,
        "billing": Period(months=1),
        "billing_anchor": day("2023-03-15"),
    }
    return Terms(**{**plain, **changes})


def better(terms: Terms, code: str, on: str = "2026-11-24", made: str = "2023-03-01", **more: Any) -> Applied:
    return improve(terms, PACKS[code], concluded_on=day(made), on=day(on), **more)


def lines(applied: Applied) -> list[tuple[Any, ...]]:
    return [(line.parameter, line.agreed, line.applied) for line in applied.improvements]


def last(applied: Applied, received_on: str) -> str:
    told = applied.quote(day(received_on)).last_day
    assert told
    return told.isoformat()


# Germany.


def test_a_german_contract_runs_on_with_a_month_of_notice_instead_of_another_year() -> None:
    applied = better(agreed(), "de")

    assert lines(applied) == [
        ("max_notice_before_initial_end", Period(months=3), Period(months=1)),
        ("renewal_rule", Period(months=12), "open_ended"),
        ("max_notice_after_initial_term", Period(months=3), Period(months=1)),
    ]
    assert applied.improvements[0].source == "A10 · BGB 309 no. 9 c; EGBGB art. 229 s. 60"
    assert last(applied, "2025-02-14") == "2025-03-14"
    assert last(applied, "2025-02-15") == "2025-03-15"
    assert last(applied, "2026-11-24") == "2026-12-24"
    assert quote_for_day(applied.agreed, day("2026-11-24")).last_day == day("2027-03-14")
    assert applied.rule_of(day("2026-11-24")) is Rule.AFTER_INITIAL


def test_a_contract_of_before_march_2022_keeps_the_old_rule() -> None:
    old = agreed(starts_on=day("2022-03-15"), renewal=Period(months=24), notice=Period(months=6))

    applied = better(old, "de", made="2022-02-28")

    assert lines(applied) == [
        ("max_notice_before_initial_end", Period(months=6), Period(months=3)),
        ("max_renewal_months", Period(months=24), Period(months=12)),
        ("max_notice_after_initial_term", Period(months=6), Period(months=3)),
    ]
    assert last(applied, "2026-11-24") == "2027-03-14"
    assert better(agreed(), "de", made="2022-02-28").improvements == ()


def test_unless_it_is_about_telecommunications() -> None:
    applied = better(agreed(notice=Period(months=1)), "de", made="2020-03-01", sector="telecom")

    assert lines(applied) == [("renewal_rule", Period(months=12), "open_ended")]


def test_a_contract_without_a_first_term_stays_as_agreed() -> None:
    six_weeks = agreed(initial_term=None, renewal="open_ended", notice=Period(days=42))

    applied = better(six_weeks, "de")

    assert applied == Applied.as_agreed(six_weeks)


def test_a_contract_that_runs_out_by_itself_stays_as_agreed() -> None:
    expiring = agreed(renewal="none", notice=Period(days=0))

    assert better(expiring, "de") == Applied.as_agreed(expiring)
    assert better(expiring, "de").quote(day("2026-11-24")).last_day is None


def test_a_first_term_is_two_years_at_the_most() -> None:
    long = agreed(initial_term=Period(months=36), notice=Period(months=1), renewal="none")

    applied = better(long, "de")

    assert lines(applied) == [("max_initial_term_months", Period(months=36), Period(months=24))]
    assert last(applied, "2025-02-14") == "2025-03-14"
    # Past the cap, the holder may go on any day with a month's notice, and at the agreed end anyhow.
    assert last(applied, "2025-06-10") == "2025-07-10"
    assert applied.quote(day("2026-03-01")) == quote_for_day(long, day("2026-03-01"))
    assert applied.quote(day("2026-11-24")).last_day is None


def test_a_first_term_in_days_is_capped_in_days() -> None:
    applied = better(agreed(initial_term=Period(days=1000), renewal=Period(days=365)), "de", made="2022-01-01")

    assert applied.terms.initial_term == Period(days=731)
    assert applied.terms.renewal == Period(days=365)


def test_after_the_first_term_a_german_contract_ends_on_any_day() -> None:
    applied = better(agreed(renewal="open_ended", notice=Period(days=14)), "de")

    assert lines(applied) == [("notice_to", Boundary.QUARTER_END, Boundary.ANY_DAY)]
    assert last(applied, "2026-11-24") == "2026-12-08"


def test_what_was_agreed_better_stays() -> None:
    kind = agreed(renewal="open_ended", notice=Period(days=7), notice_to=Boundary.ANY_DAY)

    assert better(kind, "de") == Applied.as_agreed(kind)


def test_thirty_days_are_longer_than_a_month_in_february_alone() -> None:
    thirty = agreed(renewal="open_ended", notice=Period(days=30), notice_to=Boundary.ANY_DAY)

    applied = better(thirty, "de", on="2027-02-10")

    assert applied.improvements == ()
    assert last(applied, "2027-02-10") == "2027-03-10"
    assert last(applied, "2027-01-10") == "2027-02-09"


def test_by_the_20th_for_the_end_of_the_month_is_shorter_than_a_month_where_it_is() -> None:
    cut_off = agreed(notice=CutOff(20, 0), renewal="open_ended", notice_to=Boundary.MONTH_END)

    applied = better(cut_off, "de")

    assert lines(applied) == [("notice_to", Boundary.MONTH_END, Boundary.ANY_DAY)]
    assert last(applied, "2026-11-20") == "2026-11-30"
    assert last(applied, "2026-11-21") == "2026-12-21"


def test_whoever_is_no_consumer_has_what_was_agreed() -> None:
    assert better(agreed(), "de", is_consumer=False) == Applied.as_agreed(agreed())


# Other places.


def test_ten_days_are_enough_for_french_telecommunications() -> None:
    applied = better(agreed(initial_term=None, renewal="open_ended"), "fr", sector="telecom")

    assert lines(applied) == [
        ("max_notice_open_ended", Period(months=3), Period(days=10)),
        ("notice_to", Boundary.QUARTER_END, Boundary.ANY_DAY),
    ]
    assert last(applied, "2027-01-05") == "2027-01-15"
    assert better(agreed(), "fr") == Applied.as_agreed(agreed())


def test_a_month_is_enough_for_polish_telecommunications_that_went_on() -> None:
    applied = better(agreed(), "pl", made="2025-01-01", sector="telecom")

    assert lines(applied) == [
        ("renewal_rule", Period(months=12), "open_ended"),
        ("max_notice_after_initial_term", Period(months=3), Period(months=1)),
    ]
    assert better(agreed(), "pl") == Applied.as_agreed(agreed())


def test_californians_leave_at_will_with_the_time_they_have_paid_for() -> None:
    applied = better(agreed(), "us-ca", made="2023-03-01")

    assert lines(applied) == [
        ("max_notice_before_initial_end", Period(months=3), Period(days=0)),
        ("no_date_given", Period(months=12), "open_ended"),
        ("max_notice_after_initial_term", Period(months=3), Period(days=0)),
    ]
    assert last(applied, "2025-03-14") == "2025-03-14"
    assert last(applied, "2026-11-24") == "2026-12-14"
    assert better(agreed(), "us-ca", on="2025-06-30") == Applied.as_agreed(agreed())


def test_with_the_paid_time_or_the_agreed_day_whichever_is_sooner() -> None:
    applied = better(agreed(initial_term=None, renewal="open_ended", notice_to=Boundary.MONTH_END), "us-ny")

    assert last(applied, "2026-12-01") == "2026-12-14"
    assert last(applied, "2026-12-20") == "2026-12-31"
    told = applied.quote(day("2026-12-20"))
    assert (told.latest_notice_day, told.if_missed_last_day) == (day("2026-12-31"), day("2027-01-14"))


@pytest.mark.parametrize("code", ["default", "eu", "uk", "jp"])
def test_where_no_law_speaks_of_it_what_was_agreed_stays(code: str) -> None:
    assert better(agreed(), code) == Applied.as_agreed(agreed())


def test_a_kinder_operator_is_followed_and_named(tmp_path: Path) -> None:
    (tmp_path / "de.toml").write_text(
        '[[max_notice_after_initial_term]]\nsince = 2026-01-01\nvalue = { days = 14 }\nunit = "period"\n'
        'source = "our promise"\nconfidence = "A"\nreview_on = 2027-01-01\nbasis = "ours"\n',
        encoding="utf-8",
    )
    pack = load(Path(__file__).resolve().parents[2] / "policies", tmp_path)["de"]

    applied = improve(agreed(), pack, concluded_on=day("2023-03-01"), on=day("2026-11-24"))

    assert applied.improvements[-1] == Improvement(
        "max_notice_after_initial_term", Period(months=3), Period(days=14), "our promise", "ours"
    )
    assert last(applied, "2026-11-24") == "2026-12-08"


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(TermsError, match="received_at: 2026-11-24T12:00:00 has no offset"):
        better(agreed(), "de").notice_quote(datetime(2026, 11, 24, 12))


# For every contract and place.

COUNTS = st.builds(lambda n: Period(days=n), st.integers(1, 900)) | st.builds(
    lambda n: Period(months=n), st.integers(1, 40)
)
NOTICES = (
    st.builds(lambda n: Period(days=n), st.integers(0, 120))
    | st.builds(lambda n: Period(months=n), st.integers(0, 7))
    | st.builds(CutOff, by_day=st.integers(1, 31), months_before=st.integers(0, 4))
)
DAYS = st.dates(day("2021-01-01"), day("2030-12-31"))


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    initial = draw(st.none() | COUNTS)
    further = COUNTS.filter(lambda p: initial is None or bool(p.months) == bool(initial.months))
    return Terms(
        starts_on=draw(DAYS),
        timezone="UTC",
        counting=draw(st.sampled_from(Counting)),
        initial_term=initial,
        renewal=draw(st.just("none") | st.just("open_ended") | further),
        notice=draw(NOTICES),
        renewal_notice=draw(st.none() | NOTICES),
        notice_to=draw(st.sampled_from(Boundary)),
        billing=draw(COUNTS),
        billing_anchor=draw(DAYS),
    )


PLACES = st.sampled_from([(code, sector) for code in CODES for sector in ("", "telecom", "mobile")])


@settings(max_examples=400, deadline=None)
@given(all_terms(), PLACES, DAYS, DAYS, st.integers(0, 60))
def test_r10_the_law_never_makes_a_last_day_later(
    terms: Terms, place: tuple[str, str], made: date, on: date, later: int
) -> None:
    applied = improve(terms, PACKS[place[0]], concluded_on=made, on=on, sector=place[1])

    received_on = on + later * ONE_DAY
    told, as_agreed = applied.quote(received_on), quote_for_day(terms, received_on)
    # None: it has ended by itself, which is sooner than any day.
    assert (told.last_day or date.min) <= (as_agreed.last_day or date.min)
    assert applied.agreed == terms
    assert quote_for_day(applied.behind(received_on), received_on).last_day == told.last_day


@settings(max_examples=400, deadline=None)
@given(all_terms(), PLACES, DAYS, DAYS)
def test_the_better_of_both_is_consistent_with_itself(
    terms: Terms, place: tuple[str, str], made: date, on: date
) -> None:
    applied = improve(terms, PACKS[place[0]], concluded_on=made, on=on, sector=place[1])

    told = applied.quote(on)
    if told.latest_notice_day is None or told.last_day is None:
        assert told.if_missed_last_day is None
        return
    assert on <= told.latest_notice_day
    assert applied.quote(told.latest_notice_day)[1:] == told[1:]
    missed = applied.quote(told.latest_notice_day + ONE_DAY)
    assert missed.last_day == told.if_missed_last_day
    assert missed.last_day
    assert missed.last_day > told.last_day


@settings(max_examples=200, deadline=None)
@given(all_terms(), PLACES, DAYS, DAYS)
def test_what_is_improved_needs_no_improving(terms: Terms, place: tuple[str, str], made: date, on: date) -> None:
    once = improve(terms, PACKS[place[0]], concluded_on=made, on=on, sector=place[1])

    again = improve(once.terms, PACKS[place[0]], concluded_on=made, on=on, sector=place[1])

    assert again.terms == once.terms
    assert again.improvements == ()


# Money and counting.


@pytest.mark.parametrize(
    ("sector", "price", "billing", "currency", "most"),
    [
        ("telecom", 4980, Period(months=1), "JPY", 4980),
        ("mobile", 4980, Period(months=1), "JPY", 1000),
        ("mobile", 980, Period(months=1), "JPY", 980),
        ("telecom", 12_000, Period(months=12), "JPY", 1000),
        ("telecom", 10_000, Period(months=12), "JPY", 833),
        ("telecom", 700, Period(days=7), "JPY", 3041),
        ("mobile", 2000, Period(months=1), "EUR", 2000),
        ("", 4980, Period(months=1), "JPY", None),
    ],
)
def test_what_leaving_early_may_cost_in_japan(
    sector: str, price: int, billing: Period, currency: str, most: int | None
) -> None:
    cap = PACKS["jp"].law("exit_fee_cap", day("2026-11-24"), sector)

    assert law.fee_cap(cap, monthly_fee=law.monthly_fee(price, billing), currency=currency) == most


def test_the_fee_of_a_month_is_kept_exact() -> None:
    assert law.monthly_fee(1000, Period(months=3)) == Fraction(1000, 3)


def test_months_are_counted_from_the_next_day_in_japan_alone() -> None:
    counted = {code: law.counting_of(PACKS[code].get("period_counting_rule", day("2026-11-24"))) for code in CODES}

    assert {code for code, counting in counted.items() if counting is Counting.FROM_NEXT_DAY} == {"jp"}
