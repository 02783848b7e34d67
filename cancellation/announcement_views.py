"""The public page for whoever announces somebody else's wish to leave, and the page on which the holder answers.

No sign-in, no cookie, no script. Part of the notice path: nothing here imports feedback, mail, billing or reports.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from cancellation import actions, announcements, letters, pages, queries
from cancellation.announcement_form import LONGEST_TOKEN, AnnouncementForm
from cancellation.models import Announcement, AnnouncementState, Cancellation
from cancellation.quotes import Quote
from cancellation.steps import sealed, unsealed, urls_of
from subscriptions.limits import Limit, client_address, seconds_to_wait
from subscriptions.models import Contract
from subscriptions.terms import TermsError, initial_last_day

# More than a person sends. What comes above is kept like any other, and waits for the desk before mail leaves.
PER_CONNECTION = "20/10m"
PER_ADDRESS = "20/h"
RECEIVED_SALT = "fairwell.announcement-received"
ANSWERS = {"yes": AnnouncementState.YES, "no": AnnouncementState.NO, "not_mine": AnnouncementState.NOT_MINE}


# ---------------------------------------------------------------- whoever announces


# No token of a session guards it: there is none, and whoever sends this form may be anybody.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest) -> HttpResponse:
    """Show the form, or keep what it says and confirm it. What is wrong is named, and what was typed stays."""
    if request.method != "POST":
        return render(request, "announce/form.html", _form_page(AnnouncementForm()))
    given = AnnouncementForm(request.POST)
    if not given.is_valid():
        return render(request, "announce/form.html", _form_page(given), status=422)
    announcement = announcements.announce(
        told=given.told,
        token=request.POST.get("form", "")[:LONGEST_TOKEN],
        locale=get_language() or "en",
        at=timezone.now(),
        is_held=_is_too_much(request, given.told.agent_email),
    )
    token = signing.dumps([announcement.reference, announcement.received_at.isoformat()], salt=RECEIVED_SALT)
    return HttpResponseRedirect(reverse("cancellation:announce-received", args=[token]), status=303)


def _form_page(form: AnnouncementForm) -> dict[str, Any]:
    # The pages say the same to everybody, so one form may not tell that another has been sent.
    return {"form": form, "days": settings.ANNOUNCEMENT_DAYS}


def _is_too_much(request: HttpRequest, address: str) -> bool:
    """Tell whether more came than a person sends; where the counter is down, nothing is too much."""
    limits = (
        Limit("announce-connection", client_address(request), PER_CONNECTION),
        Limit("announce-address", address.lower(), PER_ADDRESS),
    )
    return seconds_to_wait(request, *limits) > 0


@require_safe
def received(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm what arrived and when, in the same words whether a contract was found or not."""
    try:
        reference, at = signing.loads(token, salt=RECEIVED_SALT)
        context = {"reference": reference, "received_at": timezone.localtime(datetime.fromisoformat(at))}
    except (signing.BadSignature, ValueError, TypeError):
        raise Http404 from None
    return render(request, "announce/done.html", context | {"days": settings.ANNOUNCEMENT_DAYS})


# ---------------------------------------------------------------- the holder


# The key in the address is the authority; a cookie would add nothing to it.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, key: str) -> HttpResponse:
    """Show the holder who announced what, and what a yes would mean; a POST answers, a GET never does."""
    announcement = announcements.for_holder(key)
    if announcement is None or announcement.contract is None:
        return render(request, "announce/gone.html", status=404)
    if announcement.erased_at is not None:
        return render(request, "announce/gone.html", status=410)
    if request.method != "POST":
        return _page(request, announcement)
    said = ANSWERS.get(request.POST.get("answer", ""))
    if said is None:
        return _page(request, announcement, status=422, unread=True)
    if said == AnnouncementState.YES:
        return _yes(request, announcement, announcement.contract)
    at = timezone.now()
    kept = announcements.answer_no(announcement=announcement, contract=announcement.contract, state=said, at=at)
    # A yes stands: what undoes it is the undo.
    return _back(announcement) if kept else _page(request, announcement, status=409, stands=True)


def _yes(request: HttpRequest, announcement: Announcement, contract: Contract) -> HttpResponse:
    shown = unsealed(request.POST.get("quote", ""), contract)
    at = timezone.now()
    try:
        announcements.answer_yes(announcement=announcement, contract=contract, shown=shown, at=at)
    except actions.QuoteChanged:
        return _page(request, announcement, status=409, changed=True, shown=shown)
    except actions.NothingToEnd:
        return _page(request, announcement, status=409)
    except actions.Unreadable:
        return _page(request, announcement, status=202)
    except actions.AlreadyUndone:
        return _page(request, announcement, status=409)
    return _back(announcement)


def _back(announcement: Announcement) -> HttpResponse:
    return HttpResponseRedirect(reverse("cancellation:announce-answer", args=[announcement.key]), status=303)


def _page(request: HttpRequest, announcement: Announcement, status: int = 200, **more: Any) -> HttpResponse:
    """Show where things stand: ending, ended, a notice that waits, or the question with its quote."""
    # Read anew: an answer may just have changed it.
    kept = announcements.for_holder(announcement.key)
    if kept is None or kept.contract is None:
        return render(request, "announce/gone.html", status=404)
    contract, at = kept.contract, timezone.now()
    context = {
        "announcement": kept,
        "together": announcements.asked_together(kept),
        "contract": contract,
        "urls": urls_of(contract),
        "zone": letters.zone_of(contract).key,
        **_standing(kept, contract, at),
        **more,
    }
    return render(request, "announce/answer.html", context, status=status)


def _standing(announcement: Announcement, contract: Contract, at: datetime) -> dict[str, Any]:
    """Return where the contract stands, with the figures of a yes where there is anything left to decide."""
    live = announcements.ends_of(contract)
    try:
        yes = announcements.what_a_yes_means(contract, announcements.asked_together(announcement), at)
        today = queries.local_day(contract, at)
    except (actions.Unreadable, TermsError, KeyError):
        waits = actions.open_notices(contract).first()
        return {"stage": "recorded" if waits else "unreadable", "notice": waits} | _ending(live)
    over = live is not None and live.last_day < today
    if live and (over or yes is None or not announcements.is_better(yes.quote, live)):
        return {"stage": "ended" if over else "ending", "can_undo": live.can_be_revoked_on(today)} | _ending(live)
    if yes is None:
        return {"stage": "expired", "ended_on": initial_last_day(contract.agreed)}
    quote = yes.quote
    return {
        "stage": "asked",
        "yes": yes,
        "quote": quote,
        "sealed": sealed(quote, contract),
        "why": pages.why(contract, quote),
        "arithmetic": pages.arithmetic(quote, contract.refund_policy),
        "notice": yes.notice,
        "components": _parts_of(contract),
        "until_day": announcements.last_day_to_count(announcement, contract),
        "counts": announcements.counts(announcement, contract, at),
    } | _ending(live)


def _parts_of(contract: Contract) -> list[dict[str, Any]]:
    """Return the parts of a bundle, as every page of a contract shows them."""
    parts = contract.components.values("pk", "kind", "name", chosen=F("choice__choice"))
    contract.parts = [part | {"choice": part["chosen"]} for part in parts]  # type: ignore[attr-defined]
    return pages.components_of(contract)


def _ending(live: Cancellation | None) -> dict[str, Any]:
    if live is None:
        return {"cancellation": None}
    return {"cancellation": live, "ends": Quote.from_dict(live.quote) if live.quote else None}
