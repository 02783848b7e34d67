"""A calendar file with the last day of a contract.

Shape: RFC 5545, one all-day event; lines end in CRLF and are folded at 75 octets.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from cancellation.models import Cancellation
from subscriptions.models import Contract

FOLD = 75


def last_day(contract: Contract, cancellation: Cancellation) -> str:
    """Return the calendar file of a scheduled or past end, in the active language."""
    day = cancellation.last_day
    title = _("Last day of %(plan)s (%(reference)s)") % {
        "plan": contract.plan.name,
        "reference": contract.reference,
    }
    stamp = cancellation.created_at.astimezone(UTC)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Fairwell//EN",
        "BEGIN:VEVENT",
        f"UID:cancellation-{cancellation.pk}@fairwell",
        f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_escaped(title)}",
        f"DESCRIPTION:{_escaped(settings.OPERATOR['name'])}",
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
