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
    # Payments in another currency come back in theirs; nothing is ever exchanged or added up.
    for minor, currency in payload.get("other_refunds", []):
        _write(payload, Kind.REFUND, outcome=outcome, amount_minor=minor, currency=currency)


def instruct_undo(payload: Payload) -> None:
    """Drop what is not carried out yet; have taken back what is, with the amount that was paid out."""
    if _of(payload).filter(kind=Kind.UNDO).exists():
        return
    carried_out = list(_of(payload).filter(outcome=Outcome.DONE))
    _of(payload).filter(outcome=Outcome.OPEN).update(outcome=Outcome.DROPPED, done_at=timezone.now())
    paid_out: dict[str, int] = {payload["currency"]: 0}
    for row in carried_out:
        paid_out[row.currency] = paid_out.get(row.currency, 0) + row.amount_minor
    outcome = Outcome.OPEN if carried_out else Outcome.DROPPED
    for currency, minor in paid_out.items():
        _write(payload, Kind.UNDO, outcome=outcome, amount_minor=minor, currency=currency)


def _of(payload: Payload) -> QuerySet[Instruction]:
    return Instruction.objects.filter(cancellation_id=payload["cancellation_id"])


def _write(
    payload: Payload, kind: Kind, *, outcome: Outcome, amount_minor: int = 0, currency: str | None = None
) -> None:
    """Write one instruction, once; one in another currency than the contract's has a key of its own."""
    own = payload["currency"]
    currency = currency or own
    Instruction.objects.get_or_create(
        key=f"{kind}:{payload['cancellation_id']}" + (f":{currency}" if currency != own else ""),
        defaults={
            "contract_id": payload["contract_id"],
            "cancellation_id": payload["cancellation_id"],
            "kind": kind,
            "on_day": date.fromisoformat(payload["last_day"]),
            "amount_minor": amount_minor,
            "currency": currency,
            "outcome": outcome,
            "done_at": None if outcome == Outcome.OPEN else timezone.now(),
        },
    )
