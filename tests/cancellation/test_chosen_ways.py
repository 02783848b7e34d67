"""The ways out against the database: what is scheduled at once, what a person judges, what moves an end that stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from billing.models import Instruction
from cancellation import actions
from cancellation.models import Act, Cancellation, Channel, DoorFault, Event, Judgement, Notice, NoticeState, State, Way
from cancellation.queries import agreed_of
from cancellation.quotes import Quote
from cancellation.ways import ORDINARY, Wish, asked_for
from outbox.drain import drain
from outbox.models import Entry
from subscriptions.models import Contract, Product
from tests.factories import NOON, make_contract, make_plan, pay, terms_dict

pytestmark = pytest.mark.django_db
HOLDER = actions.Actor("customer:1")
STAFF = actions.Actor("staff:somebody")


@pytest.fixture
def contract() -> Contract:
    """Return two years of fibre for 40.00 a month with 120.00 of up-front cost, in force since May."""
    terms = terms_dict(
        starts_on="2026-05-01", billing_anchor="2026-05-01", initial_term={"months": 24}, notice_to="any_day"
    )
    contract = make_contract(
        terms=terms, price_minor=4000, monthly_charge_minor=4000, upfront_cost_minor=12_000, refund_policy="daily"
    )
    pay(contract, "2026-11-01", "2026-11-30", 4000)
    return contract


def shown_for(contract: Contract, wish: Wish) -> Quote:
    quote = asked_for(agreed_of(contract, NOON), NOON, wish)
    assert quote is not None
    return quote


def notice_of(contract: Contract, key: str = "visit:0", at: datetime = NOON, **more: Any) -> Notice:
    return actions.receive_notice(
        contract=contract,
        shown=None,
        received_at=at,
        actor=HOLDER,
        key=key,
        locale="en",
        declaration="I end it.",
        **more,
    )


def leave(contract: Contract, wish: Wish = ORDINARY, key: str = "visit:0", **more: Any) -> Cancellation:
    notice = notice_of(contract, key, asks=wish.as_dict(), **more)
    return actions.confirm(notice=notice, shown=shown_for(contract, wish), actor=HOLDER, accept_any=bool(more))


def through_a_door(contract: Contract, key: str = "door:0", **more: Any) -> Cancellation:
    notice = notice_of(contract, key, door=actions.Door(Channel.DOOR, "de", "jetzt kündigen"), **more)
    return actions.confirm(notice=notice, shown=None, actor=HOLDER, accept_any=True)


def test_an_early_release_is_scheduled_for_its_day_and_fee(contract: Contract) -> None:
    cancellation = leave(contract, Wish("early_release", date(2026, 11, 30)))

    assert (cancellation.way, cancellation.last_day) == (Way.EARLY_RELEASE, date(2026, 11, 30))
    assert cancellation.fee_minor == 8487
    assert cancellation.judgement == Judgement.NONE
    drain()
    kinds = set(Instruction.objects.values_list("kind", "amount_minor"))
    assert kinds == {("end", 0), ("fee", 8487)}


def test_a_later_day_is_scheduled_as_it_was_wished(contract: Contract) -> None:
    cancellation = leave(contract, Wish("later", date(2028, 6, 15)))

    assert (cancellation.way, cancellation.last_day) == (Way.LATER, date(2028, 6, 15))


def test_hardship_keeps_the_ordinary_end_safe_until_a_person_grants_an_earlier_one(contract: Contract) -> None:
    cancellation = leave(contract, Wish("hardship", None, "moved"))
    assert (cancellation.last_day, cancellation.judgement) == (date(2028, 4, 30), Judgement.OPEN)
    drain()

    actions.release_early(
        cancellation_id=cancellation.pk, last_day=date(2026, 11, 15), actor=STAFF, why="Moved out of reach."
    )

    cancellation.refresh_from_db()
    assert (cancellation.last_day, cancellation.way) == (date(2026, 11, 15), Way.HARDSHIP)
    assert (cancellation.judgement, cancellation.fee_minor) == (Judgement.GRANTED, 0)
    # Half of November comes back.
    assert cancellation.refund_minor == 2000
    moved = Event.objects.get(what="end moved")
    assert (moved.before, moved.after, moved.actor) == ("2028-04-30", "2026-11-15", "staff:somebody")
    drain()
    open_ones = set(Instruction.objects.filter(outcome="open").values_list("kind", "on_day", "amount_minor"))
    assert open_ones == {("end", date(2026, 11, 15), 0), ("refund", date(2026, 11, 15), 2000)}
    assert Entry.objects.filter(dedupe_key=f"end-moved:{cancellation.pk}:1").count() == 1


def test_an_end_is_never_moved_to_a_later_or_dearer_one(contract: Contract) -> None:
    cancellation = leave(contract, Wish("early_release", date(2026, 11, 30)))

    for day, fee in ((date(2026, 11, 30), 0), (date(2027, 1, 1), 0), (date(2026, 11, 15), 50_000)):
        with pytest.raises(actions.CannotMove):
            actions.release_early(cancellation_id=cancellation.pk, last_day=day, fee_minor=fee, actor=STAFF, why="-")

    cancellation.refresh_from_db()
    assert cancellation.last_day == date(2026, 11, 30)
    assert not Event.objects.filter(what="end moved").exists()


def test_a_declined_hardship_leaves_the_ordinary_end_and_tells_why_once(contract: Contract) -> None:
    cancellation = leave(contract, Wish("hardship"))

    assert actions.decline_early(cancellation_id=cancellation.pk, actor=STAFF, why="No proof came.")
    assert not actions.decline_early(cancellation_id=cancellation.pk, actor=STAFF, why="No proof came.")

    cancellation.refresh_from_db()
    assert (cancellation.judgement, cancellation.last_day) == (Judgement.DECLINED, date(2028, 4, 30))
    letter = Entry.objects.get(dedupe_key=f"judged:{cancellation.pk}")
    assert letter.payload["facts"]["words"] == "No proof came."


def test_a_cause_declared_at_the_door_waits_for_a_judgement_over_a_safe_end(contract: Contract) -> None:
    cancellation = through_a_door(contract, act=Act.FOR_CAUSE, asks={"way": "for_cause"})

    assert (cancellation.last_day, cancellation.judgement) == (date(2028, 4, 30), Judgement.OPEN)


def test_a_cause_that_comes_after_an_ordinary_notice_is_put_before_the_desk(contract: Contract) -> None:
    first = leave(contract)

    second = through_a_door(contract, act=Act.FOR_CAUSE, asks={"way": "for_cause", "ground": "other"})

    assert second.pk == first.pk
    first.refresh_from_db()
    assert first.judgement == Judgement.OPEN
    assert Event.objects.filter(what="waits for judgement").count() == 1
    assert Notice.objects.get(idempotency_key="door:0").state == NoticeState.CLOSED


def test_a_notice_for_the_earliest_day_wins_over_a_later_day_that_was_chosen_before(contract: Contract) -> None:
    first = leave(contract, Wish("later", date(2028, 6, 15)))

    again = through_a_door(contract)

    first.refresh_from_db()
    assert (again.pk, first.last_day, first.way) == (first.pk, date(2028, 4, 30), Way.ORDINARY)


def test_r13_a_withdrawal_in_time_ends_the_contract_at_once_and_gives_everything_back() -> None:
    contract = make_contract(
        terms=terms_dict(starts_on="2026-11-01", billing_anchor="2026-11-01"),
        concluded_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
    )
    pay(contract, "2026-11-01", "2026-11-30", 1200)

    cancellation = through_a_door(contract, act=Act.WITHDRAW, asks={"way": "withdrawal"})

    assert (cancellation.way, cancellation.last_day) == (Way.WITHDRAWAL, date(2026, 11, 10))
    assert (cancellation.refund_minor, cancellation.fee_minor) == (1200, 0)


def test_r13_a_withdrawal_out_of_time_stands_and_waits_for_the_desk(contract: Contract) -> None:
    notice = notice_of(contract, act=Act.WITHDRAW, door=actions.Door(Channel.DOOR, "de", "Widerruf bestätigen"))

    with pytest.raises(actions.WithdrawalOver):
        actions.confirm(notice=notice, shown=None, actor=HOLDER, accept_any=True)
    actions.settle(notice_id=notice.pk)

    assert not Cancellation.objects.exists()
    assert Event.objects.get().why == actions.WITHDRAWAL_IS_OVER


def test_r13_a_withdrawal_after_a_notice_takes_its_place() -> None:
    contract = make_contract(
        terms=terms_dict(starts_on="2026-11-01", billing_anchor="2026-11-01"),
        concluded_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
    )
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    first = leave(contract)
    assert first.last_day == date(2026, 12, 31)

    through_a_door(contract, act=Act.WITHDRAW, asks={"way": "withdrawal"})

    first.refresh_from_db()
    assert (first.way, first.last_day, first.refund_minor) == (Way.WITHDRAWAL, date(2026, 11, 10), 1200)


def test_r11_a_page_at_fault_ends_a_german_contract_at_receipt(contract: Contract) -> None:
    DoorFault.objects.create(pack="de", since=NOON - timedelta(hours=1), faults=["no entry"])

    cancellation = through_a_door(contract)

    assert (cancellation.way, cancellation.last_day) == (Way.AT_ONCE, date(2026, 11, 10))


@pytest.mark.parametrize(
    ("since", "until"),
    [(timedelta(hours=1), None), (-timedelta(hours=2), -timedelta(hours=1))],
    ids=["begins later", "was mended before"],
)
def test_r11_a_fault_at_another_time_changes_nothing(
    contract: Contract, since: timedelta, until: timedelta | None
) -> None:
    DoorFault.objects.create(pack="de", since=NOON + since, until=NOON + until if until else None)

    assert through_a_door(contract).last_day == date(2028, 4, 30)


def test_r10_a_silent_renewal_of_a_german_contract_gives_way_to_the_law() -> None:
    terms = terms_dict(
        starts_on="2024-01-01", billing_anchor="2024-01-01", initial_term={"months": 12}, renewal={"months": 12},
        notice={"months": 3},
    )  # fmt: skip
    contract = make_contract(terms=terms)

    cancellation = leave(contract)

    assert cancellation.last_day == date(2026, 12, 10)
    kept = Quote.from_dict(cancellation.quote)
    assert kept.terms is not None
    assert kept.improvements
    assert contract.terms["notice"] == {"months": 3}


def test_r10_a_business_contract_stays_as_agreed() -> None:
    terms = terms_dict(
        starts_on="2024-01-01", billing_anchor="2024-01-01", initial_term={"months": 12}, renewal={"months": 12},
        notice={"months": 3},
    )  # fmt: skip
    contract = make_contract(terms=terms, is_consumer=False)

    assert leave(contract).last_day == date(2027, 12, 31)


def test_a_japanese_telecom_contract_costs_a_months_fee_at_most() -> None:
    product = Product.objects.create(code="hikari", name="光回線", sector="telecom")
    terms = terms_dict(
        starts_on="2026-05-01", billing_anchor="2026-05-01", timezone="Asia/Tokyo", counting="from_next_day",
        initial_term={"months": 24}, notice={"days": 0}, notice_to="any_day",
    )  # fmt: skip
    contract = make_contract(
        terms=terms, plan=make_plan(product=product), country="JP", currency="JPY", price_minor=4980,
        monthly_charge_minor=4980, upfront_cost_minor=30_000, concluded_at=datetime(2026, 5, 1, tzinfo=UTC),
    )  # fmt: skip

    cancellation = leave(contract, Wish("early_release", date(2026, 11, 30)))

    assert cancellation.fee_minor == 4980


def test_rules_that_cannot_be_applied_never_stop_a_notice(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("no rule can be read")

    monkeypatch.setattr("subscriptions.places.pack_of", broken)

    assert leave(contract).state == State.SCHEDULED


# ---------------------------------------------------------------- what comes beside an end, and what must not get lost


def fresh_contract(**changes: Any) -> Contract:
    """Return a contract that was made on 1 November 2026 and may be withdrawn from, paid for that month."""
    terms = terms_dict(starts_on="2026-11-01", billing_anchor="2026-11-01", **changes)
    contract = make_contract(terms=terms, concluded_at=datetime(2026, 11, 1, 12, tzinfo=UTC), refund_policy="none")
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    return contract


def test_r13_a_withdrawal_out_of_time_blocks_no_other_way(contract: Contract) -> None:
    late = notice_of(contract, "door:late", act=Act.WITHDRAW, door=actions.Door(Channel.DOOR, "de", "Widerruf"))
    actions.settle(notice_id=late.pk)

    assert not actions.open_notices(contract).exists()
    assert leave(contract).state == State.SCHEDULED
    assert Notice.objects.get(pk=late.pk).state == NoticeState.MATCHED


def test_r13_a_withdrawal_on_the_last_day_still_brings_its_money() -> None:
    contract = fresh_contract(notice={"days": 0}, notice_to="any_day")
    first = leave(contract)
    assert (first.last_day, first.refund_minor) == (date(2026, 11, 10), 0)

    through_a_door(contract, act=Act.WITHDRAW, asks={"way": "withdrawal"})

    first.refresh_from_db()
    assert (first.way, first.refund_minor) == (Way.WITHDRAWAL, 1200)


def test_r13_a_withdrawal_after_the_end_is_kept_for_the_desk() -> None:
    contract = fresh_contract(notice={"days": 0}, notice_to="any_day")
    first = leave(contract)
    actions.end_due_contracts(now=NOON + timedelta(days=1))
    first.refresh_from_db()
    assert first.state == State.ENDED
    at = NOON + timedelta(days=2)
    late = notice_of(contract, "door:0", at=at, act=Act.WITHDRAW, door=actions.Door(Channel.DOOR, "de", "Widerruf"))

    with pytest.raises(actions.WithdrawalOver):
        actions.confirm(notice=late, shown=None, actor=HOLDER, accept_any=True)
    actions.settle(notice_id=late.pk)

    late.refresh_from_db()
    assert late.state == NoticeState.MATCHED
    assert Event.objects.get(notice=late).why == actions.WITHDRAWN_BESIDE_AN_END


def test_a_cause_after_a_later_day_both_moves_the_end_and_is_judged(contract: Contract) -> None:
    first = leave(contract, Wish("later", date(2028, 6, 15)))

    through_a_door(contract, act=Act.FOR_CAUSE, asks={"way": "for_cause"})

    first.refresh_from_db()
    assert (first.last_day, first.judgement) == (date(2028, 4, 30), Judgement.OPEN)


def test_a_later_day_wished_for_beside_a_cause_is_honoured(contract: Contract) -> None:
    cancellation = through_a_door(contract, act=Act.FOR_CAUSE, asks={"way": "for_cause", "day": "2028-06-15"})

    assert (cancellation.last_day, cancellation.judgement) == (date(2028, 6, 15), Judgement.OPEN)


def test_an_undo_leaves_nothing_to_judge(contract: Contract) -> None:
    cancellation = leave(contract, Wish("hardship"))

    actions.revoke(cancellation_id=cancellation.pk, actor=HOLDER, at=NOON)

    cancellation.refresh_from_db()
    assert cancellation.judgement == Judgement.NONE


def test_a_fee_that_was_charged_comes_back_when_the_end_costs_none_any_more(contract: Contract) -> None:
    cancellation = leave(contract, Wish("early_release", date(2026, 11, 30)))
    drain()
    Instruction.objects.filter(kind="fee").update(outcome="done")

    actions.release_early(cancellation_id=cancellation.pk, last_day=date(2026, 11, 29), actor=STAFF, why="Hardship.")
    drain()

    # One thirtieth of November, and the fee.
    refund = Instruction.objects.get(kind="refund", outcome="open")
    assert refund.amount_minor == 134 + 8487


def test_a_way_that_is_chosen_after_the_quote_changed_stands_in_the_receipt_beside_the_first_words(
    contract: Contract,
) -> None:
    early = Wish("early_release", date(2026, 11, 30))
    notice = notice_of(contract, asks=early.as_dict())
    with pytest.raises(actions.QuoteChanged):
        actions.confirm(notice=notice, shown=None, actor=HOLDER, wish=early)

    cancellation = actions.confirm(
        notice=notice,
        shown=shown_for(contract, ORDINARY),
        actor=HOLDER,
        wish=ORDINARY,
        words="I end it by ordinary notice after all.",
    )

    receipt = cancellation.receipts.get()
    assert receipt.document["notice"]["declaration"] == "I end it."
    assert receipt.document["notes"] == [
        {"code": "chosen_afterwards", "text": "I end it by ordinary notice after all."}
    ]
    assert (cancellation.way, cancellation.asks["way"]) == (Way.ORDINARY, "")
    told = Event.objects.get(cancellation=cancellation, what="chosen afterwards")
    assert told.why == "I end it by ordinary notice after all."


def test_the_same_choice_on_the_second_click_adds_nothing(contract: Contract) -> None:
    cancellation = leave(contract)

    assert cancellation.chosen == {}
    assert not Event.objects.filter(what="chosen afterwards").exists()
    assert cancellation.receipts.get().document["notes"] == []
