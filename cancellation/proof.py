"""Check a receipt: whether one of our keys signed exactly this, and what it says.

Takes a compact JWS, or the file ``receipt.json`` that holds one beside the document in plain sight. Stateless: it
asks for the published keys and nothing else, so it never tells whether a contract or a receipt is on file.
Raises NotProven with the reason.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from cancellation import signing_keys
from cancellation.signing_keys import ALGORITHM, LARGEST, TYPE

PARTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
FORMAT = "fairwell-receipt/1"


class Fault(StrEnum):
    """Why something is not proven."""

    EMPTY = "empty"
    TOO_LARGE = "too-large"
    NO_RECEIPT = "no-receipt"
    OTHER_ALGORITHM = "other-algorithm"
    UNKNOWN_KEY = "unknown-key"
    CHANGED = "changed"
    NOT_THE_SAME = "not-the-same"


class NotProven(Exception):
    """It is no receipt of ours, or not as we signed it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Proven:
    """What was signed, and with which key."""

    document: dict[str, Any]
    kid: str


def check(given: str) -> Proven:
    """Return what a receipt says, if one of our keys signed it as it stands."""
    text = given.strip().lstrip("\ufeff")
    if not text:
        raise NotProven(Fault.EMPTY)
    if len(text) > 4 * LARGEST:
        raise NotProven(Fault.TOO_LARGE)
    shown = None
    if text.startswith("{"):
        text, shown = _in_file(text)
    # Mail programs break long lines; a blank is no part of a signature.
    proven = _checked("".join(text.split()))
    if shown is not None and shown != proven.document:
        raise NotProven(Fault.NOT_THE_SAME)
    return proven


def _in_file(text: str) -> tuple[str, Any]:
    """Return the signature in a file, and what the file shows beside it."""
    read = _json(text)
    if not isinstance(read, dict) or not isinstance(read.get("jws"), str):
        raise NotProven(Fault.NO_RECEIPT)
    return read["jws"], read.get("document")


def _checked(compact: str) -> Proven:
    if not PARTS.fullmatch(compact):
        raise NotProven(Fault.NO_RECEIPT)
    header = _json(_decoded(compact.split(".")[0]))
    if not isinstance(header, dict) or "alg" not in header:
        raise NotProven(Fault.NO_RECEIPT)
    if header["alg"] != ALGORITHM:
        raise NotProven(Fault.OTHER_ALGORITHM)
    keys = {jwk["kid"]: jwk for jwk in signing_keys.published()}
    kid = header.get("kid")
    if not isinstance(kid, str) or kid not in keys:
        raise NotProven(Fault.UNKNOWN_KEY)
    if not _is_canonical(compact):
        raise NotProven(Fault.CHANGED)
    try:
        registry = signing_keys.Registry(algorithms=[ALGORITHM])
        signed = jws.deserialize_compact(compact, OKPKey.import_key(keys[kid]), registry=registry)
    except (JoseError, ValueError) as error:
        raise NotProven(Fault.CHANGED) from error
    document = _json(signed.payload)
    if header.get("typ") != TYPE or not isinstance(document, dict) or document.get("format") != FORMAT:
        raise NotProven(Fault.NO_RECEIPT)
    return Proven(document, kid)


def _is_canonical(compact: str) -> bool:
    """Tell whether each part is written in the one way that its bytes are written.

    The last character of a signature has four bits to spare: without this, three others would read the same.
    """
    try:
        return all(urlsafe_b64encode(_decoded(part)).decode() == part for part in compact.split("."))
    except NotProven:
        return False


def _decoded(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part.encode())
    except ValueError as error:
        raise NotProven(Fault.NO_RECEIPT) from error


def _json(text: str | bytes) -> Any:
    """Return what a text says; brackets nested by the thousand exhaust the stack, and say nothing."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotProven(Fault.NO_RECEIPT) from error
