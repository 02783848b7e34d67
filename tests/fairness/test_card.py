"""The card as it is written down: the same walks give the same files, and nothing of a machine stands in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from reports import fairness
from tests.fairness import card


def walk(pack: str = "de", way: str = "cancel", **changes: Any) -> dict[str, Any]:
    figures = {"clicks": 2, "pages": 2, "prominence": 1.0, "receipt_contents": 1.0, **changes}
    limits = {"clicks": {"at_most": 2}, "prominence": {"at_least": 0.95}}
    return {
        "pack": pack, "way": way, "locale": "de-DE", "limits": limits, "broken": [],
        "figures": {"390": figures, "1280": figures | {"prominence": 1.5}},
    }  # fmt: skip


def told(*walks: dict[str, Any]) -> dict[str, Any]:
    return card.assembled(walks, measured_on="2026-11-24", browser="Chromium 140", widths=(390, 1280))


def test_the_same_walks_give_the_same_files():
    one, other = told(walk(), walk("fr")), told(walk(), walk("fr"))

    assert (card.as_json(one), card.as_markdown(one)) == (card.as_json(other), card.as_markdown(other))


def test_what_is_written_is_what_is_read():
    read = fairness.card_of(json.loads(card.as_json(told(walk(), walk("fr", "withdraw")))))

    assert [(one.pack, one.way) for one in read.walks] == [("de", "cancel"), ("fr", "withdraw")]
    assert read.walks[0].worst("prominence") == 1.0
    assert read.walks[0].at_least_and_most("prominence") == (1.0, 1.5)


def test_the_page_has_a_table_for_each_place_with_limits_beside():
    page = card.as_markdown(told(walk(), walk("de", "guided"), walk("us-ca")))

    assert re.findall(r"^### (.*)$", page, re.MULTILINE)[-2:] == ["Germany", "California"]
    assert "| Clicks | 2 (≤ 2) | 2 (≤ 2) |" in page
    assert "| Prominence of leaving | 1.00 / 1.50 (≥ 0.95) |" in page
    assert "Every way out keeps its limits." in page


def test_the_longer_way_tells_at_a_glance_what_becomes_of_a_no_and_is_not_compared_with_joining():
    longer = walk("de", "options", offers=2, offers_after_no=0, parity=1.0, clicks=6)
    longer["limits"] = {"offers": {"at_least": 1, "at_most": 3}, "parity": {"at_least": 1.0}}

    page = card.as_markdown(told(walk(), longer))

    assert "| Germany | 6 | 2 | 2 | 0 | 1.00 | – | – | 100% |" in page
    assert "| Offers | – | 2 (1–3) |" in page
    joining = page[page.index("## Leaving divided by joining") : page.index("## Place by place")]
    assert "with a reason" not in joining


def test_what_nobody_looked_for_at_one_width_is_a_dash_there():
    found = walk(axe_violations=2)
    found["figures"]["1280"] = found["figures"]["1280"] | {"axe_violations": None}

    assert "| Barriers found by axe | 2 / – |" in card.as_markdown(told(found))


def test_a_broken_limit_stands_at_the_top():
    page = card.as_markdown(told(walk() | {"broken": ["clicks", "reached"]}))

    assert "**Germany, The public cancellation page** breaks its limits: Clicks, reached." in page
    assert "Every way out keeps its limits." not in page


def test_every_published_anchor_stands_beside_the_figures():
    page = card.as_markdown(told(walk()))

    assert all(f"| {source} |" in page for source in [anchor.source for anchor in fairness.ANCHORS])
    assert page.count("FTC v. Amazon") == 2


def test_leaving_by_the_public_page_is_divided_by_joining():
    assert "| The public cancellation page: Germany | 2 | 0.57 |" in card.as_markdown(told(walk()))


# ---------------------------------------------------------------- what ships

PAGE = Path(settings.BASE_DIR) / "docs" / "fairness.md"


def test_the_page_of_the_documentation_is_written_from_the_card_that_ships():
    assert PAGE.read_text(encoding="utf-8") == card.as_markdown(json.loads(fairness.CARD.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [PAGE, fairness.CARD], ids=["docs", "json"])
def test_nothing_of_a_machine_stands_in_what_ships(path):
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"(?:/home|/root|/tmp|/work|/usr|/var)\b|127\.0\.0\.1|localhost:\d|C-[2-9A-Z]{8}", text) == []


def test_every_metric_and_way_of_the_card_is_known():
    shipped = json.loads(fairness.CARD.read_text(encoding="utf-8"))

    assert {key for one in shipped["walks"] for figures in one["figures"].values() for key in figures} <= {
        *fairness.METRICS,
        "reached",
    }
    assert {one["way"] for one in shipped["walks"]} == set(fairness.WAYS)
