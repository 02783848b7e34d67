"""The five stories as contracts of the demo, each played on a phone in its customer's own language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from cancellation.models import Cancellation
from cancellation.quotes import Quote
from config.demo import STORIES
from config.formats import format_day, format_instant
from feedback.models import Answer
from subscriptions.formats import format_money
from subscriptions.models import Contract
from subscriptions.reading import zone
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.voices.conftest import Postbox, language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(browser: Browser, live_server: Any) -> Iterator[Callable[[str], Page]]:
    """Return a phone that is signed in as the customer of a story, in their language, on their contract."""
    contexts = []

    def on(slug: str) -> Page:
        story = next(one for one in STORIES if one.slug == slug)
        contract = Contract.objects.select_related("customer").get(reference=story.reference)
        context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
        contexts.append(context)
        customer = contract.customer
        cookie = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": live_server.url}])
        language(context, story.locale, live_server.url)
        page = context.new_page()
        page.goto(f"{live_server.url}/contracts/{contract.reference}/")
        return page

    yield on
    for context in contexts:
        context.close()


def go(page: Page, *ways: tuple[str, str]) -> None:
    for action, step in ways:
        page.locator(f"[data-action={action}]").first.click()
        page.locator(f"main[data-step={step}]").wait_for()


def ended(reference: str) -> tuple[Cancellation, Quote]:
    cancellation = Cancellation.objects.select_related("notice", "contract").get(contract__reference=reference)
    return cancellation, Quote.from_dict(cancellation.quote)


def test_voice_1_the_bundle_shows_the_day_that_saves_a_month_and_pays_back_whole_months(
    phone: Callable[[str], Page], postbox: Postbox, picture: Callable[[Page, str], None]
) -> None:
    page = phone("hosting")
    picture(page, "hosting-contract-ja")
    go(page, ("start", "overview"))
    picture(page, "hosting-overview-ja")
    shown = page.locator("main").inner_text()
    go(page, ("cancel-now", "done"))

    cancellation, quote = ended("C-HOSTING")
    assert quote.latest_notice_day is not None
    assert quote.if_missed_last_day is not None
    for day in (quote.last_day, quote.latest_notice_day, quote.if_missed_last_day):
        assert format_day(day, "ja") in shown
    assert "aoki-haruka.example" in shown
    # Paid for a year: what comes back is a whole number of twelfths, rounded up to the yen.
    months = -(-quote.refund.minor * 12 // 13_200)
    assert quote.refund.minor == -(-13_200 * months // 12)
    assert format_money(quote.refund, "ja") in shown
    assert postbox.newest()["To"] == "hosting@customer.example"
    assert format_day(cancellation.last_day, "ja") in postbox.text()


@pytest.mark.crowd
def test_voice_2_several_reasons_reach_the_manager(
    phone: Callable[[str], Page],
    postbox: Postbox,
    live_server: Any,
    browser: Browser,
    picture: Callable[[Page, str], None],
) -> None:
    page = phone("agency")
    go(page, ("start", "overview"), ("continue", "reasons"))
    picture(page, "agency-reasons-de")
    for code in ("relationship-unreachable", "outcome-results"):
        page.locator(f"input[name=reasons][value={code}]").check()
    page.locator("#id_primary").select_option("relationship-unreachable")
    page.locator("#id_words").fill("Zwei Wochen keine Antwort – dann eine Rechnung.")
    go(page, ("continue", "options"), ("decline", "confirm"), ("confirm", "done"))
    postbox.letters()

    cancellation, _quote = ended("C-AGENCY")
    answer = Answer.objects.get(cancellation_id=cancellation.pk)
    assert answer.root == "relationship"
    assert set(answer.reasons.values_list("code", flat=True)) == {"relationship-unreachable", "outcome-results"}

    get_user_model().objects.create_superuser("manager", password="a long enough secret")
    desk = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB").new_page()
    desk.goto(f"{live_server.url}/reports/reasons/")
    desk.get_by_label("Username").fill("manager")
    desk.get_by_label("Password").fill("a long enough secret")
    desk.locator("[type=submit]").first.click()
    desk.wait_for_url("**/reports/reasons/**")
    expect(desk.locator("main")).to_contain_text("Relationship")
    picture(desk, "report")
    desk.context.close()


def test_voice_3_the_sleeping_contract_ends_with_a_proof_in_the_customers_hands(
    phone: Callable[[str], Page], postbox: Postbox, picture: Callable[[Page, str], None]
) -> None:
    page = phone("sleeping")
    picture(page, "sleeping-contract-pl")
    contract = Contract.objects.get(reference="C-SLEEPING")
    last_used = contract.activities.order_by("-day").values_list("day", flat=True)[0]
    expect(page.locator("main")).to_contain_text(format_day(last_used, "pl"))
    go(page, ("start", "overview"), ("cancel-now", "done"))

    cancellation, _quote = ended("C-SLEEPING")
    assert cancellation.notice is not None
    received = format_instant(cancellation.notice.received_at.astimezone(zone("Europe/Warsaw")), "pl")
    for proof in (cancellation.notice.reference, cancellation.notice.declaration, received):
        expect(page.locator("main")).to_contain_text(proof)
        assert " ".join(proof.split()) in " ".join(postbox.text().split())
    picture(page, "sleeping-done-pl")


def test_voice_4_the_audiobook_shop_says_goodbye_and_leaves_the_door_open(
    phone: Callable[[str], Page], postbox: Postbox, picture: Callable[[Page, str], None]
) -> None:
    page = phone("audiobooks")
    picture(page, "contract")
    go(page, ("start", "overview"))
    picture(page, "overview")
    go(page, ("continue", "reasons"))
    picture(page, "reasons")
    go(page, ("skip", "confirm"))
    picture(page, "confirm")
    go(page, ("confirm", "done"))
    picture(page, "done")

    stays = "every audiobook you bought stay with you"
    expect(page.locator("main")).to_contain_text(stays)
    assert stays in postbox.text()
    assert not Answer.objects.filter(contract__reference="C-AUDIO").exists()
    page.locator("[data-action=undo]").click()
    expect(page.locator("[data-action=start]")).to_be_visible()


def test_voice_5_a_fixed_term_shows_its_agreed_end_and_all_that_is_still_due(
    phone: Callable[[str], Page], picture: Callable[[Page, str], None]
) -> None:
    page = phone("moved")
    go(page, ("start", "overview"))
    picture(page, "moved-overview-fr")
    shown = page.locator("main").inner_text()
    go(page, ("cancel-now", "done"))

    cancellation, quote = ended("C-MOVED")
    starts_on = cancellation.contract.starts_on
    assert cancellation.last_day == starts_on.replace(year=starts_on.year + 2) - timedelta(days=1)
    assert quote.charges > 12
    assert quote.charges_total.minor == quote.charges * 3_999
    assert format_money(quote.charges_total, "fr") in shown
    assert quote.fee.minor == 0


@pytest.mark.crowd
def test_the_demo_is_loaded_once() -> None:
    before = Contract.objects.count()

    call_command("demo")

    assert Contract.objects.count() == before > 300
    assert Answer.objects.count() > 100
