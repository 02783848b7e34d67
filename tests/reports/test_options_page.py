"""The page about options: who may read it, what it says and what it must not say, and files that agree with it."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from tests import desk_rows as rows

pytestmark = pytest.mark.django_db
PAGE = "/reports/options/"
CSV = "/reports/options.csv"


@pytest.fixture(autouse=True)
def _twenty_are_enough(settings: Any) -> None:
    settings.EFFECT_MIN, settings.OFFER_HOLDOUT_PERCENT = 20, 10


@pytest.fixture
def manager() -> Client:
    """Return a browser of a staff member who may read reports."""
    user = User.objects.create_user("mia", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_reports", content_type__app_label="reports"))
    client = Client()
    client.force_login(user)
    return client


def group(n: int, staying: int, *, held_out: bool = False, minor: int = 1230, **of: Any) -> None:
    """Decide 100 days ago about ``n`` customers, of whom so many have paid for all days since."""
    at = timezone.now() - timedelta(days=100)
    for number in range(n):
        contract = rows.decided(at, held_out=held_out, of=of).contract
        if number < staying:
            rows.paid(contract, at.date() + timedelta(days=1), date(2099, 1, 1), minor, contract.currency)


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page))).strip()


def table(page: str, caption_id: str) -> list[list[str]]:
    """Return the cells of a table, row by row."""
    found = re.search(rf'(?s)id="{caption_id}".*?</table>', page)
    assert found, f"no table {caption_id}"
    return [
        [text_of(cell) for cell in re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"(?s)<tr>(.*?)</tr>", found[0])
    ]


def file(client: Client, what: str, **query: str) -> list[list[str]]:
    response = client.get(CSV, {"what": what, **query})
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="options-{what}.csv"'
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


# ---------------------------------------------------------------- who may read it


@pytest.mark.parametrize("address", [PAGE + "?plan=host", CSV + "?what=effect"])
def test_a_stranger_signs_in_first_and_comes_back(client, address):
    response = client.get(address)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/?next=" + address.split("?")[0])


@pytest.mark.parametrize("staff", [True, False])
@pytest.mark.parametrize("address", [PAGE, CSV])
def test_without_the_permission_the_page_says_whom_to_ask(client, staff, address):
    client.force_login(User.objects.create_user("sam", password="x", is_staff=staff))

    response = client.get(address)

    assert response.status_code == 403
    assert "Can read the reports" in text_of(response.text)
    assert "<table" not in response.text


def test_nothing_can_be_posted(manager):
    assert (manager.post(PAGE).status_code, manager.post(CSV).status_code) == (405, 405)


def test_every_report_leads_to_it(manager):
    assert f'href="{PAGE}"' in manager.get("/reports/reasons/").text
    assert re.search(rf'href="{PAGE}"\s+aria-current="page"', manager.get(PAGE).text)


# ---------------------------------------------------------------- nothing yet


def test_without_anything_it_says_what_a_holdout_is_and_how_to_set_it(manager, settings):
    settings.OFFER_HOLDOUT_PERCENT = 0

    response = manager.get(PAGE)

    assert response.status_code == 200
    told = text_of(response.text)
    assert "No visit to the guided way in this period and selection." in told
    assert "Nobody is held out at present, so what options do cannot be told" in told
    assert "FAIRWELL_HOLDOUT sets a share of customers" in told
    assert "<table" not in response.text
    assert "options.csv" not in response.text


def test_a_share_that_is_held_out_is_named(manager):
    told = text_of(manager.get(PAGE).text)

    assert "10% of customers, picked by chance, are shown no options while they cancel." in told
    assert "Nobody is held out" not in told


# ---------------------------------------------------------------- what may be said


def test_too_few_customers_have_their_numbers_and_no_figure(manager):
    group(60, 60)
    group(19, 0, held_out=True)

    page = manager.get(PAGE).text

    few = "Too few to tell anything: it takes 20 customers in each group."
    head = ["After", "Shown options", "Held out", "What can be told, with an interval of 95%"]
    assert table(page, "kept") == [
        head,
        ["30 days", "60 customers", "19 customers", few],
        ["90 days", "60 customers", "19 customers", few],
        ["180 days", "0 customers", "0 customers", few],
    ]
    assert [row[1:] for row in table(page, "received")[1:]] == [row[1:] for row in table(page, "kept")[1:]]
    main = page.split("<details>")[0]
    assert re.findall(r"[0-9.]+%", text_of(main)) == ["10%", "95%", "95%"]
    assert "€" not in main
    assert file(manager, "effect")[1:] == [
        ["30", "60", "19", "20", "", "", "", "", "", "too_few"],
        ["90", "60", "19", "20", "", "", "", "", "", "too_few"],
        ["180", "0", "0", "20", "", "", "", "", "", "too_few"],
    ]
    assert file(manager, "money")[1] == ["30", "60", "19", "20", "EUR", *[""] * 7, "too_few"]


def test_a_difference_that_may_be_nothing_is_said_to_be_no_effect(manager):
    group(20, 12)
    group(20, 10, held_out=True)

    page = manager.get(PAGE).text

    assert table(page, "kept")[1] == [
        "30 days",
        "60.0% (12 of 20)",
        "50.0% (10 of 20)",
        "No effect can be told: the difference lies between -19.3 and +37.0 percentage points, so there may be none.",
    ]
    assert "No effect can be told: the difference lies between" in table(page, "received")[1][3]


def test_a_clear_difference_is_told_with_its_interval(manager):
    group(40, 36)
    group(40, 12, held_out=True)

    page = manager.get(PAGE).text

    assert table(page, "kept")[2] == [
        "90 days",
        "90.0% (36 of 40)",
        "30.0% (12 of 40)",
        "More of those shown options are still paying: by 60.0 percentage points, 39.8 to 73.4.",
    ]
    assert table(page, "received")[2] == [
        "90 days",
        "€11.07; options cost €0.00",
        "€3.69; options cost €0.00",
        "More came in from those shown options: €7.38 per customer, €5.23 to €9.53.",
    ]
    assert file(manager, "effect")[2] == [
        "90", "40", "40", "20", "0.9000", "0.3000", "0.6000", "0.3979", "0.7337", "more",
    ]  # fmt: skip
    assert file(manager, "money")[2] == [
        "90", "40", "40", "20", "EUR", "11.07", "3.69", "0.00", "0.00", "7.38", "5.23", "9.53", "more",
    ]  # fmt: skip


def test_several_currencies_have_rows_of_their_own(manager):
    group(1, 0)
    group(1, 0, currency="JPY")

    page = manager.get(PAGE).text

    assert [row[:2] for row in table(page, "received")] == [
        ["After", "Currency"],
        ["30 days", "EUR"], ["90 days", "EUR"], ["180 days", "EUR"],
        ["30 days", "JPY"], ["90 days", "JPY"], ["180 days", "JPY"],
    ]  # fmt: skip


def test_options_that_do_harm_are_said_to(manager):
    group(40, 12)
    group(40, 36, held_out=True)

    page = manager.get(PAGE).text

    assert table(page, "kept")[1][3] == (
        "Fewer of those shown options are still paying: by 60.0 percentage points, 39.8 to 73.4."
    )
    assert table(page, "received")[1][3] == (
        "Less came in from those shown options: €7.38 less per customer, €5.23 to €9.53."
    )


# ---------------------------------------------------------------- visits and options


def test_visits_are_never_called_saves(manager):
    at = timezone.now() - timedelta(days=2)
    rows.visit(at)
    rows.visit(at, outcome="kept")

    page = manager.get(PAGE).text

    month = timezone.localtime(at)
    assert table(page, "visit-months")[0] == ["Month", "Ended", "Kept by choice", "Left open", "All"]
    assert [row[1:] for row in table(page, "visit-months")[1:]] == [["0", "1", "1", "2"], ["0", "1", "1", "2"]]
    assert file(manager, "months") == [
        ["month", "ended", "kept_by_choice", "left_open"],
        [f"{month:%Y-%m}", "0", "1", "1"],
    ]
    assert not re.search(r"\bsav(e|es|ed|ing)\b", text_of(page), re.IGNORECASE)


def test_each_option_is_told_beside_the_sentence_that_agreeing_proves_nothing(manager):
    at = timezone.now() - timedelta(days=3)
    of = rows.contract()
    rows.offer("=pause", kind="pause", texts={"en": {"title": "<b>A pause</b>"}, "de": {"title": "Pause"}})
    rows.ledger("shown", at, of="=pause", contract=of)
    rows.agreed(at, to="=pause", contract=of, cost_minor=690)

    page = manager.get(PAGE).text

    assert "That somebody agreed to an option is no proof of its effect" in text_of(page)
    assert table(page, "option-lines")[1:] == [
        ["<b>A pause</b>", "pause", "1", "0", "1", "0", "0", "too early", "€6.90"]
    ]
    assert "<b>A pause" not in page
    assert file(manager, "options")[1] == ["'=pause", "pause", "EUR", "1", "0", "1", "0", "0", "0", "0", "6.90"]


def test_an_option_is_named_in_the_readers_language_or_by_its_code(manager):
    at = timezone.now()
    rows.offer("a", texts={"en": {"title": "A pause"}, "de": {"title": "Eine Pause"}})
    rows.offer("b", texts={"en": {"title": "Help"}})
    rows.offer("c", texts=[])
    for code in "abc":
        rows.agreed(at, to=code)

    page = manager.get(PAGE, headers={"accept-language": "de"}).text

    assert [row[0] for row in table(page, "option-lines")[1:]] == ["Eine Pause", "Help", "c"]


# ---------------------------------------------------------------- filters and files


def test_filters_narrow_the_page_and_stay_in_its_links(manager):
    group(2, 0, country="DE")
    group(1, 0, country="PL")

    page = manager.get(PAGE, {"country": "PL"}).text

    assert table(page, "kept")[1][1] == "1 customer"
    assert f'action="{PAGE}"' in page
    link = unescape(re.findall(r'href="(/reports/options\.csv[^"]*what=effect)"', page)[0])
    assert link == "/reports/options.csv?country=PL&what=effect"
    assert file(manager, "effect", country="PL")[1][1] == "1"


@pytest.mark.parametrize("given", [{"from": "2026-03-01", "to": "2026-02-01"}, {"plan": "nope"}, {"to": "31.02.2026"}])
def test_what_cannot_be_used_is_named_and_nothing_is_shown(manager, given):
    group(1, 1)

    response = manager.get(PAGE, given)

    assert response.status_code == 422
    assert "The filters need a correction" in text_of(response.text)
    assert "<td" not in response.text
    assert manager.get(CSV, given).status_code == 422


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("given", [{"from": "0001-01-01"}, {"to": "9999-12-31"}, {"to": "9999-12-30"}])
def test_the_first_and_the_last_day_there_are_mean_all(manager, zone, given):
    rows.decided(timezone.now())

    with timezone.override(zone):
        assert file(manager, "effect", **given) == file(manager, "effect")


def test_an_unknown_download_says_which_there_are(manager):
    response = manager.get(CSV, {"what": "weather"})

    assert response.status_code == 422
    assert "effect | money | options | months" in response.text


def test_many_customers_cost_as_many_statements_as_few(manager, django_assert_num_queries):
    for n in (1, 5):
        group(n, n)
        rows.visit(timezone.now())
        rows.agreed(timezone.now())
        with django_assert_num_queries(14):
            manager.get(PAGE)
