"""The page of choices, the choice on the last page, and what the desk sees and does."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from messaging import suppression
from subscriptions import choices
from subscriptions.models import Consent, ConsentTopic, Contract, Customer
from tests.admin.conftest import clerk
from tests.cancellation.test_pages import let_in, quote_on, url
from tests.factories import NOON, make_contract

pytestmark = pytest.mark.django_db
PAGE = "/account/choices/"


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def customer() -> Customer:
    return make_contract().customer


@pytest.fixture
def holder(client: Client, customer: Customer) -> Client:
    return let_in(client, customer)


def boxes(page: Any) -> dict[str, bool]:
    """Return the boxes of the page and whether each is ticked."""
    found = re.findall(r'<input type="checkbox"\s+name="yes"\s+value="(\w+)"\s*(checked)?', page.content.decode())
    return {topic: bool(ticked) for topic, ticked in found}


def text_of(page: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


# ---------------------------------------------------------------- choosing


def test_the_boxes_show_what_stands_and_news_never_begins_ticked(holder: Client) -> None:
    page = holder.get(PAGE)

    assert boxes(page) == {"halfway": True, "news": False}
    assert "Yes, as long as you say nothing else." in text_of(page)
    assert "No, as long as you say nothing else." in text_of(page)


def test_what_is_saved_is_kept_with_its_words_its_language_and_its_time(holder: Client, customer: Customer) -> None:
    answer = holder.post(
        PAGE, {"shown": ["halfway", "news"], "yes": ["news"]}, headers={"Accept-Language": "fr"}, follow=True
    )

    assert answer.redirect_chain == [(f"{PAGE}?saved=1", 302)]
    assert boxes(answer) == {"halfway": False, "news": True}
    page = text_of(holder.get(PAGE))
    assert "Yes, since 10 November 2026." in page
    assert "No, since 10 November 2026." in page
    words = {word.topic: word for word in Consent.objects.all()}
    assert {topic: word.given for topic, word in words.items()} == {"halfway": False, "news": True}
    news = words["news"]
    assert (news.locale, news.at, news.actor) == ("fr", NOON, f"customer:{customer.pk}")
    assert news.wording


def test_a_second_click_says_nothing_twice(holder: Client) -> None:
    for _click in range(2):
        holder.post(PAGE, {"shown": ["halfway", "news"], "yes": ["halfway", "news"]})

    assert [word.topic for word in Consent.objects.all()] == ["news"]


def test_only_what_the_page_showed_is_answered(holder: Client, customer: Customer) -> None:
    holder.post(PAGE, {"shown": ["news"], "yes": ["news", "options", "contact", "no-such-topic"]})

    assert [(word.topic, word.given) for word in Consent.objects.all()] == [("news", True)]
    assert choices.given(customer, ConsentTopic.HALFWAY)


@pytest.mark.parametrize("sent", [{}, {"yes": "news"}, {"shown": "no-such-topic"}, {"contact": "maybe"}])
def test_what_cannot_be_read_changes_nothing_and_says_so(holder: Client, sent: dict[str, str]) -> None:
    answer = holder.post(PAGE, sent)

    assert answer.status_code == 422
    assert "Nothing was saved" in text_of(answer)
    assert boxes(answer) == {"halfway": True, "news": False}
    assert not Consent.objects.exists()


def test_the_page_is_for_whoever_is_signed_in(client: Client, customer: Customer) -> None:
    assert client.get(PAGE).url == "/sign-in/?next=%2Faccount%2Fchoices%2F"
    assert client.post(PAGE, {"contact": "no"}).url == "/sign-in/?next=%2Faccount%2Fchoices%2F"
    let_in(client, customer)
    Customer.objects.update(sign_in_epoch=7)
    assert client.post(PAGE, {"contact": "no"}).status_code == 302
    assert not suppression.is_suppressed(customer)


def test_a_forged_form_changes_nothing(customer: Customer) -> None:
    strict = let_in(Client(enforce_csrf_checks=True), customer)

    assert strict.post(PAGE, {"contact": "no"}).status_code == 403
    assert not suppression.is_suppressed(customer)


# ---------------------------------------------------------------- where a place wants permission


def minnesotan() -> Customer:
    return make_contract(country="US", region="MN").customer


def test_permission_for_options_is_asked_where_the_rules_want_it_and_begins_empty(client: Client) -> None:
    customer = minnesotan()
    let_in(client, customer)

    assert boxes(client.get(PAGE)) == {"halfway": True, "news": False, "options": False}
    client.post(PAGE, {"shown": ["halfway", "news", "options"], "yes": ["halfway", "options"]})
    assert choices.given(customer, ConsentTopic.OPTIONS)


def test_a_permission_can_be_taken_back_where_none_is_asked_for_any_more(client: Client) -> None:
    customer = minnesotan()
    let_in(client, customer)
    client.post(PAGE, {"shown": ["options"], "yes": ["options"]})
    Contract.objects.update(country="FR", region="")

    assert boxes(client.get(PAGE))["options"] is True
    client.post(PAGE, {"shown": ["halfway", "news", "options"], "yes": ["halfway"]})
    assert boxes(client.get(PAGE)) == {"halfway": True, "news": False}


def test_a_contract_that_nobody_can_read_hides_no_choice(client: Client) -> None:
    customer = minnesotan()
    make_contract(customer=customer)
    broken = Contract.objects.latest("pk")
    Contract.objects.filter(pk=broken.pk).update(terms={})
    let_in(client, customer)

    assert "options" in boxes(client.get(PAGE))


# ---------------------------------------------------------------- no further contact


def leave(client: Client, contract: Contract) -> Any:
    let_in(client, contract.customer)
    page = client.get(url(contract, "cancel/"))
    return client.post(url(contract, "cancel/now/"), {"quote": quote_on(page)}, follow=True)


def test_the_last_page_offers_it_and_shows_that_it_is_noted(client: Client) -> None:
    contract = make_contract()
    done = leave(client, contract).content.decode()
    assert 'data-action="no-contact"' in done
    assert done.index('data-action="no-contact"') > done.index('data-action="undo"')

    answer = client.post(PAGE, {"contact": "no", "next": f"{url(contract, 'cancel/done/')}#contact"}, follow=True)

    assert suppression.is_suppressed(contract.customer)
    assert 'data-action="no-contact"' not in answer.content.decode()
    assert "Noted on 10 November 2026" in text_of(answer)


def test_it_is_set_and_lifted_on_the_page_of_choices(holder: Client, customer: Customer) -> None:
    for _click in range(2):
        holder.post(PAGE, {"contact": "no"})
    page = holder.get(PAGE)
    assert "Since 10 November 2026 we send you only what is necessary" in text_of(page)
    # What was chosen stays as it was chosen.
    assert boxes(page) == {"halfway": True, "news": False}

    holder.post(PAGE, {"contact": "yes"})

    assert not suppression.is_suppressed(customer)
    assert [word.given for word in choices.history(customer)] == [True, False]


@pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(holder: Client, next_path: str) -> None:
    assert holder.post(PAGE, {"contact": "no", "next": next_path}).url == f"{PAGE}?saved=1"


# ---------------------------------------------------------------- the desk


def desk_page(customer: Customer, rest: str = "change/") -> str:
    return f"/admin/subscriptions/customer/{customer.pk}/{rest}"


def test_the_desk_reads_what_stands_and_what_was_said(admin_client: Client, customer: Customer) -> None:
    choices.choose(
        customer=customer,
        topic=ConsentTopic.NEWS,
        given=True,
        wording="News, please.",
        locale="de",
        actor=f"customer:{customer.pk}",
        at=NOON,
    )

    page = admin_client.get(desk_page(customer))

    told = text_of(page)
    assert "“News, please.” (de)" in told
    assert "Yes: news and invitations to come back" in told
    assert "by the customer" in told
    assert 'name="yes"' not in page.content.decode()


def test_staff_note_a_wish_and_lift_it_with_a_reason_only(admin_client: Client, customer: Customer) -> None:
    page = desk_page(customer, "contact/")
    admin_client.post(page, {"lifts": "False", "why": "Asked for it on the phone."})
    assert suppression.is_suppressed(customer)

    refused = admin_client.post(page, {"lifts": "True", "why": " "})
    assert refused.status_code == 422
    assert "Write why" in text_of(refused)
    assert suppression.is_suppressed(customer)

    answer = admin_client.post(page, {"lifts": "True", "why": "Wrote that news are welcome again."}, follow=True)
    assert not suppression.is_suppressed(customer)
    told = text_of(answer)
    assert "Wrote that news are welcome again." in told
    assert "Contact is allowed again" in told
    assert [(word.given, word.actor) for word in choices.history(customer)] == [
        (True, "staff:admin"),
        (False, "staff:admin"),
    ]


def test_a_page_that_was_left_open_turns_nothing_round(admin_client: Client, customer: Customer) -> None:
    page = desk_page(customer, "contact/")
    form = admin_client.get(page).content.decode()
    assert re.search(r'name="lifts" value="False"', form)
    suppression.suppress(customer=customer, actor=f"customer:{customer.pk}", at=NOON)

    answer = admin_client.post(page, {"lifts": "False", "why": ""}, follow=True)

    assert "this stood already" in text_of(answer)
    assert suppression.is_suppressed(customer)


def test_who_may_only_look_changes_nothing(customer: Customer) -> None:
    viewer = clerk("subscriptions.view_customer")

    assert viewer.get(desk_page(customer)).status_code == 200
    assert desk_page(customer, "contact/") not in viewer.get(desk_page(customer)).content.decode()
    assert viewer.post(desk_page(customer, "contact/"), {"lifts": "False"}).status_code == 403
    assert not suppression.is_suppressed(customer)


def test_a_customer_who_is_not_there_is_not_found(admin_client: Client) -> None:
    assert admin_client.get("/admin/subscriptions/customer/4711/contact/").status_code == 404
