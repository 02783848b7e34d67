"""What all tests share: the data beside the project, and an environment of their own."""

import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from django.apps import apps
from django.conf import settings as configured
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.db import connection
from django.utils import translation
from hypothesis import settings as hypothesis
from pytest_django.plugin import blocking_manager_key
from whitenoise.middleware import WhiteNoiseMiddleware

from tests.barriers import barriers

# How long an example takes says something of the machine, nothing of the code. CI looks at the same examples each time.
hypothesis.register_profile("fairwell", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.load_profile("fairwell")

# A slow hash guards passwords against guessing; here it would only be waited for, at every account a test makes.
configured.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def absent(what: str) -> None:
    """Skip and say so; on CI a missing part is a failure, never a quiet pass."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it.")
    pytest.skip(f"{what} is missing: this test did not run.")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder with third-party data that lies beside the project, if it is there."""
    if not SHARED_DATA.is_dir():
        absent("../shared/data")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Begin each test in the configured language: a request in another one leaves it active in its thread."""
    with translation.override(configured.LANGUAGE_CODE, deactivate=True):
        yield


def _looked_up_once(look: Callable[[WhiteNoiseMiddleware], None]) -> Callable[[WhiteNoiseMiddleware], None]:
    """Return a look for static files that remembers what it found: every client of every test asks for the same."""
    found: dict[str, dict[str, Any]] = {}

    def remembered(middleware: WhiteNoiseMiddleware) -> None:
        if middleware.static_prefix not in found:
            look(middleware)
            found[middleware.static_prefix] = dict(middleware.files)
        middleware.files.update(found[middleware.static_prefix])

    return remembered


WhiteNoiseMiddleware.add_files_from_finders = _looked_up_once(WhiteNoiseMiddleware.add_files_from_finders)


def _deleted_where_there_are_rows(self: Any, style: Any, tables: Iterable[str], **_how: Any) -> list[str]:
    """Return how PostgreSQL is emptied after a test: by deleting the few rows, for truncating sixty tables is slow.

    Foreign keys are checked at the end of the transaction that runs this, so that the order does not matter.
    """
    names = {table: self.quote_name(table) for table in tables}
    if not names:
        return []
    asked = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {name})" for table, name in names.items())
    with self.connection.cursor() as cursor:
        cursor.execute(asked)
        return [f"DELETE FROM {names[table]};" for (table,) in cursor.fetchall()]


if connection.vendor == "postgresql":
    type(connection.ops).sql_flush = _deleted_where_there_are_rows


def _clear_own_keys(self: RedisCache) -> None:
    """Forget what this process has cached, and leave the tests alone that run beside it on the same server."""
    client = self._cache.get_client(write=True)
    if own := list(client.scan_iter(match=f"{self.key_prefix}:*", count=1000)):
        client.delete(*own)


RedisCache.clear = _clear_own_keys

# ---------------------------------------------------------------- the browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
# Playwright runs an event loop in this thread; the ORM is used beside it, never inside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches no database as pure; leave out the journeys where there is no browser, and say so."""
    for item in items:
        if not item.get_closest_marker("django_db") and "django_db_setup" not in getattr(item, "fixturenames", ()):
            item.add_marker("pure")
        if "browser" in item.keywords and not CHROMIUM and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: this journey was not played"))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Start the Chromium of this machine; Playwright brings none."""
    return {"executable_path": CHROMIUM, "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """Give every context the same language and no motion."""
    return {"locale": "en-GB", "reduced_motion": "reduce", "viewport": {"width": 390, "height": 844}}


@pytest.fixture
def console_errors(page: Any) -> list[str]:
    """Collect what the page complains about, such as a breach of the content policy."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


@pytest.fixture
def axe() -> Callable[..., None]:
    """Return a check that a page has no accessibility violation."""

    def check(page: Any, *, with_colours: bool = True) -> None:
        found = barriers(page, with_colours=with_colours)
        assert found.violations_count == 0, found.generate_report()

    return check


# ---------------------------------------------------------------- mail


class Sink:
    """A real SMTP server that keeps what it accepts."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=default)))
        return "250 kept"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """Run an SMTP server on this machine and send all mail of the test there."""
    keeper = Sink()
    controller = Controller(keeper, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield keeper
    controller.stop()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---------------------------------------------------------------- what every database starts with


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Bring back the shipped reason tree, which the flush after a transactional test takes away."""
    yield
    if nextitem is None:
        # The test database itself is gone by now.
        return
    marker = item.get_closest_marker("django_db")
    fixtures = getattr(item, "fixturenames", ())
    if (marker and marker.kwargs.get("transaction")) or {"transactional_db", "live_server"} & set(fixtures):
        with item.config.stash[blocking_manager_key].unblock():
            shipped = import_module("feedback.migrations.0002_shipped_reasons")
            shipped.ship(apps, SimpleNamespace(connection=connection))
            cache.clear()
