"""The letters and receipts of a customer, for themselves: what was sent to them, and what proves what they declared.

A letter is somebody's own where it was written to them; one about their contract that went to somebody else is not
theirs to read. A link that lets whoever has it in stands in no letter that is shown.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from cancellation.models import NoticeState, Receipt, ReceiptKind
from messaging.models import Letter
from subscriptions.models import Contract

SHOWN = 6
# A link that was blotted out when the letter was kept, and one by which anybody could say that it was not the holder.
OPENS = re.compile(r"https?://[^\s\"'<>]*/(?:blotted-out(?:-\d+)?|not-me/[^\s\"'<>/]+)/?")


def letters_of(customer_id: int) -> QuerySet[Letter]:
    """Return the letters to a customer, the newest first, without their texts."""
    return Letter.objects.filter(customer=customer_id).select_related("contract").defer("text", "html", "message_id")


def receipts_of(contract: Contract) -> QuerySet[Receipt]:
    """Return the receipts of a contract that can still be read, the newest first, without their documents.

    What a stranger got for a declaration that the holder disowned is the stranger's.
    """
    of_a_stranger = Q(kind=ReceiptKind.RECEIVED, notice__state=NoticeState.REPUDIATED)
    rows = Receipt.objects.filter(notice__contract=contract).exclude(jws="").exclude(of_a_stranger)
    return rows.select_related("notice").only("number", "key", "kind", "issued_at", "notice__reference")


def of_contract(contract: Contract) -> dict[str, Any]:
    """Return the newest letters and receipts of a contract, and whether there are more of them."""
    letters = list(letters_of(contract.customer_id).filter(contract=contract)[: SHOWN + 1])
    receipts = list(receipts_of(contract)[: SHOWN + 1])
    return {
        "letters": letters[:SHOWN],
        "receipts": receipts[:SHOWN],
        "has_more_papers": max(len(letters), len(receipts)) > SHOWN,
    }


def text_of(letter: Letter) -> str:
    """Return what a letter says, without the links that let somebody in."""
    return OPENS.sub(f"[{_('a link that is shown in your mail only')}]", letter.text).strip()
