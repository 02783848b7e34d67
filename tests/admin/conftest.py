"""A customer to whom everything has happened, and staff of two kinds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from billing.models import Instruction, Kind
from cancellation import actions
from cancellation.models import Cancellation, Event, Notice
from cancellation.pages import quote_now
from cancellation.queries import contracts_with_state
from feedback.models import Answer, Reason, Root
from messaging.models import Letter
from outbox.models import Entry
from subscriptions.models import Contract, Customer, Payment
from tests import desk_rows as rows

AT = datetime(2026, 5, 10, 12, tzinfo=UTC)


@dataclass
class Story:
    """One customer, one contract, and a row of everything that can happen to it."""

    customer: Customer
    contract: Contract
    notice: Notice
    cancellation: Cancellation
    letter: Letter
    answer: Answer
    payment: Payment
    instruction: Instruction
    entry: Entry
    event: Event


def tell(text: str = "I found something else.", at: datetime = AT) -> Story:
    """Let everything happen to a new customer; ``text`` stands wherever customers and mail may put text."""
    number = Customer.objects.count()
    customer = rows.customer(name=text[:200] or "–", email=f"anna{number}@example.org")
    made = rows.contract(customer=customer, terms=rows.TERMS | {"renewal": "open_ended"})
    payment = Payment.objects.create(
        contract=made, reference=f"pay-{number}", paid_from=date(2026, 5, 1), paid_to=date(2026, 5, 31),
        amount_minor=1230, currency="EUR",
    )  # fmt: skip
    contract = contracts_with_state().get(pk=made.pk)
    quote = quote_now(contract, at)
    holder = actions.Actor.customer(customer.pk)
    notice = actions.receive_notice(
        contract=contract,
        shown=quote,
        received_at=at,
        actor=holder,
        key=f"story-{number}",
        locale="en",
        declaration=text,
    )
    cancellation = actions.confirm(notice=notice, shown=quote, actor=holder)
    letter = Letter.objects.create(
        key=f"letter-{number}", kind="end-confirmed", locale="en", to=customer.email, customer=customer,
        contract=contract, subject=text[:300], text=text, html=f"<p style='color:red'>{text}</p>",
        message_id=f"<{number}@example.org>", sent_at=at,
    )  # fmt: skip
    answer = Answer.objects.create(
        contract=contract, cancellation_id=cancellation.pk, root=Root.COST, words=text, went_well=text,
        imported_reason=text[:200], imported_category=text[:200], said_at=at,
    )  # fmt: skip
    answer.reasons.add(Reason.objects.order_by("pk").first() or Reason.objects.create(code="r", root="cost", labels={}))
    instruction = Instruction.objects.create(
        key=f"end-{number}", contract=contract, cancellation_id=cancellation.pk, kind=Kind.END,
        on_day=cancellation.last_day, currency="EUR",
    )  # fmt: skip
    entry = Entry.objects.create(
        topic="letter", dedupe_key=f"entry-{number}", payload={"text": text}, due_at=at, last_error=text
    )
    event = Event.objects.create(contract=contract, at=at, actor=text[:100], what=text[:40], why=text)
    return Story(customer, contract, notice, cancellation, letter, answer, payment, instruction, entry, event)


@pytest.fixture
def story(db: None) -> Story:
    """Return a customer to whom everything has happened."""
    return tell()


def clerk(*permissions: str) -> Client:
    """Return a browser of a staff member with these permissions, such as ``billing.change_instruction``."""
    user = User.objects.create_user("carl", password="x", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client
