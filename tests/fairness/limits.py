"""What a way out may ask at most: from the pack where it says so, else from the targets that we set ourselves.

Pure: a pack's answers come in as a function of the parameter's name. Source: LAW sections B and D, R14, R20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Limits = dict[str, dict[str, float]]
Answer = Callable[[str], Any]

# On every way out, whatever the place.
NEVER = (
    "sign_ins", "channel_switches", "offers", "offers_repeated", "third_party_requests", "pre_made_choices",
    "pressing_words", "console_errors", "axe_violations", "drawn_weaker",
)  # fmt: skip
MOST_MANDATORY = 3
LEAST_PROMINENCE = 0.95
# The no is never the smaller button.
LEAST_PARITY = 1.0
MOST_OPTIONS = 3
# Where the law wants options elsewhere, or a permission first that nobody gave on this walk.
CLOSED_TO_OPTIONS = ("near_entry", "with_permission")
LEAST_CONTRAST = 4.5
MOST_BYTES = 40 * 1024
# A receipt is on the screen within the minute; what a script takes is far below, and nobody is measured by it.
MOST_RECEIPT_SECONDS = 60


def limits_of(way: str, answer: Answer, *, has_vector: bool = False) -> Limits:
    """Return the limits of a way out of a place: ``{"clicks": {"at_most": 2}, …}``."""
    steps = 3 if way == "withdraw" or (way == "cancel" and answer("flow_shape") == "recap") else 2
    limits: Limits = {
        "reached": {"at_least": 1},
        "clicks": {"at_most": steps},
        "pages": {"at_most": steps},
        "mandatory_fields": {"at_most": MOST_MANDATORY},
        "entry_legible": {"at_least": 1},
        "prominence": {"at_least": LEAST_PROMINENCE},
        "contrast": {"at_least": LEAST_CONTRAST},
        "tab_among_controls": {"at_most": 1},
        "receipt_contents": {"at_least": 1},
        "receipt_seconds": {"at_most": MOST_RECEIPT_SECONDS},
        "bytes_gzip": {"at_most": MOST_BYTES},
        **{key: {"at_most": 0} for key in NEVER},
    }
    if way == "cancel":
        limits["mandatory_fields"] = {"at_most": min(MOST_MANDATORY, len(answer("mandatory_fields")))}
        # The list of what a closed page may hold counts the type of cancellation, and has no other link or button.
        is_closed = not answer("page_may_show_terms_or_computed_date")
        if is_closed:
            limits["choices"] = {"at_most": 0}
        if (most := answer("max_fields")) is not None:
            # Elsewhere it stands beside the fields, where a ground may be given.
            limits["field_groups"] = {"at_most": most + (not is_closed and "reason" in answer("optional_fields"))}
    if way in ("guided", "options"):
        limits["mandatory_fields"] = {"at_most": 0}
    if way == "options":
        limits |= _of_options(answer)
    if has_vector:
        limits["as_published"] = {"at_least": 1}
    return limits


def _of_options(answer: Answer) -> Limits:
    """Return the limits of the guided way for somebody who tells a reason and says no to what answers it."""
    steps, rules = answer("guided_steps"), answer("offer_rules")
    may_stand = "options" in steps and rules["condition"] not in CLOSED_TO_OPTIONS
    most = min(rules["guided_max"], MOST_OPTIONS) if may_stand else 0
    return {
        # A click a page, and one for the reason that is ticked.
        "pages": {"at_most": len(steps)},
        "clicks": {"at_most": len(steps) + 1},
        # Where they may stand, some are there to say no to: no place is fair because nothing was looked at.
        "offers": {"at_least": min(1, most), "at_most": most},
        "offers_after_no": {"at_most": 0},
        "parity": {"at_least": LEAST_PARITY},
    }


def broken(figures: Mapping[str, Any], limits: Limits) -> list[str]:
    """Return the names of what breaks its limit. A figure that is missing breaks none: there was nothing to compare."""
    return [
        key
        for key, limit in limits.items()
        if (figure := figures.get(key)) is not None
        and not limit.get("at_least", float("-inf")) <= figure <= limit.get("at_most", float("inf"))
    ]


def harder_than_joining(ratios: Mapping[str, float]) -> list[str]:
    """Return what is harder on the way out than on the way in. Seconds of a script are told, never judged."""
    return [name for name, ratio in ratios.items() if ratio > 1 and name != "seconds"]
