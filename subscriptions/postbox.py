"""Keep the promise of a sign-in link: the worker looks up who has the address, and hands a letter on.

Nothing about this can be seen in the request that asked: known or not, it wrote the same row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from outbox import actions as outbox
from outbox.registry import Payload
from subscriptions import signin
from subscriptions.models import SignInToken

# An agency may hold each client's contract under a name of its own and one mailbox.
MOST_LINKS = 100


@transaction.atomic
def send_links(entry_id: int, payload: Payload) -> None:
    """Make a link for every customer with the address and promise a letter with all of them; or do nothing.

    Run twice it makes links twice, and still one letter: its key is the entry's.
    """
    if _is_stale(payload):
        return
    found = signin.customers_with(payload["email"])[:MOST_LINKS]
    # To the very address on file, each its own letter: addresses that look alike may be two people's.
    by_address = {customer.email: [c for c in found if c.email == customer.email] for customer in found}
    for number, customers in enumerate(by_address.values()):
        links = signin.new_links(customers, next_path=payload.get("next", ""), now=timezone.now())
        outbox.add(
            topic="letter",
            dedupe_key=f"sign-in-link:{entry_id}:{number}",
            payload=_letter(links, payload),
        )


def _is_stale(payload: Payload) -> bool:
    """Tell whether nobody waits any more: a link hours after it was asked for would only puzzle."""
    asked_at = datetime.fromisoformat(payload["asked_at"])
    return (timezone.now() - asked_at).total_seconds() > settings.SIGN_IN_MINUTES * 60


def _letter(links: list[SignInToken], payload: Payload) -> dict[str, Any]:
    """Return the facts of the letter. The links stand in it by their number; their secrets are not in it."""
    customers = [link.customer for link in links]
    return {
        "kind": "sign-in-link",
        "to": customers[0].email,
        "locale": payload["locale"],
        "customer_id": customers[0].pk if len(customers) == 1 else None,
        "contract_id": None,
        "facts": {
            "operator": settings.OPERATOR["name"],
            "support_email": settings.OPERATOR["support_email"],
            "minutes": settings.SIGN_IN_MINUTES,
            "links": [
                {"id": link.pk, "name": link.customer.name, "reference": link.customer.reference} for link in links
            ],
        },
    }
