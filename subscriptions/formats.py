"""Money as people read it, by locale. Amounts are exact; nothing here rounds."""

from babel.numbers import format_currency
from django.utils.translation import get_language

from config.formats import locale_of
from subscriptions.amounts import Money
from subscriptions.money import minor_digits


def format_money(money: Money, language: str | None = None) -> str:
    """Return money with its symbol, such as ``12,99 €``."""
    locale = locale_of(language or get_language())
    # Babel knows the digits that shops use; the receipt shows the currency's minor unit.
    pattern = locale.currency_formats["standard"].pattern
    digits = minor_digits(money.currency)
    fraction = "." + "0" * digits if digits else ""
    pattern = pattern.replace(".00", fraction)
    return format_currency(money.amount, money.currency, pattern, locale=locale, currency_digits=False)
