"""A letter says what its frozen facts say, in its reader's language, and reads well without pictures."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import translation

from messaging import compose

pytestmark = pytest.mark.django_db
PUSHING = re.compile(r"sorry to see you|are you sure|miss out|hurry|offer|discount|survey|feedback|rate us", re.I)


def test_the_confirmation_tells_everything_in_plain_text(end_confirmed: dict[str, Any]) -> None:
    reference = end_confirmed["facts"]["contract_reference"]

    letter = compose.draft(end_confirmed)

    assert letter.subject == f"Your contract {reference} ends on 28 February 2027"
    assert (
        letter.text
        == f"""Hello Anna Nowak,

Your notice has arrived, and your contract ends on 28 February 2027. Everything works until midnight of that day. \
You need not do anything more.

Your notice
Reference: N-ABCD2345
Received: 31 January 2027, 23:59:30 (UTC+01:00)
Contract: Server S, {reference}

You declared:
> I end contract C-1.
>
>
> Yours, Anna

Last day: 28 February 2027

Why this day
Your contract runs without a fixed term. It can end with any month. The notice period is 1 month.

The money
You get €100.00 back, to the account you paid from.

Paid for 1 January 2027 – 31 December 2027: €120.00; back: €100.00
10 of 12 months are unused: €120.00 × 10 ÷ 12 = €100.00

What stays with you
Your domain stays yours.

If you change your mind
Until 28 February 2027 you can undo the cancellation. The contract then goes on as if nothing had happened.
http://127.0.0.1:8000/contracts/{reference}/cancel/done/

The last day for your calendar:
http://127.0.0.1:8000/contracts/{reference}/cancel/last-day.ics

Questions? Reply to this mail, or write to support@larkspur.example. A person answers.

Larkspur Services
"""
    )
    assert letter.secrets == {}


def visible(html: str) -> str:
    body = html[html.index("<body") :]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_html_says_the_same(end_confirmed: dict[str, Any]) -> None:
    seen = visible(compose.draft(end_confirmed).html)

    for fact in (
        "Your contract ends on 28 February 2027",
        "N-ABCD2345",
        "31 January 2027, 23:59:30 (UTC+01:00)",
        "I end contract C-1.",
        "Your contract runs without a fixed term.",
        "10 of 12 months are unused: €120.00 × 10 ÷ 12 = €100.00",
        "Your domain stays yours.",
        "Until 28 February 2027 you can undo",
    ):
        assert fact in seen


def test_the_html_needs_nothing_from_elsewhere_and_keeps_its_rules_for_the_dark(
    end_confirmed: dict[str, Any], settings: Any
) -> None:
    settings.OPERATOR = {**settings.OPERATOR, "brand": "#7a1fa2"}

    html = compose.draft(end_confirmed).html

    assert re.search(r"<(img|script|link|iframe)\b|url\(|@import", html) is None
    assert html.count("@media (prefers-color-scheme: dark)") == 1
    assert '<meta name="color-scheme" content="light dark">' in html
    assert re.search(r'<h1 style="[^"]*font-size: ?26px', html)
    assert re.search(r'<table class="page"[^>]*style="[^"]*#7a1fa2', html)
    assert '<html lang="en">' in html
    assert len(html) < 20_000


def test_names_and_words_of_others_stay_text(end_confirmed: dict[str, Any]) -> None:
    end_confirmed["facts"] |= {
        "name": '<b onclick="x">Ann</b>',
        "plan": "<i>S</i> & Co {{ quote }} {% now %}",
        "declaration": "<script>alert(1)</script>",
        "stays_usable": "<img src=x>",
    }

    letter = compose.draft(end_confirmed)

    assert re.search(r"<(script|b|i|img)\b", letter.html) is None
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in letter.html
    assert "> <script>alert(1)</script>" in letter.text
    assert "<i>S</i> & Co {{ quote }} {% now %}" in letter.text


def test_the_declaration_stands_as_it_was_made(end_confirmed: dict[str, Any]) -> None:
    end_confirmed["facts"]["declaration"] = "Ich kündige.\r\n\r\n\r\n\r\n  – Łukasz 山田"

    text = compose.draft(end_confirmed).text

    assert "> Ich kündige.\n>\n>\n>\n>   – Łukasz 山田\n" in text


@pytest.mark.parametrize("subject", ["Server\r\nBcc: everybody@example.org", "S\n\n\nX", "a\x00b\x1b[31m\u2028c"])
def test_a_line_end_in_a_name_makes_no_header(end_confirmed: dict[str, Any], subject: str) -> None:
    end_confirmed["facts"]["contract_reference"] = subject

    letter = compose.draft(end_confirmed)

    assert letter.subject.isprintable()
    assert letter.subject.startswith("Your contract ")


def test_days_and_money_follow_the_readers_language(end_confirmed: dict[str, Any]) -> None:
    seen = {locale: compose.draft({**end_confirmed, "locale": locale}).text for locale in ("de", "fr", "pl", "ja")}

    assert "28. Februar 2027" in seen["de"]
    assert "100,00\xa0€" in seen["de"]
    assert "28 février 2027" in seen["fr"]
    assert "28 lutego 2027" in seen["pl"]
    assert "2027年2月28日" in seen["ja"]


def test_an_unknown_language_reads_as_the_desks_own(end_confirmed: dict[str, Any]) -> None:
    assert compose.draft({**end_confirmed, "locale": "xx-YY"}).locale == "en"
    assert compose.draft({**end_confirmed, "locale": "de-at"}).locale == "de"


def test_the_language_of_the_worker_stays_its_own(end_confirmed: dict[str, Any]) -> None:
    with translation.override("pl"):
        compose.draft({**end_confirmed, "locale": "ja"})
        assert translation.get_language() == "pl"


def test_a_contract_that_never_starts_is_told_so(end_confirmed: dict[str, Any]) -> None:
    facts = end_confirmed["facts"]
    facts["terms"]["starts_on"] = facts["terms"]["billing_anchor"] = "2027-03-01"
    facts["quote"]["rule"] = "never_starts"

    letter = compose.draft(end_confirmed)

    assert letter.subject == f"Your contract {facts['contract_reference']} does not start"
    assert "It takes effect before the contract begins, so it never starts." in letter.text


def test_what_is_still_to_pay_is_told_with_the_number_of_charges(end_confirmed: dict[str, Any]) -> None:
    end_confirmed["facts"]["quote"] |= {
        "refund": [0, "EUR"],
        "charges": 2,
        "charges_total": [2400, "EUR"],
        "refund_lines": [],
    }

    text = compose.draft(end_confirmed).text

    assert "Until then, €24.00 still fall due, in 2 charges." in text
    assert "You get" not in text


def test_nothing_to_pay_and_nothing_back_is_told_in_one_line(end_confirmed: dict[str, Any]) -> None:
    end_confirmed["facts"]["quote"] |= {"refund": [0, "EUR"], "refund_lines": []}

    assert "Nothing more to pay, nothing to get back." in compose.draft(end_confirmed).text


def test_yen_have_no_decimals(end_confirmed: dict[str, Any]) -> None:
    end_confirmed["facts"]["quote"] |= {"refund": [1200, "JPY"], "fee": [0, "JPY"], "charges_total": [0, "JPY"]}

    assert "JP¥1,200 back" in compose.draft(end_confirmed).text


def test_a_notice_that_stands_asks_for_the_choice(end_confirmed: dict[str, Any]) -> None:
    facts = end_confirmed["facts"]
    facts["choose_url"] = "http://127.0.0.1:8000/choose/"

    letter = compose.draft({**end_confirmed, "kind": "notice-stands"})

    assert letter.subject == (
        f"Your notice for contract {facts['contract_reference']} is recorded; one answer is still needed"
    )
    for fact in (
        "recorded with the time of your click",
        "the contract would end on 28 February 2027",
        "http://127.0.0.1:8000/choose/",
        "N-ABCD2345",
        "23:59:30 (UTC+01:00)",
    ):
        assert fact in letter.text
    assert "Last day" not in letter.text + visible(letter.html)


def test_an_undo_is_confirmed(end_confirmed: dict[str, Any]) -> None:
    facts = {name: value for name, value in end_confirmed["facts"].items() if name not in ("quote", "terms")}
    facts |= {"undone_at": "2027-02-01T10:00:00+01:00"}

    letter = compose.draft({**end_confirmed, "kind": "undo-confirmed", "facts": facts})

    assert letter.subject == f"Your contract {facts['contract_reference']} goes on"
    for fact in ("does not end on 28 February 2027", "1 February 2027, 10:00:00 (UTC+01:00)", "N-ABCD2345"):
        assert fact in letter.text
        assert fact in visible(letter.html)


@pytest.mark.parametrize("kind", ["end-confirmed", "notice-stands"])
def test_no_letter_sells_begs_or_asks_for_an_opinion(end_confirmed: dict[str, Any], kind: str) -> None:
    letter = compose.draft({**end_confirmed, "kind": kind})

    assert PUSHING.search(letter.subject + letter.text + visible(letter.html)) is None


def test_a_kind_that_nobody_wrote_is_refused(end_confirmed: dict[str, Any]) -> None:
    with pytest.raises(compose.UnknownKind, match="No letter of the kind"):
        compose.draft({**end_confirmed, "kind": "../../secrets"})


# ---------------------------------------------------------------- options


OPTION: dict[str, Any] = {
    "operator": "Larkspur Services",
    "support_email": "support@larkspur.example",
    "name": "Anna Nowak",
    "contract_reference": "C-1",
    "product": "Hosting",
    "plan": "Server S",
    "reference": "O-ABCD2345",
    "title": "A <pause>",
    "agreed_at": "2026-11-10T13:00:00+01:00",
    "contract_url": "http://127.0.0.1:8000/contracts/C-1/",
    "agreed_url": "http://127.0.0.1:8000/contracts/C-1/options/O-ABCD2345/",
}


def option_letter(kind: str, locale: str = "en", **facts: Any) -> compose.Draft:
    return compose.draft({"kind": kind, "locale": locale, "facts": OPTION | facts})


def test_what_was_agreed_stands_in_the_letter_as_the_page_said_it() -> None:
    letter = option_letter(
        "option-agreed",
        lines=["From 1 December 2026 to 31 January 2027.", "You pay nothing in that time."],
        afterwards="After that the price is €12.00 again.",
        is_by_staff=False,
        take_back_day="2026-11-30",
    )

    assert letter.subject == "Agreed for your contract C-1: A <pause>"
    assert (
        letter.text
        == """Hello Anna Nowak,

This is what you have agreed to. It counts from now on.

A <pause>

Reference: O-ABCD2345
Agreed: 10 November 2026, 13:00:00 (UTC+01:00)
Contract: Server S, C-1

From 1 December 2026 to 31 January 2027.
You pay nothing in that time.

After that the price is €12.00 again.

You can still end the contract at any time, on the page of your contract, with the same notice as before.

If you change your mind, you can take this back until 30 November 2026:
http://127.0.0.1:8000/contracts/C-1/options/O-ABCD2345/

Your contract
http://127.0.0.1:8000/contracts/C-1/

Questions? Reply to this mail, or write to support@larkspur.example. A person answers.

Larkspur Services
"""
    )
    seen = visible(letter.html)
    for fact in ("A &lt;pause&gt;", "O-ABCD2345", "You pay nothing in that time.", "until 30 November 2026"):
        assert fact in seen


def test_a_request_to_a_person_says_that_a_person_has_it() -> None:
    letter = option_letter("option-agreed", lines=[], afterwards="", is_by_staff=True, take_back_day=None)

    assert "A person has your request and answers you." in letter.text
    assert "A person has your request and answers you." in visible(letter.html)
    assert "take this back until" not in letter.text


@pytest.mark.parametrize(("by_holder", "said"), [(True, "You have taken back"), (False, "We have taken back")])
def test_what_was_taken_back_says_by_whom_and_what_holds_again(by_holder: bool, said: str) -> None:
    letter = option_letter(
        "option-taken-back", by_holder=by_holder, is_by_staff=False, taken_back_at="2026-11-11T09:30:00+01:00"
    )

    assert said in letter.text
    assert "costs again what was agreed before" in letter.text
    assert "11 November 2026, 09:30:00" in letter.text
    assert said in visible(letter.html)


def test_what_could_not_be_carried_out_yet_counts_all_the_same() -> None:
    letter = option_letter("option-failed")

    for told in (letter.text, visible(letter.html)):
        assert "It counts all the same" in told
        assert "the difference comes back to you" in told


@pytest.mark.parametrize("kind", ["option-agreed", "option-taken-back", "option-failed"])
@pytest.mark.parametrize("locale", ["de", "fr", "pl", "ja"])
def test_letters_about_options_are_whole_in_every_language_and_press_nobody(kind: str, locale: str) -> None:
    letter = option_letter(
        kind, locale, lines=["…"], afterwards="…", is_by_staff=False, take_back_day="2026-11-30", by_holder=True,
        taken_back_at="2026-11-11T09:30:00+01:00",
    )  # fmt: skip

    assert letter.locale == locale
    assert "O-ABCD2345" in letter.text
    assert not PUSHING.search(letter.text)
