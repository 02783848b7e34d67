"""The figures of options in words, for staff: of what an option offers, and of what somebody was shown or agreed to.

A name that is not known is shown as it stands, so nothing that was agreed is ever hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cancellation.models import Offer
from cancellation.offer_boxes import TERM_BOXES, WHO_BOXES, as_dict, is_amount
from cancellation.offer_versions import changes
from config.formats import format_day
from subscriptions.amounts import Money
from subscriptions.formats import format_money
from subscriptions.money import MINOR_DIGITS

# Names of figures that have no box of their own in the form.
NAMES: dict[str, Any] = {
    "starts_on": gettext_lazy("starts on"),
    "until": gettext_lazy("until"),
    "price_before_minor": gettext_lazy("price before"),
    "price_after_minor": gettext_lazy("price afterwards"),
    "cost_minor": gettext_lazy("what it costs the business"),
    "to_plan_name": gettext_lazy("name of the plan"),
    "title": gettext_lazy("title"),
    "text": gettext_lazy("text"),
}


def name_of(field: str, kind: str = "") -> str:
    """Return what a figure is called: as its box, in the form of its kind or of another one."""
    boxes = [TERM_BOXES.get(kind, {}), WHO_BOXES, *TERM_BOXES.values()]
    names = (
        box[f"{prefix}_{field}"].label for box in boxes for prefix in ("term", "who") if f"{prefix}_{field}" in box
    )
    return str(NAMES.get(field) or next(names, field))


def figures(terms: Any, kind: str = "", currency: str = "") -> Iterator[tuple[str, str]]:
    """Return name and value of each figure, both in words."""
    if not isinstance(terms, dict):
        return
    currency = str(terms.get("currency") or currency)
    for name, value in terms.items():
        if value is not None and not (name == "currency" and _has_money(terms)):
            yield name_of(name, kind), _shown(name, value, currency)


def _has_money(terms: dict[str, Any]) -> bool:
    return any(is_amount(name) and value is not None for name, value in terms.items())


def _shown(name: str, value: Any, currency: str) -> str:
    if is_amount(name) and isinstance(value, int) and currency in MINOR_DIGITS:
        return format_money(Money(value, currency))
    if name == "prices" and isinstance(value, dict):
        told = (_shown("price_minor", minor, code) for code, minor in sorted(value.items()))
        return ", ".join(told)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        with suppress(ValueError):
            return format_day(date.fromisoformat(value), width="medium")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def differences(before: dict[str, Any] | None, after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what a version changed: what it is called, what stood there, and what stands there since."""
    kind = str(after.get("kind", ""))
    return [
        (
            _path_in_words(change.name, kind),
            _said(change.name, change.before, before),
            _said(change.name, change.after, after),
        )
        for change in changes(before, after)
    ]


def _path_in_words(path: str, kind: str) -> str:
    """Return what a part of a definition is called, such as "texts, en, title"."""
    whole, *inner = path.split(".")
    if whole in ("terms", "eligibility") and inner:
        return ", ".join(name_of(name, kind) for name in inner)
    columns: dict[str, Any] = {
        field.name: field.verbose_name for field in (*Offer._meta.fields, *Offer._meta.many_to_many)
    }
    return ", ".join([str(columns.get(whole, whole)), *(str(NAMES.get(name, name)) for name in inner)])


def _said(path: str, value: Any, definition: dict[str, Any] | None) -> str:
    if value is None or value in ("", []):
        return "–"
    whole, _dot, name = path.rpartition(".")
    if whole == "terms.prices":
        return _shown("price_minor", value, name)
    currency = str(as_dict(as_dict(definition).get(whole.partition(".")[0])).get("currency", ""))
    return _shown(name, value, currency)
