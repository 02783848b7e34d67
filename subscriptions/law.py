"""Where the law gives a holder better terms than they agreed to, and the better of both for a notice.

Strict about what was agreed: only an entry that a pack calls law changes it, and the default's recommendations never
do. Both the agreed and the applied terms are kept and shown: "Your contract says 3 months; the law says 1."
Pure: no clock, no database, no settings; days are local days of the contract.
Source: LAW table B (terms), BGB 309 no. 9 and TKG 56, C. conso. L224-28 and -39, PKE 301-302, BPC 17602.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Any, NamedTuple

from subscriptions.packs import Pack, Value
from subscriptions.periods import ONE_DAY, Counting, Period, last_day_of_stretch
from subscriptions.reading import FieldError, local_day
from subscriptions.terms import (
    Boundary,
    CutOff,
    NoticeQuote,
    NoticeTerm,
    Renewal,
    Rule,
    Terms,
    TermsError,
    quote_for_day,
    rule_of,
)

JAPANESE = "jp_140_143"
# A month is at least and at most so many days.
SHORTEST_MONTH, LONGEST_MONTH = 28, 31
NO_NOTICE = Period()


class Improvement(NamedTuple):
    """One term that the law makes better: what was agreed, what applies, and the source."""

    parameter: str
    agreed: NoticeTerm | Renewal | Boundary
    applied: NoticeTerm | Renewal | Boundary
    source: str
    # "law", or "ours" where the operator is kinder still.
    basis: str = "law"


@dataclass(frozen=True, slots=True)
class Applied:
    """The terms that apply to a contract, the agreed ones, and what the law made better.

    ``terms`` is for reading out. For days use ``quote`` and ``behind``: they take, for each receipt day, the best of
    all terms the holder may rely on, so that no improvement can ever give a later day than what was agreed.
    """

    terms: Terms
    improvements: tuple[Improvement, ...]
    agreed: Terms
    choices: tuple[Terms, ...]

    def behind(self, received_on: date) -> Terms:
        """Return the terms that give the last day of a notice received on a day: the agreed ones where they tie."""
        return min(self.choices, key=lambda terms: _rank(terms, received_on))

    def quote(self, received_on: date) -> NoticeQuote:
        """Return what a notice received on a local day means, on the best terms for that day. Raises TermsError."""
        best = quote_for_day(self.behind(received_on), received_on)
        if len(self.choices) == 1 or best.latest_notice_day is None or best.last_day is None:
            return best
        # Every choice gives later notices later ends, so the last of the equal answers is the last of them all.
        others = [quote_for_day(terms, received_on) for terms in self.choices]
        same = [told.latest_notice_day for told in others if told.last_day == best.last_day]
        latest = max(day for day in same if day is not None)
        missed = quote_for_day(self.behind(latest + ONE_DAY), latest + ONE_DAY).last_day
        return best._replace(latest_notice_day=latest, if_missed_last_day=missed)

    def notice_quote(self, received_at: datetime) -> NoticeQuote:
        """Return what a notice received at an aware instant means. Raises TermsError for a naive one."""
        try:
            return self.quote(local_day(received_at, self.agreed.timezone))
        except FieldError as wrong:
            raise TermsError(str(wrong)) from None

    def rule_of(self, received_on: date) -> Rule:
        """Return which rule gives the last day for a notice received on a local day."""
        return rule_of(self.behind(received_on), received_on)

    @classmethod
    def as_agreed(cls, terms: Terms) -> Applied:
        """Return terms that nothing changes."""
        return cls(terms, (), terms, (terms,))


def _rank(terms: Terms, received_on: date) -> date:
    """Return what makes terms better: an earlier last day; a contract that is over by itself is best of all."""
    return quote_for_day(terms, received_on).last_day or date.min


def improve(
    terms: Terms, pack: Pack, *, concluded_on: date, on: date, sector: str = "", is_consumer: bool = True
) -> Applied:
    """Return the terms that apply to a notice of a day, with each improvement and its source."""
    if not is_consumer:
        return Applied.as_agreed(terms)
    return _improved(terms, pack, concluded_on, on, sector)


# A page asks several times for the same contract and day; everything handed in is frozen.
@lru_cache(maxsize=1024)
def _improved(terms: Terms, pack: Pack, concluded_on: date, on: date, sector: str) -> Applied:
    better = _Better(terms, pack, concluded_on, on, sector)
    if terms.initial_term is None:
        better.cap_open_ended()
    else:
        better.cap_initial_term()
        better.cap_first_notice()
        better.cap_renewal()
    return better.applied()


def counting_of(name: str) -> Counting:
    """Return how months are counted by the rule of that name in a pack."""
    return Counting.FROM_NEXT_DAY if name == JAPANESE else Counting.SAME_DAY_NUMBER


def fee_cap(cap: dict[str, Any] | None, *, monthly_fee: Fraction, currency: str) -> int | None:
    """Return the most that leaving early may cost, in minor units; None without a cap.

    ``monthly_fee`` is in minor units. An amount in another currency than the contract's caps nothing.
    """
    if cap is None:
        return None
    limits: list[Fraction] = [monthly_fee * cap["months_of_fee"]]
    if cap.get("currency") == currency:
        limits.append(Fraction(cap["at_most"]))
    return floor(min(limits))


def monthly_fee(price_minor: int, billing: Period) -> Fraction:
    """Return the price of a month in minor units, from the price of a billing period; rounded by nobody yet."""
    if billing.months:
        return Fraction(price_minor, billing.months)
    # A month of days is a twelfth of a year of 365.
    return Fraction(price_minor * 365, billing.days * 12)


class _Better:
    """Terms that are made better step by step."""

    def __init__(self, terms: Terms, pack: Pack, concluded_on: date, on: date, sector: str) -> None:
        self.agreed = self.terms = terms
        self.pack, self.concluded_on, self.on, self.sector = pack, concluded_on, on, sector
        self.improvements: list[Improvement] = []

    def rule(self, parameter: str) -> Value | None:
        return self.pack.binding(parameter, self.on, self.sector, concluded_on=self.concluded_on)

    def applied(self) -> Applied:
        if self.terms == self.agreed:
            return Applied.as_agreed(self.agreed)
        choices = [self.agreed, self.terms]
        if self.terms.notice_to is Boundary.BILLING_PERIOD and self.agreed.notice_to is not Boundary.BILLING_PERIOD:
            # Neither the end of a paid period nor a month's end always comes first.
            choices.append(replace(self.terms, notice_to=self.agreed.notice_to))
        return Applied(self.terms, tuple(self.improvements), self.agreed, tuple(choices))

    def note(self, rule: Value, agreed: Any, applied: Any, parameter: str = "") -> None:
        self.improvements.append(Improvement(parameter or rule.parameter, agreed, applied, rule.source, rule.basis))

    def cap_initial_term(self) -> None:
        rule, first = self.rule("max_initial_term_months"), self.terms.initial_term
        if rule is None or first is None:
            return
        capped = _capped_term(self.terms.starts_on, first, rule.value)
        if capped == first:
            return
        # A term that would have run out by itself does not keep the holder any longer for being cut: from there on
        # they may go like anybody whose term is over.
        renewal: Renewal = "open_ended" if self.terms.renewal == "none" else self.terms.renewal
        boundary = Boundary.ANY_DAY if self.terms.renewal == "none" else self.terms.notice_to
        self.terms = replace(self.terms, initial_term=capped, renewal=renewal, notice_to=boundary)
        self.note(rule, first, Period(months=rule.value))

    def cap_first_notice(self) -> None:
        rule = self.rule("max_notice_before_initial_end")
        if rule is None:
            return
        capped = _capped_notice(self.terms.notice, Period.from_dict(rule.value))
        if capped == self.terms.notice:
            return
        if _is_plainly_longer(self.terms.notice, capped):
            self.note(rule, self.terms.notice, capped)
        # Without a notice of its own the time after the first term has the agreed one, until that is capped, too.
        self.terms = replace(self.terms, notice=capped, renewal_notice=_later(self.terms))

    def cap_renewal(self) -> None:
        if self.terms.renewal == "none":
            return
        only, at_will = self.rule("renewal_rule"), self._at_will("max_notice_after_initial_term")
        if only and only.value == "open_ended_only":
            self._open_up(only, Boundary.ANY_DAY)
        elif at_will:
            self._open_up(at_will, Boundary.BILLING_PERIOD)
        elif (longest := self.rule("max_renewal_months")) and isinstance(self.terms.renewal, Period):
            self._shorten_renewal(longest, self.terms.renewal)
        rule, later = self.rule("max_notice_after_initial_term"), _later(self.terms)
        if rule is None or (capped := _capped_notice(later, Period.from_dict(rule.value))) == later:
            return
        if _is_plainly_longer(later, capped):
            self.note(rule, later, capped)
        self.terms = replace(self.terms, renewal_notice=capped)

    def cap_open_ended(self) -> None:
        # What was agreed to run without a term stays as agreed, six weeks to the quarter's end or whatever it is,
        # unless a place speaks of such contracts, too.
        rule = self.rule("max_notice_open_ended")
        if rule is None:
            return
        capped = _capped_notice(self.terms.notice, Period.from_dict(rule.value))
        if _is_plainly_longer(self.terms.notice, capped):
            self.note(rule, self.terms.notice, capped)
        boundary = Boundary.BILLING_PERIOD if self._at_will("max_notice_open_ended") else Boundary.ANY_DAY
        self._end_on(rule, boundary)
        self.terms = replace(self.terms, notice=capped)

    def _at_will(self, parameter: str) -> Value | None:
        """Return the rule of a place where a holder leaves at will and keeps what is paid for, or None."""
        given, paid = self.rule(parameter), self.rule("no_date_given")
        if given and paid and paid.value == "end_of_paid_period" and Period.from_dict(given.value).is_nothing:
            return paid
        return None

    def _open_up(self, rule: Value, boundary: Boundary) -> None:
        if isinstance(self.terms.renewal, Period):
            self.note(rule, self.terms.renewal, "open_ended")
            # What the contract says about its end was said of its renewed terms.
            self.terms = replace(self.terms, renewal="open_ended", notice_to=boundary)
        else:
            self._end_on(rule, boundary)

    def _end_on(self, rule: Value, boundary: Boundary) -> None:
        if self.terms.notice_to in (boundary, Boundary.ANY_DAY):
            return
        if boundary is Boundary.ANY_DAY:
            self.note(rule, self.terms.notice_to, boundary, "notice_to")
        self.terms = replace(self.terms, notice_to=boundary)

    def _shorten_renewal(self, rule: Value, renewal: Period) -> None:
        capped = _capped_term(self.terms.starts_on, renewal, rule.value)
        if capped != renewal:
            self.note(rule, renewal, capped)
            self.terms = replace(self.terms, renewal=capped)


def _later(terms: Terms) -> NoticeTerm:
    return terms.notice if terms.renewal_notice is None else terms.renewal_notice


def _capped_term(starts_on: date, term: Period, months: int) -> Period:
    """Return a term no longer than some months, in its own unit: renewals are counted together with it."""
    if term.months:
        return Period(months=min(term.months, months))
    most = (last_day_of_stretch(starts_on, months) - starts_on).days + 1
    return Period(days=min(term.days, most))


def _capped_notice(agreed: NoticeTerm, cap: Period) -> NoticeTerm:
    """Return the cap where the agreed notice could be longer on any day, else what was agreed.

    Where it is longer on some days only (30 days and a month), ``Applied`` takes the shorter for each day.
    """
    if isinstance(agreed, CutOff):
        return cap
    if agreed.months and cap.months:
        return agreed if agreed.months <= cap.months else cap
    longest = agreed.months * LONGEST_MONTH + agreed.days
    return agreed if longest <= cap.months * SHORTEST_MONTH + cap.days else cap


def _is_plainly_longer(agreed: NoticeTerm, capped: NoticeTerm) -> bool:
    """Tell whether a cap is worth a word: longer in every month, not in February alone."""
    if agreed == capped or not isinstance(capped, Period):
        return False
    if isinstance(agreed, CutOff):
        # By the 15th for the month's end is half a month; by the 15th of the month before, one and a half.
        days = agreed.months_before * LONGEST_MONTH + LONGEST_MONTH - min(agreed.by_day, LONGEST_MONTH)
        return days > capped.months * LONGEST_MONTH + capped.days
    if agreed.months and capped.months:
        return agreed.months > capped.months
    return agreed.months * SHORTEST_MONTH + agreed.days > capped.months * LONGEST_MONTH + capped.days
