"""A whole declaration, from the door to its erasure: what was shown is what is stored, and later it is nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cancellation import actions, announcements, erasure
from cancellation.announcements import Told
from cancellation.models import (
    AnnouncementState,
    Cancellation,
    Channel,
    Declared,
    Event,
    Evidence,
    Notice,
    NoticeState,
    Receipt,
)
from messaging.models import Letter
from outbox.drain import drain
from outbox.models import Entry
from subscriptions.models import Contract
from tests.cancellation.door_help import declare, form_of
from tests.cancellation.test_r19_erasure import everything
from tests.factories import make_contract, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
SECRET = "Zanzibar"
STAFF = actions.Actor("staff:carl")


@pytest.fixture
def contract(sink: Any) -> Iterator[Contract]:
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield make_contract(customer=make_customer(name="Ada Wren", email="ada@example.org"), country="FR")


def said(contract: Contract) -> dict[str, str]:
    """Return what somebody types at a door; the holder's own address is contract data, the rest is not."""
    return {
        "name": f"Ada {SECRET}",
        "email": contract.customer.email,
        "reference": contract.reference,
        "kind": "for_cause",
        "reason": f"{SECRET}: it never worked.",
        "address": f"{SECRET} street 1",
        "wished_on": "2027-05-31",
    }


def test_r19_what_is_stored_is_what_was_shown_and_nothing_else(contract: Contract) -> None:
    client, typed = Client(), said(contract)
    form = form_of(client.get("/cancel/fr/"))
    shown = form.names - {"kind", "evidence"}

    declare(client, "/cancel/fr/", **typed)

    row = Declared.objects.get()
    stored = {field.name for field in Declared._meta.get_fields()} - {"id", "notice", "salt", "erase_on", "erased_at"}
    kept = {name: str(getattr(row, name)) for name in stored if getattr(row, name)}
    assert kept == {name: typed[name] for name in typed if name != "kind"}
    # Every visible field has its place, and what is stored stood on the page (a telephone only where it is asked for).
    assert shown == stored - {"phone"}
    # A hidden field says which form it was, nothing about whoever sent it.
    assert set(form.hidden) == {"token"}
    assert not client.cookies


def test_r19_when_all_is_over_no_table_holds_a_word_of_it_and_the_contract_is_as_it_was(contract: Contract) -> None:
    client = Client()
    file = SimpleUploadedFile("zanzibar.txt", SECRET.encode(), "text/plain")
    form = form_of(client.get("/cancel/fr/"))
    recap = form_of(client.post(form.action, {**form.hidden, **said(contract), "evidence": file}))
    receipt_page = client.post(recap.action, recap.hidden)["Location"]
    drain()
    cancellation = Cancellation.objects.get()
    actions.decline_early(cancellation_id=cancellation.pk, actor=STAFF, why="The log shows that it worked.")
    drain()
    assert Evidence.objects.get().notice_id == Notice.objects.get().pk
    sent = Letter.objects.exclude(sent_at=None).count()
    assert sent >= 2
    assert SECRET in everything()

    # The end comes, and three months later the desk is tidy.
    over = datetime(2027, 8, 1, tzinfo=UTC)
    actions.end_due_contracts(now=over)
    before = Cancellation.objects.values("way", "last_day", "refund_minor", "state").get()
    agreed = Contract.objects.values().get()
    # France keeps proof for five years, from the day on which the end was over.
    assert erasure.erase_what_is_over(datetime(2032, 7, 30, tzinfo=UTC)).texts == 0
    assert erasure.erase_what_is_over(over + timedelta(days=5 * 366)).declarations == 1

    left = [line[:300] for line in everything().splitlines() if SECRET.lower() in line.lower()]
    assert left == []
    assert Cancellation.objects.values("way", "last_day", "refund_minor", "state").get() == before
    assert Contract.objects.values().get() == agreed
    # The proof that something was declared, received and answered stays.
    notice = Notice.objects.get()
    assert (notice.act, notice.received_at, len(notice.digest)) == ("for_cause", NOON, 64)
    assert Letter.objects.exclude(sent_at=None).count() == sent
    assert Event.objects.filter(notice=notice, what="text erased").count() == 1
    assert {len(row.document["digest"]) for row in Receipt.objects.all()} == {64}
    assert not Evidence.objects.exists()
    # Nothing is left to be shown at the old addresses.
    assert client.get(receipt_page).status_code == 404
    assert client.get(f"/receipts/{Receipt.objects.order_by('pk').first().key}/").status_code == 404  # type: ignore[union-attr]


def test_r19_a_declaration_that_nobody_matched_is_kept_until_the_desk_closes_it(contract: Contract) -> None:
    declare(Client(), "/cancel/", **(said(contract) | {"reference": "unknown", "email": "zanzibar@example.org"}))
    drain()
    notice = Notice.objects.get(channel=Channel.DOOR)
    assert notice.state == NoticeState.UNMATCHED

    assert erasure.erase_what_is_over(datetime(2040, 1, 1, tzinfo=UTC)).kept == 1
    Notice.objects.filter(pk=notice.pk).update(state=NoticeState.CLOSED)
    assert erasure.erase_what_is_over(datetime(2040, 1, 1, tzinfo=UTC)).declarations == 1
    assert SECRET.lower() not in everything().lower()


def test_r19_a_form_that_is_left_before_the_last_click_leaves_a_file_for_a_day(contract: Contract) -> None:
    client = Client()
    form = form_of(client.get("/cancel/fr/"))
    file = SimpleUploadedFile("proof.txt", SECRET.encode(), "text/plain")
    assert client.post(form.action, {**form.hidden, **said(contract), "evidence": file}).status_code == 200
    assert (Evidence.objects.count(), Notice.objects.count()) == (1, 0)

    assert erasure.erase_what_is_over(NOON + timedelta(hours=23)).uploads == 0
    assert erasure.erase_what_is_over(NOON + timedelta(hours=25)).uploads == 1
    assert not Evidence.objects.exists()


def test_r19_a_promise_that_was_never_kept_holds_no_words_either(contract: Contract, settings: Any) -> None:
    declare(Client(), "/cancel/", **said(contract))
    # No worker ever ran; somebody closed the case by hand.
    Notice.objects.update(state=NoticeState.CLOSED)
    assert SECRET in str(list(Entry.objects.values_list("payload", flat=True)))

    erasure.erase_what_is_over(datetime(2040, 1, 1, tzinfo=UTC))

    assert SECRET.lower() not in everything().lower()
    assert Declared.objects.get().erase_on == date(2030, 1, 1)


def test_r19_an_announcement_is_nowhere_either_once_its_time_is_over(contract: Contract) -> None:
    told = Told(
        agent_name=f"Agent {SECRET}", agent_email="agent@zanzibar.example", about=contract.reference,
        holder_name=contract.customer.name, holder_email=contract.customer.email, agent_company=SECRET, words=SECRET,
    )  # fmt: skip
    row = announcements.announce(told=told, token="form", locale="en", at=NOON)
    drain()
    drain()
    row.refresh_from_db()
    assert row.state == AnnouncementState.ASKED
    assert Letter.objects.exclude(sent_at=None).count() == 2
    assert announcements.answer_no(announcement=row, contract=contract, state=AnnouncementState.NO, at=NOON)

    assert erasure.erase_what_is_over(datetime(2031, 11, 1, tzinfo=UTC)).texts == 0
    assert erasure.erase_what_is_over(datetime(2033, 1, 1, tzinfo=UTC)).announcements == 1

    assert [line[:300] for line in everything().splitlines() if SECRET.lower() in line.lower()] == []
    assert Letter.objects.exclude(sent_at=None).count() == 2
