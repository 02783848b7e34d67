"""What must be right in the settings before a host app may send customers in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from subscriptions.entry import LONGEST_ISSUER, KeyRefused, key_of


def check_entry_keys(*, app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse entry keys that are too weak, of another kind, or not meant for this desk."""
    keys = settings.ENTRY_KEYS
    if not isinstance(keys, dict):
        return [Error("FAIRWELL_ENTRY_KEYS must be a JSON object of issuers and their keys.", id="subscriptions.E001")]
    found = [message for issuer, jwk in keys.items() for message in _faults(issuer, jwk)]
    if keys and not settings.ENTRY_AUDIENCE:
        hint = "Set it to the name that host apps write into the claim aud, such as the desk's address."
        found.append(Error("FAIRWELL_ENTRY_AUDIENCE is empty.", hint=hint, id="subscriptions.E004"))
    return found


def _faults(issuer: str, jwk: Any) -> list[CheckMessage]:
    if not 0 < len(issuer) <= LONGEST_ISSUER:
        return [
            Error(f"An issuer in FAIRWELL_ENTRY_KEYS needs 1 to {LONGEST_ISSUER} letters.", id="subscriptions.E002")
        ]
    try:
        key_of(jwk)
    except KeyRefused as refused:
        return [Error(f"The key of {issuer!r} in FAIRWELL_ENTRY_KEYS is refused: {refused}", id="subscriptions.E003")]
    return []
