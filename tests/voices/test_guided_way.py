"""The guided way from sign-in to the confirmation in the postbox, with scripts and without."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from cancellation.models import Cancellation, State
from config.formats import format_day
from feedback.models import Answer
from tests.voices.conftest import Postbox, language

pytestmark = pytest.mark.browser
AUDIO = "audiobooks@customer.example"


def click(page: Page, action: str, step: str | None = None) -> None:
    page.locator(f"[data-action={action}]").first.click()
    if step:
        page.locator(f"main[data-step={step}]").wait_for()


def test_from_sign_in_to_the_confirmation_mail(
    page: Page, sign_in: Callable[[Page, str], None], postbox: Postbox, live_server: Any
) -> None:
    sign_in(page, AUDIO)
    page.get_by_role("link", name="Membership").click()

    click(page, "start", "overview")
    expect(page).to_have_title(re.compile("What cancelling means"))
    click(page, "continue", "reasons")
    page.get_by_label("It costs too much").check()
    page.locator("#id_words").fill("Zażółć gęślą jaźń 😀")
    click(page, "continue", "options")
    click(page, "decline", "confirm")
    click(page, "confirm", "done")

    cancellation = Cancellation.objects.get(contract__reference="C-AUDIO")
    assert cancellation.notice is not None
    expect(page.locator("main")).to_contain_text(cancellation.notice.reference)

    mail = postbox.newest()
    assert mail["To"] == AUDIO
    assert cancellation.notice.reference in postbox.text()
    assert cancellation.notice.declaration in postbox.text()
    answer = Answer.objects.get(cancellation_id=cancellation.pk)
    assert answer.primary is not None
    assert (answer.root, answer.words) == ("cost", "Zażółć gęślą jaźń 😀")


def test_the_short_way_takes_two_clicks_from_the_contract(
    page: Page, sign_in: Callable[[Page, str], None], postbox: Postbox
) -> None:
    sign_in(page, AUDIO)
    page.get_by_role("link", name="Membership").click()
    last_day_before = page.locator("main").inner_text()

    page.locator("[data-action=start]").click()
    page.locator("[data-action=cancel-now]").click()
    page.locator("main[data-step=done]").wait_for()

    cancellation = Cancellation.objects.get(contract__reference="C-AUDIO")
    assert format_day(cancellation.last_day, "en") in last_day_before
    assert "ends on" in postbox.newest()["Subject"]


def test_undo_from_the_mail_brings_the_contract_back(
    page: Page, sign_in: Callable[[Page, str], None], postbox: Postbox
) -> None:
    sign_in(page, AUDIO)
    page.get_by_role("link", name="Membership").click()
    click(page, "start", "overview")
    click(page, "cancel-now", "done")

    page.goto(postbox.link("/cancel/done/"))
    click(page, "undo")

    expect(page.locator("[data-action=start]")).to_be_visible()
    assert Cancellation.objects.get(contract__reference="C-AUDIO").state == State.REVOKED
    assert "goes on" in postbox.text()


def test_every_page_is_accessible_fits_a_phone_and_breaks_no_policy(
    browser: Browser, sign_in: Callable[[Page, str], None], axe: Callable[..., None], live_server: Any
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    def look(*, with_colours: bool = True) -> None:
        axe(page, with_colours=with_colours)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"
        headings = page.locator("h1").count()
        assert headings == 1, f"{page.url} has {headings} main headings"

    page.goto(f"{live_server.url}/sign-in/")
    look()
    sign_in(page, AUDIO)
    look()
    for code in ("en", "de", "fr", "pl", "ja"):
        language(context, code, live_server.url)
        page.goto(f"{live_server.url}/contracts/C-AUDIO/")
        look(with_colours=code == "en")
        for action, step in (("start", "overview"), ("continue", "reasons"), ("skip", "confirm"), ("confirm", "done")):
            click(page, action, step)
            look(with_colours=code == "en")
        click(page, "undo")
        page.locator("[data-action=start]").wait_for()
        look(with_colours=code == "en")
    context.close()
    assert complaints == []


def test_the_keyboard_alone_reaches_the_end(
    browser: Browser, sign_in: Callable[[Page, str], None], live_server: Any
) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    sign_in(page, AUDIO)
    page.goto(f"{live_server.url}/contracts/C-AUDIO/cancel/")
    page.locator("main").focus()

    page.keyboard.press("Tab")

    # The first stop inside the page is the act itself, and it can be seen.
    assert page.evaluate("document.activeElement.dataset.action") == "cancel-now"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.locator("main[data-step=done]").wait_for()
    assert page.evaluate("document.activeElement.tagName") in ("H1", "MAIN", "BODY")
    page.context.close()


def test_leaving_and_staying_are_buttons_of_equal_rank(
    browser: Browser, sign_in: Callable[[Page, str], None], live_server: Any
) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    sign_in(page, AUDIO)
    read = """selector => {
        const element = document.querySelector(selector), s = getComputedStyle(element);
        return [s.fontSize, s.fontWeight, s.color, s.backgroundColor, s.borderTopColor, s.borderTopWidth,
            Math.round(element.getBoundingClientRect().height)] }"""

    for step, leave in (("", "cancel-now"), ("reasons/", "cancel-now"), ("confirm/", "confirm")):
        page.goto(f"{live_server.url}/contracts/C-AUDIO/cancel/{step}")
        assert page.evaluate(read, f"[data-action={leave}]") == page.evaluate(read, "[data-action=keep]"), step
        assert page.locator(f"[data-action={leave}]").bounding_box()["y"] < 800
        assert page.locator("input:checked").count() == 0
    page.context.close()


def test_the_whole_flow_cold_weighs_at_most_40_kb(
    browser: Browser, sign_in: Callable[[Page, str], None], live_server: Any
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    page = context.new_page()
    sign_in(page, AUDIO)
    page.goto("about:blank")
    cold = context.new_page()
    cold.context.new_cdp_session(cold).send("Network.clearBrowserCache")
    weights: dict[str, int] = {}

    def weigh(response: Response) -> None:
        if response.status < 300 and not response.from_service_worker:
            url = (
                response.url
                if "/static/" in response.url or "brand" in response.url
                else f"{response.url}#{len(weights)}"
            )
            weights.setdefault(url, len(gzip.compress(response.body(), 6)))

    cold.on("requestfinished", lambda request: weigh(request.response()) if request.response() else None)
    cold.goto(f"{live_server.url}/contracts/C-AUDIO/")
    for action, step in (("start", "overview"), ("continue", "reasons"), ("skip", "confirm"), ("confirm", "done")):
        click(cold, action, step)
        cold.wait_for_load_state("networkidle")
    context.close()

    assert sum(weights.values()) <= 40 * 1024, weights
    assert all(url.startswith(live_server.url) for url in weights), "something came from elsewhere"
