"""The project itself as an app, for its checks, template tags and start-up."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from config.brand import BrandError, stylesheet


class ConfigConfig(AppConfig):
    """Name ``config`` to Django."""

    name = "config"
    label = "config"

    def ready(self) -> None:
        """Check the operator's settings before the first page is asked for."""
        checks.register(brand_is_a_colour)


def brand_is_a_colour(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse a brand colour that no style sheet can be made of."""
    try:
        stylesheet(settings.OPERATOR["brand"])
    except BrandError as error:
        return [checks.Error(f"FAIRWELL_BRAND: {error}", hint="Give a hex colour such as #2f5d50.", id="config.E001")]
    return []
