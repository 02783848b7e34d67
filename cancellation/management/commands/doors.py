"""``manage.py doors``: which public doors there are and what each must be like; ``doors check`` looks at them.

The look is the one that the worker takes every ten minutes: it opens and closes stretches of fault, and exits with 1
where a door is at fault.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from cancellation import care
from subscriptions import places
from subscriptions.packs import Pack


class Command(BaseCommand):
    """Tell of the public doors, or look at them."""

    help = "Say which public doors there are and what they must be like; with `check`, look at them. Exit 1: a fault."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be asked for."""
        parser.add_argument("what", nargs="?", choices=["check"], help="look at the doors and write down what changed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell, or look."""
        if options["what"] == "check":
            self._check()
            return
        for pack in care.doors():
            for line in described(pack):
                self.stdout.write(line)

    def _check(self) -> None:
        looked = care.check_doors(timezone.now())
        for door in looked:
            self.stdout.write(f"{door.pack.code}: {'at fault' if door.faults else 'in order'}")
            for fault in door.faults:
                self.stdout.write(f"  {fault}")
        for line in care.advice():
            self.stdout.write(f"note: {line}")
        if any(door.faults for door in looked):
            sys.exit(1)


def described(pack: Pack) -> Iterator[str]:
    """Return in English what one door must be like today, and what follows where it is not."""
    today = timezone.localdate()
    rules = care.rules_of(pack, today)
    home = " (home)" if pack.code == places.home().code else ""
    fault = next((fault for fault in care.open_faults() if fault.pack == pack.code), None)
    yield f"{pack.code}: {pack.name}{home}"
    yield f"  address       {settings.BASE_URL}{care.door_of(pack)}"
    yield f"  entry         {pack.get('entry_label', today)}"
    yield f"  button        {rules.confirm_label}" + (", on a page to check" if rules.has_recap else "")
    yield f"  must be there {', '.join(rules.needed)}; at most {rules.most_groups} groups of fields"
    yield f"  other content {'none' if rules.is_closed else 'allowed'}"
    yield f"  when broken   {pack.get('button_broken_effect', today)}"
    yield f"  now           {f'at fault since {timezone.localtime(fault.since):%F %T %z}' if fault else 'in order'}"
