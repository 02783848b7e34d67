"""A sum of money: whole minor units of one currency.

Two currencies are never added or compared: ValueError says so. Exact; nothing here rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from subscriptions.money import from_minor, to_minor


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units, such as ``Money(1299, "EUR")`` for 12.99 euro."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Money:
        """Return the money of a decimal amount that fits the currency's minor unit."""
        return cls(to_minor(amount, currency), currency)

    @property
    def amount(self) -> Decimal:
        """Return the decimal amount, with exactly the currency's digits."""
        return from_minor(self.minor, self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be put together.")
        return other.minor
