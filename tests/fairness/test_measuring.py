"""What is counted on a page, on pages made by hand whose figures are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.fairness.walker import look

pytestmark = pytest.mark.browser
SHEET = """<style>body { background: #fff; color: #000; margin: 0; font: 16px sans-serif }
.button { display: inline-block; width: 200px; height: 50px; background: #fff; border: 2px solid #225; color: #225 }
.filled { background: #225; color: #fff } .pale { color: #aaa; border-color: #bbb }</style>"""
LEAVE, KEEP = "<button class='button' data-action='confirm'>End</button>", "<button class='button'>Keep</button>"


@pytest.fixture(scope="module")
def bare(browser: Browser) -> Iterator[Page]:
    """Return a page that tests write on; one for all of them."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


@pytest.fixture
def count(bare: Page) -> Any:
    """Return what is counted on a main part made by hand."""

    def on(main: str, *, lang: str = "en", before: str = "", after: str = "") -> Any:
        bare.set_content(
            f"<!doctype html><html lang='{lang}'><title>T</title>{SHEET}{before}"
            f"<main data-step='form'>{main}</main>{after}</html>"
        )
        return look(bare, "main [data-action=confirm]")

    return on


def test_two_buttons_alike_are_equal(count):
    seen = count(LEAVE + KEEP)

    assert (round(seen.prominence, 2), seen.is_drawn_weaker) == (1.0, False)


def test_without_a_rival_there_is_nothing_to_compare(count):
    assert count(LEAVE).prominence is None


@pytest.mark.parametrize(
    "keep",
    [
        pytest.param("<button class='button' style='width: 300px'>Keep</button>", id="larger"),
        pytest.param("<button class='button filled' style='width: 260px'>Keep</button>", id="larger-and-filled"),
        pytest.param("<a href='#' class='button' style='height: 90px'>Keep</a>", id="a-higher-link"),
    ],
)  # fmt: skip
def test_a_larger_rival_lowers_the_ratio(count, keep):
    assert count(LEAVE + keep).prominence < 0.95


def test_a_paler_button_is_less_prominent(count):
    seen = count("<button class='button pale' data-action='confirm'>End</button>" + KEEP)

    assert seen.prominence < 0.3
    assert seen.figures["leaving"]["text_contrast"] < 4.5


def test_a_see_through_button_is_as_pale_as_it_looks(count):
    seen = count(f"<div style='opacity: .2'>{LEAVE}</div>{KEEP}")

    assert seen.prominence < 0.5
    assert seen.figures["leaving"]["text_contrast"] < 4.5


def test_a_filled_rival_is_drawn_stronger_than_an_outline(count):
    seen = count(LEAVE + "<button class='button filled'>Keep</button>")

    assert seen.is_drawn_weaker


def test_bare_words_are_as_large_as_the_words(count):
    wide = count("<a href='#' data-action='confirm' style='display: block; padding: 40px'>End</a>" + KEEP)

    assert wide.prominence < 0.1
    assert wide.is_drawn_weaker


@pytest.mark.parametrize(
    "colour", ["#225", "rgb(34 34 85)", "color(srgb 0.1333 0.1333 0.3333)", "oklch(0.276 0.083 282)"]
)
def test_a_colour_counts_in_whatever_syntax(count, colour):
    seen = count(
        f"<button class='button filled' style='background: {colour}' data-action='confirm'>End</button>" + KEEP
    )

    assert seen.figures["leaving"]["text_contrast"] == pytest.approx(14.6, abs=0.5)


def test_a_field_counts_once_and_a_group_of_choices_too(count):
    seen = count(
        "<input name='name' required><input name='email' type='email' aria-required='true'>"
        "<label><input type='radio' name='kind' value='a'>A</label>"
        "<label><input type='radio' name='kind' value='b'>B</label>"
        "<textarea name='reason'></textarea><input type='hidden' name='token' value='1' required>"
        "<details><summary>More</summary><input name='phone'></details><div hidden><input name='unseen'></div>" + LEAVE
    )

    assert [(one["name"], one["mandatory"]) for one in seen.figures["fields"]] == [
        ("name", True), ("email", True), ("kind", False), ("reason", False), ("phone", False),
    ]  # fmt: skip


def test_what_stands_together_is_one_group(count):
    seen = count(
        "<fieldset><input type='radio' name='kind'><fieldset><textarea name='reason'></textarea></fieldset></fieldset>"
        "<input name='name'>" + LEAVE
    )

    assert [one["group"] for one in seen.figures["fields"]] == ["set 0", "set 0", "name"]


def test_a_choice_that_was_made_for_somebody_is_noticed(count):
    seen = count(
        "<input type='checkbox' name='news' checked><select name='plan'><option value=''>-</option>"
        "<option value='s' selected>S</option></select><input type='radio' name='kind'>" + LEAVE
    )

    assert {one["name"]: one["pre_made"] for one in seen.figures["fields"]} == {
        "news": True,
        "plan": True,
        "kind": False,
    }


def test_the_keyboard_reaches_fields_first_and_then_the_act(count):
    seen = count("<input name='name'><input type='radio' name='k'><input type='radio' name='k'>" + LEAVE + KEEP)

    assert (seen.figures["tab_position"], seen.figures["tab_among_controls"]) == (3, 1)


def test_an_order_of_its_own_moves_the_act_back(count):
    seen = count(LEAVE + "<a href='#' tabindex='1'>Keep</a>")

    assert seen.figures["tab_among_controls"] == 2


def test_other_ways_to_press_are_choices(count):
    assert count(LEAVE + KEEP + "<a href='/x'>Help</a><button hidden>No</button>").figures["choices"] == 2


@pytest.mark.parametrize(
    ("lang", "words", "n"),
    [("en", "End it now, in 2 clicks.", 6), ("ja", "契約を解約する", 4), ("pl", "Wypowiedz umowę tutaj", 3)],
)
def test_words_are_counted_as_the_language_divides_them(count, lang, words, n):
    assert count(f"<p>{words}</p>", lang=lang).figures["words"] == n


@pytest.mark.parametrize("field", ["<input type='password' name='p'>", "<input autocomplete='one-time-code' name='c'>"])
def test_being_asked_who_one_is_counts_as_a_sign_in(count, field):
    assert count(field + LEAVE).figures["asks_to_sign_in"]


def test_offers_are_counted_where_they_can_be_seen(count):
    seen = count(LEAVE + "<div data-offer='pause'>Rest</div><div data-offer='late' hidden>Later</div>")

    assert seen.figures["offers"] == ["pause"]


YES = "<li data-offer='pause'><button class='button' data-action='accept'>Agree</button></li>"
WIDE_YES = YES.replace("'button'", "'button' style='width: 400px'")
NO = "<button class='button' data-action='decline'>None of these</button>"


def test_leaving_and_the_no_are_measured_beside_the_strongest_yes(count):
    assert count(LEAVE + YES + NO).parity == pytest.approx(1.0)
    assert count(LEAVE + YES + YES.replace("'button'", "'button' style='width: 400px'") + NO).parity == pytest.approx(
        0.5
    )
    assert count(LEAVE + YES + NO.replace("'button'", "'button' style='height: 40px'")).parity == pytest.approx(0.8)
    assert count(LEAVE.replace("'button'", "'button pale'") + YES + NO).parity < 0.3


def test_options_without_a_no_are_no_match_and_without_options_there_is_none(count):
    assert count(LEAVE + YES).parity == 0
    assert count(LEAVE + KEEP).parity is None


def test_counting_changes_nothing(count, bare):
    count("<input name='name'>" + LEAVE + KEEP)
    before = bare.content()

    look(bare, "main [data-action=confirm]", with_axe=False)

    assert bare.content() == before
