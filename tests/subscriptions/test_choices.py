"""What customers say yes or no to: the newest word counts, and no word is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions import choices
from subscriptions.lexicon import pressing
from subscriptions.models import Consent, ConsentTopic, Customer
from tests.factories import NOON, make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make_customer()


def say(customer: Customer, given: bool, topic: str = ConsentTopic.NEWS, **changes: Any) -> bool:
    """Let a customer say yes or no."""
    words = {"wording": "News.", "locale": "de", "actor": f"customer:{customer.pk}", "at": NOON, **changes}
    return choices.choose(customer=customer, topic=topic, given=given, **words)


@pytest.mark.parametrize(("topic", "stands"), [("halfway", True), ("news", False), ("options", False)])
def test_what_nobody_has_said_stands_by_itself(customer: Customer, topic: str, stands: bool) -> None:
    assert choices.given(customer, topic) is choices.given(customer.pk, topic) is stands
    assert not Consent.objects.exists()


def test_the_newest_word_counts_and_the_ones_before_it_stay(customer: Customer) -> None:
    say(customer, True)
    say(customer, False, at=NOON + timedelta(days=1))
    say(customer, True, at=NOON + timedelta(days=2), wording="Nouvelles.", locale="fr")

    assert choices.given(customer, ConsentTopic.NEWS)
    assert [(word.given, word.wording, word.locale, word.at) for word in choices.history(customer)] == [
        (True, "Nouvelles.", "fr", NOON + timedelta(days=2)),
        (False, "News.", "de", NOON + timedelta(days=1)),
        (True, "News.", "de", NOON),
    ]


def test_saying_the_same_twice_is_said_once(customer: Customer) -> None:
    assert [say(customer, True), say(customer, True, at=NOON + timedelta(hours=1))] == [True, False]
    assert Consent.objects.get().at == NOON


def test_leaving_a_topic_as_it_is_says_nothing(customer: Customer) -> None:
    assert not say(customer, True, ConsentTopic.HALFWAY)
    assert not say(customer, False)
    assert not Consent.objects.exists()


def test_a_word_is_about_one_topic_and_one_customer(customer: Customer) -> None:
    other = make_customer()
    say(customer, True)

    assert not choices.given(customer, ConsentTopic.OPTIONS)
    assert not choices.given(other, ConsentTopic.NEWS)
    assert choices.standing(other) == {}


def test_an_unknown_topic_is_refused(customer: Customer) -> None:
    with pytest.raises(ValueError, match="calls"):
        say(customer, True, "calls")
    assert not Consent.objects.exists()


def test_a_word_is_told_with_one_statement(customer: Customer) -> None:
    say(customer, True)

    with CaptureQueriesContext(connection) as asked:
        assert choices.given(customer.pk, ConsentTopic.NEWS)
        assert choices.standing(customer)[ConsentTopic.NEWS].given

    assert len(asked) == 2


def test_no_wording_presses() -> None:
    for topic in (ConsentTopic.HALFWAY, ConsentTopic.NEWS, ConsentTopic.OPTIONS):
        assert pressing(choices.wording(topic)) == []
