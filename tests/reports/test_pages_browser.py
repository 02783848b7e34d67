"""The reports in Chromium: nothing against the policy, nothing that axe finds, nothing wider than the screen."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from feedback.models import Root
from tests import desk_rows as rows
from tests.desk_browser import VIEWS, opened, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = "/reports/reasons/"
OPTIONS = "/reports/options/"


@pytest.fixture
def a_year_of_reasons() -> None:
    for number in range(40):
        month, root = 1 + number % 12, Root.values[number % 6]
        rows.left(f"2026-{month:02d}-10", root=root, imported_reason="A long reason that somebody once typed " * 3)


@pytest.mark.parametrize(("language", "scheme", "width"), VIEWS)
@pytest.mark.parametrize("query", ["", "?from=2026-02-01&to=2026-02-28", "?from=2030-01-01", "?from=x&to=y&plan=z"])
def test_the_report_stands_in_every_view(
    page: Page, live_server, a_year_of_reasons, console_errors, axe, language, scheme, width, query
):
    signed_in(page, live_server, language, scheme, width)

    wrong = list(opened(page, live_server.url + PAGE + query, console_errors))

    if "plan=z" in query:
        # The browser itself notes that the answer was 422.
        wrong = [line for line in wrong if "422" not in line]
    assert wrong == []
    axe(page)


def test_one_drawing_is_seen_at_a_time_and_follows_the_scheme(page: Page, live_server, a_year_of_reasons):
    signed_in(page, live_server, "en", "light", 1280)
    page.goto(live_server.url + PAGE)
    wide, narrow = page.locator(".chart .wide svg"), page.locator(".chart .narrow svg")
    fill = "getComputedStyle(document.querySelector('.chart .wide .mark-rect path')).fill"

    assert (wide.is_visible(), narrow.is_visible()) == (True, False)
    light = page.evaluate(fill)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(fill)
    page.set_viewport_size({"width": 390, "height": 900})

    assert (wide.is_visible(), narrow.is_visible()) == (False, True)
    assert light != dark
    assert "rgb(0, 0, 0)" not in (light, dark)


def test_the_chart_is_an_image_with_a_name(page: Page, live_server, a_year_of_reasons):
    signed_in(page, live_server, "en", "light", 1280)
    page.goto(live_server.url + PAGE)

    assert page.get_by_role("img", name="Cancellations by month and root").is_visible()


def test_on_paper_stand_figures_and_no_controls(page: Page, live_server, a_year_of_reasons):
    signed_in(page, live_server, "en", "dark", 1280)
    page.goto(live_server.url + PAGE)
    page.emulate_media(media="print", color_scheme="dark")

    assert page.locator("form.filters").is_visible() is False
    assert page.get_by_role("link", name="By reason (CSV)").is_visible() is False
    assert page.locator("#by-month").locator("xpath=ancestor::table").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_filter_is_used_by_keyboard_and_stands_in_the_address(page: Page, live_server, a_year_of_reasons):
    signed_in(page, live_server, "en", "light", 1280)
    page.goto(live_server.url + PAGE)

    page.get_by_label("From", exact=True).fill("2026-02-01")
    page.get_by_label("To", exact=True).fill("2026-02-28")
    page.get_by_label("To", exact=True).press("Enter")
    page.wait_for_url("**from=2026-02-01**")

    assert page.get_by_label("From", exact=True).input_value() == "2026-02-01"
    assert page.locator("table").first.locator("tbody tr").count() == 1


@pytest.fixture
def a_hundred_days_of_options(settings) -> None:
    settings.EFFECT_MIN, settings.OFFER_HOLDOUT_PERCENT = 30, 10
    at = timezone.now() - timedelta(days=100)
    rows.offer("pause-2", texts={"en": {"title": "A pause of two months, then everything as it was before"}})
    for number in range(75):
        of = rows.decided(at, held_out=number >= 40, of={"currency": "JPY" if number % 15 == 0 else "EUR"}).contract
        if number % 5 or number < 40:
            rows.paid(of, at.date() + timedelta(days=1), date(2099, 1, 1), 129900, of.currency)
        rows.visit(at, of=of, outcome="kept" if number % 7 == 0 else "")
        rows.ledger("shown", at, contract=of)
        if number % 7 == 0:
            rows.agreed(at, contract=of, cost_minor=1299)


@pytest.mark.parametrize(("language", "scheme", "width"), VIEWS)
@pytest.mark.parametrize("query", ["", "?from=2099-01-01", "?from=x&to=y&plan=z"])
def test_the_page_about_options_stands_in_every_view(
    page: Page, live_server, a_hundred_days_of_options, console_errors, axe, language, scheme, width, query
):
    signed_in(page, live_server, language, scheme, width)

    wrong = list(opened(page, live_server.url + OPTIONS + query, console_errors))

    if "plan=z" in query:
        # The browser itself notes that the answer was 422.
        wrong = [line for line in wrong if "422" not in line]
    assert wrong == []
    axe(page)


def test_figures_about_options_stand_on_paper_without_controls(page: Page, live_server, a_hundred_days_of_options):
    signed_in(page, live_server, "en", "dark", 1280)
    page.goto(live_server.url + OPTIONS)
    page.emulate_media(media="print", color_scheme="dark")

    assert page.locator("form.filters").is_visible() is False
    assert page.get_by_role("link", name="Money received (CSV)").is_visible() is False
    for table in ("kept", "received", "visit-months", "option-lines"):
        assert page.locator(f"#{table}").locator("xpath=ancestor::table").is_visible(), table
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
