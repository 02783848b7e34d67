"""Opening staff pages in Chromium, in every language, size and scheme that they must stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

VIEWS = [
    pytest.param("en", "light", 390, id="phone"),
    pytest.param("pl", "dark", 390, id="phone-pl-dark"),
    pytest.param("ja", "light", 1280, id="desktop-ja"),
    pytest.param("en", "dark", 1280, id="desktop-dark"),
]


def signed_in(page: Any, live_server: Any, language: str, scheme: str, width: int) -> Any:
    """Return the page of a browser in which a superuser is signed in."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
    cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page.context.add_cookies([{"name": n, "value": v, "url": live_server.url} for n, v in cookies.items()])
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    return page


def overflow(page: Any) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def opened(page: Any, address: str, errors: list[str]) -> Iterator[str]:
    """Open a page and return what is wrong with it, but for what axe finds."""
    response = page.goto(address, wait_until="load")
    if response is None or response.status != 200:
        yield f"{address}: status {response and response.status}"
    if errors:
        yield f"{address}: console says {errors}"
    if overflow(page) > 0:
        yield f"{address}: {overflow(page)} px too wide"
