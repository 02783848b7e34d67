"""Keep what customers said about leaving. Runs after the act, from the outbox: nothing waits for it.

An answer belongs to one cancellation and is written once; its root follows from the reason that counted most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from feedback.models import Answer, Reason, Root


@transaction.atomic
def keep_answer(*, contract_id: int, cancellation_id: int, said: Mapping[str, Any], said_at: datetime) -> Answer:
    """Return the answer about a cancellation, written if it is not there yet.

    ``said`` has the shape of ``ReasonsForm.said``: codes under ``reasons`` and ``primary``, texts under
    ``words`` and ``went_well``, "yes" or "" under ``elsewhere``. A code that nobody knows is dropped, the
    known are kept; without a main reason the first ticked one counts. An answer that stands already is left
    as it is.
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


@dataclass(frozen=True, slots=True)
class ImportedAnswer:
    """What a file says about an end: its own words, and what they were mapped onto.

    ``category``, ``reason`` and ``words`` are None where the file has no such column: what is known stays.
    """

    contract_id: int
    cancellation_id: int
    category: str | None
    reason: str | None
    words: str | None
    root: str
    primary: Reason | None
    went_elsewhere: bool | None
    said_at: datetime

    def values(self) -> dict[str, Any]:
        """Return what the answer's row is to hold."""
        told = {
            "imported_category": self.category,
            "imported_reason": self.reason,
            "words": self.words,
            "root": self.root,
        }
        given = {name: value for name, value in told.items() if value is not None}
        # Without the words there is nothing to map: the root stays, too.
        if self.category is None and self.reason is None:
            given.pop("root")
            return given
        return {**given, "primary": self.primary, "went_elsewhere": self.went_elsewhere}


@transaction.atomic
def keep_imported(*, answers: Sequence[ImportedAnswer], dry: bool = False) -> set[int]:
    """Keep imported answers, and return the cancellations whose answer was written or would be (``dry``).

    One answer for each cancellation, in few statements for all of them. What is the same is not written.
    """
    numbers = [answer.cancellation_id for answer in answers]
    known = {one.cancellation_id: one for one in Answer.objects.filter(cancellation_id__in=numbers)}
    new: list[Answer] = []
    changed: list[Answer] = []
    ticks_anew: list[Answer] = []
    for answer in answers:
        values = answer.values()
        row = known.get(answer.cancellation_id)
        if row is None:
            ids = {"contract_id": answer.contract_id, "cancellation_id": answer.cancellation_id}
            new.append(Answer(**ids, said_at=answer.said_at, **values))
        elif any(getattr(row, name) != value for name, value in _stored(values).items()):
            if _stored(values).get("primary_id", row.primary_id) != row.primary_id:
                ticks_anew.append(row)
            for name, value in values.items():
                setattr(row, name, value)
            changed.append(row)
    if not dry:
        _write(new, changed, ticks_anew)
    return {one.cancellation_id for one in (*new, *changed)}


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values under the names of their columns, so that comparing reads nothing."""
    primary = {"primary_id": values["primary"] and values["primary"].pk} if "primary" in values else {}
    return {**{name: value for name, value in values.items() if name != "primary"}, **primary}


def _write(new: list[Answer], changed: list[Answer], ticks_anew: list[Answer]) -> None:
    ticks = Answer.reasons.through
    Answer.objects.bulk_create(new)
    if changed:
        fields = ["imported_category", "imported_reason", "words", "root", "primary", "went_elsewhere"]
        Answer.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=fields)
    if ticks_anew:
        ticks.objects.filter(answer__in=ticks_anew).delete()
    ticks.objects.bulk_create(
        ticks(answer_id=answer.pk, reason_id=answer.primary_id)
        for answer in (*new, *ticks_anew)
        if answer.primary_id is not None
    )
