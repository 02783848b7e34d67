"""The desk's pages of what is sold and what was paid, and the boxes for amounts that contracts use too."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.admin import DeskAdmin, FactAdmin, ModelForm, Shown, TabularInline, shown_day, shown_link
from subscriptions.amounts import Money
from subscriptions.formats import format_money
from subscriptions.models import Payment, Plan, PlanPrice, Product
from subscriptions.money import MINOR_DIGITS, MoneyError, from_minor, to_minor


def shown_money(minor: str, label: Any) -> Shown:
    """Return a column that shows the minor units of a field beside the row's currency."""

    @admin.display(description=label, ordering=minor)
    def column(_self: Any, row: Any) -> str:
        amount = getattr(row, minor)
        return "" if amount is None or not row.currency else format_money(Money(amount, row.currency))

    return column


class AmountsForm(ModelForm):
    """A form that asks for amounts as people write them, and keeps minor units.

    ``amounts`` names the fields of minor units and their labels; the currency stands in ``currency``.
    """

    amounts: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in self.amounts.items():
            if name in self.fields:
                self.fields[name] = self._box(name, label)

    def _box(self, name: str, label: Any) -> forms.CharField:
        asked = self.fields[name]
        box = forms.CharField(
            label=label, required=asked.required, max_length=24, help_text=_("In the currency above, such as 12.50.")
        )
        kept, currency = getattr(self.instance, name, None), getattr(self.instance, "currency", "")
        if kept is not None and currency in MINOR_DIGITS:
            # In ``initial`` of the form, where the minor units stand that Django read from the row.
            self.initial[name] = format(from_minor(kept, currency), "f")
        return box

    def clean_currency(self) -> str:
        """Refuse what is no currency."""
        currency = str(self.cleaned_data["currency"]).upper()
        if currency not in MINOR_DIGITS:
            raise forms.ValidationError(_("This is not a currency. Give an ISO 4217 code, such as EUR."))
        return currency

    def clean(self) -> dict[str, Any]:
        """Turn amounts into minor units; one that cannot be read, or is finer than the currency, is refused."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self.amounts.keys() & given.keys():
            typed = str(given.pop(name) or "").strip()
            # Without a currency nothing can be said about an amount; the box keeps what was typed.
            if "currency" in given:
                self._keep(name, typed, given)
        return given

    def _keep(self, name: str, typed: str, given: dict[str, Any]) -> None:
        try:
            given[name] = read_amount(typed, given["currency"]) if typed else None
        except forms.ValidationError as wrong:
            self.add_error(name, wrong)


def read_amount(typed: str, currency: str) -> int:
    """Return an amount as people write it in minor units of a currency. Raises ValidationError with the remedy."""
    try:
        # A decimal comma is what half of Europe types; a comma between thousands is refused, never guessed.
        amount = typed.replace(",", ".") if re.fullmatch(r"\d+,\d{1,2}", typed) else typed
        minor = to_minor(amount, currency)
    except MoneyError as wrong:
        told = _("“%(typed)s” is not an amount of %(currency)s. Write it like %(example)s.")
        example = format(from_minor(1250, currency), "f")
        params = {"typed": typed, "currency": currency, "example": example}
        raise forms.ValidationError(told, params=params) from wrong
    if minor < 0:
        raise forms.ValidationError(_("An amount here is not below zero."))
    return minor


class PriceForm(AmountsForm):
    """One line of a price list."""

    amounts: ClassVar[dict[str, Any]] = {"price_minor": _("Price")}

    class Meta:
        model = PlanPrice
        fields = ("valid_from", "currency", "price_minor")


class PriceInline(TabularInline):
    """The price list of a plan."""

    model = PlanPrice
    form = PriceForm
    fields = ("valid_from", "currency", "price_minor")
    extra = 0
    template = "admin/desk/tabular.html"
    show_change_link = False


@admin.register(Product)
class ProductAdmin(DeskAdmin):
    """What is sold."""

    list_display = ("name", "code")
    search_fields = ("name", "code")
    search_help_text = _("By name or code")


@admin.register(Plan)
class PlanAdmin(DeskAdmin):
    """What is sold at a price list."""

    list_display = ("name", "code", "product")
    list_select_related = ("product",)
    search_fields = ("name", "code")
    search_help_text = _("By name or code")
    inlines = (PriceInline,)


@admin.register(Payment)
class PaymentAdmin(FactAdmin):
    """What was paid, as the payment system told it."""

    list_display = ("reference", "contract_link", "amount_paid", "first_day", "last_day")
    list_select_related = ("contract",)
    search_fields = ("reference", "contract__reference")
    search_help_text = _("By payment reference or contract reference")
    ordering = ("-pk",)
    fields = list_display
    readonly_fields = ("contract_link", "amount_paid", "first_day", "last_day")

    contract_link = shown_link("contract", _("contract"))
    amount_paid = shown_money("amount_minor", _("amount"))
    first_day = shown_day("paid_from", _("paid from"))
    last_day = shown_day("paid_to", _("paid to"))
