"""The pages of a contract and of the guided way. The act itself stands in ``commit``."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cancellation import actions, calendars, offer_queries, pages, papers, queries, way_cards
from cancellation.forms import ReasonsForm, WayForm
from cancellation.quotes import Quote
from cancellation.steps import NotSignedIn, Walk, after, asks_why_afterwards, remember_visit, urls_of, walk
from feedback.queries import offered_reasons
from outbox.queries import payload_of
from subscriptions.models import Contract
from subscriptions.terms import TermsError

View = Callable[..., HttpResponse]

log = logging.getLogger(__name__)


def walked(
    view: Callable[[HttpRequest, Walk], HttpResponse], beside: Callable[[], Mapping[str, Any]] | None = None
) -> View:
    """Give a view the contract of its reference, if it is the visitor's; else the sign-in, or 404.

    ``beside`` returns further annotations of the contract that the page needs.
    """

    @functools.wraps(view)
    def inner(request: HttpRequest, ref: str) -> HttpResponse:
        try:
            at = _walk(request, ref, beside)
        except NotSignedIn as stranger:
            return stranger.response
        try:
            return view(request, at)
        except TermsError:
            return render(request, "cancellation/unreadable.html", pages.unreadable(at.contract))

    return inner


def _walk(request: HttpRequest, ref: str, beside: Callable[[], Mapping[str, Any]] | None) -> Walk:
    """Return whose contract this is, with what stands beside it, or without where that cannot be read."""
    if beside is None:
        return walk(request, ref)
    try:
        return walk(request, ref, beside())
    except DatabaseError:
        log.exception("What stands beside contract %s could not be read.", ref)
        return walk(request, ref)


def before_the_act(
    view: Callable[[HttpRequest, Walk, Quote], HttpResponse], beside: Callable[[], Mapping[str, Any]] | None = None
) -> View:
    """Give a step its quote. A contract that is ending shows how, one that has ended says so."""

    @functools.wraps(view)
    def inner(request: HttpRequest, at: Walk) -> HttpResponse:
        if at.contract.live_id:  # type: ignore[attr-defined]
            return HttpResponseRedirect(urls_of(at.contract)["done"])
        at = _picked(request, at)
        quote = pages.quote_now(at.contract, timezone.now(), at.wish)
        if quote is None:
            return HttpResponseRedirect(urls_of(at.contract)["contract"])
        return remember_visit(view(request, at, quote), at)

    return walked(inner, beside)


def _picked(request: HttpRequest, at: Walk) -> Walk:
    """Return the walk with the way out that the address chooses, or with what is wrong about the choice."""
    if "way" not in request.GET:
        return at
    form = WayForm(request.GET)
    if form.is_valid():
        return replace(at, picked=form.wish())
    return replace(at, way_errors=tuple(str(error) for errors in form.errors.values() for error in errors))


@require_safe
@walked
def contract(request: HttpRequest, at: Walk) -> HttpResponse:
    """Show one contract in plain words, with "Cancel contract" or, where it is ending, the undo."""
    context = pages.contract(at.contract, undone="undone" in request.GET) | papers.of_contract(at.contract)
    return render(request, "cancellation/contract.html", context | _beside_leaving(at.contract, context))


def _beside_leaving(contract: Contract, context: dict[str, Any]) -> dict[str, Any]:
    """Return what has been agreed for a contract, and whether to lead to its options. A failure hides both."""
    try:
        today = queries.local_day(contract, timezone.now())
        is_running = context["state"] == "running" and not context["standing_at"]
        return {
            "agreements": offer_queries.agreements_of(contract, today),
            "has_options": is_running and offer_queries.are_any_open(today),
        }
    except Exception:
        log.exception("What was agreed for contract %s could not be read.", contract.pk)
        return {}


@require_safe
@before_the_act
def overview(request: HttpRequest, at: Walk, quote: Quote) -> HttpResponse:
    """Show the whole quote: what leaving today means, and the other ways out."""
    now = timezone.now()
    chosen = at.picked.as_dict() if at.picked else None
    actions.note_visit(key=at.visit, contract=at.contract, step="overview", at=now, chosen=chosen)
    context = pages.step("overview", at, quote) | _ways(at, quote, now)
    return render(request, "cancellation/overview.html", context, status=422 if at.way_errors else 200)


def _ways(at: Walk, quote: Quote, now: datetime) -> dict[str, Any]:
    """Return every way out with what it means, and the one that would be better than the one on the page.

    Should any of them fail, the one on the page stays open: nothing beside it may block leaving.
    """
    try:
        found = way_cards.cards(at, now)
    except Exception:
        log.exception("The ways out of contract %s could not be listed.", at.contract.pk)
        found = []
    better = way_cards.better(found)
    return {
        "ways": found,
        "better": better if better and better.way != at.wish.way else None,
        "way_note": way_cards.note(at, quote),
        "way_errors": at.way_errors,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@before_the_act
def reasons(request: HttpRequest, at: Walk, quote: Quote) -> HttpResponse:
    """Ask why, optionally. What was ticked or typed is kept for the visit."""
    if "reasons" not in at.steps:
        return HttpResponseRedirect(urls_of(at.contract)["overview"])
    form = ReasonsForm(request.POST) if request.method == "POST" else ReasonsForm(initial=at.said)
    if request.method == "POST" and form.is_valid():
        actions.keep_said(key=at.visit, contract=at.contract, step="reasons", said=form.said(), at=timezone.now())
        return HttpResponseRedirect(urls_of(at.contract)[_after_reasons(at, form.said())])
    actions.note_visit(key=at.visit, contract=at.contract, step="reasons", at=timezone.now())
    status = 422 if form.is_bound else 200
    context = pages.step("reasons", at, quote) | {
        "form": form,
        "skip_url": urls_of(at.contract)[_after_reasons(at, {})],
    }
    return render(request, "cancellation/reasons.html", context, status=status)


def _after_reasons(at: Walk, said: dict[str, Any]) -> str:
    """Return the step after the reasons: options answer a reason, so without one they are passed over."""
    following = after("reasons", at.steps)
    if following == "options" and not (said.get("reasons") or said.get("primary")):
        following = after("options", at.steps)
    return following or "confirm"


@require_safe
@before_the_act
def confirm(request: HttpRequest, at: Walk, quote: Quote) -> HttpResponse:
    """Show the whole quote once more, with one button."""
    actions.note_visit(key=at.visit, contract=at.contract, step="confirm", at=timezone.now())
    return render(request, "cancellation/confirm.html", pages.step("confirm", at, quote))


@require_safe
@walked
def done(request: HttpRequest, at: Walk) -> HttpResponse:
    """Show what was declared and what follows: the reference, the days, the money, the way back."""
    live = pages.live_of(at.contract)
    if live is None or live.notice is None:
        # Nothing was declared here: what there is to say stands on the contract's page.
        return HttpResponseRedirect(urls_of(at.contract)["contract"])
    said: dict[str, Any] = payload_of(actions.said_key(live.pk)).get("said", {})
    asks = not said and asks_why_afterwards(at.contract)
    context = pages.done(at, live) | {"note": _left_out(said), "asks_why": asks, "thanks": "said" in request.GET}
    return render(request, "cancellation/done.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@walked
def why(request: HttpRequest, at: Walk) -> HttpResponse:
    """Ask why after the act, where the reasons may not stand before it. What was said once stands."""
    live = pages.live_of(at.contract)
    if live is None or live.notice is None or not asks_why_afterwards(at.contract):
        return HttpResponseRedirect(urls_of(at.contract)["done" if live else "contract"])
    form = ReasonsForm(request.POST or None)
    if form.is_bound and form.is_valid():
        kept = actions.say_why(cancellation=live, said=form.said(), at=timezone.now())
        return HttpResponseRedirect(urls_of(at.contract)["done"] + ("?said=1" if kept else ""))
    if payload_of(actions.said_key(live.pk)):
        return HttpResponseRedirect(urls_of(at.contract)["done"])
    context = pages.after_the_act(at.contract) | {"form": form}
    return render(request, "cancellation/why.html", context, status=422 if form.is_bound else 200)


def _left_out(said: dict[str, Any]) -> str:
    """Return a note where a ticked reason is not one of ours; what is known was kept."""
    ticked = {*said.get("reasons", []), said.get("primary", "")} - {""}
    known = {reason.code for group in offered_reasons() for reason in group.reasons} if ticked else set()
    return (
        _("One of the reasons you ticked is no longer on our list and was left out.")
        if known and ticked - known
        else ""
    )


@require_safe
@walked
def calendar(request: HttpRequest, at: Walk) -> HttpResponse:
    """Serve the last day as a calendar file."""
    live = pages.live_of(at.contract)
    if live is None:
        raise Http404
    response = HttpResponse(calendars.last_day(at.contract, live), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="last-day.ics"'
    return response
