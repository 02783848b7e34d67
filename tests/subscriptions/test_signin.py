"""Sign-in by a link: for whoever has the mailbox, once, for a quarter of an hour, and telling strangers nothing."""

from __future__ import annotations

import logging
import re
import uuid
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from messaging.models import Letter
from outbox import drain
from outbox.models import Entry
from subscriptions import signin
from subscriptions.models import Customer, SignInToken
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
LINK = re.compile(r"http://127\.0\.0\.1:\d+(/sign-in/[^\s\"]+/)")


@pytest.fixture(autouse=True)
def counters_of_its_own(settings: Any) -> None:
    """Count each test's requests apart, in this process."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid.uuid4().hex}
    }


@pytest.fixture
def anna() -> Customer:
    """Return a customer with a mailbox."""
    return make_customer(name="Anna Nowak", email="anna@example.org", reference="K-ANNA2345")


def ask(client: Client, email: str = "anna@example.org", **more: Any) -> Any:
    return client.post("/sign-in/", {"email": email, **more})


def mailed_links() -> list[str]:
    """Let the worker work, and return the paths of all links that were mailed."""
    drain.drain()
    return [path for message in mail.outbox for path in LINK.findall(str(message.body))]


def link_for(client: Client, **more: Any) -> str:
    ask(client, **more)
    [path] = mailed_links()
    return path


# ---------------------------------------------------------------- asking for a link


def test_a_link_lets_the_customer_in(client: Client, anna: Customer) -> None:
    path = link_for(client)
    assert signin.COOKIE not in client.cookies

    page, answer = client.get(path), client.post(path)

    assert page.status_code == 200
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    request = RequestFactory().get("/")
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    assert signin.signed_in(request) == (anna.pk, 0)


def test_known_and_unknown_addresses_get_the_same_answer_for_the_same_work(
    client: Client, anna: Customer, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1) as known:
        yes = ask(client, "anna@example.org")
    with django_assert_num_queries(1) as unknown:
        no = ask(client, "nobody@example.org")

    def plain(answer: Any) -> str:
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())

    assert (yes.status_code, no.status_code) == (200, 200)
    assert plain(yes) == plain(no)
    assert [q["sql"].split(" ")[:3] for q in known] == [q["sql"].split(" ")[:3] for q in unknown]
    assert {name for name, _value in yes.items()} == {name for name, _value in no.items()}
    assert SignInToken.objects.count() == 0


def test_an_unknown_address_is_sent_nothing_and_forgotten(client: Client, anna: Customer) -> None:
    ask(client, "nobody@example.org")

    assert mailed_links() == []
    assert Letter.objects.count() == 0
    assert list(Entry.objects.values_list("topic", "payload")) == [("sign-in", {})]


@pytest.mark.parametrize("typed", ["ANNA@Example.org", "  anna@example.org "])
def test_an_address_is_found_in_whatever_letters(client: Client, anna: Customer, typed: str) -> None:
    ask(client, typed)

    assert len(mailed_links()) == 1
    assert mail.outbox[0].to == ["anna@example.org"]


def test_an_address_is_looked_up_by_an_index() -> None:
    Customer.objects.bulk_create(
        Customer(reference=f"K-{n}", name=f"Customer {n}", email=f"c{n}@example.org") for n in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    for typed in ("C7@Example.org", "jo@müller.example"):
        plan = signin.customers_with(typed)[:100].explain()
        assert "customer_email_anyhow" in plan
        assert "Seq Scan" not in plan
        assert "SCAN" not in plan
    assert [customer.reference for customer in signin.customers_with("C7@Example.org")] == ["K-7"]


@pytest.mark.parametrize(
    ("on_file", "typed"),
    [("jo@müller.example", "jo@xn--mller-kva.example"), ("jo@xn--mller-kva.example", "jo@MÜLLER.example")],
)
def test_a_domain_is_found_in_either_spelling(client: Client, on_file: str, typed: str) -> None:
    make_customer(email=on_file)

    ask(client, typed)

    assert len(mailed_links()) == 1


def test_several_accounts_with_one_address_get_one_letter_with_a_link_for_each(client: Client, anna: Customer) -> None:
    other = make_customer(name="Nowak GmbH", email="anna@example.org", reference="K-GMBH2345")

    ask(client)
    links = mailed_links()

    assert len(mail.outbox) == 1
    assert len(links) == 2
    body = str(mail.outbox[0].body)
    assert [name in body for name in ("Anna Nowak (K-ANNA2345)", "Nowak GmbH (K-GMBH2345)")] == [True, True]
    assert Letter.objects.get().customer is None
    answers = [Client() for _ in links]
    for visitor, path in zip(answers, links, strict=True):
        visitor.post(path)
    assert {signin.signed_in(request_of(visitor)) for visitor in answers} == {(anna.pk, 0), (other.pk, 0)}


def test_addresses_that_only_look_alike_get_their_own_letters(client: Client, anna: Customer) -> None:
    make_customer(name="Another Anna", email="ANNA@example.org")

    ask(client)
    mailed_links()

    assert sorted(message.to[0] for message in mail.outbox) == ["ANNA@example.org", "anna@example.org"]
    for message in mail.outbox:
        assert len(LINK.findall(str(message.body))) == 1


def test_a_customer_without_an_address_is_not_found_by_an_empty_one(client: Client) -> None:
    make_customer(email="")

    assert ask(client, "").status_code == 422
    assert list(signin.customers_with("")) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type your e-mail address"),
        ("anna", "This is no e-mail address"),
        ("a@b.example\nBcc: c@d.example", "This is no e-mail address"),
        ("a" * 300 + "@example.org", "at most 254"),
    ],
)
def test_what_is_no_address_is_said_and_kept_in_the_field(client: Client, typed: str, said: str) -> None:
    answer = ask(client, typed)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Entry.objects.count() == 0


def test_a_request_that_the_worker_finds_too_late_is_dropped(client: Client, anna: Customer) -> None:
    ask(client)
    Entry.objects.update(payload={**Entry.objects.get().payload, "asked_at": "2026-01-01T00:00:00+00:00"})

    assert mailed_links() == []
    assert SignInToken.objects.count() == 0


def test_the_letter_comes_in_the_language_of_the_page(client: Client, anna: Customer) -> None:
    client.post("/sign-in/", {"email": "anna@example.org"}, headers={"accept-language": "pl"})
    drain.drain()

    assert Letter.objects.get().locale == "pl"


# ---------------------------------------------------------------- the secret


def test_the_secret_of_a_link_is_nowhere_but_in_the_mail(
    client: Client, anna: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        path = link_for(client)
    token = path.split("/")[2]

    letter = Letter.objects.get()
    kept = [letter.text, letter.html, letter.subject, str(list(Entry.objects.values())), caplog.text]
    assert [token in text or SignInToken.objects.get().nonce in text for text in kept] == [False] * 5
    assert "/sign-in/blotted-out-1/" in letter.text
    assert "/sign-in/blotted-out-1/" in letter.html
    message = mail.outbox[0]
    assert token in str(message.body)
    assert token in str(message.alternatives[0][0])  # type: ignore[attr-defined]


def test_a_link_that_is_over_before_it_could_be_sent_is_not_sent(client: Client, anna: Customer) -> None:
    ask(client)
    drain.drain(batches=1)  # the worker has found Anna and made the link
    mail.outbox.clear()
    Letter.objects.all().delete()
    Entry.objects.filter(topic="letter").update(delivered_at=None, claimed_at=None)
    SignInToken.objects.update(expires_at=timezone.now())

    drain.drain()

    assert mail.outbox == []


def test_the_mail_arrives_over_real_smtp(client: Client, anna: Customer, sink: Any) -> None:
    ask(client)
    drain.drain()

    [message] = sink.messages
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    assert client.post(LINK.findall(body.get_content())[0]).status_code == 302


# ---------------------------------------------------------------- using a link


def request_of(visitor: Client) -> Any:
    request = RequestFactory().get("/")
    request.COOKIES = {name: morsel.value for name, morsel in visitor.cookies.items()}
    return request


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_mail_scanner_that_opens_the_link_uses_nothing_up(client: Client, anna: Customer, method: str) -> None:
    path = link_for(client)

    for _ in range(3):
        assert getattr(Client(), method)(path).status_code == 200

    assert SignInToken.objects.get().used_at is None
    assert client.post(path).status_code == 302


def test_a_link_works_once(client: Client, anna: Customer) -> None:
    path = link_for(client)
    client.post(path)

    answer, look = Client().post(path), Client().get(path)

    assert (answer.status_code, look.status_code) == (410, 410)
    assert signin.COOKIE not in answer.cookies
    assert "used already" in answer.content.decode()
    assert 'href="/sign-in/"' in answer.content.decode()


def test_the_second_click_of_a_double_click_is_let_through(client: Client, anna: Customer) -> None:
    path = link_for(client)

    first, second = client.post(path), client.post(path)

    assert (first.status_code, second.status_code, second["Location"]) == (302, 302, "/account/")


def test_a_link_ends_after_a_quarter_of_an_hour(client: Client, anna: Customer) -> None:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as clock:
        path = link_for(client)

        clock.move_to("2026-11-20T10:14:59Z")
        assert client.get(path).status_code == 200
        clock.move_to("2026-11-20T10:15:00Z")
        late = client.post(path)

    assert late.status_code == 410
    assert "too old" in late.content.decode()
    assert signin.COOKIE not in late.cookies
    assert SignInToken.objects.get().used_at is None


@pytest.mark.parametrize(
    "spoil",
    [lambda t: t[:-1], lambda t: ("y" if t[0] == "x" else "x") + t[1:], lambda t: "nonsense", lambda t: t + "."],
)
def test_a_tampered_link_is_told_apart(client: Client, anna: Customer, spoil: Any) -> None:
    token = link_for(client).split("/")[2]

    answer = client.post(f"/sign-in/{spoil(token)}/")

    assert answer.status_code == 400
    assert "cannot be read" in answer.content.decode()
    assert SignInToken.objects.get().used_at is None


def test_a_link_that_was_erased_long_after_its_end_is_too_old(client: Client, anna: Customer) -> None:
    path = link_for(client)
    SignInToken.objects.update(expires_at=timezone.now() - timedelta(days=2))

    assert signin.forget_old_links(now=timezone.now()) == 1

    assert client.get(path).status_code == 410


def test_links_that_are_not_long_over_are_kept(client: Client, anna: Customer) -> None:
    link_for(client)

    assert signin.forget_old_links(now=timezone.now() + timedelta(hours=24)) == 0


# ---------------------------------------------------------------- where it leads


def test_the_page_that_was_asked_for_is_where_the_link_leads(client: Client, anna: Customer) -> None:
    path = link_for(client, next="/contracts/C-1/?x=1")

    assert client.post(path)["Location"] == "/contracts/C-1/?x=1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "account/",
        "/x\r\nSet-Cookie: a=b",
        "/" + "x" * 300,
        "http:///evil.example",
        "/\t/evil.example",
    ],
)
def test_nobody_is_led_away_from_the_desk(client: Client, anna: Customer, elsewhere: str) -> None:
    page = client.get("/sign-in/", {"next": elsewhere})
    assert 'name="next"' not in page.content.decode()

    path = link_for(client, next=elsewhere)

    assert client.post(path)["Location"] == "/account/"


def test_the_form_carries_the_page_that_was_asked_for(client: Client) -> None:
    page = client.get("/sign-in/", {"next": "/contracts/C-1/"}).content.decode()

    assert 'name="next" value="/contracts/C-1/"' in page


# ---------------------------------------------------------------- the cookie


def cookie_of(visitor: Client, path: str) -> Any:
    visitor.post(path)
    return visitor.cookies[signin.COOKIE]


def test_the_cookie_is_for_this_desk_alone(client: Client, anna: Customer, settings: Any) -> None:
    settings.CUSTOMER_COOKIE_SECURE, settings.CUSTOMER_COOKIE_HOURS = True, 3

    cookie = cookie_of(client, link_for(client))

    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["secure"], cookie["max-age"]) == ("Lax", True, 3 * 3600)
    assert "anna" not in cookie.value


def test_reading_the_cookie_costs_no_query(client: Client, anna: Customer, django_assert_num_queries: Any) -> None:
    cookie_of(client, link_for(client))

    with django_assert_num_queries(0):
        assert signin.signed_in(request_of(client)) == (anna.pk, 0)


def test_a_cookie_ends_after_its_hours(client: Client, anna: Customer, settings: Any) -> None:
    cookie_of(client, link_for(client))

    with time_machine.travel(timezone.now() + timedelta(hours=settings.CUSTOMER_COOKIE_HOURS, seconds=5)):
        assert signin.signed_in(request_of(client)) is None


@pytest.mark.pure
@pytest.mark.parametrize("value", ["", "1:0", "WzEsMF0:x:y", "é", "W10:1vA:abc"])
def test_a_made_up_cookie_is_nobodys(value: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES = {signin.COOKIE: value}

    assert signin.signed_in(request) is None


def test_signing_out_takes_a_post_and_ends_the_sign_in(client: Client, anna: Customer) -> None:
    cookie_of(client, link_for(client))

    assert client.get("/sign-out/").status_code == 405
    answer = client.post("/sign-out/")

    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
    assert signin.signed_in(request_of(client)) is None


def test_signing_out_leaves_the_other_devices_signed_in(client: Client, anna: Customer) -> None:
    phone = Client()
    client.post(link_for(client))
    phone.post(another_link())

    client.post("/sign-out/")

    assert is_in(phone)
    assert not is_in(client)


def test_signing_out_everywhere_ends_each_sign_in_and_each_open_link_of_that_customer_alone(
    client: Client, anna: Customer
) -> None:
    other, ben = Client(), make_customer(email="ben@example.org")
    client.post(link_for(client))
    open_link = another_link()
    ask(other, "ben@example.org")
    bens = mailed_links()[-1]

    signin.sign_out_everywhere(anna.pk)

    anna.refresh_from_db()
    assert signin.signed_in(request_of(client)) == (anna.pk, anna.sign_in_epoch - 1)
    assert not is_in(client)
    assert client.post(open_link).status_code == 410
    assert other.post(bens).status_code == 302
    assert is_in(other)
    ben.refresh_from_db()
    assert (anna.sign_in_epoch, ben.sign_in_epoch) == (1, 0)


def test_who_was_signed_out_everywhere_signs_in_again_by_a_new_link(client: Client, anna: Customer) -> None:
    client.post(link_for(client))
    signin.sign_out_everywhere(anna.pk)

    client.post(another_link())

    assert is_in(client)


def another_link() -> str:
    ask(Client())
    return mailed_links()[-1]


def is_in(visitor: Client) -> bool:
    """Tell whether the pages of a visitor's contracts open."""
    return visitor.get("/account/").status_code == 200


def test_a_page_for_customers_leads_strangers_to_the_sign_in_and_back() -> None:
    page = signin.to_sign_in(RequestFactory().get("/contracts/C-1/?a=b"))
    posted = signin.to_sign_in(RequestFactory().post("/contracts/C-1/cancel/now/"))
    acted = signin.to_sign_in(RequestFactory().post("/contracts/C-1/cancel/now/"), before_the_act="/contracts/C-1/")

    assert (page.status_code, page["Location"]) == (302, "/sign-in/?next=%2Fcontracts%2FC-1%2F%3Fa%3Db")
    assert posted["Location"] == "/sign-in/"
    assert acted["Location"] == "/sign-in/?next=%2Fcontracts%2FC-1%2F"


# ---------------------------------------------------------------- limits


def test_one_mailbox_is_sent_five_links_in_a_quarter_of_an_hour(client: Client, anna: Customer) -> None:
    answers = [ask(client, email) for email in ["anna@example.org", "ANNA@example.org"] * 3]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 15 * 60
    assert "The links you have keep working" in answers[-1].content.decode()
    assert Entry.objects.filter(topic="sign-in").count() == 5
    assert ask(client, "other@example.org").status_code == 200


def test_an_unknown_address_meets_the_same_limit(client: Client) -> None:
    assert [ask(client, "nobody@example.org").status_code for _ in range(6)] == [200] * 5 + [429]


def test_one_connection_asks_thirty_times_in_a_quarter_of_an_hour(client: Client) -> None:
    answers = [ask(client, f"a{number}@example.org").status_code for number in range(31)]

    assert answers == [200] * 30 + [429]
    assert client.post("/sign-in/", {"email": "z@example.org"}, REMOTE_ADDR="10.9.8.7").status_code == 200


def test_behind_a_proxy_the_visitors_are_told_apart_by_what_the_proxy_saw(client: Client, settings: Any) -> None:
    settings.BEHIND_PROXY = True

    def from_(address: str) -> int:
        return client.post(
            "/sign-in/", {"email": f"{address}@example.org"}, headers={"x-forwarded-for": f"6.6.6.6, {address}"}
        ).status_code

    assert [from_(f"10.0.0.{number}") for number in range(40)] == [200] * 40


def test_a_cache_that_is_down_locks_nobody_out(client: Client, anna: Customer, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
        }
    }

    assert ask(client).status_code == 200
    assert Entry.objects.count() == 1
