"""The desk's view of promises: what waits, what failed, what was given up, and another try."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.admin import FactAdmin, condition_filter, shown_instant, shown_json, shown_text
from outbox.models import Entry
from outbox.retry import try_again

OPEN = Q(delivered_at__isnull=True, dead_at__isnull=True)
OUTCOMES = {
    "pending": (_("waiting"), OPEN & Q(attempts=0)),
    "failed": (_("failed, tried again"), OPEN & Q(attempts__gt=0)),
    "dead": (_("given up"), Q(dead_at__isnull=False)),
    "delivered": (_("delivered"), Q(delivered_at__isnull=False)),
}


OutcomeFilter = condition_filter(title=_("outcome"), parameter="outcome", conditions=OUTCOMES)


@admin.register(Entry)
class EntryAdmin(FactAdmin):
    """Outbox entries."""

    list_display = ("dedupe_key", "topic", "outcome", "attempts", "due", "created")
    list_filter = (OutcomeFilter,)
    search_fields = ("dedupe_key",)
    search_help_text = _("By key, such as end-confirmed:12")
    ordering = ("-pk",)
    actions = ("try_again",)
    fields = (
        "dedupe_key", "topic", "outcome", "attempts", "due", "created", "delivered", "given_up", "error", "facts",
    )  # fmt: skip
    readonly_fields = ("outcome", "due", "created", "delivered", "given_up", "error", "facts")

    due = shown_instant("due_at", _("due at"))
    created = shown_instant("created_at", _("created at"))
    delivered = shown_instant("delivered_at", _("delivered at"))
    given_up = shown_instant("dead_at", _("given up at"))
    error = shown_text("last_error", _("last error"))
    facts = shown_json("payload", _("payload"))

    @admin.display(description=_("outcome"))
    def outcome(self, entry: Entry) -> Any:
        """Return what became of it, in words."""
        name = (
            "delivered"
            if entry.delivered_at
            else "dead"
            if entry.dead_at
            else "failed"
            if entry.attempts
            else "pending"
        )
        return OUTCOMES[name][0]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell who may ask for another try."""
        return request.user.has_perm("outbox.change_entry")

    @admin.action(description=_("Try again now"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        """Make the chosen entries due now."""
        chosen = list(queryset)
        again = try_again(ids=[entry.pk for entry in chosen], at=timezone.now())
        for entry in chosen:
            self.log_change(request, entry, "Asked for another try.")
        said = ngettext("%(n)d entry is tried again.", "%(n)d entries are tried again.", again) % {"n": again}
        self.message_user(request, said, messages.SUCCESS if again else messages.INFO)
        if left := len(chosen) - again:
            self.message_user(
                request,
                ngettext(
                    "%(n)d entry was delivered or is being handled, and was left alone.",
                    "%(n)d entries were delivered or are being handled, and were left alone.",
                    left,
                )
                % {"n": left},
                messages.INFO,
            )
