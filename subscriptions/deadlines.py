"""Other days that the law counts: until when to remind, confirm, pay back or withdraw, and from which day.

Days are calendar dates, instants are aware, windows and last days are inclusive. How many days, months or hours a
place gives stands in its pack; here they are counted. Nothing reads the clock, the database or the settings.
Raises FieldError for a naive instant or a zone that nobody knows, WithdrawalError for an unknown country or region.
Source: LAW A11-A12, B3-B5, C5-C7, D2-D3, E2-E4, F4-F5, G4, H2. Cases: tests/data/law_vectors.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from subscriptions.packs import Pack
from subscriptions.periods import ONE_DAY, Counting, Period, day_in_month, last_day_of_stretch, month_index, month_later
from subscriptions.reading import local_day, zone
from subscriptions.terms import NoticeQuote, earliest_end
from subscriptions.withdrawal import WithdrawalError, next_working_day, withdrawal_deadline

SATURDAY = 5
ROLLS = ("withdrawal_only", "acts")


# The receipt.


class ReceiptDays(NamedTuple):
    """The day a notice arrived where the contract is at home, and the one that is better for its sender."""

    by_law: date
    kindest: date


def receipt_days(received_at: datetime, timezone: str, sender_zone: str = "") -> ReceiptDays:
    """Return the receipt day in the contract's zone, and the sender's own where that is earlier."""
    here = local_day(received_at, timezone)
    return ReceiptDays(here, min(here, local_day(received_at, sender_zone)) if sender_zone else here)


def hours_later(instant: datetime, hours: int, timezone: str) -> datetime:
    """Return the local time after so many hours have really passed, clocks put forward or back or not."""
    return (instant.astimezone(UTC) + timedelta(hours=hours)).astimezone(zone(timezone))


# The end.


class Why(StrEnum):
    """Why a contract ends on the day it does, beside the rule of its terms."""

    EARLIEST = "earliest"  # the earliest possible day
    LAST_CHANCE = "last_chance"  # received on the last day that is possible for this end
    TOO_EARLY = "too_early"  # an earlier day was wished for: the earliest possible one, and the receipt says so
    AS_WISHED = "as_wished"  # a later day was wished for
    AT_ONCE = "at_once"  # the place for it was missing or wrong: no notice period


@dataclass(frozen=True, slots=True)
class End:
    """The last day that follows from a notice, and why."""

    last_day: date
    why: Why


def effective_end(told: NoticeQuote, *, wished_on: date | None = None, door_compliant: bool = True) -> End | None:
    """Return the end that a notice brings about; None where the contract has ended by itself already.

    ``door_compliant`` is False only where the place lets its holders leave at once for it (``end_at_receipt``).
    """
    if told.last_day is None:
        return None
    earliest = told.last_day if door_compliant else min(told.received_on, told.last_day)
    if wished_on is not None and wished_on > earliest:
        return End(wished_on, Why.AS_WISHED)
    if not door_compliant:
        return End(earliest, Why.AT_ONCE)
    if wished_on is not None and wished_on < earliest:
        return End(earliest, Why.TOO_EARLY)
    return End(earliest, Why.LAST_CHANCE if told.latest_notice_day == told.received_on else Why.EARLIEST)


class Pay(StrEnum):
    """By which stretches of time a service is paid for, where nothing was agreed about notice."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"  # or longer


def statutory_end(received_on: date, pay: Pay, country: str = "DE", region: str | None = None) -> date:
    """Return the last day of a service contract of which nothing was agreed (BGB 621 no. 1 to 4)."""
    match pay:
        case Pay.DAILY:
            return received_on + ONE_DAY
        case Pay.WEEKLY:
            return _saturday_after(received_on, country, region)
        case Pay.MONTHLY:
            month = month_index(received_on)
            return day_in_month(month if received_on.day <= 15 else month + 1, 31)
        case Pay.QUARTERLY:
            six_weeks = earliest_end(received_on, Period(days=42), Counting.SAME_DAY_NUMBER)
            return day_in_month((month_index(six_weeks) // 3 + 1) * 3 - 1, 31)


def _saturday_after(received_on: date, country: str, region: str | None) -> date:
    # A Sunday belongs to the week that it precedes: a notice of Sunday is there on Monday.
    monday = received_on - timedelta(days=received_on.weekday())
    while received_on > next_working_day(monday, country, region):
        monday += timedelta(days=7)
    return monday + timedelta(days=SATURDAY)


# Withdrawal.


def withdrawal_last_day(
    pack: Pack,
    concluded_at: datetime,
    *,
    timezone: str,
    country: str,
    region: str = "",
    sector: str = "",
    informed: bool = True,
) -> date | None:
    """Return the last day to withdraw by the rules of a place; None where there is no such right.

    Whoever was not told of the right has it longer. Where holidays of a place are not known, week-ends alone count.
    """
    made_on = local_day(concluded_at, timezone, "concluded_at")
    days = pack.get("withdrawal_days", made_on, sector) or 0
    if not days:
        return None
    longer = 0 if informed else pack.get("withdrawal_uninformed_months", made_on, sector) or 0
    if pack.get("withdrawal_counting", made_on, sector) == "first_day_counts":
        return month_later(made_on, longer) + timedelta(days=days - 1)
    if not longer and pack.get("weekend_roll", made_on, sector) in ROLLS:
        try:
            return withdrawal_deadline(concluded_at, days, timezone, country, region or None)
        except WithdrawalError:
            return _rolled(made_on + timedelta(days=days), country, region)
    last = month_later(made_on, longer) + timedelta(days=days)
    return _rolled(last, country, region) if pack.get("weekend_roll", made_on, sector) in ROLLS else last


def _rolled(day: date, country: str, region: str) -> date:
    for land, part in ((country, region or None), (country, None)):
        try:
            return next_working_day(day, land.upper(), part.upper() if part else None)
        except WithdrawalError:
            continue
    while day.weekday() >= SATURDAY:
        day += ONE_DAY
    return day


def in_time(last_day: date, sent_at: datetime, timezone: str) -> bool:
    """Tell whether a withdrawal was sent by 24:00 of its last day; sending counts, not arriving."""
    return local_day(sent_at, timezone, "sent_at") <= last_day


def withdrawal_document_days(document_on: date, days: int) -> date:
    """Return the last day of a period of which the day of the document is the first (JP telecom: 8 days)."""
    return document_on + timedelta(days=days - 1)


# Money and answers that are owed by a day.


def days_after(day: date, days: int) -> date:
    """Return the day by which something is owed, that many days after an event; never moved for who owes it."""
    return day + timedelta(days=days)


def working_days_after(day: date, days: int, country: str, region: str | None = None) -> date:
    """Return the n-th working day after a day that is not counted itself."""
    for _ in range(days):
        day = next_working_day(day + ONE_DAY, country, region)
    return day


# Reminders.


class Window(NamedTuple):
    """From and until when something must be sent; None where a place leaves that end open."""

    earliest: date | None
    latest: date | None


def reminder_window(
    pack: Pack, event: str, counted_from: date, *, on: date | None = None, sector: str = ""
) -> Window | None:
    """Return when a place wants its holders reminded of an event; None where it does not ask for that reminder.

    ``counted_from`` is the day the pack counts back from: the event, the last day, or the last day to refuse.
    """
    listed = pack.get("reminder_windows", on or counted_from, sector) or []
    window = next((window for window in listed if window["event"] == event), None)
    return None if window is None else window_before(window, counted_from)


def window_before(window: Mapping[str, Any], counted_from: date) -> Window:
    """Return the days of a window: months back to the same number, clamped to the month's end; days back as days."""
    return Window(_before(window.get("earliest"), counted_from), _before(window.get("latest"), counted_from))


def _before(length: Mapping[str, int] | None, day: date) -> date | None:
    if length is None:
        return None
    back = Period.from_dict(length)
    return month_later(day, -back.months) if back.months else day - timedelta(days=back.days)


def half_year(concluded_on: date, number: int = 0) -> tuple[date, date]:
    """Return the first and last day of the n-th six months after the day of conclusion (UK reminder periods).

    Counted from the start each time, so that month ends do not drift.
    """
    start = concluded_on + ONE_DAY
    first = start if number == 0 else last_day_of_stretch(start, 6 * number) + ONE_DAY
    return first, last_day_of_stretch(start, 6 * (number + 1))


# Marketing.


class OptOut(NamedTuple):
    """By when a refusal must be heeded: by law, and as large mail services ask. We heed it at once."""

    by_law: date | None
    by_mail_services: date


def opt_out(pack: Pack, asked_on: date, country: str = "US") -> OptOut:
    """Return by when no marketing mail may follow a refusal."""
    days = pack.get("marketing_opt_out_business_days", asked_on)
    by_law = working_days_after(asked_on, days, country) if days else None
    return OptOut(by_law, days_after(asked_on, pack.get("marketing_opt_out_days", asked_on)))
