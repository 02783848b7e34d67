"""A letter carries its receipt: to read, signed, and for the calendar; the same as the page serves, every time."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pypdf
import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from cancellation import actions, proof, receipts
from cancellation.models import Cancellation, Receipt, ReceiptKind
from cancellation.queries import agreed_of
from cancellation.quotes import ordinary
from messaging import compose, documents, post
from messaging.models import Letter
from outbox import drain
from outbox.models import Entry
from subscriptions import receipt_lines
from subscriptions.models import Contract
from tests.factories import NOON, make_contract, make_customer, make_plan, pay
from tests.messaging.conftest import MailServer

pytestmark = pytest.mark.django_db
HOLDER = actions.Actor("customer:1")
# What breaks typesetters: markup of two kinds, Polish, Japanese, the narrow blank of French money, the other direction.
HOSTILE = (
    '#eval("1 + 1") *b* $x$ @ref <b>&amp;</b>\nZażółć gęślą jaźń\n契約を解約します\n1\u202f234,50\u00a0€\nשלום עולם'
)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def contract(db: None) -> Contract:
    plan = make_plan(name="Server S", stays_usable="Your domain stays yours.")
    contract = make_contract(plan=plan, customer=make_customer(name="Anna Nowak", email="anna@example.org"))
    pay(contract, "2026-11-01", "2027-10-31", 14_400)
    return contract


def leave(contract: Contract, *, declaration: str = "I end it.", locale: str = "en") -> Cancellation:
    quote = ordinary(agreed_of(contract), NOON)
    notice = actions.receive_notice(
        contract=contract, shown=quote, received_at=NOON, actor=HOLDER, key=f"visit:{contract.pk}", locale=locale,
        declaration=declaration, door=actions.Door(button="Cancel now", pack="default"),
    )  # fmt: skip
    return actions.confirm(notice=notice, shown=quote, actor=HOLDER)


def attached(message: Any) -> dict[str, Any]:
    """Return the files of a mail by name; what is text comes with the line ends of this machine."""
    files = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    return {
        name: content.replace("\r\n", "\n") if isinstance(content, str) else content for name, content in files.items()
    }


def served(client: Client, receipt: Receipt, name: str) -> Any:
    content = client.get(receipts.url_of(receipt) + name).content
    return content if name.endswith((".pdf", ".json")) else content.decode().replace("\r\n", "\n")


def test_r08_the_mail_carries_what_the_page_serves(server: MailServer, client: Client, contract: Contract) -> None:
    leave(contract, declaration=HOSTILE)
    assert drain.drain().delivered >= 1

    [message] = server.messages
    receipt = Receipt.objects.get()
    files = attached(message)
    assert set(files) == {f"receipt-{receipt.number}.pdf", f"receipt-{receipt.number}.json", "last-day.ics"}
    assert files[f"receipt-{receipt.number}.pdf"] == served(client, receipt, "receipt.pdf")
    assert files[f"receipt-{receipt.number}.json"] == served(client, receipt, "receipt.json")
    assert files["last-day.ics"] == served(client, receipt, "last-day.ics")
    assert proof.check(files[f"receipt-{receipt.number}.json"].decode()).document == receipt.document


def test_r08_the_text_of_the_letter_tells_what_the_receipt_holds(server: MailServer, contract: Contract) -> None:
    leave(contract)
    drain.drain()

    body = server.messages[0].get_body(("plain",))
    assert body is not None
    told = body.get_content()
    receipt = Receipt.objects.get()
    document = receipt.document
    for fact in (
        document["number"],
        document["notice"]["reference"],
        document["notice"]["declaration"],
        document["notice"]["button"],
        "10 November 2026, 13:00:00 (UTC+01:00)",
        "31 December 2026",
        *document["rule"]["words"],
        document["money"]["refund"]["text"],
        document["stays_usable"],
        document["contract"]["reference"],
        f"http://127.0.0.1:8000{receipts.url_of(receipt)}",
    ):
        assert fact in told
    html = server.messages[0].get_body(("html",))
    assert html is not None
    assert document["number"] in html.get_content()


def test_the_letter_of_an_undo_carries_its_receipt(server: MailServer, contract: Contract) -> None:
    cancellation = leave(contract)
    actions.revoke(cancellation_id=cancellation.pk, actor=HOLDER, at=NOON)
    while drain.drain().delivered:
        pass

    undone = Receipt.objects.get(kind=ReceiptKind.UNDONE)
    files = attached(server.messages[-1])
    assert set(files) == {f"receipt-{undone.number}.pdf", f"receipt-{undone.number}.json"}


def test_a_retry_sends_the_same(server: MailServer, contract: Contract) -> None:
    leave(contract, declaration=HOSTILE)
    server.answers = ["451 4.3.0 later", ""]
    drain.drain()
    assert server.messages == []
    first = [documents.files_of(entry.payload["facts"]["receipt"]) for entry in Entry.objects.filter(topic="letter")]

    with time_machine.travel(NOON.replace(day=12), tick=False):
        Entry.objects.filter(delivered_at__isnull=True).update(due_at=timezone.now())
        drain.drain()

    [message] = server.messages
    assert attached(message)[first[0][0].name] == first[0][0].content
    assert Letter.objects.count() == 1


def test_a_typesetter_that_fails_holds_up_no_letter(
    server: MailServer, client: Client, contract: Contract, monkeypatch: Any
) -> None:
    def broken(document: Any) -> bytes:
        raise MemoryError("no fonts today")

    monkeypatch.setattr(documents, "_printed", broken)
    leave(contract)
    drain.drain()

    receipt = Receipt.objects.get()
    files = attached(server.messages[0])
    assert set(files) == {f"receipt-{receipt.number}.html", f"receipt-{receipt.number}.json", "last-day.ics"}
    assert files[f"receipt-{receipt.number}.html"] == served(client, receipt, "receipt.html")
    # Nor does it make a dead link.
    assert served(client, receipt, "receipt.pdf").decode().startswith("<!DOCTYPE html>")


def test_without_the_extra_the_attached_file_is_a_page(
    server: MailServer, contract: Contract, monkeypatch: Any
) -> None:
    monkeypatch.setattr(receipt_lines, "can_print", lambda: False)
    leave(contract)
    drain.drain()

    assert f"receipt-{Receipt.objects.get().number}.html" in attached(server.messages[0])


@pytest.mark.parametrize("locale", ["en", "de", "fr", "pl", "ja"])
def test_hostile_and_foreign_letters_come_out_of_the_pdf_whole(contract: Contract, locale: str) -> None:
    leave(contract, declaration=HOSTILE, locale=locale)
    document = Receipt.objects.get().document

    file = documents.pdf_file(document)

    assert file is not None
    read = pypdf.PdfReader(io.BytesIO(file.content))
    told = "".join(page.extract_text() for page in read.pages)
    bare = "".join(told.split())
    for line in HOSTILE.splitlines()[:4]:
        assert "".join(line.split()) in bare
    # Each letter of the other direction; in which order they are extracted is the reader's affair.
    assert set("שלוםעולם") <= set(told)
    for section in receipt_lines.sections(document):
        for words in (section.title, *(part for row in section.rows for part in row), *section.sentences):
            assert "".join(words.split()) in bare, words
    assert read.metadata is not None
    assert read.metadata.title == receipt_lines.title(document)


def test_a_pdf_is_the_same_twice(contract: Contract) -> None:
    leave(contract, declaration=HOSTILE)
    document = Receipt.objects.get().document

    first, second = documents.pdf_file(document), documents.pdf_file(document)

    assert first is not None
    assert first == second


@pytest.mark.parametrize("letter", ["🙂", "ส", "\U000130b8"], ids=["emoji", "thai", "hieroglyph"])
def test_a_letter_that_no_font_has_is_never_dropped_the_page_stands_in(contract: Contract, letter: str) -> None:
    leave(contract, declaration=f"I end it {letter}")
    receipt = Receipt.objects.get()

    assert documents.pdf_file(receipt.document) is None
    readable = documents.files_of(receipts.facts_of(receipt))[0]
    assert readable.name.endswith(".html")
    assert letter in readable.content.decode()


def test_a_long_declaration_becomes_a_pdf_of_many_pages(contract: Contract) -> None:
    leave(contract, declaration="Ich kündige. 解約します。 " * 2_000)

    file = documents.pdf_file(Receipt.objects.get().document)

    assert file is not None
    read = pypdf.PdfReader(io.BytesIO(file.content))
    bare = "".join("".join(page.extract_text() for page in read.pages).split())
    assert bare.count("Ichkündige.") == 2_000


def test_the_file_to_read_needs_nothing_from_elsewhere(contract: Contract) -> None:
    leave(contract, declaration=HOSTILE)

    page = documents.html_file(Receipt.objects.get().document).content.decode()

    assert "<script" not in page
    assert "src=" not in page
    assert "<link" not in page
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in page


def test_a_letter_without_a_receipt_has_no_files(end_confirmed: dict[str, Any]) -> None:
    assert compose.draft(end_confirmed).receipt is None
    assert post._mail(compose.draft(end_confirmed), "a@example.org", "<1@x>").attachments == []


def test_a_letter_that_is_its_receipt_tells_all_of_it(contract: Contract) -> None:
    leave(contract)
    receipt = receipts.facts_of(Receipt.objects.get())

    payload = base64.urlsafe_b64decode(receipt["jws"].split(".")[1] + "==")

    assert documents.document_in(receipt["jws"]) == json.loads(payload)
