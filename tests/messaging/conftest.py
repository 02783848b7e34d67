"""Facts of letters, and mail servers of every temper."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from outbox.actions import add
from outbox.models import Entry
from subscriptions.models import Contract
from tests.conftest import free_port
from tests.factories import make_contract, terms_dict

SITE = "http://127.0.0.1:8000"


@pytest.fixture
def contract(db: None) -> Contract:
    """Return Anna's contract."""
    contract = make_contract()
    contract.customer.name, contract.customer.email = "Anna Nowak", "anna@example.org"
    contract.customer.save()
    return contract


@pytest.fixture
def quote() -> dict[str, Any]:
    """Return the figures of a quote as they travel."""
    return {
        "received_on": "2027-01-31",
        "last_day": "2027-02-28",
        "latest_notice_day": "2027-01-31",
        "if_missed_last_day": "2027-03-31",
        "one_day_earlier_last_day": None,
        "rule": "boundary",
        "refund": [10_000, "EUR"],
        "fee": [0, "EUR"],
        "charges": 0,
        "charges_total": [0, "EUR"],
        "last_charge": None,
        "last_charge_on": None,
        "refund_lines": [["2027-01-01", "2027-12-31", [12_000, "EUR"], [10_000, "EUR"]]],
    }


@pytest.fixture
def end_confirmed(contract: Contract, quote: dict[str, Any]) -> dict[str, Any]:
    """Return the payload of a confirmation, as the notice path writes it."""
    page = f"{SITE}/contracts/{contract.reference}"
    return {
        "kind": "end-confirmed",
        "to": contract.customer.email,
        "locale": "en",
        "customer_id": contract.customer_id,
        "contract_id": contract.pk,
        "facts": {
            "operator": "Larkspur Services",
            "support_email": "support@larkspur.example",
            "name": contract.customer.name,
            "contract_reference": contract.reference,
            "product": "Hosting",
            "plan": "Server S",
            "stays_usable": "Your domain stays yours.",
            "contract_url": f"{page}/",
            "notice_reference": "N-ABCD2345",
            "declaration": "I end contract C-1.\n\n\nYours, Anna",
            "received_at": "2027-01-31T23:59:30+01:00",
            "terms": terms_dict(),
            "refund_policy": "monthly",
            "quote": quote,
            "last_day": quote["last_day"],
            "undo_url": f"{page}/cancel/done/",
            "calendar_url": f"{page}/cancel/last-day.ics",
        },
    }


def promise_letter(payload: dict[str, Any], key: str = "end-confirmed:1") -> Entry:
    """Write the outbox entry of a letter and return it."""
    add(topic="letter", dedupe_key=key, payload=payload)
    return Entry.objects.get(dedupe_key=key)


def elsewhere(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload of a like letter about another contract: letters about one wait for each other."""
    return {**payload, "contract_id": make_contract().pk}


class MailServer:
    """An SMTP server that keeps what it takes, and answers DATA as it is told."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.connections = 0
        # What DATA is answered, one after the other; "" takes the mail, "drop" hangs up, "hang" never answers.
        self.answers: list[str] = []

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return answers

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("unknown@"):
            return "550 5.1.1 nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else ""
        if answer == "drop":
            assert server.transport is not None
            server.transport.abort()
            return "421 gone"
        if answer == "hang":
            await asyncio.sleep(30)
        if answer:
            return answer
        self.recipients += envelope.rcpt_tos
        self.messages.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=default)))
        return "250 taken"


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    """Run a mail server and send the test's mail there."""
    keeper = MailServer()
    controller = Controller(keeper, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 0.5
    yield keeper
    controller.stop()
