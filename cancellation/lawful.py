"""What the law of a place adds to a contract, for the quotes: better terms, caps, and the right to withdraw.

Whatever goes wrong here, the contract as agreed answers: no rule of any place stands between a customer and a notice.
Asks the database nothing; what it needs comes with the contract.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cancellation.quotes import Withdrawable
from subscriptions import places
from subscriptions.amounts import Money
from subscriptions.models import Contract
from subscriptions.periods import month_later
from subscriptions.reading import local_day
from subscriptions.withdrawal import withdrawal_deadline

AT_RECEIPT = "end_at_receipt"

log = logging.getLogger(__name__)


def of(contract: Contract, at: datetime) -> dict[str, Any]:
    """Return what ``Agreed`` takes beside the contract's own terms, as of the instant of a notice."""
    try:
        on = local_day(at, contract.agreed.timezone)
        cap = places.exit_fee_cap(contract, on)
        return {
            "law": places.applied(contract, on),
            "at_once": _is_at_fault(contract, on),
            "exit_fee_cap": None if cap is None else Money(cap, contract.currency),
            "withdrawable": withdrawable(contract),
        }
    except Exception:
        # TermsError too: the caller meets it again where it reads the terms, and says so.
        log.exception("The rules for contract %s could not be applied.", contract.pk)
        minor = contract.exit_fee_cap_minor
        return {"exit_fee_cap": None if minor is None else Money(minor, contract.currency)}


def _is_at_fault(contract: Contract, on: date) -> bool:
    """Tell whether the public page of this place was at fault at that instant, and the law ends contracts for it."""
    faulty = getattr(contract, "packs_at_fault", None)
    if not faulty or not contract.is_consumer:
        return False
    pack = places.pack_of(contract)
    return pack.code in faulty and pack.get("button_broken_effect", on) == AT_RECEIPT


def withdrawable(contract: Contract) -> Withdrawable | None:
    """Return until when and how a contract may be withdrawn from, or None where there is no such right.

    A holder who was not told of the right keeps it for longer. Where nobody noted when the contract was made, the
    day it starts counts: doubt favours the holder.
    """
    pack, sector, made_on = places.pack_of(contract), places.sector_of(contract), places.concluded_on(contract)
    days = pack.get("withdrawal_days", made_on, sector) if contract.is_consumer else 0
    if not days:
        return None
    if pack.get("withdrawal_counting", made_on, sector) == "first_day_counts":
        last_day = made_on + timedelta(days=days - 1)
    else:
        last_day = withdrawal_deadline(_made_at(contract), days, contract.agreed.timezone, *_holidays_of(contract))
    if not contract.informed_of_withdrawal:
        last_day = month_later(last_day, pack.get("withdrawal_uninformed_months", made_on, sector))
    return Withdrawable(last_day, contract.asked_to_start, contract.informed_of_withdrawal)


def _holidays_of(contract: Contract) -> tuple[str, str | None]:
    """Return the country and region whose holidays move the end of a withdrawal period."""
    country, region = places.place_of(contract)
    # Without a country only week-ends move it; the package has no holidays for nowhere.
    return country or "DE", region or None


def _made_at(contract: Contract) -> datetime:
    return contract.concluded_at or datetime.combine(contract.starts_on, time(12), UTC)
