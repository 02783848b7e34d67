"""Keep what customers said about leaving. Runs after the act, from the outbox: nothing waits for it.

An answer belongs to one cancellation and is written once; its root follows from the reason that counted most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from feedback.models import Answer, Reason, Root


@transaction.atomic
def keep_answer(
    *, contract_id: int, cancellation_id: int, said: Mapping[str, Any], said_at: datetime
) -> Answer:
    """Return the answer about a cancellation, written if it is not there yet.

    ``said`` has the shape of ``ReasonsForm.said``: codes under ``reasons`` and ``primary``, texts under ``words``
    and ``went_well``, "yes" or "" under ``elsewhere``. A code that nobody knows is dropped, the known are kept;
    without a main reason the first ticked one counts. An answer that stands already is left as it is.
    """
    ticked = _known(_codes(said))
    primary = ticked[0] if ticked else None
    answer, created = Answer.objects.get_or_create(
        cancellation_id=cancellation_id,
        defaults={
            "contract_id": contract_id,
            "root": primary.root if primary else Root.UNSTATED,
            "primary": primary,
            # An empty box says nothing about where they go.
            "went_elsewhere": True if said.get("elsewhere") else None,
            "words": str(said.get("words") or ""),
            "went_well": str(said.get("went_well") or ""),
            "said_at": said_at,
        },
    )
    if created:
        answer.reasons.set(ticked)
    return answer


def _codes(said: Mapping[str, Any]) -> list[str]:
    """Return the codes with the main one first."""
    given = said.get("reasons") or []
    ticked = [given] if isinstance(given, str) else list(given)
    return [str(code) for code in (said.get("primary"), *ticked) if code]


def _known(codes: Iterable[str]) -> list[Reason]:
    """Return the reasons of these codes, in their order, those that nobody knows left out."""
    wanted = list(dict.fromkeys(codes))
    found = {reason.code: reason for reason in Reason.objects.filter(code__in=wanted)}
    return [found[code] for code in wanted if code in found]
