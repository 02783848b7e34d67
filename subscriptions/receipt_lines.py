"""What a receipt says, line by line, in its own language: one wording for the page, the text, the mail and the PDF.

Reads nothing but the signed document, so every form of it says the same, today and in ten years. A part that a
document lacks is left out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from importlib.util import find_spec
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.formats import format_day, format_instant

Document = dict[str, Any]
Row = tuple[str, str]

ACTS = {
    "cancel": gettext_lazy("cancellation"),
    "for_cause": gettext_lazy("cancellation for cause"),
    "withdraw": gettext_lazy("withdrawal"),
}
TYPED = {
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail address"),
    "phone": gettext_lazy("Telephone"),
    "address": gettext_lazy("Postal address"),
    "reference": gettext_lazy("Contract"),
    "reason": gettext_lazy("Reason"),
    "wished_on": gettext_lazy("Wished day"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a receipt: facts in rows, the words of the holder as they stand, and sentences of ours."""

    title: str
    rows: tuple[Row, ...] = ()
    words: str = ""
    sentences: tuple[str, ...] = ()


@functools.cache
def can_print() -> bool:
    """Tell whether the extra ``pdf`` is installed, so that no link leads to a file that cannot be made."""
    return all(find_spec(name) for name in ("typst", "noto_cjk_sans_jp_regular"))


def language_of(document: Document) -> str:
    """Return the language in which a receipt was issued."""
    return str(document.get("language") or "en")


def title(document: Document) -> str:
    """Return what a receipt is about, as its heading."""
    with translation.override(language_of(document)):
        return _title(document)


def sections(document: Document) -> list[Section]:
    """Return everything that a receipt says, in order."""
    with translation.override(language_of(document)):
        return list(_sections(document))


def _title(document: Document) -> str:
    kind = document["kind"]
    if kind == "received":
        return _("Your declaration has been received")
    if kind == "undone":
        return _("Your contract goes on")
    if kind == "withdrawn":
        return _("You have withdrawn from your contract")
    if "last_day" not in document:
        return _("Your notice is recorded")
    if not _starts(document):
        return _("Your contract does not start")
    return _("Your contract ends on %(day)s") % {"day": _day(document["last_day"])}


def _starts(document: Document) -> bool:
    return bool(document["last_day"] >= document["contract"]["starts_on"])


def _sections(document: Document) -> Iterator[Section]:
    notice = document["notice"]
    yield Section(_("Receipt"), rows=tuple(_of_receipt(document)))
    yield Section(_("What was declared"), rows=tuple(_of_notice(notice)), words=notice["declaration"])
    if notice.get("declared"):
        yield Section(_("What was typed"), rows=tuple(_of_typed(notice["declared"])))
    if "contract" in document:
        yield Section(_("What follows"), rows=tuple(_of_end(document)), sentences=tuple(_because(document)))
    if document.get("notes"):
        yield Section(_("What you asked for"), sentences=tuple(note["text"] for note in document["notes"]))
    if "money" in document:
        yield Section(_("The money"), rows=tuple(_of_money(document)), sentences=tuple(_arithmetic(document["money"])))
    if document.get("stays_usable"):
        yield Section(_("What stays with you"), sentences=(document["stays_usable"],))
    yield Section(_("How this can be checked"), sentences=tuple(_check(document)))


def _of_receipt(document: Document) -> Iterator[Row]:
    operator = document["operator"]
    yield _("Number"), document["number"]
    yield _("Issued"), _instant(document["issued_at"])
    yield _("Issued by"), f"{operator['name']}, {operator['email']}"


def _of_notice(notice: Document) -> Iterator[Row]:
    yield _("Reference"), notice["reference"]
    yield _("Received"), _instant(notice["received_at"])
    if notice["received_at"][-6:] != "+00:00":
        yield _("The same instant in UTC"), _instant(notice["received_at_utc"])
    yield _("Kind"), str(ACTS.get(notice["act"], notice["act"]))
    if notice.get("button"):
        yield _("Declared with the button"), _("“%(label)s”") % {"label": notice["button"]}
    if notice.get("rules"):
        yield _("Rules of the page"), notice["rules"]


def _of_typed(declared: Document) -> Iterator[Row]:
    for name, label in TYPED.items():
        if value := declared.get(name):
            yield str(label), _day(value) if name == "wished_on" else value


def _of_end(document: Document) -> Iterator[Row]:
    contract = document["contract"]
    yield _("Contract"), ", ".join(filter(None, (contract["plan"], contract["product"], contract["reference"])))
    if "last_day" in document:
        yield _("Last day"), _day(document["last_day"])
    if "undone" in document:
        yield _("Undone"), _instant(document["undone"]["at"])
        yield _("Last day that no longer counts"), _day(document["undone"]["last_day"])


def _because(document: Document) -> Iterator[str]:
    if "undone" in document:
        yield _("The contract goes on as if nothing had happened.")
    if reasons := document.get("rule", {}).get("words"):
        yield " ".join(reasons)
    if "last_day" in document and _starts(document) and document["kind"] == "end":
        yield _("Everything works until midnight of the last day.")


def _of_money(document: Document) -> Iterator[Row]:
    money = document["money"]
    charges = money["charges"]
    label = (
        ngettext("Still to pay, in one charge", "Still to pay, in %(n)s charges", charges) % {"n": charges}
        if charges
        else _("Still to pay")
    )
    yield label, money["still_to_pay"]["text"]
    yield _("Fee for leaving"), money["fee"]["text"]
    yield _("You get back"), " + ".join(sum_["text"] for sum_ in (money["refund"], *money["other_refunds"]))


def _arithmetic(money: Document) -> Iterator[str]:
    if parts := money.get("fee_parts"):
        yield _("The fee is the smallest of these:")
        for part in parts:
            yield f"– {part['words']}: {part['text']}"
    for line in money["arithmetic"]:
        told = _("Paid for %(from)s – %(to)s: %(paid)s; back: %(back)s") % {
            "from": _day(line["paid_from"]),
            "to": _day(line["paid_to"]),
            "paid": line["paid"]["text"],
            "back": line["back"]["text"],
        }
        yield f"{told}\n{line['how']}" if line["how"] else told


def _check(document: Document) -> Iterator[str]:
    yield _(
        "This receipt is signed: whoever changes a single character of the signed file breaks the signature. Anybody "
        "can check it at %(verify)s, or without us by the keys at %(keys)s."
    ) % {"verify": document["verify"], "keys": document["keys"]}


def _day(text: str) -> str:
    return format_day(date.fromisoformat(text))


def _instant(text: str) -> str:
    return format_instant(datetime.fromisoformat(text))
