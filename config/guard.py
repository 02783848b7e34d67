"""What must hold before Fairwell starts at all.

Pure checks on values that the settings read from the environment; raises ImproperlyConfigured with the name of
the variable, what is wrong with it and what to do.
"""

import base64
import binascii
import json
import math
import os
import secrets
from collections.abc import Mapping, Sequence
from email.utils import formataddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ENVIRONMENTS = ("embedded", "production")
SHORTEST_SECRET = 50
LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]", "testserver", ".localhost"}
DEFAULT_PORT, LAST_PORT = 8000, 65_535
SEED_BYTES = 32
POSTGRES = {"postgres", "postgresql", "psql", "pgsql"}
# What only the operator knows. The demo's values would reach real customers, or lose what they wrote.
REQUIRED = {
    "FAIRWELL_OPERATOR_NAME": "the name by which your customers know you",
    "FAIRWELL_SUPPORT_EMAIL": "where replies to letters go, such as support@example.org",
    "EMAIL_URL": "your mail server, such as smtp+tls://user:password@mail.example.org:587",
    "DATABASE_URL": "such as postgres://user:password@host:5432/name; SQLite only where you name its file yourself",
}


class Environment(environ.Env):  # type: ignore[misc]  # its package has no types
    """The environment; a value that cannot be read is told with the name of its variable."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        """Return a value as the type that is asked for."""
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} cannot be read: {error}.") from error


def is_production(name: str) -> bool:
    """Return whether ``FAIRWELL_ENV`` asks for production; an unknown name is refused, never guessed."""
    if name not in ENVIRONMENTS:
        raise ImproperlyConfigured(f"FAIRWELL_ENV={name!r} is unknown: use one of {', '.join(ENVIRONMENTS)}.")
    return name == "production"


def secret_key(given: str, *, production: bool, keep_in: Path) -> str:
    """Return the secret key; the embedded default makes its own once and keeps it readable by its owner only."""
    if given:
        if production and len(given) < SHORTEST_SECRET:
            raise ImproperlyConfigured(f"SECRET_KEY is too short: give at least {SHORTEST_SECRET} random characters.")
        return given
    if production:
        raise ImproperlyConfigured("SECRET_KEY is not set: give at least 50 random characters in the environment.")
    if not keep_in.exists():
        _keep(keep_in, secrets.token_urlsafe(64))
    return keep_in.read_text().strip()


def _keep(path: Path, secret: str) -> None:
    """Write a secret for the owner alone. Two starts at once agree on the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
    try:
        os.link(mine, path)
    except FileExistsError:
        pass
    finally:
        mine.unlink()


def refuse_insecure_start(
    *, production: bool, debug: bool, demo: bool, base_url: str, allowed_hosts: Sequence[str]
) -> None:
    """Raise ImproperlyConfigured where a setting would expose customers."""
    if not production:
        _refuse_strangers(base_url, allowed_hosts)
        return
    if debug:
        raise ImproperlyConfigured("DEBUG is on: it shows secrets to visitors. Unset DEBUG in production.")
    if demo:
        raise ImproperlyConfigured("FAIRWELL_DEMO is on: it lets anybody in. Unset FAIRWELL_DEMO in production.")
    if urlsplit(base_url).scheme != "https":
        raise ImproperlyConfigured(
            f"FAIRWELL_BASE_URL={base_url!r} is not https: links in mails would be readable. "
            "Give the address that customers see, such as https://desk.example.org."
        )
    if not allowed_hosts or "*" in allowed_hosts:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS must name the hosts that this desk answers for, without '*', such as desk.example.org."
        )


def _refuse_strangers(base_url: str, allowed_hosts: Sequence[str]) -> None:
    names = {*allowed_hosts, urlsplit(base_url).hostname or ""}
    if strangers := sorted(names - LOOPBACK):
        raise ImproperlyConfigured(
            f"{', '.join(strangers)}: the embedded default answers to this machine only. "
            "Set FAIRWELL_ENV=production (and what it asks for) to serve other hosts."
        )


def refuse_unset(*, production: bool, given: Mapping[str, str]) -> None:
    """Raise ImproperlyConfigured where production lacks what nobody but its operator can know; all at once."""
    missing = [f"{name} ({what})" for name, what in REQUIRED.items() if not given.get(name, "").strip()]
    if production and missing:
        raise ImproperlyConfigured(
            f"Not set: {', '.join(missing)}. Production asks for it; docs/operators.md explains each."
        )


def port(given: str) -> int:
    """Return the port to listen on; 8000 where none is given."""
    digits = given.strip() or str(DEFAULT_PORT)
    if not (digits.isascii() and digits.isdecimal() and 0 < int(digits) <= LAST_PORT):
        raise ImproperlyConfigured(f"PORT={given!r} is no port: give a number from 1 to {LAST_PORT}, such as 8000.")
    return int(digits)


def sender(name: str, address: str) -> str:
    """Return a sender as a header takes it: never put together by hand, for a comma in a name makes two of it."""
    local, at, domain = address.rpartition("@")
    try:
        ascii_address = local.encode("ascii").decode() + at + domain.encode("idna").decode()
    except UnicodeError:
        raise ImproperlyConfigured(
            f"{address!r} is no address that letters can come from: "
            "set DEFAULT_FROM_EMAIL to another one, such as contracts@example.org."
        ) from None
    return formataddr((name, ascii_address))


def database_url(given: str, *, default: str) -> str:
    """Return the address of the database, or the default. What is wrong is told without the password in it."""
    url = given.strip() or default
    if not _names_a_database(url):
        raise ImproperlyConfigured(
            "DATABASE_URL names no database that Fairwell knows: write postgres://user:password@host:5432/name "
            "(with %-signs for special characters of the password) or sqlite:////absolute/path."
        )
    return url


def _names_a_database(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "sqlite" or (
            parts.scheme in POSTGRES and parts.port != 0 and len(parts.path.strip("/")) > 0
        )
    except ValueError:
        return False


def mail_url(given: str, *, default: str) -> str:
    """Return the address of the mail server, or the default. What is wrong is told without the password in it."""
    url = given.strip() or default
    if not _names_a_mail_server(url):
        raise ImproperlyConfigured(
            "EMAIL_URL names no mail server: write smtp+tls://user:password@mail.example.org:587 "
            "(with %-signs for special characters of the password), or smtp+ssl://… for port 465."
        )
    return url


def _names_a_mail_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_smtp = parts.scheme.startswith("smtp")
        return parts.scheme in environ.Env.EMAIL_SCHEMES and (not is_smtp or bool(parts.hostname)) and parts.port != 0
    except ValueError:
        return False


# What can be counted on the way in, and set against the way out.
COUNTED = ("clicks", "pages", "fields", "seconds")
FEWEST_TO_COMPARE = 30


def join_counters(given: Any) -> dict[str, float]:
    """Return what joining takes, as the operator counted it; what is no count is refused by name."""
    if not isinstance(given, dict):
        raise ImproperlyConfigured(f'FAIRWELL_JOIN_COUNTERS={given!r}: write it like {{"clicks": 4, "pages": 3}}.')
    for name, value in given.items():
        if name not in COUNTED:
            raise ImproperlyConfigured(f"FAIRWELL_JOIN_COUNTERS: {name!r} is unknown; give {', '.join(COUNTED)}.")
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 < value < math.inf:
            raise ImproperlyConfigured(f"FAIRWELL_JOIN_COUNTERS: {name} is {value!r}; give a number above 0.")
    return dict(given)


def effect_minimum(given: int) -> int:
    """Return how many customers each group must have before an effect is told; too few are refused."""
    if given < FEWEST_TO_COMPARE:
        raise ImproperlyConfigured(
            f"FAIRWELL_EFFECT_MIN={given}: give {FEWEST_TO_COMPARE} or more; what fewer customers do is chance."
        )
    return given


# More than half would keep options from most; then they had better be closed for everybody.
MOST_HELD_OUT = 50


def holdout(given: str) -> int:
    """Return the share of customers, in percent, who are shown no options while leaving; 0 where none is given."""
    digits = given.strip() or "0"
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 4 and int(digits) <= MOST_HELD_OUT):
        raise ImproperlyConfigured(
            f"FAIRWELL_HOLDOUT={given!r} is no such share: give a whole number of percent from 0 to {MOST_HELD_OUT}, "
            "such as 10."
        )
    return int(digits)


def receipt_key(given: str) -> bytes | None:
    """Return the 32 bytes that receipts are signed with, or None where none are given: they are derived then.

    Either their base64url or a private JWK (RFC 8037). What is wrong is told without the secret in it.
    """
    text = given.strip()
    if not text:
        return None
    try:
        seed = _bytes_of(_field(json.loads(text), "d") if text.startswith("{") else text)
    except (ValueError, TypeError, KeyError, RecursionError):
        seed = b""
    if len(seed) != SEED_BYTES:
        raise ImproperlyConfigured(
            "FAIRWELL_RECEIPT_KEY is no Ed25519 key: give 32 random bytes as base64url, or a private JWK with "
            '"kty": "OKP" and "crv": "Ed25519". docs/receipts.md says how to make one.'
        )
    return seed


def old_receipt_keys(given: str) -> list[dict[str, str]]:
    """Return the public JWKs of earlier receipts: a list of them, or a JWKS. Private parts are refused."""
    wrong = (
        "FAIRWELL_RECEIPT_KEYS_OLD is no list of public Ed25519 keys: give a JSON list of JWKs, or what "
        "/.well-known/jwks.json served."
    )
    try:
        read = json.loads(given.strip() or "[]")
        listed = read["keys"] if isinstance(read, dict) else read
        keys = [{"kty": "OKP", "crv": "Ed25519", "x": _field(jwk, "x")} for jwk in listed]
        if all(len(_bytes_of(key["x"])) == SEED_BYTES for key in keys) and not any("d" in jwk for jwk in listed):
            return keys
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise ImproperlyConfigured(wrong)


def _field(jwk: Any, name: str) -> str:
    """Return a part of an Ed25519 JWK. ValueError, TypeError or KeyError for what is none."""
    if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519"):
        raise ValueError("another kind of key")
    return str(jwk[name])


def _bytes_of(text: str) -> bytes:
    if not text.isascii():
        raise ValueError("not base64url")
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
