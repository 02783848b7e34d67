"""``make run``: it answers, it says what is wrong in one line, and whatever ends it leaves no process behind."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import free_port

pytestmark = [
    pytest.mark.pure,
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are counted in /proc"),
]
ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL", "FAIRWELL_MAIL_PORT", "FAIRWELL_BASE_URL"}
# A busy machine takes its time; only a failure waits this long.
PATIENCE = 90.0
# What the product promises, on any machine.
SECONDS_TO_STOP = 15.0


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for everything that is written; the first start fills it, the next find it full."""
    return tmp_path_factory.mktemp("var")


def environment(var: Path, port: int | str, **given: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    return {**ours, "FAIRWELL_DEMO": "1", "FAIRWELL_VAR": str(var), "PORT": str(port), **given}


def processes(var: Path) -> dict[int, str]:
    """Return every living process that was started for this folder, with its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if f"FAIRWELL_VAR={var}\0".encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended while we looked
    return found


class Running:
    """``manage.py run`` in a terminal of its own, as a person starts it."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port, self.output = var, port, b""
        self.terminal, slave = pty.openpty()
        os.set_blocking(self.terminal, False)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run"],
            cwd=ROOT,
            env=environment(var, port),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def read(self) -> None:
        """Read what the terminal shows, so that nobody waits for us."""
        try:
            while chunk := os.read(self.terminal, 65536):
                self.output += chunk
        except OSError:
            pass  # nothing more for now

    def wait_until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until something holds; fail with what the terminal showed."""
        until = time.monotonic() + seconds
        while not holds():
            if self.terminal >= 0:
                self.read()
            shown = self.output.decode(errors="replace")
            assert time.monotonic() < until, f"{what} did not come in {seconds} s; the terminal shows:\n{shown}"
            time.sleep(0.05)

    def answers(self) -> bool:
        """Tell whether the health page answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return int(answer.status) == 200
        except (URLError, OSError):
            return False

    def hang_up(self) -> None:
        """Close the terminal, as somebody closes its window."""
        os.close(self.terminal)
        self.terminal = -1


@pytest.fixture
def run(var: Path) -> Iterator[Callable[[], Running]]:
    """Return a way to start it and wait for its first answer; whatever is left of it afterwards is killed."""
    started: list[Running] = []

    def start() -> Running:
        running = Running(var, free_port())
        started.append(running)
        running.wait_until(
            lambda: running.answers() or running.process.poll() is not None, PATIENCE, "the first answer"
        )
        assert running.process.poll() is None, running.output.decode(errors="replace")
        return running

    yield start
    for pid in processes(var):
        os.kill(pid, signal.SIGKILL)
    for running in started:
        running.process.wait(10)
        if running.terminal >= 0:
            os.close(running.terminal)


ENDS: dict[str, Callable[[Running], None]] = {
    # Ctrl-C reaches the whole foreground group.
    "ctrl-c": lambda running: os.killpg(running.process.pid, signal.SIGINT),
    "sigterm": lambda running: running.process.send_signal(signal.SIGTERM),
    "the-terminal-is-closed": Running.hang_up,
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_it_no_process_stays_behind(run: Callable[[], Running], var: Path, end: str) -> None:
    running = run()
    commands = " ".join(processes(var).values())
    assert all(part in commands for part in ("gunicorn", "celery", "catch_mail"))

    ENDS[end](running)

    running.wait_until(lambda: running.process.poll() is not None, SECONDS_TO_STOP, "the end")
    assert processes(var) == {}
    assert not running.answers()


def test_the_first_screen_says_where_to_go_and_nothing_else(run: Callable[[], Running]) -> None:
    running = run()
    # By the time that it drains, the worker has said what it has to say about its start.
    running.wait_until(lambda: any(running.var.glob("celerybeat-schedule*")), PATIENCE, "beat")
    time.sleep(1)
    running.read()

    shown = running.output.decode()

    assert f"Fairwell runs at http://127.0.0.1:{running.port}/" in shown
    assert [word for word in ("Warning", "superuser", "Traceback", "Error") if word in shown] == []


def refused(var: Path, port: int | str, **given: str) -> str:
    """Run it where it cannot start; return the one line that it says."""
    ran = subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT,
        env=environment(var, port, **given),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert ran.stdout == ""
    [line] = ran.stderr.splitlines()
    return line


def test_a_taken_port_is_said_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]

        said = refused(tmp_path, port)

    assert said == (
        f"CommandError: Port {port} is taken (Address already in use). "
        "Stop what runs there, or choose another: make run PORT=8001"
    )


@pytest.mark.parametrize("port", ["abc", "99999"])
def test_a_port_that_is_none_is_said(tmp_path: Path, port: str) -> None:
    assert refused(tmp_path, port) == (
        f"Fairwell does not start. PORT='{port}' is no port: give a number from 1 to 65535, such as 8000."
    )


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("sqlite:////nowhere/at/all.sqlite3", id="a-folder-that-is-not-there"),
        pytest.param("postgres://somebody:hunter2@127.0.0.1:1/fairwell", id="a-server-that-is-not-there"),
        pytest.param("postgres://somebody:hunter2@no-such-host.invalid/fairwell", id="a-host-that-is-not-there"),
    ],
)
def test_a_database_that_does_not_answer_is_said_with_the_remedy(tmp_path: Path, url: str) -> None:
    said = refused(tmp_path, free_port(), DATABASE_URL=url)

    assert said.startswith("CommandError: The database does not answer (")
    assert said.endswith("). Correct DATABASE_URL, or unset it to use SQLite below var/.")
    assert "hunter2" not in said
