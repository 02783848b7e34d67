"""A real worker drains a real Redis broker into a real mail server; what kills it loses nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import redis
from celery import current_app
from django.test import Client
from django.utils import timezone

from billing.models import Instruction
from cancellation import actions
from cancellation.models import Cancellation
from cancellation.queries import agreed_of
from cancellation.quotes import ordinary
from messaging.models import Letter
from outbox import drain, nudge
from outbox.models import Entry
from subscriptions.models import Contract
from tests.factories import make_contract, make_plan
from tests.services.conftest import CountingSink, Start, start_worker, wait_until

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
WORKERS = 2
Sink = tuple[CountingSink, int]


def leave(contract: Contract) -> Cancellation:
    """Cancel a contract as the guided way does."""
    now = timezone.now()
    quote = ordinary(agreed_of(contract), now)
    actor = actions.Actor.customer(contract.customer_id)
    notice = actions.receive_notice(
        contract=contract,
        shown=quote,
        received_at=now,
        actor=actor,
        key=f"visit:{contract.pk}",
        locale="en",
        declaration="I end it.",
    )
    return actions.confirm(notice=notice, shown=quote, actor=actor)


def all_due_done() -> bool:
    return not drain.pending().filter(due_at__lte=timezone.now()).exists()


def test_the_confirmation_arrives_within_seconds_and_the_end_comes_by_a_task(
    environment: dict[str, str], nudging: None, counting: Sink, start: Start
) -> None:
    # Beat is out of the way: only the nudge can have brought the letter.
    start_worker(start, environment | {"FAIRWELL_SWEEP_SECONDS": "3600"}, "-c", "1")
    sink, _port = counting

    cancellation = leave(make_contract())
    wait_until(lambda: len(sink.subjects) > 0, what="the confirmation", seconds=10)

    wait_until(all_due_done, what="the marks")
    letter = Letter.objects.get()
    assert dict(sink.seen) == {letter.message_id: 1}
    assert letter.kind == "end-confirmed"
    assert Instruction.objects.get().cancellation_id == cancellation.pk

    Cancellation.objects.update(last_day=date(2026, 1, 31))
    current_app.send_task("cancellation.tasks.end_due_contracts", ignore_result=True)

    wait_until(lambda: Cancellation.objects.get().state == "ended", what="the end")


def test_a_broker_that_has_lost_every_message_delays_and_loses_nothing(
    environment: dict[str, str], nudging: None, counting: Sink, start: Start, redis_url: str
) -> None:
    leave(make_contract())
    nudge._herald.settle(5)
    client = redis.Redis.from_url(redis_url)
    assert client.llen("fairwell") > 0
    client.flushdb()
    client.close()

    start_worker(start, environment, "-c", "1")

    wait_until(lambda: len(counting[0].subjects) == 1, what="the confirmation, brought by beat")


def test_killing_the_workers_in_the_middle_loses_nothing_and_doubles_no_fact(
    environment: dict[str, str], counting: Sink, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudge, "wake", lambda: None)
    sink, _port = counting
    sink.delay = 0.05
    plan, letters, kills = make_plan(), 40, 2
    cancellations = [leave(make_contract(plan=plan)) for _ in range(letters)]

    for kill in range(kills):
        worker = start_worker(start, environment, "-c", str(WORKERS))
        goal = len(sink.subjects) + 8
        wait_until(lambda goal=goal: len(sink.subjects) >= goal, what="some letters")  # type: ignore[misc]
        worker.kill()
        assert drain.pending().filter(topic="letter").count() > 0, f"kill {kill} came too late to prove anything"
    sink.delay = 0
    start_worker(start, environment, "-c", str(WORKERS))
    # Longer than lease and sweep together: what was held must be free by then.
    wait_until(all_due_done, what="every promise kept")

    assert len(sink.seen) == letters
    assert set(sink.seen) == set(Letter.objects.values_list("message_id", flat=True))
    assert sum(sink.seen.values()) - letters <= WORKERS * kills
    assert Letter.objects.filter(sent_at=None).count() == 0
    assert sorted(Instruction.objects.values_list("cancellation_id", flat=True)) == [c.pk for c in cancellations]
    assert Entry.objects.filter(dead_at__isnull=False).count() == 0


def test_drainers_side_by_side_share_the_work_and_double_nothing(
    environment: dict[str, str], counting: Sink, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudge, "wake", lambda: None)
    sink, _port = counting
    plan = make_plan()
    for _ in range(60):
        leave(make_contract(plan=plan))

    drainers = [start("manage.py", "drain", env=environment | {"FAIRWELL_LEASE_SECONDS": "60"}) for _ in range(3)]
    assert [drainer.popen.wait(60) for drainer in drainers] == [0, 0, 0]

    assert (len(sink.seen), sum(sink.seen.values())) == (60, 60)
    assert Instruction.objects.count() == 60
    assert len(set(Entry.objects.filter(topic="letter").values_list("claimed_by", flat=True))) > 1


def test_links_are_counted_in_redis(redis_url: str, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}}

    answers = [Client().post("/sign-in/", {"email": "anna@example.org"}).status_code for _ in range(6)]

    assert answers == [200] * 5 + [429]
