"""Promises are kept: leased by one worker, done outside a transaction, marked one by one, tried again, never lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from outbox import drain, registry
from outbox.actions import Promise, add, add_many
from outbox.models import Entry

pytestmark = pytest.mark.django_db
Register = Callable[..., None]


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Return a way to handle topics in this test alone; no other topic is handled."""
    monkeypatch.setattr(registry, "_topics", {})
    return registry.register


def promise(*keys: str, topic: str = "parcel", **payload: Any) -> None:
    add_many([Promise(topic, key, {"key": key, **payload}) for key in keys])


def entry(key: str) -> Entry:
    return Entry.objects.get(dedupe_key=key)


def test_what_is_due_is_handed_over_once_and_marked(topic: Register) -> None:
    handed: list[tuple[int, dict[str, Any]]] = []
    topic("parcel", lambda entry_id, payload: handed.append((entry_id, payload)))
    promise("a", "b")

    first, second = drain.drain(), drain.drain()

    assert handed == [(entry("a").pk, {"key": "a"}), (entry("b").pk, {"key": "b"})]
    assert (first.delivered, second.delivered) == (2, 0)
    assert [e.delivered_at is not None and e.attempts == 0 and e.last_error == "" for e in Entry.objects.all()] == [
        True,
        True,
    ]


def test_a_promise_is_made_once_for_a_key(topic: Register) -> None:
    promise("a", colour="red")
    promise("a", colour="blue")

    assert list(Entry.objects.values_list("payload", flat=True)) == [{"key": "a", "colour": "red"}]


def test_what_is_due_later_waits(topic: Register) -> None:
    topic("parcel", lambda entry_id, payload: None)
    add(topic="parcel", dedupe_key="later", payload={}, due_at=timezone.now() + timedelta(minutes=1))

    assert drain.drain().delivered == 0
    assert entry("later").claimed_at is None


def test_a_topic_that_nobody_handles_waits_and_is_not_lost(topic: Register) -> None:
    promise("a", topic="unknown")

    assert drain.drain().delivered == 0
    waiting = entry("a")
    assert (waiting.claimed_at, waiting.attempts, waiting.dead_at, waiting.delivered_at) == (None, 0, None, None)

    topic("unknown", lambda entry_id, payload: None)
    assert drain.drain().delivered == 1


def test_more_than_a_batch_is_drained_in_batches(topic: Register) -> None:
    topic("parcel", lambda entry_id, payload: None)
    promise(*(f"k{n}" for n in range(drain.BATCH * 2 + 1)))

    assert drain.drain(batches=1).delivered == drain.BATCH
    assert drain.drain().delivered == drain.BATCH + 1


def test_a_failure_is_told_and_due_again_later_while_the_rest_goes_on(topic: Register) -> None:
    def handle(entry_id: int, payload: dict[str, Any]) -> None:
        if payload["key"] == "bad":
            raise RuntimeError("no such street")

    topic("parcel", handle)
    promise("bad", "good")
    before = timezone.now()

    summary = drain.drain()

    assert (summary.delivered, summary.failed) == (1, 1)
    bad = entry("bad")
    assert (bad.attempts, bad.last_error, bad.claimed_at) == (1, "RuntimeError: no such street", None)
    assert timedelta(seconds=8) <= bad.due_at - before <= timedelta(seconds=13)
    assert entry("good").delivered_at is not None


def test_pauses_double_up_to_an_hour_and_are_spread() -> None:
    middle = [drain.pause_after(n).total_seconds() for n in (1, 2, 5, 9, 10, 79)]

    for pause, expected in zip(middle, [10, 20, 160, 2560, 3600, 3600], strict=True):
        assert expected * 0.8 <= pause <= expected * 1.2
    assert len({drain.pause_after(3) for _ in range(20)}) > 1
    assert sum(drain.pause_after(n).total_seconds() for n in range(1, drain.MOST_ATTEMPTS)) > 2 * 24 * 3600


def test_after_the_last_attempt_an_entry_is_given_up_and_kept(topic: Register) -> None:
    def fail(entry_id: int, payload: dict[str, Any]) -> None:
        raise RuntimeError("never")

    topic("parcel", fail)
    promise("a")
    Entry.objects.update(attempts=drain.MOST_ATTEMPTS - 1)

    assert drain.drain().given_up == 1
    assert drain.drain().failed == 0
    assert entry("a").dead_at is not None
    assert entry("a").last_error == "RuntimeError: never"


def test_an_entry_is_handled_outside_any_transaction_of_the_drain(topic: Register) -> None:
    depth: list[int] = []
    topic("parcel", lambda entry_id, payload: depth.append(len(connection.savepoint_ids)))
    promise("a")
    outside = len(connection.savepoint_ids)

    drain.drain()

    assert depth == [outside]


def test_a_lease_is_one_workers_alone(topic: Register) -> None:
    promise(*(f"k{n}" for n in range(drain.BATCH + 3)))
    now = timezone.now()

    one = drain.lease(owner="one", topics={"parcel"}, now=now)
    other = drain.lease(owner="other", topics={"parcel"}, now=now)
    third = drain.lease(owner="third", topics={"parcel"}, now=now)

    assert (len(one), len(other), third) == (drain.BATCH, 3, [])
    assert {e.pk for e in one} & {e.pk for e in other} == set()


def test_what_a_rival_takes_between_looking_and_taking_is_the_rivals(topic: Register) -> None:
    promise("a", "b")
    rivals = entry("a").pk
    raced = []

    def rival(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and not raced:
            raced.append(True)
            Entry.objects.filter(pk=rivals).update(claimed_at=timezone.now(), claimed_by="rival")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(rival):
        mine = drain.lease(owner="me", topics={"parcel"}, now=timezone.now())

    assert [e.dedupe_key for e in mine] == ["b"]
    assert entry("a").claimed_by == "rival"


def test_what_a_crashed_worker_held_is_free_after_the_lease(topic: Register, settings: Any) -> None:
    settings.OUTBOX_LEASE_SECONDS = 60
    topic("parcel", lambda entry_id, payload: None)
    promise("fresh", "old")
    now = timezone.now()
    Entry.objects.update(claimed_at=now - timedelta(seconds=30), claimed_by="a worker at work")
    Entry.objects.filter(dedupe_key="old").update(claimed_at=now - timedelta(seconds=61), claimed_by="a dead worker")

    summary = drain.drain()

    assert (summary.freed, summary.delivered) == (1, 1)
    assert entry("old").delivered_at is not None
    assert entry("old").attempts == 1
    assert entry("fresh").claimed_by == "a worker at work"


def test_an_entry_that_kills_every_worker_is_given_up_in_the_end(topic: Register) -> None:
    promise("poison")
    Entry.objects.update(attempts=drain.MOST_ATTEMPTS - 1, claimed_at=timezone.now() - timedelta(days=1))

    drain.free_abandoned(now=timezone.now())

    assert entry("poison").dead_at is not None


def test_a_worker_that_lost_its_lease_marks_nothing(topic: Register) -> None:
    def slow(entry_id: int, payload: dict[str, Any]) -> None:
        Entry.objects.filter(pk=entry_id).update(claimed_by="somebody faster")

    topic("parcel", slow)
    promise("a")

    assert drain.drain(batches=1).delivered == 0
    assert entry("a").delivered_at is None
    assert entry("a").claimed_by == "somebody faster"


def test_a_long_batch_keeps_its_lease(topic: Register, settings: Any) -> None:
    settings.OUTBOX_LEASE_SECONDS = 0.04
    claimed: list[Any] = []

    def handle(entry_id: int, payload: dict[str, Any]) -> None:
        claimed.append(entry("c").claimed_at)
        time.sleep(0.015)

    topic("parcel", handle)
    promise("a", "b", "c")

    assert drain.drain(batches=1).delivered == 3
    assert claimed[0] < claimed[2]


def test_a_worker_that_stood_still_for_a_lease_leaves_the_rest_to_whoever_took_over(
    topic: Register, settings: Any
) -> None:
    settings.OUTBOX_LEASE_SECONDS = 0.04
    done: list[str] = []

    def handle(entry_id: int, payload: dict[str, Any]) -> None:
        done.append(payload["key"])
        time.sleep(0.05)
        Entry.objects.filter(dedupe_key__in=["b", "c"]).update(claimed_by="somebody else")

    topic("parcel", handle)
    promise("a", "b", "c")

    drain.drain(batches=1)

    assert done == ["a"]


def test_a_topic_that_is_down_is_tried_once_in_a_round_and_the_others_go_on(topic: Register) -> None:
    tried: list[str] = []

    def down(entry_id: int, payload: dict[str, Any]) -> None:
        tried.append(payload["key"])
        raise registry.Unavailable("the mail server is away")

    topic("letter", down)
    topic("parcel", lambda entry_id, payload: None)
    promise(*(f"letter{n}" for n in range(40)), topic="letter")
    promise("p")

    summary = drain.drain()

    assert tried == ["letter0"]
    assert (summary.delivered, summary.failed) == (1, 1)
    untried = Entry.objects.filter(topic="letter").exclude(dedupe_key="letter0")
    assert set(untried.values_list("attempts", "claimed_at", "dead_at")) == {(0, None, None)}


def test_the_entries_of_a_batch_share_what_their_topic_needs(topic: Register) -> None:
    calls: list[str] = []

    @contextmanager
    def line(batch: Sequence[registry.Leased]) -> Iterator[None]:
        calls.append("open for " + ", ".join(leased.dedupe_key for leased in batch))
        yield
        calls.append("close")

    topic("parcel", lambda entry_id, payload: calls.append(payload["key"]), around=line)
    topic("other", lambda entry_id, payload: None)
    promise("a", "b")
    promise("c", topic="other")

    drain.drain()

    assert calls == ["open for a, b", "a", "b", "close"]


def test_a_payload_that_is_to_be_forgotten_is_emptied_with_the_delivery(topic: Register) -> None:
    topic("parcel", lambda entry_id, payload: None, forget=True)
    promise("a", address="anna@example.org")

    drain.drain()

    assert entry("a").payload == {}
    assert entry("a").delivered_at is not None


# ---------------------------------------------------------------- one after the other


def fail_once(*keys: str) -> tuple[list[str], Callable[[int, dict[str, Any]], None]]:
    """Return what was done, in order, and a handler that fails each of these keys at its first try."""
    done: list[str] = []
    refused = set(keys)

    def handle(entry_id: int, payload: dict[str, Any]) -> None:
        if payload["key"] in refused:
            refused.remove(payload["key"])
            raise RuntimeError("come again later")
        done.append(payload["key"])

    return done, handle


def make_due() -> None:
    Entry.objects.filter(delivered_at=None).update(due_at=timezone.now())


def test_what_belongs_together_never_overtakes(topic: Register) -> None:
    done, handle = fail_once("first of 7")
    topic("parcel", handle, lane="contract_id")
    promise("first of 7", contract_id=7)
    promise("second of 7", contract_id=7)
    promise("third of 7", contract_id=7)
    promise("first of 8", contract_id=8)

    drain.drain()
    assert done == ["first of 8"]
    assert entry("second of 7").attempts == 0
    make_due()
    drain.drain()

    assert done == ["first of 8", "first of 7", "second of 7", "third of 7"]


def test_a_later_one_waits_while_another_worker_has_the_earlier(topic: Register) -> None:
    topic("parcel", lambda entry_id, payload: None, lane="contract_id")
    promise("first", "second", contract_id=7)
    now = timezone.now()

    held = drain.lease(owner="one", topics={"parcel"}, now=now)

    assert [e.dedupe_key for e in held] == ["first"]
    assert drain.lease(owner="other", topics={"parcel"}, now=now) == []


def test_what_was_given_up_holds_up_nobody(topic: Register) -> None:
    done, handle = fail_once("first")
    topic("parcel", handle, lane="contract_id")
    promise("first", "second", contract_id=7)
    Entry.objects.filter(dedupe_key="first").update(attempts=drain.MOST_ATTEMPTS - 1)

    drain.drain()

    assert entry("first").dead_at is not None
    assert done == ["second"]


def test_what_is_promised_for_another_day_holds_up_nobody(topic: Register) -> None:
    done, handle = fail_once()
    topic("parcel", handle, lane="contract_id")
    next_year = timezone.now() + timedelta(days=365)
    add(topic="parcel", dedupe_key="reminder", payload={"key": "reminder", "contract_id": 7}, due_at=next_year)
    promise("now", contract_id=7)

    drain.drain()

    assert done == ["now"]


def test_what_belongs_to_nobody_or_to_another_topic_waits_for_nothing(topic: Register) -> None:
    done, handle = fail_once("a", "x")
    topic("parcel", handle, lane="contract_id")
    topic("other", handle, lane="contract_id")
    promise("a", "b", contract_id=None)
    promise("x", topic="other", contract_id=7)
    promise("c", contract_id=7)

    drain.drain()

    assert done == ["b", "c"]


def test_looking_for_what_is_due_reads_no_more_for_a_long_line(topic: Register) -> None:
    topic("parcel", lambda entry_id, payload: None, lane="contract_id")
    add_many([Promise("parcel", f"k{n}", {"contract_id": n % 50}) for n in range(2000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    plan = drain.due(topics={"parcel"}, now=timezone.now())[: drain.BATCH].explain()

    assert "outbox_lane" in plan


def test_a_second_handler_of_one_topic_is_refused(topic: Register) -> None:
    topic("parcel", lambda entry_id, payload: None)

    with pytest.raises(ValueError, match="has a handler already"):
        topic("parcel", lambda entry_id, payload: None)


def test_the_command_drains_without_a_broker_and_says_what_it_did(topic: Register) -> None:
    def handle(entry_id: int, payload: dict[str, Any]) -> None:
        if payload["key"] == "bad":
            raise RuntimeError("no")

    topic("parcel", handle)
    promise("good", "bad")
    promise("odd", topic="unknown")
    said = StringIO()

    call_command("drain", stdout=said)

    assert said.getvalue() == (
        "1 delivered, 1 failed and due again, 0 given up, 0 freed from a worker that vanished.\n"
        "Left: 0 due, 1 due later, 1 of topics that nobody handles.\n"
    )


def test_the_command_handles_one_batch_when_asked(topic: Register) -> None:
    topic("parcel", lambda entry_id, payload: None)
    promise(*(f"k{n}" for n in range(drain.BATCH + 1)))
    said = StringIO()

    call_command("drain", "--once", stdout=said)

    assert f"{drain.BATCH} delivered" in said.getvalue()
    assert "Left: 1 due," in said.getvalue()


@pytest.mark.parametrize("waiting", [1, 3])
def test_a_batch_costs_one_mark_for_each_entry_and_a_few_statements_for_all(
    topic: Register, waiting: int, django_assert_num_queries: Any
) -> None:
    topic("parcel", lambda entry_id, payload: None)
    promise(*(f"k{n}" for n in range(waiting)))

    with django_assert_num_queries(6 + waiting):  # SAVEPOINT and RELEASE, freeing, looking, taking, reading
        drain.drain(batches=1)
