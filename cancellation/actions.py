"""Receive a notice, schedule the end it asks for, undo it, end what is due: the only writers.

Each is one transaction and hands its side effects to the outbox. Nothing here imports feedback, mail, billing or
reports: none of them stands between a customer and a recorded notice.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from cancellation import letters
from cancellation.models import Cancellation, Channel, Event, Notice, State, Visit
from cancellation.queries import agreed_of, local_day
from cancellation.quotes import Quote, ordinary
from outbox.actions import Promise, add_many
from subscriptions.models import Contract

# A notice whose cancellation was never scheduled (the process died in between) is taken up after this long.
SETTLE_AFTER = timedelta(minutes=2)
# Somewhere on earth it is tomorrow this much before UTC.
EASTERNMOST = timedelta(hours=14)
BATCH = 500


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, as events name them."""

    name: str

    @classmethod
    def customer(cls, customer_id: int) -> Actor:
        """Return the holder themselves."""
        return cls(f"customer:{customer_id}")


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


def receive_notice(
    *,
    contract: Contract,
    shown: Quote | None,
    received_at: datetime,
    actor: Actor,
    key: str,
    locale: str,
    declaration: str,
) -> Notice:
    """Record a declaration and commit. Nothing after this can unmake it.

    ``key`` makes it once: a second click finds the first notice, with the first instant.
    """
    notice = Notice(
        channel=Channel.GUIDED,
        contract=contract,
        received_at=received_at,
        declaration=declaration,
        shown=shown.as_dict() if shown else {},
        locale=locale,
        actor=actor.name,
        idempotency_key=key,
    )
    try:
        with transaction.atomic():
            notice.save(force_insert=True)
            # Should the process die before the end is scheduled, a worker takes the notice up.
            promise = Promise(
                "settle", f"settle:{notice.pk}", {"notice_id": notice.pk}, due_at=received_at + SETTLE_AFTER
            )
            add_many([promise])
    except IntegrityError:
        return Notice.objects.get(idempotency_key=key)
    return notice


@transaction.atomic
def confirm(*, notice: Notice, shown: Quote | None, actor: Actor, said: dict[str, Any] | None = None) -> Cancellation:
    """Schedule the end that a recorded notice asks for, on the terms its holder was shown.

    The notice is committed already: whatever happens here, it stands. Confirming again returns the first
    cancellation untouched. Raises QuoteChanged with the new quote where it is worse than ``shown``, and
    NothingToEnd where the contract has ended by itself.
    """
    # The contract is locked, for it exists before any cancellation does. What SQLite lacks in row locks, its
    # one writer at a time and the unique constraint make up for.
    contract = (
        Contract.objects.select_for_update(of=("self",)).select_related("customer", "plan__product").get(notices=notice)
    )
    quote = ordinary(agreed_of(contract), notice.received_at)
    if quote is None:
        if live := _live(contract):
            return live
        raise NothingToEnd
    if shown is None or quote.worse_than(shown):
        if live := _live(contract):
            return live
        raise QuoteChanged(quote, notice)
    try:
        with transaction.atomic():
            cancellation = _schedule(contract, notice, quote)
    except IntegrityError:
        # A second click, or another tab: the day that was given stays.
        return contract.cancellations.exclude(state=State.REVOKED).get()
    _record_scheduled(cancellation, notice, actor)
    add_many(_promises_of(contract, cancellation, notice, quote, said))
    return cancellation


def _live(contract: Contract) -> Cancellation | None:
    return contract.cancellations.exclude(state=State.REVOKED).first()


def _schedule(contract: Contract, notice: Notice, quote: Quote) -> Cancellation:
    return Cancellation.objects.create(
        contract=contract,
        notice=notice,
        quote=quote.as_dict(),
        received_on=quote.received_on,
        last_day=quote.last_day,
        refund_minor=quote.refund.minor,
        fee_minor=quote.fee.minor,
        currency=quote.refund.currency,
    )


def _record_scheduled(cancellation: Cancellation, notice: Notice, actor: Actor) -> None:
    common = {"contract_id": cancellation.contract_id, "notice": notice, "actor": actor.name}
    Event.objects.bulk_create(
        [
            Event(**common, at=notice.received_at, what="notice received", after=notice.state),
            Event(
                **common,
                cancellation=cancellation,
                at=timezone.now(),
                what="end scheduled",
                after=State.SCHEDULED,
                why=f"last day {cancellation.last_day}",
            ),
        ]
    )


def _promises_of(
    contract: Contract, cancellation: Cancellation, notice: Notice, quote: Quote, said: dict[str, Any] | None
) -> list[Promise]:
    promises = [
        Promise(
            "letter",
            f"end-confirmed:{cancellation.pk}",
            letters.end_confirmed(contract, cancellation, notice, quote),
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
def revoke(*, cancellation_id: int, actor: Actor, at: datetime) -> Cancellation:
    """Undo a scheduled end: the contract goes on as it was. Nothing is erased, the undo is an event.

    Raises CannotRevoke where it has ended, was undone, or its last day is over in the contract's zone.
    """
    cancellation = Cancellation.objects.select_related("contract__customer", "contract__plan__product").get(
        pk=cancellation_id
    )
    if not cancellation.can_be_revoked_on(local_day(cancellation.contract, at)):
        raise CannotRevoke
    _move(cancellation, State.REVOKED, at=at, actor=actor, what="undone", why="the holder undid the notice")
    add_many(
        [
            Promise(
                "letter",
                f"undo-confirmed:{cancellation.pk}",
                letters.undo_confirmed(cancellation.contract, cancellation, at),
            ),
            Promise("billing", f"billing-undo:{cancellation.pk}", billing_facts(cancellation, "undo")),
        ]
    )
    return cancellation


def _move(cancellation: Cancellation, to: State, *, at: datetime, actor: Actor, what: str, why: str = "") -> None:
    """Change the state by a guarded update; whoever comes second gets CannotRevoke."""
    before = cancellation.state
    changed = Cancellation.objects.filter(pk=cancellation.pk, state=State.SCHEDULED).update(state=to, closed_at=at)
    if not changed:
        raise CannotRevoke
    cancellation.state, cancellation.closed_at = to, at
    Event.objects.create(
        contract_id=cancellation.contract_id,
        notice_id=cancellation.notice_id,
        cancellation=cancellation,
        at=at,
        actor=actor.name,
        what=what,
        before=before,
        after=to,
        why=why,
    )


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
    if local_day(cancellation.contract, now) <= cancellation.last_day:
        return False
    try:
        with transaction.atomic():
            _move(cancellation, State.ENDED, at=now, actor=SYSTEM, what="ended")
    except CannotRevoke:
        return False
    return True


def settle(*, notice_id: int) -> None:
    """Take up a notice that was recorded but whose end was never scheduled, as after a crash.

    Does nothing where the end is scheduled, was undone, or already waits for its holder.
    """
    notice = Notice.objects.filter(pk=notice_id, contract__isnull=False, cancellation__isnull=True).first()
    if notice is None or Event.objects.filter(notice=notice).exists():
        return
    shown = Quote.from_dict(notice.shown) if notice.shown else None
    try:
        confirm(notice=notice, shown=shown, actor=SYSTEM)
    except QuoteChanged as changed:
        hold(notice=notice, quote=changed.quote)
    except NothingToEnd:
        nothing_to_end(notice=notice)


@transaction.atomic
def nothing_to_end(*, notice: Notice) -> None:
    """Note that a notice came when the contract had ended by itself."""
    if not Event.objects.filter(notice=notice).exists():
        Event.objects.create(
            contract_id=notice.contract_id,
            notice=notice,
            at=timezone.now(),
            actor=SYSTEM.name,
            what="nothing to end",
            why="the contract had ended by itself",
        )


def note_visit(*, key: uuid.UUID, contract: Contract, step: str, at: datetime) -> None:
    """Note that a step was seen, with one statement; the first one starts the visit."""
    Visit.objects.bulk_create(
        [Visit(key=key, contract=contract, step=step, seen_at=at)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["step", "seen_at"],
    )


def keep_said(*, key: uuid.UUID, contract: Contract, step: str, said: dict[str, Any], at: datetime) -> None:
    """Keep what was ticked or typed so far, so that the next step and the back button find it."""
    Visit.objects.bulk_create(
        [Visit(key=key, contract=contract, step=step, said=said, seen_at=at)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["step", "said", "seen_at"],
    )
