"""The figures as JSON and CSV. The shapes stay; scripts read them.

JSON: ``{"rows": [{"<by>": …, "cancellations": n, "value_lost": "12.30"}], "total": n, "value_lost": "…"}``. Amounts
are text with exactly the currency's digits. Where several currencies occur, every row has a ``currency`` too and
the closing ``value_lost`` is one amount per currency. CSV has the same columns, without the closing line.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from reports.queries import Figures, Row
from subscriptions.amounts import Money

# What a spreadsheet would take for a formula (OWASP "CSV injection"); the wide ones are read by Japanese editions.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # fmt: skip
NOTHING_LOST = "0.00"


def as_json(figures: Figures) -> str:
    """Return the figures as indented JSON."""
    return json.dumps(as_dict(figures), ensure_ascii=False, indent=2)


def as_dict(figures: Figures) -> dict[str, Any]:
    """Return the figures as plain values."""
    lost = {money.currency: amount(money) for money in figures.value_lost}
    return {
        "rows": [_row(figures, row) for row in figures.rows],
        "total": figures.total,
        "value_lost": lost if figures.is_mixed else next(iter(lost.values()), NOTHING_LOST),
    }


def as_csv(figures: Figures, line_end: str = "\n") -> str:
    """Return the figures as CSV with a header line. Text that a spreadsheet would run gets an apostrophe."""
    to = io.StringIO()
    writer = csv.writer(to, lineterminator=line_end)
    writer.writerow(_columns(figures))
    for row in figures.rows:
        names = {name: neutral(value) for name, value in zip(figures.by, row.names, strict=True)}
        writer.writerow((_row(figures, row) | names).values())
    return to.getvalue()


def amount(money: Money) -> str:
    """Return an amount as plain text with exactly the currency's digits."""
    return format(money.amount, "f")


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _columns(figures: Figures) -> list[str]:
    currency = ["currency"] if figures.is_mixed else []
    return [*(str(name) for name in figures.by), *currency, "cancellations", "value_lost"]


def _row(figures: Figures, row: Row) -> dict[str, Any]:
    names: dict[str, Any] = dict(zip((str(name) for name in figures.by), row.names, strict=True))
    currency = {"currency": row.value_lost.currency} if figures.is_mixed else {}
    return {**names, **currency, "cancellations": row.cancellations, "value_lost": amount(row.value_lost)}
