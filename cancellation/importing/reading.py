"""A record becomes a row that makes sense, or the list of everything that is wrong with it.

Nothing here reads the database.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from cancellation.importing import cells
from cancellation.importing.lines import Problem, Record
from cancellation.importing.mapping import AMOUNTS, DAYS, READERS, TERMS, Kind, Layout, Mapping
from cancellation.importing.rows import (
    A_DAY,
    Named,
    Paid,
    Row,
    Said,
    code_of,
    terms_template,
    without_days,
)
from subscriptions.periods import ONE_DAY, Period
from subscriptions.prices import a_month
from subscriptions.reading import FieldError, local_day, read_day
from subscriptions.terms import Terms

LONGEST_FACT = 200
LONGEST_IMPORTED = 200
EARLIEST = date(1900, 1, 1)


@dataclass(slots=True)
class RowReader:
    """Reads the records of one file. ``as_of`` is None for today in each contract's own zone."""

    mapping: Mapping
    layout: Layout
    now: datetime
    as_of: date | None

    def read(self, record: Record) -> Row | list[Problem]:
        """Return the row of a record, or its problems."""
        reading = _Reading(self, record)
        row = reading.row()
        return reading.problems or row  # type: ignore[return-value]


@dataclass(slots=True)
class _Reading:
    """One record while it is read; gathers problems instead of stopping at the first."""

    reader: RowReader
    record: Record
    problems: list[Problem] = field(default_factory=list)
    kind: Kind | None = None
    taken: dict[str, Any] = field(default_factory=dict)

    # Cells.

    def refuse(self, name: str, reason: str) -> None:
        place = self.reader.layout.places.get(name)
        value = "" if place is None else self.record.cells[place]
        self.problems.append(Problem(self.record.line, self.reader.layout.name_of(name), value, reason))

    def has(self, name: str) -> bool:
        return name in self.reader.layout.places

    def cell(self, name: str) -> str:
        """Return a field's cell in its one spelling; "" where there is none."""
        place = self.reader.layout.places.get(name)
        if place is None:
            return ""
        value = self.record.cells[place].strip()
        spellings = self.reader.mapping.values.get(name)
        if spellings is None:
            return value
        meant = spellings.get(cells.key(value))
        if meant is None and value:
            known = ", ".join(dict.fromkeys(spellings.values()))
            self.refuse(name, f"is not known; the mapping knows {known}")
        return meant or ""

    def default(self, name: str) -> Any:
        if self.kind and name in self.kind.defaults:
            return self.kind.defaults[name]
        return self.reader.mapping.defaults.get(name)

    def take(self, name: str, *, needed: bool = False) -> Any:
        """Return a field's value: the cell's, else the kind's default, else the mapping's. Refuses it once."""
        if name not in self.taken:
            self.taken[name] = self._take(name, needed)
        return self.taken[name]

    def _take(self, name: str, needed: bool) -> Any:
        before = len(self.problems)
        value = self.cell(name)
        if value:
            try:
                return self._read(name, value)
            except FieldError as wrong:
                self.refuse(name, str(wrong).removeprefix(": "))
                return None
        default = self.default(name)
        if default is None and needed and len(self.problems) == before:
            self.refuse(name, "is empty; give it here, or a default in the mapping")
        return default

    def _read(self, name: str, value: str) -> Any:
        if name in DAYS:
            found = cells.day(value, self.reader.mapping.days)
            if found < EARLIEST:
                raise FieldError(f"lies before {EARLIEST}; check it for a typing error")
            return found
        return READERS[name](value)

    def amount(self, name: str, currency: str, *, needed: bool = False) -> int | None:
        """Return an amount in minor units of the row's currency."""
        value = self.cell(name) or self.default(name)
        if not value:
            if needed:
                self.refuse(name, 'is empty; give a plain number like "12.50"')
            return None
        try:
            return cells.minor_units(value, currency, self.reader.mapping.decimal)
        except FieldError as wrong:
            self.refuse(name, str(wrong))
            return None

    # Rows.

    def row(self) -> Row | None:
        self.kind = self._kind()
        reference = self.take("reference", needed=True)
        template, billing, day_of_terms = self._terms()
        currency = self.take("currency", needed=True)
        money = self._money(currency) if currency else {}
        product, plan = self._plan()
        as_of = self._as_of(template)
        starts_on = self.take("starts_on", needed="tenure_months" not in self.reader.mapping.columns)
        tenure = self.take("tenure_months", needed=starts_on is None) if self.has("tenure_months") else None
        left, last_day, received_on = self._end(as_of, starts_on)
        anchor = self.take("billing_anchor") or day_of_terms
        paid = self._paid(currency) if currency else None
        said = self._said(left)
        customer, facts = self._customer(), self._facts()
        customer_reference = self.take("customer_reference")
        contract = {**self._others(), **money, "currency": currency}
        if self.problems:
            return None
        if "monthly_charge_minor" not in contract:
            contract["monthly_charge_minor"] = a_month(contract["price_minor"], billing)
        return Row(
            line=self.record.line,
            reference=reference,
            customer_reference=customer_reference,
            customer=customer,
            product=product,
            plan=plan,
            contract=contract,
            facts=facts,
            terms=template,
            billing=billing,
            as_of=as_of,
            starts_on=starts_on,
            tenure=tenure,
            anchor=anchor,
            left=left,
            last_day=last_day,
            received_on=received_on,
            said=said,
            paid=paid,
        )

    def _kind(self) -> Kind | None:
        known = self.reader.mapping.kinds
        if not known:
            return None
        value = self.cell("kind")
        found = known.get(cells.key(value))
        if found is None and value:
            names = ", ".join(dict.fromkeys(kind.name for kind in known.values()))
            self.refuse("kind", f"is not a kind of contract that the mapping knows: {names}")
        elif found is None:
            self.refuse("kind", "is empty; it decides which terms apply")
        return found

    def _terms(self) -> tuple[MappingOf[str, Any], Period, date | None]:
        """Return the terms without their days, the billing period, and the anchor that JSON terms name."""
        nothing: tuple[MappingOf[str, Any], Period, None] = ({}, Period(months=1), None)
        if self.cell("terms"):
            return self._terms_of_json() or nothing
        if self.problems and self.kind is None and self.reader.mapping.kinds:
            return nothing
        before = len(self.problems)
        given = {name: self.take(name) for name in TERMS}
        for name in ("timezone", "counting", "notice", "notice_to", "billing"):
            if given[name] is None and len(self.problems) == before:
                self.refuse(name, "is empty; give it here, or a default in the mapping")
        if given["renewal"] is None and given["initial_term"] is None:
            given["renewal"] = "open_ended"
        elif given["renewal"] is None and len(self.problems) == before:
            self.refuse("renewal", "is empty; say what follows the initial term: none, open_ended or a period")
        if len(self.problems) > before:
            return nothing
        try:
            return terms_template(tuple(given.items())), given["billing"], None
        except FieldError as wrong:
            name, _, reason = str(wrong).partition(": ")
            self.refuse(name, reason)
            return nothing

    def _terms_of_json(self) -> tuple[MappingOf[str, Any], Period, date | None] | None:
        try:
            given = cells.json_object(self.cell("terms"))
            first = self.take("starts_on")
            if first and given.get("starts_on", first.isoformat()) != first.isoformat():
                raise FieldError(f"starts on {given['starts_on']}, the row on {first}; give one of them")
            anchor = read_day(given["billing_anchor"], "billing_anchor") if "billing_anchor" in given else None
            day = (first or A_DAY).isoformat()
            terms = Terms.from_dict({"starts_on": day, "billing_anchor": day, **given})
        except FieldError as wrong:
            self.refuse("terms", str(wrong))
            return None
        return without_days(terms), terms.billing, anchor

    def _money(self, currency: str) -> dict[str, int]:
        given = {
            f"{name}_minor": self.amount(name, currency, needed=name == "price")
            for name in AMOUNTS
            if name != "paid_amount"
        }
        return {name: value for name, value in given.items() if value is not None}

    def _plan(self) -> tuple[Named, Named]:
        rules = self.reader.mapping.plans
        if rules:
            rule = next(
                rule for rule in rules if all(cells.key(self._compared(name)) in fits for name, fits in rule.when)
            )
            product, plan, codes = rule.product, rule.plan, (rule.product_code, rule.plan_code)
        else:
            product, plan = self.take("product", needed=True), self.take("plan", needed=True)
            codes = ("", "")
        if not product or not plan:
            return Named("", ""), Named("", "")
        product_code = codes[0] or code_of(product)
        return Named(product_code, product), Named(codes[1] or code_of(product, plan), plan)

    def _compared(self, name: str) -> str:
        if name in self.reader.layout.fact_places or name in self.reader.mapping.facts:
            return self._fact(name)
        return self.kind.name if name == "kind" and self.kind else self.cell(name)

    def _as_of(self, template: MappingOf[str, Any]) -> date:
        if self.reader.as_of:
            return self.reader.as_of
        return local_day(self.reader.now, template["timezone"]) if template else A_DAY

    def _end(self, as_of: date, starts_on: date | None) -> tuple[bool | None, date | None, date | None]:
        """Return whether they left (None: the file does not tell), the last day, and the day of the notice."""
        last_day, received_on = self.take("last_day"), self.take("notice_received_on")
        left: bool | None = self.take("left") if self.has("left") else None
        if left is None and self.has("last_day"):
            left = last_day is not None
        elif left is None and self.has("left") and not self.problems:
            self.refuse("left", "is empty; say whether they have left")
        if self.problems:
            return left, last_day, received_on
        if last_day and not left:
            self.refuse("last_day", "is given, but the row says that they have not left")
        elif last_day and last_day > as_of:
            self.refuse("last_day", f"lies after {as_of}; only ends that have come are imported")
        elif left and starts_on and (last_day or as_of) < starts_on - ONE_DAY:
            # A contract that was left before it began ended on the day before.
            self.refuse("last_day", f"lies before the contract starts, on {starts_on}")
        if received_on and received_on > (last_day or as_of):
            self.refuse("notice_received_on", "lies after the last day")
        return left, last_day, received_on

    def _said(self, left: bool | None) -> Said | None:
        names = ("reason_category", "reason", "words")
        given = {name: self.take(name) or "" if self.has(name) else None for name in names}
        if not left:
            if (stray := next((name for name, value in given.items() if value), None)) and not self.problems:
                self.refuse(stray, "is given, but the row does not say that they left")
            return None
        category, reason, words = given["reason_category"], given["reason"], given["words"]
        rule, is_listed = self.reader.mapping.reason_for(category or "", reason or "")
        if reason and len(reason) > LONGEST_IMPORTED:
            # The report groups by the short text; the whole of it is kept beside.
            words = f"{reason}\n\n{words}" if words else reason
            reason = f"{reason[: LONGEST_IMPORTED - 1]}…"
        return Said(category, reason, words, rule, is_listed)

    def _paid(self, currency: str) -> Paid | None:
        given = {name: self.take(name) for name in ("paid_from", "paid_to")}
        amount = self.amount("paid_amount", currency)
        missing = [name for name, value in {**given, "paid_amount": amount}.items() if value is None]
        if 0 < len(missing) < 3 and not self.problems:
            self.refuse(missing[0], "is empty; a payment needs paid_from, paid_to and paid_amount")
        if missing or amount is None:
            return None
        if given["paid_to"] < given["paid_from"]:
            self.refuse("paid_to", f"lies before paid_from, {given['paid_from']}")
        return Paid(given["paid_from"], given["paid_to"], amount)

    def _customer(self) -> dict[str, str]:
        names = {"customer_name": "name", "email": "email", "locale": "locale", "country": "country"}
        given = {attribute: self.take(name) for name, attribute in names.items() if self._told(name)}
        # An empty e-mail address is one that was taken away; nothing else can be emptied by an import.
        return {name: value or "" for name, value in given.items() if value or name == "email"}

    def _others(self) -> dict[str, Any]:
        names = {"country": "country", "concluded_at": "concluded_at", "refund": "refund_policy"}
        given = {attribute: self.take(name) for name, attribute in names.items() if self._told(name)}
        if self._told("kind"):
            given["kind"] = self.kind.name if self.kind else self.take("kind") or ""
        return {name: value for name, value in given.items() if value is not None}

    def _told(self, name: str) -> bool:
        return self.has(name) or self.default(name) is not None

    def _facts(self) -> dict[str, str]:
        return {name: self._fact(name) for name in self.reader.layout.fact_places}

    def _fact(self, name: str) -> str:
        place = self.reader.layout.fact_places.get(name)
        value = "" if place is None else " ".join(self.record.cells[place].split())[:LONGEST_FACT]
        return self.reader.mapping.values.get(name, {}).get(cells.key(value), value)
