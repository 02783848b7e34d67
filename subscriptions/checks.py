"""What must be right before customers come: host apps' keys, the rules of each place, the operator's own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError

from subscriptions import ledger, places, wording
from subscriptions.entry import LONGEST_ISSUER, KeyRefused, key_of
from subscriptions.models import Plan, Product
from subscriptions.packs import Packs, read
from subscriptions.parameters import PARAMETERS

REMEDY = "Say the fact without these words; docs/operators.md says which words press."


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


def check_packs(*, app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse policy packs with any fault, all faults at once: none must show first when a notice arrives."""
    folder, overrides = places.folders()
    packs, faults = read(folder, overrides)
    found: list[CheckMessage] = [Error(str(fault), hint=fault.remedy, id="subscriptions.E005") for fault in faults]
    return [*found, *_faults_of_history(packs), *_faults_of_home(packs)]


def _faults_of_history(packs: Packs) -> list[CheckMessage]:
    path = places.folders()[0] / ledger.FILE
    recorded = ledger.read(path.read_text(encoding="utf-8")) if path.is_file() else None
    if recorded is None:
        hint = "Put it back from the release, or make it anew with manage.py packs --record."
        return [Error(f"{path.name} is missing or is no ledger.", hint=hint, id="subscriptions.E006")]
    changed: list[CheckMessage] = [
        Error(str(fault), hint=fault.remedy, id="subscriptions.E007") for fault in ledger.broken(recorded, packs)
    ]
    if new := ledger.unrecorded(recorded, packs):
        told = f"{len(new)} entries of policy packs are not in {path.name} yet, the first is {new[0]}."
        changed.append(Warning(told, hint="Run manage.py packs --record.", id="subscriptions.W001"))
    return changed


def _faults_of_home(packs: Packs) -> list[CheckMessage]:
    home = packs.get(settings.HOME_PACK)
    if home is None:
        hint = f"Give one of {', '.join(packs)}."
        return [Error(f"FAIRWELL_HOME={settings.HOME_PACK!r} names no pack.", hint=hint, id="subscriptions.E008")]
    if not home.is_in_force:
        hint = "Its pages open, but contracts follow the default until it is in force."
        return [Warning(f"FAIRWELL_HOME={home.code!r} is a draft.", hint=hint, id="subscriptions.W002")]
    return []


def check_operator_words(*, app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Warn of an operator's name that presses: it stands on every page and in every letter."""
    told = wording.faults([("FAIRWELL_OPERATOR_NAME", str(settings.OPERATOR["name"]))])
    return [Warning(f"Words that press: {line}", hint=REMEDY, id="subscriptions.W003") for line in told]


def check_words_of_packs(*, app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Warn of labels of packs, and of an operator's own in their place, that press."""
    told = wording.faults(_labels())
    return [Warning(f"Words that press: {line}", hint=REMEDY, id="subscriptions.W005") for line in told]


def _labels() -> Iterator[tuple[str, str]]:
    for pack in places.packs().values():
        for layer in (pack.entries, pack.overrides):
            for entry in (entry for name, told in layer.items() if PARAMETERS[name].is_label for entry in told):
                texts = entry.value.values() if isinstance(entry.value, dict) else [entry.value]
                yield from (
                    (f"{entry.parameter or 'a label'} of pack {pack.code}", str(text)) for text in texts if text
                )


def check_words_on_file(
    *, app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """Warn of products and plans whose words press. Forms refuse them; an import or a script may have brought them."""
    if not databases:
        return []
    try:
        told = list(wording.faults(_on_file()))
    except DatabaseError:
        # Before the first migration there is nothing to read.
        return []
    return [Warning(f"Words that press: {line}", hint=REMEDY, id="subscriptions.W004") for line in told]


def _on_file() -> Iterator[tuple[str, str]]:
    for code, name in Product.objects.values_list("code", "name").iterator():
        yield f"the name of product {code}", name
    for code, name, stays_usable in Plan.objects.values_list("code", "name", "stays_usable").iterator():
        yield f"the name of plan {code}", name
        yield f"what stays usable of plan {code}", stays_usable
