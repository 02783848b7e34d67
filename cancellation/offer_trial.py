"""Who would get an option: what would be decided for one contract now, in words for staff. Nothing is kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cancellation import offer_words, offering
from cancellation.models import Offer
from cancellation.offer_rules import NEVER_HELD_OUT, Cause
from subscriptions.models import Contract
from subscriptions.terms import TermsError


def tried(offer: Offer, contract: Contract) -> dict[str, Any]:
    """Return in words what a contract would be shown of an option now: on the options page, and on the way out."""
    offering.forget_offers()
    try:
        # In the customer's language: a text that they cannot read is a reason against it.
        with translation.override(contract.customer.locale or None):
            decided = offering.would_be(contract, timezone.now())
    except TermsError:
        unreadable = _("The terms of this contract cannot be read.")
        return {"page": False, "page_why": unreadable, "flow": False, "flow_why": unreadable}
    shown = next((row for row in decided.shown if row.code == offer.code), None)
    cause = decided.not_shown.get(offer.code)
    told: dict[str, Any] = {"page": shown is not None, "page_why": "", "lines": [], "afterwards": ""}
    if shown is None:
        told["page_why"] = offer_words.cause(str(cause or Cause.FAULT))
        return told | {"flow": False, "flow_why": told["page_why"]}
    told["lines"] = offer_words.lines(shown.kind, shown.terms)
    told["afterwards"] = offer_words.afterwards(shown.kind, shown.terms)
    why = _why_not_in_flow(offer, contract)
    return told | {"flow": not why, "flow_why": offer_words.cause(str(why)) if why else ""}


def _why_not_in_flow(offer: Offer, contract: Contract) -> Cause | None:
    """Return what keeps an option that fits from the way out, given that one of its reasons is said."""
    if not offering.may_stand_in_flow(contract, timezone.localdate()):
        return Cause.PLACE_FORBIDS
    if offer.kind in NEVER_HELD_OUT:
        return None
    if not offer.reasons:
        return Cause.OTHER_REASON
    return Cause.HELD_OUT if offering.is_held_out(contract.customer_id) else None


def may_try(request: HttpRequest) -> bool:
    """Tell who may ask about contracts."""
    return any(request.user.has_perm(f"subscriptions.{act}_contract") for act in ("view", "change"))
