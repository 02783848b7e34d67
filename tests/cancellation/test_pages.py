"""The pages of a contract and the guided way, by client: what they show, what they refuse, what they cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cancellation import actions
from cancellation.models import Cancellation, Event, Notice, State, Visit
from cancellation.steps import unsealed
from feedback.models import Reason
from outbox.models import Entry
from subscriptions.models import Contract, Customer
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.factories import NOON, make_contract, make_customer, pay, terms_dict

pytestmark = pytest.mark.django_db
COUNTED = ("SELECT", "INSERT", "UPDATE", "DELETE")


def let_in(client: Client, customer: Customer) -> Client:
    client.cookies[COOKIE] = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    return client


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def contract() -> Contract:
    # Where every step may stand before the act; Germany's ways are in test_option_pages.py.
    contract = make_contract(country="AT")
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    return contract


@pytest.fixture
def holder(client: Client, contract: Contract) -> Client:
    return let_in(client, contract.customer)


def url(contract: Contract, step: str = "") -> str:
    return f"/contracts/{contract.reference}/{step}"


def quote_on(page: Any) -> str:
    found = re.search(r'name="quote" value="([^"]+)"', page.content.decode())
    assert found, "the page carries no quote"
    return found[1]


@contextmanager
def statements(at_most: int) -> Iterator[None]:
    """Count what reaches the tables; none may come twice."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        yield
    sent = [query["sql"] for query in captured if query["sql"].lstrip("( ").upper().startswith(COUNTED)]
    repeated = [sql for sql, times in Counter(sent).items() if times > 1]
    assert len(sent) <= at_most, "\n".join(sent)
    assert not repeated, repeated


# ---------------------------------------------------------------- the way through


def test_two_clicks_end_a_contract(holder: Client, contract: Contract) -> None:
    overview = holder.get(url(contract, "cancel/"))
    answer = holder.post(url(contract, "cancel/now/"), {"quote": quote_on(overview)}, follow=True)

    assert answer.redirect_chain == [(url(contract, "cancel/done/"), 302)]
    cancellation = Cancellation.objects.get()
    assert cancellation.last_day.isoformat() == "2026-12-31"
    assert cancellation.notice is not None
    assert cancellation.notice.reference in answer.content.decode()


def test_every_step_names_itself_and_its_controls(holder: Client, contract: Contract) -> None:
    expected = {
        "": {"start"},
        "cancel/": {"cancel-now", "keep", "continue", "later"},
        "cancel/reasons/": {"cancel-now", "keep", "continue", "skip", "later"},
        "cancel/confirm/": {"confirm", "keep", "later"},
    }
    for step, controls in expected.items():
        page, _footer, ways_out = holder.get(url(contract, step)).content.decode().partition("<footer>")
        assert set(re.findall(r'data-action="([a-z-]+)"', page)) == controls, step
        assert set(re.findall(r'data-entry="([a-z-]+)"', ways_out)) == {"cancel", "withdraw"}, step
    for step in ("overview", "reasons", "confirm"):
        page = holder.get(url(contract, "cancel/" if step == "overview" else f"cancel/{step}/")).content.decode()
        assert re.search(rf'<main[^>]*data-step="{step}"', page), step


def test_reasons_ticked_with_cancel_now_are_kept(holder: Client, contract: Contract) -> None:
    code = Reason.objects.filter(active=True).first()
    assert code is not None
    page = holder.get(url(contract, "cancel/reasons/"))

    holder.post(
        url(contract, "cancel/now/"),
        {"quote": quote_on(page), "saying": "1", "reasons": [code.code, "no-such-reason"], "words": " Zażółć "},
    )

    said = Entry.objects.get(topic="said").payload["said"]
    assert said["reasons"] == [code.code, "no-such-reason"]
    assert said["words"] == "Zażółć"
    done = holder.get(url(contract, "cancel/done/")).content.decode()
    assert "no longer on our list" in done


def test_reasons_from_an_earlier_step_travel_to_the_end(holder: Client, contract: Contract) -> None:
    reason = Reason.objects.filter(active=True).first()
    assert reason is not None
    holder.get(url(contract, "cancel/reasons/"))
    moved_on = holder.post(
        url(contract, "cancel/reasons/"), {"reasons": [reason.code], "primary": reason.code, "went_well": "The people."}
    )
    assert moved_on.url == url(contract, "cancel/options/")
    assert holder.get(moved_on.url).url == url(contract, "cancel/confirm/")
    back = holder.get(url(contract, "cancel/reasons/")).content.decode()
    assert "The people." in back

    confirm = holder.get(url(contract, "cancel/confirm/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(confirm)})

    said = Entry.objects.get(topic="said").payload["said"]
    assert (said["primary"], said["went_well"]) == (reason.code, "The people.")


def test_an_unknown_reason_is_named_and_the_typed_text_kept(holder: Client, contract: Contract) -> None:
    answer = holder.post(url(contract, "cancel/reasons/"), {"reasons": ["no-such-reason"], "words": "I wrote this."})

    assert answer.status_code == 422
    assert "I wrote this." in answer.content.decode()
    assert "no-such-reason" in answer.content.decode()


def test_nothing_said_promises_nothing_to_feedback(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    assert not Entry.objects.filter(topic="said").exists()


def test_undo_and_leave_again(holder: Client, contract: Contract) -> None:
    def leave() -> None:
        page = holder.get(url(contract, "cancel/"))
        holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    leave()
    undone = holder.post(url(contract, "cancel/undo/"), follow=True)
    assert 'data-action="start"' in undone.content.decode()
    leave()

    assert list(Cancellation.objects.order_by("pk").values_list("state", flat=True)) == [State.REVOKED, State.SCHEDULED]
    assert Notice.objects.count() == 2


# ---------------------------------------------------------------- the second click, the stale page


def test_a_double_submit_is_one_notice(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract, "cancel/"))
    first = holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})
    second = holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    assert first.url == second.url == url(contract, "cancel/done/")
    assert Notice.objects.count() == Cancellation.objects.count() == 1
    assert Entry.objects.filter(topic="letter").count() == 1


def test_a_page_from_before_midnight_is_asked_again_and_the_click_counts(client: Client) -> None:
    contract = make_contract()
    with time_machine.travel(datetime(2026, 11, 30, 22, 59, tzinfo=UTC), tick=False):
        let_in(client, contract.customer)
        page = client.get(url(contract, "cancel/"))
    with time_machine.travel(datetime(2026, 11, 30, 23, 1, tzinfo=UTC), tick=False):
        answer = client.post(url(contract, "cancel/now/"), {"quote": quote_on(page), "saying": "1", "words": "Kept."})

        assert answer.status_code == 409
        body = answer.content.decode()
        assert "31 December 2026" in body
        assert "31 January 2027" in body
        assert 'data-step="confirm"' in body
        assert "Kept." in body
        notice = Notice.objects.get()
        assert notice.shown["last_day"] == "2026-12-31"

    with time_machine.travel(datetime(2026, 12, 3, 9, 0, tzinfo=UTC), tick=False):
        let_in(client, contract.customer)
        client.post(url(contract, "cancel/now/"), {"quote": quote_on(answer)})

    cancellation = Cancellation.objects.get()
    assert cancellation.notice == notice
    assert cancellation.last_day.isoformat() == "2027-01-31"
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("quote", ["", "tampered", "x" * 5000], ids=["missing", "tampered", "long"])
def test_an_unreadable_quote_records_the_notice_and_asks(holder: Client, contract: Contract, quote: str) -> None:
    answer = holder.post(url(contract, "cancel/now/"), {"quote": quote})

    assert answer.status_code == 409
    assert Notice.objects.count() == 1
    assert not Cancellation.objects.exists()


def test_another_contracts_quote_does_not_count(holder: Client, contract: Contract) -> None:
    other = make_contract(customer=contract.customer)
    page = holder.get(url(other, "cancel/"))

    assert holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)}).status_code == 409


def test_a_step_opened_by_its_address_works_and_done_without_an_act_leads_back(
    holder: Client, contract: Contract
) -> None:
    assert holder.get(url(contract, "cancel/confirm/")).status_code == 200
    assert holder.get(url(contract, "cancel/done/")).url == url(contract)
    assert holder.get(url(contract, "cancel/last-day.ics")).status_code == 404


def test_the_back_button_after_the_act_shows_what_was_done(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    for step in ("cancel/", "cancel/reasons/", "cancel/confirm/"):
        assert holder.get(url(contract, step)).url == url(contract, "cancel/done/")


def test_reading_the_committing_address_commits_nothing(holder: Client, contract: Contract) -> None:
    assert holder.get(url(contract, "cancel/now/")).url == url(contract, "cancel/confirm/")
    assert holder.get(url(contract, "cancel/undo/")).url == url(contract)
    assert not Notice.objects.exists()


# ---------------------------------------------------------------- whose, and whether at all


def test_a_stranger_is_led_to_the_sign_in_and_back(client: Client, contract: Contract) -> None:
    answer = client.get(url(contract, "cancel/"))

    assert answer.status_code == 302
    assert answer.url == f"/sign-in/?next=%2Fcontracts%2F{contract.reference}%2Fcancel%2F"


@pytest.mark.parametrize(
    "step", ["", "cancel/", "cancel/reasons/", "cancel/confirm/", "cancel/done/", "cancel/last-day.ics"]
)
def test_somebody_elses_contract_is_not_there(client: Client, contract: Contract, step: str) -> None:
    let_in(client, make_customer())

    assert client.get(url(contract, step)).status_code == 404
    assert client.get(f"/contracts/C-NOSUCH/{step}").status_code == 404
    assert client.post(url(contract, "cancel/now/"), {"quote": ""}).status_code == 404
    assert not Notice.objects.exists()


def test_a_contract_that_ended_by_itself_says_so_and_still_takes_the_notice(client: Client) -> None:
    contract = make_contract(terms=terms_dict(initial_term={"months": 12}, renewal="none"))
    let_in(client, contract.customer)

    page = client.get(url(contract))
    # The page's own way out is gone; the entry that every page shows stays.
    assert 'data-action="start"' not in page.content.decode().partition("<footer>")[0]
    assert "31 December 2025" in page.content.decode()
    assert client.get(url(contract, "cancel/")).url == url(contract)
    assert client.post(url(contract, "cancel/now/"), {"quote": ""}).status_code == 409
    assert Notice.objects.count() == 1
    assert Event.objects.get().why == "the contract had ended by itself"


def test_undo_after_the_last_day_is_refused_with_words(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})
    with time_machine.travel(NOON + timedelta(days=90), tick=False):
        let_in(holder, contract.customer)
        answer = holder.post(url(contract, "cancel/undo/"))

    assert answer.status_code == 409
    assert "can no longer be undone" in answer.content.decode()
    assert Cancellation.objects.get().state == State.SCHEDULED


def test_undo_twice_changes_nothing(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})
    holder.post(url(contract, "cancel/undo/"))

    assert holder.post(url(contract, "cancel/undo/")).status_code == 302
    assert Event.objects.filter(what="undone").count() == 1


# ---------------------------------------------------------------- what it costs


def test_query_budgets_hold_and_nothing_is_asked_twice(holder: Client, contract: Contract) -> None:
    holder.get(url(contract, "cancel/reasons/"))  # the reason tree is read once a minute and process
    with statements(at_most=3):
        overview = holder.get(url(contract, "cancel/"))
    with statements(at_most=4):
        holder.get(url(contract, "cancel/reasons/"))
    with statements(at_most=4):
        holder.post(url(contract, "cancel/reasons/"), {"words": "Said."})
    with statements(at_most=4):
        holder.get(url(contract, "cancel/confirm/"))
    with statements(at_most=8):
        holder.post(url(contract, "cancel/now/"), {"quote": quote_on(overview)})

    assert Cancellation.objects.count() == 1
    assert Visit.objects.count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_the_account_costs_the_same_for_one_and_three_contracts(client: Client, count: int) -> None:
    customer = make_customer()
    for _nth in range(count):
        make_contract(customer=customer)
    let_in(client, customer)

    with statements(at_most=1):
        page = client.get("/account/")
    assert page.content.decode().count("Server S") == count


def test_customers_never_cost_a_session(holder: Client, contract: Contract) -> None:
    holder.get(url(contract, "cancel/"))

    assert "sessionid" not in holder.cookies


def test_the_calendar_file_holds_the_last_day(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    lines = holder.get(url(contract, "cancel/last-day.ics")).content.decode().split("\r\n")

    assert "DTSTART;VALUE=DATE:20261231" in lines
    assert "DTEND;VALUE=DATE:20270101" in lines
    assert max(len(line.encode()) for line in lines) <= 75


def test_an_account_without_contracts_says_so(client: Client) -> None:
    let_in(client, make_customer())

    assert "There is no contract in your name." in client.get("/account/").content.decode()


def test_nothing_of_a_contract_is_cached_or_indexed(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract))

    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex"
    assert "default-src 'none'" in page["Content-Security-Policy"]


def test_a_dead_broker_costs_nothing_but_a_log_line(
    holder: Client, contract: Contract, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    def dead() -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("outbox.nudge.wake", dead)
    page = holder.get(url(contract, "cancel/"))
    with django_capture_on_commit_callbacks(execute=False):
        answer = holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    assert answer.status_code == 302
    assert actions.end_due_contracts(now=NOON) == 0


# ---------------------------------------------------------------- standing notices, other devices, broken parts


def notice_that_waits() -> Contract:
    """Return a contract whose notice of 30 November waits: what its holder had seen could not be read."""
    contract = make_contract()
    with time_machine.travel(datetime(2026, 11, 30, 12, 0, tzinfo=UTC), tick=False):
        client = let_in(Client(), contract.customer)
        assert client.post(url(contract, "cancel/now/"), {"quote": "unreadable"}).status_code == 409
    return contract


def test_a_standing_notice_keeps_its_instant_on_another_device_a_day_later() -> None:
    contract = notice_that_waits()

    with time_machine.travel(datetime(2026, 12, 1, 12, 0, tzinfo=UTC), tick=False):
        elsewhere = let_in(Client(), contract.customer)
        page = elsewhere.get(url(contract))
        assert "30 November 2026" in page.content.decode()
        confirm = elsewhere.get(url(contract, "cancel/confirm/"))
        assert "31 December 2026" in confirm.content.decode()
        elsewhere.post(url(contract, "cancel/now/"), {"quote": quote_on(confirm)})

    cancellation = Cancellation.objects.get()
    assert cancellation.last_day.isoformat() == "2026-12-31"
    assert Notice.objects.count() == 1


def test_a_standing_notice_can_be_taken_back() -> None:
    contract = notice_that_waits()

    with time_machine.travel(datetime(2026, 12, 1, 12, 0, tzinfo=UTC), tick=False):
        client = let_in(Client(), contract.customer)
        answer = client.post(url(contract, "cancel/undo/"), follow=True)

    assert 'data-action="start"' in answer.content.decode()
    assert Notice.objects.get().state == "closed"
    assert Entry.objects.filter(dedupe_key__startswith="taken-back:").count() == 1
    assert not Cancellation.objects.exists()


def test_two_devices_at_once_leave_no_notice_behind_that_could_end_it_again(contract: Contract) -> None:
    one, two = let_in(Client(), contract.customer), let_in(Client(), contract.customer)
    first, second = one.get(url(contract, "cancel/")), two.get(url(contract, "cancel/"))
    shown = unsealed(quote_on(second), contract)
    # The other device's notice is recorded in the moment before the first one is confirmed.
    surplus = actions.receive_notice(
        contract=contract,
        shown=shown,
        received_at=NOON,
        actor=actions.SYSTEM,
        key="other",
        locale="en",
        declaration="x",
    )
    own = actions.receive_notice(
        contract=contract, shown=shown, received_at=NOON, actor=actions.SYSTEM, key="own", locale="en", declaration="x"
    )
    actions.confirm(notice=own, shown=shown, actor=actions.SYSTEM)
    actions.confirm(notice=surplus, shown=shown, actor=actions.SYSTEM)
    one.post(url(contract, "cancel/undo/"))

    actions.settle(notice_id=surplus.pk)
    actions.settle(notice_id=own.pk)

    assert list(Cancellation.objects.values_list("state", flat=True)) == [State.REVOKED]
    surplus.refresh_from_db()
    assert surplus.state == "closed"
    assert quote_on(first)


def test_an_undo_closes_a_notice_that_a_crash_had_left_behind(contract: Contract, holder: Client) -> None:
    page = holder.get(url(contract, "cancel/"))
    left = actions.receive_notice(
        contract=contract,
        shown=unsealed(quote_on(page), contract),
        received_at=NOON,
        actor=actions.SYSTEM,
        key="left",
        locale="en",
        declaration="x",
    )
    other = actions.receive_notice(
        contract=contract, shown=None, received_at=NOON, actor=actions.SYSTEM, key="o", locale="en", declaration="x"
    )
    actions.confirm(notice=other, shown=unsealed(quote_on(page), contract), actor=actions.SYSTEM)
    holder.post(url(contract, "cancel/undo/"))

    actions.settle(notice_id=left.pk)

    assert not Cancellation.objects.exclude(state=State.REVOKED).exists()


@pytest.mark.parametrize("field", ["words", "went_well", "reasons", "primary"])
def test_a_character_that_no_database_takes_does_not_stop_the_act(
    holder: Client, contract: Contract, field: str
) -> None:
    page = holder.get(url(contract, "cancel/reasons/"))
    answer = holder.post(
        url(contract, "cancel/now/"), {"quote": quote_on(page), "saying": "1", field: "before\x00after"}
    )

    assert answer.status_code == 302
    assert "\x00" not in str(Entry.objects.get(topic="said").payload)
    assert holder.post(url(contract, "cancel/reasons/"), {"words": "a\x00b"}).status_code in (302, 422)


def test_an_address_that_is_none_is_not_there(holder: Client) -> None:
    assert holder.get("/contracts/%00/").status_code == 404


def test_a_dead_cache_and_a_broken_reason_tree_do_not_stop_the_act(
    holder: Client, contract: Contract, monkeypatch: Any
) -> None:
    def dead(*args: object, **more: object) -> None:
        raise ConnectionError("no cache")

    monkeypatch.setattr("feedback.queries.cache.get", dead)
    monkeypatch.setattr("feedback.queries.cache.set", dead)
    assert "It costs too much" in holder.get(url(contract, "cancel/reasons/")).content.decode()

    def broken() -> None:
        raise DatabaseError("no such table")

    monkeypatch.setattr("feedback.queries._offered_rows", broken)
    page = holder.get(url(contract, "cancel/reasons/"))
    assert page.status_code == 200
    data = {"quote": quote_on(page), "saying": "1", "reasons": ["cost-price"]}
    assert holder.post(url(contract, "cancel/now/"), data, follow=True).status_code == 200
    assert Cancellation.objects.count() == 1


def test_a_contract_whose_terms_cannot_be_read_can_still_be_left(holder: Client, contract: Contract) -> None:
    healthy = make_contract(customer=contract.customer, plan=contract.plan)
    Contract.objects.filter(pk=contract.pk).update(terms={"notice": "soon"})

    assert healthy.reference in holder.get("/account/").content.decode()
    page = holder.get(url(contract))
    assert 'data-action="cancel-now"' in page.content.decode()
    answer = holder.post(url(contract, "cancel/now/"), {"quote": ""})

    assert answer.status_code == 202
    notice = Notice.objects.get()
    assert notice.reference in answer.content.decode()
    assert Event.objects.get().what == "waits for the desk"
    actions.settle(notice_id=notice.pk)
    assert not Cancellation.objects.exists()


def test_one_contract_that_cannot_be_read_does_not_keep_others_from_ending(holder: Client, contract: Contract) -> None:
    broken = make_contract(customer=contract.customer)
    for each in (broken, contract):
        page = holder.get(url(each, "cancel/"))
        holder.post(url(each, "cancel/now/"), {"quote": quote_on(page)})
    Contract.objects.filter(pk=broken.pk).update(terms={})

    assert actions.end_due_contracts(now=NOON + timedelta(days=90)) == 1

    assert Cancellation.objects.get(contract=contract).state == State.ENDED


def test_a_page_of_one_contract_never_ends_another(holder: Client, contract: Contract) -> None:
    other = make_contract(customer=contract.customer)
    first = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(first)})
    # The visit's cookie is carried over by hand.
    holder.cookies["fw_visit"]["path"] = "/"
    second = holder.get(url(other, "cancel/"))
    holder.post(url(other, "cancel/now/"), {"quote": quote_on(second)})

    assert set(Cancellation.objects.values_list("contract_id", flat=True)) == {contract.pk, other.pk}


def test_a_sign_in_that_was_ended_everywhere_leads_to_the_sign_in(holder: Client, contract: Contract) -> None:
    Customer.objects.update(sign_in_epoch=1)

    assert holder.get(url(contract)).url.startswith("/sign-in/")


def test_what_was_said_survives_a_crash_between_the_notice_and_its_end(
    holder: Client, contract: Contract, monkeypatch: Any
) -> None:
    page = holder.get(url(contract, "cancel/reasons/"))

    def crash(**more: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(actions, "confirm", crash)
        with pytest.raises(SystemExit):
            holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page), "saying": "1", "words": "Kept."})
    entry = Entry.objects.get(topic="settle")
    actions.settle(notice_id=entry.payload["notice_id"], said=entry.payload["said"])

    assert Cancellation.objects.count() == 1
    assert Entry.objects.get(topic="said").payload["said"]["words"] == "Kept."
