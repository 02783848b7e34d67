"""Small middleware of our own.

Customers never cost a session row: sessions, staff sign-in and messages run for the staff's paths only.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

STAFF_PATHS = ("/admin/", "/reports/")
PUBLIC_PATHS = ("/static/", "/brand.css", "/jsi18n/", "/healthz")
# What works while everything else is being worked on. A door writes rows of its own there and touches nothing else.
ALWAYS_OPEN = (
    "/cancel", "/withdraw", "/receipts", "/.well-known/jwks.json", "/language/", "/static/", "/brand.css", "/healthz"
)  # fmt: skip
BACK_IN_SECONDS = 600


def is_staff_path(request: HttpRequest) -> bool:
    """Tell whether the path belongs to staff pages, which have sessions."""
    return request.path.startswith(STAFF_PATHS)


class StaffSessionMiddleware(SessionMiddleware):
    """Django's sessions, for staff paths only."""

    def process_request(self, request: HttpRequest) -> None:
        if is_staff_path(request):
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return super().process_response(request, response) if is_staff_path(request) else response


class StaffAuthenticationMiddleware(AuthenticationMiddleware):
    """Django's sign-in, for staff paths only; everybody else is anonymous to Django."""

    def process_request(self, request: HttpRequest) -> None:
        if is_staff_path(request):
            super().process_request(request)
        else:
            request.user = AnonymousUser()


class StaffMessageMiddleware(MessageMiddleware):
    """Django's messages, for staff paths only."""

    def process_request(self, request: HttpRequest) -> None:
        if is_staff_path(request):
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return super().process_response(request, response) if is_staff_path(request) else response


class PrivatePagesMiddleware:
    """Keep what is personal out of shared caches, and away from search engines."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(PUBLIC_PATHS) and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        response.headers.setdefault("X-Robots-Tag", "noindex")
        if settings.PRODUCTION:
            response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class MaintenanceMiddleware:
    """Answer 503 while the desk is being worked on, everywhere but where nobody may be kept from leaving."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.MAINTENANCE or request.path.startswith(ALWAYS_OPEN):
            return self.get_response(request)
        response = render(request, "503.html", status=503)
        response.headers["Retry-After"] = str(BACK_IN_SECONDS)
        return response
