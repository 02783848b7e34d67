"""A receipt in Chromium: accessible, printable, by itself; and the check of one, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from cancellation import actions, receipts
from cancellation.models import Receipt
from cancellation.queries import agreed_of
from cancellation.quotes import ordinary
from tests.factories import make_contract, pay

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def receipt() -> Receipt:
    contract, now = make_contract(), timezone.now()
    pay(contract, "2026-01-01", "2029-12-31", 57_600)
    quote = ordinary(agreed_of(contract), now)
    notice = actions.receive_notice(
        contract=contract, shown=quote, received_at=now, actor=actions.SYSTEM, key="k", locale="pl",
        declaration="Wypowiadam umowę. <script>alert(1)</script>", door=actions.Door(button="Wypowiedz teraz"),
    )  # fmt: skip
    actions.confirm(notice=notice, shown=quote, actor=actions.SYSTEM)
    return Receipt.objects.get()


def test_r09_the_receipt_prints_and_asks_nobody_else(
    live_server: Any, page: Any, axe: Callable[[Any], None], console_errors: list[str], receipt: Receipt
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(live_server.url + receipts.url_of(receipt))
    axe(page)
    assert all(address.startswith(live_server.url) for address in asked)
    with page.expect_download() as saved:
        page.locator('a[href="receipt.json"]').click()
    assert saved.value.suggested_filename == f"receipt-{receipt.number}.json"

    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    printed = page.locator("main").inner_text()
    assert "Wypowiedz teraz" in printed
    assert "Wypowiadam umowę. <script>alert(1)</script>" in printed
    assert console_errors == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_receipt_is_checked_with_and_without_scripts(
    live_server: Any, browser: Any, axe: Callable[[Any], None], receipt: Receipt, scripts: bool
) -> None:
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 390, "height": 844})
    page = context.new_page()

    page.goto(f"{live_server.url}/receipts/verify")
    page.fill("#receipt", receipt.jws[:-6] + "AAAAAA")
    page.locator("main button").click()
    assert page.locator("[role=alert]").is_visible()
    if scripts:
        axe(page)

    page.fill("#receipt", receipt.jws)
    page.locator("main button").click()
    assert page.locator("[role=status]").is_visible()
    assert receipt.number in page.locator("main").inner_text()
    if scripts:
        axe(page)
    context.close()
