"""The notice path against a real database: recorded first, once, never worse than shown, undone, ended."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db.utils import IntegrityError

from cancellation import actions
from cancellation.models import Cancellation, Event, Notice, State
from cancellation.queries import agreed_of
from cancellation.quotes import Quote, ordinary
from outbox.models import Entry
from subscriptions.models import Contract
from tests.factories import NOON, make_contract, pay, terms_dict

pytestmark = pytest.mark.django_db
HOLDER = actions.Actor("customer:1")


def shown_to(contract: Contract, at: datetime = NOON) -> Quote:
    quote = ordinary(agreed_of(contract), at)
    assert quote is not None
    return quote


def receive(contract: Contract, shown: Quote | None, at: datetime = NOON, key: str = "visit:0") -> Notice:
    return actions.receive_notice(
        contract=contract, shown=shown, received_at=at, actor=HOLDER, key=key, locale="de", declaration="I end it."
    )


def leave(contract: Contract, at: datetime = NOON, **more: Any) -> Cancellation:
    shown = shown_to(contract, at)
    return actions.confirm(notice=receive(contract, shown, at), shown=shown, actor=HOLDER, **more)


def test_a_notice_schedules_the_end_that_was_shown() -> None:
    contract = make_contract()
    pay(contract, "2026-11-01", "2027-10-31", 12_000)

    cancellation = leave(contract)

    assert cancellation.last_day == date(2026, 12, 31)
    assert cancellation.refund_minor == 10_000
    assert cancellation.state == State.SCHEDULED
    assert [event.what for event in Event.objects.order_by("pk")] == ["notice received", "end scheduled"]
    promised = set(Entry.objects.values_list("topic", "dedupe_key"))
    assert promised == {
        ("settle", f"settle:{cancellation.notice_id}"),
        ("letter", f"end-confirmed:{cancellation.pk}"),
        ("billing", f"billing-end:{cancellation.pk}"),
    }


def test_what_was_said_travels_by_the_outbox_alone() -> None:
    cancellation = leave(make_contract(), said={"reasons": ["too-expensive"], "words": "Grüße"})

    entry = Entry.objects.get(topic="said")
    assert entry.payload["cancellation_id"] == cancellation.pk
    assert entry.payload["said"] == {"reasons": ["too-expensive"], "words": "Grüße"}


def test_confirming_twice_keeps_the_first_last_day() -> None:
    contract = make_contract()
    shown = shown_to(contract)
    notice = receive(contract, shown)
    first = actions.confirm(notice=notice, shown=shown, actor=HOLDER)

    later = NOON + timedelta(days=40)
    again = actions.confirm(
        notice=receive(contract, shown_to(contract, later), later, key="visit:1"),
        shown=shown_to(contract, later),
        actor=HOLDER,
    )

    assert again.pk == first.pk
    assert Cancellation.objects.count() == 1
    assert Entry.objects.filter(topic="letter").count() == 1


def test_the_same_click_twice_is_one_notice_with_the_first_instant() -> None:
    contract = make_contract()
    shown = shown_to(contract)

    first = receive(contract, shown)
    second = receive(contract, shown, NOON + timedelta(seconds=3))

    assert second.pk == first.pk
    assert second.received_at == NOON


def test_a_worse_quote_is_asked_again_while_the_notice_stands() -> None:
    contract = make_contract()
    shown = shown_to(contract, datetime(2026, 11, 30, 12, tzinfo=UTC))
    after_midnight = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # 1 December in Berlin
    notice = receive(contract, shown, after_midnight)

    with pytest.raises(actions.QuoteChanged) as changed:
        actions.confirm(notice=notice, shown=shown, actor=HOLDER)
    actions.hold(notice=notice, quote=changed.value.quote)
    actions.hold(notice=notice, quote=changed.value.quote)

    assert changed.value.quote.last_day == date(2027, 1, 31)
    assert Notice.objects.get().received_at == after_midnight
    assert not Cancellation.objects.exists()
    assert Entry.objects.filter(dedupe_key=f"notice-stands:{notice.pk}").count() == 1
    assert Event.objects.filter(what="waits for the holder").count() == 1

    chosen = actions.confirm(notice=notice, shown=changed.value.quote, actor=HOLDER)
    assert chosen.last_day == date(2027, 1, 31)


def test_a_better_quote_is_taken_at_once() -> None:
    contract = make_contract()
    shown = shown_to(contract)
    pay(contract, "2026-11-01", "2027-10-31", 12_000)
    contract = Contract.objects.get()

    cancellation = actions.confirm(notice=receive(contract, shown), shown=shown, actor=HOLDER)

    assert cancellation.refund_minor == 10_000


def test_without_a_readable_quote_the_notice_is_recorded_and_the_holder_asked() -> None:
    contract = make_contract()
    notice = receive(contract, None)

    with pytest.raises(actions.QuoteChanged):
        actions.confirm(notice=notice, shown=None, actor=HOLDER)

    assert Notice.objects.count() == 1


def test_a_contract_that_ended_by_itself_keeps_the_notice_and_schedules_nothing() -> None:
    contract = make_contract(terms=terms_dict(initial_term={"months": 12}, renewal="none"))
    notice = receive(contract, None)

    with pytest.raises(actions.NothingToEnd):
        actions.confirm(notice=notice, shown=None, actor=HOLDER)
    assert actions.close(notice=notice, actor=HOLDER, why=actions.ENDED_BY_ITSELF)
    assert not actions.close(notice=notice, actor=HOLDER, why=actions.ENDED_BY_ITSELF)

    assert not Cancellation.objects.exists()
    assert Event.objects.get().why == "the contract had ended by itself"


def test_undo_is_an_event_and_erases_nothing() -> None:
    contract = make_contract()
    cancellation = leave(contract)

    actions.revoke(cancellation_id=cancellation.pk, actor=HOLDER, at=NOON + timedelta(days=1))

    cancellation.refresh_from_db()
    assert cancellation.state == State.REVOKED
    assert Notice.objects.count() == 1
    assert Event.objects.filter(what="undone", before="scheduled", after="revoked").count() == 1
    assert Entry.objects.filter(dedupe_key=f"undo-confirmed:{cancellation.pk}").exists()
    with pytest.raises(actions.CannotRevoke):
        actions.revoke(cancellation_id=cancellation.pk, actor=HOLDER, at=NOON + timedelta(days=1))


def test_after_an_undo_the_contract_can_be_ended_again() -> None:
    contract = make_contract()
    first = leave(contract)
    actions.revoke(cancellation_id=first.pk, actor=HOLDER, at=NOON)

    shown = shown_to(contract)
    second = actions.confirm(notice=receive(contract, shown, key="visit:1"), shown=shown, actor=HOLDER)

    assert second.pk != first.pk
    assert second.state == State.SCHEDULED


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        pytest.param(datetime(2026, 12, 31, 22, 59, tzinfo=UTC), True, id="last-minute-in-berlin"),
        pytest.param(datetime(2026, 12, 31, 23, 0, tzinfo=UTC), False, id="midnight-in-berlin"),
    ],
)
def test_undo_is_open_until_the_last_day_is_over_in_the_contracts_zone(at: datetime, allowed: bool) -> None:
    cancellation = leave(make_contract())

    if allowed:
        assert actions.revoke(cancellation_id=cancellation.pk, actor=HOLDER, at=at).state == State.REVOKED
    else:
        with pytest.raises(actions.CannotRevoke):
            actions.revoke(cancellation_id=cancellation.pk, actor=HOLDER, at=at)


def test_due_contracts_end_in_their_own_zone_and_missed_days_are_caught_up() -> None:
    berlin = leave(make_contract())
    before = datetime(2026, 12, 31, 22, 59, tzinfo=UTC)

    assert actions.end_due_contracts(now=before) == 0
    assert actions.end_due_contracts(now=before + timedelta(days=9)) == 1
    assert actions.end_due_contracts(now=before + timedelta(days=9)) == 0

    berlin.refresh_from_db()
    assert berlin.state == State.ENDED
    assert Event.objects.filter(what="ended", actor="system").count() == 1


def test_two_unrevoked_cancellations_of_one_contract_are_impossible() -> None:
    cancellation = leave(make_contract())

    with pytest.raises(IntegrityError):
        Cancellation.objects.create(
            contract=cancellation.contract,
            received_on=cancellation.received_on,
            last_day=cancellation.last_day,
            currency="EUR",
        )


def test_a_notice_that_was_left_behind_by_a_crash_is_settled() -> None:
    contract = make_contract()
    notice = receive(contract, shown_to(contract))

    actions.settle(notice_id=notice.pk)
    actions.settle(notice_id=notice.pk)

    assert Cancellation.objects.get().notice_id == notice.pk
    assert Entry.objects.filter(topic="letter").count() == 1


def test_settling_never_schedules_what_is_worse_than_shown() -> None:
    contract = make_contract()
    shown = shown_to(contract, datetime(2026, 11, 30, 12, tzinfo=UTC))
    notice = receive(contract, shown, datetime(2026, 12, 1, 12, tzinfo=UTC))

    actions.settle(notice_id=notice.pk)

    assert not Cancellation.objects.exists()
    assert Entry.objects.filter(dedupe_key=f"notice-stands:{notice.pk}").exists()


def test_settling_leaves_an_undone_notice_alone() -> None:
    contract = make_contract()
    cancellation = leave(contract)
    actions.revoke(cancellation_id=cancellation.pk, actor=HOLDER, at=NOON)

    actions.settle(notice_id=cancellation.notice_id or 0)

    assert Cancellation.objects.get().state == State.REVOKED


def test_payments_in_another_currency_do_not_stop_the_act_and_are_not_forgotten() -> None:
    contract = make_contract()
    pay(contract, "2026-11-01", "2027-10-31", 12_000, currency="JPY")

    cancellation = leave(contract)

    assert cancellation.refund_minor == 0
    assert Entry.objects.get(topic="billing").payload["other_refunds"] == [[10_000, "JPY"]]


def test_a_year_paid_ahead_is_found_behind_many_small_payments() -> None:
    contract = make_contract()
    pay(contract, "2026-01-01", "2027-12-31", 24_000)
    for week in range(60):
        day = date(2025, 10, 1) + timedelta(days=7 * week)
        pay(contract, day.isoformat(), (day + timedelta(days=6)).isoformat(), 100)

    assert leave(contract).refund_minor == 12_000


def test_facts_and_promises_fall_together(django_capture_on_commit_callbacks: Any, monkeypatch: Any) -> None:
    contract = make_contract()
    shown = shown_to(contract)
    notice = receive(contract, shown)

    def broken(*args: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(actions, "_promises_of", broken)
    with pytest.raises(RuntimeError):
        actions.confirm(notice=notice, shown=shown, actor=HOLDER)

    assert Notice.objects.count() == 1
    assert not Cancellation.objects.exists()
    assert not Event.objects.exists()
    assert not Entry.objects.filter(topic="letter").exists()
