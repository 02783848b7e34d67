"""Finish later, on another device; the one message to a way left half-way; and no further contact, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cancellation import halfway
from cancellation.models import Cancellation, Notice, Visit
from feedback.models import Answer
from messaging import suppression
from messaging.models import Fault, Letter
from subscriptions.models import Customer
from tests.voices.conftest import Postbox

pytestmark = pytest.mark.browser
AUDIO = "audiobooks@customer.example"


@pytest.fixture
def look(request: pytest.FixtureRequest, axe: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a check of a page; the checker is a script itself, so without scripts it looks at nothing."""
    return axe if "with-javascript" in request.node.name else lambda page: None


def click(page: Page, action: str, step: str | None = None) -> None:
    page.locator(f"main [data-action={action}]").first.click()
    if step:
        page.locator(f"main[data-step={step}]").wait_for()


def as_far_as_the_reasons(page: Page) -> None:
    """Begin to cancel, tick a reason, write some words."""
    page.get_by_role("link", name="Membership").click()
    click(page, "start", "overview")
    click(page, "continue", "reasons")
    page.get_by_label("It costs too much").check()
    page.locator("#id_words").fill("Not now.")


def no_overflow(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 390, "height": 844})


def test_put_off_on_the_phone_and_finished_on_another_device(
    page: Page,
    browser: Browser,
    sign_in: Callable[[Page, str], None],
    postbox: Postbox,
    look: Callable[[Any], None],
    picture: Callable[[Page, str], None],
) -> None:
    sign_in(page, AUDIO)
    as_far_as_the_reasons(page)
    click(page, "later", "later")

    expect(page.locator("main")).to_contain_text("You have not cancelled. Your contract goes on.")
    expect(page.locator("main")).to_contain_text("your notice has to come by")
    no_overflow(page)
    look(page)
    picture(page, "finish-later")
    assert not Notice.objects.exists()

    assert postbox.newest()["Subject"] == "Your link to finish the cancellation of C-AUDIO later"
    link = postbox.link("/cancel/go-on/")
    elsewhere = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    desktop = elsewhere.new_page()
    desktop.goto(link)
    desktop.get_by_label("E-mail").fill(AUDIO)
    desktop.locator("main form button[type=submit]").first.click()
    desktop.goto(postbox.link("/sign-in/"))
    desktop.locator("main form button[type=submit]").first.click()
    desktop.locator("main[data-step=reasons]").wait_for()
    expect(desktop.get_by_label("It costs too much")).to_be_checked()
    expect(desktop.locator("#id_words")).to_have_value("Not now.")

    click(desktop, "cancel-now", "done")
    elsewhere.close()

    assert Cancellation.objects.get().contract.reference == "C-AUDIO"
    postbox.letters()
    answer = Answer.objects.get()
    assert (answer.words, [reason.label for reason in answer.reasons.all()]) == ("Not now.", ["It costs too much"])
    assert Visit.objects.count() == 1


def test_a_way_left_half_way_is_written_about_once_and_leads_back(
    page: Page, sign_in: Callable[[Page, str], None], postbox: Postbox
) -> None:
    sign_in(page, AUDIO)
    as_far_as_the_reasons(page)
    click(page, "continue")
    page.locator("main[data-step=reasons]").wait_for(state="detached")
    before = len(postbox.letters())

    tomorrow = timezone.now() + timedelta(hours=25)
    assert [halfway.write_to_who_left(now=tomorrow + timedelta(hours=n)) for n in (0, 1)] == [1, 0]

    assert len(postbox.letters()) == before + 1
    assert "Nothing has happened: the contract goes on." in postbox.text()
    step = Visit.objects.get().step
    page.goto(postbox.link("/cancel/go-on/"))
    page.locator(f"main[data-step={step}]").wait_for()
    click(page, "keep")
    assert not Notice.objects.exists()


def test_no_further_contact_is_kept_and_can_be_taken_back(
    page: Page,
    sign_in: Callable[[Page, str], None],
    postbox: Postbox,
    look: Callable[[Any], None],
    picture: Callable[[Page, str], None],
) -> None:
    sign_in(page, AUDIO)
    page.get_by_role("link", name="Membership").click()
    click(page, "start", "overview")
    click(page, "cancel-now", "done")
    click(page, "no-contact")
    expect(page.locator("main")).to_contain_text("we send you only what is necessary, and nothing else")
    look(page)
    customer = Customer.objects.get(email=AUDIO)
    assert suppression.is_suppressed(customer)

    # What is necessary still comes: the undo is confirmed.
    click(page, "undo")
    page.wait_for_url("**undone=1")
    assert postbox.newest()["Subject"] == "Your contract C-AUDIO goes on"

    # What is not is kept on file and goes nowhere, even where it was promised before.
    page.goto(page.url.split("?")[0])
    click(page, "start", "overview")
    click(page, "continue", "reasons")
    suppression.lift(customer=customer, actor=f"customer:{customer.pk}", at=timezone.now())
    assert halfway.write_to_who_left(now=timezone.now() + timedelta(hours=25)) == 1
    page.goto(page.url.partition("/contracts/")[0] + "/account/choices/")
    click(page, "no-contact")
    expect(page.locator("main")).to_contain_text("we send you only what is necessary, for you asked us")
    before = len(postbox.sink.messages)
    assert len(postbox.letters()) == before
    assert Letter.objects.get(kind="halfway").undeliverable == Fault.NOT_WANTED

    no_overflow(page)
    look(page)
    page.get_by_label("News, and an invitation").check()
    click(page, "save")
    expect(page.get_by_label("News, and an invitation")).to_be_checked()
    expect(page.locator("main")).to_contain_text("Yes, since")
    picture(page, "choices")
    click(page, "contact")
    expect(page.locator("main [data-action=no-contact]")).to_be_visible()
    assert not suppression.is_suppressed(customer)
