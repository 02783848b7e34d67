"""``manage.py demo``: load the demo business, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from config.demo.load import load


class Command(BaseCommand):
    """Load the demo business into an embedded database."""

    help = "Load the demo business (five stories, some hundred customers, a year of reasons). Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo business has no place in production.")
        console = Console()
        with console.status("Loading the demo business …"):
            loaded = load()
        console.print("The demo business is loaded." if loaded else "The demo business is there already.")
