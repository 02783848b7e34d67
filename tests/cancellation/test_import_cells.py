"""What a single cell may hold."""

from datetime import date

import pytest

from cancellation.importing import cells
from subscriptions.periods import Period
from subscriptions.reading import FieldError
from subscriptions.terms import CutOff


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Month-to-month", "Month to Month "),
        ("Monthlycharge ", "Monthly Charge"),
        ("tenure_in_months", "Tenureinmonths"),
        ("Don't know", "Don’t know"),
        ("Customer ID", "\ufeffCustomerid\u00a0"),
        ("ＣｕｓｔｏｍｅｒＩＤ", "Customer ID"),
    ],
)
def test_spellings_that_people_take_for_the_same_have_one_key(one, other):
    assert cells.key(one) == cells.key(other)


@pytest.mark.parametrize(("one", "other"), [("C", "C++"), ("Plan A", "Plan A+"), ("価格", "価値"), ("1", "10")])
def test_what_differs_has_two_keys(one, other):
    assert cells.key(one) != cells.key(other)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("74.75", 7475),
        ("74,75", 7475),
        ("95", 9500),
        ("59.9", 5990),
        ("1,234.50", 123450),
        ("1.234,50", 123450),
        ("1 234,50", 123450),
        ("1\u202f234,50", 123450),
        ("1'234.50", 123450),
        ("1,234,567", 123456700),
        ("0.500", 50),
        ("0", 0),
        ("-0.00", 0),
    ],
)
def test_an_amount_is_exact_however_it_is_written(text, minor):
    assert cells.minor_units(text, "USD") == minor


def test_digits_follow_the_currency():
    assert cells.minor_units("1200", "JPY") == 1200
    assert cells.minor_units("1.234", "KWD") == 1234
    assert cells.minor_units("1.234", "JPY", ",") == 1234


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        ("-7", "USD", "is negative; give 0 or more"),
        ("\u22127,50", "USD", "is negative; give 0 or more"),
        ("free", "USD", 'is not an amount; give a plain number like "12.50"'),
        ("$59.90", "USD", 'is not an amount; give a plain number like "12.50"'),
        ("1.2.3", "USD", 'is not an amount; give a plain number like "12.50"'),
        ("12,34,56", "USD", 'is not an amount; give a plain number like "12.50"'),
        ("NaN", "USD", 'is not an amount; give a plain number like "12.50"'),
        ("1e5", "USD", 'is not an amount; give a plain number like "12.50"'),
        ("٣", "USD", 'is not an amount; give a plain number like "12.50"'),
        ("9.90", "JPY", '"9.9" is finer than JPY counts; give at most 0 decimals'),
        ("1,234", "USD", "may mean 1234 or 1 and a fraction; name the decimal mark in the mapping (decimal)"),
        ("99999999999999999999", "USD", 'is not an amount; give plain text like "12.50"'),
    ],
)
def test_what_is_no_amount_is_refused_with_the_remedy(text, currency, reason):
    with pytest.raises(FieldError) as refused:
        cells.minor_units(text, currency)

    assert str(refused.value).endswith(reason)


def test_the_decimal_mark_of_the_mapping_settles_what_may_mean_two_things():
    assert cells.minor_units("1,234", "USD", ".") == 123400
    assert cells.minor_units("1.234", "EUR", ",") == 123400
    assert cells.minor_units("59.900", "USD", ".") == 5990
    assert cells.minor_units("0,5", "EUR", ",") == 50


def test_a_text_is_put_on_one_line():
    assert cells.text("  Ada \n Winter\u00a0", 200) == "Ada Winter"


@pytest.mark.parametrize("text", ["=1+1", "+49 GmbH", "-x", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x","y")'])
def test_a_text_that_a_spreadsheet_would_run_is_refused(text):
    with pytest.raises(FieldError, match="begins like a spreadsheet formula"):
        cells.text(text, 200)


def test_what_customers_said_is_kept_formula_or_not():
    assert cells.verbatim("=too dear, - really", 200) == "=too dear, - really"


@pytest.mark.parametrize(
    ("reader", "value", "reason"),
    [
        (lambda value: cells.text(value, 3), "Adam", "has 4 characters; at most 3 can be kept"),
        (lambda value: cells.text(value, 9), "A\x07", "holds the control character U+0007; remove it"),
        (cells.reference, "A/1", "is not a reference"),
        (cells.reference, "A 1", "is not a reference"),
        (cells.reference, "..", "is not a reference"),
        (cells.reference, "x" * 65, "is not a reference"),
        (cells.reference, "=A1", "begins like a spreadsheet formula"),
        (cells.email, "ada@", "is not an e-mail address; write one like ada@example.org"),
        (cells.email, "+ada@example.org", "cannot be used as an e-mail address"),
        (cells.email, "ada@example.org\nBcc: x@example.org", "is not an e-mail address"),
        (cells.country, "Germany", "is not a country code; give two letters like DE"),
        (cells.language, "German!", "is not a language code"),
        (cells.currency, "EURO", "is not a currency; give an ISO 4217 code like EUR"),
        (cells.time_zone, "Mars/Base", "is not a time zone; give an IANA name like Europe/Berlin"),
        (cells.yes_or_no, "maybe", "is neither yes nor no; write yes or no"),
        (cells.count_of_months, "-1", "is not a number of months"),
        (cells.count_of_months, "9.5", "is not a number of months"),
        (cells.count_of_months, "1201", "is not a number of months; give a whole number from 0 to 1200"),
        (cells.day, "31.01.2025", "is not a day; write one like 2025-01-31"),
        (cells.day, "2025-02-30", "is not a day; write one like 2025-01-31"),
        (lambda value: cells.day(value, "%d.%m.%Y"), "2025-01-31", "is not a day of the form %d.%m.%Y"),
        (cells.instant, "2025-01-31", "is not an instant"),
        (cells.period, "soon", "is not a period; write one like 14 days or 1 month"),
        (cells.period, '{"months": 1', "is not a period"),
        (cells.notice, "[1]", "is not a notice; write one like 1 month, or: by day 20, 0 months before"),
        (cells.notice, "by day 32, 0 months before", "by_day: 32 cannot be used"),
        (cells.boundary, "weekly", "is not known; give one of any_day, billing_period"),
        (cells.json_object, "[" * 100_000, "is not a JSON object"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_would_be_right(reader, value, reason):
    with pytest.raises(FieldError) as refused:
        reader(value)

    assert reason in str(refused.value)


def test_what_people_write_is_understood():
    assert cells.day("31.01.2025", "%d.%m.%Y") == date(2025, 1, 31)
    assert cells.count_of_months("9.0") == 9
    assert cells.language("de_AT") == "de-AT"
    assert (cells.country("de"), cells.currency("eur")) == ("DE", "EUR")
    assert [cells.yes_or_no(text) for text in ("Yes", "1", "no", "0")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("14 days", Period(days=14)),
        ("1 day", Period(days=1)),
        ("2 weeks", Period(days=14)),
        ("1 Month", Period(months=1)),
        ("2years", Period(months=24)),
        ('{"months": 3}', Period(months=3)),
        ({"years": 1}, Period(months=12)),
    ],
)
def test_a_period_is_read_from_words_json_and_tables(text, period):
    assert cells.period(text) == cells.notice(text) == cells.renewal(text) == period


def test_renewals_and_cut_offs_have_words_of_their_own():
    assert cells.renewal("open ended") == cells.renewal("open_ended") == "open_ended"
    assert cells.renewal("none") == "none"
    assert cells.period_or_none("none") is None
    assert cells.notice("by day 20, 1 month before") == CutOff(by_day=20, months_before=1)
    assert cells.notice({"by_day": 15, "months_before": 0}) == CutOff(by_day=15, months_before=0)
