"""Reading a mapping from TOML. Every mistake in it is a MappingError that names the key.

The product's own column names are a mapping, too: ``plain.toml``.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cancellation.importing import cells
from cancellation.importing.lines import FileError
from cancellation.importing.mapping import (
    AMOUNTS,
    DAYS,
    FIELDS,
    NEEDED_TERMS,
    READERS,
    TERMS,
    WITHOUT_DEFAULT,
    Column,
    Kind,
    Mapping,
    PlanRule,
    ReasonRule,
    Value,
    has_default,
    needed_fields,
)
from feedback.models import Root
from subscriptions.reading import FieldError, read_object, shown

PLAIN = Path(__file__).with_name("plain.toml")
LONGEST_NAME = 40
CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class MappingError(FileError):
    """The mapping cannot be used; the message names the key."""


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
        name=_name(top["name"], "name", LONGEST_NAME),
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


def _name(value: object, at: str, longest: int) -> str:
    try:
        return cells.text(_string(value, at), longest)
    except FieldError as wrong:
        raise FieldError(str(wrong) if str(wrong).startswith(at) else f"{at}: {wrong}") from None


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
        kind = Kind(_name(name, f"kinds.{name}", 64), _defaults(rest, f"kinds.{name}"))
        also = _strings(table["spellings"], f"kinds.{name}.spellings") if "spellings" in table else ()
        for spelling in (name, *also):
            if result.setdefault(cells.key(spelling), kind) is not kind:
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
        product=_name(table["product"], f"{at}.product", 200),
        plan=_name(table["plan"], f"{at}.plan", 200),
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


def _complete(mapping: Mapping) -> None:
    """Refuse a mapping that could never make a contract."""
    if "reference" not in mapping.columns or mapping.columns["reference"].optional:
        raise FieldError("columns.reference: is missing; a contract is found again by its reference")
    for name in needed_fields(mapping):
        if name in mapping.columns or has_default(mapping, name):
            continue
        if name in NEEDED_TERMS and "terms" in mapping.columns:
            continue
        raise FieldError(f"columns.{name}: is missing; name its column, or give a default (defaults.{name})")
    if mapping.kinds and "kind" not in mapping.columns:
        raise FieldError("columns.kind: is missing; the tables below kinds are chosen by it")
    if mapping.plans and all(rule.when for rule in mapping.plans):
        raise FieldError("plans: no plan is left for rows that fit none; end with one that has no when")
