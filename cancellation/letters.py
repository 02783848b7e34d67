"""The frozen facts of letters, gathered when the fact is made.

A letter is rendered later from these values alone, so a late retry tells the same day. Days are ISO dates, instants
ISO with offset in the contract's zone, money is [minor units, currency]. The mail itself is made elsewhere.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from cancellation import receipts
from cancellation.models import Announcement, Cancellation, Channel, Judgement, Notice, Receipt, Way
from cancellation.quotes import Quote
from cancellation.ways import Wish
from subscriptions.models import Component, Contract

# Whether a contract is a bundle, told with the contract, so that the committing click asks for nothing more.
HAS_PARTS = Exists(Component.objects.filter(contract=OuterRef("pk")))

LONGEST_NAME = 80
# Control characters, marks of direction, line ends of every kind.
INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
NOT_ME_SALT = "fairwell.not-me"
# Within these days the money is back; the last of them is never moved to a working day.
REFUND_DAYS = 14


def end_confirmed(
    contract: Contract, cancellation: Cancellation, notice: Notice, quote: Quote, receipt: Receipt | None = None
) -> dict[str, Any]:
    """Return the facts of the confirmation: what was declared, when it came, when it ends, what comes back."""
    wished = Wish.read(cancellation.asks).too_early_for(cancellation.last_day)
    facts = {
        **_common(contract),
        **_of_notice(contract, notice),
        "quote": quote.as_dict(),
        "last_day": cancellation.last_day.isoformat(),
        "way": cancellation.way,
        # A person judges an earlier end; the one in this letter is safe meanwhile.
        "is_judged_later": cancellation.judgement == Judgement.OPEN,
        # Nobody hears a day too early for a wish without being told.
        "wished_day": wished.isoformat() if wished else None,
        "undo_url": _url("cancellation:done", contract),
        "calendar_url": _url("cancellation:calendar", contract),
        # Somebody else may have declared it at a public page: the holder can say so.
        "not_me_url": not_me_url(notice) if notice.channel == Channel.DOOR else "",
        "parts_url": _url("cancellation:parts", contract) if _has_parts(contract) else "",
        **_proof(receipt),
    }
    if cancellation.way != Way.WITHDRAWAL:
        return _letter("end-confirmed", contract, notice.locale, facts)
    facts["refund_due_on"] = (quote.received_on + timedelta(days=REFUND_DAYS)).isoformat()
    return _letter("withdrawal-confirmed", contract, notice.locale, facts)


def not_me_url(notice: Notice) -> str:
    """Return the link by which a holder says that they did not declare this."""
    token = signing.Signer(salt=NOT_ME_SALT, sep=".").sign(str(notice.pk))
    base: str = settings.BASE_URL
    return base + reverse("cancellation:not-me", args=[token])


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


def undo_confirmed(
    contract: Contract, cancellation: Cancellation, at: datetime, receipt: Receipt | None = None
) -> dict[str, Any]:
    """Return the facts of the letter that the contract goes on as it was."""
    facts = {
        **_common(contract),
        "last_day": cancellation.last_day.isoformat(),
        "undone_at": _local(contract, at),
        "notice_reference": cancellation.notice.reference if cancellation.notice else "",
        **_proof(receipt),
    }
    locale = cancellation.notice.locale if cancellation.notice else contract.customer.locale
    return _letter("undo-confirmed", contract, locale, facts)


def judged(contract: Contract, cancellation: Cancellation, why: str) -> dict[str, Any]:
    """Return the facts of the letter that no earlier end is granted, with the reason; the ordinary one stands."""
    notice = cancellation.notice
    facts = {
        **_common(contract),
        "last_day": cancellation.last_day.isoformat(),
        "notice_reference": notice.reference if notice else "",
        "words": why,
    }
    return _letter("judged", contract, notice.locale if notice else contract.customer.locale, facts)


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


def on_file(contract: Contract, notice: Notice, standing: str, received_at: datetime) -> dict[str, Any]:
    """Return the facts of the letter to the holder that somebody declared this, where no end follows at once.

    ``standing`` says why: "ended" (the contract had ended), "ending" (it ends by another notice), "desk" (a person
    works it out).
    """
    facts = {
        **_common(contract),
        **_in_short(notice, received_at),
        "standing": standing,
        "act": str(notice.act),
        "not_me_url": not_me_url(notice),
    }
    return _letter("declaration-on-file", contract, notice.locale, facts)


def repudiated(contract: Contract, notice: Notice, received_at: datetime, *, ended: bool) -> dict[str, Any]:
    """Return the facts of the letter that a declaration counts as not the holder's."""
    facts = {**_common(contract), **_in_short(notice, received_at), "ended": ended}
    return _letter("declaration-repudiated", contract, notice.locale, facts)


def _in_short(notice: Notice, received_at: datetime) -> dict[str, Any]:
    """Return what a letter says of a declaration whose contract nobody may be able to read."""
    return {
        "notice_reference": notice.reference,
        "declaration": notice.declaration,
        "received_at": received_at.isoformat(timespec="seconds"),
    }


def _proof(receipt: Receipt | None) -> dict[str, Any]:
    """Return the receipt that a letter carries as a file; nothing where there is none."""
    return {"receipt": receipts.facts_of(receipt)} if receipt else {}


def to_finish(kind: str, contract: Contract, locale: str, prospect: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a letter about a cancellation that is not finished: ``halfway``, or ``finish-later``.

    Without a locale it speaks the customer's own.
    """
    return _letter(kind, contract, locale or contract.customer.locale, {**_common(contract), **prospect})


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


def _has_parts(contract: Contract) -> bool:
    known: bool | None = getattr(contract, "has_parts", None)
    return contract.components.exists() if known is None else known


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
