"""Agreements against a real database: once, as shown, within budget and cap, never beside an end, and taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from cancellation import actions, offer_actions, offering
from cancellation.actions import SYSTEM, Actor
from cancellation.models import (
    Acceptance,
    AcceptanceState,
    Cancellation,
    DeskTask,
    Event,
    Notice,
    Offer,
    OfferDecision,
    OfferEvent,
    OfferWhat,
    State,
    Visit,
)
from cancellation.offer_actions import CannotRevert, EndsAlready, NotOpen
from cancellation.offer_rules import Cause
from cancellation.queries import agreed_of
from cancellation.quotes import ordinary
from outbox.models import Entry
from subscriptions.models import Contract, Plan
from tests.cancellation.option_help import agree, click, holder, make_offer, make_price, shown
from tests.factories import NOON, make_contract, make_customer, make_plan, pay, terms_dict

pytestmark = pytest.mark.django_db
CLERK = Actor.staff("carl")
PASSING = ("pause", "discount", "free_period", "skip")


@pytest.fixture(autouse=True)
def _fresh_catalogue() -> None:
    offering.forget_offers()


def ledger(contract: Contract | None = None) -> list[str]:
    """Return what happened to options, the first first, without that they were shown."""
    rows = OfferEvent.objects.exclude(what=OfferWhat.SHOWN).order_by("pk")
    return list((rows.filter(contract=contract) if contract else rows).values_list("what", flat=True))


def notice_of(contract: Contract, at: datetime = NOON, key: str = "visit") -> Notice:
    quote = ordinary(agreed_of(contract, at), at)
    return actions.receive_notice(
        contract=contract,
        shown=quote,
        received_at=at,
        actor=holder(contract),
        key=f"{key}:{contract.pk}",
        locale="en",
        declaration="I end it.",
    )


def leave(contract: Contract, at: datetime = NOON, key: str = "visit") -> Cancellation:
    contract = Contract.objects.get(pk=contract.pk)
    notice = notice_of(contract, at, key)
    return actions.confirm(notice=notice, shown=ordinary(agreed_of(contract, at), at), actor=holder(contract))


def untouched(contract: Contract) -> bool:
    """Tell whether a contract stands as it did, and nothing was agreed, promised or taken of a budget."""
    now = Contract.objects.get(pk=contract.pk)
    return (
        (now.price_minor, now.monthly_charge_minor, now.plan_id, now.terms, now.price_changes)
        == (contract.price_minor, contract.monthly_charge_minor, contract.plan_id, contract.terms, [])
        and not Acceptance.objects.exists()
        and not Entry.objects.exists()
        and not Offer.objects.filter(taken__gt=0).exists()
    )


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize(
    ("kind", "price", "until"),
    [
        ("pause", 0, date(2027, 1, 31)),
        ("discount", 600, date(2027, 2, 28)),
        ("free_period", 0, date(2026, 12, 31)),
        ("skip", 0, date(2026, 12, 31)),
    ],
)
def test_a_price_for_a_while_is_agreed_whole(kind: str, price: int, until: date) -> None:
    contract = make_contract()
    offer = make_offer(kind)

    acceptance = agree(contract, kind)

    contract.refresh_from_db()
    assert contract.price_changes == [
        {"from": "2026-12-01", "to": until.isoformat(), "price_minor": price, "kind": kind, "by": acceptance.reference}
    ]
    assert (contract.price_minor, contract.monthly_charge_minor, contract.terms) == (1200, 1200, terms_dict())
    assert (acceptance.state, acceptance.is_passing, acceptance.starts_on, acceptance.until) == (
        "accepted", True, date(2026, 12, 1), until,
    )  # fmt: skip
    assert (acceptance.title, acceptance.customer_id, acceptance.accepted_at) == (
        f"A {kind}", contract.customer_id, NOON,
    )  # fmt: skip
    assert Offer.objects.get(pk=offer.pk).taken == 1
    assert ledger() == ["accepted"]
    event = Event.objects.get()
    assert (event.what, event.why, event.actor) == (
        "option agreed", f"{kind} {acceptance.reference}", f"customer:{contract.customer_id}",
    )  # fmt: skip
    assert set(Entry.objects.values_list("topic", "dedupe_key", "lane")) == {
        ("letter", f"option-agreed:{acceptance.pk}", str(contract.pk)),
        ("billing", f"billing-option:{acceptance.pk}", str(contract.pk)),
    }
    assert not DeskTask.objects.exists()


def test_a_smaller_plan_changes_plan_and_price_for_what_is_to_come() -> None:
    contract = make_contract(plan=make_plan(code="large"))
    make_price(make_plan(code="small", name="Server XS"), 500)
    make_offer("smaller_plan")

    acceptance = agree(contract, "smaller_plan")

    contract.refresh_from_db()
    assert (contract.plan.code, contract.price_minor, contract.monthly_charge_minor) == ("small", 500, 500)
    assert (acceptance.until, acceptance.is_passing, acceptance.before["plan"], acceptance.before["price_minor"]) == (
        None, False, "large", 1200,
    )  # fmt: skip


def test_todays_price_changes_the_price_alone() -> None:
    contract = make_contract(plan=make_plan(code="large"))
    make_price(contract.plan, 1500, since="2020-01-01")
    make_price(contract.plan, 900, since="2026-06-01")
    make_offer("todays_price")

    agree(contract, "todays_price")

    contract.refresh_from_db()
    assert (contract.plan.code, contract.price_minor, contract.monthly_charge_minor) == ("large", 900, 900)
    assert contract.terms == terms_dict()


def test_another_interval_begins_with_the_next_unpaid_day() -> None:
    contract = make_contract()
    pay(contract, "2026-12-01", "2026-12-31", 1200)
    make_offer("interval")

    agree(contract, "interval")

    contract.refresh_from_db()
    assert contract.terms == terms_dict(billing={"months": 12}, billing_anchor="2027-01-01")
    assert (contract.price_minor, contract.monthly_charge_minor) == (12_000, 1000)


@pytest.mark.parametrize(
    ("kind", "asked", "words", "wishes", "urgent"),
    [
        ("help_session", {"when": "Tuesdays"}, "", {"when": "Tuesdays"}, False),
        ("fix", {"words": "It does not start."}, "It does not start.", {}, True),
        (
            "hand_over",
            {"person_name": "Ewa", "person_email": "ewa@example.org"},
            "",
            {"person_name": "Ewa", "person_email": "ewa@example.org"},
            False,
        ),
    ],
)
def test_what_a_person_has_to_do_is_a_task_and_changes_no_figure(
    kind: str, asked: dict[str, str], words: str, wishes: dict[str, str], urgent: bool
) -> None:
    contract = make_contract()
    make_offer(kind)

    acceptance = click(contract, shown(contract, kind), **asked)

    task = DeskTask.objects.get()
    assert (task.kind, task.words, task.wishes, task.is_urgent, task.acceptance, task.done_at) == (
        kind, words, wishes, urgent, acceptance, None,
    )  # fmt: skip
    now = Contract.objects.get(pk=contract.pk)
    assert (now.price_minor, now.terms, now.price_changes, acceptance.before) == (1200, terms_dict(), [], {})
    assert list(Entry.objects.values_list("topic", flat=True)) == ["letter"]
    letter = str(Entry.objects.get().payload)
    assert not any(word in letter for word in ("Tuesdays", "does not start", "Ewa"))


def test_accepting_in_the_guided_way_ends_the_visit_as_kept_and_no_other_visit() -> None:
    contract = make_contract()
    make_offer("pause")
    mine, other = (
        Visit.objects.create(key=uuid4(), contract=contract, step="options", seen_at=NOON) for _nth in range(2)
    )

    click(contract, shown(contract, "pause"), visit=mine.key)

    assert list(Visit.objects.filter(outcome="kept")) == [mine]
    assert Visit.objects.get(pk=other.pk).outcome == ""


def test_a_visit_of_another_contract_is_not_touched() -> None:
    contract, other = make_contract(), make_contract()
    make_offer("pause")
    theirs = Visit.objects.create(key=uuid4(), contract=other, step="options", seen_at=NOON)

    click(contract, shown(contract, "pause"), visit=theirs.key)

    theirs.refresh_from_db()
    assert theirs.outcome == ""


# ---------------------------------------------------------------- once


def test_a_second_click_on_the_same_page_finds_the_first() -> None:
    contract = make_contract()
    make_offer("pause", cap_per_year=9)
    sealed = shown(contract, "pause")

    first, second = click(contract, sealed), click(contract, sealed, NOON + timedelta(minutes=3))

    assert (second.pk, second.accepted_at) == (first.pk, NOON)
    assert (Acceptance.objects.count(), Offer.objects.get().taken, ledger()) == (1, 1, ["accepted"])
    assert len(Contract.objects.get(pk=contract.pk).price_changes) == 1


def test_two_tabs_of_one_visit_agree_once_though_the_option_was_changed_in_between() -> None:
    contract = make_contract()
    make_offer("fix", cap_per_year=9)
    visit = uuid4()
    one = shown(contract, "fix")
    Offer.objects.update(version=2)
    offering.forget_offers()
    two = shown(contract, "fix")
    assert one.nonce != two.nonce

    first, second = click(contract, one, visit=visit, words="A"), click(contract, two, visit=visit, words="B")

    assert first.pk == second.pk
    assert list(DeskTask.objects.values_list("words", flat=True)) == ["A"]


@pytest.mark.parametrize("kind", ["pause", "smaller_plan", "todays_price", "interval", "fix"])
def test_two_tabs_of_the_options_page_with_different_figures_agree_once(kind: str) -> None:
    contract = make_contract(plan=make_plan(code="large"))
    make_price(make_plan(code="small"), 500)
    make_price(contract.plan, 900)
    make_offer(kind)
    one = shown(contract, kind)
    two = replace(one, nonce="another page")

    first, second = click(contract, one), click(contract, two)

    assert first.pk == second.pk
    assert ledger() == ["accepted"]


def test_after_a_yes_the_next_page_is_a_new_question() -> None:
    contract = make_contract()
    make_offer("fix", cap_per_year=2)

    first, second = agree(contract, "fix"), agree(contract, "fix")

    assert first.pk != second.pk
    assert Offer.objects.get().taken == 2


# ---------------------------------------------------------------- not open any more


def deactivate(offer: Offer) -> None:
    Offer.objects.update(active=False)


def expire(offer: Offer) -> None:
    Offer.objects.update(valid_until=date(2026, 11, 9))


def use_up(offer: Offer) -> None:
    Offer.objects.update(budget=3, taken=3)


def budget_of_zero(offer: Offer) -> None:
    Offer.objects.update(budget=0)


def for_others(offer: Offer) -> None:
    Offer.objects.update(countries=["JP"])


def unreadable_eligibility(offer: Offer) -> None:
    Offer.objects.update(eligibility={"tenure": "long"})


def unreadable_terms(offer: Offer) -> None:
    Offer.objects.update(terms={"months": "two"})


def another_kind(offer: Offer) -> None:
    offer.versions.create(version=1, definition={"kind": "discount"}, at=NOON, actor="staff:carl")


@pytest.mark.parametrize(
    ("meanwhile", "cause"),
    [
        (deactivate, Cause.NOT_OPEN),
        (expire, Cause.NO_LONGER),
        (use_up, Cause.BUDGET),
        (budget_of_zero, Cause.BUDGET),
        (for_others, Cause.OTHER_COUNTRY),
        (unreadable_eligibility, Cause.UNREADABLE),
        (unreadable_terms, Cause.UNREADABLE),
        (another_kind, Cause.NO_LONGER),
    ],
)
def test_what_closed_between_page_and_click_is_refused_with_its_cause_and_kept_in_the_ledger(
    meanwhile: Any, cause: Cause
) -> None:
    contract = make_contract()
    offer = make_offer("pause")
    sealed = shown(contract, "pause")
    meanwhile(offer)
    taken = Offer.objects.get().taken

    with pytest.raises(NotOpen) as refused:
        click(contract, sealed)

    assert refused.value.cause == cause
    entry = OfferEvent.objects.get(what=OfferWhat.EXPIRED)
    assert (entry.why, entry.contract, entry.acceptance, entry.place) == (str(cause), contract, None, "page")
    Offer.objects.update(taken=0) if taken == 3 else None
    assert untouched(contract)


def test_an_option_that_is_gone_altogether_is_refused() -> None:
    contract = make_contract()
    make_offer("pause")
    sealed = shown(contract, "pause")

    with pytest.raises(NotOpen) as refused:
        click(contract, replace(sealed, code="gone"))

    assert refused.value.cause == Cause.NOT_OPEN
    assert untouched(contract)


def test_a_plan_that_no_longer_exists_is_refused() -> None:
    contract = make_contract(plan=make_plan(code="large"))
    small = make_plan(code="small")
    make_price(small, 500)
    make_offer("smaller_plan")
    sealed = shown(contract, "smaller_plan")
    Plan.objects.filter(pk=small.pk).delete()

    with pytest.raises(NotOpen) as refused:
        click(contract, sealed)

    assert refused.value.cause == Cause.NO_PLAN
    assert untouched(contract)


@pytest.mark.parametrize("running", PASSING)
@pytest.mark.parametrize("wanted", [*PASSING, "todays_price", "smaller_plan", "interval"])
def test_no_price_on_top_of_a_price_for_a_while(running: str, wanted: str) -> None:
    if running == wanted:
        return
    contract = make_contract(plan=make_plan(code="large"))
    make_price(contract.plan, 900)
    make_price(make_plan(code="small"), 500)
    make_offer(running)
    make_offer(wanted)
    sealed = shown(contract, wanted)
    agree(contract, running)

    with pytest.raises(NotOpen) as refused:
        click(contract, sealed)

    assert refused.value.cause == Cause.ALREADY_RUNNING
    assert list(Acceptance.objects.values_list("kind", flat=True)) == [running]


def test_the_cap_counts_all_contracts_of_a_customer_and_only_the_last_year() -> None:
    customer = make_customer()
    one, two = make_contract(customer=customer), make_contract(customer=customer)
    make_offer("pause")
    pages = [shown(two, "pause"), shown(two, "pause", NOON + timedelta(days=366))]
    agree(one, "pause")

    with pytest.raises(NotOpen) as refused:
        click(two, pages[0])

    assert refused.value.cause == Cause.CAP
    assert Offer.objects.get().taken == 1
    assert click(two, pages[1], NOON + timedelta(days=366)).state == AcceptanceState.ACCEPTED


def test_the_cap_is_asked_again_where_the_budget_is_taken() -> None:
    """Two contracts of one customer, clicked at once: neither saw the other's yes when it asked the rules."""
    customer = make_customer()
    one, two = make_contract(customer=customer), make_contract(customer=customer)
    offer = make_offer("pause")
    agree(one, "pause")

    with pytest.raises(offer_actions._Refused) as refused:
        offer_actions._take_one(offer, two, NOON)

    assert refused.value.cause == Cause.CAP


# ---------------------------------------------------------------- as shown


def test_what_was_shown_is_honoured_though_the_operator_has_changed_it_since() -> None:
    contract = make_contract(plan=make_plan(code="large"))
    make_price(contract.plan, 900)
    make_offer("todays_price")
    sealed = shown(contract, "todays_price")
    make_price(contract.plan, 1100, since="2026-11-10")

    click(contract, sealed)

    assert Contract.objects.get(pk=contract.pk).price_minor == 900


def test_a_smaller_discount_since_then_does_not_count_for_who_saw_the_larger_one() -> None:
    contract = make_contract()
    make_offer("discount")
    sealed = shown(contract, "discount")
    Offer.objects.update(terms={"percent": 10, "periods": 1}, version=2)

    acceptance = click(contract, sealed)

    assert (acceptance.version, acceptance.terms["percent"]) == (1, 50)
    assert Contract.objects.get(pk=contract.pk).price_changes[0]["price_minor"] == 600


def test_over_midnight_the_first_day_that_was_shown_counts() -> None:
    contract = make_contract()
    make_offer("pause")
    evening = datetime(2026, 11, 30, 22, tzinfo=UTC)
    sealed = shown(contract, "pause", evening)

    acceptance = click(contract, sealed, evening + timedelta(hours=2))

    assert (acceptance.starts_on, acceptance.until) == (date(2026, 12, 1), date(2027, 1, 31))


def test_a_price_per_month_is_never_taken_for_one_per_year() -> None:
    contract = make_contract(plan=make_plan(code="large"))
    make_price(make_plan(code="small"), 500)
    make_offer("smaller_plan", terms={"to_plan": "small", "billing_months": 1})
    make_offer("discount")
    make_offer("interval")
    monthly = [shown(contract, code) for code in ("smaller_plan", "discount")]
    agree(contract, "interval")
    yearly = Contract.objects.get(pk=contract.pk)

    for sealed in monthly:
        with pytest.raises(NotOpen) as refused:
            click(contract, sealed)
        assert refused.value.cause == Cause.NO_FIT

    now = Contract.objects.get(pk=contract.pk)
    assert (now.price_minor, now.plan, now.price_changes) == (12_000, yearly.plan, [])


@pytest.mark.parametrize("kind", ["discount", "free_period", "skip", "todays_price"])
def test_no_price_is_agreed_for_a_period_that_was_paid_for_since(kind: str) -> None:
    contract = make_contract()
    make_price(contract.plan, 900)
    make_offer(kind)
    sealed = shown(contract, kind)
    pay(contract, "2026-12-01", "2026-12-31", 1200)

    with pytest.raises(NotOpen) as refused:
        click(contract, sealed)

    assert refused.value.cause == Cause.NO_FIT
    assert untouched(contract)
    assert shown(contract, kind).terms["starts_on"] == "2027-01-01"


def test_an_interval_does_not_begin_on_a_day_that_was_paid_for_since() -> None:
    contract = make_contract()
    make_offer("interval")
    sealed = shown(contract, "interval")
    pay(contract, "2026-12-01", "2026-12-31", 1200)

    with pytest.raises(NotOpen):
        click(contract, sealed)

    assert untouched(contract)


def test_what_is_over_makes_room_though_last_nights_job_has_not_run() -> None:
    contract = make_contract()
    make_offer("pause")
    make_offer("discount")
    pause = agree(contract, "pause")

    agree(contract, "discount", datetime(2027, 2, 1, 12, tzinfo=UTC))

    pause.refresh_from_db()
    assert (pause.state, pause.closed_at) == (AcceptanceState.OVER, datetime(2027, 2, 1, 12, tzinfo=UTC))
    assert ledger() == ["accepted", "over", "accepted"]


# ---------------------------------------------------------------- beside an end


def test_accepting_after_an_end_was_confirmed_is_refused_and_changes_nothing() -> None:
    contract = make_contract()
    make_offer("pause")
    sealed = shown(contract, "pause")
    cancellation = leave(contract)
    Entry.objects.all().delete()

    with pytest.raises(EndsAlready):
        click(contract, sealed)

    assert untouched(contract)
    assert ledger() == []
    cancellation.refresh_from_db()
    assert cancellation.state == State.SCHEDULED


def test_accepting_while_a_notice_stands_without_an_end_is_refused() -> None:
    contract = make_contract()
    make_offer("pause")
    sealed = shown(contract, "pause")
    notice_of(contract)
    Entry.objects.all().delete()

    with pytest.raises(EndsAlready):
        click(contract, sealed)

    assert untouched(contract)


def test_accepting_after_the_contract_has_ended_is_refused() -> None:
    contract = make_contract()
    make_offer("pause")
    sealed = shown(contract, "pause")
    leave(contract)
    Cancellation.objects.update(state=State.ENDED)

    with pytest.raises(EndsAlready):
        click(contract, sealed)


def test_a_contract_that_ends_by_itself_has_no_options_after_that() -> None:
    contract = make_contract(terms=terms_dict(initial_term={"months": 24}, renewal="none"))
    make_offer("fix")
    sealed = shown(contract, "fix")

    with pytest.raises(NotOpen) as refused:
        click(contract, sealed, datetime(2027, 1, 1, 12, tzinfo=UTC))

    assert refused.value.cause == Cause.ENDING


def test_after_an_undo_the_same_page_may_be_agreed_to() -> None:
    contract = make_contract()
    make_offer("pause")
    sealed = shown(contract, "pause")
    cancellation = leave(contract)
    actions.revoke(cancellation_id=cancellation.pk, actor=holder(contract), at=NOON)

    assert click(contract, sealed).state == AcceptanceState.ACCEPTED


def test_leaving_after_an_option_always_works_and_an_undo_leaves_the_option_as_agreed() -> None:
    contract = make_contract()
    make_offer("pause")
    acceptance = agree(contract, "pause")
    changes = Contract.objects.get(pk=contract.pk).price_changes

    cancellation = leave(contract)
    during = Acceptance.objects.get(pk=acceptance.pk)
    actions.revoke(cancellation_id=cancellation.pk, actor=holder(contract), at=NOON)

    after = Acceptance.objects.get(pk=acceptance.pk)
    assert cancellation.last_day == date(2026, 12, 31)
    assert (during.state, after.state, after.terms) == ("accepted", "accepted", acceptance.terms)
    assert Contract.objects.get(pk=contract.pk).price_changes == changes
    assert ledger() == ["accepted"]


def test_a_click_that_repeats_an_agreement_after_the_end_was_confirmed_still_finds_it() -> None:
    contract = make_contract()
    make_offer("pause")
    sealed = shown(contract, "pause")
    first = click(contract, sealed)
    leave(contract)

    assert click(contract, sealed).pk == first.pk


# ---------------------------------------------------------------- a no


def test_a_no_is_kept_once_with_an_entry_for_each_that_was_shown() -> None:
    contract = make_contract()
    pause, fix = make_offer("pause"), make_offer("fix")
    visit = uuid4()
    OfferDecision.objects.create(
        key=f"visit:{visit}", contract=contract, visit=visit, place="flow", at=NOON,
        shown=[{"code": "pause", "version": 1}, {"code": "fix", "version": 4}, {"code": "gone", "version": 1}],
    )  # fmt: skip

    told = [offer_actions.decline(visit=visit, contract=contract, actor=holder(contract), at=NOON) for _nth in range(2)]

    assert told == [True, False]
    assert OfferDecision.objects.get().declined_at == NOON
    rows = OfferEvent.objects.order_by("offer_id").values_list("what", "offer", "version", "visit", "place")
    assert list(rows) == [("declined", pause.pk, 1, visit, "flow"), ("declined", fix.pk, 4, visit, "flow")]


def test_a_no_in_one_tab_leaves_out_what_was_agreed_to_in_another() -> None:
    contract = make_contract()
    pause, fix = make_offer("pause"), make_offer("fix")
    visit = uuid4()
    OfferDecision.objects.create(
        key=f"visit:{visit}", contract=contract, visit=visit, place="flow", at=NOON,
        shown=[{"code": "pause", "version": 1}, {"code": "fix", "version": 1}],
    )  # fmt: skip
    click(contract, shown(contract, "pause"), visit=visit)

    assert offer_actions.decline(visit=visit, contract=contract, actor=holder(contract), at=NOON)
    assert list(OfferEvent.objects.filter(what="declined").values_list("offer", flat=True)) == [fix.pk]
    assert not OfferEvent.objects.filter(what="declined", offer=pause).exists()


def test_a_no_to_somebody_elses_decision_is_none() -> None:
    contract, other = make_contract(), make_contract()
    visit = uuid4()
    OfferDecision.objects.create(key=f"visit:{visit}", contract=other, visit=visit, place="flow", at=NOON)

    assert not offer_actions.decline(visit=visit, contract=contract, actor=holder(contract), at=NOON)
    assert OfferDecision.objects.get().declined_at is None


# ---------------------------------------------------------------- taking back


def take_back(acceptance: Acceptance, actor: Actor | None = None, at: datetime = NOON) -> Acceptance:
    actor = actor or Actor.customer(acceptance.customer_id)
    return offer_actions.revert(acceptance_id=acceptance.pk, actor=actor, at=at, why="")


@pytest.mark.parametrize("kind", [*PASSING, "smaller_plan", "todays_price", "interval", "help_session", "fix"])
def test_before_it_begins_the_holder_takes_an_option_back_and_everything_is_as_before(kind: str) -> None:
    contract = make_contract(plan=make_plan(code="large"))
    make_price(make_plan(code="small"), 500)
    make_price(contract.plan, 900)
    make_offer(kind)
    acceptance = agree(contract, kind)

    told = take_back(acceptance)

    now = Contract.objects.get(pk=contract.pk)
    assert (now.price_minor, now.monthly_charge_minor, now.plan, now.terms, now.price_changes) == (
        1200, 1200, contract.plan, terms_dict(), [],
    )  # fmt: skip
    assert (told.state, told.closed_at) == (AcceptanceState.REVERTED, NOON)
    assert (Offer.objects.get().taken, ledger()) == (0, ["accepted", "reverted"])
    assert not DeskTask.objects.filter(done_at__isnull=True).exists()
    topics = Entry.objects.filter(dedupe_key__contains="back").values_list("dedupe_key", flat=True)
    billed = [] if kind in {"help_session", "fix"} else [f"billing-option-back:{acceptance.pk}"]
    assert sorted(topics) == [*billed, f"option-taken-back:{acceptance.pk}"]


def test_a_visit_is_left_open_again_once_nothing_that_was_agreed_in_it_stands() -> None:
    contract, visit = make_contract(), uuid4()
    Visit.objects.create(key=visit, contract=contract, step="options", seen_at=NOON)
    make_offer("fix")
    make_offer("hand_over")
    first, second = (click(contract, shown(contract, code), visit=visit) for code in ("fix", "hand_over"))

    take_back(first)
    assert Visit.objects.get().outcome == "kept"
    take_back(second)
    assert Visit.objects.get().outcome == ""


def test_taking_back_twice_releases_the_budget_once() -> None:
    contract, other = make_contract(), make_contract()
    make_offer("pause", budget=5)
    acceptance = agree(contract, "pause")
    agree(other, "pause")

    take_back(acceptance)
    take_back(acceptance)

    assert (Offer.objects.get().taken, ledger(contract)) == (1, ["accepted", "reverted"])


def test_what_was_taken_back_may_be_agreed_to_again_from_a_new_page() -> None:
    contract = make_contract()
    make_offer("pause", budget=1)
    sealed = shown(contract, "pause")
    first = click(contract, sealed)
    take_back(first)

    assert click(contract, sealed).state == AcceptanceState.REVERTED
    second = agree(contract, "pause")

    assert (second.pk != first.pk, second.state, Offer.objects.get().taken) == (True, "accepted", 1)


def test_once_it_has_begun_only_staff_take_it_back_and_what_has_begun_keeps_its_price() -> None:
    contract = make_contract()
    make_offer("discount")
    acceptance = agree(contract, "discount")
    january = datetime(2027, 1, 10, 12, tzinfo=UTC)

    with pytest.raises(CannotRevert, match="has begun"):
        take_back(acceptance, at=january)
    assert Acceptance.objects.get().state == AcceptanceState.ACCEPTED
    take_back(acceptance, CLERK, january)

    [change] = Contract.objects.get(pk=contract.pk).price_changes
    assert (change["from"], change["to"]) == ("2026-12-01", "2027-01-10")


def test_what_somebody_changed_meanwhile_is_not_overwritten() -> None:
    contract = make_contract(plan=make_plan(code="large"))
    make_price(contract.plan, 900)
    make_offer("todays_price")
    acceptance = agree(contract, "todays_price")
    Contract.objects.update(price_minor=700)

    with pytest.raises(CannotRevert, match="changed since"):
        take_back(acceptance)

    assert Contract.objects.get(pk=contract.pk).price_minor == 700
    assert (Acceptance.objects.get().state, Offer.objects.get().taken, ledger()) == ("accepted", 1, ["accepted"])


def test_what_a_price_for_a_while_was_counted_from_is_not_taken_back_under_it() -> None:
    yearly = terms_dict(billing={"months": 12}, billing_anchor="2026-12-01")
    contract = make_contract(terms=yearly, price_minor=12_000)
    make_offer("interval", terms={"months": 1, "prices": {"EUR": 990}})
    make_offer("discount")
    interval = agree(contract, "interval")
    discount = agree(contract, "discount")

    with pytest.raises(CannotRevert):
        take_back(interval)

    now = Contract.objects.get(pk=contract.pk)
    assert (now.price_minor, now.price_changes[-1]["price_minor"]) == (990, 495)
    take_back(discount)
    take_back(interval)
    assert Contract.objects.get(pk=contract.pk).price_minor == 12_000


def test_while_an_end_is_confirmed_what_it_counts_on_stays() -> None:
    contract = make_contract()
    make_offer("pause")
    acceptance = agree(contract, "pause")
    leave(contract)

    for who in (None, CLERK):
        with pytest.raises(CannotRevert, match="stays as agreed"):
            take_back(acceptance, who)

    assert len(Contract.objects.get(pk=contract.pk).price_changes) == 1


def test_what_is_over_cannot_be_taken_back() -> None:
    contract = make_contract()
    make_offer("pause")
    acceptance = agree(contract, "pause")
    offer_actions.close_what_is_over(now=datetime(2027, 3, 1, tzinfo=UTC))

    with pytest.raises(CannotRevert, match="over"):
        take_back(acceptance, CLERK)


def test_what_a_person_has_done_cannot_be_taken_back_by_its_holder() -> None:
    contract = make_contract()
    make_offer("fix")
    acceptance = agree(contract, "fix")
    offer_actions.carried_out(acceptance_id=acceptance.pk, actor=CLERK, at=NOON)

    with pytest.raises(CannotRevert, match="done already"):
        take_back(acceptance)


# ---------------------------------------------------------------- what becomes of it


def test_what_is_carried_out_is_noted_once() -> None:
    contract = make_contract()
    make_offer("pause")
    acceptance = agree(contract, "pause")

    told = [offer_actions.carried_out(acceptance_id=acceptance.pk, actor=CLERK, at=NOON) for _nth in range(2)]

    assert told == [True, False]
    assert (Acceptance.objects.get().state, ledger()) == ("applied", ["accepted", "applied"])


def test_a_failed_billing_side_leaves_the_agreement_standing_with_a_task_and_a_letter() -> None:
    contract = make_contract()
    make_offer("discount")
    acceptance = agree(contract, "discount")
    changes = Contract.objects.get(pk=contract.pk).price_changes

    told = [
        offer_actions.failed(acceptance_id=acceptance.pk, actor=CLERK, at=NOON, why="no such tariff")
        for _nth in range(2)
    ]

    acceptance.refresh_from_db()
    task = DeskTask.objects.get()
    assert told == [True, False]
    assert (acceptance.state, acceptance.fault) == ("failed", "no such tariff")
    assert (task.kind, task.is_urgent, task.words, task.done_at) == ("billing", True, "no such tariff", None)
    assert ledger() == ["accepted", "failed"]
    assert Contract.objects.get(pk=contract.pk).price_changes == changes
    letter = Entry.objects.get(dedupe_key=f"option-failed:{acceptance.pk}").payload
    assert letter["kind"] == "option-failed"
    assert "no such tariff" not in str(letter)


def test_once_it_is_put_right_the_task_is_done_too() -> None:
    contract = make_contract()
    make_offer("discount")
    acceptance = agree(contract, "discount")
    offer_actions.failed(acceptance_id=acceptance.pk, actor=CLERK, at=NOON, why="no such tariff")

    offer_actions.carried_out(acceptance_id=acceptance.pk, actor=CLERK, at=NOON)

    acceptance.refresh_from_db()
    task = DeskTask.objects.get()
    assert (acceptance.state, acceptance.fault, task.done_at, task.done_by) == ("applied", "", NOON, "staff:carl")


def test_a_failure_to_put_back_is_a_task_and_the_option_stays_taken_back() -> None:
    contract = make_contract()
    make_offer("pause")
    acceptance = take_back(agree(contract, "pause"))

    assert not offer_actions.failed(acceptance_id=acceptance.pk, actor=CLERK, at=NOON, why="locked")

    assert Acceptance.objects.get().state == AcceptanceState.REVERTED
    assert DeskTask.objects.get(done_at__isnull=True).words == "locked"
    assert not Entry.objects.filter(dedupe_key__startswith="option-failed").exists()


@pytest.mark.parametrize(
    ("zone", "now", "closed"),
    [
        ("Europe/Berlin", "2027-01-31T22:59:00+00:00", 0),
        ("Europe/Berlin", "2027-01-31T23:00:00+00:00", 1),
        ("Asia/Tokyo", "2027-01-31T14:59:00+00:00", 0),
        ("Asia/Tokyo", "2027-01-31T15:00:00+00:00", 1),
    ],
)
def test_an_option_for_a_while_is_over_when_its_last_day_is_over_where_the_contract_is(
    zone: str, now: str, closed: int
) -> None:
    contract = make_contract(terms=terms_dict(timezone=zone))
    make_offer("pause")
    acceptance = agree(contract, "pause")
    assert acceptance.until == date(2027, 1, 31)

    told = [offer_actions.close_what_is_over(now=datetime.fromisoformat(now)) for _nth in range(2)]

    assert told == [closed, 0]
    assert Acceptance.objects.get().state == ("over" if closed else "accepted")
    assert ledger() == ["accepted", *["over"] * closed]
    last = Event.objects.order_by("-pk").first()
    assert last is not None
    assert last.actor == (SYSTEM.name if closed else holder(contract).name)


def test_one_contract_that_cannot_be_read_holds_up_no_other() -> None:
    make_offer("pause")
    broken, sound = make_contract(), make_contract()
    agree(broken, "pause")
    agree(sound, "pause")
    Contract.objects.filter(pk=broken.pk).update(terms={"timezone": "Nowhere"})

    assert offer_actions.close_what_is_over(now=datetime(2027, 3, 1, tzinfo=UTC)) == 1


def test_what_lasts_is_never_over() -> None:
    contract = make_contract(plan=make_plan(code="large"))
    make_price(contract.plan, 900)
    make_offer("todays_price")
    agree(contract, "todays_price")

    assert offer_actions.close_what_is_over(now=datetime(2036, 1, 1, tzinfo=UTC)) == 0
