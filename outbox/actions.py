"""Promise side effects inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from outbox import nudge
from outbox.models import Entry
from outbox.registry import Payload


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
    rows = [Entry(topic=p.topic, dedupe_key=p.dedupe_key, payload=p.payload, due_at=p.due_at or now) for p in promises]
    Entry.objects.bulk_create(rows, ignore_conflicts=True)
    # Only a nudge, and robust: a broker that is down must not turn a recorded notice into an error page. The
    # next round finds the entry anyway.
    transaction.on_commit(nudge.wake, robust=True)
