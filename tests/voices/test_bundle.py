"""Voice 1: leaving with the domain, step by step, in plain sight; with scripts and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import signing
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cancellation import bundles
from cancellation.actions import Actor
from cancellation.models import Cancellation, ChecklistItem
from cancellation.parts_plan import By
from config.formats import format_day
from subscriptions.models import Contract
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.voices.conftest import Postbox, language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STAFF = Actor("staff:demo")
CODE = "K7-Qx4!zz19-PLM"
MAIN = "main[data-step=parts]"


def bundle_of_story() -> Contract:
    return Contract.objects.select_related("customer").get(reference="C-HOSTING")


def let_in(page: Page, url: str) -> None:
    customer = bundle_of_story().customer
    cookie = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": url}])


def pick(page: Page, part: str, label: str) -> None:
    page.get_by_role("group", name=part).get_by_label(label).check()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save the choices").click()
    page.wait_for_url("**saved=1**")


def done(page: Page, step: str) -> None:
    page.get_by_role("button", name=f"This is done: {step}").click()
    page.wait_for_url("**/parts/#steps")


def staff_do(kind: str, code: str, note: str = "") -> None:
    contract = bundle_of_story()
    key = (contract.components.get(kind=kind).pk, code)
    bundles.tick(contract=contract, key=key, by=By.STAFF, actor=STAFF, at=timezone.now(), note=note)


def test_voice_1_the_domain_moves_and_the_hosting_ends_last(page: Page, postbox: Postbox, live_server: Any) -> None:
    let_in(page, live_server.url)
    page.goto(f"{live_server.url}/contracts/C-HOSTING/")
    page.get_by_role("link", name="choose for each part").click()
    main = page.locator(MAIN)
    assert page.locator("input:checked").count() == 0, "nothing is chosen beforehand"

    # The server alone does not end the contract, and the page says so.
    pick(page, "web-4127", "Let it go")
    save(page)
    expect(main).to_contain_text("Ending web-4127 does not end the contract.")

    # The domain does, and the page leads to the notice with the day that counts.
    pick(page, "aoki-haruka.example Domain", "Take it along")
    pick(page, "haruka@aoki-haruka.example", "Take it along")
    save(page)
    expect(main).to_contain_text("Taking aoki-haruka.example along ends the contract")
    expect(main).to_contain_text("The notice need not wait for the steps below")
    assert not Cancellation.objects.filter(contract__reference="C-HOSTING").exists()

    # Staff unlock the domain and hand over the code; it stands on this page alone.
    expect(page.get_by_role("button", name="This is done: Start the transfer")).to_have_count(0)
    staff_do("domain", "unlock")
    staff_do("domain", "auth_code", CODE)
    page.reload()
    expect(main).to_contain_text(CODE)

    # The notice is given while the transfer runs.
    page.locator(f"{MAIN} [data-action=start]").click()
    page.locator("main[data-step=overview]").wait_for()
    page.locator("[data-action=cancel-now]").click()
    page.locator("main[data-step=done]").wait_for()
    cancellation = Cancellation.objects.get(contract__reference="C-HOSTING")
    page.goto(postbox.link("/parts/"))
    assert CODE not in postbox.text()
    expect(main).to_contain_text(f"The contract ends on {format_day(cancellation.last_day, 'en')}")

    done(page, "Start the transfer of aoki-haruka.example")
    done(page, "Confirm the transfer of aoki-haruka.example")
    done(page, "Copy your mail from haruka@aoki-haruka.example")
    done(page, "Save what you need from web-4127")
    expect(main).to_contain_text("After the last day")
    with pytest.raises(bundles.TooEarly):
        staff_do("server", "end_hosting")
    last = ChecklistItem.objects.filter(contract__reference="C-HOSTING").last()
    assert last is not None
    assert last.code == "end_hosting"
    assert ChecklistItem.objects.filter(done_at__isnull=False).count() == 6


def test_a_mailbox_without_its_domain_is_named_with_the_ways_out(page: Page, live_server: Any) -> None:
    let_in(page, live_server.url)
    page.goto(f"{live_server.url}/contracts/C-HOSTING/parts/")
    pick(page, "aoki-haruka.example Domain", "Let it go")
    pick(page, "haruka@aoki-haruka.example", "Keep it here")
    page.get_by_role("button", name="Save the choices").click()

    expect(page.get_by_role("alert")).to_contain_text(
        "haruka@aoki-haruka.example does not work without aoki-haruka.example"
    )
    assert page.locator("input:checked").count() == 2
    assert not ChecklistItem.objects.exists()

    pick(page, "haruka@aoki-haruka.example", "Let it go")
    save(page)


@pytest.fixture
def narrow(browser: Browser, live_server: Any) -> Iterator[Page]:
    """Return a very small phone, signed in; it fails where the page complains about something."""
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    # A refusal is answered with 409 or 422, which the browser notes as a failed request.
    page.on(
        "console",
        lambda told: complaints.append(told.text) if told.type == "error" and "status of 4" not in told.text else None,
    )
    let_in(page, live_server.url)
    yield page
    context.close()
    assert complaints == []


def test_the_page_is_accessible_and_fits_a_phone_in_every_language_whatever_the_names(
    narrow: Page, axe: Callable[..., None], live_server: Any
) -> None:
    contract = bundle_of_story()
    domain = contract.components.get(kind="domain")
    domain.name = "donaudampfschifffahrtsgesellschaftskapitän" * 3 + ".example"
    domain.save()
    contract.components.create(kind="<b>Faxgerät</b>", name="ファクス" * 30)

    def look(*, with_colours: bool = True) -> None:
        axe(narrow, with_colours=with_colours)
        wide = narrow.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{narrow.url} scrolls sideways by {wide} px"
        assert narrow.locator("h1").count() == 1

    for code in ("en", "de", "fr", "pl", "ja"):
        language(narrow.context, code, live_server.url)
        narrow.goto(f"{live_server.url}/contracts/C-HOSTING/parts/")
        look(with_colours=code == "en")
    chosen = {part.pk: "take" for part in contract.components.exclude(kind="server")}
    bundles.choose(contract=contract, choices=chosen, actor=STAFF, at=timezone.now())
    staff_do("domain", "unlock")
    staff_do("domain", "auth_code", "x" * 200)
    for code in ("en", "de", "fr", "pl", "ja"):
        language(narrow.context, code, live_server.url)
        for path in ("parts/", "", "cancel/"):
            narrow.goto(f"{live_server.url}/contracts/C-HOSTING/{path}")
            look(with_colours=code == "en")
    # A refusal, and what it says.
    narrow.goto(f"{live_server.url}/contracts/C-HOSTING/parts/")
    narrow.locator(f"input[name=part-{domain.pk}][value=let_go]").check()
    narrow.locator("[data-action=continue]").last.click()
    expect(narrow.get_by_role("alert")).to_be_visible()
    look()


def test_the_keyboard_alone_reaches_every_choice_and_step(browser: Browser, live_server: Any) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    let_in(page, live_server.url)
    page.goto(f"{live_server.url}/contracts/C-HOSTING/parts/")
    first = page.locator("input[type=radio]").first
    first.focus()
    page.keyboard.press("Space")
    expect(first).to_be_checked()
    page.locator("[data-action=continue]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**saved=1**")

    expect(page.get_by_role("status")).to_contain_text("Saved.")
    page.context.close()
