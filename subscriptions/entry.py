"""Tokens of a host app that has signed a customer in already: ``/enter/?t=<JWT>``.

A JWT (RFC 7519) signed with the issuer's key from ``ENTRY_KEYS``: an ``oct`` key of at least 32 bytes (HS256,
HS384, HS512) or an Ed25519 key (``Ed25519``; ``EdDSA`` is its older name). Claims: ``iss``, ``aud``, ``sub``
(the customer's reference), ``iat``, ``exp``, ``jti``; either ``contract`` (a reference) or ``next`` (a path)
may say where to go. It lives 15 minutes at most and works once. EntryRefused carries what the page says and
its status.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from joserfc import jws, jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, MissingClaimError
from joserfc.jwk import OctKey, OKPKey
from joserfc.util import urlsafe_b64decode

from subscriptions.models import Customer, EntryToken
from subscriptions.signin import safe_path

SHORTEST_SECRET = 32
LONGEST_LIFE = 15 * 60
# Two machines' clocks are never quite alike.
SKEW = 30
LONGEST_TOKEN = 4096
LONGEST_JTI = 200
LONGEST_ISSUER = 100

# What parsing a stranger's text raises; brackets nested by the thousand exhaust the stack.
UNREADABLE = (JoseError, ValueError, TypeError, RecursionError)

Key = OctKey | OKPKey


class KeyRefused(ValueError):
    """A key of ``ENTRY_KEYS`` that cannot be used; the message says what is wrong and what would be right."""


class EntryRefused(Exception):
    """A token that lets nobody in: tampered (400), forbidden or unknown (403), expired or used (410)."""

    def __init__(self, fault: str, status: int) -> None:
        super().__init__(fault)
        self.fault = fault
        self.status = status


@dataclass(frozen=True, slots=True)
class Entered:
    """Whom a token lets in, and where they want to go ("" for nowhere in particular)."""

    customer: Customer
    path: str


def key_of(jwk: Mapping[str, Any]) -> Key:
    """Return the key of a JWK. KeyRefused for a short secret, another kind of key, or what is no JWK."""
    kind = jwk.get("kty") if isinstance(jwk, Mapping) else None
    try:
        if kind == "oct":
            if len(urlsafe_b64decode(str(jwk.get("k", "")).encode())) < SHORTEST_SECRET:
                raise KeyRefused(f"the secret is shorter than {SHORTEST_SECRET} bytes; make one with 32 random bytes.")
            return OctKey.import_key(dict(jwk))
        if kind == "OKP" and jwk.get("crv") == "Ed25519":
            return OKPKey.import_key(dict(jwk))
    except KeyRefused:
        raise
    except (JoseError, ValueError, TypeError, KeyError, binascii.Error) as error:
        raise KeyRefused(f"it is no valid JWK ({error}).") from error
    raise KeyRefused('it must be a JWK with "kty": "oct", or with "kty": "OKP" and "crv": "Ed25519".')


def enter(token: str, *, now: datetime) -> Entered:
    """Check a token, use it up, and return whom it lets in."""
    claims = verified(token, now=now)
    customer = Customer.objects.filter(reference=claims["sub"]).first()
    if customer is None:
        # Not used up: once the host app has handed the customer over, the same link works.
        raise EntryRefused("unknown", 403)
    _use_up(claims)
    return Entered(customer, _path(claims))


def verified(token: str, *, now: datetime) -> dict[str, Any]:
    """Return the claims of a token that is genuine, meant for this desk and in time."""
    if not token or len(token) > LONGEST_TOKEN:
        raise EntryRefused("tampered", 400)
    key = _key_for(_claimed_issuer(token))
    algorithms = ["HS256", "HS384", "HS512"] if isinstance(key, OctKey) else ["Ed25519", "EdDSA"]
    try:
        claims = jwt.decode(token, key, algorithms=algorithms).claims
    except UNREADABLE as error:
        # A wrong key, another algorithm, "none": whatever it is, this issuer has not signed it.
        raise EntryRefused("forbidden", 403) from error
    _check(claims, int(now.timestamp()))
    return claims


def _claimed_issuer(token: str) -> str:
    """Return who a token says it comes from. Nothing is believed yet: it only picks the key."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except UNREADABLE as error:
        raise EntryRefused("tampered", 400) from error
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str):
        raise EntryRefused("tampered", 400)
    return issuer


def _key_for(issuer: str) -> Key:
    try:
        return key_of(settings.ENTRY_KEYS[issuer])
    except (KeyError, KeyRefused) as error:
        raise EntryRefused("forbidden", 403) from error


def _check(claims: dict[str, Any], now: int) -> None:
    """Check what was signed, for ``decode`` looks at the signature alone."""
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=SKEW,
        iss={"essential": True},
        aud={"essential": True, "value": settings.ENTRY_AUDIENCE},
        sub={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        registry.validate(claims)
    except ExpiredTokenError as error:
        raise EntryRefused("expired", 410) from error
    except MissingClaimError as error:
        raise EntryRefused("tampered", 400) from error
    except ClaimError as error:
        raise (EntryRefused("forbidden", 403) if error.claim == "aud" else EntryRefused("tampered", 400)) from error
    if claims["exp"] <= now:
        # Clocks may differ about a beginning; an end is an end.
        raise EntryRefused("expired", 410)
    if not _in_bounds(claims, now) or not _is_printable(claims):
        raise EntryRefused("tampered", 400)


def _in_bounds(claims: dict[str, Any], now: int) -> bool:
    return (
        0 < claims["exp"] - claims["iat"] <= LONGEST_LIFE
        and claims["exp"] <= now + LONGEST_LIFE + SKEW
        and len(claims["jti"]) <= LONGEST_JTI
        and len(claims["iss"]) <= LONGEST_ISSUER
    )


def _is_printable(claims: dict[str, Any]) -> bool:
    """Tell whether the names in a token are words: no database keeps a NUL, no address carries half a letter."""
    words = [claims.get(name) for name in ("iss", "sub", "jti", "contract", "next")]
    return all(word.isprintable() for word in words if isinstance(word, str))


def _use_up(claims: dict[str, Any]) -> None:
    """Take the token for this request. Its row is unique, so of any number at once one gets through."""
    try:
        with transaction.atomic():
            EntryToken.objects.create(
                issuer=claims["iss"],
                jti=claims["jti"],
                expires_at=datetime.fromtimestamp(claims["exp"], tz=UTC),
            )
    except IntegrityError as error:
        raise EntryRefused("used", 410) from error


def _path(claims: dict[str, Any]) -> str:
    """Return where the token leads. A contract's page checks for itself whose it is."""
    contract = claims.get("contract")
    if isinstance(contract, str) and contract and "/" not in contract:
        return reverse("cancellation:contract", args=[contract])
    wanted = claims.get("next")
    return safe_path(wanted) if isinstance(wanted, str) else ""
