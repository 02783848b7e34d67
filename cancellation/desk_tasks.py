"""The desk's list of tasks: what agreed options leave for a person to do. A customer waits for each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from cancellation import desk, task_actions
from cancellation.admin import actor_of
from cancellation.models import DeskTask
from config.admin import DeskAdmin, ModelForm, condition_filter, link_to, shown_instant, shown_link, shown_text

# What wishes are called; one that is not known is shown under its own name.
WISHES = {
    "when": _("days that suit"),
    "words": _("in their own words"),
    "person_name": _("name of the other person"),
    "person_email": _("e-mail address of the other person"),
    "why": _("why"),
    "minutes": _("minutes"),
}


class TaskForm(ModelForm):
    """Whether a task is done, and what came of it."""

    done = forms.BooleanField(label=_("done"), required=False)

    class Meta:
        model = DeskTask
        fields = ("note",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["done"] = bool(self.instance.done_at)
        if "note" in self.fields:
            self.fields["note"].widget.attrs["rows"] = 4
            self.fields["note"].help_text = _("For whoever of the staff looks next; customers do not read it.")


@admin.register(DeskTask)
class DeskTaskAdmin(DeskAdmin):
    """Tasks: open ones first, urgent ones before others. They are done with a note, never deleted."""

    form = TaskForm
    list_display = ("what", "urgent", "contract_link", "customer_link", "since", "stands")
    list_filter = (
        condition_filter(
            title=_("state"),
            parameter="state",
            conditions={
                "open": (_("to be done"), Q(done_at__isnull=True)),
                "done": (_("done"), Q(done_at__isnull=False)),
            },
        ),
        "kind",
        "is_urgent",
    )
    list_select_related = ("contract__customer", "acceptance")
    ordering = (F("done_at").desc(nulls_first=True), "-is_urgent", "created_at", "pk")
    search_fields = ("contract__reference", "contract__customer__name", "acceptance__reference")
    search_help_text = _("Contract reference, the customer's name or the reference of what was agreed")
    readonly_fields = (
        "what", "urgent", "contract_link", "customer_link", "agreed_link", "since", "their_words", "their_wishes",
        "stands", "done_instant", "done_by_words",
    )  # fmt: skip
    actions = ("mark_done", "reopen")

    contract_link = shown_link("contract", _("contract"))
    agreed_link = shown_link("acceptance", _("agreed option"))
    since = shown_instant("created_at", _("waits since"))
    done_instant = shown_instant("done_at", _("done at"))
    their_words = shown_text("words", _("in their own words"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show boxes to those alone who may fill them in."""
        return (*self.readonly_fields, "note", *(("done",) if self.has_change_permission(request, obj) else ()))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: tasks follow from what was agreed."""
        return False

    @admin.display(description=_("what"), ordering="kind")
    def what(self, task: DeskTask) -> str:
        """Return what is to be done."""
        return task.get_kind_display()

    @admin.display(description=_("urgent"), ordering="is_urgent")
    def urgent(self, task: DeskTask) -> Any:
        """Return the word for it; nothing for all others."""
        return _("urgent") if task.is_urgent else ""

    @admin.display(description=_("customer"))
    def customer_link(self, task: DeskTask) -> str:
        """Return a link to who waits."""
        return link_to(task.contract.customer)

    @admin.display(description=_("state"), ordering="done_at")
    def stands(self, task: DeskTask) -> Any:
        """Return whether it is open, or who did it."""
        return _("done by %(who)s") % {"who": desk.who(task.done_by)} if task.done_at else _("to be done")

    @admin.display(description=_("done by"))
    def done_by_words(self, task: DeskTask) -> str:
        """Return who did it."""
        return desk.who(task.done_by)

    @admin.display(description=_("wishes"))
    def their_wishes(self, task: DeskTask) -> SafeString:
        """Return what the customer asked for with it, one a line."""
        return wishes(task.wishes)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        """Name the page by what is to be done."""
        named = context if obj is None else context | {"subtitle": f"{self.what(obj)}, {obj.contract.reference}"}
        return super().render_change_form(request, named, add, change, form_url, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep the note, and finish the task or open it again, if that is what was changed."""
        actor, now = actor_of(request), timezone.now()
        if "note" in form.changed_data:
            task_actions.note_on(task_id=obj.pk, note=obj.note)
        if "done" in form.changed_data and form.cleaned_data["done"]:
            task_actions.finish_task(task_id=obj.pk, actor=actor, at=now)
        elif "done" in form.changed_data:
            task_actions.reopen_task(task_id=obj.pk, actor=actor, at=now)

    @admin.action(description=_("Mark as done"), permissions=["change"])
    def mark_done(self, request: HttpRequest, queryset: QuerySet[DeskTask]) -> None:
        """Note that chosen tasks are done."""
        actor, now = actor_of(request), timezone.now()
        done = sum(task_actions.finish_task(task_id=task.pk, actor=actor, at=now) for task in queryset)
        said = ngettext("%(n)d task is marked done.", "%(n)d tasks are marked done.", done) % {"n": done}
        self.message_user(request, said, messages.SUCCESS if done else messages.INFO)

    @admin.action(description=_("Not done after all"), permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[DeskTask]) -> None:
        """Open chosen tasks again."""
        actor, now = actor_of(request), timezone.now()
        done = sum(task_actions.reopen_task(task_id=task.pk, actor=actor, at=now) for task in queryset)
        said = ngettext("%(n)d task is open again.", "%(n)d tasks are open again.", done) % {"n": done}
        self.message_user(request, said, messages.SUCCESS if done else messages.INFO)


def wishes(asked: Any) -> SafeString:
    """Return what a customer asked for, one a line; what they typed stays text."""
    rows = asked.items() if isinstance(asked, dict) else []
    return format_html_join(
        "",
        "<pre>{}</pre>",
        ((format_html("{}: {}", WISHES.get(name, name), value),) for name, value in rows if value not in ("", None)),
    )
