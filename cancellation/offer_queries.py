"""Read options and agreements for the pages of a contract, in few statements."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from cancellation.models import RUNNING_STATES, Acceptance, Offer
from subscriptions.models import Contract


def agreements_of(contract: Contract) -> list[Acceptance]:
    """Return what has been agreed for a contract and still runs, the newest first."""
    return list(Acceptance.objects.filter(contract=contract, state__in=RUNNING_STATES).order_by("-accepted_at", "-pk"))


def are_any_open(on: date) -> bool:
    """Tell whether the business has any option open on a day, whoever may have it."""
    still = Q(valid_until__isnull=True) | Q(valid_until__gte=on)
    return Offer.objects.filter(still, active=True, valid_from__lte=on).exists()
