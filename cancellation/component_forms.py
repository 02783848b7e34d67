"""The parts of a bundle as staff write them: what depends on what, within one contract and never in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.admin import TabularInline
from subscriptions.models import Component

if TYPE_CHECKING:
    FormSet = forms.BaseInlineFormSet[Any, Any, Any]
else:
    FormSet = forms.BaseInlineFormSet

WIDTHS = {"kind": 12, "name": 20}


class ComponentFormSet(FormSet):
    """The parts of one contract."""

    def clean(self) -> None:
        """Refuse parts that depend on themselves, be it by way of others."""
        super().clean()
        needs = {}
        for form in self.forms:
            data = getattr(form, "cleaned_data", {})
            if form.instance.pk and not data.get("DELETE"):
                needs[form.instance.pk] = getattr(data.get("depends_on"), "pk", None)
        for form in self.forms:
            if _in_a_circle(form.instance.pk, needs):
                form.add_error("depends_on", _("A part cannot depend on itself, nor on one that depends on it."))


def _in_a_circle(start: int | None, needs: dict[Any, Any]) -> bool:
    at = needs.get(start)
    for _turn in range(len(needs)):
        if at is None:
            return False
        if at == start:
            return True
        at = needs.get(at)
    return False


class DependenciesInline(TabularInline):
    """Lets a part depend on parts of its own contract only."""

    formset = ComponentFormSet
    contract_pk: int | None = None

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Remember whose parts these are; Django makes one inline for each request."""
        self.contract_pk = obj.pk if obj else None
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        """Return a plain choice of parts, without icons that lead to pages of their own."""
        if db_field.name in WIDTHS:
            # Side by side with the others, the usual box is too wide for a desk's screen.
            kwargs["widget"] = forms.TextInput(attrs={"size": WIDTHS[db_field.name]})
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[arg-type]
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_add_related = field.widget.can_change_related = False
            field.widget.can_delete_related = field.widget.can_view_related = False
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        """Offer the parts of this contract."""
        if db_field.name == "depends_on":
            kwargs["queryset"] = Component.objects.filter(contract=self.contract_pk)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[arg-type]
