"""Calendar files: the last day of a contract, and the next day on which a notice matters.

Shape: RFC 5545, one all-day event; lines end in CRLF and are folded at 75 octets.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from cancellation.models import Cancellation, Receipt
from config.formats import format_day
from subscriptions.models import Contract

FOLD = 75


def last_day(contract: Contract, cancellation: Cancellation) -> str:
    """Return the calendar file of a scheduled or past end, in the active language."""
    return _event(
        uid=f"cancellation-{cancellation.pk}",
        at=cancellation.created_at,
        day=cancellation.last_day,
        title=_last_day_of(contract.plan.name, contract.reference),
        told=settings.OPERATOR["name"],
    )


def deadline(contract: Contract, *, day: date, ends: date, else_ends: date, at: datetime) -> str:
    """Return the calendar file of the next deadline of a contract, in the active language: a fact, no alarm.

    A notice until ``day`` ends the contract on ``ends``, a later one on ``else_ends``.
    """
    facts = {"plan": contract.plan.name, "reference": contract.reference}
    days = {"latest": format_day(day), "day": format_day(ends), "missed": format_day(else_ends)}
    told = _("A notice until %(latest)s ends the contract on %(day)s, a later one on %(missed)s.") % days
    return _event(
        # One entry a deadline: a file that is taken twice is the same entry.
        uid=f"deadline-{contract.pk}-{day:%Y%m%d}",
        at=at,
        day=day,
        title=_("Notice for %(plan)s (%(reference)s): next deadline") % facts,
        told=f"{told} {settings.OPERATOR['name']}",
    )


def of_receipt(receipt: Receipt) -> str:
    """Return the calendar file of a receipt, in its language; "" where it names no last day.

    It is the same event as that of the contract's page, so a calendar that has one takes the other as its copy.
    """
    document = receipt.document
    if "last_day" not in document or "contract" not in document:
        return ""
    with translation.override(receipt.locale):
        return _event(
            uid=f"cancellation-{receipt.cancellation_id}",
            at=receipt.issued_at,
            day=date.fromisoformat(document["last_day"]),
            title=_last_day_of(document["contract"]["plan"], document["contract"]["reference"]),
            told=document["operator"]["name"],
        )


def _last_day_of(plan: str, reference: str) -> str:
    return _("Last day of %(plan)s (%(reference)s)") % {"plan": plan, "reference": reference}


def _event(*, uid: str, at: datetime, day: date, title: str, told: str) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Fairwell//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}@fairwell",
        f"DTSTAMP:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_escaped(title)}",
        f"DESCRIPTION:{_escaped(told)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return " ".join(text.split())


def _folded(line: str) -> list[str]:
    """Return a line in pieces of at most 75 octets, never cutting a character."""
    pieces, piece = [], ""
    for character in line:
        if len((piece + character).encode()) > FOLD:
            pieces.append(piece)
            piece = " "
        piece += character
    return [*pieces, piece]
