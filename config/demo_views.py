"""The demo's own pages: the five stories, and the mails that were sent.

They let anybody in as a made-up customer, so they exist only where FAIRWELL_DEMO is on, and never in production.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_safe

from config import demo
from subscriptions.models import Contract
from subscriptions.signin import let_in

NAME = re.compile(r"\d+-[0-9a-f]+\.eml")
MAILS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the catcher kept it."""

    name: str
    to: str
    subject: str
    at: datetime | None
    message: EmailMessage


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the five stories, the desk, and where the mails are."""
    stories = [story | {"url": reverse("demo:enter", args=[story["slug"]])} for story in demo.as_context()]
    context: dict[str, Any] = {"stories": stories, "password": demo.staff_password()}
    return render(request, "demo/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, slug: str) -> HttpResponse:
    """Sign in as the customer of a story, in their language, and go to their contract."""
    story = demo.story(slug)
    contract = Contract.objects.select_related("customer").filter(reference=story.reference).first() if story else None
    if contract is None or story is None:
        raise Http404
    response = HttpResponseRedirect(reverse("cancellation:contract", args=[contract.reference]))
    if not request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME):
        translation.activate(story.locale)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, story.locale, samesite="Lax")
    let_in(response, contract.customer)
    return response


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """List the mails that were sent, newest first."""
    names = sorted((path.name for path in settings.MAIL_DIR.glob("*.eml")), reverse=True)
    return render(request, "demo/mails.html", {"mails": [_read(name) for name in names[:MAILS_SHOWN]]})


@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one mail: its headers and its text part."""
    found = _read(name)
    return render(request, "demo/mail.html", {"mail": found, "text": _part(found.message, "plain")})


@require_safe
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """Show a mail's HTML part as a mail program would: styled, and able to do nothing."""
    response = HttpResponse(_part(_read(name).message, "html"))
    response["Content-Security-Policy"] = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'"
    return response


def _read(name: str) -> Mail:
    path = Path(settings.MAIL_DIR) / name
    if not NAME.fullmatch(name) or not path.is_file():
        raise Http404
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    date = message["Date"]
    return Mail(
        name=name,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        at=parsedate_to_datetime(str(date)) if date else None,
        message=message,
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()) if body else ""
