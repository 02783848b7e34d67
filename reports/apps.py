"""The app ``reports``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    """Name ``reports`` to Django."""

    name = "reports"
    verbose_name = _("Reports")
