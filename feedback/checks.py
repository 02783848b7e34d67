"""What must be right with the reasons that are offered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError

from feedback.models import Reason
from subscriptions import wording
from subscriptions.checks import REMEDY


def check_words_of_reasons(
    *, app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """Warn of reasons whose labels press. The form refuses them; a script may have brought them."""
    if not databases:
        return []
    try:
        told = list(wording.faults(_on_file()))
    except DatabaseError:
        # Before the first migration there is nothing to read.
        return []
    return [Warning(f"Words that press: {line}", hint=REMEDY, id="feedback.W001") for line in told]


def _on_file() -> Iterator[tuple[str, str]]:
    for code, labels in Reason.objects.values_list("code", "labels"):
        for language, words in (labels if isinstance(labels, dict) else {}).items():
            yield f"the label of reason {code} in {language}", str(words)
