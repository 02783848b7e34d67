"""What beat asks of cancellations."""

from celery import shared_task
from django.utils import timezone

from cancellation import actions, erasure


@shared_task(expires=1800)
def end_due_contracts() -> int:
    """End what is over in its own time zone. Twice does no harm: each end is a guarded change of state."""
    return actions.end_due_contracts(now=timezone.now())


@shared_task(expires=3600)
def forget_what_is_over() -> int:
    """Erase words whose time is over. Twice does no harm: each text is erased by one guarded change of its row."""
    return erasure.erase_what_is_over(timezone.now()).texts
