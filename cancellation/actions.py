"""Receive a notice, schedule the end it asks for, undo it, end what is due: the only writers.

Each is one transaction and hands its side effects to the outbox. Nothing here imports feedback, mail, billing or
reports: none of them stands between a customer and a recorded notice.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cancellation import lawful, letters, receipts, ways
from cancellation.models import (
    ALLOWED,
    OPEN,
    STANDING,
    Act,
    Cancellation,
    Channel,
    Event,
    Judgement,
    Notice,
    NoticeState,
    State,
    Visit,
    Way,
)
from cancellation.queries import agreed_of, local_day, packs_at_fault, payments_beside
from cancellation.quotes import Quote, settled
from cancellation.ways import Wish
from outbox.actions import Promise, add_many
from subscriptions.amounts import Money
from subscriptions.models import Contract
from subscriptions.terms import TermsError

# A notice whose cancellation was never scheduled (the process died in between) is taken up after this long.
SETTLE_AFTER = timedelta(minutes=2)
# Somewhere on earth it is tomorrow this much before UTC.
EASTERNMOST = timedelta(hours=14)
BATCH = 500
ENDED_BY_ITSELF = "the contract had ended by itself"
UNREADABLE = "the terms of the contract cannot be read"
WITHDRAWAL_IS_OVER = "the time for a withdrawal is over"
WITHDRAWN_BESIDE_AN_END = "withdrawn from beside an end that stands"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, as events name them."""

    name: str

    @classmethod
    def customer(cls, customer_id: int) -> Actor:
        """Return the holder themselves."""
        return cls(f"customer:{customer_id}")

    @classmethod
    def staff(cls, username: str) -> Actor:
        """Return somebody of the staff, by their sign-in name."""
        return cls(f"staff:{username}"[:100])


SYSTEM = Actor("system")


class QuoteChanged(Exception):
    """The end got worse between page and click; the notice stands and the holder is asked."""

    def __init__(self, quote: Quote, notice: Notice) -> None:
        super().__init__("The quote has changed.")
        self.quote = quote
        self.notice = notice


class NothingToEnd(Exception):
    """The contract has ended already, by itself."""


class CannotRevoke(Exception):
    """The cancellation has been undone, has ended, or its last day is over."""


class AlreadyUndone(Exception):
    """This notice ended the contract once, and its holder has undone it since."""


class Unreadable(Exception):
    """The contract's terms cannot be read, so nobody can say yet on which day it ends."""


class WithdrawalOver(Exception):
    """A withdrawal cannot be carried out by itself; the notice stands and the desk judges, for the reason ``why``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class CannotMove(Exception):
    """The end is not scheduled any more, or the day asked for is not earlier than the one that stands."""


@dataclass(frozen=True, slots=True)
class Door:
    """Through which door a declaration came, under which rules, and what stood on the button."""

    channel: Channel = Channel.GUIDED
    pack: str = ""
    button: str = ""


def receive_notice(
    *,
    contract: Contract | None,
    shown: Quote | None,
    received_at: datetime,
    actor: Actor,
    key: str,
    locale: str,
    declaration: str,
    said: dict[str, Any] | None = None,
    door: Door = Door(),
    act: Act = Act.CANCEL,
    state: NoticeState = NoticeState.MATCHED,
    asks: dict[str, Any] | None = None,
    sender_zone: str = "",
    digest: str = "",
    beside: Callable[[Notice], Iterable[Promise]] | None = None,
) -> Notice:
    """Record a declaration and commit. Nothing after this can unmake it.

    ``key`` makes it once: a second click finds the first notice, with the first instant. ``said`` waits beside it
    for the case that somebody else has to take the notice up. ``asks`` is what is asked for beside the end itself.
    ``beside`` writes what belongs to the notice in the same transaction and returns further promises; it is not
    called for a second click.
    """
    notice = Notice(
        act=act,
        channel=door.channel,
        pack=door.pack,
        button=door.button,
        contract=contract,
        received_at=received_at,
        declaration=declaration,
        shown=shown.as_dict() if shown else {},
        locale=locale,
        actor=actor.name,
        idempotency_key=key,
        state=state,
        asks=asks or {},
        sender_zone=sender_zone,
        digest=digest,
    )
    try:
        with transaction.atomic():
            notice.save(force_insert=True)
            # Should the process die before the end is scheduled, a worker takes the notice up.
            facts = {"notice_id": notice.pk, "said": said or {}}
            promises = [Promise("settle", f"settle:{notice.pk}", facts, due_at=received_at + SETTLE_AFTER)]
            add_many([*promises, *(beside(notice) if beside else ())])
    except IntegrityError:
        if (first := Notice.objects.filter(idempotency_key=key).first()) is None:
            raise
        return first
    return notice


@transaction.atomic
def confirm(
    *,
    notice: Notice,
    shown: Quote | None,
    actor: Actor,
    said: dict[str, Any] | None = None,
    accept_any: bool = False,
    wish: Wish | None = None,
) -> Cancellation:
    """Schedule the end that a recorded notice asks for, on the terms its holder was shown.

    The notice is committed already: whatever happens here, it stands. Confirming again returns the first
    cancellation untouched. ``accept_any`` is for doors that show no figures: what applies is accepted. ``wish`` is
    what the holder chooses now; without it, what the notice asked for. Raises QuoteChanged with the new quote where
    it is worse than ``shown``, NothingToEnd where the contract has ended by itself, Unreadable where its terms are
    no terms, AlreadyUndone for a notice that was undone meanwhile, WithdrawalOver for a withdrawal out of time.
    """
    contract = _locked(notice)
    wish = Wish.read(notice.asks) if wish is None else wish
    quote = _quote(contract, notice, wish)
    if quote is not None and accept_any:
        shown = quote
    if quote is None or shown is None or quote.worse_than(shown):
        if live := _live(contract):
            return _joined(live, notice, quote, wish, actor)
        if quote is None:
            raise NothingToEnd
        raise QuoteChanged(quote, notice)
    try:
        with transaction.atomic():
            cancellation = _schedule(contract, notice, quote, wish)
    except IntegrityError:
        # A second click, or another tab: the day that was given stays.
        if live := _live(contract):
            return _joined(live, notice, quote, wish, actor)
        raise AlreadyUndone from None
    _record_scheduled(cancellation, notice, actor)
    add_many(_promises_of(contract, cancellation, notice, quote, said))
    return cancellation


def _locked(notice: Notice) -> Contract:
    """Return the contract of a notice, locked, for it exists before any cancellation does.

    What SQLite lacks in row locks, its one writer at a time and the unique constraint make up for.
    """
    contracts = (
        Contract.objects.select_for_update(of=("self",))
        .select_related("customer", "plan__product")
        .annotate(
            packs_at_fault=packs_at_fault(notice.received_at),
            payments_beside=payments_beside(),
            has_parts=letters.HAS_PARTS,
        )
        .filter(notices=notice)
        .order_by()
    )
    # Whoever waited while somebody changed the plan finds no row on PostgreSQL, which joins the plan of before.
    return next(iter(contracts), None) or contracts.get()


def _quote(contract: Contract, notice: Notice, wish: Wish) -> Quote | None:
    """Return what a notice brings about at once; None where nothing is left to end."""
    try:
        agreed = agreed_of(contract, notice.received_at, sender_zone=notice.sender_zone)
        if notice.act != Act.WITHDRAW:
            return ways.asked_for(agreed, notice.received_at, wish)
        quote = ways.withdrawal(agreed, ways.today_of(agreed, notice.received_at))
    except (TermsError, KeyError) as error:
        raise Unreadable from error
    if quote is None:
        raise WithdrawalOver(WITHDRAWAL_IS_OVER)
    return quote


def _live(contract: Contract) -> Cancellation | None:
    return contract.cancellations.exclude(state=State.REVOKED).first()


def _joined(live: Cancellation, notice: Notice, quote: Quote | None, wish: Wish, actor: Actor) -> Cancellation:
    """Close a notice that came beside the one which ended the contract, so that nobody takes it up later.

    Nothing that it asks for is lost: an earlier end moves the one that stands, a cause is put before the desk.
    """
    if live.notice_id == notice.pk:
        return live
    is_withdrawal = notice.act == Act.WITHDRAW
    if live.state == State.SCHEDULED:
        # First the judgement, so that a letter about a moved end speaks of it.
        if _is_to_judge(notice, wish):
            _put_before_the_desk(live, notice, wish)
        if quote is not None and _is_better(quote, live, is_withdrawal):
            _move_end(live, quote, actor=actor, why=f"another notice, {notice.reference}")
    if is_withdrawal and live.way != Way.WITHDRAWAL:
        # The right is there, and what it gives back is not settled by the end that stands: nothing of it is dropped.
        raise WithdrawalOver(WITHDRAWN_BESIDE_AN_END)
    close(notice=notice, actor=SYSTEM, why=f"the contract ends on {live.last_day} by another notice")
    return live


def _is_better(quote: Quote, live: Cancellation, is_withdrawal: bool) -> bool:
    """Tell whether an end is better for the holder than the one that stands. A withdrawal gives back its own money."""
    is_sooner = quote.last_day < live.last_day or (is_withdrawal and quote.last_day == live.last_day)
    return is_sooner and quote.cost.minor <= _cost_of(live)


def _cost_of(live: Cancellation) -> int:
    return Quote.from_dict(live.quote).cost.minor if live.quote else live.fee_minor - live.refund_minor


def _is_to_judge(notice: Notice, wish: Wish) -> bool:
    return notice.act == Act.FOR_CAUSE or wish.way in {Way.HARDSHIP, Way.FOR_CAUSE}


def _put_before_the_desk(live: Cancellation, notice: Notice, wish: Wish) -> None:
    """Note that somebody has to judge an earlier end; what was judged once stays judged."""
    asked = Cancellation.objects.filter(pk=live.pk, judgement=Judgement.NONE)
    if asked.update(judgement=Judgement.OPEN):
        live.judgement = Judgement.OPEN
        _note(
            live,
            SYSTEM,
            "waits for judgement",
            timezone.now(),
            notice=notice,
            why=" ".join(filter(None, (wish.way or notice.act, wish.ground))),
        )


@transaction.atomic
def release_early(*, cancellation_id: int, last_day: date, fee_minor: int = 0, actor: Actor, why: str) -> Cancellation:
    """Let a scheduled end come earlier, on a day and for a fee that a person decided; what was asked is granted.

    Raises CannotMove where the end is not scheduled any more, where the day is not earlier than the one that stands,
    or where it would cost the holder more than the end that stands.
    """
    live = Cancellation.objects.select_related("contract__customer", "contract__plan__product").get(pk=cancellation_id)
    contract, notice = live.contract, live.notice
    if live.state != State.SCHEDULED or notice is None or fee_minor < 0:
        raise CannotMove
    agreed = agreed_of(contract, notice.received_at)
    wish = Wish.read(notice.asks)
    way = wish.way or (Way.FOR_CAUSE if notice.act == Act.FOR_CAUSE else Way.EARLY_RELEASE)
    day = max(last_day, ways.today_of(agreed, notice.received_at))
    quote = settled(agreed, live.received_on, day, str(way), way=str(way), fee=Money(fee_minor, agreed.price.currency))
    if day >= live.last_day or quote.cost.minor > _cost_of(live):
        raise CannotMove
    _move_end(live, quote, actor=actor, why=why, judgement=Judgement.GRANTED)
    return live


@transaction.atomic
def decline_early(*, cancellation_id: int, actor: Actor, why: str) -> bool:
    """Say that no earlier end is granted; the ordinary one stands. Return whether anything was left to judge."""
    live = Cancellation.objects.select_related("contract__customer", "contract__plan__product", "notice").get(
        pk=cancellation_id
    )
    asked = Cancellation.objects.filter(pk=live.pk, judgement=Judgement.OPEN)
    if not asked.update(judgement=Judgement.DECLINED):
        return False
    now = timezone.now()
    _note(live, actor, "judged", now, before=Judgement.OPEN, after=Judgement.DECLINED, why=why)
    facts = letters.judged(live.contract, live, why)
    add_many([Promise("letter", f"judged:{live.pk}", facts)])
    return True


def _move_end(live: Cancellation, quote: Quote, *, actor: Actor, why: str, judgement: Judgement | None = None) -> None:
    """Put a better end in the place of a scheduled one; the events tell both. Raises CannotMove if it is too late."""
    before, now = live.last_day, timezone.now()
    changes: dict[str, Any] = {
        "way": quote.way,
        "quote": quote.as_dict(),
        "last_day": quote.last_day,
        "refund_minor": quote.refund.minor,
        "fee_minor": quote.fee.minor,
    }
    if judgement is not None:
        changes["judgement"] = judgement
    if not Cancellation.objects.filter(pk=live.pk, state=State.SCHEDULED, last_day=before).update(**changes):
        raise CannotMove
    for name, value in changes.items():
        setattr(live, name, value)
    _note(live, actor, "end moved", now, before=before.isoformat(), after=quote.last_day.isoformat(), why=why)
    if live.notice is None:
        return
    moved = Event.objects.filter(cancellation=live, what="end moved").count()
    proof = receipts.of_end(live.contract, live, live.notice, quote)
    facts = letters.end_confirmed(live.contract, live, live.notice, quote, proof)
    add_many(
        [
            Promise("letter", f"end-moved:{live.pk}:{moved}", facts),
            Promise("billing", f"billing-move:{live.pk}:{moved}", billing_facts(live, "move") | {"number": moved}),
        ]
    )


def _note(
    live: Cancellation,
    actor: Actor,
    what: str,
    at: datetime,
    *,
    notice: Notice | None = None,
    before: str = "",
    after: str = "",
    why: str = "",
) -> None:
    Event.objects.create(
        contract_id=live.contract_id,
        notice_id=notice.pk if notice else live.notice_id,
        cancellation=live,
        at=at,
        actor=actor.name,
        what=what,
        before=before,
        after=after,
        why=why,
    )


def close(*, notice: Notice, actor: Actor, why: str) -> bool:
    """Say that nothing more follows from an open notice; return whether it was open."""
    if not Notice.objects.filter(OPEN, pk=notice.pk).update(state=NoticeState.CLOSED):
        return False
    Event.objects.create(
        contract_id=notice.contract_id,
        notice=notice,
        at=timezone.now(),
        actor=actor.name,
        what="notice closed",
        before=NoticeState.MATCHED,
        after=NoticeState.CLOSED,
        why=why,
    )
    return True


def _schedule(contract: Contract, notice: Notice, quote: Quote, wish: Wish) -> Cancellation:
    return Cancellation.objects.create(
        contract=contract,
        notice=notice,
        way=quote.way if quote.rule != Way.AT_ONCE else Way.AT_ONCE,
        judgement=Judgement.OPEN if _is_to_judge(notice, wish) else Judgement.NONE,
        quote=quote.as_dict(),
        received_on=quote.received_on,
        last_day=quote.last_day,
        refund_minor=quote.refund.minor,
        fee_minor=quote.fee.minor,
        currency=quote.refund.currency,
    )


def _record_scheduled(cancellation: Cancellation, notice: Notice, actor: Actor) -> None:
    common = {"contract_id": cancellation.contract_id, "notice": notice, "actor": actor.name}
    now = timezone.now()
    events = [
        Event(**common, at=notice.received_at, what="notice received", after=notice.state),
        Event(
            **common,
            cancellation=cancellation,
            at=now,
            what="end scheduled",
            after=State.SCHEDULED,
            why=f"last day {cancellation.last_day}",
        ),
    ]
    if place := lawful.place_without_rules(cancellation.contract):
        system = {**common, "actor": SYSTEM.name}
        events.append(Event(**system, at=now, what="rules: default", why=f"no rules of its own for {place}"))
    Event.objects.bulk_create(events)


def _promises_of(
    contract: Contract, cancellation: Cancellation, notice: Notice, quote: Quote, said: dict[str, Any] | None
) -> list[Promise]:
    promises = [
        Promise(
            "letter",
            f"end-confirmed:{cancellation.pk}",
            letters.end_confirmed(
                contract, cancellation, notice, quote, receipts.of_end(contract, cancellation, notice, quote)
            ),
        ),
        Promise("billing", f"billing-end:{cancellation.pk}", billing_facts(cancellation, "end")),
    ]
    if said:
        facts = {
            "contract_id": contract.pk,
            "cancellation_id": cancellation.pk,
            "said": said,
            "said_at": notice.received_at.isoformat(),
        }
        promises.append(Promise("said", f"said:{cancellation.pk}", facts))
    return promises


def billing_facts(cancellation: Cancellation, kind: str) -> dict[str, Any]:
    """Return what the billing side must know: contract, kind ("end" or "undo"), days and minor units."""
    return {
        "kind": kind,
        "contract_id": cancellation.contract_id,
        "cancellation_id": cancellation.pk,
        "last_day": cancellation.last_day.isoformat(),
        "refund_minor": cancellation.refund_minor,
        "fee_minor": cancellation.fee_minor,
        "currency": cancellation.currency,
        "other_refunds": cancellation.quote.get("other_refunds", []),
    }


@transaction.atomic
def hold(*, notice: Notice, quote: Quote) -> None:
    """Note that a recorded notice waits for its holder, whose quote has changed, and write to them once."""
    contract = Contract.objects.select_related("customer", "plan__product").get(notices=notice)
    add_many([Promise("letter", f"notice-stands:{notice.pk}", letters.notice_stands(contract, notice, quote))])
    if not Event.objects.filter(notice=notice, what="waits for the holder").exists():
        Event.objects.create(
            contract=contract,
            notice=notice,
            at=timezone.now(),
            actor=SYSTEM.name,
            what="waits for the holder",
            why=f"the quote changed: last day {quote.last_day}, net {quote.net}",
        )


@transaction.atomic
def revoke(*, cancellation_id: int, actor: Actor, at: datetime, closes_others: bool = True) -> Cancellation:
    """Undo a scheduled end: the contract goes on as it was. Nothing is erased, the undo is an event.

    ``closes_others`` is False where only this one notice was not the holder's. Raises CannotRevoke where it has
    ended, was undone, or its last day is over in the contract's zone.
    """
    cancellation = Cancellation.objects.select_related("contract__customer", "contract__plan__product", "notice").get(
        pk=cancellation_id
    )
    if not cancellation.can_be_revoked_on(local_day(cancellation.contract, at)):
        raise CannotRevoke
    if not _move(cancellation, State.REVOKED, at=at, actor=actor, what="undone", why="the holder undid the notice"):
        raise CannotRevoke
    # What was to be judged about an end goes with it.
    Cancellation.objects.filter(pk=cancellation.pk, judgement=Judgement.OPEN).update(judgement=Judgement.NONE)
    for surplus in open_notices(cancellation.contract) if closes_others else ():
        close(notice=surplus, actor=actor, why="the holder undid the end")
    add_many(
        [
            Promise(
                "letter",
                f"undo-confirmed:{cancellation.pk}",
                letters.undo_confirmed(cancellation.contract, cancellation, at, receipts.of_undo(cancellation, at)),
            ),
            Promise("billing", f"billing-undo:{cancellation.pk}", billing_facts(cancellation, "undo")),
        ]
    )
    return cancellation


@transaction.atomic
def take_back(*, contract: Contract, actor: Actor, at: datetime) -> bool:
    """Close the holder's notices that wait for their choice; return whether there was any. The contract goes on."""
    waiting = list(open_notices(contract))
    closed = [notice for notice in waiting if close(notice=notice, actor=actor, why="the holder took it back")]
    add_many(
        Promise("letter", f"taken-back:{notice.pk}", letters.taken_back(contract, notice, at)) for notice in closed
    )
    return bool(closed)


def open_notices(contract: Contract) -> QuerySet[Notice]:
    """Return the notices of a contract that stand without an end and wait for their holder, the first one first."""
    return Notice.objects.filter(STANDING, contract=contract).order_by("received_at", "pk")


def _move(cancellation: Cancellation, to: State, *, at: datetime, actor: Actor, what: str, why: str = "") -> bool:
    """Change the state by a guarded update, if ``ALLOWED`` has it; return False to whoever comes second."""
    before = [state for state, after in ALLOWED.items() if to in after]
    if not Cancellation.objects.filter(pk=cancellation.pk, state__in=before).update(state=to, closed_at=at):
        return False
    _note(cancellation, actor, what, at, before=cancellation.state, after=to, why=why)
    cancellation.state, cancellation.closed_at = to, at
    return True


def end_due_contracts(*, now: datetime) -> int:
    """End every contract whose last day is over in its own time zone; return how many.

    Safe to run at any time and twice at once; days that were missed are caught up.
    """
    ended = 0
    due = Cancellation.objects.filter(state=State.SCHEDULED, last_day__lt=(now + EASTERNMOST).date())
    after = 0
    while rows := list(due.filter(pk__gt=after).select_related("contract").order_by("pk")[:BATCH]):
        ended += sum(_end_if_over(cancellation, now) for cancellation in rows)
        after = rows[-1].pk
    return ended


def _end_if_over(cancellation: Cancellation, now: datetime) -> bool:
    """End one contract. One whose terms cannot be read is left for the desk and holds up no other."""
    try:
        today = local_day(cancellation.contract, now)
    except (KeyError, ValueError):
        log.exception("the time zone of contract %s cannot be read", cancellation.contract_id)
        return False
    if today <= cancellation.last_day:
        return False
    with transaction.atomic():
        return _move(cancellation, State.ENDED, at=now, actor=SYSTEM, what="ended")


def settle(*, notice_id: int, said: dict[str, Any] | None = None) -> None:
    """Take up a notice that was recorded but whose end was never scheduled, as after a crash.

    Does nothing where the end is scheduled or was undone, or where the notice is closed or waits for its holder.
    """
    notice = Notice.objects.filter(OPEN, pk=notice_id, contract__isnull=False).first()
    if notice is None or Event.objects.filter(notice=notice).exists():
        return
    shown = Quote.from_dict(notice.shown) if notice.shown else None
    try:
        # Only the guided way shows figures; whoever came by another door accepted what applies.
        confirm(notice=notice, shown=shown, actor=SYSTEM, said=said, accept_any=notice.channel != Channel.GUIDED)
    except QuoteChanged as changed:
        hold(notice=notice, quote=changed.quote)
    except NothingToEnd:
        close(notice=notice, actor=SYSTEM, why=ENDED_BY_ITSELF)
    except Unreadable:
        ask_the_desk(notice=notice)
    except WithdrawalOver as over:
        ask_the_desk(notice=notice, why=over.why)


@transaction.atomic
def ask_the_desk(*, notice: Notice, why: str = UNREADABLE) -> None:
    """Note that a notice stands whose last day a person has to work out."""
    if not Event.objects.filter(notice=notice).exists():
        Event.objects.create(
            contract_id=notice.contract_id,
            notice=notice,
            at=timezone.now(),
            actor=SYSTEM.name,
            what="waits for the desk",
            why=why,
        )


def note_visit(
    *, key: uuid.UUID, contract: Contract, step: str, at: datetime, chosen: dict[str, str] | None = None
) -> None:
    """Note that a step was seen, and what was chosen there, with one statement; the first one starts the visit."""
    Visit.objects.bulk_create(
        [Visit(key=key, contract=contract, step=step, seen_at=at, chosen=chosen or {})],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["step", "seen_at", *(["chosen"] if chosen is not None else [])],
    )


def keep_said(*, key: uuid.UUID, contract: Contract, step: str, said: dict[str, Any], at: datetime) -> None:
    """Keep what was ticked or typed so far, so that the next step and the back button find it."""
    Visit.objects.bulk_create(
        [Visit(key=key, contract=contract, step=step, said=said, seen_at=at)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["step", "said", "seen_at"],
    )
