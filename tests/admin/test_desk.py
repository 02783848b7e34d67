"""The desk: staff find whom they look for, see what happened, and cannot touch what is a fact."""

import html
import json
import re
from datetime import date, timedelta

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from billing.models import Instruction
from cancellation import actions, desk
from cancellation.models import Cancellation, Event, Notice, State
from feedback.models import Answer, Reason
from messaging.models import Letter
from outbox.models import Entry
from subscriptions.models import Contract, Customer, Payment
from tests import desk_rows as rows
from tests.admin.conftest import AT, clerk, tell

pytestmark = pytest.mark.django_db
CUSTOMERS = "/admin/subscriptions/customer/"
FACTS = (Notice, Cancellation, Event, Letter, Answer, Payment, Instruction, Entry)


def page_of(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_of(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"(?s)<script.*?</script>|<[^>]+>", " ", page)))


def found(client, query: str) -> list[str]:
    """Return the references of the customers that a search finds, in order."""
    return re.findall(r'class="field-reference">([^<]*)<', client.get(CUSTOMERS, {"q": query}).text)


# ---------------------------------------------------------------- finding


@pytest.mark.parametrize(
    "told",
    [
        lambda story: "kowalska",
        lambda story: "Anna Kowalska",
        lambda story: "kowalska anna",
        lambda story: story.customer.email.upper(),
        lambda story: story.customer.email.split("@")[0],
        lambda story: story.customer.reference.lower(),
        lambda story: story.contract.reference,
        lambda story: story.contract.reference.removeprefix("C-").lower(),
        lambda story: story.notice.reference,
        lambda story: f"kowalska {story.notice.reference}",
    ],
)
def test_a_customer_is_found_by_anything_they_may_say(admin_client, told):
    looked_for = tell("Anna Kowalska")
    tell("Somebody Else")

    assert found(admin_client, told(looked_for)) == [looked_for.customer.reference]


def test_a_customer_of_three_contracts_and_notices_is_found_once(admin_client):
    customer = rows.customer(name="Anna Kowalska")
    for _ in range(3):
        rows.left(contract=rows.contract(customer=customer, reference=f"C-SAME{_}"))

    assert found(admin_client, "C-SAME") == [customer.reference]


@pytest.mark.parametrize("typed", ["nobody", "%", "_", "'; DROP TABLE", "<script>", "🙂", "a" * 5000])
def test_a_search_that_finds_nobody_is_an_empty_list(admin_client, story, typed):
    assert admin_client.get(CUSTOMERS, {"q": typed}).status_code == 200
    assert found(admin_client, typed) == []


def test_a_search_with_a_null_character_says_so(admin_client, story):
    assert "Null characters are not allowed." in text_of(admin_client.get(CUSTOMERS, {"q": "a\x00"}).text)


# ---------------------------------------------------------------- what happened


def test_a_customers_page_shows_contracts_notices_letters_and_one_line_of_time(admin_client, story):
    page = admin_client.get(page_of(story.customer)).text

    for row in (story.contract, story.notice, story.letter, story.answer, story.payment, story.instruction):
        assert f'href="{page_of(row)}"' in page
    timeline = text_of(page[page.index('id="timeline"') :])
    told = [
        "Why they leave",
        "End scheduled",
        f"Notice {story.notice.reference} received, guided way",
        "Letter sent",
        "Payment of €12.30",
        "For billing: end the contract, 30 June 2026",
    ]
    assert [words for words in told if words not in timeline] == []


def test_the_line_of_time_is_newest_first(story):
    Event.objects.create(contract=story.contract, at=AT + timedelta(days=400), actor="system", what="ended")

    moments = desk.timeline([story.contract], story.customer)

    assert [moment.at for moment in moments] == sorted((moment.at for moment in moments), reverse=True)
    assert moments[0].what == "Contract ended"
    assert moments[-1].what == "Payment of €12.30"
    assert sum(moment.what.startswith("Notice ") for moment in moments) == 1


def test_another_customers_line_of_time_is_not_mixed_in(story):
    other = tell("Not mine")

    words = {moment.words for moment in desk.timeline([story.contract], story.customer)}

    assert "Not mine" not in words
    assert "Not mine" in {moment.words for moment in desk.timeline([other.contract], other.customer)}


def test_a_contracts_page_says_in_plain_words_how_it_ends_and_what_a_notice_now_would_mean(admin_client, time_machine):
    time_machine.move_to(AT)
    contract = rows.contract(terms=rows.TERMS | {"initial_term": {"months": 12}, "renewal": "open_ended"})
    Payment.objects.create(
        contract=contract,
        reference="p",
        paid_from="2026-01-01",
        paid_to="2027-12-31",
        amount_minor=24000,
        currency="EUR",
    )

    text = text_of(admin_client.get(page_of(contract)).text)

    assert "The first term is 1 year. The notice period is 1 month." in text
    assert "A notice received now ends it on 31 December 2026." in text
    # The contract says the end of a month; German law lets it end on any day once the first term is over.
    assert "This holds until 30 November 2026; a day later it would end on 1 January 2027" in text
    assert "Refund €120.00 12 of 24 months are unused: €240.00 × 12 ÷ 24 = €120.00" in text


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (rows.TERMS | {"notice": {"moons": 1}}, "moons"),
        (rows.TERMS | {"timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({}, "starts_on: is missing"),
        ([], "is not an object"),
    ],
)
def test_a_contract_whose_terms_cannot_be_read_still_has_its_page_and_says_why(admin_client, story, terms, said):
    Contract.objects.filter(pk=story.contract.pk).update(terms=terms)

    page = admin_client.get(page_of(story.contract))
    assert page.status_code == 200
    assert said in text_of(page.text)
    for row in (story.customer, story.notice, story.cancellation):
        assert admin_client.get(page_of(row)).status_code == 200
    assert "its terms cannot be read" in text_of(admin_client.get(page_of(story.customer)).text)
    assert "its terms cannot be read" in text_of(admin_client.get(list_of(Contract)).text)


# ---------------------------------------------------------------- facts stay


@pytest.mark.parametrize("model", FACTS, ids=lambda model: model.__name__)
def test_a_fact_is_read_and_never_added_changed_or_deleted_not_even_by_a_superuser(admin_client, story, model):
    row = model.objects.order_by("pk").first()
    before = list(model.objects.values())
    address = page_of(row)

    assert admin_client.get(list_of(model)).status_code == 200
    page = admin_client.get(address)
    assert page.status_code == 200
    assert 'name="_save"' not in page.text
    fields = {field.name: "x" for field in model._meta.concrete_fields}
    refused = {
        "add": admin_client.get(list_of(model) + "add/").status_code,
        "add by post": admin_client.post(list_of(model) + "add/", fields).status_code,
        "change": admin_client.post(address, fields).status_code,
        "delete": admin_client.get(address.replace("/change/", "/delete/")).status_code,
        "delete by post": admin_client.post(address.replace("/change/", "/delete/"), {"post": "yes"}).status_code,
    }
    assert set(refused.values()) == {403}, refused
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post(list_of(model), action)
    assert list(model.objects.values()) == before


@pytest.mark.parametrize("name", ["customer", "contract"])
def test_customers_and_contracts_are_not_deleted_by_a_click(admin_client, story, name):
    row = getattr(story, name)

    assert admin_client.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_secrets_have_no_page():
    names = {model.__name__ for model in admin.site._registry}

    assert names & {"SignInToken", "EntryToken", "Visit", "Session"} == set()


# ---------------------------------------------------------------- editing


def kept_in(page: str, name: str) -> str:
    """Return what stands in a box of a form."""
    area = re.search(rf'(?s)<textarea name="{name}"[^>]*>\n(.*?)</textarea>', page)
    box = re.search(rf'<input[^>]* name="{name}"[^>]*>', page)
    value = re.search(r' value="([^"]*)"', box[0]) if box else None
    return html.unescape(area[1] if area else value[1] if value else "")


def _indented(text: str) -> str:
    """Return JSON as the form writes it, any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2)
    except ValueError:
        return text


def contract_form(contract: Contract, **changes) -> dict[str, str]:
    return {
        "plan": contract.plan_id, "kind": contract.kind, "country": "DE", "terms": json.dumps(contract.terms),
        "starts_on": contract.starts_on, "concluded_at_0": "", "concluded_at_1": "", "currency": "EUR",
        "price_minor": "12.30", "monthly_charge_minor": "12.30", "refund_policy": "monthly", "upfront_cost_minor": "",
        "exit_fee_cap_minor": "", "components-TOTAL_FORMS": "0", "components-INITIAL_FORMS": "0",
    } | changes  # fmt: skip


def test_an_edit_keeps_minor_units_and_leaves_an_event(story):
    client = clerk("subscriptions.change_contract")

    response = client.post(
        page_of(story.contract), contract_form(story.contract, price_minor="13", exit_fee_cap_minor="5,50")
    )

    assert response.status_code == 302, text_of(response.text)
    kept = Contract.objects.get(pk=story.contract.pk)
    assert (kept.price_minor, kept.exit_fee_cap_minor, kept.upfront_cost_minor) == (1300, 550, 0)
    event = Event.objects.get(what=desk.CONTRACT_EDITED)
    assert (event.actor, event.contract) == ("staff:carl", kept)
    assert "price_minor" in event.why
    assert "monthly_charge_minor" not in event.why


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"terms": '{"starts_on": '}, "Enter a valid JSON"),
        ({"terms": "[1]"}, "terms: [1] is not an object"),
        ({"terms": ""}, "This field is required."),
        ({"terms": json.dumps({k: v for k, v in rows.TERMS.items() if k != "notice"})}, "notice: is missing"),
        ({"terms": json.dumps(rows.TERMS | {"notice": {"months": -1}})}, "notice"),
        (
            {"terms": json.dumps(rows.TERMS | {"timezone": "Mars/Olympus"})},
            'timezone: "Mars/Olympus" is not a time zone',
        ),
        ({"starts_on": "2026-02-01"}, "The terms say that the contract starts on 2026-01-01."),
        ({"price_minor": "twelve"}, "“twelve” is not an amount of EUR. Write it like 12.50."),
        ({"price_minor": "12.345"}, "“12.345” is not an amount of EUR"),
        ({"price_minor": "-1"}, "An amount here is not below zero."),
        ({"currency": "JPY", "price_minor": "12.30"}, "“12.30” is not an amount of JPY. Write it like 1250."),
        ({"currency": "ABC"}, "This is not a currency"),
        ({"country": "Germany"}, "at most 2 characters"),
        ({"country": "1!"}, "Give two letters, such as DE."),
    ],
)
def test_what_cannot_be_kept_is_named_and_stays_in_its_box(admin_client, story, changes, said):
    before = Contract.objects.filter(pk=story.contract.pk).values().get()

    response = admin_client.post(page_of(story.contract), contract_form(story.contract, **changes))

    assert response.status_code == 200
    assert said in text_of(response.text)
    for name, typed in changes.items():
        assert kept_in(response.text, name) in (typed, _indented(typed))
    assert Contract.objects.filter(pk=story.contract.pk).values().get() == before


def test_a_contract_can_be_entered_by_hand(admin_client):
    customer = rows.customer()
    form = contract_form(rows.contract(), reference="C-HAND", customer=customer.pk, price_minor="99.99")

    response = admin_client.post(list_of(Contract) + "add/", form)

    assert response.status_code == 302, text_of(response.text)
    made = Contract.objects.get(reference="C-HAND")
    assert (made.customer, made.price_minor, made.upfront_cost_minor) == (customer, 9999, 0)


def test_a_price_list_takes_amounts_as_people_write_them(admin_client):
    plan = rows.plan()
    lines = {
        "product": plan.product_id, "code": plan.code, "name": plan.name, "prices-TOTAL_FORMS": 1,
        "prices-INITIAL_FORMS": 0, "prices-0-valid_from": "2026-01-01", "prices-0-currency": "kwd",
        "prices-0-price_minor": "1.250",
    }  # fmt: skip

    response = admin_client.post(page_of(plan), lines)

    assert response.status_code == 302, text_of(response.text)
    assert list(plan.prices.values_list("price_minor", "currency")) == [(1250, "KWD")]


# ---------------------------------------------------------------- instructions


def test_an_instruction_is_marked_done_once_with_an_event(story):
    client = clerk("billing.view_instruction", "billing.change_instruction")
    action = {"action": "mark_done", "_selected_action": [story.instruction.pk]}

    for _click in range(2):
        client.post(list_of(Instruction), action)

    story.instruction.refresh_from_db()
    assert (story.instruction.outcome, story.instruction.done_at is None) == ("done", False)
    event = Event.objects.get(what="instruction done")
    assert (event.actor, event.contract, event.cancellation, event.before, event.after) == (
        "staff:carl", story.contract, story.cancellation, "open", "done",
    )  # fmt: skip


def test_who_may_only_look_cannot_mark_done(story):
    client = clerk("billing.view_instruction")

    client.post(list_of(Instruction), {"action": "mark_done", "_selected_action": [story.instruction.pk]})

    story.instruction.refresh_from_db()
    assert story.instruction.outcome == "open"
    assert not Event.objects.filter(what="instruction done").exists()


# ---------------------------------------------------------------- outbox


def outbox_entries() -> dict[str, Entry]:
    now = timezone.now()
    given = {
        "pending": {},
        "failed": {"attempts": 2, "last_error": "refused"},
        "dead": {"attempts": 80, "dead_at": now},
        "delivered": {"delivered_at": now},
        "held": {"claimed_at": now, "claimed_by": "worker"},
    }
    Entry.objects.all().delete()
    return {name: Entry.objects.create(topic="letter", dedupe_key=name, due_at=now + timedelta(hours=1), **fields)
            for name, fields in given.items()}  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "listed"),
    [("pending", {"pending", "held"}), ("failed", {"failed"}), ("dead", {"dead"}), ("delivered", {"delivered"})],
)
def test_promises_are_listed_by_what_became_of_them(admin_client, outcome, listed):
    outbox_entries()

    page = admin_client.get(list_of(Entry), {"outcome": outcome}).text

    assert set(re.findall(r'class="field-dedupe_key"><a[^>]*>(\w+)<', page)) == listed


def test_another_try_frees_what_failed_and_leaves_alone_what_is_delivered_or_held(admin_client):
    entries = outbox_entries()

    admin_client.post(
        list_of(Entry), {"action": "try_again", "_selected_action": [entry.pk for entry in entries.values()]}
    )

    now = timezone.now()
    after = {entry.dedupe_key: entry for entry in Entry.objects.all()}
    assert {name for name, entry in after.items() if entry.due_at <= now} == {"pending", "failed", "dead"}
    assert {name for name, entry in after.items() if entry.dead_at} == set()
    assert after["dead"].attempts == 0
    assert after["held"].claimed_by == "worker"
    assert after["delivered"].delivered_at == entries["delivered"].delivered_at


# ---------------------------------------------------------------- notices


def test_notices_are_filtered_by_what_follows(admin_client):
    ending = tell()
    waiting = Notice.objects.create(
        contract=rows.contract(),
        channel="desk",
        received_at=AT,
        actor="system",
        idempotency_key="w",
        reference="N-WAITS",
    )
    elsewhere = Notice.objects.create(
        contract=ending.contract,
        channel="desk",
        received_at=AT,
        actor="system",
        idempotency_key="e",
        reference="N-OTHER",
    )
    actions.close(notice=elsewhere, actor=actions.SYSTEM, why="it ends by another notice")
    nothing = Notice.objects.create(
        contract=rows.contract(),
        channel="desk",
        received_at=AT,
        actor="system",
        idempotency_key="n",
        reference="N-OVER",
    )
    actions.close(notice=nothing, actor=actions.SYSTEM, why=actions.ENDED_BY_ITSELF)
    unmatched = Notice.objects.create(
        contract=None,
        channel="desk",
        received_at=AT,
        actor="x",
        idempotency_key="u",
        state="unmatched",
        reference="N-WHO",
    )

    def listed(follows: str) -> set[str]:
        page = admin_client.get(list_of(Notice), {"follows": follows}).text
        return set(re.findall(r'class="field-reference"><a[^>]*>([\w-]+)<', page))

    assert listed("waiting") == {waiting.reference}
    assert listed("end") == {ending.notice.reference}
    assert listed("nothing") == {nothing.reference, elsewhere.reference}
    assert listed("unmatched") == {unmatched.reference}
    assert listed("none") == {waiting.reference, elsewhere.reference, nothing.reference, unmatched.reference}
    index = text_of(admin_client.get("/admin/").text)
    assert "1 notices whose holder is asked" in index


def test_contracts_are_filtered_by_whether_an_end_is_set(admin_client, time_machine):
    time_machine.move_to(AT)
    running = rows.contract(reference="C-RUNS")
    ending = tell().contract
    ended = rows.left("2026-01-31").contract
    undone = rows.left("2026-01-31", state=State.REVOKED).contract

    def listed(state: str) -> set[str]:
        page = admin_client.get(list_of(Contract), {"state": state}).text
        return set(re.findall(r'class="field-reference"><a[^>]*>([\w-]+)<', page))

    assert listed("running") == {running.reference, undone.reference}
    assert listed("ending") == {ending.reference}
    assert listed("ended") == {ended.reference}


# ---------------------------------------------------------------- lists at size


LISTED = [*FACTS, Customer, Contract]


@pytest.mark.parametrize("model", LISTED, ids=lambda model: model.__name__)
def test_three_rows_are_listed_with_as_many_statements_as_one(admin_client, django_assert_num_queries, model):
    tell("one")
    with_one = _statements(admin_client, list_of(model))
    tell("two")
    tell("three")

    with django_assert_num_queries(len(with_one)):
        admin_client.get(list_of(model))


def test_a_customers_page_costs_the_same_for_three_contracts_as_for_one(
    admin_client, story, django_assert_max_num_queries
):
    with_one = _statements(admin_client, page_of(story.customer))
    for number in range(2):
        other = tell(f"more {number}")
        Contract.objects.filter(pk=other.contract.pk).update(customer=story.customer)

    # A quote needs the payments of its contract: one statement each, and only for contracts without an end.
    with django_assert_max_num_queries(len(with_one)):
        admin_client.get(page_of(story.customer))


def _statements(client, address: str) -> list[str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("model", LISTED, ids=lambda model: model.__name__)
def test_a_list_never_counts_a_whole_table(admin_client, story, model):
    table = model._meta.db_table

    counting = [sql for sql in _statements(admin_client, list_of(model)) if "COUNT(" in sql and f'"{table}"' in sql]

    assert [sql for sql in counting if "LIMIT" not in sql] == []


def test_beyond_the_cap_a_list_asks_to_search(admin_client, monkeypatch):
    import config.admin

    monkeypatch.setattr(config.admin, "MOST_COUNTED", 3)
    for _ in range(4):
        rows.customer()

    assert "3 or more: search for what you need." in text_of(admin_client.get(CUSTOMERS).text)


# ---------------------------------------------------------------- reasons


def reason_form(**changes) -> dict[str, str]:
    return {"code": "too-far", "root": "circumstance", "position": "5", "active": "on", "label_en": "Too far"} | changes


def test_a_reason_is_added_with_its_words_and_offered_at_once(admin_client, django_capture_on_commit_callbacks):
    from feedback.queries import offered_reasons

    offered_reasons()
    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(
            list_of(Reason) + "add/", reason_form(label_de="Zu weit weg", label_ja="遠すぎる", label_pl=" ")
        )

    assert response.status_code == 302, text_of(response.text)
    assert Reason.objects.get(code="too-far").labels == {"en": "Too far", "de": "Zu weit weg", "ja": "遠すぎる"}
    assert "too-far" in {reason.code for group in offered_reasons() for reason in group.reasons}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label_en": ""}, "This field is required."),
        ({"label_fr": "x" * 121}, "at most 120 characters"),
        ({"root": "weather"}, "weather is not one of the available choices"),
        ({"code": "two words"}, "slug"),
    ],
)
def test_a_reason_that_makes_no_sense_is_refused(admin_client, changes, said):
    response = admin_client.post(list_of(Reason) + "add/", reason_form(**changes))

    assert response.status_code == 200
    assert said in text_of(response.text)
    assert not Reason.objects.filter(position=5, labels__en="Too far").exists()


def test_editing_a_reason_keeps_its_code_and_words_in_languages_the_desk_does_not_speak(admin_client):
    reason = Reason.objects.create(code="kept", root="cost", labels={"en": "Old", "nl": "Oud"})

    admin_client.post(page_of(reason), reason_form(code="changed", label_en="New"))

    reason.refresh_from_db()
    assert (reason.code, reason.labels) == ("kept", {"en": "New", "nl": "Oud"})


@pytest.mark.parametrize("how", ["primary", "ticked"])
def test_a_reason_that_somebody_gave_cannot_be_deleted(admin_client, story, how):
    used = Reason.objects.create(code="used", root="cost", labels={"en": "Used"})
    if how == "primary":
        Answer.objects.filter(pk=story.answer.pk).update(primary=used)
    else:
        story.answer.reasons.add(used)

    assert admin_client.post(page_of(used).replace("change", "delete"), {"post": "yes"}).status_code == 403
    admin_client.post(list_of(Reason), {"action": "delete_selected", "_selected_action": [used.pk], "post": "yes"})
    assert Reason.objects.filter(pk=used.pk).exists()


def test_a_reason_that_nobody_gave_can_go(admin_client):
    unused = Reason.objects.create(code="unused", root="cost", labels={"en": "Unused"})

    admin_client.post(page_of(unused).replace("change", "delete"), {"post": "yes"})

    assert not Reason.objects.filter(pk=unused.pk).exists()


# ---------------------------------------------------------------- signing in


def test_the_way_in_wears_the_operators_name(client, settings):
    settings.OPERATOR = settings.OPERATOR | {"name": "Birch & Sons"}

    page = client.get("/admin/login/").text

    assert "Birch &amp; Sons" in page
    assert "Django" not in page
    assert "/static/fairwell/admin.css" in page


def test_guessing_passwords_ends_in_a_page_that_says_so(client, django_user_model):
    django_user_model.objects.create_user("carl", password="right", is_staff=True)

    answers = [client.post("/admin/login/", {"username": "carl", "password": f"no{n}"}) for n in range(6)]
    last = client.post("/admin/login/", {"username": "carl", "password": "right"})

    assert answers[0].status_code == 200
    assert last.status_code == 429
    assert "Too many tries" in last.text


def test_the_desk_leads_to_the_reports_for_those_who_may_read_them(admin_client, story):
    assert 'href="/reports/reasons/"' in admin_client.get("/admin/").text
    assert 'href="/reports/reasons/"' not in clerk("subscriptions.view_customer").get("/admin/").text


def test_the_first_page_shows_only_what_somebody_may_see(story):
    text = text_of(clerk("billing.view_instruction").get("/admin/").text)

    assert "1 instructions for billing" in text
    assert "promises given up" not in text
    assert "Find a customer" not in text


def test_a_customer_who_lost_a_phone_is_signed_out_everywhere(admin_client):
    lost, other = rows.customer(), rows.customer()

    admin_client.post(list_of(Customer), {"action": "sign_out_everywhere", "_selected_action": [lost.pk]}, follow=True)

    lost.refresh_from_db()
    other.refresh_from_db()
    assert (lost.sign_in_epoch, other.sign_in_epoch) == (1, 0)


# ---------------------------------------------------------------- what an option needs of billing


@pytest.fixture
def for_an_option(story):
    """Return an open instruction that comes of an agreed option."""
    return Instruction.objects.create(
        key="option:pause:7", contract=story.contract, acceptance_id=7, kind="pause", on_day=date(2026, 12, 1),
        currency="EUR", facts={"until": "2027-01-31"},
    )  # fmt: skip


def test_staff_say_why_an_option_could_not_be_carried_out(story, for_an_option):
    client = clerk("billing.view_instruction", "billing.change_instruction")
    chosen = {"action": "mark_failed", "_selected_action": [for_an_option.pk, story.instruction.pk]}

    page = client.post(list_of(Instruction), chosen)
    empty = client.post(list_of(Instruction), chosen | {"why": "  "})
    done = client.post(list_of(Instruction), chosen | {"why": "no such tariff"}, follow=True)

    assert (page.status_code, empty.status_code) == (200, 422)
    assert story.contract.reference in page.text
    assert "This field is required." in empty.text
    assert "1 instruction is noted" in done.text
    for_an_option.refresh_from_db()
    story.instruction.refresh_from_db()
    assert (for_an_option.outcome, for_an_option.fault) == ("failed", "no such tariff")
    assert (story.instruction.outcome, story.instruction.fault) == ("open", "")
    event = Event.objects.get(what="instruction failed")
    assert (event.actor, event.before, event.after) == ("staff:carl", "open", "failed")
    assert Entry.objects.get(topic="option-result").payload["why"] == "no such tariff"
    assert "no such tariff" in client.get(page_of(for_an_option)).text


def test_an_end_is_not_given_up_and_the_desk_says_so(story):
    client = clerk("billing.view_instruction", "billing.change_instruction")

    told = client.post(
        list_of(Instruction), {"action": "mark_failed", "_selected_action": [story.instruction.pk]}, follow=True
    )

    assert "An end or a refund stays to be done." in told.text
    story.instruction.refresh_from_db()
    assert story.instruction.outcome == "open"
