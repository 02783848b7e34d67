"""The stage of the friction meter: one browser, the desk as a live server, and a book of what was walked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as conf
from django.utils import timezone
from playwright.sync_api import Browser

from reports import fairness
from subscriptions import places
from tests.fairness import card, stage
from tests.fairness.limits import limits_of
from tests.fairness.ways import Way, Worse, walk_way

# ``make fairness`` sets it, and then the card is written.
WRITE = os.environ.get("FAIRWELL_WRITE_FAIRNESS", "")

Walks = Callable[..., Way]


@pytest.fixture(scope="session")
def book(browser: Browser) -> Iterator[dict[tuple[str, str], Way]]:
    """Keep every way that was walked; ``make fairness`` has the card written from it, if all places were walked."""
    kept: dict[tuple[str, str], Way] = {}
    yield kept
    if WRITE and {pack for pack, _way in kept} == set(stage.PLACES):
        order = [(pack, way) for way in fairness.WAYS for pack in stage.PLACES if (pack, way) in kept]
        told = card.assembled(
            [kept[key].as_dict() for key in order],
            measured_on=timezone.localdate().isoformat(),
            browser=f"Chromium {browser.version.split('.')[0]}",
            widths=stage.WIDTHS,
        )
        fairness.CARD.write_text(card.as_json(told), encoding="utf-8")
        (Path(conf.BASE_DIR) / "docs" / "fairness.md").write_text(card.as_markdown(told), encoding="utf-8")


@pytest.fixture
def walked(browser: Browser, transactional_db: None, live_server: Any, settings: Any) -> Walks:
    """Return the walk of one way out of one place."""
    settings.BASE_URL = live_server.url
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    def walk(
        pack: str,
        way: str,
        *,
        widths: tuple[int, ...] = stage.WIDTHS,
        worse: Worse | None = None,
        with_axe: bool = True,
    ) -> Way:
        settings.HOME_PACK = pack
        place, on = stage.PLACES[pack], (stage.WITHDRAWAL_AT if way == "withdraw" else stage.NOTICE_AT).date()

        def answer(parameter: str) -> Any:
            return places.packs()[pack].get(parameter, on)

        vector = place.refund_vector if way == "withdraw" else place.end_vector
        limits = limits_of(way, answer, has_vector=bool(vector))
        needed = answer("mandatory_fields") if way == "cancel" else []
        made = Way(pack, way, place.locale, limits, needed, answer("receipt_required_contents"))
        return walk_way(browser, live_server.url, made, widths=widths, worse=worse, with_axe=with_axe)

    return walk
