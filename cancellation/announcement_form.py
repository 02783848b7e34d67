"""What a third party writes who announces that somebody's contract is to end."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cancellation.announcements import Told

LONGEST_NAME = 200
LONGEST_ABOUT = 500
LONGEST_WORDS = 20_000
LONGEST_TOKEN = 64
# Nobody plans outside of these years; a day there is a slip of the keyboard.
YEARS = range(2000, 2101)
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y/%m/%d", "%Y年%m月%d日")

NO_ADDRESS = _("This is no e-mail address. It looks like name@example.com.")
TOO_LONG = _("This is too long: %(show_value)d characters. Please shorten it to %(limit_value)d.")
NO_DAY = _("This is no day that we can read. Write it like 2026-06-30, or leave it empty.")
OTHER_YEAR = _("This year cannot be meant. Write the day like 2026-06-30, or leave it empty.")


class Text(forms.CharField):
    """Words as they can be stored: what PostgreSQL refuses is left out, and nothing else."""

    def to_python(self, value: Any) -> str:
        """Return the text without null characters."""
        text: str | None = super().to_python(str(value or "").replace("\x00", ""))
        return text or ""


class Address(forms.EmailField):
    """An e-mail address, as people paste it."""

    def to_python(self, value: Any) -> str:
        """Return the address without null characters."""
        address: str | None = super().to_python(str(value or "").replace("\x00", ""))
        return address or ""


def _text(longest: int, missing: Any = "") -> Text:
    messages = {"max_length": TOO_LONG, **({"required": missing} if missing else {})}
    return Text(max_length=longest, required=bool(missing), error_messages=messages)


def _address(missing: Any = "") -> Address:
    messages = {"max_length": TOO_LONG, "invalid": NO_ADDRESS, **({"required": missing} if missing else {})}
    return Address(max_length=254, required=bool(missing), error_messages=messages)


class AnnouncementForm(forms.Form):
    """Who announces, which contract, whose it is; a day and a message where they have one."""

    agent_name = _text(LONGEST_NAME, _("Tell us your name, so that the holder knows who announces this."))
    agent_company = _text(LONGEST_NAME)
    agent_email = _address(_("Tell us your e-mail address, such as name@example.com: we confirm that this arrived."))
    about = _text(LONGEST_ABOUT, _("Tell us which contract is meant: its number, or the domain."))
    holder_name = _text(LONGEST_NAME)
    holder_email = _address()
    wished_on = forms.DateField(required=False, input_formats=DAYS, error_messages={"invalid": NO_DAY})
    words = _text(LONGEST_WORDS)

    def clean_wished_on(self) -> date | None:
        """Return the wished day; refuse one of another age."""
        day: date | None = self.cleaned_data["wished_on"]
        if day is not None and day.year not in YEARS:
            raise forms.ValidationError(OTHER_YEAR)
        return day

    def clean(self) -> dict[str, Any]:
        """Ask for whose contract it is, by name or by address, where neither was given."""
        given = super().clean() or {}
        if "holder_name" in given and "holder_email" in given and not (given["holder_name"] or given["holder_email"]):
            self.add_error("holder_name", _("Tell us whose contract it is: a name or an e-mail address is enough."))
        return given

    @property
    def told(self) -> Told:
        """Return what was written, cleaned."""
        return Told(**self.cleaned_data)

    @property
    def token(self) -> str:
        """Return what tells this form from the next: a second click sends the same one."""
        return self.data.get("form", "")[:LONGEST_TOKEN] or secrets.token_urlsafe(18)
