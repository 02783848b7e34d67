"""Finishing the work that an agreed option leaves for a person, and opening it again.

Both leave an event on the contract's line of time. Doing one twice changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from cancellation.actions import Actor
from cancellation.models import DeskTask, Event

TASK_DONE = "task done"
TASK_REOPENED = "task reopened"


@transaction.atomic
def finish_task(*, task_id: int, note: str | None = None, actor: Actor, at: datetime) -> bool:
    """Note that a task is done, by whom, and what came of it; False where it was done before.

    Without a note, the one that stands there stays.
    """
    kept = {} if note is None else {"note": note}
    opened = DeskTask.objects.filter(pk=task_id, done_at__isnull=True)
    if not opened.update(done_at=at, done_by=actor.name, **kept):
        return False
    _record(task_id, TASK_DONE, actor, at)
    return True


@transaction.atomic
def reopen_task(*, task_id: int, actor: Actor, at: datetime) -> bool:
    """Take it back that a task is done; False where it was open. Its note stays."""
    done = DeskTask.objects.filter(pk=task_id, done_at__isnull=False)
    if not done.update(done_at=None, done_by=""):
        return False
    _record(task_id, TASK_REOPENED, actor, at)
    return True


def note_on(*, task_id: int, note: str) -> None:
    """Keep a note on a task, done or not."""
    DeskTask.objects.filter(pk=task_id).update(note=note)


def _record(task_id: int, what: str, actor: Actor, at: datetime) -> None:
    task = DeskTask.objects.get(pk=task_id)
    Event.objects.create(contract_id=task.contract_id, at=at, actor=actor.name, what=what, why=f"task {task.kind}")
