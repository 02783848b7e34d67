"""The frozen facts of letters, gathered when the fact is made.

A letter is rendered later from these values alone, so a late retry tells the same day. Days are ISO dates, instants
ISO with offset in the contract's zone, money is [minor units, currency]. The mail itself is made elsewhere.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from cancellation.models import Announcement, Cancellation, Notice
from cancellation.quotes import Quote
from subscriptions.models import Contract

LONGEST_NAME = 80
# Control characters, marks of direction, line ends of every kind.
INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def end_confirmed(contract: Contract, cancellation: Cancellation, notice: Notice, quote: Quote) -> dict[str, Any]:
    """Return the facts of the confirmation: what was declared, when it came, when it ends, what comes back."""
    facts = {
        **_common(contract),
        **_of_notice(contract, notice),
        "quote": quote.as_dict(),
        "last_day": cancellation.last_day.isoformat(),
        "undo_url": _url("cancellation:done", contract),
        "calendar_url": _url("cancellation:calendar", contract),
    }
    return _letter("end-confirmed", contract, notice.locale, facts)


def notice_stands(contract: Contract, notice: Notice, quote: Quote) -> dict[str, Any]:
    """Return the facts of the letter that a notice is recorded while its end waits for the holder's choice."""
    facts = {
        **_common(contract),
        **_of_notice(contract, notice),
        "quote": quote.as_dict(),
        "last_day": quote.last_day.isoformat(),
        "choose_url": _url("cancellation:confirm", contract),
    }
    return _letter("notice-stands", contract, notice.locale, facts)


def undo_confirmed(contract: Contract, cancellation: Cancellation, at: datetime) -> dict[str, Any]:
    """Return the facts of the letter that the contract goes on as it was."""
    facts = {
        **_common(contract),
        "last_day": cancellation.last_day.isoformat(),
        "undone_at": _local(contract, at),
        "notice_reference": cancellation.notice.reference if cancellation.notice else "",
    }
    locale = cancellation.notice.locale if cancellation.notice else contract.customer.locale
    return _letter("undo-confirmed", contract, locale, facts)


def taken_back(contract: Contract, notice: Notice, at: datetime) -> dict[str, Any]:
    """Return the facts of the letter that a notice was taken back before its end was fixed."""
    facts = {
        **_common(contract),
        "last_day": None,
        "undone_at": _local(contract, at),
        "notice_reference": notice.reference,
    }
    return _letter("undo-confirmed", contract, notice.locale, facts)


def announcement_question(
    contract: Contract,
    announcement: Announcement,
    *,
    locale: str,
    until: date,
    quote: Quote | None,
    plain: Quote | None,
    declaration: str,
) -> dict[str, Any]:
    """Return the facts of the question to a holder: who announced what and when, and what a yes would mean.

    ``quote`` is what a yes means until the day ``until``, ``plain`` what it means counted from today; None where the
    terms cannot be read or nothing is left to end. The link to answer is a secret, so its facts name only whose it is.
    """
    facts = {
        **_common(contract),
        "reference": announcement.reference,
        "agent": [in_one_line(text) for text in (announcement.agent_name, announcement.agent_company) if text],
        "agent_email": in_one_line(announcement.agent_email),
        "announced_at": _local(contract, announcement.received_at),
        "wished_on": announcement.wished_on.isoformat() if announcement.wished_on else None,
        "until_day": until.isoformat(),
        "secret_link": {"kind": "announce", "id": announcement.pk},
    }
    if quote is not None:
        facts |= {
            "declaration": declaration,
            "terms": contract.terms,
            "refund_policy": contract.refund_policy,
            "quote": quote.as_dict(),
            "last_day": quote.last_day.isoformat(),
            "plain_last_day": plain.last_day.isoformat() if plain and plain.last_day != quote.last_day else None,
        }
    return _letter("announcement-question", contract, locale, facts)


def announcement_received(announcement: Announcement) -> dict[str, Any]:
    """Return the facts of the acknowledgement to whoever announced: nothing of what they wrote, nothing of a contract.

    Anybody can type anybody's address there, so the letter carries no words of theirs.
    """
    return {
        "kind": "announcement-received",
        "to": announcement.agent_email,
        "locale": announcement.locale,
        "customer_id": None,
        "contract_id": None,
        "facts": {
            "operator": settings.OPERATOR["name"],
            "support_email": settings.OPERATOR["support_email"],
            "reference": announcement.reference,
            "announced_at": timezone.localtime(announcement.received_at).isoformat(timespec="seconds"),
            "days": settings.ANNOUNCEMENT_DAYS,
        },
    }


def in_one_line(text: str) -> str:
    """Return a stranger's words as a letter may carry them: one short line, no marks that turn it round, no link."""
    told = "".join(" " if unicodedata.category(sign) in INVISIBLE else sign for sign in text).replace("://", " ")
    line = " ".join(told.split())
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1].rstrip() + "…"


def _letter(kind: str, contract: Contract, locale: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "to": contract.customer.email,
        "locale": locale,
        "customer_id": contract.customer_id,
        "contract_id": contract.pk,
        "facts": facts,
    }


def _common(contract: Contract) -> dict[str, Any]:
    return {
        "operator": settings.OPERATOR["name"],
        "support_email": settings.OPERATOR["support_email"],
        "name": contract.customer.name,
        "contract_reference": contract.reference,
        "product": contract.plan.product.name,
        "plan": contract.plan.name,
        "stays_usable": contract.plan.stays_usable,
        "contract_url": _url("cancellation:contract", contract),
    }


def _of_notice(contract: Contract, notice: Notice) -> dict[str, Any]:
    return {
        "notice_reference": notice.reference,
        "declaration": notice.declaration,
        "received_at": _local(contract, notice.received_at),
        # For the letter's "why this day" and the arithmetic, as agreed on that day.
        "terms": contract.terms,
        "refund_policy": contract.refund_policy,
    }


def _local(contract: Contract, at: datetime) -> str:
    return at.astimezone(zone_of(contract)).isoformat(timespec="seconds")


def zone_of(contract: Contract) -> ZoneInfo:
    """Return the contract's zone, or the server's where its terms name none that is known."""
    try:
        return ZoneInfo(contract.terms["timezone"])
    except (KeyError, TypeError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)


def _url(name: str, contract: Contract) -> str:
    base: str = settings.BASE_URL
    return base + reverse(name, args=[contract.reference])
