"""Read options and agreements for the pages of a contract, in few statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from cancellation.models import RUNNING_STATES, Acceptance, AcceptanceState, Offer
from cancellation.offer_effects import BY_STAFF
from subscriptions.models import Contract

MOST_AGREEMENTS = 6


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreed option that still runs. What a person takes care of has no days."""

    reference: str
    title: str
    starts_on: date
    until: date | None
    is_by_staff: bool


def agreements_of(contract: Contract, today: date) -> list[Agreement]:
    """Return what has been agreed for a contract and is neither over, taken back nor done, the newest first."""
    rows = Acceptance.objects.filter(contract=contract, state__in=RUNNING_STATES)
    done = Q(kind__in=sorted(BY_STAFF), state=AcceptanceState.APPLIED)
    # A day that is over counts, not whether last night's job has run.
    rows = rows.exclude(done).filter(Q(until__isnull=True) | Q(until__gte=today))
    return [
        Agreement(row.reference, row.title, row.starts_on, row.until, row.kind in BY_STAFF)
        for row in rows.order_by("-accepted_at", "-pk")[:MOST_AGREEMENTS]
    ]


def are_any_open(on: date) -> bool:
    """Tell whether the business has any option open on a day, whoever may have it."""
    still = Q(valid_until__isnull=True) | Q(valid_until__gte=on)
    return Offer.objects.filter(still, active=True, valid_from__lte=on).exists()
