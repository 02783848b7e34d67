"""Which options a page shows: the facts, the rules of the place, the share that is shown none, and the log of it.

Beside leaving, never before it: whatever fails in here means no options, is logged, and the way out stays open.
Nothing here writes an agreement; a decision and its "shown" entries are all that is stored.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F, JSONField, OuterRef, Subquery, Value
from django.db.models.functions import JSONObject
from django.utils import translation

from cancellation import offer_rules, offer_words, queries
from cancellation.actions import Actor
from cancellation.models import (
    RUNNING_STATES,
    Acceptance,
    AcceptanceState,
    Offer,
    OfferDecision,
    OfferEvent,
    OfferPlace,
    OfferWhat,
)
from cancellation.offer_rules import Cause, Decided, Past, PlanToday, Proposal, Rule, Situation
from cancellation.steps import Walk
from feedback.queries import offered_reasons
from subscriptions import places, prices
from subscriptions.models import Activity, Consent, ConsentTopic, Contract, PlanPrice
from subscriptions.packs import Pack
from subscriptions.reading import local_day
from subscriptions.terms import quote_for_day

SALT = "fairwell.option"
# A page that stays open longer is asked to load again; nothing is agreed on stale figures.
SECONDS_SEALED = 60 * 60 * 24
SECONDS_KEPT = 60
KEPT = "cancellation.offers"
LONGEST_FAULT = 300
# Where a place wants options near the entry, they do not stand in the guided way.
NOT_IN_FLOW = {"near_entry"}

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


# The facts.


def BESIDE() -> dict[str, Any]:  # noqa: N802 - the name that was agreed for what ``walk`` takes beside
    """Return annotations of a contract with which the options need no further reading of their own."""
    past = Acceptance.objects.filter(customer=OuterRef("customer_id")).order_by().values("customer")
    columns = JSONObject(
        code="offer__code", kind="kind", at="accepted_at", contract="contract_id", state="state",
        passing="is_passing", until="until", visit="visit",
    )  # fmt: skip
    used_up = Offer.objects.filter(budget__isnull=False, taken__gte=F("budget")).order_by()
    permitted = Consent.objects.filter(customer=OuterRef("customer_id"), topic=ConsentTopic.OPTIONS)
    used = Activity.objects.filter(contract=OuterRef("pk"))
    return {
        "payments_beside": queries.payments_beside(),
        "options_past": Subquery(
            past.annotate(rows=queries.JsonList(columns)).values("rows"), output_field=JSONField()
        ),
        "options_used_up": Subquery(
            used_up.annotate(one=Value(1)).values("one").annotate(rows=queries.JsonList("pk")).values("rows"),
            output_field=JSONField(),
        ),
        "options_permitted": Subquery(permitted.order_by("-at", "-pk").values("given")[:1]),
        "options_last_used": Subquery(used.order_by("-day").values("day")[:1]),
        "options_flow_key": _newest_key(OfferPlace.FLOW),
        "options_page_key": _newest_key(OfferPlace.PAGE),
    }


def _newest_key(place: str) -> Subquery:
    decided = OfferDecision.objects.filter(contract=OuterRef("pk"), place=place)
    return Subquery(decided.order_by("-at", "-pk").values("key")[:1])


def _with_facts(contract: Contract) -> Any:
    """Return the contract with what ``BESIDE`` reads, with one statement where the page has not read it."""
    if hasattr(contract, "options_past") and hasattr(contract, "live_id"):
        return contract
    return queries.contracts_with_state().annotate(**BESIDE()).get(pk=contract.pk)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All options, and what the plans cost: by code the name and (day, minor, currency) from the newest on."""

    rules: tuple[Rule, ...] = ()
    plans: Mapping[str, tuple[str, tuple[tuple[date, int, str], ...]]] = field(default_factory=dict)

    def prices_on(self, day: date, currency: str) -> dict[str, PlanToday]:
        """Return what each plan costs on a day in a currency."""
        told = {}
        for code, (name, rows) in self.plans.items():
            begun = [row for row in rows if row[0] <= day]
            minor = next((minor for _since, minor, own in begun if own == currency), None)
            told[code] = PlanToday(name, minor, elsewhere=minor is None and bool(begun))
        return told


def catalogue() -> Catalogue:
    """Return the options and the price list, read at most once a minute."""
    try:
        kept: Catalogue | None = cache.get(KEPT)
    except Exception:
        log.exception("the cache does not answer")
        kept = None
    if kept is None:
        kept = Catalogue(tuple(_rules()), _price_list())
        with suppress(Exception):
            cache.set(KEPT, kept, SECONDS_KEPT)
    return kept


def forget_offers() -> None:
    """Let the next page read options and price list anew, as after a change in the admin."""
    with suppress(Exception):
        cache.delete(KEPT)


def _rules() -> Iterable[Rule]:
    plans = Offer.plans.through.objects.filter(offer=OuterRef("pk")).order_by().values("offer")
    codes = Subquery(plans.annotate(codes=queries.JsonList("plan__code")).values("codes"), output_field=JSONField())
    for row in Offer.objects.annotate(plan_codes=codes).order_by("position", "pk"):
        yield rule_of(row, row.plan_codes or ())


def rule_of(offer: Offer, plan_codes: Iterable[str]) -> Rule:
    """Return an option's row as the plain values that are decided about."""
    return Rule(
        code=offer.code,
        kind=offer.kind,
        offer_id=offer.pk,
        version=offer.version,
        active=offer.active,
        valid_from=offer.valid_from,
        valid_until=offer.valid_until,
        texts=offer.texts,
        terms=offer.terms,
        reasons=_codes(offer.reasons),
        plans=frozenset(plan_codes),
        countries=frozenset(code.upper() for code in _codes(offer.countries)),
        languages=frozenset(code.lower() for code in _codes(offer.languages)),
        eligibility=offer.eligibility,
        budget=offer.budget,
        taken=offer.taken,
        cap_per_year=offer.cap_per_year,
        position=offer.position,
    )


def _codes(listed: Any) -> frozenset[str]:
    return frozenset(map(str, listed)) if isinstance(listed, (list, tuple)) else frozenset()


def _price_list() -> dict[str, tuple[str, tuple[tuple[date, int, str], ...]]]:
    told: dict[str, tuple[str, tuple[tuple[date, int, str], ...]]] = {}
    for row in PlanPrice.objects.select_related("plan").order_by("-valid_from", "-pk"):
        name, rows = told.get(row.plan.code, (row.plan.name, ()))
        told[row.plan.code] = name, (*rows, (row.valid_from, row.price_minor, row.currency))
    return told


def _rules_now(kept: Catalogue, facts: Any) -> list[Rule]:
    """Return the rules with the budgets of this very moment: those that are used up cannot wait for a minute."""
    used_up = set(facts.options_used_up or ())
    return [
        replace(rule, taken=max(rule.taken, rule.budget or 0))
        if rule.offer_id in used_up
        else replace(rule, taken=0)
        if rule.budget
        else rule
        for rule in kept.rules
    ]


def _past(facts: Any) -> tuple[Past, ...]:
    zone = facts.agreed.timezone
    return tuple(
        Past(
            code=row["code"],
            kind=row["kind"],
            accepted_on=local_day(_instant(row["at"]), zone),
            is_here=row["contract"] == facts.pk,
            runs=row["state"] in RUNNING_STATES,
            is_reverted=row["state"] == AcceptanceState.REVERTED,
            is_passing=bool(row["passing"]),
            until=date.fromisoformat(row["until"]) if row["until"] else None,
            visit=UUID(row["visit"]) if row["visit"] else None,
        )
        for row in facts.options_past or ()
    )


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _situation(facts: Any, kept: Catalogue, today: date, **more: Any) -> Situation:
    agreed = facts.agreed
    paid = [row.paid_to for row in queries.payments_of(facts)]
    return Situation(
        today=today,
        terms=agreed,
        plan=facts.plan.code,
        country=places.place_of(facts)[0].upper(),
        language=_language(),
        currency=facts.currency,
        price_minor=facts.price_minor,
        monthly_minor=facts.monthly_charge_minor,
        refund_policy=facts.refund_policy,
        paid_through=max(paid, default=None),
        price_changes=prices.read(facts.price_changes),
        last_used_on=facts.options_last_used,
        is_ending=bool(facts.live_id) or quote_for_day(agreed, today).last_day is None,
        past=_past(facts),
        prices=kept.prices_on(today, facts.currency),
        **more,
    )


def _language() -> str:
    return (translation.get_language() or "en").split("-")[0]


# The rules of the place.


def pack_for(contract: Contract) -> Pack:
    """Return whose rules say what may stand in the guided way; what protects consumers binds their contracts only."""
    return places.pack_of(contract) if contract.is_consumer else places.packs()[places.DEFAULT]


def limit_in_flow(contract: Contract, on: date) -> int:
    """Return how many options may stand in the guided way of a contract; permission is another question."""
    pack, sector = pack_for(contract), places.sector_of(contract)
    rule = pack.get("offer_rules", on, sector) or {}
    steps = pack.get("guided_steps", on, sector) or ()
    if "options" not in steps or rule.get("condition") in NOT_IN_FLOW:
        return 0
    return min(int(rule.get("guided_max", 0)), offer_rules.MOST_IN_FLOW)


def _is_permitted(contract: Contract, on: date) -> bool:
    rule = pack_for(contract).get("offer_rules", on, places.sector_of(contract)) or {}
    if rule.get("condition") != "with_permission":
        return True
    if hasattr(contract, "options_permitted"):
        return bool(contract.options_permitted)
    said = Consent.objects.filter(customer=contract.customer_id, topic=ConsentTopic.OPTIONS)
    return bool(said.order_by("-at", "-pk").values_list("given", flat=True).first())


def may_stand_in_flow(contract: Contract, on: date) -> bool:
    """Tell whether the guided way of a contract may have a step with options at all. Raises nothing: a fault is no."""
    try:
        return limit_in_flow(contract, on) > 0 and _is_permitted(contract, on)
    except Exception:
        log.exception("whether options may stand in the way of contract %s could not be told", contract.pk)
        return False


def is_held_out(customer_id: int) -> bool:
    """Tell whether a customer belongs to the share that is shown no options while leaving: always the same ones."""
    digest = hashlib.sha256(f"fairwell.holdout:{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < settings.OFFER_HOLDOUT_PERCENT


# What the pages ask for.


def for_visit(at: Walk, now: datetime) -> Shown:
    """Return what the options step shows, decided once a visit. Raises nothing."""
    contract, key = at.contract, f"visit:{at.visit}"
    return _safely(contract, key, OfferPlace.FLOW, now, at.visit, lambda: _for_visit(at, key, now))


def for_page(contract: Contract, now: datetime, locale: str) -> Shown:
    """Return what the options page shows: all that is open to this contract, whatever was said. Raises nothing."""
    with translation.override(locale):
        key = _page_key(contract, now)
        return _safely(contract, key, OfferPlace.PAGE, now, None, lambda: _for_page(contract, key, now))


def _page_key(contract: Contract, now: datetime) -> str:
    try:
        day = queries.local_day(contract, now)
    except ValueError:
        day = now.date()
    return f"page:{contract.pk}:{day.isoformat()}"


def _for_visit(at: Walk, key: str, now: datetime) -> Shown:
    facts = _with_facts(at.contract)
    stored = OfferDecision.objects.filter(key=key).first() if facts.options_flow_key == key else None
    said = _said(at.said)
    if stored is not None and not _is_open_again(stored, said):
        return _again(stored, facts, at.visit)
    today = queries.local_day(facts, now)
    kept = catalogue()
    limit = limit_in_flow(facts, today)
    held_out = is_held_out(facts.customer_id)
    situation = _situation(
        facts,
        kept,
        today,
        reasons=frozenset(said),
        primary=str(at.said.get("primary") or ""),
        roots=_roots(),
        may_stand=_is_permitted(facts, today),
        held_out=held_out,
    )
    decided = offer_rules.decide(_rules_now(kept, facts), situation, limit=limit, place="flow")
    decision = OfferDecision(
        key=key,
        contract=at.contract,
        visit=at.visit,
        place=OfferPlace.FLOW,
        at=now,
        pack=pack_for(facts).code,
        locale=_language(),
        reasons=said,
        held_out=held_out and limit > 0 and situation.may_stand,
        shown=_entries(decided, kept),
        not_shown=_causes(decided),
    )
    try:
        _store(decision, decided.shown, stored)
    except IntegrityError:
        # The same step, asked for twice at once: the first answer counts.
        return _again(OfferDecision.objects.get(key=key), facts, at.visit)
    return Shown(_options(decision, decision.shown, facts, situation.past), decision)


def _said(said: Mapping[str, Any]) -> list[str]:
    """Return the reasons that were ticked in this visit, the main one first."""
    primary = str(said.get("primary") or "")
    ticked = said.get("reasons")
    rest = [str(code) for code in ticked] if isinstance(ticked, list) else []
    return list(dict.fromkeys([code for code in (primary, *rest) if code]))


def _roots() -> dict[str, str]:
    return {reason.code: group.root for group in offered_reasons() for reason in group.reasons}


def _is_open_again(stored: OfferDecision, said: list[str]) -> bool:
    """Tell whether a decision that showed nothing may be taken anew: something else was said since, or it failed."""
    nothing_yet = not stored.shown and stored.declined_at is None
    return nothing_yet and (bool(stored.fault) or stored.reasons != said)


def _again(stored: OfferDecision, facts: Any, visit: UUID) -> Shown:
    """Return what was decided in this visit; after a yes or a no there is nothing more."""
    if stored.declined_at is not None:
        return Shown((), stored, declined=True)
    past = _past(facts)
    if any(one.visit == visit and not one.is_reverted for one in past):
        return Shown((), stored)
    return Shown(_options(stored, stored.shown, facts, past), stored, fault=bool(stored.fault))


def _for_page(contract: Contract, key: str, now: datetime) -> Shown:
    facts = _with_facts(contract)
    today = queries.local_day(facts, now)
    kept = catalogue()
    situation = _situation(facts, kept, today)
    decided = offer_rules.decide(_rules_now(kept, facts), situation, limit=len(kept.rules), place="page")
    decision = OfferDecision(
        key=key,
        contract=contract,
        place=OfferPlace.PAGE,
        at=now,
        pack=pack_for(facts).code,
        locale=_language(),
        shown=_entries(decided, kept),
        not_shown=_causes(decided),
    )
    if facts.options_page_key != key:
        with suppress(IntegrityError):
            _store(decision, decided.shown, None)
    return Shown(_options(decision, decision.shown, facts, situation.past), decision)


def would_be(contract: Contract, now: datetime) -> Decided:
    """Return what the options page would decide now, without a trace: for staff who are asked why."""
    facts = _with_facts(contract)
    kept = catalogue()
    situation = _situation(facts, kept, queries.local_day(facts, now))
    return offer_rules.decide(_rules_now(kept, facts), situation, limit=len(kept.rules), place="page")


def proposed_now(contract_id: int, offer: Offer, now: datetime, locale: str) -> Proposal | Cause:
    """Return what an option means for a contract at this moment, or why it is not open; nothing comes from a cache."""
    facts = queries.contracts_with_state().annotate(**BESIDE()).get(pk=contract_id)
    rule = rule_of(offer, offer.plans.values_list("code", flat=True))
    kept = Catalogue((rule,), _price_list())
    with translation.override(locale):
        return offer_rules.propose(rule, _situation(facts, kept, queries.local_day(facts, now)))


# Storing and showing.


def _causes(decided: Decided) -> dict[str, str]:
    return {code: str(cause) for code, cause in decided.not_shown.items()}


def _entries(decided: Decided, kept: Catalogue) -> list[dict[str, Any]]:
    rules = {rule.code: rule for rule in kept.rules}
    return [_entry(proposal, rules[proposal.code]) for proposal in decided.shown]


def _entry(proposal: Proposal, rule: Rule) -> dict[str, Any]:
    title, text = rule.words_in(_language()) or ("", "")
    return {
        "code": proposal.code,
        "version": proposal.version,
        "kind": proposal.kind,
        "terms": proposal.terms,
        "title": title or offer_words.title(proposal.kind),
        "text": text,
        "afterwards": offer_words.afterwards(proposal.kind, proposal.terms),
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


def _options(
    decision: OfferDecision, entries: list[dict[str, Any]], contract: Contract, past: Iterable[Past]
) -> tuple[Option, ...]:
    return tuple(_option(decision, entry, contract, past) for entry in entries)


def _option(decision: OfferDecision, entry: dict[str, Any], contract: Contract, past: Iterable[Past]) -> Option:
    times = sum(one.code == entry["code"] for one in past)
    # The same for every page that shows the same, so that two tabs agree to it once; another one after each yes.
    facts = json.dumps([contract.pk, entry["code"], entry["version"], entry["terms"], times], sort_keys=True)
    shown = Sealed(
        code=entry["code"],
        version=entry["version"],
        terms=entry["terms"],
        title=entry["title"],
        text=entry["text"],
        afterwards=entry["afterwards"],
        place=decision.place,
        decision_key=decision.key,
        nonce=hashlib.sha256(facts.encode()).hexdigest()[:32],
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


def _safely(
    contract: Contract, key: str, place: str, now: datetime, visit: UUID | None, ask: Callable[[], Shown]
) -> Shown:
    """Return what is asked for; where anything fails, no options, and a note of it where the database answers."""
    try:
        return ask()
    except Exception as error:
        log.exception("the options of contract %s could not be worked out", contract.pk)
        told = f"{type(error).__name__}: {error}"[:LONGEST_FAULT]
    with suppress(Exception), transaction.atomic():
        OfferDecision.objects.create(
            key=key, contract=contract, visit=visit, place=place, at=now, locale=_language(), fault=told
        )
    return Shown(fault=True)


__all__ = [
    "BESIDE",
    "Cause",
    "Option",
    "Sealed",
    "Shown",
    "catalogue",
    "for_page",
    "for_visit",
    "forget_offers",
    "is_held_out",
    "limit_in_flow",
    "may_stand_in_flow",
    "proposed_now",
    "rule_of",
    "seal",
    "unsealed",
    "would_be",
]
