"""Prices for a while: what a billing period costs where something else was agreed for it.

Pure. Days are inclusive and name the first days of billing periods; money is integer minor units. A stretch that
cannot be read is no stretch: the agreed price applies. Where several cover a period, the lowest counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from subscriptions.periods import Period

# A month in days where a billing period is counted in days: a twelfth of a year.
DAYS_A_MONTH = Fraction(365, 12)


@dataclass(frozen=True, slots=True)
class PriceChange:
    """Another price for every billing period that begins between two days; ``by`` names what agreed it."""

    first: date
    last: date
    price_minor: int
    kind: str = ""
    by: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the change as JSON can hold it."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "price_minor": self.price_minor,
            "kind": self.kind,
            "by": self.by,
        }


def read(rows: Iterable[Any]) -> tuple[PriceChange, ...]:
    """Return the changes that ``as_dict`` wrote, without what cannot be read."""
    return tuple(change for row in rows if (change := _read(row)) is not None)


def _read(row: Any) -> PriceChange | None:
    try:
        change = PriceChange(
            date.fromisoformat(row["from"]),
            date.fromisoformat(row["to"]),
            int(row["price_minor"]),
            str(row.get("kind", "")),
            str(row.get("by", "")),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return change if change.price_minor >= 0 and change.first <= change.last else None


def price_of(agreed_minor: int, changes: Iterable[PriceChange], first_day: date) -> int:
    """Return what the billing period that begins on a day costs, in minor units."""
    other = [change.price_minor for change in changes if change.first <= first_day <= change.last]
    return min([agreed_minor, *other])


def a_month(price_minor: int, billing: Period) -> int:
    """Return what a price per billing period is per month, to the nearest minor unit."""
    months = Fraction(billing.months) if billing.months else Fraction(billing.days) / DAYS_A_MONTH
    return int(Fraction(price_minor) / months + Fraction(1, 2))
