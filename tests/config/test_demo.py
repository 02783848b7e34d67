"""The demo: its options can be used as they are written, its past was open to those who had it, and it loads fast."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from itertools import pairwise

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellation import offering
from cancellation.models import Acceptance, Cancellation, Offer, OfferDecision, OfferEvent, OfferPlace, OfferVersion
from cancellation.offer_rules import Eligibility, read_terms
from config.demo.load import load
from config.demo.options import OPTIONS, SMALLER
from feedback.models import Reason
from subscriptions.lexicon import pressing
from subscriptions.models import Contract

TODAY = date(2026, 11, 25)
LANGUAGE = {"hosting-yearly": "ja", "care": "de", "books-online": "pl", "audio": "en", "fibre-24": "fr"}


@pytest.mark.parametrize("option", OPTIONS, ids=[option.code for option in OPTIONS])
def test_an_option_can_be_read_and_speaks_its_language_and_english(option) -> None:
    assert set(option.texts) == {LANGUAGE[option.plan], "en"}
    assert [found for texts in option.texts.values() for text in texts for found in pressing(text)] == []
    assert read_terms(option.kind, option.terms).items() >= option.terms.items()
    assert Eligibility.from_dict(dict(option.eligibility)).as_dict() == option.eligibility
    assert option.terms.get("to_plan", SMALLER[0].code) in {plan.code for plan in SMALLER}


@pytest.mark.django_db
def test_options_answer_reasons_that_people_can_tick() -> None:
    known = set(Reason.objects.values_list("code", flat=True))

    assert {code for option in OPTIONS for code in option.reasons} <= known


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("C-AUDIO", {"audio-todays-price", "audio-pause", "audio-light", "audio-skip", "audio-half-price"}),
        ("C-SLEEPING", {"books-help", "books-mini", "books-todays-price", "books-pause"}),
        ("C-HOSTING", {"hosting-fix", "hosting-small", "hosting-hand-over"}),
        ("C-AGENCY", {"care-fix", "care-help", "care-basic"}),
        ("C-MOVED", {"fibre-fix", "fibre-hand-over", "fibre-pause", "fibre-discount"}),
    ],
)
def test_every_story_has_the_options_of_its_product_open_without_leaving(reference, expected) -> None:
    load(crowd=False)
    contract = Contract.objects.get(reference=reference)

    assert {one.code for one in offering.would_be(contract, timezone.now()).shown} == expected


@pytest.mark.django_db
def test_a_year_of_visits_leaves_rows_that_agree_with_each_other() -> None:
    cache.clear()
    with CaptureQueriesContext(connection) as sent:
        load(today=TODAY)

    # Most are the stories; a customer more of the crowd is none more.
    assert len(sent) < 300
    agreed = Acceptance.objects.select_related("offer", "contract")
    ledger = {what: OfferEvent.objects.filter(what=what).count() for what in ("shown", "declined", "accepted")}
    assert ledger["shown"] == sum(len(one.shown) for one in OfferDecision.objects.all())
    assert ledger["declined"] == sum(len(one.shown) for one in OfferDecision.objects.exclude(declined_at=None))
    assert ledger["accepted"] == agreed.count() == sum(Offer.objects.values_list("taken", flat=True))
    assert Offer.objects.count() == OfferVersion.objects.count() == len(OPTIONS)
    for one in agreed:
        shown = OfferDecision.objects.get(contract=one.contract, place=one.place).shown
        assert one.terms in [entry["terms"] for entry in shown if entry["code"] == one.offer.code]
        if one.kind in {"smaller_plan", "todays_price"}:
            assert one.contract.price_minor == one.terms["price_minor"] < one.before["price_minor"]
    # Nobody pays twice for a day, whatever was agreed.
    for contract in Contract.objects.prefetch_related("payments"):
        days = sorted((row.paid_from, row.paid_to) for row in contract.payments.all())
        assert all(first[1] < second[0] for first, second in pairwise(days))
    assert Cancellation.objects.filter(last_day__lt=TODAY).exclude(state="ended").count() == 0
    # Enough were held out to compare, and they saw nothing but today's price.
    flow = OfferDecision.objects.filter(place=OfferPlace.FLOW)

    held_out = [one for one in flow.filter(held_out=True) if one.shown or "held_out" in one.not_shown.values()]
    assert len(held_out) > 100
    assert {entry["kind"] for one in held_out for entry in one.shown} <= {"todays_price"}
    assert flow.filter(held_out=False).exclude(shown=[]).count() > 150


class Undone(Exception):
    """Take back what was loaded."""


@pytest.mark.django_db
def test_the_same_day_gives_the_same_past() -> None:
    told: list[list[tuple[str, str, str]]] = []
    for _nth in range(2):
        cache.clear()
        with suppress(Undone), transaction.atomic():
            load(today=TODAY)
            rows = Acceptance.objects.order_by("reference").values_list("reference", "offer__code", "state")
            told.append(list(rows))
            raise Undone

    assert told[0] == told[1] != []
