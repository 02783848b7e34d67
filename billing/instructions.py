"""Turn what happened to a contract into what the billing side has to do.

The facts come from the outbox, in any order and possibly twice: every instruction has a key that makes it
once, and an undo counts whether it comes before or after the end it undoes. So does taking back an option.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing.models import Instruction, Kind, Outcome
from outbox.registry import Payload
from subscriptions.models import Contract


def handle(entry_id: int, payload: Payload) -> None:
    """Write the instructions of one outbox entry, or none where they stand already."""
    kinds = {
        "end": instruct_end,
        "move": instruct_move,
        "undo": instruct_undo,
        "option": instruct_option,
        "option-back": instruct_option_back,
    }
    with transaction.atomic():
        # Held until the commit, so that an end and its undo are not worked out side by side.
        Contract.objects.select_for_update().only("pk").get(pk=payload["contract_id"])
        kinds[payload["kind"]](payload)


def instruct_end(payload: Payload) -> None:
    """Have the contract ended and the refund paid, if there is one; nothing where it was undone or moved already."""
    # An entry that was given up and taken up again may come after the move that replaced it.
    moved = Q(kind=Kind.END, key__startswith=f"{Kind.END}:{payload['cancellation_id']}:")
    outdone = _of(payload).filter(Q(kind=Kind.UNDO) | moved).exists()
    outcome = Outcome.DROPPED if outdone else Outcome.OPEN
    _write(payload, Kind.END, outcome=outcome)
    for kind, minor, currency in _money_of(payload):
        _write(payload, kind, outcome=outcome, amount_minor=minor, currency=currency)


def instruct_move(payload: Payload) -> None:
    """Have a contract ended on an earlier day than was said before; what was paid out already is left out.

    Done already, or undone meanwhile: nothing happens.
    """
    number = payload["number"]
    if _of(payload).filter(Q(kind=Kind.UNDO) | Q(key=f"{Kind.END}:{payload['cancellation_id']}:{number}")).exists():
        return
    _of(payload).filter(outcome=Outcome.OPEN).update(outcome=Outcome.DROPPED, done_at=timezone.now())
    done = _of(payload).filter(outcome=Outcome.DONE).values_list("kind", "currency", "amount_minor")
    _write(payload, Kind.END, outcome=Outcome.OPEN, number=number)
    due: dict[tuple[Kind, str], int] = {}
    for kind, minor, currency in _money_of(payload):
        due[kind, currency] = due.get((kind, currency), 0) + minor
    for of, in_, paid in done:
        if of in (Kind.REFUND, Kind.FEE):
            due[Kind(of), in_] = due.get((Kind(of), in_), 0) - paid
    # A fee that was charged and is no longer due comes back with the refund.
    for (kind, currency), left in list(due.items()):
        if kind is Kind.FEE and left < 0:
            due[Kind.REFUND, currency] = due.get((Kind.REFUND, currency), 0) - left
    for (kind, currency), left in due.items():
        if left > 0:
            _write(payload, kind, outcome=Outcome.OPEN, amount_minor=left, currency=currency, number=number)


def _money_of(payload: Payload) -> Iterator[tuple[Kind, int, str]]:
    """Yield what is to be paid out and charged. Nothing is ever exchanged or added up across currencies."""
    own = (payload["refund_minor"], payload["currency"])
    for minor, currency in (own, *payload.get("other_refunds", [])):
        if minor > 0:
            yield Kind.REFUND, minor, currency
    if payload.get("fee_minor", 0) > 0:
        yield Kind.FEE, payload["fee_minor"], payload["currency"]


def instruct_undo(payload: Payload) -> None:
    """Drop what is not carried out yet; have taken back what is, with the amount that was paid out."""
    if _of(payload).filter(kind=Kind.UNDO).exists():
        return
    carried_out = list(_of(payload).filter(outcome=Outcome.DONE))
    _of(payload).filter(outcome=Outcome.OPEN).update(outcome=Outcome.DROPPED, done_at=timezone.now())
    paid_out: dict[str, int] = {payload["currency"]: 0}
    for row in carried_out:
        sign = -1 if row.kind == Kind.FEE else 1
        paid_out[row.currency] = paid_out.get(row.currency, 0) + sign * row.amount_minor
    outcome = Outcome.OPEN if carried_out else Outcome.DROPPED
    for currency, minor in paid_out.items():
        _write(payload, Kind.UNDO, outcome=outcome, amount_minor=minor, currency=currency)


def instruct_option(payload: Payload) -> None:
    """Have an agreed option carried out; nothing is left to do where it was taken back already."""
    taken_back = _of_option(payload).filter(kind=Kind.RESTORE).exists()
    _write_option(payload, Kind(payload["what"]), outcome=Outcome.DROPPED if taken_back else Outcome.OPEN)


def instruct_option_back(payload: Payload) -> None:
    """Drop what nobody has carried out yet of an option; have put back what is, as it was agreed before."""
    if _of_option(payload).filter(kind=Kind.RESTORE).exists():
        return
    # First what is still open, and only then what was done: somebody may be marking it done right now.
    waiting = _of_option(payload).filter(outcome__in=[Outcome.OPEN, Outcome.FAILED])
    waiting.update(outcome=Outcome.DROPPED, done_at=timezone.now())
    carried_out = _of_option(payload).filter(outcome=Outcome.DONE).exists()
    _write_option(payload, Kind.RESTORE, outcome=Outcome.OPEN if carried_out else Outcome.DROPPED)


def _of_option(payload: Payload) -> QuerySet[Instruction]:
    return Instruction.objects.filter(acceptance_id=payload["acceptance_id"])


def _write_option(payload: Payload, kind: Kind, *, outcome: Outcome) -> None:
    """Write the instruction of an option, once."""
    Instruction.objects.get_or_create(
        key=f"option:{kind}:{payload['acceptance_id']}",
        defaults={
            "contract_id": payload["contract_id"],
            "acceptance_id": payload["acceptance_id"],
            "kind": kind,
            "on_day": date.fromisoformat(payload["on_day"]),
            "amount_minor": payload["price_minor"],
            "currency": payload["currency"],
            "facts": payload["facts"],
            "outcome": outcome,
            "done_at": None if outcome == Outcome.OPEN else timezone.now(),
        },
    )


def _of(payload: Payload) -> QuerySet[Instruction]:
    return Instruction.objects.filter(cancellation_id=payload["cancellation_id"])


def _write(
    payload: Payload,
    kind: Kind,
    *,
    outcome: Outcome,
    amount_minor: int = 0,
    currency: str | None = None,
    number: int | None = None,
) -> None:
    """Write one instruction, once; one in another currency than the contract's has a key of its own.

    ``number`` tells the instructions of a moved end from those before it.
    """
    own = payload["currency"]
    currency = currency or own
    parts = (kind, payload["cancellation_id"], *([currency] if currency != own else []), *([number] if number else []))
    Instruction.objects.get_or_create(
        key=":".join(str(part) for part in parts),
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
