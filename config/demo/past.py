"""The rows that a year of visits leaves: what was shown, agreed, said and ended. Written in a few statements."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import translation

from cancellation import guidance, offer_words
from cancellation.commit import declaration_of
from cancellation.models import (
    Acceptance,
    AcceptanceState,
    Cancellation,
    Channel,
    DeskTask,
    Event,
    Notice,
    Offer,
    OfferDecision,
    OfferEvent,
    OfferPlace,
    OfferWhat,
    State,
    TaskKind,
    Visit,
    VisitOutcome,
)
from cancellation.offer_effects import BY_STAFF, PASSING
from cancellation.offer_rules import Decided, Proposal
from cancellation.quotes import Quote
from config.demo.goods import ONE_DAY
from config.demo.options import OPTIONS
from feedback.models import Answer, Reason
from subscriptions.models import Contract
from subscriptions.terms import Terms

# How long somebody takes to choose, and how long whatever follows takes.
CHOOSING, CARRYING_OUT = timedelta(minutes=2), timedelta(hours=3)
# What a person was asked to do and has not done yet was asked within these days.
WAITING = timedelta(days=12)
NOTHING = Decided((), {})
TEXTS = {option.code: option.texts for option in OPTIONS}
WORDS = (
    "Nobody answered the phone for two weeks.",
    "We only ever got invoices.",
    "Nie korzystałam z tego od stycznia.",
    "Ich habe eine kleinere Lösung gefunden.",
    "引っ越しのため使えなくなりました。",
    "Le prix a doublé depuis mon inscription.",
)
TROUBLES = {
    "de": "Seit dem Umbau lädt die Startseite sehr langsam.",
    "fr": "Le soir, la connexion se coupe toutes les dix minutes.",
    "ja": "管理画面に時々ログインできません。",
    "pl": "Nie wiem, od czego zacząć.",
}


@dataclass(slots=True)
class Met:
    """A contract whose holder looked at options, or left: what they said and saw, and what they did."""

    contract: Contract
    terms: Terms
    price_minor: int
    at: datetime
    visit: UUID | None = None
    reason: Reason | None = None
    is_held_out: bool = False
    decided: Decided = NOTHING
    agreed: Proposal | None = None
    acceptance: Acceptance | None = None
    before: dict[str, Any] | None = None
    left_at: datetime | None = None
    left_in: UUID | None = None
    quote: Quote | None = None

    @property
    def said_no(self) -> bool:
        """Tell whether they left in the visit in which they were met: to whatever was shown, that was a no."""
        return self.visit is not None and self.left_in == self.visit

    def price_from(self, first_day: date) -> int:
        """Return what the billing period that begins on a day cost, in minor units."""
        figures = self.agreed.terms if self.agreed and self.agreed.kind not in BY_STAFF else {}
        if not figures or first_day < date.fromisoformat(figures["starts_on"]):
            return self.price_minor
        if figures["until"] and first_day > date.fromisoformat(figures["until"]):
            return self.price_minor
        return int(figures["price_minor"])


def reference_of(contract: Contract) -> str:
    """Return the reference of what was agreed for a contract; in the crowd it is one at most."""
    return contract.reference.replace("C-", "O-")


def write(met: Sequence[Met], offers: dict[str, Offer], today: date, dice: random.Random) -> None:
    """Write everything that happened."""
    Visit.objects.bulk_create([row for one in met for row in _visits(one)])
    # The column takes the moment in which a row is written.
    Visit.objects.filter(contract__in=[one.contract for one in met]).update(started_at=F("seen_at") - CHOOSING)
    OfferDecision.objects.bulk_create([_decision(one) for one in met if one.reason or one.visit is None])
    agreed = [one for one in met if one.agreed]
    acceptances = Acceptance.objects.bulk_create([_acceptance(one, offers, today) for one in agreed])
    for one, acceptance in zip(agreed, acceptances, strict=True):
        one.acceptance = acceptance
    OfferEvent.objects.bulk_create([row for one in met for row in _ledger(one, offers)])
    DeskTask.objects.bulk_create([_task(one) for one in acceptances if one.kind in BY_STAFF])
    for code, n in Counter(acceptance.offer.code for acceptance in acceptances).items():
        offers[code].taken = n
    Offer.objects.bulk_update(offers.values(), ["taken"])
    _ends([one for one in met if one.left_at], today, dice)


def _visits(one: Met) -> Iterator[Visit]:
    if one.visit:
        said = {"reasons": [one.reason.code], "primary": one.reason.code} if one.reason else {}
        is_over = one.agreed or one.said_no
        yield Visit(
            key=one.visit,
            contract=one.contract,
            step="options" if one.decided.shown else "reasons",
            said=said,
            seen_at=one.at + CHOOSING,
            outcome=VisitOutcome.KEPT if one.agreed else VisitOutcome.OPEN,
            # So long ago that nobody is written to about it any more.
            reminded_at=None if is_over else one.at + ONE_DAY,
        )
    if one.left_at and one.left_in and one.left_in != one.visit:
        yield Visit(key=one.left_in, contract=one.contract, step="overview", seen_at=one.left_at)


def _decision(one: Met) -> OfferDecision:
    contract, is_flow = one.contract, one.visit is not None
    declined = bool(one.decided.shown) and one.said_no
    with translation.override(contract.customer.locale):
        shown = [_entry(proposal, contract.customer.locale) for proposal in one.decided.shown]
    return OfferDecision(
        key=f"visit:{one.visit}" if is_flow else f"page:{contract.pk}:{one.at:%Y-%m-%d}",
        contract=contract,
        visit=one.visit,
        place=_place(one),
        at=one.at,
        pack=guidance.pack_for(contract).code,
        locale=contract.customer.locale,
        reasons=[one.reason.code] if one.reason else [],
        held_out=one.is_held_out,
        shown=shown,
        not_shown={code: str(cause) for code, cause in one.decided.not_shown.items()},
        declined_at=one.at + CHOOSING if declined else None,
    )


def _place(one: Met) -> str:
    return OfferPlace.FLOW if one.visit else OfferPlace.PAGE


def _entry(proposal: Proposal, language: str) -> dict[str, Any]:
    texts = TEXTS[proposal.code]
    title, text = texts.get(language) or texts["en"]
    return {
        "code": proposal.code, "version": proposal.version, "kind": proposal.kind, "terms": proposal.terms,
        "title": title, "text": text, "afterwards": offer_words.afterwards(proposal.kind, proposal.terms),
    }  # fmt: skip


def _acceptance(one: Met, offers: dict[str, Offer], today: date) -> Acceptance:
    assert one.agreed is not None
    contract, terms = one.contract, one.agreed.terms
    language = contract.customer.locale
    with translation.override(language):
        words = _entry(one.agreed, language)
    at = one.at + CHOOSING
    until = date.fromisoformat(terms["until"]) if terms["until"] else None
    is_over = until is not None and until < today
    waits = one.agreed.kind in BY_STAFF and at.date() > today - WAITING
    state = AcceptanceState.OVER if is_over else AcceptanceState.ACCEPTED if waits else AcceptanceState.APPLIED
    return Acceptance(
        reference=reference_of(contract),
        idempotency_key=f"demo:{contract.reference}",
        offer=offers[one.agreed.code],
        version=one.agreed.version,
        kind=one.agreed.kind,
        contract=contract,
        customer=contract.customer,
        visit=one.visit,
        place=_place(one),
        terms=terms,
        title=words["title"],
        afterwards=words["afterwards"],
        locale=language,
        asked={"words": TROUBLES[language]} if one.agreed.kind == "fix" else {},
        before=one.before or {},
        starts_on=date.fromisoformat(terms["starts_on"]),
        until=until,
        is_passing=one.agreed.kind in PASSING,
        cost_minor=terms["cost_minor"],
        currency=terms["currency"],
        state=state,
        accepted_at=at,
        closed_at=datetime.combine(until + ONE_DAY, time(0), UTC) if until and is_over else None,
    )


def _ledger(one: Met, offers: dict[str, Offer]) -> Iterator[OfferEvent]:
    def entry(what: str, code: str, at: datetime, actor: str, acceptance: Acceptance | None = None) -> OfferEvent:
        return OfferEvent(
            offer=offers[code], version=1, contract=one.contract, acceptance=acceptance, visit=one.visit,
            place=_place(one), what=what, at=at, actor=actor,
        )  # fmt: skip

    holder, chosen = f"customer:{one.contract.customer_id}", one.at + CHOOSING
    for proposal in one.decided.shown:
        yield entry(OfferWhat.SHOWN, proposal.code, one.at, holder)
        if one.said_no:
            yield entry(OfferWhat.DECLINED, proposal.code, chosen, holder)
    if acceptance := one.acceptance:
        code = acceptance.offer.code
        yield entry(OfferWhat.ACCEPTED, code, chosen, holder, acceptance)
        if acceptance.state != AcceptanceState.ACCEPTED:
            yield entry(OfferWhat.APPLIED, code, chosen + CARRYING_OUT, "system", acceptance)
        if acceptance.closed_at:
            yield entry(OfferWhat.OVER, code, acceptance.closed_at, "system", acceptance)


def _task(acceptance: Acceptance) -> DeskTask:
    is_done = acceptance.state != AcceptanceState.ACCEPTED
    return DeskTask(
        kind=TaskKind(acceptance.kind),
        contract=acceptance.contract,
        acceptance=acceptance,
        words=acceptance.asked.get("words", ""),
        is_urgent=acceptance.kind == TaskKind.FIX,
        created_at=acceptance.accepted_at,
        done_at=acceptance.accepted_at + CARRYING_OUT if is_done else None,
        done_by="staff:demo" if is_done else "",
    )


# Those who left.


def _ends(left: Sequence[Met], today: date, dice: random.Random) -> None:
    notices = Notice.objects.bulk_create([_notice(one) for one in left])
    cancellations = Cancellation.objects.bulk_create(
        [_cancellation(notice, one.quote, today) for notice, one in zip(notices, left, strict=True) if one.quote]
    )
    Event.objects.bulk_create(
        [
            Event(
                contract_id=one.contract_id, notice=one.notice, cancellation=one, at=notice.received_at,
                actor=f"customer:{one.contract.customer_id}", what="end scheduled", after=State.SCHEDULED,
            )
            for one, notice in zip(cancellations, notices, strict=True)
        ]
    )  # fmt: skip
    answers = Answer.objects.bulk_create(
        [
            Answer(
                contract=end.contract, cancellation_id=end.pk, root=one.reason.root, primary=one.reason,
                words=dice.choice(WORDS) if dice.random() < 0.25 else "", said_at=one.left_at,
                went_elsewhere=dice.random() < 0.3,
            )
            for one, end in zip(left, cancellations, strict=True)
            # One in six says nothing at all; that is their right, and the report shows it.
            if one.reason and one.left_at
        ]
    )  # fmt: skip
    Answer.reasons.through.objects.bulk_create(
        [Answer.reasons.through(answer_id=answer.pk, reason_id=answer.primary_id) for answer in answers]
    )


def _notice(one: Met) -> Notice:
    contract = one.contract
    assert one.quote is not None
    assert one.left_at is not None
    with translation.override(contract.customer.locale):
        declaration = declaration_of(contract)
    return Notice(
        channel=Channel.GUIDED,
        contract=contract,
        received_at=one.left_at,
        declaration=declaration,
        shown=one.quote.as_dict(),
        locale=contract.customer.locale,
        actor=f"customer:{contract.customer_id}",
        idempotency_key=f"guided:{contract.pk}:{one.left_in}:0",
    )


def _cancellation(notice: Notice, quote: Quote, today: date) -> Cancellation:
    ended = quote.last_day < today
    return Cancellation(
        contract=notice.contract,
        notice=notice,
        quote=quote.as_dict(),
        received_on=quote.received_on,
        last_day=quote.last_day,
        refund_minor=quote.refund.minor,
        currency=quote.refund.currency,
        state=State.ENDED if ended else State.SCHEDULED,
        closed_at=datetime.combine(quote.last_day + ONE_DAY, time(0), UTC) if ended else None,
    )
