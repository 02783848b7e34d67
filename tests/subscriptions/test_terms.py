"""The day a contract ends: worked cases, and a slow reading of TERMS beside the quick one.

The oracle below shares no code with ``subscriptions.terms``: it walks the days one by one and asks
of each whether the contract may end on it and whether the notice is kept.
"""

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from subscriptions.terms import (
    Boundary,
    Counting,
    CutOff,
    NoticeQuote,
    Period,
    Rule,
    Terms,
    TermsError,
    after_event,
    billing_period_around,
    boundary_before,
    boundary_from,
    initial_last_day,
    last_day_of_stretch,
    latest_receipt,
    month_later,
    notice_quote,
    quote_for_day,
    rule_of,
)

DATA = Path(__file__).resolve().parents[1] / "data"
VECTORS = json.loads((DATA / "terms_vectors.json").read_text(encoding="utf-8"))["notice"]
ONE_DAY = timedelta(days=1)
MONTH_ENDING = {"month_end": 1, "quarter_end": 3, "half_year_end": 6, "year_end": 12}


def law_cases(*rules: str) -> list[Any]:
    cases = json.loads((DATA / "law_vectors.json").read_text(encoding="utf-8"))["vectors"]
    found = [pytest.param(case, id=case["id"]) for case in cases if case["rule"] in rules]
    assert found, f"no worked case for {rules}"
    return found


def day(text: str) -> date:
    return date.fromisoformat(text)


def agreed(**changes: Any) -> Terms:
    plain = {
        "starts_on": day("2025-01-01"),
        "timezone": "Europe/Berlin",
        "counting": Counting.SAME_DAY_NUMBER,
        "initial_term": None,
        "renewal": "open_ended",
        "notice": Period(months=1),
        "renewal_notice": None,
        "notice_to": Boundary.ANY_DAY,
        "billing": Period(months=1),
        "billing_anchor": day("2025-01-01"),
    }
    return Terms(**{**plain, **changes})


def written(**changes: Any) -> dict[str, Any]:
    return {**agreed().as_dict(), **changes}


# The oracle: TERMS read word by word, a day at a time.


def the_same_day(start: date, months: int) -> date | None:
    """Rule 1's target without its clamping: None where the month has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    try:
        return date(year, month + 1, start.day)
    except ValueError:
        return None


def end_of_month(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    some_day = date(year, month + 1, 28)
    while (some_day + ONE_DAY).month == some_day.month:
        some_day += ONE_DAY
    return some_day


def clamped(start: date, months: int) -> date:
    return the_same_day(start, months) or end_of_month(start, months)


def stretch(first: date, period: Period) -> date:
    if not period.months:
        return first + timedelta(days=period.days) - ONE_DAY
    same = the_same_day(first, period.months)
    return same - ONE_DAY if same else end_of_month(first, period.months)


def is_kept(received: date, notice: Period | CutOff, end: date, counting: Counting) -> bool:
    if isinstance(notice, CutOff):
        month = clamped(end.replace(day=1), -notice.months_before)
        last = end_of_month(month, 0)
        return received <= month.replace(day=min(notice.by_day, last.day))
    if not notice.months:
        return received + timedelta(days=notice.days) <= end
    if counting == "from_next_day":
        return stretch(received + ONE_DAY, notice) <= end
    return clamped(received, notice.months) <= end


@cache
def billing_days(anchor: date, billing: Period) -> frozenset[date]:
    if billing.months:
        return frozenset(clamped(anchor, k * billing.months) for k in range(-240, 400))
    return frozenset(anchor + timedelta(days=k * billing.days) for k in range(-6000, 9000))


def is_boundary(terms: Terms, end: date) -> bool:
    if terms.notice_to == "any_day":
        return True
    next_day = end + ONE_DAY
    if terms.notice_to == "billing_period":
        return next_day in billing_days(terms.billing_anchor, terms.billing)
    return next_day.day == 1 and (next_day.month - 1) % MONTH_ENDING[terms.notice_to] == 0


def slow_boundary(terms: Terms, received: date, notice: Period | CutOff, after: date | None) -> date:
    end = received if after is None else max(received, after + ONE_DAY)
    while not (is_boundary(terms, end) and is_kept(received, notice, end, terms.counting)):
        end += ONE_DAY
    return end


def slow_end(terms: Terms, received: date) -> date | None:
    if terms.initial_term is None:
        end = slow_boundary(terms, received, terms.notice, None)
        return terms.starts_on - ONE_DAY if end < terms.starts_on else end
    first_end = stretch(terms.starts_on, terms.initial_term)
    if terms.renewal == "none":
        return first_end if received <= first_end else None
    if received <= first_end and is_kept(received, terms.notice, first_end, terms.counting):
        return first_end
    notice = terms.renewal_notice or terms.notice
    if terms.renewal == "open_ended":
        return slow_boundary(terms, received, notice, first_end)
    return slow_renewed(terms, received, notice)


def slow_renewed(terms: Terms, received: date, notice: Period | CutOff) -> date:
    assert terms.initial_term is not None
    assert isinstance(terms.renewal, Period)
    total = terms.initial_term
    while True:
        total = Period(months=total.months + terms.renewal.months, days=total.days + terms.renewal.days)
        end = stretch(terms.starts_on, total)
        if received <= end and is_kept(received, notice, end, terms.counting):
            return end


def slow_quote(terms: Terms, received: date) -> NoticeQuote:
    end = slow_end(terms, received)
    if terms.initial_term is not None and terms.renewal == "none":
        return NoticeQuote(received, end, None, None)
    latest = received
    while slow_end(terms, latest + ONE_DAY) == end:
        latest += ONE_DAY
    return NoticeQuote(received, end, latest, slow_end(terms, latest + ONE_DAY))


# Terms of every kind, small enough for the oracle to walk through.

DAYS = st.dates(day("2023-01-01"), day("2027-12-31"))
COUNTS = st.builds(lambda n: Period(days=n), st.integers(1, 40)) | st.builds(
    lambda n: Period(months=n), st.integers(1, 13)
)
NOTICES = (
    st.builds(lambda n: Period(days=n), st.integers(0, 60))
    | st.builds(lambda n: Period(months=n), st.integers(0, 7))
    | st.builds(CutOff, by_day=st.integers(1, 31), months_before=st.integers(0, 4))
)


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


# Counting.


@pytest.mark.parametrize(
    ("event", "counting", "last_day"),
    [
        pytest.param("2025-01-31", "same_day_number", "2025-02-28", id="clamps-to-the-end-of-february"),
        pytest.param("2028-01-31", "same_day_number", "2028-02-29", id="or-to-its-leap-day"),
        pytest.param("2025-02-28", "same_day_number", "2025-03-28", id="keeps-the-number"),
        pytest.param("2025-04-30", "same_day_number", "2025-05-30", id="a-month-end-is-not-sticky"),
        pytest.param("2025-02-28", "from_next_day", "2025-03-31", id="japan-counts-from-the-morning-after"),
        pytest.param("2025-04-30", "from_next_day", "2025-05-31", id="so-a-month-end-reaches-a-month-end"),
        pytest.param("2025-01-29", "from_next_day", "2025-02-28", id="japan-clamps-as-well"),
        pytest.param("2025-01-15", "from_next_day", "2025-02-15", id="and-agrees-in-mid-month"),
    ],
)
def test_one_month_after_an_event(event: str, counting: str, last_day: str) -> None:
    assert after_event(day(event), Period(months=1), Counting(counting)) == day(last_day)


@pytest.mark.parametrize(
    ("first", "months", "last_day"),
    [
        pytest.param("2025-01-31", 1, "2025-02-28", id="no-31st-in-february"),
        pytest.param("2028-01-30", 1, "2028-02-29", id="no-30th-even-in-a-leap-year"),
        pytest.param("2025-03-01", 1, "2025-03-31", id="a-whole-calendar-month"),
        pytest.param("2024-02-29", 12, "2025-02-28", id="a-year-from-a-leap-day"),
        pytest.param("2025-03-15", 24, "2027-03-14", id="the-day-before-the-same-number"),
        pytest.param("9999-01-01", 12, "9999-12-31", id="up-to-the-last-day-there-is"),
    ],
)
def test_a_stretch_counts_its_first_day(first: str, months: int, last_day: str) -> None:
    assert last_day_of_stretch(day(first), months) == day(last_day)


@pytest.mark.parametrize("months", [-13, -1, 0, 1, 11, 12, 25])
def test_a_month_later_is_the_same_number_or_the_months_last_day(months: int) -> None:
    starts = [day("2024-01-01") + n * ONE_DAY for n in range(366)]
    assert [month_later(start, months) for start in starts] == [clamped(start, months) for start in starts]


@given(st.dates(day("1900-01-01"), day("2100-01-01")), COUNTS, st.sampled_from(Counting))
def test_the_latest_receipt_is_the_last_that_is_kept(end: date, notice: Period, counting: Counting) -> None:
    latest = latest_receipt(end, notice, counting)

    assert is_kept(latest, notice, end, counting)
    assert not is_kept(latest + ONE_DAY, notice, end, counting)


@pytest.mark.parametrize(
    ("around", "first", "last"),
    [
        ("2025-02-15", "2025-01-31", "2025-02-27"),
        ("2025-02-28", "2025-02-28", "2025-03-30"),
        ("2025-03-31", "2025-03-31", "2025-04-29"),
        ("2024-12-31", "2024-12-31", "2025-01-30"),
        ("2024-02-29", "2024-02-29", "2024-03-30"),
    ],
)
def test_billing_days_follow_the_anchor_in_both_directions(around: str, first: str, last: str) -> None:
    terms = agreed(billing_anchor=day("2025-01-31"))

    assert billing_period_around(terms, day(around)) == (day(first), day(last))


@given(all_terms(), st.dates(day("2020-01-01"), day("2030-01-01")))
def test_boundaries_are_the_nearest_on_either_side(terms: Terms, around: date) -> None:
    before, after = boundary_before(terms, around), boundary_from(terms, around)

    between = (before + n * ONE_DAY for n in range((after - before).days + 1))
    assert [end for end in between if is_boundary(terms, end)] == [before, after]


# The law's own examples.


@pytest.mark.parametrize("case", law_cases("notice_months", "notice_months_jp"))
def test_months_of_notice_as_the_law_counts_them(case: dict[str, Any]) -> None:
    counting = Counting.FROM_NEXT_DAY if case["rule"] == "notice_months_jp" else Counting.SAME_DAY_NUMBER
    months = Period(months=case["inputs"]["months"])

    last_day = after_event(day(case["inputs"]["received_local_date"]), months, counting)

    assert last_day == day(case["expected"]["end_date"])


@pytest.mark.parametrize("case", law_cases("term_end"))
def test_the_end_of_a_term_as_the_law_counts_it(case: dict[str, Any]) -> None:
    term = Period(months=case["inputs"]["months"])
    terms = agreed(starts_on=day(case["inputs"]["start_date"]), initial_term=term)

    assert initial_last_day(terms) == day(case["expected"]["last_day"])


@pytest.mark.parametrize("case", law_cases("latest_receipt_for_term_end"))
def test_the_latest_receipt_as_the_law_counts_it(case: dict[str, Any]) -> None:
    notice = Period(months=case["inputs"]["notice_months"])

    latest = latest_receipt(day(case["inputs"]["term_last_day"]), notice, Counting.SAME_DAY_NUMBER)

    assert latest == day(case["expected"]["latest_receipt_date"])


@pytest.mark.parametrize("case", law_cases("statutory_notice_621_3", "statutory_notice_621_4"))
def test_statutory_notice_is_terms_like_any_other(case: dict[str, Any]) -> None:
    by_rule = {
        "statutory_notice_621_3": agreed(notice=CutOff(15, 0), notice_to=Boundary.MONTH_END),
        "statutory_notice_621_4": agreed(notice=Period(days=42), notice_to=Boundary.QUARTER_END),
    }

    quote = quote_for_day(by_rule[case["rule"]], day(case["inputs"]["received_local_date"]))

    assert quote.last_day == day(case["expected"]["end_date"])


@pytest.mark.parametrize("case", law_cases("notice_months_from_instant"))
def test_an_instant_counts_from_its_day_in_the_contracts_zone(case: dict[str, Any]) -> None:
    given_ = case["inputs"]
    terms = agreed(timezone=given_["trader_tz"], notice=Period(months=given_["months"]))
    received_at = datetime.fromisoformat(given_["received_instant"])
    elsewhere = received_at.astimezone(ZoneInfo(given_["consumer_tz"])).date()

    quote = notice_quote(terms, received_at)

    assert quote.last_day == day(case["expected"]["end_date_law"])
    kinder = quote_for_day(terms, min(quote.received_on, elsewhere))
    assert kinder.last_day == day(case["expected"]["end_date_policy_most_favourable"])


# The quote.


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in VECTORS])
def test_worked_case(case: dict[str, Any]) -> None:
    quote = notice_quote(Terms.from_dict(case["terms"]), datetime.fromisoformat(case["received_at"]))

    answer = {name: None if value is None else value.isoformat() for name, value in quote._asdict().items()}
    assert answer == case["expect"]


@settings(max_examples=400, deadline=None)
@given(all_terms(), st.dates(day("2022-06-01"), day("2029-06-01")))
def test_the_quote_is_what_walking_the_days_finds(terms: Terms, received_on: date) -> None:
    assert quote_for_day(terms, received_on) == slow_quote(terms, received_on)


@given(all_terms(), DAYS, st.integers(1, 900))
def test_a_later_notice_never_ends_a_contract_sooner(terms: Terms, earlier: date, days: int) -> None:
    sooner, later = quote_for_day(terms, earlier), quote_for_day(terms, earlier + days * ONE_DAY)

    # None after the contract has expired by itself is later than any day.
    assert (sooner.last_day or date.max) <= (later.last_day or date.max)


@given(all_terms(), DAYS)
def test_latest_notice_day_and_last_day_are_consistent(terms: Terms, received_on: date) -> None:
    quote = quote_for_day(terms, received_on)
    assume(quote.latest_notice_day is not None)
    assert quote.last_day
    assert quote.latest_notice_day
    assert quote.if_missed_last_day

    assert received_on <= quote.latest_notice_day <= quote.last_day < quote.if_missed_last_day
    assert quote_for_day(terms, quote.latest_notice_day)[1:] == quote[1:]
    missed = quote_for_day(terms, quote.latest_notice_day + ONE_DAY)
    assert missed.last_day == quote.if_missed_last_day


def test_a_month_to_the_end_of_february_leaves_all_of_january() -> None:
    terms = agreed(initial_term=Period(months=14))

    quote = quote_for_day(terms, day("2026-01-31"))

    assert quote == NoticeQuote(day("2026-01-31"), day("2026-02-28"), day("2026-01-31"), day("2026-03-01"))


def test_notice_by_the_20th_for_the_end_of_the_same_month() -> None:
    terms = agreed(notice=CutOff(20, 0), notice_to=Boundary.MONTH_END)

    quotes = [quote_for_day(terms, day(text)) for text in ("2025-06-20", "2025-06-21")]

    assert quotes == [
        NoticeQuote(day("2025-06-20"), day("2025-06-30"), day("2025-06-20"), day("2025-07-31")),
        NoticeQuote(day("2025-06-21"), day("2025-07-31"), day("2025-07-20"), day("2025-08-31")),
    ]


def test_a_cut_off_day_later_than_the_last_day_leaves_until_the_last_day() -> None:
    terms = agreed(notice=CutOff(20, 0), notice_to="billing_period", billing_anchor=day("2025-01-06"))

    quote = quote_for_day(terms, day("2025-06-05"))

    assert quote == NoticeQuote(day("2025-06-05"), day("2025-06-05"), day("2025-06-05"), day("2025-07-05"))


def test_a_contract_that_is_over_before_it_starts_never_starts() -> None:
    terms = agreed(starts_on=day("2025-07-15"), notice_to=Boundary.MONTH_END)

    quotes = [quote_for_day(terms, day(text)) for text in ("2025-01-10", "2025-05-31", "2025-06-01")]

    # 30 June is the last boundary before the start; a month to it leaves until 31 May.
    assert [quote[1:] for quote in quotes] == [
        (day("2025-07-14"), day("2025-05-31"), day("2025-07-31")),
        (day("2025-07-14"), day("2025-05-31"), day("2025-07-31")),
        (day("2025-07-31"), day("2025-06-30"), day("2025-08-31")),
    ]


def test_a_contract_with_an_initial_term_always_starts() -> None:
    terms = agreed(starts_on=day("2025-07-15"), initial_term=Period(months=1), notice=Period(days=0))

    quote = quote_for_day(terms, day("2025-01-10"))

    assert quote == NoticeQuote(day("2025-01-10"), day("2025-08-14"), day("2025-08-14"), day("2025-08-15"))


def test_renewed_terms_are_counted_from_the_start_and_do_not_drift() -> None:
    terms = agreed(
        starts_on=day("2025-01-31"),
        initial_term=Period(months=1),
        renewal=Period(months=1),
        notice=Period(days=0),
    )

    ends = [quote_for_day(terms, day(f"2025-{month:02}-01")).last_day for month in range(2, 7)]

    assert ends == [day(f"2025-{text}") for text in ("02-28", "03-30", "04-30", "05-30", "06-30")]


def test_a_contract_that_expires_by_itself_has_nothing_to_miss() -> None:
    terms = agreed(initial_term=Period(months=12), renewal="none")

    quotes = [quote_for_day(terms, day(text)) for text in ("2025-12-31", "2026-01-01")]

    assert quotes == [
        NoticeQuote(day("2025-12-31"), day("2025-12-31"), None, None),
        NoticeQuote(day("2026-01-01"), None, None, None),
    ]


def test_weekends_and_holidays_do_not_move_a_notice_period() -> None:
    quote = quote_for_day(agreed(), day("2026-11-25"))

    assert quote.last_day == day("2026-12-25")


@pytest.mark.parametrize(
    ("received_at", "received_on"),
    [
        pytest.param("2025-06-30T22:30:00+00:00", "2025-07-01", id="past-midnight-in-summer"),
        pytest.param("2025-12-31T22:30:00Z", "2025-12-31", id="not-yet-in-winter"),
        pytest.param("2025-03-30T02:30:00+02:00", "2025-03-30", id="in-the-hour-that-does-not-exist"),
    ],
)
def test_the_receipt_day_is_the_local_one(received_at: str, received_on: str) -> None:
    assert notice_quote(agreed(), datetime.fromisoformat(received_at)).received_on == day(received_on)


@pytest.mark.parametrize(
    ("changes", "received_on", "rule"),
    [
        ({}, "2025-06-01", Rule.BOUNDARY),
        ({}, "2024-06-01", Rule.NEVER_STARTS),
        ({"initial_term": Period(months=12)}, "2025-11-30", Rule.INITIAL_TERM),
        ({"initial_term": Period(months=12)}, "2025-12-01", Rule.AFTER_INITIAL),
        ({"initial_term": Period(months=12), "renewal": Period(months=6)}, "2025-12-01", Rule.RENEWED_TERM),
        ({"initial_term": Period(months=12), "renewal": "none"}, "2025-12-31", Rule.EXPIRES),
        ({"initial_term": Period(months=12), "renewal": "none"}, "2026-01-01", Rule.EXPIRED),
    ],
)
def test_the_rule_says_why(changes: dict[str, Any], received_on: str, rule: Rule) -> None:
    assert rule_of(agreed(**changes), day(received_on)) is rule


# Terms in and out.


@given(all_terms())
def test_terms_come_back_as_they_were_written(terms: Terms) -> None:
    assert Terms.from_dict(json.loads(json.dumps(terms.as_dict()))) == terms


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in VECTORS[::9]])
def test_worked_terms_are_written_as_they_were_read(case: dict[str, Any]) -> None:
    as_days = {
        name: {"days": 7 * value["weeks"]} if isinstance(value, dict) and "weeks" in value else value
        for name, value in case["terms"].items()
    }

    assert Terms.from_dict(case["terms"]).as_dict() == as_days


def test_renewal_notice_may_be_left_out() -> None:
    short = {name: value for name, value in written().items() if name != "renewal_notice"}

    assert Terms.from_dict(short) == agreed()


def test_weeks_are_days_and_years_are_months() -> None:
    read = [Period.from_dict(given_) for given_ in ({"weeks": 6}, {"years": 2}, {"months": 0})]

    assert read == [Period(days=42), Period(months=24), Period(days=0)]


def test_weeks_may_renew_into_days() -> None:
    terms = Terms.from_dict(written(initial_term={"weeks": 8}, renewal={"days": 30}))

    assert quote_for_day(terms, day("2025-02-25")).last_day == day("2025-03-27")


NO_ZONE = "is not a time zone; give an IANA name like Europe/Berlin"
MONTHS = "give a whole number from 0 to 119988"
NOTHING = "a period of nothing never passes; give at least one day"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"starts_on": "31.01.2025"}, 'starts_on: "31.01.2025" is not a day; write one like 2025-01-31'),
        ({"starts_on": "2025-02-29"}, 'starts_on: "2025-02-29" is not a day; write one like 2025-01-31'),
        ({"starts_on": "20250131"}, 'starts_on: "20250131" is not a day; write one like 2025-01-31'),
        ({"starts_on": None}, "starts_on: null is not a day; write one like 2025-01-31"),
        (
            {"timezone": "Europe/Berln"},
            f'timezone: "Europe/Berln" {NO_ZONE}',
        ),
        ({"timezone": 1}, f"timezone: 1 {NO_ZONE}"),
        ({"timezone": "../x"}, f'timezone: "../x" {NO_ZONE}'),
        (
            {"timezone": "Europe"},
            f'timezone: "Europe" {NO_ZONE}',
        ),
        ({"timezone": []}, f"timezone: [] {NO_ZONE}"),
        (
            {"counting": "roman"},
            'counting: "roman" is not known; give one of same_day_number, from_next_day',
        ),
        (
            {"renewal": "forever"},
            'renewal: "forever" is not known; give "none", "open_ended" or a period like {"months": 12}',
        ),
        (
            {"initial_term": {"months": 12}, "renewal": {"days": 30}},
            'renewal: {"days": 30} has another unit than the initial term; give it in months',
        ),
        (
            {"initial_term": {"weeks": 8}, "renewal": {"months": 1}},
            'renewal: {"months": 1} has another unit than the initial term; give it in days or weeks',
        ),
        (
            {"notice": {"months": "1"}},
            f'notice.months: "1" cannot be used; {MONTHS}',
        ),
        (
            {"notice": {"months": True}},
            f"notice.months: true cannot be used; {MONTHS}",
        ),
        (
            {"notice": {"months": -1}},
            f"notice.months: -1 cannot be used; {MONTHS}",
        ),
        ({"notice": {"days": 1.5}}, "notice.days: 1.5 cannot be used; give a whole number from 0 to 3652059"),
        (
            {"notice": {"weeks": 10**9}},
            "notice.weeks: 1000000000 cannot be used; give a whole number from 0 to 521722",
        ),
        (
            {"notice": {"months": 1, "days": 3}},
            'notice: {"months": 1, "days": 3} is not a period; give one like {"days": 14} or {"months": 1}',
        ),
        ({"notice": {}}, 'notice: {} is not a period; give one like {"days": 14} or {"months": 1}'),
        ({"notice": None}, 'notice: null is not a period; give one like {"days": 14} or {"months": 1}'),
        (
            {"notice": {"month": 1}},
            'notice: unknown unit "month"; known are days, weeks, months, years',
        ),
        (
            {"notice": {"by_day": 32, "months_before": 0}},
            "notice.by_day: 32 cannot be used; give a whole number from 1 to 31",
        ),
        (
            {"renewal_notice": {"by_day": 15}},
            "months_before: is missing; renewal_notice needs by_day, months_before",
        ),
        (
            {"notice_to": "week_end"},
            'notice_to: "week_end" is not known; give one of any_day, billing_period, month_end, '
            "quarter_end, half_year_end, year_end",
        ),
        ({"billing": {"days": 0}}, f"billing: {NOTHING}"),
        (
            {"initial_term": {"months": 0}},
            f"initial_term: {NOTHING}",
        ),
        ({"renewal": {"months": 0}}, f"renewal: {NOTHING}"),
    ],
)
def test_unusable_terms_are_refused_by_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TermsError) as refused:
        Terms.from_dict(written(**changes))

    assert str(refused.value) == message


def test_a_misspelt_field_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TermsError, match=r'^terms: unknown field "notise"; known are starts_on, timezone, '):
        Terms.from_dict(written(notise={"months": 1}))


def test_a_missing_field_is_named() -> None:
    short = {name: value for name, value in written().items() if name != "notice"}

    with pytest.raises(TermsError, match=r"^notice: is missing; terms needs starts_on, timezone, "):
        Terms.from_dict(short)


@pytest.mark.parametrize("given_", [None, [], "terms", 1])
def test_terms_must_be_an_object(given_: object) -> None:
    with pytest.raises(TermsError, match=r"^terms: .* is not an object; give one with starts_on, "):
        Terms.from_dict(given_)


def test_terms_made_in_code_are_checked_like_terms_that_are_read() -> None:
    with pytest.raises(TermsError, match=r"^renewal: .* another unit"):
        agreed(initial_term=Period(months=12), renewal=Period(days=30))


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(TermsError, match=r"^received_at: .* has no offset"):
        notice_quote(agreed(), datetime(2025, 1, 31, 12))


@pytest.mark.parametrize(
    ("changes", "received_on"),
    [
        pytest.param({}, "9999-12-31", id="at-the-end-of-days"),
        pytest.param({"notice": Period(months=119988)}, "2025-01-31", id="notice-of-all-time"),
        pytest.param({"notice": Period(days=3652059)}, "2025-01-31", id="in-days"),
        pytest.param({"initial_term": Period(months=119988)}, "2025-01-31", id="a-term-of-all-time"),
    ],
)
def test_an_answer_outside_the_calendar_is_refused(changes: dict[str, Any], received_on: str) -> None:
    with pytest.raises(TermsError, match="beyond the years 1 to 9999"):
        quote_for_day(agreed(**changes), day(received_on))


def test_an_instant_outside_the_calendar_is_refused() -> None:
    with pytest.raises(TermsError, match="beyond the years 1 to 9999"):
        notice_quote(agreed(timezone="Pacific/Kiritimati"), datetime.max.replace(tzinfo=UTC))
