"""How often one visitor may ask, counted by django-ratelimit in the cache.

Fails open: where the cache does not answer, nobody is kept out.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_ratelimit.core import get_usage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``rate`` (such as ``5/15m``) for each ``value``; an empty value is not counted."""

    group: str
    value: str
    rate: str


def seconds_to_wait(request: HttpRequest, *limits: Limit) -> int:
    """Count this request against every limit; return the longest wait in seconds, 0 where none is reached."""
    return max((_wait(request, limit) for limit in limits if limit.value), default=0)


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """Answer 429: what happened, and when to try again."""
    response = render(request, "429.html", {"minutes": -(-seconds // 60)}, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def client_address(request: HttpRequest) -> str:
    """Return the visitor's address as our own proxy or socket saw it, never as the visitor claims it.

    Empty where the proxy names none: then nobody is counted together with everybody else.
    """
    if not settings.BEHIND_PROXY:
        return str(request.META.get("REMOTE_ADDR", ""))
    last = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", 1)[-1].strip()
    return last if _is_address(last) else ""


def lockout_address(request: HttpRequest) -> str:
    """Return the address by which guessers of passwords are told apart; the proxy's own where it names none."""
    return client_address(request) or str(request.META.get("REMOTE_ADDR", ""))


def _is_address(given: str) -> bool:
    try:
        ip_address(given)
    except ValueError:
        return False
    return True


def _wait(request: HttpRequest, limit: Limit) -> int:
    try:
        usage = get_usage(
            request,
            group=limit.group,
            key=lambda group, request: limit.value,
            rate=limit.rate,
            increment=True,
        )
    except Exception:
        # Whatever the cache raises: a counter that is down must not lock people out.
        log.warning("The rate limit %s was not counted.", limit.group, exc_info=True)
        return 0
    return max(usage["time_left"], 1) if usage and usage["should_limit"] else 0
