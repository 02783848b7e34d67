"""The desk's part of a bundle: the steps that staff do, one list for all contracts, and a page for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from cancellation import bundles, desk, parts_words
from cancellation.admin import actor_of
from cancellation.models import ChecklistItem
from cancellation.parts_plan import By, Key, hands_over
from cancellation.parts_views import why_refused
from config.admin import DeskAdmin, ModelForm, condition_filter, day, link_to, shown_instant, shown_link
from config.formats import format_day
from subscriptions.models import Contract

REFUSALS = (bundles.NoSuchStep, bundles.NotTheirs, bundles.NotYet, bundles.TooEarly, bundles.StillStands)


def key_of(item: ChecklistItem) -> Key:
    """Return what names the step of a row."""
    return (item.component_id, item.code)


def bundle_of(item: ChecklistItem) -> bundles.Bundle:
    """Return the bundle that a step belongs to; worked out once for all steps of a contract on a page."""
    contract: Any = item.contract
    if not hasattr(contract, "bundle_now"):
        contract.bundle_now = bundles.bundle_of_rows(contract, timezone.now())
    found: bundles.Bundle = contract.bundle_now
    return found


class StepForm(ModelForm):
    """Whether a step is done, and what is handed over with it."""

    done = forms.BooleanField(label=_("done"), required=False)

    class Meta:
        model = ChecklistItem
        fields = ("note",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["done"] = bool(self.instance.done_at)
        if "note" in self.fields:
            self.fields["note"].help_text = _(
                "Such as the auth code. Once the step is done, the customer reads it on their page, and nowhere else."
            )
        if not self.instance.by_staff:
            self.fields["done"].help_text = _(
                "Tick it when the customer has told you so. Their page says that you noted it."
            )

    def clean(self) -> dict[str, Any]:
        """Refuse a step that is not in its turn, and say which one comes first."""
        given = super().clean() or {}
        bundle, key = bundle_of(self.instance), key_of(self.instance)
        step, done = bundle.step(key), bool(given.get("done"))
        if done != (key in bundle.done):
            try:
                if step is None:
                    raise bundles.NoSuchStep
                (bundle.check if done else bundle.check_back)(step)
            except REFUSALS as refused:
                self.add_error("done", why_refused(refused, bundle.names))
        return given


@admin.register(ChecklistItem)
class ChecklistItemAdmin(DeskAdmin):
    """The steps of all exit checklists. A step is done or taken back; the steps themselves follow from the choices."""

    form = StepForm
    list_display = ("what", "contract_link", "customer_link", "whose", "stands")
    list_filter = (
        condition_filter(
            title=_("state"),
            parameter="state",
            conditions={
                "ours": (_("open, ours"), Q(done_at__isnull=True, by_staff=True)),
                "theirs": (_("open, the customer's"), Q(done_at__isnull=True, by_staff=False)),
                "done": (_("done"), Q(done_at__isnull=False)),
            },
        ),
    )
    ordering = ("contract", "position", "pk")
    search_fields = ("contract__reference", "contract__customer__name", "component__name")
    search_help_text = _("Contract reference, the customer's name or the name of a part")
    readonly_fields = ("what", "contract_link", "customer_link", "whose", "stands", "done_instant", "done_by_words")
    actions = ("mark_done", "mark_told", "take_back")

    contract_link = shown_link("contract", _("contract"))
    done_instant = shown_instant("done_at", _("done at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return steps with their contracts, and those with their parts: as many statements for one as for fifty."""
        contracts = bundles.with_bundles(Contract.objects.select_related("customer"))
        return super().get_queryset(request).prefetch_related(Prefetch("contract", contracts))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what is handed over to those alone who may hand it over."""
        if not self.has_change_permission(request, obj):
            return self.readonly_fields
        return (*self.readonly_fields, *(("note",) if obj and hands_over(obj.code) else ()), "done")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: steps follow from choices."""
        return False

    @admin.display(description=_("step"))
    def what(self, item: ChecklistItem) -> str:
        """Return the step in words."""
        bundle = bundle_of(item)
        step = bundle.step(key_of(item))
        return parts_words.step(step, bundle.names) if step else parts_words.doing(item.code, str(item.component or ""))

    @admin.display(description=_("customer"))
    def customer_link(self, item: ChecklistItem) -> str:
        """Return a link to whose contract it is."""
        return link_to(item.contract.customer)

    @admin.display(description=_("whose step"))
    def whose(self, item: ChecklistItem) -> Any:
        """Return who does it."""
        return _("ours") if item.by_staff else _("the customer's")

    @admin.display(description=_("state"))
    def stands(self, item: ChecklistItem) -> Any:
        """Return whether it is done, can be done, or waits for another."""
        bundle, key = bundle_of(item), key_of(item)
        step = bundle.plan.step(key)
        if step is None:
            return _("no longer asked for")
        if item.done_at:
            return f"{_('done')}, {day(timezone.localtime(item.done_at).date())}"
        if first := bundle.first_before(step):
            return _("waits for: %(step)s") % {"step": parts_words.step(first, bundle.names)}
        if last_day := bundle.waits_until(step):
            return _("after the last day, %(day)s") % {"day": format_day(last_day, width="medium")}
        return _("can be done now")

    @admin.display(description=_("done by"))
    def done_by_words(self, item: ChecklistItem) -> str:
        """Return who did it."""
        return desk.who(item.done_by)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Name the page by the step."""
        named = context if obj is None else context | {"subtitle": self.what(obj)}
        return super().render_change_form(request, named, add, change, form_url, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep what is handed over, and tick the step or take it back, if that is what was changed."""
        if "note" in form.changed_data:
            ChecklistItem.objects.filter(pk=obj.pk).update(note=obj.note)
        if "done" in form.changed_data:
            refused = self._write(
                request, obj, bundles.tick if form.cleaned_data["done"] else bundles.untick, timezone.now()
            )
            if refused:
                self.message_user(request, refused, messages.WARNING)

    @admin.action(description=_("Mark as done"), permissions=["change"])
    def mark_done(self, request: HttpRequest, queryset: QuerySet[ChecklistItem]) -> None:
        """Note that chosen steps of staff are done, in their order."""
        self._write_all(request, queryset.filter(by_staff=True), bundles.tick)

    @admin.action(description=_("Mark as done, as the customer told us"), permissions=["change"])
    def mark_told(self, request: HttpRequest, queryset: QuerySet[ChecklistItem]) -> None:
        """Note that chosen steps of customers are done, on their word."""
        self._write_all(request, queryset.filter(by_staff=False), bundles.tick)

    @admin.action(description=_("Not done after all"), permissions=["change"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[ChecklistItem]) -> None:
        """Take the ticks of chosen steps back, the last one first."""
        self._write_all(request, queryset, bundles.untick, backwards=True)

    def _write_all(
        self,
        request: HttpRequest,
        queryset: QuerySet[ChecklistItem],
        write: Callable[..., bool],
        *,
        backwards: bool = False,
    ) -> None:
        """Write what can be written; say what cannot, and why."""
        order = ("-contract", "-position") if backwards else ("contract", "position")
        refused, now = [], timezone.now()
        items = list(queryset.order_by(*order))
        for item in items:
            why = self._write(request, item, write, now)
            if why:
                refused.append(f"{item.contract.reference}, {self.what(item)} – {why}")
        changed = len(items) - len(refused)
        said = ngettext("%(n)d step is changed.", "%(n)d steps are changed.", changed) % {"n": changed}
        self.message_user(request, said, messages.SUCCESS if changed else messages.INFO)
        for why in refused:
            self.message_user(request, why, messages.WARNING)

    def _write(self, request: HttpRequest, item: ChecklistItem, write: Callable[..., bool], now: datetime) -> str:
        """Tick a step or take its tick back; return why not, "" where it is so now."""
        try:
            write(
                contract=item.contract, key=key_of(item), by=By.STAFF, actor=actor_of(request), at=now,
                as_told=not item.by_staff,
            )  # fmt: skip
        except REFUSALS as refused:
            return why_refused(refused, bundle_of(item).names)
        return ""
