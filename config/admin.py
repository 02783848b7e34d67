"""What all pages of the desk (the admin) share: read-only facts, lists that stay quick, days and money in words.

The look stands in ``templates/admin/`` and ``static/fairwell/admin.css``. Nothing here touches a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget, AdminSplitDateTime, AdminTimeWidget, RelatedFieldWidgetWrapper
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from config.formats import format_day, format_instant

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    StackedInline = admin.StackedInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
    BasePaginator = Paginator[Any]
    BaseUserAdmin = UserAdmin[User]
else:
    ModelAdmin, TabularInline, ModelForm = admin.ModelAdmin, admin.TabularInline, forms.ModelForm
    StackedInline = admin.StackedInline
    BasePaginator, BaseUserAdmin = Paginator, UserAdmin

# A list is searched, not leafed through to its end; counting a million rows would cost more than showing fifty.
MOST_COUNTED = 5000
ROWS_ON_A_PAGE = 50

admin.site.empty_value_display = "–"


class CappedPaginator(BasePaginator):
    """Pages up to a number of rows; what lies beyond is found by searching."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, or the cap where there are more."""
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())

    @property
    def is_capped(self) -> bool:
        """Tell whether there are more rows than are counted."""
        return self.count >= MOST_COUNTED


class LabelledDateTime(AdminSplitDateTime):
    """A day and a time, each with a name of its own for those who cannot see what stands beside it."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        boxes = [AdminDateWidget(attrs={"aria-label": _("Day")}), AdminTimeWidget(attrs={"aria-label": _("Time")})]
        forms.MultiWidget.__init__(self, boxes, attrs)


class DeskAdmin(ModelAdmin):
    """A page of the desk. Nothing is deleted here unless a page says otherwise."""

    list_per_page = ROWS_ON_A_PAGE
    list_max_show_all = ROWS_ON_A_PAGE
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    formfield_overrides = {models.DateTimeField: {"widget": LabelledDateTime}}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        """Return a plain choice of related rows: their own pages are a click away, and icons crowd a phone."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[arg-type]
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_add_related = field.widget.can_change_related = False
            field.widget.can_delete_related = field.widget.can_view_related = False
        return field

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Name a list by what stands in it."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Name a page by what stands on it; its own name stands below."""
        named = context if obj is None else context | {"title": capfirst(self.opts.verbose_name)}
        return super().render_change_form(request, named, add, change, form_url, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what happened stays, and what must go goes by a rule, not by a click."""
        return False


class FactAdmin(DeskAdmin):
    """Facts: read by those who may, written by nobody here, not even by a superuser."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: facts are made by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: facts are not edited."""
        return False


def condition_filter(
    *, title: Any, parameter: str, conditions: Mapping[str, tuple[Any, Q]]
) -> type[admin.SimpleListFilter]:
    """Return a filter of a list with a name, a label and a condition for each choice."""

    class ConditionFilter(admin.SimpleListFilter):
        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return [(name, label) for name, (label, _condition) in conditions.items()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            chosen = self.value() or ""
            return queryset.filter(conditions[chosen][1]) if chosen in conditions else queryset

    ConditionFilter.title, ConditionFilter.parameter_name = title, parameter
    return ConditionFilter


class BoxesAdmin(DeskAdmin):
    """Several choices as boxes to tick, which everybody can use; Django's two lists need a mouse."""

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Return boxes for all choices."""
        field = super().formfield_for_manytomany(db_field, request, widget=forms.CheckboxSelectMultiple(), **kwargs)
        if field is not None:
            field.help_text = ""
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leave it to the permission."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


admin.site.unregister([User, Group])


@admin.register(User)
class StaffAdmin(BoxesAdmin, BaseUserAdmin):
    """Who works at the desk, and what they may do."""

    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")


@admin.register(Group)
class GroupsAdmin(BoxesAdmin, GroupAdmin):
    """What people of one task may do."""

    filter_horizontal = ()


Shown = Callable[[Any, Any], Any]


def shown_day(field: str, label: Any) -> Shown:
    """Return a column that shows a day in words."""

    @admin.display(description=label, ordering=field)
    def column(_self: Any, row: Any) -> str:
        return day(getattr(row, field))

    return column


def shown_instant(field: str, label: Any) -> Shown:
    """Return a column that shows an instant with its offset."""

    @admin.display(description=label, ordering=field)
    def column(_self: Any, row: Any) -> str:
        return instant(getattr(row, field))

    return column


def shown_text(field: str, label: Any) -> Shown:
    """Return a field that shows long text as it stands, line breaks and all."""

    @admin.display(description=label)
    def column(_self: Any, row: Any) -> SafeString:
        return format_html("<pre>{}</pre>", getattr(row, field))

    return column


def shown_json(field: str, label: Any) -> Shown:
    """Return a field that shows a JSON value so that it can be read."""

    @admin.display(description=label)
    def column(_self: Any, row: Any) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(getattr(row, field), ensure_ascii=False, indent=2))

    return column


def shown_link(field: str, label: Any) -> Shown:
    """Return a column that leads to the page of a related row."""

    @admin.display(description=label, ordering=field)
    def column(_self: Any, row: Any) -> str:
        return link_to(getattr(row, field))

    return column


def day(value: date | None) -> str:
    """Return a day in words, nothing for None."""
    return format_day(value, width="medium") if value else ""


def instant(value: datetime | None) -> str:
    """Return an instant in the server's zone with its offset, nothing for None."""
    return format_instant(timezone.localtime(value)) if value else ""


def link_to(row: Any, text: str = "") -> str:
    """Return a link to the desk's page of a row, nothing for None."""
    return format_html('<a href="{}">{}</a>', url_of(row), text or str(row)) if row is not None else ""


def url_of(row: Any) -> str:
    """Return the address of the desk's page of a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
