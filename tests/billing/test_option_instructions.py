"""What billing has to do for an agreed option, what it says of it, and how that reaches the agreement."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from billing import results
from billing.instructions import handle
from billing.models import Instruction, Kind, Outcome
from cancellation import desk, offer_actions, offering
from cancellation.actions import Actor
from cancellation.models import Acceptance, DeskTask, Event, OfferEvent
from messaging.models import Letter
from outbox import drain
from outbox.models import Entry
from subscriptions.models import Contract
from tests.cancellation.option_help import agree, make_offer, make_price
from tests.factories import NOON, make_contract, make_plan

pytestmark = pytest.mark.django_db
CLERK = Actor.staff("carl")


@pytest.fixture(autouse=True)
def _fresh_catalogue() -> None:
    offering.forget_offers()


@pytest.fixture
def option() -> dict[str, Any]:
    """Return the facts of an agreed pause."""
    return {
        "kind": "option",
        "contract_id": make_contract().pk,
        "acceptance_id": 7,
        "what": "pause",
        "on_day": "2026-12-01",
        "price_minor": 200,
        "currency": "EUR",
        "facts": {"reference": "O-1", "until": "2027-01-31"},
    }


def standing() -> list[tuple[str, str]]:
    return list(Instruction.objects.order_by("pk").values_list("kind", "outcome"))


def test_an_option_is_one_thing_to_do_whenever_it_is_told(option: dict[str, Any]) -> None:
    handle(1, option)
    handle(1, option)

    row = Instruction.objects.get()
    assert (row.kind, row.on_day, row.amount_minor, row.currency, row.facts, row.outcome, row.done_at) == (
        Kind.PAUSE, date(2026, 12, 1), 200, "EUR", {"reference": "O-1", "until": "2027-01-31"}, Outcome.OPEN, None,
    )  # fmt: skip
    assert (row.acceptance_id, row.cancellation_id, row.contract_id) == (7, None, option["contract_id"])


def test_what_is_taken_back_before_it_was_done_is_dropped(option: dict[str, Any]) -> None:
    handle(1, option)

    handle(2, option | {"kind": "option-back"})

    assert standing() == [(Kind.PAUSE, Outcome.DROPPED), (Kind.RESTORE, Outcome.DROPPED)]


def test_what_was_done_already_is_put_back(option: dict[str, Any]) -> None:
    handle(1, option)
    Instruction.objects.update(outcome=Outcome.DONE)

    handle(2, option | {"kind": "option-back", "price_minor": 1200, "facts": {"price_minor": 1200}})

    assert standing() == [(Kind.PAUSE, Outcome.DONE), (Kind.RESTORE, Outcome.OPEN)]
    assert Instruction.objects.get(kind=Kind.RESTORE).facts == {"price_minor": 1200}


def test_what_failed_and_is_taken_back_leaves_nothing_to_do(option: dict[str, Any]) -> None:
    handle(1, option)
    Instruction.objects.update(outcome=Outcome.FAILED)

    handle(2, option | {"kind": "option-back"})

    assert standing() == [(Kind.PAUSE, Outcome.DROPPED), (Kind.RESTORE, Outcome.DROPPED)]


@pytest.mark.parametrize("order", sorted(set(permutations(["option", "option", "option-back", "option-back"]))))
def test_in_whatever_order_they_come_an_option_taken_back_leaves_nothing_to_do(
    option: dict[str, Any], order: tuple[str, ...]
) -> None:
    for kind in order:
        handle(1, option | {"kind": kind})

    assert sorted(standing()) == [(Kind.PAUSE, Outcome.DROPPED), (Kind.RESTORE, Outcome.DROPPED)]


def test_another_option_and_the_end_of_the_contract_are_not_touched(option: dict[str, Any]) -> None:
    end = {
        "kind": "end", "contract_id": option["contract_id"], "cancellation_id": 7, "last_day": "2026-12-31",
        "refund_minor": 0, "fee_minor": 0, "currency": "EUR",
    }  # fmt: skip
    handle(1, option)
    handle(2, option | {"acceptance_id": 8})
    handle(3, end)

    handle(4, option | {"kind": "option-back"})
    handle(5, end | {"kind": "undo"})

    left = Instruction.objects.filter(outcome=Outcome.OPEN)
    assert list(left.values_list("kind", "acceptance_id")) == [(Kind.PAUSE, 8)]


# ---------------------------------------------------------------- the whole way


def agreed(kind: str) -> Acceptance:
    """Return an option that a customer has agreed to, with everything sent that was promised."""
    contract = make_contract(plan=make_plan(code="large"))
    make_price(contract.plan, 900)
    make_price(make_plan(code="small"), 500)
    make_offer(kind)
    acceptance = agree(contract, kind)
    drain.drain()
    return acceptance


@pytest.mark.parametrize(
    ("kind", "what", "amount"),
    [
        ("pause", Kind.PAUSE, 0),
        ("discount", Kind.DISCOUNT, 600),
        ("free_period", Kind.DISCOUNT, 0),
        ("skip", Kind.SKIP, 0),
        ("smaller_plan", Kind.PLAN, 500),
        ("todays_price", Kind.PRICE, 900),
        ("interval", Kind.INTERVAL, 12_000),
    ],
)
def test_from_the_yes_to_billing_and_back(kind: str, what: Kind, amount: int) -> None:
    acceptance = agreed(kind)
    instruction = Instruction.objects.get()

    assert desk.mark_done(ids=[instruction.pk], actor=CLERK, at=NOON) == 1
    drain.drain()

    instruction.refresh_from_db()
    acceptance.refresh_from_db()
    assert (instruction.kind, instruction.amount_minor, instruction.on_day, instruction.outcome) == (
        what, amount, date(2026, 12, 1), Outcome.DONE,
    )  # fmt: skip
    assert instruction.facts["reference"] == acceptance.reference
    assert acceptance.state == "applied"
    applied = OfferEvent.objects.get(what="applied")
    assert (applied.actor, applied.at, applied.acceptance) == ("staff:carl", NOON, acceptance)
    assert Event.objects.filter(what="instruction done", contract=acceptance.contract).count() == 1
    assert list(Letter.objects.values_list("kind", flat=True)) == ["option-agreed"]
    assert not Entry.objects.filter(delivered_at__isnull=True).exists()


@pytest.mark.parametrize("kind", ["help_session", "fix", "hand_over"])
def test_what_a_person_does_is_nothing_for_billing(kind: str) -> None:
    agreed(kind)

    assert not Instruction.objects.exists()


def test_a_failure_is_said_once_with_an_urgent_task_and_can_still_be_put_right() -> None:
    acceptance = agreed("discount")
    instruction = Instruction.objects.get()

    told = [desk.mark_failed(ids=[instruction.pk], actor=CLERK, at=NOON, why="no such tariff") for _nth in range(2)]
    drain.drain()

    instruction.refresh_from_db()
    acceptance.refresh_from_db()
    assert told == [1, 0]
    assert (instruction.outcome, instruction.fault) == (Outcome.FAILED, "no such tariff")
    assert (acceptance.state, acceptance.fault) == ("failed", "no such tariff")
    assert DeskTask.objects.filter(kind="billing", is_urgent=True, done_at__isnull=True).count() == 1
    assert sorted(Letter.objects.values_list("kind", flat=True)) == ["option-agreed", "option-failed"]
    assert Contract.objects.get().price_changes[0]["price_minor"] == 600

    assert desk.mark_done(ids=[instruction.pk], actor=CLERK, at=NOON) == 1
    drain.drain()

    acceptance.refresh_from_db()
    instruction.refresh_from_db()
    assert (acceptance.state, acceptance.fault, instruction.fault) == ("applied", "", "")
    assert not DeskTask.objects.filter(done_at__isnull=True).exists()
    assert list(OfferEvent.objects.order_by("pk").values_list("what", flat=True)) == [
        "shown", "accepted", "failed", "applied",
    ]  # fmt: skip


def test_what_was_done_is_put_back_when_it_is_taken_back() -> None:
    acceptance = agreed("smaller_plan")
    desk.mark_done(ids=[Instruction.objects.get().pk], actor=CLERK, at=NOON)
    drain.drain()

    offer_actions.revert(acceptance_id=acceptance.pk, actor=CLERK, at=NOON, why="by phone")
    drain.drain()

    restore = Instruction.objects.get(kind=Kind.RESTORE)
    assert (restore.outcome, restore.amount_minor, restore.facts["plan"]) == (Outcome.OPEN, 1200, "large")
    assert desk.mark_done(ids=[restore.pk], actor=CLERK, at=NOON) == 1
    drain.drain()
    acceptance.refresh_from_db()
    assert acceptance.state == "reverted"
    assert sorted(Letter.objects.values_list("kind", flat=True)) == ["option-agreed", "option-taken-back"]


def test_an_end_is_never_given_up() -> None:
    contract = make_contract()
    end = Instruction.objects.create(
        key="end", contract=contract, cancellation_id=7, kind=Kind.END, on_day=date(2026, 12, 31), currency="EUR"
    )

    assert desk.mark_failed(ids=[end.pk], actor=CLERK, at=NOON, why="system down") == 0
    assert not results.could_not(instruction=end, actor="adapter", at=NOON, why="system down")

    end.refresh_from_db()
    assert (end.outcome, end.fault) == (Outcome.OPEN, "")
    assert not Entry.objects.exists()


def test_a_result_that_is_heard_twice_changes_nothing() -> None:
    acceptance = agreed("pause")
    desk.mark_done(ids=[Instruction.objects.get().pk], actor=CLERK, at=NOON)
    payload = Entry.objects.get(topic=results.TOPIC).payload

    offer_actions.hear(payload)
    offer_actions.hear(payload)

    assert OfferEvent.objects.filter(what="applied", acceptance=acceptance).count() == 1
