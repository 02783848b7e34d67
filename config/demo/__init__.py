"""The demo business: five stories to click, some hundred customers, a year of reasons. All of it is made up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Story:
    """A contract that a visitor of the demo can sign in to."""

    slug: str
    title: str | Promise
    text: str | Promise
    customer: str
    name: str
    locale: str
    country: str
    reference: str


STORIES = (
    Story(
        "hosting",
        _("1 · Domain and server in one bundle"),
        _(
            "A hosting customer moves elsewhere. One day decides about a month; "
            "a yearly payment comes back by whole unused months."
        ),
        "K-HOSTING", "青木 遥", "ja", "JP", "C-HOSTING",
    ),
    Story(
        "agency",
        _("2 · The agency and the real reason"),
        _(
            "A shop ends its care contract with an agency: six weeks to the end of a quarter, "
            "and several reasons at once."
        ),
        "K-AGENCY", "Feinkost Übermorgen Handelsgesellschaft mbH", "de", "DE", "C-AGENCY",
    ),
    Story(
        "sleeping",
        _("3 · The sleeping contract"),
        _("An online service that nobody has used for months. The notice takes a minute and leaves a proof."),
        "K-SLEEPING", "Żaneta Śliwińska", "pl", "PL", "C-SLEEPING",
    ),
    Story(
        "audiobooks",
        _("4 · A goodbye from the audiobook shop"),
        _("A membership that may end with any month. Everything that was bought stays."),
        "K-AUDIO", "Rowan Ellery", "en", "GB", "C-AUDIO",
    ),
    Story(
        "moved",
        _("5 · A fixed term that no longer fits"),
        _("Two years of fibre at a place the customer has left. The quote shows the agreed end and what is still due."),
        "K-MOVED", "Maëlle Thévenin", "fr", "FR", "C-MOVED",
    ),
)  # fmt: skip


def story(slug: str) -> Story | None:
    """Return a story by its slug."""
    return next((one for one in STORIES if one.slug == slug), None)


def staff_password() -> str:
    """Return the demo's staff password, made once on this machine and readable by its owner only."""
    path = settings.VAR_DIR / "demo-password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    return path.read_text()


def as_context() -> list[dict[str, Any]]:
    """Return the stories for the demo's front page."""
    return [{"slug": one.slug, "title": one.title, "text": one.text, "name": one.name} for one in STORIES]
