"""The app ``billing``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from outbox import registry


class BillingConfig(AppConfig):
    """Name ``billing`` to Django; say who instructs the billing side."""

    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        """Register the handler. It needs the models, which are loaded by now."""
        from billing import instructions

        registry.register("billing", instructions.handle, lane="contract_id")
