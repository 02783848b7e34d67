"""Voice 3 and voice 4 with options: what is proposed answers the reason, is few, and is open without leaving."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core import signing
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cancellation import offering
from cancellation.models import Acceptance, Cancellation, Offer, OfferDecision, OfferVersion, Visit, VisitOutcome
from config.formats import format_day
from feedback.models import Answer
from subscriptions.models import Contract, PlanPrice
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.voices.conftest import Postbox, language
from tests.voices.test_guided_way import click

pytestmark = pytest.mark.browser
LESS, TODAY, FIX, FRIEND = "half-for-three-months", "todays-price", "fix-it", "to-a-friend"
TEXTS = {
    LESS: {"en": ("Half the price for three months", "For when money is short."),
           "pl": ("Połowa ceny przez trzy miesiące", "Na czas, gdy pieniędzy jest mniej."),
           "ja": ("3か月間、半額", "出費を抑えたいときに。")},
    TODAY: {"en": ("Pay what new customers pay", "Your contract is older than our price list."),
            "pl": ("Płać tyle, co nowi klienci", "Umowa jest starsza niż nasz cennik."),
            "ja": ("新規のお客様と同じ料金", "ご契約は現在の料金表より前のものです。")},
    FIX: {"en": ("Tell us what is wrong", "A person takes it up at once."),
          "pl": ("Proszę opisać problem", "Zajmie się tym człowiek."),
          "ja": ("困っていることを知らせる", "担当者がすぐに対応します。")},
    FRIEND: {"en": ("Hand it to somebody else", "Somebody you know goes on with it."),
             "pl": ("Przekazanie umowy", "Umowę przejmie znajoma osoba."),
             "ja": ("ほかの方に譲る", "お知り合いの方が引き継ぎます。")},
}  # fmt: skip
KINDS = {
    LESS: ("discount", {"percent": 50, "periods": 3}, ["cost"]),
    TODAY: ("todays_price", {}, ["cost"]),
    FIX: ("fix", {}, ["cost", "outcome"]),
    FRIEND: ("hand_over", {}, ["circumstance"]),
}
READ = """element => {
    const s = getComputedStyle(element), box = element.getBoundingClientRect();
    return [s.fontSize, s.fontWeight, s.color, s.backgroundColor, s.borderTopColor, s.borderTopWidth, box.width] }"""


@pytest.fixture(autouse=True)
def _options(_stage: None) -> None:
    """Leave these options open, and no other ones."""
    Offer.objects.update(active=False)
    for position, (code, (kind, terms, reasons)) in enumerate(KINDS.items()):
        texts = {each: {"title": title, "text": text} for each, (title, text) in TEXTS[code].items()}
        values = {"kind": kind, "terms": terms, "reasons": reasons, "texts": texts, "position": position}
        offer = Offer.objects.create(code=code, valid_from=date(2020, 1, 1), **values)
        OfferVersion.objects.create(
            offer=offer, version=1, definition={"kind": kind, "terms": terms}, at=timezone.now(), actor="test"
        )
    for reference in ("C-AUDIO", "C-SLEEPING"):
        contract = Contract.objects.get(reference=reference)
        PlanPrice.objects.update_or_create(
            plan=contract.plan,
            valid_from=timezone.localdate(),
            defaults={"price_minor": contract.price_minor * 8 // 10, "currency": contract.currency},
        )
    offering.forget_offers()


def enter(page: Page, reference: str, live_server: Any, locale: str = "en", path: str = "") -> Contract:
    """Open a contract as its holder."""
    contract = Contract.objects.select_related("customer").get(reference=reference)
    customer = contract.customer
    cookie = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": live_server.url}])
    language(page.context, locale, live_server.url)
    page.goto(f"{live_server.url}/contracts/{reference}/{path}")
    return contract


def to_the_options(page: Page, *reasons: str) -> None:
    click(page, "start", "overview")
    click(page, "continue", "reasons")
    for code in reasons or ("cost-too-high",):
        page.locator(f"input[name=reasons][value={code}]").check()
    click(page, "continue", "options")


def offers_on(page: Page) -> list[str]:
    return [one.get_attribute("data-offer") or "" for one in page.locator("[data-offer]").all()]


def test_voice_4_who_stays_firm_is_asked_once_and_leaves_in_peace(
    page: Page, live_server: Any, postbox: Postbox, picture: Callable[[Page, str], None]
) -> None:
    enter(page, "C-AUDIO", live_server)
    to_the_options(page)
    picture(page, "options")
    # Few, on one page, and each says what comes afterwards.
    assert offers_on(page) == [LESS, TODAY, FIX]
    expect(page.locator(f"[data-offer={LESS}]")).to_contain_text(re.compile("After 3 months, the price is £9.99"))

    click(page, "decline", "confirm")
    page.go_back()
    page.locator("main[data-step]").wait_for()
    # The back button, the address itself, and the reasons once more: after a no, none again.
    page.goto(f"{live_server.url}/contracts/C-AUDIO/cancel/options/")
    page.locator("main[data-step=confirm]").wait_for()
    assert offers_on(page) == []
    page.goto(f"{live_server.url}/contracts/C-AUDIO/cancel/reasons/")
    click(page, "continue", "confirm")
    click(page, "confirm", "done")

    assert Cancellation.objects.filter(contract__reference="C-AUDIO").exists()
    assert Visit.objects.get().outcome == VisitOutcome.OPEN
    assert not Acceptance.objects.exists()
    postbox.letters()
    answer = Answer.objects.get(contract__reference="C-AUDIO")
    assert answer.primary is not None
    assert answer.primary.code == "cost-too-high"
    stays = "every audiobook you bought stay with you"
    expect(page.locator("main")).to_contain_text(stays)
    assert stays in postbox.text()


def test_voice_4_an_option_that_answers_the_reason_is_agreed_to_and_the_way_out_stays_open(
    page: Page, live_server: Any, postbox: Postbox, picture: Callable[[Page, str], None]
) -> None:
    enter(page, "C-AUDIO", live_server)
    to_the_options(page)
    page.locator(f"[data-offer={LESS}] [data-action=accept]").click()
    page.locator("main[data-step=agreed]").wait_for()
    picture(page, "agreed")

    one = Acceptance.objects.get()
    for words in (one.reference, format_day(one.starts_on, "en"), "£9.99", "£4.99", one.afterwards):
        expect(page.locator("main")).to_contain_text(words)
    assert Visit.objects.get().outcome == VisitOutcome.KEPT
    assert one.reference in postbox.text()
    click(page, "keep")
    page.locator("[data-action=options]").wait_for()
    picture(page, "contract-agreed")
    expect(page.locator("main")).to_contain_text("£4.99")

    click(page, "start", "overview")
    click(page, "cancel-now", "done")
    assert Cancellation.objects.filter(contract__reference="C-AUDIO").exists()


def test_voice_3_the_business_tells_an_old_contract_todays_price_and_nobody_has_to_leave_for_it(
    page: Page, live_server: Any, postbox: Postbox, picture: Callable[[Page, str], None]
) -> None:
    contract = enter(page, "C-SLEEPING", live_server, "pl")
    before = contract.price_minor
    click(page, "options")
    page.locator("main[data-step=options-page]").wait_for()
    picture(page, "options-page-pl")
    assert set(offers_on(page)) == {LESS, TODAY, FIX, FRIEND}
    expect(page.locator(f"[data-offer={TODAY}]")).to_contain_text("Płać tyle, co nowi klienci")
    # The way out is on the same page, in the same dress.
    leave, agree = page.locator("[data-action=start]"), page.locator("[data-action=accept]").first
    assert leave.evaluate(READ) == agree.evaluate(READ)

    page.locator(f"[data-offer={TODAY}] [data-action=accept]").click()
    page.locator("main[data-step=agreed]").wait_for()

    contract.refresh_from_db()
    assert contract.price_minor == before * 8 // 10
    one = Acceptance.objects.get()
    assert one.visit is None
    assert not Visit.objects.exists()
    assert one.reference in postbox.text()


def test_voice_3_a_problem_reaches_a_person_with_the_words_that_were_typed(page: Page, live_server: Any) -> None:
    enter(page, "C-SLEEPING", live_server, "pl", "options/")
    page.locator(f"[data-offer={FIX}] textarea").fill("Nie umiem się zalogować 😀")
    page.locator(f"[data-offer={FIX}] [data-action=accept]").click()
    page.locator("main[data-step=agreed]").wait_for()
    expect(page.locator("main")).to_contain_text("Nie umiem się zalogować 😀")

    page.goto(f"{live_server.url}/contracts/C-SLEEPING/options/")
    page.locator(f"[data-offer={FRIEND}] [name=person_name]").fill("Zoë")
    page.locator(f"[data-offer={FRIEND}] [name=person_email]").fill("zoe at example")
    page.locator(f"[data-offer={FRIEND}] [data-action=accept]").click()
    expect(page.locator(f"[data-offer={FRIEND}] .errorlist")).to_be_visible()
    expect(page.locator(f"[data-offer={FRIEND}] [name=person_name]")).to_have_value("Zoë")
    page.locator(f"[data-offer={FRIEND}] [name=person_email]").fill("zoe@example.org")
    page.locator(f"[data-offer={FRIEND}] [data-action=accept]").click()
    page.locator("main[data-step=agreed]").wait_for()
    assert Acceptance.objects.count() == 2


def test_every_option_of_the_way_out_stands_on_the_page_that_is_open_without_leaving(
    page: Page, live_server: Any
) -> None:
    enter(page, "C-AUDIO", live_server)
    to_the_options(page)
    in_flow = offers_on(page)

    page.goto(f"{live_server.url}/contracts/C-AUDIO/options/")

    assert set(in_flow) <= set(offers_on(page))


def test_an_agreement_is_taken_back_with_one_click(page: Page, live_server: Any) -> None:
    enter(page, "C-AUDIO", live_server, path="options/")
    page.locator(f"[data-offer={LESS}] [data-action=accept]").click()
    page.locator("main[data-step=agreed]").wait_for()

    click(page, "undo")

    expect(page.locator("h1")).to_contain_text("Taken back")
    assert Acceptance.objects.get().state == "reverted"


def test_the_reasons_of_a_german_consumer_stand_after_the_act(page: Page, live_server: Any, postbox: Postbox) -> None:
    Contract.objects.filter(reference="C-AGENCY").update(is_consumer=True)
    enter(page, "C-AGENCY", live_server, "de")
    click(page, "start", "overview")
    assert page.locator("main [data-action=continue], main [data-offer]").count() == 0
    click(page, "cancel-now", "done")
    click(page, "continue", "why")
    page.locator("input[name=reasons][value=relationship-unreachable]").check()
    page.locator("#id_words").fill("Zwei Wochen keine Antwort.")
    click(page, "continue", "done")

    postbox.letters()
    assert Answer.objects.get(contract__reference="C-AGENCY").words == "Zwei Wochen keine Antwort."
    assert page.locator("[data-action=continue]").count() == 0


# ---------------------------------------------------------------- R14 in the browser


def test_r14_leaving_is_first_and_looks_like_every_other_control(page: Page, live_server: Any) -> None:
    enter(page, "C-AUDIO", live_server)
    to_the_options(page)

    # The pointer rests where the last page had its button: it must not colour one of these.
    page.mouse.move(0, 0)
    assert 1 <= len(offers_on(page)) <= 3
    # "Finish later" alone is plainer than leaving; nothing is stronger.
    controls = page.locator("main [data-action]:not([data-action=later])")
    assert controls.first.get_attribute("data-action") == "cancel-now"
    drawn = {str(control.evaluate(READ)) for control in controls.all()}
    assert len(drawn) == 1, drawn
    heights = [box["height"] for control in controls.all() if (box := control.bounding_box())]
    leaving = page.locator("[data-action=cancel-now]").bounding_box()
    assert leaving is not None
    assert leaving["height"] >= max(heights) - 1
    assert leaving["y"] + leaving["height"] <= 844
    assert page.locator("main :checked").count() == 0
    assert page.locator("dialog, [popover], [autofocus]:not(h1)").count() == 0


def test_r14_the_keyboard_meets_cancel_now_first(browser: Browser, live_server: Any) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    enter(page, "C-AUDIO", live_server)
    to_the_options(page)
    page.locator("main").focus()

    met = []
    for _stop in range(12):
        page.keyboard.press("Tab")
        met.append(page.evaluate("document.activeElement.dataset.action || document.activeElement.name || ''"))

    assert met[:6] == ["cancel-now", "keep", "accept", "accept", "words", "accept"]
    assert met[6] == "decline"
    page.context.close()


def test_r14_no_option_stands_on_a_german_page_before_the_act(page: Page, live_server: Any) -> None:
    Contract.objects.filter(reference="C-AGENCY").update(is_consumer=True)
    enter(page, "C-AGENCY", live_server, "de")
    for path in ("cancel/", "cancel/reasons/", "cancel/options/", "cancel/confirm/"):
        page.goto(f"{live_server.url}/contracts/C-AGENCY/{path}")
        assert page.locator("[data-offer], [data-action=options]").count() == 0, path
    for door in ("/cancel/de/", "/cancel/", "/withdraw/de/"):
        page.goto(f"{live_server.url}{door}")
        assert page.locator("[data-offer], main a[href*=options]").count() == 0, door
    assert not OfferDecision.objects.exists()


def test_the_pages_of_options_are_accessible_and_fit_a_small_phone(
    browser: Browser, axe: Callable[[Page], None], live_server: Any, picture: Callable[[Page, str], None]
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    def look(name: str) -> None:
        axe(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"
        assert page.locator("h1").count() == 1
        picture(page, name)

    for code in ("en", "de", "fr", "pl", "ja"):
        context.clear_cookies()
        enter(page, "C-AUDIO", live_server, code)
        look(f"small-contract-{code}")
        to_the_options(page)
        look(f"small-options-{code}")
        page.goto(f"{live_server.url}/contracts/C-AUDIO/options/")
        look(f"small-options-page-{code}")
    page.locator(f"[data-offer={FRIEND}] [data-action=accept]").click()
    page.locator(".errorlist").first.wait_for()
    look("small-options-page-wrong")
    page.locator(f"[data-offer={LESS}] [data-action=accept]").click()
    page.locator("main[data-step=agreed]").wait_for()
    look("small-agreed")
    click(page, "keep")
    page.locator("[data-action=start]").wait_for()
    look("small-contract-agreed")
    Contract.objects.filter(reference="C-AGENCY").update(is_consumer=True)
    context.clear_cookies()
    enter(page, "C-AGENCY", live_server, "en")
    click(page, "start", "overview")
    look("small-overview-german")
    click(page, "cancel-now", "done")
    look("small-done-german")
    click(page, "continue", "why")
    look("small-why")
    context.close()
    # A refused form is a refused form: the browser says so, too.
    assert [one for one in complaints if "422" not in one] == []
