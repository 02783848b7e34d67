"""The page about reasons: who may read it, its filters, and figures that agree."""

import csv
import io
import re
from datetime import date
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from feedback.models import Root
from reports.pages import reasons as page_of
from reports.queries import Slice
from tests import desk_rows as rows

pytestmark = pytest.mark.django_db
PAGE = "/reports/reasons/"
CSV = "/reports/reasons.csv"


@pytest.fixture
def manager() -> Client:
    """Return a browser of a staff member who may read reports."""
    user = User.objects.create_user("mia", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_reports", content_type__app_label="reports"))
    client = Client()
    client.force_login(user)
    return client


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<svg.*?</svg>", "", page)))).strip()


def table(page: str, caption_id: str) -> list[list[str]]:
    """Return the cells of a table, row by row."""
    found = re.search(rf'(?s)id="{caption_id}".*?</table>', page)
    assert found, f"no table {caption_id}"
    return [
        [text_of(cell) for cell in re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"(?s)<tr>(.*?)</tr>", found[0])
    ]


@pytest.mark.parametrize("address", [PAGE + "?from=2026-01-01&plan=host", CSV + "?by=reason"])
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
    assert "0" not in re.findall(r"<td[^>]*>(.*?)</td>", response.text)


def test_the_permission_without_staff_is_not_enough(client):
    user = User.objects.create_user("out", password="x", is_staff=False)
    user.user_permissions.add(Permission.objects.get(codename="view_reports"))
    client.force_login(user)

    assert client.get(PAGE).status_code == 403


def test_a_superuser_passes(admin_client):
    assert admin_client.get(PAGE).status_code == 200


def test_nothing_can_be_posted(manager):
    assert (manager.post(PAGE).status_code, manager.post(CSV).status_code) == (405, 405)


def test_the_page_shows_months_by_root_with_every_sum(manager):
    rows.left("2026-01-31", root=Root.COST)
    rows.left("2026-03-01", root=Root.COST, charge=1000)
    rows.left("2026-03-02", root=None)

    page = manager.get(PAGE).text

    assert table(page, "by-month") == [
        ["Month", "Outcome", "Outlook", "Relationship", "Cost", "Circumstance", "Not stated", "All"],
        ["Jan 2026", "0", "0", "0", "1", "0", "0", "1"],
        ["Feb 2026", "0", "0", "0", "0", "0", "0", "0"],
        ["Mar 2026", "0", "0", "0", "1", "0", "1", "2"],
        ["All", "0", "0", "0", "2", "0", "1", "3"],
    ]
    assert table(page, "by-root") == [
        ["Root", "Cancellations", "Monthly charge lost"],
        ["Cost", "2", "€22.30"],
        ["Not stated", "1", "€12.30"],
    ]


def test_the_chart_draws_what_the_table_says(manager):
    for day, root in [
        ("2026-01-31", "cost"),
        ("2026-02-01", "cost"),
        ("2026-02-02", "cost"),
        ("2026-02-03", "outlook"),
    ]:
        rows.left(day, root=root)

    page = manager.get(PAGE).text

    drawings = re.findall(r"(?s)<svg.*?</svg>", page)
    assert len(drawings) == 2
    for drawing in drawings:
        # A figure stands over every bar: outlook's one, then cost's one and two; months without any have no bar.
        bars = re.findall(r'(?s)class="mark-text role-mark[^"]*"[^>]*>(.*?)</g>', drawing)
        figures = [re.findall(r">([0-9]+)</text>", group) for group in bars]
        assert [over for over in figures if over] == [["1"], ["1", "2"]]
        assert 'role="img"' in drawing
        assert "Outcome 0, Outlook 1, Relationship 0, Cost 3, Circumstance 0, Not stated 0" in drawing


def test_a_drawing_has_nothing_that_a_strict_policy_forbids(manager):
    rows.left(root=Root.COST)

    page = manager.get(PAGE).text

    assert re.findall(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", page) == []


def test_an_unchanged_slice_is_drawn_once(manager, monkeypatch):
    from reports import charts

    drawn = []
    draw = charts._draw
    monkeypatch.setattr(charts, "_draw", lambda bars: drawn.append(bars.key) or draw(bars))
    rows.left("2025-07-07", root=Root.OUTLOOK)

    first, second = manager.get(PAGE).text, manager.get(PAGE).text
    rows.left("2025-07-08", root=Root.OUTLOOK)
    manager.get(PAGE)

    assert re.findall(r"(?s)<svg.*?</svg>", first) == re.findall(r"(?s)<svg.*?</svg>", second)
    assert drawn == ["chart-wide", "chart-narrow"] * 2


def test_filters_narrow_the_page_and_stay_in_its_links(manager):
    rows.left("2026-01-31", plan=rows.plan("big", "Big"), country="DE", imported_reason="Kept")
    rows.left("2026-02-01", plan=rows.plan("big", "Big"), country="DE", imported_reason="Too late")
    rows.left("2026-01-31", plan=rows.plan("small", "Small"), country="DE", imported_reason="Other plan")
    rows.left("2026-01-31", plan=rows.plan("big", "Big"), country="PL", imported_reason="Other country")

    page = manager.get(PAGE, {"from": "2026-01-01", "to": "2026-01-31", "plan": "big", "country": "DE"}).text

    assert [row[1] for row in table(page, "by-reason")] == ["Reason", "Kept"]
    assert 'value="2026-01-31"' in page
    assert '<option value="big" selected>Big</option>' in page
    link = unescape(re.findall(r'href="(/reports/reasons\.csv[^"]*by=reason)"', page)[0])
    lines = list(csv.reader(io.StringIO(manager.get(link).content.decode("utf-8-sig"))))
    assert lines == [["reason", "cancellations", "value_lost"], ["Kept", "1", "12.30"]]
    assert "?plan=big&amp;country=DE&amp;from=" in page


def test_an_empty_period_says_so(manager):
    rows.left("2026-01-31")

    response = manager.get(PAGE, {"from": "2027-01-01"})

    assert response.status_code == 200
    assert "No cancellation in this period and selection." in text_of(response.text)
    assert "<svg" not in response.text


@pytest.mark.parametrize(
    ("given", "said", "kept"),
    [
        ({"from": "2026-03-01", "to": "2026-02-01"}, "This day lies before the first one", 'value="2026-02-01"'),
        ({"from": "31.02.2026"}, "This is not a day", 'value="31.02.2026"'),
        ({"to": "2026-02-30"}, "This is not a day", 'value="2026-02-30"'),
        ({"plan": "<b>nope"}, "There is no plan with the code", '<option value="&lt;b&gt;nope" selected>'),
        ({"country": "Germany"}, "at most 2", '<option value="Germany" selected>'),
    ],
)
def test_what_cannot_be_used_is_named_and_kept(manager, given, said, kept):
    rows.left("2026-01-31")

    response = manager.get(PAGE, given)

    assert response.status_code == 422
    assert said in text_of(response.text)
    assert kept in response.text
    assert "<td" not in response.text
    assert manager.get(CSV, given).status_code == 422


def test_currencies_stand_apart_on_the_page(manager):
    rows.left("2026-01-01", charge=1230, currency="EUR")
    rows.left("2026-01-02", charge=1000, currency="JPY")

    page = manager.get(PAGE).text

    assert table(page, "by-root") == [
        ["Root", "Currency", "Cancellations", "Monthly charge lost"],
        ["Cost", "EUR", "1", "€12.30"],
        ["Cost", "JPY", "1", "JP¥1,000"],
    ]
    assert table(page, "by-month")[-1] == ["All", "0", "0", "0", "2", "0", "0", "2"]


def test_a_hostile_reason_stays_text(manager):
    rows.left(imported_reason="<script>alert(1)</script>", imported_category="<img src=x onerror=alert(1)>")

    page = manager.get(PAGE).text

    assert "<script>alert" not in page
    assert table(page, "by-reason")[1][1] == "<script>alert(1)</script>"


def test_an_unknown_download_says_which_there_are(manager):
    response = manager.get(CSV, {"by": "weather"})

    assert response.status_code == 422
    assert "month,root" in response.text


def test_the_download_opens_in_a_spreadsheet(manager):
    rows.left("2026-01-31", imported_reason="=1+1")

    response = manager.get(CSV, {"by": "category,reason"})

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="reasons-by-category-and-reason.csv"'
    assert response.content == ("\ufeffcategory,reason,cancellations,value_lost\r\nCost,'=1+1,1,12.30\r\n".encode())


def test_a_wrong_year_somewhere_does_not_fill_the_page():
    rows.left(date(1026, 1, 31))
    rows.left("2026-01-31")

    assert [row.label for row in page_of(Slice())["months"]] == ["Jan 1026", "Jan 2026"]


def test_three_cancellations_cost_as_many_statements_as_one(manager, django_assert_num_queries):
    rows.left(plan=rows.plan("a"))
    with django_assert_num_queries(9):
        manager.get(PAGE)
    for code in ("b", "c"):
        rows.left(plan=rows.plan(code), country="PL", root=Root.OUTLOOK)
    with django_assert_num_queries(9):
        manager.get(PAGE)
