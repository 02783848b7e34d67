"""Declarations at the public doors: recorded first, whoever sends them, and matched to a contract later.

The record – notice, words, files, receipt, the promise of a letter – is one transaction, and nothing is looked up
before it. Looking for the contract comes after it and outside the request: no page, and no wait, tells a stranger
whether a contract was found. What was typed gets back what was typed; the end and the money go to the address on file.

Part of the notice path: nothing here imports feedback, reports, messaging or billing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cancellation import actions, door_letters, letters, matching, receipts, uploads
from cancellation.actions import SYSTEM, Actor, Door
from cancellation.letters import NOT_ME_SALT
from cancellation.models import (
    OPEN,
    Act,
    Cancellation,
    Channel,
    Declared,
    DeskTask,
    Event,
    Evidence,
    Notice,
    NoticeState,
    Receipt,
    ReceiptKind,
    State,
    TaskKind,
)
from cancellation.uploads import Upload
from config.formats import format_day
from outbox.actions import Promise, add_many
from subscriptions import places, retention
from subscriptions.models import Contract
from subscriptions.packs import Pack

# Whoever stands at a public door; who they are is what they say.
PUBLIC = Actor("public")
HOLDER = Actor("holder by letter")
# A wished day further away than this is for a person: no contract of ours reaches there.
FARTHEST = timedelta(days=3653)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wrote, verbatim."""

    name: str = ""
    reference: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    reason: str = ""
    wished_on: date | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared, under which rules, and what stood on the button."""

    pack: Pack
    act: Act
    said: Said
    button: str
    locale: str

    @property
    def words(self) -> str:
        """Return the sentence that the click declares, in the active language; it names nobody."""
        if self.act == Act.WITHDRAW:
            return _("I withdraw from the contract named below.")
        day = format_day(self.said.wished_on) if self.said.wished_on else ""
        if self.act == Act.FOR_CAUSE:
            told = _("I end the contract named below for cause on %(day)s.")
            return told % {"day": day} if day else _("I end the contract named below for cause.")
        if not day:
            return _("I end the contract named below by ordinary notice on the earliest possible day.")
        told = _(
            "I end the contract named below by ordinary notice on %(day)s; if that is not possible, "
            "on the earliest possible day after it."
        )
        return told % {"day": day}

    @property
    def asks(self) -> dict[str, str]:
        """Return what is asked for beside the end itself, as ``Notice.asks`` keeps it."""
        if self.act == Act.WITHDRAW:
            return {"way": "withdrawal"}
        day = {"day": self.said.wished_on.isoformat()} if self.said.wished_on else {}
        if self.act == Act.FOR_CAUSE:
            return {"way": "for_cause", **day}
        return {"way": "later", **day} if day else {}


@dataclass(slots=True)
class Received:
    """A declaration on record. ``receipt`` is None only where signing failed; it is made up for later."""

    notice: Notice
    receipt: Receipt | None = None


# ---------------------------------------------------------------- receive


def receive(
    *,
    declaration: Declaration,
    received_at: datetime,
    key: str,
    files: Sequence[Upload] = (),
    files_before: Sequence[int] = (),
    held: bool = False,
) -> Received:
    """Record a declaration with its receipt instant, in one transaction; return it with its receipt.

    ``key`` makes it once: a second click finds the first record and its receipt. ``files_before`` are evidence that
    came with an earlier page. ``held`` keeps it back from mail and matching until staff have looked.
    """
    salt, said = secrets.token_urlsafe(32), declaration.said
    day = received_at.astimezone(ZoneInfo(places.zone_of_page(declaration.pack.code))).date()
    made = Received(Notice())

    def beside(notice: Notice) -> Iterable[Promise]:
        words = Declared.objects.create(
            notice=notice, salt=salt, erase_on=retention.erase_on(declaration.pack, day), **asdict(said)
        )
        _keep(notice, files, files_before)
        made.receipt = _issue(notice, words, received_at)
        promises = [Promise("settle", f"match:{notice.pk}", {"notice_id": notice.pk})]
        with_files = bool(files or files_before)
        return promises + ([] if held else _letters_anyhow(notice, words, made.receipt, came_with_files=with_files))

    made.notice = actions.receive_notice(
        contract=None,
        shown=None,
        received_at=received_at,
        actor=PUBLIC,
        key=key,
        locale=declaration.locale,
        declaration=declaration.words,
        door=Door(Channel.DOOR, declaration.pack.code, declaration.button[:200]),
        act=declaration.act,
        state=NoticeState.QUARANTINED if held else NoticeState.UNMATCHED,
        asks=declaration.asks,
        digest=digest(said, salt),
        beside=beside,
    )
    if made.receipt:
        return made
    if _is_undone(made.notice):
        # Nothing follows from the first one any more, so the same words sent again are no second click.
        return receive(
            declaration=declaration,
            received_at=received_at,
            key=_next_key(key),
            files=files,
            files_before=files_before,
            held=held,
        )
    return Received(made.notice, receipt_of(made.notice))


def _is_undone(notice: Notice) -> bool:
    """Tell whether a declaration was repudiated, or the end that it brought about or joined was undone."""
    if notice.state == NoticeState.REPUDIATED:
        return True
    ends = (
        Cancellation.objects.filter(contract=notice.contract_id) if notice.contract_id else Cancellation.objects.none()
    )
    return ends.filter(state=State.REVOKED).exists() and not ends.exclude(state=State.REVOKED).exists()


def _next_key(key: str) -> str:
    """Return the key of the same words declared once more."""
    first, _colon, number = key.partition("#")
    return f"{first}#{int(number or 0) + 1}"


def digest(said: Said, salt: str) -> str:
    """Return the salted SHA-256 of what was written: words and salt can be erased, this stays with the notice."""
    canonical = json.dumps(asdict(said), default=date.isoformat, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(f"{salt}\n{canonical}".encode("utf-8", "surrogatepass")).hexdigest()


def receipt_of(notice: Notice) -> Receipt | None:
    """Return the receipt that a declaration was received."""
    return notice.receipts.filter(kind=ReceiptKind.RECEIVED).order_by("pk").first()


def _keep(notice: Notice, files: Sequence[Upload], files_before: Sequence[int]) -> None:
    """Keep the files with the notice. Whatever becomes of them, the declaration stands."""
    try:
        with transaction.atomic():
            Evidence.objects.bulk_create([file.row(notice) for file in files])
            if files_before:
                Evidence.objects.filter(pk__in=files_before, notice__isnull=True).update(notice=notice)
    except Exception:
        log.exception("The files of notice %s could not be stored.", notice.reference)
        Evidence.objects.bulk_create([Upload(file.name, file.size, fault="fault").row(notice) for file in files])


def _issue(notice: Notice, words: Declared, at: datetime) -> Receipt | None:
    """Sign the receipt. Where that fails the declaration stands all the same, and a worker makes up for it."""
    try:
        with transaction.atomic():
            return receipts.issue(
                kind=ReceiptKind.RECEIVED, notice=notice, declared=words, locale=notice.locale, issued_at=at
            )
    except Exception:
        log.exception("No receipt could be signed for notice %s; it is made up for.", notice.reference)
        return None


def _letters(notice: Notice, words: Declared, receipt: Receipt | None, *, came_with_files: bool) -> list[Promise]:
    """Return the promise of the letter to the address that was typed, if there is one and something to send."""
    if receipt is None or not words.email:
        return []
    left_out = uploads.left_out(notice) if came_with_files else []
    return [Promise("letter", f"received:{notice.pk}", door_letters.received(notice, words, receipt, left_out))]


def _letters_anyhow(
    notice: Notice, words: Declared, receipt: Receipt | None, *, came_with_files: bool
) -> list[Promise]:
    """Return the promise of the letter; where its facts cannot be gathered, a worker makes up for it."""
    try:
        with transaction.atomic():
            return _letters(notice, words, receipt, came_with_files=came_with_files)
    except Exception:
        log.exception("The letter of notice %s could not be promised; it is made up for.", notice.reference)
        return []


# ---------------------------------------------------------------- what comes after


def settle(*, notice_id: int) -> None:
    """Make up for what a recorded declaration still lacks: its receipt, its contract, its end.

    Nothing happens to one that is held back, repudiated, closed or done with; running twice does no harm.
    """
    notice = Notice.objects.select_related("declared").filter(pk=notice_id, channel=Channel.DOOR).first()
    if notice is None or notice.state not in (NoticeState.UNMATCHED, NoticeState.MATCHED):
        return
    _make_up_for_proof(notice)
    if notice.state == NoticeState.MATCHED or _matched(notice):
        end(notice=notice, actor=SYSTEM)


def _matched(notice: Notice) -> bool:
    """Look for the contract; tell whether exactly one was found and is this notice's now."""
    found = matching.exact(notice.declared)
    return found is not None and attach(notice=notice, contract=found.contract, actor=SYSTEM, why=found.why)


@transaction.atomic
def _make_up_for_proof(notice: Notice) -> None:
    """Sign the receipt and promise its letter, where that failed before; a promise that stands stays as it is."""
    receipt = receipt_of(notice) or _issue(notice, notice.declared, timezone.now())
    add_many(_letters(notice, notice.declared, receipt, came_with_files=True))


@transaction.atomic
def attach(*, notice: Notice, contract: Contract, actor: Actor, why: str) -> bool:
    """Say which contract a declaration means; False where somebody else has said so first."""
    waiting = Notice.objects.filter(
        pk=notice.pk, state__in=[NoticeState.UNMATCHED, NoticeState.QUARANTINED], contract__isnull=True
    )
    before = notice.state
    if not waiting.update(state=NoticeState.MATCHED, contract=contract):
        return False
    notice.state, notice.contract = NoticeState.MATCHED, contract
    _note(notice, actor, "notice matched", before=before, after=NoticeState.MATCHED, why=why)
    return True


def end(*, notice: Notice, actor: Actor) -> Cancellation | None:
    """Schedule the end that a matched declaration asks for, and tell the holder at the address on file.

    None where there is nothing to schedule: the contract had ended, or a person has to look. The notice stands.
    """
    if not Notice.objects.filter(OPEN, pk=notice.pk).exists():
        return None
    if _is_far(notice):
        _ask_the_desk(notice, "the wished day is far away")
        return None
    try:
        cancellation = actions.confirm(notice=notice, shown=None, actor=actor, accept_any=True)
    except actions.NothingToEnd:
        actions.close(notice=notice, actor=SYSTEM, why=actions.ENDED_BY_ITSELF)
        _tell_holder(notice, "ended")
    except actions.Unreadable:
        _ask_the_desk(notice, "the terms of the contract cannot be read")
    except actions.WithdrawalOver as over:
        _ask_the_desk(notice, over.why)
    except actions.AlreadyUndone:
        pass
    else:
        if cancellation.notice_id != notice.pk:
            _tell_holder(notice, "ending")
        return cancellation
    return None


def _is_far(notice: Notice) -> bool:
    day = notice.asks.get("day")
    return bool(day) and date.fromisoformat(day) > notice.received_at.date() + FARTHEST


@transaction.atomic
def _ask_the_desk(notice: Notice, why: str) -> None:
    if not Event.objects.filter(notice=notice, what="waits for the desk").exists():
        _note(notice, SYSTEM, "waits for the desk", why=why)
    _tell_holder(notice, "desk")


def _tell_holder(notice: Notice, standing: str) -> None:
    """Promise the holder, at the address on file, the letter that somebody declared this, and what follows."""
    contract = Contract.objects.select_related("customer", "plan__product").get(notices=notice)
    facts = letters.on_file(contract, notice, standing, door_letters.received_at(notice))
    add_many([Promise("letter", f"on-file:{notice.pk}", facts)])


def _note(notice: Notice, actor: Actor, what: str, *, before: str = "", after: str = "", why: str = "") -> None:
    Event.objects.create(
        contract_id=notice.contract_id,
        notice=notice,
        at=timezone.now(),
        actor=actor.name,
        what=what,
        before=before,
        after=after,
        why=why,
    )


# ---------------------------------------------------------------- what staff and holders may do


@transaction.atomic
def release(*, notice: Notice, actor: Actor) -> bool:
    """Let go of a declaration that was held back: its letter leaves and its contract is looked for."""
    held = Notice.objects.filter(pk=notice.pk, state=NoticeState.QUARANTINED)
    if not held.update(state=NoticeState.UNMATCHED):
        return False
    notice.state = NoticeState.UNMATCHED
    _note(notice, actor, "notice released", before=NoticeState.QUARANTINED, after=NoticeState.UNMATCHED)
    add_many(
        [
            Promise("settle", f"match:{notice.pk}:released", {"notice_id": notice.pk}),
            *_letters(notice, notice.declared, receipt_of(notice), came_with_files=True),
        ]
    )
    return True


def notice_of(token: str) -> Notice | None:
    """Return the notice that a "that was not me" link names, or None: tampered with, or no such notice."""
    try:
        pk = int(signing.Signer(salt=NOT_ME_SALT, sep=".").unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    found = Notice.objects.select_related("contract__customer", "contract__plan__product")
    return found.filter(pk=pk, contract__isnull=False).first()


@transaction.atomic
def repudiate(*, notice: Notice, actor: Actor, at: datetime, why: str) -> bool:
    """Record that the holder did not declare this: the end it brought is undone, nothing is erased.

    False where it was repudiated before. An end whose last day is over stays, and the desk is asked to look.
    """
    row = Notice.objects.select_for_update().get(pk=notice.pk)
    standing = Notice.objects.filter(pk=row.pk).exclude(state=NoticeState.REPUDIATED)
    if not standing.update(state=NoticeState.REPUDIATED):
        return False
    _note(row, actor, "notice repudiated", before=row.state, after=NoticeState.REPUDIATED, why=why)
    notice.state = NoticeState.REPUDIATED
    if _has_moved_another(row):
        _leave_to_a_person(row, "repudiated after it changed another end", at)
    brought = Cancellation.objects.filter(notice=row).exclude(state=State.REVOKED).first()
    # An undo has a letter of its own, with its receipt.
    if row.contract_id and not (brought and _undone(row, brought, actor, at)):
        contract = Contract.objects.select_related("customer", "plan__product").get(notices=row)
        facts = letters.repudiated(contract, row, door_letters.received_at(row), ended=bool(brought))
        add_many([Promise("letter", f"repudiated:{row.pk}", facts)])
    return True


def _leave_to_a_person(notice: Notice, why: str, at: datetime) -> None:
    """Have a person put right what an undo cannot: what somebody else's words have changed for good."""
    assert notice.contract_id is not None  # only what was matched has changed anything
    _note(notice, SYSTEM, "waits for the desk", why=why)
    DeskTask.objects.create(
        kind=TaskKind.REPUDIATED,
        contract_id=notice.contract_id,
        wishes={"notice": notice.reference, "why": why},
        is_urgent=True,
        created_at=at,
    )


def _has_moved_another(notice: Notice) -> bool:
    """Tell whether a notice made an end of another notice come sooner, or put it before the desk."""
    if notice.contract is None:
        return False
    others = Event.objects.filter(contract=notice.contract).exclude(cancellation__notice=notice)
    moved = others.filter(what="end moved", why=f"another notice, {notice.reference}")
    return (moved | others.filter(what="waits for judgement", notice=notice)).exists()


def _undone(notice: Notice, cancellation: Cancellation, actor: Actor, at: datetime) -> bool:
    try:
        with transaction.atomic():
            actions.revoke(cancellation_id=cancellation.pk, actor=actor, at=at, closes_others=False)
    except actions.CannotRevoke:
        _leave_to_a_person(notice, "repudiated after the last day", at)
        return False
    _take_up_others(notice)
    return True


def _take_up_others(repudiated: Notice) -> None:
    """Let the holder's own notices count that had joined an end which somebody else had declared."""
    joined = Event.objects.filter(
        contract=repudiated.contract, what="notice closed", why__endswith="by another notice"
    ).values("notice")
    closed = Notice.objects.filter(pk__in=joined, state=NoticeState.CLOSED).exclude(pk=repudiated.pk)
    for other in closed.order_by("received_at", "pk"):
        if Notice.objects.filter(pk=other.pk, state=NoticeState.CLOSED).update(state=NoticeState.MATCHED):
            other.state = NoticeState.MATCHED
            _note(other, SYSTEM, "notice reopened", before=NoticeState.CLOSED, after=NoticeState.MATCHED)
            end(notice=other, actor=SYSTEM)
