"""What the billing side says of an instruction: carried out, or not possible.

Whoever carries instructions out calls these, a person of the staff or a billing system's adapter. What follows from
an agreed option is promised in the same transaction, for the agreement lives above this app.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from billing.models import Instruction, Kind, Outcome
from outbox.actions import Promise, add_many

TOPIC = "option-result"
# One that failed can still be carried out, once what was wrong is put right.
STILL_TO_DO = (Outcome.OPEN, Outcome.FAILED)


@transaction.atomic
def carried_out(*, instruction: Instruction, actor: str, at: datetime) -> bool:
    """Note that an instruction was carried out; return whether that is news."""
    waiting = Instruction.objects.filter(pk=instruction.pk, outcome__in=STILL_TO_DO)
    if not waiting.update(outcome=Outcome.DONE, done_at=at, fault=""):
        return False
    _tell(instruction, Outcome.DONE, actor, at)
    return True


@transaction.atomic
def could_not(*, instruction: Instruction, actor: str, at: datetime, why: str) -> bool:
    """Note that what an option needs could not be carried out, and why; return whether that is news.

    An end or a refund is never given up like this: whatever is in the way, it stays to be done.
    """
    waiting = Instruction.objects.filter(pk=instruction.pk, outcome=Outcome.OPEN, acceptance_id__isnull=False)
    if not waiting.update(outcome=Outcome.FAILED, fault=why):
        return False
    _tell(instruction, Outcome.FAILED, actor, at, why)
    return True


def _tell(instruction: Instruction, outcome: Outcome, actor: str, at: datetime, why: str = "") -> None:
    """Promise that the agreement hears of it; nothing where the instruction comes of no option."""
    if instruction.acceptance_id is None:
        return
    facts = {
        "contract_id": instruction.contract_id,
        "acceptance_id": instruction.acceptance_id,
        "instruction_id": instruction.pk,
        "outcome": str(outcome),
        "is_restoring": instruction.kind == Kind.RESTORE,
        "actor": actor,
        "at": at.isoformat(),
        "why": why,
    }
    add_many([Promise(TOPIC, f"{TOPIC}:{instruction.pk}:{outcome}", facts)])
