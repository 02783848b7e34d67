"""Counting days and months from a notice, and through a term.

Days are calendar dates in the contract's own time zone; a last day is inclusive, service
runs to 24:00. Nothing here reads the clock, the database or the settings.
Ends are counted from the start each time, never from the end before, so month ends do not drift.
Raises OverflowError or ValueError where a day would lie outside the years 1 to 9999.
Source: BGB 187, 188; Reg. 1182/71 art. 3; KC art. 111, 112; 民法 140, 143.
Cases: tests/data/terms_vectors.json.
"""

from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from subscriptions.reading import FieldError, read_count, shown

ONE_DAY = timedelta(days=1)
MOST_MONTHS = 9999 * 12
MOST_DAYS = date.max.toordinal()
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Counting(StrEnum):
    """How months are counted from an event whose own day is not counted."""

    SAME_DAY_NUMBER = "same_day_number"
    FROM_NEXT_DAY = "from_next_day"


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time: months or days, never both. Weeks are kept as days, years as months."""

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        read_count(self.months, "months", least=0, most=MOST_MONTHS)
        read_count(self.days, "days", least=0, most=MOST_DAYS)
        if self.months and self.days:
            raise FieldError("a period is a number of months or of days; it cannot be both")

    @classmethod
    def from_dict(cls, given: object, field: str = "period") -> "Period":
        """Return the period that one of days, weeks, months or years describes, like {"months": 1}."""
        if isinstance(given, Period):
            return given
        if not isinstance(given, Mapping) or len(given) != 1:
            raise FieldError(
                f'{field}: {shown(given)} is not a period; give one like {{"days": 14}} or {{"months": 1}}'
            )
        ((unit, number),) = given.items()
        one = UNITS.get(unit)
        if one is None:
            raise FieldError(f"{field}: unknown unit {shown(unit)}; known are {', '.join(UNITS)}")
        most = MOST_MONTHS // one.months if one.months else MOST_DAYS // one.days
        read_count(number, f"{field}.{unit}", least=0, most=most)
        return cls(months=number * one.months, days=number * one.days)

    def as_dict(self) -> dict[str, int]:
        """Return the shape ``from_dict`` reads, in months or in days."""
        return {"months": self.months} if self.months else {"days": self.days}

    @property
    def is_nothing(self) -> bool:
        return not (self.months or self.days)


UNITS = {
    "days": Period(days=1),
    "weeks": Period(days=7),
    "months": Period(months=1),
    "years": Period(months=12),
}


def month_index(day: date) -> int:
    """Return the number of the month of a day, counted through from year 0."""
    return day.year * 12 + day.month - 1


def day_in_month(index: int, number: int) -> date:
    """Return the day with this number in a month, or the month's last day where it is shorter."""
    year, month = divmod(index, 12)
    if number > 28:
        number = min(number, 29 if month == 1 and isleap(year) else LENGTHS[month])
    return date(year, month + 1, number)


def month_later(day: date, months: int) -> date:
    """Return the day with the same number some months later (or earlier), clamped to the month's end."""
    return day_in_month(day.year * 12 + day.month - 1 + months, day.day)


def last_day_of_stretch(first_day: date, months: int) -> date:
    """Return the last day of a stretch of months that begins with, and counts, its first day."""
    if first_day.day == 1:
        return day_in_month(month_index(first_day) + months - 1, 31)
    # The day before the same number; where the number is missing, the month's end: 31 January
    # and a month run to 28 February, and so do 29 and 30 January.
    return day_in_month(month_index(first_day) + months, first_day.day - 1)


def last_day_of_term(first_day: date, term: Period) -> date:
    """Return the last day of a term that begins with, and counts, its first day."""
    if term.months:
        return last_day_of_stretch(first_day, term.months)
    return first_day + timedelta(days=term.days - 1)


def after_event(day: date, period: Period, counting: Counting) -> date:
    """Return the last day of a period that an event on ``day`` sets running."""
    if not period.months:
        return day + timedelta(days=period.days)
    if counting is Counting.FROM_NEXT_DAY:
        # Japan counts from the next morning: 28 February and a month reach 31 March.
        return last_day_of_stretch(day + ONE_DAY, period.months)
    # Clamped, never spilled over: 31 January and a month end with February, not in March.
    return month_later(day, period.months)


def latest_event(last_day: date, period: Period, counting: Counting) -> date:
    """Return the last day on which an event sets a period running that is over by ``last_day``.

    The inverse of ``after_event``, and not a step back: a month to 28 February leaves until 31 January.
    """
    if not period.months:
        return last_day - timedelta(days=period.days)
    index = month_index(last_day) - period.months
    if (last_day + ONE_DAY).day == 1:
        # A month's end is reached from every day at the end of the month it is counted from.
        return day_in_month(index, 31)
    if counting is Counting.FROM_NEXT_DAY:
        # The stretch may begin at the latest on the last day of its month, its event lies a day before:
        # 30 March is kept from 27 February, for from the 28th on March counts whole, to the 31st.
        return day_in_month(index, last_day.day + 1) - ONE_DAY
    return day_in_month(index, last_day.day)


class BillingPeriod(NamedTuple):
    """One billing period: its number counted from the anchor's own (0), first and last day."""

    number: int
    first_day: date
    last_day: date


def billing_period_of(anchor: date, billing: Period, day: date) -> BillingPeriod:
    """Return the billing period that holds a day, before the anchor as well as after it."""
    if not billing.months:
        number = (day - anchor).days // billing.days
        first = anchor + timedelta(days=number * billing.days)
        return BillingPeriod(number, first, first + timedelta(days=billing.days - 1))
    number = (month_index(day) - month_index(anchor)) // billing.months
    first = month_later(anchor, number * billing.months)
    if first > day:
        # The right month, but its billing day is still to come.
        number -= 1
        first = month_later(anchor, number * billing.months)
    return BillingPeriod(number, first, month_later(anchor, (number + 1) * billing.months) - ONE_DAY)
