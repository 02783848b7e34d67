"""The report card as it is written down: JSON that ships with the product, and a page for the documentation.

Pure: walks come in as dictionaries. ``make fairness`` alone writes both files; the same walks give
the same files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.utils import translation

from reports import fairness
from reports.fairness import ANCHORS, METRICS, PUBLISHED_JOIN, WAYS, Card, Walked

# How the figures came about, and what they cannot tell; it closes the page.
METHOD = (Path(__file__).parent / "method.md").read_text(encoding="utf-8")
# Published, too, but about the market rather than about one way out. Source: LAW section D.
MARKET = (
    (
        "UK government, 2024 (B)",
        "the market",
        "155 million subscriptions, 9.7 million unwanted, GBP 1.6bn a year",
    ),
    ("Citizens Advice, 2024 (B)", "UK adults", "26% joined by accident; 54% stayed away for fear of hard cancelling"),
    (
        "Japan: Science Tokyo; Concent 2023; reports of 2025-12 (B)",
        "200 apps; 799 users; 77 reports",
        "93.5% with patterns, 3.9 on average; 40.3% met hard cancelling; about 36% of reports at cancelling",
    ),
    (
        "FTC v. Amazon, settlement of 2025-09 (B)",
        "the order",
        "USD 2.5 billion; a clear decline button; cancelling by the method of joining",
    ),
    (
        "Piano, 2024 (C, commercial)",
        "publishers",
        "a discount or downgrade step keeps up to 16%: the revenue that a fair default gives up",
    ),
)


def assembled(
    walks: Iterable[Mapping[str, Any]], *, measured_on: str, browser: str, widths: Sequence[int]
) -> dict[str, Any]:
    """Return the card of walks, in the order in which they come."""
    return {"measured_on": measured_on, "browser": browser, "widths": list(widths), "walks": list(walks)}


def as_json(told: Mapping[str, Any]) -> str:
    """Return the card as the file that ships."""
    return json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def as_markdown(told: Mapping[str, Any]) -> str:
    """Return the card as a page of the documentation, in English."""
    with translation.override("en"):
        return "\n".join([*_lines(fairness.card_of(told)), "", METHOD])


def _lines(card: Card) -> Iterator[str]:
    yield from (
        "# How fair leaving is",
        "",
        "What each way out asks of somebody, counted in a browser, beside its limits and beside what others published.",
        f"Written by `make fairness`, never by hand. Measured on {card.measured_on} with {card.browser}, at "
        f"{' and '.join(map(str, card.widths))} px.",
        "Managers read the same card in the product, at `/reports/fairness/`.",
        "",
        "## At a glance",
        "",
    )
    yield from _verdict(card)
    yield from _glance(card)
    yield from _elsewhere()
    yield from _joining(card)
    yield from ("", "## Place by place", "")
    yield "A figure has its limit in brackets. Where 390 and 1280 px differ, both stand there, 390 first."
    yield "A dash: not counted here, or nothing to compare with."
    for pack in dict.fromkeys(walked.pack for walked in card.walks):
        yield from _place([walked for walked in card.walks if walked.pack == pack])


def _verdict(card: Card) -> Iterator[str]:
    broken = [walked for walked in card.walks if walked.broken]
    if not broken:
        yield "Every way out keeps its limits."
    for walked in broken:
        what = ", ".join(str(METRICS[key].label) if key in METRICS else key for key in walked.broken)
        yield f"- **{fairness.place_name(walked.pack)}, {WAYS[walked.way]}** breaks its limits: {what}."


def _glance(card: Card) -> Iterator[str]:
    for way, name in WAYS.items():
        if walks := card.of(way):
            labels = [str(METRICS[key].label) for key in fairness.glance_at(way)]
            rows = [
                [
                    fairness.place_name(walked.pack),
                    *(fairness.shown(key, walked.worst(key)) for key in fairness.glance_at(way)),
                ]
                for walked in walks
            ]
            yield from ("", f"### {name}", "", *_table(["Rules of", *labels], rows))


def _elsewhere() -> Iterator[str]:
    yield from ("", "## What others measured", "")
    rows = [[anchor.source, str(anchor.measured), str(anchor.found)] for anchor in ANCHORS]
    yield from _table(["Published by", "What was measured", "Found"], [*rows, *map(list, MARKET)], numbers=False)
    yield from (
        "",
        "The letter grades how well the source is known to us: B read in good excerpts, C from one digest.",
        "Low complaint numbers prove nothing: mild manipulation more than doubled sign-ups (11.3% to 25.8%) without",
        "backlash (Luguri and Strahilevitz, 2021).",
    )


def _joining(card: Card) -> Iterator[str]:
    yield from (
        "",
        "## Leaving divided by joining",
        "",
        "1 is as easy, above 1 leaving is the harder one. Joining happens elsewhere: an operator counts it and sets",
        "`FAIRWELL_JOIN_COUNTERS` ([operators.md](operators.md)); the page in the product then compares with that.",
        f"Here the published average of {PUBLISHED_JOIN['clicks']} clicks to join stands in (Sheil et al.); for pages,",
        "fields and seconds none is published.",
        "",
    )
    rows = []
    for way, name in WAYS.items():
        if way in fairness.BY_CHOICE:
            continue
        clicks = sorted({walked.worst("clicks") or 0 for walked in card.of(way)})
        for n in clicks:
            places = ", ".join(fairness.place_name(w.pack) for w in card.of(way) if w.worst("clicks") == n)
            rows.append([f"{name}: {places}", str(n), f"{n / PUBLISHED_JOIN['clicks']:.2f}"])
    yield from _table(["Way out", "Clicks", "÷ 3.5"], rows)


def _place(walks: Sequence[Walked]) -> Iterator[str]:
    head = ["Counted", *(str(WAYS[walked.way]) for walked in walks)]
    rows = [
        [str(metric.label), *(fairness.with_limit(walked, key) for walked in walks)] for key, metric in METRICS.items()
    ]
    yield from ("", f"### {fairness.place_name(walks[0].pack)}", "", *_table(head, rows))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{(' ---: |' if numbers else ' --- |') * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
