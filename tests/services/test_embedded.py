"""The embedded default, as `make run` starts it: SQLite, folders for a broker, one worker with beat inside."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.services.conftest import ROOT, CountingSink, Start, start_worker, wait_until

# Everything happens in processes of their own, so one run is enough.
pytestmark = pytest.mark.pure
PROMISE = """
from datetime import datetime, UTC
from outbox import nudge
from subscriptions.models import Customer
from django.utils import timezone
from outbox.actions import Promise, add_many
Customer.objects.get_or_create(reference="K-1", defaults={{"name": "Anna", "email": "anna@example.org"}})
asked = {{"email": "anna@example.org", "locale": "en", "next": "", "asked_at": timezone.now().isoformat()}}
add_many([Promise("sign-in", f"{name}:{{n}}", asked) for n in range({count})])
nudge._herald.settle(5)
"""
Sink = tuple[CountingSink, int]


@pytest.fixture
def embedded(tmp_path: Path, counting: Sink) -> dict[str, str]:
    """Return the environment of an embedded desk with its tables made."""
    keep = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env = {
        **keep,
        "FAIRWELL_VAR": str(tmp_path / "var"),
        "EMAIL_URL": f"smtp://127.0.0.1:{counting[1]}",
        "FAIRWELL_SWEEP_SECONDS": "3600",
        "FAIRWELL_LEASE_SECONDS": "60",
    }
    manage(env, "migrate", "--verbosity", "0")
    return env


def manage(env: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, check=True, timeout=60)


def promise(env: dict[str, str], name: str, count: int) -> None:
    manage(env, "shell", "--verbosity", "0", "-c", PROMISE.format(name=name, count=count))


def asked(env: dict[str, str], question: str) -> Any:
    with closing(sqlite3.connect(Path(env["FAIRWELL_VAR"]) / "fairwell.sqlite3", timeout=20)) as database:
        return database.execute(question).fetchone()[0]


def nothing_left(env: dict[str, str]) -> Callable[[], bool]:
    return lambda: asked(env, "SELECT count(*) FROM outbox_entry WHERE delivered_at IS NULL") == 0


def test_a_promise_of_another_process_wakes_the_solo_worker_through_folders(
    embedded: dict[str, str], counting: Sink, start: Start
) -> None:
    start_worker(start, embedded, "-P", "solo")

    promise(embedded, "first", 1)
    wait_until(lambda: len(counting[0].seen) == 1, what="the letter", seconds=10)
    promise(embedded, "more", 30)
    wait_until(lambda: len(counting[0].seen) == 31, what="the other letters")

    wait_until(nothing_left(embedded), what="the marks")
    assert set(counting[0].seen.values()) == {1}


def test_on_sqlite_drainers_side_by_side_share_the_work_and_double_nothing(
    embedded: dict[str, str], counting: Sink, start: Start
) -> None:
    promise(embedded, "many", 100)

    drainers = [start("manage.py", "drain", env=embedded) for _ in range(2)]
    assert [drainer.popen.wait(60) for drainer in drainers] == [0, 0]

    assert nothing_left(embedded)()
    assert (len(counting[0].seen), set(counting[0].seen.values())) == (100, {1})
    assert asked(embedded, "SELECT count(*) FROM outbox_entry WHERE attempts > 0 OR last_error <> ''") == 0
