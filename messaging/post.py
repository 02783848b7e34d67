"""Send mails over SMTP, those of one outbox batch over one connection."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from email.utils import format_datetime, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone
from django.utils.crypto import salted_hmac

from messaging import documents
from messaging.compose import Draft
from outbox.registry import Unavailable

log = logging.getLogger(__name__)

_shared: ContextVar[BaseEmailBackend | None] = ContextVar("shared_mail_connection", default=None)
# The server has taken the conversation as such and refuses this one mail; the connection goes on.
REFUSALS = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)
# 421: the server closes the connection, whatever the mail.
CLOSING = 421


@contextmanager
def one_connection() -> Iterator[None]:
    """Share one connection among the mails sent inside; it opens with the first of them."""
    connection = get_connection()
    token = _shared.set(connection)
    try:
        yield
    finally:
        _shared.reset(token)
        _close(connection)


def send(draft: Draft, *, to: str, message_id: str) -> None:
    """Send one letter and return when the server has taken it.

    Unavailable where the server cannot be talked to; smtplib's own error where it refuses this letter.
    """
    shared = _shared.get()
    connection = shared or get_connection()
    mail = _mail(draft, to, message_id)
    mail.connection = connection
    try:
        # Opened here, for what ``send`` opens itself it closes after one mail.
        connection.open()
        mail.send()
    except REFUSALS as refusal:
        if CLOSING in _codes(refusal):
            raise Unavailable(f"The mail server closes: {refusal}") from refusal
        raise
    except (OSError, smtplib.SMTPException) as error:
        # Half a conversation is no use to the next mail.
        _close(connection)
        raise Unavailable(f"The mail server: {type(error).__name__}: {error}") from error
    finally:
        if shared is None:
            _close(connection)


def message_id_for(key: str) -> str:
    """Return the Message-ID of a letter: always the same for one key, so that a second copy is seen to be one."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    domain = address.rpartition("@")[2] or "localhost"
    digest = salted_hmac("fairwell.message-id", key, algorithm="sha256").hexdigest()[:40]
    return f"<{digest}@{domain.encode('idna').decode('ascii')}>"


def _mail(draft: Draft, to: str, message_id: str) -> EmailMultiAlternatives:
    text, html = draft.text, draft.html
    for stand_in, secret in draft.secrets.items():
        text, html = text.replace(stand_in, secret), html.replace(stand_in, secret)
    mail = EmailMultiAlternatives(
        subject=draft.subject,
        body=text,
        to=[to],
        reply_to=[settings.OPERATOR["support_email"]],
        headers={
            "Date": format_datetime(timezone.now()),
            "Message-ID": message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": draft.locale,
        },
    )
    mail.attach_alternative(html, "text/html")
    for file in documents.files_of(draft.receipt) if draft.receipt else ():
        mail.attach(file.name, file.content, file.type.partition(";")[0])
    return mail


def _codes(refusal: smtplib.SMTPException) -> set[int]:
    if isinstance(refusal, smtplib.SMTPRecipientsRefused):
        return {code for code, _answer in refusal.recipients.values()}
    return {refusal.smtp_code} if isinstance(refusal, smtplib.SMTPResponseException) else set()


def _close(connection: BaseEmailBackend) -> None:
    """Close, and do not mind: what was sent is sent."""
    with suppress(OSError, smtplib.SMTPException):
        connection.close()
