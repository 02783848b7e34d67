"""Terms in plain words: why a contract ends on the day it does, and how it may be ended at all.

Sentences are translated for the active language; days and money come in as text that was formatted already.
"""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from subscriptions.models import RefundPolicy
from subscriptions.periods import Period
from subscriptions.settlement import months_begun
from subscriptions.terms import Boundary, CutOff, NoticeTerm, Rule, Terms


def period(length: Period) -> str:
    """Return a length of time, such as ``2 months``; ``no time`` for zero days."""
    months, days = length.months, length.days
    if months and months % 12 == 0:
        return ngettext("%(n)d year", "%(n)d years", months // 12) % {"n": months // 12}
    if months:
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    if days and days % 7 == 0:
        return ngettext("%(n)d week", "%(n)d weeks", days // 7) % {"n": days // 7}
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def boundary(where: Boundary) -> str:
    """Return on which days a contract may end, to follow "It can end"."""
    return {
        Boundary.ANY_DAY: _("It can end on any day."),
        Boundary.BILLING_PERIOD: _("It can end with any billing period."),
        Boundary.MONTH_END: _("It can end with any month."),
        Boundary.QUARTER_END: _("It can end with any quarter."),
        Boundary.HALF_YEAR_END: _("It can end in the middle or at the end of a year."),
        Boundary.YEAR_END: _("It can end with any year."),
    }[where]


def notice(term: NoticeTerm) -> str:
    """Return how early a notice must come, as a sentence."""
    if isinstance(term, CutOff):
        return _cut_off(term)
    if term.is_nothing:
        return _("No notice period applies.")
    return _("The notice period is %(period)s.") % {"period": period(term)}


def _cut_off(term: CutOff) -> str:
    if term.months_before == 0:
        return _("Notice must come by day %(day)d of the month in which the contract ends.") % {"day": term.by_day}
    return ngettext(
        "Notice must come by day %(day)d of the month before the one in which the contract ends.",
        "Notice must come by day %(day)d of the month that lies %(n)d months before "
        "the one in which the contract ends.",
        term.months_before,
    ) % {"day": term.by_day, "n": term.months_before}


def why(terms: Terms, rule: str) -> list[str]:
    """Return the sentences that explain a last day: the rule that gave it, then the notice that was kept."""
    later = terms.notice if terms.renewal_notice is None else terms.renewal_notice
    if rule not in set(Rule):
        return [_chosen(rule)]
    match Rule(rule):
        case Rule.BOUNDARY:
            open_ended = _("Your contract runs without a fixed term.")
            return [open_ended, boundary(terms.notice_to), notice(terms.notice)]
        case Rule.INITIAL_TERM:
            first = _("Your contract has a first term of %(period)s; this is its last day.")
            return [first % {"period": _initial(terms)}, notice(terms.notice)]
        case Rule.AFTER_INITIAL:
            over = _("The first term of %(period)s is over, or the notice for its end has passed.")
            return [over % {"period": _initial(terms)}, boundary(terms.notice_to), notice(later)]
        case Rule.RENEWED_TERM:
            renews = _("Your contract renews for %(period)s at a time; this is the last day of such a term.")
            return [renews % {"period": _renewal(terms)}, notice(later)]
        case Rule.EXPIRES:
            return [_("Your contract ends by itself on this day. Nothing more is needed.")]
        case Rule.NEVER_STARTS:
            return [_("Your notice takes effect before the contract begins, so it never starts.")]
        case Rule.EXPIRED:
            return [_("Your contract has ended by itself.")]


def fee_part(name: str) -> str:
    """Return what bounds the fee of an early release; the smallest of them applies."""
    return {
        "upfront": _("What the up-front cost still lacks"),
        "given_up": _("The fees of the time given up"),
        "cap": _("The most that contract or law allow"),
        "staying": _("What staying would cost more"),
    }[name]


def _chosen(way: str) -> str:
    """Return why a contract ends on a day that the terms alone do not give."""
    return {
        "later": _("You chose this day. It lies after the earliest one."),
        "early_release": _(
            "You leave before the end of the fixed term. The fee is the smallest of these: what the up-front cost "
            "still lacks, the fees of the time given up, and the cap. Leaving never costs more than staying would."
        ),
        "hardship": _("You cannot use the service any more, so the end comes early and without a fee."),
        "for_cause": _("There is good cause, so the contract ends without a notice period and without a fee."),
        "withdrawal": _(
            "A withdrawal ends the contract on the day on which it arrives. What was paid comes back, less the days "
            "that were used at your express wish."
        ),
        "at_once": _(
            "The page for cancelling was missing or wrong on that day, so the law ends your contract on the day of the "
            "notice."
        ),
    }[way]


def _initial(terms: Terms) -> str:
    return period(terms.initial_term) if terms.initial_term else ""


def _renewal(terms: Terms) -> str:
    return period(terms.renewal) if isinstance(terms.renewal, Period) else ""


def afterwards(terms: Terms) -> list[str]:
    """Return what follows the first term, as sentences."""
    if terms.renewal == "none":
        return [_("After that the contract ends by itself.")]
    later = terms.notice if terms.renewal_notice is None else terms.renewal_notice
    if terms.renewal == "open_ended":
        return [_("After that it runs on without a fixed term."), boundary(terms.notice_to), notice(later)]
    return [_("After that it renews for %(period)s at a time.") % {"period": _renewal(terms)}, notice(later)]


def refund(*, paid_from: date, paid_to: date, last_day: date, policy: str, paid: str, back: str) -> str:
    """Return how the refund of one payment comes about. ``paid`` and ``back`` are money as text."""
    if last_day < paid_from:
        return _("All of it comes back: this time is not used.")
    if policy == RefundPolicy.NONE:
        return _("Your contract gives no refund for unused time.")
    if policy == RefundPolicy.DAILY:
        days = (paid_to - paid_from).days + 1
        unused = (paid_to - last_day).days
        return _("%(unused)d of %(days)d days are unused: %(paid)s × %(unused)d ÷ %(days)d = %(back)s") % {
            "unused": unused, "days": days, "paid": paid, "back": back,
        }  # fmt: skip
    months = months_begun(paid_from, paid_to)
    unused = months - months_begun(paid_from, last_day)
    return _("%(unused)d of %(months)d months are unused: %(paid)s × %(unused)d ÷ %(months)d = %(back)s") % {
        "unused": unused, "months": months, "paid": paid, "back": back,
    }  # fmt: skip
