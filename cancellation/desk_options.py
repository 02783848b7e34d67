"""What a contract's page says about options: what was agreed, who waits for what, and "why did I not get this?"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cancellation import offer_words
from cancellation.models import RUNNING_STATES, Acceptance, DeskTask, Offer, OfferDecision
from cancellation.offer_boxes import as_dict
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
class NotShown:
    """An option that was not shown, as it is called today, and why."""

    code: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class DecisionLines:
    """A decision in words."""

    url: str
    when: str
    place: str
    outcome: str
    reasons: list[str]
    shown: list[Shown]
    not_shown: list[NotShown]


def decision_lines(decision: OfferDecision) -> DecisionLines:
    """Return a decision in words, its instant in the server's time zone."""
    return _lines(decision, labels_of(decision.reasons), titles(), None)


def _lines(
    decision: OfferDecision, labels: dict[str, str], called: dict[str, str], zone: tzinfo | None
) -> DecisionLines:
    return DecisionLines(
        url_of(decision),
        format_instant(timezone.localtime(decision.at, zone)),
        decision.get_place_display(),
        _outcome(decision),
        [labels.get(str(code), str(code)) for code in decision.reasons],
        [_shown(row) for row in decision.shown if isinstance(row, dict)],
        [
            NotShown(code, called.get(code, code), offer_words.cause(str(cause)))
            for code, cause in decision.not_shown.items()
        ],
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
    return _("shown, and declined") if decision.declined_at else _("options were shown")


def title_of(offer: Offer) -> str:
    """Return an option's title in the reader's language, else in English, else its code."""
    language = (translation.get_language() or "en").split("-")[0]
    texts = as_dict(offer.texts)
    found = (as_dict(texts.get(code)).get("title") for code in (language, "en"))
    return next((str(title) for title in found if title), offer.code)


def titles() -> dict[str, str]:
    """Return what options are called today, by code."""
    return {offer.code: title_of(offer) for offer in Offer.objects.only("code", "texts")}


def labels_of(codes: Any) -> dict[str, str]:
    """Return the names of reasons and of their roots, in the reader's language, by code."""
    roots = {root.value: str(root.label) for root in Root}
    rows = Reason.objects.filter(code__in=[str(code) for code in codes])
    return roots | {reason.code: reason.label for reason in rows}


def of_contract(contract: Contract, zone: tzinfo) -> dict[str, Any]:
    """Return agreements, open tasks and the newest decisions of a contract, in words. Five statements at most."""
    agreed = Acceptance.objects.filter(contract=contract).select_related("offer").order_by("-accepted_at", "-pk")
    waiting = DeskTask.objects.filter(contract=contract, done_at__isnull=True)
    tasks = list(waiting.order_by("-is_urgent", "created_at", "pk"))
    decisions = list(contract.offer_decisions.order_by("-at", "-pk")[:NEWEST_DECISIONS])
    codes = {str(code) for decision in decisions for code in decision.reasons}
    labels, called = labels_of(codes) if codes else {}, titles() if decisions else {}
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
            for task in tasks
        ],
        "decisions": [_lines(decision, labels, called, zone) for decision in decisions],
        "any": bool(rows or decisions or tasks),
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
