"""What leaving would mean: days and money, worked out before anybody clicks.

A quote is a snapshot. Its fingerprint covers what the holder is shown (days and amounts), never the instant.
Pure: no clock, no database, no settings. Days are local days of the contract, inclusive; money is exact.
Source: TERMS "Quote", "Settlement".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from subscriptions import law, settlement
from subscriptions.amounts import Money
from subscriptions.law import Applied
from subscriptions.periods import Period
from subscriptions.prices import PriceChange, price_of
from subscriptions.terms import (
    CutOff,
    NoticeQuote,
    Terms,
    billing_period_around,
    local_day,
)

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment for a stretch of days, both inclusive."""

    paid_from: date
    paid_to: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Withdrawable:
    """What decides about a withdrawal: its last day, and whether the days used may be charged for."""

    last_day: date
    asked_to_start: bool
    informed: bool


@dataclass(frozen=True, slots=True)
class Improvement:
    """One term that is better for the holder than agreed, as JSON values: what was agreed, what applies, by which rule.

    ``basis`` is "law", or "ours" where the operator is kinder still.
    """

    parameter: str
    agreed: Any
    applied: Any
    source: str
    basis: str = "law"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a quote needs to know of a contract.

    ``law`` holds the terms that the holder may rely on beside the agreed ``terms``; the best for each day counts.
    ``at_once``: the public page was at fault, and the law lets the contract end on the day of the notice.
    """

    terms: Terms
    price: Money
    refund_policy: str
    paid: tuple[Paid, ...] = ()
    law: Applied | None = None
    at_once: bool = False
    upfront_cost: Money | None = None
    exit_fee_cap: Money | None = None
    early_release: bool = False
    withdrawable: Withdrawable | None = None
    sender_zone: str = ""
    # Other prices that were agreed for a while.
    price_changes: tuple[PriceChange, ...] = ()

    def price_from(self, first_day: date) -> Money:
        """Return what the billing period that begins on a day costs."""
        return Money(price_of(self.price.minor, self.price_changes, first_day), self.price.currency)


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
    way: str = "ordinary"
    # What bounds the fee, by name; the smallest applies.
    fee_parts: tuple[tuple[str, Money], ...] = ()
    # Where the law gave better terms than agreed: those terms, and what is better in them.
    terms: Terms | None = None
    improvements: tuple[Improvement, ...] = ()

    @property
    def cost(self) -> Money:
        """Return what leaving this way costs from now on: charges and fee, less what comes back."""
        return self.charges_total + self.fee - self.refund

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
            "way": self.way,
            "fee_parts": [[name, _pair(money)] for name, money in self.fee_parts],
            "terms": self.terms.as_dict() if self.terms else None,
            "improvements": [list(astuple(line)) for line in self.improvements],
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
            # Quotes that were kept before there was a choice of ways have none of these.
            way=data.get("way", "ordinary"),
            fee_parts=tuple((name, Money(*pair)) for name, pair in data.get("fee_parts", [])),
            terms=Terms.from_dict(data["terms"]) if data.get("terms") else None,
            improvements=tuple(Improvement(*line) for line in data.get("improvements", [])),
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
    """Return what an ordinary notice means, or None where the contract has ended by itself already.

    Of the terms as agreed and those that the law gives, the best for the holder on that day count.
    """
    law = agreed.law or Applied.as_agreed(agreed.terms)
    told = _told(law, received_at, agreed.sender_zone)
    if told.last_day is None:
        return None
    received_on = told.received_on
    if agreed.at_once and received_on < told.last_day:
        return settled(agreed, received_on, received_on, "at_once")
    terms = law.behind(received_on)
    quote = settled(agreed, received_on, told.last_day, str(law.rule_of(received_on)))
    return replace(
        quote,
        latest_notice_day=told.latest_notice_day,
        if_missed_last_day=told.if_missed_last_day,
        one_day_earlier_last_day=_one_day_earlier(law, received_on, told.last_day),
        terms=None if terms == agreed.terms else terms,
        improvements=() if terms == agreed.terms else tuple(_plainly(line) for line in law.improvements),
    )


def _told(law: Applied, received_at: datetime, sender_zone: str) -> NoticeQuote:
    """Return the terms' answer; where it was an earlier day for the sender, the better one of the two."""
    told = law.notice_quote(received_at)
    if not sender_zone:
        return told
    there = local_day(received_at, sender_zone)
    if there >= told.received_on:
        return told
    earlier = law.quote(there)
    if earlier.last_day is None or told.last_day is None or earlier.last_day >= told.last_day:
        return told
    return earlier._replace(received_on=told.received_on)


def _plainly(line: law.Improvement) -> Improvement:
    """Return an improvement as JSON can hold it."""
    agreed, applied = (
        value.as_dict() if isinstance(value, (Period, CutOff)) else str(value) for value in (line.agreed, line.applied)
    )
    return Improvement(line.parameter, agreed, applied, line.source, line.basis)


def settled(
    agreed: Agreed, received_on: date, last_day: date, rule: str, *, way: str = "ordinary", fee: Money | None = None
) -> Quote:
    """Return a quote for an end on a given day: what still falls due until then, and what comes back of it."""
    lines = tuple(_refund_lines(agreed, last_day))
    return _quote(agreed, received_on, last_day, rule, way=way, fee=fee, lines=lines)


def withdrawn(agreed: Agreed, received_on: date) -> Quote:
    """Return a quote for a withdrawal: everything comes back, less the days used at the holder's own wish.

    The day on which the withdrawal arrives is not charged. Source: Dir. 2011/83 art. 14(3).
    """
    terms = agreed.withdrawable
    lines = tuple(
        RefundLine(
            paid.paid_from,
            paid.paid_to,
            paid.amount,
            Money.of(
                settlement.withdrawal_refund(
                    paid=paid.amount.amount,
                    currency=paid.amount.currency,
                    starts_on=paid.paid_from,
                    term_days=(paid.paid_to - paid.paid_from).days + 1,
                    received_on=received_on,
                    asked_to_start=bool(terms and terms.asked_to_start),
                    informed=bool(terms and terms.informed),
                ),
                paid.amount.currency,
            ),
        )
        for paid in agreed.paid
    )
    # Nothing is charged any more, whatever day a period has reached.
    return _quote(agreed, received_on, received_on, "withdrawal", way="withdrawal", lines=lines, charged=False)


def _quote(
    agreed: Agreed,
    received_on: date,
    last_day: date,
    rule: str,
    *,
    way: str,
    lines: tuple[RefundLine, ...],
    fee: Money | None = None,
    charged: bool = True,
) -> Quote:
    charges = tuple(_charges(agreed, received_on, last_day)) if charged else ()
    nothing = Money(0, agreed.price.currency)
    refunds = _by_currency(lines)
    return Quote(
        received_on=received_on,
        last_day=last_day,
        latest_notice_day=None,
        if_missed_last_day=None,
        one_day_earlier_last_day=None,
        rule=rule,
        refund=refunds.pop(agreed.price.currency, nothing),
        fee=fee or nothing,
        charges=len(charges),
        charges_total=sum((amount for _, amount in charges), nothing),
        last_charge=charges[-1][1] if charges else None,
        last_charge_on=charges[-1][0] if charges else None,
        refund_lines=lines,
        other_refunds=tuple(refunds[currency] for currency in sorted(refunds) if refunds[currency].minor),
        way=way,
    )


def _by_currency(lines: tuple[RefundLine, ...]) -> dict[str, Money]:
    """Return what comes back in each currency."""
    sums: dict[str, Money] = {}
    for line in lines:
        sums[line.refund.currency] = sums.get(line.refund.currency, Money(0, line.refund.currency)) + line.refund
    return sums


def _one_day_earlier(law: Applied, received_on: date, last_day: date) -> date | None:
    """Return the end that a notice of the day before would have reached, where that is a real difference."""
    earlier = law.quote(received_on - ONE_DAY).last_day
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
        if (due := agreed.price_from(first) - _unused(agreed, first, last, last_day)).minor:
            yield day, due
        day = last + ONE_DAY


def _unused(agreed: Agreed, first: date, last: date, last_day: date) -> Money:
    price = agreed.price_from(first)
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
