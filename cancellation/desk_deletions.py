"""The desk's view of requests for deletion: who asked, when all goes, and what was done. Nobody does it by hand."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from cancellation.deletions import PENDING, is_unfinished
from cancellation.models import DeletionRequest
from config.admin import FactAdmin, condition_filter, shown_day, shown_instant, shown_link

STANDINGS = {
    "waits": (_("waits for its day"), PENDING & Q(erase_on__isnull=False)),
    "alive": (_("a contract is alive"), PENDING & Q(erase_on__isnull=True)),
    "taken-back": (_("taken back"), Q(taken_back_at__isnull=False)),
    "done": (_("done"), Q(done_at__isnull=False)),
}


@admin.register(DeletionRequest)
class DeletionRequestAdmin(FactAdmin):
    """Requests for deletion. The customer asks and takes back, the timer does."""

    list_display = ("customer_link", "asked", "erased_on", "taken_back", "done")
    list_filter = (condition_filter(title=_("standing"), parameter="standing", conditions=STANDINGS),)
    list_select_related = ("customer",)
    search_fields = ("customer__reference", "customer__name", "customer__email")
    search_help_text = _("By the customer’s reference, name or address")
    fields = ("customer_link", "asked", "actor", "erased_on", "held", "taken_back", "done")
    readonly_fields = ("customer_link", "asked", "erased_on", "held", "taken_back", "done")

    customer_link = shown_link("customer", _("customer"))
    asked = shown_instant("asked_at", _("asked at"))
    erased_on = shown_day("erase_on", _("to be erased on"))
    taken_back = shown_instant("taken_back_at", _("taken back at"))
    done = shown_instant("done_at", _("done at"))

    @admin.display(description=_("held up by"))
    def held(self, row: DeletionRequest) -> str:
        """Return what keeps the day from coming, where anything does."""
        if row.done_at or row.taken_back_at:
            return ""
        if row.erase_on is None:
            return str(_("a contract without a last day"))
        waits = _("work of the desk or of billing, or a letter, that is not done")
        return str(waits) if is_unfinished(row.customer_id) else ""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Leave it to the permission to see requests."""
        return request.user.has_perm("cancellation.view_deletionrequest")
