"""What a single cell may hold, and how it is read.

Every reader takes the text of a cell (or a value of the mapping) and returns what the models need; every refusal is
a FieldError that says what is wrong and what would be right. The field's name is added by the caller, for only it
knows what the column is called in the file.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from subscriptions import reading
from subscriptions.money import MINOR_DIGITS, minor_digits, to_minor
from subscriptions.periods import Counting, Period
from subscriptions.reading import FieldError, read_choice, shown
from subscriptions.terms import Boundary, CutOff, NoticeTerm, Renewal

# A spreadsheet takes a text that begins like this for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
REFERENCE = re.compile(r"[^\s/\\?#%]{1,64}")
COUNTRY = re.compile(r"[A-Za-z]{2}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
WHOLE = re.compile(r"([0-9]{1,6})(?:[.,]0+)?")
AMOUNT = re.compile(r"-?[0-9]+(?:[.,][0-9]+)*")
PERIOD = re.compile(r"([0-9]{1,5})\s*(day|week|month|year)s?", re.IGNORECASE)
CUT_OFF = re.compile(r"by day ([0-9]{1,2}), ([0-9]{1,5}) months? before", re.IGNORECASE)
MOST_TENURE = 1200
YES = frozenset({"yes", "true", "1", "y"})
NO = frozenset({"no", "false", "0", "n", ""})


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    """Return what two spellings of one name or value have in common: "Month-to-month" and "Month to Month "."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return "".join(c for c in plain if not c.isspace() and c not in "-_\ufeff")


def text(value: str, longest: int) -> str:
    """Return a text on one line. Formulas and control characters are refused, never changed in silence."""
    if value.startswith(FORMULA_STARTS):
        raise FieldError("begins like a spreadsheet formula (= + - @); write it without that character")
    return _one_line(value, longest)


def verbatim(value: str, longest: int) -> str:
    """Return a text that is kept as it stands, formula or not: exports disarm it."""
    return _one_line(value, longest)


def _one_line(value: str, longest: int) -> str:
    line = " ".join(value.split())
    if odd := next((c for c in line if unicodedata.category(c) in ("Cc", "Cs")), None):
        raise FieldError(f"holds the control character U+{ord(odd):04X}; remove it")
    if len(line) > longest:
        raise FieldError(f"has {len(line)} characters; at most {longest} can be kept")
    return line


def reference(value: str) -> str:
    """Return a reference: it stands in addresses of pages, so it has no blanks and no slashes."""
    if value.startswith(FORMULA_STARTS):
        raise FieldError("begins like a spreadsheet formula (= + - @); write it without that character")
    if not REFERENCE.fullmatch(value) or not value.isprintable() or value in (".", ".."):
        raise FieldError("is not a reference; give 1 to 64 characters without blanks, / \\ ? # or %")
    return value


def email(value: str) -> str:
    """Return an e-mail address."""
    try:
        validate_email(value)
    except ValidationError:
        raise FieldError("is not an e-mail address; write one like ada@example.org") from None
    if value.startswith(FORMULA_STARTS) or len(value) > 254:
        raise FieldError("cannot be used as an e-mail address; check its beginning and its length")
    return value


def country(value: str) -> str:
    """Return an ISO 3166 code."""
    if not COUNTRY.fullmatch(value):
        raise FieldError("is not a country code; give two letters like DE")
    return value.upper()


def language(value: str) -> str:
    """Return a language code."""
    code = value.replace("_", "-")
    if not LANGUAGE.fullmatch(code) or len(code) > 12:
        raise FieldError("is not a language code; give one like en or de-AT")
    return code


def currency(value: str) -> str:
    """Return an ISO 4217 code."""
    code = value.upper()
    if code not in MINOR_DIGITS:
        raise FieldError("is not a currency; give an ISO 4217 code like EUR")
    return code


def time_zone(value: str) -> str:
    """Return an IANA time zone."""
    try:
        return reading.zone(value).key
    except FieldError:
        raise FieldError("is not a time zone; give an IANA name like Europe/Berlin") from None


def yes_or_no(value: str) -> bool:
    """Return what a yes or a no means."""
    spelling = key(value)
    if spelling in YES:
        return True
    if spelling in NO:
        return False
    raise FieldError("is neither yes nor no; write yes or no")


def count_of_months(value: str) -> int:
    """Return a whole number of months; 9.0 is 9, as some programs write it."""
    match = WHOLE.fullmatch(value)
    if match is None or int(match[1]) > MOST_TENURE:
        raise FieldError(f"is not a number of months; give a whole number from 0 to {MOST_TENURE}")
    return int(match[1])


def day(value: str, pattern: str = "") -> date:
    """Return a calendar day, written YYYY-MM-DD or by a pattern like ``%d.%m.%Y``."""
    if not pattern:
        try:
            return reading.read_day(value, "")
        except FieldError:
            raise FieldError("is not a day; write one like 2025-01-31") from None
    try:
        return datetime.strptime(value, pattern).date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        raise FieldError(f"is not a day of the form {pattern}") from None


def instant(value: str) -> datetime:
    """Return an instant with its offset."""
    try:
        return reading.read_instant(value, "")
    except FieldError:
        raise FieldError("is not an instant; write one like 2025-01-31T12:00:00+01:00") from None


def minor_units(value: str, currency_code: str, mark: str = "") -> int:
    """Return an amount in whole minor units. ``mark`` is the decimal mark; "" finds it out, cell by cell.

    74.75, 74,75, 1,234.50, 1.234,50 and 1 234,50 are all understood. What could be read in two ways is refused.
    """
    bare = "".join(value.split()).replace("\u2212", "-").replace("'", "").replace("’", "")
    if not AMOUNT.fullmatch(bare):
        raise FieldError('is not an amount; give a plain number like "12.50"')
    if bare.startswith("-") and bare.strip("-0.,"):
        raise FieldError("is negative; give 0 or more")
    bare = bare.lstrip("-")
    mark = mark or _decimal_mark(bare, minor_digits(currency_code))
    whole, _, fraction = bare.partition(mark) if mark else (bare, "", "")
    if not _well_grouped(whole) or not (fraction.isdigit() or not fraction):
        raise FieldError('is not an amount; give a plain number like "12.50"')
    digits = "".join(c for c in whole if c.isdigit())
    # Zeros behind the last coin say nothing: 59.900 is 59.90.
    fraction = fraction.rstrip("0")
    try:
        return to_minor(f"{digits}.{fraction}" if fraction else digits, currency_code)
    except FieldError as wrong:
        raise FieldError(str(wrong).removeprefix("amount: ")) from None


def _decimal_mark(number: str, digits: int) -> str:
    marks = [c for c in number if c in ".,"]
    if not marks:
        return ""
    last = marks[-1]
    if len(set(marks)) == 2:
        return last
    if len(marks) > 1:
        return ""
    before, _, after = number.partition(last)
    if len(after) != 3 or len(before) > 3 or before.startswith("0"):
        return last
    if last == "." and digits == 3:
        return last
    raise FieldError(
        f"may mean {before}{after} or {before} and a fraction; name the decimal mark in the mapping (decimal)"
    )


def _well_grouped(whole: str) -> bool:
    groups = re.split(r"[.,]", whole)
    return groups[0] != "" and (
        len(groups) == 1 or (len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]))
    )


# Terms: as words in a cell ("1 month"), as JSON in a cell, or as a table of the mapping.


def period(value: object) -> Period:
    """Return a length of time, such as ``14 days``, ``{"months": 1}`` or the table of a mapping."""
    if isinstance(value, str) and (match := PERIOD.fullmatch(value)):
        return Period.from_dict({f"{match[2].lower()}s": int(match[1])})
    return Period.from_dict(_object(value, "is not a period; write one like 14 days or 1 month"))


def period_or_none(value: object) -> Period | None:
    """Return a length of time, or None for "none"."""
    return None if isinstance(value, str) and key(value) == "none" else period(value)


def renewal(value: object) -> Renewal:
    """Return what follows the initial term: "none", "open_ended" or a period."""
    if isinstance(value, str) and key(value) == "none":
        return "none"
    if isinstance(value, str) and key(value) == "openended":
        return "open_ended"
    return period(value)


def notice(value: object) -> NoticeTerm:
    """Return a notice term: a period, or a cut-off such as ``by day 20, 0 months before``."""
    if isinstance(value, str) and (match := CUT_OFF.fullmatch(value)):
        return CutOff(by_day=int(match[1]), months_before=int(match[2]))
    if isinstance(value, str) and PERIOD.fullmatch(value):
        return period(value)
    given = _object(value, "is not a notice; write one like 1 month, or: by day 20, 0 months before")
    if given.keys() == {"by_day", "months_before"}:
        return CutOff(by_day=given["by_day"], months_before=given["months_before"])
    return Period.from_dict(given)


def counting(value: object) -> Counting:
    """Return how months are counted."""
    return read_choice(value, "", Counting)


def boundary(value: object) -> Boundary:
    """Return the days on which a contract may end."""
    return read_choice(value, "", Boundary)


def json_object(value: object) -> dict[str, Any]:
    """Return the JSON object that a cell holds."""
    return dict(_object(value, "is not a JSON object; see docs/import.md for its shape"))


def _object(value: object, otherwise: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FieldError(otherwise)
    return found


def excerpt(value: str) -> str:
    """Return a cell as a message shows it: short, and on one line."""
    return shown(value[:200])
