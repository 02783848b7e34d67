"""Take up promises again that failed or were given up."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from outbox import nudge
from outbox.models import Entry


@transaction.atomic
def try_again(*, ids: Iterable[int], at: datetime) -> int:
    """Make entries due at once, with a fresh count of attempts; return how many.

    What was delivered, and what a worker holds right now, is left alone: a letter must not leave twice.
    """
    again = Entry.objects.filter(pk__in=list(ids), delivered_at__isnull=True, claimed_at__isnull=True).update(
        dead_at=None, attempts=0, due_at=at
    )
    transaction.on_commit(nudge.wake, robust=True)
    return again
