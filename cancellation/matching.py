"""Find the contract that a declaration means: exactly, or as candidates for a person to look at.

Exact is a contract's reference together with the e-mail address or the name on file, each however it was typed.
Everything else is a candidate with its reasons; no candidate is ever taken without a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Replace, Upper
from django.utils.translation import gettext as _

from cancellation.models import Declared
from subscriptions.models import Contract
from subscriptions.signin import customers_with

DASHES = r"\-‐‑‒–—―−－"
_NO_MARK = re.compile(rf"[\s{DASHES}]+")
# Longer than any reference or name of ours: what follows cannot help to find anything.
LONGEST = 400
# How many contracts of one person, and how many that share a word, are looked at.
MOST_OF_ONE, MOST_ALIKE = 200, 60
CANDIDATES_SHOWN = 8
ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class Found:
    """The contract that is meant, and by what it was found."""

    contract: Contract
    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contract that may be meant: how much speaks for it (0 to 100), and what."""

    contract: Contract
    score: int
    why: tuple[str, ...]


def bare(reference: str) -> str:
    """Return a reference without what people add or leave out: case, blanks, dashes."""
    return _NO_MARK.sub("", unicodedata.normalize("NFKC", reference[:LONGEST])).casefold()


def plain(name: str) -> str:
    """Return a name as names are compared: one form of each letter, no case, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", name[:LONGEST]).casefold().split())


def exact(declared: Declared) -> Found | None:
    """Return the one contract that reference and address or name agree on; None where none or several do."""
    wanted = bare(declared.reference)
    if not wanted:
        return None
    agreeing = _agreeing([*_by_spelling(declared), *_of_the_mailbox(declared)], declared, wanted)
    agreeing = agreeing or _agreeing(_without_dashes(wanted), declared, wanted)
    to_the_letter = [found for found in agreeing if found.contract.reference == declared.reference.strip()]
    chosen = to_the_letter or agreeing
    return chosen[0] if len(chosen) == 1 else None


def _agreeing(contracts: Iterable[Contract], declared: Declared, wanted: str) -> list[Found]:
    """Return the contracts of this reference whose address or name agrees, each once."""
    found = {row.pk: row for row in contracts if bare(row.reference) == wanted}
    return [Found(row, why) for row in found.values() if (why := _agrees(row, declared))]


def _everywhere() -> QuerySet[Contract]:
    return Contract.objects.select_related("customer", "plan__product").order_by("pk")


def _by_spelling(declared: Declared) -> QuerySet[Contract]:
    return _everywhere().filter(reference__in=_spellings(declared.reference))


def _of_the_mailbox(declared: Declared) -> Iterable[Contract]:
    if "@" not in declared.email:
        return []
    return _everywhere().filter(customer__in=customers_with(declared.email[:LONGEST]))[:MOST_OF_ONE]


def _without_dashes(wanted: str) -> QuerySet[Contract]:
    """Return contracts whose dashes stand where nobody would look. No index helps here, so it is asked last."""
    without = Upper(Replace("reference", Value("-"), Value("")), output_field=CharField())
    return _everywhere().alias(bare=without).filter(bare=wanted.upper())[:MOST_ALIKE]


def _spellings(reference: str) -> set[str]:
    """Return how a reference may stand in the database, however it was typed."""
    typed = unicodedata.normalize("NFKC", reference[:LONGEST]).strip()
    dashed = re.sub(rf"\s*[{DASHES}]\s*", "-", typed)
    tight = re.sub(r"\s+", "", dashed)
    joined = bare(typed)
    # Ours are a letter, a dash, the rest: C-7KQ2MX4P.
    forms = {typed, dashed, tight, re.sub(r"\s+", "-", dashed), joined, f"{joined[:1]}-{joined[1:]}"}
    return {spelt for form in forms for spelt in (form, form.upper(), form.lower()) if 0 < len(spelt) <= 64}


def _agrees(contract: Contract, declared: Declared) -> str:
    """Return by what beside the reference a contract is the declared one; "" where nothing agrees."""
    if contract.customer.email and contract.customer.email.casefold() == declared.email.strip().casefold():
        return "reference and e-mail address"
    if contract.customer.name and plain(contract.customer.name) == plain(declared.name):
        return "reference and name"
    return ""


def candidates(declared: Declared) -> list[Candidate]:
    """Return the contracts that may be meant, the likeliest first; six statements at most, none without a limit."""
    seen: dict[int, Contract] = {}
    for rows in _alike(declared):
        for row in rows:
            seen.setdefault(row.pk, row)
    scored = sorted(_scored(seen.values(), declared), key=lambda one: (-one.score, one.contract.pk))
    return scored[:CANDIDATES_SHOWN]


def _alike(declared: Declared) -> Iterator[QuerySet[Contract]]:
    everywhere = _everywhere().order_by("-pk")
    tokens = [word for word in re.split(r"[\s,;:]+", declared.reference[:LONGEST]) if len(word) >= 4]
    spelt = {form for word in [declared.reference, *tokens[:8]] for form in _spellings(word)}
    yield everywhere.filter(reference__in=spelt)
    if "@" in declared.email:
        yield everywhere.filter(customer__in=customers_with(declared.email[:LONGEST]))[:MOST_ALIKE]
    words = sorted((word for word in plain(declared.name).split() if len(word) >= 3), key=len, reverse=True)[:3]
    if words:
        likeness = Q()
        for word in words:
            likeness |= Q(customer__name__icontains=word)
        yield everywhere.filter(likeness)[:MOST_ALIKE]
    parts = sorted((bare(word) for word in tokens), key=len, reverse=True)[:2]
    likeness = Q()
    for part in filter(lambda part: 4 <= len(part) <= 64, parts):
        likeness |= Q(reference__icontains=part[:8]) | Q(reference__icontains=part[-6:])
    if likeness:
        yield everywhere.filter(likeness)[:MOST_ALIKE]


def _scored(contracts: Iterable[Contract], declared: Declared) -> Iterator[Candidate]:
    for contract in contracts:
        speaks = [*_by_reference(contract, declared), *_by_person(contract, declared)]
        if speaks:
            yield Candidate(contract, min(100, sum(score for score, _why in speaks)), tuple(why for _n, why in speaks))


def _by_reference(contract: Contract, declared: Declared) -> Iterator[tuple[int, str]]:
    typed, ours = bare(declared.reference), bare(contract.reference)
    if typed == ours:
        yield 60, _("the same reference")
    elif ours and ours in typed:
        yield 50, _("the reference stands in what was typed")
    elif (likeness := SequenceMatcher(None, typed[:64], ours).ratio()) >= ALIKE:
        yield round(45 * likeness), _("a similar reference")
    if contract.plan.product.name and plain(contract.plan.product.name) in plain(declared.reference):
        yield 10, _("the product stands in what was typed")


def _by_person(contract: Contract, declared: Declared) -> Iterator[tuple[int, str]]:
    customer = contract.customer
    if customer.email and customer.email.casefold() == declared.email.strip().casefold():
        yield 40, _("the same e-mail address")
    name, ours = plain(declared.name), plain(customer.name)
    if name and name == ours:
        yield 35, _("the same name")
    elif name and ours and (sorted(name.split()) == sorted(ours.split())):
        yield 30, _("the same name in another order")
    elif name and ours and (likeness := SequenceMatcher(None, name, ours).ratio()) >= ALIKE:
        yield round(25 * likeness), _("a similar name")
