"""The steps of the guided way, in order, and what each page needs of a request.

A step is a plain page. Which steps stand between the overview and the end is data: the policy pack of the contract's
place says so, and a contract of a business follows the default one. Where nobody can say, the overview stands alone.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from cancellation import guidance, queries
from cancellation.quotes import Quote
from cancellation.ways import Wish
from subscriptions import places
from subscriptions.models import Contract
from subscriptions.signin import signed_in, to_sign_in

# What can stand before the act, in order; ``done`` follows the act.
BEFORE_THE_ACT = ("overview", "reasons", "options", "confirm")
VISIT_COOKIE = "fw_visit"
VISIT_SALT = "fairwell.visit"
QUOTE_SALT = "fairwell.quote"
# A quote that was shown stays readable this long; an older page is asked again, never refused.
QUOTE_AGE = 60 * 60 * 24 * 30

log = logging.getLogger(__name__)


class NotSignedIn(Exception):
    """The visitor must sign in first; ``response`` leads there and back."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__("Not signed in.")
        self.response = response


@dataclass(frozen=True, slots=True)
class Walk:
    """One request inside the guided way: whose contract, and which visit."""

    contract: Contract
    customer_id: int
    visit: uuid.UUID
    # What stands before the act, in order; see ``steps_of``.
    steps: tuple[str, ...] = BEFORE_THE_ACT[:1]
    # What this very request chooses; None where it chooses nothing.
    picked: Wish | None = None
    way_errors: tuple[str, ...] = ()

    @property
    def said(self) -> dict[str, Any]:
        """Return what was ticked or typed in this visit so far."""
        return getattr(self.contract, "visit_said", None) or {}

    @property
    def wish(self) -> Wish:
        """Return the way out that was chosen, now or earlier in this visit; nothing means the ordinary one."""
        return self.picked or Wish.read(getattr(self.contract, "visit_chosen", None) or {})

    @property
    def idempotency_key(self) -> str:
        """Return the key that makes this visit's notice once; an undo, or taking a notice back, opens a new one."""
        over = self.contract.revoked + self.contract.taken_back  # type: ignore[attr-defined]
        return f"guided:{self.contract.pk}:{self.visit}:{over}"


def walk(request: HttpRequest, ref: str, beside: Mapping[str, Any] | None = None) -> Walk:
    """Return whose contract this is, with one statement. 404 unless it is theirs; NotSignedIn leads to sign-in.

    ``beside`` holds further annotations of the contract that a page needs.
    """
    who = signed_in(request)
    if who is None:
        raise NotSignedIn(_to_sign_in(request))
    customer_id, epoch = who
    visit = visit_of(request)
    contract = queries.contract_of(customer_id, ref, visit, beside)
    if contract is None:
        raise Http404
    if contract.customer.sign_in_epoch != epoch:
        raise NotSignedIn(_to_sign_in(request))
    return Walk(contract, customer_id, visit, steps_of(contract))


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    return to_sign_in(request, before_the_act=request.path.rsplit("/", 2)[0] + "/")


def steps_of(contract: Contract) -> tuple[str, ...]:
    """Return what stands before the act for a contract, in order, the overview first. Asks the database nothing.

    Options stand there only where the pack allows at least one and, where it asks for that, the holder has permitted
    them. Nothing here can fail: then the overview is all.
    """
    try:
        rules = guidance.pack_for(contract), timezone.localdate(), places.sector_of(contract)
        named = guidance.steps_named(*rules) | {"overview"}
        is_permitted = not guidance.asks_permission(*rules) or getattr(contract, "permits_options", None)
        if not (guidance.most_options(*rules) and is_permitted):
            named -= {"options"}
        return tuple(step for step in BEFORE_THE_ACT if step in named)
    except Exception:
        log.exception("The steps for contract %s could not be told.", contract.pk)
        return BEFORE_THE_ACT[:1]


def asks_why_afterwards(contract: Contract) -> bool:
    """Tell whether the reasons stand after the act, because they may not stand before it."""
    return "reasons" not in steps_of(contract)


def place_of(step: str, steps: tuple[str, ...]) -> dict[str, Any]:
    """Return where a step stands: ``at`` of ``of``, and the numbers of all ``steps``; nothing where it stands alone."""
    if step not in steps or len(steps) == 1:
        return {}
    return {"at": steps.index(step) + 1, "of": len(steps), "steps": range(1, len(steps) + 1)}


def after(step: str, steps: tuple[str, ...]) -> str:
    """Return the step that follows, up to the one that commits; "" where no further one stands before the act."""
    following = [other for other in steps if BEFORE_THE_ACT.index(other) > BEFORE_THE_ACT.index(step)]
    return following[0] if following else ""


def visit_of(request: HttpRequest) -> uuid.UUID:
    """Return the visit that the signed cookie names, or a new one."""
    try:
        return uuid.UUID(signing.Signer(salt=VISIT_SALT).unsign(request.COOKIES.get(VISIT_COOKIE, "")))
    except (signing.BadSignature, ValueError):
        return uuid.uuid4()


def remember_visit(response: HttpResponse, at: Walk) -> HttpResponse:
    """Let the browser name this visit on the pages of this contract, and nowhere else."""
    response.set_cookie(
        VISIT_COOKIE,
        signing.Signer(salt=VISIT_SALT).sign(str(at.visit)),
        path=reverse("cancellation:contract", args=[at.contract.reference]),
        max_age=settings.CUSTOMER_COOKIE_HOURS * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.CUSTOMER_COOKIE_SECURE,
    )
    return response


def sealed(quote: Quote, contract: Contract) -> str:
    """Return the quote as the page shows it, signed, so that the click can say what was seen."""
    return signing.dumps([contract.pk, quote.as_dict()], salt=QUOTE_SALT, compress=True)


def unsealed(text: str, contract: Contract) -> Quote | None:
    """Return the quote that a page showed, or None: missing, tampered with, too old, another contract's."""
    try:
        pk, figures = signing.loads(text, salt=QUOTE_SALT, max_age=QUOTE_AGE)
        return Quote.from_dict(figures) if pk == contract.pk else None
    except (signing.BadSignature, ValueError, TypeError, KeyError):
        return None


def urls_of(contract: Contract) -> dict[str, str]:
    """Return the addresses that the pages of a contract link to."""
    names = (
        "contract", "overview", "reasons", "options", "confirm", "commit", "done", "why", "calendar", "undo", "parts",
        "options-page", "accept", "decline", "deadline", "payments", "letters",
    )  # fmt: skip
    return {name.replace("-", "_"): reverse(f"cancellation:{name}", args=[contract.reference]) for name in names}


def visit_named_by(idempotency_key: str) -> uuid.UUID | None:
    """Return the visit in which a notice was given; None for one of another door."""
    parts = idempotency_key.split(":")
    try:
        return uuid.UUID(parts[2]) if parts[0] == "guided" else None
    except (IndexError, ValueError):
        return None
