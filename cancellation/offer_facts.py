"""What has to be known to decide about options: the options themselves, the price list, and the contract's own facts.

Options and prices are read at most once a minute; what concerns one contract comes with its row, in one statement.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import F, JSONField, OuterRef, Subquery, Value
from django.db.models.functions import JSONObject
from django.utils import translation

from cancellation import queries
from cancellation.models import RUNNING_STATES, Acceptance, AcceptanceState, Offer, OfferDecision, OfferPlace
from cancellation.offer_figures import BILLED
from cancellation.offer_rules import Past, PlanToday, Rule, Situation
from subscriptions import places, prices
from subscriptions.models import Activity, Contract, PlanPrice
from subscriptions.reading import local_day
from subscriptions.terms import quote_for_day

SECONDS_KEPT = 60
KEPT = "cancellation.offers"

# By plan: its name, and (day, minor units, currency) from the newest on.
PriceList = Mapping[str, tuple[str, tuple[tuple[date, int, str], ...]]]

log = logging.getLogger(__name__)


# Options and price list.


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All options, and what the plans cost."""

    rules: tuple[Rule, ...] = ()
    plans: PriceList = field(default_factory=dict)

    def prices_on(self, day: date, currency: str) -> dict[str, PlanToday]:
        """Return what each plan costs on a day in a currency."""
        told = {}
        for code, (name, rows) in self.plans.items():
            begun = [row for row in rows if row[0] <= day]
            minor = next((minor for _since, minor, own in begun if own == currency), None)
            told[code] = PlanToday(name, minor, elsewhere=minor is None and bool(begun))
        return told

    def rules_for(self, contract: Any) -> list[Rule]:
        """Return the rules with the budgets of this very moment, which came with the contract."""
        used_up = set(contract.options_used_up or ())
        return [
            rule if rule.budget is None else replace(rule, taken=rule.budget if rule.offer_id in used_up else 0)
            for rule in self.rules
        ]

    def rule(self, code: str) -> Rule | None:
        """Return an option by its code."""
        return next((rule for rule in self.rules if rule.code == code), None)


def catalogue() -> Catalogue:
    """Return the options and the price list, read at most once a minute."""
    try:
        kept: Catalogue | None = cache.get(KEPT)
    except Exception:
        log.exception("the cache does not answer")
        kept = None
    if kept is None:
        kept = Catalogue(tuple(_rules()), price_list())
        with suppress(Exception):
            cache.set(KEPT, kept, SECONDS_KEPT)
    return kept


def forget_offers() -> None:
    """Let the next page read options and price list anew, as after a change in the admin."""
    with suppress(Exception):
        cache.delete(KEPT)


def _rules() -> Iterable[Rule]:
    plans = Offer.plans.through.objects.filter(offer=OuterRef("pk")).order_by().values("offer")
    codes = _listed(plans.annotate(rows=queries.JsonList("plan__code")))
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
    return frozenset(str(code).strip() for code in listed) - {""} if isinstance(listed, list) else frozenset()


def price_list() -> PriceList:
    """Return what every plan costs, from the newest price on."""
    told: dict[str, tuple[str, tuple[tuple[date, int, str], ...]]] = {}
    for row in PlanPrice.objects.select_related("plan").order_by("-valid_from", "-pk"):
        name, rows = told.get(row.plan.code, (row.plan.name, ()))
        told[row.plan.code] = name, (*rows, (row.valid_from, row.price_minor, row.currency))
    return told


# The contract.


def BESIDE() -> dict[str, Any]:  # noqa: N802 - what ``walk`` takes as ``beside``
    """Return annotations of a contract with which its options need no further reading of their own.

    ``payments_beside`` as in ``queries``; ``options_past`` what the customer agreed to before, ``options_used_up`` the
    options whose budget is used up, ``options_last_used`` the last day of use, ``options_flow_key`` and
    ``options_page_key`` the newest decisions.
    """
    return dict(_beside())


@functools.cache
def _beside() -> Mapping[str, Any]:
    past = Acceptance.objects.filter(customer=OuterRef("customer_id")).order_by().values("customer")
    columns = JSONObject(
        code="offer__code", kind="kind", at="accepted_at", contract="contract_id", state="state",
        passing="is_passing", until="until", visit="visit",
    )  # fmt: skip
    used_up = Offer.objects.filter(budget__isnull=False, taken__gte=F("budget")).order_by().annotate(one=Value(1))
    used = Activity.objects.filter(contract=OuterRef("pk"))
    return {
        "payments_beside": queries.payments_beside(),
        "options_past": _listed(past.annotate(rows=queries.JsonList(columns))),
        "options_used_up": _listed(used_up.values("one").annotate(rows=queries.JsonList("pk"))),
        "options_last_used": Subquery(used.order_by("-day").values("day")[:1]),
        "options_flow_key": _newest_key(OfferPlace.FLOW),
        "options_page_key": _newest_key(OfferPlace.PAGE),
    }


def _listed(rows: Any) -> Subquery:
    return Subquery(rows.values("rows"), output_field=JSONField())


def _newest_key(place: str) -> Subquery:
    decided = OfferDecision.objects.filter(contract=OuterRef("pk"), place=place)
    return Subquery(decided.order_by("-at", "-pk").values("key")[:1])


def with_facts(contract: Contract) -> Any:
    """Return the contract with what ``BESIDE`` reads, with one statement where its page has not read it already."""
    if hasattr(contract, "options_past") and hasattr(contract, "live_id"):
        return contract
    return queries.contracts_with_state().annotate(**BESIDE()).get(pk=contract.pk)


def language() -> str:
    """Return the language that is spoken, without a region."""
    return (translation.get_language() or "en").split("-")[0]


def situation(contract: Any, kept: Catalogue, today: date, **more: Any) -> Situation:
    """Return what is known about a contract that ``with_facts`` gave. TermsError where its terms cannot be read."""
    agreed, changes = contract.agreed, prices.read(contract.price_changes)
    # Days that an interval before has billed are paid for as well.
    billed = (change.last for change in changes if change.kind == BILLED)
    return Situation(
        today=today,
        terms=agreed,
        plan=contract.plan.code,
        country=places.place_of(contract)[0].upper(),
        language=language(),
        currency=contract.currency,
        price_minor=contract.price_minor,
        monthly_minor=contract.monthly_charge_minor,
        refund_policy=contract.refund_policy,
        paid_through=max((*(row.paid_to for row in queries.payments_of(contract)), *billed), default=None),
        price_changes=changes,
        last_used_on=contract.options_last_used,
        is_ending=bool(contract.live_id) or quote_for_day(agreed, today).last_day is None,
        past=past_of(contract),
        prices=kept.prices_on(today, contract.currency),
        **more,
    )


def past_of(contract: Any) -> tuple[Past, ...]:
    """Return what the customer of a contract that ``with_facts`` gave agreed to before."""
    zone = contract.agreed.timezone
    return tuple(
        Past(
            code=row["code"],
            kind=row["kind"],
            accepted_on=local_day(_instant(row["at"]), zone),
            is_here=row["contract"] == contract.pk,
            runs=row["state"] in RUNNING_STATES,
            is_reverted=row["state"] == AcceptanceState.REVERTED,
            is_passing=bool(row["passing"]),
            until=date.fromisoformat(row["until"]) if row["until"] else None,
            visit=UUID(row["visit"]) if row["visit"] else None,
        )
        for row in contract.options_past or ()
    )


def _instant(text: str) -> datetime:
    # SQLite keeps instants without their offset, in UTC.
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
