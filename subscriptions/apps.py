"""The app ``subscriptions``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SubscriptionsConfig(AppConfig):
    """Name ``subscriptions`` to Django."""

    name = "subscriptions"
    verbose_name = _("Subscriptions")
