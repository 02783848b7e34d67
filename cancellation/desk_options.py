"""What a contract's page says about options: what was agreed, who waits for what, and "why did I not get this?"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from cancellation import offer_words
from cancellation.models import RUNNING_STATES, Acceptance, DeskTask, OfferDecision
from config.admin import day, url_of
from config.formats import format_instant
from feedback.models import Reason, Root
from subscriptions.models import Contract

# Older ones stand in the list that the page links to.
NEWEST_DECISIONS = 5
MOST_AGREED = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """An option with the words that somebody read."""

    code: str
    title: str
    text: str
    afterwards: str


@dataclass(frozen=True, slots=True)
class DecisionLines:
    """A decision in words. ``not_shown`` holds code and cause of each option that was not shown."""

    url: str
    when: str
    place: str
    outcome: str
    reasons: list[str]
    shown: list[Shown]
    not_shown: list[tuple[str, str]]


def decision_lines(
    decision: OfferDecision, labels: dict[str, str] | None = None, zone: tzinfo | None = None
) -> DecisionLines:
    """Return a decision in words; ``labels`` names reasons by code, where they were read already."""
    known = labels if labels is not None else labels_of(decision.reasons)
    return DecisionLines(
        url_of(decision),
        format_instant(timezone.localtime(decision.at, zone)),
        decision.get_place_display(),
        _outcome(decision),
        [known.get(str(code), str(code)) for code in decision.reasons],
        [_shown(row) for row in decision.shown if isinstance(row, dict)],
        [(code, offer_words.cause(str(cause))) for code, cause in decision.not_shown.items()],
    )


def _shown(row: dict[str, Any]) -> Shown:
    code = str(row.get("code", ""))
    return Shown(code, str(row.get("title") or code), str(row.get("text", "")), str(row.get("afterwards", "")))


def _outcome(decision: OfferDecision) -> str:
    if decision.fault:
        return _("something failed, so none was shown; the way out stayed open")
    if decision.held_out:
        return _("held out: shown nothing, so that the effect can be measured")
    if not decision.shown:
        return _("none was shown")
    return _("shown, and declined") if decision.declined_at else _("shown")


def labels_of(codes: Any) -> dict[str, str]:
    """Return the names of reasons and of their roots, in the reader's language, by code."""
    roots = {root.value: str(root.label) for root in Root}
    rows = Reason.objects.filter(code__in=[str(code) for code in codes])
    return roots | {reason.code: reason.label for reason in rows}


def of_contract(contract: Contract, zone: tzinfo) -> dict[str, Any]:
    """Return agreements, open tasks and the newest decisions of a contract, in words. Four statements at most."""
    agreed = Acceptance.objects.filter(contract=contract).select_related("offer").order_by("-accepted_at", "-pk")
    tasks = DeskTask.objects.filter(contract=contract, done_at__isnull=True)
    decisions = list(contract.offer_decisions.order_by("-at", "-pk")[:NEWEST_DECISIONS])
    codes = {str(code) for decision in decisions for code in decision.reasons}
    labels = labels_of(codes) if codes else {}
    rows = [_agreed(row) for row in agreed[:MOST_AGREED]]
    return {
        "running": [row for row in rows if row["is_running"]],
        "past": [row for row in rows if not row["is_running"]],
        "tasks": [
            {
                "url": url_of(task),
                "what": task.get_kind_display(),
                "since": format_instant(task.created_at.astimezone(zone)),
                "is_urgent": task.is_urgent,
            }
            for task in tasks.order_by("-is_urgent", "created_at", "pk")
        ],
        "decisions": [decision_lines(decision, labels, zone) for decision in decisions],
        "any": bool(rows or decisions),
    }


def _agreed(row: Acceptance) -> dict[str, Any]:
    if row.until:
        stretch = _("%(first)s to %(last)s") % {"first": day(row.starts_on), "last": day(row.until)}
    else:
        stretch = _("from %(day)s on") % {"day": day(row.starts_on)}
    return {
        "url": url_of(row),
        "title": row.title or row.get_kind_display(),
        "stretch": stretch,
        "state": row.get_state_display(),
        "afterwards": row.afterwards,
        "fault": row.fault,
        "is_running": row.state in RUNNING_STATES,
    }
