"""What leaving would mean: days and money, worked out before anybody clicks.

A quote is a snapshot. Its fingerprint covers what the holder is shown (days and amounts), never the instant.
Pure: no clock, no database, no settings. Days are local days of the contract, inclusive; money is exact.
Source: TERMS "Quote", "Settlement".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from subscriptions import settlement
from subscriptions.amounts import Money
from subscriptions.terms import Terms, billing_period_around, notice_quote, quote_for_day, rule_of

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment for a stretch of days, both inclusive."""

    paid_from: date
    paid_to: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a quote needs to know of a contract."""

    terms: Terms
    price: Money
    refund_policy: str
    paid: tuple[Paid, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundLine:
    """What comes back of one payment."""

    paid_from: date
    paid_to: date
    paid: Money
    refund: Money


@dataclass(frozen=True, slots=True)
class Quote:
    """What a notice received on ``received_on`` means. ``charges`` counts payments still to come."""

    received_on: date
    last_day: date
    latest_notice_day: date | None
    if_missed_last_day: date | None
    one_day_earlier_last_day: date | None
    rule: str
    refund: Money
    fee: Money
    charges: int
    charges_total: Money
    last_charge: Money | None
    last_charge_on: date | None
    refund_lines: tuple[RefundLine, ...] = ()
    # What comes back of payments in another currency than the contract's; currencies are never added up.
    other_refunds: tuple[Money, ...] = ()

    @property
    def net(self) -> Money:
        """Return what the holder gets back in the end; negative where the fee is more."""
        return self.refund - self.fee

    @property
    def is_last_chance(self) -> bool:
        """Tell whether a notice one day later would end the contract more than a day later."""
        return (
            self.latest_notice_day == self.received_on
            and self.if_missed_last_day is not None
            and self.if_missed_last_day > self.last_day + ONE_DAY
        )

    @property
    def fingerprint(self) -> str:
        """Return a short digest of the days and amounts that the holder is shown."""
        facts = {name: value for name, value in self._figures().items() if name != "received_on"}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:20]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures and their fingerprint as JSON values; money as [minor units, currency]."""
        return {**self._figures(), "fingerprint": self.fingerprint}

    def _figures(self) -> dict[str, Any]:
        return {
            "received_on": self.received_on.isoformat(),
            "last_day": self.last_day.isoformat(),
            "latest_notice_day": _iso(self.latest_notice_day),
            "if_missed_last_day": _iso(self.if_missed_last_day),
            "one_day_earlier_last_day": _iso(self.one_day_earlier_last_day),
            "rule": self.rule,
            "refund": _pair(self.refund),
            "fee": _pair(self.fee),
            "charges": self.charges,
            "charges_total": _pair(self.charges_total),
            "last_charge": _pair(self.last_charge),
            "last_charge_on": _iso(self.last_charge_on),
            "refund_lines": [
                [line.paid_from.isoformat(), line.paid_to.isoformat(), _pair(line.paid), _pair(line.refund)]
                for line in self.refund_lines
            ],
            "other_refunds": [_pair(money) for money in self.other_refunds],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Quote:
        """Return the quote that ``as_dict`` wrote. KeyError, TypeError or ValueError where it is no such thing."""
        return cls(
            received_on=date.fromisoformat(data["received_on"]),
            last_day=date.fromisoformat(data["last_day"]),
            latest_notice_day=_day(data["latest_notice_day"]),
            if_missed_last_day=_day(data["if_missed_last_day"]),
            one_day_earlier_last_day=_day(data["one_day_earlier_last_day"]),
            rule=data["rule"],
            refund=Money(*data["refund"]),
            fee=Money(*data["fee"]),
            charges=data["charges"],
            charges_total=Money(*data["charges_total"]),
            last_charge=Money(*data["last_charge"]) if data["last_charge"] else None,
            last_charge_on=_day(data["last_charge_on"]),
            refund_lines=tuple(
                RefundLine(date.fromisoformat(a), date.fromisoformat(b), Money(*paid), Money(*back))
                for a, b, paid, back in data["refund_lines"]
            ),
            other_refunds=tuple(Money(*pair) for pair in data["other_refunds"]),
        )

    def worse_than(self, shown: Quote) -> bool:
        """Tell whether anything here is worse for the holder than what they were shown."""
        if self.refund.currency != shown.refund.currency or self._gives_less_elsewhere(shown):
            return True
        return self.last_day > shown.last_day or self.net < shown.net or shown.charges_total < self.charges_total

    def _gives_less_elsewhere(self, shown: Quote) -> bool:
        here = {money.currency: money.minor for money in self.other_refunds}
        return any(here.get(money.currency, 0) < money.minor for money in shown.other_refunds)


def ordinary(agreed: Agreed, received_at: datetime) -> Quote | None:
    """Return what an ordinary notice means, or None where the contract has ended by itself already."""
    told = notice_quote(agreed.terms, received_at)
    if told.last_day is None:
        return None
    lines = tuple(_refund_lines(agreed, told.last_day))
    charges = tuple(_charges(agreed, told.received_on, told.last_day))
    nothing = Money(0, agreed.price.currency)
    refunds = _by_currency(lines)
    return Quote(
        received_on=told.received_on,
        last_day=told.last_day,
        latest_notice_day=told.latest_notice_day,
        if_missed_last_day=told.if_missed_last_day,
        one_day_earlier_last_day=_one_day_earlier(agreed.terms, told.received_on, told.last_day),
        rule=str(rule_of(agreed.terms, told.received_on)),
        refund=refunds.pop(agreed.price.currency, nothing),
        # The ordinary way out costs nothing; fees belong to the early release.
        fee=nothing,
        charges=len(charges),
        charges_total=sum((amount for _, amount in charges), nothing),
        last_charge=charges[-1][1] if charges else None,
        last_charge_on=charges[-1][0] if charges else None,
        refund_lines=lines,
        other_refunds=tuple(refunds[currency] for currency in sorted(refunds) if refunds[currency].minor),
    )


def _by_currency(lines: tuple[RefundLine, ...]) -> dict[str, Money]:
    """Return what comes back in each currency."""
    sums: dict[str, Money] = {}
    for line in lines:
        sums[line.refund.currency] = sums.get(line.refund.currency, Money(0, line.refund.currency)) + line.refund
    return sums


def _one_day_earlier(terms: Terms, received_on: date, last_day: date) -> date | None:
    """Return the end that a notice of the day before would have reached, where that is a real difference."""
    earlier = quote_for_day(terms, received_on - ONE_DAY).last_day
    return earlier if earlier is not None and earlier < last_day - ONE_DAY else None


def _refund_lines(agreed: Agreed, last_day: date) -> Iterator[RefundLine]:
    for paid in agreed.paid:
        if paid.paid_to <= last_day:
            continue
        back = settlement.refund(
            paid_from=paid.paid_from,
            paid_to=paid.paid_to,
            amount=paid.amount.amount,
            currency=paid.amount.currency,
            last_day=last_day,
            policy=agreed.refund_policy,
        )
        yield RefundLine(paid.paid_from, paid.paid_to, paid.amount, Money.of(back, paid.amount.currency))


def _charges(agreed: Agreed, received_on: date, last_day: date) -> Iterator[tuple[date, Money]]:
    """Yield the billing days still to come, with what is due; a period cut short costs its share only.

    What lies before the notice is either paid or disputed elsewhere; a quote speaks of what is to come. A period that
    has begun already, or that a payment reaches into, is taken for billed.
    """
    terms = agreed.terms
    paid_through = max((paid.paid_to for paid in agreed.paid), default=None)
    day = max(received_on, terms.starts_on, paid_through + ONE_DAY if paid_through else received_on)
    first, last = billing_period_around(terms, day)
    if day not in (first, terms.starts_on):
        day = last + ONE_DAY
    while day <= last_day:
        first, last = billing_period_around(terms, day)
        if (due := agreed.price - _unused(agreed, first, last, last_day)).minor:
            yield day, due
        day = last + ONE_DAY


def _unused(agreed: Agreed, first: date, last: date, last_day: date) -> Money:
    price = agreed.price
    if last <= last_day:
        return Money(0, price.currency)
    back = settlement.refund(
        paid_from=first, paid_to=last, amount=price.amount, currency=price.currency,
        last_day=last_day, policy=agreed.refund_policy,
    )  # fmt: skip
    return Money.of(back, price.currency)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _pair(money: Money | None) -> list[Any] | None:
    return [money.minor, money.currency] if money is not None else None
