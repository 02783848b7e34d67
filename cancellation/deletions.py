"""Somebody asks to have their data deleted: what goes at once, what is kept until when, and the day on which all goes.

Asking ends no contract, and nothing here stands between anybody and a notice: the notice path imports none of it. What
a place asks to keep stands in its rules (``record_retention``), counted from the last day of each contract.
Source: GDPR 17(1) and 17(3)(b), (e).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import Instruction, Outcome
from cancellation import erasure, forgetting, queries
from cancellation.actions import SYSTEM, Actor
from cancellation.models import (
    OPEN,
    Announcement,
    AnnouncementState,
    Cancellation,
    Declared,
    DeletionRequest,
    DeskTask,
    Event,
    Judgement,
    Notice,
    NoticeState,
    State,
)
from outbox.actions import Promise, add_many
from outbox.queries import pending
from subscriptions import places
from subscriptions.models import Contract, Customer
from subscriptions.retention import Retention
from subscriptions.terms import TermsError, initial_last_day, quote_for_day

log = logging.getLogger(__name__)

BATCH = 200
ONE_DAY = timedelta(days=1)
ASKED, TAKEN_BACK = "deletion asked", "deletion taken back"
PENDING = Q(done_at__isnull=True, taken_back_at__isnull=True)
AS_ASKED = "deleted as its holder asked"


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one contract has to be kept: until a day where its last day is known, else for a time after it."""

    contract: Contract
    last_day: date | None
    is_over: bool
    rule: Retention
    until: date | None


# ---------------------------------------------------------------- what is kept, and until when


def kept(contracts: Sequence[Contract], at: datetime) -> list[Kept]:
    """Return how long each contract has to be kept. Asks the database nothing; contracts carry their state."""
    return [_kept(contract, at) for contract in contracts]


def _kept(contract: Contract, at: datetime) -> Kept:
    last_day, is_over = _end_of(contract, at)
    rule = erasure.kept_for(places.pack_of(contract).code, last_day or timezone.localdate(at))
    return Kept(contract, last_day, is_over, rule, _until(rule, last_day) if last_day else None)


def _until(rule: Retention, last_day: date) -> date | None:
    """Return how long a contract is kept; None where its last day stands for never, such as 31 December 9999."""
    try:
        return rule.erase_on(last_day) - ONE_DAY
    except (ValueError, OverflowError):
        return None


def _end_of(contract: Contract, at: datetime) -> tuple[date | None, bool]:
    """Return the last day of a contract, None while nobody knows it, and whether it is over."""
    ends: date | None = contract.live_last_day  # type: ignore[attr-defined]
    try:
        today = queries.local_day(contract, at)
        if ends is None and quote_for_day(contract.agreed, today).last_day is None:
            # It has ended by itself.
            return initial_last_day(contract.agreed), True
    except (TermsError, KeyError, ValueError):
        today = timezone.localdate(at)
    return ends, ends is not None and ends < today


def erase_day(customer_id: int, rows: Sequence[Kept]) -> date | None:
    """Return the first day on which nothing of a customer has to be kept; None while a last day is not known."""
    if not all(row.until for row in rows):
        return None
    days = [row.until + ONE_DAY for row in rows if row.until]
    theirs = Q(contract__customer=customer_id)
    declared = Declared.objects.filter(notice__contract__customer=customer_id, erased_at__isnull=True)
    days += [erasure.last_needed(row.notice, row.erase_on) for row in declared.select_related("notice") if row.erase_on]
    told = Announcement.objects.filter(theirs, erased_at__isnull=True).aggregate(day=Max("erase_on"))["day"]
    paid = Instruction.objects.filter(theirs).aggregate(at=Max("done_at"))["at"]
    if paid and rows:
        done_on = timezone.localdate(paid)
        days.append(max(row.rule.erase_on(done_on) for row in rows))
    return max([*days, *([told] if told else [])], default=date.min)


def is_unfinished(customer_id: int) -> bool:
    """Tell whether anything of a customer waits: for the desk, billing, an answer of theirs, or a letter to leave."""
    theirs = Q(contract__customer=customer_id)
    contracts = list(Contract.objects.filter(customer=customer_id).values_list("pk", flat=True))
    waiting = (
        Notice.objects.filter(theirs).filter(OPEN | Q(state__in=[NoticeState.UNMATCHED, NoticeState.QUARANTINED])),
        Cancellation.objects.filter(theirs).filter(Q(judgement=Judgement.OPEN) | Q(state=State.SCHEDULED)),
        DeskTask.objects.filter(theirs, done_at__isnull=True),
        Instruction.objects.filter(theirs, outcome__in=[Outcome.OPEN, Outcome.FAILED]),
        Announcement.objects.filter(theirs, erased_at__isnull=True).filter(
            Q(state=AnnouncementState.ASKED) | Q(is_held=True)
        ),
        # Erasing takes the facts out of a promise, so one that is not kept yet could be kept no more.
        pending().filter(Q(payload__customer_id=customer_id) | Q(payload__contract_id__in=contracts)),
    )
    return any(rows.exists() for rows in waiting)


# ---------------------------------------------------------------- asking, and taking it back


def pending_of(customer_id: int) -> DeletionRequest | None:
    """Return the request of a customer that is neither done nor taken back."""
    return DeletionRequest.objects.filter(PENDING, customer=customer_id).first()


@transaction.atomic
def ask(*, customer: Customer, actor: Actor, at: datetime, locale: str) -> DeletionRequest:
    """Record that a customer wants their data deleted, delete what nothing is kept for, and write to them.

    A second request finds the first, and deletes what has come since. No contract is ended, and none is held up.
    """
    contracts = list(queries.contracts_of(customer.pk, customer.sign_in_epoch))
    rows = kept(contracts, at)
    day = erase_day(customer.pk, rows)
    try:
        with transaction.atomic():
            request = DeletionRequest.objects.create(
                customer=customer, asked_at=at, actor=actor.name, erase_on=_not_before(day, at)
            )
    except IntegrityError:
        # Another tab, or last week: that request stands.
        request = DeletionRequest.objects.get(PENDING, customer=customer)
    else:
        _record(contracts, ASKED, actor, at)
        facts = _letter(customer, rows, request, locale)
        add_many([Promise("letter", f"deletion-asked:{request.pk}", facts)])
    wording = _("Delete my data")
    forgetting.at_once(customer, actor=actor.name, at=at, locale=locale, wording=wording)
    return request


@transaction.atomic
def take_back(*, customer_id: int, actor: Actor, at: datetime) -> bool:
    """Take a request back; return whether there was one. What was deleted at once stays deleted."""
    if not DeletionRequest.objects.filter(PENDING, customer=customer_id).update(taken_back_at=at):
        return False
    _record(list(Contract.objects.filter(customer=customer_id)), TAKEN_BACK, actor, at)
    return True


def _not_before(day: date | None, at: datetime) -> date | None:
    """Return a day that is not over; None stays None."""
    return max(day, timezone.localdate(at)) if day else None


def _record(contracts: Sequence[Contract], what: str, actor: Actor, at: datetime, why: str = "") -> None:
    Event.objects.bulk_create(
        Event(contract=contract, at=at, actor=actor.name, what=what, why=why) for contract in contracts
    )


def _letter(customer: Customer, rows: Sequence[Kept], request: DeletionRequest, locale: str) -> dict[str, Any]:
    """Return the facts of the letter: what was deleted, which contracts go on, and what is kept until when."""
    return {
        "kind": "deletion-asked",
        "to": customer.email,
        "locale": locale,
        "customer_id": customer.pk,
        "contract_id": None,
        "facts": {
            "operator": settings.OPERATOR["name"],
            "support_email": settings.OPERATOR["support_email"],
            "name": customer.name,
            "asked_at": timezone.localtime(request.asked_at).isoformat(timespec="seconds"),
            "erase_on": request.erase_on.isoformat() if request.erase_on else None,
            "contracts": [
                {
                    "plan": row.contract.plan.name,
                    "reference": row.contract.reference,
                    "is_over": row.is_over,
                    "last_day": row.last_day.isoformat() if row.last_day else None,
                    "until_day": row.until.isoformat() if row.until else None,
                    "years": row.rule.years,
                    "to_year_end": row.rule.to_year_end,
                }
                for row in rows
            ],
            "deletion_url": settings.BASE_URL + reverse("cancellation:deletion"),
        },
    }


# ---------------------------------------------------------------- the day


def carry_out(now: datetime) -> int:
    """Erase every customer whose request is due; return how many. Others get the day that is known today.

    Each is one transaction that begins with a guarded change of its request: run twice, at once, or broken off
    half-way, it goes on where it was.
    """
    today = timezone.localdate(now)
    done = sum(_carry_out(request, now) for request in _in_batches(Q(erase_on__isnull=True) | Q(erase_on__lte=today)))
    if done:
        log.info("erased %s customers who had asked for it", done)
    return done


def due(now: datetime) -> int:
    """Return how many customers ``carry_out`` would erase, without writing anything."""
    today = timezone.localdate(now)
    return sum(_is_due(request, now, today) for request in _in_batches(Q()))


def _in_batches(which: Q) -> Iterator[DeletionRequest]:
    after = 0
    rows = DeletionRequest.objects.filter(PENDING).filter(which).select_related("customer").order_by("pk")
    while batch := list(rows.filter(pk__gt=after)[:BATCH]):
        yield from batch
        after = batch[-1].pk


def _day_of(request: DeletionRequest, now: datetime) -> date | None:
    return erase_day(request.customer_id, kept(_contracts_of(request), now))


def _contracts_of(request: DeletionRequest) -> list[Contract]:
    return list(queries.contracts_with_state().filter(customer=request.customer_id))


def _is_due(request: DeletionRequest, now: datetime, today: date) -> bool:
    day = _day_of(request, now)
    return day is not None and day <= today and not is_unfinished(request.customer_id)


@transaction.atomic
def _carry_out(request: DeletionRequest, now: datetime) -> bool:
    """Erase one customer; return whether it was this call that did."""
    mine, today = DeletionRequest.objects.filter(PENDING, pk=request.pk), timezone.localdate(now)
    if not _is_due(request, now, today):
        if (day := _not_before(_day_of(request, now), now)) != request.erase_on:
            mine.update(erase_on=day)
        return False
    # Whoever changes the row first has it, also against a customer who takes it back in this moment.
    if not mine.update(erase_on=today, done_at=now):
        return False
    _record(_contracts_of(request), erasure.TEXT_ERASED, SYSTEM, now, AS_ASKED)
    forgetting.whole_customer(request.customer, at=now)
    return True
