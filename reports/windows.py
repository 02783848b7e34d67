"""A slice in instants, for what has no day of its own: rows that happened at an instant, of a contract.

Days begin and end in the desk's time zone. ``Slice`` says which days, plan and country; see ``queries``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from reports.queries import Slice
from subscriptions.models import Contract


@dataclass(frozen=True, slots=True)
class Window:
    """From an instant on, and before another; None and "" mean all."""

    since: datetime | None
    until: datetime | None
    plan: str
    country: str

    @classmethod
    def of(cls, within: Slice) -> Window:
        """Return the window of a slice."""
        # Neither before the first day there is nor after the last lies an instant that a database could compare with.
        first = within.from_day if within.from_day != date.min else None
        after = within.to_day + timedelta(days=1) if within.to_day and within.to_day < date.max else None
        return cls(
            _midnight(first) if first else None,
            _midnight(after) if after else None,
            within.plan,
            within.country,
        )

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant lies in it."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def has(self, plan: str, country: str) -> bool:
        """Tell whether a contract of this plan and country is looked at."""
        return self.plan in ("", plan) and self.country in ("", country)

    def rows(self, rows: QuerySet[Any], at: str, *, open_ended: bool = False) -> QuerySet[Any]:
        """Return those rows of contracts whose column ``at`` lies in it; ``open_ended`` asks for later ones too."""
        if self.since:
            rows = rows.filter(**{f"{at}__gte": self.since})
        if self.until and not open_ended:
            rows = rows.filter(**{f"{at}__lt": self.until})
        return self._of_contracts(rows, "contract__")

    def contracts(self) -> QuerySet[Contract]:
        """Return the contracts that are looked at."""
        return self._of_contracts(Contract.objects.order_by(), "")

    def _of_contracts(self, rows: QuerySet[Any], path: str) -> QuerySet[Any]:
        if self.plan:
            rows = rows.filter(**{f"{path}plan__code": self.plan})
        if self.country:
            rows = rows.filter(**{f"{path}country": self.country})
        return rows


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
