"""The entries that every public page shows: to cancel, and to withdraw exactly while such a right may exist.

The labels are the pack's own, byte for byte, in the pack's own language. Asks nothing of the database.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from subscriptions import places
from subscriptions.packs import Pack

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on a control, and the language it is in."""

    text: str
    lang: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its label, where it leads, and which act begins there ("cancel" or "withdraw")."""

    label: Label
    url: str
    act: str


def entries(pack: Pack | None = None) -> tuple[Entry, ...]:
    """Return the entries of the operator's home, or of another place on its own pages."""
    at_home = pack is None or pack.code == places.home().code
    pack, today = pack or places.home(), timezone.localdate()
    where = [] if at_home else [pack.code]
    shown = [Entry(label(pack, "entry_label", today), reverse("cancellation:door", args=where), "cancel")]
    if may_withdraw(pack, today):
        told = label(pack, "withdrawal_labels", today, "entry")
        shown.append(Entry(told, reverse("cancellation:withdrawal-door", args=where), "withdraw"))
    return tuple(shown)


def entries_anyhow() -> tuple[Entry, ...]:
    """Return the entries of home for a page that must come up whatever is broken; empty where even they are."""
    try:
        return entries()
    except Exception:
        log.exception("The entries cannot be shown.")
        return ()


def label(pack: Pack, parameter: str, on: date, part: str = "") -> Label:
    """Return a label of a pack, in the language of whichever pack it comes from."""
    value = pack.rule(parameter, on)
    source = places.packs().get(value.pack, pack)
    return Label(str(value.value[part] if part else value.value), source.language)


def may_withdraw(pack: Pack, on: date) -> bool:
    """Tell whether a right to withdraw may exist for anything that this operator sells in a place."""
    return any((pack.get("withdrawal_days", on, sector) or 0) > 0 for sector in ("", *settings.OPERATOR_SECTORS))
