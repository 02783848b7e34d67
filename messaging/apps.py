"""The app ``messaging``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from outbox import registry


class MessagingConfig(AppConfig):
    """Name ``messaging`` to Django; say who writes and sends letters."""

    name = "messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        """Register the handler. It needs the models, which are loaded by now."""
        from messaging import letters

        registry.register("letter", letters.handle, around=letters.one_round, lane="contract_id")
