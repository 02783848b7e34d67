"""When a contract ends that is given notice today, and until when that answer holds.

Days are calendar dates in the contract's own time zone; a last day is inclusive, service runs to
24:00. Instants are aware. Nothing here reads the clock, the database or the settings.
Raises TermsError for terms that make no sense and for answers outside the years 1 to 9999.
Source: BGB 187, 188, 621; KC art. 111, 112; 民法 140, 143. Cases: tests/data/terms_vectors.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from subscriptions.periods import (
    MOST_MONTHS,
    ONE_DAY,
    Counting,
    Period,
    after_event,
    billing_period_of,
    day_in_month,
    last_day_of_stretch,
    last_day_of_term,
    latest_event,
    month_index,
    month_later,
)
from subscriptions.reading import (
    BEYOND_THE_CALENDAR,
    FieldError,
    local_day,
    read_choice,
    read_count,
    read_day,
    read_object,
    read_zone,
    shown,
)

__all__ = [
    "Boundary",
    "Counting",
    "CutOff",
    "NoticeQuote",
    "Period",
    "Rule",
    "Terms",
    "TermsError",
    "after_event",
    "billing_period_around",
    "boundary_before",
    "boundary_from",
    "earliest_end",
    "initial_last_day",
    "last_day_of_stretch",
    "last_day_of_term",
    "latest_receipt",
    "local_day",
    "month_later",
    "notice_quote",
    "quote_for_day",
    "rule_of",
]


class TermsError(FieldError):
    """The terms cannot be used; the message names the field, what is wrong and what would be right."""


class Boundary(StrEnum):
    """The days on which a contract without a running fixed term may end (``notice_to``)."""

    ANY_DAY = "any_day"
    BILLING_PERIOD = "billing_period"
    MONTH_END = "month_end"
    QUARTER_END = "quarter_end"
    HALF_YEAR_END = "half_year_end"
    YEAR_END = "year_end"


MONTHS_BETWEEN = {
    Boundary.MONTH_END: 1,
    Boundary.QUARTER_END: 3,
    Boundary.HALF_YEAR_END: 6,
    Boundary.YEAR_END: 12,
}


class Rule(StrEnum):
    """Which rule gave the last day, so that a page can say why in words."""

    BOUNDARY = "boundary"  # no initial term: the first boundary day with the notice kept
    INITIAL_TERM = "initial_term"  # the last day of the initial term
    AFTER_INITIAL = "after_initial"  # open-ended since the initial term: the first boundary day after it
    RENEWED_TERM = "renewed_term"  # the last day of the first renewed term with the notice kept
    EXPIRES = "expires"  # ends with the initial term by itself, whatever is said
    EXPIRED = "expired"  # has ended by itself already: nothing left to cancel
    NEVER_STARTS = "never_starts"  # over before its first day


@dataclass(frozen=True, slots=True)
class CutOff:
    """Notice by a day of the month (clamped to its end) some months before the month of the last day."""

    by_day: int
    months_before: int

    def __post_init__(self) -> None:
        read_count(self.by_day, "by_day", least=1, most=31)
        read_count(self.months_before, "months_before", least=0, most=MOST_MONTHS)

    def as_dict(self) -> dict[str, int]:
        return {"by_day": self.by_day, "months_before": self.months_before}


NoticeTerm = Period | CutOff
Renewal = Literal["none", "open_ended"] | Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed about the end of a contract."""

    starts_on: date
    timezone: str
    counting: Counting
    initial_term: Period | None
    renewal: Renewal
    notice: NoticeTerm
    renewal_notice: NoticeTerm | None = None
    notice_to: Boundary
    billing: Period
    billing_anchor: date

    def __post_init__(self) -> None:
        """Refuse what no contract can mean. Raises TermsError."""
        try:
            read_zone(self.timezone)
            for field in ("initial_term", "renewal", "billing"):
                _refuse_nothing(getattr(self, field), field)
            _refuse_mixed_units(self.initial_term, self.renewal)
        except FieldError as wrong:
            raise TermsError(str(wrong)) from None

    @classmethod
    def from_dict(cls, given: object) -> "Terms":
        """Return the terms that an object of the shape of ``as_dict`` describes. Raises TermsError."""
        try:
            return cls(**_read_terms(given))
        except TermsError:
            raise
        except FieldError as wrong:
            raise TermsError(str(wrong)) from None

    def as_dict(self) -> dict[str, Any]:
        """Return the terms as JSON can hold them; ``from_dict`` gives equal terms back."""
        return {field: _plain(getattr(self, field)) for field in FIELDS}


FIELDS = tuple(field.name for field in fields(Terms))
REQUIRED = tuple(field for field in FIELDS if field != "renewal_notice")


def _read_terms(given: object) -> dict[str, Any]:
    d = read_object(given, "terms", REQUIRED, ("renewal_notice",))
    return {
        "starts_on": read_day(d["starts_on"], "starts_on"),
        "timezone": d["timezone"],
        "counting": read_choice(d["counting"], "counting", Counting),
        "initial_term": None if d["initial_term"] is None else Period.from_dict(d["initial_term"], "initial_term"),
        "renewal": _read_renewal(d["renewal"]),
        "notice": _read_notice(d["notice"], "notice"),
        "renewal_notice": None
        if d.get("renewal_notice") is None
        else _read_notice(d["renewal_notice"], "renewal_notice"),
        "notice_to": read_choice(d["notice_to"], "notice_to", Boundary),
        "billing": Period.from_dict(d["billing"], "billing"),
        "billing_anchor": read_day(d["billing_anchor"], "billing_anchor"),
    }


def _read_renewal(value: object) -> Renewal:
    if value == "none":
        return "none"
    if value == "open_ended":
        return "open_ended"
    if isinstance(value, (Mapping, Period)):
        return Period.from_dict(value, "renewal")
    raise FieldError(
        f'renewal: {shown(value)} is not known; give "none", "open_ended" or a period like {{"months": 12}}'
    )


def _read_notice(value: object, field: str) -> NoticeTerm:
    if isinstance(value, CutOff):
        return value
    if not isinstance(value, Mapping) or not value.keys() & {"by_day", "months_before"}:
        return Period.from_dict(value, field)
    read_object(value, field, ("by_day", "months_before"))
    return CutOff(
        by_day=read_count(value["by_day"], f"{field}.by_day", least=1, most=31),
        months_before=read_count(value["months_before"], f"{field}.months_before", least=0, most=MOST_MONTHS),
    )


def _refuse_nothing(value: object, field: str) -> None:
    if isinstance(value, Period) and value.is_nothing:
        raise FieldError(f"{field}: a period of nothing never passes; give at least one day")


def _refuse_mixed_units(initial_term: Period | None, renewal: Renewal) -> None:
    # Renewed terms are counted from the start with the total length, and twelve months and
    # thirty days have none. Weeks and days are one unit: a week is always seven days.
    if initial_term is None or not isinstance(renewal, Period):
        return
    if bool(initial_term.months) != bool(renewal.months):
        unit = "months" if initial_term.months else "days or weeks"
        raise FieldError(
            f"renewal: {shown(renewal.as_dict())} has another unit than the initial term; give it in {unit}"
        )


def _plain(value: object) -> object:
    if isinstance(value, (Period, CutOff)):
        return value.as_dict()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value


# Notice: the earliest end a receipt day leaves open, and the latest receipt day for an end.


def earliest_end(received_on: date, notice: NoticeTerm, counting: Counting) -> date:
    """Return the first day for which a notice received on this day is in time."""
    if isinstance(notice, Period):
        return after_event(received_on, notice, counting)
    month = month_index(received_on)
    if received_on > day_in_month(month, notice.by_day):
        month += 1
    return max(received_on, day_in_month(month + notice.months_before, 1))


def latest_receipt(last_day: date, notice: NoticeTerm, counting: Counting) -> date:
    """Return the last receipt day that is in time for this last day, never after it."""
    if isinstance(notice, Period):
        return latest_event(last_day, notice, counting)
    return min(last_day, day_in_month(month_index(last_day) - notice.months_before, notice.by_day))


# Boundaries: the days a contract may end on.


def billing_period_around(terms: Terms, day: date) -> tuple[date, date]:
    """Return the first and last day of the billing period that holds a day."""
    _, first, last = billing_period_of(terms.billing_anchor, terms.billing, day)
    return first, last


def boundary_from(terms: Terms, day: date) -> date:
    """Return the first boundary day on or after a day."""
    if months := MONTHS_BETWEEN.get(terms.notice_to):
        return day_in_month((month_index(day) // months + 1) * months - 1, 31)
    if terms.notice_to is Boundary.ANY_DAY:
        return day
    return billing_period_around(terms, day)[1]


def boundary_before(terms: Terms, day: date) -> date:
    """Return the last boundary day before a day."""
    if months := MONTHS_BETWEEN.get(terms.notice_to):
        return day_in_month(month_index(day) // months * months - 1, 31)
    if terms.notice_to is Boundary.ANY_DAY:
        return day - ONE_DAY
    return billing_period_around(terms, day)[0] - ONE_DAY


def initial_last_day(terms: Terms) -> date | None:
    """Return the last day of the initial term, or None without one."""
    return None if terms.initial_term is None else last_day_of_term(terms.starts_on, terms.initial_term)


def _renewed_last_day(terms: Terms, initial: Period, renewal: Period, earliest: date) -> date:
    """Return the last day of the first renewed term that ends on or after a day."""
    start = terms.starts_on
    if not renewal.months:
        missing = (earliest - start).days + 1 - initial.days
        terms_needed = max(1, -(-missing // renewal.days))
        return last_day_of_term(start, Period(days=initial.days + terms_needed * renewal.days))
    missing = month_index(earliest) - month_index(start) - initial.months
    total = initial.months + max(1, -(-missing // renewal.months)) * renewal.months
    last = last_day_of_stretch(start, total)
    # The right month, but the term ends earlier in it: one more is always enough.
    return last if last >= earliest else last_day_of_stretch(start, total + renewal.months)


# The quote.


class NoticeQuote(NamedTuple):
    """What a notice would mean: the last day, until when that holds, and what follows if missed."""

    received_on: date
    last_day: date | None
    latest_notice_day: date | None
    if_missed_last_day: date | None


def notice_quote(terms: Terms, received_at: datetime) -> NoticeQuote:
    """Return what a notice received at an aware instant would mean. Raises TermsError for a naive one."""
    try:
        received_on = local_day(received_at, terms.timezone)
    except FieldError as wrong:
        raise TermsError(str(wrong)) from None
    return quote_for_day(terms, received_on)


def quote_for_day(terms: Terms, received_on: date) -> NoticeQuote:
    """Return what a notice received on a local day would mean."""
    try:
        last_day, rule = _end_for(terms, received_on)
        latest = _latest_notice_day(terms, last_day, rule)
        missed = None if latest is None else _end_for(terms, latest + ONE_DAY)[0]
    except (OverflowError, ValueError):
        raise TermsError(BEYOND_THE_CALENDAR) from None
    return NoticeQuote(received_on, last_day, latest, missed)


def rule_of(terms: Terms, received_on: date) -> Rule:
    """Return which rule gives the last day for a notice received on a local day."""
    try:
        return _end_for(terms, received_on)[1]
    except (OverflowError, ValueError):
        raise TermsError(BEYOND_THE_CALENDAR) from None


def _end_for(terms: Terms, received_on: date) -> tuple[date | None, Rule]:
    """Return the first permitted end on or after the receipt day with the notice kept, and its rule."""
    if terms.initial_term is None:
        last = boundary_from(terms, earliest_end(received_on, terms.notice, terms.counting))
        if last < terms.starts_on:
            # Every such notice has one outcome: the day before the start, a boundary or not.
            return terms.starts_on - ONE_DAY, Rule.NEVER_STARTS
        return last, Rule.BOUNDARY

    initial_last = last_day_of_term(terms.starts_on, terms.initial_term)
    if terms.renewal == "none":
        return (initial_last, Rule.EXPIRES) if received_on <= initial_last else (None, Rule.EXPIRED)
    if received_on <= latest_receipt(initial_last, terms.notice, terms.counting):
        return initial_last, Rule.INITIAL_TERM

    earliest = max(initial_last + ONE_DAY, earliest_end(received_on, _later_notice(terms), terms.counting))
    if isinstance(terms.renewal, Period):
        return _renewed_last_day(terms, terms.initial_term, terms.renewal, earliest), Rule.RENEWED_TERM
    return boundary_from(terms, earliest), Rule.AFTER_INITIAL


def _latest_notice_day(terms: Terms, last_day: date | None, rule: Rule) -> date | None:
    """Return the last receipt day with the same outcome, or None where notice changes nothing."""
    if last_day is None or rule is Rule.EXPIRES:
        return None
    if rule is Rule.NEVER_STARTS:
        # Counted from the boundary before the start, for the day before the start need not be one.
        return latest_receipt(boundary_before(terms, terms.starts_on), terms.notice, terms.counting)
    renewed = rule in (Rule.AFTER_INITIAL, Rule.RENEWED_TERM)
    return latest_receipt(last_day, _later_notice(terms) if renewed else terms.notice, terms.counting)


def _later_notice(terms: Terms) -> NoticeTerm:
    return terms.notice if terms.renewal_notice is None else terms.renewal_notice
