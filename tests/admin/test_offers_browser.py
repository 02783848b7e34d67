"""Options at the desk in Chromium: made without a word of JSON, accessible, and never wider than the screen."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Page, expect

from cancellation.actions import Actor
from cancellation.models import Acceptance, DeskTask, Offer, OfferDecision, OfferEvent
from cancellation.offer_versions import save_offer
from feedback.models import Reason
from subscriptions.models import PlanPrice
from tests import desk_rows as rows
from tests.desk_browser import opened, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AT = datetime(2026, 5, 10, 12, tzinfo=UTC)
LONG = "A text that is rather long, for an operator may say what an option is about in more than a few words."


@pytest.fixture
def told():
    """Return rows of everything that options leave at the desk, by name."""
    cache.clear()
    Reason.objects.get_or_create(code="dear", defaults={"root": "cost", "labels": {"en": "Too dear"}})
    plan = rows.plan("small", "Hosting XS")
    PlanPrice.objects.create(plan=plan, valid_from=date(2026, 1, 1), price_minor=600, currency="EUR")
    contract = rows.contract(country="FR", terms=rows.TERMS | {"renewal": "open_ended"})
    offer = Offer(
        code="discount-for-a-while", kind="discount", valid_from=date(2026, 1, 1), budget=0, reasons=["cost", "dear"],
        texts={"en": {"title": "Pay less for a while", "text": LONG}}, terms={"percent": 30, "periods": 3},
        eligibility={"monthly_minor_at_least": 500, "currency": "EUR"},
    )  # fmt: skip
    save_offer(offer=offer, plans=[plan], actor=Actor.staff("carl"), at=AT)
    offer.terms = {"percent": 40, "periods": 3}
    save_offer(offer=offer, plans=[], actor=Actor.staff("dora"), at=AT)
    # A budget and a state that no save of the desk would leave, so that there is something worth knowing.
    acceptance = Acceptance.objects.create(
        idempotency_key="k", offer=offer, version=2, kind="discount", contract=contract, customer=contract.customer,
        place="page", title="Pay less for a while", starts_on=date(2026, 6, 1), until=date(2026, 8, 31), currency="EUR",
        accepted_at=AT, is_passing=True, cost_minor=1476, asked={"words": LONG}, state="failed", fault="No such plan.",
        afterwards="After 3 months, the price is €12.30 for 1 month again.",
        terms={"starts_on": "2026-06-01", "until": "2026-08-31", "currency": "EUR", "price_minor": 738, "periods": 3,
               "percent": 40, "price_before_minor": 1230, "price_after_minor": 1230, "billing": {"months": 1}},
    )  # fmt: skip
    event = OfferEvent.objects.create(
        offer=offer, version=2, contract=contract, acceptance=acceptance, place="page", what="accepted", at=AT,
        actor=f"customer:{contract.customer_id}",
    )  # fmt: skip
    decision = OfferDecision.objects.create(
        key="visit:1", contract=contract, place="flow", at=AT, reasons=["dear", "cost"],
        shown=[{"code": offer.code, "title": "Pay less for a while", "text": LONG, "afterwards": "Then as before."}],
        not_shown={"a-rather-long-code-of-an-option": "too_new", "pause": "place_forbids"},
    )  # fmt: skip
    task = DeskTask.objects.create(
        kind="fix", contract=contract, acceptance=acceptance, words=LONG, wishes={"when": "Mondays"}, is_urgent=True,
        created_at=AT,
    )  # fmt: skip
    return {
        "offer": offer, "acceptance": acceptance, "offerevent": event, "offerdecision": decision, "desktask": task,
        "contract": contract,
    }  # fmt: skip


def addresses(told) -> list[str]:
    named = ["/admin/", "/admin/cancellation/offer/add/", "/admin/cancellation/offer/add/?kind=interval"]
    for row in told.values():
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        named += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])]
    who = reverse("admin:cancellation_offer_who", args=[told["offer"].pk])
    return [*named, f"{who}?contract={told['contract'].reference}"]


@pytest.mark.parametrize(("language", "scheme", "width"), [("pl", "light", 390), ("ja", "dark", 1280)])
def test_every_page_of_options_stands_in_every_view(
    page: Page, live_server, told, console_errors, axe, language, scheme, width
):
    signed_in(page, live_server, language, scheme, width)

    for address in addresses(told):
        console_errors.clear()
        assert list(opened(page, live_server.url + address, console_errors)) == []
        axe(page)


def test_staff_make_an_option_from_its_kind_to_the_list_and_are_told_what_cannot_be(page: Page, live_server, told, axe):
    signed_in(page, live_server, "en", "light", 1280)
    page.goto(live_server.url + "/admin/cancellation/offer/")

    page.get_by_role("link", name="Add option").click()
    page.get_by_role("link", name="Pause", exact=True).click()
    page.get_by_label("Code").fill("pause-for-a-while")
    page.get_by_label("For how many months").fill("2")
    page.get_by_label("Price per billing period meanwhile").fill("2.50")
    page.get_by_label("Title in English").fill("Hurry, pause now")
    page.get_by_label("Text in English").fill("Nothing runs, and you pay little.")
    page.get_by_label("Too dear").check()
    page.locator("[name=_save]").click()

    expect(
        page.get_by_text("These words press somebody who leaves: “Hurry”. Say the fact without them.")
    ).to_be_visible()
    expect(page.get_by_text("Give the currency of this amount in the box for it.")).to_be_visible()
    expect(page.get_by_label("Title in English")).to_have_value("Hurry, pause now")
    expect(page.get_by_label("Too dear")).to_be_checked()
    axe(page)
    page.get_by_label("Title in English").fill("Pause for a while")
    page.locator("#id_term_currency").fill("EUR")
    page.locator("[name=_save]").click()

    expect(page.get_by_role("link", name="Pause for a while")).to_be_visible()
    assert Offer.objects.get(code="pause-for-a-while").terms == {"months": 2, "price_minor": 250, "currency": "EUR"}


def test_staff_take_an_agreement_back_with_the_reason(page: Page, live_server, told):
    signed_in(page, live_server, "en", "light", 390)
    told["desktask"].delete()
    Acceptance.objects.update(kind="help_session", is_passing=False)
    page.goto(live_server.url + reverse("admin:cancellation_acceptance_change", args=[told["acceptance"].pk]))

    page.get_by_label("Reason").fill("They called and asked for it.")
    page.get_by_role("button", name="Take it back").click()

    expect(page.get_by_text("Taken back: what was agreed before holds again.")).to_be_visible()
    assert OfferEvent.objects.get(what="reverted").why == "They called and asked for it."


def test_staff_answer_why_somebody_did_not_get_it_and_finish_what_waits(page: Page, live_server, told):
    signed_in(page, live_server, "en", "light", 1280)
    page.goto(live_server.url + reverse("admin:subscriptions_contract_change", args=[told["contract"].pk]))

    expect(page.get_by_role("heading", name="“Why did I not get this?”")).to_be_visible()
    expect(page.get_by_text("The contract had not run long enough.")).to_be_visible()
    page.get_by_role("link", name="solve a problem").first.click()
    page.get_by_label("Note").fill("A cable was loose.")
    page.locator("#id_done").check()
    page.locator("[name=_save]").click()

    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert DeskTask.objects.get().done_by == "staff:boss"
