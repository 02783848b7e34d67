"""The click that ends a contract, and the one that undoes it.

This is the notice path: it imports no feedback, mail, billing or report. The declaration is recorded and committed
before anything else is even looked at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cancellation import actions, lawful, pages
from cancellation.models import Cancellation, Notice, State
from cancellation.steps import NotSignedIn, Walk, unsealed, urls_of, walk
from cancellation.ways import GROUNDS, ORDINARY, Wish
from config.formats import format_day
from subscriptions.models import Contract

# What the guided way commits. A withdrawal and a cause have pages of their own and are never merged with it.
WAYS = {"later", "early_release", "hardship"}
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
    said = said_in(request, at)
    wish = wish_in(request)
    notice = _standing(at) or actions.receive_notice(
        contract=at.contract,
        shown=shown,
        received_at=timezone.now(),
        actor=actor,
        key=at.idempotency_key,
        locale=get_language() or "en",
        declaration=declaration_of(at.contract, wish),
        said=said,
        asks=wish.as_dict(),
        door=actions.Door(pack=lawful.pack_code(at.contract), button=_("Cancel now")),
    )
    try:
        actions.confirm(
            notice=notice, shown=shown, actor=actor, said=said, wish=wish, words=declaration_of(at.contract, wish)
        )
    except actions.QuoteChanged as changed:
        actions.hold(notice=notice, quote=changed.quote)
        context = pages.changed(replace(at, picked=wish), changed.quote, shown, said)
        return render(request, "cancellation/confirm.html", context, status=409)
    except actions.NothingToEnd:
        actions.close(notice=notice, actor=actions.SYSTEM, why=actions.ENDED_BY_ITSELF)
        return render(request, "cancellation/contract.html", pages.contract(at.contract), status=409)
    except (actions.Unreadable, actions.WithdrawalOver) as kept:
        actions.ask_the_desk(notice=notice, why=getattr(kept, "why", actions.UNREADABLE))
        return render(request, "cancellation/recorded.html", pages.recorded(at.contract, notice), status=202)
    except actions.AlreadyUndone:
        return HttpResponseRedirect(urls_of(at.contract)["contract"])
    return HttpResponseRedirect(urls_of(at.contract)["done"])


def _standing(at: Walk) -> Notice | None:
    """Return the notice that waits for its holder's choice: it counts from its own instant, on any device."""
    standing: int | None = at.contract.standing_id  # type: ignore[attr-defined]
    return Notice.objects.get(pk=standing) if standing else None


def declaration_of(contract: Contract, wish: Wish = ORDINARY) -> str:
    """Return the words that the click declares, in the active language."""
    facts = {
        "reference": contract.reference,
        "plan": contract.plan.name,
        "day": format_day(wish.day) if wish.day else "",
    }
    if wish.way == "later" and wish.day:
        return _("I end contract %(reference)s (%(plan)s) by ordinary notice on %(day)s.") % facts
    if wish.way == "early_release" and wish.day:
        return _("I end contract %(reference)s (%(plan)s) early, on %(day)s, for the fee that was shown.") % facts
    if wish.way == "early_release":
        return _("I end contract %(reference)s (%(plan)s) early, today, for the fee that was shown.") % facts
    if wish.way == "hardship":
        return (
            _(
                "I cannot use contract %(reference)s (%(plan)s) any more and ask for an end without a fee. In any case "
                "I end it by ordinary notice on the earliest possible day."
            )
            % facts
        )
    return _("I end contract %(reference)s (%(plan)s) by ordinary notice on the earliest possible day.") % facts


def wish_in(request: HttpRequest) -> Wish:
    """Return the way out that the page carried; what cannot be read means the ordinary one."""
    wish = Wish.read({name: _clean(request.POST.get(name, ""), 32) for name in ("way", "day", "ground")})
    if wish.way not in WAYS:
        return ORDINARY
    return wish if wish.ground in GROUNDS else replace(wish, ground="")


def said_in(request: HttpRequest, at: Walk) -> dict[str, Any]:
    """Return what was ticked or typed, on this page or earlier in the visit. Nothing here can stop the act."""
    if "saying" not in request.POST:
        return at.said
    said = {
        "reasons": [_clean(code, 64) for code in request.POST.getlist("reasons")[:MOST_REASONS]],
        "primary": _clean(request.POST.get("primary", ""), 64),
        "elsewhere": _clean(request.POST.get("elsewhere", ""), 3),
        "words": _clean(request.POST.get("words", ""), LONGEST_TEXT),
        "went_well": _clean(request.POST.get("went_well", ""), LONGEST_TEXT),
    }
    return said if any(said.values()) else {}


def _clean(text: str, longest: int) -> str:
    """Return a text as it can be stored: not too long, and without the one character that PostgreSQL refuses."""
    return text.replace("\x00", "")[:longest].strip()


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
    actor, now = actions.Actor.customer(at.customer_id), timezone.now()
    if live is None:
        taken_back = actions.take_back(contract=at.contract, actor=actor, at=now)
        return HttpResponseRedirect(urls_of(at.contract)["contract"] + ("?undone=1" if taken_back else ""))
    try:
        actions.revoke(cancellation_id=live.pk, actor=actor, at=now)
    except actions.CannotRevoke:
        return render(request, "cancellation/contract.html", pages.contract(at.contract, too_late=True), status=409)
    return HttpResponseRedirect(urls_of(at.contract)["contract"] + "?undone=1")
