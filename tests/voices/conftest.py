"""The stage of the stories: the demo business in a real browser, a real SMTP server, and the worker's own drain."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as conf
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page

from config.demo.load import load
from outbox.drain import drain
from tests.conftest import Sink

SCREENSHOTS = os.environ.get("FAIRWELL_SCREENSHOTS", "")


@pytest.fixture(autouse=True)
def _stage(request: pytest.FixtureRequest, transactional_db: None, settings: Any) -> Iterator[None]:
    """Load the demo business; letters link to the server of the test."""
    # The other customers take a second to load, and few stories meet them.
    load(crowd="crowd" in request.keywords)
    settings.BASE_URL = request.getfixturevalue("live_server").url
    yield
    cache.clear()


@dataclass(frozen=True)
class Postbox:
    """What the worker has sent, as a mail server received it."""

    sink: Sink

    def letters(self) -> list[EmailMessage]:
        """Do what a worker does on its next round, and return all mails so far."""
        drain()
        return self.sink.messages

    def newest(self) -> EmailMessage:
        return self.letters()[-1]

    def text(self) -> str:
        body = self.newest().get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def link(self, pattern: str) -> str:
        """Return the first address in the newest mail that matches."""
        found = re.search(rf"https?://\S*{pattern}\S*", self.text())
        assert found, self.text()
        return found[0]


@pytest.fixture
def postbox(sink: Sink) -> Postbox:
    return Postbox(sink)


@pytest.fixture(params=[True, False], ids=["with-javascript", "without-javascript"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Return a fresh phone, once with scripts and once without."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        java_script_enabled=request.param,
        locale="en-GB",
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def sign_in(live_server: Any, postbox: Postbox) -> Callable[[Page, str], None]:
    """Return the whole sign-in by mail link: ask, read the mail, press the button."""

    def go(page: Page, email: str) -> None:
        page.goto(f"{live_server.url}/sign-in/")
        page.get_by_label("E-mail").fill(email)
        page.locator("main form button[type=submit]").first.click()
        page.goto(postbox.link("/sign-in/"))
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_url("**/account/")

    return go


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Return a camera for the documentation: it takes pictures only where ``make screenshots`` asks for them."""

    def take(page: Page, name: str) -> None:
        if SCREENSHOTS:
            folder = Path(conf.BASE_DIR) / SCREENSHOTS
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}.png", full_page=True)

    return take


def language(context: BrowserContext, code: str, url: str) -> None:
    """Let the pages speak a language."""
    context.add_cookies([{"name": "django_language", "value": code, "url": url}])
