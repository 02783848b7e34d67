"""What an agreed option does to a contract, and how that is put back.

Pure: figures in, figures out. ``terms`` are those of the option as the customer was shown them: "starts_on" and
"until" as ISO days, "price_minor" per billing period, "to_plan" a plan's code, "months" the new billing interval and
"billing_anchor" the day that it is counted from (without one, its first).
Days are local days of the contract, inclusive; money is integer minor units of its currency.
Raises KeyError or ValueError for terms that lack what their kind needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from subscriptions.periods import Period, billing_period_of
from subscriptions.prices import PriceChange, a_month, read

ONE_DAY = timedelta(days=1)
# Another price for a while; what was agreed before applies again afterwards.
PASSING = frozenset({"pause", "discount", "free_period", "skip"})
# Another price, plan or interval from the next billing period on, for good.
LASTING = frozenset({"smaller_plan", "todays_price", "interval"})
# A person does these; nothing of the contract changes.
BY_STAFF = frozenset({"help_session", "fix", "hand_over"})
# The contract's price for the time that is billed already, where a shorter interval would count it again.
BILLED = "billed"


@dataclass(frozen=True, slots=True)
class Standing:
    """What an option can change of a contract: ``plan`` is a code, billing stands as terms have it."""

    price_minor: int
    monthly_charge_minor: int
    plan: str
    billing: dict[str, int]
    billing_anchor: str

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {
            "price_minor": self.price_minor,
            "monthly_charge_minor": self.monthly_charge_minor,
            "plan": self.plan,
            "billing": self.billing,
            "billing_anchor": self.billing_anchor,
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Standing:
        """Return what ``as_dict`` wrote. KeyError where something is missing."""
        return cls(
            int(given["price_minor"]),
            int(given["monthly_charge_minor"]),
            str(given["plan"]),
            dict(given["billing"]),
            str(given["billing_anchor"]),
        )


def standing_after(kind: str, terms: dict[str, Any], now: Standing) -> Standing:
    """Return what stands on a contract once an option is agreed; the same where it changes nothing for good."""
    if kind not in LASTING:
        return now
    changed = replace(now, price_minor=_price(terms))
    if kind == "smaller_plan":
        changed = replace(changed, plan=str(terms["to_plan"]))
    if kind == "interval":
        billing = Period(months=int(terms["months"])).as_dict()
        changed = replace(changed, billing=billing, billing_anchor=_anchor(terms).isoformat())
    return replace(changed, monthly_charge_minor=a_month(changed.price_minor, Period.from_dict(changed.billing)))


def prices_after(kind: str, terms: dict[str, Any], *, by: str, today: date) -> list[PriceChange]:
    """Return the prices for a while that an option brings; ``by`` is what names it."""
    if kind in PASSING:
        return [PriceChange(_day(terms["starts_on"]), _day(terms["until"]), _price(terms), kind, by)]
    if kind == "interval" and (billed := _billed_already(terms, today)):
        return [PriceChange(*billed, 0, BILLED, by)]
    return []


def _billed_already(terms: dict[str, Any], today: date) -> tuple[date, date] | None:
    """Return the days from today on before a new interval begins, where it would have billing days among them.

    They belong to a period of the interval before, which is paid or billed; counted back from its first day, a
    shorter interval would charge for them a second time.
    """
    first = _day(terms["starts_on"])
    before = billing_period_of(_anchor(terms), Period(months=int(terms["months"])), first - ONE_DAY)
    return (today, first - ONE_DAY) if before.first_day >= today else None


def without(rows: Iterable[Any], *, by: str, today: date) -> list[dict[str, Any]]:
    """Return prices for a while without what one option brought; periods that have begun keep their price."""
    kept = []
    for change in read(rows):
        if change.by != by:
            kept.append(change)
        elif change.first <= today and change.kind != BILLED:
            kept.append(replace(change, last=min(change.last, today)))
    return [change.as_dict() for change in kept]


def _anchor(terms: dict[str, Any]) -> date:
    """Return the day that a new interval is counted from; of a month end, not every month has the number."""
    return _day(terms.get("billing_anchor") or terms["starts_on"])


def _price(terms: dict[str, Any]) -> int:
    if (price := int(terms["price_minor"])) < 0:
        raise ValueError(f"price_minor: {price} is negative")
    return price


def _day(value: Any) -> date:
    return date.fromisoformat(str(value))
