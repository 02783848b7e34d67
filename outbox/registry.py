"""Which function keeps the promises of a topic. Apps register theirs in ``ready()``."""

from collections.abc import Callable
from typing import Any

Payload = dict[str, Any]
Handler = Callable[[int, Payload], None]

_handlers: dict[str, Handler] = {}


def register(topic: str, handler: Handler) -> None:
    """Say who handles a topic. A second handler of one topic is a mistake: ValueError."""
    if _handlers.get(topic, handler) is not handler:
        raise ValueError(f"The topic {topic!r} has a handler already.")
    _handlers[topic] = handler


def handler_for(topic: str) -> Handler:
    """Return a topic's handler. LookupError where none is registered: the entry waits, it is not lost."""
    try:
        return _handlers[topic]
    except KeyError:
        raise LookupError(f"Nobody handles the topic {topic!r}.") from None
