"""What the rules of a place let stand on the guided way: which steps, how many options, and whether those need a yes.

Asked by the steps, which are on the notice path, and by the decision about options, which is not: both must say the
same. Asks the database nothing. Source: LAW R14, table B (``guided_steps``, ``offer_rules``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from subscriptions import places
from subscriptions.models import Contract
from subscriptions.packs import Pack

# Where a place wants options near the entry, they do not stand in the guided way.
NEAR_ENTRY, WITH_PERMISSION = "near_entry", "with_permission"


def pack_for(contract: Contract) -> Pack:
    """Return whose rules say what may stand in the guided way; what protects consumers binds their contracts only."""
    return places.pack_of(contract) if contract.is_consumer else places.packs()[places.DEFAULT]


def steps_named(pack: Pack, on: date, sector: str = "") -> frozenset[str]:
    """Return the steps that a pack names, the one after the act among them."""
    return frozenset(pack.get("guided_steps", on, sector) or ())


def most_options(pack: Pack, on: date, sector: str = "") -> int:
    """Return how many options may stand in the guided way; permission is another question."""
    rules = _offer_rules(pack, on, sector)
    if "options" not in steps_named(pack, on, sector) or rules.get("condition") == NEAR_ENTRY:
        return 0
    return int(rules.get("guided_max", 0))


def asks_permission(pack: Pack, on: date, sector: str = "") -> bool:
    """Tell whether options may stand in the guided way of those alone who said yes to it beforehand."""
    return _offer_rules(pack, on, sector).get("condition") == WITH_PERMISSION


def _offer_rules(pack: Pack, on: date, sector: str) -> Mapping[str, Any]:
    rules: Mapping[str, Any] = pack.get("offer_rules", on, sector) or {}
    return rules
