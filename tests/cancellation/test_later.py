"""Finish later: nothing has happened, what was typed is kept, the link leads back, and one message goes out at once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from cancellation import halfway
from cancellation.models import Cancellation, Notice, Visit, VisitOutcome
from cancellation.steps import VISIT_COOKIE
from feedback.models import Reason
from messaging import compose, suppression
from outbox.models import Entry
from subscriptions.models import Contract
from tests.cancellation.test_pages import let_in, notice_that_waits, quote_on, statements, url
from tests.factories import NOON, make_contract, make_customer, pay, terms_dict

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


def reason() -> str:
    found = Reason.objects.filter(active=True).first()
    assert found is not None
    return found.code


def put_off(client: Client, contract: Contract, **said: Any) -> Any:
    """Look at the reasons, tick or type, and press "Finish later"."""
    client.get(url(contract, "cancel/reasons/"))
    return client.post(url(contract, "cancel/later/"), {"saying": "yes", **said}, follow=True)


def main_of(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode().split("<main")[1].split("</main>")[0]).split())


def letters() -> list[Entry]:
    return list(Entry.objects.filter(topic="letter"))


# ---------------------------------------------------------------- putting off


def test_putting_off_says_that_nothing_has_happened_and_by_when_to_finish(holder: Client, contract: Contract) -> None:
    page = put_off(holder, contract)

    assert page.redirect_chain == [(url(contract, "cancel/later/"), 302)]
    told = main_of(page)
    assert "You have not cancelled. Your contract goes on." in told
    assert "To end it on 31 December 2026, your notice has to come by 30 November 2026." in told
    assert 'data-step="later"' in page.content.decode()
    assert not Notice.objects.exists()
    assert not Cancellation.objects.exists()


def test_what_was_ticked_and_typed_is_kept(holder: Client, contract: Contract) -> None:
    code = reason()
    put_off(holder, contract, reasons=[code], words="Too dear for me.")

    visit = Visit.objects.get()
    assert (visit.step, visit.said["reasons"], visit.said["words"]) == ("reasons", [code], "Too dear for me.")


def test_a_step_without_boxes_keeps_what_was_typed_on_another(holder: Client, contract: Contract) -> None:
    holder.post(url(contract, "cancel/reasons/"), {"words": "Said before."})
    holder.get(url(contract, "cancel/confirm/"))

    holder.post(url(contract, "cancel/later/"))

    visit = Visit.objects.get()
    assert (visit.step, visit.said["words"]) == ("confirm", "Said before.")


def test_the_one_message_goes_out_at_once_in_the_language_of_the_page(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract, "cancel/reasons/"))
    assert page.status_code == 200
    holder.post(url(contract, "cancel/later/"), headers={"Accept-Language": "de"})

    [entry] = letters()
    visit = Visit.objects.get()
    assert (entry.dedupe_key, entry.payload["locale"]) == (f"finish-later:{visit.key}", "de")
    letter = compose.draft({**entry.payload, "locale": "en"})
    assert letter.subject == f"Your link to finish the cancellation of {contract.reference} later"
    assert "Nothing has happened yet: your contract goes on." in letter.text
    assert "by 30 November 2026" in letter.text
    assert halfway.go_on_url(contract, visit.key) in letter.text
    assert "/account/choices/" in letter.text


def test_a_second_click_sends_no_second_message(holder: Client, contract: Contract) -> None:
    put_off(holder, contract)
    page = put_off(holder, contract, words="More.")

    assert len(letters()) == 1
    assert Visit.objects.get().said["words"] == "More."
    assert "On 10 November 2026 we wrote to" in main_of(page)


def test_the_message_counts_as_the_one_about_this_visit(holder: Client, contract: Contract, settings: Any) -> None:
    settings.HALFWAY_HOURS = 24
    put_off(holder, contract)

    assert halfway.write_to_who_left(now=NOON + timedelta(days=2)) == 0


def test_without_an_address_the_page_shows_the_link_and_promises_no_mail(client: Client) -> None:
    contract = make_contract(customer=make_customer(email=""))
    let_in(client, contract.customer)

    page = put_off(client, contract)

    visit = Visit.objects.get()
    assert halfway.go_on_url(contract, visit.key) in page.content.decode()
    assert "no mail is sent" in main_of(page)
    assert (letters(), visit.reminded_at) == ([], None)


def test_their_own_wish_is_sent_to_whoever_wants_no_further_contact(holder: Client, contract: Contract) -> None:
    suppression.suppress(customer=contract.customer, actor="x", at=NOON)
    put_off(holder, contract)

    assert suppression.is_wanted(letters()[0].payload["kind"], contract.customer_id)


def test_reading_the_address_sends_nothing(holder: Client, contract: Contract) -> None:
    assert holder.get(url(contract, "cancel/later/")).status_code == 200
    assert (letters(), Visit.objects.count()) == ([], 0)


def test_cancelling_afterwards_works_as_before(holder: Client, contract: Contract) -> None:
    put_off(holder, contract, words="Said.")
    page = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    assert Cancellation.objects.get().last_day.isoformat() == "2026-12-31"
    assert Entry.objects.get(topic="said").payload["said"]["words"] == "Said."
    assert holder.post(url(contract, "cancel/later/")).url == url(contract, "cancel/done/")


def test_who_has_nothing_to_put_off_is_led_to_what_there_is(client: Client) -> None:
    over = make_contract(terms=terms_dict(initial_term={"months": 12}, renewal="none"))
    let_in(client, over.customer)
    assert client.post(url(over, "cancel/later/")).url == url(over)

    waits = notice_that_waits()
    with time_machine.travel("2026-12-01T12:00:00Z", tick=False):
        let_in(client, waits.customer)
        assert 'data-action="later"' not in client.get(url(waits, "cancel/confirm/")).content.decode()
        assert client.post(url(waits, "cancel/later/")).url == url(waits)
    assert not Entry.objects.filter(dedupe_key__startswith="finish-later").exists()


def test_terms_that_nobody_can_read_lead_to_the_way_out_all_the_same(holder: Client, contract: Contract) -> None:
    Contract.objects.update(terms={"starts_on": "never"})

    page = holder.post(url(contract, "cancel/later/"))

    assert page.status_code == 200
    assert url(contract, "cancel/now/") in page.content.decode()


def test_nobody_puts_off_for_somebody_else(client: Client, contract: Contract) -> None:
    assert client.post(url(contract, "cancel/later/")).url.startswith("/sign-in/")
    let_in(client, make_customer())
    assert client.post(url(contract, "cancel/later/")).status_code == 404
    assert client.get(halfway.go_on_url(contract, uuid.uuid4())).status_code == 404
    assert not Visit.objects.exists()


def test_a_forged_form_puts_off_nothing(contract: Contract) -> None:
    strict = let_in(Client(enforce_csrf_checks=True), contract.customer)

    assert strict.post(url(contract, "cancel/later/")).status_code == 403
    assert letters() == []


def test_putting_off_costs_four_statements(holder: Client, contract: Contract) -> None:
    holder.get(url(contract, "cancel/reasons/"))
    with statements(at_most=4):
        holder.post(url(contract, "cancel/later/"), {"saying": "yes", "words": "Said."})
    with statements(at_most=1):
        holder.get(url(contract, "cancel/later/"))


@pytest.mark.parametrize("step", ["cancel/", "cancel/reasons/", "cancel/confirm/"])
def test_the_control_comes_after_the_act_on_every_step(holder: Client, contract: Contract, step: str) -> None:
    page = holder.get(url(contract, step)).content.decode()
    actions = re.findall(r'data-action="([a-z-]+)"', page)

    assert actions[0] in {"cancel-now", "confirm"}
    assert actions[-1] == "later"
    assert re.search(r'<button class="plain"[^>]*data-action="later"', page)


# ---------------------------------------------------------------- the link


def test_the_link_leads_to_the_step_that_was_left_on_another_device(holder: Client, contract: Contract) -> None:
    code = reason()
    put_off(holder, contract, reasons=[code], words="Too dear for me.")
    link = letters()[0].payload["facts"]["go_on_url"].removeprefix("http://127.0.0.1:8000")
    elsewhere = Client()

    stranger = elsewhere.get(link)
    assert stranger.url.startswith("/sign-in/?next=")
    let_in(elsewhere, contract.customer)
    page = elsewhere.get(link, follow=True)

    assert page.redirect_chain == [(url(contract, "cancel/reasons/"), 302)]
    body = page.content.decode()
    assert "Too dear for me." in body
    assert re.search(rf'value="{code}"\s+checked', body)
    assert Visit.objects.count() == 1


def test_the_way_there_survives_the_sign_in(client: Client, contract: Contract) -> None:
    link = halfway.go_on_url(contract, uuid.uuid4())

    page = client.get(client.get(link).url)

    assert f'name="next" value="{link}"' in " ".join(page.content.decode().split())


def test_a_link_that_was_cut_or_changed_begins_the_way_anew(holder: Client, contract: Contract) -> None:
    visit = Visit.objects.create(key=uuid.uuid4(), contract=contract, step="confirm", seen_at=NOON)
    good = halfway.go_on_url(contract, visit.key)

    for bad in (good[:-5] + "/", good.replace(str(visit.key), str(uuid.uuid4())), url(contract, "cancel/go-on/x/")):
        answer = holder.get(bad)
        assert answer.url == url(contract, "cancel/")
        assert VISIT_COOKIE not in answer.cookies
    assert holder.get(good).url == url(contract, "cancel/confirm/")


def test_a_visit_to_another_contract_is_not_opened(holder: Client, contract: Contract) -> None:
    other = make_contract(customer=contract.customer)
    visit = Visit.objects.create(key=uuid.uuid4(), contract=other, step="confirm", seen_at=NOON)

    assert holder.get(halfway.go_on_url(contract, visit.key)).url == url(contract, "cancel/")


def test_a_visit_that_was_kept_by_choice_leads_to_the_contract(holder: Client, contract: Contract) -> None:
    visit = Visit.objects.create(
        key=uuid.uuid4(), contract=contract, step="options", seen_at=NOON, outcome=VisitOutcome.KEPT
    )

    assert holder.get(halfway.go_on_url(contract, visit.key)).url == url(contract)


def test_after_the_act_an_old_link_shows_what_was_done(holder: Client, contract: Contract) -> None:
    put_off(holder, contract)
    link = halfway.go_on_url(contract, Visit.objects.get().key)
    page = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    assert holder.get(link, follow=True).redirect_chain[-1] == (url(contract, "cancel/done/"), 302)
