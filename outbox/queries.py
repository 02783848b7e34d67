"""Read promises."""

from outbox.models import Entry
from outbox.registry import Payload


def payload_of(dedupe_key: str) -> Payload:
    """Return the payload that was promised under a key; empty where there is none."""
    found = Entry.objects.filter(dedupe_key=dedupe_key).values_list("payload", flat=True).first()
    return found or {}
