"""Intervals, against the worked examples that their authors, or many who use them, have published."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.intervals import Interval, Sample, Share, newcombe, student, welch, wilson


def sample(*numbers: int) -> Sample:
    return Sample(len(numbers), sum(numbers), sum(n * n for n in numbers))


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_interval_that_newcombe_printed(hits, of, low, high):
    interval = wilson(Share(hits, of))

    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_of_shares_has_the_interval_that_newcombe_printed(first, second, low, high):
    told = newcombe(Share(*first), Share(*second))

    assert (round(told.interval.low, 4), round(told.interval.high, 4)) == (low, high)
    assert told.estimate == pytest.approx(first[0] / first[1] - second[0] / second[1])


def test_a_difference_of_means_has_the_interval_that_r_prints():
    # R, ?t.test: t.test(extra ~ group, data = sleep), Student's sleep data in tenths of an hour:
    # df = 17.776, 95 percent confidence interval -3.3654832 0.2054832.
    first = sample(7, -16, -2, -12, -1, 34, 37, 8, 0, 20)
    second = sample(19, 8, 11, 1, -1, 44, 55, 16, 46, 34)

    told = welch(first, second)

    assert told.estimate == pytest.approx(-15.8)
    assert told.interval.low == pytest.approx(-33.654832, abs=1e-5)
    assert told.interval.high == pytest.approx(2.054832, abs=1e-5)


@pytest.mark.parametrize(
    ("freedom", "t"),
    # The printed tables of Student's distribution, two-sided 5 %.
    [(1, 12.706), (2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042), (60, 2.000), (120, 1.980), (10**7, 1.960)],
)
def test_students_distribution_is_that_of_the_printed_tables(freedom, t):
    assert round(student(freedom), 3) == t


@given(st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_in_its_interval_and_the_interval_among_shares(given_share):
    share = Share(*given_share)
    interval = wilson(share)

    assert 0 <= interval.low <= share.value + 1e-12
    assert share.value - 1e-12 <= interval.high <= 1


shares = st.integers(1, 400).flatmap(lambda of: st.builds(Share, st.integers(0, of), st.just(of)))


@given(shares, shares)
def test_swapping_the_groups_turns_the_difference_round(first, second):
    one, other = newcombe(first, second), newcombe(second, first)

    assert one.estimate == pytest.approx(-other.estimate)
    assert (one.interval.low, one.interval.high) == pytest.approx((-other.interval.high, -other.interval.low))
    assert one.interval.includes_zero == other.interval.includes_zero


def test_more_customers_make_an_interval_narrower():
    few, many = newcombe(Share(7, 10), Share(5, 10)), newcombe(Share(700, 1000), Share(500, 1000))

    assert few.interval.includes_zero
    assert not many.interval.includes_zero
    assert many.interval.high - many.interval.low < few.interval.high - few.interval.low


def test_two_samples_without_spread_leave_no_doubt():
    assert welch(sample(5, 5, 5), sample(3, 3)).interval == Interval(2, 2)


def test_sums_of_large_amounts_stay_exact():
    # In floating point the spread of these would be lost beside their size.
    big = 10**12

    assert sample(big, big + 1, big + 2).variance == 1


@pytest.mark.parametrize(("hits", "of"), [(0, 0), (3, 2), (-1, 2)])
def test_what_is_no_share_is_refused(hits, of):
    with pytest.raises(ValueError, match="no share"):
        Share(hits, of)


def test_too_small_a_sample_is_refused():
    with pytest.raises(ValueError, match="no spread"):
        welch(sample(1), sample(1, 2))
    with pytest.raises(ValueError, match="no mean"):
        welch(sample(), sample(1, 2))
    with pytest.raises(ValueError, match="too few"):
        student(0.5)


def test_the_ends_of_an_interval_are_finite():
    told = newcombe(Share(0, 1), Share(1, 1))

    assert all(map(math.isfinite, (told.interval.low, told.interval.high)))
