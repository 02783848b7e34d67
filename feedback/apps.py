"""The app ``feedback``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FeedbackConfig(AppConfig):
    """Name ``feedback`` to Django."""

    name = "feedback"
    verbose_name = _("Feedback")
