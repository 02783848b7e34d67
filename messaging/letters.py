"""Keep the promise of a letter: write it once, send it until the server takes it.

At least once, honestly: a worker that dies between the server's "250" and the mark sends again, with the same
Message-ID. Never on purpose twice: the letter's key is unique and ``sent_at`` is asked first.
"""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from messaging import compose, post
from messaging.models import Fault, Letter
from outbox.queries import key_of
from outbox.registry import Payload

log = logging.getLogger(__name__)


def handle(entry_id: int, payload: Payload) -> None:
    """Write and send the letter of one outbox entry. Done already: nothing happens. Unsendable: it says so."""
    key = key_of(entry_id)
    letter = Letter.objects.filter(key=key).first()
    if letter and (letter.sent_at or letter.undeliverable):
        return
    try:
        draft = compose.draft(payload)
    except compose.TooLate:
        Letter.objects.filter(key=key).update(undeliverable=Fault.TOO_LATE)
        return
    letter = letter or _keep(key, payload, draft)
    if letter.undeliverable:
        log.warning("Letter %s to customer %s cannot be sent.", letter.pk, letter.customer_id)
        return
    post.send(_as_kept(letter, draft), to=letter.to, message_id=letter.message_id)
    Letter.objects.filter(pk=letter.pk, sent_at__isnull=True).update(sent_at=timezone.now())


def _keep(key: str, payload: dict[str, Any], draft: compose.Draft) -> Letter:
    """Keep the letter as it will leave. The first writer's stands, whoever comes second."""
    letter, _created = Letter.objects.get_or_create(
        key=key,
        defaults={
            "kind": payload["kind"],
            "locale": draft.locale,
            "to": payload["to"],
            "customer_id": payload["customer_id"],
            "contract_id": payload["contract_id"],
            "subject": draft.subject,
            "text": draft.text,
            "html": draft.html,
            "message_id": post.message_id_for(key),
            "undeliverable": _fault_of(payload["to"]),
        },
    )
    return letter


def _as_kept(letter: Letter, draft: compose.Draft) -> compose.Draft:
    """Return what was kept, with today's secrets: a retry sends the letter that stands on file."""
    return compose.Draft(letter.locale, letter.subject, letter.text, letter.html, draft.secrets)


def _fault_of(address: str) -> str:
    """Return why nothing can be sent to an address, or ""."""
    if not address:
        return Fault.NO_ADDRESS
    try:
        validate_email(address)
    except ValidationError:
        return Fault.BAD_ADDRESS
    return ""
