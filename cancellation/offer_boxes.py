"""The boxes of the desk's form of an option, for each kind and for who may have it, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from feedback.models import Reason, Root
from subscriptions.models import Plan
from subscriptions.money import MINOR_DIGITS, from_minor
from subscriptions.wording import refuse_pressing

LONGEST_TITLE, LONGEST_TEXT = 120, 600

# What each kind does, in one or two sentences: for whoever makes an option, and for whoever reads the form.
KINDS: dict[str, Any] = {
    "pause": _(
        "For some months nothing is delivered, and nothing or a small price is paid. It begins with the next billing "
        "period that is not paid for. How and when the contract may be ended stays as it is."
    ),
    "smaller_plan": _("The contract goes over to a cheaper plan at that plan’s price of today."),
    "todays_price": _("An old contract pays what a new customer pays today. Nobody is ever held out from it."),
    "discount": _("Some billing periods cost less, by a share or by an amount. Afterwards the price is as before."),
    "free_period": _("Some billing periods cost nothing. Afterwards the price is as before."),
    "interval": _(
        "The contract is billed in another rhythm, at a price of its own. A longer one is offered only where leaving "
        "gets neither later nor dearer by it."
    ),
    "help_session": _("The customer says which days suit; somebody of the staff gets a task and writes to them."),
    "fix": _("The customer says what is wrong; somebody of the staff gets an urgent task."),
    "skip": _("The next billing period that is not paid for is neither delivered nor charged."),
    "hand_over": _("Somebody else takes the contract on; somebody of the staff gets a task and arranges it."),
}


def _whole(label: Any, *, most: int, least: int = 1, required: bool = True, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        required=required,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"class": "vIntegerField"}),
    )


def _amount(label: Any, *, help_text: Any = "") -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=24, help_text=help_text)


def _currency() -> forms.CharField:
    told = _("Of the amounts above: an ISO 4217 code, such as EUR.")
    return forms.CharField(label=_("Currency"), required=False, max_length=3, help_text=told)


class PlanByCode(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A plan, kept by its code."""

    def __init__(self, **given: Any) -> None:
        super().__init__(Plan.objects.order_by("name"), to_field_name="code", **given)

    def label_from_instance(self, obj: Any) -> str:
        """Return name and code: names may be alike."""
        return f"{obj.name} ({obj.code})"


def _billing_months() -> forms.IntegerField:
    return _whole(
        _("The plan’s price is for (months)"),
        most=36,
        required=False,
        help_text=_("Fill it in where contracts of a plan are billed differently: only those billed like this get it."),
    )


def _periods() -> forms.IntegerField:
    return _whole(_("For how many billing periods"), most=36)


# Boxes of a kind, named as the field of its terms with ``term_`` before it.
TERM_BOXES: dict[str, dict[str, forms.Field]] = {
    "pause": {
        "term_months": _whole(
            _("For how many months"), most=12, help_text=_("Whole billing periods fit into them, or it is not offered.")
        ),
        "term_price_minor": _amount(
            _("Price per billing period meanwhile"), help_text=_("Empty: the pause costs nothing.")
        ),
        "term_currency": _currency(),
    },
    "smaller_plan": {
        "term_to_plan": PlanByCode(
            label=_("To this plan"), help_text=_("It needs a price; whoever would not pay less is not offered it.")
        ),
        "term_billing_months": _billing_months(),
    },
    "todays_price": {"term_billing_months": _billing_months()},
    "discount": {
        "term_percent": _whole(
            _("Percent less"), most=99, required=False, help_text=_("Either a share, or the amount below.")
        ),
        "term_amount_minor": _amount(_("Amount less per billing period")),
        "term_currency": _currency(),
        "term_periods": _periods(),
    },
    "free_period": {"term_periods": _periods()},
    "interval": {
        "term_months": _whole(_("Billed every how many months"), most=36),
        "term_prices": forms.CharField(
            label=_("Price for that many months"),
            widget=forms.Textarea(attrs={"rows": 3, "cols": 24}),
            help_text=_("One line for each currency, such as EUR 99.00."),
        ),
    },
    "help_session": {
        "term_minutes": _whole(_("How many minutes it takes"), least=5, most=480, required=False),
    },
    "fix": {},
    "skip": {},
    "hand_over": {},
}

# Boxes of who may have it, named as the field with ``who_`` before it.
WHO_BOXES: dict[str, forms.Field] = {
    "who_tenure_months_at_least": _whole(_("Customer for at least (months)"), least=0, most=1200, required=False),
    "who_tenure_months_at_most": _whole(_("Customer for at most (months)"), least=0, most=1200, required=False),
    "who_monthly_minor_at_least": _amount(_("Pays at least, a month")),
    "who_monthly_minor_at_most": _amount(_("Pays at most, a month")),
    "who_currency": _currency(),
    "who_used_within_days": _whole(
        _("Used within the last (days)"),
        least=0,
        most=3650,
        required=False,
        help_text=_("Where the last use is known; whoever never used it does not fit."),
    ),
    "who_unused_for_days": _whole(
        _("Not used for (days)"), least=0, most=3650, required=False, help_text=_("Never used counts from the start.")
    ),
    "who_months_since_last": _whole(
        _("Not within so many months of the last option"),
        least=0,
        most=120,
        required=False,
        help_text=_("Counted from the last option of any kind that the customer agreed to."),
    ),
}


def _title_box(code: str, name: Any) -> forms.CharField:
    return forms.CharField(
        label=format_lazy(_("Title in {language}"), language=name),
        max_length=LONGEST_TITLE,
        required=code == "en",
        validators=[refuse_pressing],
        widget=forms.TextInput(attrs={"lang": code, "class": "vTextField"}),
    )


def _text_box(code: str, name: Any) -> forms.CharField:
    return forms.CharField(
        label=format_lazy(_("Text in {language}"), language=name),
        max_length=LONGEST_TEXT,
        required=code == "en",
        validators=[refuse_pressing],
        widget=forms.Textarea(attrs={"lang": code, "rows": 2, "cols": 60}),
    )


LANGUAGES: list[str] = [code for code, _name in settings.LANGUAGES]
TEXT_BOXES: dict[str, forms.Field] = {
    f"{part}_{code}": box(code, name)
    for code, name in settings.LANGUAGES
    for part, box in (("title", _title_box), ("text", _text_box))
}


def reason_choices() -> list[tuple[str, list[tuple[str, Any]]]]:
    """Return roots and reasons, by root; a root stands for all of its reasons, those to come too."""
    rows = list(Reason.objects.order_by("position", "pk"))
    groups = []
    for root in Root:
        below: list[tuple[str, Any]] = [(row.code, _named(row)) for row in rows if row.root == root]
        whole = [] if root == Root.UNSTATED else [(root.value, format_lazy(_("{root}: any reason"), root=root.label))]
        if whole or below:
            groups.append((str(root.label), [*whole, *below]))
    return groups


def _named(reason: Reason) -> Any:
    return reason.label if reason.active else format_lazy(_("{reason} (no longer asked)"), reason=reason.label)


def as_dict(value: Any) -> dict[str, Any]:
    """Return an object, an empty one for anything else that stands in a row."""
    return value if isinstance(value, dict) else {}


def is_amount(name: str) -> bool:
    """Tell whether a field holds minor units."""
    return name.endswith("_minor") or "_minor_" in name


def as_typed(kept: Any) -> Iterator[tuple[str, Any]]:
    """Return what is kept as people write it: amounts in their currency, prices a line each."""
    rows = as_dict(kept)
    currency = rows.get("currency", "")
    for name, value in rows.items():
        if name == "prices":
            lines = (f"{code} {_written(minor, code)}" for code, minor in as_dict(value).items())
            yield name, "\n".join(lines)
        elif is_amount(name):
            # A price of nothing has no currency, and its box is empty.
            if currency or value:
                yield name, _written(value, currency)
        else:
            yield name, value


def _written(minor: Any, currency: str) -> str:
    known = currency in MINOR_DIGITS and isinstance(minor, int)
    return format(from_minor(minor, currency), "f") if known else str(minor)
