"""The reason tree as it is offered, kept for a minute."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass

from django.core.cache import cache
from django.db import DatabaseError
from django.utils.translation import gettext_lazy as _

from feedback.models import Reason, Root

SECONDS = 60
log = logging.getLogger(__name__)

# The roots as a customer is asked; the report uses their short names.
SPOKEN = {
    Root.OUTCOME: _("What it did for me"),
    Root.OUTLOOK: _("Where it is heading"),
    Root.RELATIONSHIP: _("How we dealt with each other"),
    Root.COST: _("What it costs"),
    Root.CIRCUMSTANCE: _("My circumstances"),
    Root.UNSTATED: _("Something else"),
}


@dataclass(frozen=True, slots=True)
class OfferedReason:
    """A reason that can be ticked, in the active language."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """The reasons of one root, in order."""

    root: str
    label: str
    reasons: tuple[OfferedReason, ...]


def offered_reasons() -> tuple[ReasonGroup, ...]:
    """Return the tree by root in the active language. Read at most once a minute and process."""
    try:
        return _grouped(_offered_rows())
    except DatabaseError:
        # Asking why is a courtesy: without it the way out stays as short as it is.
        log.exception("the reason tree cannot be read")
        return ()


def _offered_rows() -> list[Reason]:
    try:
        rows: list[Reason] | None = cache.get("feedback.reasons")
    except Exception:
        log.exception("the cache does not answer")
        rows = None
    if rows is None:
        rows = list(Reason.objects.filter(active=True).order_by("position", "pk"))
        with suppress(Exception):
            cache.set("feedback.reasons", rows, SECONDS)
    return rows


def forget_reasons() -> None:
    """Let the next page read the tree anew, as after a change in the admin."""
    cache.delete("feedback.reasons")


def _grouped(rows: list[Reason]) -> tuple[ReasonGroup, ...]:
    with_root = [(root, [row for row in rows if row.root == root]) for root in Root.values]
    return tuple(
        ReasonGroup(
            root,
            str(SPOKEN[Root(root)]),
            tuple(OfferedReason(row.code, row.label) for row in members),
        )
        for root, members in with_root
        if members
    )
