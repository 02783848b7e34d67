"""What options do: customers who were shown some beside those who were held out, and what became of each option.

Who is compared: every customer once, with their first decision in the guided way at which at least one option was
shown, or would have been but for the holdout. The groups are those that chance made (``held_out``), whatever somebody
did afterwards: a person held out who saw today's price, or took an option elsewhere, stays among those held out.

What is compared, 30, 90 and 180 days after the decision and only where that day has come: the share of contracts that
still run and are paid for (``fates``), and the money received. Differences are "shown less held out", with intervals
of ``intervals``. Below ``settings.EFFECT_MIN`` customers in either group there are counts and no figure at all.

Periods are days of the desk's time zone. Money is whole minor units per currency; two currencies are never added up.
The number of statements is the same for any number of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.conf import settings
from django.db.models import Case, Count, F, JSONField, Q, QuerySet, Value, When

from cancellation.models import (
    Acceptance,
    AcceptanceState,
    Offer,
    OfferDecision,
    OfferEvent,
    OfferPlace,
    OfferWhat,
)
from reports import fates
from reports.fates import CHUNK, Fate
from reports.intervals import Difference, Sample, Share, newcombe, welch
from reports.queries import Slice
from reports.windows import Window
from subscriptions.amounts import Money
from subscriptions.models import Contract

HORIZONS = (30, 90, 180)
# How long an agreed option is followed.
FOLLOWED = 90
# The cause in ``OfferDecision.not_shown`` of an option that only the holdout kept back.
HELD_BACK = "held_out"
PLACED = ("contract__plan__code", "contract__country")
FOLLOWING = ("contract_id", *fates.columns("contract"))


class Verdict(StrEnum):
    """What can be said of a comparison."""

    TOO_FEW = "too_few"
    UNCLEAR = "no_effect_told"
    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Comparison:
    """After so many days: how many customers there are, and the difference unless there are too few to tell.

    Pairs are those who were shown options, then those held out. What a figure is, the subclass says; below the
    minimum there is none.
    """

    days: int
    of: tuple[int, int]
    difference: Difference | None

    @property
    def verdict(self) -> Verdict:
        """Return what can be said."""
        if self.difference is None:
            return Verdict.TOO_FEW
        if self.difference.interval.includes_zero:
            return Verdict.UNCLEAR
        return Verdict.MORE if self.difference.estimate > 0 else Verdict.LESS


@dataclass(frozen=True, slots=True)
class Kept(Comparison):
    """Shares of contracts that still run and are paid for."""

    shares: tuple[Share, Share] | None


@dataclass(frozen=True, slots=True)
class Received(Comparison):
    """Money received per customer, and what options cost per customer, as means of minor units of one currency."""

    currency: str
    means: tuple[float, float] | None
    costs: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class OptionLine:
    """What became of one option, among contracts of one currency. ``followed`` are those whose 90th day has come."""

    offer: Offer
    currency: str
    cost: Money
    shown: int = 0
    declined: int = 0
    agreed: int = 0
    taken_back: int = 0
    failed: int = 0
    followed: int = 0
    still_paying: int = 0


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything that needs the contracts to be followed. ``customers`` counts both groups, whatever day has come."""

    customers: tuple[int, int]
    kept: tuple[Kept, ...]
    received: tuple[Received, ...]
    options: tuple[OptionLine, ...]


@dataclass(slots=True)
class _Agreed:
    """An agreed option, and what became of its contract."""

    offer: int
    state: str
    starts_on: date
    cost: int
    currency: str
    fate: Fate

    def count(self, line: dict[str, int]) -> None:
        """Add this one to a line's figures."""
        is_back = self.state == AcceptanceState.REVERTED
        line["agreed"] += 1
        line["taken_back"] += is_back
        line["failed"] += self.state == AcceptanceState.FAILED
        line["followed"] += len(self.fate.dues)
        line["still_paying"] += bool(self.fate.dues) and self.fate.is_kept(0)
        line["cost"] += 0 if is_back else self.cost


def effects(within: Slice, now: datetime) -> Effects:
    """Return what options did, with six statements."""
    window = Window.of(within)
    arms: tuple[list[Fate], list[Fate]] = ([], [])
    for held_out, one in _compared(window, now):
        arms[held_out].append(one)
    agreed = list(_agreed(window, now))
    fates.follow([*arms[0], *arms[1], *(one.fate for one in agreed)], _followed(window))
    _add_costs(arms, agreed)
    return Effects(
        customers=(len(arms[0]), len(arms[1])),
        kept=tuple(_kept(days, place, arms) for place, days in enumerate(HORIZONS)),
        received=tuple(_received(arms)),
        options=tuple(_option_lines(window, agreed)),
    )


def _compared(window: Window, now: datetime) -> Iterator[tuple[bool, Fate]]:
    """Yield each customer's first decision, if it lies in the slice: whether held out, and the fate to follow."""
    causes = Case(When(held_out=True, then=F("not_shown")), output_field=JSONField())
    rows = (
        OfferDecision.objects.filter(~Q(shown=[]) | Q(held_out=True), place=OfferPlace.FLOW)
        # Titles and texts stay in the database; causes are read only where there was a holdout.
        .annotate(saw_any=Case(When(shown=[], then=Value(False)), default=Value(True)), causes=causes)
        .annotate(**fates.columns("contract"))
        .order_by("at", "pk")
        .values_list("contract__customer_id", "held_out", "saw_any", "causes", *PLACED, "at", *FOLLOWING)
    )
    met: set[int] = set()
    for customer, held_out, saw_any, causes_of, plan, country, at, *following in rows.iterator(CHUNK):
        if customer in met or not (saw_any or HELD_BACK in (causes_of or {}).values()):
            continue
        met.add(customer)
        if window.holds(at) and window.has(plan, country):
            yield held_out, fates.fate(at, *following, days=HORIZONS, now=now)


def _agreed(window: Window, now: datetime) -> Iterator[_Agreed]:
    rows = (
        window.rows(Acceptance.objects.order_by(), "accepted_at", open_ended=True)
        .annotate(**fates.columns("contract"))
        .values_list("offer_id", "state", "starts_on", "cost_minor", "currency", "accepted_at", *FOLLOWING)
    )
    for offer, state, starts_on, cost, currency, at, *following in rows.iterator(CHUNK):
        yield _Agreed(offer, state, starts_on, cost, currency, fates.fate(at, *following, days=[FOLLOWED], now=now))


def _add_costs(arms: tuple[list[Fate], list[Fate]], agreed: list[_Agreed]) -> None:
    """Add to the fates of customers what the options cost that they agreed to since and that had begun by each day."""
    of_contract: dict[int, list[_Agreed]] = defaultdict(list)
    for one in agreed:
        if one.state != AcceptanceState.REVERTED:
            of_contract[one.fate.contract_id].append(one)
    for fate in [*arms[0], *arms[1]]:
        for one in of_contract.get(fate.contract_id, ()):
            if one.fate.at >= fate.at and one.currency == fate.currency:
                for place, due in enumerate(fate.dues):
                    fate.cost[place] += one.cost if one.starts_on <= due else 0


def _kept(days: int, place: int, arms: tuple[list[Fate], list[Fate]]) -> Kept:
    come = [[fate for fate in arm if len(fate.dues) > place] for arm in arms]
    of = (len(come[0]), len(come[1]))
    if min(of) < _minimum():
        return Kept(days, of, None, None)
    shown, held_out = (Share(sum(fate.is_kept(place) for fate in arm), len(arm)) for arm in come)
    return Kept(days, of, newcombe(shown, held_out), (shown, held_out))


def _received(arms: tuple[list[Fate], list[Fate]]) -> Iterator[Received]:
    """Yield a comparison per currency and horizon, currencies by their code."""
    by_currency: dict[str, tuple[list[Fate], list[Fate]]] = defaultdict(lambda: ([], []))
    for place, arm in enumerate(arms):
        for fate in arm:
            by_currency[fate.currency][place].append(fate)
    for currency, of_currency in sorted(by_currency.items()):
        for place, days in enumerate(HORIZONS):
            yield _received_in(currency, days, place, of_currency)


def _received_in(currency: str, days: int, place: int, arms: tuple[list[Fate], list[Fate]]) -> Received:
    money, cost = (_samples(name, place, arms) for name in ("received", "cost"))
    of = (money[0].n, money[1].n)
    if min(of) < _minimum():
        return Received(days, of, None, currency, None, None)
    return Received(days, of, welch(*money), currency, (money[0].mean, money[1].mean), (cost[0].mean, cost[1].mean))


def _samples(name: str, place: int, arms: tuple[list[Fate], list[Fate]]) -> tuple[Sample, Sample]:
    def sample(arm: list[Fate]) -> Sample:
        amounts = [getattr(fate, name)[place] for fate in arm if len(fate.dues) > place]
        return Sample(len(amounts), sum(amounts), sum(amount * amount for amount in amounts))

    return sample(arms[0]), sample(arms[1])


def _option_lines(window: Window, agreed: list[_Agreed]) -> Iterator[OptionLine]:
    """Yield a line per option and currency with anything to tell, in the order of the options."""
    told: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    ledger = window.rows(OfferEvent.objects.order_by(), "at").filter(what__in=(OfferWhat.SHOWN, OfferWhat.DECLINED))
    groups = ledger.values_list("offer_id", "contract__currency", "what").annotate(n=Count("pk"))
    for offer, currency, what, n in groups:
        told[offer, currency][what] = n
    for one in agreed:
        if window.holds(one.fate.at):
            one.count(told[one.offer, one.currency or one.fate.currency])
    offers = Offer.objects.in_bulk()
    for offer, currency in sorted(told, key=lambda key: (offers[key[0]].position, *key)):
        line = told[offer, currency]
        yield OptionLine(offers[offer], currency, Money(line.pop("cost", 0), currency), **line)


def _followed(window: Window) -> QuerySet[Contract]:
    """Return the contracts that may have to be followed."""
    decided, agreed = OfferDecision.objects.filter(place=OfferPlace.FLOW), Acceptance.objects.all()
    known = Q(pk__in=decided.values("contract")) | Q(pk__in=agreed.values("contract"))
    return window.contracts().filter(known)


def _minimum() -> int:
    # Two are what a spread takes, whatever a setting says.
    return max(2, settings.EFFECT_MIN)
