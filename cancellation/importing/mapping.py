"""Which column means what: a mapping, as declared in a TOML file.

A mapping is data and runs nothing. Its shape is described in ``docs/import.md``; the product's own column names are a
mapping too (``plain.toml``). Every mistake in it is a MappingError that names the key.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cancellation.importing import cells
from cancellation.importing.lines import FileError
from feedback.models import Root
from subscriptions.models import RefundPolicy
from subscriptions.reading import FieldError, read_object, shown

PLAIN = Path(__file__).with_name("plain.toml")
LONGEST_NAME = 40
CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")

Value = Any
Reader = Callable[[Any], Value]


class MappingError(FileError):
    """The mapping cannot be used; the message names the key."""


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
    """How a file is read. Made by ``load``; nothing in it is checked again later."""

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
    if name not in _needed(mapping) or _has_default(mapping, name):
        return False
    return not (name in NEEDED_TERMS and "terms" in layout.places)


# Reading the TOML.

TOP_LEVEL = ("name", "columns")
OPTIONAL = ("encoding", "delimiter", "decimal", "days", "payments", "facts", "values", "defaults", "kinds", "plans")


def load(path: Path) -> Mapping:
    """Return the mapping that a TOML file declares. Raises MappingError, which names the key."""
    try:
        with path.open("rb") as file:
            given = tomllib.load(file)
    except OSError as error:
        raise MappingError(f"The mapping {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"The mapping {path} is not TOML: {error}") from None
    try:
        return from_dict(given)
    except FieldError as wrong:
        raise MappingError(f"The mapping {path} cannot be used: {wrong}") from None


def from_dict(given: object) -> Mapping:
    """Return a mapping from the tables of its TOML. Raises FieldError."""
    top = read_object(given, "mapping", TOP_LEVEL, (*OPTIONAL, "reasons"))
    columns = {name: _column(value, f"columns.{name}") for name, value in _table(top, "columns").items()}
    facts = {name: _column(value, f"facts.{name}", optional=True) for name, value in _table(top, "facts").items()}
    _known_names(columns, "columns", FIELDS)
    if clash := next((name for name in facts if name in FIELDS), None):
        raise FieldError(f"facts.{clash}: is a column of its own; move it to columns")
    mapping = Mapping(
        name=_name(top),
        columns=columns,
        facts=facts,
        encoding=_encoding(top.get("encoding", "utf-8")),
        delimiter=_choice(top, "delimiter", ("", ",", ";", "\t", "|")),
        decimal=_choice(top, "decimal", ("", ".", ",")),
        days=_days(top),
        payments=_choice(top, "payments", ("", "last_period")),
        values=_values(_table(top, "values"), (*columns, *facts)),
        defaults=_defaults(_table(top, "defaults"), "defaults"),
        kinds=_kinds(_table(top, "kinds")),
        plans=_plans(top.get("plans", []), (*columns, *facts)),
        **_reasons(_table(top, "reasons")),
    )
    _complete(mapping)
    return mapping


def _table(top: MappingOf[str, Any], name: str) -> MappingOf[str, Any]:
    value = top.get(name, {})
    if not isinstance(value, dict):
        raise FieldError(f"{name}: {shown(value)} is not a table; begin it with [{name}]")
    return value


def _string(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise FieldError(f"{name}: {shown(value)} cannot be used; give a text")
    return value


def _strings(value: object, name: str) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    if not given:
        raise FieldError(f"{name}: is empty; give a text or a list of texts")
    return tuple(_string(one, name) for one in given)


def _choice(top: MappingOf[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = top.get(name, "")
    if value not in choices:
        known = ", ".join(shown(choice) for choice in choices if choice)
        raise FieldError(f"{name}: {shown(value)} is not known; give one of {known}, or leave it out")
    return str(value)


def _name(top: MappingOf[str, Any]) -> str:
    name = _string(top["name"], "name")
    if len(name) > LONGEST_NAME:
        raise FieldError(f"name: has {len(name)} characters; at most {LONGEST_NAME} can be kept")
    return name


def _encoding(value: object) -> str:
    name = _string(value, "encoding")
    try:
        found = codecs.lookup(name)
        plain = found.name.startswith(("utf-16", "utf-32")) or "\n".encode(name) == b"\n"
    except (LookupError, ValueError):
        plain = False
    if not plain:
        raise FieldError(f"encoding: {shown(value)} is not an encoding of text; give one like utf-8 or cp1252")
    return found.name


def _days(top: MappingOf[str, Any]) -> str:
    pattern = top.get("days", "")
    if pattern and not all(part in str(pattern) for part in ("%d", "%m")):
        raise FieldError(f"days: {shown(pattern)} is not a pattern; give one like %d.%m.%Y")
    return str(pattern)


def _known_names(given: MappingOf[str, Any], table: str, known: Sequence[str]) -> None:
    read_object(given, table, (), tuple(known))


def _column(value: object, name: str, *, optional: bool = False) -> Column:
    if not isinstance(value, dict):
        return Column(_strings(value, name), optional)
    given = read_object(value, name, ("names",), ("optional",))
    flag = given.get("optional", optional)
    if not isinstance(flag, bool):
        raise FieldError(f"{name}.optional: {shown(flag)} cannot be used; give true or false")
    return Column(_strings(given["names"], f"{name}.names"), flag)


def _values(given: MappingOf[str, Any], known: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return, for each field, the one spelling for the key of every spelling."""
    _known_names(given, "values", known)
    result: dict[str, dict[str, str]] = {}
    for name, table in given.items():
        if not isinstance(table, dict):
            raise FieldError(f"values.{name}: {shown(table)} is not a table; give {{ yes = [...], no = [...] }}")
        spellings: dict[str, str] = {}
        for meant, also in table.items():
            given_too = also if isinstance(also, list) else [also]
            for spelling in (meant, *(str(one) for one in given_too)):
                if spellings.setdefault(cells.key(spelling), meant) != meant:
                    raise FieldError(f"values.{name}: {shown(spelling)} stands for two things")
        result[name] = spellings
    return result


def _defaults(given: MappingOf[str, Any], table: str) -> dict[str, Value]:
    _known_names(given, table, [name for name in FIELDS if name not in WITHOUT_DEFAULT])
    return {name: _default(name, value, f"{table}.{name}") for name, value in given.items()}


def _default(name: str, value: object, at: str) -> Value:
    if name in AMOUNTS:
        # Kept as text until the row's currency is known.
        return _string(value, at)
    if name not in TERMS:
        value = str(value) if name in DAYS else _string(value, at)
    reader = READERS.get(name, cells.day)
    try:
        return reader(value)
    except FieldError as wrong:
        raise FieldError(f"{at}: {shown(value)} {str(wrong).removeprefix(': ')}") from None


def _kinds(given: MappingOf[str, Any]) -> dict[str, Kind]:
    result: dict[str, Kind] = {}
    for name, table in given.items():
        if not isinstance(table, dict):
            raise FieldError(f"kinds.{name}: {shown(table)} is not a table")
        rest = {key: value for key, value in table.items() if key != "spellings"}
        kind = Kind(cells.text(name, 64), _defaults(rest, f"kinds.{name}"))
        for spelling in (name, *table.get("spellings", [])):
            if result.setdefault(cells.key(_string(spelling, f"kinds.{name}.spellings")), kind) is not kind:
                raise FieldError(f"kinds.{name}: {shown(spelling)} stands for two kinds")
    return result


def _plans(given: object, known: Sequence[str]) -> tuple[PlanRule, ...]:
    if not isinstance(given, list):
        raise FieldError("plans: is not a list of tables; begin each with [[plans]]")
    return tuple(_plan(one, f"plans[{place}]", known) for place, one in enumerate(given))


def _plan(given: object, at: str, known: Sequence[str]) -> PlanRule:
    table = read_object(given, at, ("product", "plan"), ("when", "product_code", "plan_code"))
    when = table.get("when", {})
    if not isinstance(when, dict):
        raise FieldError(f"{at}.when: {shown(when)} is not a table")
    _known_names(when, f"{at}.when", known)
    return PlanRule(
        when=tuple(
            (name, frozenset(cells.key(str(one)) for one in (value if isinstance(value, list) else [value])))
            for name, value in when.items()
        ),
        product=cells.text(_string(table["product"], f"{at}.product"), 200),
        plan=cells.text(_string(table["plan"], f"{at}.plan"), 200),
        product_code=_code(table, "product_code", at),
        plan_code=_code(table, "plan_code", at),
    )


def _code(table: MappingOf[str, Any], name: str, at: str) -> str:
    value = table.get(name, "")
    if value and not (isinstance(value, str) and CODE.fullmatch(value)):
        raise FieldError(f"{at}.{name}: {shown(value)} is not a code; give at most 64 of a-z, 0-9, - and _")
    return str(value)


def _reasons(given: MappingOf[str, Any]) -> dict[str, Any]:
    read_object(given, "reasons", (), ("texts", "otherwise"))
    texts = given.get("texts", [])
    if not isinstance(texts, list):
        raise FieldError("reasons.texts: is not a list; give [{ reason = …, root = … }, …]")
    rules: dict[tuple[str, str], ReasonRule] = {}
    for place, one in enumerate(texts):
        at = f"reasons.texts[{place}]"
        table = read_object(one, at, ("root",), ("reason", "category", "ticks", "elsewhere"))
        pair = cells.key(str(table.get("category", ""))), cells.key(str(table.get("reason", "")))
        if pair == ("", ""):
            raise FieldError(f"{at}: names neither a reason nor a category")
        if pair in rules:
            raise FieldError(f"{at}: {shown(table.get('reason', table.get('category')))} stands there twice")
        rules[pair] = _rule(table, at)
    otherwise = ReasonRule(_root(given.get("otherwise", Root.UNSTATED), "reasons.otherwise"))
    return {"reasons": rules, "otherwise": otherwise}


def _rule(table: MappingOf[str, Any], at: str) -> ReasonRule:
    elsewhere = table.get("elsewhere")
    if elsewhere is not None and not isinstance(elsewhere, bool):
        raise FieldError(f"{at}.elsewhere: {shown(elsewhere)} cannot be used; give true or false")
    return ReasonRule(_root(table["root"], f"{at}.root"), str(table.get("ticks", "")), elsewhere)


def _root(value: object, at: str) -> str:
    if value in Root.values:
        return str(value)
    raise FieldError(f"{at}: {shown(value)} is not a root; give one of {', '.join(Root.values)}")


NEEDED_TERMS = ("timezone", "counting", "notice", "notice_to", "billing")


def _needed(mapping: Mapping) -> list[str]:
    """Return the fields without which no contract can be made."""
    needed = ["price", "currency", *NEEDED_TERMS]
    if not mapping.plans:
        needed += ["product", "plan"]
    if "tenure_months" not in mapping.columns:
        needed.append("starts_on")
    return needed


def _has_default(mapping: Mapping, name: str) -> bool:
    kinds = mapping.kinds.values()
    return name in mapping.defaults or (bool(kinds) and all(name in kind.defaults for kind in kinds))


def _complete(mapping: Mapping) -> None:
    """Refuse a mapping that could never make a contract."""
    if "reference" not in mapping.columns or mapping.columns["reference"].optional:
        raise FieldError("columns.reference: is missing; a contract is found again by its reference")
    for name in _needed(mapping):
        if name in mapping.columns or _has_default(mapping, name):
            continue
        if name in NEEDED_TERMS and "terms" in mapping.columns:
            continue
        raise FieldError(f"columns.{name}: is missing; name its column, or give a default (defaults.{name})")
    if mapping.kinds and "kind" not in mapping.columns:
        raise FieldError("columns.kind: is missing; the tables below kinds are chosen by it")
    if mapping.plans and all(rule.when for rule in mapping.plans):
        raise FieldError("plans: no plan is left for rows that fit none; end with one that has no when")
