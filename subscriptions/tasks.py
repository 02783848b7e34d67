"""What beat asks of the subscriptions."""

from celery import shared_task
from django.utils import timezone

from subscriptions import signin


@shared_task(expires=3600)
def forget_old_links() -> int:
    """Erase sign-in links that are over. Twice does no harm: what is gone is gone."""
    return signin.forget_old_links(now=timezone.now())
