"""What the options step and the options page show, what is logged of it, and what a failure does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from cancellation import actions, offering, queries
from cancellation.models import (
    Acceptance,
    Offer,
    OfferDecision,
    OfferEvent,
    OfferKind,
    Visit,
)
from cancellation.offer_rules import Cause
from cancellation.offering import Shown, unsealed
from cancellation.steps import Walk
from feedback.queries import offered_reasons
from subscriptions.models import Activity, Contract, PlanPrice
from tests.factories import NOON, make_contract, make_customer, make_plan, pay, terms_dict

pytestmark = pytest.mark.django_db

WORDS = {
    "en": {"title": "Half the price", "text": "For a while."},
    "de": {"title": "Halber Preis", "text": "Eine Zeit lang."},
}
COUNTED = ("SELECT", "INSERT", "UPDATE", "DELETE")


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    offering.forget_offers()
    with time_machine.travel(NOON, tick=False):
        yield
    offering.forget_offers()


def make_offer(code: str = "half", **changes: Any) -> Offer:
    plans = changes.pop("plans", ())
    values: dict[str, Any] = {
        "kind": "discount",
        "valid_from": date(2026, 1, 1),
        "texts": WORDS,
        "terms": {"percent": 50, "periods": 3},
        "reasons": ["cost"],
    }
    offer = Offer.objects.create(code=code, **{**values, **changes})
    offer.plans.set(plans)
    offering.forget_offers()
    return offer


@pytest.fixture
def contract() -> Contract:
    contract = make_contract(country="GB")
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    return contract


def walk(contract: Contract, visit: uuid.UUID | None = None, said: dict[str, Any] | None = None) -> Walk:
    """Return the walk of a visit as its request finds it, with what was said."""
    visit = visit or uuid.uuid4()
    if said is not None:
        actions.keep_said(key=visit, contract=contract, step="reasons", said=said, at=NOON)
    found = queries.contract_of(contract.customer_id, contract.reference, visit, offering.BESIDE())
    assert found is not None
    return Walk(found, contract.customer_id, visit)


COST = {"reasons": ["cost-too-high"], "primary": "cost-too-high"}


def codes(shown: Shown) -> list[str]:
    return [option.code for option in shown.options]


def agree(contract: Contract, offer: Offer, **changes: Any) -> Acceptance:
    values: dict[str, Any] = {
        "idempotency_key": uuid.uuid4().hex,
        "offer": offer,
        "version": 1,
        "kind": offer.kind,
        "contract": contract,
        "customer": contract.customer,
        "place": "page",
        "terms": {},
        "title": "T",
        "starts_on": date(2026, 12, 1),
        "until": date(2027, 2, 28),
        "is_passing": True,
        "currency": "EUR",
        "accepted_at": NOON - timedelta(days=400),
    }
    return Acceptance.objects.create(**{**values, **changes})


# ---------------------------------------------------------------- the step


def test_the_step_shows_what_answers_the_reason_with_its_figures(contract: Contract) -> None:
    make_offer()
    make_offer("help", kind="help_session", terms={}, reasons=["outcome"])

    shown = offering.for_visit(walk(contract, said=COST), NOON)

    [option] = shown.options
    assert (option.code, option.version, option.kind, option.title, option.text, option.asks) == (
        "half", 1, "discount", "Half the price", "For a while.", "",
    )  # fmt: skip
    assert option.lines == [
        "From 1 December 2026 to 28 February 2027.",
        "50% less.",
        "In that time you pay €6.00 for 1 month.",
        "It applies to 3 payments.",
    ]
    assert option.afterwards == "After 3 months, the price is €12.00 for 1 month again."
    assert (shown.declined, shown.fault) == (False, False)


def test_a_decision_says_what_was_shown_and_why_the_rest_was_not(contract: Contract) -> None:
    half = make_offer()
    make_offer("help", kind="help_session", terms={}, reasons=["outcome"])
    make_offer("closed", active=False)
    at = walk(contract, said=COST)

    offering.for_visit(at, NOON)

    [decision] = OfferDecision.objects.all()
    assert (decision.key, decision.visit, decision.place, decision.pack, decision.locale) == (
        f"visit:{at.visit}", at.visit, "flow", "default", "en",
    )  # fmt: skip
    assert (decision.reasons, decision.held_out, decision.fault, decision.at) == (["cost-too-high"], False, "", NOON)
    assert decision.not_shown == {"help": "other_reason", "closed": "not_open"}
    [entry] = decision.shown
    assert {name: entry[name] for name in ("code", "version", "kind", "title")} == {
        "code": "half", "version": 1, "kind": "discount", "title": "Half the price",
    }  # fmt: skip
    assert entry["terms"]["price_minor"] == 600
    [event] = OfferEvent.objects.all()
    assert (event.offer, event.what, event.place, event.visit, event.contract_id, event.actor) == (
        half, "shown", "flow", at.visit, contract.pk, f"customer:{contract.customer_id}",
    )  # fmt: skip


def test_the_step_shows_the_same_again_and_logs_it_once(contract: Contract) -> None:
    make_offer()
    visit = walk(contract, said=COST).visit
    first = offering.for_visit(walk(contract, visit), NOON)
    make_offer("second")
    Offer.objects.filter(code="half").update(terms={"percent": 10, "periods": 1}, version=2)
    offering.forget_offers()

    again = offering.for_visit(walk(contract, visit), NOON + timedelta(minutes=5))

    assert again.options == first.options
    assert OfferDecision.objects.count() == OfferEvent.objects.count() == 1


def test_two_requests_at_once_store_one_decision(contract: Contract) -> None:
    make_offer()
    visit = walk(contract, said=COST).visit
    one, other = walk(contract, visit), walk(contract, visit)

    first, second = offering.for_visit(one, NOON), offering.for_visit(other, NOON)

    assert first.options == second.options
    assert not second.fault
    assert OfferDecision.objects.count() == OfferEvent.objects.count() == 1


def test_after_a_no_nothing_is_shown_in_this_visit_but_in_another_one(contract: Contract) -> None:
    make_offer()
    visit = walk(contract, said=COST).visit
    offering.for_visit(walk(contract, visit), NOON)
    OfferDecision.objects.update(declined_at=NOON)

    again = offering.for_visit(walk(contract, visit, said={"reasons": ["outcome-results"]}), NOON)

    assert (again.options, again.declined, again.fault) == ((), True, False)
    assert codes(offering.for_visit(walk(contract, said=COST), NOON)) == ["half"]


def test_after_a_yes_nothing_more_is_shown_in_this_visit(contract: Contract) -> None:
    half = make_offer()
    make_offer("fix", kind="fix", terms={})
    visit = walk(contract, said=COST).visit
    offering.for_visit(walk(contract, visit), NOON)
    agree(contract, half, visit=visit, place="flow", accepted_at=NOON)

    assert codes(offering.for_visit(walk(contract, visit), NOON)) == []


def test_whoever_says_a_reason_later_is_answered_later(contract: Contract) -> None:
    make_offer()
    visit = walk(contract, said={}).visit
    assert codes(offering.for_visit(walk(contract, visit), NOON)) == []
    assert OfferDecision.objects.get().not_shown == {"half": "nothing_said"}

    shown = offering.for_visit(walk(contract, visit, said=COST), NOON)

    assert codes(shown) == ["half"]
    [decision] = OfferDecision.objects.all()
    assert (decision.reasons, decision.not_shown) == (["cost-too-high"], {})


def test_a_visit_that_changes_its_language_reads_the_same_options_in_it(contract: Contract) -> None:
    make_offer()
    visit = walk(contract, said=COST).visit
    offering.for_visit(walk(contract, visit), NOON)

    with translation.override("de"):
        [option] = offering.for_visit(walk(contract, visit), NOON).options

    assert (option.title, option.text) == ("Halber Preis", "Eine Zeit lang.")
    assert option.terms["price_minor"] == 600


def test_the_step_asks_for_no_more_than_it_stores(contract: Contract) -> None:
    for n in range(5):
        make_offer(f"n{n}")
    PlanPrice.objects.create(plan=contract.plan, valid_from="2026-01-01", price_minor=900, currency="EUR")
    agree(contract, Offer.objects.get(code="n4"), until=date(2026, 1, 31), state="over")
    Activity.objects.create(contract=contract, day=date(2026, 11, 1), what="sign-in")
    offering.for_page(make_contract(country="GB"), NOON, "en")
    offered_reasons()
    visit = walk(contract, said=COST).visit

    with CaptureQueriesContext(connection) as first:
        at = walk(contract, visit)
        shown = offering.for_visit(at, NOON)
    with CaptureQueriesContext(connection) as later:
        offering.for_visit(walk(contract, visit), NOON)

    def sent(captured: Any) -> list[str]:
        return [query["sql"].split()[0] for query in captured if query["sql"].lstrip("( ").startswith(COUNTED)]

    assert len(shown.options) == 3
    assert queries.payments_of(at.contract)[0].paid_to == date(2026, 11, 30)
    # The walk with everything beside it, the decision, its entries; the step's own note of the visit is the fourth.
    assert sent(first) == ["SELECT", "INSERT", "INSERT"]
    assert sent(later) == ["SELECT", "SELECT"]


def test_a_walk_that_brings_nothing_beside_it_is_answered_as_well(contract: Contract) -> None:
    make_offer()
    at = walk(contract, said=COST)
    found = queries.contract_of(contract.customer_id, contract.reference, at.visit)
    assert found is not None

    assert codes(offering.for_visit(Walk(found, contract.customer_id, at.visit), NOON)) == ["half"]


# ---------------------------------------------------------------- what is known


def test_todays_price_is_the_newest_that_has_begun_in_the_contracts_currency(contract: Contract) -> None:
    make_offer("today", kind="todays_price", terms={}, reasons=[])
    for day, minor, currency in [
        ("2025-01-01", 1100, "EUR"),
        ("2026-06-01", 950, "EUR"),
        ("2026-11-10", 800, "PLN"),
        ("2026-11-11", 100, "EUR"),
    ]:
        PlanPrice.objects.create(plan=contract.plan, valid_from=day, price_minor=minor, currency=currency)

    [option] = offering.for_visit(walk(contract, said=COST), NOON).options

    assert option.terms["price_minor"] == 950
    assert option.lines == [
        "From 1 December 2026 on, the day of your next payment.",
        "You pay €9.50 for 1 month.",
        "Until now: €12.00 for 1 month.",
    ]


def test_a_smaller_plan_is_named_with_its_price(contract: Contract) -> None:
    small = make_plan(code="small", name="Server XS")
    PlanPrice.objects.create(plan=small, valid_from="2026-01-01", price_minor=500, currency="EUR")
    make_offer("small", kind="smaller_plan", terms={"to_plan": "small"})

    [option] = offering.for_page(contract, NOON, "en").options

    assert option.lines[0] == "Your plan becomes Server XS."
    assert (option.terms["to_plan"], option.terms["price_minor"]) == ("small", 500)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"budget": 1, "taken": 1}, "budget"),
        ({"budget": 0}, "budget"),
        ({"countries": ["PL"]}, "other_country"),
        ({"countries": "GB"}, None),
        ({"languages": ["PL"]}, "other_language"),
        ({"eligibility": {"used_within_days": 3}}, "usage"),
        ({"eligibility": {"used_within_days": 30}}, None),
        ({"eligibility": ["everybody"]}, "unreadable"),
        ({"terms": {"percent": "50", "periods": 3}}, "unreadable"),
        ({"texts": {"pl": {"title": "Pół", "text": "Ceny"}}}, "no_text"),
        ({"texts": None}, "no_text"),
    ],
)
def test_facts_of_rows_reach_the_rules(contract: Contract, changes: dict[str, Any], cause: str | None) -> None:
    Activity.objects.create(contract=contract, day=date(2026, 10, 30), what="sign-in")
    if "texts" in changes and changes["texts"] is None:
        changes = {"texts": []}
    make_offer(**changes)

    shown = offering.for_page(contract, NOON, "en")

    assert shown.decision is not None
    assert (codes(shown), shown.decision.not_shown) == ((["half"], {}) if cause is None else ([], {"half": cause}))


def test_an_option_is_for_its_plans(contract: Contract) -> None:
    make_offer("ours", plans=[contract.plan])
    make_offer("theirs", plans=[make_plan()])

    assert codes(offering.for_page(contract, NOON, "en")) == ["ours"]


def test_a_budget_that_is_used_up_counts_at_once(contract: Contract) -> None:
    make_offer(budget=5)
    assert codes(offering.for_page(contract, NOON, "en")) == ["half"]

    Offer.objects.update(taken=5)  # options stay kept for a minute; the budget does not

    assert codes(offering.for_page(contract, NOON, "en")) == []


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        pytest.param({"accepted_at": NOON - timedelta(days=30)}, "cap", id="within-the-year"),
        pytest.param({"state": "over"}, None, id="over"),
        pytest.param({}, "already_running", id="its-price-still-runs"),
        pytest.param({"until": date(2026, 11, 9)}, None, id="its-last-day-has-passed"),
        pytest.param({"state": "reverted", "accepted_at": NOON}, None, id="taken-back"),
    ],
)
def test_what_was_agreed_before_counts(contract: Contract, changes: dict[str, Any], cause: str | None) -> None:
    agree(contract, make_offer(), **changes)

    shown = offering.for_page(contract, NOON, "en")

    assert shown.decision is not None
    assert shown.decision.not_shown == ({"half": cause} if cause else {})


# ---------------------------------------------------------------- the page


def test_the_page_shows_whatever_is_open_without_a_reason_and_without_a_limit(contract: Contract) -> None:
    for n in range(5):
        make_offer(f"n{n}", reasons=[], position=5 - n)

    assert codes(offering.for_page(contract, NOON, "en")) == ["n4", "n3", "n2", "n1", "n0"]


def test_the_page_is_logged_once_a_day_and_again_the_next(contract: Contract) -> None:
    make_offer()

    for hours in (0, 1, 2, 24):
        assert codes(offering.for_page(contract, NOON + timedelta(hours=hours), "en")) == ["half"]

    assert list(OfferDecision.objects.order_by("at").values_list("key", "place", "visit")) == [
        (f"page:{contract.pk}:2026-11-10", "page", None),
        (f"page:{contract.pk}:2026-11-11", "page", None),
    ]
    assert OfferEvent.objects.filter(what="shown", place="page").count() == 2


def test_what_opens_later_in_the_day_is_added_to_its_log(contract: Contract) -> None:
    make_offer()
    make_offer("second", active=False)
    offering.for_page(contract, NOON, "en")
    Offer.objects.update(active=True)
    offering.forget_offers()

    for _time in range(2):
        assert codes(offering.for_page(contract, NOON + timedelta(hours=1), "en")) == ["half", "second"]

    [decision] = OfferDecision.objects.all()
    assert ([entry["code"] for entry in decision.shown], decision.not_shown) == (["half", "second"], {})
    assert sorted(OfferEvent.objects.values_list("offer__code", flat=True)) == ["half", "second"]


def test_the_page_speaks_the_language_that_is_asked_for(contract: Contract) -> None:
    make_offer()

    [option] = offering.for_page(contract, NOON, "de").options

    assert option.title == "Halber Preis"
    assert OfferDecision.objects.get().locale == "de"


def test_a_contract_that_is_ending_has_no_options(contract: Contract) -> None:
    make_offer()
    contract.cancellations.create(received_on=date(2026, 11, 10), last_day=date(2026, 12, 31), currency="EUR")

    shown = offering.for_page(contract, NOON, "en")

    assert (codes(shown), OfferDecision.objects.get().not_shown) == ([], {"half": "ending"})


def test_an_option_without_a_name_is_called_by_what_it_does(contract: Contract) -> None:
    make_offer("help", kind="help_session", terms={"minutes": 30}, texts={"en": {"text": "We look at it with you."}})

    [option] = offering.for_page(contract, NOON, "en").options

    assert (option.title, option.asks) == ("Get help in person", "when")
    assert option.lines == ["It takes about 30 minutes.", "It costs nothing."]


def test_staff_are_told_what_would_be_without_a_trace(contract: Contract) -> None:
    make_offer()
    make_offer("closed", active=False)

    found = offering.would_be(contract, NOON)

    assert [proposal.code for proposal in found.shown] == ["half"]
    assert found.not_shown == {"closed": Cause.NOT_OPEN}
    assert not OfferDecision.objects.exists()
    assert not OfferEvent.objects.exists()


def test_whoever_accepts_reads_the_option_anew(contract: Contract) -> None:
    half = make_offer()
    offering.for_page(contract, NOON, "en")
    Offer.objects.update(active=False)
    half.refresh_from_db()

    assert offering.proposed_now(contract.pk, half, NOON, "en") is Cause.NOT_OPEN


# ---------------------------------------------------------------- what a click carries


def test_what_was_shown_comes_back_exactly(contract: Contract) -> None:
    make_offer()
    [option] = offering.for_page(contract, NOON, "en").options

    found = unsealed(option.sealed, contract)

    assert found is not None
    assert (found.code, found.version, found.terms, found.title, found.text, found.afterwards) == (
        option.code, option.version, option.terms, option.title, option.text, option.afterwards,
    )  # fmt: skip
    assert (found.place, found.decision_key) == ("page", f"page:{contract.pk}:2026-11-10")


def test_two_tabs_carry_the_same_and_another_yes_carries_another(contract: Contract) -> None:
    half = make_offer(cap_per_year=9)

    def nonce() -> str:
        [option] = offering.for_page(contract, NOON, "en").options
        found = unsealed(option.sealed, contract)
        assert found is not None
        return found.nonce

    first, second = nonce(), nonce()
    agree(contract, half, state="reverted", accepted_at=NOON)

    assert first == second
    assert nonce() != first


@pytest.mark.parametrize("spoil", ["cut", "changed", "empty", "another-salt", "not-a-list", "too-short"])
def test_what_cannot_be_read_is_nothing(contract: Contract, spoil: str) -> None:
    make_offer()
    [option] = offering.for_page(contract, NOON, "en").options
    text = {
        "cut": option.sealed[:-1],
        "changed": ("B" if option.sealed[0] == "A" else "A") + option.sealed[1:],
        "empty": "",
        "another-salt": signing.dumps([contract.pk, *range(9)], salt="fairwell.quote"),
        "not-a-list": signing.dumps(7, salt="fairwell.option"),
        "too-short": signing.dumps([contract.pk, "half"], salt="fairwell.option"),
    }[spoil]

    assert unsealed(text, contract) is None


def test_another_contracts_option_is_nothing_and_so_is_yesterdays(contract: Contract) -> None:
    make_offer()
    [option] = offering.for_page(contract, NOON, "en").options

    assert unsealed(option.sealed, make_contract()) is None
    with time_machine.travel(NOON + timedelta(hours=23), tick=False):
        assert unsealed(option.sealed, contract) is not None
    with time_machine.travel(NOON + timedelta(hours=24, seconds=1), tick=False):
        assert unsealed(option.sealed, contract) is None


# ---------------------------------------------------------------- the share that is shown none


def test_the_share_is_always_the_same_customers_and_a_larger_one_holds_them_too(settings: Any) -> None:
    held = {}
    for share in (0, 10, 50):
        settings.OFFER_HOLDOUT_PERCENT = share
        held[share] = {number for number in range(4000) if offering.is_held_out(number)}

    assert held[0] == set()
    assert held[10] < held[50]
    assert 300 < len(held[10]) < 500
    assert 1850 < len(held[50]) < 2150


def test_whoever_is_held_out_sees_all_options_on_their_page_and_todays_price_everywhere(
    settings: Any, contract: Contract
) -> None:
    settings.OFFER_HOLDOUT_PERCENT = 50
    customer = next(customer for customer in iter(make_customer, None) if offering.is_held_out(customer.pk))
    Contract.objects.filter(pk=contract.pk).update(customer=customer)
    contract.refresh_from_db()
    PlanPrice.objects.create(plan=contract.plan, valid_from="2026-01-01", price_minor=900, currency="EUR")
    make_offer()
    make_offer("today", kind="todays_price", terms={})

    flow = offering.for_visit(walk(contract, said=COST), NOON)

    assert codes(flow) == ["today"]
    assert flow.decision is not None
    assert (flow.decision.held_out, flow.decision.not_shown) == (True, {"half": "held_out"})
    assert codes(offering.for_page(contract, NOON, "en")) == ["half", "today"]
    assert OfferDecision.objects.get(place="page").held_out is False


# ---------------------------------------------------------------- failures


def test_a_failure_shows_nothing_is_logged_and_noted(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_offer()
    at = walk(contract, said=COST)

    def broken(*_given: Any) -> bool:
        raise RuntimeError("no such share")

    with monkeypatch.context() as patched:
        patched.setattr(offering, "is_held_out", broken)
        shown = offering.for_visit(at, NOON)

    assert (shown.options, shown.decision, shown.declined, shown.fault) == ((), None, False, True)
    assert OfferDecision.objects.get().fault == "RuntimeError: no such share"
    assert "could not be worked out" in caplog.text
    # Once it is mended, the same visit is answered.
    assert codes(offering.for_visit(walk(contract, at.visit), NOON)) == ["half"]
    assert OfferDecision.objects.get().fault == ""


def test_terms_that_cannot_be_read_show_no_options(contract: Contract) -> None:
    make_offer()
    Contract.objects.update(terms={"starts_on": "never"})
    contract = Contract.objects.get()

    shown = offering.for_page(contract, NOON, "en")

    assert (shown.options, shown.fault) == ((), True)
    [decision] = OfferDecision.objects.all()
    assert decision.key == f"page:{contract.pk}:2026-11-10"
    assert decision.fault.startswith("TermsError")
    assert offering.for_page(contract, NOON, "en").fault


def test_a_page_that_failed_is_mended_on_the_same_day(contract: Contract) -> None:
    make_offer()
    Contract.objects.update(terms={"starts_on": "never"})
    offering.for_page(Contract.objects.get(), NOON, "en")
    Contract.objects.update(terms=terms_dict())

    assert codes(offering.for_page(Contract.objects.get(), NOON, "en")) == ["half"]
    [decision] = OfferDecision.objects.all()
    assert (decision.fault, len(decision.shown)) == ("", 1)


def test_a_cache_that_does_not_answer_costs_statements_and_nothing_else(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_offer()

    def away(*_given: Any, **_more: Any) -> Any:
        raise ConnectionError("no cache")

    for name in ("get", "set", "delete"):
        monkeypatch.setattr(cache, name, away)

    assert codes(offering.for_page(contract, NOON, "en")) == ["half"]


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_gone_shows_no_options_and_keeps_the_notice_open(contract: Contract) -> None:
    make_offer()
    at = walk(contract, said=COST)

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "cancellation_offer" in sql:
            raise DatabaseError("no such table")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        shown = offering.for_visit(at, NOON)

    assert (shown.options, shown.fault) == ((), True)
    assert not OfferDecision.objects.exists()
    assert Visit.objects.get().said == COST


def test_every_kind_has_words(contract: Contract) -> None:
    small = make_plan(code="small")
    PlanPrice.objects.create(plan=small, valid_from="2026-01-01", price_minor=500, currency="EUR")
    PlanPrice.objects.create(plan=contract.plan, valid_from="2026-01-01", price_minor=900, currency="EUR")
    terms = {
        "pause": {"months": 2},
        "smaller_plan": {"to_plan": "small"},
        "discount": {"percent": 5, "periods": 1},
        "free_period": {"periods": 2},
        "interval": {"months": 12, "prices": {"EUR": 12000}},
    }
    for kind in OfferKind.values:
        make_offer(kind.replace("_", "-"), kind=kind, terms=terms.get(kind, {}), texts={"en": {"text": "Words."}})

    told = {option.kind: option.afterwards for option in offering.for_page(contract, NOON, "en").options}

    stays = "This price stays as long as your contract goes on unchanged."
    assert told == {
        "pause": "After 2 months, the service goes on as before and costs €12.00 for 1 month again.",
        "smaller_plan": stays,
        "todays_price": stays,
        "discount": "After 1 month, the price is €12.00 for 1 month again.",
        "free_period": "After 2 months, the price is €12.00 for 1 month again.",
        "interval": stays,
        "help_session": "We write to you to agree on a time; your contract stays as it is.",
        "fix": "A person looks into it and writes to you; your contract stays as it is.",
        "skip": "After 1 month, the service goes on as before and costs €12.00 for 1 month again.",
        "hand_over": "We write to both of you; until you have agreed on the hand-over, your contract stays as it is.",
    }


def test_a_contract_that_is_billed_by_the_week_is_told_days(contract: Contract) -> None:
    Contract.objects.update(terms=terms_dict(billing={"weeks": 1}, billing_anchor="2025-01-06"))
    make_offer("pause", kind="pause", terms={"months": 1})
    make_offer()

    told = {option.kind: option.afterwards for option in offering.for_page(Contract.objects.get(), NOON, "en").options}

    assert told == {
        "pause": "After 28 days, the service goes on as before and costs €12.00 for 1 week again.",
        "discount": "After 21 days, the price is €12.00 for 1 week again.",
    }
