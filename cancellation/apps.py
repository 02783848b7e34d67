"""The app ``cancellation``."""

from django.apps import AppConfig
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outbox import registry


class CancellationConfig(AppConfig):
    """Name ``cancellation`` to Django; say who takes up notices and announcements, and who knows secret links."""

    name = "cancellation"
    verbose_name = _("Cancellation")

    def ready(self) -> None:
        """Register the handlers. They need the models, which are loaded by now."""
        from billing import results
        from cancellation import actions, announcements, bundles, declarations, halfway, offer_actions
        from messaging import compose

        def settle(entry_id: int, payload: registry.Payload) -> None:
            # What came through a public door is looked at by what knows them; for the rest this does nothing.
            declarations.settle(notice_id=payload["notice_id"])
            actions.settle(notice_id=payload["notice_id"], said=payload.get("said"))
            # The exit checklist of a bundle follows the end that the notice set.
            bundles.follow(notice_id=payload["notice_id"], at=timezone.now())

        # What was said stands with the answer; here it is forgotten once the notice is settled.
        registry.register("settle", settle, forget=True)

        def take_up(entry_id: int, payload: registry.Payload) -> None:
            announcements.take_up(announcement_id=payload["announcement_id"], at=timezone.now())

        registry.register(announcements.TOPIC, take_up)
        compose.register_link("announce", announcements.url_of)
        for kind in ("halfway", "finish-later"):
            compose.register_truth(kind, halfway.goes_on)

        def hear(entry_id: int, payload: registry.Payload) -> None:
            offer_actions.hear(payload)

        registry.register(results.TOPIC, hear, lane="contract_id")
