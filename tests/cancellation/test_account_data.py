"""The file with all that is kept about a customer: complete, nobody else's, and nothing that lets somebody in."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db.models import ForeignKey, Model
from django.test import Client

from billing.models import Instruction
from cancellation import account_data
from cancellation.models import (
    Acceptance,
    Announcement,
    Cancellation,
    ChecklistItem,
    ComponentChoice,
    Declared,
    DeletionRequest,
    DeskTask,
    Event,
    Evidence,
    Notice,
    NoticeState,
    Offer,
    OfferDecision,
    OfferEvent,
    Receipt,
    Visit,
)
from feedback.models import Answer, Reason
from messaging.models import Letter, Suppression
from outbox.drain import drain
from subscriptions.models import Activity, Component, Consent, Contract, Customer, SignInToken
from tests.cancellation.test_account import leave, seen
from tests.cancellation.test_pages import let_in, statements
from tests.factories import NOON, make_contract, make_customer, pay

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 10)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def whole_story(mark: str = "Anna") -> Contract:
    """Return a contract with at least one row in every table that knows of contracts or customers, all marked."""
    contract = make_contract(customer=make_customer(name=mark, email=f"{mark}@example.org"), facts={"shelf": mark})
    customer = contract.customer
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    cancellation = leave(let_in(Client(), customer), contract)
    drain()
    Activity.objects.create(contract=contract, day=TODAY, what=f"login {mark}")
    domain = Component.objects.create(contract=contract, kind="domain", name=f"{mark}.example")
    server = Component.objects.create(contract=contract, kind="server", name=f"{mark} server", depends_on=domain)
    ComponentChoice.objects.create(component=server, choice="take", chosen_at=NOON, actor=f"customer:{customer.pk}")
    ChecklistItem.objects.create(
        contract=contract, component=domain, code="auth_code", position=1, done_at=NOON, done_by="carl", note=mark
    )
    notice = Notice.objects.create(
        channel="door", contract=contract, received_at=NOON, declaration=f"{mark} ends it", actor="public",
        idempotency_key=f"door-{contract.pk}", state=NoticeState.CLOSED, asks={"ground": mark},
    )  # fmt: skip
    Declared.objects.create(notice=notice, name=mark, email=f"{mark}@example.org", salt="s", erase_on=date(2030, 1, 1))
    Evidence.objects.create(
        notice=notice,
        name=f"{mark}.pdf",
        content_type="application/pdf",
        size=3,
        sha256="0" * 64,
        content=mark.encode(),
    )
    Receipt.objects.create(
        kind="received", notice=notice, document={"said": mark}, jws=f"e30.{mark}.sig", kid="k", issued_at=NOON
    )
    Event.objects.create(notice=notice, at=NOON, actor="staff:carl", what="notice closed", why=f"{mark} called")
    Cancellation.objects.filter(pk=cancellation.pk).update(chosen={"way": "hardship", "ground": mark})
    Event.objects.create(contract=contract, at=NOON, actor="system", what="waits for judgement", why=f"hardship {mark}")
    reason = Reason.objects.order_by("pk").first()
    assert reason
    answer = Answer.objects.create(
        contract=contract, cancellation_id=cancellation.pk, primary=reason, words=f"{mark} says", went_well=mark,
        said_at=NOON,
    )  # fmt: skip
    answer.reasons.set(Reason.objects.order_by("pk")[:2])
    visit = Visit.objects.create(
        key=uuid.uuid4(), contract=contract, step="reasons", said={"words": mark}, seen_at=NOON
    )
    offer, _made = Offer.objects.get_or_create(code="pause", defaults={"kind": "pause", "valid_from": TODAY})
    OfferDecision.objects.create(
        key=f"visit:{visit.key}", contract=contract, visit=visit.key, place="flow", at=NOON, not_shown={"fix": "BUDGET"}
    )
    agreed = Acceptance.objects.create(
        idempotency_key=f"a-{contract.pk}", offer=offer, version=1, kind="hand_over", contract=contract,
        customer=customer, place="page", terms={}, title="Hand over", asked={"person_name": mark},
        starts_on=TODAY, currency="EUR", accepted_at=NOON, state="over",
    )  # fmt: skip
    OfferEvent.objects.create(
        offer=offer, version=1, contract=contract, acceptance=agreed, place="page", what="accepted", at=NOON,
        actor=f"customer:{customer.pk}",
    )  # fmt: skip
    DeskTask.objects.create(
        kind="fix", contract=contract, acceptance=agreed, words=mark, wishes={"day": mark}, created_at=NOON,
        done_at=NOON, done_by="carl", note=f"{mark} is served",
    )  # fmt: skip
    Instruction.objects.create(key=f"i-{contract.pk}", contract=contract, kind="refund", on_day=TODAY, fault=mark)
    Announcement.objects.create(
        agent_name=f"Agent of {mark}", agent_email="agent@example.org", about=mark, holder_name=mark, words=mark,
        received_at=NOON, contract=contract, state="no", idempotency_key=f"n-{contract.pk}", erase_on=date(2030, 1, 1),
    )  # fmt: skip
    Consent.objects.create(customer=customer, topic="news", given=True, wording="News.", at=NOON, actor="staff:carl")
    Suppression.objects.create(customer=customer, since=NOON, actor=f"customer:{customer.pk}")
    DeletionRequest.objects.create(customer=customer, asked_at=NOON, actor="x", taken_back_at=NOON)
    SignInToken.objects.create(nonce=f"nonce-{mark}", customer=customer, expires_at=NOON + timedelta(minutes=15))
    Letter.objects.create(
        key=f"sign-in-link:{contract.pk}", kind="sign-in-link", locale="en", to=f"{mark}@example.org",
        customer=customer, subject="Your link", text="https://desk.example/not-me/17.tok/",
        html='<a href="https://d.example/not-me/17.tok/">', message_id="<1@x>",
    )  # fmt: skip
    return contract


# ---------------------------------------------------------------- complete, by the tables themselves


def tables_of_customers() -> set[type[Model]]:
    """Return every table whose rows lead, over whatever others, to a customer or a contract."""
    known: set[type[Model]] = {Customer, Contract}
    while True:
        found = {
            model
            for model in apps.get_models()
            for field in model._meta.get_fields()
            if isinstance(field, ForeignKey) and field.related_model in known
        }
        if found <= known:
            return known
        known |= found


def test_every_table_that_knows_of_customers_is_in_the_file_or_left_out_with_a_reason() -> None:
    given = {part.model for part in account_data.ALL}
    left_out = set(account_data.LEFT_OUT)

    assert {m for m in tables_of_customers() if m not in given and m._meta.label not in left_out} == set()
    assert {part.name for part in account_data.ALL if part.model not in tables_of_customers()} == set()
    assert all(account_data.LEFT_OUT.values())


@pytest.mark.parametrize("part", account_data.ALL, ids=lambda part: part.name)
def test_every_column_is_in_the_file_or_left_out_with_a_reason(part: account_data.Part) -> None:
    given = {way.split("__")[0] for way in (*part.columns.values(), *part.many.values())}
    # The row of a component's choice stands under the component that it names.
    columns = {
        field.name
        for field in part.model._meta.get_fields()
        if getattr(field, "column", None) or (field.many_to_many and not field.auto_created)
    } - {"id"}

    assert columns - given - set(part.left_out) == set()
    assert given & set(part.left_out) == set()
    assert all(part.left_out.values())


def test_every_table_gives_its_rows() -> None:
    contract = whole_story()

    told = account_data.everything(contract.customer_id, NOON)

    [mine] = told["contracts"]
    empty = [part.name for part in account_data.PARTS if not mine[part.name]]
    empty += [part.name for part in account_data.BESIDE if not told[part.name]]
    assert empty == []
    counts = {name: len(rows) for name, rows in mine.items() if isinstance(rows, list)}
    assert {name: counts[name] for name in ("components", "notices", "receipts", "use")} == {
        "components": 2, "notices": 2, "receipts": 2, "use": 1,
    }  # fmt: skip
    assert told["customer"] == {
        "reference": contract.customer.reference, "name": "Anna", "email": "Anna@example.org", "country": "DE",
        "created_at": NOON.isoformat(), "language": "en", "times_signed_out_everywhere": 0,
    }  # fmt: skip


def test_rows_name_what_they_belong_to() -> None:
    contract = whole_story()

    [mine] = account_data.everything(contract.customer_id, NOON)["contracts"]

    domain, server = mine["components"]
    assert server["depends_on"] == domain["id"]
    assert mine["choices"][0]["component"] == server["id"]
    assert len(mine["answers"][0]["reasons"]) == 2
    assert mine["answers"][0]["main_reason"] in mine["answers"][0]["reasons"]
    assert {row["notice"] for row in mine["receipts"]} == {row["reference"] for row in mine["notices"]}
    assert mine["payments"] == [
        {"reference": "P-2026-11-01", "paid_from": "2026-11-01", "paid_to": "2026-11-30", "amount_minor": 1200,
         "currency": "EUR"}
    ]  # fmt: skip
    assert base64.b64decode(mine["files"][0]["content"]) == b"Anna"
    # An event that names its notice alone stands with the contract all the same.
    assert "Anna called" in {row["why"] for row in mine["events"]}


def test_nobody_else_is_in_the_file() -> None:
    contract, other = whole_story(), whole_story("Boris")

    file = account_data.as_file(contract.customer_id, NOON).decode()

    assert "Boris" not in file
    assert other.reference not in file
    assert "carl" not in file
    assert {row["by"] for row in json.loads(file)["contracts"][0]["events"]} == {"customer", "staff", "system"}


def test_what_lets_somebody_in_is_not_in_the_file() -> None:
    contract = whole_story()

    file = account_data.as_file(contract.customer_id, NOON).decode()

    keys = [*Receipt.objects.values_list("key", flat=True), *Announcement.objects.values_list("key", flat=True)]
    assert len(keys) == 3
    # A letter leads to its own receipt, as its reader's mail does.
    assert Announcement.objects.get().key not in file
    assert Receipt.objects.get(kind="received").key not in file
    assert "nonce-Anna" not in file
    assert "17.tok" not in file


def test_what_a_stranger_declared_in_the_holders_name_is_the_strangers() -> None:
    contract = whole_story()
    Notice.objects.filter(channel="door").update(state=NoticeState.REPUDIATED)

    [mine] = account_data.everything(contract.customer_id, NOON)["contracts"]

    assert (mine["declared"], mine["files"], [row["kind"] for row in mine["receipts"]]) == ([], [], ["end"])
    assert len(mine["notices"]) == 2


def test_the_file_costs_the_same_for_one_contract_and_three() -> None:
    customer = whole_story().customer
    with statements(at_most=len(account_data.ALL) + 1):
        account_data.everything(customer.pk, NOON)
    for _nth in range(2):
        pay(make_contract(customer=customer), "2026-11-01", "2026-11-30", 1200)

    with statements(at_most=len(account_data.ALL) + 1):
        told = account_data.everything(customer.pk, NOON)
    assert [len(row["payments"]) for row in told["contracts"]] == [1, 1, 1]


# ---------------------------------------------------------------- the page


def test_the_page_says_what_is_in_it_and_the_button_hands_it_over(client: Client) -> None:
    contract = whole_story("Zażółć")
    let_in(client, contract.customer)

    told = seen(client.get("/account/data/"))
    answer = client.post("/account/data/")

    assert "Everything that this desk keeps about you" in told
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="my-data-2026-11-10.json"'
    assert "no-store" in answer["Cache-Control"]
    file: dict[str, Any] = json.loads(answer.content)
    assert (file["format"], file["customer"]["name"]) == ("fairwell-account/1", "Zażółć")


def test_reading_the_page_hands_nothing_over_and_a_stranger_gets_the_sign_in(client: Client) -> None:
    contract = make_contract()

    assert client.post("/account/data/").url.startswith("/sign-in/")
    let_in(client, contract.customer)
    assert client.get("/account/data/")["Content-Type"].startswith("text/html")
    strict = Client(enforce_csrf_checks=True)
    assert let_in(strict, contract.customer).post("/account/data/").status_code == 403


def test_a_customer_of_nothing_gets_a_file_all_the_same() -> None:
    told = account_data.everything(make_customer().pk, NOON)

    assert (told["contracts"], told["letters"]) == ([], [])


def test_a_contract_that_cannot_be_read_is_handed_over_as_it_stands() -> None:
    contract = make_contract()
    Contract.objects.update(terms={"starts_on": "never"})

    [mine] = account_data.everything(contract.customer_id, NOON)["contracts"]

    assert mine["terms"] == {"starts_on": "never"}
