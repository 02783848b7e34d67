"""Days that a file does not have, worked out from how many months a contract has lasted. Pure.

With the file comes a day ``as_of``: what it says was true at the end of that day.

- A contract that goes on has lasted exactly its tenure at the end of ``as_of``; one that was left has lasted it at
  the end of its last day, and its last day is ``as_of``.
- So it began on the day after that end, counted back by the tenure (clamped to the month's end). A tenure of 0
  months began on that very day.
- A day that is known from an earlier import stays, as long as it agrees with the file: the months from the start
  still make the tenure, and a last day that has passed is not moved later. Reading a file a day later moves nothing.
- The last whole billing period before that end has been paid, at the price of the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from subscriptions.periods import (
    ONE_DAY,
    Period,
    billing_period_of,
    last_day_of_stretch,
    month_index,
    month_later,
)


def start_for(end: date, tenure: int) -> date:
    """Return the day on which a contract began that has lasted this many months at the end of a day."""
    return month_later(end + ONE_DAY, -tenure) if tenure else end


def months_lasted(start: date, end: date) -> int:
    """Return how many whole months there are from the first day through the last; 0 for none."""
    months = max(0, month_index(end) - month_index(start) + 1)
    while months and last_day_of_stretch(start, months) > end:
        months -= 1
    return months


def kept_start(known: date | None, end: date, tenure: int) -> date:
    """Return the start that is known where it agrees with the tenure, else the derived one."""
    if known is not None and known <= end and months_lasted(known, end) == tenure:
        return known
    return start_for(end, tenure)


def kept_last_day(known: date | None, as_of: date) -> date:
    """Return the last day of a contract that was left: the one that is known, unless it lies after ``as_of``."""
    return as_of if known is None else min(known, as_of)


@dataclass(frozen=True, slots=True)
class PaidPeriod:
    """A billing period that has been paid, counted from 1."""

    number: int
    first_day: date
    last_day: date


def last_paid(anchor: date, billing: Period, end: date) -> PaidPeriod | None:
    """Return the last billing period that was over at the end of a day; None before the first one is."""
    period = billing_period_of(anchor, billing, end)
    if period.last_day > end:
        period = billing_period_of(anchor, billing, period.first_day - ONE_DAY)
    if period.number < 0:
        return None
    return PaidPeriod(period.number + 1, period.first_day, period.last_day)
