"""A third party announces, the holder decides: what is kept, who is asked, what a yes brings, what nothing brings."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client

from cancellation import actions, announcements
from cancellation.announcements import Told, names_in
from cancellation.models import Announcement, AnnouncementState, Cancellation, Channel, Event, Notice, State
from messaging.models import Letter
from outbox.drain import drain
from outbox.models import Entry
from subscriptions.models import Contract
from tests.cancellation.test_pages import let_in, statements
from tests.conftest import Sink
from tests.factories import make_contract, make_customer, pay, terms_dict

pytestmark = pytest.mark.django_db
# 31 May in Berlin, in the evening; with one month's notice to a month's end, this day decides about a month.
LAST_DAY_OF_MAY = datetime(2027, 5, 31, 20, 0, tzinfo=UTC)
SECOND_OF_JUNE = datetime(2027, 6, 2, 9, 0, tzinfo=UTC)
TYPED = {
    "agent_name": "Mika Saarinen",
    "agent_company": "Harbour Hosting",
    "agent_email": "transfers@harbour.example",
    "about": "anna.example",
    "holder_name": "Anna Nowak",
    "holder_email": "",
    "wished_on": "",
    "words": "",
}


@pytest.fixture(autouse=True)
def _fresh(sink: Sink) -> None:
    cache.clear()


@pytest.fixture
def contract() -> Contract:
    contract = make_contract(customer=make_customer(name="Anna Nowak", email="anna@example.org"))
    contract.components.create(kind="domain", name="anna.example")
    contract.components.create(kind="server", name="web-1")
    pay(contract, "2027-05-01", "2027-05-31", 1200)
    return contract


def told(**changes: Any) -> Told:
    given: dict[str, Any] = {**TYPED, "wished_on": None, **changes}
    return Told(**given)


def tell(at: datetime = LAST_DAY_OF_MAY, token: str = "", **changes: Any) -> Announcement:
    """Announce, and do what the worker does."""
    with time_machine.travel(at, tick=False):
        made = announcements.announce(told=told(**changes), token=token, locale="en", at=at)
        drain()
    made.refresh_from_db()
    return made


def page_of(announcement: Announcement) -> str:
    return f"/announce/{announcement.key}/"


def sealed_on(page: Any) -> str:
    found = re.search(r'name="quote" value="([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def text_of(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def answer(client: Client, announcement: Announcement, said: str, at: datetime = SECOND_OF_JUNE) -> Any:
    """Open the page and press a button."""
    with time_machine.travel(at, tick=False):
        page = client.get(page_of(announcement))
        given = {"answer": said}
        if b'name="quote"' in page.content:
            given["quote"] = sealed_on(page)
        return client.post(page_of(announcement), given)


# ---------------------------------------------------------------- announcing


def test_an_announcement_is_kept_with_its_instant_and_confirmed_in_the_same_words_to_everybody(
    client: Client, contract: Contract
) -> None:
    with time_machine.travel(LAST_DAY_OF_MAY, tick=False):
        pages = [
            client.post("/announce/", TYPED | {"form": "a", "about": about}, follow=True)
            for about in ("anna.example", "nobody.example")
        ]

    kept = list(Announcement.objects.order_by("pk"))
    assert [one.received_at for one in kept] == [LAST_DAY_OF_MAY, LAST_DAY_OF_MAY]
    assert [page.status_code for page in pages] == [200, 200]
    said = [page.content.decode().replace(one.reference, "") for page, one in zip(pages, kept, strict=True)]
    assert said[0] == said[1]
    assert "20:00:00 (UTC+00:00)" in said[0]


def test_the_form_and_its_answer_set_no_cookie_and_need_no_token(contract: Contract) -> None:
    client = Client(enforce_csrf_checks=True)

    form = client.get("/announce/")
    answered = client.post("/announce/", TYPED)
    done = client.get(answered.url)

    assert (form.status_code, answered.status_code, done.status_code) == (200, 303, 200)
    assert not client.cookies


def test_the_controls_are_named(client: Client, contract: Contract) -> None:
    form = client.get("/announce/").content.decode()
    assert re.search(r'<main[^>]*data-step="form"', form)
    assert controls(form) == ["confirm"]
    done = client.post("/announce/", TYPED, follow=True).content.decode()
    assert re.search(r'<main[^>]*data-step="done"', done)
    question = client.get(page_of(tell())).content.decode()
    assert controls(question) == ["accept", "decline", "not-mine"]


def controls(page: str) -> list[str]:
    return re.findall(r'data-action="([a-z-]+)"', page.split("<main")[1].split("</main>")[0])


def test_a_double_click_is_one_announcement_and_another_form_another(client: Client, contract: Contract) -> None:
    # The address that follows is signed with its second: the clicks are compared within one.
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        answers = [client.post("/announce/", TYPED | {"form": form}).url for form in ("one", "one", "two")]

    assert Announcement.objects.count() == 2
    assert answers[0] == answers[1] != answers[2]


def test_a_changed_text_in_the_same_form_is_another_announcement(client: Client, contract: Contract) -> None:
    for words in ("first", "second"):
        client.post("/announce/", TYPED | {"form": "one", "words": words})

    assert Announcement.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"agent_name": ""}, "Tell us your name"),
        ({"agent_email": ""}, "Tell us your e-mail address"),
        ({"agent_email": "nonsense"}, "It looks like name@example.com"),
        ({"about": "  "}, "Tell us which contract is meant"),
        ({"holder_name": "", "holder_email": ""}, "a name or an e-mail address is enough"),
        ({"holder_email": "@@"}, "It looks like name@example.com"),
        ({"wished_on": "soon"}, "Write it like 2026-06-30"),
        ({"wished_on": "2027-02-30"}, "Write it like 2026-06-30"),
        ({"wished_on": "1900-01-01"}, "This year cannot be meant"),
        ({"wished_on": "3000-01-01"}, "This year cannot be meant"),
        ({"words": "x" * 50_000}, "Please shorten it to 20000"),
        ({"agent_name": "x" * 201}, "Please shorten it to 200"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy_and_the_rest_stays(
    client: Client, contract: Contract, changes: dict[str, str], said: str
) -> None:
    answered = client.post("/announce/", TYPED | {"words": "Kept <as> typed."} | changes)

    page = answered.content.decode()
    assert answered.status_code == 422
    assert said in page
    assert "Harbour Hosting" in page
    assert "words" in changes or "Kept &lt;as&gt; typed." in page
    assert not Announcement.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize("day", ["2027-06-30", "30.06.2027", "30/06/2027", "2027年06月30日"])
def test_a_day_is_read_as_people_write_it(client: Client, contract: Contract, day: str) -> None:
    client.post("/announce/", TYPED | {"wished_on": day})

    assert Announcement.objects.get().wished_on == date(2027, 6, 30)


HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE cancellation_announcement; --",
    "\u202egnp.exe",
    "a\x00b",
    "👩‍👩‍👧‍👦 Zażółć 青木",
    "{{ settings.SECRET_KEY }} %(day)s %s {0}",
    "two\nlines\r\nBcc: everybody@example.org",
    "x" * 200,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text_and_mailed_in_one_line(
    client: Client, contract: Contract, sink: Sink, text: str
) -> None:
    with time_machine.travel(LAST_DAY_OF_MAY, tick=False):
        answered = client.post("/announce/", TYPED | {"agent_name": text, "agent_company": text, "words": text})
        drain()
        made = Announcement.objects.get()
        page = client.get(page_of(made)).content.decode()

    assert answered.status_code == 303
    assert made.agent_name == text.replace("\x00", "").replace("\r\n", "\r\n").strip()
    assert "<script>alert" not in page
    letter = Letter.objects.get(kind="announcement-question")
    assert "<script>" not in letter.html
    assert "\u202e" not in letter.text
    assert {mail["To"] for mail in sink.messages} == {"anna@example.org", "transfers@harbour.example"}
    assert all(mail["Bcc"] is None for mail in sink.messages)


def test_the_announcer_hears_what_happens_and_nothing_else(contract: Contract) -> None:
    tell(words="Buy at http://spam.example", agent_name="http://spam.example")
    tell(token="x", about="nobody.example")

    found, unknown = Letter.objects.filter(kind="announcement-received").order_by("pk")
    references = Announcement.objects.order_by("pk").values_list("reference", flat=True)
    assert found.text.replace(references[0], "") == unknown.text.replace(references[1], "")
    for secret in ("spam", "Anna", "anna.example", contract.reference, "Server S", "30 June"):
        assert secret not in found.text
        assert secret not in found.html
    assert "Without their yes nothing changes." in found.text


def test_above_the_limit_nothing_is_refused_and_no_mail_leaves_until_staff_look(
    client: Client, contract: Contract, admin_client: Client
) -> None:
    statuses = {
        client.post("/announce/", TYPED | {"form": str(n), "agent_email": f"a{n}@harbour.example"}).status_code
        for n in range(33)
    }
    held = Announcement.objects.filter(is_held=True)

    assert statuses == {303}
    assert (Announcement.objects.count(), held.count()) == (33, 13)
    assert not Entry.objects.filter(
        topic="letter", payload__to__in=list(held.values_list("agent_email", flat=True))
    ).exists()

    one = held.first()
    assert one is not None
    data = {"action": "release", "_selected_action": [one.pk]}
    assert admin_client.post("/admin/cancellation/announcement/", data).status_code == 302
    one.refresh_from_db()
    assert not one.is_held
    assert Entry.objects.filter(dedupe_key=f"announcement-received:{one.pk}").count() == 1
    assert not announcements.release(announcement_id=one.pk, at=LAST_DAY_OF_MAY)


def test_the_limit_fails_open(client: Client, contract: Contract) -> None:
    with patch("subscriptions.limits.get_usage", side_effect=OSError("the cache is gone")):
        for n in range(40):
            assert client.post("/announce/", TYPED | {"form": str(n)}).status_code == 303

    assert not Announcement.objects.filter(is_held=True).exists()


# ---------------------------------------------------------------- finding the contract


@pytest.mark.parametrize(
    ("about", "holder"),
    [
        ("anna.example", {"holder_name": "anna NOWAK"}),
        ("ANNA.EXAMPLE", {"holder_name": "", "holder_email": "Anna@Example.org"}),
        ("https://www.anna.example/", {}),
        ("the domain anna.example, please", {}),
        ("ａｎｎａ．ｅｘａｍｐｌｅ", {"holder_name": "Ａｎｎａ\u3000Ｎｏｗａｋ", "holder_email": "anna@example.org"}),
        ("{reference}", {}),
        ("{reference_lower}", {}),
        ("{reference_spaced}", {"holder_email": "anna@example.org"}),
    ],
)
def test_reference_or_part_with_the_holders_name_or_address_is_an_exact_match(
    contract: Contract, about: str, holder: dict[str, str]
) -> None:
    reference = contract.reference
    named = about.format(
        reference=reference, reference_lower=reference.lower(), reference_spaced=reference.replace("-", " - ")
    )

    made = tell(about=named, **holder)

    assert (made.contract, made.state) == (contract, AnnouncementState.ASKED)


@pytest.mark.parametrize(
    "changes",
    [
        {"holder_name": "Anna Nowa"},
        {"holder_name": "Anna", "holder_email": "other@example.org"},
        {"about": "anna.exampl"},
        {"about": "anna"},
        {"about": "%"},
        {"about": "C-"},
    ],
)
def test_what_only_resembles_waits_for_the_desk_and_nobody_is_written_to(
    contract: Contract, changes: dict[str, str]
) -> None:
    made = tell(**changes)

    assert (made.contract, made.state, made.asked_at) == (None, AnnouncementState.UNMATCHED, None)
    assert [letter.kind for letter in Letter.objects.all()] == ["announcement-received"]


def test_two_contracts_that_fit_are_for_a_person_to_tell_apart(contract: Contract) -> None:
    other = make_contract(customer=contract.customer)
    other.components.create(kind="domain", name="anna.example")

    assert tell().state == AnnouncementState.UNMATCHED


def test_a_text_names_a_contract_by_the_whole_of_it_and_by_its_words() -> None:
    assert names_in("www.Anna.example, C-1") == {"anna.example, c-1", "anna.example", "c-1"}
    assert names_in(" . ") == set()


# ---------------------------------------------------------------- the question


def test_the_holder_is_asked_at_the_address_on_file_with_who_what_and_when(contract: Contract, sink: Sink) -> None:
    made = tell(holder_email="anna@example.org", words="We move the domain.", wished_on=date(2027, 6, 15))

    letter = Letter.objects.get(kind="announcement-question")
    assert (letter.to, letter.locale, made.asked_at) == ("anna@example.org", "en", LAST_DAY_OF_MAY)
    for fact in (
        "Mika Saarinen",
        "Harbour Hosting",
        "transfers@harbour.example",
        "31 May 2027, 22:00:00 (UTC+02:00)",
        made.reference,
        "15 June 2027",
        "A yes until 14 June 2027 counts from the announcement",
        "ends on 30 June 2027",
        "If you answer no, or not at all, your contract goes on as before.",
    ):
        assert fact in letter.text, fact
    # What a stranger wrote stands on the page, where it is marked; a letter of ours does not carry it.
    assert "We move the domain." not in letter.text
    # The link is in the mail and nowhere else.
    assert made.key not in letter.text + letter.html + str(Entry.objects.values_list("payload"))
    mail = next(mail for mail in sink.messages if mail["To"] == "anna@example.org")
    assert page_of(made) in mail.get_body(("plain",)).get_content()


def test_a_letter_written_later_tells_both_ends(contract: Contract) -> None:
    made = tell(about="the thing of Anna")
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        announcements.match(announcement=made, contract=contract, actor=actions.Actor("staff:x"), at=SECOND_OF_JUNE)
        drain()

    text = Letter.objects.get(kind="announcement-question").text
    assert "the contract then ends on 30 June 2027" in text
    assert "Counted from today alone, it would end on 31 July 2027." in text


def test_several_announcements_in_a_day_are_one_question(client: Client, contract: Contract) -> None:
    first = tell()
    second = tell(LAST_DAY_OF_MAY + timedelta(hours=23), token="b", agent_name="Somebody Else")

    assert Letter.objects.filter(kind="announcement-question").count() == 1
    assert second.asked_at == first.asked_at
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        page = text_of(client.get(page_of(first)))
    assert "Mika Saarinen" in page
    assert "Somebody Else" in page

    answer(client, first, "no")
    assert set(Announcement.objects.values_list("state", flat=True)) == {AnnouncementState.NO}


def test_after_an_answer_the_next_one_is_asked_a_day_after_the_question(client: Client, contract: Contract) -> None:
    first = tell()
    answer(client, first, "no", LAST_DAY_OF_MAY + timedelta(hours=1))
    second = tell(LAST_DAY_OF_MAY + timedelta(hours=2), token="b")

    assert (second.state, second.asked_at) == (AnnouncementState.ASKED, None)
    assert Letter.objects.filter(kind="announcement-question").count() == 1
    with time_machine.travel(LAST_DAY_OF_MAY + timedelta(hours=25), tick=False):
        drain()
    assert Letter.objects.filter(kind="announcement-question").count() == 2


def test_a_day_later_the_holder_may_be_asked_again(contract: Contract) -> None:
    tell()
    tell(LAST_DAY_OF_MAY + timedelta(days=1), token="b")

    assert Letter.objects.filter(kind="announcement-question").count() == 2


def test_taking_up_twice_asks_once(contract: Contract) -> None:
    made = tell()
    announcements.take_up(announcement_id=made.pk, at=SECOND_OF_JUNE)

    assert Entry.objects.filter(dedupe_key__startswith="announcement-question").count() == 1
    assert Event.objects.filter(what="holder asked").count() == 1


# ---------------------------------------------------------------- yes


def test_voice_1_a_yes_two_days_later_counts_from_the_announcement_and_saves_a_month(
    client: Client, contract: Contract
) -> None:
    made = tell()

    answered = answer(client, made, "yes")

    assert (answered.status_code, answered.url) == (303, page_of(made))
    cancellation = Cancellation.objects.select_related("notice").get()
    notice = cancellation.notice
    assert notice is not None
    # A notice of 2 June would have ended it on 31 July.
    assert cancellation.last_day == date(2027, 6, 30)
    assert (notice.received_at, notice.channel, notice.act) == (LAST_DAY_OF_MAY, Channel.AGENT, "cancel")
    assert made.reference in notice.declaration
    made.refresh_from_db()
    assert (made.state, made.notice, made.answered_at) == (AnnouncementState.YES, notice, SECOND_OF_JUNE)
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        page = text_of(client.get(page_of(made)))
        drain()
    for fact in ("30 June 2027", notice.reference, "31 May 2027, 22:00:00 (UTC+02:00)", "you can undo"):
        assert fact in page
    assert Letter.objects.get(kind="end-confirmed").to == "anna@example.org"


def test_the_page_says_both_days_before_the_answer(client: Client, contract: Contract) -> None:
    made = tell()
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        page = text_of(client.get(page_of(made)))

    assert "Your contract ends on 30 June 2027 ." in page
    assert "Until 14 June 2027 a yes counts from the announcement" in page
    assert "Counted from today, the contract would end on 31 July 2027." in page


@pytest.mark.parametrize(
    ("at", "last_day", "counts_from_it"),
    [
        pytest.param(datetime(2027, 6, 14, 21, 59, tzinfo=UTC), date(2027, 6, 30), True, id="on-the-last-day"),
        pytest.param(datetime(2027, 6, 14, 22, 1, tzinfo=UTC), date(2027, 7, 31), False, id="a-minute-after-it"),
    ],
)
def test_the_days_are_those_of_the_contracts_zone(
    client: Client, contract: Contract, at: datetime, last_day: date, counts_from_it: bool
) -> None:
    made = tell()

    answer(client, made, "yes", at)

    cancellation = Cancellation.objects.select_related("notice").get()
    assert cancellation.last_day == last_day
    assert cancellation.notice is not None
    assert (cancellation.notice.received_at == LAST_DAY_OF_MAY) is counts_from_it


def test_the_days_are_the_operators_to_set(client: Client, contract: Contract, settings: Any) -> None:
    settings.ANNOUNCEMENT_DAYS = 1
    answer(client, tell(), "yes")

    assert Cancellation.objects.get().last_day == date(2027, 7, 31)


def test_where_the_announcement_is_no_better_the_yes_counts_from_itself(client: Client, contract: Contract) -> None:
    at = datetime(2027, 6, 3, 9, tzinfo=UTC)
    answer(client, tell(datetime(2027, 6, 2, 9, tzinfo=UTC)), "yes", at)

    assert Notice.objects.get().received_at == at


def test_a_get_never_acts_whatever_its_query(client: Client, contract: Contract) -> None:
    made = tell()
    for ask in (client.get, client.head):
        ask(page_of(made), {"answer": "yes"})

    assert not Notice.objects.exists()
    made.refresh_from_db()
    assert made.state == AnnouncementState.ASKED


def test_a_double_click_and_a_second_tab_are_one_notice(client: Client, contract: Contract) -> None:
    made = tell()
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        seal = sealed_on(client.get(page_of(made)))
        for _click in range(3):
            assert client.post(page_of(made), {"answer": "yes", "quote": seal}).status_code == 303

    assert Notice.objects.count() == Cancellation.objects.count() == 1


def test_a_page_that_lay_open_over_its_day_is_asked_again_and_the_notice_stands(
    client: Client, contract: Contract
) -> None:
    made = tell()
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        seal = sealed_on(client.get(page_of(made)))
    late = datetime(2027, 6, 20, 9, tzinfo=UTC)
    with time_machine.travel(late, tick=False):
        answered = client.post(page_of(made), {"answer": "yes", "quote": seal})

        page = text_of(answered)
        assert answered.status_code == 409
        assert "The figures have changed since you saw them." in page
        assert "30 June 2027" in page
        assert "31 July 2027" in page
        assert Notice.objects.get().received_at == late
        assert not Cancellation.objects.exists()
        again = client.post(page_of(made), {"answer": "yes", "quote": sealed_on(answered)})

    assert again.status_code == 303
    assert Cancellation.objects.get().notice == Notice.objects.get()


@pytest.mark.parametrize("seal", ["", "forged", "a:b:c"])
def test_a_yes_without_its_figures_is_recorded_and_asked_again(client: Client, contract: Contract, seal: str) -> None:
    made = tell()
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        answered = client.post(page_of(made), {"answer": "yes", "quote": seal})

    assert answered.status_code == 409
    assert Notice.objects.get().received_at == LAST_DAY_OF_MAY


def test_the_declaration_is_in_the_holders_language(client: Client, contract: Contract) -> None:
    contract.customer.locale = "de"
    contract.customer.save()

    answer(client, tell(), "yes")

    assert Notice.objects.get().locale == "de"
    assert "Hiermit kündige ich" in Notice.objects.get().declaration


# ---------------------------------------------------------------- no, not mine, and changes of mind


@pytest.mark.parametrize(("said", "state"), [("no", AnnouncementState.NO), ("not_mine", AnnouncementState.NOT_MINE)])
def test_a_no_changes_nothing_and_says_so(
    client: Client, contract: Contract, said: str, state: AnnouncementState
) -> None:
    made = tell()
    letters = Letter.objects.count()

    answered = answer(client, made, said)

    assert answered.status_code == 303
    made.refresh_from_db()
    assert (made.state, made.answered_at) == (state, SECOND_OF_JUNE)
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        page = text_of(client.get(page_of(made)))
        drain()
    assert "Nothing changes" in page
    assert not Notice.objects.exists()
    # The announcer never hears the answer.
    assert Letter.objects.count() == letters


@pytest.mark.parametrize("before", ["no", "not_mine"])
def test_a_yes_after_a_no_counts_by_the_same_rule(client: Client, contract: Contract, before: str) -> None:
    made = tell()
    answer(client, made, before)

    assert answer(client, made, "yes").status_code == 303

    assert Cancellation.objects.get().last_day == date(2027, 6, 30)
    made.refresh_from_db()
    assert made.state == AnnouncementState.YES


@pytest.mark.parametrize("said", ["no", "not_mine"])
def test_a_no_after_a_yes_leads_to_the_undo_and_undoes_nothing_by_itself(
    client: Client, contract: Contract, said: str
) -> None:
    made = tell()
    answer(client, made, "yes")

    answered = answer(client, made, said)

    assert answered.status_code == 409
    assert "This contract is ending" in text_of(answered) or "ends on 30 June 2027" in text_of(answered)
    assert f'href="/contracts/{contract.reference}/"' in answered.content.decode()
    assert Cancellation.objects.get().state == State.SCHEDULED
    made.refresh_from_db()
    assert made.state == AnnouncementState.YES


def test_after_an_undo_a_no_is_kept_and_a_yes_is_a_new_notice(client: Client, contract: Contract) -> None:
    made = tell()
    answer(client, made, "yes")
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        holder = actions.Actor.customer(contract.customer_id)
        actions.revoke(cancellation_id=Cancellation.objects.get().pk, actor=holder, at=SECOND_OF_JUNE)

    assert answer(client, made, "no").status_code == 303
    made.refresh_from_db()
    assert made.state == AnnouncementState.NO
    assert answer(client, made, "yes").status_code == 303
    assert Notice.objects.count() == 2
    made.refresh_from_db()
    assert made.notice == Cancellation.objects.exclude(state=State.REVOKED).get().notice


def test_an_answer_that_is_none_of_the_three_is_named(client: Client, contract: Contract) -> None:
    made = tell()
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        answered = client.post(page_of(made), {"answer": "maybe"})

    assert answered.status_code == 422
    assert "Please press one of the three buttons" in text_of(answered)
    made.refresh_from_db()
    assert made.state == AnnouncementState.ASKED


# ---------------------------------------------------------------- ended, gone, unreadable


def test_a_contract_that_is_ending_already_says_so_and_gets_no_second_notice(
    client: Client, contract: Contract
) -> None:
    with time_machine.travel(LAST_DAY_OF_MAY - timedelta(days=5), tick=False):
        let_in(client, contract.customer)
        way = f"/contracts/{contract.reference}/cancel/"
        client.post(f"{way}now/", {"quote": sealed_on(client.get(way))})
    made = tell()

    assert answer(client, made, "yes").status_code == 303
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        page = text_of(client.get(page_of(made)))

    assert Notice.objects.count() == 1
    assert "Your contract ends on 30 June 2027" in page
    assert "It was ending already." in page


def test_a_yes_moves_an_end_that_came_by_a_later_notice_of_their_own(client: Client, contract: Contract) -> None:
    made = tell()
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        let_in(client, contract.customer)
        way = f"/contracts/{contract.reference}/cancel/"
        client.post(f"{way}now/", {"quote": sealed_on(client.get(way))})
        assert Cancellation.objects.get().last_day == date(2027, 7, 31)
        page = text_of(client.get(page_of(made)))
    assert "ends on 31 July 2027 already. With a yes to this announcement it ends earlier" in page

    answered = answer(client, made, "yes")

    assert answered.status_code == 303
    assert Cancellation.objects.get().last_day == date(2027, 6, 30)
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        page = text_of(client.get(page_of(made)))
    assert "Your contract ends on 30 June 2027" in page
    assert "Your yes is recorded." in page
    assert 'data-action="accept"' not in page


def test_a_contract_that_has_ended_says_so(client: Client, contract: Contract) -> None:
    made = tell()
    answer(client, made, "yes")
    with time_machine.travel(datetime(2027, 7, 2, tzinfo=UTC), tick=False):
        actions.end_due_contracts(now=datetime(2027, 7, 2, tzinfo=UTC))
        page = client.get(page_of(made))
        answered = client.post(page_of(made), {"answer": "no"})

    assert "Its last day was 30 June 2027." in text_of(page)
    assert answered.status_code == 409


def test_a_contract_that_has_ended_by_itself_says_so(client: Client) -> None:
    terms = terms_dict(initial_term={"months": 29}, renewal="none")
    contract = make_contract(terms=terms, customer=make_customer(name="Anna Nowak"))
    contract.components.create(kind="domain", name="anna.example")
    made = tell(SECOND_OF_JUNE)

    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        page = text_of(client.get(page_of(made)))
    answered = answer(client, made, "yes")

    assert "It ended by itself on 31 May 2027." in page
    assert answered.status_code == 409
    assert not Cancellation.objects.exists()


def test_terms_that_cannot_be_read_hold_up_neither_question_nor_yes(client: Client, contract: Contract) -> None:
    Contract.objects.update(terms={"starts_on": "nonsense"})
    made = tell()
    letter = Letter.objects.get(kind="announcement-question")
    assert "We cannot say here on which day" in letter.text

    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        page = client.get(page_of(made))
        answered = client.post(page_of(made), {"answer": "yes"})

    assert "it does not keep you" in text_of(page)
    assert answered.status_code == 202
    assert Notice.objects.get().received_at == LAST_DAY_OF_MAY
    assert "A person works out your last day" in text_of(answered)


@pytest.mark.parametrize("key", ["nonsense", "blotted-out", "x" * 43, "ü", "a%2Fb"])
def test_a_link_that_opens_nothing_says_so(client: Client, key: str) -> None:
    for page in (client.get(f"/announce/{key}/"), client.post(f"/announce/{key}/", {"answer": "yes"})):
        assert page.status_code == 404


def test_an_announcement_without_a_contract_opens_nothing(client: Client, contract: Contract) -> None:
    assert client.get(page_of(tell(about="nobody.example"))).status_code == 404


def test_what_is_erased_opens_nothing_any_more(client: Client, contract: Contract) -> None:
    made = tell()
    Announcement.objects.update(erased_at=SECOND_OF_JUNE)

    assert client.get(page_of(made)).status_code == 410
    assert client.post(page_of(made), {"answer": "yes"}).status_code == 410
    assert not Notice.objects.exists()


def test_it_is_known_until_when_it_is_kept(contract: Contract) -> None:
    # Three years from the end of the year, by the rules of home and of the contract's place alike.
    assert tell().erase_on == date(2031, 1, 1)
    assert tell(token="b", about="nobody.example").erase_on == date(2031, 1, 1)


# ---------------------------------------------------------------- the contract's own page, the desk


def test_the_contracts_page_shows_it_while_it_is_open_at_no_further_statement(
    client: Client, contract: Contract
) -> None:
    made = tell()
    with time_machine.travel(SECOND_OF_JUNE, tick=False):
        let_in(client, contract.customer)
        client.get(f"/contracts/{contract.reference}/")
        with statements(at_most=7):
            page = client.get(f"/contracts/{contract.reference}/")
        assert page_of(made) in page.content.decode()
        assert "31 May 2027, 22:00:00 (UTC+02:00)" in text_of(page)

        client.post(page_of(made), {"answer": "no"})
        assert page_of(made) not in client.get(f"/contracts/{contract.reference}/").content.decode()


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user("carl", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_staff_say_which_contract_is_meant_after_they_have_seen_whose_it_is(contract: Contract) -> None:
    made = tell(about="the site of Anna")
    desk = clerk("view_announcement", "change_announcement")
    page = f"/admin/cancellation/announcement/{made.pk}/contract/"

    assert page in desk.get(f"/admin/cancellation/announcement/{made.pk}/change/").content.decode()
    unknown = desk.get(page, {"contract": "C-NOTHING"})
    assert (unknown.status_code, "No contract has this reference" in text_of(unknown)) == (422, True)
    shown = text_of(desk.get(page, {"contract": contract.reference.lower()}))
    assert "Anna Nowak" in shown
    assert "anna@example.org" in shown
    made.refresh_from_db()
    assert made.contract is None

    desk.post(page, {"contract": contract.reference})
    desk.post(page, {"contract": contract.reference})

    made.refresh_from_db()
    assert (made.contract, made.state) == (contract, AnnouncementState.ASKED)
    assert Entry.objects.filter(dedupe_key__startswith="announcement-question").count() == 1
    assert Event.objects.get(what="end announced").actor == "staff:carl"


def test_who_may_only_look_can_only_look(contract: Contract) -> None:
    made = tell(about="the site of Anna")
    desk = clerk("view_announcement")

    assert desk.get("/admin/cancellation/announcement/").status_code == 200
    shown = desk.get(f"/admin/cancellation/announcement/{made.pk}/change/")
    assert shown.status_code == 200
    assert made.key not in shown.content.decode()
    assert desk.post(f"/admin/cancellation/announcement/{made.pk}/contract/").status_code == 403
    assert clerk_of_nothing().get(f"/admin/cancellation/announcement/{made.pk}/contract/").status_code == 403


def clerk_of_nothing() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    return client


def test_what_means_no_contract_of_ours_is_set_aside_and_may_be_taken_up_later(
    admin_client: Client, contract: Contract
) -> None:
    made, matched = tell(about="nobody.example"), tell(token="b")
    listed = "/admin/cancellation/announcement/?follows=to-see"
    assert made.reference in admin_client.get(listed).content.decode()

    admin_client.post(
        "/admin/cancellation/announcement/", {"action": "set_aside", "_selected_action": [made.pk, matched.pk]}
    )

    assert made.reference not in admin_client.get(listed).content.decode()
    made.refresh_from_db()
    matched.refresh_from_db()
    assert (made.state, matched.state) == (AnnouncementState.NOT_MINE, AnnouncementState.ASKED)
    assert announcements.match(announcement=made, contract=contract, actor=actions.Actor("staff:x"), at=SECOND_OF_JUNE)


def test_the_line_of_time_tells_it_all(client: Client, admin_client: Client, contract: Contract) -> None:
    answer(client, tell(), "yes")

    page = text_of(admin_client.get(f"/admin/subscriptions/contract/{contract.pk}/change/"))

    for words in ("End announced by somebody else", "Holder asked about an announcement", "Announcement answered"):
        assert words in page
    assert "announcement" in page
