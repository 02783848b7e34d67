"""Options at the desk: made box by box, kept in every version, refused with a reason, and never acted on by lookers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cancellation import desk, desk_offers, offer_advice, offer_words, offering, task_actions
from cancellation.actions import Actor
from cancellation.models import (
    Acceptance,
    DeskTask,
    Event,
    Offer,
    OfferDecision,
    OfferEvent,
    OfferKind,
    OfferVersion,
    TaskKind,
)
from cancellation.offer_rules import Cause
from cancellation.offer_versions import ChangedMeanwhile, save_offer
from feedback.models import Reason
from subscriptions.models import Contract, Plan, PlanPrice
from tests import desk_rows as rows
from tests.admin.conftest import clerk
from tests.admin.test_desk import kept_in, list_of, page_of, text_of

pytestmark = pytest.mark.django_db
ADD = "/admin/cancellation/offer/add/"
CARL = Actor.staff("carl")
AT = datetime(2026, 5, 10, 12, tzinfo=UTC)
TERMS: dict[str, dict[str, Any]] = {
    "pause": {"term_months": 2},
    "smaller_plan": {"term_to_plan": "small"},
    "todays_price": {},
    "discount": {"term_percent": 30, "term_periods": 3},
    "free_period": {"term_periods": 1},
    "interval": {"term_months": 3, "term_prices": "EUR 30.00"},
    "help_session": {"term_minutes": 30},
    "fix": {},
    "skip": {},
    "hand_over": {},
}


@pytest.fixture(autouse=True)
def _fresh():
    """Options are read once a minute; each test begins without what another one read."""
    cache.clear()


@pytest.fixture
def small() -> Plan:
    """Return a plan that costs half of what contracts in these tests pay."""
    plan = rows.plan("small", "Hosting XS")
    PlanPrice.objects.create(plan=plan, valid_from=date(2026, 1, 1), price_minor=600, currency="EUR")
    return plan


def boxes(kind: str = "discount", **changes: Any) -> dict[str, Any]:
    """Return what a clerk types for an option of a kind, with changes; None leaves a box out."""
    typed = {
        "code": f"my-{kind.replace('_', '-')}", "active": "on", "valid_from": "2026-01-01", "valid_until": "",
        "title_en": "A calm title", "text_en": "A calm text.", "budget": "", "cap_per_year": "1", "position": "10",
        "countries": "",
    }  # fmt: skip
    typed |= TERMS[kind] | changes
    return {name: value for name, value in typed.items() if value is not None}


def made(kind: str = "discount", **given: Any) -> Offer:
    """Return an option that was saved with its first version."""
    values: dict[str, Any] = {
        "code": f"my-{kind.replace('_', '-')}", "kind": kind, "valid_from": date(2026, 1, 1), "position": 10,
        "texts": {"en": {"title": "A calm title", "text": "A calm text."}},
        "terms": {"discount": {"percent": 30, "periods": 3}, "pause": {"months": 2}}.get(kind, {}),
    }  # fmt: skip
    offer = Offer(**values | given)
    save_offer(offer=offer, plans=[], actor=CARL, at=AT)
    return offer


def boxes_of(offer: Offer, **changes: Any) -> dict[str, Any]:
    """Return what stands in the form of an option, with changes."""
    typed = boxes(offer.kind, read=offer.version, **changes)
    return {name: value for name, value in typed.items() if name != "code"}


def agreed(offer: Offer, contract: Contract, **given: Any) -> Acceptance:
    """Return an agreement as the ledger has it."""
    values: dict[str, Any] = {
        "idempotency_key": f"k-{Acceptance.objects.count()}", "offer": offer, "version": offer.version,
        "kind": offer.kind, "contract": contract, "customer": contract.customer, "place": "page",
        "terms": {"starts_on": "2026-06-01", "until": None}, "title": "A calm title", "starts_on": date(2026, 6, 1),
        "currency": "EUR", "accepted_at": AT,
    }  # fmt: skip
    acceptance = Acceptance.objects.create(**values | given)
    happened(offer, contract, "accepted", acceptance=acceptance)
    return acceptance


def happened(offer: Offer, contract: Contract, what: str, **given: Any) -> OfferEvent:
    """Return an entry of the ledger."""
    values = {"actor": f"customer:{contract.customer_id}", "at": AT, "place": "flow", "version": offer.version}
    return OfferEvent.objects.create(offer=offer, contract=contract, what=what, **values | given)


# ---------------------------------------------------------------- making


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("pause", {"months": 2, "price_minor": 0}),
        ("smaller_plan", {"to_plan": "small"}),
        ("todays_price", {}),
        ("discount", {"percent": 30, "periods": 3}),
        ("free_period", {"periods": 1}),
        ("interval", {"months": 3, "prices": {"EUR": 3000}}),
        ("help_session", {"minutes": 30}),
        ("fix", {}),
        ("skip", {}),
        ("hand_over", {}),
    ],
)
def test_an_option_of_each_kind_is_made_from_its_boxes_and_opens_again_as_it_was_typed(
    admin_client, small, kind, terms
):
    response = admin_client.post(f"{ADD}?kind={kind}", boxes(kind))

    assert response.status_code == 302, text_of(response.text)
    offer = Offer.objects.get()
    assert (offer.kind, offer.terms, offer.eligibility, offer.version) == (kind, terms, {}, 1)
    assert offer.texts == {"en": {"title": "A calm title", "text": "A calm text."}}
    version = OfferVersion.objects.get()
    assert (version.version, version.definition["terms"], version.definition["plans"]) == (1, terms, [])
    page = admin_client.get(page_of(offer))
    assert page.status_code == 200
    for name, typed in TERMS[kind].items():
        if name != "term_to_plan":
            assert kept_in(page.text, name) == str(typed)


def test_all_that_an_option_can_say_is_kept(admin_client, small):
    Reason.objects.all().delete()
    Reason.objects.create(code="dear", root="cost", labels={"en": "Too dear"})
    typed = boxes(
        "pause", term_price_minor="2,50", term_currency="eur", title_de="Ruhig", text_de="Ganz ruhig.", title_ja="静か",
        text_ja="静かです。", reasons=["dear", "circumstance"], plans=[small.pk], countries="de, AT;pl",
        languages=["en", "de"], budget="0", cap_per_year="2", who_tenure_months_at_least="6",
        who_tenure_months_at_most="60", who_monthly_minor_at_least="5", who_currency="EUR", who_used_within_days="30",
        who_months_since_last="12",
    )  # fmt: skip

    response = admin_client.post(f"{ADD}?kind=pause", typed, follow=True)

    offer = Offer.objects.get()
    assert offer.terms == {"months": 2, "price_minor": 250, "currency": "EUR"}
    assert offer.texts["de"] == {"title": "Ruhig", "text": "Ganz ruhig."}
    assert offer.texts["ja"] == {"title": "静か", "text": "静かです。"}
    assert (sorted(offer.reasons), offer.countries, offer.languages) == (
        ["circumstance", "dear"], ["DE", "AT", "PL"], ["en", "de"],
    )  # fmt: skip
    assert (offer.budget, offer.cap_per_year, list(offer.plans.all())) == (0, 2, [small])
    assert offer.eligibility == {
        "tenure_months_at_least": 6, "tenure_months_at_most": 60, "monthly_minor_at_least": 500, "currency": "EUR",
        "used_within_days": 30, "months_since_last": 12,
    }  # fmt: skip
    assert "Its budget is 0: nobody gets it." in text_of(response.text)
    page = admin_client.get(page_of(offer)).text
    assert kept_in(page, "term_price_minor") == "2.50"
    assert kept_in(page, "who_monthly_minor_at_least") == "5.00"
    assert kept_in(page, "countries") == "DE, AT, PL"


def test_what_is_saved_is_offered_at_once(admin_client, django_capture_on_commit_callbacks):
    contract = rows.contract(terms=rows.TERMS | {"renewal": "open_ended"})

    def offered() -> list[tuple[str, str]]:
        return [(option.title, option.text) for option in offering.for_page(contract, AT, "en").options]

    assert offered() == []
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(f"{ADD}?kind=discount", boxes())
    assert offered() == [("A calm title", "A calm text.")]
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(list_of(Offer), {"action": "close", "_selected_action": [Offer.objects.get().pk]})
    assert offered() == []


def test_the_kind_is_asked_first_with_a_sentence_about_each(admin_client):
    page = admin_client.get(ADD)

    assert set(re.findall(r'href="\?kind=(\w+)"', page.text)) == set(OfferKind.values)
    assert admin_client.get(f"{ADD}?kind=nonsense").status_code == 200
    assert 'name="term_months"' not in page.text


# ---------------------------------------------------------------- refusing


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("pause", {"term_months": "0"}, "greater than or equal to 1"),
        ("pause", {"term_months": "13"}, "less than or equal to 12"),
        ("pause", {"term_months": "two"}, "Enter a whole number."),
        ("pause", {"term_price_minor": "2.50"}, "Give the currency of this amount"),
        ("pause", {"term_price_minor": "2.505", "term_currency": "EUR"}, "“2.505” is not an amount of EUR"),
        ("pause", {"term_price_minor": "2.50", "term_currency": "EUX"}, "This is not a currency."),
        ("discount", {"term_percent": "100"}, "less than or equal to 99"),
        ("discount", {"term_percent": ""}, "Give either a share in percent, or an amount"),
        (
            "discount",
            {"term_percent": "10", "term_amount_minor": "2", "term_currency": "EUR"},
            "Give either a share in percent, or an amount",
        ),
        ("discount", {"term_currency": "EUR"}, "There is no amount in this currency."),
        (
            "discount",
            {"term_percent": "", "term_amount_minor": "0", "term_currency": "EUR"},
            "Give an amount above zero.",
        ),
        ("discount", {"term_periods": ""}, "This field is required."),
        ("smaller_plan", {"term_to_plan": "gone"}, "Select a valid choice."),
        ("smaller_plan", {"term_to_plan": "free"}, "“No price” has no price that holds by then."),
        ("interval", {"term_prices": "30.00"}, "“30.00” cannot be read. Write each currency once"),
        ("interval", {"term_prices": "EUR 30.00\nEUR 31.00"}, "“EUR 31.00” cannot be read."),
        ("interval", {"term_prices": "JPY 30.50"}, "“30.50” is not an amount of JPY"),
        ("discount", {"title_en": "Last chance"}, "These words press somebody who leaves: “Last chance”."),
        ("discount", {"title_de": "Ein Titel", "text_de": "Schade, dass Sie gehen"}, "These words press"),
        ("discount", {"title_de": "Ein Titel"}, "Give both title and text in a language, or neither."),
        ("discount", {"title_en": ""}, "This field is required."),
        ("discount", {"countries": "DE, Germany"}, "“GERMANY” is no country. Give two letters, such as DE."),
        ("discount", {"valid_until": "2025-12-31"}, "This is before the first day, 1 Jan 2026."),
        ("discount", {"budget": "-1"}, "greater than or equal to 0"),
        ("discount", {"cap_per_year": "0"}, "close the option or give it a budget of 0"),
        ("discount", {"reasons": ["no-such-reason"]}, "Select a valid choice."),
        ("discount", {"who_tenure_months_at_least": "9", "who_tenure_months_at_most": "3"}, "nobody would get it"),
        ("discount", {"who_monthly_minor_at_least": "9"}, "Give the currency of this amount"),
        (
            "discount",
            {"who_monthly_minor_at_least": "9", "who_monthly_minor_at_most": "3", "who_currency": "EUR"},
            "nobody would get it",
        ),
        ("discount", {"who_currency": "EUR"}, "There is no amount in this currency."),
        ("discount", {"code": "with blanks"}, "Enter a valid “slug”"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_box_with_the_remedy_and_stays_there(
    admin_client, small, kind, changes, said
):
    rows.plan("free", "No price")

    response = admin_client.post(f"{ADD}?kind={kind}", boxes(kind, **changes))

    assert response.status_code == 200
    assert said in text_of(response.text)
    assert not Offer.objects.exists()
    for name, typed in changes.items():
        if name not in ("term_to_plan", "reasons"):
            assert kept_in(response.text, name) == typed


def test_a_plan_that_contracts_have_already_is_no_smaller_plan(admin_client, small):
    response = admin_client.post(f"{ADD}?kind=smaller_plan", boxes("smaller_plan", plans=[small.pk]))

    assert "Contracts of “Hosting XS” have this plan already." in text_of(response.text)
    assert not Offer.objects.exists()


def test_a_code_that_is_taken_is_refused(admin_client):
    made()

    response = admin_client.post(f"{ADD}?kind=discount", boxes())

    assert "already exists" in text_of(response.text)
    assert Offer.objects.count() == 1


# ---------------------------------------------------------------- what is worth knowing


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"active": False}, "It is closed"),
        ({"valid_until": date(2026, 4, 30)}, "Its last day, 30 Apr 2026, is over"),
        ({"budget": 0}, "Its budget is 0: nobody gets it."),
        ({"budget": 5, "taken": 5}, "Its budget is used up"),
        ({"reasons": []}, "It answers no reason"),
        ({"countries": ["DE"]}, "allow no options on the way out, so the options page alone shows it."),
        ({"countries": ["DE", "FR"]}, "In Germany the options page alone shows it"),
        ({"countries": ["US"]}, "In Minnesota it is shown on the way out to those alone who have agreed"),
    ],
)
def test_an_option_that_nobody_would_see_is_warned_about(given, said):
    offer = Offer(**{"code": "x", "kind": "discount", "valid_from": date(2026, 1, 1), "reasons": ["cost"]} | given)

    told = offer_advice.advice(offer, [], date(2026, 5, 10))

    assert any(said in line for line in told), told


def test_an_option_in_order_is_not_warned_about():
    offer = Offer(code="x", kind="discount", valid_from=date(2026, 1, 1), reasons=["cost"], countries=["FR"])

    assert offer_advice.advice(offer, [], date(2026, 5, 10)) == []


def test_a_smaller_plan_that_costs_more_and_a_plan_without_a_price_are_warned_about(small):
    dear, free = rows.plan("dear", "Hosting L"), rows.plan("free", "No price")
    PlanPrice.objects.create(plan=dear, valid_from=date(2026, 1, 1), price_minor=500, currency="EUR")
    smaller = Offer(code="x", kind="smaller_plan", valid_from=date(2026, 1, 1), reasons=["cost"])
    smaller.terms = {"to_plan": "small"}
    today = Offer(code="y", kind="todays_price", valid_from=date(2026, 1, 1))

    assert "costs no less today than “Hosting L”" in offer_advice.advice(smaller, [dear], date(2026, 5, 10))[-1]
    assert offer_advice.advice(today, [dear, free], date(2026, 5, 10)) == [
        "No price of today, so nobody there gets it: No price."
    ]


# ---------------------------------------------------------------- versions


def test_each_save_is_a_version_that_says_what_changed_and_who_did_it(small):
    client = clerk("cancellation.change_offer", "cancellation.view_offer")
    offer = made()

    response = client.post(
        page_of(offer), boxes_of(offer, term_percent="40", budget="5", title_en="Another title", plans=[small.pk])
    )

    assert response.status_code == 302, text_of(response.text)
    offer.refresh_from_db()
    assert (offer.version, offer.terms["percent"], offer.budget) == (2, 40, 5)
    told = [(row.version, row.actor) for row in offer.versions.order_by("version")]
    assert told == [(1, "staff:carl"), (2, "staff:carl")]
    shown = text_of(client.get(page_of(offer)).text)
    assert "Percent less: 30 → 40" in shown
    assert "budget: – → 5" in shown
    assert "texts, en, title: A calm title → Another title" in shown
    assert "plans: – → small" in shown
    assert "by carl" in shown


def test_a_save_that_changes_nothing_makes_no_version(admin_client):
    offer = made()

    response = admin_client.post(page_of(offer), boxes_of(offer), follow=True)

    assert "Nothing has changed, so there is no new version." in text_of(response.text)
    assert OfferVersion.objects.count() == 1


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(admin_client):
    offer = made()
    typed = boxes_of(offer, term_percent="40")
    other = Offer.objects.get()
    other.budget = 7
    save_offer(offer=other, plans=[], actor=Actor.staff("dora"), at=AT)

    response = admin_client.post(page_of(offer), typed)

    assert response.status_code == 200
    assert "Somebody else has saved this option meanwhile." in text_of(response.text)
    assert kept_in(response.text, "term_percent") == "40"
    offer.refresh_from_db()
    assert (offer.budget, offer.terms["percent"], offer.version) == (7, 30, 2)


def test_whoever_saves_last_in_the_same_moment_is_told():
    offer, late = made(), Offer.objects.get()
    offer.budget = 7
    save_offer(offer=offer, plans=[], read=1, actor=CARL, at=AT)
    late.budget = 8

    with pytest.raises(ChangedMeanwhile):
        save_offer(offer=late, plans=[], read=1, actor=CARL, at=AT)

    assert Offer.objects.get().budget == 7


def test_a_save_never_takes_back_what_was_accepted_meanwhile(admin_client):
    offer = made(budget=10)
    stale = Offer.objects.get()
    Offer.objects.update(taken=4)
    stale.budget = 20

    save_offer(offer=stale, plans=[], actor=CARL, at=AT)

    assert Offer.objects.values("taken", "budget").get() == {"taken": 4, "budget": 20}
    assert offer.versions.count() == 2


def test_an_option_that_was_made_without_the_desk_keeps_what_stood_before_its_first_change(admin_client):
    offer = Offer.objects.create(
        code="old", kind="discount", valid_from="2026-01-01", terms={"percent": 10, "periods": 1},
        texts={"en": {"title": "Old", "text": "Old."}, "nl": {"title": "Oud", "text": "Oud."}},
    )  # fmt: skip

    admin_client.post(page_of(offer), boxes_of(offer))

    definitions = {row.version: row.definition for row in offer.versions.all()}
    assert definitions[1]["terms"] == {"percent": 10, "periods": 1}
    assert definitions[2]["terms"] == {"percent": 30, "periods": 3}
    # A language that this desk does not speak keeps its words.
    assert definitions[2]["texts"]["nl"] == {"title": "Oud", "text": "Oud."}


# ---------------------------------------------------------------- closing, deleting


def test_an_option_that_was_shown_is_closed_and_never_deleted(admin_client):
    offer, contract = made(), rows.contract()
    happened(offer, contract, "shown")

    refused = admin_client.post(page_of(offer).replace("/change/", "/delete/"), {"post": "yes"})
    closed = admin_client.post(list_of(Offer), {"action": "close", "_selected_action": [offer.pk]}, follow=True)

    assert refused.status_code == 403
    assert "1 option is closed." in text_of(closed.text)
    offer.refresh_from_db()
    assert (offer.active, offer.version) == (False, 2)
    assert "close it instead of deleting it" in text_of(admin_client.get(page_of(offer)).text)


def test_an_option_that_nobody_saw_can_go_with_its_versions(admin_client):
    offer = made()

    response = admin_client.post(page_of(offer).replace("/change/", "/delete/"), {"post": "yes"})

    assert response.status_code == 302
    assert (Offer.objects.count(), OfferVersion.objects.count()) == (0, 0)


# ---------------------------------------------------------------- the list


def test_the_list_counts_what_happened_at_the_same_number_of_statements_for_one_and_for_three(admin_client):
    contract = rows.contract()

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            admin_client.get(list_of(Offer))
        return len(asked)

    offer = made(budget=10)
    Offer.objects.update(taken=2)
    for what in ("shown", "shown", "shown", "accepted", "accepted", "declined"):
        happened(offer, contract, what)
    one = statements()
    made("pause", active=False)
    made("skip", valid_from=date(2099, 1, 1))

    assert statements() == one
    page = admin_client.get(list_of(Offer)).text
    cells = [dict(re.findall(r'class="field-(\w+)[^"]*">(?:<a[^>]*>)?([^<]*)', row))
             for row in re.findall(r"(?s)<tr>.*?</tr>", page)]  # fmt: skip
    told = {row["kind"]: row for row in cells if "kind" in row}
    numbers = {"budget_taken": "2 of 10", "were_shown": "3", "were_agreed": "2", "were_declined": "1"}
    assert {name: told["discount"][name] for name in numbers} == numbers
    assert told["pause"]["is_open"] == "closed"
    assert told["skip once"]["is_open"] == "from 1 Jan 2099 on"
    assert told["skip once"]["were_shown"] == "0"


# ---------------------------------------------------------------- who would get this


def told_about(client, offer: Offer, reference: str) -> str:
    address = reverse("admin:cancellation_offer_who", args=[offer.pk])
    return text_of(client.get(address, {"contract": reference}).text)


def test_staff_see_whether_a_contract_would_get_an_option_and_nothing_is_kept(admin_client, time_machine):
    time_machine.move_to(AT)
    offer = made(reasons=["cost"])
    french = rows.contract(country="FR", terms=rows.TERMS | {"renewal": "open_ended"})
    german = rows.contract(terms=rows.TERMS | {"renewal": "open_ended"})

    shown, not_on_the_way = (told_about(admin_client, offer, row.reference) for row in (french, german))

    assert "On the options page Shown." in shown
    assert "Shown to whoever gives a reason that it answers" in shown
    assert "€8.61" in shown
    assert "On the options page Shown." in not_on_the_way
    assert f"On the way out Not shown. {offer_words.cause('place_forbids')}" in not_on_the_way
    assert (OfferDecision.objects.count(), OfferEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"active": False}, Cause.NOT_OPEN),
        ({"valid_from": date(2099, 1, 1)}, Cause.NOT_YET),
        ({"budget": 0}, Cause.BUDGET),
        ({"countries": ["PL"]}, Cause.OTHER_COUNTRY),
        ({"eligibility": {"tenure_months_at_least": 60}}, Cause.TOO_NEW),
        ({"terms": {"percent": "many"}}, Cause.UNREADABLE),
        ({"texts": {}}, Cause.NO_TEXT),
    ],
)
def test_the_cause_is_told_in_words(admin_client, time_machine, given, cause):
    time_machine.move_to(AT)
    offer = made(reasons=["cost"], **given)
    contract = rows.contract(terms=rows.TERMS | {"renewal": "open_ended"})

    assert f"Not shown. {offer_words.cause(cause)}" in told_about(admin_client, offer, contract.reference)


def test_a_contract_whose_terms_cannot_be_read_is_told_so(admin_client):
    offer, contract = made(), rows.contract()
    Contract.objects.update(terms={})

    assert "Not shown. The terms of this contract cannot be read." in told_about(
        admin_client, offer, contract.reference
    )


def test_a_reference_that_is_none_is_refused_with_the_remedy(admin_client):
    offer = made()
    address = reverse("admin:cancellation_offer_who", args=[offer.pk])

    response = admin_client.get(address, {"contract": "C-NONE"})

    assert response.status_code == 422
    assert "No contract has this reference." in text_of(response.text)
    assert 'value="C-NONE"' in response.text


# ---------------------------------------------------------------- ledger, decisions, agreements


def test_ledger_decisions_and_agreements_are_facts(admin_client):
    offer, contract = made(), rows.contract()
    acceptance = agreed(offer, contract)
    decision = OfferDecision.objects.create(
        key="visit:1", contract=contract, place="flow", at=AT, reasons=["cost"],
        shown=[{"code": "my-discount", "version": 1, "title": "A calm title", "text": "A calm text."}],
        not_shown={"my-pause": "too_new"},
    )  # fmt: skip
    event = OfferEvent.objects.get()

    for row, told in (
        (acceptance, "A calm title"),
        (decision, "The contract had not run long enough."),
        (event, "agreed"),
    ):
        page = admin_client.get(page_of(row))
        assert page.status_code == 200
        assert told in text_of(page.text)
        assert 'name="_save"' not in page.text
        assert admin_client.get(list_of(type(row))).status_code == 200
        assert admin_client.post(page_of(row), {}).status_code == 403
        assert admin_client.get(list_of(type(row)) + "add/").status_code == 403
        assert admin_client.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
        assert contract.reference in admin_client.get(list_of(type(row)), {"q": contract.reference}).text


def test_an_agreement_is_taken_back_with_the_reason_once(small):
    client = clerk("cancellation.view_acceptance", "cancellation.change_acceptance")
    offer, contract = made("help_session", terms={"minutes": 30}), rows.contract()
    acceptance = agreed(offer, contract)
    Offer.objects.update(taken=1)
    address = reverse("admin:cancellation_acceptance_take_back", args=[acceptance.pk])

    without = client.post(address, {"why": " "}, follow=True)
    assert "Give the reason." in text_of(without.text)
    assert 'name="why"' in client.get(page_of(acceptance)).text
    done = client.post(address, {"why": "They called and asked for it."}, follow=True)

    assert "Taken back" in text_of(done.text)
    acceptance.refresh_from_db()
    assert acceptance.state == "reverted"
    entry = OfferEvent.objects.get(what="reverted")
    assert (entry.actor, entry.why) == ("staff:carl", "They called and asked for it.")
    assert 'name="why"' not in client.get(page_of(acceptance)).text


# ---------------------------------------------------------------- tasks


def task(contract: Contract, **given: Any) -> DeskTask:
    values: dict[str, Any] = {"kind": TaskKind.FIX, "contract": contract, "words": "It is slow.", "created_at": AT}
    return DeskTask.objects.create(**values | given)


def test_tasks_stand_open_first_urgent_first(admin_client):
    contract = rows.contract()
    done = task(contract, done_at=AT, done_by="staff:x")
    calm, urgent = task(contract, kind="help_session"), task(contract, is_urgent=True)

    page = admin_client.get(list_of(DeskTask)).text

    order = [int(pk) for pk in re.findall(r"/admin/cancellation/desktask/(\d+)/change/", page)]
    assert list(dict.fromkeys(order)) == [urgent.pk, calm.pk, done.pk]


def test_a_task_is_done_with_a_note_and_what_was_agreed_is_carried_out():
    client = clerk("cancellation.view_desktask", "cancellation.change_desktask")
    offer, contract = made("fix", terms={}), rows.contract()
    acceptance = agreed(offer, contract)
    made_task = task(contract, acceptance=acceptance, wishes={"when": "Mondays"})

    page = client.get(page_of(made_task))
    assert "days that suit: Mondays" in text_of(page.text)
    client.post(page_of(made_task), {"note": "A cable was loose.", "done": "on"})

    made_task.refresh_from_db()
    acceptance.refresh_from_db()
    assert (made_task.note, made_task.done_by, made_task.done_at is None) == ("A cable was loose.", "staff:carl", False)
    assert acceptance.state == "applied"
    event = Event.objects.get(what=task_actions.TASK_DONE)
    assert (event.actor, event.contract, event.why) == ("staff:carl", contract, "task fix")
    assert ("Task done", "solve a problem") in [(row.what, row.detail) for row in desk.timeline([contract])]


def test_what_customers_write_is_text_whatever_it_looks_like(admin_client):
    hostile = "<script>alert(1)</script>"
    offer, contract = made(), rows.contract()
    acceptance = agreed(offer, contract, asked={"words": hostile, hostile: hostile}, title=hostile)
    made_task = task(contract, acceptance=acceptance, words=hostile, wishes={"person_name": hostile})

    for row in (acceptance, made_task, contract):
        page = admin_client.get(page_of(row)).text
        assert "alert(1)" in page
        assert hostile not in page


def test_a_task_is_done_once_and_can_be_opened_again(admin_client):
    made_task = task(rows.contract())
    chosen = {"_selected_action": [made_task.pk]}

    for _click in range(2):
        admin_client.post(list_of(DeskTask), {"action": "mark_done", **chosen})
    assert Event.objects.filter(what=task_actions.TASK_DONE).count() == 1
    admin_client.post(list_of(DeskTask), {"action": "reopen", **chosen})

    made_task.refresh_from_db()
    assert (made_task.done_at, made_task.done_by) == (None, "")


def test_open_tasks_are_counted_on_the_first_page(admin_client):
    contract = rows.contract()
    task(contract)
    task(contract, done_at=AT, done_by="staff:x")

    page = admin_client.get("/admin/")

    assert "1 tasks that customers wait for" in text_of(page.text)
    assert "/admin/cancellation/desktask/?state=open" in page.text


# ---------------------------------------------------------------- the contract's page


def test_a_contracts_page_shows_agreements_tasks_and_why_something_was_not_shown(admin_client):
    offer, contract = made(), rows.contract()
    running, back = agreed(offer, contract), agreed(offer, contract, state="reverted", title="Taken back before")
    open_task = task(contract, acceptance=running, is_urgent=True)
    OfferDecision.objects.create(
        key="visit:1", contract=contract, place="flow", at=AT, reasons=["cost"], shown=[], held_out=True,
        not_shown={"my-discount": "held_out", "gone": "something new"},
    )  # fmt: skip

    page = admin_client.get(page_of(contract)).text

    for row in (running, back, open_task):
        assert f'href="{page_of(row)}"' in page
    text = text_of(page)
    assert "held out: shown nothing, so that the effect can be measured" in text
    assert f"A calm title {offer_words.cause('held_out')}" in text
    # A cause that nobody has words for is shown as it stands.
    assert "gone something new" in text
    assert "Reasons said Cost" in text


def test_a_contract_without_options_has_no_panel_for_them(admin_client):
    assert 'id="options"' not in admin_client.get(page_of(rows.contract())).text


def test_a_contract_without_options_still_shows_the_task_that_waits(admin_client):
    contract = rows.contract()
    waiting = DeskTask.objects.create(
        kind=TaskKind.REPUDIATED, contract=contract, wishes={"why": "x"}, is_urgent=True, created_at=AT
    )

    page = admin_client.get(page_of(contract)).text

    assert f'href="{page_of(waiting)}"' in page


# ---------------------------------------------------------------- who may only look


def test_who_may_only_look_reads_everything_and_changes_nothing():
    client = clerk(
        "cancellation.view_offer", "cancellation.view_acceptance", "cancellation.view_desktask",
        "cancellation.view_offerdecision", "cancellation.view_offerevent",
    )  # fmt: skip
    offer, contract = made(eligibility={"tenure_months_at_least": 6}), rows.contract()
    acceptance = agreed(offer, contract)
    made_task = task(contract, acceptance=acceptance)

    page = client.get(page_of(offer))
    assert page.status_code == 200
    assert "A calm text." in text_of(page.text)
    assert "Percent less: 30" in text_of(page.text)
    assert "Customer for at least (months): 6" in text_of(page.text)
    assert 'name="_save"' not in page.text
    refused = {
        "change": client.post(page_of(offer), boxes_of(offer, term_percent="50")).status_code,
        "add": client.get(f"{ADD}?kind=fix").status_code,
        "ask kind": client.get(ADD).status_code,
        "delete": client.post(page_of(offer).replace("/change/", "/delete/"), {"post": "yes"}).status_code,
        "take back": client.post(
            reverse("admin:cancellation_acceptance_take_back", args=[acceptance.pk]), {"why": "x"}
        ).status_code,
        "task": client.post(page_of(made_task), {"note": "x", "done": "on"}).status_code,
        "who": client.get(
            reverse("admin:cancellation_offer_who", args=[offer.pk]), {"contract": contract.reference}
        ).status_code,
    }
    client.post(list_of(Offer), {"action": "close", "_selected_action": [offer.pk]})
    client.post(list_of(DeskTask), {"action": "mark_done", "_selected_action": [made_task.pk]})

    assert set(refused.values()) == {403}, refused
    offer.refresh_from_db()
    acceptance.refresh_from_db()
    made_task.refresh_from_db()
    assert (offer.active, offer.version, acceptance.state, made_task.done_at) == (True, 1, "accepted", None)
    assert 'name="why"' not in client.get(page_of(acceptance)).text
    assert 'name="done"' not in client.get(page_of(made_task)).text


def test_titles_are_told_in_the_readers_language(admin_client):
    offer = made(texts={"en": {"title": "Calm", "text": "x"}, "pl": {"title": "Spokój", "text": "x"}})

    assert desk_offers.title_of(offer) == "Calm"
    page = admin_client.get(list_of(Offer), headers={"accept-language": "pl"}).text
    assert "Spokój" in page
