"""A cancellation that was left half-way, or put off by its holder: one message, the facts, and the way back.

Never a nag: one message for each visit, at most one in 30 days for each contract, and none to somebody who does not
want it. It says that the contract goes on, and by when to finish for which end; it persuades nobody of anything. Its
link names the visit, so that what was ticked is there on another device, too; it lets nobody in who is not signed in.
The notice path imports nothing of this.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from cancellation import letters, pages, queries
from cancellation.models import STANDING, Acceptance, Cancellation, Notice, State, Visit, VisitOutcome
from cancellation.quotes import Quote
from messaging.models import Suppression
from outbox.actions import Promise, add_many
from subscriptions.models import Consent, ConsentTopic, Contract
from subscriptions.terms import TermsError

BEYOND_THE_OVERVIEW = ("reasons", "options", "confirm")
ONE_IN = timedelta(days=30)
# Where no worker ran for longer, nobody hears of what they left that long ago.
OLDEST = timedelta(days=7)
BATCH = 200
LINK_SALT = "fairwell.go-on"
ONE_DAY = timedelta(days=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a notice means for somebody who has not given one yet.

    ``finish_by`` is the last day of a notice for this ``last_day``; None where each day of waiting moves the end by as
    much, or changes nothing. ``missed`` is the end from the day after on.
    """

    received_on: date
    last_day: date
    finish_by: date | None
    missed: date | None
    ends_by_itself: bool
    never_starts: bool

    @classmethod
    def of(cls, quote: Quote, contract: Contract) -> Prospect:
        """Return what an ordinary notice of the quote's day means."""
        ahead = pages.next_deadline(quote)
        return cls(
            received_on=quote.received_on,
            last_day=quote.last_day,
            finish_by=ahead.day if ahead else None,
            missed=ahead.else_ends if ahead else None,
            ends_by_itself=quote.rule == "expires",
            never_starts=quote.last_day < contract.starts_on,
        )

    def as_facts(self) -> dict[str, Any]:
        """Return the figures as a letter keeps them, and as its sentences and those of the page name them."""
        return {
            "received_on": self.received_on.isoformat(),
            "last_day": self.last_day.isoformat(),
            "finish_by_day": self.finish_by.isoformat() if self.finish_by else None,
            "missed_day": self.missed.isoformat() if self.missed else None,
            "ends_by_itself": self.ends_by_itself,
            "never_starts": self.never_starts,
        }


# ---------------------------------------------------------------- the link


def go_on_url(contract: Contract, visit: uuid.UUID) -> str:
    """Return the path that leads back to where a visit was left, on any device of its holder."""
    token = signing.Signer(salt=LINK_SALT, sep=".").sign(str(visit))
    return reverse("cancellation:go-on", args=[contract.reference, token])


def visit_in(token: str) -> uuid.UUID | None:
    """Return the visit that a link names, or None: tampered with, or cut short."""
    try:
        return uuid.UUID(signing.Signer(salt=LINK_SALT, sep=".").unsign(token))
    except (signing.BadSignature, ValueError):
        return None


def deadline_url(contract: Contract, prospect: Prospect) -> str:
    """Return the path of the deadline's calendar file; "" where there is no deadline."""
    return reverse("cancellation:deadline", args=[contract.reference]) if prospect.finish_by else ""


# ---------------------------------------------------------------- put off by the holder


@transaction.atomic
def put_off(*, contract: Contract, visit: uuid.UUID, quote: Quote, locale: str, at: datetime) -> bool:
    """Send the holder of a visit the link to finish later; return whether this is the message's first and only time.

    Without an address nothing is promised: the page shows the link. ``contract`` comes with customer and plan.
    """
    if not contract.customer.email:
        return False
    if not Visit.objects.filter(key=visit, contract=contract, reminded_at__isnull=True).update(reminded_at=at):
        return False
    facts = _facts(contract, visit, quote)
    add_many([Promise("letter", f"finish-later:{visit}", letters.to_finish("finish-later", contract, locale, facts))])
    return True


# ---------------------------------------------------------------- left half-way


def left_halfway(now: datetime) -> QuerySet[Visit]:
    """Return the visits that a message may be written about, the newest of each contract first.

    Whether a contract has ended by itself, only its terms can say.
    """
    until = now - timedelta(hours=settings.HALFWAY_HOURS)
    of_contract = {"contract": OuterRef("contract")}
    of_customer = {"customer": OuterRef("contract__customer")}
    others = Visit.objects.filter(**of_contract)
    said = Consent.objects.filter(**of_customer, topic=ConsentTopic.HALFWAY).order_by("-at", "-pk")
    return (
        Visit.objects.filter(
            step__in=BEYOND_THE_OVERVIEW,
            outcome=VisitOutcome.OPEN,
            reminded_at__isnull=True,
            seen_at__lte=until,
            seen_at__gt=until - OLDEST,
        )
        .exclude(contract__customer__email="")
        .exclude(Exists(others.filter(seen_at__gt=until)))
        .exclude(Exists(others.filter(reminded_at__gt=now - ONE_IN)))
        .exclude(Exists(Notice.objects.filter(**of_contract, received_at__gte=OuterRef("seen_at"))))
        .exclude(Exists(Notice.objects.filter(STANDING, **of_contract)))
        .exclude(Exists(Cancellation.objects.filter(**of_contract).exclude(state=State.REVOKED)))
        .exclude(Exists(Acceptance.objects.filter(**of_contract, accepted_at__gte=OuterRef("seen_at"))))
        .exclude(Exists(Suppression.objects.filter(**of_customer)))
        .annotate(said_yes=Subquery(said.values("given")[:1]))
        .filter(Q(said_yes=True) | Q(said_yes__isnull=True))
        .order_by("-seen_at", "key")
    )


def write_to_who_left(*, now: datetime) -> int:
    """Promise one message to whoever left a cancellation half-way; return how many. Safe to run twice at once."""
    if settings.HALFWAY_HOURS <= 0:
        return 0
    written, passed_over = 0, set[uuid.UUID]()
    while due := list(left_halfway(now).exclude(key__in=passed_over).values_list("key", "contract_id")[:BATCH]):
        for visit, contract_id in due:
            written += _write(visit, contract_id, now)
        # What was claimed is not due any more; what could not be written about is not looked at again in this round.
        passed_over |= {visit for visit, _contract in due}
    return written


@transaction.atomic
def _write(visit: uuid.UUID, contract_id: int, now: datetime) -> bool:
    """Claim one visit and promise its message in the same transaction. What has changed meanwhile leaves it alone."""
    # Locked, so that of two visits to one contract the second sees that the first was written about.
    locked = Contract.objects.select_for_update().only("reference", "customer_id").get(pk=contract_id)
    row = left_halfway(now).filter(key=visit).first()
    contract = queries.contract_of(locked.customer_id, locked.reference, visit) if row else None
    if row is None or contract is None or (quote := _quote_today(contract, now)) is None:
        return False
    if not Visit.objects.filter(key=visit, reminded_at__isnull=True, seen_at=row.seen_at).update(reminded_at=now):
        return False
    left_on = row.seen_at.astimezone(letters.zone_of(contract)).date()
    facts = _facts(contract, visit, quote) | {"left_on": left_on.isoformat()}
    if by := facts["finish_by_day"]:
        # A mail that could not leave for days must not tell a day that is over.
        facts["useful_until_at"] = _end_of(date.fromisoformat(by), contract).isoformat()
    add_many([Promise("letter", f"halfway:{visit}", letters.to_finish("halfway", contract, "", facts))])
    return True


def _quote_today(contract: Contract, now: datetime) -> Quote | None:
    """Return what a notice of today means; None where the contract has ended by itself or nobody can say."""
    try:
        return pages.quote_now(contract, now)
    except TermsError:
        log.info("contract %s: its terms cannot be read, so nobody is told by when to finish", contract.pk)
        return None


def _facts(contract: Contract, visit: uuid.UUID, quote: Quote) -> dict[str, Any]:
    prospect, base = Prospect.of(quote, contract), settings.BASE_URL
    calendar = deadline_url(contract, prospect)
    return {
        **prospect.as_facts(),
        "go_on_url": base + go_on_url(contract, visit),
        "deadline_url": base + calendar if calendar else "",
        "choices_url": base + reverse("cancellation:choices"),
    }


def _end_of(day: date, contract: Contract) -> datetime:
    return datetime.combine(day + ONE_DAY, time.min, tzinfo=letters.zone_of(contract))


def goes_on(payload: dict[str, Any]) -> bool:
    """Tell whether a contract still goes on, as both letters say: a mail may wait for its server for days."""
    of_contract = {"contract": payload["contract_id"]}
    return not (
        Cancellation.objects.filter(**of_contract).exclude(state=State.REVOKED).exists()
        or Notice.objects.filter(STANDING, **of_contract).exists()
    )
