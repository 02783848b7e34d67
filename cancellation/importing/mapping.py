"""Which column means what: a mapping, and where its columns stand in a file.

A mapping is data and runs nothing. ``declared`` reads it from TOML; ``docs/import.md`` describes its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from typing import Any

from cancellation.importing import cells
from cancellation.importing.lines import FileError
from feedback.models import Root
from subscriptions.models import RefundPolicy
from subscriptions.reading import FieldError

Value = Any
Reader = Callable[[Any], Value]


def _text(longest: int) -> Reader:
    return lambda value: cells.text(value, longest)


def _kept(longest: int) -> Reader:
    return lambda value: cells.verbatim(value, longest)


def _refund(value: str) -> str:
    if value in RefundPolicy.values:
        return value
    raise FieldError(f"is not known; give one of {', '.join(RefundPolicy.values)}")


TERMS: dict[str, Reader] = {
    "timezone": cells.time_zone,
    "counting": cells.counting,
    "initial_term": cells.period_or_none,
    "renewal": cells.renewal,
    "notice": cells.notice,
    "renewal_notice": cells.notice,
    "notice_to": cells.boundary,
    "billing": cells.period,
}
AMOUNTS = ("price", "monthly_charge", "upfront_cost", "exit_fee_cap", "paid_amount")
DAYS = ("starts_on", "billing_anchor", "paid_from", "paid_to", "last_day", "notice_received_on")
# Every field a column can be, and how its cells are read. Amounts wait for their currency, days for their pattern.
READERS: dict[str, Reader] = {
    "reference": cells.reference,
    "customer_reference": cells.reference,
    "customer_name": _text(200),
    "email": cells.email,
    "locale": cells.language,
    "country": cells.country,
    "product": _text(200),
    "plan": _text(200),
    "kind": _text(64),
    "tenure_months": cells.count_of_months,
    "concluded_at": cells.instant,
    "currency": cells.currency,
    "refund": _refund,
    **TERMS,
    "terms": cells.json_object,
    "left": cells.yes_or_no,
    "reason_category": _kept(200),
    "reason": _kept(5000),
    "words": _kept(5000),
}
FIELDS = (*READERS, *AMOUNTS, *DAYS)
# What differs from row to row by its nature has no default.
WITHOUT_DEFAULT = frozenset(
    ("reference", "customer_reference", "customer_name", "email", "tenure_months", "terms", "left", "reason_category")
) | {"reason", "words", "last_day", "notice_received_on", "paid_from", "paid_to", "paid_amount"}


@dataclass(frozen=True, slots=True)
class Column:
    """The names that a column may have in a file; the first that is there is taken."""

    names: tuple[str, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class PlanRule:
    """A plan, and the values that a row must have for it."""

    when: tuple[tuple[str, frozenset[str]], ...]
    product: str
    plan: str
    product_code: str = ""
    plan_code: str = ""


@dataclass(frozen=True, slots=True)
class ReasonRule:
    """What a stated reason means: its root, the reason it ticks, and whether they went elsewhere."""

    root: str
    ticks: str = ""
    elsewhere: bool | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of contract in its one spelling, and what all contracts of the kind have in common."""

    name: str
    defaults: MappingOf[str, Value]


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a file is read. Made by ``declared.load``; nothing in it is checked again later."""

    name: str
    columns: MappingOf[str, Column]
    encoding: str = "utf-8"
    delimiter: str = ""
    decimal: str = ""
    days: str = ""
    payments: str = ""
    facts: MappingOf[str, Column] = field(default_factory=dict)
    values: MappingOf[str, MappingOf[str, str]] = field(default_factory=dict)
    defaults: MappingOf[str, Value] = field(default_factory=dict)
    kinds: MappingOf[str, Kind] = field(default_factory=dict)
    plans: tuple[PlanRule, ...] = ()
    reasons: MappingOf[tuple[str, str], ReasonRule] = field(default_factory=dict)
    otherwise: ReasonRule = ReasonRule(Root.UNSTATED)

    def reason_for(self, category: str, reason: str) -> tuple[ReasonRule, bool]:
        """Return what a stated reason means, and whether its text is listed. The pair outweighs the text alone."""
        group, text = cells.key(category), cells.key(reason)
        for pair in ((group, text), ("", text)):
            if text and pair in self.reasons:
                return self.reasons[pair], True
        return self.reasons.get((group, ""), self.otherwise), not (text or group)

    def fit(self, names: Sequence[str]) -> int:
        """Return how many of these cells are columns that the mapping knows."""
        known = {cells.key(name) for column in self._all() for name in column.names}
        return sum(cells.key(name) in known for name in names)

    def _all(self) -> list[Column]:
        return [*self.columns.values(), *self.facts.values()]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a mapping stand in a file, and what they are called there."""

    places: MappingOf[str, int]
    fact_places: MappingOf[str, int]
    header: Sequence[str]

    def name_of(self, field_name: str) -> str:
        """Return the heading of a field's column, or the field's own name."""
        place = self.places.get(field_name)
        return field_name if place is None else self.header[place]


def lay_out(mapping: Mapping, header: Sequence[str]) -> Layout:
    """Return where each column stands. Raises FileError for missing ones, or one that stands twice."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        found.setdefault(cells.key(name), []).append(place)

    def places_of(columns: MappingOf[str, Column]) -> dict[str, int]:
        places: dict[str, int] = {}
        for name, column in columns.items():
            there = next((found[cells.key(one)] for one in column.names if cells.key(one) in found), [])
            if len(there) > 1:
                raise FileError(f'The column "{header[there[0]]}" stands twice; keep the one that is meant.')
            if there:
                places[name] = there[0]
        return places

    layout = Layout(places_of(mapping.columns), places_of(mapping.facts), header)
    if missing := [name for name in mapping.columns if _is_missing(mapping, layout, name)]:
        wanted = ", ".join(" or ".join(f'"{one}"' for one in mapping.columns[name].names) for name in missing)
        there = ", ".join(f'"{name}"' for name in header[:80] if name)
        are_missing = "columns are missing" if len(missing) > 1 else "column is missing"
        raise FileError(f"The {are_missing}: {wanted}. The file has: {there}.")
    return layout


def _is_missing(mapping: Mapping, layout: Layout, name: str) -> bool:
    """Tell whether a column must be there and is not. An optional one may be absent, where a default tells."""
    if name in layout.places:
        return False
    if not mapping.columns[name].optional:
        return True
    if name not in needed_fields(mapping) or has_default(mapping, name):
        return False
    return not (name in NEEDED_TERMS and "terms" in layout.places)


NEEDED_TERMS = ("timezone", "counting", "notice", "notice_to", "billing")


def needed_fields(mapping: Mapping) -> list[str]:
    """Return the fields without which no contract can be made."""
    needed = ["price", "currency", *NEEDED_TERMS]
    if not mapping.plans:
        needed += ["product", "plan"]
    if "tenure_months" not in mapping.columns:
        needed.append("starts_on")
    return needed


def has_default(mapping: Mapping, name: str) -> bool:
    kinds = mapping.kinds.values()
    return name in mapping.defaults or (bool(kinds) and all(name in kind.defaults for kind in kinds))
