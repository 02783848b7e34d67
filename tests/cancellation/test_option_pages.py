"""The pages of options, by client: the step of the guided way, the page that is always open, and what was agreed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client

from cancellation import offering
from cancellation.models import (
    Acceptance,
    AcceptanceState,
    Cancellation,
    DeskTask,
    Offer,
    OfferDecision,
    OfferEvent,
    OfferVersion,
    OfferWhat,
    Visit,
    VisitOutcome,
)
from cancellation.steps import steps_of
from feedback.models import Answer
from outbox.drain import drain
from outbox.models import Entry
from subscriptions.models import Consent, ConsentTopic, Contract
from subscriptions.packs import CODES
from tests.cancellation.test_pages import let_in, quote_on, statements, url
from tests.factories import NOON, make_contract, make_customer, pay, terms_dict

pytestmark = pytest.mark.django_db
TOO_DEAR = "cost-too-high"
EVERYWHERE = ("overview", "reasons", "options", "confirm")


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield
    cache.clear()


@pytest.fixture
def contract() -> Contract:
    contract = make_contract(country="AT")
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    return contract


@pytest.fixture
def holder(client: Client, contract: Contract) -> Client:
    return let_in(client, contract.customer)


def offer(code: str = "three-months-less", kind: str = "discount", **changes: Any) -> Offer:
    """Return a stored option that answers a price that is too high."""
    values = {
        "valid_from": date(2026, 1, 1),
        "texts": {"en": {"title": f"The option {code}", "text": "As we agreed."}},
        "terms": {"percent": 50, "periods": 3} if kind == "discount" else {},
        "reasons": [TOO_DEAR],
        **changes,
    }
    row = Offer.objects.create(code=code, kind=kind, **values)
    definition = {"kind": kind, "terms": values["terms"]}
    OfferVersion.objects.create(offer=row, version=1, definition=definition, at=NOON, actor="test")
    offering.forget_offers()
    return row


def say(holder: Client, contract: Contract, *reasons: str) -> Any:
    """Tick reasons as a visitor does; return where the step leads."""
    return holder.post(url(contract, "cancel/reasons/"), {"reasons": reasons or [TOO_DEAR]})


def body(answer: Any) -> str:
    return str(answer.content.decode())


def seals(answer: Any) -> list[str]:
    return re.findall(r'name="option" value="([^"]+)"', body(answer))


def shown(answer: Any) -> list[str]:
    return re.findall(r'data-offer="([^"]+)"', body(answer))


def agree(holder: Client, contract: Contract, seal: str, **more: str) -> Any:
    return holder.post(url(contract, "options/accept/"), {"option": seal, **more})


# ---------------------------------------------------------------- which steps stand where


@pytest.mark.parametrize(
    ("place", "is_consumer", "steps"),
    [
        pytest.param({"country": "AT"}, True, EVERYWHERE, id="the-union"),
        pytest.param({"country": "DE"}, True, ("overview",), id="germany"),
        pytest.param({"country": "DE"}, False, EVERYWHERE, id="a-business-in-germany"),
        pytest.param({"country": "PL"}, True, EVERYWHERE, id="poland"),
        pytest.param({"country": "US", "region": "MN"}, True, ("overview", "reasons", "confirm"), id="minnesota"),
        pytest.param({"country": "BR"}, True, EVERYWHERE, id="a-place-without-rules"),
    ],
)
def test_the_pack_says_which_steps_stand_before_the_act(
    place: dict[str, str], is_consumer: bool, steps: tuple[str, ...], db: None
) -> None:
    assert steps_of(make_contract(**place, is_consumer=is_consumer)) == steps


@pytest.mark.parametrize("code", CODES)
def test_the_steps_and_the_decision_agree_on_where_options_may_stand(code: str) -> None:
    country, _, region = code.upper().partition("-")
    contract = make_contract(country={"DEFAULT": "BR", "EU": "AT", "UK": "GB"}.get(country, country), region=region)

    assert ("options" in steps_of(contract)) == offering.may_stand_in_flow(contract, NOON.date())


def test_where_nobody_can_tell_the_steps_the_overview_is_all(contract: Contract, settings: Any, tmp_path: Any) -> None:
    contract.plan = None  # type: ignore[assignment]

    assert steps_of(contract) == ("overview",)


def test_permission_opens_the_step_in_minnesota_and_a_later_no_closes_it(client: Client) -> None:
    contract = make_contract(country="US", region="MN")
    let_in(client, contract.customer)
    progress = 'name="viewport"', "Step 1 of 3", "Step 1 of 4"

    def permit(given: bool) -> None:
        Consent.objects.create(
            customer=contract.customer, topic=ConsentTopic.OPTIONS, given=given, wording="…", at=NOON, actor="test"
        )

    for given, expected in ((None, progress[1]), (True, progress[2]), (False, progress[1])):
        if given is not None:
            permit(given)
        assert expected in body(client.get(url(contract, "cancel/")))


def test_r14_a_german_consumer_meets_neither_reasons_nor_options_before_the_act(client: Client) -> None:
    offer()
    contract = make_contract()
    let_in(client, contract.customer)

    overview = body(client.get(url(contract, "cancel/"))).partition("<footer>")[0]
    assert set(re.findall(r'data-action="([a-z-]+)"', overview)) == {"cancel-now", "keep", "later"}
    for words in ("Step 1", "more pages", "data-offer", "Tell us why"):
        assert words not in overview
    for step in ("reasons", "options"):
        assert client.get(url(contract, f"cancel/{step}/")).url == url(contract, "cancel/")
    assert client.post(url(contract, "cancel/reasons/"), {"reasons": [TOO_DEAR]}).url == url(contract, "cancel/")
    assert not OfferDecision.objects.exists()
    # What changed meanwhile is still asked on a page of its own, and nothing else stands on it.
    confirm = client.get(url(contract, "cancel/confirm/"))
    assert confirm.status_code == 200
    assert "Step " not in body(confirm).partition("<footer>")[0]

    assert 'data-action="options"' in body(client.get(url(contract)))
    assert shown(client.get(url(contract, "options/"))) == ["three-months-less"]


def test_the_numbers_of_the_steps_are_right(holder: Client, contract: Contract) -> None:
    offer()
    assert "Step 1 of 4" in body(holder.get(url(contract, "cancel/")))
    assert "At most three more pages" in body(holder.get(url(contract, "cancel/")))
    assert "Step 2 of 4" in body(holder.get(url(contract, "cancel/reasons/")))
    say(holder, contract)
    assert "Step 3 of 4" in body(holder.get(url(contract, "cancel/options/")))
    assert "Step 4 of 4" in body(holder.get(url(contract, "cancel/confirm/")))


# ---------------------------------------------------------------- reasons after the act


def test_reasons_stand_after_the_act_where_the_place_wants_them_there(client: Client) -> None:
    contract = make_contract()
    let_in(client, contract.customer)
    assert client.get(url(contract, "cancel/why/")).url == url(contract)
    page = client.get(url(contract, "cancel/"))
    done = client.post(url(contract, "cancel/now/"), {"quote": quote_on(page)}, follow=True)
    assert url(contract, "cancel/why/") in body(done)

    why = client.get(url(contract, "cancel/why/"))
    assert set(re.findall(r'data-action="([a-z-]+)"', body(why).partition("<footer>")[0])) == {"continue", "skip"}
    assert " checked" not in body(why)
    wrong = client.post(url(contract, "cancel/why/"), {"reasons": ["no-such-reason"], "words": "I wrote this."})
    assert wrong.status_code == 422
    assert "I wrote this." in body(wrong)
    for words in ("Grüße", "a second answer"):
        client.post(url(contract, "cancel/why/"), {"reasons": [TOO_DEAR], "words": words})

    assert client.get(url(contract, "cancel/why/")).url == url(contract, "cancel/done/")
    assert url(contract, "cancel/why/") not in body(client.get(url(contract, "cancel/done/")))
    drain()
    assert [(one.primary and one.primary.code, one.words) for one in Answer.objects.all()] == [(TOO_DEAR, "Grüße")]
    assert Cancellation.objects.count() == 1


def test_saying_nothing_after_the_act_promises_nothing(client: Client) -> None:
    contract = make_contract()
    let_in(client, contract.customer)
    page = client.get(url(contract, "cancel/"))
    client.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    assert client.post(url(contract, "cancel/why/"), {"words": " "}).url == url(contract, "cancel/done/")
    assert not Entry.objects.filter(topic="said").exists()


def test_where_reasons_stand_before_the_act_none_are_asked_after_it(holder: Client, contract: Contract) -> None:
    page = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    assert url(contract, "cancel/why/") not in body(holder.get(url(contract, "cancel/done/")))
    assert holder.get(url(contract, "cancel/why/")).url == url(contract, "cancel/done/")


# ---------------------------------------------------------------- the step


def test_r14_cancel_now_comes_first_and_every_control_is_of_one_kind(holder: Client, contract: Contract) -> None:
    for number in range(5):
        offer(f"less-{number}", terms={"percent": 50 - number, "periods": 3})
    assert say(holder, contract).url == url(contract, "cancel/options/")
    page = body(holder.get(url(contract, "cancel/options/"))).partition("<footer>")[0]

    main = page.partition("<main")[2]
    actions = re.findall(r'data-action="([a-z-]+)"', main)
    assert actions == ["cancel-now", "keep", "accept", "accept", "accept", "decline", "later"]
    controls = re.findall(r"<(?:button|a)\b[^>]*data-action[^>]*>", main)
    kinds = [re.findall(r'class="([^"]*)"', control)[0] for control in controls]
    # Putting it off comes last and is the smallest of all.
    assert kinds == ["button"] * 6 + ["plain"]
    assert "31 December 2026" in main
    for pressing in (" checked", "autofocus", "<strong>Agree", "selected"):
        assert pressing not in main
    assert quote_on(holder.get(url(contract, "cancel/options/")))


@pytest.mark.parametrize(("country", "most"), [("AT", 3), ("PL", 1), ("JP", 1)])
def test_r14_never_more_than_the_pack_allows(client: Client, country: str, most: int) -> None:
    contract = make_contract(country=country)
    let_in(client, contract.customer)
    for number in range(4):
        offer(f"less-{number}", terms={"percent": 50 - number, "periods": 3})
    say(client, contract)

    assert len(shown(client.get(url(contract, "cancel/options/")))) == most


def test_r14_without_a_stated_reason_no_option_stands_in_the_way(holder: Client, contract: Contract) -> None:
    offer()
    said_nothing = holder.post(url(contract, "cancel/reasons/"), {"words": "Just words."})
    assert said_nothing.url == url(contract, "cancel/confirm/")
    assert holder.get(url(contract, "cancel/options/")).url == url(contract, "cancel/confirm/")
    skip = re.search(r'href="([^"]+)"\s+data-action="skip"', body(holder.get(url(contract, "cancel/reasons/"))))
    assert skip is not None
    assert skip[1] == url(contract, "cancel/confirm/")


def test_r14_after_a_no_none_again_in_this_visit(holder: Client, contract: Contract) -> None:
    offer()
    say(holder, contract)
    first = holder.get(url(contract, "cancel/options/"))
    assert shown(first) == ["three-months-less"]

    assert holder.post(url(contract, "cancel/options/decline/")).url == url(contract, "cancel/confirm/")

    for _again in range(2):
        assert holder.get(url(contract, "cancel/options/")).url == url(contract, "cancel/confirm/")
    assert say(holder, contract, TOO_DEAR, "cost-extras").url == url(contract, "cancel/options/")
    assert holder.get(url(contract, "cancel/options/")).url == url(contract, "cancel/confirm/")
    assert "data-offer" not in body(holder.get(url(contract, "cancel/confirm/")))
    assert OfferEvent.objects.filter(what=OfferWhat.DECLINED).count() == 1
    # The page that is open without leaving is no repetition: somebody has to go there.
    assert shown(holder.get(url(contract, "options/"))) == ["three-months-less"]
    # Leaving the page, or saying no, is never counted as staying.
    assert Visit.objects.get().outcome == VisitOutcome.OPEN


def test_an_option_that_answers_something_else_is_passed_over(holder: Client, contract: Contract) -> None:
    offer(reasons=["relationship"])
    say(holder, contract)

    assert holder.get(url(contract, "cancel/options/")).url == url(contract, "cancel/confirm/")
    assert OfferDecision.objects.get().not_shown == {"three-months-less": "other_reason"}


def test_cancel_now_on_the_options_step_ends_the_contract_and_keeps_what_was_said(
    holder: Client, contract: Contract
) -> None:
    offer()
    say(holder, contract)
    page = holder.get(url(contract, "cancel/options/"))

    done = holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})

    assert done.url == url(contract, "cancel/done/")
    assert Entry.objects.get(topic="said").payload["said"]["reasons"] == [TOO_DEAR]
    assert holder.get(url(contract, "cancel/options/")).url == url(contract, "cancel/done/")


@pytest.mark.parametrize("broken", ["for_visit", "BESIDE"])
def test_whatever_fails_about_options_the_way_out_stays_open(
    holder: Client, contract: Contract, monkeypatch: Any, broken: str
) -> None:
    offer()

    def fails(*_given: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(offering, broken, fails)
    monkeypatch.setattr(offering, "for_visit", fails)
    monkeypatch.setattr(offering, "for_page", fails)
    say(holder, contract)

    assert holder.get(url(contract, "cancel/options/")).url == url(contract, "cancel/confirm/")
    page = holder.get(url(contract, "options/"))
    assert page.status_code == 200
    assert "We cannot show options at the moment." in body(page)
    assert 'data-action="start"' in body(page)
    overview = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(overview)})
    assert Cancellation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["cancellation_acceptance", "cancellation_offer", "cancellation_offerdecision"])
def test_where_a_table_of_options_does_not_answer_the_way_out_stays_open(
    holder: Client, contract: Contract, table: str
) -> None:
    offer()

    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
    try:
        after_reasons = say(holder, contract).url
        assert holder.get(after_reasons).url == url(contract, "cancel/confirm/")
        assert holder.post(url(contract, "cancel/options/decline/")).url == url(contract, "cancel/confirm/")
        assert holder.post(url(contract, "options/accept/"), {"option": "?"}).status_code == 400
        page = holder.get(url(contract, "options/"))
        assert (page.status_code, 'data-action="start"' in body(page)) == (200, True)
        confirm = holder.get(url(contract, "cancel/confirm/"))
        holder.post(url(contract, "cancel/now/"), {"quote": quote_on(confirm)})
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE away RENAME TO {table}")
    assert Cancellation.objects.count() == 1


def test_the_contract_page_stands_where_the_options_cannot_be_read(
    holder: Client, contract: Contract, monkeypatch: Any
) -> None:
    def fails(*_given: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("cancellation.offer_queries.agreements_of", fails)

    assert 'data-action="start"' in body(holder.get(url(contract)))


def test_the_budgets_hold_with_options(holder: Client, contract: Contract) -> None:
    offer()
    offer("fix-it", "fix")
    holder.get(url(contract, "cancel/reasons/"))
    holder.get(url(contract, "options/"))  # the catalogue is read once a minute and process
    with statements(at_most=3):
        holder.get(url(contract, "cancel/"))
    with statements(at_most=4):
        say(holder, contract)
    with statements(at_most=4):
        assert shown(holder.get(url(contract, "cancel/options/")))
    with statements(at_most=4):
        page = holder.get(url(contract, "cancel/options/"))
        assert shown(page)
    with statements(at_most=8):
        holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})
    assert Cancellation.objects.count() == 1


# ---------------------------------------------------------------- the yes


def test_agreeing_in_the_way_out_keeps_the_contract_by_choice(holder: Client, contract: Contract) -> None:
    offer()
    say(holder, contract)
    page = holder.get(url(contract, "cancel/options/"))

    answer = agree(holder, contract, seals(page)[0])

    one = Acceptance.objects.get()
    assert answer.url == url(contract, f"options/{one.reference}/")
    told = body(holder.get(answer.url)).partition("<footer>")[0]
    for words in (
        "Agreed: The option three-months-less", one.reference, "1 December 2026", "28 February 2027", "€12.00",
        "€6.00", one.afterwards, contract.customer.email,
    ):  # fmt: skip
        assert words in told, words
    assert re.findall(r'data-action="([a-z-]+)"', told) == ["keep", "start", "undo"]
    assert Visit.objects.get().outcome == VisitOutcome.KEPT
    assert not Cancellation.objects.exists()
    mail = Entry.objects.get(topic="letter").payload
    assert mail["kind"] == "option-agreed"


def test_the_visit_is_found_though_its_cookie_is_gone_between_page_and_click(
    holder: Client, contract: Contract
) -> None:
    offer()
    say(holder, contract)
    page = holder.get(url(contract, "cancel/options/"))
    del holder.cookies["fw_visit"]

    agree(holder, contract, seals(page)[0])

    assert Visit.objects.get().outcome == VisitOutcome.KEPT


def test_every_option_of_the_way_out_can_be_agreed_to_without_starting_to_leave(
    holder: Client, contract: Contract
) -> None:
    offer()
    offer("fix-it", "fix")
    say(holder, contract)
    in_flow = shown(holder.get(url(contract, "cancel/options/")))
    Visit.objects.all().delete()
    page = holder.get(url(contract, "options/"))
    assert set(in_flow) <= set(shown(page))

    for seal in seals(page):
        assert agree(holder, contract, seal).status_code == 302

    assert set(Acceptance.objects.values_list("offer__code", flat=True)) == {"three-months-less", "fix-it"}
    assert not Visit.objects.exists()


def test_a_second_click_and_a_second_tab_find_the_first_agreement(holder: Client, contract: Contract) -> None:
    offer()
    say(holder, contract)
    step, page = holder.get(url(contract, "cancel/options/")), holder.get(url(contract, "options/"))
    first = agree(holder, contract, seals(step)[0])

    assert agree(holder, contract, seals(step)[0]).url == first.url
    assert agree(holder, contract, seals(page)[0]).url == first.url
    assert Acceptance.objects.count() == 1
    assert Offer.objects.get().taken == 1


@pytest.mark.parametrize("seal", ["", "tampered", "x" * 9000, "a\x00b"], ids=["none", "tampered", "long", "null"])
def test_a_tampered_option_changes_nothing_and_shows_what_is_open(
    holder: Client, contract: Contract, seal: str
) -> None:
    offer()

    answer = agree(holder, contract, seal)

    assert answer.status_code == 400
    assert "could not be read any more" in body(answer)
    assert shown(answer) == ["three-months-less"]
    assert not Acceptance.objects.exists()


def test_another_contracts_option_is_not_taken(holder: Client, contract: Contract) -> None:
    offer()
    other = make_contract(customer=contract.customer, country="AT")
    seal = seals(holder.get(url(other, "options/")))[0]

    assert agree(holder, contract, seal).status_code == 400
    assert not Acceptance.objects.exists()


def test_an_option_that_closed_between_page_and_click_is_told_kindly(holder: Client, contract: Contract) -> None:
    closing, _other = offer(), offer("fix-it", "fix")
    page = holder.get(url(contract, "options/"))
    seal = seals(page)[shown(page).index(closing.code)]
    Offer.objects.filter(pk=closing.pk).update(valid_until=date(2026, 11, 9))
    offering.forget_offers()

    answer = agree(holder, contract, seal)

    assert answer.status_code == 409
    assert "was open for a time" in body(answer)
    assert "What is open to you now stands below." in body(answer)
    assert shown(answer) == ["fix-it"]
    assert not Acceptance.objects.exists()


def test_a_budget_of_nothing_is_told_kindly_in_the_way_out_too(holder: Client, contract: Contract) -> None:
    offer(budget=1)
    say(holder, contract)
    page = holder.get(url(contract, "cancel/options/"))
    Offer.objects.update(taken=1)

    answer = agree(holder, contract, seals(page)[0])

    assert answer.status_code == 409
    assert "has been taken as often as it can be" in body(answer)
    assert 'data-step="options"' in body(answer)
    assert shown(answer) == []
    main = body(answer).partition("<footer>")[0]
    assert re.findall(r'data-action="([a-z-]+)"', main) == ["cancel-now", "keep", "continue", "later"]
    assert quote_on(answer)


def test_agreeing_while_an_end_is_scheduled_asks_for_the_undo_first(holder: Client, contract: Contract) -> None:
    offer()
    seal = seals(holder.get(url(contract, "options/")))[0]
    overview = holder.get(url(contract, "cancel/"))
    holder.post(url(contract, "cancel/now/"), {"quote": quote_on(overview)})

    answer = agree(holder, contract, seal)

    assert answer.status_code == 409
    assert "ending already" in body(answer)
    assert 'data-action="undo"' in body(answer)
    assert shown(answer) == []
    holder.post(url(contract, "cancel/undo/"))
    assert agree(holder, contract, seal).status_code == 302


def test_cancelling_after_agreeing_works_and_what_was_agreed_stays(holder: Client, contract: Contract) -> None:
    offer(terms={"percent": 100 - 50, "periods": 3})
    agree(holder, contract, seals(holder.get(url(contract, "options/")))[0])
    page = holder.get(url(contract, "cancel/"))
    # December at half the price.
    assert "€6.00" in body(page)

    assert holder.post(url(contract, "cancel/now/"), {"quote": quote_on(page)}).status_code == 302

    agreed = holder.get(url(contract, f"options/{Acceptance.objects.get().reference}/"))
    assert 'data-action="undo"' not in body(agreed)
    assert 'data-action="start"' not in body(agreed).partition("<footer>")[0]


def test_reading_the_accepting_address_accepts_nothing(holder: Client, contract: Contract) -> None:
    offer()

    assert holder.get(url(contract, "options/accept/")).url == url(contract, "options/")
    assert holder.get(url(contract, "cancel/options/decline/")).url == url(contract, "cancel/confirm/")
    assert not Acceptance.objects.exists()


# ---------------------------------------------------------------- what is asked beside a yes


def test_words_for_a_problem_are_optional_and_reach_the_desk(holder: Client, contract: Contract) -> None:
    offer("fix-it", "fix")
    page = holder.get(url(contract, "options/"))
    assert 'name="words"' in body(page)

    agree(holder, contract, seals(page)[0], words="Der Zähler zählt doppelt 😀")

    assert DeskTask.objects.get().words == "Der Zähler zählt doppelt 😀"


def test_a_hand_over_names_what_is_missing_and_keeps_what_was_typed(holder: Client, contract: Contract) -> None:
    offer("to-a-friend", "hand_over")
    seal = seals(holder.get(url(contract, "options/")))[0]

    answer = agree(holder, contract, seal, person_name="Zoë Łęcka", person_email="no address")

    assert answer.status_code == 422
    assert "write it like name@example.org" in body(answer)
    assert 'value="Zoë Łęcka"' in body(answer)
    assert 'value="no address"' in body(answer)
    assert not Acceptance.objects.exists()
    assert agree(holder, contract, seal, person_name="Zoë Łęcka", person_email="zoe@example.org").status_code == 302
    assert DeskTask.objects.get().wishes == {"person_name": "Zoë Łęcka", "person_email": "zoe@example.org"}


def test_what_is_wrong_in_the_way_out_is_said_on_the_step(holder: Client, contract: Contract) -> None:
    offer("to-a-friend", "hand_over")
    say(holder, contract)
    seal = seals(holder.get(url(contract, "cancel/options/")))[0]

    answer = agree(holder, contract, seal, person_name="", person_email="zoe@example.org")

    assert answer.status_code == 422
    assert 'data-step="options"' in body(answer)
    assert "write who is to have the contract" in body(answer)
    assert 'value="zoe@example.org"' in body(answer)
    assert quote_on(answer)


# ---------------------------------------------------------------- the contract page, and taking back


def test_the_contract_page_shows_what_runs_and_the_price_for_a_while(holder: Client, contract: Contract) -> None:
    offer(terms={"percent": 50, "periods": 3})
    before = body(holder.get(url(contract)))
    assert 'data-action="options"' in before
    assert "What you have agreed" not in before
    agree(holder, contract, seals(holder.get(url(contract, "options/")))[0])

    page = body(holder.get(url(contract)))
    assert "The option three-months-less" in page
    assert "1 December 2026 – 28 February 2027" in page
    assert "from 1 December 2026 until 28 February 2027 €6.00, then €12.00 again" in page

    with time_machine.travel(NOON.replace(month=12), tick=False):
        let_in(holder, contract.customer)
        page = body(holder.get(url(contract)))
        assert "€6.00" in page
        assert "until 28 February 2027, then €12.00" in page
    with time_machine.travel(NOON.replace(year=2027, month=3), tick=False):
        let_in(holder, contract.customer)
        page = body(holder.get(url(contract)))
        assert "€6.00" not in page
        assert "What you have agreed" not in page


def test_an_agreement_is_taken_back_until_it_begins(holder: Client, contract: Contract) -> None:
    offer()
    agreed = agree(holder, contract, seals(holder.get(url(contract, "options/")))[0]).url

    for _twice in range(2):
        back = holder.post(f"{agreed}take-back/", follow=True)
        assert back.redirect_chain == [(agreed, 302)]
    assert "Taken back: The option three-months-less" in body(back)
    assert Acceptance.objects.get().state == AcceptanceState.REVERTED
    assert "€6.00" not in body(holder.get(url(contract)))


def test_what_has_begun_cannot_be_taken_back_and_says_so(holder: Client, contract: Contract) -> None:
    offer()
    agreed = agree(holder, contract, seals(holder.get(url(contract, "options/")))[0]).url
    with time_machine.travel(NOON.replace(month=12), tick=False):
        let_in(holder, contract.customer)
        assert 'data-action="undo"' not in body(holder.get(agreed))

        answer = holder.post(f"{agreed}take-back/")

    assert answer.status_code == 409
    assert "It has begun" in body(answer)
    assert Acceptance.objects.get().state == AcceptanceState.ACCEPTED


def test_a_failed_billing_side_is_told_honestly(holder: Client, contract: Contract) -> None:
    offer()
    agreed = agree(holder, contract, seals(holder.get(url(contract, "options/")))[0]).url
    Acceptance.objects.update(state=AcceptanceState.FAILED)

    assert "Our billing could not carry this out yet. What you agreed stands" in body(holder.get(agreed))


def test_without_any_option_the_page_says_so_and_the_contract_page_leads_nowhere(
    holder: Client, contract: Contract
) -> None:
    assert 'data-action="options"' not in body(holder.get(url(contract)))
    page = body(holder.get(url(contract, "options/")))
    assert "Nothing is open for this contract today." in page
    assert 'data-action="start"' in page


def test_the_options_page_of_a_contract_that_ends_or_has_ended_shows_no_option(client: Client) -> None:
    offer()
    over = make_contract(country="AT", terms=terms_dict(initial_term={"months": 12}, renewal="none"))
    let_in(client, over.customer)
    page = client.get(url(over, "options/"))
    assert shown(page) == []
    assert "This contract has ended" in body(page)

    ending = make_contract(customer=over.customer, country="AT")
    overview = client.get(url(ending, "cancel/"))
    client.post(url(ending, "cancel/now/"), {"quote": quote_on(overview)})
    page = client.get(url(ending, "options/"))
    assert shown(page) == []
    assert 'data-action="undo"' in body(page)
    assert 'data-action="options"' not in body(client.get(url(ending)))


@pytest.mark.parametrize(
    "path", ["options/", "options/accept/", "options/A-NOSUCH/", "options/A-NOSUCH/take-back/", "cancel/options/",
             "cancel/options/decline/", "cancel/why/"]
)  # fmt: skip
def test_somebody_elses_options_are_not_there_and_strangers_sign_in(
    client: Client, contract: Contract, path: str
) -> None:
    assert client.get(url(contract, path)).url.startswith("/sign-in/")
    let_in(client, make_customer())

    assert client.get(url(contract, path)).status_code == 404
    assert client.post(url(contract, path)).status_code in (404, 405)


def test_an_agreement_of_another_contract_is_not_there(holder: Client, contract: Contract) -> None:
    offer()
    agreed = agree(holder, contract, seals(holder.get(url(contract, "options/")))[0]).url
    other = make_contract(customer=contract.customer, country="AT")

    assert holder.get(agreed.replace(contract.reference, other.reference)).status_code == 404
    assert holder.get(url(contract, "options/%00/")).status_code == 404


def test_an_options_text_is_shown_as_text(holder: Client, contract: Contract) -> None:
    offer(texts={"en": {"title": "<b>Half</b>", "text": "<script>alert(1)</script>"}})

    page = body(holder.get(url(contract, "options/")))

    assert "&lt;b&gt;Half&lt;/b&gt;" in page
    assert "<script>alert" not in page
