"""Days that a file does not have."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cancellation.importing.derived import (
    PaidPeriod,
    kept_last_day,
    kept_start,
    last_paid,
    months_lasted,
    start_for,
)
from subscriptions.periods import Period

MONTH = Period(months=1)
days = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("end", "tenure", "start"),
    [
        ("2022-09-30", 1, "2022-09-01"),
        ("2022-09-30", 12, "2021-10-01"),
        ("2022-09-15", 9, "2021-12-16"),
        ("2023-03-30", 1, "2023-02-28"),
        ("2024-03-30", 1, "2024-02-29"),
        ("2022-09-30", 0, "2022-09-30"),
    ],
)
def test_the_start_is_counted_back_from_the_day_after_the_end(end, tenure, start):
    assert start_for(date.fromisoformat(end), tenure) == date.fromisoformat(start)


@given(days, st.integers(0, 800))
def test_a_contract_has_lasted_exactly_its_tenure(end, tenure):
    start = start_for(end, tenure)

    assert start <= end
    assert months_lasted(start, end) == tenure


@given(days, st.integers(0, 400))
def test_months_lasted_counts_whole_months_only(start, extra):
    end = start + timedelta(days=extra)

    months = months_lasted(start, end)

    assert extra // 31 <= months <= (extra + 4) // 28
    assert months_lasted(start, end + timedelta(days=1)) - months in (0, 1)


@given(days, st.integers(0, 400), st.integers(0, 200))
def test_a_known_start_stays_where_it_agrees_and_gives_way_where_it_does_not(end, tenure, later):
    known = start_for(end, tenure)
    read_again_on = end + timedelta(days=later)

    start = kept_start(known, read_again_on, tenure)

    assert months_lasted(start, read_again_on) == tenure
    assert (start == known) == (months_lasted(known, read_again_on) == tenure)


def test_a_last_day_that_is_known_is_not_moved_later_but_never_lies_after_the_file():
    first, second = date(2022, 9, 30), date(2022, 10, 7)

    assert kept_last_day(None, first) == first
    assert kept_last_day(first, second) == first
    assert kept_last_day(second, first) == first


def test_a_start_after_the_end_is_no_use():
    assert kept_start(date(2023, 1, 1), date(2022, 9, 30), 0) == date(2022, 9, 30)


@pytest.mark.parametrize(
    ("anchor", "end", "paid"),
    [
        pytest.param("2022-09-01", "2022-09-30", (1, "2022-09-01", "2022-09-30"), id="the-month-that-ends-today"),
        pytest.param("2022-09-01", "2022-10-15", (1, "2022-09-01", "2022-09-30"), id="not-the-running-month"),
        pytest.param("2022-01-31", "2022-03-30", (2, "2022-02-28", "2022-03-30"), id="counted-from-the-anchor"),
        pytest.param("2022-09-30", "2022-09-30", None, id="nothing-is-over-yet"),
        pytest.param("2023-01-01", "2022-09-30", None, id="not-begun"),
    ],
)
def test_the_last_whole_period_has_been_paid(anchor, end, paid):
    expected = paid and PaidPeriod(paid[0], date.fromisoformat(paid[1]), date.fromisoformat(paid[2]))

    assert last_paid(date.fromisoformat(anchor), MONTH, date.fromisoformat(end)) == expected
