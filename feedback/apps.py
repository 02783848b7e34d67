"""The app ``feedback``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FeedbackConfig(AppConfig):
    """Name ``feedback`` to Django, and to the outbox."""

    name = "feedback"
    verbose_name = _("Feedback")

    def ready(self) -> None:
        """Take over the topic "said"."""
        from feedback import handlers  # models are ready only now
        from outbox.registry import register

        register("said", handlers.said)
