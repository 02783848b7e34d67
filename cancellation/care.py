"""Is every public door there, and as the law of its place wants it? Asked by a clock, from the inside.

The pages are asked for in this very process, as a visitor without cookies gets them: no network, no proxy. So this
sees a missing or wrong page, address, label, field or template; it does not see a server that is down (``/healthz``
and whoever watches from outside do), nor what a style sheet hides (``make fairness`` does).

A fault opens a stretch of time (``DoorFault``), a good look closes it. While it lasts, contracts whose place says so
end at the receipt of a notice, and somebody at the desk is told once. Nothing here imports mail or billing: part of
the notice path asks ``was_at_fault``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation

from cancellation import door_page
from cancellation.models import DoorFault
from outbox.actions import Promise, add_many
from subscriptions import places
from subscriptions.models import Contract
from subscriptions.packs import Pack

log = logging.getLogger(__name__)

# Addresses as they stand in laws' files, letters and bookmarks. They are not asked of the URL configuration: whether it
# still has them is part of the question.
DOOR = "/cancel/"
# Where a visitor without cookies may arrive; each shows the entry.
PUBLIC_PAGES = ("/", "/sign-in/")
MOST_HOPS = 3
WORKED_ON = 503
# Typed into a form that leads to a page to check; nothing of it is kept.
TYPED = {
    "name": "Door check", "reference": "C-CHECK", "email": "check@door.example", "phone": "0", "address": "Door",
}  # fmt: skip


# ---------------------------------------------------------------- was a door at fault?


def was_at_fault(pack_code: str, at: datetime) -> bool:
    """Tell whether the public page of a place was missing or wrong at an instant; asks the database each time."""
    over = Q(until__isnull=True) | Q(until__gt=at)
    return DoorFault.objects.filter(over, pack=pack_code, since__lte=at).exists()


def open_faults() -> list[DoorFault]:
    """Return the doors that are at fault now."""
    return list(DoorFault.objects.filter(until__isnull=True).order_by("pack"))


# ---------------------------------------------------------------- the look


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at one door found."""

    pack: Pack
    faults: list[str]


def check_doors(now: datetime) -> list[Looked]:
    """Look at every door that matters, and write down what changed; return what was found.

    Run twice or at once it opens one stretch and closes it once. A fault is looked at a second time before it counts.
    """
    looked = [Looked(pack, look_at(pack, now) and look_at(pack, now)) for pack in doors()]
    for door in looked:
        if door.faults:
            _open(door, now)
        else:
            _close(door.pack.code, now)
    for gone in set(_open_codes()) - {door.pack.code for door in looked}:
        # Nobody's contracts follow this pack any more, or there is no such pack.
        _close(gone, now)
    return looked


def doors() -> list[Pack]:
    """Return the packs whose doors are looked at: the home's, and each in force that a contract follows."""
    packs = places.packs()
    rows = Contract.objects.order_by().values_list("country", "region", "customer__country").distinct()
    theirs = {packs.for_place(country or holders, region)[0].code for country, region, holders in rows}
    codes = theirs | {places.home().code} | (set(_open_codes()) & set(packs))
    return [packs[code] for code in sorted(codes)]


def advice() -> list[str]:
    """Return, in English, what is no fault and yet worth a thought."""
    today, home = timezone.localdate(), places.home()
    return [
        f"contracts follow the rules of {pack.name}, whose law asks for the entry “{pack.get('entry_label', today)}”; "
        f"the public pages show “{home.get('entry_label', today)}”. If most of your customers live there, set "
        f"FAIRWELL_HOME={pack.code}."
        for pack in doors()
        if pack.code != home.code and pack.law("entry_label", today)
    ]


def _open_codes() -> list[str]:
    return [fault.pack for fault in open_faults()]


def door_of(pack: Pack) -> str:
    """Return the address of a place's own door."""
    return f"{DOOR}{pack.code}/"


def look_at(pack: Pack, now: datetime) -> list[str]:
    """Return what is wrong with the way in of a place, from a public page to its form; nothing is written."""
    with translation.override(translation.get_language()):
        visitor = Visitor(pack.language)
        faults = dict.fromkeys([*_entry_faults(visitor, now), *_form_faults(visitor, pack, now)])
    return list(faults)


def _entry_faults(visitor: Visitor, now: datetime) -> Iterator[str]:
    home = places.home()
    label = home.get("entry_label", timezone.localdate(now))
    forms = {DOOR, door_of(home)}
    for path in PUBLIC_PAGES:
        answer = visitor.get(path, follow=True)
        if answer.status >= 400 and answer.status != WORKED_ON:
            yield f"{answer.path}: the page answers {answer.status}"
        else:
            yield from door_page.entry_faults(answer.html, answer.path, label, forms)


def _form_faults(visitor: Visitor, pack: Pack, now: datetime) -> Iterator[str]:
    rules = rules_of(pack, timezone.localdate(now))
    is_home = pack.code == places.home().code
    for path in [DOOR, door_of(pack)] if is_home else [door_of(pack)]:
        answer = visitor.get(path)
        if answer.status != 200:
            led = f" and leads to {answer.location}" if answer.location else ""
            yield f"{path}: the page answers {answer.status}{led}"
            continue
        faults = list(door_page.form_faults(answer.html, path, rules))
        yield from faults
        if rules.has_recap and not faults:
            yield from _recap_faults(visitor, path, rules)


def _recap_faults(visitor: Visitor, path: str, rules: door_page.Rules) -> Iterator[str]:
    answer = visitor.post_and_forget(path, {name: TYPED[name] for name in rules.needed if name in TYPED})
    if answer.status != 200:
        yield f"{path}: the fields are not taken, the page answers {answer.status}"
        return
    yield from door_page.recap_faults(answer.html, path, rules.confirm_label)


def rules_of(pack: Pack, on: date) -> door_page.Rules:
    """Return what the form of a place must be like on a day."""
    more = [field for sector in ("", *settings.OPERATOR_SECTORS) for field in pack.get("optional_fields", on, sector)]
    return door_page.Rules(
        confirm_label=pack.get("confirm_label", on),
        has_recap=pack.get("flow_shape", on) == "recap",
        needed=tuple(pack.get("mandatory_fields", on)),
        most_groups=pack.get("max_fields_with_ground" if "reason" in more else "max_fields", on),
        is_closed=pack.get("page_may_show_terms_or_computed_date", on) is False,
    )


# ---------------------------------------------------------------- asking for pages


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for an address; ``location`` where it leads elsewhere."""

    path: str
    status: int
    html: str
    location: str


class Visitor:
    """Somebody without cookies, in this process, who reads a language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.handler = BaseHandler()
        self.handler.load_middleware()

    def get(self, path: str, *, follow: bool = False) -> Answer:
        """Return the page at a path; ``follow`` goes where it leads, on this desk and not for ever."""
        answer = self._ask(path, "GET")
        for _hop in range(MOST_HOPS if follow else 0):
            if not answer.location.startswith("/"):
                break
            answer = self._ask(answer.location, "GET")
        return answer

    def post_and_forget(self, path: str, typed: dict[str, str]) -> Answer:
        """Return what a form answers. Whatever it would have written is rolled back: this is only a look."""
        with transaction.atomic():
            answer = self._ask(path, "POST", typed)
            transaction.set_rollback(True)
        return answer

    def _ask(self, path: str, method: str, typed: dict[str, str] | None = None) -> Answer:
        request = WSGIRequest(self._environ(path, method, urlencode(typed or {}).encode()))
        # No ``close``: it would tell Django that a request of the outside is over, and close the connection.
        response = self.handler.get_response(request)
        body = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
        html = body.decode(response.charset or "utf-8", "replace")
        return Answer(path, response.status_code, html, response.headers.get("Location", ""))

    def _environ(self, path: str, method: str, body: bytes) -> dict[str, Any]:
        base, asked = urlsplit(settings.BASE_URL), urlsplit(path)
        port = str(base.port or (443 if base.scheme == "https" else 80))
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": asked.path,
            "QUERY_STRING": asked.query,
            "SERVER_NAME": base.hostname or "localhost",
            "SERVER_PORT": port,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": base.netloc,
            "HTTP_ACCEPT": "text/html",
            "HTTP_ACCEPT_LANGUAGE": self.language,
            "HTTP_USER_AGENT": "Fairwell door check",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if body else "",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": base.scheme,
            "wsgi.input": BytesIO(body),
            "wsgi.version": (1, 0),
        }
        if settings.SECURE_PROXY_SSL_HEADER and base.scheme == "https":
            name, value = settings.SECURE_PROXY_SSL_HEADER
            environ[name] = value
        return environ


# ---------------------------------------------------------------- writing down what changed


def _open(door: Looked, now: datetime) -> None:
    """Open a stretch, once; while it is open, keep what is wrong up to date."""
    code = door.pack.code
    standing = DoorFault.objects.filter(pack=code, until__isnull=True)
    if standing.exclude(faults=door.faults).update(faults=door.faults) or standing.exists():
        return
    try:
        with transaction.atomic():
            fault = DoorFault.objects.create(pack=code, since=now, faults=door.faults)
            add_many([Promise("letter", f"staff-alert:{fault.pk}", alert(fault, door.pack))])
    except IntegrityError:
        # Another look at the same moment has opened it.
        return
    log.error("the door of %s is at fault since %s: %s", code, now.isoformat(), "; ".join(door.faults))


def _close(code: str, now: datetime) -> None:
    if DoorFault.objects.filter(pack=code, until__isnull=True).update(until=now):
        log.warning("the door of %s is in order again at %s", code, now.isoformat())


def alert(fault: DoorFault, pack: Pack) -> dict[str, Any]:
    """Return the facts of the letter to the desk: which door, since when, what is wrong, and what follows from it."""
    base = settings.BASE_URL
    return {
        "kind": "staff-alert",
        "to": settings.OPERATOR["support_email"],
        "locale": settings.LANGUAGE_CODE,
        "customer_id": None,
        "contract_id": None,
        "facts": {
            "operator": settings.OPERATOR["name"],
            "support_email": settings.OPERATOR["support_email"],
            "place": pack.name,
            "since_at": timezone.localtime(fault.since).isoformat(timespec="seconds"),
            "faults": [{"text": text} for text in fault.faults],
            "effect": pack.get("button_broken_effect", timezone.localdate(fault.since)),
            "door_url": base + door_of(pack),
            "desk_url": base + reverse("admin:cancellation_doorfault_change", args=[fault.pk]),
        },
    }
