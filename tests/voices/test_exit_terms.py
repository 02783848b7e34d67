"""Voice 5: a fixed term that somebody cannot use any more. Honest exit terms, and hardship, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page, expect

from cancellation.models import Cancellation, Judgement, Way
from cancellation.queries import agreed_of
from cancellation.quotes import Quote
from config.formats import format_day
from subscriptions.formats import format_money
from subscriptions.models import Contract
from tests.voices.conftest import Postbox

pytestmark = pytest.mark.browser
MOVED = "moved@customer.example"


def overview(page: Page) -> None:
    page.goto(page.url.replace("/account/", "/contracts/C-MOVED/"))
    page.locator("main [data-action=start]").click()
    page.locator("main[data-step=overview]").wait_for()


def a_month_ahead() -> date:
    contract = Contract.objects.get(reference="C-MOVED")
    return max(contract.starts_on, date.today()) + timedelta(days=30)  # noqa: DTZ011 - any day ahead will do


def test_voice_5_exit_terms_cost_what_is_not_yet_paid_back_and_nothing_beyond(
    page: Page,
    sign_in: Callable[[Page, str], None],
    postbox: Postbox,
    axe: Callable[[Page], None],
    picture: Callable[[Page, str], None],
    request: pytest.FixtureRequest,
) -> None:
    # The checker is a script itself.
    look = axe if "with-javascript" in request.node.name else lambda page: None
    sign_in(page, MOVED)
    overview(page)
    leaving = page.locator("#way-early_release")
    expect(leaving).to_contain_text("costs least")
    day = a_month_ahead()

    leaving.get_by_label("Last day").fill(day.isoformat())
    leaving.get_by_role("button").click()
    expect(page.locator(".act .line")).to_contain_text(format_day(day, "en"))
    look(page)
    picture(page, "exit-terms")
    told = page.locator("main").inner_text()
    page.locator("[data-action=cancel-now]").click()
    page.locator("main[data-step=done]").wait_for()

    cancellation = Cancellation.objects.get(contract__reference="C-MOVED")
    quote = Quote.from_dict(cancellation.quote)
    assert (cancellation.way, cancellation.last_day) == (Way.EARLY_RELEASE, day)
    parts = dict(quote.fee_parts)
    # The smallest of all that bounds it, and here that is what the up-front cost still lacks.
    assert quote.fee == parts["upfront"] == min(parts.values(), key=lambda money: money.minor)
    assert 0 < quote.fee.minor < agreed_of(cancellation.contract).upfront_cost.minor  # type: ignore[union-attr]
    for money in parts.values():
        assert format_money(money, "en") in told
    expect(page.locator("main")).to_contain_text(format_money(quote.fee, "en"))
    look(page)
    assert format_money(quote.fee, "en") in postbox.text()
    assert format_day(day, "en") in postbox.text()


def test_voice_5_hardship_is_asked_without_a_fee_and_a_person_grants_it(
    page: Page, browser: Browser, sign_in: Callable[[Page, str], None], postbox: Postbox, live_server: Any
) -> None:
    sign_in(page, MOVED)
    overview(page)
    page.locator(".act").get_by_role("link", name="Ask for an end without a fee").click()
    page.get_by_label("I moved to where it does not reach").check()
    page.locator("[data-action=cancel-now]").click()
    page.locator("main[data-step=done]").wait_for()

    cancellation = Cancellation.objects.get(contract__reference="C-MOVED")
    expect(page.locator("main")).to_contain_text("A person looks at it")
    assert cancellation.judgement == Judgement.OPEN
    assert cancellation.notice is not None
    assert cancellation.notice.asks["ground"] == "moved"
    assert "safe meanwhile" in postbox.text()

    get_user_model().objects.create_superuser("agent", password="a long enough secret")
    desk = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB").new_page()
    desk.goto(f"{live_server.url}/admin/")
    desk.get_by_label("Username").fill("agent")
    desk.get_by_label("Password").fill("a long enough secret")
    desk.locator("[type=submit]").first.click()
    desk.get_by_role("link", name="earlier ends to judge").click()
    desk.locator("#result_list tbody a").first.click()
    desk.get_by_role("link", name="Judge the earlier end").click()
    desk.get_by_label("Grant the earlier end").check()
    granted = cancellation.received_on + timedelta(days=5)
    desk.get_by_label("Last day, if granted").fill(granted.isoformat())
    desk.get_by_label("Reason, in words").fill("Moved out of reach; the certificate came today.")
    desk.get_by_role("button", name="Decide").click()
    expect(desk.locator(".messagelist")).to_contain_text("ends earlier now")
    desk.context.close()

    cancellation.refresh_from_db()
    assert (cancellation.last_day, cancellation.fee_minor) == (granted, 0)
    assert format_day(granted, "en") in postbox.text()
