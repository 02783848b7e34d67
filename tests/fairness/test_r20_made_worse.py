"""A page made worse is caught by the same counting: each trick of the trade breaks the limit that names it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from tests.fairness.conftest import Walks

pytestmark = pytest.mark.browser

# Runs before a page's own code, on every page of a walk, and acts once the page stands. Styles are set from code, for
# the policy of the pages forbids them in markup.
WHEN_IT_STANDS = """document.addEventListener("DOMContentLoaded", () => {{
  const main = document.querySelector("main");
  const act = main.querySelector("[data-action=confirm], [data-action=cancel-now]");
  if (act) {{ {} }}
}})"""
FILLED = "Object.assign(act.parentElement.lastElementChild.style, {background: '#2f5d50', color: '#fff'});"
TICKED = "<input type='checkbox' name='news' checked>"
PICTURE = "<img src='https://tracker.example/p.gif' alt=''>"
TINY = "{minBlockSize: 0, blockSize: '24px', inlineSize: '80px', alignSelf: 'start', padding: 0}"


def spoilt(code: str) -> Callable[[Page], None]:
    """Return what changes every page that somebody leaves by."""
    return lambda page: page.add_init_script(WHEN_IT_STANDS.format(code))


def added(html: str, where: str = "beforeend") -> str:
    """Return code that puts something beside the act."""
    return f"act.parentElement.insertAdjacentHTML('{where}', `{html}`);"


def with_a_page_between(page: Page) -> None:
    """Put a page in the way that asks once more."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method != "GET" or asked:
            route.continue_()
            return
        asked.append(route.request.url)
        again = f"<a class='button' href='{route.request.url}' data-action='continue'>Go on</a>"
        body = f"<!doctype html><html lang='en'><title>Wait</title><main data-step='sure'>{again}</main></html>"
        route.fulfill(content_type="text/html", body=body)

    page.route("**/cancel/**", answer)


TRICKS: dict[str, tuple[Callable[[Page], None], str]] = {
    "a-page-between": (with_a_page_between, "pages"),
    "pale": (spoilt("act.style.color = '#ccc'; act.style.borderColor = '#ddd';"), "contrast"),
    "small": (spoilt(f"Object.assign(act.style, {TINY});"), "prominence"),
    "bare-words": (spoilt("act.className = 'plain';"), "prominence"),
    "a-filled-rival": (spoilt(added("<button class='button' type='button'>Stay</button>") + FILLED), "drawn_weaker"),
    "keeping-first": (spoilt(added("<a class='button' href='#'>Stay</a>", "afterbegin")), "tab_among_controls"),
    "keeping-first-by-key": (spoilt(added("<a class='button' tabindex='1' href='#'>Stay</a>")), "tab_among_controls"),
    "an-offer": (spoilt(added("<p data-offer='half-price'>Half price</p>")), "offers"),
    "an-offer-without-a-mark": (spoilt(added("<p>Stay and get 50% off.</p>")), "offers"),
    "a-sign-in": (spoilt(added("<input type='password' name='pin' aria-label='PIN'>")), "sign_ins"),
    "a-box-ticked": (spoilt(added(f"<label>{TICKED} News</label>")), "pre_made_choices"),
    "a-field-more": (spoilt(added("<label>Number <input name='number' required></label>")), "mandatory_fields"),
    "a-picture-from-elsewhere": (spoilt(added(PICTURE)), "third_party_requests"),
    "words-that-press": (spoilt(added("<p>We are sorry to see you go.</p>")), "pressing_words"),
    "a-field-without-a-name": (spoilt(added("<input name='more'>")), "axe_violations"),
    "no-way-on": (spoilt("main.querySelectorAll('[data-action]').forEach((one) => one.remove());"), "reached"),
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_r20_a_public_page_made_worse_is_caught(trick: str, walked: Walks) -> None:
    worse, expected = TRICKS[trick]

    found = walked("default", "cancel", widths=(390,), worse=worse)

    assert expected in found.broken, found.faults()


@pytest.mark.parametrize(
    "trick", ["a-page-between", "pale", "a-filled-rival", "keeping-first", "a-field-more", "no-way-on"]
)
def test_r20_the_guided_way_made_worse_is_caught(trick: str, walked: Walks) -> None:
    worse, expected = TRICKS[trick]

    found = walked("default", "guided", widths=(390,), worse=worse)

    assert expected in found.broken, found.faults()


@pytest.mark.parametrize("style", ["color = '#bbb'", "fontSize = '9px'"], ids=["pale", "small"])
def test_r20_an_entry_that_hides_is_caught(style: str, walked: Walks) -> None:
    code = f"document.querySelectorAll('[data-entry]').forEach((entry) => {{ entry.style.{style}; }});"
    hide = f"document.addEventListener('DOMContentLoaded', () => {{ {code} }})"

    found = walked("default", "cancel", widths=(390,), worse=lambda page: page.add_init_script(hide))

    assert "entry_legible" in found.broken, found.faults()


def test_r20_a_recap_page_made_worse_is_caught(walked: Walks) -> None:
    worse, expected = TRICKS["keeping-first"]

    found = walked("fr", "cancel", widths=(390,), worse=worse)

    assert expected in found.broken, found.faults()


def test_r20_a_page_left_alone_is_not_caught(walked: Walks) -> None:
    found = walked("default", "cancel", widths=(390,), worse=lambda page: page.add_init_script("0"))

    assert found.faults() == []
