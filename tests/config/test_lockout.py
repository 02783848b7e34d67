"""Whoever guesses the password of staff is locked out, by the address that our own proxy saw."""

from __future__ import annotations

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db
PASSWORD = "a password of the desk"


@pytest.fixture(autouse=True)
def desk(settings: Any) -> None:
    """Let one person work here, behind a proxy."""
    settings.BEHIND_PROXY = True
    User.objects.create_superuser("eva", password=PASSWORD)


def sign_in(password: str, **headers: str) -> int:
    """Try to sign in as eva; return the status. 302 is in, 200 is the form again, 429 is locked out."""
    answer = Client().post("/admin/login/", {"username": "eva", "password": password}, headers=headers)
    return int(answer.status_code)


def test_behind_a_proxy_one_guesser_locks_nobody_else_out() -> None:
    guesses = [sign_in("guess", **{"x-forwarded-for": "203.0.113.7"}) for _ in range(6)]

    assert guesses == [200] * 4 + [429] * 2
    assert sign_in(PASSWORD, **{"x-forwarded-for": "203.0.113.7"}) == 429
    assert sign_in(PASSWORD, **{"x-forwarded-for": "198.51.100.2"}) == 302


def test_a_guesser_does_not_escape_by_claiming_other_addresses() -> None:
    guesses = [sign_in("guess", **{"x-forwarded-for": f"6.6.6.{n}, 203.0.113.7"}) for n in range(6)]

    assert guesses == [200] * 4 + [429] * 2
    assert list(AccessAttempt.objects.values_list("ip_address", flat=True)) == ["203.0.113.7"]


@pytest.mark.parametrize("said", [{}, {"x-forwarded-for": ""}, {"x-forwarded-for": "unknown"}])
def test_a_proxy_that_names_nobody_is_counted_itself(said: dict[str, str]) -> None:
    assert [sign_in("guess", **said) for _ in range(6)] == [200] * 4 + [429] * 2


def test_without_a_proxy_nobody_is_believed(settings: Any) -> None:
    settings.BEHIND_PROXY = False

    guesses = [sign_in("guess", **{"x-forwarded-for": f"203.0.113.{n}"}) for n in range(6)]

    assert guesses == [200] * 4 + [429] * 2
