"""The app ``feedback``."""

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class FeedbackConfig(AppConfig):
    """Name ``feedback`` to Django, and to the outbox."""

    name = "feedback"
    verbose_name = _("Feedback")

    def ready(self) -> None:
        """Take over the topic "said", and check the reasons on file."""
        from feedback import handlers  # models are ready only now
        from feedback.checks import check_words_of_reasons
        from outbox.registry import register

        register("said", handlers.said)
        checks.register(check_words_of_reasons, checks.Tags.database)
