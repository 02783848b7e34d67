"""Every way out of a place, walked at each width, with what its receipt holds and whether its end is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import time_machine
from django.core import mail
from django.utils import translation
from playwright.sync_api import Browser, Page

from cancellation.models import Cancellation, Notice
from config.formats import format_day, format_instant
from outbox.drain import drain
from subscriptions.formats import format_money
from subscriptions.models import Contract
from tests.fairness import stage
from tests.fairness.limits import Limits, broken
from tests.fairness.stage import Place
from tests.fairness.walker import READING_ON, Walk, each_fault, walk

# A page that a stranger may open; its entry leads to the door of the desk's own place.
PUBLIC_PAGE = "/sign-in/"
START = {
    "cancel": "[data-entry=cancel]",
    "withdraw": "[data-entry=withdraw]",
    "guided": "main [data-action=start]",
    "options": "main [data-action=start]",
}
# What somebody on the longer way says: each place has options that answer it.
REASON = "main input[name=reasons][value=cost-too-high]"
Worse = Callable[[Page], None]


@dataclass(slots=True)
class Way:
    """A way out of a place: its figures by width, its limits, and what breaks them."""

    pack: str
    way: str
    locale: str
    limits: Limits
    # What the rules demand of somebody, and of the receipt.
    needed: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[str]:
        """Return the names of what breaks a limit at any width, in the order of the limits."""
        found = {key for figures in self.figures.values() for key in broken(figures, self.limits)}
        return [key for key in self.limits if key in found]

    def faults(self) -> list[str]:
        """Return what breaks a limit, in words, and what was said about it on the way."""
        wrong = [
            f"{self.pack} {self.way} {width} px: {key} is {figures[key]}, limit {self.limits[key]}"
            for width, figures in self.figures.items()
            for key in broken(figures, self.limits)
        ]
        return [*wrong, *(f"{self.pack} {self.way} {told}" for told in self.told)]

    def shape(self) -> dict[str, dict[str, Any]]:
        """Return what must not differ between the shipped card and a walk of today."""
        return {width: {key: figures[key] for key in SHAPE} for width, figures in self.figures.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return the way as the card keeps it."""
        return {
            "pack": self.pack,
            "way": self.way,
            "locale": self.locale,
            "figures": self.figures,
            "limits": self.limits,
            "broken": self.broken,
        }


SHAPE = (
    "reached", "clicks", "pages", "mandatory_fields", "optional_fields", "sign_ins", "offers", "offers_after_no",
)  # fmt: skip


def walk_way(
    browser: Browser,
    url: str,
    way: Way,
    *,
    widths: tuple[int, ...],
    worse: Worse | None = None,
    with_axe: bool = True,
) -> Way:
    """Walk a way out at each width and keep its figures. ``worse`` spoils the pages, to see it noticed.

    Barriers hardly depend on the width, and looking for them takes longer than the walk: they are looked for once.
    """
    place = stage.PLACES[way.pack]
    at = stage.WITHDRAWAL_AT if way.way == "withdraw" else stage.NOTICE_AT
    # There are options on every way; where none may stand, none of these does.
    stage.open_options()
    for width in widths:
        # Days matter, hours do not: the clock runs on.
        with time_machine.travel(at, tick=True):
            contract = stage.just_concluded_at(place) if way.way == "withdraw" else stage.agreed_at(place)
            # The longer way shows every page of the shorter one.
            looked_for = with_axe and width == min(stage.WIDTHS) and way.way != "guided"
            walked = _walked(browser, url, way, place, contract, width, worse, with_axe=looked_for)
            figures = walked.figures(urlsplit(url).netloc) | _outcome(walked, way, contract)
        way.figures[str(width)] = figures
        way.told += [f"{width} px: {fault}" for fault in each_fault(walked)]
    return way


def _walked(
    browser: Browser,
    url: str,
    way: Way,
    place: Place,
    contract: Contract,
    width: int,
    worse: Worse | None,
    *,
    with_axe: bool,
) -> Walk:
    context = stage.fresh(browser, place, width)
    try:
        page = context.new_page()
        if worse:
            worse(page)
        is_guided = way.way in ("guided", "options")
        if is_guided:
            stage.signed_in(context, contract, url)
        page.goto(f"{url}/contracts/{contract.reference}/" if is_guided else url + PUBLIC_PAGE)
        longer: dict[str, Any] = {"pressed": READING_ON, "ticked": [REASON]} if way.way == "options" else {}
        return walk(page, START[way.way], stage.persona(contract), needed=way.needed, with_axe=with_axe, **longer)
    finally:
        context.close()


def _outcome(walked: Walk, way: Way, contract: Contract) -> dict[str, Any]:
    """Return how complete the receipt is, and whether end and money are the published ones."""
    mail.outbox = []
    drain()
    notice = Notice.objects.order_by("-pk").first()
    cancellation = Cancellation.objects.filter(contract=contract).first()
    held = "\n".join([walked.seen[-1].text, *_letters_to(contract.customer.email)]) if notice else ""
    lacking = [one for one in way.contents if notice and not _holds(held, one, notice, contract, cancellation)]
    way.told += [f"the receipt lacks: {', '.join(lacking)}"] if lacking else []
    share = 1 - len(lacking) / len(way.contents) if notice and way.contents else 0
    return {"receipt_contents": round(share, 2), "as_published": _as_published(way, cancellation)}


def _letters_to(address: str) -> Iterator[str]:
    """Yield the texts of the letters that came to an address."""
    for letter in mail.outbox:
        if address in letter.to:
            yield f"{letter.subject}\n{letter.body}"


def _holds(text: str, content: str, notice: Notice, contract: Contract, cancellation: Cancellation | None) -> bool:
    """Tell whether somebody who holds this text can read a content of the receipt in it."""
    words = _words_of(content, notice, contract, cancellation)
    plain = " ".join(text.split())
    return bool(words) and all(" ".join(word.split()) in plain for word in words)


def _words_of(content: str, notice: Notice, contract: Contract, cancellation: Cancellation | None) -> list[str]:
    with translation.override(notice.locale):
        if content == "declaration":
            return [notice.declaration]
        if content == "received_at":
            # The place's zone and the contract's are one here.
            return [_instant(notice.received_at, contract)]
        if content == "service":
            return [contract.plan.name]
        if content in ("reference", "confirmation"):
            return [notice.reference]
        if cancellation is None:
            return []
        if content == "last_day":
            return [format_day(cancellation.last_day)]
        if content == "refund":
            return [format_money(cancellation.refund)]
        if content == "effects":
            return [contract.plan.stays_usable]
    raise LookupError(f"{content}: this test does not know how to look for it")


def _instant(at: datetime, contract: Contract) -> str:
    return format_instant(at.astimezone(ZoneInfo(contract.terms["timezone"])))


def _as_published(way: Way, cancellation: Cancellation | None) -> bool | None:
    """Tell whether the end is that of the published vector; None where none is published for this place."""
    place = stage.PLACES[way.pack]
    vector = place.refund_vector if way.way == "withdraw" else place.end_vector
    if not vector:
        return None
    expected = stage.published()[vector]
    if cancellation is None:
        return False
    if way.way == "withdraw":
        return f"{cancellation.refund_minor / 100:.2f}" == expected["refund"]
    return cancellation.last_day.isoformat() == expected["end_date"]
