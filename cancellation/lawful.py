"""What the law of a place adds to a contract, for the quotes: better terms, caps, and the right to withdraw.

Whatever goes wrong here, the contract as agreed answers: no rule of any place stands between a customer and a notice.
Asks the database nothing; what it needs comes with the contract.
"""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any

from cancellation.quotes import Withdrawable
from subscriptions import places
from subscriptions.amounts import Money
from subscriptions.models import Contract
from subscriptions.reading import local_day

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


def pack_code(contract: Contract) -> str:
    """Return which place's rules a contract follows, for its notice and receipt; "" where they cannot be told."""
    try:
        return places.pack_of(contract).code
    except Exception:
        log.exception("The rules for contract %s could not be told.", contract.pk)
        return ""


def place_without_rules(contract: Contract) -> str:
    """Return the place of a contract that has no pack of its own, so that the desk is told; "" where it has one."""
    try:
        country, region = places.place_of(contract)
        return "" if not country or places.has_own_pack(contract) else "-".join(filter(None, (country, region)))
    except Exception:
        log.exception("The rules for contract %s could not be told.", contract.pk)
        return ""


def withdrawable(contract: Contract) -> Withdrawable | None:
    """Return until when and how a contract may be withdrawn from, or None where there is no such right."""
    last_day = places.withdrawal_last_day(contract)
    if last_day is None:
        return None
    return Withdrawable(last_day, contract.asked_to_start, contract.informed_of_withdrawal)
