"""The tree as shipped: five roots, five languages, offered in order."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import translation

from feedback.models import Answer, Reason, Root
from feedback.queries import forget_reasons, offered_reasons

shipped = import_module("feedback.migrations.0002_shipped_reasons")
LANGUAGES = ["en", "de", "fr", "pl", "ja"]
FIVE = ["outcome", "outlook", "relationship", "cost", "circumstance"]


@pytest.mark.django_db
def test_the_shipped_tree_has_five_roots_in_order_and_nothing_beside_them():
    forget_reasons()

    groups = offered_reasons()

    assert [group.root for group in groups] == FIVE
    assert all(4 <= len(group.reasons) <= 6 for group in groups)
    assert [reason.code for reason in groups[3].reasons] == [
        "cost-too-high",
        "cost-not-worth",
        "cost-extras",
        "cost-better-offer",
        "cost-old-price",
    ]


@pytest.mark.django_db
def test_every_shipped_reason_is_worded_in_every_language_and_no_two_alike():
    for row in Reason.objects.all():
        assert set(row.labels) == set(LANGUAGES), row.code
        assert all(text.strip() == text and text for text in row.labels.values()), row.code
        assert row.code.startswith(f"{row.root}-")
    for language in LANGUAGES:
        labels = [row.labels[language] for row in Reason.objects.all()]
        assert len(labels) == len(set(labels)), language


@pytest.mark.django_db
def test_a_reason_speaks_the_active_language_and_falls_back_to_english_then_to_its_code():
    row = Reason.objects.get(code="cost-too-high")
    bare = Reason(code="odd", root=Root.COST, labels={})

    with translation.override("de-at"):
        assert (row.label, str(row), bare.label) == ("Es kostet zu viel", "Es kostet zu viel", "odd")
    with translation.override("nl"):
        assert row.label == "It costs too much"


@pytest.mark.django_db
def test_shipping_again_keeps_the_wording_that_a_business_gave_a_reason():
    Reason.objects.filter(code="cost-too-high").update(labels={"en": "Too dear"})
    Reason.objects.filter(code="cost-extras").delete()

    shipped.ship(apps, _Editor())

    assert Reason.objects.get(code="cost-too-high").labels == {"en": "Too dear"}
    assert Reason.objects.get(code="cost-extras").labels["en"] == "There were extra charges"


@pytest.mark.django_db
def test_going_back_takes_away_what_nobody_ticked_and_keeps_what_answers_refer_to(contract):
    main, other = Reason.objects.get(code="cost-too-high"), Reason.objects.get(code="outcome-results")
    own = Reason.objects.create(code="our-own", root=Root.COST, labels={"en": "Our own"})
    answer = Answer.objects.create(contract=contract, cancellation_id=1, primary=main, said_at="2026-01-01T12:00:00Z")
    answer.reasons.set([other])

    shipped.take_back(apps, _Editor())

    assert set(Reason.objects.all()) == {main, other, own}


class _Editor:
    """Stands in for a schema editor: the migration asks it for the connection alone."""

    connection = connection
