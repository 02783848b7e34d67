"""``manage.py catch_mail``: accept mail on this machine and keep it in a folder, for the demo and for trying out."""

import asyncio
import os
import secrets
import signal
import time
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

LARGEST = 10_000_000


class Keep:
    """Write each message as an ``.eml`` file; the newest sorts last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one message; only a message that is wholly on disk is acknowledged."""
        name = f"{time.time_ns()}-{secrets.token_hex(4)}.eml"
        part = self.folder / f".{name}"
        part.write_bytes(envelope.content if isinstance(envelope.content, bytes) else b"")
        os.replace(part, self.folder / name)
        return "250 kept"


class Command(BaseCommand):
    """Run until it is told to stop."""

    help = "Accept mail on this machine and keep it in var/mail (the demo shows it under /demo/mails/)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.EMAIL_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        settings.MAIL_DIR.mkdir(parents=True, exist_ok=True)
        catcher = Controller(
            Keep(settings.MAIL_DIR), hostname="127.0.0.1", port=options["port"], data_size_limit=LARGEST
        )
        catcher.start()
        try:
            asyncio.run(_until_stopped())
        finally:
            catcher.stop()


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
