"""Policy packs: what the rules of a place ask for, as dated data with their source.

A pack is one TOML file. Each parameter is a list of entries; the one in force on a day answers, first of the
sector, then of the place, then of the base pack, in the end of ``default``. ``no_rule = true`` says in so many words
that a place has no rule of its own. Days are calendar dates; what an entry's day is compared with (the day a
contract was concluded, or the day of the question) is its ``by``.
Nothing here reads the clock, the database or the settings. Faults are found when packs are read, all at once:
PackError names file, parameter, what is wrong and the remedy. Asking a pack raises nothing but KeyError for a
parameter that nobody knows.
Values are shared: treat the lists and tables that come back as read-only.
Source: LAW table B. Forms of values: ``subscriptions/parameters.py``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from subscriptions.parameters import PARAMETERS, Parameter
from subscriptions.reading import FieldError, read_zone, shown

CODES = ("default", "eu", "de", "fr", "pl", "uk", "us-ca", "us-ny", "us-mn", "jp")
SECTORS = ("telecom", "mobile")
LANGUAGES = ("en", "de", "fr", "pl", "ja")
# Earlier than any contract: what the default says from here on, it says for every day.
BEGINNING = date(1900, 1, 1)
HEAD = ("name", "language", "country", "region", "timezone", "status", "base")
ENTRY = ("since", "value", "no_rule", "unit", "source", "confidence", "review_on", "sector", "basis", "by")
FIELD_RULES = ("mandatory_fields", "optional_fields", "max_fields")
CONFIDENCES = ("A", "B", "C", "?")
# ISO 3166 codes; a place among them without a pack of its own follows the Union's.
EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
SAME_PLACE = {"UK": "GB", "EL": "GR"}

Basis = Literal["law", "ours"]


class Fault(NamedTuple):
    """What is wrong with a pack, where, and what to do."""

    file: str
    parameter: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}, {self.parameter}" if self.parameter else self.file
        return f"{where}: {self.what}"


class PackError(ValueError):
    """Packs cannot be used as they are written; ``faults`` names every one."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(f"{fault}. {fault.remedy}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Value:
    """One dated entry of a pack. A ``value`` of None says that there is no rule."""

    value: Any
    unit: str
    since: date
    source: str
    confidence: str
    review_on: date
    sector: str
    basis: Basis
    pack: str
    parameter: str = ""
    by: Literal["received", "concluded"] = "received"
    # Set by the operator of this desk, over what the pack says.
    is_override: bool = False

    def applies(self, on: date, concluded_on: date) -> bool:
        """Tell whether this entry has begun, by the day that counts for it."""
        return self.since <= (concluded_on if self.by == "concluded" else on)


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """The rules of one place."""

    code: str
    name: str
    language: str
    country: str
    region: str
    timezone: str
    status: Literal["in_force", "draft"]
    base: Pack | None
    entries: Mapping[str, tuple[Value, ...]] = field(default_factory=dict, repr=False)
    overrides: Mapping[str, tuple[Value, ...]] = field(default_factory=dict, repr=False)

    @property
    def is_in_force(self) -> bool:
        """Tell whether contracts follow this pack; a draft only shows what is to come."""
        return self.status == "in_force"

    def rule(self, parameter: str, on: date, sector: str = "", *, concluded_on: date | None = None) -> Value:
        """Return what holds on a day, the operator's own choice included. KeyError for an unknown parameter.

        ``concluded_on`` is the day the contract was made, where that is another one; some rules go by it.
        """
        return self._find(parameter, on, sector, concluded_on or on, overridden=True) or _last_resort(parameter)

    def get(self, parameter: str, on: date, sector: str = "", *, concluded_on: date | None = None) -> Any:
        """Return the value that holds on a day; None where there is no rule."""
        return self.rule(parameter, on, sector, concluded_on=concluded_on).value

    def law(self, parameter: str, on: date, sector: str = "", *, concluded_on: date | None = None) -> Any | None:
        """Return what the law says on a day, or None where it says nothing: our own choices are not law."""
        found = self._find(parameter, on, sector, concluded_on or on, overridden=False)
        return found.value if found and found.basis == "law" else None

    def binding(self, parameter: str, on: date, sector: str = "", *, concluded_on: date | None = None) -> Value | None:
        """Return the entry that binds a contract: the law's, or the operator's kinder one in its place."""
        if self.law(parameter, on, sector, concluded_on=concluded_on) is None:
            return None
        return self.rule(parameter, on, sector, concluded_on=concluded_on)

    def history(self, parameter: str) -> tuple[Value, ...]:
        """Return this pack's own entries for a parameter, the general ones first, by day."""
        return self.entries.get(parameter, ())

    def _find(self, parameter: str, on: date, sector: str, concluded_on: date, *, overridden: bool) -> Value | None:
        known = PARAMETERS[parameter].name
        for layer in (self.overrides, self.entries) if overridden else (self.entries,):
            for part in _sectors_of(sector):
                if found := _latest(layer.get(known, ()), part, on, concluded_on):
                    return found
        return self.base._find(known, on, sector, concluded_on, overridden=overridden) if self.base else None


def _latest(entries: tuple[Value, ...], sector: str, on: date, concluded_on: date) -> Value | None:
    begun = [entry for entry in entries if entry.sector == sector and entry.applies(on, concluded_on)]
    # "No rule" ends what was before it, and the search goes on where it would without this pack.
    return begun[-1] if begun and begun[-1].value is not None else None


def _sectors_of(sector: str) -> tuple[str, ...]:
    """Return where to look, the narrowest first: mobile telephony is telecommunications."""
    return {"": ("",), "mobile": ("mobile", "telecom", "")}.get(sector, (sector, ""))


def _last_resort(parameter: str) -> Value:
    known = PARAMETERS[parameter]
    return Value(known.last_resort, known.unit, BEGINNING, "", "?", BEGINNING, "", "ours", "default", parameter)


class Packs(Mapping[str, Pack]):
    """All packs by their code, the default first."""

    def __init__(self, packs: Mapping[str, Pack]) -> None:
        self._packs = dict(packs)

    def __getitem__(self, code: str) -> Pack:
        return self._packs[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._packs)

    def __len__(self) -> int:
        return len(self._packs)

    def for_place(self, country: str, region: str = "") -> tuple[Pack, bool]:
        """Return the pack in force at a place, and whether it is that place's own.

        The region's pack comes first, then the country's, then the Union's for its members, then the default.
        """
        land = SAME_PLACE.get(country.strip().upper(), country.strip().upper())
        part = region.strip().upper().removeprefix(f"{land}-")
        for here in dict.fromkeys((part, "")):
            for pack in self._packs.values():
                if land and (pack.country, pack.region) == (land, here) and pack.is_in_force:
                    return pack, True
        return self._packs["eu" if land in EU and "eu" in self._packs else "default"], False


# Reading.


def load(folder: Path, overrides: Path | None = None) -> Packs:
    """Return the packs of a folder, with the operator's kinder choices laid over them. Raises PackError."""
    packs, faults = read(folder, overrides)
    if faults:
        raise PackError(faults)
    return packs


def read(folder: Path, overrides: Path | None = None) -> tuple[Packs, list[Fault]]:
    """Return what can be used of the packs in a folder, and every fault. What is faulty is left out.

    There is always a ``default``, if need be an empty one, which answers with the last resort.
    """
    reader = _Reader()
    written = reader.files_of(folder, expected=CODES)
    packs: dict[str, Pack] = {}
    for code in sorted(written, key=_order):
        if pack := reader.pack(code, written[code], packs):
            packs[code] = pack
    if "default" not in packs:
        packs = {"default": _nowhere(), **packs}
    reader.check_completeness(packs["default"])
    reader.check_sense(packs)
    if overrides is not None:
        packs = reader.overridden(packs, reader.files_of(overrides))
    return Packs(packs), reader.faults


def _nowhere() -> Pack:
    return Pack("default", "Default", "en", "", "", "UTC", "in_force", None)


def _order(code: str) -> tuple[int, str]:
    # A base stands before whoever builds on it.
    return (CODES.index(code) if code in CODES else len(CODES), code)


class _Reader:
    """Reads files and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def say(self, file: str, parameter: str, what: str, remedy: str) -> None:
        self.faults.append(Fault(file, parameter, what, remedy))

    def files_of(self, folder: Path, expected: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
        if not folder.is_dir():
            self.say(str(folder), "", "is not a folder", "Give the folder that holds the packs.")
            return {}
        found: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.glob("*.toml")):
            try:
                found[path.stem] = tomllib.loads(path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
                self.say(path.name, "", f"cannot be read: {wrong}", "Correct it; the place is told above.")
                found.pop(path.stem, None)
        known = {path.stem for path in folder.glob("*.toml")}
        for code in expected:
            if code not in known:
                self.say(f"{code}.toml", "", "is missing", "Put it back from the release.")
        for code in sorted(known - set(CODES)):
            self.say(f"{code}.toml", "", "is a pack that nobody knows", f"Name it one of {', '.join(CODES)}.")
            found.pop(code, None)
        return found

    def pack(self, code: str, written: dict[str, Any], packs: Mapping[str, Pack]) -> Pack | None:
        file, before = f"{code}.toml", len(self.faults)
        head: dict[str, Any] = {key: written.get(key) for key in HEAD}
        self._check_head(file, code, head, packs)
        if len(self.faults) > before:
            return None
        base = packs.get(head.pop("base") or "")
        return Pack(code, **head, base=base, entries=self.entries_of(file, code, written))

    def _check_head(self, file: str, code: str, head: dict[str, Any], packs: Mapping[str, Pack]) -> None:
        needed = [key for key in HEAD if not (key == "base" and code == "default")]
        for key in needed:
            if not isinstance(head[key], str):
                self.say(file, key, f"{shown(head[key])} is not text", f"Write {key} at the top of the file.")
        if any(not isinstance(head[key], str) for key in needed):
            return
        self._check_word(file, "language", head["language"], LANGUAGES)
        self._check_word(file, "status", head["status"], ("in_force", "draft"))
        if code != "default":
            bases = [known for known in packs if known != code]
            self._check_word(file, "base", head["base"], tuple(bases))
        elif head["base"] is not None:
            self.say(file, "base", "the default has none", "Take the line out.")
        try:
            read_zone(head["timezone"])
        except FieldError as wrong:
            self.say(file, "timezone", str(wrong).removeprefix("timezone: "), "Give an IANA name.")

    def _check_word(self, file: str, parameter: str, word: Any, known: tuple[str, ...]) -> bool:
        if word in known:
            return True
        self.say(file, parameter, f"{shown(word)} is not known", f"Give one of {', '.join(filter(None, known))}.")
        return False

    def entries_of(self, file: str, code: str, written: dict[str, Any]) -> dict[str, tuple[Value, ...]]:
        found: dict[str, tuple[Value, ...]] = {}
        review_on = written.get("review_on")
        for name, listed in written.items():
            if name in HEAD or name == "review_on":
                continue
            if name not in PARAMETERS:
                self.say(file, name, "is a parameter that nobody knows", _nearest(name))
            elif not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
                self.say(file, name, "is not a list of entries", f"Begin each entry with [[{name}]].")
            else:
                read_entries = [self._entry(file, code, PARAMETERS[name], entry, review_on) for entry in listed]
                kept = [entry for entry in read_entries if entry is not None]
                self._check_order(file, name, kept)
                found[name] = tuple(sorted(kept, key=lambda entry: (entry.sector, entry.since)))
        return found

    def _entry(self, file: str, code: str, known: Parameter, entry: dict[str, Any], review_on: object) -> Value | None:
        before, name = len(self.faults), known.name
        for key in entry:
            if key not in ENTRY:
                self.say(file, name, f"unknown key {shown(key)}", f"Known are {', '.join(ENTRY)}.")
        since = self._day(file, name, "since", entry.get("since"))
        review = self._day(file, name, "review_on", entry.get("review_on", review_on))
        self._check_word(file, name, entry.get("confidence"), CONFIDENCES)
        self._check_word(file, name, entry.get("basis"), ("law", "ours"))
        self._check_word(file, name, entry.get("sector", ""), ("", *SECTORS))
        self._check_word(file, name, entry.get("by", "received"), ("received", "concluded"))
        if not isinstance(entry.get("source"), str) or not entry["source"].strip():
            self.say(file, name, "has no source", "Name the row of the baseline and the statute.")
        self._check_value(file, known, entry)
        if len(self.faults) > before or since is None or review is None:
            return None
        return Value(
            entry.get("value"), known.unit, since, entry["source"], entry["confidence"], review,
            entry.get("sector", ""), entry["basis"], code, name, entry.get("by", "received"),
        )  # fmt: skip

    def _check_value(self, file: str, known: Parameter, entry: dict[str, Any]) -> None:
        if "no_rule" in entry:
            if entry["no_rule"] is not True or "value" in entry:
                self.say(file, known.name, "has both a value and no rule", "Write no_rule = true alone, or a value.")
            return
        if "value" not in entry:
            self.say(file, known.name, "has no value", f"Give {known.form}, or no_rule = true.")
            return
        if entry.get("unit") != known.unit:
            self.say(file, known.name, f"unit {shown(entry.get('unit'))} is wrong", f'Write unit = "{known.unit}".')
        try:
            known.check(entry["value"])
        except FieldError as wrong:
            self.say(file, known.name, str(wrong), f"Give {known.form}.")

    def _day(self, file: str, name: str, key: str, value: object) -> date | None:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        self.say(file, name, f"{key} {shown(value)} is not a day", f"Write it like {key} = 2026-06-19, without quotes.")
        return None

    def _check_order(self, file: str, name: str, entries: list[Value]) -> None:
        for sector in dict.fromkeys(entry.sector for entry in entries):
            days = [entry.since for entry in entries if entry.sector == sector]
            if any(later <= earlier for earlier, later in pairwise(days)):
                told = f"{name} for {sector}" if sector else name
                self.say(file, name, f"the days of {told} are not in order", "Put earlier days first, each day once.")

    def check_completeness(self, default: Pack) -> None:
        """Say which parameters have no answer on some day, wherever in the chain one looks."""
        for name in PARAMETERS:
            general = [entry for entry in default.history(name) if not entry.sector]
            if not general:
                told = "has no answer in any pack"
                self.say("default.toml", name, told, "Add a value, or no_rule = true, to default.toml.")
            elif general[0].since > BEGINNING:
                gap = f"leaves a gap: nothing holds before {general[0].since}"
                self.say("default.toml", name, gap, f"Let its first entry begin on {BEGINNING}.")

    def check_sense(self, packs: Mapping[str, Pack]) -> None:
        """Say where fields of one page contradict each other on some day."""
        for pack in packs.values():
            days = {entry.since for name in FIELD_RULES for entry in pack.history(name)}
            for day in sorted(days):
                needed, may = pack.get("mandatory_fields", day) or [], pack.get("optional_fields", day) or []
                if both := [name for name in needed if name in may]:
                    told = f"{both[0]} is mandatory and optional from {day} on"
                    self.say(f"{pack.code}.toml", "optional_fields", told, "Keep it in one of the two.")
                if len(needed) > (most := pack.get("max_fields", day)):
                    told = f"{len(needed)} mandatory fields from {day} on, but max_fields is {most}"
                    self.say(f"{pack.code}.toml", "mandatory_fields", told, "Ask for less.")

    # The operator's own choices.

    def overridden(self, packs: dict[str, Pack], written: dict[str, dict[str, Any]]) -> dict[str, Pack]:
        """Return the packs with what an operator decided laid over them; harsher choices are faults and left out."""
        done: dict[str, Pack] = {}
        for code, pack in packs.items():
            kinder: dict[str, tuple[Value, ...]] = {}
            if code in written:
                file = f"{code}.toml (yours)"
                for name, entries in self._override_entries(file, code, written[code]).items():
                    kept = [entry for entry in entries if self._is_kinder(file, pack, entry, entries)]
                    kinder[name] = tuple(replace(entry, is_override=True) for entry in kept)
            base = done[pack.base.code] if pack.base else None
            done[code] = replace(pack, overrides=kinder, base=base)
        for code in written.keys() - packs.keys():
            self.say(f"{code}.toml (yours)", "", "overrides a pack that cannot be read", "Mend the pack first.")
        return done

    def _override_entries(self, file: str, code: str, written: dict[str, Any]) -> dict[str, tuple[Value, ...]]:
        for key in HEAD:
            if key in written:
                self.say(file, key, "cannot be overridden", "Keep only parameters in this file.")
        return self.entries_of(file, code, written)

    def _is_kinder(self, file: str, pack: Pack, entry: Value, siblings: tuple[Value, ...]) -> bool:
        known = PARAMETERS[entry.parameter]
        if entry.value is None or entry.basis == "law":
            self.say(file, known.name, "is your own choice, not a rule", 'Give a value and basis = "ours".')
            return False
        for on, concluded_on in _days_under(pack, entry, siblings):
            below = pack.rule(known.name, on, entry.sector, concluded_on=concluded_on)
            if told := _why_not(known, entry, below):
                self.say(file, known.name, *told)
                return False
        return True


def _days_under(pack: Pack, entry: Value, siblings: tuple[Value, ...]) -> Iterator[tuple[date, date]]:
    """Yield each pair of days (of the question, of the contract) for which something else may lie under an entry."""
    later = [other.since for other in siblings if other.sector == entry.sector and other.since > entry.since]
    until = min(later, default=date.max)
    changes: set[date] = {entry.since, BEGINNING}
    place: Pack | None = pack
    while place:
        changes |= {below.since for below in place.history(entry.parameter)}
        place = place.base
    for on in changes:
        for concluded_on in changes:
            counts = concluded_on if entry.by == "concluded" else on
            if concluded_on <= on and entry.since <= counts < until:
                yield on, concluded_on


def _why_not(known: Parameter, entry: Value, below: Value) -> tuple[str, str] | None:
    """Return why an operator's entry may not stand over another, and what to do; None where it may."""
    told = f"{shown(below.value)}, since {below.since}, {below.source}"
    if entry.value == below.value:
        return None
    if known.is_label and below.basis == "law":
        return (
            f"{shown(entry.value)} would replace words that the law prescribes ({told})",
            "With other words the button does not count, and contracts may be left at once. Take this entry out.",
        )
    if below.value is None:
        return None
    if known.kinder is None:
        return f"cannot be chosen: it is what the place says ({told})", "Take this entry out."
    if not known.kinder(entry.value, below.value):
        return (
            f"{shown(entry.value)} is harsher than the pack ({told})",
            "A desk may be kinder than its place, never harsher: take this entry out or give a kinder value.",
        )
    return None


def _nearest(name: str) -> str:
    near = get_close_matches(name, PARAMETERS, n=1)
    return f"Did you mean {near[0]}?" if near else "See docs/policies.md for the list."
