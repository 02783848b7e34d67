"""Agree to an option, take it back, note what became of it: the only writers of agreements.

Each is one transaction that locks the contract first, as the notice path does, so an end and an option never pass each
other by. What was agreed counts from that moment; billing follows by the outbox, and a failure there changes nothing
of what was agreed. Nothing of the notice path imports this.
"""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cancellation import offer_effects, offer_letters, offering
from cancellation.actions import EASTERNMOST, SYSTEM, Actor
from cancellation.models import (
    RUNNING_STATES,
    STANDING,
    Acceptance,
    AcceptanceState,
    DeskTask,
    Event,
    Notice,
    Offer,
    OfferDecision,
    OfferEvent,
    OfferVersion,
    OfferWhat,
    State,
    TaskKind,
    Visit,
    VisitOutcome,
)
from cancellation.offer_effects import BY_STAFF, LASTING, PASSING, Standing
from cancellation.offer_rules import Cause, Proposal
from cancellation.offering import Sealed
from cancellation.queries import local_day
from outbox.actions import Promise, add_many
from subscriptions.models import Contract, Plan
from subscriptions.periods import month_later
from subscriptions.prices import read

# What billing is told to do, by the names of its instructions.
FOR_BILLING = {
    "pause": "pause",
    "discount": "discount",
    "free_period": "discount",
    "skip": "skip",
    "smaller_plan": "plan",
    "todays_price": "price",
    "interval": "interval",
}
# Closed for this contract because the same option was agreed to a moment ago, in another tab.
AGREED_ALREADY = frozenset({Cause.CAP, Cause.ALREADY_RUNNING, Cause.SAME_ALREADY, Cause.NOT_CHEAPER, Cause.TOO_SOON})
# From which states each may be reached; everything else is refused.
ALLOWED: dict[str, frozenset[str]] = {
    AcceptanceState.APPLIED: frozenset({AcceptanceState.ACCEPTED, AcceptanceState.FAILED}),
    AcceptanceState.FAILED: frozenset({AcceptanceState.ACCEPTED}),
    AcceptanceState.REVERTED: frozenset(RUNNING_STATES),
    AcceptanceState.OVER: frozenset(RUNNING_STATES),
}
IS_OVER = _("It is over, so there is nothing to take back.")
BATCH = 500

log = logging.getLogger(__name__)


class NotOpen(Exception):
    """The option is not open to this contract any more, for a ``cause``; nothing was agreed, and the ledger says so."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause


class EndsAlready(Exception):
    """An end is scheduled or has come, or a notice stands: it has to be undone first, by its holder."""


class CannotRevert(Exception):
    """What was agreed cannot be taken back; the message says why, to whoever asked."""


class _Refused(Exception):
    """What was about to be written is taken back, for a cause."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause


# Agreeing.


def accept(
    *,
    contract: Contract,
    sealed: Sealed,
    asked: dict[str, Any],
    actor: Actor,
    at: datetime,
    locale: str,
    visit: UUID | None,
) -> Acceptance:
    """Agree to an option as it was shown, and change the contract accordingly.

    Agreeing again, in another tab or by a second click, returns the first agreement untouched. Whether the option is
    still open is asked afresh; the figures are those that were shown. ``asked`` holds what the customer said with it:
    "when", "words", "person_name", "person_email". Raises EndsAlready, or NotOpen with the cause.
    """
    # Raised only after the commit: that somebody wanted an option in vain is kept.
    with transaction.atomic():
        agreed = _accept(contract.pk, sealed, asked, actor, at, locale, visit)
    if isinstance(agreed, Cause):
        raise NotOpen(agreed)
    return agreed


def _accept(
    contract_id: int,
    sealed: Sealed,
    asked: dict[str, Any],
    actor: Actor,
    at: datetime,
    locale: str,
    visit: UUID | None,
) -> Acceptance | Cause:
    # The row alone is locked and read anew; a click that waited here sees what the one before it has changed.
    held = Contract.objects.select_for_update().get(pk=contract_id)
    if first := _agreed_before(held, sealed, visit):
        return first
    if _ends(held) or Notice.objects.filter(STANDING, contract=held).exists():
        raise EndsAlready
    offer = Offer.objects.filter(code=sealed.code).first()
    if offer is None:
        return Cause.NOT_OPEN
    try:
        _close_over(held, at)
        _refuse_what_is_closed(held, offer, sealed, at, locale)
        with transaction.atomic():
            return _agree(held, offer, sealed, asked, actor, at, locale, visit)
    except _Refused as refused:
        cause = refused.cause
    except IntegrityError:
        # Another price for a while came first: of these, one at a time.
        cause = Cause.ALREADY_RUNNING
    if cause in AGREED_ALREADY and (same := _running(held, offer)):
        return same
    _enter(OfferWhat.EXPIRED, offer, sealed.version, held, at, actor, visit=visit, place=sealed.place, why=str(cause))
    return cause


def _agreed_before(held: Contract, sealed: Sealed, visit: UUID | None) -> Acceptance | None:
    """Return what was agreed by the same page, or for the same option in the same visit."""
    same = Q(idempotency_key=sealed.nonce)
    if visit is not None:
        same |= Q(visit=visit, offer__code=sealed.code) & ~Q(state=AcceptanceState.REVERTED)
    return Acceptance.objects.filter(same, contract=held).order_by("pk").first()


def _running(held: Contract, offer: Offer) -> Acceptance | None:
    return Acceptance.objects.filter(contract=held, offer=offer, state__in=RUNNING_STATES).order_by("-pk").first()


def _ends(held: Contract) -> bool:
    return held.cancellations.exclude(state=State.REVOKED).exists()


def _refuse_what_is_closed(held: Contract, offer: Offer, sealed: Sealed, at: datetime, locale: str) -> None:
    """Raise _Refused where an option is not open any more, or where its figures speak of another contract than this."""
    then = OfferVersion.objects.filter(offer=offer, version=sealed.version).values_list("definition", flat=True).first()
    if then and then.get("kind", offer.kind) != offer.kind:
        raise _Refused(Cause.NO_LONGER)
    try:
        now = offering.proposed_now(held.pk, offer, at, locale)
    except (KeyError, ValueError):
        log.exception("option %s could not be worked out for contract %s", offer.code, held.pk)
        raise _Refused(Cause.UNREADABLE) from None
    if isinstance(now, Cause):
        raise _Refused(now)
    if offer.kind not in BY_STAFF and not _is_about_the_same(sealed.terms, now):
        raise _Refused(Cause.NO_FIT)


def _is_about_the_same(shown: dict[str, Any], now: Proposal) -> bool:
    """Tell whether what was shown starts from the price and the billing period that the contract has now.

    An operator's later change does not matter: what was shown is honoured. A contract that was changed since is
    another matter, for a price per month is none per year; and a period that was billed in between cannot be the
    first that costs less.
    """
    basis = ["currency", "price_before_minor", "billing_before", "starts_on"]
    if now.kind != "interval":
        basis.append("billing")
    return all(shown.get(name) == now.terms.get(name) for name in basis)


def _agree(
    held: Contract,
    offer: Offer,
    sealed: Sealed,
    asked: dict[str, Any],
    actor: Actor,
    at: datetime,
    locale: str,
    visit: UUID | None,
) -> Acceptance:
    """Write everything that an agreement is; _Refused takes all of it back."""
    _take_one(offer, held, at)
    terms, today = sealed.terms, local_day(held, at)
    acceptance = Acceptance(
        idempotency_key=sealed.nonce,
        offer=offer,
        version=sealed.version,
        kind=offer.kind,
        contract=held,
        customer_id=held.customer_id,
        visit=visit,
        place=sealed.place,
        terms=terms,
        title=sealed.title[:200],
        afterwards=sealed.afterwards,
        locale=locale,
        asked=asked,
        starts_on=date.fromisoformat(terms["starts_on"]),
        until=date.fromisoformat(terms["until"]) if terms.get("until") else None,
        is_passing=offer.kind in PASSING,
        cost_minor=max(0, int(terms.get("cost_minor") or 0)),
        currency=held.currency,
        accepted_at=at,
    )
    acceptance.before = _change(held, acceptance, today)
    acceptance.save(force_insert=True)
    _note(acceptance, OfferWhat.ACCEPTED, actor, at, "option agreed", after=AcceptanceState.ACCEPTED)
    if offer.kind in BY_STAFF:
        _ask_staff(acceptance, at)
    if visit is not None:
        Visit.objects.filter(key=visit, contract=held).update(outcome=VisitOutcome.KEPT, seen_at=at)
    contract = _with_names(held.pk)
    promises = [Promise("letter", f"option-agreed:{acceptance.pk}", offer_letters.agreed(contract, acceptance))]
    if offer.kind in FOR_BILLING:
        facts = _billing_facts(acceptance, "option", acceptance.starts_on, terms)
        promises.append(Promise("billing", f"billing-option:{acceptance.pk}", facts))
    add_many(promises)
    return acceptance


def _take_one(offer: Offer, held: Contract, at: datetime) -> None:
    """Take one of the budget. Whoever comes next waits for this row, so the cap is counted one after the other too."""
    free = Offer.objects.filter(Q(budget__isnull=True) | Q(taken__lt=F("budget")), pk=offer.pk)
    if not free.update(taken=F("taken") + 1):
        raise _Refused(Cause.BUDGET)
    since = month_later(local_day(held, at), -12)
    taken = Acceptance.objects.filter(customer_id=held.customer_id, offer=offer).exclude(state=AcceptanceState.REVERTED)
    days = (local_day(held, agreed_at) for agreed_at in taken.values_list("accepted_at", flat=True))
    if sum(day > since for day in days) >= offer.cap_per_year:
        raise _Refused(Cause.CAP)


def _change(held: Contract, acceptance: Acceptance, today: date) -> dict[str, Any]:
    """Change the contract as agreed; return what stood there before, and what stands there now for good."""
    if acceptance.kind in BY_STAFF:
        return {}
    before = _standing_of(held)
    after = offer_effects.standing_after(acceptance.kind, acceptance.terms, before)
    added = offer_effects.prices_after(acceptance.kind, acceptance.terms, by=acceptance.reference, today=today)
    held.price_changes = [*held.price_changes, *(change.as_dict() for change in added)]
    _set(held, after)
    return before.as_dict() | ({"became": after.as_dict()} if acceptance.kind in LASTING else {})


def _standing_of(held: Contract) -> Standing:
    return Standing(
        held.price_minor,
        held.monthly_charge_minor,
        Plan.objects.values_list("code", flat=True).get(pk=held.plan_id),
        dict(held.terms["billing"]),
        str(held.terms["billing_anchor"]),
    )


def _set(held: Contract, after: Standing) -> None:
    plan = Plan.objects.filter(code=after.plan).first()
    if plan is None:
        raise _Refused(Cause.NO_PLAN)
    held.plan = plan
    held.price_minor, held.monthly_charge_minor = after.price_minor, after.monthly_charge_minor
    held.terms = held.terms | {"billing": after.billing, "billing_anchor": after.billing_anchor}
    held.save(
        update_fields=["plan", "price_minor", "monthly_charge_minor", "terms", "price_changes", "updated_at"],
    )


def _ask_staff(acceptance: Acceptance, at: datetime) -> None:
    DeskTask.objects.create(
        kind=TaskKind(acceptance.kind),
        contract_id=acceptance.contract_id,
        acceptance=acceptance,
        words=str(acceptance.asked.get("words") or ""),
        wishes={name: value for name, value in acceptance.asked.items() if name != "words" and value},
        # Somebody whose problem nobody has solved so far waits for nobody else's appointment.
        is_urgent=acceptance.kind == TaskKind.FIX,
        created_at=at,
    )


@transaction.atomic
def decline(*, visit: UUID, contract: Contract, actor: Actor, at: datetime) -> bool:
    """Note a no to what was shown in a visit, for the rest of it; return whether that is news."""
    decision = OfferDecision.objects.filter(key=f"visit:{visit}", contract=contract).first()
    if decision is None:
        return False
    if not OfferDecision.objects.filter(pk=decision.pk, declined_at__isnull=True).update(declined_at=at):
        return False
    # What was agreed to in another tab is no part of the no.
    taken = Acceptance.objects.filter(visit=visit, contract=contract).exclude(state=AcceptanceState.REVERTED)
    named = Offer.objects.filter(code__in=[row["code"] for row in decision.shown]).exclude(pk__in=taken.values("offer"))
    offers = {offer.code: offer for offer in named}
    OfferEvent.objects.bulk_create(
        _entry(
            OfferWhat.DECLINED, offers[row["code"]], row["version"], contract, at, actor,
            visit=visit, place=decision.place,
        )
        for row in decision.shown
        if row["code"] in offers
    )  # fmt: skip
    return True


# Taking back.


@transaction.atomic
def revert(*, acceptance_id: int, actor: Actor, at: datetime, why: str) -> Acceptance:
    """Take back what was agreed: the contract stands as before, from the next billing period on.

    Its holder may do so until it begins, or until a person has done what was asked for; staff at any time. Taking back
    again changes nothing. Raises CannotRevert where it is over, has begun, where the contract ends, or where somebody
    has changed the contract since.
    """
    acceptance, held = _held(acceptance_id)
    if acceptance.state == AcceptanceState.REVERTED:
        return acceptance
    by_holder = not actor.name.startswith("staff:")
    today = local_day(held, at)
    _refuse_to_revert(acceptance, held, today, by_holder=by_holder)
    if acceptance.kind not in BY_STAFF:
        _put_back(acceptance, held, today)
    before = acceptance.state
    if not _move(acceptance, AcceptanceState.REVERTED, closed_at=at):
        raise CannotRevert(IS_OVER)
    Offer.objects.filter(pk=acceptance.offer_id, taken__gt=0).update(taken=F("taken") - 1)
    _close_tasks(acceptance, actor, at)
    _leave_open_again(acceptance)
    _note(acceptance, OfferWhat.REVERTED, actor, at, "option taken back", before=before, why=why)
    facts = offer_letters.taken_back(_with_names(held.pk), acceptance, at, by_holder=by_holder)
    promises = [Promise("letter", f"option-taken-back:{acceptance.pk}", facts)]
    if acceptance.kind in FOR_BILLING:
        told = _billing_facts(acceptance, "option-back", max(acceptance.starts_on, today), acceptance.before)
        promises.append(Promise("billing", f"billing-option-back:{acceptance.pk}", told))
    add_many(promises)
    return acceptance


def _leave_open_again(acceptance: Acceptance) -> None:
    """Count the visit as left open, where nothing that was agreed in it stands any more."""
    others = Acceptance.objects.filter(visit=acceptance.visit).exclude(state=AcceptanceState.REVERTED)
    if acceptance.visit is not None and not others.exists():
        Visit.objects.filter(key=acceptance.visit, contract=acceptance.contract_id).update(outcome=VisitOutcome.OPEN)


def _refuse_to_revert(acceptance: Acceptance, held: Contract, today: date, *, by_holder: bool) -> None:
    """Raise CannotRevert with the reason, to whoever asked."""
    if acceptance.state not in RUNNING_STATES:
        raise CannotRevert(IS_OVER)
    if acceptance.kind in BY_STAFF:
        if by_holder and acceptance.state != AcceptanceState.ACCEPTED:
            raise CannotRevert(_("It has been done already, so it cannot be taken back."))
        return
    if _ends(held):
        # Its confirmed figures count on what was agreed.
        raise CannotRevert(_("The end of this contract was confirmed with it, so it stays as agreed."))
    if by_holder and today >= acceptance.starts_on:
        raise CannotRevert(_("It has begun, so it cannot be taken back here. Write to us: a person can change it."))


def _put_back(acceptance: Acceptance, held: Contract, today: date) -> None:
    """Let the contract cost again what it did before; CannotRevert where something else was agreed since."""
    held.price_changes = offer_effects.without(held.price_changes, by=acceptance.reference, today=today)
    now = _standing_of(held)
    if acceptance.kind not in LASTING:
        _set(held, now)
        return
    # Another price for a while was counted from the price that would go.
    counted = any(change.last >= today and change.kind != offer_effects.BILLED for change in read(held.price_changes))
    if counted or now != Standing.from_dict(acceptance.before["became"]):
        raise CannotRevert(_("The contract has been changed since then, so a person has to put it back by hand."))
    try:
        _set(held, Standing.from_dict(acceptance.before))
    except _Refused:
        raise CannotRevert(_("The plan from before does not exist any more.")) from None


# What becomes of it.


@transaction.atomic
def carried_out(*, acceptance_id: int, actor: Actor, at: datetime) -> bool:
    """Note that what was agreed is carried out, in billing or by a person; return whether that is news."""
    acceptance, _locked = _held(acceptance_id)
    _close_tasks(acceptance, actor, at)
    before = acceptance.state
    if not _move(acceptance, AcceptanceState.APPLIED, fault=""):
        return False
    _note(acceptance, OfferWhat.APPLIED, actor, at, "option carried out", before=before)
    return True


@transaction.atomic
def failed(*, acceptance_id: int, actor: Actor, at: datetime, why: str) -> bool:
    """Note that billing could not carry out what was agreed; return whether that is news.

    It counts all the same: the contract stays changed, a person is asked to put billing right, and the customer hears
    of it. What was taken back or is over meanwhile is left as it is, but for the task.
    """
    acceptance, held = _held(acceptance_id)
    if not acceptance.tasks.filter(kind=TaskKind.BILLING, done_at__isnull=True).exists():
        DeskTask.objects.create(
            kind=TaskKind.BILLING, contract=held, acceptance=acceptance, words=why, is_urgent=True, created_at=at
        )
    if not _move(acceptance, AcceptanceState.FAILED, fault=why):
        return False
    _note(acceptance, OfferWhat.FAILED, actor, at, "option failed", before=AcceptanceState.ACCEPTED, why=why)
    facts = offer_letters.failed(_with_names(held.pk), acceptance)
    add_many([Promise("letter", f"option-failed:{acceptance.pk}", facts)])
    return True


def hear(payload: dict[str, Any]) -> None:
    """Take what billing says of an instruction to the agreement it comes of. Twice does no harm."""
    common: dict[str, Any] = {
        "acceptance_id": payload["acceptance_id"],
        "actor": Actor(payload["actor"]),
        "at": datetime.fromisoformat(payload["at"]),
    }
    if payload["outcome"] == "failed":
        failed(**common, why=payload["why"])
    elif not payload["is_restoring"]:
        carried_out(**common)


def close_what_is_over(*, now: datetime) -> int:
    """Close every option for a while whose last day is over in its contract's own time zone; return how many.

    Safe to run at any time and twice at once; days that were missed are caught up.
    """
    closed, after = 0, 0
    due = _passing().filter(until__lt=(now + EASTERNMOST).date()).order_by("pk").values_list("pk", flat=True)
    while rows := list(due.filter(pk__gt=after)[:BATCH]):
        closed += sum(_close_one(pk, now) for pk in rows)
        after = rows[-1]
    return closed


@transaction.atomic
def _close_one(acceptance_id: int, now: datetime) -> bool:
    acceptance, held = _held(acceptance_id)
    return _close_if_over(acceptance, held, now)


def _close_over(held: Contract, at: datetime) -> None:
    """Close what is over on one contract, though last night's job may not have run."""
    for row in _passing().filter(contract=held):
        _close_if_over(row, held, at)


def _passing() -> Any:
    return Acceptance.objects.filter(is_passing=True, state__in=RUNNING_STATES, until__isnull=False)


def _close_if_over(acceptance: Acceptance, contract: Contract, now: datetime) -> bool:
    """Close one, by a guarded update. One whose contract cannot be read is left for the desk and holds up no other."""
    try:
        today = local_day(contract, now)
    except (KeyError, ValueError):
        log.exception("the time zone of contract %s cannot be read", contract.pk)
        return False
    if acceptance.until is None or today <= acceptance.until:
        return False
    before = acceptance.state
    if not _move(acceptance, AcceptanceState.OVER, closed_at=now):
        return False
    _note(acceptance, OfferWhat.OVER, SYSTEM, now, "option over", before=before)
    return True


# Common to all.


def _held(acceptance_id: int) -> tuple[Acceptance, Contract]:
    """Return an agreement and its contract, which is locked first, everywhere, so that nobody waits in a ring."""
    held = Contract.objects.select_for_update().get(
        pk__in=Acceptance.objects.filter(pk=acceptance_id).values("contract_id")
    )
    return Acceptance.objects.get(pk=acceptance_id), held


def _move(acceptance: Acceptance, to: AcceptanceState, **more: Any) -> bool:
    """Change the state by a guarded update, if ``ALLOWED`` has it; return False to whoever comes second."""
    changed = Acceptance.objects.filter(pk=acceptance.pk, state__in=ALLOWED[to])
    if not changed.update(state=to, **more):
        return False
    for name, value in {"state": to, **more}.items():
        setattr(acceptance, name, value)
    return True


def _with_names(contract_id: int) -> Contract:
    """Return a contract as it stands now, with the names that a letter needs."""
    return Contract.objects.select_related("customer", "plan__product").get(pk=contract_id)


def _close_tasks(acceptance: Acceptance, actor: Actor, at: datetime) -> None:
    acceptance.tasks.filter(done_at__isnull=True).update(done_at=at, done_by=actor.name)


def _billing_facts(acceptance: Acceptance, kind: str, on_day: date, figures: dict[str, Any]) -> dict[str, Any]:
    """Return what the billing side must know: what to do from which day, for which price, and the figures."""
    return {
        "kind": kind,
        "contract_id": acceptance.contract_id,
        "acceptance_id": acceptance.pk,
        "what": FOR_BILLING[acceptance.kind],
        "on_day": on_day.isoformat(),
        "price_minor": int(figures.get("price_minor") or 0),
        "currency": acceptance.currency,
        "facts": {"reference": acceptance.reference, **figures},
    }


def _note(
    acceptance: Acceptance,
    what: OfferWhat,
    actor: Actor,
    at: datetime,
    event: str,
    *,
    before: str = "",
    after: str = "",
    why: str = "",
) -> None:
    """Write the ledger's entry and the contract's event about an agreement."""
    _enter(
        what, acceptance.offer, acceptance.version, acceptance.contract, at, actor,
        visit=acceptance.visit, place=acceptance.place, acceptance=acceptance, why=why,
    )  # fmt: skip
    Event.objects.create(
        contract_id=acceptance.contract_id,
        at=at,
        actor=actor.name,
        what=event,
        before=before,
        after=after or acceptance.state,
        why=f"{acceptance.kind} {acceptance.reference}",
    )


def _enter(what: OfferWhat, *given: Any, **more: Any) -> None:
    _entry(what, *given, **more).save(force_insert=True)


def _entry(
    what: OfferWhat,
    offer: Offer,
    version: int,
    contract: Contract,
    at: datetime,
    actor: Actor,
    *,
    visit: UUID | None,
    place: str,
    acceptance: Acceptance | None = None,
    why: str = "",
) -> OfferEvent:
    """Return an entry of the ledger of options."""
    return OfferEvent(
        offer=offer,
        version=version,
        contract=contract,
        acceptance=acceptance,
        visit=visit,
        place=place,
        what=what,
        at=at,
        actor=actor.name,
        why=why,
    )
