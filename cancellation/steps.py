"""The steps of the guided way, in order, and what each page needs of a request.

A step is a plain page. Which steps stand between the overview and the end is data, so that another one (options)
can join without touching its neighbours.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from cancellation import queries
from cancellation.quotes import Quote
from cancellation.ways import Wish
from subscriptions.models import Contract
from subscriptions.signin import signed_in, to_sign_in

# What stands before the act, in order; ``done`` follows the act. Another step joins here and in ``urls``.
BEFORE_THE_ACT = ("overview", "reasons", "confirm")
VISIT_COOKIE = "fw_visit"
VISIT_SALT = "fairwell.visit"
QUOTE_SALT = "fairwell.quote"
# A quote that was shown stays readable this long; an older page is asked again, never refused.
QUOTE_AGE = 60 * 60 * 24 * 30


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
    return Walk(contract, customer_id, visit)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    return to_sign_in(request, before_the_act=request.path.rsplit("/", 2)[0] + "/")


def place_of(step: str) -> dict[str, Any]:
    """Return where a step stands: ``at`` of ``of``, and the numbers of all ``steps``."""
    of = len(BEFORE_THE_ACT)
    return {"at": BEFORE_THE_ACT.index(step) + 1, "of": of, "steps": range(1, of + 1)}


def after(step: str) -> str:
    """Return the step that follows, up to the one that commits."""
    return BEFORE_THE_ACT[min(BEFORE_THE_ACT.index(step) + 1, len(BEFORE_THE_ACT) - 1)]


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
    names = ("contract", "overview", "reasons", "confirm", "commit", "done", "calendar", "undo", "parts", "deadline",
             "payments", "letters")  # fmt: skip
    return {name: reverse(f"cancellation:{name}", args=[contract.reference]) for name in names}
