"""Reading the days, instants and numbers that people and files hand in.

Days are written YYYY-MM-DD, instants as ISO 8601 with an offset (or Z), numbers as whole numbers.
Every refusal is a FieldError that names the field, says what is wrong and what would be right.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

BEYOND_THE_CALENDAR = "the days reach beyond the years 1 to 9999; check the dates and periods for a typing error"

Choice = TypeVar("Choice", bound=StrEnum)


class FieldError(ValueError):
    """Something handed in cannot be used; the message names the field and the remedy."""


def shown(value: object) -> str:
    """Return a value as JSON would write it, short enough for a message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_object(
    value: object, field: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """Return a mapping that has every required key and no key that nobody knows."""
    # The plain check first: what comes from JSON is a dict, a hundred thousand times over.
    if not isinstance(value, dict) and not isinstance(value, Mapping):
        raise FieldError(f"{field}: {shown(value)} is not an object; give one with {', '.join(required)}")
    if strangers := [key for key in value if key not in required and key not in optional]:
        known = ", ".join((*required, *optional))
        raise FieldError(f"{field}: unknown field {shown(strangers[0])}; known are {known}")
    if missing := [key for key in required if key not in value]:
        raise FieldError(f"{missing[0]}: is missing; {field} needs {', '.join(required)}")
    return value


def read_day(value: object, field: str) -> date:
    """Return a calendar day from YYYY-MM-DD, or the day itself."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    # fromisoformat alone would take 20250131 and 2025-W05-5 too, which people mistype more than mean.
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise FieldError(f"{field}: {shown(value)} is not a day; write one like 2025-01-31")


def read_instant(value: object, field: str) -> datetime:
    """Return an aware instant from ISO 8601 with an offset, or the aware instant itself."""
    instant = value if isinstance(value, datetime) else None
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
    if instant is None:
        raise FieldError(f"{field}: {shown(value)} is not an instant; write one like 2025-01-31T12:00:00+01:00")
    if instant.utcoffset() is None:
        raise FieldError(f"{field}: {shown(value)} has no offset; write it like 2025-01-31T12:00:00+01:00")
    return instant


def read_count(value: object, field: str, *, least: int, most: int) -> int:
    """Return a whole number within bounds; text, fractions and true/false are refused."""
    if type(value) is int and least <= value <= most:
        return value
    raise FieldError(f"{field}: {shown(value)} cannot be used; give a whole number from {least} to {most}")


def read_choice(value: object, field: str, choices: type[Choice]) -> Choice:
    """Return the one of the choices that has this value."""
    try:
        return choices(str(value))
    except ValueError:
        known = ", ".join(choices)
        raise FieldError(f"{field}: {shown(value)} is not known; give one of {known}") from None


def read_zone(value: object) -> str:
    """Return the IANA name of a time zone."""
    if isinstance(value, str) and zone(value):
        return value
    raise FieldError(f"timezone: {shown(value)} is not a time zone; give an IANA name like Europe/Berlin")


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name. Raises FieldError for a name nobody knows."""
    try:
        return ZoneInfo(name)
    # Odd names end in different errors: a folder, a path outside, a file that is no zone.
    except (LookupError, OSError, ValueError):
        raise FieldError(f"timezone: {shown(name)} is not a time zone; give an IANA name like Europe/Berlin") from None


def local_day(instant: datetime, timezone: str, field: str = "received_at") -> date:
    """Return the calendar day of an aware instant in a time zone. Raises FieldError without an offset."""
    if instant.utcoffset() is None:
        raise FieldError(f"{field}: {instant.isoformat()} has no offset; hand in an aware instant, never a naive one")
    try:
        return instant.astimezone(zone(timezone)).date()
    except OverflowError:
        raise FieldError(BEYOND_THE_CALENDAR) from None
