"""What a line comes to: a row, and the names and figures that follow from it. Pure.

Money is in minor units, days are local days of the contract.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.utils.text import slugify

from cancellation.importing import cells
from cancellation.importing.mapping import ReasonRule
from subscriptions.periods import Period
from subscriptions.terms import Terms

LONGEST_CODE = 64
# Stands in for days that are not known yet.
A_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Named:
    """A product or a plan: the code that tells it apart, and its name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment as a row gives it."""

    paid_from: date
    paid_to: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Said:
    """What was said about an end. None: the file has no such column."""

    category: str | None
    reason: str | None
    words: str | None
    rule: ReasonRule
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One contract as a line gives it. ``left`` is None where the file does not tell who left."""

    line: int
    reference: str
    customer_reference: str | None
    customer: MappingOf[str, str]
    product: Named
    plan: Named
    contract: MappingOf[str, Any]
    facts: MappingOf[str, str]
    terms: MappingOf[str, Any]
    billing: Period
    as_of: date
    starts_on: date | None
    tenure: int | None
    anchor: date | None
    left: bool | None
    last_day: date | None
    received_on: date | None
    said: Said | None
    paid: Paid | None

    @property
    def currency(self) -> str:
        """Return the currency of the contract."""
        return str(self.contract["currency"])


@lru_cache(maxsize=1024)
def terms_template(given: tuple[tuple[str, Any], ...]) -> MappingOf[str, Any]:
    """Return the terms as JSON without their days. Raises TermsError for what no contract can mean."""
    return without_days(Terms(starts_on=A_DAY, billing_anchor=A_DAY, **dict(given)))


def without_days(terms: Terms) -> dict[str, Any]:
    """Return terms as JSON without the start and the billing anchor, which each contract has of its own."""
    return {name: value for name, value in terms.as_dict().items() if name not in ("starts_on", "billing_anchor")}


@lru_cache(maxsize=4096)
def code_of(*names: str) -> str:
    """Return a code for a name, the same each time. Names that read alike but differ have different codes."""
    words = [slugify(name) for name in names]
    # Two hyphens: "a-b" of "c" and "a" of "b-c" are two plans.
    code = "--".join(word for word in words if word)
    plain = all(word.replace("-", "") == cells.key(name) for word, name in zip(words, names, strict=True))
    if plain and len(code) <= LONGEST_CODE:
        return code
    mark = hashlib.sha256("\0".join(names).encode()).hexdigest()[:8]
    return f"{code[: LONGEST_CODE - 9]}-{mark}".lstrip("-")
