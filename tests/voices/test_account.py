"""The account: read what stands, take it along, end contracts in place, ask for deletion; with and without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from playwright.sync_api import Browser, Page, expect

from cancellation.models import Cancellation, DeletionRequest, Notice
from config.formats import format_day
from subscriptions.lexicon import preselected
from subscriptions.models import Contract, Customer
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.factories import make_contract, make_customer, make_plan, pay, terms_dict
from tests.voices.conftest import Postbox, language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOLDER = "wanda@example.org"
# Names as long as they may be, with and without a place to break.
LONG = "Donaudampfschifffahrtsgesellschaftskapitänskajütenschlüsselverwaltung" * 2 + " 山田花子" * 8


@pytest.fixture
def holder() -> Customer:
    """Return a customer with three contracts: one paid for eight months, one of a long name, one nobody can read."""
    customer = make_customer(name="Wanda " + "Wiśniewska-" * 15, email=HOLDER)
    monthly = make_contract(customer=customer, reference="C-MONTHLY", plan=make_plan(name="Newsletter Pro"))
    for month in range(1, 9):
        pay(monthly, f"2026-{month:02}-01", f"2026-{month:02}-28", 1200)
    yearly = terms_dict(initial_term={"months": 12}, renewal={"months": 12}, billing={"months": 12})
    make_contract(
        customer=customer, reference="C-YEARLY", terms=yearly, price_minor=12_000, plan=make_plan(name=LONG[:200])
    )
    broken = make_contract(customer=customer, reference="C-BROKEN", plan=make_plan(name="Old Server"))
    Contract.objects.filter(pk=broken.pk).update(terms={"starts_on": "never"})
    return customer


def let_in(page: Page, customer: Customer, url: str) -> None:
    cookie = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": url}])


def test_what_stands_is_read_and_taken_along(
    page: Page, holder: Customer, live_server: Any, sign_in: Callable[[Page, str], None], tmp_path: Path
) -> None:
    sign_in(page, HOLDER)
    main = page.locator("main")
    expect(main).to_contain_text("€12.00 for 1 month")
    expect(main).to_contain_text("Next deadline")
    expect(main).to_contain_text("Last day on request")

    page.get_by_role("link", name="Newsletter Pro").click()
    with page.expect_download() as deadline:
        page.get_by_role("link", name="Add the deadline to your calendar").click()
    assert "BEGIN:VEVENT" in Path(deadline.value.path()).read_text()
    page.get_by_role("link", name="All payments").click()
    expect(main.locator("tbody tr")).to_have_count(8)

    page.goto(f"{live_server.url}/account/")
    page.get_by_role("link", name="All letters to you").click()
    page.get_by_role("link", name="Your link to sign in").click()
    expect(main).to_contain_text("a link that is shown in your mail only")
    assert "/sign-in/" not in main.inner_text()

    page.goto(f"{live_server.url}/account/")
    page.get_by_role("link", name="Your data as a file").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the file").click()
    file = json.loads(Path(download.value.path()).read_text())
    assert {row["reference"] for row in file["contracts"]} == {"C-MONTHLY", "C-YEARLY", "C-BROKEN"}


def test_contracts_end_in_place_and_the_deletion_is_asked_for_and_taken_back(
    page: Page, holder: Customer, live_server: Any, postbox: Postbox
) -> None:
    let_in(page, holder, live_server.url)
    page.goto(f"{live_server.url}/account/")
    page.get_by_role("link", name="Delete your data").click()
    assert preselected(page.content()) == []
    assert page.locator("input:checked").count() == 0

    # Nothing ticked: nothing happens, and the page says so.
    page.get_by_role("button", name="End the chosen contracts").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was ended")
    assert not Notice.objects.filter(contract__customer=holder).exists()

    # One contract by its box, and its receipt.
    row = page.locator("main li", has=page.locator("input[value=C-MONTHLY]"))
    expect(row).to_contain_text("Your contract ends on")
    row.get_by_label("End this contract").check()
    page.get_by_role("button", name="End the chosen contracts").click()
    expect(page.get_by_role("status")).to_contain_text("Your notices are recorded.")
    cancellation = Cancellation.objects.get(contract__reference="C-MONTHLY")
    expect(page.locator("main")).to_contain_text(f"Ends on {format_day(cancellation.last_day, 'en')}")
    page.get_by_role("link", name=re.compile("^Receipt")).click()
    expect(page.locator("main")).to_contain_text("C-MONTHLY")

    # Another one step by step: the guided way is a button beside the box.
    page.goto(f"{live_server.url}/account/delete/")
    page.locator("main li", has=page.locator("input[value=C-YEARLY]")).locator("[data-action=start]").click()
    page.locator("main[data-step=overview]").wait_for()

    # The deletion itself ends nothing.
    page.goto(f"{live_server.url}/account/delete/")
    page.get_by_role("button", name="Delete my data").click()
    page.locator("main[data-step=deletion-asked]").wait_for()
    expect(page.locator("main")).to_contain_text("No contract was ended by this.")
    assert Cancellation.objects.filter(contract__customer=holder).count() == 1
    assert any("delete your data" in str(mail["Subject"]) for mail in postbox.letters())

    page.goto(f"{live_server.url}/account/")
    expect(page.locator("main")).to_contain_text("you asked to have your data deleted")
    page.get_by_role("link", name="What happens when, and how to take it back").click()
    page.get_by_role("button", name="Take the request back").click()
    expect(page.get_by_role("status")).to_contain_text("Your request is taken back.")
    assert DeletionRequest.objects.get().taken_back_at is not None


@pytest.fixture
def narrow(browser: Browser, holder: Customer, live_server: Any) -> Iterator[Page]:
    """Return a very small phone, signed in; it fails where the page complains about something."""
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda told: complaints.append(told.text) if told.type == "error" and "status of 4" not in told.text else None,
    )
    let_in(page, holder, live_server.url)
    yield page
    context.close()
    assert complaints == []


def test_every_page_is_accessible_and_fits_a_small_phone_in_every_language(
    narrow: Page, axe: Callable[..., None], holder: Customer, live_server: Any, picture: Callable[[Page, str], None]
) -> None:
    narrow.goto(f"{live_server.url}/account/delete/")
    narrow.locator("input[value=C-MONTHLY]").check()
    narrow.get_by_role("button", name="End the chosen contracts").click()
    narrow.get_by_role("status").wait_for()
    letter = holder.letters.create(
        kind="judged", contract=Contract.objects.get(reference="C-MONTHLY"), locale="de", to="w" * 200 + "@example.org",
        subject="Ihr Vertrag " + LONG, text="https://desk.example/" + "x" * 300 + "\n" + LONG, html="",
        message_id="<1@x>", undeliverable="no-address",
    )  # fmt: skip
    pages = (
        "account/", "account/letters/", f"account/letters/{letter.pk}/", "account/data/", "account/delete/",
        "contracts/C-MONTHLY/", "contracts/C-YEARLY/", "contracts/C-BROKEN/", "contracts/C-MONTHLY/payments/",
        "contracts/C-MONTHLY/letters/", "contracts/C-BROKEN/letters/",
    )  # fmt: skip

    def look(path: str, *, with_colours: bool = True) -> None:
        axe(narrow, with_colours=with_colours)
        wide = narrow.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px"
        assert narrow.locator("h1").count() == 1

    for code in ("en", "de", "fr", "pl", "ja"):
        language(narrow.context, code, live_server.url)
        for path in pages:
            narrow.goto(f"{live_server.url}/{path}")
            look(path, with_colours=code == "en")
    language(narrow.context, "en", live_server.url)
    narrow.goto(f"{live_server.url}/account/delete/")
    narrow.locator("[data-action=delete]").click()
    narrow.locator("main[data-step=deletion-asked]").wait_for()
    for code in ("pl", "ja"):
        language(narrow.context, code, live_server.url)
        for path in ("account/", "account/delete/", "account/delete/asked/"):
            narrow.goto(f"{live_server.url}/{path}")
            look(path, with_colours=code == "pl")
            picture(narrow, f"account-{code}-{path.strip('/').replace('/', '-')}")


def test_the_keyboard_alone_ends_a_contract_and_asks(browser: Browser, holder: Customer, live_server: Any) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    let_in(page, holder, live_server.url)
    page.goto(f"{live_server.url}/account/delete/")
    page.locator("input[value=C-MONTHLY]").focus()
    page.keyboard.press("Space")
    page.locator("[data-action=cancel-now]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your notices are recorded.")
    page.locator("[data-action=delete]").focus()
    page.keyboard.press("Enter")
    page.locator("main[data-step=deletion-asked]").wait_for()

    assert Cancellation.objects.get().contract.reference == "C-MONTHLY"
    page.context.close()


def test_no_button_of_the_deletion_is_weaker_than_another(browser: Browser, holder: Customer, live_server: Any) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    let_in(page, holder, live_server.url)
    page.goto(f"{live_server.url}/account/delete/")

    looks = page.locator("main .button").evaluate_all(
        "all => all.map(b => { const s = getComputedStyle(b); "
        "return [s.color, s.backgroundColor, s.borderColor, s.fontSize, s.fontWeight, b.offsetWidth].join() })"
    )

    assert len(looks) == 6
    assert len(set(looks)) == 1, looks
    page.context.close()
