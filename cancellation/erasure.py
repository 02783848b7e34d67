"""Erase the words of strangers when their time is over: a timer, per place, that keeps the proof and lets the text go.

What somebody wrote at a public page (or announced about somebody else) is kept for the limitation period of its place
(``subscriptions/retention.py``), and at least that long after whatever it led to is over. Then its words, its files,
its salt and the letters that repeat it are erased in one transaction each. What stays: that a notice was received,
when, and the salted digest of its words – without the salt nobody can guess them, and who kept a receipt can still
show that it is the one we signed. Notices of the guided way hold no more than the contract does, and are left alone.

Everything here is guarded: run twice, or at once, or broken off half-way, it goes on where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cancellation import receipts
from cancellation.models import (
    Announcement,
    AnnouncementState,
    Cancellation,
    Channel,
    Declared,
    Event,
    Evidence,
    Judgement,
    Notice,
    NoticeState,
    Receipt,
    State,
)
from messaging.models import Letter
from outbox.models import Entry
from subscriptions import places
from subscriptions.retention import Retention, retention

log = logging.getLogger(__name__)

BATCH = 200
# Files of a form that was never sent: long enough to come back to the page tomorrow.
UPLOADS_KEPT = timedelta(days=1)
TEXT_ERASED = "text erased"
# The doors at which somebody writes words of their own.
PUBLIC = (Channel.DOOR, Channel.AGENT)

# Whatever keeps a person at the desk, or a contract's end in the air, keeps its words: at any age.
UNFINISHED = (
    Q(notice__state__in=[NoticeState.UNMATCHED, NoticeState.QUARANTINED])
    | Q(notice__state=NoticeState.MATCHED, notice__cancellation__isnull=True)
    | Q(notice__cancellation__state=State.SCHEDULED)
    | Q(notice__cancellation__judgement=Judgement.OPEN)
)
# An announcement that nobody has found a contract for, or that is held back, waits for the desk as well.
UNANSWERED = Q(state=AnnouncementState.UNMATCHED) | Q(is_held=True)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased, or would be; ``kept`` is over, but what it led to is not finished."""

    declarations: int = 0
    announcements: int = 0
    uploads: int = 0
    kept: int = 0

    @property
    def texts(self) -> int:
        """Return how many rows lost their words or files."""
        return self.declarations + self.announcements + self.uploads


def erase_what_is_over(now: datetime) -> Erased:
    """Erase every text whose time is over, and the files of forms that were never sent; return how many."""
    today = timezone.localdate(now)
    give_days_to_what_has_none()
    done = Erased(
        declarations=sum(erase_declaration(row, now) for row in _in_batches(_due(Declared, today).exclude(UNFINISHED))),
        announcements=sum(
            erase_announcement(row, now) for row in _in_batches(_due(Announcement, today).exclude(_held_announcement()))
        ),
        uploads=forget_uploads(now),
        kept=_unfinished(today),
    )
    if done.texts:
        log.info("erased %s declarations, %s announcements and %s files that were never sent",
                 done.declarations, done.announcements, done.uploads)  # fmt: skip
    return done


def what_is_over(now: datetime) -> Erased:
    """Return what ``erase_what_is_over`` would erase, without writing anything. Rows without a day are left out."""
    today = timezone.localdate(now)
    rows = _in_batches(_due(Declared, today).exclude(UNFINISHED))
    told = _in_batches(_due(Announcement, today).exclude(_held_announcement()))
    return Erased(
        declarations=sum(last_needed(row.notice, row.erase_on) <= today for row in rows),
        announcements=sum(_announcement_needed(row) <= today for row in told),
        uploads=_forgotten_uploads(now).count(),
        kept=_unfinished(today),
    )


def _due(model: type[Declared] | type[Announcement], today: date) -> QuerySet[Any]:
    return model._default_manager.filter(erased_at__isnull=True, erase_on__lte=today)


def _unfinished(today: date) -> int:
    held = _due(Announcement, today).filter(_held_announcement()).count()
    return int(_due(Declared, today).filter(UNFINISHED).count()) + int(held)


def _held_announcement() -> Q:
    return UNANSWERED | (Q(notice__isnull=False) & UNFINISHED)


def _in_batches(rows: QuerySet[Any]) -> Iterator[Any]:
    """Return rows a batch at a time, each once: what is left alone today is not met again in the same round."""
    rows = rows.select_related("notice__cancellation").order_by("pk")
    after = 0
    while batch := list(rows.filter(pk__gt=after)[:BATCH]):
        yield from batch
        after = batch[-1].pk


# ---------------------------------------------------------------- how long


def kept_for(pack_code: str, on: date) -> Retention:
    """Return how long the rules of a place keep what was declared on a day; the home's where it names none."""
    return retention(places.packs().get(pack_code) or places.home(), on)


def rules_in_words(now: datetime) -> list[str]:
    """Return, in English and for a terminal, how long each place keeps words, and what is erased next."""
    today = timezone.localdate(now)
    lines = [
        "What somebody wrote at a public page is kept from the day of its receipt, and as long again after whatever it",
        "led to is over. Nothing is erased while an end is scheduled, an earlier end is to be judged, or the desk has",
        "to find the contract. Dates, acts, digests and contracts stay.",
    ]
    lines += [f"  {code}: {_in_words(kept)}" for code, kept in places_and_times(today).items()]
    for name, model in (("declarations", Declared), ("announcements", Announcement)):
        waiting = model._default_manager.filter(erased_at__isnull=True)
        first = waiting.filter(erase_on__gt=today).order_by("erase_on").values_list("erase_on", flat=True).first()
        lines.append(f"{name} with words: {waiting.count()}; the next day on which one is over: {first or 'none'}")
    return lines


def _in_words(kept: Retention) -> str:
    years = "1 year" if kept.years == 1 else f"{kept.years} years"
    return f"{years} from the end of the year" if kept.to_year_end else years


def places_and_times(on: date) -> dict[str, Retention]:
    """Return how long each place keeps words, by the code of its rules."""
    return {pack.code: retention(pack, on) for pack in places.packs().values()}


def last_needed(notice: Notice | None, erase_on: date) -> date:
    """Return the first day on which a declaration is not needed: never before what it led to is that long over."""
    if notice is None:
        return erase_on
    closed_on = _closed_on(notice)
    return max(erase_on, kept_for(notice.pack, closed_on).erase_on(closed_on)) if closed_on else erase_on


def _closed_on(notice: Notice) -> date | None:
    """Return the day on which the end that a notice brought about, or the notice itself, was over."""
    cancellation = getattr(notice, "cancellation", None)
    if cancellation is not None:
        closed_on = timezone.localdate(cancellation.closed_at) if cancellation.closed_at else cancellation.last_day
        return max(closed_on, cancellation.last_day) if cancellation.state == State.ENDED else closed_on
    # Somebody at the desk may have closed it years after it came.
    latest = Event.objects.filter(notice=notice).exclude(what=TEXT_ERASED).order_by("-at").first()
    return timezone.localdate(latest.at) if latest else None


def _announcement_needed(announcement: Announcement) -> date:
    assert announcement.erase_on
    return last_needed(announcement.notice, announcement.erase_on)


def give_days_to_what_has_none() -> int:
    """Give a day to rows that have none, so that nothing is kept for ever by mistake; return how many."""
    given = 0
    for row in _in_batches(Declared.objects.filter(erased_at__isnull=True, erase_on__isnull=True)):
        given += _give_day(row, row.notice.pack, row.notice.received_at)
    for row in _in_batches(Announcement.objects.filter(erased_at__isnull=True, erase_on__isnull=True)):
        given += _give_day(row, "", row.received_at)
    return given


def _give_day(row: Declared | Announcement, pack_code: str, received_at: datetime) -> int:
    received_on = timezone.localdate(received_at)
    day = kept_for(pack_code, received_on).erase_on(received_on)
    return int(type(row).objects.filter(pk=row.pk, erase_on__isnull=True).update(erase_on=day))


# ---------------------------------------------------------------- erasing


@transaction.atomic
def erase_declaration(row: Declared, now: datetime) -> bool:
    """Erase one declaration with its files, receipts and letters; return whether it was this call that did.

    Where what it led to was over later than the day that was set, the day moves on and nothing is erased.
    """
    today = timezone.localdate(now)
    assert row.erase_on
    mine = Declared.objects.filter(pk=row.pk, erased_at__isnull=True, erase_on__lte=today)
    if (later := last_needed(row.notice, row.erase_on)) > today:
        mine.update(erase_on=later)
        return False
    # The change of this row decides who erases. What is finished does not begin again, so one look is enough.
    if Declared.objects.filter(UNFINISHED, pk=row.pk).exists() or not mine.update(
        name="", email="", phone="", address="", reference="", reason="", wished_on=None, salt="", erased_at=now
    ):
        return False
    erase_words_of(row.notice, row.erase_on, now)
    return True


@transaction.atomic
def erase_announcement(row: Announcement, now: datetime) -> bool:
    """Erase who announced what about whom; return whether it was this call that did."""
    today = timezone.localdate(now)
    mine = Announcement.objects.filter(pk=row.pk, erased_at__isnull=True, erase_on__lte=today)
    if (later := _announcement_needed(row)) > today:
        mine.update(erase_on=later)
        return False
    # The key stays: the link in an old letter says that its time is over.
    if Announcement.objects.filter(_held_announcement(), pk=row.pk).exists() or not mine.update(
        agent_name="", agent_company="", agent_email="", about="", holder_name="", holder_email="", words="",
        wished_on=None, idempotency_key=f"erased:{row.pk}", erased_at=now,
    ):  # fmt: skip
        return False
    _erase_letters([f"{kind}:{row.pk}" for kind in LETTERS_OF_AN_ANNOUNCEMENT])
    if row.notice is not None and row.notice.channel in PUBLIC:
        erase_words_of(row.notice, row.erase_on, now)
    else:
        _record(row.contract_id, row.notice, row.erase_on, now)
    return True


def erase_words_of(notice: Notice, erase_on: date | None, now: datetime) -> None:
    """Erase the words of a notice wherever they were repeated. Its digest stays."""
    if notice.channel not in PUBLIC:
        return
    day = timezone.localdate(now).isoformat()
    asks = {name: value for name, value in notice.asks.items() if name != "ground"}
    # The key was made from the words: who guesses them could try them on it.
    Notice.objects.filter(pk=notice.pk).update(
        declaration=f"[erased {day}]", asks=asks, sender_zone="", idempotency_key=f"erased:{notice.pk}"
    )
    Evidence.objects.filter(notice=notice).delete()
    receipts.forget(Receipt.objects.filter(notice=notice))
    _erase_letters(_keys_of_letters(notice))
    _record(notice.contract_id, notice, erase_on, now)


def _record(contract_id: int | None, notice: Notice | None, erase_on: date | None, now: datetime) -> None:
    why = f"kept until {erase_on - timedelta(days=1)}" if erase_on else ""
    Event.objects.create(contract_id=contract_id, notice=notice, at=now, actor="system", what=TEXT_ERASED, why=why)


# ---------------------------------------------------------------- letters that repeat the words

# Under which keys letters are promised; each ends with the number of the row it is about.
LETTERS_OF_A_NOTICE = ("received", "on-file", "repudiated", "notice-stands", "taken-back")
LETTERS_OF_A_CANCELLATION = ("end-confirmed", "undo-confirmed", "judged")
LETTERS_OF_AN_ANNOUNCEMENT = ("announcement-received", "announcement-question")


def _keys_of_letters(notice: Notice) -> list[str]:
    cancellation = getattr(notice, "cancellation", None)
    return [
        *(f"{kind}:{notice.pk}" for kind in LETTERS_OF_A_NOTICE),
        *(_keys_of_end_letters(cancellation) if cancellation is not None else ()),
    ]


def _keys_of_end_letters(cancellation: Cancellation) -> list[str]:
    moved = Event.objects.filter(cancellation=cancellation, what="end moved").count()
    return [
        *(f"{kind}:{cancellation.pk}" for kind in LETTERS_OF_A_CANCELLATION),
        *(f"end-moved:{cancellation.pk}:{number}" for number in range(1, moved + 1)),
    ]


def _erase_letters(keys: list[str]) -> None:
    """Erase what letters said, and the facts they were made of; that they were sent, and when, stays."""
    Entry.objects.filter(dedupe_key__in=keys).update(payload={}, last_error="")
    Letter.objects.filter(key__in=keys).update(text="", html="", subject="")
    # To an address that was typed at a public page; that of a customer stands on the customer anyway.
    Letter.objects.filter(key__in=keys, customer__isnull=True).update(to="")


# ---------------------------------------------------------------- files of forms that were never sent


def _forgotten_uploads(now: datetime) -> QuerySet[Evidence]:
    return Evidence.objects.filter(notice__isnull=True, created_at__lt=now - UPLOADS_KEPT)


def forget_uploads(now: datetime) -> int:
    """Erase files whose form was never sent within a day; return how many."""
    gone = 0
    while keys := list(_forgotten_uploads(now).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # Asked again in the same statement: the form may be sent in this very moment.
        erased = Evidence.objects.filter(pk__in=keys, notice__isnull=True).delete()[0]
        gone += erased
        if not erased:
            break
    return gone
