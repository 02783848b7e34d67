"""Money as whole minor units of an ISO 4217 currency, and back.

An amount is a Decimal (or its plain text, ``12.50``); a minor unit is the smallest coin the currency
counts in: 0 digits for JPY, 2 for EUR, 3 for KWD. Nothing here rounds: an amount finer than the minor
unit is refused. Raises MoneyError for that and for a code that is no currency.
Source: ISO 4217 list one, and the codes withdrawn since 2015, which old contracts still name. Not CLDR,
whose digits follow what shops show: it gives 0 for RSD or ALL, where ISO and the banks count 2.
"""

import re
from decimal import Decimal

from subscriptions.reading import FieldError, shown

# Kept in 64 bits, as the database does.
MOST_MINOR_UNITS = 2**63 - 1
PLAIN_AMOUNT = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?")

_CODES_BY_DIGITS = {
    0: "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
        CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
        GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR
        LRD LSL LTL MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD
        PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN
        SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VEF VES WST XAD XCD XCG YER
        ZAR ZMW ZWG ZWL
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_DIGITS = {code: digits for digits, codes in _CODES_BY_DIGITS.items() for code in codes.split()}


class MoneyError(FieldError):
    """An amount or a currency cannot be used; the message names the field and the remedy."""


def minor_digits(currency: object, field: str = "currency") -> int:
    """Return how many decimal digits the currency's minor unit has."""
    digits = MINOR_DIGITS.get(currency) if isinstance(currency, str) else None
    if digits is None:
        raise MoneyError(f"{field}: {shown(currency)} is not a currency; give an ISO 4217 code like EUR")
    return digits


def to_minor(amount: object, currency: object, field: str = "amount") -> int:
    """Return an amount in whole minor units: ``to_minor("12.50", "EUR") == 1250``."""
    digits = minor_digits(currency)
    sign, figures, exponent = _decimal(amount, field).as_tuple()
    shift = int(exponent) + digits  # the exponent is a number, for the amount is finite
    value = int("".join(map(str, figures)))
    scale: int = 10 ** abs(shift)
    value, finer = divmod(value, scale) if shift < 0 else (value * scale, 0)
    if finer:
        raise MoneyError(f"{field}: {shown(amount)} is finer than {currency} counts; give at most {digits} decimals")
    if value > MOST_MINOR_UNITS:
        raise MoneyError(f"{field}: {shown(amount)} is more than can be kept; check for a typing error")
    return -value if sign else value


def from_minor(minor: int, currency: object) -> Decimal:
    """Return whole minor units as a Decimal with exactly the currency's digits."""
    # Built from text, for arithmetic would round to the precision of the moment.
    return Decimal(f"{minor}e-{minor_digits(currency)}")


def format_amount(amount: Decimal, currency: object) -> str:
    """Return an amount as plain text with exactly the currency's digits: ``1234.50``, ``1234`` for yen."""
    return format(from_minor(to_minor(amount, currency), currency), "f")


def _decimal(amount: object, field: str) -> Decimal:
    if isinstance(amount, Decimal) and amount.is_finite() and abs(amount.adjusted()) < 40:
        return amount
    if isinstance(amount, str) and PLAIN_AMOUNT.fullmatch(amount):
        return Decimal(amount)
    raise MoneyError(f'{field}: {shown(amount)} is not an amount; give plain text like "12.50"')
