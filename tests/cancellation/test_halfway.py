"""The one message to a visit that was left half-way: to whom, when, once, with which facts – and to whom not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from cancellation import actions, halfway, pages
from cancellation.models import (
    Acceptance,
    Cancellation,
    Channel,
    Notice,
    NoticeState,
    Offer,
    OfferKind,
    OfferPlace,
    State,
    Visit,
    VisitOutcome,
)
from cancellation.tasks import write_to_who_left_halfway
from messaging import compose, suppression
from outbox.models import Entry
from subscriptions import choices
from subscriptions.lexicon import pressing
from subscriptions.models import ConsentTopic, Contract
from tests.factories import NOON, make_contract, make_customer, pay, terms_dict

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def contract() -> Contract:
    contract = make_contract(customer=make_customer(name="Anna Nowak", email="anna@example.org"))
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    return contract


@pytest.fixture(autouse=True)
def _hours(settings: Any) -> None:
    settings.HALFWAY_HOURS = 24


def left(contract: Contract, at: datetime = NOON, step: str = "reasons", **changes: Any) -> Visit:
    """Return a visit that was last seen on a step at an instant."""
    visit = Visit.objects.create(key=uuid.uuid4(), contract=contract, step=step, seen_at=at, **changes)
    Visit.objects.filter(pk=visit.pk).update(started_at=at - timedelta(minutes=5))
    return visit


def notice(contract: Contract, at: datetime, state: str = NoticeState.MATCHED) -> Notice:
    return Notice.objects.create(
        contract=contract,
        channel=Channel.GUIDED,
        received_at=at,
        declaration="d",
        actor="x",
        idempotency_key=f"{contract.pk}:{at}",
        state=state,
    )


def end(contract: Contract, state: str) -> Cancellation:
    return Cancellation.objects.create(
        contract=contract,
        received_on=NOON.date(),
        last_day=NOON.date() + timedelta(days=30),
        currency="EUR",
        state=state,
    )


def accept(contract: Contract, at: datetime) -> Acceptance:
    offer = Offer.objects.create(code=f"skip-{at:%H%M}", kind=OfferKind.SKIP, valid_from=NOON.date())
    return Acceptance.objects.create(
        idempotency_key=offer.code,
        offer=offer,
        version=1,
        kind=offer.kind,
        contract=contract,
        customer=contract.customer,
        place=OfferPlace.PAGE,
        terms={},
        title="Skip",
        starts_on=NOON.date(),
        currency="EUR",
        accepted_at=at,
    )


def say_no(contract: Contract, at: datetime = NOON, given: bool = False) -> None:
    choices.choose(
        customer=contract.customer,
        topic=ConsentTopic.HALFWAY,
        given=given,
        wording="w",
        locale="en",
        actor="x",
        at=at,
    )


def stop(contract: Contract) -> None:
    suppression.suppress(customer=contract.customer, actor="x", at=NOON)


def facts() -> dict[str, Any]:
    """Return the facts of the one message that was promised."""
    return dict(Entry.objects.get(topic="letter").payload["facts"])


# ---------------------------------------------------------------- who gets it


@pytest.mark.parametrize("step", ["reasons", "options", "confirm"])
def test_a_visit_left_beyond_the_overview_is_written_about_after_a_day(contract: Contract, step: str) -> None:
    visit = left(contract, step=step)

    assert halfway.write_to_who_left(now=NOON + DAY - timedelta(minutes=1)) == 0
    assert halfway.write_to_who_left(now=NOON + DAY) == 1

    entry = Entry.objects.get(topic="letter")
    assert entry.dedupe_key == f"halfway:{visit.key}"
    assert (entry.payload["kind"], entry.payload["to"]) == ("halfway", "anna@example.org")
    visit.refresh_from_db()
    assert visit.reminded_at == NOON + DAY


def test_it_is_written_once_whoever_asks_how_often(contract: Contract) -> None:
    left(contract)

    assert [halfway.write_to_who_left(now=NOON + DAY + n * timedelta(hours=1)) for n in range(4)] == [1, 0, 0, 0]
    assert Entry.objects.filter(topic="letter").count() == 1


Change = Callable[[Contract], object]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda contract: notice(contract, NOON, NoticeState.CLOSED), id="a-notice-since"),
        pytest.param(lambda contract: notice(contract, NOON - DAY), id="a-notice-that-waits-for-its-holder"),
        pytest.param(lambda contract: end(contract, State.SCHEDULED), id="an-end-is-scheduled"),
        pytest.param(lambda contract: end(contract, State.ENDED), id="the-contract-has-ended"),
        pytest.param(lambda contract: accept(contract, NOON), id="an-option-agreed-since"),
        pytest.param(say_no, id="a-no-to-the-message"),
        pytest.param(stop, id="no-further-contact"),
        pytest.param(lambda contract: Visit.objects.update(step="overview"), id="never-beyond-the-overview"),
        pytest.param(lambda contract: Visit.objects.update(outcome=VisitOutcome.KEPT), id="kept-by-choice"),
        pytest.param(lambda contract: left(contract, NOON + timedelta(hours=20), "overview"), id="back-since"),
        pytest.param(
            lambda contract: left(contract, NOON - 40 * DAY, reminded_at=NOON - 28 * DAY), id="one-in-thirty-days"
        ),
        pytest.param(
            lambda contract: type(contract.customer).objects.update(email=""),
            id="no-address",
        ),
        pytest.param(
            lambda contract: Contract.objects.update(
                terms=terms_dict(initial_term={"months": 12}, renewal="none"), starts_on="2025-01-01"
            ),
            id="ended-by-itself",
        ),
        pytest.param(lambda contract: Contract.objects.update(terms={"starts_on": "never"}), id="nobody-can-say"),
    ],
)
def test_nobody_is_written_to_who(contract: Contract, change: Change) -> None:
    left(contract)
    change(contract)

    assert halfway.write_to_who_left(now=NOON + DAY) == 0
    assert not Entry.objects.filter(topic="letter").exists()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda contract: notice(contract, NOON - DAY, NoticeState.CLOSED), id="a-notice-before"),
        pytest.param(lambda contract: end(contract, State.REVOKED), id="an-end-that-was-undone"),
        pytest.param(lambda contract: accept(contract, NOON - DAY), id="an-option-agreed-before"),
        pytest.param(
            lambda contract: [say_no(contract), say_no(contract, NOON + timedelta(hours=1), given=True)],
            id="a-no-that-was-taken-back",
        ),
        pytest.param(lambda contract: left(make_contract(), NOON + timedelta(hours=20)), id="another-contract"),
        pytest.param(
            lambda contract: left(contract, NOON - 40 * DAY, reminded_at=NOON - 30 * DAY), id="thirty-days-since-one"
        ),
    ],
)
def test_nobody_is_left_out_for(contract: Contract, change: Change) -> None:
    left(contract)
    change(contract)

    assert halfway.write_to_who_left(now=NOON + DAY) == 1


def test_two_visits_to_one_contract_are_one_message_about_the_newer(contract: Contract) -> None:
    left(contract, NOON - timedelta(hours=2), "confirm")
    newer = left(contract, NOON, "reasons")

    assert halfway.write_to_who_left(now=NOON + DAY) == 1
    assert Entry.objects.get(topic="letter").dedupe_key == f"halfway:{newer.key}"
    assert halfway.write_to_who_left(now=NOON + 2 * DAY) == 0


def test_after_a_worker_stood_still_for_weeks_nobody_hears_of_the_past(contract: Contract) -> None:
    left(contract)

    assert halfway.write_to_who_left(now=NOON + 9 * DAY) == 0


def test_an_operator_may_wait_longer_or_write_to_nobody(contract: Contract, settings: Any) -> None:
    left(contract)
    settings.HALFWAY_HOURS = 72
    assert halfway.write_to_who_left(now=NOON + 2 * DAY) == 0
    settings.HALFWAY_HOURS = 0
    assert halfway.write_to_who_left(now=NOON + 4 * DAY) == 0

    settings.HALFWAY_HOURS = 72
    assert halfway.write_to_who_left(now=NOON + 4 * DAY) == 1


def test_contracts_that_nobody_can_read_hold_up_no_other(contract: Contract, monkeypatch: Any) -> None:
    monkeypatch.setattr(halfway, "BATCH", 2)
    for _nth in range(5):
        broken = make_contract()
        Contract.objects.filter(pk=broken.pk).update(terms={"starts_on": "never"})
        left(broken, NOON + timedelta(minutes=1))
    left(contract)

    assert halfway.write_to_who_left(now=NOON + DAY + timedelta(minutes=1)) == 1


def test_the_beat_task_writes(contract: Contract) -> None:
    left(contract)

    with time_machine.travel(NOON + DAY, tick=False):
        assert write_to_who_left_halfway() == 1


def test_looking_for_visits_costs_one_statement_however_many_there_are(contract: Contract) -> None:
    for _nth in range(3):
        left(make_contract())

    with CaptureQueriesContext(connection) as asked:
        assert halfway.left_halfway(NOON + DAY).count() == 3

    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_a_claim_without_its_promise_is_no_claim(contract: Contract, monkeypatch: Any) -> None:
    visit = left(contract)

    def down(*_promises: Any) -> None:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(halfway, "add_many", down)
    with pytest.raises(ConnectionError):
        halfway.write_to_who_left(now=NOON + DAY)
    monkeypatch.undo()

    visit.refresh_from_db()
    assert visit.reminded_at is None
    assert halfway.write_to_who_left(now=NOON + DAY) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_one_message(contract: Contract) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite keeps a test's database in memory, where threads share one connection")
    left(contract, NOON - timedelta(hours=1))
    left(contract, NOON)

    def work(_nth: int) -> int:
        try:
            return halfway.write_to_who_left(now=NOON + DAY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(work, range(4))) == 1
    assert Entry.objects.filter(topic="letter").count() == 1


# ---------------------------------------------------------------- what it says


def test_it_tells_the_facts_of_the_day_and_nothing_else(contract: Contract) -> None:
    visit = left(contract, said={"words": "Too dear."})
    halfway.write_to_who_left(now=NOON + DAY)

    with time_machine.travel(NOON + DAY, tick=False):
        letter = compose.draft(Entry.objects.get(topic="letter").payload)

    assert letter.subject == f"Your contract {contract.reference} goes on; the cancellation was not finished"
    head, _link, tail = letter.text.partition("http://")
    assert head == (
        "Hello Anna Nowak,\n\n"
        "On 10 November 2026 you began to cancel this contract and did not finish. Nothing has happened: the contract "
        "goes on.\n\n"
        f"Contract: Server S, {contract.reference}\n\n"
        "To end it on 31 December 2026, your notice has to come by 30 November 2026. With a later one it would be "
        "31 January 2027.\n\n"
        "Go on where you left it, with what you ticked or wrote. You sign in first:\n"
    )
    assert halfway.go_on_url(contract, visit.key) in letter.text
    assert "/account/choices/" in tail
    assert "/account/choices/" in letter.html
    assert "Too dear." not in letter.text + letter.html
    assert pressing(letter.subject + letter.text) == []


def test_where_the_day_is_over_meanwhile_the_letter_tells_that_of_today(contract: Contract) -> None:
    left(contract, datetime(2026, 11, 30, 12, tzinfo=UTC))

    assert halfway.write_to_who_left(now=datetime(2026, 12, 1, 12, tzinfo=UTC)) == 1

    told = facts()
    assert (told["last_day"], told["finish_by_day"]) == ("2027-01-31", "2026-12-31")
    assert told["useful_until_at"] == "2027-01-01T00:00:00+01:00"


def test_a_letter_that_could_not_leave_before_its_day_is_not_sent(contract: Contract) -> None:
    left(contract)
    halfway.write_to_who_left(now=NOON + DAY)

    with time_machine.travel(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False), pytest.raises(compose.TooLate):
        compose.draft(Entry.objects.get(topic="letter").payload)


def end_it(contract: Contract) -> None:
    end(contract, State.SCHEDULED)


def give_notice(contract: Contract) -> None:
    notice(contract, NOON + DAY)


@pytest.mark.parametrize("finish", [end_it, give_notice])
@pytest.mark.parametrize("kind", ["halfway", "finish-later"])
def test_a_letter_that_waited_until_somebody_had_finished_is_not_sent(
    contract: Contract, kind: str, finish: Callable[[Contract], None]
) -> None:
    visit, quote = left(contract), pages.quote_now(contract, NOON)
    assert quote
    if kind == "halfway":
        halfway.write_to_who_left(now=NOON + DAY)
    else:
        halfway.put_off(contract=contract, visit=visit.key, quote=quote, locale="en", at=NOON)
    payload = Entry.objects.get(topic="letter").payload
    with time_machine.travel(NOON + DAY, tick=False):
        assert "goes on" in compose.draft(payload).text

        finish(contract)
        with pytest.raises(compose.TooLate):
            compose.draft(payload)

        # Undone, it is true again.
        Cancellation.objects.update(state=State.REVOKED)
        Notice.objects.update(state=NoticeState.CLOSED)
        assert "goes on" in compose.draft(payload).text


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        pytest.param(
            {"notice": {"days": 30}, "notice_to": "any_day"},
            "You can give notice on any day. One on 11 November 2026 ends the contract on 11 December 2026",
            id="any-day",
        ),
        pytest.param(
            {"initial_term": {"months": 24}, "renewal": "none"},
            "It ends by itself on 31 December 2026; you need not do anything for that.",
            id="by-itself",
        ),
        pytest.param(
            {"starts_on": "2027-02-01", "billing_anchor": "2027-02-01"},
            "To keep it from starting, your notice has to come by",
            id="before-it-starts",
        ),
    ],
)
def test_it_names_no_deadline_where_there_is_none(terms: dict[str, Any], told: str) -> None:
    contract = make_contract(terms=terms_dict(**terms))
    left(contract)
    assert halfway.write_to_who_left(now=NOON + DAY) == 1

    with time_machine.travel(NOON + DAY, tick=False):
        assert told in compose.draft(Entry.objects.get(topic="letter").payload).text


def test_it_speaks_the_customers_language(contract: Contract) -> None:
    type(contract.customer).objects.update(locale="pl")
    left(contract)
    halfway.write_to_who_left(now=NOON + DAY)

    assert Entry.objects.get(topic="letter").payload["locale"] == "pl"


def test_a_visit_that_goes_on_in_that_very_moment_is_left_alone(contract: Contract) -> None:
    visit = left(contract)
    due = halfway.left_halfway(NOON + DAY).get()
    actions.note_visit(key=visit.key, contract=contract, step="confirm", at=NOON + DAY)

    assert not halfway._write(due.key, contract.pk, NOON + DAY)
    assert not Entry.objects.filter(topic="letter").exists()
