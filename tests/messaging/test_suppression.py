"""“Do not contact me again” holds for all that is not necessary, whenever it was asked; the rest always leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cancellation import desk
from messaging import compose, suppression
from messaging.models import Fault, Letter, Suppression
from outbox import drain
from outbox.models import Entry
from subscriptions import choices
from subscriptions.models import Consent, ConsentTopic, Contract
from tests.factories import NOON, make_contract
from tests.messaging.conftest import SITE, MailServer, promise_letter
from tests.messaging.test_letters import make_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def halfway(contract: Contract) -> dict[str, Any]:
    """Return the payload of the one message about a cancellation that was left half-way."""
    page = f"{SITE}/contracts/{contract.reference}"
    return {
        "kind": "halfway",
        "to": contract.customer.email,
        "locale": "en",
        "customer_id": contract.customer_id,
        "contract_id": contract.pk,
        "facts": {
            "operator": "Larkspur Services",
            "support_email": "support@larkspur.example",
            "name": "Anna Nowak",
            "contract_reference": contract.reference,
            "plan": "Server S",
            "left_on": "2027-01-20",
            "received_on": "2027-01-21",
            "last_day": "2027-02-28",
            "finish_by_day": "2027-01-31",
            "missed_day": "2027-03-31",
            "ends_by_itself": False,
            "never_starts": False,
            "go_on_url": f"{page}/cancel/go-on/x/",
            "deadline_url": "",
            "choices_url": f"{SITE}/account/choices/",
        },
    }


def no_more(contract: Contract) -> None:
    """Let the customer say that they want no further contact."""
    customer = contract.customer
    assert suppression.suppress(customer=customer, actor=f"customer:{customer.pk}", at=NOON, locale="pl")


# ---------------------------------------------------------------- which letters


def test_every_kind_of_letter_is_either_necessary_or_not() -> None:
    optional = set(suppression.OPTIONAL)

    assert compose.KINDS - suppression.NECESSARY - optional == set(), "say in suppression.py which of the two it is"
    assert not suppression.NECESSARY & optional
    assert suppression.NECESSARY | optional <= compose.KINDS


def test_whether_a_necessary_letter_is_wanted_is_not_even_asked(contract: Contract) -> None:
    no_more(contract)

    with CaptureQueriesContext(connection) as asked:
        assert all(suppression.is_wanted(kind, contract.customer_id) for kind in suppression.NECESSARY)

    assert len(asked) == 0


def test_a_confirmation_reaches_whoever_wants_no_further_contact(
    server: MailServer, contract: Contract, end_confirmed: dict[str, Any]
) -> None:
    no_more(contract)
    promise_letter(end_confirmed)

    drain.drain()

    assert server.recipients == ["anna@example.org"]
    assert Letter.objects.get().undeliverable == ""


def test_an_unnecessary_letter_is_kept_on_file_and_never_sent(
    server: MailServer, contract: Contract, halfway: dict[str, Any]
) -> None:
    no_more(contract)
    promise_letter(halfway, key="halfway:1")

    assert drain.drain().delivered == 1
    suppression.lift(customer=contract.customer, actor=f"customer:{contract.customer_id}", at=NOON)
    drain.drain()

    letter = Letter.objects.get()
    assert (letter.undeliverable, letter.sent_at, server.messages) == (Fault.NOT_WANTED, None, [])
    assert "28 February 2027" in letter.text
    assert Entry.objects.get().delivered_at is not None


def test_what_is_asked_after_the_promise_counts(
    server: MailServer, contract: Contract, halfway: dict[str, Any]
) -> None:
    promise_letter(halfway, key="halfway:1")
    no_more(contract)

    drain.drain()

    assert (Letter.objects.get().undeliverable, server.messages) == (Fault.NOT_WANTED, [])


def test_what_is_asked_while_the_letter_waits_for_the_server_counts(
    server: MailServer, contract: Contract, halfway: dict[str, Any]
) -> None:
    server.answers = ["451 later"]
    promise_letter(halfway, key="halfway:1")
    assert drain.drain().failed == 1
    no_more(contract)
    make_due()

    drain.drain()

    assert (Letter.objects.get().undeliverable, server.messages) == (Fault.NOT_WANTED, [])


def test_a_no_to_the_one_topic_keeps_its_letter_back_too(
    server: MailServer, contract: Contract, halfway: dict[str, Any]
) -> None:
    promise_letter(halfway, key="halfway:1")
    choices.choose(
        customer=contract.customer,
        topic=ConsentTopic.HALFWAY,
        given=False,
        wording="w",
        locale="en",
        actor="x",
        at=NOON,
    )

    drain.drain()

    assert (Letter.objects.get().undeliverable, server.messages) == (Fault.NOT_WANTED, [])


def test_a_letter_that_may_leave_leaves(server: MailServer, halfway: dict[str, Any]) -> None:
    promise_letter(halfway, key="halfway:1")

    drain.drain()

    assert server.recipients == ["anna@example.org"]


def test_somebody_elses_wish_keeps_nobodys_letter_back(server: MailServer, halfway: dict[str, Any]) -> None:
    no_more(make_contract())
    promise_letter(halfway, key="halfway:1")

    drain.drain()

    assert server.recipients == ["anna@example.org"]


def test_what_is_not_wanted_is_no_work_for_the_desk(
    server: MailServer, contract: Contract, halfway: dict[str, Any]
) -> None:
    no_more(contract)
    promise_letter(halfway, key="halfway:1")

    drain.drain()

    assert Letter.objects.get().undeliverable == Fault.NOT_WANTED
    assert desk.to_do()["undeliverable"] == 0


def test_a_letter_whose_day_is_over_is_not_sent(server: MailServer, halfway: dict[str, Any]) -> None:
    halfway["facts"]["useful_until_at"] = "2020-02-01T00:00:00+01:00"
    promise_letter(halfway, key="halfway:1")

    assert drain.drain().delivered == 1

    assert (server.messages, Letter.objects.count()) == ([], 0)


# ---------------------------------------------------------------- asking and lifting


def test_asking_is_a_line_of_history_with_who_and_when(contract: Contract) -> None:
    no_more(contract)

    assert suppression.is_suppressed(contract.customer_id)
    assert suppression.since(contract.customer) == NOON
    word = Consent.objects.get()
    assert (word.topic, word.given, word.wording, word.locale, word.at, word.actor) == (
        ConsentTopic.CONTACT,
        False,
        "Please do not contact me again.",
        "pl",
        NOON,
        f"customer:{contract.customer_id}",
    )
    assert desk.timeline([contract], contract.customer)[0].what == "No further contact wanted"


def test_asking_twice_is_one_line(contract: Contract) -> None:
    no_more(contract)

    assert not suppression.suppress(customer=contract.customer_id, actor="staff:carl", at=NOON)
    assert (Suppression.objects.count(), Consent.objects.count()) == (1, 1)


def test_the_customer_lifts_it_without_a_word(contract: Contract) -> None:
    no_more(contract)

    assert suppression.lift(customer=contract.customer, actor=f"customer:{contract.customer_id}", at=NOON)
    assert not suppression.is_suppressed(contract.customer)
    assert [word.given for word in choices.history(contract.customer)] == [True, False]


@pytest.mark.parametrize("actor", ["staff:carl", "system", "customer:0"])
@pytest.mark.parametrize("why", ["", "  \n"])
def test_nobody_else_lifts_it_without_a_reason(contract: Contract, actor: str, why: str) -> None:
    no_more(contract)

    with pytest.raises(suppression.CannotLift):
        suppression.lift(customer=contract.customer, actor=actor, at=NOON, why=why)
    assert suppression.is_suppressed(contract.customer)


def test_staff_lift_it_with_a_reason_that_stays_on_file(contract: Contract) -> None:
    no_more(contract)

    suppression.lift(customer=contract.customer, actor="staff:carl", at=NOON, why=" Asked for it on the phone. ")

    newest = choices.history(contract.customer)[0]
    assert (newest.given, newest.actor, newest.why) == (True, "staff:carl", "Asked for it on the phone.")


def test_lifting_what_does_not_stand_changes_nothing(contract: Contract) -> None:
    assert not suppression.lift(customer=contract.customer, actor="staff:carl", at=NOON, why="A reason.")
    assert not Consent.objects.exists()
