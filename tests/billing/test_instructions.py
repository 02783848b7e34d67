"""What the billing side has to do: once, in any order, and nothing that was undone meanwhile."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from billing.instructions import handle
from billing.models import Instruction, Kind, Outcome
from outbox import registry
from tests.factories import make_contract

pytestmark = pytest.mark.django_db


@pytest.fixture
def end() -> dict[str, Any]:
    """Return the facts of an end with a refund."""
    return {
        "kind": "end",
        "contract_id": make_contract().pk,
        "cancellation_id": 7,
        "last_day": "2026-12-31",
        "refund_minor": 10_000,
        "fee_minor": 0,
        "currency": "EUR",
    }


@pytest.fixture
def undo(end: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of the undo of that end."""
    return {**end, "kind": "undo"}


def standing() -> list[tuple[str, str, int]]:
    return list(Instruction.objects.order_by("key").values_list("kind", "outcome", "amount_minor"))


def test_an_end_with_a_refund_is_two_things_to_do(end: dict[str, Any]) -> None:
    handle(1, end)

    assert standing() == [(Kind.END, Outcome.OPEN, 0), (Kind.REFUND, Outcome.OPEN, 10_000)]
    refund = Instruction.objects.get(kind=Kind.REFUND)
    assert (refund.on_day, refund.currency, refund.cancellation_id) == (date(2026, 12, 31), "EUR", 7)
    assert (refund.contract_id, refund.system, refund.done_at) == (end["contract_id"], "by-hand", None)


def test_an_end_without_a_refund_is_one(end: dict[str, Any]) -> None:
    handle(1, {**end, "refund_minor": 0})

    assert standing() == [(Kind.END, Outcome.OPEN, 0)]


def test_the_same_entry_twice_changes_nothing(end: dict[str, Any]) -> None:
    handle(1, end)
    Instruction.objects.filter(kind=Kind.END).update(outcome=Outcome.DONE)

    handle(1, end)

    assert standing() == [(Kind.END, Outcome.DONE, 0), (Kind.REFUND, Outcome.OPEN, 10_000)]


def test_an_undo_drops_what_nobody_has_done_yet(end: dict[str, Any], undo: dict[str, Any]) -> None:
    handle(1, end)

    handle(2, undo)

    assert standing() == [
        (Kind.END, Outcome.DROPPED, 0),
        (Kind.REFUND, Outcome.DROPPED, 10_000),
        (Kind.UNDO, Outcome.DROPPED, 0),
    ]


def test_an_undo_takes_back_what_was_done_already(end: dict[str, Any], undo: dict[str, Any]) -> None:
    handle(1, end)
    Instruction.objects.update(outcome=Outcome.DONE)

    handle(2, undo)

    assert standing() == [
        (Kind.END, Outcome.DONE, 0),
        (Kind.REFUND, Outcome.DONE, 10_000),
        (Kind.UNDO, Outcome.OPEN, 10_000),
    ]


def test_an_undo_of_an_end_whose_refund_was_not_paid_takes_back_no_money(
    end: dict[str, Any], undo: dict[str, Any]
) -> None:
    handle(1, end)
    Instruction.objects.filter(kind=Kind.END).update(outcome=Outcome.DONE)

    handle(2, undo)

    assert standing() == [
        (Kind.END, Outcome.DONE, 0),
        (Kind.REFUND, Outcome.DROPPED, 10_000),
        (Kind.UNDO, Outcome.OPEN, 0),
    ]


@pytest.mark.parametrize("order", list(permutations(["end", "end", "undo", "undo"], 4))[::5])
def test_in_whatever_order_they_come_an_undone_end_leaves_nothing_to_do(
    end: dict[str, Any], undo: dict[str, Any], order: tuple[str, ...]
) -> None:
    for kind in order:
        handle(1, {"end": end, "undo": undo}[kind])

    assert Instruction.objects.filter(outcome=Outcome.OPEN).count() == 0
    assert sorted(kind for kind, *_ in standing()) == [Kind.END, Kind.REFUND, Kind.UNDO]


def test_another_cancellation_of_the_contract_is_not_touched(end: dict[str, Any], undo: dict[str, Any]) -> None:
    handle(1, end)
    handle(2, {**end, "cancellation_id": 8, "refund_minor": 0})

    handle(3, undo)

    assert Instruction.objects.get(cancellation_id=8).outcome == Outcome.OPEN


def test_an_end_that_comes_after_its_move_pays_nothing_a_second_time(end: dict[str, Any]) -> None:
    handle(1, {**end, "kind": "move", "number": 1, "last_day": "2026-11-30", "refund_minor": 12_000})
    handle(2, end)

    assert standing() == [
        ("end", "dropped", 0),
        ("end", "open", 0),
        ("refund", "dropped", 10_000),
        ("refund", "open", 12_000),
    ]


def test_billing_is_handled() -> None:
    assert registry.topic_for("billing").handler is handle
