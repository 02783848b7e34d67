"""Charts as SVG that a strict page can carry: no script, no style, no colour that says something alone.

Altair is imported when something is drawn, never at start-up: it weighs 69 MB. Colours are left to the style sheet
(``static/fairwell/reports.css``), so that a chart follows light, dark and paper.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

KEPT = 24 * 3600
# Above this many months a figure over every bar would be noise.
MOST_BAR_LABELS = 14
WIDEST_BAR = 56
DRAWING = 2  # raise it when the drawing changes, so that no old one comes from the cache


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars by month, one row of them per series, all on the same scale.

    ``months`` are labels in order; ``series`` has a label and one number per month. ``key`` makes the ids unique.
    """

    key: str
    title: str
    description: str
    months: Sequence[str]
    series: Sequence[tuple[str, Sequence[int]]]
    width: int
    row_height: int = 56


def svg(bars: Bars) -> SafeString:
    """Return the drawing, from the cache where these figures were drawn before."""
    facts = json.dumps([DRAWING, asdict(bars)], sort_keys=True, default=str)
    key = f"reports.chart.{hashlib.sha256(facts.encode()).hexdigest()}"
    drawn: str | None = cache.get(key)
    if drawn is None:
        drawn = _draw(bars)
        cache.set(key, drawn, KEPT)
    return mark_safe(drawn)  # noqa: S308 (drawn by vega from figures and our own labels, named by escaped text)


def _draw(bars: Bars) -> str:
    import vl_convert

    return _accessible(vl_convert.vegalite_to_svg(_chart(bars)), bars)


def _chart(bars: Bars) -> dict[str, Any]:
    import altair as alt

    # Labels may repeat (two Januaries): the position orders and the label is looked up by it.
    values = [
        {"month": f"{place:04d} {month}", "series": name, "n": numbers[place]}
        for name, numbers in bars.series
        for place, month in enumerate(bars.months)
    ]
    month = alt.X(
        "month:O",
        title=None,
        axis=alt.Axis(labelExpr="slice(datum.label, 5)", labelOverlap=True, labelAngle=0, ticks=False, labelPadding=8),
        scale=alt.Scale(paddingInner=0.25),
    )
    labelled = len(bars.months) <= MOST_BAR_LABELS
    peak = max(1, *(n for _name, numbers in bars.series for n in numbers))
    number = alt.Y(
        "n:Q",
        title=None,
        axis=alt.Axis(tickCount=2, tickMinStep=1, format="d", ticks=False, grid=not labelled),
        # Room for the figure over the highest bar, so that all rows are of one height.
        scale=alt.Scale(domain=[0, peak * 1.3 if labelled else peak], nice=False),
    )
    base = alt.Chart().encode(x=month)
    band = (bars.width - 60) / len(bars.months)
    # A single month is a bar, not a wall.
    bar = base.mark_bar(size=WIDEST_BAR) if 0.75 * band > WIDEST_BAR else base.mark_bar(minBandSize=1)
    layers = [bar.encode(y=number)]
    if labelled:
        said = base.transform_filter("datum.n > 0").mark_text(dy=-7, fontSize=11)
        layers.append(said.encode(y=number, text=alt.Text("n:Q", format="d")))
    names = [name for name, _numbers in bars.series]
    header = alt.Header(labelAngle=0, labelAlign="left", labelAnchor="start", labelOrient="top", labelFontSize=13)
    spec: dict[str, Any] = (
        alt.layer(*layers, data=alt.InlineData(values=values))
        .properties(width=bars.width - 60, height=bars.row_height)
        .facet(row=alt.Row("series:N", title=None, sort=names, header=header), spacing=28)
        .configure(aria=False, background="transparent", font="inherit")
        .configure_axis(labelFontSize=11)
        .configure_axisY(domain=False)
        .configure_view(stroke=None)
        .to_dict()
    )
    return spec


def _accessible(drawn: str, bars: Bars) -> str:
    """Return the SVG as one image with a name and a description, sized by the style sheet."""
    head = re.match(r'<svg [^>]*width="(\d+)" height="(\d+)"[^>]*>', drawn)
    if head is None:
        raise ValueError("The drawing is no SVG.")
    width, height = head[1], head[2]
    body = re.sub(r' aria-hidden="true"| role="[^"]*"| aria-[a-z]+="[^"]*"', "", drawn[head.end() :])
    # Colours come from the style sheet by these classes.
    body = re.sub(r' (?:fill|stroke|font-family)="(?!none|transparent)[^"]*"', "", body)
    named = f'aria-labelledby="{bars.key}-title {bars.key}-description"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawn" role="img" {named} viewBox="0 0 {width} {height}">'
        f'<title id="{bars.key}-title">{escape(bars.title)}</title>'
        f'<desc id="{bars.key}-description">{escape(bars.description)}</desc>{body}'
    )
