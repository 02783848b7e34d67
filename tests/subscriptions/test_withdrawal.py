"""The last day to withdraw, by country and region, with the weekends and holidays that move it."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.withdrawal import WithdrawalError, next_working_day, public_holidays, withdrawal_deadline

DATA = Path(__file__).resolve().parents[1] / "data"
LAW = json.loads((DATA / "law_vectors.json").read_text(encoding="utf-8"))
ZONES = {
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "PL": "Europe/Warsaw",
    "UK": "Europe/London",
    "GB": "Europe/London",
    "JP": "Asia/Tokyo",
    "ES": "Europe/Madrid",
}


def noon(day: str, country: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(ZONES[country]))


def deadline(day: str, country: str, region: str | None = None, days: int = 14) -> str:
    return withdrawal_deadline(noon(day, country), days, ZONES[country], country, region).isoformat()


def law_cases(rule: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in LAW["vectors"] if case["rule"] == rule]


@pytest.mark.parametrize("case", law_cases("withdrawal_deadline"))
def test_the_deadline_as_the_law_counts_it(case: dict[str, Any]) -> None:
    given_ = case["inputs"]

    last_day = deadline(given_["contract_local_date"], case["jurisdiction"], days=given_["days"])

    assert last_day == case["expected"]["last_day"]


@pytest.mark.parametrize(
    ("concluded", "country", "region", "last_day"),
    [
        pytest.param("2026-11-22", "DE", None, "2026-12-07", id="a-sunday-moves-to-monday"),
        pytest.param("2026-11-21", "DE", None, "2026-12-07", id="a-saturday-too"),
        pytest.param("2027-03-12", "DE", None, "2027-03-30", id="good-friday-to-the-tuesday-after-easter"),
        pytest.param("2026-12-23", "DE", None, "2027-01-06", id="epiphany-is-a-working-day-in-germany"),
        pytest.param("2026-12-23", "DE", "BY", "2027-01-07", id="but-not-in-bavaria"),
        pytest.param("2026-12-23", "DE", "DE-BY", "2027-01-07", id="written-in-full-as-well"),
        pytest.param("2026-12-23", "PL", None, "2027-01-07", id="nor-in-poland"),
        pytest.param("2026-12-18", "GB", None, "2027-01-01", id="new-year-stays-in-the-uk"),
        pytest.param("2026-12-18", "UK", None, "2027-01-01", id="by-either-name"),
        pytest.param("2027-04-17", "JP", None, "2027-05-01", id="a-saturday-stays-in-japan"),
        pytest.param("2027-04-18", "ES", None, "2027-05-03", id="a-sunday-in-spain"),
        pytest.param("2027-04-18", "ES", "MD", "2027-05-04", id="madrid-keeps-its-sunday-holiday-on-monday"),
    ],
)
def test_fourteen_days(concluded: str, country: str, region: str | None, last_day: str) -> None:
    assert deadline(concluded, country, region) == last_day


def test_the_day_of_conclusion_is_the_local_one() -> None:
    late = datetime.fromisoformat("2026-12-08T23:30:00Z")

    assert withdrawal_deadline(late, 14, "Europe/Berlin", "DE") == date(2026, 12, 23)
    assert withdrawal_deadline(late, 14, "Europe/London", "GB") == date(2026, 12, 22)


@pytest.mark.parametrize("case", law_cases("withdrawal_in_time"))
def test_the_last_day_runs_until_local_midnight(case: dict[str, Any]) -> None:
    given_ = case["inputs"]
    sent = datetime.fromisoformat(given_["submitted_instant"]).astimezone(ZoneInfo(given_["tz"]))

    assert sent.isoformat() == case["expected"]["submitted_local"]
    assert (sent.date() <= date.fromisoformat(given_["last_day"])) is case["expected"]["in_time"]


@pytest.mark.parametrize(("country", "listed"), sorted(LAW["holidays_used"].items()))
def test_the_holidays_the_examples_rest_on_are_known(country: str, listed: list[str]) -> None:
    known = {day.isoformat() for year in (2026, 2027) for day in public_holidays(country, None, year)}

    assert set(listed) - known == set()


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.sampled_from(["DE", "FR", "PL", "JP", "US"]))
def test_the_next_working_day_is_the_first_that_is_one(day: date, country: str) -> None:
    found = next_working_day(day, country)

    passed = [day + timedelta(days=n) for n in range((found - day).days)]
    off = [d.weekday() >= 5 or d in public_holidays(country, None, d.year) for d in [*passed, found]]
    assert off == [True] * len(passed) + [False]


def test_lower_case_codes_are_understood() -> None:
    assert withdrawal_deadline(noon("2026-12-23", "DE"), 14, "Europe/Berlin", "de", "by") == date(2027, 1, 7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"country": "XX"}, 'country: "XX" has no known holidays; give a two-letter code like DE'),
        ({"country": "Germany"}, 'country: "GERMANY" has no known holidays; give a two-letter code like DE'),
        ({"country": None}, "country: null is not a code; give one like DE"),
        ({"region": "ZZ"}, 'region: "ZZ" is not part of DE; known are BB, BE, BW, BY, '),
        ({"region": 9}, "region: 9 is not a code; give one like BY"),
        ({"days": "14"}, 'days: "14" cannot be used; give a whole number from 1 to '),
        ({"days": 0}, "days: 0 cannot be used; give a whole number from 1 to "),
        ({"days": True}, "days: true cannot be used; give a whole number from 1 to "),
        ({"days": 3652059}, "the days reach beyond the years 1 to 9999; "),
        ({"tz": "Mars/Base"}, 'timezone: "Mars/Base" is not a time zone; '),
        ({"tz": ["UTC"]}, 'timezone: ["UTC"] is not a time zone; '),
        ({"concluded_at": datetime(2026, 12, 10, 12)}, "concluded_at: 2026-12-10T12:00:00 has no offset; "),
    ],
)
def test_an_unusable_question_is_refused_by_field(changes: dict[str, Any], message: str) -> None:
    question = {"concluded_at": noon("2026-12-10", "DE"), "days": 14, "tz": "Europe/Berlin", "country": "DE"}

    with pytest.raises(WithdrawalError) as refused:
        withdrawal_deadline(**{**question, **changes})

    assert str(refused.value).startswith(message)
