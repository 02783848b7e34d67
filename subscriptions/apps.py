"""The app ``subscriptions``."""

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

from outbox import registry


class SubscriptionsConfig(AppConfig):
    """Name ``subscriptions`` to Django; say who sends sign-in links, and what is checked."""

    name = "subscriptions"
    verbose_name = _("Subscriptions")

    def ready(self) -> None:
        """Register the handler and the checks. They need the models, which are loaded by now."""
        from subscriptions import checks as ours
        from subscriptions import postbox

        registry.register("sign-in", postbox.send_links, forget=True)
        for check in (ours.check_entry_keys, ours.check_packs, ours.check_operator_words, ours.check_words_of_packs):
            checks.register(check)
        checks.register(ours.check_words_on_file, checks.Tags.database)
