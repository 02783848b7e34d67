"""The app ``cancellation``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CancellationConfig(AppConfig):
    """Name ``cancellation`` to Django."""

    name = "cancellation"
    verbose_name = _("Cancellation")
