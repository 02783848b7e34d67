"""What axe finds on a page that is open in Chromium. Never with JavaScript off: it would wait for ever.

Four fifths of its time go into the contrast of every text. A style sheet knows no language: whoever looks at the same
pages in five languages, in the same scheme and size, looks at their colours in one of them.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults

# A part that was swapped in stands in a page that has the script already.
RUN = "(options) => axe.run(options).then(({ violations }) => ({ violations }))"


def barriers(page: Any, *, with_colours: bool = True) -> AxeResults:
    """Return what axe finds on the open page."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if not with_colours:
        options["rules"] = {"color-contrast": {"enabled": False}}
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return AxeResults(page.evaluate(RUN, options))
