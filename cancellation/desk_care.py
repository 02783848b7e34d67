"""The desk's page of public doors that were missing or wrong, and since when."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from cancellation.models import DoorFault
from config.admin import FactAdmin, condition_filter, shown_instant
from subscriptions import places

NOW = condition_filter(
    title=_("state"),
    parameter="state",
    conditions={
        "open": (_("at fault now"), Q(until__isnull=True)),
        "over": (_("in order again"), Q(until__isnull=False)),
    },
)


@admin.register(DoorFault)
class DoorFaultAdmin(FactAdmin):
    """Stretches of time in which a public page was at fault; written by the look at the doors alone."""

    list_display = ("place", "from_when", "until_when", "number")
    list_display_links = ("place",)
    list_filter = (NOW,)
    ordering = ("-since", "-pk")
    fields = ("place", "from_when", "until_when", "what")
    readonly_fields = fields

    from_when = shown_instant("since", _("since"))
    until_when = shown_instant("until", _("until"))

    @admin.display(description=_("rules"), ordering="pack")
    def place(self, fault: DoorFault) -> str:
        """Return the name of the place whose rules the page follows."""
        pack = places.packs().get(fault.pack)
        return pack.name if pack else fault.pack

    @admin.display(description=_("faults"))
    def number(self, fault: DoorFault) -> int:
        """Return how many faults were found."""
        return len(fault.faults)

    @admin.display(description=_("what is wrong"))
    def what(self, fault: DoorFault) -> SafeString:
        """Return the faults, one a line."""
        lines: list[tuple[Any]] = [(text,) for text in fault.faults]
        return format_html_join("", "<p>{}</p>", lines)
