"""The frozen facts of letters, gathered when the fact is made.

A letter is rendered later from these values alone, so a late retry tells the same day. Days are ISO dates, instants
ISO with offset in the contract's zone, money is [minor units, currency]. The mail itself is made elsewhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse

from cancellation.models import Cancellation, Notice
from cancellation.quotes import Quote
from subscriptions.models import Component, Contract

# Whether a contract is a bundle, told with the contract, so that the committing click asks for nothing more.
HAS_PARTS = Exists(Component.objects.filter(contract=OuterRef("pk")))


def end_confirmed(contract: Contract, cancellation: Cancellation, notice: Notice, quote: Quote) -> dict[str, Any]:
    """Return the facts of the confirmation: what was declared, when it came, when it ends, what comes back."""
    facts = {
        **_common(contract),
        **_of_notice(contract, notice),
        "quote": quote.as_dict(),
        "last_day": cancellation.last_day.isoformat(),
        "undo_url": _url("cancellation:done", contract),
        "calendar_url": _url("cancellation:calendar", contract),
        "parts_url": _url("cancellation:parts", contract) if _has_parts(contract) else "",
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
    return at.astimezone(ZoneInfo(contract.terms["timezone"])).isoformat(timespec="seconds")


def _url(name: str, contract: Contract) -> str:
    base: str = settings.BASE_URL
    return base + reverse(name, args=[contract.reference])
