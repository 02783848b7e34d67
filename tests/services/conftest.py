"""Real services: PostgreSQL, Redis, worker processes and an SMTP server that counts."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from celery import current_app
from django.conf import settings as django_settings
from django.db import connection

from outbox import nudge
from tests.conftest import absent, free_port

ROOT = Path(__file__).resolve().parents[2]
# A database of Redis that no other part of the tests uses; it is emptied.
REDIS_DB = 13
# Only a failure waits this long; a busy machine starts a worker in ten seconds.
PATIENCE = 60.0


class CountingSink:
    """An SMTP server that counts Message-IDs, as slowly as it is told."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.subjects: list[str] = []
        self.delay = 0.0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.delay)
        message = message_from_bytes(envelope.content)
        self.seen[str(message["Message-ID"])] += 1
        self.subjects.append(str(message["Subject"]))
        return "250 taken"


@pytest.fixture
def counting() -> Iterator[tuple[CountingSink, int]]:
    """Run the counting server; return it and its port."""
    sink = CountingSink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield sink, controller.port
    controller.stop()


@pytest.fixture
def redis_url() -> Iterator[str]:
    """Return the address of an empty database of a real Redis."""
    import redis

    given = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
    url = urlsplit(given)._replace(path=f"/{REDIS_DB}").geturl()
    client = redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
    try:
        client.flushdb()
    except redis.RedisError:
        absent("Redis")
    yield url
    client.flushdb()
    client.close()


@pytest.fixture
def nudging(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process nudge workers over Redis."""
    conf = current_app.conf
    kept = (conf.broker_url, conf.broker_transport_options)
    conf.broker_url, conf.broker_transport_options = redis_url, {}
    monkeypatch.setattr(nudge, "_herald", nudge.Herald(nudge.publish))
    yield
    conf.broker_url, conf.broker_transport_options = kept


@pytest.fixture
def environment(
    transactional_db: None, redis_url: str, counting: tuple[CountingSink, int], tmp_path: Path
) -> dict[str, str]:
    """Return the environment of worker processes on this test's database, broker and mail server."""
    if connection.vendor != "postgresql":
        absent("PostgreSQL (by DATABASE_URL)")
    db = connection.settings_dict
    login = f"{db['USER']}:{db['PASSWORD']}" if db["PASSWORD"] else str(db["USER"])
    return {
        **os.environ,
        "DATABASE_URL": f"postgres://{login}@{db['HOST'] or '127.0.0.1'}:{db['PORT'] or 5432}/{db['NAME']}",
        "REDIS_URL": redis_url,
        "CELERY_BROKER_URL": redis_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{counting[1]}",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "FAIRWELL_VAR": str(tmp_path / "var"),
        "FAIRWELL_SWEEP_SECONDS": "1",
        "FAIRWELL_LEASE_SECONDS": "2",
        "FAIRWELL_TESTING": "1",
    }


class Process:
    """A process of this test with everything it starts, in a group of its own."""

    def __init__(self, *arguments: str, env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.popen = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=env,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, words: str) -> None:
        """Wait until the process has written these words."""
        wait_until(lambda: words in self.log.read_text(errors="replace"), what=f"{words!r} in {self.log}")

    def kill(self) -> None:
        """Kill the process and all its children at once, as a machine that loses power does."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(10)


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a way to start Python processes that end with the test."""
    started: list[Process] = []

    def run(*arguments: str, env: dict[str, str]) -> Process:
        started.append(Process(*arguments, env=env, log=tmp_path / f"process-{len(started)}.log"))
        return started[-1]

    yield run
    for process in started:
        process.kill()


def start_worker(start: Start, env: dict[str, str], *options: str) -> Process:
    """Start a Celery worker with beat inside, and wait until it listens."""
    quiet = ("--without-gossip", "--without-mingle")
    process = start("-m", "celery", "-A", "config", "worker", "-B", "-l", "INFO", *quiet, *options, env=env)
    process.wait_for("ready.")
    return process


def wait_until(holds: Callable[[], bool], *, what: str, seconds: float = PATIENCE) -> float:
    """Wait until something holds; return how long that took, or fail and say what did not come."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            pytest.fail(f"This did not come within {seconds} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - began
