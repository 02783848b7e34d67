"""The desk in Chromium: nothing against the policy, nothing that axe finds, nothing wider than the screen."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from billing.models import Instruction
from subscriptions.models import PlanPrice
from tests.admin.conftest import Story, tell
from tests.desk_browser import VIEWS, opened, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KINDS = (
    "customer",
    "contract",
    "notice",
    "cancellation",
    "letter",
    "answer",
    "payment",
    "instruction",
    "entry",
    "event",
)
OTHERS = (
    "", "subscriptions/contract/add/", "subscriptions/customer/add/", "subscriptions/customer/?q=anna",
    "feedback/reason/", "feedback/reason/add/", "subscriptions/plan/", "subscriptions/product/add/", "auth/user/",
    "auth/user/add/",
    "auth/group/add/", "password_change/", "cancellation/notice/?follows=waiting", "outbox/entry/?outcome=dead",
)  # fmt: skip


@pytest.fixture
def told() -> Story:
    story = tell("Anna Kowalska")
    PlanPrice.objects.create(plan=story.contract.plan, valid_from="2026-01-01", price_minor=1230, currency="EUR")
    return story


def addresses(story: Story) -> list[str]:
    named = []
    for kind in KINDS:
        row = getattr(story, kind)
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        named += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])]
    plan = reverse("admin:subscriptions_plan_change", args=[story.contract.plan_id])
    return [*named, plan, *(f"/admin/{path}" for path in OTHERS)]


# Two views, for forty pages each: between them both sizes, both schemes, and scripts of other lengths than English.
@pytest.mark.parametrize(("language", "scheme", "width"), [("pl", "light", 390), ("ja", "dark", 1280)])
def test_every_page_of_the_desk_stands_in_every_view(
    page: Page, live_server, told, console_errors, axe, language, scheme, width
):
    signed_in(page, live_server, language, scheme, width)

    for address in addresses(told):
        # Looked at before axe runs: axe itself tries styles that the policy forbids.
        console_errors.clear()
        assert list(opened(page, live_server.url + address, console_errors)) == []
        axe(page)


@pytest.mark.parametrize(("language", "scheme", "width"), VIEWS)
def test_the_way_in_stands_in_every_view(page: Page, live_server, db, console_errors, axe, language, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])

    assert list(opened(page, live_server.url + "/admin/login/", console_errors)) == []
    axe(page)


def test_a_form_with_errors_is_accessible_too(page: Page, live_server, told, axe):
    signed_in(page, live_server, "en", "light", 1280)
    page.goto(live_server.url + reverse("admin:subscriptions_contract_change", args=[told.contract.pk]))

    page.locator("#id_terms").fill('{"starts_on": 1}')
    page.locator("#id_price_minor").fill("many")
    page.locator("[name=_save]").click()

    expect(page.get_by_text("“many” is not an amount of EUR. Write it like 12.50.")).to_be_visible()
    assert page.locator("#id_price_minor").input_value() == "many"
    axe(page)


def test_staff_find_a_customer_and_mark_an_instruction_done(page: Page, live_server, told):
    signed_in(page, live_server, "en", "light", 1280)
    page.goto(live_server.url + "/admin/")

    page.get_by_label("Find a customer").fill(told.notice.reference)
    page.get_by_label("Find a customer").press("Enter")
    page.get_by_role("link", name="Anna Kowalska").click()
    expect(page.get_by_role("heading", name="What happened, newest first")).to_be_visible()

    page.goto(live_server.url + "/admin/billing/instruction/?outcome__exact=open")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("mark_done")
    page.get_by_role("button", name="Go").click()

    expect(page.get_by_text("1 instruction is marked done.")).to_be_visible()


def test_the_html_of_a_letter_shows_its_colours_and_runs_nothing(page: Page, live_server, told):
    told.letter.html = (
        "<p id=p style='color: rgb(1, 2, 3)'>Hi</p><script>document.title = 'ran'</script>"
        "<img src=x onerror=\"document.title = 'ran'\">"
    )
    told.letter.save()
    signed_in(page, live_server, "en", "light", 1280)

    page.goto(live_server.url + reverse("admin:messaging_letter_html", args=[told.letter.pk]))

    assert page.title() != "ran"
    colour = page.locator("#p").evaluate("element => getComputedStyle(element).color")
    assert colour == "rgb(1, 2, 3)"


def test_staff_say_why_an_option_could_not_be_carried_out(page: Page, live_server, told, axe):
    Instruction.objects.create(
        key="option:pause:7", contract=told.contract, acceptance_id=7, kind="pause", on_day="2026-12-01",
        currency="EUR",
    )  # fmt: skip
    signed_in(page, live_server, "en", "light", 390)
    page.goto(live_server.url + "/admin/billing/instruction/?kind__exact=pause")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("mark_failed")
    page.get_by_role("button", name="Go").click()
    axe(page)

    page.get_by_label("What is in the way").fill("no such tariff")
    page.get_by_role("button", name="Note it").click()

    expect(page.get_by_text("1 instruction is noted")).to_be_visible()
