"""What the public doors take in: the fields that the pack of a place asks for, verbatim.

A field is required only where the pack says so, nothing is preselected, and what was typed is kept. The one thing that
is taken out is the NUL character, which PostgreSQL cannot keep.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cancellation.declarations import Said
from cancellation.models import Act, Declared
from config.formats import format_day
from subscriptions.packs import Pack

ORDINARY, FOR_CAUSE = "ordinary", "for_cause"
# Whatever has one of these can be answered; which of them a pack offers is its own affair.
CHANNELS = ("email", "phone", "address")
LONGEST_EMAIL = 254
AN_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
# Within this time a form that was left open, or reloaded, says the same thing as before.
FRESH = timedelta(hours=1)
# Without them nothing could ever be matched, so every door offers them; what must be filled in, the pack says.
ALWAYS = ("name", "reference", "email")
LABELS = {
    "name": _("Name"),
    "reference": _("Contract"),
    "wished_on": _("Wished last day"),
    "email": _("E-mail address"),
    "phone": _("Telephone"),
    "address": _("Postal address"),
    "reason": _("Reason"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Which fields a door has, and which of them must be filled in."""

    act: Act
    offered: frozenset[str]
    needed: frozenset[str]

    def asks(self, name: str) -> bool:
        """Tell whether the door has a field."""
        return name in self.offered


def shape_of(pack: Pack, act: Act, on: date) -> Shape:
    """Return the fields of a door by its pack; a withdrawal takes three and no more."""
    if act == Act.WITHDRAW:
        return Shape(act, frozenset(ALWAYS), frozenset(ALWAYS))
    needed = frozenset(pack.get("mandatory_fields", on) or ())
    sectors = ("", *settings.OPERATOR_SECTORS)
    more = {field for sector in sectors for field in pack.get("optional_fields", on, sector) or ()}
    return Shape(act, needed | more | frozenset(ALWAYS), needed)


class Verbatim(forms.CharField):
    """Text as it was typed. Blanks alone are nothing; NUL is left out."""

    def __init__(self, **given: Any) -> None:
        super().__init__(strip=False, **given)

    def to_python(self, value: Any) -> str:
        """Return the text without NUL; empty where there are only blanks."""
        text = str(value).replace("\x00", "") if value is not None else ""
        return text if text.strip() else ""


class WishedDay(forms.DateField):
    """A day as the page's language writes it, or ISO."""

    default_error_messages = {
        "invalid": _("This is no day of the calendar. It looks like 2027-03-31; leave it empty for the earliest day."),
    }

    def to_python(self, value: Any) -> date | None:
        """Return the day; a blank is none."""
        return super().to_python(str(value).replace("\x00", "").strip() if value is not None else value)


class DoorForm(forms.Form):
    """The fields of a door, each as its pack asks for it."""

    kind = forms.ChoiceField(
        required=False,
        choices=[(ORDINARY, _("Ordinary cancellation")), (FOR_CAUSE, _("Cancellation for cause"))],
        error_messages={"invalid_choice": _("Choose one of the two, or none for an ordinary cancellation.")},
    )
    reason = Verbatim(required=False)
    name = Verbatim(error_messages={"required": _("Type your name.")})
    address = Verbatim(required=False)
    reference = Verbatim(error_messages={"required": _("Type the number of the contract, or what else names it.")})
    wished_on = WishedDay(required=False)
    email = Verbatim(required=False)
    phone = Verbatim(required=False)

    def __init__(self, shape: Shape, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shape = shape
        dropped = [name for name in self.fields if not shape.asks("reason" if name == "kind" else name)]
        for name in dropped:
            del self.fields[name]
        for name in ("name", "reference"):
            self.fields[name].required = name in shape.needed

    def clean_email(self) -> str:
        """Refuse what is no address; one that our mail program may not know is recorded all the same."""
        email: str = self.cleaned_data["email"].strip()
        if email and (len(email) > LONGEST_EMAIL or not AN_ADDRESS.fullmatch(email)):
            raise forms.ValidationError(_("This is no e-mail address. It looks like name@example.com."))
        return email

    def clean(self) -> dict[str, Any]:
        """Ask for one way to send the confirmation, where the pack does."""
        given = super().clean() or {}
        offered = [name for name in CHANNELS if name in self.fields]
        if "email" in self.shape.needed and not any(given.get(name) or name in self.errors for name in offered):
            self.add_error("email", self._no_channel(offered))
        return given

    def _no_channel(self, offered: Sequence[str]) -> Any:
        if "address" in offered:
            return _("Type an e-mail address, such as name@example.com, or else your postal address.")
        if "phone" in offered:
            return _("Type an e-mail address, such as name@example.com, or else a telephone number.")
        return _("Type an e-mail address for the confirmation, such as name@example.com.")

    @property
    def is_for_cause(self) -> bool:
        """Tell whether a cause was chosen, on a form that was sent or is shown again."""
        return "kind" in self.fields and self["kind"].value() == FOR_CAUSE

    @property
    def wants_address(self) -> bool:
        """Tell whether the postal address is asked for: with a cause, or where there is no e-mail address."""
        return self.asks_address and (self.is_for_cause or "email" in self.errors or bool(self["address"].value()))

    @property
    def asks_evidence(self) -> bool:
        """Tell whether files may come with a cause."""
        return self.shape.asks("evidence") and "kind" in self.fields

    @property
    def asks_address(self) -> bool:
        """Tell whether there is a field for the postal address."""
        return "address" in self.fields

    @property
    def act(self) -> Act:
        """Return what is declared; nothing chosen means ordinary notice."""
        if self.shape.act == Act.WITHDRAW:
            return Act.WITHDRAW
        return Act.FOR_CAUSE if self.cleaned_data.get("kind") == FOR_CAUSE else Act.CANCEL

    @property
    def said(self) -> Said:
        """Return what was typed."""
        given = self.cleaned_data
        texts = {name: given.get(name) or "" for name in ("name", "reference", "email", "phone", "address", "reason")}
        return Said(**texts, wished_on=given.get("wished_on"))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return what was typed, field by field, as the page to check shows it."""
        given = self.cleaned_data
        shown = [name for name in LABELS if name in self.fields and (given.get(name) or name in ALWAYS)]
        return [{"name": name, "label": LABELS[name], "text": _shown(given.get(name))} for name in shown]


def rows_of(declared: Declared) -> list[dict[str, Any]]:
    """Return what somebody declared, field by field, without what was left empty."""
    rows = [{"name": name, "label": LABELS[name], "text": _shown(getattr(declared, name))} for name in LABELS]
    return [row for row in rows if row["text"]]


def _shown(value: Any) -> str:
    return format_day(value) if isinstance(value, date) else str(value or "")


# ---------------------------------------------------------------- once


def new_token(now: datetime) -> str:
    """Return what a form carries so that its second click is known; it says when the form was shown."""
    return f"{int(now.timestamp()):x}.{secrets.token_urlsafe(12)}"


def key_of(token: str, pack: Pack, act: Act, said: Said, files: Sequence[Any], now: datetime) -> str:
    """Return the key that makes a declaration once: the same form with the same content.

    A form that was left open for long is no second click: its content counts as said anew in every hour.
    """
    shown = _shown_at(token)
    hour = "" if shown and timedelta(0) <= now - shown <= FRESH else f"{now:%Y-%m-%dT%H}"
    content = [token, hour, pack.code, str(act), asdict(said), list(files)]
    text = json.dumps(content, default=date.isoformat, sort_keys=True)
    return f"door:{hashlib.sha256(text.encode()).hexdigest()}"


def _shown_at(token: str) -> datetime | None:
    stamp = token.partition(".")[0]
    try:
        return datetime.fromtimestamp(int(stamp[:12], 16), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
