"""The figures of the page about options as CSV. The shapes stay; scripts read them.

Amounts are text with exactly the currency's digits, means to the smallest coin; shares and differences of shares are
fractions of one with four digits. Where there are too few customers to tell anything, ``verdict`` is ``too_few`` and
every figure but the counts is empty. Verdicts: ``too_few``, ``no_effect_told``, ``more``, ``less``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings

from reports.effects import Kept, OptionLine, Received, effects
from reports.exports import amount, neutral
from reports.queries import Slice
from reports.visits import MonthLine, months
from subscriptions.amounts import Money

Line = list[str]
COUNTS = ["shown_customers", "held_out_customers", "needed"]
DIFFERENCE = ["difference", "low", "high", "verdict"]


def as_csv(what: str, within: Slice, now: datetime) -> str:
    """Return one of the ``TABLES``, with a header line."""
    header, lines = TABLES[what](within, now)
    to = io.StringIO()
    csv.writer(to, lineterminator="\r\n").writerows([header, *lines])
    return to.getvalue()


def _effect(within: Slice, now: datetime) -> tuple[Line, Iterable[Line]]:
    header = ["days", *COUNTS, "shown_still_paying", "held_out_still_paying", *DIFFERENCE]
    return header, map(_kept, effects(within, now).kept)


def _kept(one: Kept) -> Line:
    told = ["", "", "", "", ""]
    if one.shares is not None and one.difference is not None:
        interval = one.difference.interval
        shown, held_out = one.shares
        figures = (shown.value, held_out.value, one.difference.estimate, interval.low, interval.high)
        told = [f"{figure:.4f}" for figure in figures]
    return [*_counts(one), *told, one.verdict]


def _money(within: Slice, now: datetime) -> tuple[Line, Iterable[Line]]:
    groups = ["shown_received", "held_out_received", "shown_cost", "held_out_cost"]
    return ["days", *COUNTS, "currency", *groups, *DIFFERENCE], map(_received, effects(within, now).received)


def _received(one: Received) -> Line:
    told = [""] * 7
    if one.means is not None and one.costs is not None and one.difference is not None:
        interval = one.difference.interval
        figures = (*one.means, *one.costs, one.difference.estimate, interval.low, interval.high)
        told = [amount(Money(round(figure), one.currency)) for figure in figures]
    return [*_counts(one), one.currency, *told, one.verdict]


def _counts(one: Kept | Received) -> Line:
    return [str(one.days), *map(str, one.of), str(settings.EFFECT_MIN)]


def _options(within: Slice, now: datetime) -> tuple[Line, Iterable[Line]]:
    header = ["option", "kind", "currency", "shown", "declined", "agreed", "taken_back", "failed",
              "followed_90_days", "still_paying", "cost"]  # fmt: skip
    return header, map(_option, effects(within, now).options)


def _option(line: OptionLine) -> Line:
    counts = (line.shown, line.declined, line.agreed, line.taken_back, line.failed, line.followed, line.still_paying)
    return [neutral(line.offer.code), line.offer.kind, line.currency, *map(str, counts), amount(line.cost)]


def _months(within: Slice, now: datetime) -> tuple[Line, Iterable[Line]]:
    return ["month", "ended", "kept_by_choice", "left_open"], map(_month, months(within, now))


def _month(line: MonthLine) -> Line:
    return [f"{line.month:%Y-%m}", str(line.ended), str(line.kept), str(line.left_open)]


TABLES: dict[str, Callable[[Slice, datetime], tuple[Line, Iterable[Line]]]] = {
    "effect": _effect,
    "money": _money,
    "options": _options,
    "months": _months,
}
