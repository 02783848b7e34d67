"""Reading what an operator writes about an option: what its kind needs, and who may have it.

Pure. Money is integer minor units beside its ISO 4217 code; lengths are whole months, days or billing periods.
Whatever cannot be used is a RuleError, which names the field, says what is wrong and what would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from subscriptions.money import minor_digits
from subscriptions.reading import FieldError, read_count, shown

MOST_PERIODS, MOST_MONTHS, MOST_DAYS, MOST_MINOR = 36, 120, 3650, 10**12


class RuleError(ValueError):
    """A rule cannot be used as it is written; ``field`` is where, ``words`` say what is wrong and the remedy."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field
        self.words = words


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
