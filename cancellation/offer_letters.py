"""The frozen facts of the letters about an agreed option: agreed, taken back, not carried out yet.

As for all letters, days are ISO dates, instants ISO with offset in the contract's zone, money is [minor units,
currency]. What the customer wrote with it stands in no letter.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from cancellation import offer_words
from cancellation.letters import zone_of
from cancellation.models import Acceptance
from cancellation.offer_effects import BY_STAFF
from subscriptions.models import Contract

ONE_DAY = timedelta(days=1)


def agreed(contract: Contract, acceptance: Acceptance) -> dict[str, Any]:
    """Return the facts of the letter that says what was agreed, in the very words that the page showed."""
    with translation.override(acceptance.locale):
        lines = offer_words.lines(acceptance.kind, acceptance.terms)
    facts = {
        **_common(contract, acceptance),
        "lines": lines,
        "afterwards": acceptance.afterwards,
        "is_by_staff": acceptance.kind in BY_STAFF,
        "take_back_day": _last_day_to_take_back(acceptance),
    }
    return _letter("option-agreed", contract, acceptance, facts)


def taken_back(contract: Contract, acceptance: Acceptance, at: datetime, *, by_holder: bool) -> dict[str, Any]:
    """Return the facts of the letter that an agreed option was taken back."""
    facts = {
        **_common(contract, acceptance),
        "by_holder": by_holder,
        "taken_back_at": at.astimezone(zone_of(contract)).isoformat(timespec="seconds"),
        "is_by_staff": acceptance.kind in BY_STAFF,
    }
    return _letter("option-taken-back", contract, acceptance, facts)


def failed(contract: Contract, acceptance: Acceptance) -> dict[str, Any]:
    """Return the facts of the letter that what was agreed counts, though it could not be carried out yet."""
    return _letter("option-failed", contract, acceptance, _common(contract, acceptance))


def _common(contract: Contract, acceptance: Acceptance) -> dict[str, Any]:
    base = settings.BASE_URL + reverse("cancellation:contract", args=[contract.reference])
    return {
        "operator": settings.OPERATOR["name"],
        "support_email": settings.OPERATOR["support_email"],
        "name": contract.customer.name,
        "contract_reference": contract.reference,
        "product": contract.plan.product.name,
        "plan": contract.plan.name,
        "reference": acceptance.reference,
        "title": acceptance.title,
        "agreed_at": acceptance.accepted_at.astimezone(zone_of(contract)).isoformat(timespec="seconds"),
        "contract_url": base,
        "agreed_url": f"{base}options/{acceptance.reference}/",
    }


def _last_day_to_take_back(acceptance: Acceptance) -> str | None:
    """Return until when its holder can take an option back; None for what begins on the day it is agreed."""
    day: date = acceptance.starts_on - ONE_DAY
    return day.isoformat() if acceptance.kind not in BY_STAFF else None


def _letter(kind: str, contract: Contract, acceptance: Acceptance, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "to": contract.customer.email,
        "locale": acceptance.locale,
        "customer_id": contract.customer_id,
        "contract_id": contract.pk,
        "facts": facts,
    }
