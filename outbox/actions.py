"""Promise side effects inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from outbox import nudge
from outbox.models import Entry
from outbox.registry import Payload, lane_of


@dataclass(frozen=True, slots=True)
class Promise:
    """What is to be done: a topic, a key that makes it once, the frozen facts, and when (None: now)."""

    topic: str
    dedupe_key: str
    payload: Payload = field(default_factory=dict)
    due_at: datetime | None = None


def add(*, topic: str, dedupe_key: str, payload: Payload, due_at: datetime | None = None) -> None:
    """Promise one side effect. A key that is there already changes nothing."""
    add_many([Promise(topic, dedupe_key, payload, due_at)])


def add_many(promises: Sequence[Promise] | Iterable[Promise]) -> None:
    """Promise several side effects with one statement, in the caller's transaction."""
    now = timezone.now()
    Entry.objects.bulk_create([_entry(promise, now) for promise in promises], ignore_conflicts=True)
    # Only a nudge, and robust: a broker that is down must not turn a recorded notice into an error page. The
    # next round finds the entry anyway.
    transaction.on_commit(nudge.wake, robust=True)


def _entry(promise: Promise, now: datetime) -> Entry:
    return Entry(
        topic=promise.topic,
        dedupe_key=promise.dedupe_key,
        payload=promise.payload,
        lane=lane_of(promise.topic, promise.payload),
        due_at=promise.due_at or now,
    )
