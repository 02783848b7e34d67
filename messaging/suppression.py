"""Who is not to be written to, and which letters have to be sent all the same.

“Please do not contact me again” holds for every letter that is not necessary, at the moment it would leave: whatever
was promised before. A letter that is not sent stays on file and says so (``Fault.NOT_WANTED``). Every kind of letter
stands in exactly one of the two lists below; a kind in neither is a mistake that a test finds.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from messaging.models import Suppression
from subscriptions import choices
from subscriptions.models import Consent, ConsentTopic, Customer

# Proof of what somebody did, answers to what they asked, and what they must know of a contract that runs or ends.
NECESSARY = frozenset(
    {
        "announcement-question",
        "announcement-received",
        "declaration-on-file",
        "declaration-received",
        "declaration-repudiated",
        # The answer to somebody who asked for it.
        "deletion-asked",
        "end-confirmed",
        # Sent because they pressed "Finish later".
        "finish-later",
        "judged",
        "notice-stands",
        "sign-in-link",
        "staff-alert",
        "undo-confirmed",
        "withdrawal-confirmed",
        "withdrawal-received",
    }
)
# What may be left out, by the topic that a customer can say no to.
OPTIONAL = {"halfway": ConsentTopic.HALFWAY}


class CannotLift(Exception):
    """Somebody other than the customer wants to lift this, and gives no reason."""


def is_suppressed(customer: Customer | int) -> bool:
    """Tell whether a customer asked not to be contacted beyond what is necessary."""
    return Suppression.objects.filter(customer_id=_pk(customer)).exists()


def since(customer: Customer | int) -> datetime | None:
    """Return since when, or None where nothing of the kind was asked."""
    return Suppression.objects.filter(customer_id=_pk(customer)).values_list("since", flat=True).first()


def is_wanted(kind: str, customer_id: int | None) -> bool:
    """Tell whether a letter may leave now. A necessary one always may, and asks the database nothing."""
    topic = OPTIONAL.get(kind)
    if topic is None or customer_id is None:
        return True
    return not is_suppressed(customer_id) and choices.given(customer_id, topic)


@transaction.atomic
def suppress(*, customer: Customer | int, actor: str, at: datetime, locale: str = "en", why: str = "") -> bool:
    """Send nothing more than is necessary; return whether that is new. It is a line of the customer's history."""
    pk = _pk(customer)
    # Locked first, so that two clicks at once are one line of history.
    Customer.objects.select_for_update().get(pk=pk)
    _kept, is_new = Suppression.objects.get_or_create(customer_id=pk, defaults={"since": at, "actor": actor})
    if is_new:
        _note(pk, False, actor, at, locale, why)
    return is_new


@transaction.atomic
def lift(*, customer: Customer | int, actor: str, at: datetime, locale: str = "en", why: str = "") -> bool:
    """Allow letters again; return whether that is new. Raises CannotLift for others than them without a reason."""
    pk = _pk(customer)
    if actor != f"customer:{pk}" and not why.strip():
        raise CannotLift
    Customer.objects.select_for_update().get(pk=pk)
    was_there = bool(Suppression.objects.filter(customer_id=pk).delete()[0])
    if was_there:
        _note(pk, True, actor, at, locale, why)
    return was_there


def _note(pk: int, given: bool, actor: str, at: datetime, locale: str, why: str) -> None:
    Consent.objects.create(
        customer_id=pk,
        topic=ConsentTopic.CONTACT,
        given=given,
        wording=_("You may contact me again.") if given else _("Please do not contact me again."),
        locale=locale,
        at=at,
        actor=actor,
        why=why.strip(),
    )


def _pk(customer: Customer | int) -> int:
    return customer if isinstance(customer, int) else customer.pk
