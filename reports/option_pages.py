"""What the page about options shows: the figures of ``effects`` and ``visits``, in words that claim no more than they.

Shares are told in percent, differences in percentage points, money to the smallest coin. Where there are too few
customers, a row says how many there are and how many it takes, and has no other figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.numbers import format_decimal, format_percent
from django.conf import settings
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from config.formats import locale_of
from reports.effects import Comparison, Kept, OptionLine, Received, Verdict, effects
from reports.intervals import SURE, Difference, Interval
from reports.pages import month_label
from reports.queries import Slice
from reports.visits import MonthLine, months
from subscriptions.amounts import Money
from subscriptions.formats import format_money


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: after how long, a cell for either group, what can be told; for money in which currency."""

    after: str
    shown: str
    held_out: str
    told: str
    currency: str = ""


def options(within: Slice, now: datetime) -> dict[str, Any]:
    """Return everything the page shows of a slice, with eight statements."""
    told = effects(within, now)
    monthly = months(within, now)
    return {
        "holdout": holdout(),
        "customers": told.customers,
        "kept": [kept_row(one) for one in told.kept],
        "received": [received_row(one) for one in told.received],
        "option_lines": [(title_of(line), line) for line in told.options],
        "mixed": len({line.currency for line in told.options}) > 1,
        "months": [(month_label(line.month), line) for line in monthly],
        "totals": [sum(numbers) for numbers in zip(*map(numbers_of, monthly), strict=True)],
        "anything": bool(monthly or told.options or any(told.customers)),
    }


def holdout() -> str:
    """Return the share that is shown no options at present, in percent; nothing where nobody is held out."""
    share = settings.OFFER_HOLDOUT_PERCENT / 100
    return percent(share, 0) if share else ""


def kept_row(one: Kept) -> Row:
    """Return the comparison of those who still pay."""
    if one.shares is None or one.difference is None:
        return _too_few(one)
    shown, held_out = (
        _("%(share)s (%(n)d of %(all)d)") % {"share": percent(share.value), "n": share.hits, "all": share.of}
        for share in one.shares
    )
    return Row(_days(one), shown, held_out, _told_of_shares(one.verdict, one.difference))


def received_row(one: Received) -> Row:
    """Return the comparison of the money received."""
    if one.means is None or one.costs is None or one.difference is None:
        return _too_few(one, one.currency)
    shown, held_out = (
        _("%(received)s; options cost %(cost)s")
        % {"received": money(received, one.currency), "cost": money(cost, one.currency)}
        for received, cost in zip(one.means, one.costs, strict=True)
    )
    return Row(_days(one), shown, held_out, _told_of_money(one.verdict, one.difference, one.currency), one.currency)


def title_of(line: OptionLine) -> str:
    """Return an option's title in the reader's language, in English, or its code where it has neither."""
    texts = line.offer.texts if isinstance(line.offer.texts, dict) else {}
    titles = [
        texts[language].get("title") for language in (get_language(), "en") if isinstance(texts.get(language), dict)
    ]
    return next((title for title in titles if title), line.offer.code)


def numbers_of(line: MonthLine) -> tuple[int, ...]:
    """Return the figures of a month, in the order of the columns."""
    return line.ended, line.kept, line.left_open, line.total


def percent(share: float, digits: int = 1) -> str:
    """Return a share in percent, such as ``71.3%``."""
    locale = locale_of(get_language())
    pattern = locale.percent_formats[None].pattern.replace("##0", f"##0.{'0' * digits}" if digits else "##0")
    return format_percent(share, pattern, locale=locale)


def points(difference: float, *, signed: bool = False) -> str:
    """Return a difference of shares in percentage points, such as ``8.8``."""
    pattern = "+#,##0.0;-#,##0.0" if signed else "#,##0.0"
    return format_decimal(100 * difference, pattern, locale=locale_of(get_language()))


def money(minor: float, currency: str) -> str:
    """Return a mean of money, to the nearest smallest coin."""
    return format_money(Money(round(minor), currency))


def _days(one: Comparison) -> str:
    return ngettext("%(n)d day", "%(n)d days", one.days) % {"n": one.days}


def _too_few(one: Comparison, currency: str = "") -> Row:
    told = _("Too few customers to tell anything: it takes %(needed)s in each group.") % {"needed": settings.EFFECT_MIN}
    shown, held_out = (ngettext("%(n)d customer", "%(n)d customers", n) % {"n": n} for n in one.of)
    return Row(_days(one), shown, held_out, told, currency)


def _told_of_shares(verdict: Verdict, difference: Difference) -> str:
    if verdict == Verdict.UNCLEAR:
        return _(
            "No effect can be told: the difference lies between %(low)s and %(high)s percentage points, "
            "so there may be none (interval of %(sure)s)."
        ) % _between(difference, lambda value: points(value, signed=True))
    if verdict == Verdict.MORE:
        told = _(
            "More of those who were shown options are still paying: %(by)s percentage points more, "
            "between %(low)s and %(high)s (interval of %(sure)s)."
        )
        return told % _between(difference, points)
    told = _(
        "Fewer of those who were shown options are still paying: %(by)s percentage points fewer, "
        "between %(low)s and %(high)s (interval of %(sure)s)."
    )
    return told % _between(_turned(difference), points)


def _told_of_money(verdict: Verdict, difference: Difference, currency: str) -> str:
    def amount(minor: float) -> str:
        return money(minor, currency)

    if verdict == Verdict.UNCLEAR:
        return _(
            "No effect can be told: the difference lies between %(low)s and %(high)s per customer, "
            "so there may be none (interval of %(sure)s)."
        ) % _between(difference, amount)
    if verdict == Verdict.MORE:
        told = _(
            "More money came from those who were shown options: %(by)s more per customer, "
            "between %(low)s and %(high)s (interval of %(sure)s)."
        )
        return told % _between(difference, amount)
    told = _(
        "Less money came from those who were shown options: %(by)s less per customer, "
        "between %(low)s and %(high)s (interval of %(sure)s)."
    )
    return told % _between(_turned(difference), amount)


def _between(difference: Difference, shown: Callable[[float], str]) -> dict[str, str]:
    interval = difference.interval
    return {
        "by": shown(difference.estimate),
        "low": shown(interval.low),
        "high": shown(interval.high),
        "sure": percent(SURE, 0),
    }


def _turned(difference: Difference) -> Difference:
    """Return the difference the other way round, for words that say "fewer"."""
    return Difference(-difference.estimate, Interval(-difference.interval.high, -difference.interval.low))
