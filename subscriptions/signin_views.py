"""Pages of the sign-in: ask for a link, use it, sign out, and enter from a host app."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from outbox import actions as outbox
from subscriptions import entry, signin
from subscriptions.limits import Limit, client_address, seconds_to_wait, too_many

# For one mailbox, and for one connection: an office or a family shares the second.
LINKS_PER_ADDRESS = "5/15m"
LINKS_PER_CONNECTION = "30/15m"
TRIES_PER_CONNECTION = "60/15m"
STATUS = {signin.LinkFault.TAMPERED: 400, signin.LinkFault.EXPIRED: 410, signin.LinkFault.USED: 410}


class SignInForm(forms.Form):
    """The address that a link is asked for."""

    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": _("Type your e-mail address, such as name@example.com."),
            "invalid": _("This is no e-mail address. It looks like name@example.com."),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for an address and promise a link, in the same words whether anybody has that address or not."""
    next_path = signin.safe_path(request.POST.get("next", "") or request.GET.get("next", ""))
    if request.method != "POST":
        return _form_page(request, SignInForm(), next_path)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, next_path, status=422)
    email: str = form.cleaned_data["email"]
    wait = seconds_to_wait(
        request,
        Limit("sign-in-connection", client_address(request), LINKS_PER_CONNECTION),
        Limit("sign-in-address", email.lower(), LINKS_PER_ADDRESS),
    )
    if wait:
        return too_many(request, wait)
    _promise_a_link(email, next_path)
    return render(request, "subscriptions/signin_sent.html", {"email": email})


def _promise_a_link(email: str, next_path: str) -> None:
    """Leave the looking-up to the worker: the answer takes as long for an unknown address as for a known."""
    outbox.add(
        topic="sign-in",
        dedupe_key=f"sign-in:{get_random_string(32)}",
        payload={
            "email": email,
            "locale": get_language() or "en",
            "next": next_path,
            "asked_at": timezone.now().isoformat(),
        },
    )


def _form_page(request: HttpRequest, form: SignInForm, next_path: str, status: int = 200) -> HttpResponse:
    return render(request, "subscriptions/signin.html", {"form": form, "next": next_path}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button for a link; only the click uses it up, for mail scanners open every link they see."""
    if wait := seconds_to_wait(request, Limit("sign-in-link", client_address(request), TRIES_PER_CONNECTION)):
        return too_many(request, wait)
    now = timezone.now()
    try:
        if request.method != "POST":
            signin.find_link(token, now=now)
            return render(request, "subscriptions/signin_confirm.html", {})
        link = signin.use_link(token, now=now)
    except signin.LinkRefused as refused:
        return _refused(request, refused)
    return signin.let_in(HttpResponseRedirect(link.next_path or signin.HOME), link.customer)


def _refused(request: HttpRequest, refused: signin.LinkRefused) -> HttpResponse:
    who = signin.signed_in(request)
    if refused.fault is signin.LinkFault.USED and who and who[0] == refused.customer_id:
        # The second click of a double click: they are in already.
        return HttpResponseRedirect(signin.HOME)
    return _invalid(request, refused.fault, STATUS[refused.fault])


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out in this browser."""
    return signin.let_out(HttpResponseRedirect(reverse("subscriptions:sign-in")))


@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """Let a customer in whom a host app has signed in, by its token; once."""
    if "prefetch" in request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", ""):
        # A browser that only looks ahead must not use the token up.
        return HttpResponse(status=503)
    if wait := seconds_to_wait(request, Limit("enter", client_address(request), TRIES_PER_CONNECTION)):
        return too_many(request, wait)
    try:
        entered = entry.enter(request.GET.get("t", ""), now=timezone.now())
    except entry.EntryRefused as refused:
        return _invalid(request, refused.fault, refused.status)
    return signin.let_in(HttpResponseRedirect(entered.path or signin.HOME), entered.customer)


def _invalid(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    context: dict[str, Any] = {"reason": str(reason)}
    return render(request, "subscriptions/link_invalid.html", context, status=status)
