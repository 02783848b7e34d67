"""The filters of a report, as they stand in its address."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reports import queries
from reports.queries import Slice


class Day(forms.DateField):
    """A day, written YYYY-MM-DD."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def __init__(self, label: Any) -> None:
        super().__init__(label=label, required=False, input_formats=["%Y-%m-%d"])
        self.error_messages["invalid"] = _("This is not a day. Write it like 2027-01-31.")


class Filters(forms.Form):
    """Period, plan and country. What cannot be used is named, and stays as it was typed."""

    plan = forms.CharField(label=_("Plan"), required=False, max_length=64)
    country = forms.CharField(label=_("Country"), required=False, max_length=2)
    field_order = ["from", "to", "plan", "country"]

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="")
        self.fields |= {"from": Day(_("From")), "to": Day(_("To"))}
        self.order_fields(self.field_order)
        self.plans = queries.known_plans()
        self._offer("plan", [("", _("All plans")), *self.plans])
        self._offer("country", [("", _("All countries")), *((c, c) for c in queries.known_countries())])

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        typed = self.data.get(name, "")
        # An unknown one stays visible in its place, beside what is wrong with it.
        unknown = [] if typed in dict(choices) else [(typed, typed)]
        self.fields[name].widget = forms.Select(choices=[*choices, *unknown])

    def clean_plan(self) -> str:
        """Refuse a plan that does not exist."""
        plan: str = self.cleaned_data["plan"]
        if plan and plan not in dict(self.plans):
            raise forms.ValidationError(_("There is no plan with the code “%(code)s”."), params={"code": plan})
        return plan

    def clean_country(self) -> str:
        """Return the code in capitals."""
        return str(self.cleaned_data["country"]).upper()

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        first: date | None = self.cleaned_data.get("from")
        last: date | None = self.cleaned_data.get("to")
        if first and last and first > last:
            self.add_error("to", _("This day lies before the first one. Give a later day, or swap the two."))
        return self.cleaned_data

    def full_clean(self) -> None:
        """Check everything; a date that cannot be read is shown as text, for a date box would hide it."""
        super().full_clean()
        for name in self.errors.keys() & {"from", "to"}:
            self.fields[name].widget.attrs["type"] = "text"

    def within(self) -> Slice:
        """Return the slice that a valid form asks for."""
        given = self.cleaned_data
        return Slice(given["from"], given["to"], given["plan"], given["country"])
