"""The pages of receipts: to read, to keep, to check. Not part of the notice path.

Whoever has the address of a receipt may read it, so the address leaves no trace: no referrer, no cache, no log.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from cancellation import calendars, signing_keys
from cancellation.models import Receipt
from cancellation.proof import Fault, NotProven, check
from messaging import documents
from subscriptions import receipt_lines

View = Callable[..., HttpResponse]
# What is typed again into the form after a fault; more than this is no receipt, and nobody reads it there.
MOST_SHOWN = 20_000


def traceless(view: View) -> View:
    """Keep a receipt out of caches and search engines, and its address out of the referrers of other pages."""

    @functools.wraps(view)
    def inner(request: HttpRequest, key: str) -> HttpResponse:
        try:
            response = view(request, _receipt(key))
        except Http404:
            response = render(request, "404.html", status=404)
        response["Referrer-Policy"] = "no-referrer"
        response["Cache-Control"] = "private, no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    return require_safe(inner)


def _receipt(key: str) -> Receipt:
    """Return the receipt of a key. 404 where there is none, or where its time is over and its words are erased."""
    receipt = Receipt.objects.filter(key=key).first() if key.isprintable() else None
    if receipt is None or not receipt.jws:
        raise Http404
    return receipt


@traceless
def page(request: HttpRequest, receipt: Receipt) -> HttpResponse:
    """Show a receipt in its own language, and the files to keep."""
    context = {
        "receipt": receipt,
        "has_pdf": receipt_lines.can_print(),
        "has_calendar": bool(calendars.of_receipt(receipt)),
        "operator": settings.OPERATOR,
    }
    with translation.override(receipt.locale):
        # Without the request there is no switch of languages: a receipt has one, that of its declaration.
        return HttpResponse(render_to_string("receipts/page.html", context))


@traceless
def as_text(request: HttpRequest, receipt: Receipt) -> HttpResponse:
    """Serve a receipt as plain text."""
    return _file(documents.text_file(receipt.document))


@traceless
def as_html(request: HttpRequest, receipt: Receipt) -> HttpResponse:
    """Serve a receipt as a page that stands for itself."""
    return _file(documents.html_file(receipt.document))


@traceless
def as_json(request: HttpRequest, receipt: Receipt) -> HttpResponse:
    """Serve a receipt with its signature."""
    return _file(documents.signed_file(receipt.jws))


@traceless
def as_pdf(request: HttpRequest, receipt: Receipt) -> HttpResponse:
    """Serve a receipt as PDF. Where its letters are in no font of ours, the page stands in: nothing gets lost."""
    if not receipt_lines.can_print():
        raise Http404
    return _file(documents.pdf_file(receipt.document) or documents.html_file(receipt.document))


@traceless
def calendar(request: HttpRequest, receipt: Receipt) -> HttpResponse:
    """Serve the last day that a receipt names as a calendar file."""
    if not (text := calendars.of_receipt(receipt)):
        raise Http404
    return _file(documents.calendar_file(text))


def _file(file: documents.File) -> HttpResponse:
    response = HttpResponse(file.content, content_type=file.type)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response


@require_safe
@cache_control(public=True, max_age=3600)
def jwks(request: HttpRequest) -> JsonResponse:
    """Serve every public key that receipts were signed with, for whoever checks one without us (RFC 7517)."""
    response = JsonResponse({"keys": signing_keys.published()}, content_type="application/jwk-set+json")
    # Anybody may read it, from any page.
    response["Access-Control-Allow-Origin"] = "*"
    return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Say whether a receipt is genuine. Nothing is kept, nothing is changed, so no token guards the form."""
    if request.method != "POST":
        return _verify_page(request)
    given = ""
    try:
        given = _given(request)
        proven = check(given)
    except NotProven as failed:
        status = 413 if failed.fault is Fault.TOO_LARGE else 422
        if _wants_json(request):
            said = {"valid": False, "fault": str(failed.fault), "detail": says(failed.fault)}
            return JsonResponse(said, status=status)
        return _verify_page(request, status, says=says(failed.fault), given=given[:MOST_SHOWN])
    if _wants_json(request):
        return JsonResponse({"valid": True, "kid": proven.kid, "document": proven.document})
    return _verify_page(request, proven=proven, receipt={"document": proven.document})


def verify_with_slash(request: HttpRequest) -> HttpResponse:
    """Lead to the page that checks receipts."""
    return HttpResponseRedirect(reverse("cancellation:verify"))


def _verify_page(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    context["keys_url"] = settings.BASE_URL + reverse("cancellation:jwks")
    return render(request, "receipts/verify.html", context, status=status)


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _given(request: HttpRequest) -> str:
    """Return what is to be checked: a file, a pasted text, or the body itself. NotProven where it is no text."""
    try:
        if request.content_type in {"application/json", "application/jose", "text/plain"}:
            return _decoded(request.body)
        file = request.FILES.get("file")
        if file is None:
            return str(request.POST.get("receipt", ""))
        if (file.size or 0) > documents.LARGEST_FILE:
            raise NotProven(Fault.TOO_LARGE)
        return _decoded(file.read())
    except RequestDataTooBig as error:
        raise NotProven(Fault.TOO_LARGE) from error


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise NotProven(Fault.NO_RECEIPT) from error


def says(fault: Fault) -> str:
    """Return what is wrong with a receipt, in words."""
    return {
        Fault.EMPTY: _("Nothing was given. Choose the file receipt.json, or paste its text."),
        Fault.TOO_LARGE: _("This is too large to be a receipt."),
        Fault.NO_RECEIPT: _(
            "This is not a signed receipt. Give all of the file receipt.json, or all of the line behind “jws”."
        ),
        Fault.OTHER_ALGORITHM: _("This is signed by another method than our receipts are. It is none of ours."),
        Fault.UNKNOWN_KEY: _("This is signed with a key that is not ours. We did not issue it."),
        Fault.CHANGED: _(
            "The signature does not fit: this was changed after it was issued, or somebody else signed it."
        ),
        Fault.NOT_THE_SAME: _(
            "The signature itself is ours, but the readable part of the file was changed: it does not say what was "
            "signed. Paste only the line behind “jws” to see what was."
        ),
    }[fault]
