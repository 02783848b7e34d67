"""What is paid back, and what an early end costs.

Days are inclusive calendar dates; money is an amount in the currency's minor unit, in and out a
Decimal with exactly its digits (text of the same form is read too). Everything is computed in exact
fractions and rounded once, in favour of the customer: refunds up, fees down.
Raises FieldError, which names the field, for what cannot be read and for days outside the years 1 to 9999.
Source: TERMS "Settlement"; Dir. 2011/83 art. 14(3) for withdrawal. Cases: tests/data/terms_vectors.json.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Any

from subscriptions.money import from_minor, to_minor
from subscriptions.periods import (
    MOST_DAYS,
    ONE_DAY,
    Period,
    billing_period_of,
    last_day_of_term,
    month_index,
    month_later,
)
from subscriptions.reading import BEYOND_THE_CALENDAR, FieldError, read_choice, read_count, read_day, shown


class RefundPolicy(StrEnum):
    """What is paid back of a period that was paid ahead and is not used up."""

    NONE = "none"
    DAILY = "daily"
    MONTHLY = "monthly"


def refund(
    *,
    paid_from: date | str,
    paid_to: date | str,
    amount: Decimal | str,
    currency: str,
    last_day: date | str,
    policy: RefundPolicy | str,
) -> Decimal:
    """Return what is paid back of an amount paid for the days from ``paid_from`` to ``paid_to``."""
    first, last = read_day(paid_from, "paid_from"), read_day(paid_to, "paid_to")
    if last < first:
        raise FieldError(f"paid_to: {last} lies before paid_from, {first}; give the last day that was paid for")
    paid = _money(amount, currency, "amount")
    rule = read_choice(policy, "policy", RefundPolicy)
    share = _unused_share(first, last, read_day(last_day, "last_day"), rule)
    return from_minor(ceil(paid * share), currency)


def exit_fee(**given: Any) -> Decimal:
    """Return the fee for a release at ``last_day`` before the ordinary one: the smallest of ``exit_fee_parts``."""
    return min(exit_fee_parts(**given).values())


def exit_fee_parts(
    *,
    starts_on: date | str,
    initial_term: Period | dict[str, int] | None,
    last_day: date | str,
    ordinary_last_day: date | str,
    upfront_cost: Decimal | str,
    price: Decimal | str,
    currency: str,
    billing: Period | dict[str, int],
    billing_anchor: date | str,
    cap: Decimal | str | None,
) -> dict[str, Decimal]:
    """Return what bounds the fee for a release at ``last_day`` before the ordinary one, each rounded down.

    ``upfront``: the up-front cost not yet paid back; ``given_up``: the fees of the time given up; ``cap``, if any.
    """
    start, end = read_day(starts_on, "starts_on"), read_day(last_day, "last_day")
    ordinary = read_day(ordinary_last_day, "ordinary_last_day")
    term = None if initial_term is None else _period(initial_term, "initial_term")
    every, anchor = _period(billing, "billing"), read_day(billing_anchor, "billing_anchor")
    cost, rate = _money(upfront_cost, currency, "upfront_cost"), _money(price, currency, "price")
    limits = {} if cap is None else {"cap": Fraction(_money(cap, currency, "cap"))}
    try:
        limits["upfront"] = cost * _unpaid_share(start, term, end)
        limits["given_up"] = rate * _periods_given_up(start, end, ordinary, anchor, every)
    except (OverflowError, ValueError):
        raise FieldError(BEYOND_THE_CALENDAR) from None
    return {name: from_minor(floor(limit), currency) for name, limit in limits.items()}


def withdrawal_refund(
    *,
    paid: Decimal | str,
    currency: str,
    starts_on: date | str,
    term_days: int,
    received_on: date | str,
    asked_to_start: bool,
    informed: bool,
) -> Decimal:
    """Return what is paid back on withdrawal: everything, less the days used at the customer's own wish.

    The day the withdrawal arrives is not charged. Nothing is kept unless the customer expressly asked
    for the service to start and was told that it would have to be paid for.
    """
    amount = _money(paid, currency, "paid")
    days = read_count(term_days, "term_days", least=1, most=MOST_DAYS)
    used = days_used(read_day(starts_on, "starts_on"), read_day(received_on, "received_on"), days)
    share = Fraction(used, days) if asked_to_start and informed else Fraction(0)
    return from_minor(ceil(amount * (1 - share)), currency)


def days_used(starts_on: date, received_on: date, term_days: int) -> int:
    """Return how many days of a term were used before a withdrawal arrived; that day itself is not counted."""
    return min(max((received_on - starts_on).days, 0), term_days)


def _unused_share(first: date, last: date, end: date, policy: RefundPolicy) -> Fraction:
    """Return which share of a paid stretch lies after the last day, by the policy's own measure."""
    if end >= last:
        return Fraction(0)
    # A stretch that only begins after the last day is paid back whole, whatever the policy: "no refund" speaks of
    # time that was left unused, and doubt favours the customer.
    if end < first:
        return Fraction(1)
    if policy is RefundPolicy.NONE:
        return Fraction(0)
    if policy is RefundPolicy.DAILY:
        return Fraction((last - end).days, (last - first).days + 1)
    months_paid = months_begun(first, last)
    return Fraction(months_paid - months_begun(first, end), months_paid)


def months_begun(first: date, day: date) -> int:
    """Return how many months counted from ``first`` have begun by a day on or after it."""
    months = month_index(day) - month_index(first)
    return months if month_later(first, months) > day else months + 1


def _unpaid_share(start: date, term: Period | None, end: date) -> Fraction:
    """Return which share of the up-front cost the days up to ``end`` have not paid back."""
    if term is None:
        return Fraction(0)
    term_end = last_day_of_term(start, term)
    days = (term_end - start).days + 1
    return Fraction(min(max((term_end - end).days, 0), days), days)


def _periods_given_up(start: date, end: date, ordinary: date, anchor: date, billing: Period) -> Fraction:
    """Return the time after ``end`` up to the ordinary last day, in billing periods and parts of them."""
    # Before its first day a contract costs nothing, so those days are no time given up.
    end = max(end, start - ONE_DAY)
    if end >= ordinary:
        return Fraction(0)
    return _periods_until(ordinary, anchor, billing) - _periods_until(end, anchor, billing)


def _periods_until(day: date, anchor: date, billing: Period) -> Fraction:
    """Return how many billing periods lie between the anchor and the end of a day."""
    number, first, last = billing_period_of(anchor, billing, day)
    return number + Fraction((day - first).days + 1, (last - first).days + 1)


def _money(amount: object, currency: object, field: str) -> int:
    minor = to_minor(amount, currency, field)
    if minor < 0:
        raise FieldError(f"{field}: {shown(amount)} is negative; give an amount from 0")
    return minor


def _period(value: object, field: str) -> Period:
    period = Period.from_dict(value, field)
    if period.is_nothing:
        raise FieldError(f"{field}: a period of nothing never passes; give at least one day")
    return period
