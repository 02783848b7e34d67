"""``manage.py drain``: what the workers do, without any broker."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from outbox import drain, registry


class Command(BaseCommand):
    """Send and do what the outbox promises and is due now."""

    help = "Handle every outbox entry that is due, without a broker, and print what was done."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help=f"handle one batch ({drain.BATCH} entries) and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{drain.drain(batches=1 if options['once'] else None)}.")
        left = drain.pending()
        due = left.filter(due_at__lte=timezone.now(), topic__in=registry.topics()).count()
        later = left.filter(due_at__gt=timezone.now(), topic__in=registry.topics()).count()
        unknown = left.exclude(topic__in=registry.topics()).count()
        self.stdout.write(f"Left: {due} due, {later} due later, {unknown} of topics that nobody handles.")
