"""The public doors: cancel and withdraw, without sign-in, cookie or script, whatever else is broken.

A form that can be read is recorded before anything is looked up, and the answer leads to its receipt. Nothing here
acts with anybody's authority, so no stale token and no blocked cookie stands in the way: that is why the doors are
exempt from the check against forged requests. Part of the notice path.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from cancellation import declarations, uploads
from cancellation.declarations import Declaration, Received
from cancellation.door_forms import DoorForm, Shape, key_of, new_token, rows_of, shape_of
from cancellation.door_letters import received_at
from cancellation.models import Act, Evidence, Notice, NoticeState, Receipt, ReceiptKind
from cancellation.queries import contracts_of
from config.entries import Label, entries, label, may_withdraw
from subscriptions import places
from subscriptions.limits import Limit, client_address, seconds_to_wait
from subscriptions.models import Contract
from subscriptions.packs import Pack
from subscriptions.signin import signed_in

# More than a person or a household sends; above it a declaration is recorded all the same, but held back.
DECLARATIONS_PER_CONNECTION = "20/10m"
DECLARATIONS_PER_MAILBOX = "20/h"
UPLOADS_PER_CONNECTION = "20/10m"
FILES_SALT = "fairwell.door-files"
KEY_SALT = "fairwell.door-done"
MOST_CONTRACTS = 50

log = logging.getLogger(__name__)


class SeeOther(HttpResponseRedirect):
    """Lead on after a form was taken: reloading what follows sends nothing again."""

    status_code = 303


@dataclass(frozen=True, slots=True)
class Door:
    """One door on one day: whose rules, which act, which fields, and the addresses and labels that follow."""

    pack: Pack
    shape: Shape

    @property
    def is_withdrawal(self) -> bool:
        """Tell whether this is the door of the withdrawal."""
        return self.shape.act == Act.WITHDRAW

    @property
    def has_recap(self) -> bool:
        """Tell whether a page to check and change stands before the act."""
        return self.is_withdrawal or self.pack.get("flow_shape", timezone.localdate()) == "recap"

    @property
    def url(self) -> str:
        """Return where its form is sent: the pack is named, for a cookie may be gone by then."""
        return reverse("cancellation:withdrawal-door" if self.is_withdrawal else "cancellation:door", args=[self.code])

    @property
    def code(self) -> str:
        """Return the code of the pack."""
        return self.pack.code

    @property
    def needs_email(self) -> bool:
        """Tell whether an address is asked for, and nothing else does in its place."""
        return "email" in self.shape.needed and not self.shape.offered & {"phone", "address"}

    @property
    def confirm(self) -> Label:
        """Return what stands on the button that commits, byte for byte."""
        today = timezone.localdate()
        if self.is_withdrawal:
            return label(self.pack, "withdrawal_labels", today, "confirm")
        return label(self.pack, "confirm_label", today)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, pack: str = "") -> HttpResponse:
    """Take a cancellation, ordinary or for cause."""
    return _door(request, Act.CANCEL, pack)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, pack: str = "") -> HttpResponse:
    """Take a withdrawal, where a right to withdraw may exist."""
    return _door(request, Act.WITHDRAW, pack)


def _door(request: HttpRequest, act: Act, code: str) -> HttpResponse:
    own = [] if code else _own_contracts(request)
    pack = _pack(code, own)
    today = timezone.localdate()
    if act == Act.WITHDRAW and not may_withdraw(pack, today):
        raise Http404
    door = Door(pack, shape_of(pack, act, today))
    if request.method != "POST":
        return _form_page(request, door, DoorForm(door.shape, initial=_prefilled(own)), new_token(timezone.now()))
    # Bytes beyond what is kept pass by: neither memory nor a disk fills up before the words are read.
    request.upload_handlers = [uploads.KeepingHandler(request)]
    response = _taken(request, door)
    # A browser that may not keep the answer to a form shows an error for it when somebody goes back.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _pack(code: str, own: Sequence[Contract]) -> Pack:
    """Return the pack that the address names, else that of the visitor's own contract, else the home's."""
    if code:
        try:
            return places.packs()[code]
        except KeyError:
            raise Http404 from None
    theirs = {found.code: found for contract in own if (found := _pack_of(contract))}
    return next(iter(theirs.values())) if len(theirs) == 1 else places.home()


def _pack_of(contract: Contract) -> Pack | None:
    try:
        return places.pack_of(contract)
    except Exception:
        log.exception("No rules were found for contract %s.", contract.pk)
        return None


def _own_contracts(request: HttpRequest) -> list[Contract]:
    """Return the running contracts of whoever is signed in, or the one that the address names; the page never waits.

    A visitor who is not signed in costs no query, and a database that does not answer closes no door.
    """
    who = None if settings.MAINTENANCE else signed_in(request)
    if who is None:
        return []
    try:
        rows = [row for row in contracts_of(*who)[:MOST_CONTRACTS] if row.live_id is None]  # type: ignore[attr-defined]
    except Exception:
        log.exception("The contracts of a visitor could not be read.")
        return []
    return [row for row in rows if row.reference == request.GET.get("contract")] or rows


def _prefilled(own: Sequence[Contract]) -> dict[str, str]:
    """Return what is known of a visitor who is signed in; the reference only where one contract is meant."""
    if not own:
        return {}
    customer = own[0].customer
    known = {"name": customer.name, "email": customer.email}
    return known | ({"reference": own[0].reference} if len(own) == 1 else {})


# ---------------------------------------------------------------- the form that came


def _taken(request: HttpRequest, door: Door) -> HttpResponse:
    form = DoorForm(door.shape, request.POST)
    token = request.POST.get("token", "")[:64] or new_token(timezone.now())
    before = _files_before(request)
    fits = form.is_valid()
    files = _files(request, door, form, len(before))
    if not fits or "edit" in request.POST:
        # No browser sends a file a second time by itself: what came is kept for when the rest is right.
        before = [*before, *_kept_for_later(request, files)]
        return _form_page(request, door, form, token, before, status=200 if fits else 422)
    if door.has_recap and request.POST.get("step") != "recap":
        return _recap_page(request, door, form, token, [*before, *_kept_for_later(request, files)])
    return _recorded(request, door, form, token, files, before)


def _files(request: HttpRequest, door: Door, form: DoorForm, before: int) -> list[uploads.Upload]:
    """Return the files that came, each kept or with the reason why not."""
    came = request.FILES.getlist("evidence") if door.shape.asks("evidence") else []
    return uploads.read(came, before=before) if form.act == Act.FOR_CAUSE else uploads.refused(came, "ordinary")


def _kept_for_later(request: HttpRequest, files: Sequence[uploads.Upload]) -> list[int]:
    """Store the files of a page that is not the last; whose declaration never follows is forgotten by a clock."""
    if not files:
        return []
    if seconds_to_wait(request, Limit("door-files", client_address(request), UPLOADS_PER_CONNECTION)):
        files = [uploads.Upload(file.name, file.size, fault="held") for file in files]
    try:
        return [row.pk for row in Evidence.objects.bulk_create([file.row(None) for file in files])]
    except Exception:
        log.exception("Files of a first page could not be stored.")
        return []


def _files_before(request: HttpRequest) -> list[int]:
    """Return the files of an earlier page, as its seal names them; none where the seal is broken."""
    try:
        return [int(pk) for pk in signing.loads(request.POST.get("files", ""), salt=FILES_SALT)]
    except (signing.BadSignature, ValueError, TypeError):
        return []


def _recorded(
    request: HttpRequest,
    door: Door,
    form: DoorForm,
    token: str,
    files: Sequence[uploads.Upload],
    before: Sequence[int],
) -> HttpResponse:
    now, said = timezone.now(), form.said
    content = [*before, *_content_of(files)]
    received = declarations.receive(
        declaration=Declaration(door.pack, form.act, said, door.confirm.text, get_language() or "en"),
        received_at=now,
        key=key_of(token, door.pack, form.act, said, content, now),
        files=files,
        files_before=before,
        held=_is_too_much(request, said.email),
    )
    return SeeOther(_done_url(received))


def _content_of(files: Sequence[uploads.Upload]) -> list[list[Any]]:
    """Return what tells files apart from others."""
    return [[file.name, file.size, file.sha256] for file in files]


def _is_too_much(request: HttpRequest, email: str) -> bool:
    """Tell whether more comes from one connection, or for one mailbox, than people send."""
    return bool(
        seconds_to_wait(
            request,
            Limit("door-connection", client_address(request), DECLARATIONS_PER_CONNECTION),
            Limit("door-mailbox", email.casefold(), DECLARATIONS_PER_MAILBOX),
        )
    )


# ---------------------------------------------------------------- the pages


def _form_page(
    request: HttpRequest, door: Door, form: DoorForm, token: str, before: Sequence[int] = (), *, status: int = 200
) -> HttpResponse:
    return render(request, "doors/form.html", _context(door, form, token, before), status=status)


def _recap_page(request: HttpRequest, door: Door, form: DoorForm, token: str, before: Sequence[int]) -> HttpResponse:
    declaration = Declaration(door.pack, form.act, form.said, door.confirm.text, get_language() or "en")
    shown = {"declaration": declaration.words, "rows": form.rows}
    return render(request, "doors/recap.html", _context(door, form, token, before) | shown)


def _context(door: Door, form: DoorForm, token: str, before: Sequence[int]) -> dict[str, Any]:
    files = Evidence.objects.filter(pk__in=before, notice__isnull=True).defer("content") if before else []
    return {
        "door": door,
        "form": form,
        "token": token,
        "files": [{"name": row.name, "why": uploads.why(row)} for row in files],
        "files_seal": signing.dumps(list(before), salt=FILES_SALT) if before else "",
        "entries": entries(door.pack),
    }


def _done_url(received: Received) -> str:
    """Return where the receipt is shown; where signing failed, the record itself, by a signed name."""
    name = "cancellation:withdrawal-done" if received.notice.act == Act.WITHDRAW else "cancellation:door-done"
    if received.receipt:
        return reverse(name, args=[received.receipt.key])
    return reverse(name, args=[signing.Signer(salt=KEY_SALT, sep=".").sign(str(received.notice.pk))])


@require_safe
def done(request: HttpRequest, key: str) -> HttpResponse:
    """Show a declaration that is on record, with its receipt; the same whether a contract was found or not."""
    notice, receipt = _shown(key)
    pack = places.packs().get(notice.pack) or places.home()
    context = {
        "notice": notice,
        "receipt": receipt,
        "received_at": received_at(notice),
        "left_out": [{"name": row.name, "why": uploads.why(row)} for row in uploads.left_out(notice)],
        "email": notice.declared.email,
        "is_held": notice.state == NoticeState.QUARANTINED,
        "rows": rows_of(notice.declared),
        "entries": entries(pack),
    }
    return _untraced(render(request, "doors/done.html", context))


def _untraced(response: HttpResponse) -> HttpResponse:
    """Keep a page whose address lets somebody in out of caches, and its address out of the referrers of others."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response


def _shown(key: str) -> tuple[Notice, Receipt | None]:
    if not key.isprintable():
        raise Http404
    # What was erased is shown no more: nothing would be left to see.
    kept = Receipt.objects.filter(kind=ReceiptKind.RECEIVED, notice__declared__erased_at__isnull=True)
    found = kept.select_related("notice__declared").filter(key=key).first()
    if found and hasattr(found.notice, "declared"):
        return found.notice, found
    try:
        pk = int(signing.Signer(salt=KEY_SALT, sep=".").unsign(key))
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    theirs = Notice.objects.filter(declared__isnull=False, declared__erased_at__isnull=True)
    notice = theirs.select_related("declared").filter(pk=pk).first()
    if notice is None:
        raise Http404
    return notice, declarations.receipt_of(notice)


# ---------------------------------------------------------------- "that was not me"


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """Let a holder say that they did not declare this. Only the click acts: mail scanners open every link."""
    notice = declarations.notice_of(token)
    if notice is None:
        raise Http404
    if request.method == "POST":
        now: datetime = timezone.now()
        declarations.repudiate(notice=notice, actor=declarations.HOLDER, at=now, why="the holder says: not me")
        return SeeOther(request.path)
    context = {"notice": notice, "contract": notice.contract, "received_at": received_at(notice)}
    return _untraced(render(request, "doors/not_me.html", context))
