"""The desk's view of letters: what was sent, to whom, word for word."""

from __future__ import annotations

from typing import Any, cast

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.admin import FactAdmin, condition_filter, shown_instant, shown_link, shown_text
from messaging.models import Fault, Letter

# A letter has its styles in its tags. It runs nothing, loads nothing, sends nothing, and may be framed by nobody.
LETTER_POLICY = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [NONE],
    "font-src": [NONE],
    "connect-src": [NONE],
    "manifest-src": [NONE],
    "form-action": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "sandbox": True,
}


OUTCOMES = {
    "sent": (_("sent"), Q(sent_at__isnull=False)),
    "waiting": (_("on its way"), Q(sent_at__isnull=True, undeliverable="")),
    "undeliverable": (_("cannot be sent"), Q(undeliverable__gt="") & ~Q(undeliverable=Fault.NOT_WANTED)),
    "not-wanted": (_("not wanted"), Q(undeliverable=Fault.NOT_WANTED)),
}


OutcomeFilter = condition_filter(title=_("outcome"), parameter="outcome", conditions=OUTCOMES)


@admin.register(Letter)
class LetterAdmin(FactAdmin):
    """Letters as they were sent."""

    list_display = ("subject", "to", "kind", "sent", "customer_link", "contract_link")
    list_filter = (OutcomeFilter,)
    list_select_related = ("customer", "contract")
    search_fields = ("to", "subject", "message_id", "contract__reference")
    search_help_text = _("By address, subject, Message-ID or contract reference")
    fields = (
        "subject", "to", "kind", "locale", "customer_link", "contract_link", "written", "sent", "undeliverable",
        "message_id", "body", "as_html",
    )  # fmt: skip
    readonly_fields = ("customer_link", "contract_link", "written", "sent", "body", "as_html")

    customer_link = shown_link("customer", _("customer"))
    contract_link = shown_link("contract", _("contract"))
    written = shown_instant("created_at", _("written at"))
    sent = shown_instant("sent_at", _("sent at"))
    body = shown_text("text", _("text"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the texts out of lists."""
        rows = super().get_queryset(request)
        is_list = request.resolver_match and request.resolver_match.url_name == "messaging_letter_changelist"
        return rows.defer("text", "html") if is_list else rows

    def get_urls(self) -> list[URLPattern]:
        """Add the page that shows the HTML as it was sent."""
        page = path("<int:pk>/html/", self.admin_site.admin_view(self.html_page), name="messaging_letter_html")
        return [page, *super().get_urls()]

    @admin.display(description=_("HTML"))
    def as_html(self, letter: Letter) -> str:
        """Return a link to the page of its own: under the desk's policy a letter cannot show its colours."""
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:messaging_letter_html", args=[letter.pk]), _("Show as it was sent")
        )

    def html_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Serve the HTML of a letter, sandboxed."""
        letter = self.get_object(request, str(pk))
        if letter is None:
            raise Http404
        if not self.has_view_permission(request, letter):
            raise PermissionDenied
        # The policy travels on the response; the middleware reads it there.
        return cast(HttpResponse, csp_replace(LETTER_POLICY)(lambda _request: HttpResponse(letter.html))(request))
