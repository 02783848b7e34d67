"""Accessible colour roles from one brand colour.

The operator gives one colour. Used as it is, it may be unreadable as text, or vanish in the dark; so each
role keeps its hue and moves its lightness only as far as the contrast asks. Contrast is WCAG 2.x, computed on
the rounded 8-bit colours that reach the browser. Nothing here knows Django. Raises BrandError for no colour.
Source: https://www.w3.org/TR/WCAG22/ (relative luminance, contrast ratio, 1.4.3, 1.4.11).
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

TEXT_CONTRAST = 4.5
SHAPE_CONTRAST = 3.0
WHITE, BLACK = "#ffffff", "#000000"
HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)

Rgb = tuple[int, int, int]


class BrandError(ValueError):
    """The brand colour cannot be read."""


@dataclass(frozen=True)
class Ground:
    """What the roles stand on, as ``static/fairwell/fairwell.css`` declares it (a test compares the two)."""

    page: str
    card: str
    ink: str
    tint_share: float
    text_contrast: float = TEXT_CONTRAST


@dataclass(frozen=True)
class Roles:
    """One brand colour in one scheme, as ``#rrggbb``.

    ``fill`` is seen on page and card (3:1), ``on_fill`` is read on it (4.5:1); ``text`` and ``focus`` are
    read and seen on page, card and tint (4.5:1); ``tint`` is a quiet ground on which ink is read (4.5:1).
    """

    fill: str
    on_fill: str
    text: str
    focus: str
    tint: str


LIGHT = Ground(page="#faf8f4", card="#ffffff", ink="#1e2023", tint_share=0.08)
# Thin bright strokes on a dark ground tire sooner, so text keeps a distance above the floor there.
DARK = Ground(page="#15171a", card="#1d2024", ink="#edebe6", tint_share=0.18, text_contrast=6.0)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))))
    return (light + 0.05) / (dark + 0.05)


@lru_cache(maxsize=16)
def roles(brand: str, ground: Ground) -> Roles:
    """Return the roles of ``brand`` (``#rgb`` or ``#rrggbb``) on a light or dark ground."""
    brand = normal(brand)
    fill = _nearest(brand, lambda colour: _clears(colour, (ground.page, ground.card), SHAPE_CONTRAST))
    tint = _mixed(fill, ground.page, ground.tint_share)
    read_on = (ground.page, ground.card, tint)
    text = _nearest(brand, lambda colour: _clears(colour, read_on, ground.text_contrast))
    on_fill = WHITE if contrast(WHITE, fill) >= TEXT_CONTRAST else BLACK
    return Roles(fill=fill, on_fill=on_fill, text=text, focus=text, tint=tint)


def stylesheet(brand: str) -> str:
    """Return the style sheet that hands the roles to the pages; CSP forbids handing them over inline."""
    return (
        f":root{{{_properties(roles(brand, LIGHT))}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_properties(roles(brand, DARK))}}}}}\n"
    )


def normal(brand: str) -> str:
    """Return a colour as ``#rrggbb`` in lower case."""
    match = HEX.fullmatch(brand.strip())
    if match is None:
        raise BrandError(f"{brand!r} is no colour: write it as # and six hex digits, such as #2f5d50.")
    digits = match[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))


def _properties(given: Roles) -> str:
    return (
        f"--fill:{given.fill};--on-fill:{given.on_fill};--accent:{given.text};--focus:{given.focus};--tint:{given.tint}"
    )


def _nearest(brand: str, fits: Callable[[str], bool]) -> str:
    """Return the brand colour, or the one nearest in lightness that fits; hue and saturation stay."""
    if fits(brand):
        return brand
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in _rgb(brand)))
    shades = (
        (abs(step / 255 - lightness), _from_hls(hue, step / 255, saturation)) for step in range(256)
    )  # black and white are among them, and on each ground one of the two always fits
    return min(shade for shade in shades if fits(shade[1]))[1]


def _clears(colour: str, grounds: tuple[str, ...], ratio: float) -> bool:
    return all(contrast(colour, ground) >= ratio for ground in grounds)


def _from_hls(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = (round(channel * 255) for channel in colorsys.hls_to_rgb(hue, lightness, saturation))
    return _hex((red, green, blue))


def _mixed(colour: str, ground: str, share: float) -> str:
    red, green, blue = (
        round(above * share + below * (1 - share)) for above, below in zip(_rgb(colour), _rgb(ground), strict=True)
    )
    return _hex((red, green, blue))


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
