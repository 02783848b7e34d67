"""Options beside leaving: the step that shows them once, the page that always does, and what was agreed.

Not on the notice path. Whatever fails here, the way out stays open: the step leads on, the page says that it is empty.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cancellation import actions, offer_actions, offer_queries, offer_words, offering, pages, queries
from cancellation.models import RUNNING_STATES, Acceptance, AcceptanceState, Offer, OfferKind, OfferPlace
from cancellation.offer_effects import BY_STAFF
from cancellation.offer_queries import Agreement
from cancellation.offer_rules import Cause
from cancellation.offering import Option, Sealed, Shown
from cancellation.option_form import AskedForm
from cancellation.quotes import Quote
from cancellation.steps import Walk, after, remember_visit, urls_of
from cancellation.views import before_the_act, walked
from config.formats import format_day
from subscriptions.amounts import Money
from subscriptions.formats import format_money
from subscriptions.models import Contract

# What an option was sent with before its page was shown again: its code, and the form with what is wrong.
Bound = tuple[str, AskedForm] | None

log = logging.getLogger(__name__)


def _beside() -> Mapping[str, Any]:
    """Return what the options step needs with its contract; nothing where that fails, so that the page still opens."""
    try:
        return offering.BESIDE()
    except Exception:
        log.exception("What options need could not be asked for.")
        return {}


def _options(request: HttpRequest, at: Walk, quote: Quote) -> HttpResponse:
    """Show the options that answer what was said, once a visit; go on where there is nothing to show."""
    shown = _for_visit(at, timezone.now())
    if shown is None or not shown.options:
        return HttpResponseRedirect(_onward(at))
    actions.note_visit(key=at.visit, contract=at.contract, step="options", at=timezone.now())
    return render(request, "cancellation/options.html", pages.step("options", at, quote) | _with(shown.options))


options = require_safe(before_the_act(_options, _beside))


def _onward(at: Walk) -> str:
    """Return what comes after the options; the overview where no options may stand."""
    name = after("options", at.steps) if "options" in at.steps else "overview"
    return urls_of(at.contract)[name or "overview"]


def _for_visit(at: Walk, now: datetime) -> Shown | None:
    """Return what is shown in this visit; None where nothing may be, after a no, and after any failure."""
    if "options" not in at.steps:
        return None
    try:
        shown = offering.for_visit(at, now)
    except Exception:
        log.exception("The options of contract %s could not be shown.", at.contract.pk)
        return None
    return None if shown.declined else shown


def _for_page(contract: Contract, now: datetime) -> Shown | None:
    """Return what is open without leaving; None after any failure."""
    try:
        return offering.for_page(contract, now, get_language() or "en")
    except Exception:
        log.exception("The options of contract %s could not be shown.", contract.pk)
        return None


def _with(shown: Iterable[Option], bound: Bound = None) -> dict[str, Any]:
    """Return options as a page lists them, each with its form; the one that was sent keeps what was typed."""
    code, sent = bound or ("", None)
    rows = [(option, sent if sent and option.code == code else AskedForm(option.asks)) for option in shown]
    wrong = [
        (f"{option.code}-{field}", str(error))
        for option, form in rows
        for field, errors in form.errors.items()
        for error in errors
    ]
    return {"options": rows, "wrong": wrong}


@require_http_methods(["GET", "HEAD", "POST"])
@walked
def decline(request: HttpRequest, at: Walk) -> HttpResponse:
    """Take the no to all options, and go on. None of them comes back in this visit; a failure keeps nobody."""
    if request.method == "POST":
        try:
            actor = actions.Actor.customer(at.customer_id)
            offer_actions.decline(visit=at.visit, contract=at.contract, actor=actor, at=timezone.now())
        except Exception:
            log.exception("A no to the options of contract %s could not be kept.", at.contract.pk)
    return remember_visit(HttpResponseRedirect(_onward(at)), at)


# ---------------------------------------------------------------- open without leaving


@require_safe
@walked
def options_page(request: HttpRequest, at: Walk) -> HttpResponse:
    """Show every option that is open to a contract, without leaving."""
    return _page(request, at)


def _page(request: HttpRequest, at: Walk, *, refused: str = "", bound: Bound = None, status: int = 200) -> HttpResponse:
    context = pages.contract(at.contract, refused=refused, agreements=_agreements_of(at.contract), options=[])
    if context["state"] == "running" and not context["standing_at"]:
        shown = _for_page(at.contract, timezone.now())
        context |= _with(shown.options if shown else (), bound) | {"fault": shown is None or shown.fault}
    return render(request, "cancellation/options_page.html", context, status=status)


def _agreements_of(contract: Contract) -> list[Agreement]:
    """Return what has been agreed and still runs; nothing after any failure. TermsError for terms that are none."""
    today = queries.local_day(contract, timezone.now())
    try:
        return offer_queries.agreements_of(contract, today)
    except Exception:
        log.exception("What was agreed for contract %s could not be read.", contract.pk)
        return []


# ---------------------------------------------------------------- the yes


def _accept(request: HttpRequest, at: Walk) -> HttpResponse:
    """Agree to one option, on the terms that were shown. A second click finds the first agreement."""
    if request.method != "POST":
        return HttpResponseRedirect(urls_of(at.contract)["options_page"])
    sealed = offering.unsealed(request.POST.get("option", ""), at.contract)
    if sealed is None:
        words = _("This option could not be read any more. The page may have been open for long.")
        return _page(request, at, refused=words, status=400)
    form = AskedForm(_asks_of(sealed), request.POST)
    if not form.is_valid():
        return _again(request, at, sealed, bound=(sealed.code, form), status=422)
    in_flow = sealed.place == OfferPlace.FLOW
    try:
        agreed = offer_actions.accept(
            contract=at.contract,
            sealed=sealed,
            asked=form.asked(),
            actor=actions.Actor.customer(at.customer_id),
            at=timezone.now(),
            locale=get_language() or "en",
            visit=_visit_of(sealed, at) if in_flow else None,
        )
    except offer_actions.EndsAlready:
        words = _("This contract is ending already, so this could not be agreed. Undo the cancellation first.")
        return _page(request, at, refused=words, status=409)
    except offer_actions.NotOpen as closed:
        return _again(request, at, sealed, refused=refusal(closed.cause), status=409)
    return HttpResponseRedirect(agreed_url(at.contract, agreed))


accept = require_http_methods(["GET", "HEAD", "POST"])(walked(_accept, _beside))


def _visit_of(sealed: Sealed, at: Walk) -> UUID:
    """Return the visit in which an option was shown: its cookie may be gone between page and click."""
    try:
        return UUID(sealed.decision_key.removeprefix("visit:"))
    except ValueError:
        return at.visit


def _asks_of(sealed: Sealed) -> str:
    """Return what an option asks beside the yes; nothing where it is gone, which its acceptance says."""
    kind = Offer.objects.filter(code=sealed.code).values_list("kind", flat=True).first()
    return offer_words.ASKS.get(OfferKind(kind), "") if kind in OfferKind.values else ""


def _again(
    request: HttpRequest, at: Walk, sealed: Sealed, *, refused: str = "", bound: Bound = None, status: int
) -> HttpResponse:
    """Show the page of an option again: the step inside the guided way, else the page that is always open."""
    if sealed.place != OfferPlace.FLOW:
        return _page(request, at, refused=refused, bound=bound, status=status)
    shown = _for_visit(at, timezone.now())
    quote = pages.quote_now(at.contract, timezone.now(), at.wish)
    if at.contract.live_id or shown is None or quote is None:  # type: ignore[attr-defined]
        return _page(request, at, refused=refused, bound=bound, status=status)
    left = [option for option in shown.options if not refused or option.code != sealed.code]
    context = pages.step("options", at, quote) | _with(left, bound) | {"refused": refused}
    return remember_visit(render(request, "cancellation/options.html", context, status=status), at)


def refusal(cause: Cause) -> str:
    """Return why an option is not open any more, kindly."""
    told = {
        Cause.BUDGET: _("This option has been taken as often as it can be."),
        Cause.CAP: _("You have had this option as often as it can be had within a year."),
        Cause.TOO_SOON: _("You agreed to an option not long ago, so this one is not open yet."),
        Cause.ALREADY_RUNNING: _("Another price runs for you at the moment, so this one cannot begin beside it."),
        Cause.NO_PLAN: _("The plan of this option is not on sale any more."),
        Cause.NO_LONGER: _("This option was open for a time, and that time is over."),
        Cause.NOT_CHEAPER: _("Prices have changed: this option would not save you anything now."),
    }
    return told.get(cause, _("This option is not open any more."))


# ---------------------------------------------------------------- what was agreed


def agreed_url(contract: Contract, agreement: Acceptance) -> str:
    """Return the address of what was agreed."""
    return reverse("cancellation:agreed", args=[contract.reference, agreement.reference])


def _agreement(at: Walk, reference: str) -> Acceptance:
    if not reference.isprintable():
        raise Http404
    found = Acceptance.objects.filter(contract=at.contract, reference=reference).first()
    if found is None:
        raise Http404
    return found


@require_safe
def agreed(request: HttpRequest, ref: str, reference: str) -> HttpResponse:
    """Show what was agreed: from when, until when, the money before and after, and what happens afterwards."""
    return walked(lambda _request, at: _agreed(request, at, _agreement(at, reference)))(request, ref)


def _agreed(
    request: HttpRequest, at: Walk, agreement: Acceptance, *, refused: str = "", status: int = 200
) -> HttpResponse:
    contract, today = at.contract, queries.local_day(at.contract, timezone.now())
    is_running = agreement.state in RUNNING_STATES
    context = pages.after_the_act(contract) | {
        "agreement": agreement,
        "facts": facts_of(agreement),
        "is_running": is_running,
        "is_leavable": contract.live_id is None,  # type: ignore[attr-defined]
        "is_by_staff": agreement.kind in BY_STAFF,
        "can_take_back": _may_take_back(agreement, contract, today),
        "take_back_url": reverse("cancellation:take-back", args=[contract.reference, agreement.reference]),
        "refused": refused,
    }
    return render(request, "cancellation/agreed.html", context, status=status)


def _may_take_back(agreement: Acceptance, contract: Contract, today: date) -> bool:
    """Tell whether to show the holder the button; ``revert`` decides, and says why not."""
    if agreement.kind in BY_STAFF:
        return agreement.state == AcceptanceState.ACCEPTED
    is_ending = contract.live_id is not None  # type: ignore[attr-defined]
    return agreement.state in RUNNING_STATES and not is_ending and today < agreement.starts_on


def facts_of(agreement: Acceptance) -> list[tuple[str, str]]:
    """Return the days and the money of an agreement, each with its label."""
    terms: dict[str, Any] = agreement.terms
    told = [] if agreement.kind in BY_STAFF else [(_("From"), format_day(agreement.starts_on))]
    if agreement.until:
        told.append((_("Until"), format_day(agreement.until)))
    if terms.get("to_plan_name"):
        told.append((_("Plan"), str(terms["to_plan_name"])))

    def money(name: str) -> str:
        minor = terms.get(name)
        return format_money(Money(int(minor), agreement.currency)) if minor is not None else ""

    prices = [(_("Price before"), money("price_before_minor"))]
    if agreement.until:
        prices += [(_("Price meanwhile"), money("price_minor")), (_("Price afterwards"), money("price_after_minor"))]
    else:
        prices += [(_("Price from then on"), money("price_minor"))]
    told += [(label, value) for label, value in prices if value]
    if terms.get("price_minor") is None:
        told.append((_("What it costs"), _("nothing")))
    asked: dict[str, Any] = agreement.asked
    labels = {
        "when": _("Days and times that suit you"),
        "words": _("What you wrote"),
        "person_name": _("Name of the other person"),
        "person_email": _("E-mail address of the other person"),
    }
    return told + [(label, str(asked[name])) for name, label in labels.items() if asked.get(name)]


@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: HttpRequest, ref: str, reference: str) -> HttpResponse:
    """Take an agreement back while it has not begun; a second click finds it taken back."""
    return walked(lambda _request, at: _taken_back(request, at, _agreement(at, reference)))(request, ref)


def _taken_back(request: HttpRequest, at: Walk, agreement: Acceptance) -> HttpResponse:
    if request.method == "POST" and agreement.state in RUNNING_STATES:
        actor = actions.Actor.customer(at.customer_id)
        try:
            offer_actions.revert(
                acceptance_id=agreement.pk, actor=actor, at=timezone.now(), why="the holder took it back"
            )
        except offer_actions.CannotRevert as kept:
            return _agreed(request, at, agreement, refused=str(kept), status=409)
    return HttpResponseRedirect(agreed_url(at.contract, agreement))
