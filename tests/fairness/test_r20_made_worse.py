"""A page made worse is caught by the same counting: each trick of the trade breaks the limit that names it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from tests.fairness.conftest import Walks

pytestmark = pytest.mark.browser

# Each runs before a page's own code, on every page; it acts once the page stands.
WHEN_IT_STANDS = (
    "document.addEventListener('DOMContentLoaded', () => {{ const main = document.querySelector('main'); {} }})"
)
ACT = "main.querySelector('[data-action=confirm], [data-action=cancel-now]')"


def spoilt(code: str) -> Callable[[Page], None]:
    """Return what changes every page that a walk opens."""
    return lambda page: page.add_init_script(WHEN_IT_STANDS.format(code))


def added(html: str, *, where: str = "beforeend", to: str = f"{ACT}?.parentElement") -> str:
    """Return code that puts something beside the act."""
    return f"{to}?.insertAdjacentHTML('{where}', `{html}`);"


def with_a_page_between(page: Page) -> None:
    """Put a page in the way that asks once more, as other shops do."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method == "GET" and not asked:
            asked.append(route.request.url)
            again = f"<a class='button' href='{route.request.url}' data-action='continue'>Go on</a>"
            route.fulfill(
                content_type="text/html",
                body=f"<!doctype html><html lang='en'><title>One moment</title><main data-step='sure'>{again}</main></html>",
            )
        else:
            route.continue_()

    page.route("**/cancel/**", answer)


STYLE = "const act = {}; if (act) {{ {} }}".format
TRICKS = {
    "a-page-between": (with_a_page_between, {"clicks", "pages"}),
    "pale": (
        spoilt(STYLE(ACT, "act.style.color = '#ccc'; act.style.borderColor = '#ddd'")),
        {"contrast", "prominence"},
    ),
    "small": (
        spoilt(
            STYLE(ACT, "act.style.cssText = 'min-block-size:0;block-size:24px;inline-size:80px;justify-self:start'")
        ),
        {"prominence"},
    ),
    "bare-beside-a-button": (spoilt(STYLE(ACT, "act.className = 'plain'")), {"prominence", "drawn_weaker"}),
    "a-filled-rival": (
        spoilt(added("<button class='button' type='button' style='background:#2f5d50;color:#fff'>Stay</button>")),
        {"drawn_weaker"},
    ),
    "keeping-first": (spoilt(added("<a class='button' href='#'>Stay</a>", where="afterbegin")), {"tab_among_controls"}),
    "keeping-first-for-the-keyboard": (
        spoilt(added("<a class='button' tabindex='1' href='#'>Stay</a>")),
        {"tab_among_controls"},
    ),
    "an-offer": (spoilt(added("<p data-offer='half-price'>Half price</p>")), {"offers"}),
    "an-offer-without-a-mark": (spoilt(added("<p>Stay and get 50% off.</p>")), {"offers"}),
    "a-sign-in": (spoilt(added("<input type='password' name='pin' aria-label='PIN'>")), {"sign_ins"}),
    "a-box-ticked": (
        spoilt(added("<label><input type='checkbox' name='news' checked> News</label>")),
        {"pre_made_choices"},
    ),
    "a-picture-from-elsewhere": (
        spoilt(added("<img src='https://tracker.example/p.gif' alt=''>")),
        {"third_party_requests"},
    ),
    "words-that-press": (spoilt(added("<p>We are sorry to see you go.</p>")), {"pressing_words"}),
    "an-unnamed-field": (spoilt(added("<input name='more'>")), {"axe_violations"}),
    "no-way-on": (spoilt(STYLE(ACT, "act.remove()")), {"reached"}),
}


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("way", ["cancel", "guided"])
def test_r20_a_page_made_worse_is_caught(trick: str, way: str, walked: Walks) -> None:
    worse, expected = TRICKS[trick]

    found = walked("default", way, widths=(390,), worse=worse)

    assert expected <= set(found.broken), (found.broken, found.told)


@pytest.mark.parametrize("way", ["cancel", "guided"])
def test_r20_a_page_left_alone_is_not(way: str, walked: Walks) -> None:
    found = walked("default", way, widths=(390,), worse=lambda page: page.add_init_script("0"))

    assert (found.broken, found.told) == ([], [])


def test_r20_one_more_field_is_caught(walked: Walks) -> None:
    pin = spoilt(added("<label>Number <input name='number' required></label>", to="main.querySelector('form')"))

    found = walked("default", "cancel", widths=(390,), worse=pin)

    assert {"mandatory_fields"} <= set(found.broken)
