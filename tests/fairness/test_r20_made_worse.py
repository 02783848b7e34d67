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


def at_step(step: str, code: str) -> Callable[[Page], None]:
    """Return what changes one step of the guided way, however it came: as a page, or as a part swapped in."""
    spoil = f"""(() => {{
      const change = () => {{
        const main = document.querySelector("main[data-step={step}]:not([data-spoilt])");
        if (!main) return;
        main.dataset.spoilt = "";
        {code}
      }};
      document.addEventListener("DOMContentLoaded", change);
      document.addEventListener("htmx:load", change);
    }})()"""
    return lambda page: page.add_init_script(spoil)


OPTION = "<p data-offer='late'>Stay a little</p>"
EACH_YES = "main.querySelectorAll('[data-action=accept]').forEach((yes) => "
NO = "main.querySelector('[data-action=decline]')"
FILL = "style, {background: '#2f5d50', color: '#fff'})"


def again_with_the_reasons(page: Page) -> None:
    """Make an option again where somebody who said no looks at the reasons once more."""
    at_step("confirm", "sessionStorage.setItem('said', 'no');")(page)
    again = f"main.insertAdjacentHTML('beforeend', `{OPTION}`);"
    at_step("reasons", f"if (sessionStorage.getItem('said')) {again}")(page)


# What is done to somebody who reads on: the limit that names it.
TRICKS_WITH_OPTIONS: dict[str, tuple[Callable[[Page], None], str]] = {
    "again-after-the-no": (at_step("confirm", f"main.insertAdjacentHTML('beforeend', `{OPTION}`);"), "offers_after_no"),
    "again-with-the-reasons": (again_with_the_reasons, "offers_after_no"),
    "more-than-allowed": (at_step("options", f"main.insertAdjacentHTML('beforeend', `{OPTION}`);"), "offers"),
    "a-larger-yes": (at_step("options", f"{EACH_YES} Object.assign(yes.style, {{blockSize: '90px'}}));"), "parity"),
    "a-stronger-yes": (at_step("options", f"{EACH_YES} Object.assign(yes.{FILL});"), "drawn_weaker"),
    "a-paler-no": (at_step("options", f"{NO}.style.cssText = 'color: #999; border-color: #bbb';"), "parity"),
    "a-smaller-no": (at_step("options", f"Object.assign({NO}.style, {TINY});"), "parity"),
    "a-no-in-bare-words": (at_step("options", f"{NO}.className = 'plain';"), "parity"),
    "a-reason-ticked": (at_step("reasons", "main.querySelector('[name=reasons]').checked = true;"), "pre_made_choices"),
    "words-that-press": (
        at_step("options", "main.insertAdjacentHTML('beforeend', '<p>We are sorry to see you go.</p>');"),
        "pressing_words",
    ),
    "no-way-to-say-no": (
        at_step("options", "main.querySelectorAll('form').forEach((one) => one.remove());"),
        "reached",
    ),
}

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

    found = walked("default", "cancel", widths=(390,), worse=worse, with_axe=expected == "axe_violations")

    assert expected in found.broken, found.faults()


@pytest.mark.parametrize(
    "trick", ["a-page-between", "pale", "a-filled-rival", "keeping-first", "a-field-more", "no-way-on"]
)
def test_r20_the_guided_way_made_worse_is_caught(trick: str, walked: Walks) -> None:
    worse, expected = TRICKS[trick]

    found = walked("default", "guided", widths=(390,), worse=worse, with_axe=False)

    assert expected in found.broken, found.faults()


@pytest.mark.parametrize("trick", TRICKS_WITH_OPTIONS)
def test_r20_the_longer_way_made_worse_is_caught(trick: str, walked: Walks) -> None:
    worse, expected = TRICKS_WITH_OPTIONS[trick]

    found = walked("default", "options", widths=(390,), worse=worse, with_axe=False)

    assert expected in found.broken, found.faults()


@pytest.mark.parametrize(("pack", "step"), [("de", "overview"), ("us-mn", "reasons"), ("us-mn", "confirm")])
def test_r20_an_option_where_none_may_stand_is_caught(pack: str, step: str, walked: Walks) -> None:
    worse = at_step(step, f"main.insertAdjacentHTML('beforeend', `{OPTION}`);")

    found = walked(pack, "options", widths=(390,), worse=worse, with_axe=False)

    assert "offers" in found.broken, found.faults()


@pytest.mark.parametrize("style", ["color = '#bbb'", "fontSize = '9px'"], ids=["pale", "small"])
def test_r20_an_entry_that_hides_is_caught(style: str, walked: Walks) -> None:
    code = f"document.querySelectorAll('[data-entry]').forEach((entry) => {{ entry.style.{style}; }});"
    hide = f"document.addEventListener('DOMContentLoaded', () => {{ {code} }})"

    found = walked("default", "cancel", widths=(390,), worse=lambda page: page.add_init_script(hide), with_axe=False)

    assert "entry_legible" in found.broken, found.faults()


def test_r20_a_recap_page_made_worse_is_caught(walked: Walks) -> None:
    worse, expected = TRICKS["keeping-first"]

    found = walked("fr", "cancel", widths=(390,), worse=worse, with_axe=False)

    assert expected in found.broken, found.faults()


def test_r20_a_page_left_alone_is_not_caught(walked: Walks) -> None:
    found = walked("default", "cancel", widths=(390,), worse=lambda page: page.add_init_script("0"))

    assert found.faults() == []
