"""Letters leave over real SMTP: once where all goes well, again where it does not, never lost."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from messaging import letters, post
from messaging.models import Fault, Letter
from outbox import drain, registry
from outbox.models import Entry
from subscriptions.models import Contract
from tests.messaging.conftest import MailServer, elsewhere, promise_letter

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def make_due() -> None:
    Entry.objects.filter(delivered_at__isnull=True).update(due_at=timezone.now())


def test_letters_are_handled() -> None:
    assert registry.topic_for("letter").handler is letters.handle


def test_a_letter_leaves_with_the_headers_it_needs(server: MailServer, end_confirmed: dict[str, Any]) -> None:
    promise_letter(end_confirmed)
    before = datetime.now(UTC)

    assert drain.drain().delivered == 1

    [message] = server.messages
    letter = Letter.objects.get()
    assert server.recipients == ["anna@example.org"]
    assert message["Subject"] == letter.subject
    assert message["To"] == "anna@example.org"
    assert message["From"] == "Larkspur Services <contracts@larkspur.example>"
    assert message["Reply-To"] == "support@larkspur.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == letter.message_id
    assert letter.message_id.endswith("@larkspur.example>")
    assert abs(parsedate_to_datetime(message["Date"]) - before) < timedelta(seconds=10)
    assert message["Date"].endswith("+0000")
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [message.get_all(name) for name in ("Bcc", "Cc", "List-Unsubscribe")] == [None, None, None]


def test_what_arrives_is_what_is_kept(server: MailServer, end_confirmed: dict[str, Any], contract: Contract) -> None:
    end_confirmed["facts"]["declaration"] = "Wypowiadam umowę. 解約します。 " + "x" * 1200
    promise_letter(end_confirmed)

    drain.drain()

    text, html = server.messages[0].iter_parts()
    letter = Letter.objects.get()
    assert text.get_content().replace("\r\n", "\n") == letter.text
    assert html.get_content().replace("\r\n", "\n").strip() == letter.html.strip()
    assert "解約します。" in letter.text
    assert (letter.kind, letter.locale, letter.to) == ("end-confirmed", "en", "anna@example.org")
    assert (letter.customer, letter.contract, letter.undeliverable) == (contract.customer, contract, "")
    assert letter.sent_at is not None


def test_the_same_entry_twice_is_one_mail(server: MailServer, end_confirmed: dict[str, Any]) -> None:
    entry = promise_letter(end_confirmed)

    letters.handle(entry.pk, entry.payload)
    letters.handle(entry.pk, entry.payload)

    assert len(server.messages) == 1
    assert Letter.objects.count() == 1


def test_a_worker_that_died_after_sending_sends_once_more_with_the_same_message_id(
    server: MailServer, end_confirmed: dict[str, Any]
) -> None:
    entry = promise_letter(end_confirmed)
    letters.handle(entry.pk, entry.payload)
    Letter.objects.update(sent_at=None)  # it died before it could write this down

    letters.handle(entry.pk, entry.payload)

    assert [message["Message-ID"] for message in server.messages] == [Letter.objects.get().message_id] * 2


def test_a_retry_sends_the_letter_on_file_even_if_the_template_has_changed(
    server: MailServer, end_confirmed: dict[str, Any]
) -> None:
    server.answers = ["451 later"]
    promise_letter(end_confirmed)
    drain.drain()
    Letter.objects.update(text="The text of that day.\n")
    make_due()

    drain.drain()

    text, _html = server.messages[0].iter_parts()
    assert text.get_content().strip() == "The text of that day."


def test_the_letters_of_a_batch_share_one_connection(server: MailServer, end_confirmed: dict[str, Any]) -> None:
    for number in range(5):
        promise_letter(elsewhere(end_confirmed), key=f"end-confirmed:{number}")

    assert drain.drain().delivered == 5

    assert len(server.messages) == 5
    assert server.connections == 1
    assert len({message["Message-ID"] for message in server.messages}) == 5


@pytest.mark.parametrize("number", [1, 3])
def test_a_letter_costs_two_marks_and_the_batch_a_few_statements(
    server: MailServer, end_confirmed: dict[str, Any], number: int, django_assert_num_queries: Any
) -> None:
    for n in range(number):
        promise_letter(elsewhere(end_confirmed), key=f"end-confirmed:{n}")

    # Freeing, looking, taking and reading in a transaction; looking for letters, writing them, reading them.
    with django_assert_num_queries(6 + 3 + 2 * number):
        drain.drain(batches=1)


def test_a_letter_that_cannot_be_written_does_not_hold_up_the_others(
    server: MailServer, end_confirmed: dict[str, Any]
) -> None:
    promise_letter({**end_confirmed, "kind": "poem"}, key="poem:1")
    promise_letter(elsewhere(end_confirmed))

    summary = drain.drain()

    assert (summary.delivered, summary.failed, len(server.messages)) == (1, 1, 1)
    assert Entry.objects.get(dedupe_key="poem:1").last_error == "UnknownKind: No letter of the kind 'poem' is known."


@pytest.mark.django_db(transaction=True)
def test_a_letter_that_the_database_refuses_does_not_hold_up_the_others(
    server: MailServer, end_confirmed: dict[str, Any]
) -> None:
    promise_letter({**end_confirmed, "customer_id": 10**9}, key="stranger:1")
    promise_letter(elsewhere(end_confirmed))

    summary = drain.drain()

    assert (summary.delivered, summary.failed, len(server.messages)) == (1, 1, 1)
    assert "IntegrityError" in Entry.objects.get(dedupe_key="stranger:1").last_error


def test_a_server_that_asks_for_patience_gets_the_letter_later(
    server: MailServer, end_confirmed: dict[str, Any]
) -> None:
    server.answers = ["451 4.7.1 greylisted"]
    promise_letter(end_confirmed)

    assert drain.drain().failed == 1
    entry = Entry.objects.get()
    assert "451" in entry.last_error
    assert (entry.attempts, entry.delivered_at, Letter.objects.get().sent_at) == (1, None, None)
    make_due()

    assert drain.drain().delivered == 1
    assert [m["Message-ID"] for m in server.messages] == [Letter.objects.get().message_id]


def test_the_letter_about_an_undone_end_never_arrives_before_the_one_about_the_end(
    server: MailServer, end_confirmed: dict[str, Any]
) -> None:
    server.answers = ["451 4.7.1 greylisted"]
    undone = {**end_confirmed, "kind": "undo-confirmed"}
    undone["facts"] = {**end_confirmed["facts"], "undone_at": "2027-02-01T09:00:00+01:00"}
    promise_letter(end_confirmed)
    promise_letter(undone, key="undo-confirmed:1")
    promise_letter(elsewhere(end_confirmed), key="end-confirmed:2")

    drain.drain()
    assert kinds(server) == ["end-confirmed:2"]
    make_due()
    drain.drain()

    assert kinds(server) == ["end-confirmed:2", "end-confirmed:1", "undo-confirmed:1"]
    assert list(Entry.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0, 0]


def kinds(server: MailServer) -> list[str]:
    """Return the keys of the letters that arrived, in that order."""
    keys = dict(Letter.objects.values_list("message_id", "key"))
    return [keys[message["Message-ID"]] for message in server.messages]


@pytest.mark.parametrize("answer", ["554 5.7.1 no", "421 4.3.2 closing", "drop", "hang"])
def test_whatever_the_server_does_the_letter_waits_and_then_leaves(
    server: MailServer, end_confirmed: dict[str, Any], answer: str
) -> None:
    server.answers = [answer]
    promise_letter(end_confirmed)

    assert drain.drain().failed == 1
    make_due()

    assert drain.drain().delivered == 1
    assert len(server.messages) == 1


def test_a_refused_connection_is_tried_again_later(settings: Any, end_confirmed: dict[str, Any]) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for number in range(3):
        promise_letter(elsewhere(end_confirmed), key=f"end-confirmed:{number}")

    summary = drain.drain()

    assert (summary.delivered, summary.failed) == (0, 1)
    assert sorted(Entry.objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_a_recipient_that_the_server_does_not_know_does_not_hold_up_the_others(
    server: MailServer, end_confirmed: dict[str, Any]
) -> None:
    promise_letter({**end_confirmed, "to": "unknown@example.org"}, key="end-confirmed:1")
    promise_letter(elsewhere(end_confirmed), key="end-confirmed:2")

    summary = drain.drain()

    assert (summary.delivered, summary.failed) == (1, 1)
    assert server.recipients == ["anna@example.org"]
    assert server.connections == 1
    assert "550" in Entry.objects.get(dedupe_key="end-confirmed:1").last_error


@pytest.mark.parametrize(
    ("to", "fault"),
    [
        pytest.param("", Fault.NO_ADDRESS, id="none-on-file"),
        pytest.param("by post only", Fault.BAD_ADDRESS, id="no-address-at-all"),
        pytest.param("a@example.org\r\nBcc: b@example.org", Fault.BAD_ADDRESS, id="a-header-in-disguise"),
    ],
)
def test_a_letter_without_an_address_is_kept_and_seen_and_not_tried_again(
    server: MailServer, end_confirmed: dict[str, Any], to: str, fault: str
) -> None:
    promise_letter({**end_confirmed, "to": to})

    assert drain.drain().delivered == 1

    letter = Letter.objects.get()
    assert (letter.undeliverable, letter.sent_at) == (fault, None)
    assert "28 February 2027" in letter.text
    assert drain.drain().delivered == 0
    assert server.messages == []


def test_an_address_with_a_domain_of_its_own_letters_is_reached(
    server: MailServer, end_confirmed: dict[str, Any]
) -> None:
    promise_letter({**end_confirmed, "to": "anna@müller.example"})

    assert drain.drain().delivered == 1
    assert server.recipients == ["anna@xn--mller-kva.example"]


def test_a_line_end_in_a_name_stays_in_the_subject(server: MailServer, end_confirmed: dict[str, Any]) -> None:
    end_confirmed["facts"]["contract_reference"] = "C-1\r\nBcc: everybody@example.org"
    promise_letter(end_confirmed)

    assert drain.drain().delivered == 1

    assert server.recipients == ["anna@example.org"]
    assert server.messages[0]["Bcc"] is None
    assert server.messages[0]["Subject"] == "Your contract C-1 Bcc: everybody@example.org ends on 28 February 2027"


def test_facts_that_cannot_be_read_wait_and_send_nothing(server: MailServer, end_confirmed: dict[str, Any]) -> None:
    end_confirmed["facts"]["last_day"] = "2027-02-30"
    promise_letter(end_confirmed)

    assert drain.drain().failed == 1
    assert "ValueError" in Entry.objects.get().last_error
    assert (server.messages, Letter.objects.count()) == ([], 0)


def test_a_message_id_is_the_keys_own() -> None:
    assert post.message_id_for("end-confirmed:1") == post.message_id_for("end-confirmed:1")
    assert post.message_id_for("end-confirmed:1") != post.message_id_for("end-confirmed:2")


@pytest.mark.parametrize(
    "name", ["Müller, Söhne", "Larkspur, Inc.", '株式会社 "やまだ" (東京)', "support@other.example"]
)
def test_an_operator_of_any_name_is_named_as_the_sender(
    server: MailServer, end_confirmed: dict[str, Any], settings: Any, name: str
) -> None:
    settings.DEFAULT_FROM_EMAIL = sender_of(FAIRWELL_OPERATOR_NAME=name, FAIRWELL_SUPPORT_EMAIL="hello@müller.example")
    promise_letter(end_confirmed)

    assert drain.drain().delivered == 1

    [message] = server.messages
    [sender] = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, "hello@xn--mller-kva.example")
    assert message["Message-ID"].endswith("@xn--mller-kva.example>")


@pytest.mark.parametrize(
    ("given", "sender"),
    [
        pytest.param({}, "Larkspur Services <contracts@larkspur.example>", id="nothing-given"),
        pytest.param({"FAIRWELL_SUPPORT_EMAIL": "s@b.example"}, "Larkspur Services <s@b.example>", id="support"),
        pytest.param({"DEFAULT_FROM_EMAIL": "c@b.example"}, "Larkspur Services <c@b.example>", id="an-address"),
        pytest.param({"DEFAULT_FROM_EMAIL": "Contracts <c@b.example>"}, "Contracts <c@b.example>", id="name-and-all"),
    ],
)
def test_letters_come_from_whom_the_operator_says(given: dict[str, str], sender: str) -> None:
    assert sender_of(**given) == sender


def sender_of(**given: str) -> str:
    """Return the sender that the settings make of an environment."""
    asked = "from django.conf import settings; print(settings.DEFAULT_FROM_EMAIL)"
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONIOENCODING": "utf-8", **given}
    return subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=env, capture_output=True, encoding="utf-8", check=True, timeout=60
    ).stdout.strip()


def test_any_mail_backend_of_django_will_do(settings: Any, end_confirmed: dict[str, Any]) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    promise_letter(end_confirmed)

    assert drain.drain().delivered == 1
    assert [message.to for message in mail.outbox] == [["anna@example.org"]]
