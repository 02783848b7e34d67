"""Undo: open through the last day and closed after it; what was agreed before stays as it was agreed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from cancellation import actions
from cancellation.models import Acceptance, AcceptanceState, Cancellation, Event, Offer, OfferKind, OfferPlace, State
from cancellation.pages import quote_now
from outbox.models import Entry
from subscriptions.models import Contract
from tests.cancellation.test_pages import let_in, url
from tests.factories import NOON, make_contract

pytestmark = pytest.mark.django_db
HALF_PRICE = [{"from": "2026-12-01", "to": "2027-02-28", "price_minor": 600, "kind": "discount", "by": "O-1"}]


def agreed(contract: Contract) -> Acceptance:
    """Return half the price for three months, as a customer has agreed to it; the contract carries it."""
    offer = Offer.objects.create(code="half", kind=OfferKind.DISCOUNT, valid_from=date(2026, 1, 1))
    contract.price_changes = HALF_PRICE
    contract.save()
    return Acceptance.objects.create(
        idempotency_key="half:1",
        offer=offer,
        version=1,
        kind=offer.kind,
        contract=contract,
        customer=contract.customer,
        place=OfferPlace.PAGE,
        terms={"percent": 50},
        title="Half the price",
        starts_on=date(2026, 12, 1),
        until=date(2027, 2, 28),
        is_passing=True,
        currency="EUR",
        accepted_at=NOON,
        state=AcceptanceState.APPLIED,
    )


def leave(contract: Contract) -> Cancellation:
    """Let the holder leave at noon of 10 November: the last day is 31 December."""
    holder = actions.Actor.customer(contract.customer_id)
    quote = quote_now(contract, NOON)
    notice = actions.receive_notice(
        contract=contract, shown=quote, received_at=NOON, actor=holder, key="k", locale="en", declaration="d"
    )
    return actions.confirm(notice=notice, shown=quote, actor=holder)


def undo(contract: Contract, at: datetime) -> Any:
    with time_machine.travel(at, tick=False):
        return let_in(Client(), contract.customer).post(url(contract, "cancel/undo/"))


def test_what_was_agreed_before_stays_agreed_through_an_end_and_its_undo() -> None:
    contract = make_contract()
    acceptance = agreed(contract)
    before = Acceptance.objects.filter(pk=acceptance.pk).values().get()
    cancellation = leave(contract)

    undo(contract, NOON)

    cancellation.refresh_from_db()
    assert cancellation.state == State.REVOKED
    assert Acceptance.objects.filter(pk=acceptance.pk).values().get() == before
    contract = Contract.objects.get()
    assert contract.price_changes == HALF_PRICE
    again = quote_now(contract, NOON)
    assert again is not None
    # December is charged at the price that was agreed.
    assert again.charges_total.minor == cancellation.quote["charges_total"][0]
    assert again.last_charge is not None
    assert again.last_charge.minor == 600
    billing = Entry.objects.filter(topic="billing").values_list("payload__kind", flat=True)
    assert sorted(billing) == ["end", "undo"]


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(datetime(2026, 12, 31, 0, 30, tzinfo=UTC), id="on-the-morning-of-the-last-day"),
        pytest.param(datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), id="a-second-before-midnight-in-berlin"),
    ],
)
def test_undo_is_open_through_the_last_day(at: datetime) -> None:
    contract = make_contract()
    cancellation = leave(contract)

    answer = undo(contract, at)

    assert answer.url == f"{url(contract)}?undone=1"
    cancellation.refresh_from_db()
    assert (cancellation.state, cancellation.closed_at) == (State.REVOKED, at)
    assert Event.objects.filter(what="undone", actor=f"customer:{contract.customer_id}").count() == 1


def test_a_second_after_the_last_day_it_is_closed_whether_or_not_a_worker_ran() -> None:
    contract = make_contract()
    cancellation = leave(contract)

    assert undo(contract, datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC)).status_code == 409

    cancellation.refresh_from_db()
    assert cancellation.state == State.SCHEDULED
    actions.end_due_contracts(now=datetime(2027, 1, 1, 12, tzinfo=UTC))
    undo(contract, datetime(2027, 1, 1, 13, tzinfo=UTC))
    cancellation.refresh_from_db()
    assert cancellation.state == State.ENDED
    assert not Event.objects.filter(what="undone").exists()
