"""Words of strangers go when their time is over; the proof stays; nothing that is still needed goes."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cancellation import erasure
from cancellation.erasure import Erased, erase_what_is_over, what_is_over
from cancellation.models import (
    Announcement,
    AnnouncementState,
    Cancellation,
    Channel,
    Declared,
    Event,
    Evidence,
    Judgement,
    Notice,
    NoticeState,
    Receipt,
    State,
)
from cancellation.tasks import forget_what_is_over
from messaging.models import Letter
from outbox.models import Entry
from subscriptions.models import Contract
from tests.factories import NOON, make_contract

pytestmark = pytest.mark.django_db

RECEIVED = datetime(2026, 11, 10, 12, tzinfo=UTC)
ERASE_ON = date(2030, 1, 1)
LATER = datetime(2030, 1, 2, 3, tzinfo=UTC)
SECRET = "Zanzibar"


def declare(**changes: Any) -> Declared:
    """Return a declaration of a public page with everything that can come with it, and words in every place."""
    number = Notice.objects.count() + 1
    given: dict[str, Any] = {
        "channel": Channel.DOOR, "received_at": RECEIVED, "declaration": f"I, {SECRET}, end it.", "actor": "public",
        "idempotency_key": f"door-{number}", "state": NoticeState.CLOSED, "digest": "d" * 64, "pack": "default",
        "asks": {"way": "for_cause", "ground": SECRET},
    }  # fmt: skip
    notice = Notice.objects.create(**given | changes)
    row = Declared.objects.create(
        notice=notice, name=SECRET, email=f"{SECRET}@example.org", phone=SECRET, address=SECRET, reference=SECRET,
        reason=SECRET, wished_on=date(2027, 1, 1), salt="s" * 43, erase_on=ERASE_ON,
    )  # fmt: skip
    Evidence.objects.create(
        notice=notice, name=f"{SECRET}.pdf", content_type="application/pdf", size=3, sha256="0" * 64, content=b"abc"
    )
    Receipt.objects.create(
        kind="received", notice=notice, document={"said": SECRET}, jws=f"e30.{SECRET}.sig", kid="k1", issued_at=RECEIVED
    )
    Entry.objects.create(
        topic="letter", dedupe_key=f"received:{notice.pk}", payload={"said": SECRET}, due_at=RECEIVED, last_error=SECRET
    )
    Letter.objects.create(
        key=f"received:{notice.pk}", kind="declaration-received", locale="en", to=f"{SECRET}@example.org",
        subject=SECRET, text=SECRET, html=SECRET, message_id=f"<{number}@x>", sent_at=RECEIVED,
    )  # fmt: skip
    return row


def ending(row: Declared, **changes: Any) -> Cancellation:
    """Let a declaration end a contract."""
    contract = make_contract()
    given = {"received_on": date(2026, 11, 10), "last_day": date(2026, 12, 31), "currency": "EUR", **changes}
    cancellation = Cancellation.objects.create(contract=contract, notice=row.notice, **given)
    Notice.objects.filter(pk=row.notice_id).update(contract=contract, state=NoticeState.MATCHED)
    return cancellation


def everything() -> str:
    """Return all that the database says, of every table."""
    with connection.cursor() as cursor:
        told = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            told.append(f"{table}: {cursor.fetchall()}")
    return "\n".join(told)


# ---------------------------------------------------------------- what goes, and what stays


def test_r19_when_its_time_is_over_the_words_are_nowhere_any_more() -> None:
    declare()
    assert SECRET in everything()

    done = erase_what_is_over(LATER)

    assert done == Erased(declarations=1)
    assert [line[:60] for line in everything().splitlines() if SECRET in line] == []


def test_r19_the_proof_stays_without_the_salt() -> None:
    row = declare()
    before = Notice.objects.values("reference", "received_at", "act", "digest", "state").get()
    receipt = Receipt.objects.get()

    erase_what_is_over(LATER)

    kept, after, declared = Receipt.objects.get(), Notice.objects.get(), Declared.objects.get()
    assert Notice.objects.values(*before).get() == before
    assert (after.declaration, after.asks) == ("[erased 2030-01-02]", {"way": "for_cause"})
    assert (declared.salt, declared.name, declared.wished_on, declared.erased_at) == ("", "", None, LATER)
    assert (kept.number, kept.kind, kept.kid, kept.issued_at, kept.jws) == (
        receipt.number, receipt.kind, "k1", RECEIVED, "",
    )  # fmt: skip
    assert kept.document == {
        "number": receipt.number,
        "kind": "received",
        "kid": "k1",
        "digest": hashlib.sha256(receipt.jws.encode()).hexdigest(),
    }
    [event] = Event.objects.filter(notice=row.notice)
    assert (event.what, event.actor, event.why, event.at) == ("text erased", "system", "kept until 2029-12-31", LATER)
    letter = Letter.objects.get()
    assert (letter.sent_at, letter.kind, letter.to, letter.text) == (RECEIVED, "declaration-received", "", "")


def test_r19_a_day_earlier_nothing_goes() -> None:
    declare()

    assert erase_what_is_over(datetime(2029, 12, 31, 23, tzinfo=UTC)) == Erased()

    assert Declared.objects.get().name == SECRET


def test_r19_twice_erases_once() -> None:
    declare()

    assert [erase_what_is_over(LATER).texts, erase_what_is_over(LATER).texts] == [1, 0]
    assert erasure.erase_declaration(Declared.objects.get(), LATER) is False
    assert Event.objects.filter(what="text erased").count() == 1


def test_r19_broken_off_half_way_it_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = declare(), declare()
    whole = erasure.erase_words_of

    def breaks_at_the_second(notice: Notice, *args: Any) -> None:
        if notice.pk == second.notice_id:
            raise OSError("the machine went off")
        whole(notice, *args)

    monkeypatch.setattr(erasure, "erase_words_of", breaks_at_the_second)
    with pytest.raises(OSError, match="went off"):
        erase_what_is_over(LATER)
    monkeypatch.undo()

    # One is done as a whole, the other is as it was.
    told = {row.pk: (row.name, row.salt, row.notice.evidence.count()) for row in Declared.objects.all()}
    assert told == {first.pk: ("", "", 0), second.pk: (SECRET, "s" * 43, 1)}
    assert erase_what_is_over(LATER) == Erased(declarations=1)


def test_r19_batches_reach_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    for number in range(5):
        row = declare()
        if number % 2:
            Notice.objects.filter(pk=row.notice_id).update(state=NoticeState.UNMATCHED)

    assert erase_what_is_over(LATER) == Erased(declarations=3, kept=2)


# ---------------------------------------------------------------- what is still needed


@pytest.mark.parametrize("state", [NoticeState.UNMATCHED, NoticeState.QUARANTINED, NoticeState.MATCHED])
def test_r19_an_open_case_of_the_desk_is_kept_at_any_age(state: NoticeState) -> None:
    declare(state=state)

    assert erase_what_is_over(LATER + timedelta(days=3650)) == Erased(kept=1)
    assert Declared.objects.get().name == SECRET


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"state": State.SCHEDULED, "last_day": date(2035, 1, 31)}, id="an-end-to-come"),
        pytest.param({"state": State.ENDED, "judgement": Judgement.OPEN}, id="an-earlier-end-to-be-judged"),
    ],
)
def test_r19_an_end_that_is_not_over_keeps_its_words(changes: dict[str, Any]) -> None:
    ending(declare(), **changes)

    assert erase_what_is_over(LATER) == Erased(kept=1)
    assert Declared.objects.get().name == SECRET


def test_r19_an_end_that_was_over_later_keeps_its_words_as_long_again() -> None:
    ending(declare(), state=State.ENDED, last_day=date(2028, 6, 30), closed_at=datetime(2028, 7, 1, tzinfo=UTC))

    assert (what_is_over(LATER), erase_what_is_over(LATER)) == (Erased(), Erased())

    # Three years to the end of 2031; the day that was set has moved on.
    assert Declared.objects.get().erase_on == date(2032, 1, 1)
    assert erase_what_is_over(datetime(2032, 1, 1, 12, tzinfo=UTC)) == Erased(declarations=1)


def test_r19_a_case_that_the_desk_closed_late_is_kept_as_long_again() -> None:
    row = declare()
    Event.objects.create(
        notice=row.notice, at=datetime(2029, 5, 1, tzinfo=UTC), actor="staff:carl", what="notice closed"
    )

    assert erase_what_is_over(LATER) == Erased()
    assert Declared.objects.get().erase_on == date(2033, 1, 1)


def test_r19_a_declaration_without_a_day_gets_one_and_is_not_kept_for_ever() -> None:
    declare()
    Declared.objects.update(erase_on=None)

    erase_what_is_over(RECEIVED)
    assert Declared.objects.get().erase_on == ERASE_ON
    assert erase_what_is_over(LATER) == Erased(declarations=1)


def test_r19_notices_of_the_guided_way_and_contracts_are_left_alone() -> None:
    declare()
    contract = make_contract()
    guided = Notice.objects.create(
        channel=Channel.GUIDED, contract=contract, received_at=RECEIVED, declaration="I end it.", actor="customer:1",
        idempotency_key="guided", shown={"last_day": "2026-12-31"},
    )  # fmt: skip
    Receipt.objects.create(kind="end", notice=guided, document={"a": 1}, jws="j", kid="k", issued_at=RECEIVED)
    rows = (Notice.objects.filter(pk=guided.pk), Receipt.objects.filter(notice=guided), Contract.objects.all())
    before = [list(row.values()) for row in rows]

    erase_what_is_over(LATER + timedelta(days=36500))

    assert [list(row.all().values()) for row in rows] == before


# ---------------------------------------------------------------- announcements and files


def announced(**changes: Any) -> Announcement:
    """Return an announcement with words in every field, and its letters."""
    number = Announcement.objects.count() + 1
    given: dict[str, Any] = {
        "agent_name": SECRET, "agent_company": SECRET, "agent_email": f"{SECRET}@example.org", "about": SECRET,
        "holder_name": SECRET, "holder_email": SECRET, "words": SECRET, "wished_on": date(2027, 1, 1),
        "received_at": RECEIVED, "state": AnnouncementState.NO, "idempotency_key": f"a-{number}", "erase_on": ERASE_ON,
    }  # fmt: skip
    row = Announcement.objects.create(**given | changes)
    for kind in ("announcement-received", "announcement-question"):
        Entry.objects.create(topic="letter", dedupe_key=f"{kind}:{row.pk}", payload={"a": SECRET}, due_at=RECEIVED)
    return row


def test_r19_an_announcement_goes_too_and_its_link_says_that_it_is_over() -> None:
    row = announced()

    assert erase_what_is_over(LATER) == Erased(announcements=1)

    after = Announcement.objects.get()
    assert (after.reference, after.state, after.received_at) == (row.reference, "no", RECEIVED)
    assert Client().get(f"/announce/{row.key}/").status_code in {404, 410}
    assert [line[:60] for line in everything().splitlines() if SECRET in line] == []
    assert Event.objects.filter(what="text erased").count() == 1


@pytest.mark.parametrize("changes", [{"state": AnnouncementState.UNMATCHED}, {"is_held": True}])
def test_r19_an_announcement_that_waits_for_the_desk_is_kept(changes: dict[str, Any]) -> None:
    announced(**changes)

    assert erase_what_is_over(LATER) == Erased(kept=1)
    assert Announcement.objects.get().words == SECRET


def test_r19_an_announcement_that_led_to_an_end_is_kept_as_long_as_the_end() -> None:
    contract = make_contract()
    notice = Notice.objects.create(
        channel=Channel.AGENT, contract=contract, received_at=RECEIVED, declaration=SECRET, actor="customer:1",
        idempotency_key="agent",
    )  # fmt: skip
    cancellation = Cancellation.objects.create(
        contract=contract, notice=notice, received_on=date(2026, 11, 10), last_day=date(2029, 1, 31), currency="EUR"
    )
    announced(state=AnnouncementState.YES, notice=notice, contract=contract)

    assert erase_what_is_over(LATER) == Erased(kept=1)
    Cancellation.objects.update(state=State.ENDED, closed_at=datetime(2029, 2, 1, tzinfo=UTC))
    assert erase_what_is_over(LATER) == Erased()
    assert erase_what_is_over(datetime(2033, 1, 1, 12, tzinfo=UTC)) == Erased(announcements=1)
    assert SECRET not in everything()
    assert Cancellation.objects.filter(pk=cancellation.pk, last_day=date(2029, 1, 31)).exists()


def test_r19_files_of_a_form_that_was_never_sent_are_forgotten_after_a_day() -> None:
    row = declare()
    file = {"name": SECRET, "content_type": "image/png", "size": 1, "sha256": "0" * 64, "content": b"x"}
    with time_machine.travel(NOON, tick=False):
        old = Evidence.objects.create(**file)
    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        young = Evidence.objects.create(**file)

    assert erase_what_is_over(NOON + timedelta(hours=25)).uploads == 1

    kept = set(Evidence.objects.values_list("pk", flat=True))
    assert kept == {young.pk, row.notice.evidence.get().pk}
    assert old.pk not in kept


# ---------------------------------------------------------------- by whom


def test_r19_a_dry_run_says_what_would_go_and_writes_nothing() -> None:
    declare()
    declare(state=NoticeState.UNMATCHED)
    before = everything()
    out = StringIO()

    with time_machine.travel(LATER, tick=False), CaptureQueriesContext(connection) as asked:
        call_command("forget", "--dry-run", "--explain", stdout=out)

    assert everything() == before
    assert [query["sql"] for query in asked if query["sql"].startswith(("UPDATE", "DELETE", "INSERT"))] == []
    assert "declarations would be erased: 1" in out.getvalue()
    assert "kept until what they led to is finished: 1" in out.getvalue()
    assert "default: 3 years from the end of the year" in out.getvalue()


def test_r19_the_command_and_the_worker_erase() -> None:
    declare()
    with time_machine.travel(LATER, tick=False):
        out = StringIO()
        call_command("forget", stdout=out)
        assert "declarations erased: 1" in out.getvalue()
        declare()
        assert forget_what_is_over() == 1


def test_r19_the_timer_runs_by_itself(settings: Any) -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE["forget-what-is-over"]

    assert schedule["task"] == forget_what_is_over.name
    assert schedule["schedule"] <= 86_400


# ---------------------------------------------------------------- only added


@pytest.mark.parametrize("model", [Notice, Receipt, Event])
def test_r19_a_row_of_the_proof_is_neither_changed_nor_deleted(model: Any) -> None:
    row = declare()
    Event.objects.create(notice=row.notice, at=RECEIVED, actor="system", what="notice received")
    proof = model.objects.get()

    with pytest.raises(TypeError, match="only ever added"):
        proof.save()
    with pytest.raises(TypeError, match="never deleted"):
        proof.delete()


@pytest.mark.parametrize("model", ["notice", "event", "receipt", "declared", "evidence", "cancellation"])
def test_r19_the_desk_changes_and_deletes_no_proof_not_even_for_a_superuser(model: str) -> None:
    row = declare()
    Event.objects.create(notice=row.notice, at=RECEIVED, actor="system", what="notice received")
    ending(row)
    desk = Client()
    desk.force_login(User.objects.create_superuser("carl"))
    kept = everything().partition("django_session")[0]
    rows = {
        "notice": Notice, "event": Event, "receipt": Receipt, "declared": Declared, "evidence": Evidence,
        "cancellation": Cancellation,
    }  # fmt: skip
    pk = rows[model].objects.values_list("pk", flat=True).get()  # type: ignore[attr-defined]
    base = f"/admin/cancellation/{model}/"

    answers = [
        desk.post(f"{base}{pk}/change/", {"declaration": "x", "what": "x", "name": "x"}).status_code,
        desk.post(f"{base}{pk}/delete/", {"post": "yes"}).status_code,
        desk.post(f"{base}add/", {"declaration": "x"}).status_code,
        desk.post(base, {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}).status_code,
    ]

    # 404 where there is no such page at all; a list without that action shows itself again.
    assert set(answers[:3]) <= {403, 404}
    assert everything().partition("django_session")[0] == kept
