"""The project itself as an app, for its checks, template tags and start-up."""

from email.utils import getaddresses
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config.brand import BrandError, stylesheet


class ConfigConfig(AppConfig):
    """Name ``config`` to Django."""

    name = "config"
    label = "config"

    def ready(self) -> None:
        """Check the operator's settings before the first page is asked for."""
        for check in (brand_is_a_colour, addresses_are_addresses, redis_is_there):
            checks.register(check)


def brand_is_a_colour(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse a brand colour that no style sheet can be made of."""
    try:
        stylesheet(settings.OPERATOR["brand"])
    except BrandError as error:
        return [checks.Error(f"FAIRWELL_BRAND: {error}", hint="Give a hex colour such as #2f5d50.", id="config.E001")]
    return []


def addresses_are_addresses(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse a sender or a reply address that no mail server would take; it would be noticed with the first letter."""
    found: list[checks.CheckMessage] = []
    sender, support = settings.DEFAULT_FROM_EMAIL, settings.OPERATOR["support_email"]
    if not _is_one_sender(sender):
        hint = 'Write contracts@example.org, or "Name, with a comma" <contracts@example.org> with the quotation marks.'
        found.append(checks.Error(f"DEFAULT_FROM_EMAIL={sender!r} is not one address.", hint=hint, id="config.E002"))
    if not _is_address(support):
        hint = "Give the bare address that customers write to, such as support@example.org."
        said = f"FAIRWELL_SUPPORT_EMAIL={support!r} is no e-mail address."
        found.append(checks.Error(said, hint=hint, id="config.E003"))
    return found


def _is_one_sender(given: str) -> bool:
    addresses = [address for _name, address in getaddresses([given])]
    # What the parser has mended on its own is not what the operator wrote.
    return given.isprintable() and len(addresses) == 1 and addresses[0] in given and _is_address(addresses[0])


def _is_address(given: str) -> bool:
    try:
        validate_email(given)
    except ValidationError:
        return False
    return True


def redis_is_there(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of production without Redis: it works, on one machine and with looser limits."""
    if not settings.PRODUCTION or settings.REDIS_URL:
        return []
    hint = "Set it to redis://host:6379/0. Nothing in Redis has to survive."
    said = (
        "REDIS_URL is not set: each process counts rate limits for itself, so visitors may ask more often than they "
        "should, and workers on other machines are not woken."
    )
    return [checks.Warning(said, hint=hint, id="config.W001")]
