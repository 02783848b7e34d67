"""Erase what is known about a person: some at once when they ask, all on the day when nothing has to be kept any more.

What stays says that something happened and when, with which days and amounts, of somebody whose name nobody knows: the
customer's row under a new reference, contracts, payments, notices with their digests, and of each receipt its number,
its key id and the SHA-256 of what was signed, so that a copy that somebody kept is still recognised and verified.
Not part of the notice path. Everything here is done within the caller's transaction, and twice does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from billing import results
from billing.models import Instruction
from cancellation import receipts
from cancellation.models import (
    RUNNING_STATES,
    Acceptance,
    Announcement,
    Cancellation,
    ChecklistItem,
    Declared,
    DeskTask,
    Event,
    Evidence,
    Notice,
    OfferEvent,
    Receipt,
    Visit,
)
from feedback.models import Answer
from messaging.models import Letter, Suppression
from outbox.models import Entry
from subscriptions import choices
from subscriptions.models import (
    Activity,
    Component,
    Consent,
    ConsentTopic,
    Contract,
    Customer,
    Payment,
    SignInToken,
    customer_reference,
)
from subscriptions.signin import sign_out_everywhere

ERASED = "[erased]"
# What somebody said in their own words, as it waits beside an answer.
OWN_WORDS = ("words", "went_well")
# What ends with the request. Not to be contacted at all is another wish, which stands as it was.
CONSENTS = (ConsentTopic.HALFWAY, ConsentTopic.NEWS, ConsentTopic.OPTIONS)


def at_once(customer: Customer, *, actor: str, at: datetime, locale: str, wording: str) -> None:
    """Erase what nothing is kept for: words of reasons, visits, words with what is finished; consents and sign-ins end.

    ``wording`` is what the customer read when they asked; it is kept with the consents that it takes back.
    """
    mine = Q(contract__customer=customer)
    Answer.objects.filter(mine).update(words="", went_well="")
    _forget_what_was_said(customer)
    Visit.objects.filter(mine).delete()
    Acceptance.objects.filter(customer=customer).exclude(state__in=RUNNING_STATES).update(asked={})
    DeskTask.objects.filter(mine, done_at__isnull=False).update(words="", wishes={}, note="")
    for topic in CONSENTS:
        choices.choose(customer=customer, topic=topic, given=False, wording=wording, locale=locale, actor=actor, at=at)
    sign_out_everywhere(customer.pk)


def _forget_what_was_said(customer: Customer) -> None:
    """Take the words out of what waits, or has waited, beside an answer; which reasons were ticked stays."""
    cancellations = Cancellation.objects.filter(contract__customer=customer).values_list("pk", flat=True)
    notices = Notice.objects.filter(contract__customer=customer).values_list("pk", flat=True)
    keys = [*(f"said:{pk}" for pk in cancellations), *(f"settle:{pk}" for pk in notices)]
    for entry in Entry.objects.filter(dedupe_key__in=keys):
        before = entry.payload.get("said") or {}
        said = {name: value for name, value in before.items() if name not in OWN_WORDS}
        if said != before:
            Entry.objects.filter(pk=entry.pk).update(payload=entry.payload | {"said": said}, last_error="")


def whole_customer(customer: Customer, *, at: datetime) -> None:
    """Erase who somebody was, and everything that they, or others about them, have written."""
    contracts = list(Contract.objects.filter(customer=customer).values_list("pk", flat=True))
    notices = list(Notice.objects.filter(contract__in=contracts))
    _erase_notices(notices, at)
    _erase_announcements(contracts, at)
    _erase_letters(customer, contracts)
    _erase_at_the_desk(contracts)
    _erase_contracts(contracts)
    _erase_admin_log(customer, contracts)
    Acceptance.objects.filter(customer=customer).update(asked={}, fault="")
    Consent.objects.filter(customer=customer).exclude(why="").update(why="")
    SignInToken.objects.filter(customer=customer).delete()
    Suppression.objects.filter(customer=customer).delete()
    Customer.objects.filter(pk=customer.pk).update(
        reference=customer_reference(), name="", email="", sign_in_epoch=F("sign_in_epoch") + 1
    )


def _erase_notices(notices: Iterable[Notice], at: datetime) -> None:
    """Erase the words of notices wherever they stand. What was signed stays recognisable by its digest."""
    day = timezone.localdate(at).isoformat()
    pks = []
    for notice in notices:
        pks.append(notice.pk)
        asks = _without_ground(notice.asks)
        Notice.objects.filter(pk=notice.pk).update(
            declaration=f"[erased {day}]", asks=asks, sender_zone="", idempotency_key=f"erased:{notice.pk}"
        )
    for cancellation in Cancellation.objects.filter(notice__in=pks, chosen__has_key="ground"):
        Cancellation.objects.filter(pk=cancellation.pk).update(chosen=_without_ground(cancellation.chosen))
    Declared.objects.filter(notice__in=pks, erased_at__isnull=True).update(
        name="", email="", phone="", address="", reference="", reason="", wished_on=None, salt="", erased_at=at
    )
    Evidence.objects.filter(notice__in=pks).delete()
    receipts.forget(Receipt.objects.filter(Q(notice__in=pks) | Q(cancellation__notice__in=pks)))


def _without_ground(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked for without its ground, which may tell of an illness or a death."""
    return {name: value for name, value in asked.items() if name != "ground"}


def _erase_announcements(contracts: list[int], at: datetime) -> None:
    for pk in Announcement.objects.filter(contract__in=contracts, erased_at__isnull=True).values_list("pk", flat=True):
        # The key stays: the link in an old letter says that its time is over.
        Announcement.objects.filter(pk=pk).update(
            agent_name="", agent_company="", agent_email="", about="", holder_name="", holder_email="", words="",
            wished_on=None, idempotency_key=f"erased:{pk}", erased_at=at,
        )  # fmt: skip


def _erase_letters(customer: Customer, contracts: list[int]) -> None:
    """Erase what letters said, to whom, and the facts they were made of; that they were sent, and when, stays."""
    letters = Letter.objects.filter(Q(customer=customer) | Q(contract__in=contracts))
    keys = list(letters.values_list("key", flat=True))
    # Also letters that were never written, and what was said: they name whose they are.
    theirs = Q(dedupe_key__in=keys) | Q(payload__customer_id=customer.pk)
    cancellations = Cancellation.objects.filter(contract__in=contracts).values_list("pk", flat=True)
    said = Q(topic="said", dedupe_key__in=[f"said:{pk}" for pk in cancellations])
    # What billing said of an option, in somebody's own words.
    of_billing = Q(topic=results.TOPIC, payload__contract_id__in=contracts)
    Entry.objects.filter((theirs & Q(topic="letter")) | said | of_billing).update(payload={}, last_error="")
    letters.update(text="", html="", subject="", to="")


def _erase_at_the_desk(contracts: list[int]) -> None:
    mine: dict[str, Any] = {"contract__in": contracts}
    DeskTask.objects.filter(**mine).update(words="", wishes={}, note="")
    ChecklistItem.objects.filter(**mine).update(note="")
    Instruction.objects.filter(**mine).update(fault="")
    Answer.objects.filter(**mine).update(words="", went_well="", imported_reason="")
    # Only what a person wrote, and grounds; what else the desk noted by itself are days and codes.
    told = Q(contract__in=contracts) | Q(notice__contract__in=contracts)
    words = Q(actor__startswith="staff:") | Q(what="waits for judgement")
    Event.objects.filter(told, words).exclude(why="").update(why=ERASED)
    OfferEvent.objects.filter(actor__startswith="staff:", **mine).exclude(why="").update(why=ERASED)


def _erase_contracts(contracts: list[int]) -> None:
    mine: dict[str, Any] = {"contract__in": contracts}
    Visit.objects.filter(**mine).delete()
    Activity.objects.filter(**mine).delete()
    # A domain may be somebody's name, the reference of a payment somebody's account.
    Component.objects.filter(**mine).update(name=ERASED)
    Payment.objects.filter(**mine).update(reference=Concat(Value("erased-"), Cast("pk", CharField())))
    Contract.objects.filter(pk__in=contracts).update(facts={})


def _erase_admin_log(customer: Customer, contracts: list[int]) -> None:
    """The admin notes what was edited under the name that it had."""
    for model, pks in ((Customer, [customer.pk]), (Contract, contracts)):
        log = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(model), object_id__in=[str(pk) for pk in pks]
        )
        log.update(object_repr=ERASED, change_message="")
