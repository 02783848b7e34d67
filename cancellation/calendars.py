"""A calendar file with the last day of a contract.

Shape: RFC 5545, one all-day event; lines end in CRLF and are folded at 75 octets.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from cancellation.models import Cancellation, Receipt
from subscriptions.models import Contract

FOLD = 75


def last_day(contract: Contract, cancellation: Cancellation) -> str:
    """Return the calendar file of a scheduled or past end, in the active language."""
    return _event(
        uid=cancellation.pk,
        at=cancellation.created_at,
        day=cancellation.last_day,
        plan=contract.plan.name,
        reference=contract.reference,
        operator=settings.OPERATOR["name"],
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
            uid=receipt.cancellation_id,
            at=receipt.issued_at,
            day=date.fromisoformat(document["last_day"]),
            plan=document["contract"]["plan"],
            reference=document["contract"]["reference"],
            operator=document["operator"]["name"],
        )


def _event(*, uid: int | None, at: datetime, day: date, plan: str, reference: str, operator: str) -> str:
    title = _("Last day of %(plan)s (%(reference)s)") % {"plan": plan, "reference": reference}
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Fairwell//EN",
        "BEGIN:VEVENT",
        f"UID:cancellation-{uid}@fairwell",
        f"DTSTAMP:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_escaped(title)}",
        f"DESCRIPTION:{_escaped(operator)}",
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
