"""What staff see of a customer or a contract: everything that happened in one line of time, and their one act.

Reads from every part of the desk; nothing of the notice path imports this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import results
from billing.models import Instruction, Outcome
from cancellation import pages
from cancellation.actions import Actor
from cancellation.event_words import why_in_words
from cancellation.models import (
    OPEN,
    Announcement,
    AnnouncementState,
    Cancellation,
    Channel,
    ChecklistItem,
    DeskTask,
    Event,
    Judgement,
    Notice,
    NoticeState,
    Way,
)
from cancellation.task_actions import TASK_DONE, TASK_REOPENED
from config.admin import url_of
from config.formats import format_day, format_instant
from feedback.models import Answer
from messaging.models import Fault, Letter
from outbox.models import Entry
from subscriptions import choices, words
from subscriptions.formats import format_money
from subscriptions.models import Consent, ConsentTopic, Contract, Customer, Payment
from subscriptions.terms import TermsError

# Of each kind; older ones stand in the lists that the page links to.
MOST_OF_A_KIND = 100
INSTRUCTION_DONE = "instruction done"
INSTRUCTION_FAILED = "instruction failed"
CONTRACT_EDITED = "contract edited"
UNREADABLE = gettext_lazy("its terms cannot be read")
# What events call what happened; an unknown one is shown in its own words.
WHAT = {
    "notice received": gettext_lazy("Notice received"),
    "end scheduled": gettext_lazy("End scheduled"),
    "chosen afterwards": gettext_lazy("Chosen afterwards"),
    "undone": gettext_lazy("Notice undone"),
    "ended": gettext_lazy("Contract ended"),
    "waits for the holder": gettext_lazy("Waits for the holder"),
    "waits for the desk": gettext_lazy("Waits for the desk"),
    "waits for judgement": gettext_lazy("Waits for a judgement"),
    "end moved": gettext_lazy("End moved"),
    "judged": gettext_lazy("Judged"),
    "notice closed": gettext_lazy("Notice closed"),
    "notice matched": gettext_lazy("Notice matched to a contract"),
    "notice released": gettext_lazy("Notice released"),
    "notice reopened": gettext_lazy("Notice counts again"),
    "notice repudiated": gettext_lazy("Notice repudiated"),
    "rules: default": gettext_lazy("The default rules apply"),
    "text erased": gettext_lazy("Words erased"),
    "deletion asked": gettext_lazy("Deletion of the data asked for"),
    "deletion taken back": gettext_lazy("Request for deletion taken back"),
    "imported": Way.IMPORTED.label,
    "parts chosen": gettext_lazy("Choices for the parts"),
    "step done": gettext_lazy("Step of the exit checklist done"),
    "step reopened": gettext_lazy("Step of the exit checklist taken back"),
    "end announced": gettext_lazy("End announced by somebody else"),
    "holder asked": gettext_lazy("Holder asked about an announcement"),
    "announcement answered": gettext_lazy("Announcement answered"),
    "announcement set aside": gettext_lazy("Announcement set aside"),
    TASK_DONE: gettext_lazy("Task done"),
    TASK_REOPENED: gettext_lazy("Task opened again"),
    INSTRUCTION_DONE: gettext_lazy("Instruction done"),
    INSTRUCTION_FAILED: gettext_lazy("Instruction could not be carried out"),
    "option agreed": gettext_lazy("Option agreed"),
    "option carried out": gettext_lazy("Option carried out"),
    "option failed": gettext_lazy("Option could not be carried out yet"),
    "option taken back": gettext_lazy("Option taken back"),
    "option over": gettext_lazy("Option over"),
    CONTRACT_EDITED: gettext_lazy("Contract edited"),
}

# A notice that brought about nothing yet: its holder, or the desk, is asked.
NOTHING_TO_END = Q(cancellation__isnull=True, state=NoticeState.CLOSED)
AT_THE_DOOR = Q(channel=Channel.DOOR, state__in=[NoticeState.UNMATCHED, NoticeState.QUARANTINED])
WAITING = OPEN & Q(contract__isnull=False)
# No contract was found, or more came than a person sends.
ANNOUNCEMENTS_TO_SEE = Q(erased_at=None) & (Q(state=AnnouncementState.UNMATCHED) | Q(is_held=True))


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing on the line of time. ``day_only`` where no hour is known; ``words`` are the customer's own."""

    at: datetime
    day_only: bool
    what: str
    detail: str
    by: str
    words: str
    url: str
    contract: Contract | None

    @property
    def when(self) -> str:
        """Return the day, or the instant with its offset, in the contract's own time zone."""
        return format_day(self.at.date()) if self.day_only else format_instant(self.at)


def notices_of(contracts: Sequence[Contract]) -> list[tuple[Notice, str]]:
    """Return the newest notices of contracts, each with when it was received, in its contract's own time zone."""
    by_pk = {contract.pk: contract for contract in contracts}
    rows = Notice.objects.filter(contract__in=by_pk).select_related("cancellation").order_by("-received_at", "-pk")
    return [
        (row, format_instant(row.received_at.astimezone(zone_of(by_pk.get(row.contract_id or 0)))))
        for row in rows[:MOST_OF_A_KIND]
    ]


def timeline(contracts: Sequence[Contract], customer: Customer | None = None) -> list[Moment]:
    """Return what happened to contracts, and to their customer where one is given, newest first.

    Six statements, one for ticked reasons and one for the customer's choices, whatever there is to show.
    """
    by_pk = {contract.pk: contract for contract in contracts}
    return sorted(
        [
            *_notices(by_pk),
            *_events(by_pk),
            *_payments(by_pk),
            *_letters(by_pk, customer),
            *_answers(by_pk),
            *_instructions(by_pk),
            *(_choices(customer) if customer else ()),
        ],
        key=lambda moment: moment.at,
        reverse=True,
    )


def _notices(contracts: dict[int, Contract]) -> Iterator[Moment]:
    for row in Notice.objects.filter(contract__in=contracts).order_by("-received_at", "-pk")[:MOST_OF_A_KIND]:
        what = _("Notice %(reference)s received, %(channel)s") % {
            "reference": row.reference,
            "channel": row.get_channel_display(),
        }
        yield _moment(row, row.received_at, what, contracts, by=row.actor, words=row.declaration)


def _events(contracts: dict[int, Contract]) -> Iterator[Moment]:
    # The notice itself stands on the line already.
    rows = Event.objects.filter(contract__in=contracts).exclude(what="notice received")
    for row in rows.order_by("-at", "-pk")[:MOST_OF_A_KIND]:
        what, detail = str(WHAT.get(row.what, row.what)), why_in_words(row.why)
        yield _moment(row, row.at, what, contracts, detail=detail, by=row.actor)


def _payments(contracts: dict[int, Contract]) -> Iterator[Moment]:
    rows = Payment.objects.filter(contract__in=contracts).order_by("-paid_from", "-pk")
    for row in rows[:MOST_OF_A_KIND]:
        detail = _("for %(first)s to %(last)s") % {"first": format_day(row.paid_from), "last": format_day(row.paid_to)}
        what = _("Payment of %(amount)s") % {"amount": format_money(row.amount)}
        yield _moment(row, row.paid_from, what, contracts, detail=detail)


def _letters(contracts: dict[int, Contract], customer: Customer | None) -> Iterator[Moment]:
    whose = Q(contract__in=contracts) | (Q(customer=customer) if customer else Q(pk__in=[]))
    rows = Letter.objects.filter(whose).defer("text", "html").order_by("-created_at", "-pk")
    for row in rows[:MOST_OF_A_KIND]:
        sent = (
            _("Letter sent") if row.sent_at else _("Letter cannot be sent") if row.undeliverable else _("Letter waits")
        )
        detail = row.get_undeliverable_display() or row.to
        yield _moment(row, row.sent_at or row.created_at, sent, contracts, detail=detail, words=row.subject)


def _answers(contracts: dict[int, Contract]) -> Iterator[Moment]:
    rows = Answer.objects.filter(contract__in=contracts).select_related("primary").prefetch_related("reasons")
    for row in rows.order_by("-said_at", "-pk")[:MOST_OF_A_KIND]:
        ticked = [row.imported_reason, *(reason.label for reason in row.reasons.all())]
        said = ": ".join(part for part in (row.get_root_display(), ", ".join(filter(None, ticked))) if part)
        own = "\n\n".join(filter(None, (row.words, row.went_well)))
        yield _moment(row, row.said_at, _("Why they leave"), contracts, detail=said, words=own)


def _instructions(contracts: dict[int, Contract]) -> Iterator[Moment]:
    rows = Instruction.objects.filter(contract__in=contracts).order_by("-created_at", "-pk")
    for row in rows[:MOST_OF_A_KIND]:
        what = _("For billing: %(what)s, %(day)s") % {"what": row.get_kind_display(), "day": format_day(row.on_day)}
        yield _moment(row, row.created_at, what, contracts, detail=row.get_outcome_display())


def _choices(customer: Customer) -> Iterator[Moment]:
    for row in choices.history(customer, MOST_OF_A_KIND):
        at = timezone.localtime(row.at)
        yield Moment(at, False, choice_in_words(row), row.why, who(row.actor), row.wording, url_of(customer), None)


def choice_in_words(choice: Consent) -> str:
    """Return what somebody chose about being written to."""
    if choice.topic == ConsentTopic.CONTACT:
        return _("Contact is allowed again") if choice.given else _("No further contact wanted")
    told = _("Yes: %(topic)s") if choice.given else _("No: %(topic)s")
    return told % {"topic": choice.get_topic_display()}


def _moment(
    row: Any,
    at: datetime | date,
    what: str,
    contracts: dict[int, Contract],
    *,
    detail: str = "",
    by: str = "",
    words: str = "",
) -> Moment:
    contract = contracts.get(row.contract_id)
    zone = zone_of(contract)
    day_only = not isinstance(at, datetime)
    instant = datetime.combine(at, time.min, tzinfo=zone) if not isinstance(at, datetime) else at.astimezone(zone)
    return Moment(instant, day_only, what, detail, who(by), words, url_of(row), contract)


# Who acted without signing in: at the public page, or by the link in a letter.
DOORS = {
    "public": gettext_lazy("the public page"),
    "holder by letter": gettext_lazy("the holder, by the link in a letter"),
}


def who(actor: str) -> str:
    """Return in words who did something."""
    kind, _colon, name = actor.partition(":")
    if kind == "customer":
        return _("the customer")
    if actor in DOORS:
        return str(DOORS[actor])
    if actor == "system":
        return _("Fairwell")
    return name if kind == "staff" else actor


def standing(contract: Contract, at: datetime) -> dict[str, Any]:
    """Return a contract in plain words: how it may be ended, and what a notice at this instant would mean.

    ``contract`` comes from ``contracts_with_state``. ``wrong`` says what cannot be read in its terms.
    """
    try:
        agreed, row = contract.agreed, {"contract": contract, **pages.state_on_account(contract, at)}
    except TermsError as error:
        return {"contract": contract, "wrong": str(error), "state_words": UNREADABLE}
    is_open = row["state"] == "running" and not contract.live_id  # type: ignore[attr-defined]
    quote = pages.quote_now(contract, at) if is_open else None
    return row | {
        "wrong": "",
        "state_words": state_in_words(row["state"], row["last_day"]),
        "how_to_leave": pages.how_to_leave(contract),
        "quote": quote,
        # Where a notice stands and waits for its holder, its own instant counts.
        "waits": getattr(contract, "standing_at", None) is not None,
        "why": words.why(agreed, quote.rule) if quote else [],
        "arithmetic": pages.arithmetic(quote, contract.refund_policy) if quote else [],
    }


def standing_short(contract: Contract, at: datetime) -> str:
    """Return in a few words whether a contract runs, ends or has ended; asks the database nothing."""
    told = pages.account_row(contract, at)
    return str(UNREADABLE) if told["state"] == "unreadable" else state_in_words(told["state"], told["last_day"])


def readable(contract: Contract) -> bool:
    """Tell whether the terms of a contract are terms."""
    try:
        return bool(contract.agreed)
    except TermsError:
        return False


def zone_of(contract: Contract | None) -> tzinfo:
    """Return the time zone of a contract; the server's without one, and where the terms cannot be read."""
    return ZoneInfo(contract.agreed.timezone) if contract and readable(contract) else timezone.get_current_timezone()


def state_in_words(state: str, last_day: date | None) -> str:
    """Return "running", "ends on …" or "ended on …"."""
    if state == "running" or last_day is None:
        return _("ended") if state == "ended" else _("running")
    told = _("ends on %(day)s") if state == "ending" else _("ended on %(day)s")
    return told % {"day": format_day(last_day, width="medium")}


@transaction.atomic
def mark_done(*, ids: Iterable[int], actor: Actor, at: datetime) -> int:
    """Note that instructions were carried out, each with an event; return how many.

    One that is done or no longer needed already is left alone, so a second click changes nothing.
    """
    done = 0
    for instruction in Instruction.objects.filter(pk__in=list(ids), outcome__in=results.STILL_TO_DO):
        if results.carried_out(instruction=instruction, actor=actor.name, at=at):
            _record_outcome(instruction, actor, at, INSTRUCTION_DONE, Outcome.DONE)
            done += 1
    return done


@transaction.atomic
def mark_failed(*, ids: Iterable[int], actor: Actor, at: datetime, why: str) -> int:
    """Note that what options need could not be carried out, each with an event; return how many.

    Only what comes of an agreed option and is still to be done: an end or a refund stays to be done.
    """
    failed = 0
    for instruction in Instruction.objects.filter(pk__in=list(ids), outcome=Outcome.OPEN, acceptance_id__isnull=False):
        if results.could_not(instruction=instruction, actor=actor.name, at=at, why=why):
            _record_outcome(instruction, actor, at, INSTRUCTION_FAILED, Outcome.FAILED)
            failed += 1
    return failed


def _record_outcome(instruction: Instruction, actor: Actor, at: datetime, what: str, after: Outcome) -> None:
    of = instruction.cancellation_id
    cancellation = Cancellation.objects.filter(pk=of).first() if of else None
    Event.objects.create(
        contract_id=instruction.contract_id,
        cancellation=cancellation,
        notice_id=cancellation.notice_id if cancellation else None,
        at=at,
        actor=actor.name,
        what=what,
        before=instruction.outcome,
        after=after,
        why=f"{instruction.kind} {instruction.on_day}",
    )


def record_edit(*, contract: Contract, changed: Sequence[str], actor: Actor, at: datetime) -> None:
    """Note that staff edited a contract, and which fields; the caller's transaction holds both."""
    Event.objects.create(
        contract=contract, at=at, actor=actor.name, what=CONTRACT_EDITED, why=", ".join(changed) or "nothing changed"
    )


def to_do() -> dict[str, int]:
    """Return how much waits for staff, by kind."""
    return {
        "waiting": Notice.objects.filter(WAITING).count(),
        "at_the_door": Notice.objects.filter(AT_THE_DOOR).count(),
        "to_judge": Cancellation.objects.filter(judgement=Judgement.OPEN).count(),
        "instructions": Instruction.objects.filter(outcome=Outcome.OPEN).count(),
        # What the customer does not want is no work for anybody.
        "undeliverable": Letter.objects.exclude(undeliverable__in=["", Fault.NOT_WANTED]).count(),
        "steps": ChecklistItem.objects.filter(done_at__isnull=True, by_staff=True).count(),
        "given_up": Entry.objects.filter(dead_at__isnull=False).count(),
        "announcements": Announcement.objects.filter(ANNOUNCEMENTS_TO_SEE).count(),
        "tasks": DeskTask.objects.filter(done_at__isnull=True).count(),
    }
