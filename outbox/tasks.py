"""What wakes the outbox: a nudge after a commit, and beat."""

from celery import shared_task

from outbox import drain as outbox


# An hour of nudges that nobody heard is worth one; beat asks again anyway.
@shared_task(expires=60)
def drain() -> str:
    """Handle what is due. Twice at once does no harm: each entry is leased by one worker."""
    return str(outbox.drain())
