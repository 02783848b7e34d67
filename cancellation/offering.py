"""Which options a page shows: the rules of the place, the share that is shown none, and the log of it all.

Beside leaving, never before it: whatever fails in here means no options, is logged, and the way out stays open.
Nothing here writes an agreement; decisions and their "shown" entries are all that is stored.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import translation

from cancellation import guidance, offer_facts, offer_rules, offer_words, queries
from cancellation.actions import Actor
from cancellation.models import Offer, OfferDecision, OfferEvent, OfferPlace, OfferWhat
from cancellation.offer_facts import BESIDE, Catalogue, catalogue, forget_offers, language, rule_of, with_facts
from cancellation.offer_rules import Cause, Decided, Past, Proposal, Rule
from cancellation.steps import Walk
from feedback.queries import offered_reasons
from subscriptions import choices, places
from subscriptions.models import ConsentTopic, Contract

__all__ = [
    "BESIDE", "Option", "Sealed", "Shown", "for_page", "for_visit", "forget_offers", "is_held_out", "limit_in_flow",
    "may_stand_in_flow", "proposed_now", "rule_of", "seal", "unsealed", "would_be",
]  # fmt: skip

SALT = "fairwell.option"
# A page that stays open longer is asked to load again; nothing is agreed on stale figures.
SECONDS_SEALED = 60 * 60 * 24
LONGEST_FAULT = 300

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Option:
    """One option as a page shows it. ``asks``: what else must be said with the yes ("", "when", "words", "person")."""

    code: str
    version: int
    kind: str
    title: str
    text: str
    lines: list[str]
    afterwards: str
    terms: dict[str, Any]
    sealed: str
    asks: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows. ``declined``: the customer said no in this visit, so nothing is shown."""

    options: tuple[Option, ...] = ()
    decision: OfferDecision | None = None
    declined: bool = False
    fault: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a click agrees to, exactly as it was shown. ``nonce`` is one for all pages that show the same."""

    code: str
    version: int
    terms: dict[str, Any]
    title: str
    text: str
    afterwards: str
    place: str
    decision_key: str
    nonce: str


# What was shown, signed.


def seal(shown: Sealed, contract: Contract) -> str:
    """Return an option as it is shown, signed for this contract."""
    parts = [getattr(shown, name) for name in Sealed.__slots__]
    return signing.dumps([contract.pk, *parts], salt=SALT, compress=True)


def unsealed(text: str, contract: Contract) -> Sealed | None:
    """Return the option that a page showed, or None: missing, tampered with, too old, another contract's."""
    try:
        pk, *parts = signing.loads(text, salt=SALT, max_age=SECONDS_SEALED)
        return Sealed(*parts) if pk == contract.pk else None
    except (signing.BadSignature, ValueError, TypeError):
        return None


# The rules of the place.


def limit_in_flow(contract: Contract, on: date) -> int:
    """Return how many options may stand in the guided way of a contract; permission is another question."""
    allowed = guidance.most_options(guidance.pack_for(contract), on, places.sector_of(contract))
    return min(allowed, offer_rules.MOST_IN_FLOW)


def _is_permitted(contract: Contract, on: date) -> bool:
    """Tell whether options may stand in the way of this customer: some places ask for their yes beforehand."""
    if not guidance.asks_permission(guidance.pack_for(contract), on, places.sector_of(contract)):
        return True
    if hasattr(contract, "permits_options"):
        return bool(contract.permits_options)
    return choices.given(contract.customer_id, ConsentTopic.OPTIONS)


def may_stand_in_flow(contract: Contract, on: date) -> bool:
    """Tell whether the guided way of a contract may have a step with options at all. Raises nothing: a fault is no."""
    try:
        return limit_in_flow(contract, on) > 0 and _is_permitted(contract, on)
    except Exception:
        log.exception("whether options may stand in the way of contract %s could not be told", contract.pk)
        return False


def is_held_out(customer_id: int) -> bool:
    """Tell whether a customer belongs to the share that is shown no options while leaving: always the same ones.

    A larger share holds everybody whom a smaller one held, so that raising it moves nobody back.
    """
    digest = hashlib.sha256(f"fairwell.holdout:{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100 < settings.OFFER_HOLDOUT_PERCENT


# What the pages ask for.


def for_visit(at: Walk, now: datetime) -> Shown:
    """Return what the options step shows, decided once a visit. Raises nothing.

    Asks for no more than it stores where the walk came with ``BESIDE`` and options and reasons are kept. What was
    shown once is shown again as it was; after a no, or a yes, nothing is. A decision that showed nothing is taken
    anew when something else was said since.
    """
    key = f"visit:{at.visit}"
    return _safely(at.contract, key, OfferPlace.FLOW, now, at.visit, lambda: _for_visit(at, key, now))


def for_page(contract: Contract, now: datetime, locale: str) -> Shown:
    """Return what the options page shows: all that is open to this contract, whatever was said. Raises nothing.

    Logged once a day and contract; what opens later on the same day is added to that day's entry.
    """
    with translation.override(locale):
        key = _page_key(contract, now)
        return _safely(contract, key, OfferPlace.PAGE, now, None, lambda: _for_page(contract, key, now))


def would_be(contract: Contract, now: datetime) -> Decided:
    """Return what the options page would show now and why not the rest, without a trace: for staff who are asked."""
    return _decided_for_page(with_facts(contract), catalogue(), now)


def proposed_now(contract_id: int, offer: Offer, now: datetime, locale: str) -> Proposal | Cause:
    """Return what an option means for a contract at this moment, or why it is not open; nothing comes from a cache.

    TermsError where the contract cannot be read. That the last one goes to one person only, its row must settle.
    """
    facts: Any = queries.contracts_with_state().annotate(**BESIDE()).get(pk=contract_id)
    rule = rule_of(offer, offer.plans.values_list("code", flat=True))
    kept = Catalogue((rule,), offer_facts.price_list())
    with translation.override(locale):
        return offer_rules.propose(rule, offer_facts.situation(facts, kept, queries.local_day(facts, now)))


def _for_visit(at: Walk, key: str, now: datetime) -> Shown:
    facts = with_facts(at.contract)
    said = _said(at.said)
    stored = OfferDecision.objects.filter(key=key).first() if facts.options_flow_key == key else None
    if stored is not None and not _is_open_again(stored, said):
        return _again(stored, facts, at.visit)
    decision, decided = _decided_for_visit(at, facts, key, now)
    try:
        _store(decision, decided.shown, stored)
    except IntegrityError:
        # The same step, asked for twice at once: the first answer counts.
        return _again(OfferDecision.objects.get(key=key), facts, at.visit)
    return Shown(_options(decision, decision.shown, facts), decision)


def _decided_for_visit(at: Walk, facts: Any, key: str, now: datetime) -> tuple[OfferDecision, Decided]:
    said = _said(at.said)
    today, kept = queries.local_day(facts, now), catalogue()
    limit, may_stand, held_out = (
        limit_in_flow(facts, today),
        _is_permitted(facts, today),
        is_held_out(facts.customer_id),
    )
    situation = offer_facts.situation(
        facts,
        kept,
        today,
        reasons=frozenset(said),
        primary=str(at.said.get("primary") or ""),
        roots={reason.code: group.root for group in offered_reasons() for reason in group.reasons} if said else {},
        may_stand=may_stand,
        held_out=held_out,
    )
    decided = offer_rules.decide(kept.rules_for(facts), situation, limit=limit, place="flow")
    decision = _decision(facts, key, OfferPlace.FLOW, now, decided, kept)
    decision.visit, decision.reasons = at.visit, said
    # Of those alone who could have been shown something, the effect can be told.
    decision.held_out = held_out and may_stand and limit > 0
    return decision, decided


def _said(said: Mapping[str, Any]) -> list[str]:
    """Return the reasons that were ticked in this visit, the main one first."""
    ticked = said.get("reasons")
    codes = [said.get("primary"), *(ticked if isinstance(ticked, list) else [])]
    return list(dict.fromkeys(str(code) for code in codes if code))


def _is_open_again(stored: OfferDecision, said: list[str]) -> bool:
    """Tell whether a decision that showed nothing may be taken anew: something else was said since, or it failed."""
    nothing_yet = not stored.shown and stored.declined_at is None
    return nothing_yet and (bool(stored.fault) or stored.reasons != said)


def _again(stored: OfferDecision, facts: Any, visit: UUID) -> Shown:
    """Return what was decided in this visit; after a yes or a no there is nothing more."""
    if stored.declined_at is not None:
        return Shown((), stored, declined=True)
    if any(past.visit == visit and not past.is_reverted for past in offer_facts.past_of(facts)):
        return Shown((), stored)
    return Shown(_options(stored, _in_this_language(stored), facts), stored, fault=bool(stored.fault))


def _in_this_language(stored: OfferDecision) -> list[dict[str, Any]]:
    """Return what was shown, in the language that is spoken now; as it was where that option has changed since."""
    if stored.locale == language():
        return list(stored.shown)
    kept = catalogue()
    rules = [kept.rule(entry["code"]) for entry in stored.shown]
    return [
        entry | _worded(rule, entry["kind"], entry["terms"]) if rule and rule.version == entry["version"] else entry
        for entry, rule in zip(stored.shown, rules, strict=True)
    ]


def _page_key(contract: Contract, now: datetime) -> str:
    try:
        day = queries.local_day(contract, now)
    except Exception:
        # Its terms cannot be read. It is told where they are needed; the note of it belongs to a day all the same.
        day = now.date()
    return f"page:{contract.pk}:{day.isoformat()}"


def _for_page(contract: Contract, key: str, now: datetime) -> Shown:
    facts, kept = with_facts(contract), catalogue()
    decided = _decided_for_page(facts, kept, now)
    decision = _decision(facts, key, OfferPlace.PAGE, now, decided, kept)
    options = _options(decision, decision.shown, facts)
    try:
        if facts.options_page_key != key:
            _store(decision, decided.shown, None)
        else:
            _add_to_the_day(decision, decided)
    except IntegrityError:
        _add_to_the_day(decision, decided)
    return Shown(options, decision)


def _decided_for_page(facts: Any, kept: Catalogue, now: datetime) -> Decided:
    situation = offer_facts.situation(facts, kept, queries.local_day(facts, now))
    return offer_rules.decide(kept.rules_for(facts), situation, limit=len(kept.rules), place="page")


def _add_to_the_day(decision: OfferDecision, decided: Decided) -> None:
    """Add what opened since the day's first look; an option is "shown" once a day, however often the page is opened."""
    stored = OfferDecision.objects.get(key=decision.key)
    if not (stored.fault or _new_codes(decision, stored)):
        decision.pk = stored.pk
        return
    with transaction.atomic():
        stored = OfferDecision.objects.select_for_update().get(key=decision.key)
        new = _new_codes(decision, stored)
        decision.at = stored.at
        decision.shown = [*stored.shown, *(entry for entry in decision.shown if entry["code"] in new)]
        seen = {entry["code"] for entry in decision.shown}
        decision.not_shown = {code: cause for code, cause in decision.not_shown.items() if code not in seen}
        _store(decision, [proposal for proposal in decided.shown if proposal.code in new], stored)


def _new_codes(decision: OfferDecision, stored: OfferDecision) -> set[str]:
    return {entry["code"] for entry in decision.shown} - {entry["code"] for entry in stored.shown}


# Storing and showing.


def _decision(
    facts: Any, key: str, place: OfferPlace, now: datetime, decided: Decided, kept: Catalogue
) -> OfferDecision:
    rules = {rule.code: rule for rule in kept.rules}
    return OfferDecision(
        key=key,
        contract=facts,
        place=place,
        at=now,
        pack=guidance.pack_for(facts).code,
        locale=language(),
        shown=[_entry(proposal, rules[proposal.code]) for proposal in decided.shown],
        not_shown={code: str(cause) for code, cause in decided.not_shown.items()},
    )


def _entry(proposal: Proposal, rule: Rule) -> dict[str, Any]:
    return {
        "code": proposal.code,
        "version": proposal.version,
        "kind": proposal.kind,
        "terms": proposal.terms,
        **_worded(rule, proposal.kind, proposal.terms),
    }


def _worded(rule: Rule, kind: str, terms: dict[str, Any]) -> dict[str, str]:
    title, text = rule.words_in(language()) or ("", "")
    return {
        "title": title or offer_words.title(kind),
        "text": text,
        "afterwards": offer_words.afterwards(kind, terms),
    }


def _store(decision: OfferDecision, proposals: Iterable[Proposal], replaced: OfferDecision | None) -> None:
    """Keep a decision with its "shown" entries, all or nothing. IntegrityError where it was decided already."""
    with transaction.atomic():
        if replaced is not None:
            decision.pk = replaced.pk
        decision.save(force_insert=replaced is None, force_update=replaced is not None)
        OfferEvent.objects.bulk_create(
            OfferEvent(
                offer_id=proposal.offer_id,
                version=proposal.version,
                contract_id=decision.contract_id,
                visit=decision.visit,
                place=decision.place,
                what=OfferWhat.SHOWN,
                at=decision.at,
                actor=Actor.customer(decision.contract.customer_id).name,
            )
            for proposal in proposals
        )


def _options(decision: OfferDecision, entries: Iterable[dict[str, Any]], facts: Any) -> tuple[Option, ...]:
    past = offer_facts.past_of(facts)
    return tuple(_option(decision, entry, facts, past) for entry in entries)


def _option(decision: OfferDecision, entry: dict[str, Any], contract: Contract, past: Iterable[Past]) -> Option:
    shown = Sealed(
        code=entry["code"],
        version=entry["version"],
        # In one order, whichever the database gives them back in.
        terms=dict(sorted(entry["terms"].items())),
        title=entry["title"],
        text=entry["text"],
        afterwards=entry["afterwards"],
        place=decision.place,
        decision_key=decision.key,
        nonce=_nonce(contract, entry, past),
    )
    return Option(
        code=shown.code,
        version=shown.version,
        kind=entry["kind"],
        title=shown.title,
        text=shown.text,
        lines=offer_words.lines(entry["kind"], shown.terms),
        afterwards=shown.afterwards,
        terms=shown.terms,
        sealed=seal(shown, contract),
        asks=offer_words.ASKS.get(entry["kind"], ""),
    )


def _nonce(contract: Contract, entry: dict[str, Any], past: Iterable[Past]) -> str:
    """Return the same for every page that shows the same, so that two tabs agree to it once; another after each yes."""
    times = sum(one.code == entry["code"] for one in past)
    facts = json.dumps([contract.pk, entry["code"], entry["version"], entry["terms"], times], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _safely(
    contract: Contract, key: str, place: str, now: datetime, visit: UUID | None, ask: Callable[[], Shown]
) -> Shown:
    """Return what is asked for; where anything fails, no options, and a note of it where the database still answers."""
    try:
        return ask()
    except Exception as error:
        log.exception("the options of contract %s could not be worked out", contract.pk)
        told = f"{type(error).__name__}: {error}"[:LONGEST_FAULT]
    with suppress(Exception), transaction.atomic():
        OfferDecision.objects.create(
            key=key, contract=contract, visit=visit, place=place, at=now, locale=language(), fault=told
        )
    return Shown(fault=True)
