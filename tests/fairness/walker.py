"""Walking a way out in Chromium and counting what it asks of somebody.

A walk begins on a page that is already open and ends when the receipt is on the screen. It follows the hooks that the
pages carry (``data-action``, ``data-step``) and fills in what a page demands, nothing else. Counting changes nothing on
the page. Words are those inside ``<main>``; seconds are those of the script, and say nothing about people.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Error, Page, Request, Response

from subscriptions.lexicon import pressing
from tests.barriers import barriers
from tests.fairness.offering import offering

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
# More pages than any way out has: whoever needs more is held up.
MOST_PAGES = 8
PATIENCE = 10_000  # milliseconds
# What leads on, in the order in which a page's controls are looked for: the act itself before going on to it.
LEADING = ("cancel-now", "confirm", "continue", "skip")
# The same for somebody who reads on: every page that there is, a no to what it proposes, and the act at the end.
READING_ON = ("decline", "continue", "confirm", "cancel-now")


class HeldUp(Exception):
    """The walk cannot go on: no control leads on, or the same page comes back."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One page of a walk, as ``measure.js`` counted it."""

    step: str
    figures: Mapping[str, Any]
    # None: nobody looked for any.
    axe: int | None = None

    @property
    def text(self) -> str:
        """Return the words of the main part and the title."""
        return f"{self.figures['title']}\n{self.figures['text']}"

    @property
    def prominence(self) -> float | None:
        """Return area × contrast of the leaving control ÷ that of its strongest rival; None where nothing competes."""
        leaving, rival = self.figures["leaving"], self.figures["strongest_rival"]
        return leaving["weight"] / rival["weight"] if leaving and rival else None

    @property
    def parity(self) -> float | None:
        """Return leaving, or the no to all options where that is less, ÷ the strongest yes; None without options."""
        agreeing, said = self.figures["agreeing"], (self.figures["leaving"], self.figures["declining"])
        if not agreeing:
            return None
        return min(control["weight"] if control else 0 for control in said) / agreeing["weight"]

    @property
    def offers(self) -> list[str]:
        """Return the options on a page, by their marks; where no options stand, by words that make an offer as well."""
        return [*self.figures["offers"], *([] if self.step == "options" else offering(self.text))]

    @property
    def is_drawn_weaker(self) -> bool:
        """Tell whether a rival is drawn as a stronger kind: filled over outlined over bare words."""
        leaving = self.figures["leaving"]
        return bool(leaving) and leaving["kind"] < self.figures["strongest_kind"]


@dataclass(slots=True)
class Walk:
    """A walk and what was counted on it. ``seen`` has the start page first and the receipt last."""

    seen: list[Seen] = field(default_factory=list)
    clicks: int = 0
    typed_characters: int = 0
    filled: set[str] = field(default_factory=set)
    seconds: float = 0.0
    receipt_seconds: float = 0.0
    hosts: set[str] = field(default_factory=set)
    weights: dict[str, int] = field(default_factory=dict)
    console_errors: list[str] = field(default_factory=list)
    held_up: str = ""
    # Options that came again after a no to all of them, however somebody looked; None where no no was said.
    after_no: list[str] | None = None
    is_aside: bool = False

    @property
    def between(self) -> Sequence[Seen]:
        """Return the pages from the first click to the confirming one."""
        return self.seen[1:-1] if not self.held_up else self.seen[1:]

    @property
    def deciding(self) -> Sequence[Seen]:
        """Return the pages on which something has to be pressed to leave, after the start."""
        return [seen for seen in self.between if seen.figures["leaving"]]

    def figures(self, host: str) -> dict[str, Any]:
        """Return the counts of the walk, by the names that the card uses."""
        fields = [one for seen in self.between for one in seen.figures["fields"]]
        told = [word for seen in self.seen for word in pressing(seen.text)]
        offers = [offer for seen in self.between for offer in seen.offers]
        ratios = [seen.prominence for seen in self.deciding if seen.prominence is not None]
        found = [seen.axe for seen in self.seen if seen.axe is not None]
        parities = [seen.parity for seen in self.between if seen.parity is not None]
        contrasts = [seen.figures["leaving"]["text_contrast"] for seen in self.deciding]
        return {
            "reached": not self.held_up,
            "clicks": self.clicks,
            "pages": len(self.seen) - 1,
            "mandatory_fields": sum(one["name"] in self.filled for one in fields),
            "optional_fields": sum(one["name"] not in self.filled for one in fields),
            "field_groups": len({one["group"] for one in fields}),
            "characters": self.typed_characters,
            "choices": max((seen.figures["choices"] for seen in self.between), default=0),
            "words": sum(seen.figures["words"] for seen in self.between),
            "sign_ins": sum(seen.figures["asks_to_sign_in"] for seen in self.between),
            "channel_switches": int(bool(self.held_up) and any(s.figures["other_channels"] for s in self.seen)),
            "offers": len(set(offers)),
            "offers_repeated": len(offers) - len(set(offers)),
            "offers_after_no": None if self.after_no is None else len(self.after_no),
            "parity": round(min(parities), 2) if parities else None,
            "entry_legible": _is_legible(self.seen[0]) if self.seen else False,
            "prominence": round(min(ratios), 2) if ratios else None,
            "drawn_weaker": any(seen.is_drawn_weaker for seen in self.deciding),
            "contrast": round(min(contrasts), 1) if contrasts else None,
            "tab_position": max((seen.figures["tab_position"] for seen in self.deciding), default=0),
            "tab_among_controls": max((seen.figures["tab_among_controls"] for seen in self.deciding), default=0),
            "third_party_requests": len(self.hosts - {host}),
            "pre_made_choices": sum(one["pre_made"] for one in fields),
            "pressing_words": len(told),
            "console_errors": len(self.console_errors),
            "axe_violations": sum(found) if found else None,
            "bytes_gzip": sum(self.weights.values()),
            "seconds": round(self.seconds, 1),
            "receipt_seconds": round(self.receipt_seconds, 1),
        }


def walk(
    page: Page,
    start: str,
    persona: Mapping[str, str],
    *,
    needed: Sequence[str] = (),
    with_axe: bool = True,
    pressed: Sequence[str] = LEADING,
    ticked: Sequence[str] = (),
) -> Walk:
    """Walk from the open page to the receipt. ``start`` selects the entry; ``persona`` has a value per field name.

    ``needed`` names what has to be given although the page cannot mark it, such as one of two ways to be reached.
    ``pressed`` names what leads on, in the order in which a page's controls are looked for; ``ticked`` selects choices
    that are made where they stand. After a no to all options, everything is tried that might bring one again.
    A walk that cannot go on is returned, too: ``held_up`` says where and why.
    """
    walked = Walk()
    listening = _listen(page, walked)
    try:
        for _ in range(MOST_PAGES):
            selector = start if not walked.seen else _leading(page, pressed)
            seen = look(page, _leading(page) if walked.seen else start, with_axe=with_axe)
            walked.seen.append(seen)
            if seen.step == "done":
                break
            begun = time.perf_counter()
            if len(walked.seen) > 1:
                # What the start page asks for, such as a sign-in, is none of this way.
                _fill(page, _demanded(seen, needed), persona, walked)
                _tick(page, ticked, walked)
            _press(page, selector, seen, walked)
            walked.seconds += time.perf_counter() - begun
            if "[data-action=decline]" in selector:
                walked.after_no = _look_again(page, walked, pressed, ticked)
        else:
            raise HeldUp(f"no receipt after {MOST_PAGES} pages")
    except (HeldUp, Error) as fault:
        walked.held_up = str(fault).splitlines()[0]
    for event, listener in listening:
        page.remove_listener(event, listener)
    return walked


def look(page: Page, selector: str, *, with_axe: bool = False) -> Seen:
    """Count what stands on the open page. ``selector`` names the control that leads on."""
    # Where somebody clicked last, another control may lie now: under the hand it would look stronger than it is.
    page.mouse.move(0, 0)
    figures = page.evaluate(MEASURE, selector)
    return Seen(figures["step"], figures, barriers(page).violations_count if with_axe else None)


def _leading(page: Page, actions: Sequence[str] = LEADING) -> str:
    """Return the selector of the control that leads on; an empty one where none does."""
    for action in actions:
        selector = f"main [data-action={action}]"
        if any(control.is_visible() for control in page.locator(selector).all()):
            return selector
    return ""


def _demanded(seen: Seen, needed: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the fields of a page that have to be filled in."""
    return [one for one in seen.figures["fields"] if one["mandatory"] or one["name"] in needed]


def _is_legible(start: Seen) -> bool:
    """Tell whether the entry can be read as well as what stands round it, at least. Source: LAW R1."""
    entry = start.figures["leaving"]
    return bool(entry) and entry["text_contrast"] >= 4.5 and entry["font_px"] >= start.figures["footer_font_px"]


def _fill(page: Page, demanded: Sequence[Mapping[str, Any]], persona: Mapping[str, str], walked: Walk) -> None:
    """Give what is demanded. A choice is a click, a list two, a text its characters."""
    for one in demanded:
        name = one["name"]
        control = page.locator(f"main [name={name!r}]").first
        if one["type"] in ("radio", "checkbox"):
            control.check()
            walked.clicks += 1
        elif one["type"] == "select-one":
            control.select_option(index=1)
            walked.clicks += 2
        else:
            value = persona.get(name, "42")
            control.fill(value)
            walked.typed_characters += len(value)
        walked.filled.add(name)


def _tick(page: Page, choices: Sequence[str], walked: Walk) -> None:
    """Make the choices that stand on a page."""
    for choice in choices:
        if page.locator(choice).count():
            page.locator(choice).first.check()
            walked.clicks += 1


def _look_again(page: Page, walked: Walk, pressed: Sequence[str], ticked: Sequence[str]) -> list[str]:
    """Try what might bring an option again after a no; return those that came. The page is the same afterwards.

    Back and forward, a page loaded again, the address of the options itself, and the reasons once more. None of it
    counts as a click, a page or a word of the way.
    """
    came, here = list[str](), page.url
    options = next(seen.figures["path"] for seen in walked.seen if seen.step == "options")
    reasons = next((seen.figures["path"] for seen in walked.seen if seen.step == "reasons"), "")
    walked.is_aside = True

    def note() -> None:
        page.wait_for_load_state("load")
        came.extend(look(page, "").offers)

    note()
    with _another_page(page):
        page.go_back()
    note()
    page.reload()
    note()
    page.goto(urljoin(here, options))
    note()
    if reasons:
        page.goto(urljoin(here, reasons))
        note()
        for other in page.locator("main input[name=reasons]:not(:checked)").all()[:1]:
            other.check()
        with _another_page(page):
            page.locator(_leading(page, pressed)).locator("visible=true").first.click(timeout=PATIENCE)
        note()
    page.goto(here)
    note()
    walked.is_aside = False
    return came


@contextmanager
def _another_page(page: Page) -> Iterator[None]:
    """Wait for what an act leads to: a page, or a part swapped in, has a main part without the mark."""
    page.evaluate("document.querySelector('main').dataset.walked = ''")
    yield
    page.wait_for_selector("main:not([data-walked])", timeout=PATIENCE)
    page.wait_for_load_state("load")


def _press(page: Page, selector: str, seen: Seen, walked: Walk) -> None:
    """Press what leads on and wait for what comes; raise HeldUp where nothing does or the same page comes again."""
    if not selector or not seen.figures["leaving"]:
        raise HeldUp(
            f"nothing leads on from {seen.step or 'the start'}: {seen.figures['errors'] or seen.figures['title']}"
        )
    pressed = time.perf_counter()
    with _another_page(page):
        page.locator(selector).locator("visible=true").first.click(timeout=PATIENCE)
        walked.clicks += 1
    walked.receipt_seconds = time.perf_counter() - pressed
    path, step = page.evaluate("[location.pathname, document.querySelector('main').dataset.step ?? '']")
    if step != "done" and (path, step) in [(one.figures["path"], one.step) for one in walked.seen]:
        said = page.locator("main [role=alert], main .errorlist").all_inner_texts()
        raise HeldUp(f"{step or path} came back: {' '.join(said)}")


def _listen(page: Page, walked: Walk) -> list[tuple[str, Any]]:
    """Keep what a page asks of the network, and what it complains about."""

    def asked(request: Request) -> None:
        if host := urlsplit(request.url).netloc:
            walked.hosts.add(host)

    def came(response: Response) -> None:
        is_shared = "/static/" in response.url or response.url.endswith(".css")
        name = response.url if is_shared else f"{response.url}#{len(walked.weights)}"
        if response.status < 300 and name not in walked.weights and not walked.is_aside:
            walked.weights[name] = len(gzip.compress(response.body(), 6))

    def finished(request: Request) -> None:
        if response := request.response():
            try:
                came(response)
            except Error:
                # A body that the next page has pushed out is not there to be weighed.
                walked.weights.setdefault(response.url, 0)

    listeners: list[tuple[str, Any]] = [
        ("request", asked),
        ("requestfinished", finished),
        ("console", lambda said: walked.console_errors.append(said.text) if said.type == "error" else None),
        ("pageerror", lambda error: walked.console_errors.append(str(error))),
    ]
    for event, listener in listeners:
        page.on(event, listener)  # type: ignore[call-overload]
    return listeners


def each_fault(walked: Walk) -> Iterator[str]:
    """Yield what went wrong on a walk, in words; and what competes too strongly with leaving."""
    if walked.held_up:
        yield f"held up: {walked.held_up}"
    yield from walked.console_errors
    for seen in walked.deciding:
        if (seen.prominence or 1) < 0.95 or seen.is_drawn_weaker:
            yield f"{seen.step}: “{seen.figures['strongest_rival']['label']}” competes"
