"""The app ``billing``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    """Name ``billing`` to Django."""

    name = "billing"
    verbose_name = _("Billing")
