"""Leaving after an option: charges to come follow what was agreed, what comes back follows what was really paid."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cancellation import offering, ways
from cancellation.queries import agreed_of
from cancellation.quotes import Quote, ordinary
from subscriptions.amounts import Money
from subscriptions.models import Contract
from tests.cancellation.option_help import agree, make_offer, make_price
from tests.factories import NOON, make_contract, make_plan, pay, terms_dict

pytestmark = pytest.mark.django_db
# Three years among businesses: a notice of November 2026 reaches 31 December 2027, and no law shortens that.
FIXED = terms_dict(initial_term={"months": 36}, renewal={"months": 12}, notice={"months": 1})


@pytest.fixture(autouse=True)
def _fresh_catalogue() -> None:
    offering.forget_offers()


def quote(contract: Contract, at: datetime = NOON) -> Quote:
    told = ordinary(agreed_of(Contract.objects.get(pk=contract.pk), at), at)
    assert told is not None
    return told


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def yen(minor: int) -> Money:
    return Money(minor, "JPY")


def fixed(**changes: Any) -> Contract:
    """Return a contract that runs to the end of 2027 whatever is said, with nothing paid ahead."""
    return make_contract(**{"terms": FIXED, "plan": make_plan(code="large"), "is_consumer": False, **changes})


def test_without_an_option_thirteen_payments_are_to_come() -> None:
    told = quote(fixed())

    assert (told.last_day, told.charges, told.charges_total) == (date(2027, 12, 31), 13, eur(13 * 1200))


@pytest.mark.parametrize(
    ("kind", "charges", "total"),
    [
        pytest.param("pause", 11, 11 * 1200, id="two-months-of-pause-cost-nothing"),
        pytest.param("discount", 13, 3 * 600 + 10 * 1200, id="three-payments-cost-half"),
        pytest.param("free_period", 12, 12 * 1200, id="one-payment-falls-away"),
        pytest.param("skip", 12, 12 * 1200, id="one-period-is-skipped"),
        pytest.param("smaller_plan", 13, 13 * 500, id="the-smaller-plan-from-the-next-payment-on"),
        pytest.param("todays_price", 13, 13 * 900, id="todays-price-from-the-next-payment-on"),
        # A year from 1 December 2026, and one month of the second year, of which eleven months come back.
        pytest.param("interval", 2, 12_000 + 1000, id="a-year-at-once-and-the-month-after"),
    ],
)
def test_what_is_to_come_counts_the_agreed_price_and_the_last_day_stays(kind: str, charges: int, total: int) -> None:
    contract = fixed()
    make_price(make_plan(code="small"), 500)
    make_price(contract.plan, 900)
    make_offer(kind)

    agree(contract, kind)

    told = quote(contract)
    assert (told.last_day, told.charges, told.charges_total) == (date(2027, 12, 31), charges, eur(total))
    assert told.refund == told.fee == eur(0)


def test_a_pause_with_a_price_of_its_own_costs_that() -> None:
    contract = fixed()
    make_offer("pause", terms={"months": 2, "price_minor": 200, "currency": "EUR"})

    agree(contract, "pause")

    assert quote(contract).charges_total == eur(2 * 200 + 11 * 1200)


def test_after_the_pause_the_agreed_price_counts_again() -> None:
    contract = fixed()
    make_offer("pause")
    agree(contract, "pause")

    told = quote(contract, datetime(2027, 1, 15, 12, tzinfo=UTC))

    assert (told.charges, told.charges_total) == (11, eur(11 * 1200))


def test_what_was_paid_before_the_pause_comes_back_as_it_was_paid() -> None:
    contract = make_contract(terms=terms_dict(billing={"months": 12}, billing_anchor="2026-10-01"), price_minor=14_400)
    pay(contract, "2026-10-01", "2027-09-30", 14_400)
    make_offer("free_period")
    acceptance = agree(contract, "free_period")

    told = quote(contract)

    assert acceptance.starts_on == date(2027, 10, 1)
    assert (told.last_day, told.refund, told.charges) == (date(2026, 12, 31), eur(9 * 1200), 0)


def test_of_a_reduced_payment_the_reduced_amount_comes_back() -> None:
    contract = make_contract(terms=terms_dict(notice_to="any_day"), refund_policy="daily")
    make_offer("discount")
    agree(contract, "discount")
    pay(contract, "2026-12-01", "2026-12-31", 600)

    told = quote(contract, datetime(2026, 11, 15, 12, tzinfo=UTC))

    # 15 December: 16 of 31 days are unused.
    assert (told.last_day, told.refund, told.charges) == (date(2026, 12, 15), eur(310), 0)


def test_a_smaller_plan_gives_back_what_the_larger_one_was_paid() -> None:
    contract = make_contract(plan=make_plan(code="large"), terms=terms_dict(billing={"months": 3}), price_minor=3600)
    make_price(make_plan(code="small"), 1500)
    pay(contract, "2026-10-01", "2027-03-31", 7200)
    make_offer("smaller_plan", terms={"to_plan": "small", "billing_months": 3})

    agree(contract, "smaller_plan")

    assert quote(contract).refund == eur(3600)


def test_yen_have_no_minor_digits_and_halves_favour_the_customer() -> None:
    contract = make_contract(terms=FIXED | {"timezone": "Asia/Tokyo"}, currency="JPY", price_minor=1501, country="JP")
    make_offer("discount", terms={"percent": 50, "periods": 2})

    agree(contract, "discount")

    assert quote(contract).charges_total == yen(2 * 750 + 11 * 1501)


def test_a_year_in_yen_that_is_cut_short_costs_its_months() -> None:
    contract = make_contract(terms=FIXED | {"timezone": "Asia/Tokyo"}, currency="JPY", price_minor=1500, country="JP")
    make_offer("interval", terms={"months": 12, "prices": {"JPY": 12_001}})

    agree(contract, "interval")

    # Of the second year eleven twelfths come back, rounded up: 12 001 − 11 001.
    assert (quote(contract).charges, quote(contract).charges_total) == (2, yen(12_001 + 1000))


def test_a_shorter_interval_is_not_charged_for_what_the_year_before_has_billed() -> None:
    contract = fixed(terms=FIXED | {"billing": {"months": 12}, "billing_anchor": "2026-07-01"}, price_minor=12_000)
    make_offer("interval", terms={"months": 1, "prices": {"EUR": 990}})
    before = quote(contract)

    acceptance = agree(contract, "interval")

    told = quote(contract)
    assert acceptance.starts_on == date(2027, 7, 1)
    # Half a year from July at 12 000 a year before, six months at 990 now; nothing for December to June.
    assert (before.charges, before.charges_total) == (1, eur(6000))
    assert (told.charges, told.charges_total, told.last_charge_on) == (6, eur(6 * 990), date(2027, 12, 1))


def test_a_shorter_interval_that_is_agreed_on_one_of_its_days_does_not_charge_that_day_either() -> None:
    contract = fixed(terms=FIXED | {"billing": {"months": 12}, "billing_anchor": "2026-07-10"}, price_minor=12_000)
    make_offer("interval", terms={"months": 1, "prices": {"EUR": 990}})
    before = quote(contract)

    agree(contract, "interval")

    told = quote(contract)
    assert (before.charges_total, told.charges_total) == (eur(6000), eur(6 * 990))


def test_a_discount_begins_after_the_days_that_an_interval_before_has_billed() -> None:
    contract = fixed(terms=FIXED | {"billing": {"months": 12}, "billing_anchor": "2026-07-01"}, price_minor=12_000)
    make_offer("interval", terms={"months": 1, "prices": {"EUR": 990}})
    make_offer("discount")
    agree(contract, "interval")

    acceptance = agree(contract, "discount")

    assert (acceptance.starts_on, acceptance.until) == (date(2027, 7, 1), date(2027, 9, 30))
    assert quote(contract).charges_total == eur(3 * 495 + 3 * 990)


def test_another_interval_makes_leaving_neither_later_nor_dearer_from_day_to_day() -> None:
    monthly = make_contract(terms=terms_dict(notice_to="any_day"), refund_policy="daily")
    yearly = make_contract(terms=terms_dict(notice_to="any_day"), refund_policy="daily")
    make_offer("interval")
    agree(yearly, "interval")

    for day in (10, 15, 20, 30):
        at = datetime(2026, 11, day, 12, tzinfo=UTC)
        now, otherwise = quote(monthly, at), quote(yearly, at)
        assert otherwise.last_day == now.last_day
        assert otherwise.cost.minor <= now.cost.minor


@pytest.mark.parametrize(
    "kind", ["pause", "discount", "free_period", "skip", "smaller_plan", "todays_price", "interval"]
)
@pytest.mark.parametrize("policy", ["monthly", "daily"])
def test_leaving_early_never_costs_more_than_staying(kind: str, policy: str) -> None:
    contract = fixed(upfront_cost_minor=60_000, refund_policy=policy)
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    make_price(make_plan(code="small"), 500)
    make_price(contract.plan, 900)
    make_offer(kind)
    agree(contract, kind)
    agreed = agreed_of(Contract.objects.get(pk=contract.pk), NOON)
    usual = ordinary(agreed, NOON)
    assert usual is not None

    for day in (date(2026, 11, 10), date(2026, 12, 15), date(2027, 3, 31), date(2027, 11, 30)):
        early = ways.early(agreed, usual, day)
        assert early.fee.minor >= 0
        assert early.cost.minor <= usual.cost.minor, (day, early.fee_parts)


def test_whoever_pauses_to_the_end_leaves_early_for_nothing() -> None:
    contract = fixed(terms=terms_dict(initial_term={"months": 25}), upfront_cost_minor=60_000)
    make_offer("pause")
    agree(contract, "pause")
    agreed = agreed_of(Contract.objects.get(pk=contract.pk), NOON)
    usual = ordinary(agreed, NOON)
    assert usual is not None
    assert usual.last_day == date(2027, 1, 31)

    early = ways.early(agreed, usual, date(2026, 11, 30))

    assert (usual.cost, early.fee, early.cost) == (eur(0), eur(0), eur(0))
