"""Read promises."""

from django.db.models import QuerySet

from outbox.models import Entry
from outbox.registry import Payload


def payload_of(dedupe_key: str) -> Payload:
    """Return the payload that was promised under a key; empty where there is none."""
    found = Entry.objects.filter(dedupe_key=dedupe_key).values_list("payload", flat=True).first()
    return found or {}


def key_of(entry_id: int) -> str:
    """Return the key that makes an entry once. Entry.DoesNotExist where there is no such entry."""
    key: str = Entry.objects.values_list("dedupe_key", flat=True).get(pk=entry_id)
    return key


def pending() -> QuerySet[Entry]:
    """Return promises that are neither kept nor given up."""
    return Entry.objects.filter(delivered_at__isnull=True, dead_at__isnull=True)
