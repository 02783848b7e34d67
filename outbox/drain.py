"""Keep what was promised: lease a batch, do it, mark each entry.

Ownership is a conditional update and its row count, on every database; ``SKIP LOCKED`` only keeps workers out
of each other's way on PostgreSQL. Handlers run outside any transaction. An entry may be handled twice (a
worker that dies between the act and the mark), never not at all; so handlers are idempotent.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import time
import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from outbox import registry
from outbox.models import Entry

log = logging.getLogger(__name__)

BATCH = 25
# About three days of trying: a mail server's long week-end loses no confirmation.
MOST_ATTEMPTS = 80
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
JITTER = 0.2
# One drain ends after this long; beat starts the next. It keeps a worker's warm shutdown short.
LONGEST_RUN = timedelta(minutes=5)
LONGEST_ERROR = 2000


@dataclass(slots=True)
class Summary:
    """What one drain did."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    freed: int = 0

    def __str__(self) -> str:
        return (
            f"{self.delivered} delivered, {self.failed} failed and due again, "
            f"{self.given_up} given up, {self.freed} freed from a worker that vanished"
        )


def drain(*, batches: int | None = None) -> Summary:
    """Handle what is due until nothing is left, or for a number of batches; return what was done.

    Any number may run at once. A topic without handler, or whose mail server (say) is down, waits.
    """
    summary = Summary(freed=free_abandoned(now=timezone.now()))
    ready, until = registry.topics(), time.monotonic() + LONGEST_RUN.total_seconds()
    while batches is None or batches > 0:
        owner = _new_owner()
        entries = lease(owner=owner, topics=ready, now=timezone.now())
        if not entries:
            break
        ready -= _handle_all(entries, owner, summary)
        batches = batches - 1 if batches is not None else None
        if time.monotonic() > until:
            break
    return summary


def lease_age() -> timedelta:
    """Return how long a worker may hold an entry without a sign of life."""
    return timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)


def pending() -> QuerySet[Entry]:
    """Return entries that are neither delivered nor given up."""
    return Entry.objects.filter(delivered_at__isnull=True, dead_at__isnull=True)


def due(*, topics: Iterable[str], now: datetime) -> QuerySet[Entry]:
    """Return what is to be done now: due, held by nobody, and with nothing before it in its lane."""
    before = pending().filter(topic=OuterRef("topic"), lane=OuterRef("lane"), pk__lt=OuterRef("pk"))
    # What failed waits for its next try and keeps its place; what was promised for another day has none yet.
    before = before.filter(Q(due_at__lte=now) | Q(attempts__gt=0))
    found = pending().filter(claimed_at__isnull=True, due_at__lte=now, topic__in=sorted(topics))
    return found.filter(Q(lane="") | ~Exists(before)).order_by("due_at", "pk")


def free_abandoned(*, now: datetime) -> int:
    """Free what a worker has held for longer than a lease, for it crashed, perhaps because of the entry."""
    attempts = F("attempts") + 1
    return (
        pending()
        .filter(claimed_at__lt=now - lease_age())
        .update(
            claimed_at=None,
            attempts=attempts,
            dead_at=Case(When(attempts__gte=MOST_ATTEMPTS - 1, then=Value(now)), default=None),
            last_error="The worker that held this entry vanished.",
        )
    )


def lease(*, owner: str, topics: Iterable[str], now: datetime) -> list[Entry]:
    """Take up to a batch of due entries for ``owner`` and commit; what somebody else took is not ours."""
    waiting = due(topics=topics, now=now)
    with transaction.atomic(durable=True):
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        found = list(waiting.values_list("pk", flat=True)[:BATCH])
        if not found:
            return []
        taken = pending().filter(pk__in=found, claimed_at__isnull=True).update(claimed_at=now, claimed_by=owner)
        if not taken:
            return []
        return list(pending().filter(pk__in=found, claimed_by=owner).order_by("due_at", "pk"))


def _handle_all(entries: list[Entry], owner: str, summary: Summary) -> set[str]:
    """Handle leased entries one by one; return the topics that turned out to be down."""
    down: set[str] = set()
    surroundings = Surroundings(entries)
    held, renewed = {entry.pk for entry in entries}, time.monotonic()
    with surroundings.stack:
        for entry in entries:
            if time.monotonic() - renewed > lease_age().total_seconds() / 4:
                held, renewed = _renew(entries, owner), time.monotonic()
            if entry.topic in down or entry.pk not in held:
                continue
            if not _handle(entry, owner, surroundings, summary):
                down.add(entry.topic)
    if down:
        _give_back(entries, owner, down)
    return down


class Surroundings:
    """What the topics of one batch are handled in; entered with the first entry of each, left with the batch."""

    def __init__(self, entries: list[Entry]) -> None:
        self.stack = ExitStack()
        self._entries = entries
        self._entered: set[str] = set()

    def enter(self, name: str, topic: registry.Topic) -> None:
        """Enter the surroundings of a topic, if this batch is not in them already."""
        if name in self._entered:
            return
        batch = [registry.Leased(e.pk, e.dedupe_key, e.payload) for e in self._entries if e.topic == name]
        self.stack.enter_context(topic.around(batch))
        self._entered.add(name)


def _handle(entry: Entry, owner: str, surroundings: Surroundings, summary: Summary) -> bool:
    """Handle one entry and mark it. False where the topic is down."""
    topic = registry.topic_for(entry.topic)
    try:
        surroundings.enter(entry.topic, topic)
        topic.handler(entry.pk, entry.payload)
    except Exception as error:
        log.warning("Outbox entry %s (%s) failed: %s", entry.pk, entry.topic, _said(error), exc_info=True)
        _mark_failed(entry, owner, error, summary)
        return not isinstance(error, registry.Unavailable)
    _mark_delivered(entry, owner, topic, summary)
    return True


def _mark_delivered(entry: Entry, owner: str, topic: registry.Topic, summary: Summary) -> None:
    done = {"delivered_at": timezone.now(), "last_error": "", **({"payload": {}} if topic.forget else {})}
    if _owned([entry], owner).update(**done):
        summary.delivered += 1
    else:
        log.warning("Outbox entry %s was taken over while it was handled; it may be done twice.", entry.pk)


def _mark_failed(entry: Entry, owner: str, error: Exception, summary: Summary) -> None:
    now, attempts = timezone.now(), entry.attempts + 1
    dead = attempts >= MOST_ATTEMPTS
    if not _owned([entry], owner).update(
        attempts=attempts,
        due_at=now + pause_after(attempts),
        dead_at=now if dead else None,
        claimed_at=None,
        last_error=_said(error)[:LONGEST_ERROR],
    ):
        return
    if dead:
        log.error("Outbox entry %s (%s) is given up after %s attempts.", entry.pk, entry.topic, attempts)
        summary.given_up += 1
    else:
        summary.failed += 1


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failures: doubling to an hour, spread a little."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempts - 1, 20)
    spread = 1 + random.uniform(-JITTER, JITTER)  # noqa: S311  # jitter, no secret
    return min(doubled, LONGEST_PAUSE) * spread


def _renew(entries: list[Entry], owner: str) -> set[int]:
    """Show that we live, so that a slow mail server does not look like a crash; return what is still ours.

    A process that stood still for longer than a lease finds here that others have gone on without it.
    """
    mine = _owned(entries, owner)
    return set(mine.values_list("pk", flat=True)) if mine.update(claimed_at=timezone.now()) else set()


def _give_back(entries: list[Entry], owner: str, topics: set[str]) -> None:
    """Free what was not tried; it is due at once, for the next round."""
    _owned(entries, owner).filter(topic__in=topics).update(claimed_at=None)


def _owned(entries: list[Entry], owner: str) -> QuerySet[Entry]:
    held = Q(pk__in=[entry.pk for entry in entries], claimed_by=owner, claimed_at__isnull=False)
    return pending().filter(held)


def _new_owner() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:16]}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
