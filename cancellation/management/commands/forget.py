"""``manage.py forget``: erase what strangers wrote when its time is over, and customers who asked for it and whose day
has come, as the worker does twice a day.

With ``--dry-run`` nothing is written; ``--explain`` says by which rules, and what is kept and why.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from cancellation import deletions, erasure


class Command(BaseCommand):
    """Erase words whose time is over."""

    help = "Erase what was written at the public pages, and customers who asked for it, when the time is over."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be asked for."""
        parser.add_argument("--dry-run", action="store_true", help="say what would be erased, write nothing")
        parser.add_argument("--explain", action="store_true", help="say by which rules, and what is kept and why")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase, or tell."""
        now, dry = timezone.now(), options["dry_run"]
        if options["explain"]:
            for line in erasure.rules_in_words(now):
                self.stdout.write(line)
        told = erasure.what_is_over(now) if dry else erasure.erase_what_is_over(now)
        customers = deletions.due(now) if dry else deletions.carry_out(now)
        verb = "would be erased" if dry else "erased"
        self.stdout.write(f"declarations {verb}: {told.declarations}")
        self.stdout.write(f"announcements {verb}: {told.announcements}")
        self.stdout.write(f"files of forms that were never sent {verb}: {told.uploads}")
        self.stdout.write(f"customers who asked for it {verb}: {customers}")
        self.stdout.write(f"over, but kept until what they led to is finished: {told.kept}")
