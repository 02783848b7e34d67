"""What customers choose about being written to, and a cancellation that is finished later.

No part of the notice path.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from cancellation import actions, guidance, halfway, pages, queries
from cancellation.commit import said_in
from cancellation.models import Visit, VisitOutcome
from cancellation.quotes import Quote
from cancellation.steps import NotSignedIn, Walk, remember_visit, urls_of, visit_of, walk
from messaging import suppression
from subscriptions import choices as words
from subscriptions import places
from subscriptions.models import Consent, ConsentTopic, Contract, Customer
from subscriptions.signin import safe_path, signed_in, to_sign_in
from subscriptions.terms import TermsError

# What everybody is asked about; ``OPTIONS`` only where the rules of a place want permission.
TOPICS = (ConsentTopic.HALFWAY, ConsentTopic.NEWS)

log = logging.getLogger(__name__)


# ---------------------------------------------------------------- choices


@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """Show what a customer has chosen about being written to, and keep what they choose."""
    who = signed_in(request)
    customer = queries.customer_of(*who) if who else None
    if customer is None:
        return to_sign_in(request, before_the_act=reverse("cancellation:choices"))
    if request.method != "POST":
        return _choices_page(request, customer)
    if "contact" in request.POST:
        return _contact(request, customer)
    # Only what the page showed is an answer: a box that was not there was not left empty.
    shown = [topic for topic in _offered(customer) if topic in request.POST.getlist("shown")]
    if not shown:
        return _choices_page(request, customer, status=422)
    _keep(request, customer, shown)
    return HttpResponseRedirect(f"{reverse('cancellation:choices')}?saved=1")


def _keep(request: HttpRequest, customer: Customer, shown: Iterable[ConsentTopic]) -> None:
    ticked = request.POST.getlist("yes")
    for topic in shown:
        words.choose(
            customer=customer,
            topic=topic,
            given=topic in ticked,
            wording=words.wording(topic),
            locale=get_language() or "en",
            actor=actions.Actor.customer(customer.pk).name,
            at=timezone.now(),
        )


def _contact(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Keep that somebody wants no further contact, or that they allow it again; what is neither changes nothing."""
    write = {"no": suppression.suppress, "yes": suppression.lift}.get(request.POST["contact"])
    if write is None:
        return _choices_page(request, customer, status=422)
    actor = actions.Actor.customer(customer.pk).name
    write(customer=customer, actor=actor, at=timezone.now(), locale=get_language() or "en")
    back = safe_path(request.POST.get("next", ""))
    return HttpResponseRedirect(back or f"{reverse('cancellation:choices')}?saved=1")


def _choices_page(request: HttpRequest, customer: Customer, status: int = 200) -> HttpResponse:
    said, since = words.standing(customer), suppression.since(customer)
    context = {
        "customer": customer,
        "rows": [_row(topic, said.get(topic)) for topic in _offered(customer, said)],
        "suppressed_since": timezone.localdate(since) if since else None,
        "saved": "saved" in request.GET,
        "refused": status != 200,
    }
    return render(request, "account/choices.html", context, status=status)


def _row(topic: ConsentTopic, said: Consent | None) -> dict[str, Any]:
    return {
        "topic": str(topic),
        "wording": words.wording(topic),
        "given": said.given if said else words.UNSAID[topic],
        "since": timezone.localdate(said.at) if said else None,
    }


def _offered(customer: Customer, said: dict[str, Consent] | None = None) -> list[ConsentTopic]:
    """Return what a customer is asked about. Who once gave a permission can always take it back."""
    known = words.standing(customer) if said is None else said
    given = known.get(ConsentTopic.OPTIONS)
    contracts = queries.contracts_of(customer.pk, customer.sign_in_epoch)
    asked = (given is not None and given.given) or any(_asks_permission(contract) for contract in contracts)
    return [*TOPICS, ConsentTopic.OPTIONS] if asked else [*TOPICS]


def _asks_permission(contract: Contract) -> bool:
    """Tell whether the rules of a contract's place allow options in the way of leaving with permission alone."""
    try:
        on = queries.local_day(contract, timezone.now())
        if (last_day := contract.live_last_day) and last_day < on:  # type: ignore[attr-defined]
            return False
        return guidance.asks_permission(places.pack_of(contract), on, places.sector_of(contract))
    except Exception:
        log.exception("Whether contract %s needs a permission could not be told.", contract.pk)
        return False


# ---------------------------------------------------------------- finish later


@require_http_methods(["GET", "HEAD", "POST"])
def later(request: HttpRequest, ref: str) -> HttpResponse:
    """Keep what was typed, send the link once, and say that nothing has happened and by when to finish."""
    try:
        at = walk(request, ref, beside=_beside(request))
    except NotSignedIn as stranger:
        return stranger.response
    if at.contract.live_id:  # type: ignore[attr-defined]
        return HttpResponseRedirect(urls_of(at.contract)["done"])
    try:
        quote = pages.quote_now(at.contract, timezone.now())
    except TermsError:
        return render(request, "cancellation/unreadable.html", pages.unreadable(at.contract))
    if quote is None or pages.standing_at(at.contract):
        # Nothing is left to end, or a notice stands already: the contract's page says which.
        return HttpResponseRedirect(urls_of(at.contract)["contract"])
    if request.method != "POST":
        return remember_visit(render(request, "cancellation/later.html", _later_page(at, quote)), at)
    _put_off(request, at, quote)
    return remember_visit(HttpResponseRedirect(reverse("cancellation:later", args=[at.contract.reference])), at)


def _beside(request: HttpRequest) -> dict[str, Any]:
    """Return what the page needs to know of the visit, and the payments, read with the statement for the contract."""
    visit = Visit.objects.filter(key=visit_of(request), contract=OuterRef("pk")).order_by()
    return {
        "visit_step": Subquery(visit.values("step")[:1]),
        "visit_reminded_at": Subquery(visit.values("reminded_at")[:1]),
        "payments_beside": queries.payments_beside(),
    }


def _put_off(request: HttpRequest, at: Walk, quote: Quote) -> None:
    now = timezone.now()
    step = getattr(at.contract, "visit_step", None) or "overview"
    actions.keep_said(key=at.visit, contract=at.contract, step=step, said=said_in(request, at), at=now)
    halfway.put_off(contract=at.contract, visit=at.visit, quote=quote, locale=get_language() or "en", at=now)


def _later_page(at: Walk, quote: Quote) -> dict[str, Any]:
    """Return the page that says that nothing has happened, by when to finish, and how to come back."""
    contract, prospect = at.contract, halfway.Prospect.of(quote, at.contract)
    sent_at: datetime | None = getattr(contract, "visit_reminded_at", None)
    return {
        "contract": contract,
        "customer": contract.customer,
        "urls": urls_of(contract),
        "prospect": prospect,
        "go_on_url": halfway.go_on_url(contract, at.visit),
        "go_on_link": settings.BASE_URL + halfway.go_on_url(contract, at.visit),
        "deadline_url": halfway.deadline_url(contract, prospect),
        "sent_on": queries.local_day(contract, sent_at) if sent_at else None,
    }


@require_safe
def go_on(request: HttpRequest, ref: str, token: str) -> HttpResponse:
    """Lead back to the step where a visit was left, with what was ticked there, on whatever device this is."""
    try:
        at = walk(request, ref)
    except NotSignedIn as stranger:
        return stranger.response
    urls, visit = urls_of(at.contract), halfway.visit_in(token)
    row = Visit.objects.filter(key=visit, contract=at.contract).first() if visit else None
    if row is None:
        # A link that was cut short, or a walk that is not kept any more: the way begins anew.
        return HttpResponseRedirect(urls["overview"])
    if row.outcome == VisitOutcome.KEPT:
        return HttpResponseRedirect(urls["contract"])
    return remember_visit(HttpResponseRedirect(_url_of_step(row.step, at.contract)), replace(at, visit=row.key))


def _url_of_step(step: str, contract: Contract) -> str:
    """Return the address of a step, or of the first one where a step is not known here any more."""
    known = step if step in ("overview", *halfway.BEYOND_THE_OVERVIEW) else "overview"
    return reverse(f"cancellation:{known}", args=[contract.reference])
