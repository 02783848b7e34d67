"""The desk's queue of declarations from the public doors: what is held back, what fits no contract yet.

Staff see what was typed, which contracts may be meant and why, and say which one is: only then an end is scheduled,
from the instant at which the declaration came. Every act leaves an event.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from cancellation import declarations, matching, uploads
from cancellation.actions import Actor
from cancellation.models import Declared, Evidence, NoticeState
from cancellation.queries import contracts_with_state
from config.admin import (
    FactAdmin,
    StackedInline,
    condition_filter,
    day,
    instant,
    link_to,
    shown_day,
    shown_link,
    shown_text,
)
from subscriptions.models import Contract

MAY_ACT = "cancellation.change_declared"
WAITING = {"notice__state__in": [NoticeState.UNMATCHED, NoticeState.QUARANTINED]}
FIELDS = ("name", "reference", "email", "phone", "address", "wished", "reason")


class DeclaredInline(StackedInline):
    """What was typed, on the page of its notice."""

    model = Declared
    fields = FIELDS
    readonly_fields = ("wished",)
    can_delete = False
    extra = 0
    wished = shown_day("wished_on", _("wished day"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what was declared is made by whoever declares it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what was declared stands."""
        return False


class MatchForm(forms.Form):
    """The reference of the contract that is meant."""

    reference = forms.CharField(max_length=64, label=_("Contract reference"))

    contract: Contract | None = None

    def clean_reference(self) -> str:
        """Return the reference of a contract that is there."""
        reference: str = self.cleaned_data["reference"].strip()
        self.contract = contracts_with_state().filter(reference=reference).first()
        if self.contract is None:
            raise forms.ValidationError(_("There is no contract with this reference."))
        return reference


class WhyForm(forms.Form):
    """Why a declaration counts as not the holder's."""

    why = forms.CharField(max_length=2000, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))


def actor_of(request: HttpRequest) -> Actor:
    """Return who of the staff acts."""
    return Actor.staff(request.user.get_username())


@admin.register(Declared)
class DeclaredAdmin(FactAdmin):
    """What somebody declared at a public door, and what may be done about it."""

    list_display = ("notice_reference", "received", "state", "name_short", "reference_short", "email_short", "match")
    list_filter = (
        condition_filter(
            title=_("state"),
            parameter="state",
            conditions={
                "waiting": (_("waits for the desk"), Q(**WAITING)),
                "unmatched": (_("no contract found yet"), Q(notice__state=NoticeState.UNMATCHED)),
                "held": (_("held back"), Q(notice__state=NoticeState.QUARANTINED)),
                "matched": (_("matched"), Q(notice__state=NoticeState.MATCHED)),
                "repudiated": (_("repudiated"), Q(notice__state=NoticeState.REPUDIATED)),
            },
        ),
    )
    list_select_related = ("notice__contract",)
    ordering = ("-pk",)
    search_fields = ("notice__reference", "name", "email", "reference")
    search_help_text = _("Notice reference, or what was typed: name, e-mail address, contract")
    fields = (
        "notice_link", "received", "state", "match", "declaration", "name_words", "reference_words", "email_words",
        "phone", "address_words", "wished", "reason_words", "files", "erased",
    )  # fmt: skip
    readonly_fields = fields
    change_form_template = "admin/desk/declared.html"

    notice_link = shown_link("notice", _("notice"))
    name_words = shown_text("name", _("name"))
    reference_words = shown_text("reference", _("contract"))
    email_words = shown_text("email", _("e-mail address"))
    address_words = shown_text("address", _("postal address"))
    reason_words = shown_text("reason", _("reason"))
    wished = shown_day("wished_on", _("wished day"))

    @admin.display(description=_("notice"))
    def notice_reference(self, declared: Declared) -> str:
        """Return the reference of the notice."""
        return declared.notice.reference

    @admin.display(description=_("received at"), ordering="notice__received_at")
    def received(self, declared: Declared) -> str:
        """Return when it came."""
        return instant(declared.notice.received_at)

    @admin.display(description=_("state"))
    def state(self, declared: Declared) -> str:
        """Return where it stands."""
        return declared.notice.get_state_display()

    @admin.display(description=_("contract found"))
    def match(self, declared: Declared) -> str:
        """Return a link to the contract that it means, if one was found."""
        return link_to(declared.notice.contract)

    @admin.display(description=_("declaration"))
    def declaration(self, declared: Declared) -> SafeString:
        """Return the sentence that was declared."""
        return format_html("<pre>{}</pre>", declared.notice.declaration)

    @admin.display(description=_("name"))
    def name_short(self, declared: Declared) -> str:
        """Return the beginning of the name."""
        return _short(declared.name)

    @admin.display(description=_("contract"))
    def reference_short(self, declared: Declared) -> str:
        """Return the beginning of what names the contract."""
        return _short(declared.reference)

    @admin.display(description=_("e-mail address"))
    def email_short(self, declared: Declared) -> str:
        """Return the beginning of the address."""
        return _short(declared.email)

    @admin.display(description=_("to be erased on"))
    def erased(self, declared: Declared) -> str:
        """Return until when the words are kept."""
        return day(declared.erase_on)

    @admin.display(description=_("evidence"))
    def files(self, declared: Declared) -> str:
        """Return the files that came, each to download, or why it was not kept."""
        rows = declared.notice.evidence.defer("content")
        return format_html_join(mark_safe("<br>"), "{}", ((self._file(declared, row),) for row in rows))

    def _file(self, declared: Declared, row: Evidence) -> SafeString:
        if why := uploads.why(row):
            return format_html("{} ({})", row.name, why)
        address = reverse("admin:cancellation_declared_evidence", args=[declared.pk, row.pk])
        return format_html('<a href="{}">{}</a>', address, row.name)

    def get_urls(self) -> list[URLPattern]:
        """Add the acts and the download."""
        view = self.admin_site.admin_view
        mine = [
            path("<int:pk>/match/", view(self.match_view), name="cancellation_declared_match"),
            path("<int:pk>/release/", view(self.release_view), name="cancellation_declared_release"),
            path("<int:pk>/repudiate/", view(self.repudiate_view), name="cancellation_declared_repudiate"),
            path("<int:pk>/evidence/<int:file>/", view(self.evidence_view), name="cancellation_declared_evidence"),
        ]
        return [*mine, *super().get_urls()]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show which contracts may be meant, and what may be done."""
        if obj is not None:
            context = context | self._acts(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _acts(self, request: HttpRequest, declared: Declared) -> dict[str, Any]:
        notice = declared.notice
        waits = notice.state in (NoticeState.UNMATCHED, NoticeState.QUARANTINED)
        return {
            "may_act": request.user.has_perm(MAY_ACT),
            "waits": waits,
            "is_held": notice.state == NoticeState.QUARANTINED,
            "is_repudiated": notice.state == NoticeState.REPUDIATED,
            "candidates": matching.candidates(declared) if waits else [],
            "match_form": MatchForm(),
            "why_form": WhyForm(),
        }

    # The acts.

    def match_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the contract that staff name, and attach the declaration to it when they confirm."""
        declared = self._declared(request, pk)
        given = request.POST if request.method == "POST" else request.GET
        form = MatchForm(given)
        if not form.is_valid() or form.contract is None:
            messages.error(
                request, " ".join(map(str, form.errors.get("reference", []))) or _("Give a contract reference.")
            )
            return self._back(declared)
        if request.method == "POST" and "confirm" in given:
            return self._match(request, declared, form.contract)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Match a declaration to a contract"),
            "declared": declared,
            "contract": form.contract,
            "back": self._url(declared),
        }
        return render(request, "admin/desk/match.html", context)

    def _match(self, request: HttpRequest, declared: Declared, contract: Contract) -> HttpResponse:
        notice, actor = declared.notice, actor_of(request)
        if not declarations.attach(notice=notice, contract=contract, actor=actor, why="matched at the desk"):
            messages.info(request, _("Somebody else has decided about this declaration meanwhile."))
        elif cancellation := declarations.end(notice=notice, actor=actor):
            told = _("The contract ends on %(day)s. The holder is told at the address on file.")
            messages.success(request, told % {"day": day(cancellation.last_day)})
        else:
            messages.warning(request, _("Matched. No end could be scheduled; its events say why."))
        return self._back(declared)

    def release_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let go of a declaration that was held back."""
        declared = self._declared(request, pk)
        if request.method == "POST":
            if declarations.release(notice=declared.notice, actor=actor_of(request)):
                messages.success(request, _("Released: the receipt leaves, and the contract is looked for."))
            else:
                messages.info(request, _("This declaration is not held back."))
        return self._back(declared)

    def repudiate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Record that a declaration is not the holder's, with the reason."""
        declared, form = self._declared(request, pk), WhyForm(request.POST or None)
        if request.method == "POST":
            if not form.is_valid():
                messages.error(request, _("Give the reason."))
            elif declarations.repudiate(
                notice=declared.notice, actor=actor_of(request), at=timezone.now(), why=form.cleaned_data["why"]
            ):
                messages.success(request, _("The declaration counts for nothing any more. Nothing was erased."))
            else:
                messages.info(request, _("This declaration was repudiated before."))
        return self._back(declared)

    def evidence_view(self, request: HttpRequest, pk: int, file: int) -> HttpResponse:
        """Hand a file out as a download. It came from a stranger: no browser may show or run it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(Evidence, pk=file, notice__declared=pk)
        if uploads.why(row):
            raise Http404
        response = HttpResponse(bytes(row.content), content_type="application/octet-stream")
        response.headers["Content-Disposition"] = content_disposition_header(True, row.name) or "attachment"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    def _declared(self, request: HttpRequest, pk: int) -> Declared:
        if not request.user.has_perm(MAY_ACT):
            raise PermissionDenied
        return get_object_or_404(Declared.objects.select_related("notice__contract"), pk=pk)

    def _url(self, declared: Declared) -> str:
        return reverse("admin:cancellation_declared_change", args=[declared.pk])

    def _back(self, declared: Declared) -> HttpResponse:
        return HttpResponseRedirect(self._url(declared))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
