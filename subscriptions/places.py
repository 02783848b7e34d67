"""The packs of this desk: read once, asked often, and never in the way of a notice.

The folder that is shipped (``POLICY_DIR``) and the operator's own (``POLICY_OVERRIDES``) are read when first asked.
What is wrong with them is told by ``manage.py check``; a running desk goes on with what it read last, or with what
can be read, and says so in its log. Nothing here asks the database beyond a contract that is loaded already.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock

from django.conf import settings

from subscriptions import deadlines, law, reading
from subscriptions.law import Applied
from subscriptions.models import Contract
from subscriptions.packs import Fault, Pack, Packs, read

log = logging.getLogger(__name__)
DEFAULT = "default"


@dataclass(slots=True)
class _Kept:
    """What was read from which folders."""

    folders: tuple[Path, Path | None] | None = None
    packs: Packs | None = None


_kept, _lock = _Kept(), Lock()


def folders() -> tuple[Path, Path | None]:
    """Return where the packs lie: the shipped ones and, if there are any, the operator's choices."""
    overrides = settings.POLICY_OVERRIDES
    return Path(settings.POLICY_DIR), Path(overrides) if overrides else None


def packs() -> Packs:
    """Return all packs. Raises nothing: faults are logged, and what is faulty is left out."""
    asked, kept = folders(), _kept
    if kept.packs is not None and kept.folders == asked:
        return kept.packs
    with _lock:
        if kept.packs is None or kept.folders != asked:
            kept.packs, faults = read(*asked)
            kept.folders = asked
            _tell(faults)
        return kept.packs


def reload() -> list[Fault]:
    """Read the packs again. With any fault the last good ones stay; the faults are logged and returned."""
    asked = folders()
    fresh, faults = read(*asked)
    _tell(faults)
    with _lock:
        if not faults or _kept.packs is None or _kept.folders != asked:
            _kept.packs, _kept.folders = fresh, asked
    return faults


def _tell(faults: list[Fault]) -> None:
    for fault in faults:
        log.error("policy pack: %s. %s", fault, fault.remedy)


def home() -> Pack:
    """Return the pack of the operator's own country; the default where it is not known (a check says so)."""
    known = packs()
    return known.get(settings.HOME_PACK) or known[DEFAULT]


def zone_of_page(code: str) -> str:
    """Return the time zone in which a public page of these rules tells its instants; else the operator's own.

    A pack for no country in particular has no zone of its own, whatever stands in it.
    """
    pack = packs().get(code)
    return pack.timezone if pack and pack.country else str(settings.TIME_ZONE)


def place_of(contract: Contract) -> tuple[str, str]:
    """Return country and region of a contract: its own, else its holder's."""
    return contract.country or contract.customer.country, contract.region


def pack_of(contract: Contract) -> Pack:
    """Return the pack in force that a contract follows."""
    return packs().for_place(*place_of(contract))[0]


def has_own_pack(contract: Contract) -> bool:
    """Tell whether a contract's place has a pack in force; without one it follows the default, and the desk is told."""
    return packs().for_place(*place_of(contract))[1]


def sector_of(contract: Contract) -> str:
    """Return the kind of service, where a place may have rules of its own for it."""
    return contract.plan.product.sector


def concluded_on(contract: Contract) -> date:
    """Return the local day on which a contract was made; without one, the day it starts."""
    if contract.concluded_at is None:
        return contract.starts_on
    return reading.local_day(contract.concluded_at, contract.agreed.timezone, "concluded_at")


def applied(contract: Contract, on: date) -> Applied:
    """Return the terms that apply to a notice of a day. Raises TermsError where the agreed ones cannot be read."""
    return law.improve(
        contract.agreed,
        pack_of(contract),
        concluded_on=concluded_on(contract),
        on=on,
        sector=sector_of(contract),
        is_consumer=contract.is_consumer,
    )


def withdrawal_last_day(contract: Contract) -> date | None:
    """Return the last day to withdraw from a contract; None where there is no such right, or nobody knows since when.

    Raises FieldError where the time zone of the terms cannot be read.
    """
    if contract.concluded_at is None or not contract.is_consumer:
        return None
    country, region = place_of(contract)
    return deadlines.withdrawal_last_day(
        pack_of(contract),
        contract.concluded_at,
        timezone=contract.agreed.timezone,
        country=country,
        region=region,
        sector=sector_of(contract),
        informed=contract.informed_of_withdrawal,
    )


def exit_fee_cap(contract: Contract, on: date) -> int | None:
    """Return the most that leaving early may cost by contract and law, in minor units; None without a cap."""
    agreed = contract.exit_fee_cap_minor
    if not contract.is_consumer:
        return agreed
    rule = pack_of(contract).binding("exit_fee_cap", on, sector_of(contract), concluded_on=concluded_on(contract))
    by_law = law.fee_cap(
        rule.value if rule else None,
        monthly_fee=law.monthly_fee(contract.price_minor, contract.agreed.billing),
        currency=contract.currency,
    )
    return min((cap for cap in (agreed, by_law) if cap is not None), default=None)
