"""What events say, in the reader's language.

An event is kept for good, so its reason is kept in one language; the desk reads it in its own. What is not known
here, such as what staff wrote, is shown as it stands.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing.models import Kind
from cancellation import parts_words
from cancellation.models import AcceptanceState, AnnouncementState, NoticeState, OfferKind, State, TaskKind, Way
from cancellation.ways import GROUNDS
from config.formats import format_day

_DAY = r"(?P<day>\d{4}-\d\d-\d\d)"
_WHY: tuple[tuple[str, Any], ...] = (
    (rf"last day {_DAY}", _("last day %(day)s")),
    (rf"kept until {_DAY}", _("kept until %(day)s")),
    (rf"the quote changed: last day {_DAY}, net (?P<net>.+)", _("the quote changed: last day %(day)s, net %(net)s")),
    (rf"the contract ends on {_DAY} by another notice", _("the contract ends on %(day)s by another notice")),
    (r"the contract had ended by itself", _("the contract had ended by itself")),
    (r"the holder undid the notice", _("the holder undid the notice")),
    (r"the holder undid the end", _("the holder undid the end")),
    (r"the holder took it back", _("the holder took it back")),
    (r"the terms of the contract cannot be read", _("the terms of the contract cannot be read")),
    (r"the time for a withdrawal is over", _("the time for a withdrawal is over")),
    (r"withdrawn from beside an end that stands", _("withdrawn from beside an end that stands")),
    (r"another notice, (?P<reference>\S+)", _("by another notice, %(reference)s")),
    (rf"(?P<way>{'|'.join(Way.values)})(?: (?P<ground>{'|'.join(GROUNDS)}))?", "%(way)s"),
    (r"reference and e-mail address", _("by reference and e-mail address")),
    (r"reference and name", _("by reference and name")),
    (r"matched at the desk", _("at the desk")),
    (r"the wished day is far away", _("the wished day is far away")),
    (r"deleted as its holder asked", _("deleted as its holder asked")),
    (r"the holder says: not me", _("the holder says that it was not them")),
    (r"repudiated after the last day", _("repudiated after the last day")),
    (r"repudiated after it changed another end", _("repudiated after it changed another end")),
    (r"no rules of its own for (?P<place>.+)", _("no rules of its own for %(place)s")),
    (rf"(?P<kind>{'|'.join(Kind.values)}) {_DAY}", "%(kind)s, %(day)s"),
    (rf"task (?P<task>{'|'.join(TaskKind.values)})", "%(task)s"),
    (rf"(?P<option>{'|'.join(OfferKind.values)}) (?P<reference>O\S+)", "%(option)s, %(reference)s"),
)
_PARTS = {*parts_words.CHOICES, *parts_words.STEPS}
_STATES: dict[str, Any] = {
    code: label for states in (AcceptanceState, AnnouncementState, NoticeState, State) for code, label in states.choices
}


def why_in_words(why: str) -> str:
    """Return why something happened."""
    for pattern, words in _WHY:
        if found := re.fullmatch(pattern, why):
            return str(words) % {name: _shown(name, value) for name, value in found.groupdict("").items()}
    return _parts_in_words(why) or why


def _parts_in_words(why: str) -> str:
    """Return choices for parts, or a step, in words: ``domain: take; server: keep``. "" for anything else."""
    told = [entry.partition(": ") for entry in why.split("; ")]
    known = all(kind in parts_words.KINDS and code in _PARTS for kind, _colon, code in told)
    return "; ".join(parts_words.told(kind, code) for kind, _colon, code in told) if known else ""


def state_in_words(code: str) -> str:
    """Return the state that an event led from or to."""
    return str(_STATES.get(code, code))


def _shown(name: str, value: str) -> str:
    if name == "way":
        return str(Way(value).label)
    if name == "option":
        return str(OfferKind(value).label)
    if name == "day":
        return format_day(date.fromisoformat(value))
    if name == "task":
        return str(TaskKind(value).label)
    return str(Kind(value).label) if name == "kind" else value
