"""The page about fairness: who may read it, figures in plain words, and a card that is gone takes nothing with it."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from reports import fairness

pytestmark = pytest.mark.django_db
PAGE, FILE = "/reports/fairness/", "/reports/fairness.json"
FIGURES = {
    "clicks": 2, "pages": 2, "mandatory_fields": 3, "words": 1234, "sign_ins": 0, "offers": 0, "prominence": None,
    "receipt_contents": 1.0, "drawn_weaker": False, "bytes_gzip": 15_300, "seconds": 0.7,
}  # fmt: skip
TOLD = {
    "measured_on": "2026-11-24",
    "browser": "Chromium 140",
    "widths": [390, 1280],
    "walks": [
        {
            "pack": pack, "way": way, "locale": "en", "broken": [],
            "figures": {"390": FIGURES | {"clicks": clicks}, "1280": FIGURES | {"clicks": clicks, "prominence": 1.25}},
            "limits": {"clicks": {"at_most": clicks}, "drawn_weaker": {"at_most": 0}},
        }
        for pack, way, clicks in (("de", "cancel", 2), ("fr", "cancel", 3), ("us-ca", "guided", 2))
    ],
}  # fmt: skip


@pytest.fixture
def manager() -> Client:
    user = User.objects.create_user("mia", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_reports", content_type__app_label="reports"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Return the file of the card; whatever is written there is what the product ships."""
    path = tmp_path / "fairness.json"
    path.write_text(json.dumps(TOLD))
    monkeypatch.setattr(fairness, "CARD", path)
    fairness.card.cache_clear()
    yield path
    fairness.card.cache_clear()


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page))).strip()


def rows(page: str, label: str) -> list[list[str]]:
    table = re.search(rf'(?s)<table aria-label(?:ledby)?="{label}".*?</table>', page)
    assert table
    cells = [re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"(?s)<tr>(.*?)</tr>", table[0])]
    return [[text_of(cell) for cell in row] for row in cells]


@pytest.mark.parametrize("address", [PAGE, FILE])
def test_a_stranger_signs_in_first_and_comes_back(client, address):
    assert client.get(address)["Location"] == f"/admin/login/?next={address}"


@pytest.mark.parametrize("address", [PAGE, FILE])
def test_without_the_permission_the_page_says_whom_to_ask(client, address):
    client.force_login(User.objects.create_user("sam", password="x", is_staff=True))

    response = client.get(address)

    assert response.status_code == 403
    assert "Can read the reports" in text_of(response.text)


def test_each_way_out_has_a_table_with_a_line_per_place(manager, shipped):
    page = manager.get(PAGE).text

    assert rows(page, "way-cancel") == [
        ["Rules of", "Clicks", "Pages", "Fields to fill in", "Words on the way", "Sign-ins on the way", "Offers",
         "Prominence of leaving", "Receipt is complete", "Limits"],
        ["Germany", "2", "2", "3", "1,234", "0", "0", "1.25", "100%", "kept"],
        ["France", "3", "2", "3", "1,234", "0", "0", "1.25", "100%", "kept"],
    ]  # fmt: skip
    assert [row[0] for row in rows(page, "way-guided")] == ["Rules of", "California"]
    assert "leaves with 2 to 3 clicks" in text_of(page)


def test_every_figure_of_a_place_stands_with_its_limit(manager, shipped):
    told = {row[0]: row[1:] for row in rows(manager.get(PAGE).text, "Germany")}

    assert told["Clicks"] == ["2 (≤ 2)"]
    assert told["Prominence of leaving"] == ["– / 1.25"]
    assert told["Leaving is drawn weaker"] == ["no (no)"]
    assert told["Weight in kB"] == ["15.3"]


def test_a_broken_limit_is_said_at_the_top_and_in_its_line(manager, shipped):
    TOLD["walks"][1]["broken"], kept = ["clicks"], TOLD["walks"][1]["broken"]
    shipped.write_text(json.dumps(TOLD))
    TOLD["walks"][1]["broken"] = kept

    page = manager.get(PAGE).text

    assert "France · The public cancellation page: Clicks" in text_of(page)
    assert [row[-1] for row in rows(page, "way-cancel")] == ["Limits", "kept", "broken"]
    assert "Every way out keeps its limits." not in page


def test_what_others_published_stands_beside(manager, shipped):
    sources = [row[0] for row in rows(manager.get(PAGE).text, "elsewhere")][1:]

    assert sources == [anchor.source for anchor in fairness.ANCHORS]


def test_leaving_is_compared_with_the_published_average_until_joining_was_counted(manager, shipped, settings):
    settings.JOIN_COUNTERS = {}
    page = manager.get(PAGE).text

    assert "3.5 clicks to join stands in" in text_of(page)
    assert rows(page, "joining")[:2] == [
        ["Way out", "Clicks", "Limits"],
        ["The public cancellation page: Germany", "0.57", "kept"],
    ]


def test_leaving_is_compared_with_what_the_operator_counted(manager, shipped, settings):
    settings.JOIN_COUNTERS = {"clicks": 2, "fields": 4}
    page = manager.get(PAGE).text

    assert "as configured: Clicks 2 · Fields to fill in 4" in text_of(page)
    assert rows(page, "joining")[1:3] == [
        ["The public cancellation page: Germany", "1.00", "0.75", "kept"],
        ["The public cancellation page: France", "1.50", "0.75", "broken"],
    ]


def test_figures_are_written_as_the_language_writes_them(manager, shipped):
    manager.cookies["django_language"] = "de"

    cells = rows(manager.get(PAGE).text, "way-cancel")[1]

    assert cells[0] == "Deutschland"
    assert cells[7:9] == ["1,25", "100 %"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"measured_on": "soon", "walks": []}'])
def test_a_card_that_is_gone_or_broken_is_said_so(manager, shipped, content):
    if content is None:
        shipped.unlink()
    else:
        shipped.write_text(content)

    response = manager.get(PAGE)

    assert response.status_code == 200
    assert "There is no card" in text_of(response.text)


def test_the_file_can_be_downloaded_as_it_is(manager, shipped):
    response = manager.get(FILE)

    assert (response["Content-Type"], json.loads(response.content)) == ("application/json", TOLD)
    shipped.unlink()
    assert manager.get(FILE).status_code == 404


def test_both_reports_lead_to_each_other(manager, shipped):
    for address in (PAGE, "/reports/reasons/"):
        page = manager.get(address).text
        assert 'href="/reports/fairness/"' in page
        assert re.findall(r'href="([^"]+)"\s+aria-current="page"', page)[0] == address


def test_the_page_asks_the_database_for_nothing_but_the_reader(manager, shipped, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        manager.get(PAGE)


# What two languages write alike: names of places, and words.
ALIKE = {
    "de": {"Japan", "Minnesota", "New York"},
    "fr": {"40 services", "France", "Minnesota", "New York", "Pages"},
    "pl": {"Minnesota"},
}


@pytest.mark.parametrize("language", ["de", "fr", "pl", "ja"])
def test_the_page_leaves_no_english_behind(language, manager):
    told = []
    for code in ("en", language):
        manager.cookies["django_language"] = code
        page = re.search(r"(?s)<main.*</main>", manager.get(PAGE).text)
        assert page
        told.append({text_of(part) for part in re.findall(r">([^<>]+)<", page[0])})
    words = {part for part in told[0] & told[1] if re.search(r"[^\W\d_]{3}", part)}

    sources = {anchor.source for anchor in fairness.ANCHORS}
    assert words - sources - ALIKE.get(language, set()) == set()
