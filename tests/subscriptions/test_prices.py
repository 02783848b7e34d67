"""Prices for a while: which billing periods they cover, which one counts, and what cannot be read changes nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.periods import Period
from subscriptions.prices import PriceChange, a_month, price_of, read

WINTER = PriceChange(date(2026, 12, 1), date(2027, 2, 28), 600, "discount", "O-1")


@pytest.mark.parametrize(
    ("first_day", "price"),
    [
        pytest.param("2026-11-30", 1200, id="the-day-before"),
        pytest.param("2026-12-01", 600, id="the-first-day-counts"),
        pytest.param("2027-02-28", 600, id="the-last-day-counts"),
        pytest.param("2027-03-01", 1200, id="the-day-after"),
    ],
)
def test_a_change_covers_the_periods_that_begin_between_its_days(first_day: str, price: int) -> None:
    assert price_of(1200, [WINTER], date.fromisoformat(first_day)) == price


def test_of_several_the_lowest_counts_and_none_ever_raises_the_agreed_price() -> None:
    free = PriceChange(date(2027, 1, 1), date(2027, 1, 31), 0, "free_period", "O-2")
    dearer = PriceChange(date(2026, 12, 1), date(2027, 12, 31), 9900, "discount", "O-3")

    prices = [price_of(1200, [dearer, WINTER, free], date(2027, month, 1)) for month in (1, 2, 3)]

    assert prices == [0, 600, 1200]


def test_what_was_written_is_read_again() -> None:
    assert read([WINTER.as_dict()]) == (WINTER,)


@pytest.mark.parametrize(
    "row",
    [
        None,
        7,
        "2026-12-01",
        [],
        {},
        {"from": "2026-12-01", "to": "2026-12-31"},
        {"from": "2026-12-01", "to": "2026-12-31", "price_minor": None},
        {"from": "2026-12-01", "to": "2026-12-31", "price_minor": -1},
        {"from": "2026-12-31", "to": "2026-12-01", "price_minor": 1},
        {"from": "the first", "to": "2026-12-31", "price_minor": 1},
        {"from": None, "to": "2026-12-31", "price_minor": 1},
    ],
)
def test_what_cannot_be_read_is_no_change_and_takes_no_neighbour_with_it(row: Any) -> None:
    assert read([row, WINTER.as_dict()]) == (WINTER,)


@given(
    agreed=st.integers(0, 10**9),
    changes=st.lists(
        st.builds(
            lambda first, days, minor: PriceChange(first, first + timedelta(days=days), minor),
            st.dates(date(2020, 1, 1), date(2040, 1, 1)),
            st.integers(0, 800),
            st.integers(0, 10**9),
        ),
        max_size=5,
    ),
    day=st.dates(date(2020, 1, 1), date(2042, 1, 1)),
)
def test_a_period_never_costs_more_than_agreed_nor_less_than_something_that_covers_it(
    agreed: int, changes: list[PriceChange], day: date
) -> None:
    price = price_of(agreed, changes, day)

    covering = [change.price_minor for change in changes if change.first <= day <= change.last]
    assert price == min([agreed, *covering])


@pytest.mark.parametrize(
    ("minor", "billing", "monthly"),
    [
        (1299, Period(months=1), 1299),
        (12_000, Period(months=12), 1000),
        (1000, Period(months=3), 333),
        (500, Period(months=3), 167),
        (700, Period(days=7), 3042),
        (0, Period(months=1), 0),
    ],
)
def test_a_price_per_month_to_the_nearest_minor_unit(minor: int, billing: Period, monthly: int) -> None:
    assert a_month(minor, billing) == monthly
