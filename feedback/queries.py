"""The reason tree as it is offered, kept for a minute."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from feedback.models import Reason, Root

SECONDS = 60

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
    rows = cache.get("feedback.reasons")
    if rows is None:
        rows = list(Reason.objects.filter(active=True).order_by("position", "pk"))
        cache.set("feedback.reasons", rows, SECONDS)
    return _grouped(rows)


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
