"""Which options answer a contract's situation, what each of them means in days and money, and why others do not.

Pure: no clock, no database, no settings. Days are local days of the contract, inclusive; money is integer minor units
of the contract's currency and is rounded down, in favour of the customer. ``decide`` raises nothing: every rule is
either shown or has one ``Cause``. ``read_terms`` and ``Eligibility.from_dict`` raise RuleError, which names the field.
Source: DESIGN "The guided way", LAW R14.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID

from subscriptions.money import minor_digits
from subscriptions.periods import Period, billing_period_of, month_later
from subscriptions.prices import PriceChange
from subscriptions.reading import FieldError, read_count, shown
from subscriptions.terms import Boundary, Terms, initial_last_day, quote_for_day

ONE_DAY = timedelta(days=1)
# R14: whatever an operator or a pack says.
MOST_IN_FLOW = 3
MOST_PERIODS, MOST_MONTHS, MOST_DAYS, MOST_MINOR = 36, 120, 3650, 10**12
Place = Literal["flow", "page"]

log = logging.getLogger(__name__)


class RuleError(ValueError):
    """A rule cannot be used as it is written; ``field`` is where, ``words`` say what is wrong and the remedy."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field
        self.words = words


class Cause(StrEnum):
    """Why an option is not shown, for a machine; ``offer_words.cause`` says it to staff."""

    NOT_OPEN = "not_open"
    NOT_YET = "not_yet"
    NO_LONGER = "no_longer"
    ENDING = "ending"
    OTHER_PLAN = "other_plan"
    OTHER_COUNTRY = "other_country"
    OTHER_LANGUAGE = "other_language"
    NO_TEXT = "no_text"
    UNREADABLE = "unreadable"
    TOO_NEW = "too_new"
    TOO_LONG_HERE = "too_long_here"
    VALUE = "value"
    USAGE = "usage"
    TOO_SOON = "too_soon"
    BUDGET = "budget"
    CAP = "cap"
    ALREADY_RUNNING = "already_running"
    SAME_ALREADY = "same_already"
    NO_PLAN = "no_plan"
    OTHER_CURRENCY = "other_currency"
    NO_FIT = "no_fit"
    NOT_CHEAPER = "not_cheaper"
    WOULD_TIE_LONGER = "would_tie_longer"
    DECLINED = "declined"
    PLACE_FORBIDS = "place_forbids"
    NOTHING_SAID = "nothing_said"
    OTHER_REASON = "other_reason"
    HELD_OUT = "held_out"
    BEYOND_LIMIT = "beyond_limit"
    FAULT = "fault"


# What changes the price or what is paid for: one at a time, and never for a contract that ends before it begins.
MONEY_KINDS = frozenset({"pause", "smaller_plan", "todays_price", "discount", "free_period", "interval", "skip"})
# Of these, what holds for a while only.
PASSING_KINDS = frozenset({"pause", "discount", "free_period", "skip"})
# Whoever pays more than a new customer is told so, whatever share is shown nothing.
NEVER_HELD_OUT = frozenset({"todays_price"})


# Reading what an operator writes.


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who may have an option; what is None asks for nothing. Bounds are inclusive.

    ``monthly_minor_…`` compare the contract's monthly charge and need ``currency``. ``months_since_last`` counts from
    the last option of any kind that the customer agreed to. A contract that was never used counts from its start.
    """

    tenure_months_at_least: int | None = None
    tenure_months_at_most: int | None = None
    monthly_minor_at_least: int | None = None
    monthly_minor_at_most: int | None = None
    currency: str = ""
    used_within_days: int | None = None
    unused_for_days: int | None = None
    months_since_last: int | None = None

    @classmethod
    def from_dict(cls, given: object) -> Eligibility:
        """Return what an object such as {"tenure_months_at_least": 6} asks for; {} is for everybody. RuleError."""
        read = _object(given, "eligibility", (), (*MOST_OF, "currency"))
        values: dict[str, Any] = {
            name: _count(read[name], name, least=0, most=MOST_OF[name]) for name in MOST_OF if name in read
        }
        if "currency" in read:
            values["currency"] = _currency(read["currency"], "currency")
        if ("currency" in read) != bool(values.keys() & {"monthly_minor_at_least", "monthly_minor_at_most"}):
            raise RuleError(
                "currency", "currency: goes with monthly_minor_at_least or monthly_minor_at_most; give both or neither"
            )
        for least, most in BOUNDS:
            if values.get(least, 0) > values.get(most, MOST_MINOR):
                raise RuleError(least, f"{least}: is more than {most}, so nobody could have it; swap the two")
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """Return the shape that ``from_dict`` reads."""
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in told.items() if value not in (None, "")}


MOST_OF = {
    "tenure_months_at_least": 1200,
    "tenure_months_at_most": 1200,
    "monthly_minor_at_least": MOST_MINOR,
    "monthly_minor_at_most": MOST_MINOR,
    "used_within_days": MOST_DAYS,
    "unused_for_days": MOST_DAYS,
    "months_since_last": MOST_MONTHS,
}
BOUNDS = (
    ("tenure_months_at_least", "tenure_months_at_most"),
    ("monthly_minor_at_least", "monthly_minor_at_most"),
)


def read_terms(kind: str, terms: object) -> dict[str, Any]:
    """Return what a kind of option needs, checked and complete. RuleError names the field and the remedy."""
    if kind not in READERS:
        raise RuleError("kind", f"kind: {shown(kind)} is not known; give one of {', '.join(READERS)}")
    return READERS[kind](terms)


def _pause(terms: object) -> dict[str, Any]:
    d = _object(terms, "terms", ("months",), ("price_minor", "currency"))
    read = {"months": _count(d["months"], "months", least=1, most=12), "price_minor": 0}
    return read | _price(d, "price_minor", least=0)


def _price(d: Mapping[str, Any], name: str, *, least: int) -> dict[str, Any]:
    """Return an amount with its currency, where there is one; an amount of nothing needs no currency."""
    if name not in d and "currency" not in d:
        return {}
    minor = _count(d.get(name, 0), name, least=least, most=MOST_MINOR)
    if "currency" not in d:
        if minor:
            raise RuleError("currency", f'currency: is missing; {name} needs one, such as "EUR"')
        return {name: minor}
    return {name: minor, "currency": _currency(d["currency"], "currency")}


def _smaller_plan(terms: object) -> dict[str, Any]:
    d = _object(terms, "terms", ("to_plan",), ("billing_months",))
    if not isinstance(d["to_plan"], str) or not d["to_plan"].strip():
        raise RuleError("to_plan", f"to_plan: {shown(d['to_plan'])} is no plan; give the code of one")
    return {"to_plan": d["to_plan"].strip()} | _billing_months(d)


def _todays_price(terms: object) -> dict[str, Any]:
    return _billing_months(_object(terms, "terms", (), ("billing_months",)))


def _billing_months(d: Mapping[str, Any]) -> dict[str, Any]:
    """Return for which billing period the plan's price is meant, where the operator says so."""
    if "billing_months" not in d:
        return {}
    return {"billing_months": _count(d["billing_months"], "billing_months", least=1, most=MOST_PERIODS)}


def _discount(terms: object) -> dict[str, Any]:
    d = _object(terms, "terms", ("periods",), ("percent", "amount_minor", "currency"))
    if ("percent" in d) == ("amount_minor" in d):
        raise RuleError("percent", "percent: give either percent or amount_minor with currency")
    read: dict[str, Any] = {"periods": _periods(d)}
    if "amount_minor" in d:
        return read | _price(d, "amount_minor", least=1)
    if "currency" in d:
        raise RuleError("currency", "currency: goes with amount_minor only; leave it out beside percent")
    return read | {"percent": _count(d["percent"], "percent", least=1, most=99)}


def _free_period(terms: object) -> dict[str, Any]:
    return {"periods": _periods(_object(terms, "terms", ("periods",)))}


def _periods(d: Mapping[str, Any]) -> int:
    return _count(d["periods"], "periods", least=1, most=MOST_PERIODS)


def _interval(terms: object) -> dict[str, Any]:
    d = _object(terms, "terms", ("months", "prices"))
    prices = d["prices"]
    if not isinstance(prices, Mapping) or not prices:
        raise RuleError("prices", f'prices: {shown(prices)} names no price; give some like {{"EUR": 9900}}')
    return {
        "months": _count(d["months"], "months", least=1, most=MOST_PERIODS),
        "prices": {
            _currency(currency, "prices"): _count(minor, f"prices.{currency}", least=0, most=MOST_MINOR)
            for currency, minor in prices.items()
        },
    }


def _help_session(terms: object) -> dict[str, Any]:
    d = _object(terms, "terms", (), ("minutes",))
    return {"minutes": _count(d["minutes"], "minutes", least=5, most=480)} if "minutes" in d else {}


def _nothing(terms: object) -> dict[str, Any]:
    return dict(_object(terms, "terms", ()))


READERS: dict[str, Callable[[object], dict[str, Any]]] = {
    "pause": _pause,
    "smaller_plan": _smaller_plan,
    "todays_price": _todays_price,
    "discount": _discount,
    "free_period": _free_period,
    "interval": _interval,
    "help_session": _help_session,
    "fix": _nothing,
    "skip": _nothing,
    "hand_over": _nothing,
}


def _object(value: object, name: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RuleError(name, f'{name}: {shown(value)} is not an object; give one like {{"months": 2}}, or {{}}')
    known = (*required, *optional)
    if strangers := [key for key in value if key not in known]:
        names = f"known are {', '.join(known)}" if known else "this kind needs none"
        raise RuleError(str(strangers[0]), f"{name}: unknown field {shown(strangers[0])}; {names}")
    if missing := [key for key in required if key not in value]:
        raise RuleError(missing[0], f"{missing[0]}: is missing; {name} needs {', '.join(required)}")
    return value


def _count(value: object, name: str, *, least: int, most: int) -> int:
    try:
        return read_count(value, name, least=least, most=most)
    except FieldError as error:
        raise RuleError(name, str(error)) from None


def _currency(value: object, name: str) -> str:
    try:
        minor_digits(value, name)
    except FieldError as error:
        raise RuleError(name, str(error)) from None
    return str(value)


# What is known.


@dataclass(frozen=True, slots=True)
class Rule:
    """One option as it stands, as plain values. ``reasons`` are codes, or roots. Empty sets ask for nothing."""

    code: str
    kind: str
    offer_id: int = 0
    version: int = 1
    active: bool = True
    valid_from: date = date.min
    valid_until: date | None = None
    texts: Mapping[str, Any] = field(default_factory=dict)
    terms: Any = field(default_factory=dict)
    reasons: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    eligibility: Any = field(default_factory=dict)
    # None: no limit. Who accepts last is settled where it is accepted, not here.
    budget: int | None = None
    taken: int = 0
    cap_per_year: int = 1
    position: int = 100

    def words_in(self, language: str) -> tuple[str, str] | None:
        """Return title and text in a language, else in English; None where there are neither. A title may be empty."""
        texts = self.texts if isinstance(self.texts, Mapping) else {}
        for wanted in (language, "en"):
            words = texts.get(wanted)
            if isinstance(words, Mapping):
                title, text = (str(words.get(name) or "").strip() for name in ("title", "text"))
                if title or text:
                    return title, text
        return None


class PlanToday(NamedTuple):
    """What a plan costs today in the contract's currency; ``minor`` is None where it has no such price."""

    name: str
    minor: int | None
    # It has a price, but in other currencies.
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """One option that the customer agreed to before, on this contract or another one of theirs."""

    code: str
    kind: str
    accepted_on: date
    is_here: bool
    # Agreed and neither over nor taken back.
    runs: bool = True
    # Taken back: it counts neither against a cap nor as the last one.
    is_reverted: bool = False
    is_passing: bool = False
    until: date | None = None
    visit: UUID | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about a contract on a day."""

    today: date
    terms: Terms
    plan: str
    country: str
    language: str
    currency: str
    price_minor: int
    monthly_minor: int = 0
    refund_policy: str = "monthly"
    paid_through: date | None = None
    price_changes: tuple[PriceChange, ...] = ()
    last_used_on: date | None = None
    # An end is scheduled, or the contract has ended.
    is_ending: bool = False
    past: tuple[Past, ...] = ()
    # Codes of the plans with what they cost today.
    prices: Mapping[str, PlanToday] = field(default_factory=dict)
    # What was said in this visit, and the root of each code.
    reasons: frozenset[str] = frozenset()
    primary: str = ""
    roots: Mapping[str, str] = field(default_factory=dict)
    # Of the guided way only.
    may_stand: bool = True
    held_out: bool = False
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """An option worked out for one contract. ``terms`` are resolved figures, as JSON can hold them.

    Always: ``starts_on``, ``until`` (None: it lasts), ``currency``, ``cost_minor`` (what the business forgoes while it
    lasts, of what lasts in the first twelve months), ``billing`` (the period that the price is for).
    Where money changes: ``price_minor``, ``price_before_minor``, ``price_after_minor``.
    By kind: ``periods``, ``percent``, ``amount_minor``, ``months``, ``paused_from``, ``paused_to``, ``to_plan``,
    ``to_plan_name``, ``billing_before``, ``minutes``.
    """

    code: str
    version: int
    kind: str
    position: int
    terms: dict[str, Any]
    offer_id: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """Which options are shown, in order, and the cause for each that is not."""

    shown: tuple[Proposal, ...]
    not_shown: dict[str, Cause]


# The decision.


def decide(rules: Iterable[Rule], situation: Situation, *, limit: int, place: Place) -> Decided:
    """Return what is shown at a place, best first, and a cause for every other rule. Raises nothing."""
    open_, not_shown = [], {}
    for rule in rules:
        found = _at_place(rule, situation, limit, place)
        if isinstance(found, Cause):
            not_shown[rule.code] = found
        else:
            open_.append(found)
    open_.sort(key=lambda ranked: (ranked[0], ranked[1].position, ranked[1].code))
    most = min(limit, MOST_IN_FLOW) if place == "flow" else len(open_)
    not_shown |= {proposal.code: Cause.BEYOND_LIMIT for _rank, proposal in open_[most:]}
    return Decided(tuple(proposal for _rank, proposal in open_[:most]), not_shown)


def _at_place(rule: Rule, situation: Situation, limit: int, place: Place) -> tuple[int, Proposal] | Cause:
    """Return a proposal with its rank (0 answers best), or why it is not shown there."""
    try:
        found = propose(rule, situation)
        if isinstance(found, Cause):
            return found
        return (0, found) if place == "page" else _in_flow(rule, found, situation, limit)
    except Exception:
        # One rule that cannot be worked out takes no other with it.
        log.exception("option %s could not be worked out", rule.code)
        return Cause.FAULT


def _in_flow(rule: Rule, found: Proposal, situation: Situation, limit: int) -> tuple[int, Proposal] | Cause:
    if situation.declined:
        return Cause.DECLINED
    if not situation.may_stand or limit < 1:
        return Cause.PLACE_FORBIDS
    if not situation.reasons:
        return Cause.NOTHING_SAID
    rank = exactness(rule, situation)
    if rank is None:
        return Cause.OTHER_REASON
    if situation.held_out and rule.kind not in NEVER_HELD_OUT:
        return Cause.HELD_OUT
    return rank, found


def exactness(rule: Rule, situation: Situation) -> int | None:
    """Return how exactly an option answers what was said, 0 best; None where it answers nothing of it."""
    said = situation.reasons
    main = situation.primary or (next(iter(said)) if len(said) == 1 else "")
    roots = {situation.roots.get(code, "") for code in said}
    answers = (
        main in rule.reasons,
        bool(said & rule.reasons),
        situation.roots.get(main, "") in rule.reasons,
        bool(roots & rule.reasons),
        # Whoever pays more than a new customer would is told so, whatever else they said.
        rule.kind in NEVER_HELD_OUT and bool(said),
    )
    return next((rank for rank, hit in enumerate(answers) if hit), None)


def propose(rule: Rule, situation: Situation) -> Proposal | Cause:
    """Return what an option would mean for a contract, or the first cause against it, wherever it would stand."""
    if cause := _closed(rule, situation) or _not_for(rule, situation):
        return cause
    try:
        terms, wanted = read_terms(rule.kind, rule.terms), Eligibility.from_dict(rule.eligibility)
    except RuleError:
        return Cause.UNREADABLE
    if cause := _not_eligible(wanted, situation) or _used_up(rule, situation):
        return cause
    if rule.kind in MONEY_KINDS and is_price_changed(situation):
        return Cause.ALREADY_RUNNING
    figures = WORKED_OUT[rule.kind](terms, situation)
    if isinstance(figures, Cause):
        return figures
    return Proposal(rule.code, rule.version, rule.kind, rule.position, figures, rule.offer_id)


def _closed(rule: Rule, situation: Situation) -> Cause | None:
    if not rule.active:
        return Cause.NOT_OPEN
    if situation.today < rule.valid_from:
        return Cause.NOT_YET
    if rule.valid_until is not None and situation.today > rule.valid_until:
        return Cause.NO_LONGER
    return Cause.ENDING if situation.is_ending else None


def _not_for(rule: Rule, situation: Situation) -> Cause | None:
    if rule.plans and situation.plan not in rule.plans:
        return Cause.OTHER_PLAN
    if rule.countries and situation.country.upper() not in rule.countries:
        return Cause.OTHER_COUNTRY
    if rule.languages and situation.language not in rule.languages:
        return Cause.OTHER_LANGUAGE
    return None if rule.words_in(situation.language) else Cause.NO_TEXT


def _not_eligible(wanted: Eligibility, situation: Situation) -> Cause | None:
    today, start = situation.today, situation.terms.starts_on
    if wanted.tenure_months_at_least and month_later(start, wanted.tenure_months_at_least) > today:
        return Cause.TOO_NEW
    if wanted.tenure_months_at_most is not None and month_later(start, wanted.tenure_months_at_most) < today:
        return Cause.TOO_LONG_HERE
    if not _is_worth(wanted, situation):
        return Cause.VALUE
    idle = (today - (situation.last_used_on or start)).days
    if wanted.unused_for_days is not None and idle < wanted.unused_for_days:
        return Cause.USAGE
    if wanted.used_within_days is not None and (situation.last_used_on is None or idle > wanted.used_within_days):
        return Cause.USAGE
    since = month_later(today, -wanted.months_since_last) if wanted.months_since_last else today
    return Cause.TOO_SOON if any(past.accepted_on > since for past in situation.past if not past.is_reverted) else None


def _is_worth(wanted: Eligibility, situation: Situation) -> bool:
    if not wanted.currency:
        return True
    least, most = wanted.monthly_minor_at_least or 0, wanted.monthly_minor_at_most
    worth = situation.monthly_minor
    return wanted.currency == situation.currency and least <= worth and (most is None or worth <= most)


def _used_up(rule: Rule, situation: Situation) -> Cause | None:
    if rule.budget is not None and rule.taken >= rule.budget:
        return Cause.BUDGET
    return Cause.CAP if taken_within_a_year(rule.code, situation) >= rule.cap_per_year else None


def taken_within_a_year(code: str, situation: Situation) -> int:
    """Return how often the customer agreed to an option in the last twelve months; what was taken back is none."""
    since = month_later(situation.today, -12)
    return sum(past.code == code and not past.is_reverted and past.accepted_on > since for past in situation.past)


def is_price_changed(situation: Situation) -> bool:
    """Tell whether another price holds for a while, now or soon: no discount on a discount."""
    return any(change.last >= situation.today for change in situation.price_changes) or any(
        past.is_here and past.is_passing and past.runs and (past.until is None or past.until >= situation.today)
        for past in situation.past
    )


# What each kind means in days and money.

Figures = dict[str, Any] | Cause


def next_unpaid_day(terms: Terms, today: date, paid_through: date | None) -> date:
    """Return the first day of the next billing period that is neither paid for nor has begun already."""
    day = max(today, terms.starts_on, paid_through + ONE_DAY if paid_through else today)
    _number, first, last = billing_period_of(terms.billing_anchor, terms.billing, day)
    return day if day == first else last + ONE_DAY


def _stretch(situation: Situation, periods: int) -> tuple[date, date]:
    """Return the first and last day of the next billing periods that are not paid for."""
    terms = situation.terms
    first = next_unpaid_day(terms, situation.today, situation.paid_through)
    last = first - ONE_DAY
    for _nth in range(periods):
        last = billing_period_of(terms.billing_anchor, terms.billing, last + ONE_DAY).last_day
    return first, last


def _for_a_while(situation: Situation, periods: int, price_minor: int) -> Figures:
    before = situation.price_minor
    if price_minor >= before:
        return Cause.NOT_CHEAPER
    first, last = _stretch(situation, periods)
    if _is_over_by(situation.terms, last):
        return Cause.ENDING
    return _common(situation, first, last) | {
        "periods": periods,
        "price_minor": price_minor,
        "price_before_minor": before,
        "price_after_minor": before,
        "cost_minor": (before - price_minor) * periods,
    }


def _is_over_by(terms: Terms, day: date) -> bool:
    """Tell whether a contract that ends by itself is over by a day."""
    end = initial_last_day(terms) if terms.renewal == "none" else None
    return end is not None and end < day


def _common(situation: Situation, first: date, last: date | None) -> dict[str, Any]:
    return {
        "starts_on": first.isoformat(),
        "until": last.isoformat() if last else None,
        "currency": situation.currency,
        "billing": situation.terms.billing.as_dict(),
        "cost_minor": 0,
    }


def _paused(terms: dict[str, Any], situation: Situation) -> Figures:
    if terms.get("currency", situation.currency) != situation.currency:
        return Cause.OTHER_CURRENCY
    periods = _whole_periods_in(situation, terms["months"])
    if not periods:
        # A year that is billed at once cannot be paused for two months.
        return Cause.NO_FIT
    figures = _for_a_while(situation, periods, terms["price_minor"])
    if isinstance(figures, Cause):
        return figures
    return figures | {
        "months": terms["months"],
        "paused_from": figures["starts_on"],
        "paused_to": figures["until"],
    }


def _whole_periods_in(situation: Situation, months: int) -> int:
    """Return how many whole billing periods fit into the months from the next unpaid day on."""
    billing = situation.terms.billing
    if billing.months:
        return months // billing.months
    first = next_unpaid_day(situation.terms, situation.today, situation.paid_through)
    return (month_later(first, months) - first).days // billing.days


def _discounted(terms: dict[str, Any], situation: Situation) -> Figures:
    if terms.get("currency", situation.currency) != situation.currency:
        return Cause.OTHER_CURRENCY
    before = situation.price_minor
    if "percent" in terms:
        price, how = before * (100 - terms["percent"]) // 100, {"percent": terms["percent"]}
    else:
        price, how = max(0, before - terms["amount_minor"]), {"amount_minor": terms["amount_minor"]}
    figures = _for_a_while(situation, terms["periods"], price)
    return figures if isinstance(figures, Cause) else figures | how


def _freed(terms: dict[str, Any], situation: Situation) -> Figures:
    return _for_a_while(situation, terms["periods"], 0)


def _skipped(_terms: dict[str, Any], situation: Situation) -> Figures:
    return _for_a_while(situation, 1, 0)


def _made_smaller(terms: dict[str, Any], situation: Situation) -> Figures:
    code = terms["to_plan"]
    if code == situation.plan:
        return Cause.SAME_ALREADY
    figures = _at_price_of(code, terms, situation)
    if isinstance(figures, Cause):
        return figures
    return figures | {"to_plan": code, "to_plan_name": situation.prices[code].name}


def _at_todays_price(terms: dict[str, Any], situation: Situation) -> Figures:
    return _at_price_of(situation.plan, terms, situation)


def _at_price_of(plan: str, terms: dict[str, Any], situation: Situation) -> Figures:
    today = situation.prices.get(plan)
    if today is None or (today.minor is None and not today.elsewhere):
        return Cause.NO_PLAN
    if today.minor is None:
        return Cause.OTHER_CURRENCY
    if not _is_for_this_period(terms, situation):
        return Cause.NO_FIT
    return _lasting(situation, today.minor, situation.terms.billing)


def _is_for_this_period(terms: dict[str, Any], situation: Situation) -> bool:
    """Tell whether a plan's price is for this contract's billing period: as said, else while nobody changed it."""
    if "billing_months" in terms:
        return bool(situation.terms.billing == Period(months=terms["billing_months"]))
    return not any(past.is_here and past.kind == "interval" and past.runs for past in situation.past)


def _lasting(situation: Situation, price_minor: int, billing: Period) -> Figures:
    """Return figures of another price for good, from the next unpaid day on."""
    before, old = situation.price_minor, situation.terms.billing
    # Compared by the same length of time; for the same length the same price is no reason to change anything.
    now, then = before * _length(billing), price_minor * _length(old)
    if then > now or (then == now and billing == old):
        return Cause.NOT_CHEAPER
    first, last = _stretch(situation, 1)
    if _is_over_by(situation.terms, last):
        return Cause.ENDING
    return _common(situation, first, None) | {
        "billing": billing.as_dict(),
        "price_minor": price_minor,
        "price_before_minor": before,
        "price_after_minor": price_minor,
        "cost_minor": max(0, _in_a_year(before, old) - _in_a_year(price_minor, billing)),
    }


def _length(billing: Period) -> int:
    """Return a length to compare prices by, in the shortest days that it can have."""
    return billing.months * 28 or billing.days


def _in_a_year(price_minor: int, billing: Period) -> int:
    return price_minor * 12 // billing.months if billing.months else price_minor * 365 // billing.days


def _billed_otherwise(terms: dict[str, Any], situation: Situation) -> Figures:
    old, new = situation.terms.billing, Period(months=terms["months"])
    if new == old:
        return Cause.SAME_ALREADY
    if situation.currency not in terms["prices"]:
        return Cause.OTHER_CURRENCY
    figures = _lasting(situation, terms["prices"][situation.currency], new)
    if isinstance(figures, Cause):
        return figures
    if _ties_longer(situation, new, date.fromisoformat(figures["starts_on"])):
        return Cause.WOULD_TIE_LONGER
    return figures | {"months": terms["months"], "billing_before": old.as_dict()}


def _ties_longer(situation: Situation, new: Period, first: date) -> bool:
    """Tell whether another billing interval would make leaving later, or forfeit what was paid ahead."""
    terms = situation.terms
    is_longer = new.months > terms.billing.months if terms.billing.months else new.months * 31 > terms.billing.days
    if is_longer and (terms.notice_to is Boundary.BILLING_PERIOD or situation.refund_policy == "none"):
        return True
    otherwise = replace(terms, billing=new, billing_anchor=first)
    now, then = (quote_for_day(each, situation.today).last_day for each in (terms, otherwise))
    return now is not None and then is not None and then > now


def _helped(terms: dict[str, Any], situation: Situation) -> Figures:
    return _common(situation, situation.today, None) | terms


WORKED_OUT: dict[str, Callable[[dict[str, Any], Situation], Figures]] = {
    "pause": _paused,
    "smaller_plan": _made_smaller,
    "todays_price": _at_todays_price,
    "discount": _discounted,
    "free_period": _freed,
    "interval": _billed_otherwise,
    "help_session": _helped,
    "fix": _helped,
    "skip": _skipped,
    "hand_over": _helped,
}
