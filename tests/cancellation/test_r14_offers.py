"""R14, the units: how many options may stand in the guided way of each place, when, and that none presses.

That the cancelling control comes first and is never weaker, and that a no is a no, is measured in a browser.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import time_machine

from cancellation import actions, guidance, offer_words, offering, queries
from cancellation.models import Offer, OfferDecision, OfferKind
from cancellation.offer_rules import Cause
from cancellation.steps import Walk
from subscriptions import places
from subscriptions.lexicon import pressing
from subscriptions.models import Consent, Contract
from tests.factories import NOON, make_contract, make_customer

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
SAID = {"reasons": ["cost-too-high", "outcome-results"], "primary": "cost-too-high"}


@pytest.fixture(autouse=True)
def _five_options() -> Iterator[None]:
    for n in range(5):
        Offer.objects.create(
            code=f"n{n}",
            kind="fix",
            valid_from=date(2026, 1, 1),
            texts={"en": {"title": "Have it solved", "text": "A person looks into it."}},
            reasons=["cost"],
        )
    offering.forget_offers()
    with time_machine.travel(NOON, tick=False):
        yield
    offering.forget_offers()


def contract_in(country: str, region: str = "", **changes: Any) -> Contract:
    return make_contract(country=country, region=region, customer=make_customer(country=country), **changes)


def shown_in_flow(contract: Contract, said: dict[str, Any] | None = None) -> list[str]:
    visit = uuid.uuid4()
    actions.keep_said(key=visit, contract=contract, step="reasons", said=SAID if said is None else said, at=NOON)
    found = queries.contract_of(contract.customer_id, contract.reference, visit, offering.BESIDE())
    assert found is not None
    return [option.code for option in offering.for_visit(Walk(found, contract.customer_id, visit), NOON).options]


def permit(contract: Contract, given: bool, minute: int = 0) -> None:
    Consent.objects.create(
        customer=contract.customer, topic="options", given=given, wording="Show me options.",
        at=NOON.replace(minute=minute), actor="customer:1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("country", "region", "most"),
    [
        pytest.param("DE", "", 0, id="germany-none"),
        pytest.param("PL", "", 1, id="poland-one"),
        pytest.param("JP", "", 1, id="japan-one"),
        pytest.param("US", "MN", 0, id="minnesota-none-without-permission"),
        pytest.param("US", "CA", 3, id="california"),
        pytest.param("US", "NY", 3, id="new-york"),
        pytest.param("FR", "", 3, id="france"),
        pytest.param("GB", "", 3, id="united-kingdom"),
        pytest.param("AT", "", 3, id="a-member-of-the-union-without-rules-of-its-own"),
        pytest.param("", "", 3, id="nowhere-in-particular"),
    ],
)
def test_as_many_options_as_the_place_allows(country: str, region: str, most: int) -> None:
    contract = contract_in(country, region)

    assert shown_in_flow(contract) == [f"n{n}" for n in range(most)]
    assert offering.may_stand_in_flow(contract, TODAY) is (most > 0)
    causes = OfferDecision.objects.get().not_shown
    assert causes == {f"n{n}": "beyond_limit" if most else "place_forbids" for n in range(most, 5)}


@pytest.mark.parametrize("region", ["", "MN"])
@pytest.mark.parametrize("country", ["DE", "PL", "US"])
def test_every_option_is_open_without_leaving_everywhere(country: str, region: str) -> None:
    shown = offering.for_page(contract_in(country, region), NOON, "en")

    assert [option.code for option in shown.options] == ["n0", "n1", "n2", "n3", "n4"]


@pytest.mark.parametrize(
    ("answers", "stands"),
    [([], False), ([False], False), ([True], True), ([True, False], False), ([False, True], True)],
)
def test_minnesota_asks_for_permission_and_the_newest_answer_counts(answers: list[bool], stands: bool) -> None:
    contract = contract_in("US", "MN")
    for minute, given in enumerate(answers):
        permit(contract, given, minute)

    assert offering.may_stand_in_flow(Contract.objects.get(), TODAY) is stands
    assert len(shown_in_flow(contract)) == (3 if stands else 0)


def test_the_permission_of_somebody_else_or_for_something_else_is_none() -> None:
    contract = contract_in("US", "MN")
    permit(contract_in("US", "MN"), True)
    Consent.objects.create(
        customer=contract.customer, topic="news", given=True, wording="News.", at=NOON, actor="customer:1"
    )

    assert shown_in_flow(contract) == []


@pytest.mark.parametrize("said", [{}, {"reasons": [], "primary": ""}, {"words": "too dear", "elsewhere": "yes"}])
def test_none_without_a_stated_reason(said: dict[str, Any]) -> None:
    contract = contract_in("GB")

    assert shown_in_flow(contract, said) == []
    assert set(OfferDecision.objects.get().not_shown.values()) == {"nothing_said"}


def test_none_for_a_reason_that_they_do_not_answer() -> None:
    assert shown_in_flow(contract_in("GB"), {"reasons": ["circumstance-moved"], "primary": ""}) == []


@pytest.mark.parametrize(("country", "most"), [("DE", 3), ("PL", 3)])
def test_what_protects_consumers_does_not_bind_a_business_contract(country: str, most: int) -> None:
    contract = contract_in(country, is_consumer=False)

    assert offering.limit_in_flow(contract, TODAY) == most
    assert len(shown_in_flow(contract)) == most


def test_an_operator_may_show_fewer_but_a_place_that_forbids_them_cannot_be_opened(
    tmp_path: Path, settings: Any
) -> None:
    """Overrides are kinder or refused: what a pack forbids cannot be enabled."""

    def override(code: str, value: str) -> None:
        (tmp_path / f"{code}.toml").write_text(
            f'[[offer_rules]]\nsince = 2026-01-01\nvalue = {value}\nunit = "offers"\nsource = "our board"\n'
            'confidence = "C"\nreview_on = 2027-01-01\nbasis = "ours"\n'
        )

    override("default", '{ on_door = false, guided_max = 1, condition = "none" }')
    override("de", '{ on_door = false, guided_max = 3, condition = "none" }')
    override("us-mn", '{ on_door = false, guided_max = 3, condition = "none" }')
    settings.POLICY_OVERRIDES = str(tmp_path)
    faults = places.reload()

    try:
        limits = [
            offering.may_stand_in_flow(contract_in(country, region), TODAY)
            and shown_in_flow(contract_in(country, region))
            for country, region in [("GB", ""), ("DE", ""), ("US", "MN")]
        ]
    finally:
        settings.POLICY_OVERRIDES = ""
        places.reload()

    assert limits == [["n0"], False, False]
    assert sorted(fault.file for fault in faults) == ["de.toml (yours)", "us-mn.toml (yours)"]


def test_whether_options_may_stand_is_no_where_nobody_can_say(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    contract = contract_in("GB")

    def broken(*_given: Any) -> Any:
        raise OSError("no packs")

    monkeypatch.setattr(guidance, "pack_for", broken)

    assert offering.may_stand_in_flow(contract, TODAY) is False
    assert "could not be told" in caplog.text


def test_no_word_of_ours_about_an_option_presses() -> None:
    figures = {
        "starts_on": "2026-12-01", "until": "2027-01-31", "currency": "EUR", "billing": {"months": 1},
        "billing_before": {"months": 1}, "price_minor": 0, "price_before_minor": 1200, "price_after_minor": 1200,
        "periods": 2, "percent": 10, "months": 2, "to_plan_name": "Small", "minutes": 30,
    }  # fmt: skip
    told = [
        words
        for kind in OfferKind.values
        for words in (
            offer_words.title(kind),
            *offer_words.lines(kind, figures),
            *offer_words.lines(kind, figures | {"price_minor": 900}),
            offer_words.afterwards(kind, figures),
        )
    ]

    assert len(told) > 40
    assert [words for words in told if pressing(words)] == []


def test_every_cause_has_words_for_staff() -> None:
    assert len({offer_words.cause(cause) for cause in Cause}) == len(Cause)
    assert offer_words.cause("of-an-older-version") == "of-an-older-version"
