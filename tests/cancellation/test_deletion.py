"""Deletion: contracts ended in place with a receipt each, the request, what goes at once, and what goes on its day."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client

from billing import results
from billing.models import Instruction, Outcome
from cancellation import actions, deletions, forgetting
from cancellation.actions import Actor, end_due_contracts
from cancellation.models import (
    Acceptance,
    Announcement,
    Cancellation,
    Declared,
    DeletionRequest,
    DeskTask,
    Event,
    Notice,
    Receipt,
    State,
    Visit,
)
from cancellation.tasks import forget_what_is_over
from feedback.models import Answer, Reason
from messaging.models import Letter
from outbox.drain import drain
from outbox.models import Entry
from subscriptions import choices
from subscriptions.lexicon import pressing
from subscriptions.models import Consent, ConsentTopic, Contract, Customer, Payment, SignInToken
from tests.cancellation.test_account import leave, seen
from tests.cancellation.test_account_data import whole_story
from tests.cancellation.test_pages import let_in, statements, url
from tests.cancellation.test_r19_erasure import everything
from tests.factories import NOON, make_contract, make_customer, pay, terms_dict

pytestmark = pytest.mark.django_db
PAGE, END, ASKED, BACK = (f"/account/delete/{step}" for step in ("", "end/", "asked/", "take-back/"))
# A contract that ends with 2026 is kept for three years, to the end of 2029.
FREE = date(2030, 1, 1)
THE_DAY = datetime(2030, 1, 1, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def customer() -> Customer:
    return make_customer(name="Anna Nowak", email="anna@example.org")


@pytest.fixture
def holder(client: Client, customer: Customer) -> Client:
    return let_in(client, customer)


def sealed_on(page: Any) -> dict[str, str]:
    """Return the quotes that a page carries, by the names of their fields."""
    return dict(re.findall(r'name="(quote-\d+)"\s+value="([^"]+)"', page.content.decode()))


def ask(customer: Customer) -> DeletionRequest:
    return deletions.ask(customer=customer, actor=Actor.customer(customer.pk), at=NOON, locale="en")


# ---------------------------------------------------------------- ending contracts in place


def test_the_contracts_that_are_ticked_end_each_with_its_receipt(holder: Client, customer: Customer) -> None:
    first, second, stays = (make_contract(customer=customer) for _ in range(3))
    page = holder.get(PAGE)

    answer = holder.post(END, {"end": [first.reference, second.reference], **sealed_on(page)}, follow=True)

    assert answer.redirect_chain == [(PAGE + "?ended=1", 302)]
    ends = {row.contract_id: row for row in Cancellation.objects.select_related("notice")}
    assert set(ends) == {first.pk, second.pk}
    assert {str(row.last_day) for row in ends.values()} == {"2026-12-31"}
    receipts = Receipt.objects.filter(kind="end")
    assert receipts.count() == 2
    body = answer.content.decode()
    assert all(f"/receipts/{receipt.key}/" in body for receipt in receipts)
    notice = ends[first.pk].notice
    assert notice is not None
    assert (notice.channel, notice.button) == ("guided", "End the chosen contracts")
    assert notice.declaration.startswith(f"I end contract {first.reference} (Server S)")
    assert notice.shown["last_day"] == "2026-12-31"
    assert not DeletionRequest.objects.exists(), "ending contracts asks for no deletion"
    assert not Cancellation.objects.filter(contract=stays).exists()
    drain()
    assert Letter.objects.filter(kind="end-confirmed").count() == 2


def test_last_day_and_money_stand_before_the_tick_and_nothing_is_ticked(holder: Client, customer: Customer) -> None:
    contract = make_contract(customer=customer)
    pay(contract, "2026-01-01", "2027-12-31", 24_000)

    page = holder.get(PAGE)

    body = page.content.decode()
    assert "Your contract ends on 31 December 2026. You get €120.00 back." in seen(page)
    assert body.index("31 December 2026") < body.index('name="end"')
    assert "checked" not in body
    # The step by step way is a button like the others.
    assert re.search(rf'<a class="button"\s+href="{url(contract, "cancel/")}"', body)


def test_a_double_click_ends_once(holder: Client, customer: Customer) -> None:
    contract = make_contract(customer=customer)
    given = {"end": [contract.reference], **sealed_on(holder.get(PAGE))}

    holder.post(END, given)
    again = holder.post(END, given)

    assert again.url == PAGE + "?ended=1"
    assert Notice.objects.count() == Cancellation.objects.count() == Receipt.objects.count() == 1


def test_one_end_that_breaks_does_not_hold_up_the_others(
    holder: Client, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = make_contract(customer=customer), make_contract(customer=customer)
    page = holder.get(PAGE)
    confirm = actions.confirm

    def breaks_once(*, notice: Notice, **given: Any) -> Cancellation:
        if notice.contract_id == broken.pk:
            raise RuntimeError("a fault that nobody thought of")
        return confirm(notice=notice, **given)

    monkeypatch.setattr(actions, "confirm", breaks_once)
    holder.post(END, {"end": [broken.reference, whole.reference], **sealed_on(page)})
    monkeypatch.undo()

    assert Cancellation.objects.get().contract_id == whole.pk
    assert Notice.objects.filter(contract=broken).exists()
    # A worker takes the other one up.
    with time_machine.travel(NOON + actions.SETTLE_AFTER, tick=False):
        drain()
    assert Cancellation.objects.count() == 2


def test_what_is_not_theirs_is_never_said_to_be_recorded(holder: Client) -> None:
    foreign = make_contract()

    assert holder.post(END, {"end": [foreign.reference]}).url == PAGE
    assert not Notice.objects.exists()


def test_an_undone_end_can_be_declared_again(holder: Client, customer: Customer) -> None:
    contract = make_contract(customer=customer)
    holder.post(END, {"end": [contract.reference], **sealed_on(holder.get(PAGE))})
    holder.post(url(contract, "cancel/undo/"))

    holder.post(END, {"end": [contract.reference], **sealed_on(holder.get(PAGE))})

    assert list(Cancellation.objects.order_by("pk").values_list("state", flat=True)) == [State.REVOKED, State.SCHEDULED]


def test_nothing_ticked_ends_nothing_and_says_so(holder: Client, customer: Customer) -> None:
    make_contract(customer=customer)

    answer = holder.post(END, sealed_on(holder.get(PAGE)))

    assert answer.status_code == 422
    assert "No contract was ticked, so nothing was ended." in seen(answer)
    assert not Notice.objects.exists()


def test_what_got_worse_is_recorded_and_asked_again_while_the_others_end(client: Client) -> None:
    customer = make_customer()
    monthly = make_contract(customer=customer)
    late = make_contract(customer=customer, terms=terms_dict(notice={"days": 0}, notice_to="any_day"))
    with time_machine.travel(datetime(2026, 11, 30, 22, 59, tzinfo=UTC), tick=False):
        let_in(client, customer)
        quotes = sealed_on(client.get(PAGE))
    quotes[f"quote-{late.pk}"] = sealed_on_later(client, customer)[f"quote-{late.pk}"]

    with time_machine.travel(datetime(2026, 11, 30, 23, 1, tzinfo=UTC), tick=False):
        answer = client.post(END, {"end": [monthly.reference, late.reference], **quotes})

        assert answer.status_code == 409
        assert [row.contract for row in Cancellation.objects.all()] == [late]
        assert set(Notice.objects.values_list("contract", flat=True)) == {monthly.pk, late.pk}
        assert "the end has changed. Your notice is recorded" in seen(answer)
        assert f'href="{url(monthly, "cancel/confirm/")}"' in answer.content.decode()


def sealed_on_later(client: Client, customer: Customer) -> dict[str, str]:
    with time_machine.travel(datetime(2026, 11, 30, 23, 0, tzinfo=UTC), tick=False):
        return sealed_on(client.get(PAGE))


@pytest.mark.parametrize("quote", ["", "tampered", "x" * 5000])
def test_a_quote_that_cannot_be_read_records_the_notice_and_asks(
    holder: Client, customer: Customer, quote: str
) -> None:
    contract = make_contract(customer=customer)

    answer = holder.post(END, {"end": [contract.reference], f"quote-{contract.pk}": quote})

    assert answer.status_code == 409
    assert Notice.objects.get().contract == contract
    assert not Cancellation.objects.exists()


def test_a_contract_that_cannot_be_read_can_be_left_here_too(holder: Client, customer: Customer) -> None:
    contract = make_contract(customer=customer)
    Contract.objects.update(terms={"starts_on": "never"})

    page = holder.get(PAGE)
    answer = holder.post(END, {"end": [contract.reference]}, follow=True)

    assert "A notice counts all the same" in seen(page)
    assert answer.status_code == 200
    assert Notice.objects.get().contract == contract
    assert Event.objects.get().what == "waits for the desk"
    assert "Your notice is recorded." in seen(answer)


def test_somebody_elses_contract_is_not_ended(holder: Client) -> None:
    other = make_contract()

    holder.post(END, {"end": [other.reference, "C-NOSUCH"]})

    assert not Notice.objects.exists()


def test_the_page_costs_the_same_for_one_contract_and_four(holder: Client, customer: Customer) -> None:
    contract = make_contract(customer=customer)
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    with statements(at_most=6):
        holder.get(PAGE)
    for _nth in range(3):
        pay(make_contract(customer=customer), "2026-11-01", "2026-11-30", 1200)

    with statements(at_most=6):
        assert seen(holder.get(PAGE)).count("End this contract") == 4


# ---------------------------------------------------------------- the request


def test_asking_ends_no_contract_and_holds_up_none(holder: Client, customer: Customer) -> None:
    contract = make_contract(customer=customer)

    answer = holder.post(PAGE, follow=True)

    assert answer.redirect_chain == [(ASKED, 302)]
    assert "No contract was ended by this." in seen(answer)
    assert not Notice.objects.exists()
    assert DeletionRequest.objects.get().erase_on is None
    assert leave(holder, contract).last_day == date(2026, 12, 31)


def test_the_letter_says_what_went_what_stays_and_until_when(customer: Customer) -> None:
    running, ending = make_contract(customer=customer), make_contract(customer=customer)
    leave(let_in(Client(), customer), ending)

    ask(customer)
    drain()

    letter = Letter.objects.get(kind="deletion-asked")
    assert (letter.customer, letter.contract, letter.to) == (customer, None, "anna@example.org")
    assert letter.subject == "Your request to delete your data at Larkspur Services"
    text = " ".join(letter.text.split())
    assert "Hello Anna Nowak, You asked us on 10 November 2026, 12:00:00 (UTC+00:00) to delete your data." in text
    assert f"- Server S, {ending.reference}: kept until 31 December 2029" in text
    assert f"- Server S, {running.reference}: kept for 3 years from the end of the year in which it ends" in text
    assert "No contract was ended by this." in text
    assert "/account/delete/" in text
    assert pressing(text, "en") == []
    assert "kept until 31 December 2029" in letter.html


def test_a_second_request_finds_the_first(holder: Client, customer: Customer) -> None:
    make_contract(customer=customer)
    holder.post(PAGE)
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        holder.post(PAGE)

    assert DeletionRequest.objects.get().asked_at == NOON
    assert Entry.objects.filter(dedupe_key__startswith="deletion-asked:").count() == 1
    assert Event.objects.filter(what="deletion asked").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        DeletionRequest.objects.create(customer=customer, asked_at=NOON, actor="x")


def test_words_visits_consents_and_sign_ins_go_at_once_and_the_rest_stays() -> None:
    contract = whole_story("Zanzibar")
    customer = contract.customer
    Entry.objects.create(
        topic="said", dedupe_key=f"said:{Cancellation.objects.get().pk}", due_at=NOON,
        payload={"contract_id": contract.pk, "said": {"reasons": ["price"], "words": "Zanzibar", "went_well": "Z"}},
    )  # fmt: skip
    elsewhere = let_in(Client(), customer)

    ask(customer)

    answer = Answer.objects.get()
    assert (answer.words, answer.went_well, answer.reasons.count(), bool(answer.primary)) == ("", "", 2, True)
    assert Entry.objects.get(topic="said").payload["said"] == {"reasons": ["price"]}
    assert not Visit.objects.exists()
    assert Acceptance.objects.get().asked == {}
    assert (DeskTask.objects.get().words, DeskTask.objects.get().wishes) == ("", {})
    assert [choices.given(customer, topic) for topic in ("halfway", "news", "options")] == [False] * 3
    assert Consent.objects.order_by("pk").last().wording == "Delete my data"  # type: ignore[union-attr]
    assert elsewhere.get("/account/").status_code == 302
    assert not SignInToken.objects.exists()
    kept = Customer.objects.get()
    assert (kept.name, kept.email) == ("Zanzibar", "Zanzibar@example.org")
    assert (Letter.objects.exclude(text="").count(), Payment.objects.count()) == (2, 1)
    assert Receipt.objects.exclude(jws="").count() == 2


def test_the_one_who_asks_stays_signed_in_and_may_take_it_back(holder: Client, customer: Customer) -> None:
    make_contract(customer=customer)
    holder.post(PAGE)

    page = holder.get(ASKED)
    back = holder.post(BACK, follow=True)

    assert page.status_code == 200
    assert "Take the request back" in seen(page)
    assert "Your request is taken back." in seen(back)
    assert DeletionRequest.objects.get().taken_back_at == NOON
    assert holder.post(BACK).status_code == 302
    assert Event.objects.filter(what="deletion taken back").count() == 1
    assert holder.get(ASKED).url == PAGE
    holder.post(PAGE)
    assert DeletionRequest.objects.count() == 2


def test_a_customer_without_contracts_and_without_an_address_can_ask(client: Client) -> None:
    let_in(client, make_customer(email="", name="Ł" * 200))

    told = seen(client.get(PAGE))
    answer = client.post(PAGE, follow=True)
    drain()

    assert "There is no contract in your name." in told
    assert "On 10 November 2026, or a few hours later, the rest is deleted" in seen(answer)
    assert Letter.objects.get().undeliverable == "no-address"


# ---------------------------------------------------------------- until when


def test_the_day_is_known_when_every_contract_has_its_end(holder: Client, customer: Customer) -> None:
    first, second = make_contract(customer=customer), make_contract(customer=customer)
    leave(holder, first)
    holder.post(PAGE)
    assert DeletionRequest.objects.get().erase_on is None

    with time_machine.travel(datetime(2027, 2, 10, tzinfo=UTC), tick=False):
        let_in(holder, Customer.objects.get())
        leave(holder, second)
        deletions.carry_out(datetime(2027, 2, 11, tzinfo=UTC))

    assert DeletionRequest.objects.get().erase_on == date(2031, 1, 1)


def test_a_contract_that_ended_by_itself_has_its_day(customer: Customer) -> None:
    make_contract(customer=customer, terms=terms_dict(initial_term={"months": 12}, renewal="none"))

    assert ask(customer).erase_on == date(2029, 1, 1)


def test_an_end_that_stands_for_never_has_no_day_and_holds_up_nobody(holder: Client, customer: Customer) -> None:
    contract = make_contract(customer=customer)
    Cancellation.objects.create(
        contract=contract, received_on=NOON.date(), last_day=date.max, currency="EUR", state=State.SCHEDULED
    )
    other = make_customer()

    assert holder.get(PAGE).status_code == 200
    assert holder.post(PAGE, follow=True).status_code == 200
    assert ask(other).erase_on == NOON.date()
    drain()

    assert DeletionRequest.objects.get(customer=customer).erase_on is None
    assert deletions.carry_out(NOON) == 1, "the other one"


def test_an_undo_takes_the_day_away(holder: Client, customer: Customer) -> None:
    contract = make_contract(customer=customer)
    leave(holder, contract)
    ask(customer)
    assert DeletionRequest.objects.get().erase_on == FREE
    let_in(holder, Customer.objects.get())
    holder.post(url(contract, "cancel/undo/"))

    assert deletions.carry_out(THE_DAY) == 0
    assert DeletionRequest.objects.get().erase_on is None
    assert Customer.objects.get().name == "Anna Nowak"


def test_words_of_a_public_page_keep_their_own_day(customer: Customer) -> None:
    contract = make_contract(customer=customer, terms=terms_dict(initial_term={"months": 12}, renewal="none"))
    notice = Notice.objects.create(
        channel="door", contract=contract, received_at=NOON, declaration="x", actor="public", idempotency_key="d",
        state="closed",
    )  # fmt: skip
    Declared.objects.create(notice=notice, name="Anna", erase_on=date(2033, 5, 5))

    assert ask(customer).erase_on == date(2033, 5, 5)


# ---------------------------------------------------------------- the day


def over_and_due(mark: str = "Zanzibar") -> Customer:
    """Return a customer with everything, whose contract is over and whose day has come, and who has asked."""
    contract = whole_story(mark)
    Instruction.objects.update(outcome=Outcome.DONE, done_at=NOON)
    staff = User.objects.get_or_create(username="carl")[0]
    LogEntry.objects.create(
        user=staff, content_type=ContentType.objects.get_for_model(Customer), object_id=contract.customer_id,
        object_repr=mark, action_flag=2, change_message=f"changed {mark}",
    )  # fmt: skip
    ask(contract.customer)
    drain()
    end_due_contracts(now=THE_DAY)
    return Customer.objects.get(pk=contract.customer_id)


def test_on_the_day_the_name_and_every_word_are_nowhere_any_more() -> None:
    customer = over_and_due()
    assert "Zanzibar" in everything()

    assert deletions.carry_out(THE_DAY) == 1

    assert [line[:200] for line in everything().splitlines() if "Zanzibar" in line] == []
    erased = Customer.objects.get()
    assert (erased.name, erased.email, str(erased)) == ("", "", erased.reference)
    assert erased.reference != customer.reference
    assert customer.reference not in everything()
    assert DeletionRequest.objects.exclude(done_at=None).get().done_at == THE_DAY
    assert Event.objects.filter(what="text erased").get().why == "deleted as its holder asked"


def test_why_billing_could_not_carry_an_option_out_goes_too() -> None:
    over_and_due()
    contract, agreed = Contract.objects.get(), Acceptance.objects.get()
    instruction = Instruction.objects.create(
        key="i-option", contract=contract, kind="discount", on_day=NOON.date(), acceptance_id=agreed.pk
    )
    results.could_not(instruction=instruction, actor="staff:carl", at=NOON, why="Zanzibar has no account there")
    drain()
    DeskTask.objects.update(done_at=NOON)
    results.carried_out(instruction=instruction, actor="staff:carl", at=NOON)
    drain()
    assert "Zanzibar has no account there" in everything()

    assert deletions.carry_out(THE_DAY) == 1

    assert [line[:200] for line in everything().splitlines() if "Zanzibar" in line] == []


def test_days_and_money_stay_for_whoever_counts() -> None:
    over_and_due()
    counted = (
        Cancellation.objects.values("last_day", "state", "refund_minor", "received_on"),
        Payment.objects.values("paid_from", "paid_to", "amount_minor"),
        Contract.objects.values("reference", "price_minor", "starts_on", "plan"),
        Notice.objects.order_by("pk").values("reference", "received_at", "digest", "act", "state"),
        Answer.objects.values("root", "primary", "said_at"),
    )
    before = [list(rows.all()) for rows in counted]

    deletions.carry_out(THE_DAY)

    assert [list(rows.all()) for rows in counted] == before


def test_a_receipt_that_somebody_kept_is_still_recognised_and_genuine() -> None:
    over_and_due()
    copy = Receipt.objects.get(kind="end")

    deletions.carry_out(THE_DAY)

    row = Receipt.objects.get(kind="end")
    assert row.jws == ""
    assert row.document["digest"] == hashlib.sha256(copy.jws.encode()).hexdigest()
    assert (row.number, row.kid) == (copy.number, copy.kid)
    answer = Client().post(
        "/receipts/verify", copy.jws, content_type="text/plain", headers={"accept": "application/json"}
    )
    assert json.loads(answer.content)["valid"] is True
    assert Client().get(f"/receipts/{copy.key}/").status_code == 404


def test_a_day_earlier_nothing_goes() -> None:
    over_and_due()

    assert deletions.carry_out(datetime(2029, 12, 31, 23, 30, tzinfo=UTC)) == 0
    assert Customer.objects.get().name == "Zanzibar"


def test_twice_erases_once_and_changes_nothing_the_second_time() -> None:
    over_and_due()
    deletions.carry_out(THE_DAY)
    before = everything()

    assert deletions.carry_out(THE_DAY + timedelta(days=1)) == 0
    assert everything() == before


def test_what_was_taken_back_is_not_done() -> None:
    customer = over_and_due()
    deletions.take_back(customer_id=customer.pk, actor=Actor.customer(customer.pk), at=NOON)

    assert deletions.carry_out(THE_DAY) == 0
    assert Customer.objects.get().name == "Zanzibar"


@pytest.mark.parametrize("waits", ["refund", "task", "announcement", "notice", "judgement"])
def test_what_somebody_still_has_to_do_is_done_first(waits: str) -> None:
    over_and_due()
    if waits == "refund":
        Instruction.objects.update(outcome=Outcome.FAILED, done_at=None)
    elif waits == "task":
        DeskTask.objects.update(done_at=None)
    elif waits == "announcement":
        Announcement.objects.update(state="asked")
    elif waits == "notice":
        Notice.objects.filter(channel="door").update(state="matched")
    else:
        Cancellation.objects.update(judgement="open")

    assert deletions.carry_out(THE_DAY) == 0
    assert Customer.objects.get().name == "Zanzibar"


def test_a_letter_that_could_not_leave_yet_leaves_first() -> None:
    customer = make_customer(name="Zanzibar", email="zanzibar@example.org")
    assert ask(customer).erase_on == NOON.date()

    assert deletions.carry_out(NOON) == 0, "the letter about the request is still to be sent"
    drain()
    assert Letter.objects.get(kind="deletion-asked").to == "zanzibar@example.org"

    assert deletions.carry_out(NOON) == 1
    assert not Entry.objects.filter(delivered_at=None).exists()
    assert Letter.objects.get(kind="deletion-asked").to == ""


def test_another_customer_of_the_same_day_is_left_alone() -> None:
    over_and_due()
    other = whole_story("Tangier")
    told = [line for line in everything().splitlines() if "Tangier" in line]

    deletions.carry_out(THE_DAY)

    assert [line for line in everything().splitlines() if "Tangier" in line] != []
    assert len([line for line in everything().splitlines() if "Tangier" in line]) == len(told)
    assert Receipt.objects.exclude(jws="").count() == 2
    assert other.components.filter(name="Tangier.example").exists()


def test_broken_off_half_way_one_is_whole_and_the_other_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    over_and_due()
    second = over_and_due("Tangier")
    whole = forgetting._erase_contracts

    def breaks_at_the_second(contracts: list[int]) -> None:
        if Contract.objects.get(pk=contracts[0]).customer_id == second.pk:
            raise OSError("the machine went off")
        whole(contracts)

    monkeypatch.setattr(forgetting, "_erase_contracts", breaks_at_the_second)
    with pytest.raises(OSError, match="went off"):
        deletions.carry_out(THE_DAY)
    monkeypatch.undo()

    assert list(Customer.objects.order_by("pk").values_list("name", flat=True)) == ["", "Tangier"]
    assert Letter.objects.filter(customer=second).exclude(text="").exists()
    assert deletions.carry_out(THE_DAY) == 1


def test_batches_reach_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "BATCH", 2)
    for number in range(5):
        customer = make_customer()
        if number % 2:
            make_contract(customer=customer)
        ask(customer)
    drain()

    assert deletions.carry_out(NOON) == 3
    assert Customer.objects.filter(name="").count() == 3


def test_the_timer_and_the_command_do_it_and_a_dry_run_writes_nothing() -> None:
    over_and_due()
    with time_machine.travel(THE_DAY, tick=False):
        before, out = everything(), StringIO()
        call_command("forget", "--dry-run", stdout=out)
        assert everything() == before
        assert "customers who asked for it would be erased: 1" in out.getvalue()
        forget_what_is_over()

    assert Customer.objects.get().name == ""


def test_an_erased_customer_signs_in_no_more() -> None:
    customer = over_and_due()
    client = let_in(Client(), customer)
    assert client.get("/account/").status_code == 200

    deletions.carry_out(THE_DAY)

    assert client.get("/account/").status_code == 302


# ---------------------------------------------------------------- the desk


def test_the_desk_sees_who_asked_and_what_holds_it_up_and_changes_nothing(customer: Customer) -> None:
    contract = make_contract(customer=customer)
    request = ask(customer)
    desk = Client()
    desk.force_login(User.objects.create_superuser("carl"))
    base = "/admin/cancellation/deletionrequest/"

    rows = desk.get(base, {"standing": "alive"})
    page = desk.get(f"{base}{request.pk}/change/")

    assert "Anna Nowak" in rows.content.decode()
    assert "Anna Nowak" not in desk.get(base, {"standing": "done"}).content.decode()
    assert "a contract without a last day" in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    assert desk.post(f"{base}{request.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.get(f"{base}add/").status_code == 403
    timeline = desk.get(f"/admin/subscriptions/contract/{contract.pk}/change/").content.decode()
    assert "Deletion of the data asked for" in timeline


def test_reasons_are_all_that_is_left_of_an_answer() -> None:
    over_and_due()
    deletions.carry_out(THE_DAY)

    assert Answer.objects.get().primary == Reason.objects.order_by("pk").first()
    assert ConsentTopic.NEWS in Consent.objects.values_list("topic", flat=True)
