"""Amounts in minor units and back, for every currency ISO 4217 knows."""

from decimal import Decimal, localcontext

import pytest
from babel.core import get_global
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.money import MINOR_DIGITS, MoneyError, format_amount, from_minor, minor_digits, to_minor

# Where shops stopped showing the small coins, CLDR counts none; ISO and the banks still do.
SHOWN_WITHOUT = {
    *("AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA"),
    *("MMK", "MRO", "RSD", "SLL", "SOS", "STD", "SYP", "YER"),
}


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("JPY", 0), ("EUR", 2), ("KWD", 3), ("HUF", 2), ("ISK", 0), ("RSD", 2), ("IQD", 3), ("CLF", 4)],
)
def test_the_minor_unit_is_that_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


def test_every_currency_in_use_somewhere_is_known() -> None:
    in_use = {
        code
        for uses in get_global("territory_currencies").values()
        for code, _, until, tender in uses
        if until is None and tender
    }

    assert in_use - set(MINOR_DIGITS) == set()


def test_babel_shows_other_digits_only_where_it_is_known_to() -> None:
    differing = {code for code, digits in MINOR_DIGITS.items() if get_currency_precision(code) != digits}

    assert differing == SHOWN_WITHOUT


@pytest.mark.parametrize("currency", ["eur", "XXX", "XAU", "", "EURO", None, 978, ["EUR"]])
def test_an_unknown_currency_is_refused(currency: object) -> None:
    with pytest.raises(MoneyError, match=r"^currency: .* is not a currency; give an ISO 4217 code like EUR$"):
        minor_digits(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        ("1234", "JPY", 1234),
        ("1234.00", "JPY", 1234),
        ("0.001", "KWD", 1),
        ("-3.20", "PLN", -320),
        (Decimal("1E+3"), "JPY", 1000),
        (Decimal("0.00"), "EUR", 0),
        ("92233720368547758.07", "EUR", 2**63 - 1),
    ],
)
def test_an_amount_in_minor_units(amount: str | Decimal, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "message"),
    [
        ("12.505", "EUR", 'price: "12.505" is finer than EUR counts; give at most 2 decimals'),
        ("0.5", "JPY", 'price: "0.5" is finer than JPY counts; give at most 0 decimals'),
        (
            "92233720368547758.08",
            "EUR",
            'price: "92233720368547758.08" is more than can be kept; check for a typing error',
        ),
    ],
)
def test_an_amount_that_does_not_fit_is_refused(amount: str, currency: str, message: str) -> None:
    with pytest.raises(MoneyError) as refused:
        to_minor(amount, currency, "price")

    assert str(refused.value) == message


NO_NUMBERS = [Decimal("NaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-999999"), 1, 1.5, True]
NO_AMOUNTS = ["", "1,50", "1e3", "1_000", " 1", "+1", "NaN", "Infinity", ".5", "5.", "１２", "1" * 20, None]


@pytest.mark.parametrize("amount", [*NO_NUMBERS, *NO_AMOUNTS])
def test_what_is_no_plain_amount_is_refused(amount: object) -> None:
    with pytest.raises(MoneyError, match=r'^amount: .* is not an amount; give plain text like "12\.50"$'):
        to_minor(amount, "EUR")


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(sorted(MINOR_DIGITS)))
def test_minor_units_come_back_whole_whatever_the_precision(minor: int, currency: str) -> None:
    with localcontext(prec=3):
        assert to_minor(from_minor(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("1234.5", "EUR", "1234.50"), ("0", "KWD", "0.000"), ("7", "JPY", "7"), ("1E+4", "JPY", "10000")],
)
def test_an_amount_is_written_with_exactly_its_digits(amount: str, currency: str, text: str) -> None:
    assert format_amount(Decimal(amount), currency) == text
