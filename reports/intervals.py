"""How sure a difference between two groups is: intervals for shares and for means.

Pure. Shares are given as counts, samples as their number, sum and sum of squares, in whatever unit; intervals are in
the same unit, for shares fractions of one. ``SURE`` is the level of confidence of every interval.
Raises ValueError for counts that no group can have.
Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212; R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872
(a single share, method 3) and 873-890 (a difference of shares, method 10: Wilson's score, no continuity correction);
B. L. Welch, Biometrika 34 (1947) 28-35 (a difference of means, with Satterthwaite's degrees of freedom).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

SURE = 0.95
# Of Simpson's rule; the integrand is smooth, and eight digits are more than anybody reads.
STRIPS = 128


@dataclass(frozen=True, slots=True)
class Interval:
    """What a figure may be, both ends included."""

    low: float
    high: float

    @property
    def includes_zero(self) -> bool:
        """Tell whether there may be nothing at all."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class Difference:
    """The first group's figure less the second's, and what it may be."""

    estimate: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many. Raises ValueError for more than all, or of nothing."""

    hits: int
    of: int

    def __post_init__(self) -> None:
        if self.of < 1 or not 0 <= self.hits <= self.of:
            raise ValueError(f"{self.hits} of {self.of} is no share.")

    @property
    def value(self) -> float:
        """Return the share as a fraction of one."""
        return self.hits / self.of


@dataclass(frozen=True, slots=True)
class Sample:
    """Whole numbers, of which only their count, sum and sum of squares are kept: exact, whatever their size."""

    n: int
    total: int
    squares: int

    @property
    def mean(self) -> float:
        """Return the mean. Raises ValueError for a sample of nothing."""
        if self.n < 1:
            raise ValueError("A sample of nothing has no mean.")
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Return the variance of what the sample was drawn from. Raises ValueError for fewer than two."""
        if self.n < 2:
            raise ValueError(f"A sample of {self.n} has no spread; it takes two.")
        return (self.n * self.squares - self.total**2) / (self.n * (self.n - 1))


def wilson(share: Share) -> Interval:
    """Return what the share may be in general, by Wilson's score."""
    z = NormalDist().inv_cdf((1 + SURE) / 2)
    n, p = share.of, share.value
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the very ends rounding could step over them.
    return Interval(max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def newcombe(first: Share, second: Share) -> Difference:
    """Return by how much the first share is greater, and what the difference may be, by Newcombe's method 10."""
    p, q = first.value, second.value
    of_p, of_q = wilson(first), wilson(second)
    below = math.hypot(p - of_p.low, of_q.high - q)
    above = math.hypot(of_p.high - p, q - of_q.low)
    return Difference(p - q, Interval(p - q - below, p - q + above))


def welch(first: Sample, second: Sample) -> Difference:
    """Return by how much the first mean is greater, and what the difference may be, by Welch's method.

    Two samples without any spread leave no doubt: the interval is a point.
    """
    difference = first.mean - second.mean
    a, b = first.variance / first.n, second.variance / second.n
    if a + b == 0:
        return Difference(difference, Interval(difference, difference))
    freedom = (a + b) ** 2 / (a * a / (first.n - 1) + b * b / (second.n - 1))
    half = student(freedom) * math.sqrt(a + b)
    return Difference(difference, Interval(difference - half, difference + half))


def student(freedom: float) -> float:
    """Return how many standard errors Student's distribution needs to either side. ``freedom`` is at least 1.

    With t = √ν·tan θ the share of the distribution between -t and t is an integral of cos^(ν-1) over θ, which is
    smooth and finite; the angle is found by halving.
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom are too few.")
    scale = 2 * math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    # No quantile is greater than the first, 12.7; a wider stretch would be too coarse for a narrow peak.
    low, high = 0.0, math.atan(13 / math.sqrt(freedom))
    for _halving in range(60):
        angle = (low + high) / 2
        low, high = (angle, high) if scale * _integral(freedom - 1, angle) < SURE else (low, angle)
    return math.sqrt(freedom) * math.tan(low)


def _integral(power: float, angle: float) -> float:
    """Return the integral of cos^power from 0 to an angle, by Simpson's rule."""
    step = angle / STRIPS
    inner = sum((4 if place % 2 else 2) * math.pow(math.cos(place * step), power) for place in range(1, STRIPS))
    return step / 3 * (1 + inner + math.pow(math.cos(angle), power))
