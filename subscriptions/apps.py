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
        from subscriptions import postbox
        from subscriptions.checks import check_entry_keys, check_operator_words, check_packs, check_words_on_file

        registry.register("sign-in", postbox.send_links, forget=True)
        checks.register(check_entry_keys)
        checks.register(check_packs)
        checks.register(check_operator_words)
        checks.register(check_words_on_file, checks.Tags.database)
