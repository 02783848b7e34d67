"""Which options answer a contract's situation, in which order, and why others do not.

Pure: no clock, no database, no settings. ``decide`` raises nothing: every rule is either shown or has one ``Cause``.
What each kind means in days and money stands in ``offer_figures``, what an operator may write in ``offer_terms``.
Source: DESIGN "The guided way", LAW R14.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from cancellation.offer_figures import (
    MONEY_KINDS,
    NEVER_HELD_OUT,
    PASSING_KINDS,
    WORKED_OUT,
    Cause,
    Past,
    PlanToday,
    Situation,
    is_price_changed,
    next_unpaid_day,
)
from cancellation.offer_terms import BOUNDS, Eligibility, RuleError, read_terms
from subscriptions.periods import month_later

__all__ = [
    "BOUNDS", "MONEY_KINDS", "NEVER_HELD_OUT", "PASSING_KINDS", "Cause", "Decided", "Eligibility", "Past", "PlanToday",
    "Proposal", "Rule", "RuleError", "Situation", "decide", "exactness", "is_price_changed", "next_unpaid_day",
    "propose", "read_terms", "taken_within_a_year",
]  # fmt: skip

# R14: whatever an operator or a pack says.
MOST_IN_FLOW = 3
Place = Literal["flow", "page"]
# Whoever says this is answered by nothing but what was made for it, such as a hand-over: nobody speaks of prices then.
GRAVE = frozenset({"circumstance-died"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """One option as it stands, as plain values. ``reasons`` are codes, or roots. Empty sets ask for nothing."""

    code: str
    kind: str
    offer_id: int = 0
    version: int = 1
    active: bool = True
    valid_from: date = date.min
    valid_until: date | None = None
    texts: Mapping[str, Any] = field(default_factory=dict)
    terms: Any = field(default_factory=dict)
    reasons: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    eligibility: Any = field(default_factory=dict)
    # None: no limit. Who accepts last is settled where it is accepted, not here.
    budget: int | None = None
    taken: int = 0
    cap_per_year: int = 1
    position: int = 100

    def words_in(self, language: str) -> tuple[str, str] | None:
        """Return title and text in a language, else in English; None where there are neither. A title may be empty."""
        texts = self.texts if isinstance(self.texts, Mapping) else {}
        for wanted in (language, "en"):
            words = texts.get(wanted)
            if isinstance(words, Mapping):
                title, text = (str(words.get(name) or "").strip() for name in ("title", "text"))
                if title or text:
                    return title, text
        return None


@dataclass(frozen=True, slots=True)
class Proposal:
    """An option worked out for one contract. ``terms`` are resolved figures, as JSON can hold them.

    Always: ``starts_on``, ``until`` (None: it lasts), ``currency``, ``cost_minor`` (what the business forgoes while it
    lasts, of what lasts in the first twelve months), ``billing`` (the period that the price is for).
    Where money changes: ``price_minor``, ``price_before_minor``, ``price_after_minor``.
    By kind: ``periods``, ``percent``, ``amount_minor``, ``months``, ``paused_from``, ``paused_to``, ``to_plan``,
    ``to_plan_name``, ``billing_before``, ``billing_anchor`` (of the new billing periods), ``minutes``.
    """

    code: str
    version: int
    kind: str
    position: int
    terms: dict[str, Any]
    offer_id: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """Which options are shown, in order, and the cause for each that is not."""

    shown: tuple[Proposal, ...]
    not_shown: dict[str, Cause]


def decide(rules: Iterable[Rule], situation: Situation, *, limit: int, place: Place) -> Decided:
    """Return what is shown at a place, best first, and a cause for every other rule. Raises nothing."""
    open_, not_shown = [], {}
    for rule in rules:
        found = _at_place(rule, situation, limit, place)
        if isinstance(found, Cause):
            not_shown[rule.code] = found
        else:
            open_.append(found)
    open_.sort(key=lambda ranked: (ranked[0], ranked[1].position, ranked[1].code))
    most = min(limit, MOST_IN_FLOW) if place == "flow" else len(open_)
    not_shown |= {proposal.code: Cause.BEYOND_LIMIT for _rank, proposal in open_[most:]}
    return Decided(tuple(proposal for _rank, proposal in open_[:most]), not_shown)


def _at_place(rule: Rule, situation: Situation, limit: int, place: Place) -> tuple[int, Proposal] | Cause:
    """Return a proposal with its rank (0 answers best), or why it is not shown there."""
    try:
        found = propose(rule, situation)
        if isinstance(found, Cause):
            return found
        return (0, found) if place == "page" else _in_flow(rule, found, situation, limit)
    except Exception:
        # One rule that cannot be worked out takes no other with it.
        log.exception("option %s could not be worked out", rule.code)
        return Cause.FAULT


def _in_flow(rule: Rule, found: Proposal, situation: Situation, limit: int) -> tuple[int, Proposal] | Cause:
    if situation.declined:
        return Cause.DECLINED
    if not situation.may_stand or limit < 1:
        return Cause.PLACE_FORBIDS
    if not situation.reasons - {""}:
        return Cause.NOTHING_SAID
    rank = exactness(rule, situation)
    if rank is None:
        return Cause.OTHER_REASON
    if situation.held_out and rule.kind not in NEVER_HELD_OUT:
        return Cause.HELD_OUT
    return rank, found


def exactness(rule: Rule, situation: Situation) -> int | None:
    """Return how exactly an option answers what was said, 0 best; None where it answers nothing of it."""
    said = situation.reasons - {""}
    if grave := said & GRAVE:
        return 0 if grave & rule.reasons else None
    main = situation.primary or (next(iter(said)) if len(said) == 1 else "")
    roots = {situation.roots[code] for code in said if code in situation.roots}
    answers = (
        bool(main) and main in rule.reasons,
        bool(said & rule.reasons),
        situation.roots.get(main) in rule.reasons,
        bool(roots & rule.reasons),
        # Whoever pays more than a new customer would is told so, whatever else they said.
        rule.kind in NEVER_HELD_OUT and bool(said),
    )
    return next((rank for rank, hit in enumerate(answers) if hit), None)


def propose(rule: Rule, situation: Situation) -> Proposal | Cause:
    """Return what an option would mean for a contract, or the first cause against it, wherever it would stand."""
    if cause := _closed(rule, situation) or _not_for(rule, situation):
        return cause
    try:
        terms, wanted = read_terms(rule.kind, rule.terms), Eligibility.from_dict(rule.eligibility)
    except RuleError:
        return Cause.UNREADABLE
    if cause := _not_eligible(wanted, situation) or _used_up(rule, situation):
        return cause
    if rule.kind in MONEY_KINDS and is_price_changed(situation):
        return Cause.ALREADY_RUNNING
    figures = WORKED_OUT[rule.kind](terms, situation)
    if isinstance(figures, Cause):
        return figures
    return Proposal(rule.code, rule.version, rule.kind, rule.position, figures, rule.offer_id)


def _closed(rule: Rule, situation: Situation) -> Cause | None:
    if not rule.active:
        return Cause.NOT_OPEN
    if situation.today < rule.valid_from:
        return Cause.NOT_YET
    if rule.valid_until is not None and situation.today > rule.valid_until:
        return Cause.NO_LONGER
    return Cause.ENDING if situation.is_ending else None


def _not_for(rule: Rule, situation: Situation) -> Cause | None:
    if rule.plans and situation.plan not in rule.plans:
        return Cause.OTHER_PLAN
    if rule.countries and situation.country.upper() not in rule.countries:
        return Cause.OTHER_COUNTRY
    if rule.languages and situation.language not in rule.languages:
        return Cause.OTHER_LANGUAGE
    return None if rule.words_in(situation.language) else Cause.NO_TEXT


def _not_eligible(wanted: Eligibility, situation: Situation) -> Cause | None:
    today, start = situation.today, situation.terms.starts_on
    if wanted.tenure_months_at_least and month_later(start, wanted.tenure_months_at_least) > today:
        return Cause.TOO_NEW
    if wanted.tenure_months_at_most is not None and month_later(start, wanted.tenure_months_at_most) < today:
        return Cause.TOO_LONG_HERE
    if not _is_worth(wanted, situation):
        return Cause.VALUE
    idle = (today - (situation.last_used_on or start)).days
    if wanted.unused_for_days is not None and idle < wanted.unused_for_days:
        return Cause.USAGE
    if wanted.used_within_days is not None and (situation.last_used_on is None or idle > wanted.used_within_days):
        return Cause.USAGE
    since = month_later(today, -wanted.months_since_last) if wanted.months_since_last else today
    return Cause.TOO_SOON if any(past.accepted_on > since for past in situation.past if not past.is_reverted) else None


def _is_worth(wanted: Eligibility, situation: Situation) -> bool:
    if not wanted.currency:
        return True
    least, most = wanted.monthly_minor_at_least or 0, wanted.monthly_minor_at_most
    worth = situation.monthly_minor
    return wanted.currency == situation.currency and least <= worth and (most is None or worth <= most)


def _used_up(rule: Rule, situation: Situation) -> Cause | None:
    if rule.budget is not None and rule.taken >= rule.budget:
        return Cause.BUDGET
    return Cause.CAP if taken_within_a_year(rule.code, situation) >= rule.cap_per_year else None


def taken_within_a_year(code: str, situation: Situation) -> int:
    """Return how often the customer agreed to an option in the last twelve months; what was taken back is none."""
    since = month_later(situation.today, -12)
    return sum(past.code == code and not past.is_reverted and past.accepted_on > since for past in situation.past)
