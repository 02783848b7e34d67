"""``manage.py run``: everything a newcomer needs, in one terminal, on this machine only.

Brings the database up to date, loads the demo business once, then runs web, worker with beat, and the mail catcher.
Ctrl-C stops them all. Honours PORT, DATABASE_URL, REDIS_URL and EMAIL_URL.
"""

import os
import signal
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from rich.console import Console

from config.processes import Processes

FIRST_MAIL_PORT = 1025
# Celery warns root at length. In the demo nobody but this machine can reach the worker; elsewhere it shall be read.
NO_WORD_ABOUT_ROOT = "ignore::UserWarning:celery.platforms"


class Command(BaseCommand):
    """Prepare, say where to go, and run until Ctrl-C."""

    help = "Run the demo: web, worker, beat and a mail catcher, with a demo business loaded."
    # They may ask the database, and one that does not answer is to be named in one line first.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("`manage.py run` is the demo on one machine; docs/operators.md says how to serve.")
        _refuse_taken(settings.PORT)
        _refuse_silent_database()
        self.check()
        console = Console(soft_wrap=True, highlight=False)
        try:
            with console.status("Bringing the database up to date …"):
                call_command("migrate", verbosity=0, interactive=False)
            with console.status("Gathering style sheets and scripts …"):
                call_command("collectstatic", verbosity=0, interactive=False)
            call_command("demo")
            environment = _where_to_go(console)
        except KeyboardInterrupt:
            raise SystemExit(128 + signal.SIGINT) from None
        _run(environment)


def _refuse_taken(port: int) -> None:
    """Raise CommandError with the remedy where somebody else listens already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"Port {port} is taken ({error.strerror}). Stop what runs there, or choose another: make run PORT=8001"
            ) from error


def _refuse_silent_database() -> None:
    """Raise CommandError with the remedy where the database cannot be reached, or is not there."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        said = " ".join(str(error).split())
        raise CommandError(
            f"The database does not answer ({said}). Correct DATABASE_URL, or unset it to use SQLite below var/."
        ) from error


def _free_port(first: int) -> int:
    for port in range(first, first + 200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise CommandError("No free port for the mail catcher: set EMAIL_URL to a mail server of yours.")


def _where_to_go(console: Console) -> dict[str, str]:
    """Say what runs where; return the environment of the processes."""
    from config.demo import STORIES, staff_password

    base = settings.BASE_URL
    console.print(f"\n[bold]Fairwell runs at {base}/[/bold]   (Ctrl-C stops everything)\n")
    console.print("Five stories, one click each:")
    for story in STORIES:
        console.print(f"  {base}/demo/enter/{story.slug}/   {story.title}")
    console.print(f"\nMails sent       {base}/demo/mails/")
    console.print(f"The desk         {base}/admin/   user [bold]demo[/bold], password [bold]{staff_password()}[/bold]")
    console.print(f"Why people leave {base}/reports/reasons/   (same sign-in)\n")
    environment = dict(os.environ, FAIRWELL_BASE_URL=base, PYTHONUNBUFFERED="1", C_FORCE_ROOT="1")
    if not os.environ.get("EMAIL_URL"):
        environment["FAIRWELL_MAIL_PORT"] = str(_free_port(FIRST_MAIL_PORT))
    return environment


def _run(environment: dict[str, str]) -> None:
    """Run the processes until one stops or Ctrl-C; none stays behind."""
    python, warnings = sys.executable, [os.environ.get("PYTHONWARNINGS", ""), NO_WORD_ABOUT_ROOT]
    processes = Processes()
    processes.add_process(
        "web",
        f"{python} -m gunicorn config.wsgi --bind 127.0.0.1:{settings.PORT} --worker-class gthread"
        " --workers 1 --threads 8 --access-logfile /dev/null --log-level warning",
        env=environment,
        cwd=str(settings.BASE_DIR),
    )
    processes.add_process(
        "worker",
        f"{python} -m celery -q -A config worker -B -P solo -l error --without-gossip --without-mingle"
        f" -s {settings.CELERY_BEAT_SCHEDULE_FILENAME}",
        env=environment | {"PYTHONWARNINGS": ",".join(filter(None, warnings))},
        cwd=str(settings.BASE_DIR),
    )
    if port := environment.get("FAIRWELL_MAIL_PORT"):
        command = f"{python} manage.py catch_mail --port {port}"
        processes.add_process("mail", command, env=environment, cwd=str(settings.BASE_DIR))
    processes.loop()
    raise SystemExit(processes.returncode)
