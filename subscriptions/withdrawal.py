"""Until when a new contract may be withdrawn from (cooling-off).

Instants are aware; the day returned is inclusive and ends at 24:00 in the time zone handed in. The
day of conclusion is not counted. Public holidays come from the ``holidays`` package, nationwide ones
and, where a region is given, that region's. Raises WithdrawalError, which names the field.
Source: Reg. 1182/71 art. 3; Dir. 2011/83 art. 9; Consumer Contracts Regulations 2013 reg. 30 (UK).
Cases: tests/data/law_vectors.json.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache

from holidays import country_holidays, list_supported_countries

from subscriptions.periods import MOST_DAYS, ONE_DAY
from subscriptions.reading import BEYOND_THE_CALENDAR, FieldError, local_day, read_count, read_zone, shown

# The regulation is the default; these count plain days, and a Sunday ends a period like any other day.
NEVER_MOVED = frozenset({"GB", "UK", "JP"})
SATURDAY = 5


class WithdrawalError(FieldError):
    """The deadline cannot be told; the message names the field and the remedy."""


def withdrawal_deadline(concluded_at: datetime, days: int, tz: str, country: str, region: str | None = None) -> date:
    """Return the last day on which a contract concluded at an instant may be withdrawn from.

    ``country`` is an ISO 3166 code (``UK`` is taken for ``GB``), ``region`` a subdivision such as ``BY``;
    no region, or an empty one, means nationwide holidays only.
    """
    try:
        read_count(days, "days", least=1, most=MOST_DAYS)
        last = local_day(concluded_at, read_zone(tz), "concluded_at") + timedelta(days=days)
        land, part = _code(country, "country"), _code(region, "region") if region else None
        return last if land in NEVER_MOVED else next_working_day(last, land, part)
    except OverflowError:
        raise WithdrawalError(BEYOND_THE_CALENDAR) from None
    except FieldError as wrong:
        raise WithdrawalError(str(wrong)) from None


def next_working_day(day: date, country: str, region: str | None = None) -> date:
    """Return the day itself, or the next that is no Saturday, Sunday or public holiday there."""
    while day.weekday() >= SATURDAY or day in public_holidays(country, region, day.year):
        day += ONE_DAY
    return day


@lru_cache(maxsize=4096)
def public_holidays(country: str, region: str | None, year: int) -> frozenset[date]:
    """Return the public holidays of a year, nationwide and of a region if one is given."""
    # A whole year at a time: the package's own mapping fills itself while it is read, which
    # two threads must not do at once.
    regions = list_supported_countries().get(country)
    if regions is None:
        raise WithdrawalError(f"country: {shown(country)} has no known holidays; give a two-letter code like DE")
    if region is not None:
        region = region.removeprefix(f"{country}-")
        if region not in regions:
            known = ", ".join(regions) or "none, leave it out"
            raise WithdrawalError(f"region: {shown(region)} is not part of {country}; known are {known}")
    return frozenset(country_holidays(country, subdiv=region, years=year))


def _code(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise WithdrawalError(
            f"{field}: {shown(value)} is not a code; give one like {'DE' if field == 'country' else 'BY'}"
        )
    return value.strip().upper()
