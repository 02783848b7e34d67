"""The desk's view of what happened to options: the ledger, the decisions, and what customers agreed to.

All of it is fact. The one act is to take an agreement back, with the reason.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from billing.models import Instruction
from cancellation import desk, offer_actions, offer_words
from cancellation.admin import actor_of
from cancellation.desk_offer_words import figures
from cancellation.desk_options import decision_lines
from cancellation.desk_tasks import wishes
from cancellation.models import (
    RUNNING_STATES,
    Acceptance,
    Offer,
    OfferDecision,
    OfferEvent,
)
from config.admin import (
    FactAdmin,
    condition_filter,
    instant,
    link_to,
    shown_day,
    shown_instant,
    shown_json,
    shown_link,
    url_of,
)
from subscriptions.admin import shown_money

MAY_TAKE_BACK = "cancellation.change_acceptance"


def version_link(offer: Offer, version: int) -> str:
    """Return a link to an option as it stood in a version."""
    text = _("%(code)s, version %(number)d") % {"code": offer.code, "number": version}
    return format_html('<a href="{}#version-{}">{}</a>', url_of(offer), version, text)


class WhyForm(forms.Form):
    """Why what was agreed is taken back."""

    why = forms.CharField(
        max_length=2000,
        label=_("Reason"),
        help_text=_("It stands in the option ledger, under your name."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


# ---------------------------------------------------------------- the ledger


@admin.register(OfferEvent)
class OfferEventAdmin(FactAdmin):
    """What happened to options, one entry for each thing. Nothing here is ever changed."""

    list_display = ("when", "what", "option", "contract_link", "place", "by")
    list_filter = ("what", "place", "offer__kind", "offer")
    list_select_related = ("offer", "contract")
    ordering = ("-pk",)
    search_fields = ("contract__reference", "offer__code", "acceptance__reference")
    search_help_text = _("Contract reference, code of the option or reference of what was agreed")
    fields = ("when", "what", "option", "contract_link", "agreed_link", "place", "visit", "by", "reason")
    readonly_fields = ("when", "option", "contract_link", "agreed_link", "by", "reason")

    when = shown_instant("at", _("at"))
    contract_link = shown_link("contract", _("contract"))
    agreed_link = shown_link("acceptance", _("agreed option"))

    @admin.display(description=_("option"), ordering="offer__code")
    def option(self, event: OfferEvent) -> str:
        """Return a link to the option in its version."""
        return version_link(event.offer, event.version)

    @admin.display(description=_("why"))
    def reason(self, event: OfferEvent) -> SafeString:
        """Return why: a cause in words, or what somebody of the staff wrote."""
        return format_html("<pre>{}</pre>", offer_words.cause(event.why))

    @admin.display(description=_("by"))
    def by(self, event: OfferEvent) -> str:
        """Return who did it."""
        return desk.who(event.actor)


# ---------------------------------------------------------------- the decisions


@admin.register(OfferDecision)
class OfferDecisionAdmin(FactAdmin):
    """Why somebody was shown what they were shown, and nothing else."""

    list_display = ("when", "contract_link", "place", "how_many", "outcome")
    list_filter = (
        "place",
        condition_filter(
            title=_("outcome"),
            parameter="outcome",
            conditions={
                "some": (_("options were shown"), ~Q(shown=[])),
                "none": (_("none was shown"), Q(shown=[])),
                "declined": (_("declined"), Q(declined_at__isnull=False)),
                "held": (_("held out"), Q(held_out=True)),
                "fault": (_("something failed"), ~Q(fault="")),
            },
        ),
    )
    list_select_related = ("contract",)
    ordering = ("-pk",)
    search_fields = ("contract__reference", "contract__customer__name")
    search_help_text = _("Contract reference or the customer's name")
    fields = (
        "when", "contract_link", "place", "pack", "locale", "reasons_said", "outcome", "were_shown", "were_not",
        "fault", "declined",
    )  # fmt: skip
    readonly_fields = (
        "when", "contract_link", "reasons_said", "outcome", "were_shown", "were_not", "declined",
    )  # fmt: skip

    when = shown_instant("at", _("at"))
    contract_link = shown_link("contract", _("contract"))
    declined = shown_instant("declined_at", _("declined at"))

    @admin.display(description=_("how many were shown"))
    def how_many(self, decision: OfferDecision) -> int:
        """Return how many options were shown."""
        return len(decision.shown)

    @admin.display(description=_("outcome"))
    def outcome(self, decision: OfferDecision) -> str:
        """Return in a few words what came of it."""
        return decision_lines(decision).outcome

    @admin.display(description=_("reasons said"))
    def reasons_said(self, decision: OfferDecision) -> str:
        """Return the reasons that were known then, in words."""
        return ", ".join(decision_lines(decision).reasons)

    @admin.display(description=_("shown"))
    def were_shown(self, decision: OfferDecision) -> SafeString:
        """Return the options that were shown, with their words of that day."""
        rows = ((row.title, row.text, row.afterwards) for row in decision_lines(decision).shown)
        return format_html_join("", "<p><strong>{}</strong><br>{}<br>{}</p>", rows)

    @admin.display(description=_("not shown, and why"))
    def were_not(self, decision: OfferDecision) -> SafeString:
        """Return a line for each option that was not shown."""
        told = ((row.title, row.code, row.why) for row in decision_lines(decision).not_shown)
        return format_html_join("", "<p><strong>{}</strong> ({})<br>{}</p>", told)


# ---------------------------------------------------------------- what was agreed


@admin.register(Acceptance)
class AcceptanceAdmin(FactAdmin):
    """What customers agreed to, on the terms they were shown."""

    list_display = ("reference", "title", "contract_link", "customer_link", "agreed", "from_day", "until_day", "state")
    list_filter = (
        condition_filter(
            title=_("state"),
            parameter="standing",
            conditions={
                "running": (_("running"), Q(state__in=RUNNING_STATES)),
                "failed": (_("could not be carried out yet"), Q(state="failed")),
                "over": (_("over or taken back"), ~Q(state__in=RUNNING_STATES)),
            },
        ),
        "kind",
        "place",
        "offer",
    )
    list_select_related = ("contract", "customer", "offer")
    ordering = ("-pk",)
    search_fields = ("reference", "contract__reference", "customer__name", "offer__code")
    search_help_text = _("Reference, contract reference, the customer's name or the code of the option")
    fields = (
        "reference", "option", "kind", "contract_link", "customer_link", "title", "shown_figures", "afterwards",
        "asked_for", "from_day", "until_day", "costs", "state", "fault", "agreed", "closed", "place", "locale", "stood",
        "instructions", "tasks", "ledger",
    )  # fmt: skip
    readonly_fields = (
        "option", "contract_link", "customer_link", "shown_figures", "asked_for", "from_day", "until_day", "costs",
        "agreed", "closed", "stood", "instructions", "tasks", "ledger",
    )  # fmt: skip
    change_form_template = "admin/desk/agreed.html"

    contract_link = shown_link("contract", _("contract"))
    customer_link = shown_link("customer", _("customer"))
    agreed = shown_instant("accepted_at", _("agreed at"))
    closed = shown_instant("closed_at", _("taken back or over at"))
    from_day = shown_day("starts_on", _("starts on"))
    until_day = shown_day("until", _("until"))
    costs = shown_money("cost_minor", _("what it costs the business"))
    stood = shown_json("before", _("what stood there before"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read agreements with what their links name."""
        return super().get_queryset(request).select_related("contract", "customer", "offer")

    @admin.display(description=_("option"), ordering="offer__code")
    def option(self, acceptance: Acceptance) -> str:
        """Return a link to the option in its version."""
        return version_link(acceptance.offer, acceptance.version)

    @admin.display(description=_("figures as shown"))
    def shown_figures(self, acceptance: Acceptance) -> SafeString:
        """Return what was agreed as the customer read it, in the reader's language; bare figures where that fails."""
        try:
            told = [(line,) for line in offer_words.lines(acceptance.kind, acceptance.terms)]
        except (KeyError, TypeError, ValueError):
            return _lines(figures(acceptance.terms, acceptance.kind, acceptance.currency))
        return format_html_join("", "{}<br>", told)

    @admin.display(description=_("asked for"))
    def asked_for(self, acceptance: Acceptance) -> SafeString:
        """Return what the customer asked for with it."""
        return wishes(acceptance.asked)

    @admin.display(description=_("for billing"))
    def instructions(self, acceptance: Acceptance) -> SafeString:
        """Return what billing has to do because of it."""
        rows = Instruction.objects.filter(acceptance_id=acceptance.pk).order_by("pk")
        return _lines((link_to(row), row.get_outcome_display()) for row in rows)

    @admin.display(description=_("tasks"))
    def tasks(self, acceptance: Acceptance) -> SafeString:
        """Return what a person has to do because of it."""
        rows = acceptance.tasks.order_by(F("done_at").desc(nulls_first=True), "pk")
        return _lines(
            (link_to(row, row.get_kind_display()), desk.who(row.done_by) if row.done_at else _("to be done"))
            for row in rows
        )

    @admin.display(description=_("option ledger"))
    def ledger(self, acceptance: Acceptance) -> SafeString:
        """Return what happened to it, the latest first."""
        rows = acceptance.events.order_by("-at", "-pk")
        return _lines(
            (link_to(row, row.get_what_display()), f"{instant(row.at)}, {desk.who(row.actor)}") for row in rows
        )

    # The act.

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show what may be done about it, to those who may."""
        if obj is not None:
            may = request.user.has_perm(MAY_TAKE_BACK) and obj.state in RUNNING_STATES
            context = context | {"may_take_back": may, "why_form": WhyForm()}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self) -> list[URLPattern]:
        """Add the act."""
        view = self.admin_site.admin_view(self.take_back_view)
        return [path("<int:pk>/take-back/", view, name="cancellation_acceptance_take_back"), *super().get_urls()]

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take what was agreed back, with the reason; what cannot be taken back any more says so."""
        if not request.user.has_perm(MAY_TAKE_BACK):
            raise PermissionDenied
        get_object_or_404(Acceptance, pk=pk)
        back = HttpResponseRedirect(reverse("admin:cancellation_acceptance_change", args=[pk]))
        if request.method != "POST":
            return back
        form = WhyForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Give the reason."))
            return back
        try:
            offer_actions.revert(
                acceptance_id=pk, actor=actor_of(request), at=timezone.now(), why=form.cleaned_data["why"]
            )
        except offer_actions.CannotRevert as refused:
            messages.error(request, str(refused))
            return back
        messages.success(request, _("Taken back: what was agreed before holds again. The ledger has your reason."))
        return back


def _lines(rows: Any) -> SafeString:
    return format_html_join("", "{}: {}<br>", rows) or mark_safe("–")
