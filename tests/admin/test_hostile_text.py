"""Whatever customers write, the desk shows it as text: no tag, no attribute, no script comes out of it."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.urls import reverse

from messaging.models import Letter
from subscriptions.models import Customer
from tests import desk_rows as rows
from tests.admin.conftest import Story, tell

pytestmark = pytest.mark.django_db
HOSTILE_FIRST = "\"'><img src=x onerror=alert(1)>"
CUSTOMERS = "/admin/subscriptions/customer/"
KINDS = (
    "customer",
    "contract",
    "notice",
    "cancellation",
    "letter",
    "answer",
    "payment",
    "instruction",
    "entry",
    "event",
)


@pytest.fixture(scope="session")
def naughty(shared_data: Path) -> list[str]:
    """Return texts that have broken other people's pages."""
    texts = json.loads((shared_data / "free_text" / "naughty_strings.json").read_text(encoding="utf-8"))
    return [text for text in texts if text.strip() and "\x00" not in text]


class Skeleton(HTMLParser):
    """A page without its words: tags and names of attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.bones: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Line breaks come from the text itself, and are all that may.
        if tag != "br":
            self.bones.append((tag, *(name for name, _value in attrs)))


def bones(page: str) -> list[tuple[str, ...]]:
    return Skeleton(page).bones


def page_of(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_of(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_changelist")


@pytest.fixture
def hostile(naughty) -> Story:
    """Return a customer whose every text is hostile, from its first character on: names are cut off."""
    return tell("\n".join([HOSTILE_FIRST, *naughty]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_full_of_hostile_text_has_the_same_tags_as_a_harmless_one(admin_client, hostile, kind):
    harmless = tell("Nothing special")

    told, quiet = (admin_client.get(page_of(getattr(story, kind))).text for story in (hostile, harmless))

    assert bones(told) == bones(quiet)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_hostile_text_has_the_same_tags_as_a_harmless_one(admin_client, hostile, kind):
    tell("Nothing special")

    page = admin_client.get(list_of(getattr(hostile, kind))).text

    lines = re.findall(r"(?s)<tr>.*?</tr>", page[page.index('id="result_list"') : page.index("</tbody>")])[1:]
    assert len(lines) >= 2
    assert len({tuple(bones(line)) for line in lines}) == 1


def test_every_word_of_it_is_there_to_read(admin_client, hostile, naughty):
    said = "\n".join([HOSTILE_FIRST, *naughty])
    shown = {
        "answer": hostile.answer,
        "notice": hostile.notice,
        "letter": hostile.letter,
        "event": hostile.event,
        "entry": hostile.entry,
    }
    for name, row in shown.items():
        found = re.findall(r"(?s)<pre>(.*?)</pre>", admin_client.get(page_of(row)).text)
        assert said in [html.unescape(text) for text in found], name


def test_hostile_names_in_a_list_are_text(admin_client, naughty):
    texts = [text[:200] for text in naughty]
    for start in range(0, len(texts), 50):
        Customer.objects.all().delete()
        names = texts[start : start + 50]
        Customer.objects.bulk_create(Customer(name=name, email="a@example.org") for name in names)
        told = admin_client.get(CUSTOMERS).text
        Customer.objects.update(name="Harmless")
        assert bones(told) == bones(admin_client.get(CUSTOMERS).text)


@pytest.mark.parametrize("address", [CUSTOMERS, "/admin/cancellation/notice/", "/admin/messaging/letter/"])
def test_hostile_searches_are_text(admin_client, naughty, address):
    rows.customer()
    quiet = bones(admin_client.get(address, {"q": "nobody at all"}).text)

    for text in naughty[::7]:
        assert bones(admin_client.get(address, {"q": text}).text) == quiet, text


# ---------------------------------------------------------------- the HTML of a letter


def html_page(letter: Letter) -> str:
    return reverse("admin:messaging_letter_html", args=[letter.pk])


def test_the_html_of_a_letter_stands_on_a_page_that_runs_and_loads_nothing(admin_client, story):
    Letter.objects.update(html="<h1>Hi</h1><script>alert(1)</script><img src='https://elsewhere.example/x.png'>")

    response = admin_client.get(html_page(story.letter))

    policy = {part.split()[0]: part.split()[1:] for part in response["Content-Security-Policy"].split("; ")}
    assert response.status_code == 200
    assert policy["sandbox"] == []
    assert policy["style-src"] == ["'unsafe-inline'"]
    closed = {name for name, values in policy.items() if values == ["'none'"]}
    assert {
        "default-src",
        "script-src",
        "img-src",
        "connect-src",
        "form-action",
        "base-uri",
        "frame-ancestors",
    } <= closed
    assert response["X-Frame-Options"] == "DENY"
    assert "no-store" in response["Cache-Control"]


def test_the_html_of_a_letter_is_never_part_of_the_desks_own_page(admin_client, story):
    Letter.objects.update(html="<h1 class='from-the-letter'>Hi</h1>")

    page = admin_client.get(page_of(story.letter)).text

    assert "from-the-letter" not in page
    assert f'href="{html_page(story.letter)}"' in page


def test_the_html_of_a_letter_needs_the_permission_to_see_letters(client, story):
    from tests.admin.conftest import clerk

    assert client.get(html_page(story.letter)).status_code == 302
    carl = clerk("subscriptions.view_customer")
    assert carl.get(html_page(story.letter)).status_code == 403


def test_a_letter_that_is_not_there_is_404(admin_client):
    assert admin_client.get("/admin/messaging/letter/999/html/").status_code == 404
