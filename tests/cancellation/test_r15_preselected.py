"""On no fresh page is staying, or anything else that keeps somebody, chosen before they chose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.core import signing
from django.core.cache import cache
from django.test import Client

from cancellation import announcements
from cancellation.announcements import Told
from outbox.drain import drain
from subscriptions.lexicon import preselected
from subscriptions.models import Contract
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.factories import NOON, make_contract

pytestmark = pytest.mark.django_db


@pytest.fixture
def contract() -> Iterator[Contract]:
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        contract = make_contract(country="AT")
        for name in ("domain.example", "server-1"):
            contract.components.create(kind="Domain", name=name)
        yield contract


@pytest.fixture
def holder(contract: Contract) -> Client:
    client = Client()
    client.cookies[COOKIE] = signing.dumps([contract.customer_id, 0], salt=COOKIE_SALT)
    return client


@pytest.mark.parametrize("code", ["", "default/", "de/", "fr/", "pl/", "us-ca/", "us-ny/", "us-mn/", "jp/"])
def test_r15_a_public_door_chooses_nothing(code: str) -> None:
    assert preselected(Client().get(f"/cancel/{code}").content.decode()) == []


@pytest.mark.parametrize("path", ["", "parts/", "cancel/", "cancel/reasons/", "cancel/confirm/"])
def test_r15_a_page_of_the_guided_way_chooses_no_stay(path: str, holder: Client, contract: Contract) -> None:
    answer = holder.get(f"/contracts/{contract.reference}/{path}")

    assert answer.status_code == 200
    # The ordinary way out may be marked: it is what a click without a choice means.
    assert {chosen.value.partition(":")[0] for chosen in preselected(answer.content.decode())} <= {"ordinary"}


def test_r15_the_question_to_the_holder_chooses_no_answer(contract: Contract) -> None:
    told = Told(
        agent_name="Kit", agent_email="kit@example.org", about=contract.reference, holder_name=contract.customer.name
    )
    row = announcements.announce(told=told, token="t", locale="en", at=NOON)
    drain()

    page = Client().get(f"/announce/{row.key}/")

    assert page.status_code == 200
    assert preselected(page.content.decode()) == []
