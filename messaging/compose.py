"""Write a letter from its frozen facts: subject, text and HTML, in the reader's language.

What is secret in a letter (a link that lets somebody in) stands in the draft as a stand-in; the post puts the
secret in while it sends, and nobody keeps it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import get_supported_language_variant

from config.brand import DARK, LIGHT, roles
from messaging import documents
from messaging import facts as frozen
from subscriptions.models import SignInToken
from subscriptions.signin import url_of

KINDS = frozenset(
    {
        "announcement-question",
        "announcement-received",
        "declaration-on-file",
        "declaration-received",
        "declaration-repudiated",
        "deletion-asked",
        "end-confirmed",
        "finish-later",
        "halfway",
        "judged",
        "notice-stands",
        "option-agreed",
        "option-failed",
        "option-taken-back",
        "sign-in-link",
        "staff-alert",
        "undo-confirmed",
        "withdrawal-confirmed",
        "withdrawal-received",
    }
)
LONGEST_SUBJECT = 300
# What a template's conditions and loops leave behind: spaces at a line's end, several blank lines.
TAIL, GAP = re.compile(r"[ \t]+$", re.MULTILINE), re.compile(r"\n{3,}")


class UnknownKind(ValueError):
    """No template is written for this kind of letter."""


class TooLate(Exception):
    """The links or the days of the letter are over, or what it says is true no more: it would puzzle its reader."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter as it is kept. ``secrets`` maps each stand-in to what is sent in its place.

    ``receipt`` are the frozen facts of the receipt that it carries; its files are made of them when it leaves.
    """

    locale: str
    subject: str
    text: str
    html: str
    secrets: dict[str, str] = field(default_factory=dict)
    receipt: dict[str, str] | None = None


def draft(payload: dict[str, Any]) -> Draft:
    """Return the letter that an outbox payload asks for. UnknownKind where nobody wrote a template for it."""
    kind = payload["kind"]
    if kind not in KINDS:
        raise UnknownKind(f"No letter of the kind {kind!r} is known.")
    locale = supported(payload["locale"])
    receipt: dict[str, str] | None = payload["facts"].get("receipt")
    with translation.override(locale):
        known = frozen.read(payload["facts"])
        if (is_true := _truths.get(kind)) and not is_true(payload):
            raise TooLate
        if (until := known.get("useful_until_at")) and until < timezone.now():
            raise TooLate
        secrets = _secrets(known)
        context = {**known, **_look(), "LANGUAGE_CODE": locale}
        if receipt:
            context["receipt"] = {**receipt, "document": documents.document_in(receipt["jws"])}
        subject = one_line(render_to_string(f"messaging/{kind}.subject.txt", context))
        text = tidy(render_to_string(f"messaging/{kind}.txt", context))
        html = render_to_string(f"messaging/{kind}.html", {**context, "subject": subject})
    return Draft(locale, subject, text, inlined(html), secrets, receipt)


def supported(locale: str) -> str:
    """Return the language of ours that is nearest to a locale, or the desk's own."""
    try:
        return str(get_supported_language_variant(locale))
    except LookupError:
        return str(settings.LANGUAGE_CODE)


def one_line(subject: str) -> str:
    """Return a subject as one line: a line end inside a name must not begin another header."""
    return " ".join("".join(c if c.isprintable() else " " for c in subject).split())[:LONGEST_SUBJECT]


def tidy(text: str) -> str:
    """Return a text without what templates leave behind, ending with one line end."""
    return GAP.sub("\n\n", TAIL.sub("", text)).strip() + "\n"


def inlined(html: str) -> str:
    """Return HTML with its style on the elements, where mail programs look; the rules for the dark stay a sheet."""
    return _inliner().inline(html)


@functools.lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def _look() -> dict[str, Any]:
    brand = settings.OPERATOR["brand"]
    return {
        "light": {"ground": LIGHT, "brand": roles(brand, LIGHT)},
        "dark": {"ground": DARK, "brand": roles(brand, DARK)},
    }


# Who knows the secret address that a link of a kind stands for; "" where it opens nothing any more.
_link_makers: dict[str, Callable[[int], str]] = {}


def register_link(kind: str, url_of_row: Callable[[int], str]) -> None:
    """Say who makes the secret links of a kind. The apps above do so in ``ready()``; this one imports none of them."""
    _link_makers[kind] = url_of_row


# Who knows whether what letters of a kind say is still so; the facts of all other kinds stay true.
_truths: dict[str, Callable[[dict[str, Any]], bool]] = {}


def register_truth(kind: str, is_true: Callable[[dict[str, Any]], bool]) -> None:
    """Say who tells, from a payload, whether a letter of a kind may still be sent. As with ``register_link``."""
    _truths[kind] = is_true


def _secrets(known: dict[str, Any]) -> dict[str, str]:
    """Give each secret link of a letter its stand-in, and return what belongs in its place."""
    if link := known.get("secret_link"):
        known["secret_url"] = f"{settings.BASE_URL}/{link['kind']}/blotted-out/"
        if not (secret := _link_makers[link["kind"]](link["id"])):
            raise TooLate
        return {known["secret_url"]: secret}
    links = known.get("links", [])
    if not links:
        return {}
    usable = SignInToken.objects.filter(used_at__isnull=True, expires_at__gt=timezone.now())
    kept = usable.in_bulk([link["id"] for link in links])
    if not kept:
        raise TooLate
    known["links"] = links = [link for link in links if link["id"] in kept]
    for number, link in enumerate(links, 1):
        link["url"] = f"{settings.BASE_URL}/sign-in/blotted-out-{number}/"
    return {link["url"]: url_of(kept[link["id"]]) for link in links}
