"""Somebody other than the holder announces the end of a contract: it is kept, the holder is asked, the holder answers.

By itself an announcement changes nothing. A yes of the holder within ``ANNOUNCEMENT_DAYS`` counts from the instant of
the announcement where that is better for them, a later one from its own. Part of the notice path: nothing here
imports feedback, mail, billing or reports. The looking-up is left to a worker, so an answer to the announcer
takes as long, and says as much, whether a contract was found or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext as _

from cancellation import actions, letters, matching, queries
from cancellation.actions import Actor, Door
from cancellation.commit import declaration_of
from cancellation.models import Announcement, AnnouncementState, Cancellation, Channel, Event, Notice, State
from cancellation.quotes import Quote, ordinary
from outbox.actions import Promise, add_many
from subscriptions import places
from subscriptions.models import Contract, Customer
from subscriptions.retention import erase_on
from subscriptions.signin import customers_with
from subscriptions.terms import TermsError

# One question about one contract in this time; who is asked already is not asked again.
ASKED_AT_MOST_EVERY = timedelta(hours=24)
# Words of "which contract" that are looked at one by one: a reference or a domain stands among others.
MOST_WORDS = 12
# Nobody has found the contract: it waits for the desk, or the desk has set it aside.
UNFOUND = Q(contract=None, state__in=[AnnouncementState.UNMATCHED, AnnouncementState.NOT_MINE])
TOPIC = "announcement"


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody wrote: who they are, which contract they mean, whose it is, and what they wish."""

    agent_name: str
    agent_email: str
    about: str
    holder_name: str = ""
    holder_email: str = ""
    agent_company: str = ""
    wished_on: date | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Yes:
    """What a yes means: its quote, from when it counts, the notice that stands already, and the plain quote of now."""

    quote: Quote
    counts_from: datetime
    notice: Notice | None
    plain: Quote

    @property
    def is_backdated(self) -> bool:
        """Tell whether the yes counts from an instant that gives a better end than its own."""
        return self.plain.worse_than(self.quote)


# ---------------------------------------------------------------- receiving


def announce(*, told: Told, token: str, locale: str, at: datetime, is_held: bool = False) -> Announcement:
    """Keep an announcement with its instant and commit; a second click of the same form finds the first one.

    ``is_held``: more came than a person sends. It is kept like any other, but nothing leaves until staff look.
    """
    announcement = Announcement(
        agent_name=told.agent_name,
        agent_company=told.agent_company,
        agent_email=told.agent_email,
        about=told.about,
        holder_name=told.holder_name,
        holder_email=told.holder_email,
        wished_on=told.wished_on,
        words=told.words,
        locale=locale,
        received_at=at,
        is_held=is_held,
        idempotency_key=_key(told, token, at),
        erase_on=erase_on(places.home(), at.date()),
    )
    try:
        with transaction.atomic():
            announcement.save(force_insert=True)
            add_many(() if is_held else _promises(announcement))
    except IntegrityError:
        if (first := Announcement.objects.filter(idempotency_key=announcement.idempotency_key).first()) is None:
            raise
        return first
    return announcement


def _key(told: Told, token: str, at: datetime) -> str:
    """Return what makes an announcement once: this form, these words. Without a form, these words on this day."""
    form = token or at.date().isoformat()
    digest = hashlib.sha256("\x1f".join([form, *(str(part) for part in astuple(told))]).encode()).hexdigest()
    return f"announce:{digest}"


def _promises(announcement: Announcement) -> list[Promise]:
    return [
        Promise("letter", f"announcement-received:{announcement.pk}", letters.announcement_received(announcement)),
        Promise(TOPIC, f"announcement:{announcement.pk}", {"announcement_id": announcement.pk}),
    ]


def release(*, announcement_id: int, at: datetime) -> bool:
    """Let an announcement that was held back take its way; return whether it was held."""
    with transaction.atomic():
        if not Announcement.objects.filter(pk=announcement_id, is_held=True).update(is_held=False):
            return False
        add_many(_promises(Announcement.objects.get(pk=announcement_id)))
    return True


# ---------------------------------------------------------------- finding the contract, asking the holder


def take_up(*, announcement_id: int, at: datetime) -> None:
    """Look for the contract and ask its holder. Run again it finds that this is done; what is not found waits."""
    open_states = [AnnouncementState.UNMATCHED, AnnouncementState.ASKED]
    waiting = Announcement.objects.filter(state__in=open_states, is_held=False, asked_at=None, erased_at=None)
    announcement = waiting.filter(pk=announcement_id).select_related("contract").first()
    if announcement is None:
        return
    if announcement.contract is not None:
        with transaction.atomic():
            _ask(announcement, announcement.contract, at)
    elif contract := contract_meant(announcement):
        match(announcement=announcement, contract=contract, actor=actions.SYSTEM, at=at)


@transaction.atomic
def match(*, announcement: Announcement, contract: Contract, actor: Actor, at: datetime) -> bool:
    """Say which contract is meant and ask its holder, once; return False to whoever comes second."""
    changed = Announcement.objects.filter(UNFOUND, pk=announcement.pk, erased_at=None)
    kept_until = erase_on(places.pack_of(contract), announcement.received_at.date())
    if not changed.update(contract=contract, state=AnnouncementState.ASKED, answered_at=None, erase_on=kept_until):
        return False
    announcement.contract, announcement.state = contract, AnnouncementState.ASKED
    _record(announcement, actor, "end announced", at, why=announcement.reference)
    release(announcement_id=announcement.pk, at=at)
    _ask(announcement, contract, at)
    return True


@transaction.atomic
def set_aside(*, announcement_id: int, actor: Actor, at: datetime) -> bool:
    """Say that no contract of ours is meant; return False where one was found, or it was said already."""
    changed = Announcement.objects.filter(pk=announcement_id, contract=None, state=AnnouncementState.UNMATCHED)
    if not changed.update(state=AnnouncementState.NOT_MINE, answered_at=at, is_held=False):
        return False
    announcement = Announcement.objects.get(pk=announcement_id)
    _record(announcement, actor, "announcement set aside", at, why=announcement.reference)
    return True


def _ask(announcement: Announcement, contract: Contract, at: datetime) -> None:
    """Write to the holder, unless they were asked about this contract within a day: then this one joins, or waits."""
    # Held, so that of two announcements at once one asks.
    contract = (
        Contract.objects.select_for_update(of=("self",)).select_related("customer", "plan__product").get(pk=contract.pk)
    )
    asked = Announcement.objects.filter(contract=contract, asked_at__isnull=False).order_by("-asked_at", "-pk").first()
    mine = Announcement.objects.filter(pk=announcement.pk, asked_at=None, state=AnnouncementState.ASKED)
    if asked and asked.asked_at and at < asked.asked_at + ASKED_AT_MOST_EVERY:
        if asked.state == AnnouncementState.ASKED:
            mine.update(asked_at=asked.asked_at)
        else:
            again = asked.asked_at + ASKED_AT_MOST_EVERY
            facts = {"announcement_id": announcement.pk}
            add_many([Promise(TOPIC, f"announcement:{announcement.pk}:{asked.pk}", facts, due_at=again)])
        return
    if not mine.update(asked_at=at):
        return
    announcement.asked_at = at
    yes = _yes_if_readable(contract, [announcement], at)
    facts = letters.announcement_question(
        contract,
        announcement,
        locale=language_of(contract.customer),
        until=last_day_to_count(announcement, contract),
        quote=yes.quote if yes else None,
        plain=yes.plain if yes else None,
        declaration=declared(contract, announcement),
    )
    add_many([Promise("letter", f"announcement-question:{announcement.pk}", facts)])
    _record(announcement, actions.SYSTEM, "holder asked", at, why=announcement.reference)


def contract_meant(announcement: Announcement) -> Contract | None:
    """Return the one contract that is named exactly: reference or part, and its holder by address or name.

    None where there is none, or more than one: then a person looks. Capitals and widths of letters do not count.
    """
    named = names_in(announcement.about)
    found = {
        contract.pk: contract
        for contract in _maybe_meant(announcement, named)
        if _is_named(contract, named) and _is_holder(contract.customer, announcement)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def names_in(text: str) -> set[str]:
    """Return what a text may name a contract by: the whole of it, and its words; addresses as their domain."""
    whole = matching.plain(text)
    words = whole.replace(",", " ").replace(";", " ").split()
    return {_domain(name) for name in [whole, *words[:MOST_WORDS]]} - {""}


def _domain(name: str) -> str:
    """Return a name without what people copy along with it: a scheme, ``www.``, a slash or full stop at its end."""
    for prefix in ("https://", "http://", "www."):
        name = name.removeprefix(prefix)
    return name.strip(" ./()\"'<>")


def _maybe_meant(announcement: Announcement, named: set[str]) -> QuerySet[Contract]:
    """Return contracts worth a closer look: named by reference or part, or of whoever has the address."""
    exactly = {announcement.about.strip(), *(name.upper() for name in named), *named}
    parts = Q(components__name__in={announcement.about.strip(), *named})
    whose = Q(customer__in=[customer.pk for customer in customers_with(announcement.holder_email)[:100]])
    found = Contract.objects.filter(Q(reference__in=exactly) | parts | whose)
    return found.select_related("customer").prefetch_related("components").distinct()[:500]


def _is_named(contract: Contract, named: set[str]) -> bool:
    if matching.bare(contract.reference) in {matching.bare(name) for name in named}:
        return True
    return any(_domain(matching.plain(part.name)) in named for part in contract.components.all())


def _is_holder(customer: Customer, announcement: Announcement) -> bool:
    """Tell whether the holder that was named is this one: by the address on file or by the whole name."""
    address, name = matching.plain(announcement.holder_email), matching.plain(announcement.holder_name)
    by_address = bool(address) and address == matching.plain(customer.email)
    return by_address or (bool(name) and name == matching.plain(customer.name))


# ---------------------------------------------------------------- what a yes means


def what_a_yes_means(contract: Contract, asked: Sequence[Announcement], at: datetime) -> Yes | None:
    """Return what a yes at an instant brings about; None where the contract has ended by itself.

    The best of three: from now, from the notice that stands already, from each announcement that still counts. Raises
    Unreadable where the terms of the contract are no terms.
    """
    standing = actions.open_notices(contract).first()
    try:
        plain = quote_at(contract, standing.received_at if standing else at)
        if plain is None:
            return None
        best = Yes(plain, standing.received_at if standing else at, standing, plain)
        for instant in sorted({one.received_at for one in asked if counts(one, contract, at)}, reverse=True):
            earlier = quote_at(contract, instant)
            if earlier is not None and best.quote.worse_than(earlier):
                best = Yes(earlier, instant, None, plain)
    except (TermsError, KeyError) as error:
        raise actions.Unreadable from error
    return best


def quote_at(contract: Contract, at: datetime) -> Quote | None:
    """Return what an ordinary notice received at an instant means; None where nothing is left to end."""
    at_fault = Contract.objects.annotate(packs=queries.packs_at_fault(at)).filter(pk=contract.pk)
    contract.packs_at_fault = at_fault.values_list("packs", flat=True).first()  # type: ignore[attr-defined]
    return ordinary(queries.agreed_of(contract, at), at)


def _yes_if_readable(contract: Contract, asked: Sequence[Announcement], at: datetime) -> Yes | None:
    try:
        return what_a_yes_means(contract, asked, at)
    except actions.Unreadable:
        return None


def counts(announcement: Announcement, contract: Contract, at: datetime) -> bool:
    """Tell whether a yes at an instant may count from the announcement. Days are those of the contract's zone."""
    until = last_day_to_count(announcement, contract)
    try:
        return announcement.received_at <= at and queries.local_day(contract, at) <= until
    except (TermsError, KeyError):
        return announcement.received_at <= at and timezone.localdate(at) <= until


def last_day_to_count(announcement: Announcement, contract: Contract) -> date:
    """Return the last day on which a yes may count from the announcement."""
    try:
        day = queries.local_day(contract, announcement.received_at)
    except (TermsError, KeyError):
        day = timezone.localdate(announcement.received_at)
    return day + timedelta(days=settings.ANNOUNCEMENT_DAYS)


def asked_together(announcement: Announcement) -> list[Announcement]:
    """Return the announcement and those that joined its question, the first one first."""
    together = Q(contract=announcement.contract_id, state=AnnouncementState.ASKED, erased_at=None)
    rows = Announcement.objects.filter(Q(pk=announcement.pk) | together) if announcement.contract_id else [announcement]
    return sorted(rows, key=lambda one: (one.received_at, one.pk))


# ---------------------------------------------------------------- the answers


def answer_yes(*, announcement: Announcement, contract: Contract, shown: Quote | None, at: datetime) -> Cancellation:
    """Record the holder's yes as a notice, commit, then schedule the end; return it.

    The notice stands whatever happens after it. Where the contract ends already and a yes brings nothing better, no
    notice is added. Raises what ``confirm`` raises; whoever has to be asked has been asked by then.
    """
    asked, actor = asked_together(announcement), Actor.customer(contract.customer_id)
    try:
        yes = what_a_yes_means(contract, asked, at)
    except actions.Unreadable:
        yes = None
    live = ends_of(contract)
    if live and (yes is None or not is_better(yes.quote, live)):
        _answer(asked, AnnouncementState.YES, at=at, actor=actor)
        return live
    notice = yes.notice if yes else None
    if notice is None:
        notice = _notice(announcement, contract, asked, shown, at=at, counts_from=yes.counts_from if yes else None)
    else:
        with transaction.atomic():
            _answer(asked, AnnouncementState.YES, at=at, actor=actor)
    return _confirmed(notice, shown, actor)


def _confirmed(notice: Notice, shown: Quote | None, actor: Actor) -> Cancellation:
    try:
        return actions.confirm(notice=notice, shown=shown, actor=actor)
    except actions.QuoteChanged as changed:
        actions.hold(notice=notice, quote=changed.quote)
        raise
    except actions.NothingToEnd:
        actions.close(notice=notice, actor=actions.SYSTEM, why=actions.ENDED_BY_ITSELF)
        raise
    except actions.Unreadable:
        actions.ask_the_desk(notice=notice)
        raise


def _notice(
    announcement: Announcement,
    contract: Contract,
    asked: Sequence[Announcement],
    shown: Quote | None,
    *,
    at: datetime,
    counts_from: datetime | None,
) -> Notice:
    """Record the yes; the answer and the notice stand or fall together."""
    if counts_from is None:
        # Nobody can say which instant is better, so the earliest that counts is kept.
        counts_from = min((one.received_at for one in asked if counts(one, contract, at)), default=at)
    actor = Actor.customer(contract.customer_id)

    def beside(notice: Notice) -> list[Promise]:
        _answer(asked, AnnouncementState.YES, at=at, actor=actor)
        # The newest yes: after an undo there may be another.
        Announcement.objects.filter(pk=announcement.pk).update(notice=notice)
        return []

    undone = contract.cancellations.filter(state=State.REVOKED).count()
    return actions.receive_notice(
        contract=contract,
        shown=shown,
        received_at=counts_from,
        actor=actor,
        key=f"announced:{announcement.pk}:{undone}",
        locale=language_of(contract.customer),
        declaration=declared(contract, announcement),
        door=Door(channel=Channel.AGENT, button=_("Yes, end the contract")),
        beside=beside,
    )


def answer_no(*, announcement: Announcement, contract: Contract, state: AnnouncementState, at: datetime) -> bool:
    """Keep a no or a "not mine"; return False where the contract is ending by a yes, which only an undo changes."""
    # Read before the look at the contract: a yes that comes in between changes these states, and wins.
    asked = asked_together(announcement)
    if ends_of(contract) or actions.open_notices(contract).exists():
        return False
    with transaction.atomic():
        return _answer(asked, state, at=at, actor=Actor.customer(contract.customer_id))


def _answer(asked: Sequence[Announcement], state: AnnouncementState, *, at: datetime, actor: Actor) -> bool:
    """Set the state of all that were asked about together, with events; return False where another came between.

    A yes is written over whatever was said before, a no only over what its holder has seen.
    """
    stands = True
    for one in asked:
        rows = Announcement.objects.filter(pk=one.pk).exclude(state__in=[AnnouncementState.UNMATCHED, state])
        rows = rows if state == AnnouncementState.YES else rows.filter(state=one.state)
        if rows.update(state=state, answered_at=at):
            _record(one, actor, "announcement answered", at, before=one.state, after=state, why=one.reference)
        else:
            stands = stands and Announcement.objects.filter(pk=one.pk, state=state).exists()
    return stands


def ends_of(contract: Contract) -> Cancellation | None:
    """Return the end of a contract that is scheduled or has come."""
    rows = contract.cancellations.exclude(state=State.REVOKED)
    return rows.select_related("notice", "contract__customer", "contract__plan__product").first()


def is_better(quote: Quote, live: Cancellation) -> bool:
    """Tell whether a yes would let a contract that is ending already end sooner, at no higher cost."""
    if live.state != State.SCHEDULED or not live.quote:
        return False
    return quote.last_day < live.last_day and quote.cost.minor <= Quote.from_dict(live.quote).cost.minor


def declared(contract: Contract, announcement: Announcement) -> str:
    """Return the words that a yes declares, in the holder's language."""
    with translation.override(language_of(contract.customer)):
        answer = _("This is my answer to the announcement %(reference)s.") % {"reference": announcement.reference}
        return f"{declaration_of(contract)}\n{answer}"


def language_of(customer: Customer) -> str:
    """Return the language of ours that is nearest to a customer's."""
    try:
        return str(get_supported_language_variant(customer.locale))
    except LookupError:
        return str(settings.LANGUAGE_CODE)


def _record(
    announcement: Announcement,
    actor: Actor,
    what: str,
    at: datetime,
    *,
    before: str = "",
    after: str = "",
    why: str = "",
) -> None:
    # Not on the notice: an event there says that somebody has taken the notice up.
    Event.objects.create(
        contract_id=announcement.contract_id, at=at, actor=actor.name, what=what, before=before, after=after, why=why
    )


def for_holder(key: str) -> Announcement | None:
    """Return the announcement that a key opens to the holder who was asked."""
    if not key.isprintable():
        return None
    found = Announcement.objects.select_related("contract__customer", "contract__plan__product")
    return found.filter(key=key, contract__isnull=False).first()


def url_of(announcement_id: int) -> str:
    """Return the address at which the holder answers, or "" where nothing is kept any more. A secret, as its key is."""
    found = Announcement.objects.filter(pk=announcement_id, erased_at=None).values_list("key", flat=True).first()
    return f"{settings.BASE_URL}{reverse('cancellation:announce-answer', args=[found])}" if found else ""
