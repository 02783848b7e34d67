"""What customers see of themselves: contracts, payments, letters, their data as a file, and its deletion.

Not part of the notice path. Where several contracts are ended at once, each takes that path by itself.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cancellation import account_data, actions, calendars, deletions, lawful, pages, papers, queries
from cancellation.commit import declaration_of
from cancellation.models import DeletionRequest, Notice
from cancellation.quotes import Quote
from cancellation.steps import NotSignedIn, sealed, unsealed, urls_of, walk
from messaging.models import Letter
from subscriptions.models import Contract, Customer, Payment
from subscriptions.signin import let_in, signed_in, to_sign_in
from subscriptions.terms import TermsError

View = Callable[..., HttpResponse]

log = logging.getLogger(__name__)


def of_customer(view: Callable[..., HttpResponse]) -> View:
    """Give a view the customer who is signed in; else lead to the sign-in."""

    @functools.wraps(view)
    def inner(request: HttpRequest, **given: Any) -> HttpResponse:
        who = signed_in(request)
        customer = queries.customer_of(*who) if who else None
        return view(request, customer, **given) if customer else to_sign_in(request)

    return inner


def of_contract(view: Callable[..., HttpResponse]) -> View:
    """Give a view a contract of whoever is signed in, whether its terms can be read or not; else 404."""

    @functools.wraps(view)
    def inner(request: HttpRequest, ref: str) -> HttpResponse:
        try:
            return view(request, walk(request, ref).contract)
        except NotSignedIn as stranger:
            return stranger.response

    return inner


# ---------------------------------------------------------------- contracts, payments, letters


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """List the contracts of whoever is signed in, with one statement."""
    who = signed_in(request)
    if who is None:
        return to_sign_in(request)
    asked = DeletionRequest.objects.filter(deletions.PENDING, customer=OuterRef("customer")).values("asked_at")[:1]
    contracts = list(queries.contracts_of(*who).annotate(deletion_asked_at=Subquery(asked)))
    customer = contracts[0].customer if contracts else queries.customer_of(*who)
    if customer is None:
        return to_sign_in(request)
    now = timezone.now()
    context = {
        "rows": [pages.account_row(contract, now) | {"urls": urls_of(contract)} for contract in contracts],
        "customer": customer,
        "deletion_asked_at": next((row.deletion_asked_at for row in contracts), None),
    }
    return render(request, "account.html", context)


@require_safe
@of_contract
def deadline(request: HttpRequest, contract: Contract) -> HttpResponse:
    """Serve the next deadline of a contract as a calendar file. 404 where there is none, or nobody can say."""
    now = timezone.now()
    try:
        is_ending = bool(contract.live_id)  # type: ignore[attr-defined]
        ahead = None if is_ending else pages.next_deadline(pages.quote_now(contract, now))
    except TermsError:
        ahead = None
    if ahead is None:
        raise Http404
    text = calendars.deadline(contract, day=ahead.day, ends=ahead.ends, else_ends=ahead.else_ends, at=now)
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="deadline.ics"'
    return response


@require_safe
@of_contract
def payments(request: HttpRequest, contract: Contract) -> HttpResponse:
    """List every payment of a contract."""
    rows = Payment.objects.filter(contract=contract).order_by("-paid_to", "-pk")
    return render(request, "account/payments.html", _of(contract) | {"payments": rows})


@require_safe
@of_contract
def letters(request: HttpRequest, contract: Contract) -> HttpResponse:
    """List every letter and receipt of a contract."""
    context = {
        "letters": papers.letters_of(contract.customer_id).filter(contract=contract),
        "receipts": papers.receipts_of(contract),
    }
    return render(request, "account/letters.html", _of(contract) | context)


@require_safe
@of_customer
def all_letters(request: HttpRequest, customer: Customer) -> HttpResponse:
    """List every letter to a customer, also those about no contract."""
    context = {"customer": customer, "letters": papers.letters_of(customer.pk), "receipts": ()}
    return render(request, "account/letters.html", context)


@require_safe
@of_customer
def letter(request: HttpRequest, customer: Customer, number: int) -> HttpResponse:
    """Show one letter as it was sent; 404 unless it was written to this customer."""
    found = Letter.objects.select_related("contract__plan").filter(pk=number, customer=customer).first()
    if found is None:
        raise Http404
    context = {"customer": customer, "letter": found, "text": papers.text_of(found)}
    return render(request, "account/letter.html", context)


def _of(contract: Contract) -> dict[str, Any]:
    return {"contract": contract, "customer": contract.customer, "urls": urls_of(contract)}


# ---------------------------------------------------------------- data as a file


@require_http_methods(["GET", "HEAD", "POST"])
@of_customer
def data(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Say what is kept, and hand it over as one file."""
    if request.method != "POST":
        return render(request, "account/data.html", {"customer": customer})
    now = timezone.now()
    response = HttpResponse(account_data.as_file(customer.pk, now), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="my-data-{timezone.localdate(now)}.json"'
    return response


# ---------------------------------------------------------------- deletion


@dataclass(frozen=True, slots=True)
class Ending:
    """A contract on the page of the deletion: where it stands, and what ending it now would mean."""

    contract: Contract
    state: str
    quote: Quote | None
    sealed: str
    urls: dict[str, str]
    # What the last attempt came to, where it did not end the contract.
    changed: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
@of_customer
def deletion(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show the contracts, each with its way out, and what a deletion means; take the request."""
    if request.method != "POST":
        return _deletion_page(request, customer, ended="ended" in request.GET, taken_back="kept" in request.GET)
    actor = actions.Actor.customer(customer.pk)
    deletions.ask(customer=customer, actor=actor, at=timezone.now(), locale=get_language() or "en")
    customer.refresh_from_db(fields=["sign_in_epoch"])
    # Every sign-in is over, but for this one: the request can be taken back, and contracts go on.
    return let_in(HttpResponseRedirect(reverse("cancellation:deletion-asked")), customer)


@require_POST
@of_customer
def end_chosen(request: HttpRequest, customer: Customer) -> HttpResponse:
    """End the contracts that were ticked, each by a notice of its own with its own receipt."""
    chosen = set(request.POST.getlist("end"))
    contracts = list(queries.contracts_to_end(customer.pk, customer.sign_in_epoch))
    running = [row for row in contracts if row.reference in chosen and not row.live_id]  # type: ignore[attr-defined]
    if not chosen:
        return _deletion_page(request, customer, nothing_chosen=True, status=422)
    actor, now = actions.Actor.customer(customer.pk), timezone.now()
    changed = {
        contract.pk
        for contract in running
        if not _end(contract, unsealed(request.POST.get(f"quote-{contract.pk}", ""), contract), actor, now)
    }
    if changed:
        return _deletion_page(request, customer, changed=changed, chosen=chosen, status=409)
    is_theirs = any(row.reference in chosen for row in contracts)
    return HttpResponseRedirect(reverse("cancellation:deletion") + ("?ended=1" if is_theirs else ""))


def _end(contract: Contract, shown: Quote | None, actor: actions.Actor, now: datetime) -> bool:
    """End one contract by the notice path; return False where its holder has to look again, for it got worse.

    The notice is recorded first, whatever follows. A second click finds it, and the end that it brought about.
    """
    over = contract.revoked + contract.taken_back  # type: ignore[attr-defined]
    standing: int | None = contract.standing_id  # type: ignore[attr-defined]
    notice = (
        Notice.objects.get(pk=standing)
        if standing
        else actions.receive_notice(
            contract=contract,
            shown=shown,
            received_at=now,
            actor=actor,
            key=f"account:{contract.pk}:{over}",
            locale=get_language() or "en",
            declaration=declaration_of(contract),
            door=actions.Door(pack=lawful.pack_code(contract), button=_("End the chosen contracts")),
        )
    )
    try:
        actions.confirm(notice=notice, shown=shown, actor=actor)
    except actions.QuoteChanged as changed:
        actions.hold(notice=notice, quote=changed.quote)
        return False
    except actions.NothingToEnd:
        actions.close(notice=notice, actor=actions.SYSTEM, why=actions.ENDED_BY_ITSELF)
    except actions.Unreadable:
        actions.ask_the_desk(notice=notice)
    except actions.AlreadyUndone:
        return False
    except Exception:
        # The notice stands, and a worker takes it up in two minutes: the others that were ticked must not wait for it.
        log.exception("The end of contract %s could not be scheduled at once.", contract.pk)
    return True


@require_safe
@of_customer
def deletion_asked(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Confirm a request for deletion: what was deleted, what is kept until when, and how to take it back."""
    asked = deletions.pending_of(customer.pk)
    if asked is None:
        return HttpResponseRedirect(reverse("cancellation:deletion"))
    now = timezone.now()
    kept = deletions.kept(list(queries.contracts_of(customer.pk, customer.sign_in_epoch)), now)
    context = {"customer": customer, "asked": asked, **_kept(customer, kept, now)}
    return render(request, "account/deletion_asked.html", context)


@require_POST
@of_customer
def take_back(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Take a request for deletion back; a second click changes nothing."""
    deletions.take_back(customer_id=customer.pk, actor=actions.Actor.customer(customer.pk), at=timezone.now())
    return HttpResponseRedirect(reverse("cancellation:deletion") + "?kept=1")


def _deletion_page(
    request: HttpRequest,
    customer: Customer,
    *,
    changed: set[int] = frozenset(),  # type: ignore[assignment]
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    now = timezone.now()
    contracts = list(queries.contracts_to_end(customer.pk, customer.sign_in_epoch))
    endings = [_ending(contract, now, contract.pk in changed) for contract in contracts]
    context = {
        "customer": customer,
        "endings": endings,
        "can_end": any(row.state in {"running", "unreadable"} for row in endings),
        "asked": deletions.pending_of(customer.pk),
        **_kept(customer, deletions.kept(contracts, now), now),
        **more,
    }
    return render(request, "account/deletion.html", context, status=status)


def _kept(customer: Customer, kept: list[deletions.Kept], now: datetime) -> dict[str, Any]:
    """Return what has to be kept of each contract, and the day on which all goes if it is known."""
    day = deletions.erase_day(customer.pk, kept)
    return {"kept": kept, "erase_on": max(day, timezone.localdate(now)) if day else None}


def _ending(contract: Contract, now: datetime, changed: bool) -> Ending:
    """Return one contract as the page lists it. One that cannot be read can be left all the same."""
    state, quote = "unreadable", None
    if contract.live_id:  # type: ignore[attr-defined]
        try:
            state = str(pages.state_on_account(contract, now)["state"])
        except TermsError:
            state = "ending"
    else:
        try:
            quote = pages.quote_now(contract, now)
            state = "running" if quote else "ended"
        except TermsError:
            pass
    if contract.standing_id and state in {"running", "unreadable"}:  # type: ignore[attr-defined]
        state = "standing"
    return Ending(contract, state, quote, sealed(quote, contract) if quote else "", urls_of(contract), changed)
