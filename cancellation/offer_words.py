"""Options in words: their names, their figures, what happens afterwards, and why one was not shown.

Everything is computed from figures and said in the active language; no operator writes any of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from babel.numbers import format_percent
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from cancellation.models import OfferKind
from cancellation.offer_rules import Cause
from config.formats import format_day, locale_of
from subscriptions import words
from subscriptions.amounts import Money
from subscriptions.formats import format_money
from subscriptions.periods import Period

TITLES = {
    OfferKind.PAUSE: gettext_lazy("Pause for a while"),
    OfferKind.SMALLER_PLAN: gettext_lazy("Change to a smaller plan"),
    OfferKind.TODAYS_PRICE: gettext_lazy("Pay today’s price"),
    OfferKind.DISCOUNT: gettext_lazy("Pay less for a while"),
    OfferKind.FREE_PERIOD: gettext_lazy("Pay nothing for a while"),
    OfferKind.INTERVAL: gettext_lazy("Pay at other intervals"),
    OfferKind.HELP_SESSION: gettext_lazy("Get help in person"),
    OfferKind.FIX: gettext_lazy("Have the problem solved"),
    OfferKind.SKIP: gettext_lazy("Skip once"),
    OfferKind.HAND_OVER: gettext_lazy("Hand over to somebody else"),
}
# What a kind needs to be told beside the yes.
ASKS = {OfferKind.HELP_SESSION: "when", OfferKind.FIX: "words", OfferKind.HAND_OVER: "person"}


def title(kind: str) -> str:
    """Return what an option of a kind is called where the operator gave it no name."""
    return str(TITLES[OfferKind(kind)])


def lines(kind: str, terms: dict[str, Any]) -> list[str]:
    """Return the figures of an option in words: from when, until when, what it costs."""
    return [line for line in LINES[OfferKind(kind)](terms) if line]


def afterwards(kind: str, terms: dict[str, Any]) -> str:
    """Return in one sentence what happens afterwards."""
    return AFTERWARDS[OfferKind(kind)](terms)


def _day(text: str) -> str:
    return format_day(date.fromisoformat(text))


def _price(terms: dict[str, Any], which: str = "price_minor", billing: str = "billing") -> str:
    """Return a price with its billing period, such as ``€12.99 for 1 month``."""
    return _("%(price)s for %(period)s") % {
        "price": format_money(Money(terms[which], terms["currency"])),
        "period": words.period(Period.from_dict(terms[billing])),
    }


def _stretch(terms: dict[str, Any]) -> str:
    return _("From %(first)s to %(last)s.") % {"first": _day(terms["starts_on"]), "last": _day(terms["until"])}


def _from(terms: dict[str, Any]) -> str:
    return _("From %(day)s on, the day of your next payment.") % {"day": _day(terms["starts_on"])}


def _before(terms: dict[str, Any], billing: str = "billing") -> str:
    return _("Until now: %(price)s.") % {"price": _price(terms, "price_before_minor", billing)}


def _costs(terms: dict[str, Any]) -> str:
    if not terms["price_minor"]:
        return _("In that time you pay nothing.")
    return _("In that time you pay %(price)s.") % {"price": _price(terms)}


def _paused(terms: dict[str, Any]) -> list[str]:
    return [
        _stretch(terms),
        _costs(terms),
        _("The notice period and the last day that a cancellation would reach stay as they are."),
    ]


def _for_a_while(terms: dict[str, Any]) -> list[str]:
    return [_stretch(terms), _costs(terms)]


def _discounted(terms: dict[str, Any]) -> list[str]:
    payments = ngettext("It applies to %(n)d payment.", "It applies to %(n)d payments.", terms["periods"]) % {
        "n": terms["periods"]
    }
    less = _("%(percent)s less.") % {"percent": _percent(terms["percent"])} if "percent" in terms else ""
    return [_stretch(terms), less, _costs(terms), payments]


def _percent(number: int) -> str:
    return format_percent(number / 100, locale=locale_of(get_language()))


def _skipped(terms: dict[str, Any]) -> list[str]:
    return [_stretch(terms), _("Nothing is delivered and nothing is charged in that time.")]


def _lasting(terms: dict[str, Any]) -> list[str]:
    return [_from(terms), _("You pay %(price)s.") % {"price": _price(terms)}, _before(terms)]


def _smaller(terms: dict[str, Any]) -> list[str]:
    return [_("Your plan becomes %(plan)s.") % {"plan": terms["to_plan_name"]}, *_lasting(terms)]


def _interval(terms: dict[str, Any]) -> list[str]:
    return [
        _from(terms),
        _("You pay %(price)s.") % {"price": _price(terms)},
        _before(terms, "billing_before"),
    ]


def _session(terms: dict[str, Any]) -> list[str]:
    minutes = terms.get("minutes")
    length = ngettext("It takes about %(n)d minute.", "It takes about %(n)d minutes.", minutes or 0) % {
        "n": minutes or 0
    }
    return [length if minutes else "", _("It costs nothing.")]


def _free(_terms: dict[str, Any]) -> list[str]:
    return [_("It costs nothing.")]


LINES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    OfferKind.PAUSE: _paused,
    OfferKind.SMALLER_PLAN: _smaller,
    OfferKind.TODAYS_PRICE: _lasting,
    OfferKind.DISCOUNT: _discounted,
    OfferKind.FREE_PERIOD: _for_a_while,
    OfferKind.INTERVAL: _interval,
    OfferKind.HELP_SESSION: _session,
    OfferKind.FIX: _free,
    OfferKind.SKIP: _skipped,
    OfferKind.HAND_OVER: _free,
}


def _again(terms: dict[str, Any]) -> str:
    """Return after how long the agreed price holds again, in whole sentences: a length is inflected inside of one."""
    price, months, days = _price(terms, "price_after_minor"), *_length(terms)
    if months:
        told = ngettext(
            "After %(n)d month, the price is %(price)s again.",
            "After %(n)d months, the price is %(price)s again.",
            months,
        )
    else:
        told = ngettext(
            "After %(n)d day, the price is %(price)s again.", "After %(n)d days, the price is %(price)s again.", days
        )
    return told % {"n": months or days, "price": price}


def _goes_on(terms: dict[str, Any]) -> str:
    price, months, days = _price(terms, "price_after_minor"), *_length(terms)
    if months:
        told = ngettext(
            "After %(n)d month, the service goes on as before and costs %(price)s again.",
            "After %(n)d months, the service goes on as before and costs %(price)s again.",
            months,
        )
    else:
        told = ngettext(
            "After %(n)d day, the service goes on as before and costs %(price)s again.",
            "After %(n)d days, the service goes on as before and costs %(price)s again.",
            days,
        )
    return told % {"n": months or days, "price": price}


def _length(terms: dict[str, Any]) -> tuple[int, int]:
    """Return the months, or the days, for which another price holds."""
    billing = Period.from_dict(terms["billing"])
    return billing.months * terms["periods"], billing.days * terms["periods"]


def _stays(_terms: dict[str, Any]) -> str:
    return _("This price stays as long as your contract goes on unchanged.")


AFTERWARDS: dict[str, Callable[[dict[str, Any]], str]] = {
    OfferKind.PAUSE: _goes_on,
    OfferKind.SMALLER_PLAN: _stays,
    OfferKind.TODAYS_PRICE: _stays,
    OfferKind.DISCOUNT: _again,
    OfferKind.FREE_PERIOD: _again,
    OfferKind.INTERVAL: _stays,
    OfferKind.HELP_SESSION: lambda terms: _("We write to you to agree on a time; your contract stays as it is."),
    OfferKind.FIX: lambda terms: _("A person looks into it and writes to you; your contract stays as it is."),
    OfferKind.SKIP: _goes_on,
    OfferKind.HAND_OVER: lambda terms: _(
        "We write to both of you; until you have agreed on the hand-over, your contract stays as it is."
    ),
}

# For staff, who are asked "why did I not get this?".
CAUSES = {
    Cause.NOT_OPEN: gettext_lazy("It is not open."),
    Cause.NOT_YET: gettext_lazy("It was not open yet."),
    Cause.NO_LONGER: gettext_lazy("It was no longer open."),
    Cause.ENDING: gettext_lazy("The contract ends, or has ended, before it could begin."),
    Cause.OTHER_PLAN: gettext_lazy("It is for other plans."),
    Cause.OTHER_COUNTRY: gettext_lazy("It is for other countries."),
    Cause.OTHER_LANGUAGE: gettext_lazy("It is for other languages."),
    Cause.NO_TEXT: gettext_lazy("It has no text in the customer’s language, nor in English."),
    Cause.UNREADABLE: gettext_lazy("Its rules cannot be read; please correct the option."),
    Cause.TOO_NEW: gettext_lazy("The contract had not run long enough."),
    Cause.TOO_LONG_HERE: gettext_lazy("The contract had run too long."),
    Cause.VALUE: gettext_lazy("The monthly charge is outside what it is for."),
    Cause.USAGE: gettext_lazy("The service was used more, or less, than it is for."),
    Cause.TOO_SOON: gettext_lazy("The customer agreed to an option not long before."),
    Cause.BUDGET: gettext_lazy("Its budget was used up."),
    Cause.CAP: gettext_lazy("The customer had it as often as one may within a year."),
    Cause.ALREADY_RUNNING: gettext_lazy("Another price was already agreed for a while."),
    Cause.SAME_ALREADY: gettext_lazy("The contract has this already."),
    Cause.NO_PLAN: gettext_lazy("The plan is gone or has no price."),
    Cause.OTHER_CURRENCY: gettext_lazy("It has no price in the contract’s currency."),
    Cause.NO_FIT: gettext_lazy("It does not fit the contract’s billing period."),
    Cause.NOT_CHEAPER: gettext_lazy("It would not be cheaper than what the customer pays."),
    Cause.WOULD_TIE_LONGER: gettext_lazy("It would make leaving later or dearer."),
    Cause.DECLINED: gettext_lazy("The customer had said no in this visit."),
    Cause.PLACE_FORBIDS: gettext_lazy("The rules of the place allow no options there."),
    Cause.NOTHING_SAID: gettext_lazy("The customer gave no reason."),
    Cause.OTHER_REASON: gettext_lazy("It answers other reasons than the customer gave."),
    Cause.HELD_OUT: gettext_lazy("The customer is in the share that is shown no options while leaving."),
    Cause.BEYOND_LIMIT: gettext_lazy("As many options as the place allows were shown already."),
    Cause.FAULT: gettext_lazy("It could not be worked out; the log says why."),
}


def cause(name: str) -> str:
    """Return in words, for staff, why an option was not shown; what nobody knows is returned as it is."""
    return str(CAUSES[Cause(name)]) if name in set(Cause) else name
