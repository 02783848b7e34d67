"""What the page about reasons shows, put together from the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_skeleton
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from config.formats import locale_of
from feedback.models import Root
from reports import charts
from reports.charts import Bars
from reports.queries import By, Figures, Row, Slice, figures, root_label
from subscriptions.amounts import Money

# A drawing of more months than this says nothing on a screen; the table has them all.
MONTHS_DRAWN = 36
# A wrong year somewhere must not fill the page with empty months.
MOST_EMPTY_MONTHS = 240
WIDE, NARROW = 960, 340


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month: the number per root, in the order of the columns."""

    month: date
    label: str
    numbers: tuple[int, ...]

    @property
    def total(self) -> int:
        """Return all cancellations of the month."""
        return sum(self.numbers)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table of sums: names, cancellations and the charge lost in one currency."""

    names: tuple[str, ...]
    cancellations: int
    value_lost: Money


def reasons(within: Slice) -> dict[str, Any]:
    """Return everything the page shows of a slice, from two statements."""
    monthly = figures([By.MONTH, By.ROOT], within)
    detailed = figures([By.ROOT, By.REASON], within)
    months = month_rows(monthly)
    return {
        "total": monthly.total,
        "value_lost": monthly.value_lost,
        "mixed": monthly.is_mixed,
        "roots": [root_label(root) for root in Root.values],
        "months": months,
        "totals": [sum(column) for column in zip(*(row.numbers for row in months), strict=True)],
        "by_root": list(_by_root(detailed.rows)),
        "by_reason": [Line((root_label(row.names[0]), row.names[1]), row.cancellations, row.value_lost)
                      for row in detailed.rows],
        "charts": drawings(months),
        "drawn": min(len(months), MONTHS_DRAWN),
    }  # fmt: skip


def month_rows(monthly: Figures) -> list[MonthRow]:
    """Return the months in order with a number for every root; a month between two others may be empty."""
    numbers: dict[str, dict[str, int]] = {}
    for row in monthly.rows:
        month, root = row.names
        of_month = numbers.setdefault(month, {})
        # Over currencies: a cancellation counts once in whatever currency it was paid.
        of_month[root] = of_month.get(root, 0) + row.cancellations
    names = sorted(numbers)
    between = list(_months_between(names[0], names[-1])) if names else []
    return [
        MonthRow(
            month=date.fromisoformat(f"{name}-01"),
            label=month_label(date.fromisoformat(f"{name}-01")),
            numbers=tuple(numbers.get(name, {}).get(root, 0) for root in Root.values),
        )
        for name in (between if len(between) <= MOST_EMPTY_MONTHS else names)
    ]


def month_label(month: date) -> str:
    """Return a month as people write it, such as ``Jan 2027``."""
    return str(format_skeleton("yMMM", month, locale=locale_of(get_language())))


def drawings(months: Sequence[MonthRow]) -> list[tuple[str, str]]:
    """Return the chart of the newest months for wide and for narrow screens; nothing where there is nothing."""
    shown = months[-MONTHS_DRAWN:]
    if not shown:
        return []
    series = [(root_label(root), tuple(row.numbers[place] for row in shown)) for place, root in enumerate(Root.values)]
    # On a phone only the first month of a stretch has room for its name; the drawing thins them out by itself.
    return [
        (name, charts.svg(Bars(f"chart-{name}", _("Cancellations by month and root"), _described(shown),
                               [_short(row.month, narrow=name == "narrow") for row in shown], series, width)))
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    ]  # fmt: skip


def _described(shown: Sequence[MonthRow]) -> str:
    numbers = [sum(row.numbers[place] for row in shown) for place in range(len(Root.values))]
    parts = ", ".join(f"{root_label(root)} {n}" for root, n in zip(Root.values, numbers, strict=True))
    span = ngettext("%(n)d month", "%(n)d months", len(shown)) % {"n": len(shown)}
    told = _("One row of bars per root over %(span)s, %(first)s to %(last)s: %(parts)s. The table has every figure.")
    return told % {"span": span, "first": shown[0].label, "last": shown[-1].label, "parts": parts}


def _short(month: date, *, narrow: bool) -> str:
    skeleton = "yyMM" if narrow else "yyMMM"
    return str(format_skeleton(skeleton, month, locale=locale_of(get_language())))


def _by_root(rows: Sequence[Row]) -> Iterator[Line]:
    sums: dict[tuple[str, str], tuple[int, Money]] = {}
    for row in rows:
        key = (row.names[0], row.value_lost.currency)
        n, lost = sums.get(key, (0, Money(0, row.value_lost.currency)))
        sums[key] = n + row.cancellations, lost + row.value_lost
    order = {root: place for place, root in enumerate(Root.values)}
    for (root, _currency), (n, lost) in sorted(sums.items(), key=lambda item: (order[item[0][0]], item[0][1])):
        yield Line((root_label(root),), n, lost)


def _months_between(first: str, last: str) -> Iterator[str]:
    at, end = (12 * int(name[:4]) + int(name[5:]) - 1 for name in (first, last))
    while at <= end:
        yield f"{at // 12:04d}-{at % 12 + 1:02d}"
        at += 1
