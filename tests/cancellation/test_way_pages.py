"""The ways out on the overview, by client: what is shown, what is chosen, what is wrong about a choice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client

from cancellation.models import Cancellation, Event, Judgement, Notice, Visit, Way
from subscriptions.models import Contract
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.factories import NOON, make_contract, pay, terms_dict

# Half past midnight in Berlin, while the sign-in still holds.
AFTER_MIDNIGHT = NOON + timedelta(hours=11, minutes=30)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def contract() -> Contract:
    terms = terms_dict(
        starts_on="2026-05-01", billing_anchor="2026-05-01", initial_term={"months": 24}, notice_to="any_day"
    )
    contract = make_contract(
        terms=terms, price_minor=4000, monthly_charge_minor=4000, upfront_cost_minor=12_000, refund_policy="daily"
    )
    pay(contract, "2026-11-01", "2026-11-30", 4000)
    return contract


@pytest.fixture
def holder(client: Client, contract: Contract) -> Client:
    customer = contract.customer
    client.cookies[COOKIE] = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    return client


def overview(contract: Contract, query: str = "") -> str:
    return f"/contracts/{contract.reference}/cancel/{query}"


def form_of(page: Any) -> dict[str, str]:
    """Return the hidden fields of the committing form."""
    form = page.content.decode().split("<form", 2)[2].split("</form>")[0]
    return dict(re.findall(r'type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', form))


def act_of(page: Any) -> str:
    """Return the words beside the committing button."""
    act = re.search(r'<form class="act".*?</form>', page.content.decode(), re.DOTALL)
    assert act, "the page has no act"
    return " ".join(re.sub(r"<[^>]+>", " ", act[0]).split())


def test_every_way_that_is_open_is_listed_and_none_is_chosen(holder: Client, contract: Contract) -> None:
    page = holder.get(overview(contract)).content.decode()

    assert re.findall(r'id="way-([a-z_]+)"', page) == ["ordinary", "later", "early_release", "hardship", "for_cause"]
    assert "checked" not in page
    assert page.count("costs least") == 1


def test_a_contract_without_a_running_term_lists_no_early_release(client: Client) -> None:
    contract = make_contract()
    client.cookies[COOKIE] = signing.dumps([contract.customer.pk, 0], salt=COOKIE_SALT)

    page = client.get(overview(contract)).content.decode()

    assert "way-early_release" not in page
    assert "way-later" in page


def test_a_way_that_was_chosen_stays_chosen_through_the_steps(holder: Client, contract: Contract) -> None:
    first = holder.get(overview(contract, "?way=early_release&day=2026-11-30"))
    assert "30 November 2026" in act_of(first)
    assert "€84.87" in act_of(first)
    assert Visit.objects.get().chosen == {"way": "early_release", "day": "2026-11-30"}

    confirm = holder.get(overview(contract, "confirm/"))
    assert "30 November 2026" in act_of(confirm)
    answer = holder.post(overview(contract, "now/"), form_of(confirm))

    assert answer.status_code == 302
    cancellation = Cancellation.objects.get()
    assert (cancellation.way, cancellation.last_day, cancellation.fee_minor) == (
        Way.EARLY_RELEASE,
        date(2026, 11, 30),
        8487,
    )
    assert cancellation.notice is not None
    assert "early, on 30 November 2026" in cancellation.notice.declaration


def test_the_ordinary_way_can_be_chosen_again(holder: Client, contract: Contract) -> None:
    holder.get(overview(contract, "?way=early_release&day=2026-11-30"))

    page = holder.get(overview(contract, "?way=ordinary"))

    assert "30 April 2028" in act_of(page)
    assert "way" not in form_of(page)


def test_cancel_now_on_the_overview_commits_the_ordinary_way(holder: Client, contract: Contract) -> None:
    page = holder.get(overview(contract))

    holder.post(overview(contract, "now/"), form_of(page))

    assert Cancellation.objects.get().way == Way.ORDINARY


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?way=later&day=tomorrow", "Day: give a day like 2027-01-31."),
        ("?way=later", "Day: give the day on which the contract is to end"),
        ("?way=teleport", "Choose a way out."),
        ("?way=early_release&day=2026-02-30", "Day: give a day like 2027-01-31."),
    ],
)
def test_a_choice_that_cannot_be_read_is_named_and_the_way_out_stays_open(
    holder: Client, contract: Contract, query: str, said: str
) -> None:
    page = holder.get(overview(contract, query))

    assert page.status_code == 422
    assert said in act_of(page)
    assert "30 April 2028" in act_of(page)
    assert holder.post(overview(contract, "now/"), form_of(page)).status_code == 302
    assert Cancellation.objects.get().way == Way.ORDINARY


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?way=later&day=2027-01-01", "cannot end on 1 January 2027 by ordinary notice"),
        ("?way=later&day=3000-01-01", "1 January 3000 lies too far ahead"),
        ("?way=early_release&day=2029-01-01", "By ordinary notice the contract ends on 30 April 2028 already"),
    ],
)
def test_a_day_that_is_not_to_be_had_is_told_with_the_one_that_is(
    holder: Client, contract: Contract, query: str, said: str
) -> None:
    page = holder.get(overview(contract, query))

    assert page.status_code == 200
    assert said in act_of(page)


def test_an_early_release_from_before_midnight_is_asked_again_with_the_click_recorded(
    holder: Client, contract: Contract
) -> None:
    page = holder.get(overview(contract, "?way=early_release"))
    with time_machine.travel(AFTER_MIDNIGHT, tick=False):
        answer = holder.post(overview(contract, "now/"), form_of(page))

    assert answer.status_code == 409
    assert "11 November 2026" in act_of(answer)
    assert not Cancellation.objects.exists()
    notice = Notice.objects.get()
    assert notice.asks == {"way": "early_release"}
    with time_machine.travel(AFTER_MIDNIGHT, tick=False):
        assert holder.post(overview(contract, "now/"), form_of(answer)).status_code == 302
    assert Cancellation.objects.get().notice_id == notice.pk


def test_hardship_takes_an_optional_ground_and_drops_one_that_nobody_knows(holder: Client, contract: Contract) -> None:
    page = holder.get(overview(contract, "?way=hardship"))

    holder.post(overview(contract, "now/"), form_of(page) | {"ground": "bored"})

    cancellation = Cancellation.objects.get()
    assert (cancellation.judgement, cancellation.last_day) == (Judgement.OPEN, date(2028, 4, 30))
    assert cancellation.notice is not None
    assert cancellation.notice.asks == {"way": "hardship"}
    done = holder.get(overview(contract, "done/")).content.decode()
    assert "A person looks at it and writes to you" in done


def test_a_withdrawal_is_offered_beside_but_never_committed_here(client: Client) -> None:
    contract = make_contract(
        terms=terms_dict(starts_on="2026-11-01", billing_anchor="2026-11-01"),
        concluded_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
    )
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    client.cookies[COOKIE] = signing.dumps([contract.customer.pk, 0], salt=COOKIE_SALT)

    page = client.get(overview(contract))
    act = act_of(page)

    assert "You may still withdraw from the contract instead." in act
    assert "Vertrag widerrufen" in act
    assert f"/withdraw/de/?contract={contract.reference}" in page.content.decode()
    client.post(overview(contract, "now/"), form_of(page) | {"way": "withdrawal"})
    assert Cancellation.objects.get().way == Way.ORDINARY


def test_ways_that_cannot_be_listed_leave_the_one_on_the_page(
    holder: Client, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no way can be listed")

    monkeypatch.setattr("cancellation.way_cards.cards", broken)

    page = holder.get(overview(contract))

    assert page.status_code == 200
    assert holder.post(overview(contract, "now/"), form_of(page)).status_code == 302


def test_what_the_law_makes_better_is_said_with_what_was_agreed(client: Client) -> None:
    contract = make_contract(
        terms=terms_dict(
            starts_on="2024-01-01", billing_anchor="2024-01-01", initial_term={"months": 12}, renewal={"months": 12},
            notice={"months": 3},
        )
    )  # fmt: skip
    client.cookies[COOKIE] = signing.dumps([contract.customer.pk, 0], salt=COOKIE_SALT)

    page = client.get(overview(contract)).content.decode()

    assert "your contract says 3 months; the law says 1 month." in page
    assert "10 December 2026" in page


def test_a_place_without_rules_is_told_to_the_desk_once_an_end_is_set(client: Client) -> None:
    contract = make_contract(country="BR")
    client.cookies[COOKIE] = signing.dumps([contract.customer.pk, 0], salt=COOKIE_SALT)

    client.post(overview(contract, "now/"), form_of(client.get(overview(contract))))

    assert Event.objects.get(what="rules: default").why == "no rules of its own for BR"
