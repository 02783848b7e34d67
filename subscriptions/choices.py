"""What customers have said yes or no to. Only ever added to: the newest word on each topic counts.

A word is kept with the wording it was given to, its language, its time and who gave it. What nobody has said, the topic
says by itself (``UNSAID``). ``customer`` is a row or its number; ``actor`` is the name that events use.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from subscriptions.models import Consent, ConsentTopic, Customer

# What holds until somebody says otherwise. Nobody gets news, and nobody is shown options, without having asked.
UNSAID = {
    ConsentTopic.HALFWAY: True,
    ConsentTopic.NEWS: False,
    ConsentTopic.OPTIONS: False,
    ConsentTopic.CONTACT: True,
}


def given(customer: Customer | int, topic: str) -> bool:
    """Tell whether a customer's word on a topic is yes; asks the database once."""
    newest = _words_of(customer).filter(topic=topic).values_list("given", flat=True).first()
    return UNSAID[ConsentTopic(topic)] if newest is None else newest


def standing(customer: Customer | int) -> dict[str, Consent]:
    """Return the newest word on each topic that anything was said about, with one statement."""
    words: dict[str, Consent] = {}
    for word in _words_of(customer):
        words.setdefault(word.topic, word)
    return words


def history(customer: Customer | int, most: int = 100) -> list[Consent]:
    """Return what was said, newest first."""
    return list(_words_of(customer)[:most])


@transaction.atomic
def choose(
    *,
    customer: Customer | int,
    topic: str,
    given: bool,
    wording: str,
    locale: str,
    actor: str,
    at: datetime,
    why: str = "",
) -> bool:
    """Keep a yes or no with the words it was given to; return whether it changed anything.

    What stands already is not said twice, so a second click adds nothing. ValueError for an unknown topic.
    """
    pk = _pk(customer)
    # Of two clicks at once the second sees what the first has written.
    Customer.objects.select_for_update().get(pk=pk)
    newest = _words_of(pk).filter(topic=topic).first()
    if (UNSAID[ConsentTopic(topic)] if newest is None else newest.given) == given:
        return False
    Consent.objects.create(
        customer_id=pk, topic=topic, given=given, wording=wording, locale=locale, at=at, actor=actor, why=why
    )
    return True


def wording(topic: str) -> str:
    """Return what a customer says yes to, as it stands beside the box, in the active language.

    KeyError for ``CONTACT``, which has no box: see ``messaging.suppression``.
    """
    return {
        ConsentTopic.HALFWAY: _(
            "One message when I have left a cancellation half-way: that my contract goes on, and by when to finish."
        ),
        ConsentTopic.NEWS: _("News, and an invitation when something that I left for has changed."),
        ConsentTopic.OPTIONS: _("Options that answer my reasons, shown to me while I cancel."),
    }[ConsentTopic(topic)]


def _words_of(customer: Customer | int) -> QuerySet[Consent]:
    return Consent.objects.filter(customer_id=_pk(customer)).order_by("-at", "-pk")


def _pk(customer: Customer | int) -> int:
    return customer if isinstance(customer, int) else customer.pk
