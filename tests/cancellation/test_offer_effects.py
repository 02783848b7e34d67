"""What an agreed option changes of a contract, and what is left of it when it is taken back. Pure."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cancellation.models import OfferKind
from cancellation.offer_effects import BY_STAFF, LASTING, PASSING, Standing, prices_after, standing_after, without
from cancellation.offer_rules import MONEY_KINDS, PASSING_KINDS
from subscriptions.prices import PriceChange

TODAY = date(2026, 11, 10)
NOW = Standing(1200, 1200, "large", {"months": 1}, "2025-01-01")
TERMS: dict[str, Any] = {"starts_on": "2026-12-01", "until": "2027-01-31", "price_minor": 600, "currency": "EUR"}


def test_every_kind_does_one_of_three_things() -> None:
    assert sorted([*PASSING, *LASTING, *BY_STAFF]) == sorted(OfferKind.values)
    assert (PASSING, PASSING | LASTING) == (PASSING_KINDS, MONEY_KINDS)


@pytest.mark.parametrize("kind", sorted(PASSING))
def test_a_price_for_a_while_leaves_what_is_agreed_for_good(kind: str) -> None:
    assert standing_after(kind, TERMS, NOW) == NOW
    assert prices_after(kind, TERMS, by="O-1", today=TODAY) == [
        PriceChange(date(2026, 12, 1), date(2027, 1, 31), 600, kind, "O-1")
    ]


@pytest.mark.parametrize("kind", sorted(BY_STAFF))
def test_what_a_person_does_changes_no_figure(kind: str) -> None:
    assert standing_after(kind, {"starts_on": "2026-11-10"}, NOW) == NOW
    assert prices_after(kind, {"starts_on": "2026-11-10"}, by="O-1", today=TODAY) == []


def test_a_smaller_plan_changes_plan_and_price() -> None:
    after = standing_after("smaller_plan", {**TERMS, "until": None, "to_plan": "small"}, NOW)

    assert after == Standing(600, 600, "small", {"months": 1}, "2025-01-01")


def test_todays_price_changes_the_price_alone_and_the_monthly_charge_with_it() -> None:
    yearly = Standing(14_400, 1200, "large", {"months": 12}, "2025-01-01")

    after = standing_after("todays_price", {**TERMS, "price_minor": 12_000}, yearly)

    assert after == Standing(12_000, 1000, "large", {"months": 12}, "2025-01-01")


def test_another_interval_begins_with_its_first_day() -> None:
    after = standing_after("interval", {**TERMS, "months": 12, "price_minor": 12_000}, NOW)

    assert after == Standing(12_000, 1000, "large", {"months": 12}, "2026-12-01")
    assert prices_after("interval", {**TERMS, "months": 12}, by="O-1", today=TODAY) == []


def test_where_the_old_billing_days_stay_billing_days_they_keep_their_number() -> None:
    yearly = Standing(12_000, 1000, "large", {"months": 12}, "2025-01-31")
    terms = {**TERMS, "starts_on": "2027-01-31", "months": 1, "billing_anchor": "2025-01-31"}

    assert standing_after("interval", terms, yearly).billing_anchor == "2025-01-31"
    assert prices_after("interval", terms, by="O-1", today=TODAY) == [
        PriceChange(date(2026, 11, 10), date(2027, 1, 30), 0, "billed", "O-1")
    ]


def test_a_shorter_interval_charges_nothing_for_what_the_longer_one_has_billed() -> None:
    terms = {**TERMS, "starts_on": "2027-04-01", "months": 1}

    assert prices_after("interval", terms, by="O-1", today=TODAY) == [
        PriceChange(date(2026, 11, 10), date(2027, 3, 31), 0, "billed", "O-1")
    ]


def test_taking_back_before_it_begins_leaves_nothing_of_it_and_all_of_the_others() -> None:
    mine = PriceChange(date(2026, 12, 1), date(2027, 1, 31), 0, "pause", "O-1")
    other = PriceChange(date(2026, 10, 1), date(2026, 10, 31), 0, "skip", "O-2")

    assert without([mine.as_dict(), other.as_dict()], by="O-1", today=TODAY) == [other.as_dict()]


def test_taking_back_while_it_runs_keeps_the_price_of_what_has_begun() -> None:
    mine = PriceChange(date(2026, 11, 1), date(2027, 1, 31), 0, "pause", "O-1")

    left = without([mine.as_dict()], by="O-1", today=TODAY)

    assert left == [PriceChange(date(2026, 11, 1), TODAY, 0, "pause", "O-1").as_dict()]


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("discount", {"starts_on": "2026-12-01", "until": "2027-01-31"}),
        ("discount", {**TERMS, "price_minor": -1}),
        ("discount", {**TERMS, "until": None}),
        ("interval", {**TERMS}),
        ("smaller_plan", {**TERMS}),
    ],
)
def test_terms_that_lack_what_their_kind_needs_change_nothing(kind: str, terms: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        standing_after(kind, terms, NOW), prices_after(kind, terms, by="O-1", today=TODAY)
