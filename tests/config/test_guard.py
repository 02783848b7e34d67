"""Fairwell does not start with what would expose customers or lose letters; it names the variable and the remedy."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import guard

pytestmark = pytest.mark.pure
ROOT = Path(__file__).resolve().parents[2]
SECRET = "s" * 50
GOOD: dict[str, Any] = {
    "production": True,
    "debug": False,
    "demo": False,
    "base_url": "https://desk.example.org",
    "allowed_hosts": ["desk.example.org"],
}
SET = {
    "FAIRWELL_OPERATOR_NAME": "Kirchner Hosting",
    "FAIRWELL_SUPPORT_EMAIL": "support@example.org",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.org:587",
    "DATABASE_URL": "postgres://user:password@db.example.org/fairwell",
}


def refusal(check: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        check(*args, **kwargs)
    return str(refused.value)


# ---------------------------------------------------------------- each rule


def test_an_unknown_environment_is_refused_not_guessed() -> None:
    assert (guard.is_production("production"), guard.is_production("embedded")) == (True, False)
    assert refusal(guard.is_production, "prod") == "FAIRWELL_ENV='prod' is unknown: use one of embedded, production."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"debug": True}, "DEBUG is on: it shows secrets to visitors. Unset DEBUG in production."),
        ({"demo": True}, "FAIRWELL_DEMO is on: it lets anybody in. Unset FAIRWELL_DEMO in production."),
        (
            {"base_url": "http://desk.example.org"},
            "FAIRWELL_BASE_URL='http://desk.example.org' is not https: links in mails would be readable. "
            "Give the address that customers see, such as https://desk.example.org.",
        ),
        (
            {"allowed_hosts": []},
            "ALLOWED_HOSTS must name the hosts that this desk answers for, without '*', such as desk.example.org.",
        ),
        (
            {"allowed_hosts": ["desk.example.org", "*"]},
            "ALLOWED_HOSTS must name the hosts that this desk answers for, without '*', such as desk.example.org.",
        ),
    ],
)
def test_production_refuses_what_would_expose_customers(changes: dict[str, Any], said: str) -> None:
    assert refusal(guard.refuse_insecure_start, **{**GOOD, **changes}) == said


def test_production_starts_with_everything_in_place() -> None:
    guard.refuse_insecure_start(**GOOD)
    guard.refuse_unset(production=True, given=SET)


@pytest.mark.parametrize(
    ("base_url", "hosts", "stranger"),
    [
        ("http://127.0.0.1:8000", ["localhost", "desk.example.org"], "desk.example.org"),
        ("https://desk.example.org", ["localhost"], "desk.example.org"),
        ("http://127.0.0.1:8000", ["*"], "*"),
    ],
)
def test_the_embedded_default_serves_this_machine_only(base_url: str, hosts: list[str], stranger: str) -> None:
    said = refusal(
        guard.refuse_insecure_start, production=False, debug=False, demo=True, base_url=base_url, allowed_hosts=hosts
    )

    assert said == (
        f"{stranger}: the embedded default answers to this machine only. "
        "Set FAIRWELL_ENV=production (and what it asks for) to serve other hosts."
    )


@pytest.mark.parametrize("name", sorted(SET))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_production_refuses_to_start_without_what_only_its_operator_knows(name: str, value: str | None) -> None:
    given = {key: kept for key, kept in SET.items() if key != name} | ({} if value is None else {name: value})

    said = refusal(guard.refuse_unset, production=True, given=given)

    assert said == f"Not set: {name} ({guard.REQUIRED[name]}). Production asks for it; docs/operators.md explains each."


def test_all_that_is_missing_is_said_at_once_and_the_embedded_default_asks_for_nothing() -> None:
    said = refusal(guard.refuse_unset, production=True, given={})

    assert all(f"{name} (" in said for name in SET)
    assert "\n" not in said
    guard.refuse_unset(production=False, given={})


def test_production_asks_for_a_long_secret_of_its_own(tmp_path: Path) -> None:
    kept = tmp_path / "secret-key"

    assert refusal(guard.secret_key, "", production=True, keep_in=kept) == (
        "SECRET_KEY is not set: give at least 50 random characters in the environment."
    )
    assert refusal(guard.secret_key, "s" * 49, production=True, keep_in=kept) == (
        "SECRET_KEY is too short: give at least 50 random characters."
    )
    assert guard.secret_key(SECRET, production=True, keep_in=kept) == SECRET
    assert not kept.exists()


def test_the_embedded_default_makes_a_secret_once_for_its_owner_alone(tmp_path: Path) -> None:
    kept = tmp_path / "var" / "secret-key"

    first = guard.secret_key("", production=False, keep_in=kept)

    assert len(first) >= 50
    assert guard.secret_key("", production=False, keep_in=kept) == first
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["secret-key"]


@pytest.mark.parametrize("given", ["abc", "0", "-1", "65536", "99999", "80 00", "8000.5", "٣"])
def test_a_port_that_is_none_is_refused(given: str) -> None:
    assert refusal(guard.port, given) == f"PORT={given!r} is no port: give a number from 1 to 65535, such as 8000."


@pytest.mark.parametrize(("given", "port"), [("", 8000), ("1", 1), (" 8001 ", 8001), ("65535", 65535)])
def test_a_port_is_read(given: str, port: int) -> None:
    assert guard.port(given) == port


@pytest.mark.parametrize(
    ("name", "address", "header"),
    [
        ("Larkspur Services", "a@example.org", "Larkspur Services <a@example.org>"),
        ("Larkspur, Inc.", "a@example.org", '"Larkspur, Inc." <a@example.org>'),
        ("Larkspur", "a@müller.example", "Larkspur <a@xn--mller-kva.example>"),
        ("", "a@example.org", "a@example.org"),
        # The check of the settings tells what is wrong with it.
        ("Larkspur", "support", "Larkspur <support>"),
    ],
)
def test_a_sender_is_put_together_as_a_header_takes_it(name: str, address: str, header: str) -> None:
    assert guard.sender(name, address) == header


@pytest.mark.parametrize("address", ["jürgen@example.org", "a@example..org"])
def test_an_address_that_no_letter_can_come_from_is_refused(address: str) -> None:
    assert refusal(guard.sender, "Larkspur", address) == (
        f"{address!r} is no address that letters can come from: "
        "set DEFAULT_FROM_EMAIL to another one, such as contracts@example.org."
    )


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://user:hunter2@host/name",
        "postgres://user:hunter2@host:99x/name",
        "postgres://user:hunter2@host:99999/name",
        "postgres://user:hunter2@[host/name",
        "postgres://user:hunter2@host",
        "postgres://user:hunter2@host/",
    ],
)
def test_a_database_that_cannot_be_read_is_refused_and_its_password_not_repeated(url: str) -> None:
    said = refusal(guard.database_url, url, default="sqlite:///here")

    assert said == (
        "DATABASE_URL names no database that Fairwell knows: write postgres://user:password@host:5432/name "
        "(with %-signs for special characters of the password) or sqlite:////absolute/path."
    )


@pytest.mark.parametrize(
    "url",
    [
        "postgres://postgres@127.0.0.1:5432/fairwell",
        "postgresql://u:p%40ss@db/fairwell",
        "postgres:///fairwell",
        "sqlite:////var/lib/fairwell/desk.sqlite3",
        "sqlite:///:memory:",
        "sqlite://:memory:",
    ],
)
def test_a_database_is_taken_as_it_is_given(url: str) -> None:
    assert guard.database_url(url, default="sqlite:///here") == url


def test_a_blank_database_is_none_given() -> None:
    assert guard.database_url(" ", default="sqlite:///here") == "sqlite:///here"


@pytest.mark.parametrize(
    "url", ["mail.example.org", "smpt://user:hunter2@host", "smtp://user:hunter2@host:x", "smtp://"]
)
def test_a_mail_server_that_cannot_be_read_is_refused_and_its_password_not_repeated(url: str) -> None:
    said = refusal(guard.mail_url, url, default="smtp://127.0.0.1:1025")

    assert said == (
        "EMAIL_URL names no mail server: write smtp+tls://user:password@mail.example.org:587 "
        "(with %-signs for special characters of the password), or smtp+ssl://… for port 465."
    )


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:1025", "smtp+ssl://u:p@mail.example.org:465", "consolemail://"])
def test_a_mail_server_is_taken_as_it_is_given(url: str) -> None:
    assert guard.mail_url(url, default="") == url


def test_any_other_value_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONN_MAX_AGE", "soon")
    monkeypatch.setenv("FAIRWELL_ENTRY_KEYS", '{"shop": hunter2')

    assert refusal(guard.Environment().int, "CONN_MAX_AGE", 60).startswith("CONN_MAX_AGE cannot be read: ")
    said = refusal(guard.Environment().json, "FAIRWELL_ENTRY_KEYS", default={})
    assert said.startswith("FAIRWELL_ENTRY_KEYS cannot be read: ")
    assert "hunter2" not in said


@pytest.mark.parametrize("given", ["-1", "51", "5.5", "ten", "10%", "٥", "0x10"])
def test_a_share_that_is_shown_no_options_is_a_percentage_up_to_half(given: str) -> None:
    assert refusal(guard.holdout, given) == (
        f"FAIRWELL_HOLDOUT={given!r} is no such share: give a whole number of percent from 0 to 50, such as 10."
    )


@pytest.mark.parametrize(("given", "share"), [("", 0), (" 10 ", 10), ("0", 0), ("50", 50)])
def test_nobody_is_kept_from_options_unless_a_share_is_given(given: str, share: int) -> None:
    assert guard.holdout(given) == share


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([4], "write it like"),
        ({"klicks": 4}, "'klicks' is unknown; give clicks, pages, fields, seconds."),
        ({"clicks": "4"}, "clicks is '4'; give a number above 0."),
        ({"clicks": True}, "clicks is True; give a number above 0."),
        ({"pages": 0}, "pages is 0; give a number above 0."),
        ({"seconds": float("inf")}, "seconds is inf; give a number above 0."),
        ({"seconds": float("nan")}, "seconds is nan; give a number above 0."),
    ],
)
def test_what_joining_takes_is_counted_in_numbers(given: Any, said: str) -> None:
    told = refusal(guard.join_counters, given)

    assert told.startswith("FAIRWELL_JOIN_COUNTERS")
    assert told.endswith(said) or said in told


def test_what_joining_takes_is_kept_as_it_was_counted() -> None:
    assert guard.join_counters({"clicks": 4, "seconds": 31.5}) == {"clicks": 4, "seconds": 31.5}


# ---------------------------------------------------------------- the start itself


def check(tmp_path: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` in an environment of its own."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "FAIRWELL_VAR": str(tmp_path),
        **given,
    }
    command = [sys.executable, "manage.py", *(arguments or ("check",))]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


PRODUCTION = {
    "FAIRWELL_ENV": "production",
    "SECRET_KEY": "Zq8!" + "xK3w" * 13,
    "FAIRWELL_BASE_URL": "https://desk.example.org",
    "ALLOWED_HOSTS": "desk.example.org",
    **SET,
}


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (("run",), {"PORT": "abc"}, "PORT='abc' is no port: give a number from 1 to 65535, such as 8000."),
        (("check",), {"CONN_MAX_AGE": "x", "DATABASE_URL": "postgres://a@b/c"}, "CONN_MAX_AGE cannot be read: "),
        (("check",), {**PRODUCTION, "EMAIL_URL": ""}, f"Not set: EMAIL_URL ({guard.REQUIRED['EMAIL_URL']})."),
    ],
)
def test_a_start_that_is_refused_says_so_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], given: dict[str, str], said: str
) -> None:
    ran = check(tmp_path, *arguments, **given)

    assert ran.returncode == 1
    assert ran.stdout == ""
    [line] = ran.stderr.splitlines()
    assert line.startswith(f"Fairwell does not start. {said}")


def test_production_passes_every_check_of_a_deployment(tmp_path: Path) -> None:
    hardened = {"SECURE_HSTS_INCLUDE_SUBDOMAINS": "1", "SECURE_HSTS_PRELOAD": "1"}

    ran = check(
        tmp_path, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, **hardened,
        REDIS_URL="redis://127.0.0.1:6379/0",
    )  # fmt: skip

    assert (ran.returncode, ran.stderr) == (0, "")


def test_production_without_redis_starts_and_warns(tmp_path: Path) -> None:
    ran = check(tmp_path, **PRODUCTION)

    assert ran.returncode == 0
    assert "(config.W001) REDIS_URL is not set" in ran.stderr
