"""Days and instants as people read them, by locale.

Locales are Django's language codes (en, de, fr, pl, ja); an unknown one reads as English. Instants are shown with
their UTC offset, for a receipt must be unmistakable. Amounts are exact; nothing here rounds.
"""

import functools
import re
from datetime import date, datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from django.utils.translation import get_language

FIRST = re.compile(r"\b1 (?=\D)")


@functools.lru_cache(maxsize=64)
def locale_of(language: str | None) -> Locale:
    """Return Babel's locale of a language code. English days are written day first, as in Europe."""
    try:
        locale = Locale.parse((language or "en").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return Locale("en", "GB") if str(locale) == "en" else locale


def format_day(day: date, language: str | None = None, width: str = "long") -> str:
    """Return a day, such as ``30 June 2027``; ``full`` adds the day of the week."""
    locale = locale_of(language or get_language())
    text = format_date(day, format=width, locale=locale)
    # French counts the first of a month as an ordinal: 1er juin, 2 juin. CLDR does not.
    return FIRST.sub("1er ", text) if locale.language == "fr" else text


def format_instant(at: datetime, language: str | None = None) -> str:
    """Return an aware instant with its offset, such as ``30 June 2027, 23:59:30 (UTC+02:00)``."""
    language = language or get_language()
    clock = format_time(at.replace(tzinfo=None), "HH:mm:ss", locale=locale_of(language))
    offset = at.strftime("%z")
    # How day and time stand beside each other is the locale's: with a comma here, with a space in Japanese.
    both = str(locale_of(language).datetime_formats["medium"])
    told = both.replace("{1}", format_day(at.date(), language)).replace("{0}", clock)
    return f"{told} (UTC{offset[:3]}:{offset[3:5]})"
