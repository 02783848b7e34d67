"""What an option asks beside a yes: days that suit, words, or another person. Hardly any of it is required."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cancellation.commit import LONGEST_TEXT

LONGEST_WHEN = 500
LONGEST_NAME = 200
# Which fields belong to what an option asks.
FIELDS = {"when": ("when",), "words": ("words",), "person": ("person_name", "person_email")}


class AskedForm(forms.Form):
    """The fields of one option; those that it does not ask for are not there."""

    when = forms.CharField(required=False, max_length=LONGEST_WHEN, label=_("Days and times that suit you"))
    words = forms.CharField(required=False, max_length=LONGEST_TEXT, label=_("What is not as it should be?"))
    person_name = forms.CharField(
        max_length=LONGEST_NAME,
        label=_("Name of the other person"),
        error_messages={"required": _("Name of the other person: write who is to have the contract.")},
    )
    person_email = forms.EmailField(
        label=_("E-mail address of the other person"),
        error_messages={
            "required": _("E-mail address of the other person: write where we can reach them."),
            "invalid": _("E-mail address of the other person: write it like name@example.org."),
        },
    )

    def __init__(self, asks: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {name: field for name, field in self.fields.items() if name in FIELDS.get(asks, ())}

    def asked(self) -> dict[str, Any]:
        """Return what was filled in, by field; nothing for an empty one."""
        return {name: value for name, value in self.cleaned_data.items() if value}
