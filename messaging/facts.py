"""Read the frozen facts of a letter into what its templates show.

Days travel as ISO dates, instants as ISO with their offset, money as [minor units, currency]; what a value
is, its name says (``…_day``, ``…_on``, ``…_at``). Raises ValueError for what cannot be read: the letter then
waits to be looked at, for a wrong day in a confirmation is worse than a late one.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from subscriptions import pack_words, words
from subscriptions.amounts import Money
from subscriptions.formats import format_money
from subscriptions.terms import Terms

Facts = dict[str, Any]


def read(facts: Facts) -> Facts:
    """Return the facts with days, instants and money as such, and the sentences that explain a quote.

    The sentences are in the active language.
    """
    known = {name: _read(name, value) for name, value in facts.items() if name != "terms"}
    if quote := known.get("quote"):
        # Where the law gives better terms than agreed, the quote says which ones applied.
        applied = Terms.from_dict(facts["quote"].get("terms") or facts["terms"])
        known["why"] = [*pack_words.better(facts["quote"].get("improvements", [])), *words.why(applied, quote["rule"])]
        known["arithmetic"] = [_line(line, known) for line in quote.pop("refund_lines")]
        known["declared"] = str(facts["declaration"]).splitlines()
        known["starts"] = quote["last_day"] >= date.fromisoformat(facts["terms"]["starts_on"])
    return known


def _read(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _read(inner, given) for inner, given in value.items()}
    if isinstance(value, str) and name.endswith(("_day", "_on")):
        return date.fromisoformat(value)
    if isinstance(value, str) and name.endswith("_at"):
        return datetime.fromisoformat(value)
    if name == "other_refunds":
        return [Money(*pair) for pair in value]
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], int):
        return Money(*value)
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return [_read("", row) for row in value]
    return value


def _line(line: list[Any], known: Facts) -> Facts:
    """Return one line of the refund: the days paid for, what was paid, what comes back, and how that comes about."""
    paid_from, paid_to = date.fromisoformat(line[0]), date.fromisoformat(line[1])
    paid, back = Money(*line[2]), Money(*line[3])
    if known["quote"].get("way") == "withdrawal":
        # The refund of a withdrawal follows no policy; the reason above says how it comes about.
        return {"paid_from": paid_from, "paid_to": paid_to, "paid": paid, "back": back, "how": ""}
    how = words.refund(
        paid_from=paid_from,
        paid_to=paid_to,
        last_day=known["quote"]["last_day"],
        policy=known["refund_policy"],
        paid=format_money(paid),
        back=format_money(back),
    )
    return {"paid_from": paid_from, "paid_to": paid_to, "paid": paid, "back": back, "how": how}
