"""The keys that receipts are signed with: the private one of today, the public ones of all time.

Ed25519 (RFC 8032), named by its RFC 7638 thumbprint. The private key is ``FAIRWELL_RECEIPT_KEY``, or derived from
``SECRET_KEY`` where none is given. Every public key that was used stays published, so an old receipt can always be
checked; a changed key only means another ``kid``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from joserfc import jws
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64encode

from cancellation.models import SigningKey

ALGORITHM = "Ed25519"
# What kind of signed thing it is (RFC 8725, 3.11): nothing else that a key of ours signs can pass for a receipt.
TYPE = "fairwell-receipt+jws"
SEED_BYTES = 32
# Another purpose, another info: nothing else can be derived into the same key.
DERIVED_FOR = b"fairwell receipt signing key, Ed25519, 1"
LARGEST = 1_000_000

Jwk = dict[str, Any]

# What this process has seen stored. A key that could not be stored is tried again with the next receipt.
_stored: set[str] = set()


@dataclass(frozen=True, slots=True)
class Signer:
    """The key of today. ``public`` is what is published, with its ``kid``, ``alg`` and ``use``."""

    kid: str
    key: OKPKey
    public: Jwk


class Registry(jws.JWSRegistry):
    """Room for a long declaration: the library's own limit of 128 kB is less than 50 000 Japanese characters take."""

    max_payload_length = LARGEST


def sign(payload: bytes) -> tuple[str, str]:
    """Return the compact JWS of a payload, and the ``kid`` of its key. Asks no table."""
    signer = current()
    header = {"alg": ALGORITHM, "kid": signer.kid, "typ": TYPE}
    if signer.kid not in _stored:
        # After the caller's transaction, whatever becomes of it: a receipt never waits for the list of keys.
        transaction.on_commit(store, robust=True)
    return jws.serialize_compact(header, payload, signer.key, registry=Registry(algorithms=[ALGORITHM])), signer.kid


def current() -> Signer:
    """Return the key of today."""
    return _signer(settings.RECEIPT_KEY, settings.SECRET_KEY)


@functools.lru_cache(maxsize=4)
def _signer(seed: bytes | None, secret_key: str) -> Signer:
    seed = seed or HKDF(SHA256(), SEED_BYTES, salt=None, info=DERIVED_FOR).derive(secret_key.encode())
    x = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    public = _published({"kty": "OKP", "crv": "Ed25519", "x": urlsafe_b64encode(x).decode()})
    return Signer(public["kid"], OKPKey.import_key({**public, "d": urlsafe_b64encode(seed).decode()}), public)


def _published(jwk: Jwk) -> Jwk:
    """Return a public key as it is published: its three parts, what it is for, and its thumbprint as name."""
    bare = {name: jwk[name] for name in ("kty", "crv", "x")}
    return {**bare, "use": "sig", "alg": ALGORITHM, "kid": OKPKey.import_key(bare).thumbprint()}


def store() -> None:
    """Keep the public key of today for good. Again changes nothing."""
    signer = current()
    SigningKey.objects.bulk_create([SigningKey(kid=signer.kid, public_jwk=signer.public)], ignore_conflicts=True)
    _stored.add(signer.kid)


def published() -> list[Jwk]:
    """Return every public key, today's first, then the operator's list, then what was used. One statement."""
    used = SigningKey.objects.values_list("public_jwk", flat=True)
    keys: dict[str, Jwk] = {}
    for jwk in (current().public, *map(_published, settings.RECEIPT_KEYS_OLD), *used):
        keys.setdefault(jwk["kid"], jwk)
    return list(keys.values())
