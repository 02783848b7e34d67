"""Five languages, complete: every string of code and templates, its placeholders, its plurals, its manners."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import time_machine
from babel.messages import Catalog, Message
from babel.messages.pofile import read_po
from django.contrib.auth.models import User
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.utils import translation
from django.utils.translation import ngettext

from cancellation import announcements
from cancellation.models import Receipt
from cancellation.receipts import url_of
from config.entries import entries as entries_of_home
from messaging.compose import draft
from outbox.models import Entry
from subscriptions.lexicon import pressing
from subscriptions.models import Contract
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.conftest import absent
from tests.factories import NOON, make_contract, pay

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "locale"
LANGUAGES = ("de", "fr", "pl", "ja")
PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "pl": "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);",
    "ja": "nplurals=1; plural=0;",
}
# What code puts in, and what a browser reads as markup; both must survive translation.
HELD = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w+\}|</?[a-z][^>]*>")

each_language = pytest.mark.parametrize("language", LANGUAGES)


def path_of(language: str) -> Path:
    """Return where a language's catalogue stands."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def catalogue(language: str) -> Catalog:
    """Return a language's catalogue as it is written down."""
    with path_of(language).open("rb") as source:
        return read_po(source, locale=language)


def entries(catalog: Catalog) -> list[Message]:
    """Return the messages without the header."""
    return [message for message in catalog if message.id]


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return a message's forms: one, or one for each plural."""
    return (text,) if isinstance(text, str) else tuple(text)


def key(message: Message) -> tuple[str, ...]:
    """Return what a message is found by: its context and its source."""
    return (message.context or "", *forms(message.id))


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, ...]]:
    """Return every message of the tree as xgettext finds it, from a copy: the catalogues stay as they are."""
    if not shutil.which("xgettext"):
        absent("xgettext (GNU gettext)")
    copy = tmp_path_factory.mktemp("tree") / "fairwell"
    left_out = shutil.ignore_patterns(".*", "var", "tests", "locale", "__pycache__", "*.pyc")
    shutil.copytree(ROOT, copy, ignore=left_out)
    (copy / "locale").mkdir()
    without_settings = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "de", "--verbosity", "0"],
        cwd=copy,
        env=without_settings,
        check=True,
    )
    with (copy / "locale" / "de" / "LC_MESSAGES" / "django.po").open("rb") as source:
        return {key(message) for message in entries(read_po(source, locale="de"))}


# ---------------------------------------------------------------- complete


@pytest.mark.pure
@each_language
def test_a_catalogue_holds_what_the_tree_says_and_nothing_else(language: str, gathered: set[tuple[str, ...]]) -> None:
    known = {key(message) for message in entries(catalogue(language))}
    assert {"untranslated": gathered - known, "left over": known - gathered} == {
        "untranslated": set(),
        "left over": set(),
    }


@pytest.mark.pure
@each_language
def test_no_translation_is_empty_unsure_or_obsolete(language: str) -> None:
    catalog = catalogue(language)
    unsure = [message.id for message in entries(catalog) if message.fuzzy or not all(forms(message.string))]
    assert (unsure, list(catalog.obsolete)) == ([], [])


@pytest.mark.pure
@each_language
def test_what_code_puts_in_and_markup_survive_translation(language: str) -> None:
    wrong = [
        (message.id, text)
        for message in entries(catalogue(language))
        for text in forms(message.string)
        if held(text) not in [held(source) for source in forms(message.id)]
    ]
    assert wrong == []


def held(text: str) -> Counter[str]:
    """Return the placeholders and tags of a text, each as often as it stands there."""
    return Counter(HELD.findall(text))


@pytest.mark.pure
@each_language
def test_a_sentence_begins_and_ends_as_its_source_does(language: str) -> None:
    """A blank or line end at either side glues words together, or tears them apart."""
    wrong = [
        message.id
        for message in entries(catalogue(language))
        if not message.context
        for text in forms(message.string)
        if text != text.strip()
    ]
    assert wrong == []


# ---------------------------------------------------------------- plurals


@pytest.mark.pure
@each_language
def test_every_plural_has_as_many_forms_as_its_language(language: str) -> None:
    catalog = catalogue(language)
    count = int(PLURALS[language].split(";")[0].removeprefix("nplurals="))
    counts = {len(forms(message.string)) for message in entries(catalog) if message.pluralizable}
    assert (f"Plural-Forms: {PLURALS[language]}" in path_of(language).read_text(), counts) == (True, {count})


@pytest.mark.pure
@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["1 month", "2 months", "5 months", "12 months", "22 months"]),
        ("de", ["1 Monat", "2 Monate", "5 Monate", "12 Monate", "22 Monate"]),
        ("fr", ["1 mois", "2 mois", "5 mois", "12 mois", "22 mois"]),
        ("pl", ["1 miesiąc", "2 miesiące", "5 miesięcy", "12 miesięcy", "22 miesiące"]),
        ("ja", ["1か月", "2か月", "5か月", "12か月", "22か月"]),
    ],
)
def test_numbers_take_the_form_that_people_use(language: str, told: list[str]) -> None:
    with translation.override(language):
        assert [ngettext("%(n)d month", "%(n)d months", n) % {"n": n} for n in (1, 2, 5, 12, 22)] == told


# ---------------------------------------------------------------- manners

# What presses stands in subscriptions/lexicon.py; more cases in tests/subscriptions/test_r15_words.py.
WRITTEN = sorted(
    path for path in [*(ROOT / "templates").rglob("*"), *(ROOT / "config" / "demo").rglob("*.py")] if path.is_file()
)


@pytest.mark.pure
@each_language
def test_r15_a_catalogue_presses_nobody(language: str) -> None:
    told = [
        (found, text)
        for message in entries(catalogue(language))
        for text in forms(message.string)
        if (found := pressing(text, language))
    ]
    asked = [text for message in entries(catalogue(language)) for text in forms(message.id) if pressing(text, "en")]
    assert (told, asked) == ([], [])


@pytest.mark.pure
@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_r15_what_is_written_in_a_page_or_a_mail_presses_nobody(path: Path) -> None:
    assert pressing(path.read_text()) == []


# ---------------------------------------------------------------- shown

# What stands in every language as it is: the languages' own names. And words that two languages share.
OWN_NAMES = {"English", "Deutsch", "français", "polski", "日本語"}
SHARED = {"de": {"Name"}, "fr": {"Date", "Instructions", "Options"}, "pl": {"Plan"}, "ja": set()}
# Words of packages that bring their own translations, or none: django-axes, and the empty choice of Django 6.1.
FOREIGN = {"Axes", "Access attempts", "Access failures", "Access logs", "- Select an option -"}
# Kinds of files, called the same everywhere.
FORMATS = {"HTML", "PDF"}
REFERENCE = re.compile(r"\b[A-Z]-[2-9A-Z]{8}\b")


class Words(HTMLParser):
    """The texts of a page that hold words, without those of its data."""

    def __init__(self, page: str, data: set[str]) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.is_code = False
        self.data = sorted(data | OWN_NAMES | FOREIGN | FORMATS, key=len, reverse=True)
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.is_code = tag in {"style", "textarea"}

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        for known in self.data:
            text = text.replace(known, "")
        text = REFERENCE.sub("", text)
        if not self.is_code and re.search(r"[^\W\d_]{3}", text):
            self.found.add(text.strip(" :"))


def left_behind(english: str, shown: str, language: str, data: set[str]) -> set[str]:
    """Return the words that a page shows as the English page does."""
    there = Words(shown, data).found
    assert there, "the page shows no word at all"
    return (there & Words(english, data).found) - SHARED[language]


@pytest.fixture
def contract(db: None) -> Iterator[Contract]:
    # Another test may have left its own reasons there.
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        contract = make_contract(country="AT")
        contract.components.create(kind="Domain", name="domain.example")
        pay(contract, "2026-11-01", "2026-12-31", 2400)
        yield contract


@pytest.fixture
def data(contract: Contract, settings: Any) -> set[str]:
    """Return what pages show of the rows and settings; it is in nobody's catalogue."""
    plan, customer = contract.plan, contract.customer
    rows = {plan.name, plan.product.name, plan.stays_usable, customer.name, customer.email, contract.reference}
    # A statutory label stands in the language of its place, whatever the page speaks.
    rows |= {entry.label.text for entry in entries_of_home()}
    return rows | {"Domain", "domain.example", settings.OPERATOR["name"], settings.OPERATOR["support_email"]}


def speaking(language: str) -> Client:
    """Return a visitor who chose a language."""
    client = Client()
    client.cookies["django_language"] = language
    return client


def holder_speaking(language: str, contract: Contract) -> Client:
    """Return the holder of a contract, signed in."""
    client, customer = speaking(language), contract.customer
    client.cookies[COOKIE] = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    return client


def page(client: Client, path: str) -> str:
    """Return a page, whatever its status."""
    return client.get(path).content.decode()


PAGES = ("", "cancel/", "cancel/reasons/", "cancel/confirm/")


@each_language
@pytest.mark.parametrize("step", PAGES)
def test_a_page_of_the_way_out_leaves_no_english_behind(
    language: str, step: str, contract: Contract, data: set[str]
) -> None:
    path = f"/contracts/{contract.reference}/{step}"
    english, shown = (page(holder_speaking(code, contract), path) for code in ("en", language))
    assert f'<html lang="{language}"' in shown
    assert left_behind(english, shown, language, data) == set()


@each_language
@pytest.mark.parametrize("path", ["/announce/", "/sign-in/", "/no-such-page/"])
def test_a_page_for_everybody_leaves_no_english_behind(
    language: str, path: str, contract: Contract, data: set[str]
) -> None:
    english, shown = (page(speaking(code), path) for code in ("en", language))
    assert left_behind(english, shown, language, data) == set()


@each_language
def test_the_last_page_and_the_confirmation_leave_no_english_behind(
    language: str, contract: Contract, data: set[str], settings: Any
) -> None:
    way = f"/contracts/{contract.reference}/cancel/"
    holder = holder_speaking(language, contract)
    quote = re.search(r'name="quote" value="([^"]+)"', page(holder, way))
    assert quote
    assert holder.post(f"{way}now/", {"quote": quote[1]}).status_code == 302
    payload = Entry.objects.get(topic="letter").payload
    # What was declared, and the button that declared it, stay in the language of the click.
    data |= {" ".join(payload["facts"]["declaration"].split())}
    receipt = Receipt.objects.select_related("notice").get()
    data |= {receipt.notice.button, receipt.number, url_of(receipt), settings.BASE_URL}

    english, shown = (page(holder_speaking(code, contract), f"{way}done/") for code in ("en", language))
    assert left_behind(english, shown, language, data) == set()

    letters = [draft(payload | {"locale": code}) for code in ("en", language)]
    assert left_behind(letters[0].html, letters[1].html, language, data) == set()
    assert letters[0].subject != letters[1].subject
    told = [{line for line in letter.text.splitlines() if "://" not in line} for letter in letters]
    lines = ["".join(f"<p>{line}</p>" for line in told_in) for told_in in told]
    assert left_behind(*lines, language, data) == set()


@each_language
def test_an_announcement_and_its_letters_leave_no_english_behind(
    language: str, contract: Contract, data: set[str]
) -> None:
    told = announcements.Told(
        agent_name="Mika", agent_company="Hafen", agent_email="m@hafen.example", about=contract.reference,
        holder_email=contract.customer.email,
    )  # fmt: skip
    made = announcements.announce(told=told, token="", locale="en", at=NOON)
    announcements.take_up(announcement_id=made.pk, at=NOON)
    path = f"/announce/{made.key}/"
    asked = [page(speaking(code), path) for code in ("en", language)]
    data |= {"Mika", "Hafen", "m@hafen.example"}
    assert left_behind(*asked, language, data) == set()

    for entry in Entry.objects.filter(topic="letter"):
        letters = [draft(entry.payload | {"locale": code}) for code in ("en", language)]
        assert left_behind(letters[0].html, letters[1].html, language, data) == set()
        assert letters[0].subject != letters[1].subject


@each_language
@pytest.mark.parametrize("path", ["/reports/reasons/", "/admin/", "/admin/subscriptions/contract/{pk}/change/"])
def test_a_page_for_staff_leaves_no_english_behind(
    language: str, path: str, contract: Contract, data: set[str]
) -> None:
    staff = User.objects.create_superuser("nobody")
    pages = []
    for code in ("en", language):
        client = speaking(code)
        client.force_login(staff)
        pages.append(page(client, path.format(pk=contract.pk)))
    assert left_behind(*pages, language, data | {"nobody"}) == set()
