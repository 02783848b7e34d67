"""Finishing the work that an agreed option leaves for a person, and opening it again.

Both leave an event on the contract's line of time. Doing one twice changes nothing. With its task, what was agreed is
carried out; a task that is opened again leaves the agreement as it is.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from cancellation import offer_actions
from cancellation.actions import Actor
from cancellation.models import DeskTask, Event
from subscriptions.models import Contract

TASK_DONE = "task done"
TASK_REOPENED = "task reopened"


@transaction.atomic
def finish_task(*, task_id: int, note: str | None = None, actor: Actor, at: datetime) -> bool:
    """Note that a task is done, by whom, and what came of it; False where it was done before.

    Without a note, the one that stands there stays.
    """
    task = _held(task_id)
    if task.done_at is not None:
        return False
    task.done_at, task.done_by = at, actor.name
    task.note = task.note if note is None else note
    task.save(update_fields=["done_at", "done_by", "note"])
    _record(task, TASK_DONE, actor, at)
    if task.acceptance_id is not None:
        offer_actions.carried_out(acceptance_id=task.acceptance_id, actor=actor, at=at)
    return True


@transaction.atomic
def reopen_task(*, task_id: int, actor: Actor, at: datetime) -> bool:
    """Take it back that a task is done; False where it was open. Its note stays."""
    task = _held(task_id)
    if task.done_at is None:
        return False
    task.done_at, task.done_by = None, ""
    task.save(update_fields=["done_at", "done_by"])
    _record(task, TASK_REOPENED, actor, at)
    return True


def note_on(*, task_id: int, note: str) -> None:
    """Keep a note on a task, done or not."""
    DeskTask.objects.filter(pk=task_id).update(note=note)


def _held(task_id: int) -> DeskTask:
    """Return a task, read after its contract is locked: whoever takes the agreement back locks that first as well."""
    list(Contract.objects.select_for_update().filter(desk_tasks=task_id))
    return DeskTask.objects.get(pk=task_id)


def _record(task: DeskTask, what: str, actor: Actor, at: datetime) -> None:
    Event.objects.create(contract_id=task.contract_id, at=at, actor=actor.name, what=what, why=f"task {task.kind}")
