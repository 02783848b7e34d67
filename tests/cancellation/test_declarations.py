"""What comes after a declaration was recorded: matching, the holder's letter, "that was not me", the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core import signing
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cancellation import actions, declarations, matching
from cancellation.letters import NOT_ME_SALT, not_me_url
from cancellation.models import (
    Cancellation,
    Channel,
    Declared,
    DeskTask,
    Event,
    Evidence,
    Notice,
    NoticeState,
    Receipt,
    State,
    TaskKind,
)
from config.logs import blot_out_links
from messaging.models import Letter
from outbox.drain import drain
from outbox.models import Entry
from subscriptions.models import Contract
from tests.cancellation.door_help import declare
from tests.factories import NOON, make_contract, make_customer, pay, terms_dict

pytestmark = pytest.mark.django_db
ADA = {"name": "Ada Wren", "email": "ada@example.org"}


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield
    cache.clear()


@pytest.fixture
def contract() -> Contract:
    return make_contract(reference="C-7KQ2MX4P", customer=make_customer(**ADA))


@pytest.fixture
def staff() -> Client:
    client, user = Client(), User.objects.create_user("kim", password="x", is_staff=True)
    names = ["view_declared", "change_declared", "view_notice", "view_contract"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def settled(client: Client, path: str = "/cancel/de/", **said: Any) -> Notice:
    """Declare at a door, let a worker do its round, and return the notice."""
    before = set(Notice.objects.values_list("pk", flat=True))
    declare(client, path, **said)
    drain()
    return Notice.objects.exclude(pk__in=before).get()


def letters_to(address: str) -> list[Letter]:
    return list(Letter.objects.filter(to=address).order_by("pk"))


def happened(notice: Notice) -> list[str]:
    return list(Event.objects.filter(notice=notice).order_by("pk").values_list("what", flat=True))


# ---------------------------------------------------------------- R6: accept first, match later


def test_r06_a_declaration_that_fits_no_contract_is_stored_receipted_and_queued(client: Client) -> None:
    notice = settled(client, **ADA, reference="something of yours")
    assert (notice.state, notice.contract) == (NoticeState.UNMATCHED, None)
    assert notice.received_at == NOON
    receipt = Receipt.objects.get()
    assert (receipt.kind, receipt.document["notice"]["declared"]["reference"]) == ("received", "something of yours")
    (letter,) = letters_to("ada@example.org")
    assert (letter.kind, letter.sent_at is not None) == ("declaration-received", True)
    assert receipt.number in letter.text


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param({}, "reference and e-mail address", id="as-on-file"),
        pytest.param({"name": "Somebody"}, "reference and e-mail address", id="another-name"),
        pytest.param({"email": "ADA@Example.ORG"}, "reference and e-mail address", id="an-address-in-capitals"),
        pytest.param({"email": "other@example.org"}, "reference and name", id="another-address"),
        pytest.param(
            {"email": "x@example.org", "name": "  ADA   wren "}, "reference and name", id="a-name-in-capitals"
        ),
        pytest.param(
            {"email": "x@example.org", "name": "Ａｄａ Wren"}, "reference and name", id="letters-of-full-width"
        ),
        pytest.param({"reference": "c7kq2mx4p"}, "reference and e-mail address", id="no-dash"),
        pytest.param({"reference": " C – 7KQ2 MX4P "}, "reference and e-mail address", id="blanks-and-a-long-dash"),
        pytest.param(
            {"reference": "c-7kq2-mx4p", "email": "x@example.org"}, "reference and name", id="dashes-elsewhere"
        ),
    ],
)
def test_r06_reference_with_address_or_name_is_an_exact_match(
    client: Client, contract: Contract, said: dict[str, str], why: str
) -> None:
    notice = settled(client, **{"reference": contract.reference, **ADA, **said})
    assert (notice.state, notice.contract) == (NoticeState.MATCHED, contract)
    assert Event.objects.get(notice=notice, what="notice matched").why == why
    assert Cancellation.objects.get().last_day == date(2026, 12, 31)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"reference": "C-7KQ2MX4Q"}, id="a-letter-is-wrong"),
        pytest.param({"reference": "the hosting contract"}, id="words"),
        pytest.param({"reference": "C-7KQ2MX4P (hosting)"}, id="more-than-the-reference"),
        pytest.param({"name": "Ada Wrenn", "email": "x@example.org"}, id="neither-name-nor-address"),
        pytest.param({"reference": " - "}, id="no-sign-of-a-reference"),
    ],
)
def test_r06_what_only_looks_alike_is_never_scheduled_by_itself(
    client: Client, contract: Contract, said: dict[str, str]
) -> None:
    notice = settled(client, **{"reference": contract.reference, **ADA, **said})
    assert (notice.state, notice.contract) == (NoticeState.UNMATCHED, None)
    assert not Cancellation.objects.exists()
    assert [letter.kind for letter in Letter.objects.all()] == ["declaration-received"]


def test_two_contracts_that_agree_are_for_a_person(client: Client) -> None:
    customer = make_customer(**ADA)
    make_contract(customer=customer, reference="AB-1")
    make_contract(customer=customer, reference="A-B1")
    assert settled(client, **ADA, reference="ab1").state == NoticeState.UNMATCHED
    assert settled(client, **ADA, reference="AB-1").state == NoticeState.MATCHED


def test_the_original_instant_counts_when_the_match_comes_later(client: Client, contract: Contract) -> None:
    declare(client, "/cancel/de/", **ADA, reference=contract.reference)
    with time_machine.travel(NOON + timedelta(days=40), tick=False):
        drain()
    cancellation = Cancellation.objects.get()
    assert (cancellation.received_on, cancellation.last_day) == (date(2026, 11, 10), date(2026, 12, 31))


def test_settling_twice_changes_nothing(client: Client, contract: Contract) -> None:
    notice = settled(client, **ADA, reference=contract.reference)
    before = happened(notice), Letter.objects.count(), Receipt.objects.count()
    for _again in range(2):
        declarations.settle(notice_id=notice.pk)
        actions.settle(notice_id=notice.pk)
        drain()
    assert (happened(notice), Letter.objects.count(), Receipt.objects.count()) == before


def test_what_a_process_left_half_way_is_taken_up(
    client: Client, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(**_given: Any) -> None:
        raise RuntimeError("the process is gone")

    with monkeypatch.context() as patch:
        patch.setattr("cancellation.receipts.issue", dies)
        declare(client, "/cancel/de/", **ADA, reference=contract.reference)
    with monkeypatch.context() as patch:
        patch.setattr("cancellation.actions.confirm", dies)
        drain()
    notice = Notice.objects.get()
    assert (notice.state, Cancellation.objects.count()) == (NoticeState.MATCHED, 0)

    with time_machine.travel(NOON + timedelta(minutes=30), tick=False):
        drain()

    assert Cancellation.objects.get().received_on == date(2026, 11, 10)
    assert {letter.kind for letter in letters_to("ada@example.org")} == {"declaration-received", "end-confirmed"}


def test_the_words_are_kept_apart_and_the_notice_holds_their_digest(client: Client) -> None:
    notice = settled(client, **ADA, reference="C-1", kind="for_cause", reason="private matters")
    declared = notice.declared
    said = declarations.Said("Ada Wren", "C-1", "ada@example.org", "", "", "private matters", None)
    assert notice.digest == declarations.digest(said, declared.salt)
    assert declared.erase_on == date(2030, 1, 1)
    for word in ("Ada", "C-1", "private"):
        assert word not in notice.declaration + str(notice.asks) + notice.actor


# ---------------------------------------------------------------- who is told what


def test_the_typed_address_learns_nothing_but_the_declaration_and_the_holder_everything(
    client: Client, contract: Contract
) -> None:
    pay(contract, "2026-11-01", "2027-10-31", 14_400)
    page = declare(client, "/cancel/de/", name="Ada Wren", email="stranger@example.org", reference="c-7kq2mx4p")
    stranger = declare(client, "/cancel/de/", name="Nobody", email="nobody@example.org", reference="X")
    drain()

    (receipt,) = letters_to("stranger@example.org")
    for told in (receipt.text, receipt.html, receipt.subject, page.content.decode()):
        assert contract.reference not in told
        assert "2026-12-31" not in told
        assert "31 December" not in told
        assert "Server S" not in told
    (end,) = letters_to("ada@example.org")
    assert end.kind == "end-confirmed"
    assert "31 December 2026" in end.text
    assert not_me_url(Notice.objects.get(contract=contract)) in end.text
    # The same page for whom nothing was found.
    pages = [
        re.sub(r"Ada Wren|Nobody|\w+@example.org|c-7kq2mx4p|\bX\b|[NR]-\w+|[\w-]{40,}", "", one.content.decode())
        for one in (page, stranger)
    ]
    assert pages[0] == pages[1]


def test_a_contract_that_ends_already_closes_the_notice_and_tells_its_holder(
    client: Client, contract: Contract
) -> None:
    first = settled(client, **ADA, reference=contract.reference)
    second = settled(client, **ADA, reference=contract.reference, wished_on="2026-11-20")
    assert (first.state, second.state) == (NoticeState.MATCHED, NoticeState.CLOSED)
    assert Cancellation.objects.count() == 1
    assert letters_to("ada@example.org")[-1].kind == "declaration-on-file"


def test_a_contract_that_had_ended_by_itself_is_told(client: Client) -> None:
    ended = terms_dict(initial_term={"months": 12}, renewal="none")
    make_contract(customer=make_customer(**ADA), reference="C-1", terms=ended)
    notice = settled(client, **ADA, reference="C-1")
    assert notice.state == NoticeState.CLOSED
    assert "ended by itself" in letters_to("ada@example.org")[-1].text


def test_terms_that_nobody_can_read_are_for_the_desk_and_the_holder_is_told(client: Client, contract: Contract) -> None:
    Contract.objects.filter(pk=contract.pk).update(terms={"broken": True})
    notice = settled(client, **ADA, reference=contract.reference)
    assert notice.state == NoticeState.MATCHED
    assert "waits for the desk" in happened(notice)
    assert [letter.kind for letter in letters_to("ada@example.org")] == ["declaration-received", "declaration-on-file"]
    drain()
    assert happened(notice).count("waits for the desk") == 1


# ---------------------------------------------------------------- days and causes


@pytest.mark.parametrize(
    ("wished", "ends"),
    [
        pytest.param("", "2026-12-31", id="none-is-the-earliest"),
        pytest.param("1900-01-01", "2026-12-31", id="over-is-the-earliest"),
        pytest.param("2026-11-20", "2026-12-31", id="too-early-is-the-earliest"),
        pytest.param("2027-05-31", "2027-05-31", id="later-is-honoured"),
    ],
)
def test_r10_the_wished_day(client: Client, contract: Contract, wished: str, ends: str) -> None:
    settled(client, **ADA, reference=contract.reference, wished_on=wished)
    assert Cancellation.objects.get().last_day.isoformat() == ends
    told = letters_to("ada@example.org")[-1].text
    assert ("You wished for" in told) == (wished not in ("", ends))


def test_the_year_3000_goes_to_a_person(client: Client, contract: Contract) -> None:
    notice = settled(client, **ADA, reference=contract.reference, wished_on="3000-01-01")
    assert (notice.asks["day"], notice.state) == ("3000-01-01", NoticeState.MATCHED)
    assert not Cancellation.objects.exists()
    assert Event.objects.get(notice=notice, what="waits for the desk").why == "the wished day is far away"
    drain()
    assert not Cancellation.objects.exists()


def test_a_cause_is_put_before_the_desk_and_the_ordinary_end_is_safe(client: Client, contract: Contract) -> None:
    settled(client, **ADA, reference=contract.reference, kind="for_cause", reason="no service since May")
    cancellation = Cancellation.objects.get()
    assert (cancellation.judgement, cancellation.last_day) == ("open", date(2026, 12, 31))


def test_r13_a_withdrawal_in_time_ends_the_contract_and_says_until_when_the_money_is_back(client: Client) -> None:
    contract = make_contract(
        customer=make_customer(**ADA),
        reference="C-1",
        concluded_at=NOON - timedelta(days=3),
        asked_to_start=True,
        terms=terms_dict(starts_on="2026-11-07", billing_anchor="2026-11-07", notice_to="billing_period"),
    )
    pay(contract, "2026-11-07", "2026-12-06", 1200)
    notice = settled(client, "/withdraw/de/", **ADA, reference="C-1")
    cancellation = Cancellation.objects.get()
    assert (cancellation.way, cancellation.last_day, cancellation.notice) == ("withdrawal", date(2026, 11, 10), notice)
    received, confirmed = letters_to("ada@example.org")
    assert (received.kind, confirmed.kind) == ("withdrawal-received", "withdrawal-confirmed")
    # Fourteen days after the tenth; a Tuesday or not, nothing moves it.
    assert "24 November 2026" in confirmed.text
    assert Receipt.objects.filter(kind="withdrawn").count() == 1


def test_r13_the_day_of_the_refund_is_never_moved_to_a_working_day(client: Client) -> None:
    with time_machine.travel(NOON.replace(day=7), tick=False):
        make_contract(customer=make_customer(**ADA), reference="C-1", concluded_at=NOON.replace(day=6))
        settled(client, "/withdraw/de/", **ADA, reference="C-1")
    assert Letter.objects.get(kind="withdrawal-confirmed")
    facts = Entry.objects.get(dedupe_key__startswith="end-confirmed").payload["facts"]
    assert facts["refund_due_on"] == "2026-11-21"  # a Saturday


def test_r13_a_withdrawal_out_of_time_is_recorded_and_a_person_looks(client: Client) -> None:
    make_contract(customer=make_customer(**ADA), reference="C-1", concluded_at=NOON - timedelta(days=60))
    notice = settled(client, "/withdraw/de/", **ADA, reference="C-1")
    assert notice.state == NoticeState.MATCHED
    assert Event.objects.get(notice=notice, what="waits for the desk").why == "the time for a withdrawal is over"
    assert not Cancellation.objects.exists()
    assert [letter.kind for letter in letters_to("ada@example.org")] == ["withdrawal-received", "declaration-on-file"]


# ---------------------------------------------------------------- that was not me


def test_the_holder_says_not_me_and_nothing_is_lost(client: Client, contract: Contract) -> None:
    notice = settled(client, name="Ada Wren", email="stranger@example.org", reference=contract.reference)
    path = not_me_url(notice).partition("//")[2].partition("/")[2]
    strict = Client(enforce_csrf_checks=True)

    for _mail_scanner in range(2):
        assert strict.get(f"/{path}").status_code == 200
    notice.refresh_from_db()
    assert notice.state == NoticeState.MATCHED

    for _click in range(2):
        answer = strict.post(f"/{path}", follow=True)
        assert "that was not you" in answer.content.decode()
    drain()

    notice.refresh_from_db()
    cancellation = Cancellation.objects.get()
    assert (notice.state, cancellation.state) == (NoticeState.REPUDIATED, State.REVOKED)
    assert happened(notice).count("notice repudiated") == happened(notice).count("undone") == 1
    assert [letter.kind for letter in letters_to("ada@example.org")] == ["end-confirmed", "undo-confirmed"]
    assert Declared.objects.get().name == "Ada Wren"
    drain()
    assert Cancellation.objects.exclude(state=State.REVOKED).count() == 0


def test_the_holder_may_cancel_themselves_afterwards(client: Client, contract: Contract) -> None:
    notice = settled(client, name="Ada Wren", email="stranger@example.org", reference=contract.reference)
    declarations.repudiate(notice=notice, actor=declarations.HOLDER, at=NOON, why="not me")
    settled(client, **ADA, reference=contract.reference)
    assert Cancellation.objects.exclude(state=State.REVOKED).count() == 1


def test_a_repudiation_without_an_end_has_a_letter_of_its_own(client: Client, contract: Contract) -> None:
    notice = settled(client, **ADA, reference=contract.reference, wished_on="3000-01-01")
    assert declarations.repudiate(notice=notice, actor=declarations.HOLDER, at=NOON, why="not me")
    assert not declarations.repudiate(notice=notice, actor=declarations.HOLDER, at=NOON, why="not me")
    drain()
    assert letters_to("ada@example.org")[-1].kind == "declaration-repudiated"


def test_an_end_that_is_over_stays_and_the_desk_is_asked(client: Client, contract: Contract) -> None:
    notice = settled(client, **ADA, reference=contract.reference)
    after = NOON + timedelta(days=60)
    assert declarations.repudiate(notice=notice, actor=declarations.HOLDER, at=after, why="not me")
    assert Cancellation.objects.get().state == State.SCHEDULED
    assert Event.objects.get(what="waits for the desk").why == "repudiated after the last day"
    task = DeskTask.objects.get(kind=TaskKind.REPUDIATED, done_at=None)
    assert task.wishes["why"] == "repudiated after the last day"
    assert task.is_urgent


@pytest.mark.parametrize("token", ["", "1", "1.forged", f"1.{'x' * 300}"])
def test_a_forged_link_does_nothing(client: Client, contract: Contract, token: str) -> None:
    settled(client, **ADA, reference=contract.reference)
    assert client.post(f"/not-me/{token}/").status_code == 404
    assert not Notice.objects.filter(state=NoticeState.REPUDIATED).exists()


def test_a_link_of_a_notice_without_a_contract_leads_nowhere(client: Client) -> None:
    notice = settled(client, **ADA, reference="?")
    token = signing.Signer(salt=NOT_ME_SALT, sep=".").sign(str(notice.pk))
    assert client.get(f"/not-me/{token}/").status_code == 404


# ---------------------------------------------------------------- the desk


def test_what_is_held_back_is_released_with_its_letter_and_its_match(
    client: Client, staff: Client, contract: Contract
) -> None:
    for number in range(20):
        client.post("/cancel/de/", {**ADA, "reference": f"X-{number}"})
    client.post("/cancel/de/", {**ADA, "reference": contract.reference})
    notice = Notice.objects.get(state=NoticeState.QUARANTINED)
    drain()
    assert not Cancellation.objects.exists()
    assert Letter.objects.count() == 20
    page = f"/admin/cancellation/declared/{notice.declared.pk}/"

    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        for _click in range(2):
            staff.post(f"{page}release/")
        drain()

    notice.refresh_from_db()
    assert notice.state == NoticeState.MATCHED
    assert Cancellation.objects.get().received_on == date(2026, 11, 10)
    assert Letter.objects.filter(kind="declaration-received").count() == 21
    assert Event.objects.get(what="notice released").actor == "staff:kim"


def test_the_queue_shows_candidates_and_a_person_decides(client: Client, staff: Client, contract: Contract) -> None:
    notice = settled(client, name="Ada Wrenn", email="ada@example.org", reference="C-7KQ2MX4Q")
    make_contract(reference="C-AAAAAAAA")
    page = f"/admin/cancellation/declared/{notice.declared.pk}/"

    shown = staff.get(f"{page}change/").content.decode()
    assert contract.reference in shown
    assert "a similar reference, the same e-mail address, a similar name" in shown
    assert "C-AAAAAAAA" not in shown
    assert "C-7KQ2MX4Q" in staff.get("/admin/cancellation/declared/?state=waiting").content.decode()

    asked = staff.get(f"{page}match/?reference={contract.reference}")
    assert "This is the contract" in asked.content.decode()
    assert not Cancellation.objects.exists()
    with time_machine.travel(NOON + timedelta(days=10), tick=False):
        for _click in range(2):
            staff.post(f"{page}match/", {"reference": contract.reference, "confirm": "1"})
        drain()

    notice.refresh_from_db()
    assert (notice.state, notice.contract) == (NoticeState.MATCHED, contract)
    assert Cancellation.objects.get().last_day == date(2026, 12, 31)
    matched = Event.objects.get(what="notice matched")
    assert (matched.actor, matched.why) == ("staff:kim", "matched at the desk")
    assert letters_to("ada@example.org")[-1].kind == "end-confirmed"


@pytest.mark.parametrize("reference", ["", "C-NONE", "\x00"])
def test_a_reference_that_is_none_is_refused_at_the_desk(client: Client, staff: Client, reference: str) -> None:
    notice = settled(client, **ADA, reference="?")
    page = f"/admin/cancellation/declared/{notice.declared.pk}/match/"
    answer = staff.post(page, {"reference": reference, "confirm": "1"}, follow=True)
    assert answer.status_code == 200
    assert not Event.objects.filter(what="notice matched").exists()


def test_staff_repudiate_with_a_reason(client: Client, staff: Client) -> None:
    notice = settled(client, **ADA, reference="?")
    page = f"/admin/cancellation/declared/{notice.declared.pk}/repudiate/"
    staff.post(page, {"why": ""})
    assert not Event.objects.filter(what="notice repudiated").exists()
    staff.post(page, {"why": "a joke, says the sender"})
    event = Event.objects.get(what="notice repudiated")
    assert (event.why, event.before, event.after) == ("a joke, says the sender", "unmatched", "repudiated")
    drain()
    assert [letter.kind for letter in Letter.objects.all()] == ["declaration-received"]


def test_evidence_is_a_download_that_no_browser_runs(client: Client, staff: Client) -> None:
    file = SimpleUploadedFile('łóżko "x".txt', b"<script>alert(1)</script>")
    declare(client, "/cancel/", **ADA, reference="C-1", kind="for_cause", evidence=[file])
    row = Evidence.objects.get()
    assert row.notice
    path = f"/admin/cancellation/declared/{row.notice.declared.pk}/evidence/{row.pk}/"
    answer = staff.get(path)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer.content == b"<script>alert(1)</script>"
    assert client.get(path).status_code == 302
    assert path in staff.get(f"/admin/cancellation/declared/{row.notice.declared.pk}/change/").content.decode()


def test_who_may_only_look_decides_nothing(client: Client, contract: Contract) -> None:
    notice = settled(client, **ADA, reference="?")
    reader, user = Client(), User.objects.create_user("lee", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_declared"))
    reader.force_login(user)
    page = f"/admin/cancellation/declared/{notice.declared.pk}/"
    assert reader.get(f"{page}change/").status_code == 200
    for act in ("match", "release", "repudiate"):
        assert (
            reader.post(f"{page}{act}/", {"reference": contract.reference, "why": "x", "confirm": "1"}).status_code
            == 403
        )
    assert not Event.objects.exists()


def test_the_notice_shows_what_was_typed(client: Client, staff: Client) -> None:
    notice = settled(client, **ADA, reference="<b>x</b>")
    page = staff.get(f"/admin/cancellation/notice/{notice.pk}/change/").content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "declarations without a contract" in staff.get("/admin/").content.decode()


def test_a_place_without_rules_of_its_own_is_noted_for_the_desk(client: Client) -> None:
    make_contract(customer=make_customer(**ADA), reference="C-1", country="BR")
    notice = settled(client, **ADA, reference="C-1")
    assert Event.objects.get(notice=notice, what="rules: default").why == "no rules of its own for BR"
    assert Cancellation.objects.exists()


# ---------------------------------------------------------------- candidates


def test_candidates_say_why_and_are_few(client: Client, contract: Contract, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        make_contract(customer=make_customer(name=f"Ada Number {number}"))
    notice = settled(client, name="Wren Ada", email="x@example.org", reference="hosting 7KQ2MX")
    with django_assert_max_num_queries(6):
        found = matching.candidates(notice.declared)
    assert len(found) <= matching.CANDIDATES_SHOWN
    assert found[0].contract == contract
    assert "the same name in another order" in found[0].why


@pytest.mark.parametrize("text", ["", " ", "%", "_", "\\", "x" * 50_000, "👩‍👩‍👧", "' OR 1=1"])
def test_nothing_that_is_typed_breaks_the_search(client: Client, contract: Contract, text: str) -> None:
    declared = Declared(notice=Notice(channel=Channel.DOOR), name=text, reference=text, email=f"{text}@x.example")
    assert matching.exact(declared) is None
    assert all(candidate.contract for candidate in matching.candidates(declared))


def test_not_me_lets_the_holders_own_later_declaration_count(client: Client, contract: Contract) -> None:
    stranger = settled(client, name="Ada Wren", email="stranger@example.org", reference=contract.reference)
    own = settled(client, **ADA, reference=contract.reference)
    own.refresh_from_db()
    assert own.state == NoticeState.CLOSED

    declarations.repudiate(notice=stranger, actor=declarations.HOLDER, at=NOON, why="the holder says: not me")

    own.refresh_from_db()
    live = Cancellation.objects.exclude(state=State.REVOKED).get()
    assert (own.state, live.notice_id) == (NoticeState.MATCHED, own.pk)
    assert "notice reopened" in happened(own)
    drain()
    assert "ends on" in letters_to("ada@example.org")[-1].subject


def test_what_lets_somebody_in_at_a_door_stays_out_of_logs_caches_and_referrers(
    client: Client, contract: Contract
) -> None:
    notice = settled(client, **ADA, reference=contract.reference)
    key = Receipt.objects.get(notice=notice, kind="received").key
    not_me = "/" + not_me_url(notice).partition("//")[2].partition("/")[2]

    for path in (f"/cancel/done/{key}/", not_me):
        page = client.get(path)
        assert page.status_code == 200
        assert (page["Referrer-Policy"], page["Cache-Control"]) == ("no-referrer", "private, no-store")
        line = blot_out_links(None, "info", {"event": f"GET {path}"})["event"]
        assert path.split("/")[-2] not in line


def test_the_same_form_sent_again_after_an_undo_is_a_declaration_of_its_own(client: Client, contract: Contract) -> None:
    form = client.get("/cancel/de/").content.decode()
    token = re.search(r'name="token" value="([^"]+)"', form)
    assert token
    said = {"token": token[1], **ADA, "reference": contract.reference}
    for _click in range(2):
        client.post("/cancel/de/", said)
    drain()
    first = Cancellation.objects.get()
    actions.revoke(cancellation_id=first.pk, actor=actions.Actor("customer:1"), at=NOON)

    for _click in range(2):
        client.post("/cancel/de/", said)
    drain()

    assert Notice.objects.count() == 2
    assert Cancellation.objects.exclude(state=State.REVOKED).count() == 1
