"""Limits come from the pack where it says so; whatever breaks one is named."""

from __future__ import annotations

from typing import Any

import pytest

from reports.fairness import Walked, asymmetry
from tests.fairness.limits import broken, harder_than_joining, limits_of

PACK: dict[str, Any] = {
    "flow_shape": "one_page",
    "mandatory_fields": ["name", "reference", "email"],
    "max_fields": 4,
    "optional_fields": ["wished_on"],
    "page_may_show_terms_or_computed_date": True,
}


def limits(way: str = "cancel", **changes: Any) -> dict[str, dict[str, float]]:
    return limits_of(way, (PACK | changes).__getitem__)


@pytest.mark.parametrize(
    ("way", "shape", "steps"),
    [
        ("cancel", "one_page", 2),
        ("cancel", "recap", 3),
        ("withdraw", "one_page", 3),
        ("guided", "one_page", 2),
        ("guided", "recap", 2),
    ],
)
def test_clicks_and_pages_follow_the_shape_of_the_flow(way, shape, steps):
    of_way = limits(way, flow_shape=shape)

    assert (of_way["clicks"], of_way["pages"]) == ({"at_most": steps}, {"at_most": steps})


def test_fields_follow_the_pack_and_are_never_more_than_three():
    assert limits()["mandatory_fields"] == {"at_most": 3}
    assert limits(mandatory_fields=["email"])["mandatory_fields"] == {"at_most": 1}
    assert limits(mandatory_fields=["name", "reference", "email", "phone"])["mandatory_fields"] == {"at_most": 3}
    assert limits()["field_groups"] == {"at_most": 4}
    assert "field_groups" not in limits(max_fields=None)


def test_the_type_of_cancellation_is_one_more_where_a_ground_may_be_given_and_the_list_is_open():
    asked = {"optional_fields": ["wished_on", "reason"]}

    assert limits(**asked)["field_groups"] == {"at_most": 5}
    assert limits(**asked, page_may_show_terms_or_computed_date=False)["field_groups"] == {"at_most": 4}


def test_a_closed_page_has_nothing_else_to_press():
    assert limits(page_may_show_terms_or_computed_date=False)["choices"] == {"at_most": 0}
    assert "choices" not in limits()


ALL_STEPS = ["overview", "reasons", "options", "confirm", "done"]


@pytest.mark.parametrize(
    ("steps", "rules", "offers", "pages"),
    [
        pytest.param(ALL_STEPS, {"guided_max": 1, "condition": "none"}, (1, 1), 5, id="one"),
        pytest.param(ALL_STEPS, {"guided_max": 9, "condition": "beside_cancel"}, (1, 3), 5, id="never-more-than-three"),
        pytest.param(ALL_STEPS, {"guided_max": 3, "condition": "with_permission"}, (0, 0), 5, id="without-permission"),
        pytest.param(["overview", "done"], {"guided_max": 3, "condition": "none"}, (0, 0), 2, id="no-such-step"),
        pytest.param(ALL_STEPS, {"guided_max": 3, "condition": "near_entry"}, (0, 0), 5, id="elsewhere"),
    ],
)
def test_options_follow_the_pack_and_are_none_after_a_no(steps, rules, offers, pages):
    of_way = limits("options", guided_steps=steps, offer_rules=rules)

    assert of_way["offers"] == {"at_least": offers[0], "at_most": offers[1]}
    assert (of_way["pages"], of_way["clicks"]) == ({"at_most": pages}, {"at_most": pages + 1})
    assert (of_way["offers_after_no"], of_way["parity"]) == ({"at_most": 0}, {"at_least": 1.0})
    assert of_way["pre_made_choices"] == {"at_most": 0}


def test_a_walk_that_met_no_option_where_some_may_stand_proves_nothing():
    of_way = limits("options", guided_steps=ALL_STEPS, offer_rules={"guided_max": 3, "condition": "none"})

    assert broken({"offers": 0}, of_way) == ["offers"]
    assert broken({"offers": 2, "offers_after_no": 0, "parity": 1.0}, of_way) == []
    assert broken({"offers": 4, "offers_after_no": 1, "parity": 0.99}, of_way) == [
        "offers",
        "offers_after_no",
        "parity",
    ]


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({}, []),
        ({"clicks": 2, "prominence": 0.95, "drawn_weaker": False, "receipt_contents": 1}, []),
        ({"clicks": 3}, ["clicks"]),
        ({"prominence": 0.94}, ["prominence"]),
        ({"prominence": None}, []),
        (
            {"drawn_weaker": True, "receipt_contents": 0.83, "reached": False},
            ["reached", "receipt_contents", "drawn_weaker"],
        ),
    ],
)
def test_what_breaks_a_limit_is_named(figures, found):
    assert broken(figures, limits()) == found


def test_seconds_of_a_script_are_never_limited():
    assert "seconds" not in limits()
    assert harder_than_joining({"clicks": 1.0, "pages": 1.01, "seconds": 9.0}) == ["pages"]


def test_leaving_is_divided_by_joining_for_what_was_counted_on_both():
    figures = {
        "390": {"clicks": 2, "pages": 2, "mandatory_fields": 3},
        "1280": {"clicks": 3, "pages": 2, "mandatory_fields": 3},
    }
    walked = Walked("de", "cancel", "de-DE", figures, {}, [])

    assert asymmetry(walked, {"clicks": 4, "fields": 5}) == {"clicks": 0.75, "fields": 0.6}
    assert asymmetry(walked, {"seconds": 30}) == {}
    assert asymmetry(walked, {}) == {}
