"""The click that ends a contract, and the one that undoes it.

This is the notice path: it imports no feedback, mail, billing or report. The declaration is recorded and committed
before anything else is even looked at.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cancellation import actions, pages
from cancellation.models import Cancellation, State
from cancellation.steps import NotSignedIn, Walk, unsealed, urls_of, walk
from subscriptions.models import Contract

MOST_REASONS = 20
LONGEST_TEXT = 5000


@require_http_methods(["GET", "HEAD", "POST"])
def commit(request: HttpRequest, ref: str) -> HttpResponse:
    """Record the notice, then schedule the end: the same or better than shown at once, worse is asked (409)."""
    try:
        at = walk(request, ref)
    except NotSignedIn as stranger:
        return stranger.response
    if request.method != "POST":
        # Somebody reloads after the page said what had changed: show it again, commit nothing.
        return HttpResponseRedirect(urls_of(at.contract)["confirm"])
    if at.contract.live_id:  # type: ignore[attr-defined]
        # The second click, another tab, the back button: the day that was given stays.
        return HttpResponseRedirect(urls_of(at.contract)["done"])
    actor = actions.Actor.customer(at.customer_id)
    shown = unsealed(request.POST.get("quote", ""), at.contract)
    notice = actions.receive_notice(
        contract=at.contract,
        shown=shown,
        received_at=timezone.now(),
        actor=actor,
        key=at.idempotency_key,
        locale=get_language() or "en",
        declaration=declaration_of(at.contract),
    )
    try:
        actions.confirm(notice=notice, shown=shown, actor=actor, said=said_in(request, at))
    except actions.QuoteChanged as changed:
        actions.hold(notice=notice, quote=changed.quote)
        context = pages.changed(request, at, changed.quote, shown, said_in(request, at))
        return render(request, "cancellation/confirm.html", context, status=409)
    except actions.NothingToEnd:
        actions.nothing_to_end(notice=notice)
        return render(request, "cancellation/contract.html", pages.contract(at.contract), status=409)
    return HttpResponseRedirect(urls_of(at.contract)["done"])


def declaration_of(contract: Contract) -> str:
    """Return the words that the click declares, in the active language."""
    return _("I end contract %(reference)s (%(plan)s) by ordinary notice on the earliest possible day.") % {
        "reference": contract.reference,
        "plan": contract.plan.name,
    }


def said_in(request: HttpRequest, at: Walk) -> dict[str, Any]:
    """Return what was ticked or typed, on this page or earlier in the visit. Nothing here can stop the act."""
    if "saying" not in request.POST:
        return at.said
    said = {
        "reasons": request.POST.getlist("reasons")[:MOST_REASONS],
        "primary": request.POST.get("primary", "")[:64],
        "elsewhere": request.POST.get("elsewhere", "")[:3],
        "words": request.POST.get("words", "")[:LONGEST_TEXT].strip(),
        "went_well": request.POST.get("went_well", "")[:LONGEST_TEXT].strip(),
    }
    return said if any(said.values()) else {}


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, ref: str) -> HttpResponse:
    """Undo a scheduled end until its last day; a second click changes nothing."""
    try:
        at = walk(request, ref)
    except NotSignedIn as stranger:
        return stranger.response
    if request.method != "POST":
        return HttpResponseRedirect(urls_of(at.contract)["contract"])
    live = Cancellation.objects.filter(contract=at.contract, state=State.SCHEDULED).first()
    if live is None:
        return HttpResponseRedirect(urls_of(at.contract)["contract"])
    try:
        actions.revoke(cancellation_id=live.pk, actor=actions.Actor.customer(at.customer_id), at=timezone.now())
    except actions.CannotRevoke:
        return render(request, "cancellation/contract.html", pages.contract(at.contract, too_late=True), status=409)
    return HttpResponseRedirect(urls_of(at.contract)["contract"] + "?undone=1")
