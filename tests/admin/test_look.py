"""The desk wears the same colours as the pages of customers."""

import re
from pathlib import Path

import pytest

SHEETS = Path(__file__).resolve().parents[2] / "static" / "fairwell"
NEUTRALS = {"page", "card", "ink", "soft", "line", "edge", "bad", "bad-tint", "warn", "warn-tint", "sans", "serif"}
BRAND = {"fill", "on-fill", "accent", "focus", "tint"}


def roles(sheet: str, scheme: str) -> dict[str, str]:
    """Return the custom properties of a sheet's first ``:root`` in a scheme."""
    text = (SHEETS / sheet).read_text(encoding="utf-8")
    start = text.index("@media (prefers-color-scheme: dark)") if scheme == "dark" else 0
    block = re.search(r"(?s):root \{(.*?)\}", text[start:])
    assert block
    found = dict(re.findall(r"--([\w-]+):\s*([^;]+);", block[1]))
    return {name: value for name, value in found.items() if name in NEUTRALS | BRAND}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_sheets_name_the_same_colours(scheme):
    desk, customers = roles("admin.css", scheme), roles("fairwell.css", scheme)

    assert desk == customers
    assert desk.keys() >= (NEUTRALS - {"sans", "serif"}) | BRAND
