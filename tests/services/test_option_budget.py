"""Real threads on a real database: a budget, a cap and an end hold though everybody clicks at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from cancellation import actions, offer_actions, offering
from cancellation.models import Acceptance, Cancellation, DeskTask, Event, Notice, Offer, OfferEvent, OfferWhat
from cancellation.offer_actions import EndsAlready, NotOpen
from cancellation.offering import Sealed
from cancellation.queries import agreed_of
from cancellation.quotes import Quote, ordinary
from outbox.models import Entry
from subscriptions.models import Contract
from tests.cancellation.option_help import click, holder, make_offer, shown
from tests.factories import NOON, make_contract, make_customer, make_plan

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
BUDGET = 10


@pytest.fixture(autouse=True)
def _fresh_catalogue() -> Iterator[None]:
    if connection.vendor == "sqlite":
        pytest.skip(
            "an in-memory SQLite has one connection; PostgreSQL plays this, and a file test_option_budget_embedded"
        )
    offering.forget_offers()
    yield
    offering.forget_offers()


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Do everything at the same moment, each in a thread with a connection of its own; return what came of each."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(30)
            return act()
        except (EndsAlready, NotOpen) as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def accepting(contract: Contract, sealed: Sealed) -> Callable[[], Acceptance]:
    return lambda: click(contract, sealed)


def test_fifty_at_once_on_a_budget_of_ten_are_ten_and_forty_are_told() -> None:
    many = 50
    make_offer("discount", budget=BUDGET)
    contracts = [make_contract() for _nth in range(many)]
    sealed = [shown(contract, "discount") for contract in contracts]

    told = at_once([accepting(*pair) for pair in zip(contracts, sealed, strict=True)])

    agreed = [row for row in told if isinstance(row, Acceptance)]
    causes = Counter(str(row.cause) for row in told if isinstance(row, NotOpen))
    assert (len(agreed), causes) == (BUDGET, {"budget": many - BUDGET})
    assert Offer.objects.get().taken == Acceptance.objects.count() == BUDGET
    entries = Counter(OfferEvent.objects.exclude(what=OfferWhat.SHOWN).values_list("what", flat=True))
    assert entries == {"accepted": BUDGET, "expired": many - BUDGET}
    # Whoever has it pays less, and nobody else does.
    changed = {row.pk for row in Contract.objects.all() if row.price_changes}
    assert changed == {row.contract_id for row in agreed} == set(Event.objects.values_list("contract", flat=True))
    assert Counter(Entry.objects.values_list("topic", flat=True)) == {"letter": BUDGET, "billing": BUDGET}


def test_one_page_clicked_many_times_at_once_is_one_agreement() -> None:
    make_offer("fix", cap_per_year=50, budget=50)
    contract = make_contract()
    sealed = shown(contract, "fix")

    told = at_once([accepting(contract, sealed)] * 8)

    assert len({row.pk for row in told}) == 1
    assert (Acceptance.objects.count(), DeskTask.objects.count(), Offer.objects.get().taken) == (1, 1, 1)


def test_the_cap_of_a_customer_holds_over_all_their_contracts() -> None:
    customer = make_customer()
    make_offer("pause")
    contracts = [make_contract(customer=customer) for _nth in range(6)]
    sealed = [shown(contract, "pause") for contract in contracts]

    told = at_once([accepting(*pair) for pair in zip(contracts, sealed, strict=True)])

    assert sum(isinstance(row, Acceptance) for row in told) == 1
    assert {str(row.cause) for row in told if isinstance(row, NotOpen)} == {"cap"}
    assert Offer.objects.get().taken == 1


def test_two_prices_for_a_while_at_once_are_one() -> None:
    contract = make_contract()
    make_offer("pause")
    make_offer("discount")
    pages = [shown(contract, "pause"), shown(contract, "discount")]

    told = at_once([accepting(contract, sealed) for sealed in pages])

    assert sum(isinstance(row, Acceptance) for row in told) == 1
    assert len(Contract.objects.get().price_changes) == 1
    assert sum(Offer.objects.values_list("taken", flat=True)) == 1


def notice_of(contract: Contract) -> tuple[Notice, Quote]:
    """Return a recorded notice of a holder, and the quote that they saw."""
    seen = ordinary(agreed_of(Contract.objects.get(pk=contract.pk), NOON), NOON)
    assert seen is not None
    notice = actions.receive_notice(
        contract=contract, shown=seen, received_at=NOON, actor=holder(contract), key=f"k:{contract.pk}",
        locale="en", declaration="I end it.",
    )  # fmt: skip
    return notice, seen


def leaving(contract: Contract) -> Callable[[], Cancellation]:
    """Return the clicks that end a contract."""

    def act() -> Cancellation:
        notice, seen = notice_of(contract)
        return actions.confirm(notice=notice, shown=seen, actor=holder(contract))

    return act


def test_an_end_that_comes_at_the_same_moment_never_loses() -> None:
    make_offer("pause")
    contracts = [make_contract() for _nth in range(10)]
    acts: list[Callable[[], Any]] = []
    for contract in contracts:
        acts += [leaving(contract), accepting(contract, shown(contract, "pause"))]

    told = at_once(acts)

    assert all(isinstance(row, Cancellation) for row in told[::2])
    assert Cancellation.objects.filter(state="scheduled").count() == len(contracts)
    # Either the option came first, stands as agreed and the end counts on it, or it was refused because of the end.
    assert all(isinstance(row, (Acceptance, EndsAlready)) for row in told[1::2])
    assert Offer.objects.get().taken == Acceptance.objects.count()
    for ended, option in zip(told[::2], told[1::2], strict=True):
        assert ended.quote["charges_total"] == [0 if isinstance(option, Acceptance) else 1200, "EUR"]


def test_an_end_that_waits_while_the_plan_is_changed_is_scheduled_all_the_same() -> None:
    contract = make_contract(plan=make_plan(code="large"))
    small = make_plan(code="small")
    notice, seen = notice_of(contract)
    changed = threading.Event()

    def change() -> None:
        with transaction.atomic():
            Contract.objects.filter(pk=contract.pk).update(plan=small)
            changed.set()
            time.sleep(0.5)

    def end() -> Cancellation:
        changed.wait(10)
        return actions.confirm(notice=notice, shown=seen, actor=holder(contract))

    _none, cancellation = at_once([change, end])

    assert isinstance(cancellation, Cancellation)
    assert (Contract.objects.get().plan, cancellation.state) == (small, "scheduled")


def test_what_is_taken_back_while_billing_says_done_is_told_once_and_for_all() -> None:
    make_offer("pause")
    contracts = [make_contract() for _nth in range(5)]
    agreed = [click(contract, shown(contract, "pause")) for contract in contracts]
    acts: list[Callable[[], Any]] = []
    for row in agreed:
        acts += [
            lambda row=row: offer_actions.revert(acceptance_id=row.pk, actor=holder(row.contract), at=NOON, why=""),
            lambda row=row: offer_actions.carried_out(acceptance_id=row.pk, actor=actions.SYSTEM, at=NOON),
        ]

    at_once(acts)

    assert set(Acceptance.objects.values_list("state", flat=True)) == {"reverted"}
    assert Offer.objects.get().taken == 0
    assert OfferEvent.objects.filter(what="reverted").count() == len(contracts)
