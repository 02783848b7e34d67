"""R20: leaving asks no more than its limits, in every place, by every way; and a page made worse is caught."""

from __future__ import annotations

import pytest
from django.conf import settings as conf

from reports import fairness
from subscriptions import places
from tests.fairness import stage
from tests.fairness.conftest import WRITE, Walks
from tests.fairness.limits import harder_than_joining
from tests.fairness.ways import Way

pytestmark = pytest.mark.browser
each_place = pytest.mark.parametrize("pack", stage.PLACES)


def ways_of(pack: str) -> list[str]:
    """Return the ways out that a place has: withdrawing only where there is such a right."""
    days = places.packs()[pack].get("withdrawal_days", stage.WITHDRAWAL_AT.date())
    return ["cancel", *(["withdraw"] if days else []), "guided", "options"]


@each_place
def test_r20_leaving_asks_no_more_than_its_limits(pack: str, walked: Walks, book: dict[tuple[str, str], Way]) -> None:
    for way in ways_of(pack):
        book[pack, way] = walked(pack, way)

    wrong = [fault for way in ways_of(pack) for fault in book[pack, way].faults()]
    assert not wrong, "\n".join(wrong)


@each_place
def test_r20_leaving_is_no_harder_than_joining(pack: str, book: dict[tuple[str, str], Way]) -> None:
    join = conf.JOIN_COUNTERS or fairness.PUBLISHED_JOIN
    walks = [way.as_dict() for (of, _way), way in book.items() if of == pack]
    if not walks:
        pytest.skip("nothing was walked in this run")
    told = fairness.card_of({"measured_on": "2026-01-01", "browser": "", "widths": stage.WIDTHS, "walks": walks})

    harder = {
        one.way: harder_than_joining(fairness.asymmetry(one, join))
        for one in told.walks
        if one.way not in fairness.BY_CHOICE
    }

    assert {way: names for way, names in harder.items() if names} == {}


@each_place
def test_the_card_that_ships_tells_what_is_walked_today(pack: str, book: dict[tuple[str, str], Way]) -> None:
    walks = {way.way: way for (of, _way), way in book.items() if of == pack}
    if not walks:
        pytest.skip("nothing was walked in this run")
    if WRITE:
        pytest.skip("the card is being written")
    shipped = {walk.way: walk for walk in fairness.card().walks if walk.pack == pack}

    told = {
        way: {
            width: {key: shipped[way].figures[width][key] for key in of_width}
            for width, of_width in walk.shape().items()
        }
        for way, walk in walks.items()
        if way in shipped
    }

    assert told == {way: walk.shape() for way, walk in walks.items()}, "make fairness writes the card anew"
