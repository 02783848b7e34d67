"""Choices for the parts of a bundle and the steps of its exit checklist: kept, ticked, refused, shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from cancellation import actions, bundles
from cancellation.actions import Actor
from cancellation.models import Cancellation, ChecklistItem, ComponentChoice, Event, PartChoice
from cancellation.parts_plan import KINDS, POINT_BACK, By, Choice
from cancellation.parts_words import KINDS as KIND_WORDS
from cancellation.parts_words import STEPS
from outbox.drain import drain
from outbox.models import Entry
from subscriptions.models import Component, Contract
from tests.cancellation.test_pages import let_in, quote_on, statements
from tests.factories import NOON, make_contract, make_customer, pay, terms_dict

pytestmark = pytest.mark.django_db
STAFF = Actor("staff:carl")
SECRET = "X9-secret-4711"


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def contract() -> Contract:
    contract = make_contract()
    pay(contract, "2026-11-01", "2026-11-30", 1200)
    domain = contract.components.create(kind="domain", name="aoki.example", ends_contract=True)
    contract.components.create(kind="server", name="web-4127")
    contract.components.create(kind="mailbox", name="box@aoki.example", depends_on=domain)
    return contract


@pytest.fixture
def holder(client: Client, contract: Contract) -> Client:
    return let_in(client, contract.customer)


def main_of(answer: Any) -> str:
    """Return the part of a page that is about the contract."""
    found = re.search(r"(?s)<main.*</main>", answer.content.decode())
    assert found
    return found[0]


def part(contract: Contract, kind: str) -> int:
    return contract.components.get(kind=kind).pk


def url(contract: Contract, step: str = "parts/") -> str:
    return f"/contracts/{contract.reference}/{step}"


def choose(contract: Contract, **choices: str) -> bundles.Bundle:
    chosen = {part(contract, kind): choice for kind, choice in choices.items()}
    return bundles.choose(contract=contract, choices=chosen, actor=Actor.customer(contract.customer_id), at=NOON)


def tick(contract: Contract, kind: str, code: str, by: By = By.STAFF, **more: Any) -> bool:
    actor = STAFF if by is By.STAFF else Actor.customer(contract.customer_id)
    values = {"key": (part(contract, kind), code), "by": by, "actor": actor, "at": NOON} | more
    return bundles.tick(contract=contract, **values)


def untick(contract: Contract, kind: str, code: str, by: By = By.STAFF) -> bool:
    return bundles.untick(contract=contract, key=(part(contract, kind), code), by=by, actor=STAFF, at=NOON)


def steps(contract: Contract) -> list[tuple[str, bool]]:
    rows = ChecklistItem.objects.filter(contract=contract).select_related("component")
    return [(f"{row.component.kind} {row.code}", row.done_at is not None) for row in rows if row.component]


def give_notice(client: Client, contract: Contract) -> Cancellation:
    page = client.get(url(contract, "cancel/"))
    client.post(url(contract, "cancel/now/"), {"quote": quote_on(page)})
    return Cancellation.objects.get(contract=contract)


# ---------------------------------------------------------------- words and choices agree


def test_the_choices_are_those_that_are_stored() -> None:
    assert [*Choice] == PartChoice.values


def test_every_kind_and_step_has_its_words() -> None:
    codes = {doing.code for kind in KINDS for row in kind.doings.values() for doing in row}
    assert codes | {POINT_BACK, "notice"} == STEPS.keys()
    assert {kind.code for kind in KINDS} == KIND_WORDS.keys()
    assert all(len(code) <= 32 for code in STEPS)


# ---------------------------------------------------------------- choosing


def test_choices_are_kept_with_the_steps_in_their_order(contract: Contract) -> None:
    told = choose(contract, domain="take", server="let_go")

    assert told.plan.must_end
    assert set(ComponentChoice.objects.values_list("component__kind", "choice")) == {
        ("domain", "take"), ("server", "let_go"),
    }  # fmt: skip
    assert steps(contract) == [
        ("domain unlock", False),
        ("domain auth_code", False),
        ("domain start_transfer", False),
        ("domain confirm_transfer", False),
        ("server save_data", False),
        ("mailbox save_data", False),
        ("mailbox end_mailbox", False),
        ("server end_hosting", False),
    ]
    event = Event.objects.get()
    assert (event.what, event.why) == (bundles.PARTS_CHOSEN, "domain: take; server: let_go")
    assert not Cancellation.objects.exists(), "a choice ends nothing"


def test_choosing_the_same_again_changes_nothing(contract: Contract) -> None:
    choose(contract, domain="take")
    tick(contract, "domain", "unlock")
    before = (steps(contract), ComponentChoice.objects.values_list("pk", "chosen_at")[0], Event.objects.count())

    choose(contract, domain="take")

    assert before == (steps(contract), ComponentChoice.objects.values_list("pk", "chosen_at")[0], Event.objects.count())


def test_a_change_of_mind_drops_open_steps_and_keeps_done_ones_with_their_date(contract: Contract) -> None:
    choose(contract, domain="take")
    tick(contract, "domain", "unlock")

    choose(contract, domain="keep")

    assert steps(contract) == [("domain unlock", True)]
    assert ChecklistItem.objects.get().done_at == NOON
    # Locked again by staff, who take the tick back: nothing is left of it.
    assert untick(contract, "domain", "unlock")
    assert steps(contract) == []


def test_contradictory_choices_are_named_and_nothing_is_kept(holder: Client, contract: Contract) -> None:
    Component.objects.update(ends_contract=False)
    sent = {f"part-{part(contract, 'domain')}": "let_go", f"part-{part(contract, 'mailbox')}": "keep"}

    answer = holder.post(url(contract), sent)

    assert answer.status_code == 422
    body = answer.content.decode()
    assert "box@aoki.example does not work without aoki.example" in body
    assert "Keep aoki.example or take it along, or let box@aoki.example go as well." in body
    assert body.count("checked") == 2, "what was chosen stays in the form"
    assert not ComponentChoice.objects.exists()
    assert not ChecklistItem.objects.exists()


@pytest.mark.parametrize(
    ("kind", "choice"), [("server", "take"), ("domain", "sell"), ("domain", ""), ("domain", "TAKE")]
)
def test_a_choice_that_is_not_offered_names_the_part(
    holder: Client, contract: Contract, kind: str, choice: str
) -> None:
    answer = holder.post(url(contract), {f"part-{part(contract, kind)}": choice})

    assert answer.status_code == 422
    assert contract.components.get(kind=kind).name + ": choose one" in answer.content.decode()
    assert not ComponentChoice.objects.exists()


@pytest.mark.parametrize("name", ["part-", "part-x", "part-١", "part-99999999999999999999", "elsewhere", "part--1"])
def test_hostile_field_names_change_nothing(holder: Client, contract: Contract, name: str) -> None:
    assert holder.post(url(contract), {name: "take"}).status_code == 302
    assert not ComponentChoice.objects.exists()


def test_a_part_of_another_contract_is_refused(holder: Client, contract: Contract) -> None:
    other = make_contract().components.create(kind="domain", name="other.example")

    assert holder.post(url(contract), {f"part-{other.pk}": "take"}).status_code == 422
    assert not ComponentChoice.objects.exists()


def test_the_page_says_plainly_what_ends_the_contract_and_what_does_not(holder: Client, contract: Contract) -> None:
    holder.post(url(contract), {f"part-{part(contract, 'server')}": "let_go"})
    page = main_of(holder.get(url(contract)))
    assert "Ending web-4127 does not end the contract." in page
    assert 'data-action="start"' not in page

    contract.components.get(kind="mailbox").delete()
    holder.post(url(contract), {f"part-{part(contract, 'domain')}": "take"})
    page = main_of(holder.get(url(contract)))
    assert "Taking aoki.example along ends the contract, for the two are one contract." in page
    assert "a notice today ends it on <strong>31 December 2026</strong>" in " ".join(
        re.sub("<time[^>]*>|</time>", "", page).split()
    )
    assert f'href="{url(contract, "cancel/")}"' in page


# ---------------------------------------------------------------- steps, in their order


def test_a_step_out_of_turn_says_which_one_comes_first(contract: Contract) -> None:
    choose(contract, domain="take")

    with pytest.raises(bundles.NotYet) as refused:
        tick(contract, "domain", "confirm_transfer", By.CUSTOMER)

    assert refused.value.first.code == "unlock"
    assert not any(done for _name, done in steps(contract))


def test_a_customer_cannot_tick_what_staff_do_nor_staff_what_the_customer_does(contract: Contract) -> None:
    choose(contract, domain="take")
    with pytest.raises(bundles.NotTheirs):
        tick(contract, "domain", "unlock", By.CUSTOMER)
    tick(contract, "domain", "unlock")
    tick(contract, "domain", "auth_code")
    with pytest.raises(bundles.NotTheirs):
        tick(contract, "domain", "start_transfer")

    assert tick(contract, "domain", "start_transfer", as_told=True)
    assert Event.objects.filter(what=bundles.STEP_DONE).count() == 3


def test_a_second_tick_keeps_the_first_date(contract: Contract) -> None:
    choose(contract, domain="take")

    assert tick(contract, "domain", "unlock")
    assert not tick(contract, "domain", "unlock", at=NOON + timedelta(days=1), actor=Actor("staff:other"))

    item = ChecklistItem.objects.get(code="unlock")
    assert (item.done_at, item.done_by) == (NOON, "staff:carl")
    assert Event.objects.filter(what=bundles.STEP_DONE).count() == 1


def test_a_tick_is_taken_back_from_the_end(contract: Contract) -> None:
    choose(contract, domain="take")
    tick(contract, "domain", "unlock")
    tick(contract, "domain", "auth_code")

    with pytest.raises(bundles.StillStands) as refused:
        untick(contract, "domain", "unlock")
    assert refused.value.later.code == "auth_code"
    assert untick(contract, "domain", "auth_code")
    assert untick(contract, "domain", "unlock")
    assert not untick(contract, "domain", "unlock")

    assert not any(done for _name, done in steps(contract))
    assert Event.objects.filter(what=bundles.STEP_REOPENED).count() == 2


def test_the_hosting_ends_only_after_transfer_notice_and_last_day(holder: Client, contract: Contract) -> None:
    choose(contract, domain="take", server="let_go", mailbox="let_go")
    for code, by in (
        ("unlock", By.STAFF), ("auth_code", By.STAFF), ("start_transfer", By.CUSTOMER),
    ):  # fmt: skip
        tick(contract, "domain", code, by)
    tick(contract, "server", "save_data", By.CUSTOMER)
    tick(contract, "mailbox", "save_data", By.CUSTOMER)

    with pytest.raises(bundles.NotYet) as refused:
        tick(contract, "server", "end_hosting")
    assert refused.value.first.code == "notice"
    cancellation = give_notice(holder, contract)
    with pytest.raises(bundles.NotYet) as refused:
        tick(contract, "server", "end_hosting")
    assert refused.value.first.code == "confirm_transfer"
    tick(contract, "domain", "confirm_transfer", By.CUSTOMER)
    with pytest.raises(bundles.TooEarly) as early:
        tick(contract, "server", "end_hosting")
    assert early.value.last_day == cancellation.last_day

    assert tick(contract, "server", "end_hosting", at=NOON + timedelta(days=60))


def test_an_undone_notice_takes_the_ground_from_the_end_of_the_hosting(holder: Client, contract: Contract) -> None:
    choose(contract, server="let_go", domain="take")
    give_notice(holder, contract)
    holder.post(url(contract, "cancel/undo/"))

    told = bundles.bundle_of_rows(bundles.with_bundles(Contract.objects.filter(pk=contract.pk)).get(), NOON)
    end = told.plan.step((part(contract, "server"), "end_hosting"))
    assert end is not None
    assert told.first_before(end) == told.plan.steps[0]


def test_the_notice_itself_is_no_step_to_tick(contract: Contract) -> None:
    choose(contract, domain="take")
    with pytest.raises(bundles.NoSuchStep):
        bundles.tick(contract=contract, key=(None, "notice"), by=By.CUSTOMER, actor=STAFF, at=NOON)


# ---------------------------------------------------------------- the page


def test_a_step_is_done_by_its_button_and_shows_its_date(holder: Client, contract: Contract) -> None:
    holder.post(url(contract), {f"part-{part(contract, 'server')}": "let_go"})
    page = main_of(holder.get(url(contract)))
    buttons = re.findall(r'name="tick"\s+value="([^"]+)"', page)
    assert buttons == [f"{part(contract, 'server')}:save_data"], "one's own, in turn"
    assert 'data-step="parts"' in page
    assert set(re.findall(r'data-action="([a-z-]+)"', page)) == {"continue"}

    answer = holder.post(url(contract), {"tick": buttons[0]})

    assert answer.url == url(contract) + "#steps"
    page = main_of(holder.get(url(contract)))
    assert "10 November 2026" in re.sub("<[^>]+>", "", page)
    assert 'name="untick"' in page
    holder.post(url(contract), {"untick": buttons[0]})
    assert steps(contract) == [("server save_data", False), ("server end_hosting", False)]


@pytest.mark.parametrize("button", ["", "x", "1:", ":unlock", "999999:unlock", "1" * 400, "٣:unlock", "None:notice"])
def test_a_button_that_is_none_is_answered_calmly(holder: Client, contract: Contract, button: str) -> None:
    choose(contract, domain="take")

    answer = holder.post(url(contract), {"tick": button})

    assert answer.status_code == 409
    assert "no longer has this step" in answer.content.decode()


def test_staffs_step_pressed_by_the_holder_changes_nothing(holder: Client, contract: Contract) -> None:
    choose(contract, domain="take")

    answer = holder.post(url(contract), {"tick": f"{part(contract, 'domain')}:unlock"})

    assert answer.status_code == 409
    assert "done by somebody else" in answer.content.decode()
    assert not any(done for _name, done in steps(contract))


def test_the_auth_code_stands_on_the_holders_page_once_handed_over_and_nowhere_else(
    holder: Client, contract: Contract, caplog: Any
) -> None:
    choose(contract, domain="take")
    ChecklistItem.objects.filter(code="auth_code").update(note=SECRET)
    tick(contract, "domain", "unlock")
    assert SECRET not in holder.get(url(contract)).content.decode()

    tick(contract, "domain", "auth_code")

    assert SECRET in holder.get(url(contract)).content.decode()
    give_notice(holder, contract)
    drain()
    elsewhere = [
        holder.get(url(contract, step)).content.decode() for step in ("", "cancel/done/")
    ] + [str(list(Event.objects.values())), str(list(Entry.objects.values())), caplog.text]  # fmt: skip
    assert not any(SECRET in text for text in elsewhere)
    let_in(holder, make_customer())
    assert holder.get(url(contract)).status_code == 404


def test_strangers_are_led_to_the_sign_in(client: Client, contract: Contract) -> None:
    assert client.get(url(contract)).url.startswith("/sign-in/?next=")
    assert client.post(url(contract), {"tick": "1:unlock"}).status_code == 302
    let_in(client, make_customer())
    assert client.post(url(contract), {"tick": "1:unlock"}).status_code == 404


def test_a_contract_without_parts_has_no_section_and_leads_back(client: Client) -> None:
    contract = make_contract()
    let_in(client, contract.customer)

    assert client.get(url(contract)).url == url(contract, "")
    assert client.post(url(contract), {"part-1": "take"}).url == url(contract, "")
    for step in ("", "cancel/", "cancel/confirm/"):
        assert "/parts/" not in client.get(url(contract, step)).content.decode()


def test_the_way_to_the_parts_stands_on_every_page_that_shows_them(holder: Client, contract: Contract) -> None:
    for step in ("", "cancel/", "cancel/confirm/"):
        page = holder.get(url(contract, step)).content.decode()
        assert f'href="{url(contract)}"' in page
        assert "choose for each part" in page
    choose(contract, domain="take", server="let_go")
    tick(contract, "domain", "unlock")
    give_notice(holder, contract)

    page = holder.get(url(contract, "cancel/done/")).content.decode()
    assert "1 of 8 done" in page
    assert "Take it along" in page


def test_choices_change_during_the_notice_but_nothing_can_stay(holder: Client, contract: Contract) -> None:
    give_notice(holder, contract)
    page = main_of(holder.get(url(contract)))
    assert 'value="keep"' not in page
    assert "31 December 2026" in re.sub("<[^>]+>", "", page)

    holder.post(url(contract), {f"part-{part(contract, 'domain')}": "take"})

    assert "domain unlock" in dict(steps(contract))


def test_after_the_last_day_the_list_is_read_and_the_choices_stay(holder: Client, contract: Contract) -> None:
    choose(contract, domain="take")
    tick(contract, "domain", "unlock")
    give_notice(holder, contract)
    with time_machine.travel(NOON + timedelta(days=60), tick=False):
        let_in(holder, contract.customer)
        page = main_of(holder.get(url(contract)))
        assert "10 November 2026" in re.sub("<[^>]+>", "", page)
        assert 'type="radio"' not in page
        answer = holder.post(url(contract), {f"part-{part(contract, 'domain')}": "let_go"})

    assert answer.status_code == 409
    assert ComponentChoice.objects.get(component__kind="domain").choice == "take"


def test_a_contract_that_ends_by_itself_asks_for_no_notice(client: Client) -> None:
    contract = make_contract(terms=terms_dict(initial_term={"months": 24}, renewal="none"))
    contract.components.create(kind="domain", name="aoki.example", ends_contract=True)
    let_in(client, contract.customer)

    client.post(url(contract), {f"part-{part(contract, 'domain')}": "take"})

    page = main_of(client.get(url(contract)))
    assert "ends by itself" in page
    assert 'data-action="start"' not in page
    assert steps(contract)[0] == ("domain unlock", False)


def test_a_notice_brings_the_kept_steps_into_line(holder: Client, contract: Contract) -> None:
    choose(contract, mailbox="let_go")
    assert len(steps(contract)) == 2
    notice = give_notice(holder, contract).notice
    assert notice is not None

    for _round in range(2):
        bundles.follow(notice_id=notice.pk, at=NOON)

    assert {name.split()[0] for name, _done in steps(contract)} == {"domain", "server", "mailbox"}


def test_a_notice_without_choices_makes_no_list(holder: Client, contract: Contract) -> None:
    notice = give_notice(holder, contract).notice
    assert notice is not None
    bundles.follow(notice_id=notice.pk, at=NOON)

    assert steps(contract) == []


@pytest.mark.parametrize("count", [1, 4])
def test_budgets_hold_with_parts_and_the_page_costs_two_statements(
    holder: Client, contract: Contract, count: int
) -> None:
    for nth in range(count):
        contract.components.create(kind="mailbox", name=f"box-{nth}")
    choose(contract, domain="take")
    with statements(at_most=2):
        holder.get(url(contract))
    holder.get(url(contract, "cancel/reasons/"))
    with statements(at_most=3):
        overview = holder.get(url(contract, "cancel/"))
    with statements(at_most=4):
        holder.get(url(contract, "cancel/confirm/"))
    with statements(at_most=8):
        holder.post(url(contract, "cancel/now/"), {"quote": quote_on(overview)})


def test_the_confirmation_names_the_checklist_of_a_bundle_only(holder: Client, contract: Contract) -> None:
    give_notice(holder, contract)
    other = make_contract(customer=contract.customer)
    give_notice(holder, other)

    facts = [entry.payload["facts"]["parts_url"] for entry in Entry.objects.filter(topic="letter").order_by("pk")]
    assert facts[0].endswith(url(contract))
    assert facts[1] == ""


# ---------------------------------------------------------------- the desk


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user("carl", password="x", is_staff=True)
    for permission in permissions:
        user.user_permissions.add(Permission.objects.get(codename=permission))
    client = Client()
    client.force_login(user)
    return client


STEPS_LIST = "/admin/cancellation/checklistitem/"


def item_url(code: str) -> str:
    return reverse("admin:cancellation_checklistitem_change", args=[ChecklistItem.objects.get(code=code).pk])


def test_staff_write_the_code_and_mark_the_step_done(contract: Contract) -> None:
    choose(contract, domain="take")
    desk = clerk("change_checklistitem")
    too_soon = desk.post(item_url("auth_code"), {"note": SECRET, "done": "on"})
    assert too_soon.status_code == 200
    assert "This comes first: Unlock aoki.example for the transfer." in too_soon.content.decode()

    desk.post(item_url("unlock"), {"done": "on"})
    answer = desk.post(item_url("auth_code"), {"note": SECRET, "done": "on"})

    assert answer.status_code == 302
    item = ChecklistItem.objects.get(code="auth_code")
    assert (item.note, item.done_by, item.done_at) == (SECRET, "staff:carl", NOON)
    assert SECRET not in desk.get(STEPS_LIST).content.decode()
    desk.post(item_url("auth_code"), {"note": SECRET})
    assert not ChecklistItem.objects.get(code="auth_code").done_at


def test_who_may_only_look_sees_no_code(contract: Contract) -> None:
    choose(contract, domain="take")
    ChecklistItem.objects.filter(code="auth_code").update(note=SECRET)

    page = clerk("view_checklistitem").get(item_url("auth_code")).content.decode()

    assert "Hand over the auth code of aoki.example" in page
    assert SECRET not in page


def test_steps_are_marked_from_the_list_and_refusals_are_said(contract: Contract) -> None:
    choose(contract, domain="take")
    desk = clerk("change_checklistitem")
    chosen = list(ChecklistItem.objects.values_list("pk", flat=True))

    answer = desk.post(STEPS_LIST, {"action": "mark_done", "_selected_action": chosen}, follow=True).content.decode()

    assert "2 steps are changed." in answer
    assert "This comes first: Give notice." in answer
    done = ChecklistItem.objects.filter(done_at__isnull=False).values_list("code", flat=True)
    assert set(done) == {"unlock", "auth_code"}
    desk.post(STEPS_LIST, {"action": "take_back", "_selected_action": chosen})
    assert not ChecklistItem.objects.filter(done_at__isnull=False).exists()


def test_the_list_costs_the_same_for_one_contract_and_for_three(
    contract: Contract, django_assert_num_queries: Any
) -> None:
    desk = clerk("change_checklistitem")
    choose(contract, domain="take")
    desk.get(STEPS_LIST)
    with django_assert_num_queries(10):
        assert "waits for: Unlock aoki.example" in desk.get(STEPS_LIST).content.decode()
    for _nth in range(2):
        other = make_contract()
        other.components.create(kind="domain", name="more.example")
        choose(other, domain="take")
    with django_assert_num_queries(10):
        desk.get(STEPS_LIST, {"state": "ours"})


def test_the_desk_counts_the_steps_that_wait(contract: Contract) -> None:
    choose(contract, domain="take")
    page = clerk("change_checklistitem").get("/admin/").content.decode()

    assert re.search(r"state=ours\"><strong>4</strong> steps of exit checklists", page)


def component_form(contract: Contract, **changes: Any) -> dict[str, Any]:
    rows: dict[str, Any] = {"components-TOTAL_FORMS": "3", "components-INITIAL_FORMS": "3"}
    for nth, one in enumerate(contract.components.order_by("pk")):
        rows |= {
            f"components-{nth}-id": one.pk, f"components-{nth}-contract": contract.pk,
            f"components-{nth}-kind": one.kind, f"components-{nth}-name": one.name,
            f"components-{nth}-depends_on": one.depends_on_id or "",
        }  # fmt: skip
    return rows | changes


def save(desk: Client, contract: Contract, **changes: Any) -> Any:
    import json

    form = {
        "plan": contract.plan_id, "kind": contract.kind, "country": "DE", "terms": json.dumps(contract.terms),
        "starts_on": contract.starts_on, "concluded_at_0": "", "concluded_at_1": "", "currency": "EUR",
        "price_minor": "12.00", "monthly_charge_minor": "12.00", "refund_policy": "monthly", "upfront_cost_minor": "",
        "exit_fee_cap_minor": "",
    }  # fmt: skip
    address = reverse("admin:subscriptions_contract_change", args=[contract.pk])
    return desk.post(address, form | component_form(contract, **changes))


def test_parts_depend_on_parts_of_their_own_contract_and_never_in_a_circle(contract: Contract) -> None:
    desk = clerk("change_contract", "change_component", "view_component")
    domain, server, mailbox = contract.components.order_by("pk")
    other = make_contract().components.create(kind="domain", name="other.example")

    page = desk.get(reverse("admin:subscriptions_contract_change", args=[contract.pk])).content.decode()
    assert "other.example" not in page
    refused = save(desk, contract, **{"components-1-depends_on": other.pk})
    assert refused.status_code == 200
    circle = save(desk, contract, **{"components-0-depends_on": mailbox.pk})
    assert "A part cannot depend on itself" in circle.content.decode()

    kept = save(desk, contract, **{"components-1-depends_on": domain.pk, "components-1-ends_contract": "on"})

    assert kept.status_code == 302, kept.content.decode()
    server.refresh_from_db()
    assert (server.depends_on, server.ends_contract) == (domain, True)


def test_everything_happens_through_actions_that_leave_events(contract: Contract) -> None:
    choose(contract, domain="take")
    tick(contract, "domain", "unlock")
    page = (
        clerk("change_contract", "change_checklistitem")
        .get(reverse("admin:subscriptions_contract_change", args=[contract.pk]))
        .content.decode()
    )

    assert "Choices for the parts" in page
    assert "Domain: Take it along" in page
    assert "Step of the exit checklist done" in page
    assert actions.SYSTEM.name not in Event.objects.values_list("actor", flat=True)
