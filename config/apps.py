"""The project itself as an app, for its checks, template tags and start-up."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Name ``config`` to Django."""

    name = "config"
    label = "config"
