"""The frozen facts of the receipt to whoever stood at a public door.

The address that was typed gets back what was typed and when it came, and no more: it may be anybody's. What follows
from it goes to the address on file, by ``letters``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from cancellation import receipts, uploads
from cancellation.models import Act, Declared, Evidence, Notice, Receipt
from subscriptions import places

# A greeting is for a name; what is longer stands in the declaration below it.
LONGEST_GREETING = 100


def received(notice: Notice, declared: Declared, receipt: Receipt, left_out: Sequence[Evidence] = ()) -> dict[str, Any]:
    """Return the facts of the receipt to the address that was typed: the declaration and its instant.

    ``left_out`` are files that came with it and were not kept.
    """
    facts = {
        "operator": settings.OPERATOR["name"],
        "support_email": settings.OPERATOR["support_email"],
        "name": declared.name if len(declared.name) <= LONGEST_GREETING else "",
        "notice_reference": notice.reference,
        "received_at": received_at(notice).isoformat(timespec="seconds"),
        "left_out": [{"name": row.name, "why": uploads.fault_of(row)} for row in left_out],
        "receipt": receipts.facts_of(receipt),
    }
    return {
        "kind": "withdrawal-received" if notice.act == Act.WITHDRAW else "declaration-received",
        "to": declared.email.strip(),
        "locale": notice.locale,
        "customer_id": None,
        "contract_id": None,
        "facts": facts,
    }


def received_at(notice: Notice) -> datetime:
    """Return when a declaration came, in the time zone of the rules that its page followed."""
    return notice.received_at.astimezone(ZoneInfo(places.zone_of_page(notice.pack)))
