"""Voice 1: a new provider announces, the holder answers from the mail, and the day of the announcement counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Browser, Page, expect

from cancellation import announcements
from cancellation.models import Announcement, AnnouncementState, Cancellation, Channel, State
from config.formats import format_day
from outbox.drain import drain
from subscriptions.models import Contract
from tests.conftest import Sink
from tests.factories import make_contract, make_customer, pay, terms_dict
from tests.voices.conftest import language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# 31 May, late in the evening in Berlin; the yes comes two days later. The terms: month's end, one month's notice.
ANNOUNCED = datetime(2027, 5, 31, 20, 0, tzinfo=UTC)
ANSWERED = datetime(2027, 6, 2, 9, 0, tzinfo=UTC)
HOLDER, AGENT = "haruka@example.org", "transfers@harbour.example"


@pytest.fixture
def bundle() -> Contract:
    """Return a domain and a server in one contract, paid for May."""
    contract = make_contract(
        terms=terms_dict(), customer=make_customer(name="Aoki Haruka", email=HOLDER), reference="C-BUNDLE"
    )
    contract.components.create(kind="domain", name="haruka.example")
    contract.components.create(kind="server", name="web-4127")
    pay(contract, "2027-05-01", "2027-05-31", 1200)
    return contract


@pytest.fixture
def clock() -> Iterator[Callable[[datetime], None]]:
    """Return a hand on the clock of server and worker; the browser keeps its own."""
    hands: list[Any] = []

    def turn_to(at: datetime) -> None:
        for hand in hands:
            hand.stop()
        hands[:] = [time_machine.travel(at)]
        hands[0].start()

    yield turn_to
    for hand in hands:
        hand.stop()


def mail_to(sink: Sink, address: str) -> EmailMessage:
    drain()
    return next(mail for mail in reversed(sink.messages) if mail["To"] == address)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def announce(page: Page, site: str) -> None:
    page.goto(f"{site}/sign-in/")
    page.get_by_role("link", name="Announce their move here").click()
    page.get_by_label("Your name").fill("Mika Saarinen")
    page.get_by_label("Your company").fill("Harbour Hosting")
    page.get_by_label("Your e-mail address").fill(AGENT)
    page.get_by_label("Contract number or domain").fill("Haruka.example")
    page.get_by_label("Name of the holder").fill("aoki haruka")
    page.locator("[data-action=confirm]").click()
    page.locator("main[data-step=done]").wait_for()


def test_voice_1_an_announcement_on_31_may_and_a_yes_on_2_june_save_a_month(
    page: Page,
    bundle: Contract,
    live_server: Any,
    sink: Sink,
    clock: Callable[[datetime], None],
    picture: Callable[[Page, str], None],
) -> None:
    clock(ANNOUNCED)
    announce(page, live_server.url)
    announcement = Announcement.objects.get(agent_email=AGENT)
    expect(page.locator("main")).to_contain_text(announcement.reference)
    assert page.context.cookies() == [] or {cookie["name"] for cookie in page.context.cookies()} == {"csrftoken"}

    # The announcer hears that it arrived, and nothing of the contract.
    told = text_of(mail_to(sink, AGENT))
    assert announcement.reference in told
    assert not any(secret in told for secret in ("Haruka", "haruka", "C-BUNDLE", "30 June"))

    # The holder is asked, two days later opens the link, and answers without a sign-in.
    asked = text_of(mail_to(sink, HOLDER))
    assert "the contract then ends on 30 June 2027" in asked
    link = re.search(rf"{live_server.url}/announce/\S+", asked)
    assert link is not None
    clock(ANSWERED)
    page.goto(link[0])
    picture(page, "announcement")
    main = page.locator("main")
    for fact in ("30 June 2027", "31 July 2027", "Mika Saarinen", "Harbour Hosting"):
        expect(main).to_contain_text(fact)
    page.locator("[data-action=accept]").click()
    page.locator("main[data-step=done]").wait_for()

    cancellation = Cancellation.objects.select_related("notice").get(contract=bundle)
    assert cancellation.notice is not None
    assert cancellation.last_day == date(2027, 6, 30)
    assert (cancellation.notice.received_at, cancellation.notice.channel) == (
        announcement.received_at,
        Channel.AGENT,
    )
    expect(main).to_contain_text("Your contract ends on 30 June 2027")
    assert "30 June 2027" in text_of(mail_to(sink, HOLDER))
    # The announcer does not hear the answer.
    drain()
    assert sum(mail["To"] == AGENT for mail in sink.messages) == 1

    # A no afterwards changes nothing; the way back is the undo.
    page.goto(link[0])
    expect(page.locator("[data-action]").filter(has_text="No, it goes on")).to_have_count(0)
    expect(page.get_by_role("link", name="To the page of your contract")).to_be_visible()
    assert Cancellation.objects.get(contract=bundle).state == State.SCHEDULED


def test_no_changes_nothing_and_a_yes_stays_open(
    page: Page, bundle: Contract, live_server: Any, sink: Sink, clock: Callable[[datetime], None]
) -> None:
    clock(ANNOUNCED)
    announce(page, live_server.url)
    drain()
    announcement = Announcement.objects.get(agent_email=AGENT)
    page.goto(f"{live_server.url}/announce/{announcement.key}/")

    page.locator("[data-action=decline]").click()
    expect(page.get_by_role("status")).to_contain_text("Your answer was no.")
    announcement.refresh_from_db()
    assert announcement.state == AnnouncementState.NO
    page.locator("[data-action=not-mine]").click()
    expect(page.get_by_role("status")).to_contain_text("A person looks into it")
    assert not Cancellation.objects.filter(contract=bundle).exists()

    page.locator("[data-action=accept]").click()
    page.locator("main[data-step=done]").wait_for()
    assert Cancellation.objects.get(contract=bundle).last_day == date(2027, 6, 30)


def test_what_is_missing_is_marked_and_what_was_typed_stays(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/announce/")
    page.get_by_label("A message for the holder").fill("Zażółć 青木 <b>")
    page.locator("[data-action=confirm]").click()

    expect(page.locator("[aria-invalid=true]")).to_have_count(4)
    expect(page.get_by_label("A message for the holder")).to_have_value("Zażółć 青木 <b>")


def test_the_demo_shows_an_announcement_that_waits_for_its_holder(page: Page, live_server: Any, sink: Sink) -> None:
    announcement = Announcement.objects.select_related("contract").get()
    assert announcement.contract is not None
    assert (announcement.contract.reference, announcement.state) == ("C-HOSTING", AnnouncementState.ASKED)
    assert mail_to(sink, "hosting@customer.example")["Content-Language"] == "ja"

    page.goto(f"{live_server.url}/announce/{announcement.key}/")
    expect(page.locator("[data-action=accept]")).to_be_visible()


def test_the_pages_are_accessible_fit_a_phone_and_break_no_policy(
    browser: Browser, live_server: Any, axe: Callable[..., None]
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    announcement = Announcement.objects.get()

    def look(*, with_colours: bool = True) -> None:
        axe(page, with_colours=with_colours)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"
        assert page.locator("h1").count() == 1, page.url

    for code in ("en", "de", "fr", "pl", "ja"):
        language(context, code, live_server.url)
        page.goto(f"{live_server.url}/announce/")
        look(with_colours=code == "en")
        page.locator("#id_agent_name").fill("ein-sehr-langer-name-ohne-leerzeichen-" * 4)
        page.locator("#id_agent_email").fill(f"a-{code}@harbour.example")
        page.locator("#id_about").fill("nobody.example")
        page.locator("#id_holder_name").fill("Nobody")
        page.locator("[data-action=confirm]").click()
        page.locator("main[data-step=done]").wait_for()
        look(with_colours=code == "en")
        page.goto(f"{live_server.url}/announce/{announcement.key}/")
        look(with_colours=code == "en")
        page.locator("[data-action=decline]").click()
        page.get_by_role("status").wait_for()
        look(with_colours=code == "en")
    page.locator("[data-action=accept]").click()
    page.locator("main[data-step=done]").wait_for()
    look()
    cancellation = Cancellation.objects.get(contract__reference="C-HOSTING")
    expect(page.locator("h1")).to_contain_text(format_day(cancellation.last_day, "ja"))
    context.close()
    # 4xx answers would stand here, too.
    assert complaints == []


def test_the_three_answers_are_buttons_of_equal_rank(browser: Browser, live_server: Any) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    page.goto(f"{live_server.url}/announce/{Announcement.objects.get().key}/")
    read = """selector => {
        const element = document.querySelector(selector), s = getComputedStyle(element);
        const box = element.getBoundingClientRect();
        return [s.fontSize, s.fontWeight, s.color, s.backgroundColor, s.borderTopColor, s.borderTopWidth,
            Math.round(box.height), Math.round(box.width)] }"""

    looks = [page.evaluate(read, f"[data-action={action}]") for action in ("accept", "decline", "not-mine")]

    assert looks[0] == looks[1] == looks[2]
    page.context.close()


def test_a_hostile_name_stays_text(page: Page, bundle: Contract, live_server: Any, sink: Sink) -> None:
    alarms: list[str] = []
    page.on("dialog", lambda dialog: alarms.append(dialog.message))
    text = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202e'
    made = announcements.announce(
        told=announcements.Told(
            agent_name=text, agent_email=AGENT, about="C-BUNDLE", holder_email=HOLDER, words=text * 40
        ),
        token="x",
        locale="en",
        at=datetime.now(UTC),
    )
    drain()
    page.goto(f"{live_server.url}/announce/{made.key}/")

    expect(page.locator("main")).to_contain_text("onerror=alert(1)")
    assert page.locator("main img, main script").count() == 0
    assert alarms == []
