"""Leaving is nobody else's business: every page asks its own server only, and keeps what it shows and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from cancellation.models import Announcement, Declared
from subscriptions.models import Contract
from tests.voices.conftest import Postbox

pytestmark = pytest.mark.browser

DOORS = ("", "default/", "de/", "fr/", "pl/", "us-ca/", "us-ny/", "us-mn/", "jp/")
WITHDRAWALS = ("", "de/", "fr/", "pl/")
TYPED = {
    "name": "Ada  Wren ",
    "reference": "C-AUDIO?",
    "email": "ada@elsewhere.example",
    "phone": "+49 30 123",
    "address": "Elm Row 1\nLeeds",
    "reason": "It never worked.\n\n  Twice.",
    "wished_on": "2031-05-31",
    "agent_name": "Kit Marlow",
    "agent_company": "Marlow & Daughters",
    "agent_email": "kit@agent.example",
    "about": "C-AUDIO",
    "holder_name": "Rowan Ellery",
    "holder_email": "rowan@elsewhere.example",
    "words": "She asked me to.\n<b>Thanks</b>",
}
# What a page loads by itself. Links that somebody follows are their own affair.
LOADING = (
    "script[src], img[src], iframe[src], link[href], source[src], video[src], audio[src], object[data], embed[src]"
)

SCRIPTS = "[document.querySelector('main')?.dataset.step, ...[...document.scripts].map((one) => one.src)].join(' ')"


class Watched:
    """A fresh visitor, and every address that was asked on their behalf."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.page, self.origin, self.asked = context.new_page(), origin, list[str]()
        self.waited = set[str]()
        context.on("request", lambda request: self.asked.append(request.url))

    def go(self, path: str) -> Page:
        """Open a page, and look at what it would load."""
        self.page.goto(self.origin + path)
        self.look()
        return self.page

    def look(self) -> None:
        """Check that nothing of this page points at another server, even where nothing was asked yet.

        What a page asks for after it has loaded, its scripts ask for: a step with the same scripts is waited for once.
        """
        self.page.wait_for_load_state("load")
        if (scripts := self.page.evaluate(SCRIPTS)) not in self.waited:
            self.page.wait_for_load_state("networkidle")
            self.waited.add(scripts)
        found = self.page.eval_on_selector_all(
            LOADING, "all => all.map(one => one.src || one.href || one.data).filter(Boolean)"
        )
        assert [url for url in found if self.is_elsewhere(url)] == [], self.page.url

    def is_elsewhere(self, url: str) -> bool:
        split = urlsplit(url)
        return split.scheme not in {"data", "blob", "about"} and f"{split.scheme}://{split.netloc}" != self.origin

    @property
    def elsewhere(self) -> list[str]:
        """Return what was asked of other servers."""
        assert self.asked
        return [url for url in self.asked if self.is_elsewhere(url)]


@pytest.fixture
def visitor(browser: Browser, live_server: Any) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB", reduced_motion="reduce")
    yield Watched(context, live_server.url)
    context.close()


def fields(page: Page) -> dict[str, Locator]:
    """Return the visible boxes of the form of a page, by name."""
    boxes = page.locator(
        "main form input:not([type=hidden]):not([type=radio]):not([type=checkbox]):not([type=file]), main form textarea"
    )
    return {str(box.get_attribute("name")): box for box in boxes.all() if box.is_visible()}


def fill(page: Page) -> dict[str, Any]:
    """Type into every visible box; return what was typed."""
    typed: dict[str, Any] = {}
    for name, box in fields(page).items():
        box.fill(TYPED[name])
        typed[name] = date.fromisoformat(TYPED[name]) if name == "wished_on" else TYPED[name]
    return typed


def press(page: Page, action: str) -> None:
    page.locator(f"main [data-action={action}]").first.click()


def stored(row: Declared | Announcement, but: set[str]) -> dict[str, Any]:
    """Return what a row keeps of a form, without what the server itself adds."""
    values = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: value for name, value in values.items() if name not in but and value not in ("", None)}


ADDED = {"id", "notice", "salt", "erase_on", "erased_at"}
ADDED_TO_ANNOUNCEMENT = ADDED | {
    "reference", "key", "locale", "received_at", "state", "is_held", "idempotency_key", "contract", "asked_at",
    "answered_at",
}  # fmt: skip


def in_one_form(value: Any) -> Any:
    """Return a text with the line ends of this machine: a browser sends those of the web."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def declared(visitor: Watched, path: str, *, for_cause: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Declare at a door; return what was typed and what is kept."""
    page = visitor.go(path)
    cause = page.locator("input[name=kind][value=for_cause]")
    if for_cause and cause.count():
        cause.check()
    typed = fill(page)
    if page.locator("main [data-action=confirm]").count() == 0:
        press(page, "continue")
        page.locator("main[data-step=recap]").wait_for()
        visitor.look()
    press(page, "confirm")
    page.locator("main[data-step=done]").wait_for()
    visitor.look()
    row = Declared.objects.latest("pk")
    return typed, {name: in_one_form(value) for name, value in stored(row, ADDED).items()}


def test_r19_a_door_asks_nobody_else_and_keeps_exactly_what_it_shows(visitor: Watched) -> None:
    told = {}
    for place in DOORS:
        told[f"/cancel/{place}"] = declared(visitor, f"/cancel/{place}", for_cause=False)
        told[f"/cancel/{place} for cause"] = declared(visitor, f"/cancel/{place}", for_cause=True)
    for place in WITHDRAWALS:
        told[f"/withdraw/{place}"] = declared(visitor, f"/withdraw/{place}", for_cause=False)

    assert {path: typed for path, (typed, _kept) in told.items()} == {
        path: kept for path, (_typed, kept) in told.items()
    }
    assert Declared.objects.count() == len(told)
    # Nothing but the token and the seal of files travels unseen.
    assert visitor.elsewhere == []
    assert visitor.page.context.cookies() == []


def test_r19_the_way_in_and_the_receipt_ask_nobody_else(visitor: Watched, postbox: Postbox) -> None:
    declared(visitor, "/cancel/de/", for_cause=False)
    receipt = visitor.page.locator("main a[href*='/receipts/']").first.get_attribute("href") or ""
    for path in ("/sign-in/", "/rules/", "/rules/de/", receipt, "/receipts/verify", "/cancel/de/?contract=C-AUDIO"):
        visitor.go(path)

    assert visitor.elsewhere == []


def test_r19_an_announcement_asks_nobody_else_and_keeps_exactly_what_it_shows(
    visitor: Watched, postbox: Postbox
) -> None:
    page = visitor.go("/announce/")
    typed = fill(page)
    page.locator("main form button[type=submit]").first.click()
    page.locator("main[data-step=done]").wait_for()
    visitor.look()
    postbox.letters()
    row = Announcement.objects.latest("pk")

    assert {name: in_one_form(value) for name, value in stored(row, ADDED_TO_ANNOUNCEMENT).items()} == typed
    visitor.go(f"/announce/{row.key}/")
    assert visitor.elsewhere == []


def test_r19_the_guided_way_asks_nobody_else(
    visitor: Watched, sign_in: Callable[[Page, str], None], postbox: Postbox
) -> None:
    sign_in(visitor.page, "audiobooks@customer.example")
    contract = Contract.objects.get(reference="C-AUDIO")
    base = f"/contracts/{contract.reference}/"
    for path in ("/account/", base, f"{base}cancel/", f"{base}cancel/reasons/", f"{base}cancel/confirm/"):
        visitor.go(path)
    press(visitor.page, "confirm")
    visitor.page.locator("main[data-step=done]").wait_for()
    visitor.look()
    visitor.go(f"{base}parts/")

    assert visitor.elsewhere == []
