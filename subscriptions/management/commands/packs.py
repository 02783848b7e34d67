"""``manage.py packs``: what the rules of each place say, and since when; ``--record`` adds new entries to the ledger.

One entry a line, columns separated by tabs: pack, parameter, value, since, source. Reads no database.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscriptions import ledger, places
from subscriptions.packs import PackError, Packs, Value, load


class Command(BaseCommand):
    """Show the packs, or record them."""

    help = "Print every entry of the policy packs (pack, parameter, value, since, source), or --record new ones."
    # The checks would stop exactly what mends them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("packs", nargs="*", help="codes of packs, such as de fr; without any, all")
        parser.add_argument("--record", action="store_true", help=f"add new entries to {ledger.FILE}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or record. CommandError names every fault of a pack, or a recorded entry that was changed."""
        try:
            packs = load(*places.folders())
        except PackError as wrong:
            raise CommandError(str(wrong)) from None
        if options["record"]:
            self._record(packs)
            return
        if strangers := [code for code in options["packs"] if code not in packs]:
            raise CommandError(f"{strangers[0]} is no pack; known are {', '.join(packs)}.")
        for code in options["packs"] or packs:
            for entries in (packs[code].entries, packs[code].overrides):
                for entry in (entry for listed in entries.values() for entry in listed):
                    self.stdout.write("\t".join(columns(entry)))

    def _record(self, packs: Packs) -> None:
        path = places.folders()[0] / ledger.FILE
        recorded: ledger.Ledger | None = {}
        if path.is_file():
            recorded = ledger.read(path.read_text(encoding="utf-8"))
        if recorded is None:
            raise CommandError(f"{path} is no ledger; put it back from the release.")
        if faults := ledger.broken(recorded, packs):
            raise CommandError("\n".join(f"{fault}. {fault.remedy}" for fault in faults))
        new = ledger.unrecorded(recorded, packs)
        path.write_text(ledger.write(ledger.added(recorded, packs)), encoding="utf-8")
        self.stdout.write(f"{len(new)} new entries recorded in {path}.")


def columns(entry: Value) -> tuple[str, str, str, str, str]:
    """Return an entry as text: pack, parameter (with its sector), value, since, source."""
    name = f"{entry.parameter} ({entry.sector})" if entry.sector else entry.parameter
    said = "no rule" if entry.value is None else json.dumps(entry.value, ensure_ascii=False)
    since = f"{entry.since} (concluded)" if entry.by == "concluded" else str(entry.since)
    return entry.pack, name, f"{said} (yours)" if entry.is_override else said, since, entry.source
