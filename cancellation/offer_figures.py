"""What each kind of option means for one contract, in days and money, or why it means nothing there.

Pure: no clock, no database, no settings. Days are local days of the contract, inclusive; money is integer minor units
of the contract's currency and is rounded down, in favour of the customer. Nothing that is worked out here costs more
than what the customer pays now, and nothing makes leaving later or dearer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from subscriptions.periods import Period, billing_period_of, month_later
from subscriptions.prices import PriceChange
from subscriptions.terms import Boundary, Terms, initial_last_day, quote_for_day

ONE_DAY = timedelta(days=1)


class Cause(StrEnum):
    """Why an option is not shown, for a machine; ``offer_words.cause`` says it to staff."""

    NOT_OPEN = "not_open"
    NOT_YET = "not_yet"
    NO_LONGER = "no_longer"
    ENDING = "ending"
    OTHER_PLAN = "other_plan"
    OTHER_COUNTRY = "other_country"
    OTHER_LANGUAGE = "other_language"
    NO_TEXT = "no_text"
    UNREADABLE = "unreadable"
    TOO_NEW = "too_new"
    TOO_LONG_HERE = "too_long_here"
    VALUE = "value"
    USAGE = "usage"
    TOO_SOON = "too_soon"
    BUDGET = "budget"
    CAP = "cap"
    ALREADY_RUNNING = "already_running"
    SAME_ALREADY = "same_already"
    NO_PLAN = "no_plan"
    OTHER_CURRENCY = "other_currency"
    NO_FIT = "no_fit"
    NOT_CHEAPER = "not_cheaper"
    WOULD_TIE_LONGER = "would_tie_longer"
    DECLINED = "declined"
    PLACE_FORBIDS = "place_forbids"
    NOTHING_SAID = "nothing_said"
    OTHER_REASON = "other_reason"
    HELD_OUT = "held_out"
    BEYOND_LIMIT = "beyond_limit"
    FAULT = "fault"


# What changes the price or what is paid for: one at a time, and never for a contract that ends before it begins.
MONEY_KINDS = frozenset({"pause", "smaller_plan", "todays_price", "discount", "free_period", "interval", "skip"})
# Of these, what holds for a while only.
PASSING_KINDS = frozenset({"pause", "discount", "free_period", "skip"})
# Days that a new interval leaves free, for they were billed before; nobody agreed to another price for them.
BILLED = "billed"
# Whoever pays more than a new customer is told so, whatever share is shown nothing.
NEVER_HELD_OUT = frozenset({"todays_price"})


class PlanToday(NamedTuple):
    """What a plan costs today in the contract's currency; ``minor`` is None where it has no such price."""

    name: str
    minor: int | None
    # It has a price, but in other currencies.
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """One option that the customer agreed to before, on this contract or another one of theirs."""

    code: str
    kind: str
    accepted_on: date
    is_here: bool
    # Agreed and neither over nor taken back.
    runs: bool = True
    # Taken back: it counts neither against a cap nor as the last one.
    is_reverted: bool = False
    is_passing: bool = False
    until: date | None = None
    visit: UUID | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about a contract on a day."""

    today: date
    terms: Terms
    plan: str
    country: str
    language: str
    currency: str
    price_minor: int
    monthly_minor: int = 0
    refund_policy: str = "monthly"
    paid_through: date | None = None
    price_changes: tuple[PriceChange, ...] = ()
    last_used_on: date | None = None
    # An end is scheduled, or the contract has ended.
    is_ending: bool = False
    past: tuple[Past, ...] = ()
    # Codes of the plans with what they cost today.
    prices: Mapping[str, PlanToday] = field(default_factory=dict)
    # What was said in this visit, and the root of each code.
    reasons: frozenset[str] = frozenset()
    primary: str = ""
    roots: Mapping[str, str] = field(default_factory=dict)
    # Of the guided way only.
    may_stand: bool = True
    held_out: bool = False
    declined: bool = False


def is_price_changed(situation: Situation) -> bool:
    """Tell whether another price holds for a while, now or soon: no discount on a discount."""
    return any(change.last >= situation.today and change.kind != BILLED for change in situation.price_changes) or any(
        past.is_here and past.is_passing and past.runs and (past.until is None or past.until >= situation.today)
        for past in situation.past
    )


Figures = dict[str, Any] | Cause


def next_unpaid_day(terms: Terms, today: date, paid_through: date | None) -> date:
    """Return the first day of the next billing period that is neither paid for nor has begun already."""
    day = max(today, terms.starts_on, paid_through + ONE_DAY if paid_through else today)
    _number, first, last = billing_period_of(terms.billing_anchor, terms.billing, day)
    return day if day == first else last + ONE_DAY


def _stretch(situation: Situation, periods: int) -> tuple[date, date]:
    """Return the first and last day of the next billing periods that are not paid for."""
    terms = situation.terms
    first = next_unpaid_day(terms, situation.today, situation.paid_through)
    last = first - ONE_DAY
    for _nth in range(periods):
        last = billing_period_of(terms.billing_anchor, terms.billing, last + ONE_DAY).last_day
    return first, last


def _for_a_while(situation: Situation, periods: int, price_minor: int) -> Figures:
    before = situation.price_minor
    if price_minor >= before:
        return Cause.NOT_CHEAPER
    first, last = _stretch(situation, periods)
    # Nor where both end together: there is no afterwards with the price of before.
    if _is_over_by(situation.terms, last + ONE_DAY):
        return Cause.ENDING
    return _common(situation, first, last) | {
        "periods": periods,
        "price_minor": price_minor,
        "price_before_minor": before,
        "price_after_minor": before,
        "cost_minor": (before - price_minor) * periods,
    }


def _is_over_by(terms: Terms, day: date) -> bool:
    """Tell whether a contract that ends by itself is over by a day."""
    end = initial_last_day(terms) if terms.renewal == "none" else None
    return end is not None and end < day


def _common(situation: Situation, first: date, last: date | None) -> dict[str, Any]:
    return {
        "starts_on": first.isoformat(),
        "until": last.isoformat() if last else None,
        "currency": situation.currency,
        "billing": situation.terms.billing.as_dict(),
        "cost_minor": 0,
    }


def _paused(terms: dict[str, Any], situation: Situation) -> Figures:
    if terms.get("currency", situation.currency) != situation.currency:
        return Cause.OTHER_CURRENCY
    periods = _whole_periods_in(situation, terms["months"])
    if not periods:
        # A year that is billed at once cannot be paused for two months.
        return Cause.NO_FIT
    figures = _for_a_while(situation, periods, terms["price_minor"])
    if isinstance(figures, Cause):
        return figures
    return figures | {
        "months": terms["months"],
        "paused_from": figures["starts_on"],
        "paused_to": figures["until"],
    }


def _whole_periods_in(situation: Situation, months: int) -> int:
    """Return how many whole billing periods fit into the months from the next unpaid day on."""
    billing = situation.terms.billing
    if billing.months:
        return months // billing.months
    first = next_unpaid_day(situation.terms, situation.today, situation.paid_through)
    return (month_later(first, months) - first).days // billing.days


def _discounted(terms: dict[str, Any], situation: Situation) -> Figures:
    if terms.get("currency", situation.currency) != situation.currency:
        return Cause.OTHER_CURRENCY
    before = situation.price_minor
    if "percent" in terms:
        price, how = before * (100 - terms["percent"]) // 100, {"percent": terms["percent"]}
    else:
        price, how = max(0, before - terms["amount_minor"]), {"amount_minor": terms["amount_minor"]}
    figures = _for_a_while(situation, terms["periods"], price)
    return figures if isinstance(figures, Cause) else figures | how


def _freed(terms: dict[str, Any], situation: Situation) -> Figures:
    return _for_a_while(situation, terms["periods"], 0)


def _skipped(_terms: dict[str, Any], situation: Situation) -> Figures:
    return _for_a_while(situation, 1, 0)


def _made_smaller(terms: dict[str, Any], situation: Situation) -> Figures:
    code = terms["to_plan"]
    if code == situation.plan:
        return Cause.SAME_ALREADY
    figures = _at_price_of(code, terms, situation)
    if isinstance(figures, Cause):
        return figures
    return figures | {"to_plan": code, "to_plan_name": situation.prices[code].name}


def _at_todays_price(terms: dict[str, Any], situation: Situation) -> Figures:
    return _at_price_of(situation.plan, terms, situation)


def _at_price_of(plan: str, terms: dict[str, Any], situation: Situation) -> Figures:
    today = situation.prices.get(plan)
    if today is None or (today.minor is None and not today.elsewhere):
        return Cause.NO_PLAN
    if today.minor is None:
        return Cause.OTHER_CURRENCY
    if not _is_for_this_period(terms, situation):
        return Cause.NO_FIT
    return _lasting(situation, today.minor, situation.terms.billing)


def _is_for_this_period(terms: dict[str, Any], situation: Situation) -> bool:
    """Tell whether a plan's price is for this contract's billing period: as said, else while nobody changed it."""
    if "billing_months" in terms:
        return bool(situation.terms.billing == Period(months=terms["billing_months"]))
    return not any(past.is_here and past.kind == "interval" and past.runs for past in situation.past)


def _lasting(situation: Situation, price_minor: int, billing: Period) -> Figures:
    """Return figures of another price for good, from the next unpaid day on."""
    before, old = situation.price_minor, situation.terms.billing
    # Compared by the same length of time; for the same length the same price is no reason to change anything.
    now, then = before * _length(billing), price_minor * _length(old)
    if then > now or (then == now and billing == old):
        return Cause.NOT_CHEAPER
    first, last = _stretch(situation, 1)
    if _is_over_by(situation.terms, last):
        return Cause.ENDING
    return _common(situation, first, None) | {
        "billing": billing.as_dict(),
        "price_minor": price_minor,
        "price_before_minor": before,
        "price_after_minor": price_minor,
        "cost_minor": max(0, _in_a_year(before, old) - _in_a_year(price_minor, billing)),
    }


def _length(billing: Period) -> int:
    """Return a length to compare prices by, in the shortest days that it can have."""
    return billing.months * 28 or billing.days


def _in_a_year(price_minor: int, billing: Period) -> int:
    return price_minor * 12 // billing.months if billing.months else price_minor * 365 // billing.days


def _billed_otherwise(terms: dict[str, Any], situation: Situation) -> Figures:
    old, new = situation.terms.billing, Period(months=terms["months"])
    if new == old:
        return Cause.SAME_ALREADY
    if situation.currency not in terms["prices"]:
        return Cause.OTHER_CURRENCY
    figures = _lasting(situation, terms["prices"][situation.currency], new)
    if isinstance(figures, Cause):
        return figures
    first = date.fromisoformat(figures["starts_on"])
    otherwise = _terms_billed_by(new, first, situation.terms)
    if _ties_longer(situation, otherwise, figures["price_minor"]):
        return Cause.WOULD_TIE_LONGER
    return figures | {
        "months": terms["months"],
        "billing_before": old.as_dict(),
        "billing_anchor": otherwise.billing_anchor.isoformat(),
    }


def _is_longer(new: Period, old: Period) -> bool:
    return new.months > old.months if old.months else new.months * 31 > old.days


def _divides(new: Period, old: Period) -> bool:
    return bool(new.months) and old.months % new.months == 0 and bool(old.months)


def _terms_billed_by(new: Period, first: date, terms: Terms) -> Terms:
    """Return the terms with another billing period that begins on a day which was a billing day before."""
    # Where the old billing days stay billing days, the old anchor keeps their number: the 31st stays the 31st.
    anchor = terms.billing_anchor if _divides(new, terms.billing) else first
    return replace(terms, billing=new, billing_anchor=anchor)


def _ties_longer(situation: Situation, otherwise: Terms, price_minor: int) -> bool:
    """Tell whether another billing interval would make leaving later, or forfeit what was paid ahead."""
    terms = situation.terms
    if terms.notice_to is Boundary.BILLING_PERIOD and not _divides(otherwise.billing, terms.billing):
        return True
    if _is_stub_to_come(situation, otherwise) or _is_dearer_to_leave(situation, otherwise.billing, price_minor):
        return True
    now, then = (quote_for_day(each, situation.today).last_day for each in (terms, otherwise))
    return now is not None and then is not None and then > now


def _is_stub_to_come(situation: Situation, otherwise: Terms) -> bool:
    """Tell whether days before the first whole period are still to be billed, which the new price would be put on."""
    terms, start = situation.terms, situation.terms.starts_on
    if start < situation.today or (situation.paid_through is not None and situation.paid_through >= start):
        return False
    first = billing_period_of(terms.billing_anchor, terms.billing, start).first_day
    return first < start and not _divides(otherwise.billing, terms.billing)


def _is_dearer_to_leave(situation: Situation, new: Period, price_minor: int) -> bool:
    """Tell whether whoever leaves within a longer period could pay more for the days until then than now.

    Of a period that is cut short, the refund policy counts days or begun months; a month at the old price may be
    longer than a month's share of the new one.
    """
    old = situation.terms.billing
    if not _is_longer(new, old):
        return False
    if situation.refund_policy == "none":
        return True
    if situation.refund_policy == "daily":
        # The longest stretch that the old price pays for against the shortest that the new one does.
        return price_minor * _most_days(old) > situation.price_minor * _least_days(new)
    # Of days no month is the sum, and months that are counted from the 29th to the 31st begin on days that move.
    return not old.months or situation.terms.billing_anchor.day > 28


def _least_days(period: Period) -> int:
    return min(_lengths_of(period))


def _most_days(period: Period) -> int:
    return max(_lengths_of(period))


def _lengths_of(period: Period) -> list[int]:
    """Return how many days a period has, from every month of four years, one of them a leap year."""
    if not period.months:
        return [period.days]
    starts = [month_later(date(2023, 1, 1), months) for months in range(48)]
    return [(month_later(start, period.months) - start).days for start in starts]


def _helped(terms: dict[str, Any], situation: Situation) -> Figures:
    return _common(situation, situation.today, None) | terms


WORKED_OUT: dict[str, Callable[[dict[str, Any], Situation], Figures]] = {
    "pause": _paused,
    "smaller_plan": _made_smaller,
    "todays_price": _at_todays_price,
    "discount": _discounted,
    "free_period": _freed,
    "interval": _billed_otherwise,
    "help_session": _helped,
    "fix": _helped,
    "skip": _skipped,
    "hand_over": _helped,
}
