"""The difference between a batch of rows and the database, written: the only writer of an import.

A batch is one transaction. What is the same is not written; what was done here since (a notice, a cancellation that
its holder gave) is never overwritten. Nothing is erased: an imported end that the file takes back is undone by an
event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from django.db import models, transaction

from cancellation.importing import derived
from cancellation.importing.known import Known
from cancellation.importing.rows import Named, Row
from cancellation.models import Cancellation, Event, State, Way
from feedback.actions import ImportedAnswer, keep_imported
from feedback.models import Reason
from subscriptions.models import Contract, Customer, Payment, Plan, Product
from subscriptions.reading import zone

ONE_DAY = timedelta(days=1)
NOON = time(12)
# Payments that were worked out, not given; they move when the start of the contract moves.
DERIVED = "period-"
LONGEST_WHY = 500

Model = TypeVar("Model", bound=models.Model)


class Outcome(StrEnum):
    """What became of a row. ``KEPT``: it was left as it is here, because its holder has given notice."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Origin:
    """Which import this is, as events and contracts name it."""

    source: str
    file_name: str
    now: datetime
    derive_payments: bool

    @property
    def actor(self) -> str:
        """Return who did it."""
        return f"import:{self.source}"


@dataclass(slots=True)
class _Work:
    """A row on its way: what is known of its contract, and what it comes to."""

    row: Row
    contract: Contract
    customer: Customer
    is_new: bool
    starts_on: date
    last_day: date | None
    end: Cancellation | None
    changed: list[str] = field(default_factory=list)
    other_changes: bool = False

    @property
    def outcome(self) -> Outcome:
        if self.is_new:
            return Outcome.CREATED
        return Outcome.UPDATED if self.changed or self.other_changes else Outcome.UNCHANGED


class Writer:
    """Writes batches of one import. With ``dry`` it only works out what it would do, and locks nothing."""

    def __init__(self, origin: Origin, reasons: Mapping[str, Reason], *, dry: bool) -> None:
        self.origin = origin
        self.reasons = reasons
        self.dry = dry
        self._plans: dict[tuple[Named, Named], Plan] = {}

    def write(self, rows: Sequence[Row]) -> Counter[Outcome]:
        """Write a batch of rows with references that differ; return how many of each outcome."""
        whole: Callable[[], AbstractContextManager[Any]] = nullcontext if self.dry else transaction.atomic
        with whole():
            known = Known.of(rows, lock=not self.dry)
            kept = [row for row in rows if known.is_protected(row)]
            works = [self._work(row, known) for row in rows if not known.is_protected(row)]
            self._customers(works)
            self._contracts(works)
            self._payments(works)
            ends = self._ends(works)
            self._answers(works, ends)
            self._events(works, ends)
        return Counter([work.outcome for work in works] + [Outcome.KEPT] * len(kept))

    # Customers and contracts.

    def _work(self, row: Row, known: Known) -> _Work:
        contract = known.contracts.get(row.reference)
        end = known.ends.get(contract.pk) if contract else None
        last_day = None
        if row.left:
            last_day = row.last_day or derived.kept_last_day(end.last_day if end else None, row.as_of)
        starts_on = row.starts_on
        if starts_on is None:
            known_start = contract.starts_on if contract else None
            starts_on = derived.kept_start(known_start, last_day or row.as_of, row.tenure or 0)
        return _Work(
            row=row,
            contract=contract or Contract(reference=row.reference),
            customer=known.customer_for(row),
            is_new=contract is None,
            starts_on=starts_on,
            last_day=last_day,
            end=end,
        )

    def _customers(self, works: Sequence[_Work]) -> None:
        new: dict[str, Customer] = {}
        changed: dict[str, Customer] = {}
        names: set[str] = set()
        for work in works:
            customer = work.customer
            fields = _differ(customer, work.row.customer)
            names.update(fields)
            if customer.pk is None and customer.reference not in new:
                customer.name = customer.name or customer.reference
                new[customer.reference] = customer
            elif customer.pk is not None and fields:
                changed[customer.reference] = customer
                work.other_changes = True
        self._create(Customer, list(new.values()))
        self._change(Customer, list(changed.values()), names)

    def _contracts(self, works: Sequence[_Work]) -> None:
        for work in works:
            work.changed = _differ(work.contract, self._values_of(work))
        self._create(Contract, [work.contract for work in works if work.is_new])
        changed = [work for work in works if work.changed and not work.is_new]
        names = {name for work in changed for name in work.changed}
        self._change(Contract, [work.contract for work in changed], names | {"updated_at"})

    def _values_of(self, work: _Work) -> dict[str, Any]:
        row = work.row
        facts = {**work.contract.facts, **row.facts}
        if row.tenure is not None:
            facts["tenure_months"] = row.tenure
        return {
            **row.contract,
            # In a dry run a new customer or plan has no number yet.
            "customer_id": work.customer.pk,
            "plan_id": self._plan(row.product, row.plan).pk,
            "starts_on": work.starts_on,
            "terms": {
                **row.terms,
                "starts_on": work.starts_on.isoformat(),
                "billing_anchor": (row.anchor or work.starts_on).isoformat(),
            },
            "facts": {name: value for name, value in facts.items() if value != ""},
            "source": self.origin.source,
        }

    def _plan(self, product: Named, plan: Named) -> Plan:
        if (product, plan) not in self._plans:
            if len(self._plans) >= 5000:
                self._plans.clear()
            self._plans[product, plan] = self._plan_of(product, plan)
        return self._plans[product, plan]

    def _plan_of(self, product: Named, plan: Named) -> Plan:
        if self.dry:
            found = Plan.objects.filter(code=plan.code).first()
            return found or Plan(code=plan.code, name=plan.name)
        owner, _ = Product.objects.get_or_create(code=product.code, defaults={"name": product.name})
        found, _ = Plan.objects.get_or_create(code=plan.code, defaults={"name": plan.name, "product": owner})
        return found

    # Payments.

    def _payments(self, works: Sequence[_Work]) -> None:
        wanted = {work.row.reference: pair for work in works if (pair := self._payment_of(work))}
        contracts = [work.contract.pk for work in works if not work.is_new]
        references = {values["reference"] for values in wanted.values()}
        known = {
            (payment.contract_id, payment.reference): payment
            for payment in Payment.objects.filter(contract__in=contracts, reference__in=references)
        }
        new: list[Payment] = []
        changed: list[Payment] = []
        for work in works:
            values = wanted.get(work.row.reference)
            if values is None:
                continue
            payment = known.get((work.contract.pk, values["reference"]))
            if payment is None:
                new.append(Payment(contract=work.contract, **values))
                work.other_changes = True
            elif _differ(payment, values):
                changed.append(payment)
                work.other_changes = True
        self._drop_moved(works, wanted)
        self._create(Payment, new)
        self._change(Payment, changed, {"paid_from", "paid_to", "amount_minor", "currency"})

    def _payment_of(self, work: _Work) -> dict[str, Any] | None:
        row = work.row
        if row.paid:
            return {
                "reference": row.paid.paid_from.isoformat(),
                "paid_from": row.paid.paid_from,
                "paid_to": row.paid.paid_to,
                "amount_minor": row.paid.amount_minor,
                "currency": row.currency,
            }
        if not self.origin.derive_payments:
            return None
        end = work.last_day or row.as_of
        period = derived.last_paid(row.anchor or work.starts_on, row.billing, end)
        if period is None:
            return None
        return {
            "reference": f"{DERIVED}{period.number}",
            "paid_from": period.first_day,
            "paid_to": period.last_day,
            "amount_minor": row.contract["price_minor"],
            "currency": row.currency,
        }

    def _drop_moved(self, works: Sequence[_Work], wanted: Mapping[str, Mapping[str, Any]]) -> None:
        """Take away derived payments of contracts whose start has moved: their days were guesses, and are wrong."""
        if self.dry or not self.origin.derive_payments:
            return
        for work in works:
            if not work.is_new and "starts_on" in work.changed:
                kept = wanted.get(work.row.reference, {}).get("reference", "")
                work.contract.payments.filter(reference__startswith=DERIVED).exclude(reference=kept).delete()

    # Ends.

    def _ends(self, works: Sequence[_Work]) -> dict[str, Cancellation]:
        """Write what ended, and return the new and standing ends by the contract's reference."""
        ends: dict[str, Cancellation] = {}
        new: list[Cancellation] = []
        changed: list[Cancellation] = []
        for work in works:
            if work.last_day is not None:
                end = work.end or Cancellation(contract=work.contract, way=Way.IMPORTED, state=State.ENDED)
                fields = _differ(end, self._end_values(work, end))
                ends[work.row.reference] = end
                work.other_changes |= bool(fields)
                if work.end is None:
                    new.append(end)
                elif fields:
                    changed.append(end)
            elif work.end is not None and work.row.left is False:
                work.other_changes = True
                self._take_back(work, work.end)
        self._create(Cancellation, new)
        self._change(Cancellation, changed, {"received_on", "last_day", "currency", "closed_at", "state"})
        return ends

    def _end_values(self, work: _Work, end: Cancellation) -> dict[str, Any]:
        row, last_day = work.row, work.last_day
        assert last_day is not None
        over = _local(last_day + ONE_DAY, time(0), row)
        moved = end.closed_at is None or end.last_day != last_day
        return {
            # A day of notice that the file does not tell stays as it is known, else it is the last day.
            "received_on": row.received_on or (end.received_on if not moved else last_day),
            "last_day": last_day,
            "currency": row.currency,
            "state": State.ENDED,
            "closed_at": min(over, self.origin.now) if moved else end.closed_at,
        }

    def _take_back(self, work: _Work, end: Cancellation) -> None:
        """Undo an imported end that the file no longer knows. Only imports do this, and only to their own."""
        if self.dry:
            return
        mine = Cancellation.objects.filter(pk=end.pk, way=Way.IMPORTED).exclude(state=State.REVOKED)
        if mine.update(state=State.REVOKED, closed_at=self.origin.now):
            why = f"{self._why(work)}: the file no longer says that they left"
            Event.objects.create(
                **self._event(work, "imported end taken back", why),
                cancellation=end,
                before=end.state,
                after=State.REVOKED,
            )

    def _answers(self, works: Sequence[_Work], ends: Mapping[str, Cancellation]) -> None:
        answers: list[ImportedAnswer] = []
        owners: list[_Work] = []
        for work in works:
            said, end = work.row.said, ends.get(work.row.reference)
            if said is None or end is None or (self.dry and end.pk is None):
                continue
            owners.append(work)
            answers.append(
                ImportedAnswer(
                    contract_id=work.contract.pk,
                    cancellation_id=end.pk,
                    category=said.category,
                    reason=said.reason,
                    words=said.words,
                    root=said.rule.root,
                    primary=self.reasons.get(said.rule.ticks),
                    went_elsewhere=said.rule.elsewhere,
                    said_at=min(_local(end.received_on, NOON, work.row), self.origin.now),
                )
            )
        written = keep_imported(answers=answers, dry=self.dry)
        for work, answer in zip(owners, answers, strict=True):
            work.other_changes |= answer.cancellation_id in written

    # Events.

    def _events(self, works: Sequence[_Work], ends: Mapping[str, Cancellation]) -> None:
        events: list[Event] = []
        for work in works:
            end = ends.get(work.row.reference)
            if work.is_new:
                after = State.ENDED if end else ""
                events.append(Event(**self._event(work, "imported", self._why(work)), cancellation=end, after=after))
                continue
            if work.changed:
                why = f"{self._why(work)}: {', '.join(sorted(work.changed))}"
                events.append(Event(**self._event(work, "changed by import", why)))
            if end is not None and work.end is None:
                why = self._why(work)
                events.append(Event(**self._event(work, "imported", why), cancellation=end, after=State.ENDED))
        self._create(Event, events)

    def _event(self, work: _Work, what: str, why: str) -> dict[str, Any]:
        return {
            "contract": work.contract,
            "at": self.origin.now,
            "actor": self.origin.actor,
            "what": what,
            "why": why[:LONGEST_WHY],
        }

    def _why(self, work: _Work) -> str:
        return f"{self.origin.file_name}, line {work.row.line}"

    # Rows.

    def _create(self, model: type[Model], rows: list[Model]) -> None:
        if rows and not self.dry:
            model._default_manager.bulk_create(rows)

    def _change(self, model: type[Model], rows: list[Model], fields: Iterable[str]) -> None:
        """Update rows with one statement: an insert that always conflicts is far quicker than a long CASE."""
        if rows and not self.dry:
            names = sorted(name.removesuffix("_id") for name in fields)
            model._default_manager.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=names)


def _differ(row: models.Model, values: Mapping[str, Any]) -> list[str]:
    """Set what differs, and return its names."""
    names = [name for name, value in values.items() if getattr(row, name, None) != value]
    for name in names:
        setattr(row, name, values[name])
    return names


def _local(day: date, at: time, row: Row) -> datetime:
    return datetime.combine(day, at, zone(row.terms["timezone"])).astimezone(UTC)
