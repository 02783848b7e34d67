"""Keep the promise of a letter: write it once, send it until the server takes it.

At least once, honestly: a worker that dies between the server's "250" and the mark sends again, with the same
Message-ID. Never on purpose twice: the letter's key is unique and ``sent_at`` is asked first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from messaging import compose, post, suppression
from messaging.models import Fault, Letter
from outbox.queries import key_of
from outbox.registry import Leased, Payload

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter on file, and the draft that knows its secrets; None where nothing is left to send."""

    letter: Letter
    draft: compose.Draft | None


_round: ContextVar[dict[int, Ready] | None] = ContextVar("letters_of_this_round", default=None)


@contextmanager
def one_round(batch: Sequence[Leased]) -> Iterator[None]:
    """Write all letters of a batch at once, and send them over one connection."""
    try:
        ready = prepare(batch)
    except Exception:
        # One row that the database refuses must not fail its neighbours: each is then written alone.
        log.warning("The letters of a batch could not be written at once.", exc_info=True)
        ready = {}
    token = _round.set(ready)
    try:
        with post.one_connection():
            yield
    finally:
        _round.reset(token)


def handle(entry_id: int, payload: Payload) -> None:
    """Write and send the letter of one outbox entry. Done already: nothing happens. Unsendable: it says so."""
    ready = (_round.get() or {}).get(entry_id) or _ready_alone(entry_id, payload)
    if ready is None or ready.draft is None:
        return
    letter = ready.letter
    if not suppression.is_wanted(letter.kind, letter.customer_id):
        # Asked for after the promise, or while the server was down: what stands now counts.
        Letter.objects.filter(pk=letter.pk, sent_at__isnull=True).update(undeliverable=Fault.NOT_WANTED)
        return
    post.send(_as_kept(letter, ready.draft), to=letter.to, message_id=letter.message_id)
    Letter.objects.filter(pk=letter.pk, sent_at__isnull=True).update(sent_at=timezone.now())


def prepare(batch: Sequence[Leased]) -> dict[int, Ready]:
    """Write the letters of a batch, with three statements for all of them; return them by entry.

    What cannot be written is left out: handling it alone tells why. Of two writers the first one's letter stands.
    """
    keys = [leased.dedupe_key for leased in batch]
    on_file = Letter.objects.in_bulk(keys, field_name="key")
    drafts = {leased.dedupe_key: _draft(leased, on_file.get(leased.dedupe_key)) for leased in batch}
    new = [
        _letter(leased, draft)
        for leased in batch
        if (draft := drafts[leased.dedupe_key]) and leased.dedupe_key not in on_file
    ]
    if new:
        Letter.objects.bulk_create(new, ignore_conflicts=True)
        on_file |= Letter.objects.in_bulk([letter.key for letter in new], field_name="key")
    return {
        leased.entry_id: Ready(letter, None if _is_done(letter) else drafts[leased.dedupe_key])
        for leased in batch
        if (letter := on_file.get(leased.dedupe_key)) and (_is_done(letter) or drafts[leased.dedupe_key])
    }


def _draft(leased: Leased, letter: Letter | None) -> compose.Draft | None:
    """Return the draft of a letter that is still to be sent, or None: done, too late, or not to be written."""
    if letter and _is_done(letter):
        return None
    try:
        return compose.draft(leased.payload)
    except Exception:
        return None


def _ready_alone(entry_id: int, payload: Payload) -> Ready | None:
    """Write one letter, and raise what keeps it from being written. None where it would come too late."""
    leased = Leased(entry_id, key_of(entry_id), payload)
    if ready := prepare([leased]).get(entry_id):
        return ready
    try:
        compose.draft(payload)
    except compose.TooLate:
        Letter.objects.filter(key=leased.dedupe_key).update(undeliverable=Fault.TOO_LATE)
    return None


def _letter(leased: Leased, draft: compose.Draft) -> Letter:
    """Return the row of a letter as it will leave."""
    payload = leased.payload
    return Letter(
        key=leased.dedupe_key,
        kind=payload["kind"],
        locale=draft.locale,
        to=payload["to"],
        customer_id=payload["customer_id"],
        contract_id=payload["contract_id"],
        subject=draft.subject,
        text=draft.text,
        html=draft.html,
        message_id=post.message_id_for(leased.dedupe_key),
        undeliverable=_fault_of(payload["to"]),
    )


def _is_done(letter: Letter) -> bool:
    return bool(letter.sent_at or letter.undeliverable)


def _as_kept(letter: Letter, draft: compose.Draft) -> compose.Draft:
    """Return what was kept, with today's secrets: a retry sends the letter that stands on file."""
    return compose.Draft(letter.locale, letter.subject, letter.text, letter.html, draft.secrets, draft.receipt)


def _fault_of(address: str) -> str:
    """Return why nothing can be sent to an address, or ""."""
    if not address:
        return Fault.NO_ADDRESS
    try:
        validate_email(address)
    except ValidationError:
        return Fault.BAD_ADDRESS
    return ""
