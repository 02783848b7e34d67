"""The desk's view of receipts: which were issued, what they say, and the page that their holders have."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from cancellation import receipts
from cancellation.models import Receipt
from config.admin import FactAdmin, shown_instant, shown_json, shown_link


@admin.register(Receipt)
class ReceiptAdmin(FactAdmin):
    """Receipts as they were issued. Nobody changes one: it would only break its signature."""

    list_display = ("number", "kind", "notice_link", "issued", "locale")
    list_filter = ("kind",)
    list_select_related = ("notice",)
    search_fields = ("number", "notice__reference", "notice__contract__reference")
    search_help_text = _("By number, or by the reference of the notice or contract")
    fields = ("number", "kind", "page", "notice_link", "cancellation_link", "issued", "locale", "kid", "said", "jws")
    readonly_fields = ("page", "notice_link", "cancellation_link", "issued", "said")

    notice_link = shown_link("notice", _("notice"))
    cancellation_link = shown_link("cancellation", _("cancellation"))
    issued = shown_instant("issued_at", _("issued at"))
    said = shown_json("document", _("document"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the documents out of lists."""
        rows = super().get_queryset(request)
        is_list = request.resolver_match and request.resolver_match.url_name == "cancellation_receipt_changelist"
        return rows.defer("document", "jws") if is_list else rows

    @admin.display(description=_("page"))
    def page(self, receipt: Receipt) -> str:
        """Return a link to what the holder sees; nothing where the words are erased."""
        if not receipt.jws:
            return ""
        return format_html('<a href="{}">{}</a>', receipts.url_of(receipt), _("Show as the holder sees it"))
