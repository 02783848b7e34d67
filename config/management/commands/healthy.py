"""``manage.py healthy URL``: exit 0 when the web process answers. For container health checks."""

from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Ask the health page as the proxy would."""

    help = "Exit 0 when the web process on this machine answers."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url")

    def handle(self, *args: Any, **options: Any) -> None:
        url: str = options["url"]
        if not url.startswith("http://"):
            raise CommandError("The health page is asked over http on this machine.")
        host = settings.ALLOWED_HOSTS[0].lstrip(".")
        request = Request(url, headers={"Host": host, "X-Forwarded-Proto": "https"})  # noqa: S310
        try:
            with urlopen(request, timeout=8) as answer:  # noqa: S310
                answer.read()
        except (URLError, OSError) as error:
            raise CommandError(f"{url} does not answer: {error}") from error
