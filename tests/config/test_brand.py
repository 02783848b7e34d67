"""One brand colour becomes roles that everybody can read, in light and in dark."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.brand import DARK, LIGHT, BrandError, Ground, Roles, contrast, normal, roles, stylesheet

CSS = Path(__file__).resolve().parents[2] / "static" / "fairwell" / "fairwell.css"
COLOURS = st.integers(min_value=0, max_value=0xFFFFFF).map("#{:06x}".format)
GROUNDS = pytest.mark.parametrize("ground", [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")])


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        pytest.param("#000000", "#ffffff", 21.0, id="black-on-white-is-the-most"),
        pytest.param("#777777", "#777777", 1.0, id="nothing-on-itself"),
        pytest.param("#ffffff", "#767676", 4.54, id="the-well-known-grey-that-just-passes"),
        pytest.param("#ff0000", "#ffffff", 4.0, id="red-on-white-fails"),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert round(contrast(one, other), 2) == ratio
    assert contrast(one, other) == contrast(other, one)


@GROUNDS
@given(brand=COLOURS)
@example(brand="#ffffff")
@example(brand="#000000")
@example(brand="#ffff00")
@example(brand="#0000ff")
@example(brand="#808080")
def test_every_role_is_readable_whatever_the_brand(brand: str, ground: Ground) -> None:
    given_roles = roles(brand, ground)

    surfaces = (ground.page, ground.card, given_roles.tint)
    assert [s for s in surfaces if contrast(given_roles.text, s) < 4.5] == []
    assert [s for s in surfaces if contrast(given_roles.focus, s) < 4.5] == []
    assert [s for s in surfaces if contrast(ground.ink, s) < 4.5] == []
    assert [s for s in surfaces[:2] if contrast(given_roles.fill, s) < 3] == []
    assert contrast(given_roles.on_fill, given_roles.fill) >= 4.5


@GROUNDS
@given(brand=COLOURS)
def test_every_role_is_a_plain_hex_colour(brand: str, ground: Ground) -> None:
    values = vars(roles(brand, ground)).values()
    assert [value for value in values if not re.fullmatch("#[0-9a-f]{6}", value)] == []


@given(brand=COLOURS)
def test_a_brand_that_is_readable_already_stays_as_it_is(brand: str) -> None:
    light = roles(brand, LIGHT)
    readable = min(contrast(brand, surface) for surface in (LIGHT.page, LIGHT.card, light.tint)) >= 4.5
    assert (light.text == brand) == readable


def test_roles_of_the_shipped_brand() -> None:
    assert roles("#2f5d50", LIGHT) == Roles(
        fill="#2f5d50", on_fill="#ffffff", text="#2f5d50", focus="#2f5d50", tint="#eaece7"
    )


def test_a_pale_brand_is_darkened_on_paper_and_kept_in_the_dark() -> None:
    light, dark = roles("#ffd400", LIGHT), roles("#ffd400", DARK)
    assert (light.fill, light.on_fill) == ("#aa8d00", "#000000")
    assert (dark.fill, dark.on_fill, dark.text) == ("#ffd400", "#000000", "#ffd400")


@pytest.mark.parametrize(
    ("written", "read"),
    [("#2F5D50", "#2f5d50"), ("2f5d50", "#2f5d50"), ("#abc", "#aabbcc"), ("  #2f5d50\n", "#2f5d50")],
)
def test_a_colour_may_be_written_in_the_usual_ways(written: str, read: str) -> None:
    assert normal(written) == read


@pytest.mark.parametrize("written", ["", "green", "#12345", "#1234567", "#gggggg", "red;}body{display:none", "#12 456"])
def test_what_is_no_colour_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(BrandError, match="such as #2f5d50"):
        stylesheet(written)


def test_the_style_sheet_sets_each_role_for_light_and_for_dark() -> None:
    sheet = stylesheet("#2f5d50")
    light, dark = sheet.split("@media (prefers-color-scheme:dark)")
    names = ["--fill", "--on-fill", "--accent", "--focus", "--tint"]
    assert re.findall(r"(--[a-z-]+):#[0-9a-f]{6}", light) == names
    assert re.findall(r"(--[a-z-]+):#[0-9a-f]{6}", dark) == names


def declared(scheme: str) -> dict[str, str]:
    """Return the colours that the style sheet itself declares for a scheme."""
    light, dark = CSS.read_text().split("@media (prefers-color-scheme: dark)", 1)
    block = re.search(r":root\s*{(.*?)}", light if scheme == "light" else dark, re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})\b", block[1]))


@pytest.mark.parametrize(("scheme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_the_pages_stand_on_the_ground_the_roles_were_made_for(scheme: str, ground: Ground) -> None:
    colours = declared(scheme)
    assert (colours["page"], colours["card"], colours["ink"]) == (ground.page, ground.card, ground.ink)


@pytest.mark.parametrize(("scheme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_without_a_brand_sheet_the_pages_show_the_shipped_brand(scheme: str, ground: Ground) -> None:
    colours = declared(scheme)
    shipped = roles("#2f5d50", ground)
    assert {name: colours[name] for name in ("fill", "on-fill", "accent", "focus", "tint")} == {
        "fill": shipped.fill,
        "on-fill": shipped.on_fill,
        "accent": shipped.text,
        "focus": shipped.focus,
        "tint": shipped.tint,
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_neutral_and_warning_colours_are_readable(scheme: str) -> None:
    c = declared(scheme)
    pairs = [
        ("soft", "page", 4.5),
        ("soft", "card", 4.5),
        ("soft", "tint", 4.5),
        ("bad", "page", 4.5),
        ("bad", "card", 4.5),
        ("bad", "bad-tint", 4.5),
        ("ink", "bad-tint", 4.5),
        ("ink", "warn-tint", 4.5),
        ("warn", "warn-tint", 3),
        ("warn", "page", 3),
        ("edge", "page", 3),
        ("edge", "card", 3),
    ]
    assert [(a, b) for a, b, least in pairs if contrast(c[a], c[b]) < least] == []
