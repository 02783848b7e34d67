"""The desk's form of an option: boxes that people can fill in, put together into what the rules read.

Each kind has a form of its own, with the boxes that it needs. Whatever the rules cannot read is refused at its box,
with the reason and the remedy; what was typed stays there.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cancellation.models import Offer, OfferKind
from cancellation.offer_boxes import (
    LANGUAGES,
    TERM_BOXES,
    TEXT_BOXES,
    WHO_BOXES,
    as_dict,
    as_typed,
    is_amount,
    reason_choices,
)
from cancellation.offer_rules import BOUNDS, Eligibility, RuleError, read_terms
from config.admin import ModelForm, day
from subscriptions.admin import read_amount
from subscriptions.models import Plan, PlanPrice
from subscriptions.money import MINOR_DIGITS


class _OfferForm(ModelForm):
    """An option of one kind."""

    kind: ClassVar[str] = ""

    # Which version is changed here, so that nobody overwrites what somebody else has saved meanwhile.
    read = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reasons = forms.MultipleChoiceField(
        label=_("Answers these reasons"),
        required=False,
        choices=reason_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("On the way out, an option is shown only to whoever gave one of them."),
    )
    plans = forms.ModelMultipleChoiceField(
        Plan.objects.order_by("name"),
        label=_("Contracts of these plans"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all plans."),
    )
    countries = forms.CharField(
        label=_("Contracts in these countries"),
        required=False,
        max_length=400,
        help_text=_("Two letters each, such as DE, AT. Empty: everywhere."),
    )
    languages = forms.MultipleChoiceField(
        label=_("Customers of these languages"),
        required=False,
        choices=settings.LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all languages. Without a text of its own, a language gets the English one."),
    )

    class Meta:
        model = Offer
        fields = (
            "code", "active", "valid_from", "valid_until", "plans", "budget", "cap_per_year", "position",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.instance.kind = self.kind
            self.initial.setdefault("valid_from", timezone.localdate())
        self.initial.update(self._kept())
        if "cap_per_year" in self.fields:
            self.fields["cap_per_year"].validators.append(_at_least_once)
        if "budget" in self.fields:
            self.fields["budget"].help_text = _("How many may be accepted in all. Empty: no limit. 0: nobody gets it.")
        if "position" in self.fields:
            self.fields["position"].help_text = _("Of two that answer equally well, the lower number stands first.")

    def _kept(self) -> dict[str, Any]:
        """Return what stands in the boxes that are no columns."""
        offer = self.instance
        kept: dict[str, Any] = {
            "read": offer.version if offer.pk else None,
            "reasons": offer.reasons,
            "countries": ", ".join(map(str, offer.countries)) if isinstance(offer.countries, list) else "",
            "languages": offer.languages,
        }
        for language, words in as_dict(offer.texts).items():
            for part, text in as_dict(words).items():
                kept[f"{part}_{language}"] = text
        kept |= {f"term_{name}": value for name, value in as_typed(offer.terms)}
        return kept | {f"who_{name}": value for name, value in as_typed(offer.eligibility)}

    def clean_countries(self) -> list[str]:
        """Return codes of countries in capitals, each once; the first that is none is named."""
        codes = [code.upper() for code in re.split(r"[,;\s]+", self.cleaned_data["countries"]) if code]
        for code in codes:
            if not re.fullmatch(r"[A-Z]{2}", code):
                told = _("“%(code)s” is no country. Give two letters, such as DE.")
                raise ValidationError(told, params={"code": code})
        return list(dict.fromkeys(codes))

    def clean(self) -> dict[str, Any]:
        """Put the boxes together, and refuse at its box whatever cannot be read."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_days(given)
        self._check_newest(given)
        offer = self.instance
        offer.texts = self._texts(given)
        offer.reasons, offer.languages = given.get("reasons", []), given.get("languages", [])
        offer.countries = given.get("countries", [])
        offer.terms = self._read("term_", given, lambda raw: read_terms(self.kind, raw), offer.terms)
        offer.eligibility = self._read(
            "who_", given, lambda raw: Eligibility.from_dict(raw).as_dict(), offer.eligibility
        )
        if self.kind == OfferKind.SMALLER_PLAN:
            self._check_plan(given)
        return given

    def _check_days(self, given: dict[str, Any]) -> None:
        first, last = given.get("valid_from"), given.get("valid_until")
        if first and last and last < first:
            told = _("This is before the first day, %(day)s. Give that day or a later one, or nothing.")
            self.add_error("valid_until", ValidationError(told, params={"day": day(first)}))

    def _check_newest(self, given: dict[str, Any]) -> None:
        if self.instance.pk is None or given.get("read") is None:
            return
        newest = Offer.objects.filter(pk=self.instance.pk).values_list("version", flat=True).first()
        if newest is not None and newest != given["read"]:
            self.add_error(None, CHANGED_MEANWHILE)

    def _texts(self, given: dict[str, Any]) -> dict[str, dict[str, str]]:
        """Return the words per language; languages that this desk does not speak keep what they have."""
        texts = {code: words for code, words in as_dict(self.instance.texts).items() if code not in LANGUAGES}
        for code in LANGUAGES:
            title, text = given.get(f"title_{code}", ""), given.get(f"text_{code}", "")
            if title and text:
                texts[code] = {"title": title, "text": text}
            elif (title or text) and not {f"title_{code}", f"text_{code}"} & self.errors.keys():
                missing = "text" if title else "title"
                self.add_error(f"{missing}_{code}", _("Give both title and text in a language, or neither."))
        return texts

    def _read(self, prefix: str, given: dict[str, Any], read: Any, kept: Any) -> Any:
        """Return what the rules make of the boxes of a prefix; with any error, what stood there."""
        raw = self._raw(prefix, given)
        self._check_together(prefix, raw)
        if any(name.startswith(prefix) for name in self.errors):
            return kept
        try:
            return read(raw)
        except RuleError as wrong:
            box = f"{prefix}{wrong.field.partition('.')[0]}"
            self.add_error(box if box in self.fields else None, wrong.words)
            return kept

    def _check_together(self, prefix: str, raw: dict[str, Any]) -> None:
        """Say in the words of the boxes what does not go together; the rules would say it in theirs."""
        has_amount = any(is_amount(name) for name in raw)
        if "currency" in raw and not has_amount:
            self.add_error(f"{prefix}currency", _("There is no amount in this currency. Give one, or empty this box."))
        if prefix == "term_" and self.kind == OfferKind.DISCOUNT and ("percent" in raw) == ("amount_minor" in raw):
            self.add_error("term_percent", _("Give either a share in percent, or an amount: one of the two."))
        if raw.get("amount_minor") == 0:
            self.add_error("term_amount_minor", _("This is nothing less. Give an amount above zero."))
        for least, most in BOUNDS:
            low, high = raw.get(least), raw.get(most)
            if isinstance(low, int) and isinstance(high, int) and low > high:
                self.add_error(f"{prefix}{most}", LESS_THAN_LEAST)

    def _raw(self, prefix: str, given: dict[str, Any]) -> dict[str, Any]:
        """Return the filled boxes of a prefix as the rules name and hold them."""
        filled = {
            name.removeprefix(prefix): given[name]
            for name in self.fields
            if name.startswith(prefix) and given.get(name) not in (None, "")
        }
        code = str(filled.get("currency", "")).upper()
        if code:
            filled["currency"] = code
            if code not in MINOR_DIGITS:
                self.add_error(f"{prefix}currency", NO_CURRENCY)
                return filled
        for name in filter(is_amount, list(filled)):
            self._put(f"{prefix}{name}", filled, name, code)
        if "to_plan" in filled:
            filled["to_plan"] = filled["to_plan"].code
        if "prices" in filled:
            filled["prices"] = self._prices(f"{prefix}prices", filled["prices"])
        return filled

    def _put(self, box: str, filled: dict[str, Any], name: str, currency: str) -> None:
        if not currency:
            self.add_error(box, _("Give the currency of this amount in the box for it."))
            return
        try:
            filled[name] = read_amount(str(filled[name]).strip(), currency)
        except ValidationError as wrong:
            self.add_error(box, wrong)

    def _prices(self, box: str, typed: str) -> dict[str, int]:
        prices: dict[str, int] = {}
        for line in filter(None, map(str.strip, typed.splitlines())):
            code, _blank, amount = line.partition(" ")
            code = code.upper()
            if code not in MINOR_DIGITS or not amount or code in prices:
                told = _("“%(line)s” cannot be read. Write each currency once, on a line such as EUR 99.00.")
                self.add_error(box, ValidationError(told, params={"line": line}))
                break
            try:
                prices[code] = read_amount(amount.strip(), code)
            except ValidationError as wrong:
                self.add_error(box, wrong)
                break
        return prices

    def _check_plan(self, given: dict[str, Any]) -> None:
        """Refuse a plan without a price, and one that leads nowhere."""
        plan = given.get("term_to_plan")
        if plan is None:
            return
        today = timezone.localdate()
        if not PlanPrice.objects.filter(plan=plan, valid_from__lte=max(today, _first_day(given, today))).exists():
            told = _("“%(plan)s” has no price that holds by then. Add one to its price list, or choose another plan.")
            self.add_error("term_to_plan", ValidationError(told, params={"plan": plan.name}))
        elif list(given.get("plans") or []) == [plan]:
            told = _("Contracts of “%(plan)s” have this plan already. Choose another one here, or other plans above.")
            self.add_error("term_to_plan", ValidationError(told, params={"plan": plan.name}))


CHANGED_MEANWHILE = _("Somebody else has saved this option meanwhile. Open it anew in another window and compare.")
LESS_THAN_LEAST = _("This is less than the box above it asks for, so nobody would get it. Give more, or less above.")
NO_CURRENCY = _("This is not a currency. Give an ISO 4217 code, such as EUR.")


def _at_least_once(value: int) -> None:
    if value < 1:
        raise ValidationError(_("Give 1 or more. So that nobody gets it, close the option or give it a budget of 0."))


def _first_day(given: dict[str, Any], today: date) -> date:
    first = given.get("valid_from")
    return first if isinstance(first, date) else today


def _form(kind: str) -> Any:
    boxes = TEXT_BOXES | TERM_BOXES[kind] | WHO_BOXES
    return type("OfferForm", (_OfferForm,), {"kind": kind, "__doc__": f"An option of the kind {kind}.", **boxes})


FORMS: dict[str, Any] = {kind: _form(kind) for kind in OfferKind.values}
