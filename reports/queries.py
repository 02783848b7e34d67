"""Why customers left: how many cancellations, and what monthly charge went with them.

What counts: every cancellation that was not undone, whether its last day is still to come or over. Its day is
``received_on``, the day on which the notice was received **in the contract's own time zone**, so a notice of
00:30 on the first of February in Tokyo belongs to February wherever the server stands.

``cancellations`` counts them. ``value_lost`` is the sum of the contracts' monthly charges, exact, in whole minor
units per currency: two currencies are never added up. What the customer said comes from the ``Answer`` of that
cancellation; one without an answer has the root ``unstated``.

One statement reads all figures of a slice; the page, the download and ``manage.py report`` share it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.db.models import Count, F, FilteredRelation, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import translation
from django.utils.translation import gettext as _

from cancellation.models import Cancellation, State
from feedback.models import Reason, Root
from subscriptions.amounts import Money
from subscriptions.models import Contract, Plan

COUNTED = (State.SCHEDULED, State.ENDED)
CHARGE = "contract__monthly_charge_minor"
CURRENCY = "contract__currency"


class By(StrEnum):
    """What figures can be broken down by; the value is the key of a row."""

    ROOT = "root"
    CATEGORY = "category"
    REASON = "reason"
    PLAN = "plan"
    CONTRACT_KIND = "contract_kind"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Slice:
    """Which cancellations are looked at. Days are inclusive; None and "" mean all.

    ``plan`` is a plan's code, ``country`` an ISO 3166 code as it stands on the contract.
    """

    from_day: date | None = None
    to_day: date | None = None
    plan: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the names in the order of ``Figures.by``, and the figures in one currency."""

    names: tuple[str, ...]
    cancellations: int
    value_lost: Money


@dataclass(frozen=True)
class Figures:
    """A breakdown. Rows of several currencies stand apart; nothing here is added over currencies but the count."""

    by: tuple[By, ...]
    rows: tuple[Row, ...]

    @cached_property
    def total(self) -> int:
        """Return how many cancellations there are in all rows."""
        return sum(row.cancellations for row in self.rows)

    @cached_property
    def value_lost(self) -> tuple[Money, ...]:
        """Return the monthly charges lost, one sum per currency, by its code; none where nothing was lost."""
        sums: dict[str, Money] = {}
        for row in self.rows:
            money = row.value_lost
            sums[money.currency] = sums[money.currency] + money if money.currency in sums else money
        return tuple(sums[currency] for currency in sorted(sums))

    @property
    def is_mixed(self) -> bool:
        """Tell whether several currencies occur."""
        return len(self.value_lost) > 1


def figures(by: Sequence[By], within: Slice, language: str | None = None) -> Figures:
    """Return the figures of a slice by one or more dimensions, most cancellations first, then by name.

    Where ``month`` is among the dimensions, months ascend first. Imported reasons and categories keep their own
    words; our own reasons have their label, and our own categories their root's, in ``language`` (default: the
    active one). Roots are their codes, plans their names, months ``YYYY-MM``.
    """
    with translation.override(language or translation.get_language()):
        namers = [_namer(dimension) for dimension in by]
        columns = sorted({column for namer in namers for column in namer.columns})
        added: dict[tuple[tuple[str, ...], str], list[int]] = defaultdict(lambda: [0, 0])
        for group in _groups(within, columns):
            sums = added[tuple(namer.name(group) for namer in namers), group[CURRENCY]]
            sums[0] += group["n"]
            sums[1] += group["lost"]
    rows = [Row(names, n, Money(lost, currency)) for (names, currency), (n, lost) in added.items()]
    return Figures(tuple(by), tuple(sorted(rows, key=_order(tuple(by)))))


def counted(within: Slice) -> QuerySet[Cancellation]:
    """Return the cancellations of a slice, each with what was said as ``answer`` (absent where nothing was)."""
    rows = Cancellation.objects.filter(state__in=COUNTED)
    if within.from_day:
        rows = rows.filter(received_on__gte=within.from_day)
    if within.to_day:
        rows = rows.filter(received_on__lte=within.to_day)
    if within.plan:
        rows = rows.filter(contract__plan__code=within.plan)
    if within.country:
        rows = rows.filter(contract__country=within.country)
    # An answer carries the cancellation's number without a foreign key; the join goes through the contract.
    return rows.annotate(
        answer=FilteredRelation("contract__answers", condition=Q(contract__answers__cancellation_id=F("pk")))
    )


def known_plans() -> list[tuple[str, str]]:
    """Return code and name of every plan, by name."""
    return list(Plan.objects.order_by("name", "code").values_list("code", "name"))


def known_countries() -> list[str]:
    """Return the countries of the contracts, by code."""
    return list(Contract.objects.exclude(country="").order_by("country").values_list("country", flat=True).distinct())


def _groups(within: Slice, columns: Sequence[str]) -> QuerySet[Any, dict[str, Any]]:
    said = {"said_root": Coalesce("answer__root", Value(Root.UNSTATED.value))}
    rows: QuerySet[Any, dict[str, Any]] = (
        counted(within)
        .annotate(**{name: said[name] for name in columns if name in said})
        .values(*columns, CURRENCY)
        .annotate(n=Count("pk"), lost=Sum(CHARGE))
        .order_by()
    )
    return rows


def _order(by: tuple[By, ...]) -> Callable[[Row], tuple[Any, ...]]:
    month = by.index(By.MONTH) if By.MONTH in by else None

    def key(row: Row) -> tuple[Any, ...]:
        first = row.names[month] if month is not None else ""
        return first, -row.cancellations, row.names, row.value_lost.currency

    return key


@dataclass(frozen=True, slots=True)
class Namer:
    """The columns that a dimension is grouped by in SQL, and the name that a group gets from them."""

    columns: tuple[str, ...]
    name: Callable[[Mapping[str, Any]], str]


def _namer(by: By) -> Namer:
    namers: dict[By, Callable[[], Namer]] = {
        By.ROOT: lambda: Namer(("said_root",), lambda group: group["said_root"]),
        By.CATEGORY: lambda: Namer(("answer__imported_category", "said_root"), _category),
        By.REASON: _reason_namer,
        By.PLAN: _plan_namer,
        By.CONTRACT_KIND: lambda: Namer(("contract__kind",), lambda group: group["contract__kind"]),
        # By day in SQL and by month here: the database need not call a function for every row.
        By.MONTH: lambda: Namer(("received_on",), lambda group: _month(group["received_on"])),
    }
    return namers[by]()


def _month(day: date) -> str:
    # By hand: strftime leaves the zeros of an early year out.
    return f"{day.year:04d}-{day.month:02d}"


def _category(group: Mapping[str, Any]) -> str:
    return group["answer__imported_category"] or root_label(group["said_root"])


def _reason_namer() -> Namer:
    labels = {reason.pk: reason.label for reason in Reason.objects.all()}

    def name(group: Mapping[str, Any]) -> str:
        return (
            group["answer__imported_reason"] or labels.get(group["answer__primary"]) or root_label(group["said_root"])
        )

    return Namer(("answer__imported_reason", "answer__primary", "said_root"), name)


def _plan_namer() -> Namer:
    plans = known_plans()
    names = [name for _code, name in plans]
    # Two plans of one name are told apart by their code.
    shown = {code: f"{name} ({code})" if names.count(name) > 1 else name for code, name in plans}
    return Namer(("contract__plan__code",), lambda group: shown[group["contract__plan__code"]])


def root_label(root: str) -> str:
    """Return a root in words: what an answer without any reason is called."""
    return str(Root(root).label) if root in Root.values else _("Not stated")
