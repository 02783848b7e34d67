"""What the outbox asks of feedback."""

from datetime import datetime

from feedback.actions import keep_answer
from outbox.registry import Payload


def said(entry_id: int, payload: Payload) -> None:
    """Keep what was said in the moment of leaving. Twice does no harm: a cancellation has one answer."""
    keep_answer(
        contract_id=payload["contract_id"],
        cancellation_id=payload["cancellation_id"],
        said=payload["said"],
        said_at=datetime.fromisoformat(payload["said_at"]),
    )
