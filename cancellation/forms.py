"""What the reasons step takes in. Everything is optional, and nothing here can stop the act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cancellation.commit import LONGEST_TEXT
from cancellation.ways import Wish
from feedback.queries import ReasonGroup, offered_reasons

# As people write a day where the browser has no calendar to pick it from.
DAY_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%Y/%m/%d")


@dataclass(frozen=True, slots=True)
class Option:
    """A reason that can be ticked."""

    code: str
    label: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The reasons below one root."""

    root: str
    label: str
    options: tuple[Option, ...]


class WayForm(forms.Form):
    """Which way out, and on which day; the ordinary one needs none."""

    WAYS = ("ordinary", "later", "early_release", "hardship")

    way = forms.ChoiceField(
        choices=[(way, way) for way in WAYS], error_messages={"invalid_choice": _("Choose a way out.")}
    )
    day = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d", *DAY_FORMATS],
        label=_("Day"),
        error_messages={"invalid": _("Day: give a day like 2027-01-31.")},
    )

    def clean(self) -> dict[str, Any]:
        """Ask for the day where the way needs one."""
        given = super().clean() or {}
        if given.get("way") == "later" and not given.get("day") and "day" not in self.errors:
            self.add_error("day", _("Day: give the day on which the contract is to end, like 2027-01-31."))
        return given

    def wish(self) -> Wish:
        """Return what was chosen."""
        return Wish(self.cleaned_data["way"], self.cleaned_data.get("day"))


class ReasonsForm(forms.Form):
    """Reasons by root, the one that counted most, and two free texts."""

    reasons = forms.MultipleChoiceField(required=False, label=_("Reasons"))
    primary = forms.ChoiceField(required=False, label=_("Which of these counted most?"))
    elsewhere = forms.BooleanField(required=False, label=_("I am moving to another provider"))
    words = forms.CharField(required=False, max_length=LONGEST_TEXT, label=_("In your own words"))
    went_well = forms.CharField(required=False, max_length=LONGEST_TEXT, label=_("What went well"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tree: tuple[ReasonGroup, ...] = offered_reasons()
        choices = [(reason.code, reason.label) for group in self.tree for reason in group.reasons]
        self.fields["reasons"].choices = choices  # type: ignore[attr-defined]
        self.fields["primary"].choices = [("", ""), *choices]  # type: ignore[attr-defined]

    @property
    def groups(self) -> list[Group]:
        """Return the tree with what is ticked."""
        ticked = set(self["reasons"].value() or [])
        return [
            Group(
                group.root,
                group.label,
                tuple(Option(reason.code, reason.label, reason.code in ticked) for reason in group.reasons),
            )
            for group in self.tree
        ]

    def said(self) -> dict[str, Any]:
        """Return the cleaned answer as it travels on; empty where nothing was said."""
        data = self.cleaned_data
        said = {
            "reasons": data["reasons"],
            "primary": data["primary"],
            "elsewhere": "yes" if data["elsewhere"] else "",
            "words": data["words"],
            "went_well": data["went_well"],
        }
        return said if any(said.values()) else {}
