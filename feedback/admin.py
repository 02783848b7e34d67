"""The reason tree, and what customers said."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from config.admin import DeskAdmin, FactAdmin, ModelForm, shown_instant, shown_link, shown_text
from feedback.models import Answer, Reason
from feedback.queries import forget_reasons
from subscriptions.wording import refuse_pressing

LONGEST_LABEL = 120


class _ReasonForm(ModelForm):
    """A reason with one box per language; English stands in where another is empty."""

    class Meta:
        model = Reason
        fields = ("code", "root", "position", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, words in _labels_of(self.instance).items():
            if f"label_{code}" in self.fields:
                self.fields[f"label_{code}"].initial = words

    def clean(self) -> dict[str, Any]:
        """Put the labels together; languages that this desk does not speak keep what they have."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        boxes = {code: given.get(f"label_{code}", "") for code, _name in settings.LANGUAGES}
        kept = {code: words for code, words in _labels_of(self.instance).items() if code not in boxes}
        self.instance.labels = kept | {code: words for code, words in boxes.items() if words}
        return given


def _labels_of(reason: Reason) -> dict[str, str]:
    return reason.labels if isinstance(reason.labels, dict) else {}


def _label_box(code: str, name: Any) -> forms.CharField:
    return forms.CharField(
        label=format_lazy(_("Label in {language}"), language=name),
        max_length=LONGEST_LABEL,
        required=code == "en",
        validators=[refuse_pressing],
        widget=forms.TextInput(attrs={"lang": code, "class": "vTextField"}),
    )


LABELS = {f"label_{code}": _label_box(code, name) for code, name in settings.LANGUAGES}
ReasonForm: Any = type("ReasonForm", (_ReasonForm,), dict(LABELS))


@admin.register(Reason)
class ReasonAdmin(DeskAdmin):
    """The reason tree. A reason that somebody gave stays; it can be taken off the list that is offered."""

    form = ReasonForm
    list_display = ("label", "code", "root", "position", "active")
    list_display_links = ("label",)
    list_filter = ("root", "active")
    search_fields = ("code",)
    search_help_text = _("By code")
    ordering = ("root", "position", "pk")
    fields = ("code", "root", *LABELS, "position", "active")
    actions = None

    @admin.display(description=_("label"))
    def label(self, reason: Reason) -> str:
        """Return the wording in the reader's language."""
        return reason.label

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the code of a reason: pages that are open right now send it."""
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow a reason to go that nobody ever gave, one at a time."""
        if obj is None or not request.user.has_perm("feedback.delete_reason"):
            return False
        return not Answer.objects.filter(Q(primary=obj) | Q(reasons=obj)).exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and let the next page offer what now stands."""
        super().save_model(request, obj, form, change)
        transaction.on_commit(forget_reasons)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete, and let the next page offer what now stands."""
        super().delete_model(request, obj)
        transaction.on_commit(forget_reasons)


@admin.register(Answer)
class AnswerAdmin(FactAdmin):
    """What customers said, word for word."""

    list_display = ("summary", "root", "contract_link", "said")
    list_filter = ("root", "went_elsewhere")
    list_select_related = ("contract", "primary")
    ordering = ("-pk",)
    search_fields = ("contract__reference", "imported_reason")
    search_help_text = _("By contract reference or imported reason")
    fields = (
        "contract_link", "cancellation_id", "root", "primary", "ticked", "went_elsewhere", "their_words", "good",
        "imported_category", "imported_reason", "said",
    )  # fmt: skip
    readonly_fields = ("contract_link", "ticked", "their_words", "good", "said")

    contract_link = shown_link("contract", _("contract"))
    said = shown_instant("said_at", _("said at"))
    their_words = shown_text("words", _("in their own words"))
    good = shown_text("went_well", _("what went well"))

    @admin.display(description=_("answer"))
    def summary(self, answer: Answer) -> str:
        """Return the reason, as imported or as ticked."""
        return str(answer)

    @admin.display(description=_("all reasons"))
    def ticked(self, answer: Answer) -> str:
        """Return every reason that was ticked."""
        return ", ".join(reason.label for reason in answer.reasons.all())
