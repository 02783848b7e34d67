"""The public page of the rules that this desk follows, made from the same files as the desk itself.

Open to everybody, without a session or a statement to the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from subscriptions import pack_words, places
from subscriptions.packs import SECTORS, Pack, Packs, Value

# Their words stand in the language of the place, whatever the page's.
LABELS = ("entry_label", "confirm_label", "withdrawal_labels")


@dataclass(frozen=True, slots=True)
class Told:
    """One entry as it is shown."""

    lines: list[str]
    entry: Value
    confidence: str
    language: str
    # The place that it comes from, where that is another one.
    inherited: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A parameter: what holds now, for a sector as well, and what held or will hold."""

    title: str
    sector: str
    now: Told
    other_days: list[Told]


@require_safe
def rules(request: HttpRequest, code: str = "") -> HttpResponse:
    """Show the rules of one place; without a code, of the operator's own."""
    known = places.packs()
    if code and code not in known:
        raise Http404
    pack = known[code] if code else places.home()
    today = timezone.now().date()
    context = {
        "pack": pack,
        "place": pack_words.PLACES[pack.code],
        "base": pack_words.PLACES[pack.base.code] if pack.base else "",
        "packs": [(other, pack_words.PLACES[other.code]) for other in known.values()],
        "groups": [
            (group, [line for name in group.parameters for line in _lines(known, pack, name, today)])
            for group in pack_words.GROUPS
        ],
        "today": today,
    }
    return render(request, "rules/rules.html", context)


def _lines(packs: Packs, pack: Pack, parameter: str, today: date) -> Iterator[Line]:
    for sector in ("", *SECTORS):
        entries = [entry for entry in _entries(pack, parameter) if entry.sector == sector]
        now = pack.rule(parameter, today, sector)
        # A sector is named only where something is said of it alone.
        if sector and not (entries and now.sector == sector):
            continue
        others = [entry for entry in entries if entry is not now and entry.value is not None]
        yield Line(
            title=pack_words.title(parameter),
            sector=str(pack_words.SECTORS[sector]) if sector else "",
            now=_told(packs, pack, now),
            other_days=[_told(packs, pack, entry) for entry in others],
        )


def _entries(pack: Pack, parameter: str) -> tuple[Value, ...]:
    return (*pack.history(parameter), *pack.overrides.get(parameter, ()))


def _told(packs: Packs, pack: Pack, entry: Value) -> Told:
    written = packs.get(entry.pack, pack)
    return Told(
        lines=pack_words.told(entry),
        entry=entry,
        confidence=str(pack_words.CONFIDENCES[entry.confidence]),
        language=written.language if entry.parameter in LABELS else "",
        inherited="" if entry.pack == pack.code else str(pack_words.PLACES[entry.pack]),
    )
