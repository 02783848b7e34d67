"""Turn what happened to a contract into what the billing side has to do.

The facts come from the outbox, in any order and possibly twice: every instruction has a key that makes it
once, and an undo counts whether it comes before or after the end it undoes.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from billing.models import Instruction, Kind, Outcome
from outbox.registry import Payload
from subscriptions.models import Contract


def handle(entry_id: int, payload: Payload) -> None:
    """Write the instructions of one outbox entry, or none where they stand already."""
    kinds = {"end": instruct_end, "undo": instruct_undo}
    with transaction.atomic():
        # Held until the commit, so that an end and its undo are not worked out side by side.
        Contract.objects.select_for_update().only("pk").get(pk=payload["contract_id"])
        kinds[payload["kind"]](payload)


def instruct_end(payload: Payload) -> None:
    """Have the contract ended and the refund paid, if there is one; nothing where it was undone already."""
    undone = _of(payload).filter(kind=Kind.UNDO).exists()
    outcome = Outcome.DROPPED if undone else Outcome.OPEN
    _write(payload, Kind.END, outcome=outcome)
    if payload["refund_minor"] > 0:
        _write(payload, Kind.REFUND, outcome=outcome, amount_minor=payload["refund_minor"])


def instruct_undo(payload: Payload) -> None:
    """Drop what is not carried out yet; have taken back what is, with the amount that was paid out."""
    if _of(payload).filter(kind=Kind.UNDO).exists():
        return
    carried_out = list(_of(payload).filter(outcome=Outcome.DONE))
    _of(payload).filter(outcome=Outcome.OPEN).update(outcome=Outcome.DROPPED, done_at=timezone.now())
    _write(
        payload,
        Kind.UNDO,
        outcome=Outcome.OPEN if carried_out else Outcome.DROPPED,
        amount_minor=sum(row.amount_minor for row in carried_out),
    )


def _of(payload: Payload) -> QuerySet[Instruction]:
    return Instruction.objects.filter(cancellation_id=payload["cancellation_id"])


def _write(payload: Payload, kind: Kind, *, outcome: Outcome, amount_minor: int = 0) -> None:
    Instruction.objects.get_or_create(
        key=f"{kind}:{payload['cancellation_id']}",
        defaults={
            "contract_id": payload["contract_id"],
            "cancellation_id": payload["cancellation_id"],
            "kind": kind,
            "on_day": date.fromisoformat(payload["last_day"]),
            "amount_minor": amount_minor,
            "currency": payload["currency"],
            "outcome": outcome,
            "done_at": None if outcome == Outcome.OPEN else timezone.now(),
        },
    )
