"""The words for parts, choices and steps. A kind or a step that joins ``parts_plan.KINDS`` gets its words here.

Steps name nobody, for customers and staff read the same; who does a step stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cancellation.parts_plan import OTHER, Choice, Contradiction, Fall, Part, Plan, Step, kind_of

KINDS: dict[str, Any] = {
    "domain": gettext_lazy("Domain"),
    "server": gettext_lazy("Server"),
    "mailbox": gettext_lazy("Mailbox"),
    "number": gettext_lazy("Telephone number"),
    # In events only: elsewhere a part of no known kind is called as it was entered.
    "other": gettext_lazy("Other part"),
}
CHOICES: dict[str, Any] = {
    Choice.TAKE: gettext_lazy("Take it along"),
    Choice.KEEP: gettext_lazy("Keep it here"),
    Choice.LET_GO: gettext_lazy("Let it go"),
}
# What a choice means for a part of a kind; a kind without its own words has those of None.
MEANINGS: dict[tuple[str | None, str], Any] = {
    (None, Choice.TAKE): gettext_lazy("You move it to another place."),
    (None, Choice.KEEP): gettext_lazy("It stays as it is."),
    (None, Choice.LET_GO): gettext_lazy("It ends."),
    ("domain", Choice.TAKE): gettext_lazy("It moves to another provider and stays yours."),
    ("domain", Choice.LET_GO): gettext_lazy("It is given up, and somebody else may get it."),
    ("server", Choice.LET_GO): gettext_lazy("It is switched off, once you have saved what is on it."),
    ("mailbox", Choice.TAKE): gettext_lazy("You move your mail to a mailbox at another provider."),
    ("mailbox", Choice.LET_GO): gettext_lazy("It is closed, once you have saved what is in it."),
    ("number", Choice.TAKE): gettext_lazy("It moves to another provider and stays yours."),
    ("number", Choice.LET_GO): gettext_lazy("It is given up, and somebody else may get it."),
}
STEPS: dict[str, Any] = {
    "notice": gettext_lazy("Give notice"),
    "unlock": gettext_lazy("Unlock %(name)s for the transfer"),
    "auth_code": gettext_lazy("Hand over the auth code of %(name)s"),
    "start_transfer": gettext_lazy("Start the transfer of %(name)s at the new provider, with the auth code"),
    "confirm_transfer": gettext_lazy("Confirm the transfer of %(name)s when you are asked for it"),
    "point_back": gettext_lazy("Let %(other)s point to %(name)s at the new provider, so that it goes on working"),
    "replace_domain": gettext_lazy("Replace %(name)s wherever you use it, such as in e-mail addresses and sign-ins"),
    "release_domain": gettext_lazy("Give up %(name)s"),
    "save_data": gettext_lazy("Save what you need from %(name)s"),
    "end_hosting": gettext_lazy("End the hosting: switch off %(name)s"),
    "copy_mail": gettext_lazy("Copy your mail from %(name)s to the new mailbox"),
    "end_mailbox": gettext_lazy("Close %(name)s"),
    "release_number": gettext_lazy("Release %(name)s for porting, with the code where the new provider needs one"),
    "start_porting": gettext_lazy("Order the porting of %(name)s at the new provider"),
    "confirm_porting": gettext_lazy("Check that calls to %(name)s arrive at the new provider"),
    "replace_number": gettext_lazy("Tell those who call %(name)s your new number"),
    "give_up_number": gettext_lazy("Give up %(name)s"),
    "move_out": gettext_lazy("Move what you use %(name)s for to another place"),
    "end_part": gettext_lazy("End %(name)s"),
}


def kind(name: str) -> str:
    """Return the label of a kind; one that nobody knows is shown as it was entered."""
    known = kind_of(name)
    return name if known is OTHER else str(KINDS.get(known.code, name))


def told(kind_code: str, code: str) -> str:
    """Return a choice for a part, or a step, as an event keeps it: by its kind, without its name."""
    label = str(KINDS[kind_code])
    return f"{label}: {CHOICES[code]}" if code in CHOICES else doing(code, label, label)


def choice(code: str) -> str:
    """Return the label of a choice, nothing for none."""
    return str(CHOICES.get(code, code))


def meaning(part: Part, code: Choice) -> str:
    """Return what a choice means for a part."""
    return str(MEANINGS.get((kind_of(part.kind).code, code)) or MEANINGS[None, code])


def step(what: Step, names: Mapping[int, str]) -> str:
    """Return a step in words. ``names`` are the names of the parts."""
    return doing(what.code, names.get(what.part or 0, ""), names.get(what.other or 0, ""))


def doing(code: str, name: str, other: str = "") -> str:
    """Return a step by its code; one whose words are missing shows its code and the part."""
    words = STEPS.get(code)
    return str(words) % {"name": name, "other": other} if words else f"{code}: {name}"


def consequences(told: Plan, parts: Mapping[int, Part], ending: bool) -> list[str]:
    """Return what a set of choices means for the contract and for the parts that nobody ended, as sentences."""
    if ending:
        said = [_("The contract is ending. What you do not take along ends with it.")]
    elif told.enders:
        said = [_ends_contract(told, parts[key], len(parts)) for key in told.enders]
    elif told.must_end:
        said = [_("None of the parts stays, so the contract has to end.")]
    else:
        said = [_goes_on(told, parts[key]) for key, fate in told.outcome.items() if fate is not Choice.KEEP]
        if said:
            said.append(_("The contract goes on with what stays, at the price that was agreed."))
    # In a contract that is ending, it was said already what becomes of the rest.
    return said + [_falls(fall, parts) for fall in told.falls if not (ending and fall.because_of is None)]


def _ends_contract(told: Plan, part: Part, count: int) -> str:
    takes = told.outcome[part.key] is Choice.TAKE
    if count == 1:
        words = _("Taking %(name)s along ends the contract.") if takes else _("Letting %(name)s go ends the contract.")
    elif count == 2:
        words = (
            _("Taking %(name)s along ends the contract, for the two are one contract.")
            if takes
            else _("Letting %(name)s go ends the contract, for the two are one contract.")
        )
    else:
        words = (
            _("Taking %(name)s along ends the contract, for all its parts are one contract.")
            if takes
            else _("Letting %(name)s go ends the contract, for all its parts are one contract.")
        )
    return words % {"name": part.name}


def _goes_on(told: Plan, part: Part) -> str:
    takes = told.outcome[part.key] is Choice.TAKE
    words = (
        _("Taking %(name)s along does not end the contract.")
        if takes
        else _("Ending %(name)s does not end the contract.")
    )
    return words % {"name": part.name}


def _falls(fall: Fall, parts: Mapping[int, Part]) -> str:
    if fall.because_of is None:
        return _("%(name)s ends with the contract.") % {"name": parts[fall.part].name}
    return _("%(name)s ends with %(other)s, without which it does not work.") % {
        "name": parts[fall.part].name,
        "other": parts[fall.because_of].name,
    }


def contradiction(one: Contradiction, parts: Mapping[int, Part], outcome: Mapping[int, Choice]) -> str:
    """Return what contradicts what, and the ways out of it."""
    if outcome[one.without] is Choice.TAKE:
        words = _(
            "%(name)s does not work without %(other)s, which you take along. "
            "Keep %(other)s here, take %(name)s along as well, or let %(name)s go."
        )
    elif Choice.TAKE in kind_of(parts[one.without].kind).choices:
        words = _(
            "%(name)s does not work without %(other)s, which ends. "
            "Keep %(other)s or take it along, or let %(name)s go as well."
        )
    else:
        words = _("%(name)s does not work without %(other)s, which ends. Keep %(other)s, or let %(name)s go as well.")
    return words % {"name": parts[one.part].name, "other": parts[one.without].name}
