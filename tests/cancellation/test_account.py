"""The account and the pages of a contract: what is paid, until when, how to leave, the next deadline, the papers."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from cancellation.models import Cancellation, DeletionRequest, Notice, NoticeState, Receipt
from messaging.models import Letter
from outbox.drain import drain
from subscriptions.lexicon import pressing
from subscriptions.models import Contract, Customer
from tests.cancellation.test_pages import let_in, quote_on, statements, url
from tests.factories import NOON, make_contract, make_customer, make_plan, pay, terms_dict

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def contract() -> Contract:
    contract = make_contract()
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    return contract


@pytest.fixture
def holder(client: Client, contract: Contract) -> Client:
    return let_in(client, contract.customer)


def seen(page: Any) -> str:
    """Return what a reader sees between header and footer, in one line."""
    main = page.content.decode().partition("<main")[2].partition("</main>")[0]
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main.partition(">")[2])).split())
    return re.sub(r" (?=[.,])", "", words)


def leave(client: Client, contract: Contract) -> Cancellation:
    client.post(url(contract, "cancel/now/"), {"quote": quote_on(client.get(url(contract, "cancel/")))})
    return Cancellation.objects.get(contract=contract)


def letter(contract: Contract | None, customer: Customer | None, **changes: Any) -> Letter:
    given = {
        "key": f"test:{Letter.objects.count()}", "kind": "judged", "locale": "en", "to": "a@example.org",
        "subject": "About it", "text": "Hello.\n", "html": "", "message_id": "<1@x>", "sent_at": NOON,
    }  # fmt: skip
    return Letter.objects.create(contract=contract, customer=customer, **given | changes)


# ---------------------------------------------------------------- the list of contracts


def test_the_account_says_what_is_paid_until_when_and_how_to_leave(holder: Client, contract: Contract) -> None:
    page = holder.get("/account/")

    told = seen(page)
    assert "€12.00 for 1 month" in told
    assert "Next deadline: 30 November 2026. A notice until then ends the contract on 31 December 2026" in told
    assert f'href="{url(contract, "cancel/")}"' in page.content.decode()
    assert f'href="{url(contract, "deadline.ics")}"' in page.content.decode()
    for place in ("/account/letters/", "/account/choices/", "/account/data/", "/account/delete/"):
        assert f'href="{place}"' in page.content.decode()


def test_a_price_for_a_while_is_the_price_that_is_shown(holder: Client, contract: Contract) -> None:
    contract.price_changes = [{"from": "2026-11-01", "to": "2027-01-31", "price_minor": 600, "kind": "discount"}]
    contract.save()

    assert "€6.00 for 1 month" in seen(holder.get("/account/"))


@pytest.mark.parametrize("count", [1, 3])
def test_the_account_costs_one_statement_for_one_and_three_contracts(client: Client, count: int) -> None:
    customer = make_customer()
    for _nth in range(count):
        make_contract(customer=customer)
    DeletionRequest.objects.create(customer=customer, asked_at=NOON, actor="customer")
    let_in(client, customer)

    with statements(at_most=1):
        page = client.get("/account/")

    assert page.content.decode().count("Server S") == count
    assert "On 10 November 2026 you asked to have your data deleted." in seen(page)


def test_a_deletion_that_was_taken_back_is_no_news(holder: Client, contract: Contract) -> None:
    DeletionRequest.objects.create(customer=contract.customer, asked_at=NOON, actor="x", taken_back_at=NOON)

    assert "deleted" not in seen(holder.get("/account/"))


def test_no_contract_is_said_and_the_account_stays_of_use(client: Client) -> None:
    customer = make_customer()
    let_in(client, customer)

    told = seen(client.get("/account/"))

    assert "There is no contract in your name." in told
    assert "Your data as a file" in told
    assert seen(client.get("/account/letters/")).endswith("No letter was sent yet.")


def test_one_contract_that_cannot_be_read_hides_no_other_and_keeps_its_way_out(
    holder: Client, contract: Contract
) -> None:
    broken = make_contract(customer=contract.customer)
    Contract.objects.filter(pk=broken.pk).update(terms={"starts_on": "never"})

    told = seen(holder.get("/account/"))
    page = holder.get(url(broken))

    assert "Last day on request" in told
    assert "€12.00 for 1 month" in told
    assert 'data-action="cancel-now"' in page.content.decode()
    assert holder.get(url(broken, "payments/")).status_code == 200
    assert holder.get(url(broken, "letters/")).status_code == 200
    assert holder.get(url(broken, "deadline.ics")).status_code == 404


def test_names_of_two_hundred_characters_are_shown_whole(client: Client) -> None:
    customer = make_customer(name="Ł" * 200)
    make_contract(customer=customer, plan=make_plan(name="山" * 200))
    let_in(client, customer)

    told = seen(client.get("/account/"))

    assert "Ł" * 200 in told
    assert "山" * 200 in told


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"notice_to": "any_day"}, "A notice today ends the contract on 10 December 2026."),
        ({"initial_term": {"months": 24}, "renewal": "none"}, "It ends by itself on 31 December 2026."),
        ({"starts_on": "2027-06-01"}, "Next deadline: 30 April 2027"),
    ],
    ids=["any-day", "by-itself", "not-begun"],
)
def test_without_a_deadline_the_end_of_a_notice_today_is_said(
    client: Client, terms: dict[str, Any], sentence: str
) -> None:
    contract = make_contract(terms=terms_dict(**terms))
    let_in(client, contract.customer)

    assert sentence in seen(client.get("/account/"))


def test_an_ending_and_an_ended_contract_offer_no_second_way_out(holder: Client, contract: Contract) -> None:
    leave(holder, contract)

    page = holder.get("/account/")

    assert "Ends on 31 December 2026" in seen(page)
    assert url(contract, "cancel/") not in page.content.decode()
    assert "deadline" not in seen(page)


# ---------------------------------------------------------------- the next deadline


def test_the_calendar_file_of_the_deadline_states_a_fact(holder: Client, contract: Contract) -> None:
    answer = holder.get(url(contract, "deadline.ics"))

    text = answer.content.decode()
    lines = text.replace("\r\n ", "").split("\r\n")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "DTSTART;VALUE=DATE:20261130" in lines
    assert "DTEND;VALUE=DATE:20261201" in lines
    assert f"UID:deadline-{contract.pk}-20261130@fairwell" in lines
    told = next(line for line in lines if line.startswith("DESCRIPTION:"))
    assert "A notice until 30 November 2026 ends the contract on 31 December 2026\\, a later one on 31 January" in told
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert pressing(text) == []
    assert "BEGIN:VALARM" not in lines


def test_where_nothing_depends_on_a_day_there_is_no_deadline(client: Client) -> None:
    contract = make_contract(terms=terms_dict(notice_to="any_day"))
    let_in(client, contract.customer)

    assert client.get(url(contract, "deadline.ics")).status_code == 404
    assert "Next deadline" not in seen(client.get(url(contract)))


def test_a_contract_that_ends_has_no_deadline_any_more(holder: Client, contract: Contract) -> None:
    assert "Next deadline: 30 November 2026" in seen(holder.get(url(contract)))
    leave(holder, contract)

    assert holder.get(url(contract, "deadline.ics")).status_code == 404
    assert "Next deadline" not in seen(holder.get(url(contract)))


# ---------------------------------------------------------------- payments


def test_six_payments_stand_on_the_page_and_all_on_one_of_their_own(holder: Client, contract: Contract) -> None:
    for month in range(1, 7):
        pay(contract, f"2026-{month:02}-01", f"2026-{month:02}-28", 100 * month)

    page, every = holder.get(url(contract)), holder.get(url(contract, "payments/"))

    assert f'href="{url(contract, "payments/")}"' in page.content.decode()
    assert page.content.decode().count('<td class="number">') == 6
    assert every.content.decode().count('<td class="number">') == 7
    assert "P-2026-01-01" in seen(every)


def test_a_page_for_all_payments_is_not_offered_where_six_are_all(holder: Client, contract: Contract) -> None:
    assert url(contract, "payments/") not in holder.get(url(contract)).content.decode()


# ---------------------------------------------------------------- letters and receipts


def test_the_page_of_a_contract_leads_to_its_receipts_and_letters(holder: Client, contract: Contract) -> None:
    leave(holder, contract)
    drain()
    receipt, sent = Receipt.objects.get(), Letter.objects.get(kind="end-confirmed")

    page = holder.get(url(contract)).content.decode()
    shown = seen(holder.get(f"/account/letters/{sent.pk}/"))

    assert f'href="/receipts/{receipt.key}/"' in page
    assert f'href="/account/letters/{sent.pk}/"' in page
    assert f"Your contract {contract.reference} ends on 31 December 2026" in shown
    assert "You declared:" in shown


def test_letters_and_receipts_are_empty_before_anything_was_sent(holder: Client, contract: Contract) -> None:
    assert "Nothing was sent about this contract yet." in seen(holder.get(url(contract)))
    assert "There is no receipt: nothing was declared." in seen(holder.get(url(contract, "letters/")))


def test_more_than_six_letters_stand_on_a_page_of_their_own(holder: Client, contract: Contract) -> None:
    for number in range(8):
        letter(contract, contract.customer, subject=f"Letter {number}")

    page = holder.get(url(contract))
    every = seen(holder.get(url(contract, "letters/")))

    assert page.content.decode().count('href="/account/letters/') == 6
    assert f'href="{url(contract, "letters/")}"' in page.content.decode()
    assert [f"Letter {number}" in every for number in range(8)] == [True] * 8


@pytest.mark.parametrize("count", [1, 4])
def test_a_contracts_page_costs_the_same_for_one_letter_and_four(
    holder: Client, contract: Contract, count: int
) -> None:
    for _nth in range(count):
        letter(contract, contract.customer)

    with statements(at_most=7):
        holder.get(url(contract))
    with statements(at_most=3):
        holder.get(url(contract, "letters/"))


def test_a_letter_says_why_it_did_not_leave(holder: Client, contract: Contract) -> None:
    unsent = letter(contract, contract.customer, sent_at=None, undeliverable="no-address", to="")
    letter(contract, contract.customer, sent_at=None)

    told = seen(holder.get(url(contract, "letters/")))

    assert "not sent: no e-mail address is on file" in told
    assert "on its way" in told
    assert "Not sent, because no e-mail address is on file" in seen(holder.get(f"/account/letters/{unsent.pk}/"))


def test_nobody_reads_a_letter_that_was_not_written_to_them(holder: Client, contract: Contract) -> None:
    other = make_contract()
    theirs = letter(other, other.customer, subject="Somebody else’s")
    to_third = letter(contract, None, subject="To somebody else about this contract")
    earlier = letter(contract, other.customer, subject="To its earlier holder")

    for row in (theirs, to_third, earlier):
        assert holder.get(f"/account/letters/{row.pk}/").status_code == 404
    for page in (url(contract), url(contract, "letters/"), "/account/letters/"):
        assert "else" not in seen(holder.get(page))
        assert "earlier holder" not in seen(holder.get(page))
    assert holder.get(url(other, "letters/")).status_code == 404
    assert holder.get(url(other, "payments/")).status_code == 404
    assert holder.get(url(other, "deadline.ics")).status_code == 404
    assert holder.get("/account/letters/999999999999/").status_code == 404


@pytest.mark.parametrize(
    "secret",
    ["/sign-in/blotted-out-1/", "/announce/blotted-out/", "/not-me/17.AbC-dEf_0123456789/"],
)
def test_what_lets_somebody_in_is_never_shown(holder: Client, contract: Contract, secret: str) -> None:
    row = letter(contract, contract.customer, text=f"Press\nhttps://desk.example.org{secret}\nand read on.")

    page = holder.get(f"/account/letters/{row.pk}/").content.decode()

    assert secret not in page
    assert "a link that is shown in your mail only" in page
    assert "and read on." in page


def test_a_letter_is_text_and_no_markup(holder: Client, contract: Contract) -> None:
    row = letter(contract, contract.customer, text="<script>alert(1)</script>", subject="<b>Bold</b>")

    page = holder.get(f"/account/letters/{row.pk}/").content.decode()

    assert "&lt;script&gt;alert(1)" in page
    assert "<b>Bold" not in page


def test_a_letter_whose_words_are_erased_says_so(holder: Client, contract: Contract) -> None:
    row = letter(contract, contract.customer, text="", subject="", to="")

    assert "The words of this letter are erased" in seen(holder.get(f"/account/letters/{row.pk}/"))
    assert holder.get("/account/letters/").status_code == 200


def test_a_strangers_receipt_is_the_strangers(holder: Client, contract: Contract) -> None:
    notice = Notice.objects.create(
        channel="door", contract=contract, received_at=NOON, declaration="x", actor="public", idempotency_key="d",
        state=NoticeState.REPUDIATED,
    )  # fmt: skip
    given = {"notice": notice, "document": {}, "jws": "j", "kid": "k", "issued_at": NOON}
    stranger = Receipt.objects.create(kind="received", **given)
    own = Receipt.objects.create(kind="end", **given)
    erased = Receipt.objects.create(kind="end", **given | {"jws": ""})

    page = holder.get(url(contract, "letters/")).content.decode()

    assert [receipt.key in page for receipt in (stranger, own, erased)] == [False, True, False]


# ---------------------------------------------------------------- who may see it


@pytest.mark.parametrize(
    "path", ["/account/", "/account/letters/", "/account/letters/1/", "/account/data/", "/account/delete/"]
)
def test_a_stranger_is_led_to_the_sign_in(client: Client, path: str) -> None:
    assert client.get(path).url.startswith("/sign-in/?next=")


def test_an_older_sign_in_opens_nothing(holder: Client, contract: Contract) -> None:
    Customer.objects.update(sign_in_epoch=7)

    for path in ("/account/", "/account/letters/", "/account/data/", "/account/delete/", url(contract, "payments/")):
        assert holder.get(path).status_code == 302


def test_the_account_is_calm_in_every_word(holder: Client, contract: Contract) -> None:
    with time_machine.travel(NOON + timedelta(days=20), tick=False):
        let_in(holder, contract.customer)
        for path in ("/account/", url(contract), "/account/delete/", "/account/data/"):
            assert pressing(seen(holder.get(path)), "en") == []
