"""The friction meter's report card: what each way out asks of somebody, beside its limits and what others published.

The figures stand in ``fairness.json`` and ship with the product. ``make fairness`` counted them in a browser and alone
writes that file; nothing is counted while somebody reads. How, and what that cannot tell: docs/fairness.md.
Figures are per screen width; where one is shown, it is the worse of them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from babel.numbers import format_decimal, format_percent
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from config.formats import locale_of

CARD = Path(__file__).with_name("fairness.json")
Words = str | Promise
Form = Literal["count", "ratio", "share", "kilobytes", "tenths", "truth"]
Figure = float | bool | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that is counted. ``high_is_good`` says which of two figures is the worse one."""

    key: str
    label: Words
    form: Form = "count"
    high_is_good: bool = False

    def worst(self, figures: Sequence[Figure]) -> Figure:
        """Return the worst figure; None where there is none."""
        known = [figure for figure in figures if figure is not None]
        return (min if self.high_is_good else max)(known, default=None)


METRICS = {
    metric.key: metric
    for metric in (
        Metric("clicks", gettext_lazy("Clicks")),
        Metric("pages", gettext_lazy("Pages")),
        Metric("mandatory_fields", gettext_lazy("Fields to fill in")),
        Metric("optional_fields", gettext_lazy("Fields left to choice")),
        Metric("field_groups", gettext_lazy("Groups of fields")),
        Metric("characters", gettext_lazy("Characters typed")),
        Metric("choices", gettext_lazy("Other things to press on a page")),
        Metric("words", gettext_lazy("Words on the way")),
        Metric("sign_ins", gettext_lazy("Sign-ins on the way")),
        Metric("channel_switches", gettext_lazy("Changes to telephone or post")),
        Metric("offers", gettext_lazy("Offers")),
        Metric("offers_repeated", gettext_lazy("Offers made again")),
        Metric("offers_after_no", gettext_lazy("Options after a no")),
        Metric("parity", gettext_lazy("Leaving and the no beside the strongest yes"), "ratio", high_is_good=True),
        Metric("entry_legible", gettext_lazy("The entry is well legible"), "truth", high_is_good=True),
        Metric("prominence", gettext_lazy("Prominence of leaving"), "ratio", high_is_good=True),
        Metric("drawn_weaker", gettext_lazy("Leaving is drawn weaker"), "truth"),
        Metric("contrast", gettext_lazy("Contrast of the leaving button"), "tenths", high_is_good=True),
        Metric("tab_position", gettext_lazy("Tab stops to the leaving button")),
        Metric("tab_among_controls", gettext_lazy("Its place among buttons and links")),
        Metric("pre_made_choices", gettext_lazy("Choices made beforehand")),
        Metric("pressing_words", gettext_lazy("Words that press")),
        Metric("third_party_requests", gettext_lazy("Requests to third parties")),
        Metric("receipt_contents", gettext_lazy("Receipt is complete"), "share", high_is_good=True),
        Metric(
            "as_published", gettext_lazy("Last day or refund as in the published example"), "truth", high_is_good=True
        ),
        Metric("receipt_seconds", gettext_lazy("Seconds until the receipt"), "tenths"),
        Metric("seconds", gettext_lazy("Seconds the script took"), "tenths"),
        Metric("axe_violations", gettext_lazy("Barriers found by axe")),
        Metric("console_errors", gettext_lazy("Complaints of the browser")),
        Metric("bytes_gzip", gettext_lazy("Weight in kB"), "kilobytes"),
    )
}
# What somebody wants to know at a glance; the rest stands below, place by place.
AT_A_GLANCE = (
    "clicks", "pages", "mandatory_fields", "words", "sign_ins", "offers", "prominence", "receipt_contents",
)  # fmt: skip
# On the longer way it is about what is proposed, how, and whether a no is one.
AT_A_GLANCE_OF = {
    "options": (
        "clicks", "pages", "offers", "offers_after_no", "parity", "pre_made_choices", "pressing_words",
        "receipt_contents",
    )
}  # fmt: skip
WAYS: dict[str, Words] = {
    "cancel": gettext_lazy("The public cancellation page"),
    "withdraw": gettext_lazy("The public withdrawal page"),
    "guided": gettext_lazy("The guided way, signed in"),
    "options": gettext_lazy("The guided way with a reason, and a no to the options"),
}
# A longer way by somebody's own choice: the short one is a button on each of its pages, and that is compared.
BY_CHOICE = ("options",)
STATES: dict[str, Words] = {
    "us-ca": gettext_lazy("California"),
    "us-ny": gettext_lazy("New York"),
    "us-mn": gettext_lazy("Minnesota"),
    "default": gettext_lazy("Everywhere else"),
}
COUNTRIES = {"de": "DE", "fr": "FR", "pl": "PL", "uk": "GB", "jp": "JP"}


@dataclass(frozen=True, slots=True)
class Anchor:
    """What somebody else measured and published. ``join`` and ``leave`` are clicks, where clicks were counted."""

    source: str
    measured: Words
    found: Words
    leave: float | None = None
    join: float | None = None


# Source: LAW section D, with its grade; C is a digest of the paper.
ANCHORS = (
    Anchor(
        "FTC v. Amazon, 2023 (B)",
        gettext_lazy("Prime in the United States, 2016 to April 2023"),
        gettext_lazy("4 pages, 6 clicks and 15 options to leave; 1 to 2 clicks to join"),
        leave=6,
        join=2,
    ),
    Anchor(
        "EU, Amazon, 2022 (B)",
        gettext_lazy("Prime in the European Union, by commitment"),
        gettext_lazy("2 clicks to leave"),
        leave=2,
    ),
    Anchor(
        "Forbrukerrådet, 2021 (B)",
        gettext_lazy("Prime in Norway, and consumers asked"),
        gettext_lazy("six pages after finding the menu; 1 in 4 had trouble leaving a service"),
    ),
    Anchor(
        "Sheil et al., CHI 2024 (C)",
        gettext_lazy("67 news subscriptions of 34 sites in 4 countries"),
        gettext_lazy("3.5 clicks to join; 4.9 to leave in Europe, 5.8 to 6.2 in the United States; 10 at worst"),
        leave=4.9,
        join=3.5,
    ),
    Anchor(
        "EmailToolTester (B)",
        gettext_lazy("40 services"),
        gettext_lazy("6.7 clicks and 6.2 misleading patterns to leave, on average"),
        leave=6.7,
    ),
    Anchor(
        "ICPEN, 2024 (B)",
        gettext_lazy("642 traders in 26 countries"),
        gettext_lazy("75.7% with at least one misleading pattern; 70% do not say how to cancel"),
    ),
    Anchor(
        "EU Fitness Check, 2024 (B)",
        gettext_lazy("Consumers asked"),
        gettext_lazy("69% found cancelling technically hard"),
    ),
    Anchor(
        "vzbv, 2024 (B)",
        gettext_lazy("1,200 German sites"),
        gettext_lazy("one in five without the cancellation button"),
    ),
)
# Where an operator has counted nothing, joining takes what the one study that counted both ways found on average.
PUBLISHED_JOIN: Mapping[str, float] = {"clicks": 3.5}
COMPARED = {"clicks": "clicks", "pages": "pages", "fields": "mandatory_fields", "seconds": "seconds"}


@dataclass(frozen=True, slots=True)
class Walked:
    """One way out of one place: figures per width, limits, and which of them are broken."""

    pack: str
    way: str
    locale: str
    figures: Mapping[str, Mapping[str, Figure]]
    limits: Mapping[str, Mapping[str, float]]
    broken: Sequence[str]

    def worst(self, key: str) -> Figure:
        """Return a figure, the worse one of all widths; None where it was not counted."""
        return METRICS[key].worst([of_width.get(key) for of_width in self.figures.values()])

    def at_least_and_most(self, key: str) -> tuple[Figure, ...]:
        """Return a figure of every width, each once, in the order of the widths."""
        return tuple(dict.fromkeys(of_width.get(key) for of_width in self.figures.values()))


@dataclass(frozen=True, slots=True)
class Card:
    """The whole card: when it was measured, with what, and every way out."""

    measured_on: date
    browser: str
    widths: Sequence[int]
    walks: Sequence[Walked]

    def of(self, way: str) -> list[Walked]:
        """Return the walks of one way out, in the order of the places."""
        return [walked for walked in self.walks if walked.way == way]


class NoCard(Exception):
    """The shipped card is gone, or cannot be read."""


@functools.cache
def card() -> Card:
    """Return the shipped card; raise NoCard where its file is gone or broken."""
    try:
        return card_of(json.loads(CARD.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NoCard(str(error)) from error


def card_of(told: Mapping[str, Any]) -> Card:
    """Return a card as it stands in a file."""
    # As numbers, or 1280 would come before 390.
    walks = [
        Walked(
            walk["pack"], walk["way"], walk["locale"],
            dict(sorted(walk["figures"].items(), key=lambda of_width: int(of_width[0]))),
            walk["limits"], walk["broken"],
        )
        for walk in told["walks"]
    ]  # fmt: skip
    return Card(date.fromisoformat(told["measured_on"]), told["browser"], told["widths"], walks)


# ---------------------------------------------------------------- in words


def place_name(pack: str) -> str:
    """Return the name of a place, in the reader's language."""
    if pack in COUNTRIES:
        return str(locale_of(get_language()).territories[COUNTRIES[pack]])
    return str(STATES.get(pack, pack))


def shown(key: str, figure: Figure) -> str:
    """Return a figure as people read it; a dash where there is none."""
    form, locale = METRICS[key].form, locale_of(get_language())
    if figure is None:
        return "–"
    if form == "truth":
        return _("yes") if figure else _("no")
    if form == "share":
        return str(format_percent(figure, locale=locale))
    pattern = {"ratio": "0.00", "kilobytes": "0.0", "tenths": "0.0"}.get(form, "#,##0")
    return str(format_decimal(figure / 1000 if form == "kilobytes" else figure, pattern, locale=locale))


def shown_limit(key: str, limit: Mapping[str, float] | None) -> str:
    """Return a limit in signs, such as ``≤ 2``; nothing where there is none."""
    if not limit:
        return ""
    if METRICS[key].form == "truth":
        return shown(key, bool(limit.get("at_least")))
    if "at_least" in limit and "at_most" in limit:
        least, most = (shown(key, limit[name]) for name in ("at_least", "at_most"))
        return least if least == most else f"{least}–{most}"
    sign, bound = ("≤", limit["at_most"]) if "at_most" in limit else ("≥", limit["at_least"])
    return f"{sign} {shown(key, bound)}"


# ---------------------------------------------------------------- compared with joining


def asymmetry(walked: Walked, join: Mapping[str, float]) -> dict[str, float]:
    """Return leaving ÷ joining for what was counted on both ways; above 1 leaving is the harder one."""
    left = {name: walked.worst(key) for name, key in COMPARED.items() if name in join}
    return {name: round(figure / join[name], 2) for name, figure in left.items() if figure is not None}


# ---------------------------------------------------------------- the page


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: what it is about, its cells, and whether one of them breaks a limit."""

    name: str
    cells: Sequence[str]
    is_broken: bool = False


def page(told: Card, join: Mapping[str, float]) -> dict[str, Any]:
    """Return what the page shows of a card, beside what joining takes at this business."""
    broken = [walked for walked in told.walks if walked.broken]
    return {
        "card": told,
        "ways": [
            (way, label, [METRICS[key].label for key in glance_at(way)], list(_glance(told.of(way))))
            for way, label in WAYS.items()
            if told.of(way)
        ],
        "broken": [(place_name(one.pack), WAYS[one.way], ", ".join(_labels(one.broken))) for one in broken],
        "places": [(place_name(pack), *_in_full(told, pack)) for pack in dict.fromkeys(one.pack for one in told.walks)],
        "anchors": ANCHORS,
        "best_and_worst": _clicks(told),
        "join": [(_name_of(name), format_decimal(n, locale=locale_of(get_language()))) for name, n in join.items()],
        "compared": list(_compared(told, join or PUBLISHED_JOIN)),
        "compared_by": [_name_of(name) for name in COMPARED if name in (join or PUBLISHED_JOIN)],
    }


def glance_at(way: str) -> Sequence[str]:
    """Return what is shown at a glance of a way out."""
    return AT_A_GLANCE_OF.get(way, AT_A_GLANCE)


def _glance(walks: Sequence[Walked]) -> Iterator[Row]:
    for walked in walks:
        cells = [shown(key, walked.worst(key)) for key in glance_at(walked.way)]
        yield Row(place_name(walked.pack), cells, bool(walked.broken))


def _in_full(told: Card, pack: str) -> tuple[list[Words], list[Row]]:
    """Return the ways out of a place, and a line per metric with figure and limit of each."""
    walks = [walked for walked in told.walks if walked.pack == pack]
    rows = [
        Row(str(metric.label), [with_limit(walked, key) for walked in walks], any(key in w.broken for w in walks))
        for key, metric in METRICS.items()
    ]
    return [WAYS[walked.way] for walked in walks], rows


def with_limit(walked: Walked, key: str) -> str:
    """Return a figure of every width where they differ, with its limit in brackets."""
    figures = " / ".join(shown(key, figure) for figure in walked.at_least_and_most(key))
    limit = shown_limit(key, walked.limits.get(key))
    return f"{figures} ({limit})" if limit else figures


def _compared(told: Card, join: Mapping[str, float]) -> Iterator[Row]:
    """Yield a line per way out and result; places with the same result stand together."""
    locale, alike = locale_of(get_language()), dict[tuple[str, tuple[str, ...], bool], list[str]]()
    for walked in told.walks:
        if walked.way in BY_CHOICE:
            continue
        ratios = asymmetry(walked, join)
        cells = tuple(format_decimal(ratios[name], "0.00", locale=locale) if name in ratios else "–" for name in join)
        is_harder = any(ratio > 1 for ratio in ratios.values())
        alike.setdefault((walked.way, cells, is_harder), []).append(place_name(walked.pack))
    for (way, cells, is_harder), places in alike.items():
        yield Row(f"{WAYS[way]}: {', '.join(places)}", cells, is_harder)


def _clicks(told: Card) -> tuple[str, str]:
    """Return the fewest and the most clicks of the public pages."""
    doors = [walked.worst("clicks") or 0 for walked in told.walks if walked.way in ("cancel", "withdraw")] or [0]
    return shown("clicks", min(doors)), shown("clicks", max(doors))


def _name_of(counted: str) -> str:
    return str(METRICS[COMPARED[counted]].label)


def _labels(keys: Sequence[str]) -> list[str]:
    return [str(METRICS[key].label) for key in keys if key in METRICS]
