"""The public doors in a real browser: every place, phone and screen, with scripts and without, by keyboard, too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cancellation.models import Cancellation, Declared, Evidence, Notice, NoticeState, Receipt
from config.formats import format_day
from subscriptions import places
from subscriptions.models import Contract
from tests.voices.conftest import Postbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CODES = ("default", "de", "fr", "pl", "uk", "us-ca", "us-ny", "us-mn", "jp")
WITH_WITHDRAWAL = ("default", "de", "fr", "pl", "uk")
PHONE, SCREEN = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
SAID = {"name": "Ada Wren", "reference": "none of yours", "email": "ada@example.org"}
# How a colour is seen against what lies behind it, and how large a text is.
SEEN = """(element) => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let behind = element;
  const ground = () => parse(getComputedStyle(behind).backgroundColor);
  while (behind.parentElement && ground()[3] === 0) behind = behind.parentElement;
  const style = getComputedStyle(element);
  const [a, b] = [light(parse(style.color)), light(ground())].sort((x, y) => y - x);
  const box = element.getBoundingClientRect();
  return { contrast: (a + 0.05) / (b + 0.05), size: parseFloat(style.fontSize), height: box.height, width: box.width,
           text: element.textContent, weight: style.fontWeight };
}"""


@contextmanager
def opened(browser: Browser, **given: Any) -> Iterator[Page]:
    """Open a fresh profile that lets nobody but this desk in, and counts who else is asked."""
    context = browser.new_context(**{"viewport": PHONE, "locale": "en-GB", "reduced_motion": "reduce", **given})
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def fill(page: Page, **said: str) -> None:
    for name, text in said.items():
        page.locator(f"#id_{name}").fill(text)


def needed_of(code: str, today: date) -> dict[str, str]:
    return {name: SAID[name] for name in places.packs()[code].get("mandatory_fields", today)}


PUBLIC = ["/sign-in/", "/no-such-page/", "/receipts/verify", "/rules/", "/announce/", "/sign-in/forged/", "/cancel/"]


@pytest.mark.parametrize("viewport", [PHONE, SCREEN], ids=["phone", "screen"])
def test_r01_the_entry_stands_in_plain_sight_on_every_public_page(
    browser: Browser, live_server: Any, viewport: dict[str, int]
) -> None:
    for scheme in ("light", "dark"):
        with opened(browser, viewport=viewport, color_scheme=scheme, java_script_enabled=True) as page:
            for path in PUBLIC:
                page.goto(live_server.url + path)
                entry = page.locator("[data-entry=cancel]")
                expect(entry).to_be_visible()
                seen = entry.evaluate(SEEN)
                around = sorted(
                    page.locator("footer :is(a, p, button)").evaluate_all(
                        "all => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
                    )
                )
                assert seen["text"] == "Cancel contracts here", path
                assert seen["contrast"] >= 4.5, (path, scheme, seen)
                assert seen["size"] >= around[len(around) // 2], path
                assert seen["height"] >= 44, path
                other = page.locator("[data-entry=withdraw]").evaluate(SEEN)
                assert (other["size"], other["weight"], other["height"]) == (
                    seen["size"],
                    seen["weight"],
                    seen["height"],
                )


def test_r02_one_click_leads_to_the_form_without_script_cookie_or_sign_in(browser: Browser, live_server: Any) -> None:
    with opened(browser, java_script_enabled=False) as page:
        page.goto(f"{live_server.url}/no-such-page/")
        with page.expect_navigation() as led:
            page.locator("[data-entry=cancel]").click()
        assert led.value.status == 200
        assert page.url == f"{live_server.url}/cancel/"
        expect(page.locator("main[data-step=form]")).to_be_visible()


ALLOWED = {
    "main", "h1", "form", "fieldset", "legend", "label", "input", "textarea", "div", "span", "button",
}  # fmt: skip


def test_r03_the_german_page_holds_what_the_closed_list_allows_and_nothing_else(
    browser: Browser, live_server: Any
) -> None:
    with opened(browser, locale="de-DE") as page:
        page.goto(f"{live_server.url}/cancel/de/")
        tags = page.locator("main, main *").evaluate_all("all => all.map((one) => one.localName)")
        assert set(tags) <= ALLOWED
        assert page.locator("main button, main [type=submit], main a").count() == 1
        assert page.locator("main h1").count() == 1
        groups = page.locator("main form > :is(.field, fieldset)")
        assert groups.count() == 5
        assert page.locator("main :is(input, textarea):not([type=hidden])").evaluate_all(
            "all => all.map((one) => one.name)"
        ) == ["kind", "kind", "reason", "name", "reference", "wished_on", "email"]
        assert page.locator(":checked").count() == 0
        backgrounds = page.locator("main *").evaluate_all(
            "all => all.map((one) => getComputedStyle(one).backgroundImage)"
        )
        assert set(backgrounds) == {"none"}
        assert page.locator("header a").count() == 0


@pytest.mark.parametrize(
    ("viewport", "with_scripts"),
    [(PHONE, False), (SCREEN, True)],
    ids=["phone-without-javascript", "screen-with-javascript"],
)
def test_r04_r05_every_door_takes_its_mandatory_fields_alone_in_two_clicks(
    browser: Browser, live_server: Any, axe: Callable[[Page], None], viewport: dict[str, int], with_scripts: bool
) -> None:
    today = timezone.localdate()
    for code in CODES:
        pack = places.packs()[code]
        with opened(browser, viewport=viewport, java_script_enabled=with_scripts) as page:
            strangers: list[str] = []
            page.on("request", lambda sent, heard=strangers: heard.append(sent.url))
            page.goto(f"{live_server.url}/cancel/{code}/")
            page.goto(f"{live_server.url}/no-such-page/")
            clicks = 1
            page.goto(f"{live_server.url}/cancel/{code}/")
            if with_scripts:
                axe(page)
            fill(page, **needed_of(code, today))
            if pack.get("flow_shape", today) == "recap":
                page.locator("[data-action=continue]").click()
                page.locator("main[data-step=recap]").wait_for()
                clicks += 1
                if with_scripts:
                    axe(page)
            confirm = page.locator("[data-action=confirm]")
            assert confirm.evaluate("one => one.textContent") == pack.get("confirm_label", today)
            confirm.click()
            clicks += 1
            page.locator("main[data-step=done]").wait_for()
            assert clicks == (3 if code == "fr" else 2)
            notice = Notice.objects.latest("pk")
            expect(page.locator("main")).to_contain_text(notice.reference)
            expect(page.locator("main")).to_contain_text(pack.get("confirm_label", today))
            if with_scripts:
                axe(page)
            page.reload()
            page.go_back()
            page.go_forward()
            page.locator("main[data-step=done]").wait_for()
            assert Notice.objects.latest("pk") == notice
            assert [url for url in strangers if not url.startswith(live_server.url)] == []
    assert Notice.objects.filter(channel="door").count() == len(CODES)


def test_r12_france_reveals_address_and_proof_with_a_ground_and_shows_all_before_the_act(
    browser: Browser, live_server: Any, picture: Callable[[Page, str], None]
) -> None:
    for with_scripts in (True, False):
        with opened(browser, java_script_enabled=with_scripts, locale="fr-FR") as page:
            page.goto(f"{live_server.url}/cancel/fr/")
            for name in ("address", "evidence", "reason"):
                expect(page.locator(f"#id_{name}")).to_be_hidden()
            page.locator("[name=kind][value=for_cause]").check()
            for name in ("address", "evidence", "reason"):
                expect(page.locator(f"#id_{name}")).to_be_visible()
            fill(page, **SAID, reason="déménagement", address="1 rue des Lilas")
            proof = {"name": "bail.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
            page.locator("#id_evidence").set_input_files([proof])  # type: ignore[list-item]
            page.locator("[data-action=continue]").click()
            page.locator("main[data-step=recap]").wait_for()
            for text in (*SAID.values(), "déménagement", "1 rue des Lilas", "bail.pdf"):
                expect(page.locator("main")).to_contain_text(text)
            page.locator("[name=edit][value=name]").click()
            page.locator("main[data-step=form]").wait_for()
            expect(page.locator("#id_name")).to_have_value("Ada Wren")
            expect(page.locator("#id_reason")).to_have_value("déménagement")
            page.locator("#id_name").fill("Maëlle Thévenin")
            page.locator("[data-action=continue]").click()
            picture(page, "door-fr-recap")
            page.locator("[data-action=confirm]").click()
            page.locator("main[data-step=done]").wait_for()
            declared = Declared.objects.latest("pk")
            assert (declared.name, declared.notice.act) == ("Maëlle Thévenin", "for_cause")
            assert Evidence.objects.filter(notice=declared.notice).count() == 1


def test_r13_a_withdrawal_is_three_clicks_with_its_own_labels(
    browser: Browser, live_server: Any, axe: Callable[[Page], None]
) -> None:
    today = timezone.localdate()
    for code in WITH_WITHDRAWAL:
        with opened(browser) as page:
            page.goto(f"{live_server.url}/cancel/{code}/")
            labels = places.packs()[code].get("withdrawal_labels", today)
            entry = page.locator("[data-entry=withdraw]")
            assert entry.evaluate("one => one.textContent") == labels["entry"]
            entry.click()
            fill(page, **SAID)
            axe(page)
            page.locator("[data-action=continue]").click()
            confirm = page.locator("[data-action=confirm]")
            assert confirm.evaluate("one => one.textContent") == labels["confirm"]
            confirm.click()
            page.locator("main[data-step=done]").wait_for()
            assert Notice.objects.latest("pk").act == "withdraw"


def test_a_door_is_walked_by_keyboard_alone(browser: Browser, live_server: Any) -> None:
    with opened(browser) as page:
        page.goto(f"{live_server.url}/cancel/de/")
        reached = []
        for _key in range(9):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.name || document.activeElement.className"))
            if reached[-1] in SAID:
                page.keyboard.type(SAID[reached[-1]])
            if reached[-1] == "button":
                break
            if reached[-1] == "wished_on":
                # The parts of a day are stops of their own.
                page.locator("#id_email").focus()
                page.keyboard.type(SAID["email"])
        assert reached[0] == "skip"
        assert reached[-1] == "button"
        page.keyboard.press("Enter")
        page.locator("main[data-step=done]").wait_for()


def test_nothing_is_cut_off_on_a_narrow_phone_or_with_large_type(browser: Browser, live_server: Any) -> None:
    long = {"name": "W" * 200, "reference": "x" * 300, "email": f"{'a' * 60}@{'b' * 60}.example"}
    narrow = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    for code in CODES:
        for width, type_size in ((320, "100%"), (640, "200%")):
            with opened(browser, viewport={"width": width, "height": 640}, bypass_csp=True) as page:
                page.goto(f"{live_server.url}/cancel/{code}/")
                page.add_style_tag(content=f"html {{ font-size: {type_size} }}")
                assert page.evaluate(narrow), code
                fill(page, **long)
                page.locator("main button.button").last.click()
                page.locator("main[data-step]:not([data-step=form])").wait_for()
                assert page.evaluate(narrow), code


def test_a_field_that_does_not_fit_is_named_and_its_link_leads_there(
    browser: Browser, live_server: Any, axe: Callable[[Page], None]
) -> None:
    with opened(browser) as page:
        page.goto(f"{live_server.url}/cancel/pl/")
        fill(page, name="Ada Wren", email="nobody")
        page.locator("[data-action=confirm]").click()
        axe(page)
        expect(page.get_by_role("alert")).to_contain_text("This is no e-mail address")
        page.get_by_role("alert").get_by_role("link").first.click()
        assert page.evaluate("location.hash") in {"#id_reference", "#id_email"}
        expect(page.locator("#id_name")).to_have_value("Ada Wren")
        expect(page.locator("#id_email")).to_have_value("nobody")


def test_voice_3_a_written_notice_at_the_public_door_leaves_a_proof_in_the_customers_hands(
    browser: Browser, live_server: Any, postbox: Postbox, picture: Callable[[Page, str], None]
) -> None:
    contract = Contract.objects.select_related("customer").get(reference="C-SLEEPING")
    with opened(browser, locale="pl-PL", java_script_enabled=False) as page:
        page.goto(f"{live_server.url}/cancel/pl/")
        picture(page, "sleeping-door-pl")
        # From another mailbox than the one on file, with the reference as somebody reads it out.
        fill(page, name="żaneta  ŚLIWIŃSKA", reference="c sleeping", email="nowy@customer.example")
        page.locator("[data-action=confirm]").click()
        page.locator("main[data-step=done]").wait_for()
        picture(page, "sleeping-door-done-pl")
        notice, receipt = Notice.objects.get(channel="door"), Receipt.objects.get()
        shown = page.locator("main").inner_text()
        for proof in (notice.reference, receipt.number, notice.declaration, "żaneta  ŚLIWIŃSKA", "Wypowiedz teraz"):
            assert " ".join(proof.split()) in " ".join(shown.split())
        assert contract.customer.email not in shown
        page.locator(f"main a[href='/receipts/{receipt.key}/']").click()
        expect(page.locator("main")).to_contain_text(receipt.number)

        sent = {mail["To"]: mail for mail in postbox.letters()}

    cancellation = Cancellation.objects.select_related("notice").get(contract=contract)
    assert cancellation.notice == notice
    assert notice.received_at <= cancellation.created_at
    told = str(sent["nowy@customer.example"].get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert notice.reference in told
    assert format_day(cancellation.last_day, "pl") not in told
    assert any(part.get_filename() for part in sent["nowy@customer.example"].iter_attachments())
    on_file = str(sent[contract.customer.email].get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert (
        format_day(cancellation.last_day, "pl") in " ".join(on_file.split()).replace("\xa0", " ")
        or format_day(cancellation.last_day, "pl") in on_file
    )

    # It was her. Had it been somebody else, one button undoes it; opening the link does nothing.
    link = re.search(r"https?://\S*/not-me/\S+", on_file)
    assert link
    with opened(browser, locale="pl-PL", java_script_enabled=False) as page:
        page.goto(link[0])
        assert Cancellation.objects.get(pk=cancellation.pk).state == "scheduled"
        page.locator("[data-action=not-me]").click()
        page.locator("main[data-step=done]").wait_for()
    notice.refresh_from_db()
    assert notice.state == NoticeState.REPUDIATED
    assert Cancellation.objects.get(pk=cancellation.pk).state == "revoked"
