"""What beat asks of cancellations."""

from celery import shared_task
from django.utils import timezone

from cancellation import actions, care, erasure, offer_actions


@shared_task(expires=1800)
def end_due_contracts() -> int:
    """End what is over in its own time zone. Twice does no harm: each end is a guarded change of state."""
    return actions.end_due_contracts(now=timezone.now())


@shared_task(expires=3600)
def forget_what_is_over() -> int:
    """Erase words whose time is over. Twice does no harm: each text is erased by one guarded change of its row."""
    return erasure.erase_what_is_over(timezone.now()).texts


@shared_task(expires=600)
def check_doors() -> int:
    """Look at the public doors; return how many are at fault. Twice does no harm: a stretch opens and closes once."""
    return sum(bool(door.faults) for door in care.check_doors(timezone.now()))


@shared_task(expires=1800)
def close_what_is_over() -> int:
    """Close options for a while that are over. Twice does no harm: each is closed by a guarded change of state."""
    return offer_actions.close_what_is_over(now=timezone.now())
