"""Operators' own words, checked where they are typed and where they stand: none of them presses somebody who leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from subscriptions.lexicon import Found, pressing

NAMED = _("These words press somebody who leaves: %(words)s. Say the fact without them.")


def refuse_pressing(text: str) -> None:
    """Raise ValidationError with the words that press, and the remedy."""
    if found := pressing(text):
        raise ValidationError(NAMED, code="presses", params={"words": quoted(found)})


def refused(texts: Iterable[tuple[str, str]]) -> dict[str, ValidationError]:
    """Return what is wrong with texts, each under the name of its field; empty where nothing is."""
    wrong: dict[str, ValidationError] = {}
    for field, text in texts:
        try:
            refuse_pressing(text)
        except ValidationError as error:
            wrong[field] = error
    return wrong


def faults(texts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Return a line for each text that presses: what it is, and its words."""
    for what, text in texts:
        if found := pressing(text):
            yield f"{what}: {quoted(found)}"


def quoted(found: Iterable[Found]) -> str:
    """Return phrases as they are named to a person, each once."""
    return ", ".join(f"“{phrase}”" for phrase in dict.fromkeys(phrase.phrase for phrase in found))
