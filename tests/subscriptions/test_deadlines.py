"""Days that the law counts, beside its published worked cases (see test_law_vectors.py)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import deadlines
from subscriptions.deadlines import End, Pay, Why, Window
from subscriptions.packs import load
from subscriptions.reading import FieldError
from subscriptions.terms import NoticeQuote

PACKS = load(Path(__file__).resolve().parents[2] / "policies")
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("received_at", "zone", "sender", "by_law", "kindest"),
    [
        ("2026-12-31T23:30:00Z", "Europe/Berlin", "America/New_York", "2027-01-01", "2026-12-31"),
        ("2027-02-28T22:59:00Z", "Europe/Berlin", "Asia/Tokyo", "2027-02-28", "2027-02-28"),
        ("2026-12-31T23:30:00Z", "Europe/Berlin", "", "2027-01-01", "2027-01-01"),
    ],
)
def test_the_senders_day_counts_where_it_is_earlier(
    received_at: str, zone: str, sender: str, by_law: str, kindest: str
) -> None:
    assert deadlines.receipt_days(datetime.fromisoformat(received_at), zone, sender) == (day(by_law), day(kindest))


def test_a_zone_that_nobody_knows_is_refused() -> None:
    with pytest.raises(FieldError, match="is not a time zone"):
        deadlines.receipt_days(datetime.fromisoformat("2026-12-31T23:30:00Z"), "Europe/Berlin", "Mars/Base")


@pytest.mark.parametrize(
    ("wished", "compliant", "end"),
    [
        (None, True, End(day("2027-03-14"), Why.EARLIEST)),
        ("2027-01-01", True, End(day("2027-03-14"), Why.TOO_EARLY)),
        ("2027-03-14", True, End(day("2027-03-14"), Why.EARLIEST)),
        ("2027-03-31", True, End(day("2027-03-31"), Why.AS_WISHED)),
        (None, False, End(day("2026-12-01"), Why.AT_ONCE)),
        ("1900-01-01", False, End(day("2026-12-01"), Why.AT_ONCE)),
        ("2026-12-31", False, End(day("2026-12-31"), Why.AS_WISHED)),
    ],
)
def test_the_end_that_a_notice_brings(wished: str | None, compliant: bool, end: End) -> None:
    told = NoticeQuote(day("2026-12-01"), day("2027-03-14"), day("2027-02-14"), day("2027-03-15"))

    found = deadlines.effective_end(told, wished_on=day(wished) if wished else None, door_compliant=compliant)

    assert found == end


def test_on_the_last_day_for_it_the_receipt_says_so() -> None:
    told = NoticeQuote(day("2027-02-14"), day("2027-03-14"), day("2027-02-14"), day("2027-03-15"))

    assert deadlines.effective_end(told) == End(day("2027-03-14"), Why.LAST_CHANCE)


def test_a_contract_that_never_starts_does_not_start_for_a_broken_door() -> None:
    told = NoticeQuote(day("2026-12-01"), day("2026-11-30"), day("2026-12-05"), day("2027-01-30"))

    found = deadlines.effective_end(told, door_compliant=False)

    assert found == End(day("2026-11-30"), Why.AT_ONCE)


def test_what_has_ended_by_itself_has_no_end_to_bring() -> None:
    assert deadlines.effective_end(NoticeQuote(day("2026-12-01"), None, None, None)) is None


@pytest.mark.parametrize(
    ("received", "pay", "last"),
    [
        ("2026-11-22", Pay.WEEKLY, "2026-11-28"),
        ("2026-11-24", Pay.WEEKLY, "2026-12-05"),
        ("2026-11-28", Pay.WEEKLY, "2026-12-05"),
        ("2027-03-31", Pay.WEEKLY, "2027-04-10"),
        ("2026-11-16", Pay.MONTHLY, "2026-12-31"),
        ("2028-02-15", Pay.MONTHLY, "2028-02-29"),
        ("2027-02-17", Pay.QUARTERLY, "2027-03-31"),
        ("2027-08-19", Pay.QUARTERLY, "2027-09-30"),
        ("2027-08-20", Pay.QUARTERLY, "2027-12-31"),
    ],
)
def test_where_nothing_was_agreed_about_notice(received: str, pay: Pay, last: str) -> None:
    assert deadlines.statutory_end(day(received), pay) == day(last)


@given(DAYS, st.integers(0, 60), st.sampled_from(Pay))
def test_a_later_notice_never_ends_sooner(received: date, later: int, pay: Pay) -> None:
    sooner, after = (deadlines.statutory_end(received + timedelta(days=n), pay) for n in (0, later))

    assert received <= sooner <= after


def noon(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00+01:00")


@pytest.mark.parametrize(
    ("code", "made", "zone", "country", "more", "last"),
    [
        ("de", "2026-11-22", "Europe/Berlin", "DE", {}, "2026-12-07"),
        ("de", "2026-12-23", "Europe/Berlin", "DE", {"region": "BY"}, "2027-01-07"),
        ("de", "2026-12-23", "Europe/Berlin", "DE", {"region": "ZZ"}, "2027-01-06"),
        ("de", "2026-12-12", "Europe/Berlin", "DE", {"informed": False}, "2027-12-27"),
        ("de", "2024-02-29", "Europe/Berlin", "DE", {"informed": False}, "2025-03-14"),
        ("uk", "2026-12-11", "Europe/London", "GB", {"informed": False}, "2027-12-25"),
        # No holidays are known of it: week-ends alone move the day.
        ("default", "2026-11-22", "UTC", "XX", {}, "2026-12-07"),
        ("default", "2026-11-22", "UTC", "", {}, "2026-12-07"),
        ("eu", "2026-11-22", "Europe/Madrid", "es", {}, "2026-12-07"),
        ("us-ca", "2026-11-22", "America/Los_Angeles", "US", {}, None),
        ("jp", "2026-11-22", "Asia/Tokyo", "JP", {}, None),
        ("jp", "2026-11-22", "Asia/Tokyo", "JP", {"sector": "mobile"}, "2026-11-29"),
    ],
)
def test_until_when_one_may_withdraw(
    code: str, made: str, zone: str, country: str, more: dict[str, object], last: str | None
) -> None:
    told = deadlines.withdrawal_last_day(
        PACKS[code],
        noon(made),
        timezone=zone,
        country=country,
        **more,  # type: ignore[arg-type]
    )

    assert told == (day(last) if last else None)


def test_half_years_do_not_drift() -> None:
    found = [deadlines.half_year(day("2026-08-30"), number) for number in range(3)]

    assert found == [
        (day("2026-08-31"), day("2027-02-28")),
        (day("2027-03-01"), day("2027-08-30")),
        (day("2027-08-31"), day("2028-02-29")),
    ]


@pytest.mark.parametrize(
    ("code", "event", "counted_from", "sector", "window"),
    [
        ("fr", "renewal", "2027-05-31", "", Window(day("2027-02-28"), day("2027-04-30"))),
        ("us-ca", "price_change", "2027-03-01", "", Window(day("2027-01-30"), day("2027-02-22"))),
        ("us-ny", "term_of_a_year", "2027-07-01", "", Window(day("2027-05-17"), day("2027-06-16"))),
        ("de", "renewal", "2027-05-31", "telecom", Window(None, None)),
        ("pl", "price_change", "2027-05-31", "telecom", None),
        ("us-mn", "term_of_a_year", "2027-05-31", "", None),
        ("default", "renewal", "2027-05-31", "", Window(None, day("2027-05-01"))),
        ("de", "renewal", "2027-05-31", "", Window(None, day("2027-05-01"))),
    ],
)
def test_when_a_place_wants_its_holders_reminded(
    code: str, event: str, counted_from: str, sector: str, window: Window | None
) -> None:
    assert deadlines.reminder_window(PACKS[code], event, day(counted_from), sector=sector) == window


def test_the_day_after_tomorrow_is_not_a_working_day_at_easter() -> None:
    assert deadlines.working_days_after(day("2027-03-25"), 1, "DE") == day("2027-03-30")
    assert deadlines.working_days_after(day("2026-12-23"), 1, "PL") == day("2026-12-28")


def test_elsewhere_a_refusal_of_mail_is_heeded_within_two_days_at_most() -> None:
    told = deadlines.opt_out(PACKS["de"], day("2026-12-18"))

    assert (told.by_law, told.by_mail_services) == (None, day("2026-12-20"))
