"""What must hold before Fairwell starts at all.

Pure checks on values that the settings read from the environment; raises ImproperlyConfigured with the name of
the variable, what is wrong with it and what to do.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

ENVIRONMENTS = ("embedded", "production")
SHORTEST_SECRET = 50
LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]", "testserver", ".localhost"}


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
        raise ImproperlyConfigured(f"FAIRWELL_BASE_URL={base_url!r} is not https: links in mails would be readable.")
    if not allowed_hosts or "*" in allowed_hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts that this desk answers for, without '*'.")


def _refuse_strangers(base_url: str, allowed_hosts: Sequence[str]) -> None:
    names = {*allowed_hosts, urlsplit(base_url).hostname or ""}
    if strangers := sorted(names - LOOPBACK):
        raise ImproperlyConfigured(
            f"{', '.join(strangers)}: the embedded default answers to this machine only. "
            "Set FAIRWELL_ENV=production (and what it asks for) to serve other hosts."
        )
