"""How long proof of a declaration is kept: for the limitation period of its place, then it is erased.

A day is a calendar date in the zone of whoever keeps the words. Nothing here reads the clock, the database or the
settings, and nothing here is raised: a pack that cannot say how long keeps for the default's time, for the question
is asked while a declaration is received.
Source: GDPR 5(1)(e) and 17(3)(e); BGB 195, 199 (three years from the end of the year). What a place asks stands in its
policy pack as ``record_retention``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from subscriptions.periods import ONE_DAY, month_later

PARAMETER = "record_retention"
MOST_YEARS = 30


class Rules(Protocol):
    """What a policy pack offers: the value of a parameter on a day."""

    def get(self, parameter: str, on: date, sector: str = "") -> Any: ...


@dataclass(frozen=True, slots=True)
class Retention:
    """A number of years from the day of receipt, or from the end of its year."""

    years: int
    to_year_end: bool = False

    def erase_on(self, received_on: date) -> date:
        """Return the first day on which the words are kept no longer."""
        begins = date(received_on.year, 12, 31) if self.to_year_end else received_on
        # 29 February and three years end with 28 February; the day itself is still kept.
        return month_later(begins, 12 * self.years) + ONE_DAY


# "The limitation period, then erase": three years from the end of the year, the longest ordinary period in most places.
DEFAULT = Retention(3, to_year_end=True)


def erase_on(pack: Rules, received_on: date) -> date:
    """Return the first day on which what somebody declared on a day is kept no longer, by the rules of a place."""
    return retention(pack, received_on).erase_on(received_on)


def retention(pack: Rules, on: date) -> Retention:
    """Return how long a place asks to keep proof of what was declared on a day."""
    try:
        given = pack.get(PARAMETER, on)
    except (LookupError, ValueError):
        return DEFAULT
    return read(given) or DEFAULT


def read(given: Any) -> Retention | None:
    """Return a retention written as {"years": 3, "to_year_end": true}; None where it is no such thing."""
    if not isinstance(given, Mapping):
        return None
    years, to_year_end = given.get("years"), given.get("to_year_end", False)
    if isinstance(years, bool) or not isinstance(years, int) or not 0 < years <= MOST_YEARS:
        return None
    return Retention(years, to_year_end=bool(to_year_end))
