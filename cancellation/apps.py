"""The app ``cancellation``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from outbox import registry


class CancellationConfig(AppConfig):
    """Name ``cancellation`` to Django; say who takes up a notice whose process died."""

    name = "cancellation"
    verbose_name = _("Cancellation")

    def ready(self) -> None:
        """Register the handler. It needs the models, which are loaded by now."""
        from cancellation import actions, declarations

        def settle(entry_id: int, payload: registry.Payload) -> None:
            # What came through a public door is looked at by what knows them; for the rest this does nothing.
            declarations.settle(notice_id=payload["notice_id"])
            actions.settle(notice_id=payload["notice_id"], said=payload.get("said"))

        # What was said stands with the answer; here it is forgotten once the notice is settled.
        registry.register("settle", settle, forget=True)
