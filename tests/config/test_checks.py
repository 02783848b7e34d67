"""What is checked in the settings before the first page: each fault under a name of its own, with a remedy."""

from __future__ import annotations

import re
from collections import Counter
from email.utils import formataddr
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from config.apps import addresses_are_addresses, brand_is_a_colour, redis_is_there

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "subscriptions", "feedback", "cancellation", "messaging", "billing", "outbox", "reports")
CHECK_ID = re.compile(r"""id="(\w+\.[EW]\d{3})\"""")


@pytest.mark.pure
def test_every_check_has_an_id_of_its_own_named_after_its_app() -> None:
    found = [
        (app, check_id)
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        for check_id in CHECK_ID.findall(path.read_text(encoding="utf-8"))
    ]

    assert len(found) >= 5
    assert [check_id for check_id, times in Counter(check_id for _app, check_id in found).items() if times > 1] == []
    assert [check_id for app, check_id in found if not check_id.startswith(f"{app}.")] == []


def said_by(check: Any) -> list[str]:
    return [f"{message.id}: {message.msg}" for message in check(app_configs=None)]


@pytest.mark.django_db
def test_the_demos_settings_pass() -> None:
    assert [message for message in run_checks() if message.id.startswith("config.")] == []


@pytest.mark.pure
@pytest.mark.parametrize(
    "sender",
    [
        "",
        "Larkspur",
        "Müller, Söhne <contracts@example.org>",
        "Larkspur <contracts@example.org>, Other <other@example.org>",
        "Larkspur <contracts>",
        "Larkspur <contracts@exa mple.org>",
        "Larkspur <contracts@example..org>",
        "Larkspur <contracts@example.org>\r\nBcc: all@example.org",
    ],
)
def test_a_sender_that_is_no_address_stops_the_start(settings: Any, sender: str) -> None:
    settings.DEFAULT_FROM_EMAIL = sender

    [message] = addresses_are_addresses(app_configs=None)

    assert (message.id, message.is_serious()) == ("config.E002", True)
    assert message.msg == f"DEFAULT_FROM_EMAIL={sender!r} is not one address."
    assert '"Name, with a comma" <contracts@example.org>' in str(message.hint)


@pytest.mark.pure
@pytest.mark.parametrize(
    "sender",
    [
        "contracts@example.org",
        "Larkspur Services <contracts@example.org>",
        '"Müller, Söhne" <contracts@müller.example>',
        formataddr(("Müller, Söhne", "contracts@example.org")),
        formataddr(('株式会社 "やまだ", (東京)', "contracts@example.org")),
    ],
)
def test_a_sender_with_any_name_passes(settings: Any, sender: str) -> None:
    settings.DEFAULT_FROM_EMAIL = sender

    assert said_by(addresses_are_addresses) == []


@pytest.mark.pure
@pytest.mark.parametrize("address", ["", "support", "Support <support@example.org>", "a@example.org,b@example.org"])
def test_a_support_address_that_is_none_stops_the_start(settings: Any, address: str) -> None:
    settings.OPERATOR = {**settings.OPERATOR, "support_email": address}

    assert said_by(addresses_are_addresses) == [
        f"config.E003: FAIRWELL_SUPPORT_EMAIL={address!r} is no e-mail address."
    ]


@pytest.mark.pure
def test_production_without_redis_is_told_what_it_lacks(settings: Any) -> None:
    settings.REDIS_URL = ""
    assert said_by(redis_is_there) == []

    settings.PRODUCTION = True
    [message] = redis_is_there(app_configs=None)
    assert (message.id, message.is_serious()) == ("config.W001", False)

    settings.REDIS_URL = "redis://127.0.0.1:6379/0"
    assert said_by(redis_is_there) == []


@pytest.mark.pure
def test_a_brand_that_is_no_colour_stops_the_start(settings: Any) -> None:
    settings.OPERATOR = {**settings.OPERATOR, "brand": "green"}

    [message] = brand_is_a_colour(app_configs=None)

    assert (message.id, message.is_serious()) == ("config.E001", True)
