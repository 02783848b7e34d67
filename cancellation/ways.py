"""Every way out of a contract, each with its last day and its money, and which of them costs least.

Pure, as ``quotes`` is. A way that is not really open is left out. What has to be judged by a person (hardship) is shown
with what it would mean; the ordinary end is safe meanwhile.
Source: TERMS "Quote", "Settlement".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from cancellation.quotes import Agreed, Quote, ordinary, settled, withdrawn
from subscriptions import settlement
from subscriptions.amounts import Money
from subscriptions.terms import Rule, local_day

ONE_DAY = timedelta(days=1)
# A day further off than this is a typing error, not a plan.
LATEST = timedelta(days=3653)
FIXED = {Rule.INITIAL_TERM, Rule.RENEWED_TERM, Rule.EXPIRES}
GROUNDS = ("moved", "illness", "death", "closed", "other")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a holder asks for beside the end itself: a way, a day, a ground; empty means the ordinary end."""

    way: str = ""
    day: date | None = None
    ground: str = ""

    @classmethod
    def read(cls, asks: dict[str, Any]) -> Wish:
        """Return the wish that a notice or a visit keeps; what cannot be read asks for nothing."""
        try:
            day = date.fromisoformat(str(asks.get("day") or ""))
        except ValueError:
            day = None
        return cls(str(asks.get("way") or ""), day, str(asks.get("ground") or ""))

    def too_early_for(self, last_day: date) -> date | None:
        """Return the day that was wished for where the contract cannot end so soon; None where it could."""
        return self.day if self.way == "later" and self.day and self.day < last_day else None

    def as_dict(self) -> dict[str, str]:
        """Return what is asked for as JSON can hold it; nothing for nothing."""
        day = self.day.isoformat() if self.day else ""
        return {name: value for name, value in (("way", self.way), ("day", day), ("ground", self.ground)) if value}


# The ordinary end, and nothing beside it.
ORDINARY = Wish()


def today_of(agreed: Agreed, received_at: datetime) -> date:
    """Return the local day of an instant, as the contract counts it."""
    return local_day(received_at, agreed.terms.timezone)


def later(agreed: Agreed, usual: Quote, day: date) -> Quote:
    """Return an end on a day of the holder's choice; the ordinary one where the day is not after it."""
    if day <= usual.last_day or day > usual.received_on + LATEST:
        return usual
    quote = settled(agreed, usual.received_on, day, "later", way="later")
    return replace(quote, terms=usual.terms, improvements=usual.improvements)


def early(agreed: Agreed, usual: Quote, day: date) -> Quote:
    """Return an early release on a day from today on; the ordinary end where the day is not before it.

    The fee is the smallest of what the up-front cost still lacks, the fees of the time given up, and the caps; and
    never so much that leaving would cost more than staying.
    """
    # A page that was left open over midnight asks for a day that is over: the first that is left is meant.
    day = max(day, usual.received_on)
    if day >= usual.last_day:
        return usual
    free = settled(agreed, usual.received_on, day, "early_release", way="early_release")
    parts = _fee_parts(agreed, usual, day) | {
        "staying": Money(max((usual.cost - free.cost).minor, 0), usual.fee.currency)
    }
    fee = min(parts.values(), key=lambda money: money.minor)
    return replace(free, fee=fee, fee_parts=tuple(parts.items()), terms=usual.terms, improvements=usual.improvements)


def _fee_parts(agreed: Agreed, usual: Quote, day: date) -> dict[str, Money]:
    terms, currency = usual.terms or agreed.terms, agreed.price.currency
    cap = agreed.exit_fee_cap
    parts = settlement.exit_fee_parts(
        starts_on=terms.starts_on,
        initial_term=terms.initial_term,
        last_day=day,
        ordinary_last_day=usual.last_day,
        upfront_cost=(agreed.upfront_cost or Money(0, currency)).amount,
        price=agreed.price.amount,
        currency=currency,
        billing=terms.billing,
        billing_anchor=terms.billing_anchor,
        cap=cap.amount if cap else None,
    )
    return {name: Money.of(amount, currency) for name, amount in parts.items()}


def hardship(agreed: Agreed, usual: Quote, day: date) -> Quote:
    """Return what an end without any fee would mean, for somebody who cannot use the service any more."""
    day = max(day, usual.received_on)
    if day >= usual.last_day:
        return usual
    return settled(agreed, usual.received_on, day, "hardship", way="hardship")


def for_cause(agreed: Agreed, usual: Quote) -> Quote:
    """Return what an end for good cause would mean: on the day of the notice, without any fee."""
    if usual.last_day <= usual.received_on:
        return usual
    return settled(agreed, usual.received_on, usual.received_on, "for_cause", way="for_cause")


def withdrawal(agreed: Agreed, received_on: date) -> Quote | None:
    """Return what a withdrawal would mean, or None where its time is over or no such right exists."""
    right = agreed.withdrawable
    return withdrawn(agreed, received_on) if right and received_on <= right.last_day else None


def asked_for(agreed: Agreed, received_at: datetime, wish: Wish) -> Quote | None:
    """Return the quote of the end that may be scheduled at once for a wish; None where nothing is left to end.

    Hardship and a cause are judged by a person, so the ordinary end is the answer to both.
    """
    usual = ordinary(agreed, received_at)
    if usual is None:
        return None
    # A cause is judged by a person; a later day that was wished for beside it is honoured all the same.
    if wish.way in {"later", "for_cause"} and wish.day:
        return later(agreed, usual, wish.day)
    if wish.way == "early_release" and wish.day and usual.rule == "at_once":
        return later(agreed, usual, wish.day)
    if wish.way == "early_release" and may_leave_early(agreed, usual):
        return early(agreed, usual, wish.day or usual.received_on)
    return usual


def may_leave_early(agreed: Agreed, usual: Quote) -> bool:
    """Tell whether a fixed term runs that may be left before its end."""
    return agreed.early_release and usual.rule in FIXED and usual.received_on < usual.last_day


def others(agreed: Agreed, received_at: datetime, *, early_on: date | None = None) -> list[Quote]:
    """Return the ways out beside the ordinary one and a later day, each as of the earliest day that it allows."""
    usual = ordinary(agreed, received_at)
    if usual is None:
        return []
    today = usual.received_on
    ways = [withdrawal(agreed, today)]
    if may_leave_early(agreed, usual):
        ways.append(early(agreed, usual, early_on or today))
    if today < usual.last_day:
        ways += [hardship(agreed, usual, today), for_cause(agreed, usual)]
    return [quote for quote in ways if quote is not None and quote.way != "ordinary"]


def cheapest(quotes: Sequence[Quote]) -> Quote | None:
    """Return the quote that costs least from now on; of equals the first. What a person has to grant is left out."""
    sure = [quote for quote in quotes if quote.way not in {"hardship", "for_cause"}]
    return min(sure, key=lambda quote: quote.cost.minor) if sure else None
