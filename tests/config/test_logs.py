"""No log line lets anybody in: the secrets of links are blotted out of all of them."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory

from config.logs import RequestMiddleware, formatter

pytestmark = pytest.mark.pure
ROOT = Path(__file__).resolve().parents[2]
TOKEN = "Zm9yLXRlc3RzLW9ubHk.c2lnbmF0dXJl"


def line(message: str, *values: str) -> str:
    return formatter().format(logging.LogRecord("any.library", logging.WARNING, "x.py", 1, message, values, None))


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (f"Gone: /sign-in/{TOKEN}/", "Gone: /sign-in/…/"),
        (f"http://desk.example/sign-in/{TOKEN}/", "http://desk.example/sign-in/…/"),
        (f"http://desk.example/announce/{TOKEN}/", "http://desk.example/announce/…/"),
        (f'"GET /enter/?t={TOKEN} HTTP/1.1" 403', '"GET /enter/?t=… HTTP/1.1" 403'),
        (f"/enter/?next=/account/&t={TOKEN}", "/enter/?next=/account/&t=…"),
        (f"Not Found: /receipts/{TOKEN}/receipt.pdf", "Not Found: /receipts/…/receipt.pdf"),
        ("Not Found: /sign-in/", "Not Found: /sign-in/"),
        ("/receipts/verify", "/receipts/verify"),
        ("/contracts/C-7KQ2MX4P/cancel/", "/contracts/C-7KQ2MX4P/cancel/"),
    ],
)
def test_a_link_loses_its_secret(said: str, written: str) -> None:
    assert written in line("%s", said)
    assert TOKEN not in line("%s", said)


def test_a_traceback_loses_it_too() -> None:
    try:
        raise ValueError(f"cannot open /sign-in/{TOKEN}/")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("any.library", logging.ERROR, "x.py", 1, "failed", (), info)

    written = formatter().format(record)

    assert "cannot open /sign-in/…/" in written
    assert TOKEN not in written


def test_a_request_is_written_without_its_query() -> None:
    request = RequestFactory().get(f"/enter/?t={TOKEN}")

    assert RequestMiddleware.format_request(request) == "GET /enter/"


@pytest.mark.django_db
@pytest.mark.parametrize("path", [f"/sign-in/{TOKEN}/", f"/enter/?t={TOKEN}", f"/receipts/{TOKEN}/"])
def test_the_lines_of_a_whole_request_let_nobody_in(caplog: Any, client: Client, path: str) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger="django_structlog")

    client.get(path)

    lines = [formatter().format(record) for record in caplog.records]
    assert any("request_finished" in line for line in lines)
    assert [line for line in lines if TOKEN in line] == []


def test_no_line_keeps_the_visitors_address(caplog: Any, client: Client) -> None:
    caplog.set_level(logging.INFO, logger="django_structlog")

    client.get("/brand.css", REMOTE_ADDR="203.0.113.7")

    lines = [formatter().format(record) for record in caplog.records]
    assert any("request_finished" in line for line in lines)
    assert [line for line in lines if "203.0.113.7" in line] == []


GUNICORN = """
import logging
gunicorn = logging.getLogger("gunicorn.error")
gunicorn.propagate = False
gunicorn.addHandler(logging.StreamHandler())
import django
django.setup()
gunicorn.error("Error handling request %s", "/sign-in/{token}/")
"""


def test_what_the_web_server_itself_says_becomes_such_a_line_too() -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}

    told = subprocess.run(
        [sys.executable, "-c", GUNICORN.format(token=TOKEN)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )

    [line] = told.stderr.splitlines()
    assert "Error handling request /sign-in/…/" in line
