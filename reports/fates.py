"""What became of contracts from a day on: whether they still ran and were paid for, and what money came in.

Days are local days of the contract. It is *kept* on a day if no end that was not undone lies on that day or before it,
it has not expired by itself, and a payment of more than nothing covers that day. Money is integer minor units of the
contract's currency: payments for stretches that begin after the first day, up to the one in question, less refunds and
plus exit fees of ends received in that time.

However many contracts are followed, they take two statements; rows are streamed, and only what was asked is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, F, JSONField, QuerySet, When
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from cancellation.models import Cancellation, State
from subscriptions.models import Contract, Payment
from subscriptions.reading import FieldError, local_day
from subscriptions.terms import Terms, initial_last_day

CHUNK = 5000


@dataclass(slots=True)
class Fate:
    """One contract from an instant on. A figure per day in ``dues``; only days that have come are asked about."""

    contract_id: int
    at: datetime
    day: date
    dues: tuple[date, ...]
    currency: str
    # The last day, where there is one; the earlier of an end and of a term that nothing renews.
    last_day: date | None = None
    paid: list[bool] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    cost: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.paid = [False] * len(self.dues)
        self.received = [0] * len(self.dues)
        self.cost = [0] * len(self.dues)

    def is_kept(self, place: int) -> bool:
        """Tell whether the contract ran and was paid for on a day in ``dues``."""
        return self.paid[place] and (self.last_day is None or self.last_day > self.dues[place])


def columns(contract: str) -> dict[str, Any]:
    """Return what a fate needs to know of a contract, as annotations; ``contract`` is the path to it."""
    return {
        "zone": KeyTextTransform("timezone", f"{contract}__terms"),
        "currency_of": F(f"{contract}__currency"),
        # Terms are long; only those that may end by themselves are read.
        "expiring": Case(
            When(**{f"{contract}__terms__renewal": "none"}, then=F(f"{contract}__terms")), output_field=JSONField()
        ),
    }


def fate(
    at: datetime, contract_id: int, zone: str, currency: str, expiring: object, *, days: Sequence[int], now: datetime
) -> Fate:
    """Return a fate to be followed: ``days`` after an instant, as far as they have come. See ``columns``."""
    day, today = _day(at, zone), _day(now, zone)
    dues = tuple(due for n in days if (due := day + timedelta(days=n)) <= today)
    return Fate(contract_id, at, day, dues, currency, _expiry(expiring))


def follow(fates: Iterable[Fate], contracts: QuerySet[Contract]) -> None:
    """Fill in what became of contracts. ``contracts`` holds at least those; narrowing it is for speed alone."""
    by_contract: dict[int, list[Fate]] = defaultdict(list)
    for one in fates:
        if one.dues:
            by_contract[one.contract_id].append(one)
    if by_contract:
        _ends(by_contract, contracts)
        _payments(by_contract, contracts)


def _ends(by_contract: Mapping[int, list[Fate]], contracts: QuerySet[Contract]) -> None:
    rows = Cancellation.objects.exclude(state=State.REVOKED).filter(contract__in=contracts).order_by()
    names = ("contract_id", "last_day", "received_on", "refund_minor", "fee_minor")
    for contract_id, last_day, received_on, refund, fee in rows.values_list(*names).iterator(CHUNK):
        for one in by_contract.get(contract_id, ()):
            one.last_day = min(one.last_day or last_day, last_day)
            for place, due in enumerate(one.dues):
                if one.day <= received_on <= due:
                    one.received[place] += fee - refund


def _payments(by_contract: Mapping[int, list[Fate]], contracts: QuerySet[Contract]) -> None:
    earliest = min(one.day for of_contract in by_contract.values() for one in of_contract)
    rows = Payment.objects.filter(contract__in=contracts, paid_to__gte=earliest, amount_minor__gt=0).order_by()
    names = ("contract_id", "paid_from", "paid_to", "amount_minor", "currency")
    for contract_id, first, last, amount, currency in rows.values_list(*names).iterator(CHUNK):
        for one in by_contract.get(contract_id, ()):
            counts = one.day < first and currency == one.currency
            for place, due in enumerate(one.dues):
                if first <= due:
                    if last >= due:
                        one.paid[place] = True
                    if counts:
                        one.received[place] += amount


def _day(at: datetime, zone: str) -> date:
    try:
        return local_day(at, zone)
    except FieldError:
        # Terms that cannot be read stop no report.
        return timezone.localdate(at)


def _expiry(terms: object) -> date | None:
    if terms is None:
        return None
    try:
        return initial_last_day(Terms.from_dict(terms))
    except (FieldError, ValueError, OverflowError):
        return None
