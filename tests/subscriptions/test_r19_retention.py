"""How long proof is kept: by the place, then it goes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from subscriptions.retention import DEFAULT, Retention, erase_on

pytestmark = pytest.mark.pure


class Place:
    """A pack with one parameter, or none."""

    def __init__(self, given: Any = None) -> None:
        self.given = given

    def get(self, parameter: str, on: date, sector: str = "") -> Any:
        if isinstance(self.given, Exception):
            raise self.given
        return {"record_retention": self.given}[parameter]


@pytest.mark.parametrize(
    ("kept", "received", "erased"),
    [
        pytest.param(Retention(3, to_year_end=True), "2026-05-10", "2030-01-01", id="three-years-from-the-years-end"),
        pytest.param(Retention(3, to_year_end=True), "2026-12-31", "2030-01-01", id="the-last-day-of-the-year"),
        pytest.param(Retention(3, to_year_end=True), "2027-01-01", "2031-01-01", id="the-first-day-of-the-year"),
        pytest.param(Retention(5), "2026-05-10", "2031-05-11", id="five-years-and-that-day-is-still-kept"),
        pytest.param(Retention(6), "2024-02-29", "2030-03-01", id="a-leap-day-ends-with-february"),
    ],
)
def test_r19_the_day_on_which_words_are_erased(kept: Retention, received: str, erased: str) -> None:
    assert kept.erase_on(date.fromisoformat(received)) == date.fromisoformat(erased)


def test_r19_a_place_says_how_long() -> None:
    assert erase_on(Place({"years": 5, "to_year_end": False}), date(2026, 5, 10)) == date(2031, 5, 11)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="nothing"),
        pytest.param("until the limitation period is over", id="words"),
        pytest.param({"years": 0}, id="no-time-at-all"),
        pytest.param({"years": True}, id="no-number"),
        pytest.param({"years": 900}, id="for-ever"),
        pytest.param(ValueError("a gap"), id="a-gap"),
        pytest.param(KeyError("record_retention"), id="an-unknown-name"),
    ],
)
def test_r19_a_place_that_cannot_say_keeps_for_the_default_time_and_stops_nobody(given: Any) -> None:
    assert erase_on(Place(given), date(2026, 5, 10)) == DEFAULT.erase_on(date(2026, 5, 10)) == date(2030, 1, 1)
