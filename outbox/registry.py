"""Which function keeps the promises of a topic. Apps register theirs in ``ready()``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

Payload = dict[str, Any]
Handler = Callable[[int, Payload], None]


class Unavailable(Exception):
    """What a topic depends on is down: trying the next entry of it now is pointless."""


@dataclass(frozen=True, slots=True)
class Leased:
    """An entry that a drain holds, as the surroundings of its batch see it."""

    entry_id: int
    dedupe_key: str
    payload: Payload


Around = Callable[[Sequence[Leased]], AbstractContextManager[Any]]


def nothing_around(batch: Sequence[Leased]) -> AbstractContextManager[Any]:
    """Surround a batch with nothing."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Topic:
    """How a topic is handled.

    ``handler(entry_id, payload)`` runs outside any transaction and may run twice for one entry. ``around(batch)`` is
    entered once for all entries of the topic in a batch: for a connection they share, for what is cheaper done for all.
    ``forget`` empties the payload once it is done with, where keeping it would keep personal data for nothing.
    ``lane`` names the value of the payload whose entries must not overtake one another, such as "contract_id".
    """

    handler: Handler
    around: Around = nothing_around
    forget: bool = False
    lane: str = ""


_topics: dict[str, Topic] = {}


def register(
    topic: str, handler: Handler, *, around: Around = nothing_around, forget: bool = False, lane: str = ""
) -> None:
    """Say who handles a topic. A second handler of one topic is a mistake: ValueError."""
    if topic in _topics and _topics[topic].handler is not handler:
        raise ValueError(f"The topic {topic!r} has a handler already.")
    _topics[topic] = Topic(handler, around, forget, lane)


def topic_for(name: str) -> Topic:
    """Return how a topic is handled. LookupError where nobody does: its entries wait, they are not lost."""
    try:
        return _topics[name]
    except KeyError:
        raise LookupError(f"Nobody handles the topic {name!r}.") from None


def lane_of(topic: str, payload: Payload) -> str:
    """Return what an entry has to wait its turn in; "" where nothing of its topic is kept in order."""
    known = _topics.get(topic)
    return str(payload.get(known.lane) or "") if known and known.lane else ""


def topics() -> set[str]:
    """Return the topics that are handled in this process."""
    return set(_topics)
