"""The page of a bundle: a choice for each part, what that means for the contract, and the exit checklist."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cancellation import actions, bundles, parts_words, queries
from cancellation.bundles import Bundle
from cancellation.models import ChecklistItem
from cancellation.parts_plan import NOTICE, By, Choice, Key, Part, Step, offered
from cancellation.steps import Walk, urls_of
from cancellation.views import walked
from config.formats import format_day
from subscriptions.models import Contract
from subscriptions.terms import quote_for_day

# What a form may name: a part by its number, a step by that and its code.
LONGEST_NUMBER = 12


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says on top: that something was kept, or what was refused and why."""

    saved: bool = False
    refused: str = ""
    # Choices as they were sent, to stand in the form while nothing is kept.
    sent: dict[int, str] = field(default_factory=dict)
    # What the sent choices would mean, where they contradict each other.
    bundle: Bundle | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@walked
def parts(request: HttpRequest, at: Walk) -> HttpResponse:
    """Show the parts and the steps; keep choices, tick a step or take its tick back."""
    if not getattr(at.contract, "parts", None):
        return HttpResponseRedirect(urls_of(at.contract)["contract"])
    if request.method != "POST":
        return render(request, "cancellation/parts.html", _page(at.contract, Said(saved="saved" in request.GET)))
    if "tick" in request.POST or "untick" in request.POST:
        return _tick(request, at)
    return _choose(request, at)


def _choose(request: HttpRequest, at: Walk) -> HttpResponse:
    sent = {
        int(number): str(value)
        for name, value in request.POST.items()
        if (number := _after(name, "part-")).isdecimal() and number.isascii() and len(number) <= LONGEST_NUMBER
    }
    actor = actions.Actor.customer(at.customer_id)
    try:
        bundles.choose(contract=at.contract, choices=sent, actor=actor, at=timezone.now())
    except bundles.Over:
        return _refuse(request, at, Said(refused=_("The contract has ended, so its choices stay as they are.")), 409)
    except bundles.NotOffered as wrong:
        words = (
            _("%(name)s: choose one of the answers below. Nothing was saved.") % {"name": wrong.part.name}
            if wrong.part
            else _("One of these parts no longer belongs to the contract. Nothing was saved.")
        )
        return _refuse(request, at, Said(refused=words, sent=sent), 422)
    except bundles.Contradictory as wrong:
        words = _("These choices do not fit together. Nothing was saved yet.")
        return _refuse(request, at, Said(refused=words, sent=sent, bundle=wrong.bundle), 422)
    return HttpResponseRedirect(f"{urls_of(at.contract)['parts']}?saved=1")


def _tick(request: HttpRequest, at: Walk) -> HttpResponse:
    back = "untick" in request.POST
    key = key_of(request.POST["untick" if back else "tick"])
    now = timezone.now()
    write = bundles.untick if back else bundles.tick
    try:
        write(contract=at.contract, key=key, by=By.CUSTOMER, actor=actions.Actor.customer(at.customer_id), at=now)
    except (bundles.NoSuchStep, bundles.NotTheirs, bundles.NotYet, bundles.TooEarly, bundles.StillStands) as refused:
        return _refuse(request, at, Said(refused=why_refused(refused, names_of(at.contract))), 409)
    return HttpResponseRedirect(f"{urls_of(at.contract)['parts']}#steps")


def _refuse(request: HttpRequest, at: Walk, said: Said, status: int) -> HttpResponse:
    contract = queries.contract_of(at.customer_id, at.contract.reference, at.visit) or at.contract
    return render(request, "cancellation/parts.html", _page(contract, said), status=status)


def _after(text: str, start: str) -> str:
    return text[len(start) :] if text.startswith(start) else ""


def key_of(text: str) -> Key:
    """Return the step that a button names, such as ``12:unlock``; one that nothing has for what cannot be read."""
    number, _colon, code = text.partition(":")
    known = number.isdecimal() and number.isascii() and len(number) <= LONGEST_NUMBER
    return (int(number), code) if known else (None, "")


def names_of(contract: Contract) -> dict[int, str]:
    """Return the names of the parts of a contract."""
    return {int(part["pk"]): part["name"] for part in contract.parts}  # type: ignore[attr-defined]


def why_refused(refused: Exception, names: dict[int, str]) -> str:
    """Return in words why a step is not done, or not taken back, and what comes first."""
    match refused:
        case bundles.NotYet(first=first):
            return _("This comes first: %(step)s.") % {"step": parts_words.step(first, names)}
        case bundles.StillStands(later=later):
            return _("This was done since and is taken back first: %(step)s.") % {
                "step": parts_words.step(later, names)
            }
        case bundles.TooEarly(last_day=last_day):
            return _("Everything works until midnight of %(day)s; this is done afterwards.") % {
                "day": format_day(last_day)
            }
        case bundles.NotTheirs():
            return _("This step is done by somebody else.")
    return _("The list has changed meanwhile and no longer has this step.")


# ---------------------------------------------------------------- what the page shows


def _page(contract: Contract, said: Said) -> dict[str, Any]:
    now = timezone.now()
    bundle = bundles.bundle_of(contract, now)
    # Choices that contradict each other are shown with what they would mean; the steps stay those that stand.
    shown = said.bundle or bundle
    by_key = bundle.by_key
    has_choice = bool(bundle.choices) or bundle.standing.ending
    return {
        "contract": contract,
        "customer": contract.customer,
        "urls": urls_of(contract),
        "said": said,
        "standing": bundle.standing,
        "contradictions": [
            parts_words.contradiction(one, by_key, shown.plan.outcome) for one in shown.plan.contradictions
        ],
        "consequences": parts_words.consequences(bundle.plan, by_key, bundle.standing.ending) if has_choice else [],
        "must_end": bundle.plan.must_end and not bundle.standing.ending,
        "end_today": _end_today(contract) if bundle.plan.must_end and not bundle.standing.ending else None,
        # Who has chosen comes back for the steps; who is asked to choose anew sees the choices first.
        "is_chosen": bool(bundle.choices) and not said.sent,
        "parts": [_part(part, bundle, said) for part in bundle.parts],
        "steps": [_step(step, bundle, contract) for step in bundle.plan.steps],
        "earlier": _earlier(bundle, contract),
    }


def _end_today(contract: Contract) -> date | None:
    """Return the last day that a notice today would give."""
    agreed = contract.agreed
    return quote_for_day(agreed, queries.local_day(contract, timezone.now())).last_day


def _part(part: Part, bundle: Bundle, said: Said) -> dict[str, Any]:
    chosen = said.sent.get(part.key) or bundle.choices.get(part.key, "")
    return {
        "field": f"part-{part.key}",
        "name": part.name,
        "kind": parts_words.kind(part.kind),
        "outcome": parts_words.choice(bundle.plan.outcome[part.key]),
        "options": [
            {
                "code": str(choice),
                "label": parts_words.choice(choice),
                "meaning": parts_words.meaning(part, choice),
                "ends_contract": part.ends_contract and choice is not Choice.KEEP and not bundle.standing.ending,
                "checked": choice == chosen,
            }
            for choice in offered(part, ending=bundle.standing.ending)
        ],
    }


def _step(step: Step, bundle: Bundle, contract: Contract) -> dict[str, Any]:
    names = bundle.names
    item = bundle.items.get(step.key)
    is_done = step.key in bundle.done
    first = None if is_done else bundle.first_before(step)
    until = None if is_done else bundle.waits_until(step)
    own = step.by is By.CUSTOMER and step.part is not None
    return {
        **_done(item, contract),
        "key": f"{step.part}:{step.code}",
        "words": parts_words.step(step, names),
        "is_notice": step.code == NOTICE,
        "is_done": is_done,
        "by_customer": step.by is By.CUSTOMER,
        "first": parts_words.step(first, names) if first else "",
        "until": until,
        "can_tick": own and not is_done and not first and not until,
        "can_untick": own and is_done and not bundle.plan.done_after(step.key, bundle.done),
    }


def _done(item: ChecklistItem | None, contract: Contract) -> dict[str, Any]:
    """Return when and by whom a step was done, and what was handed over with it."""
    if item is None or not item.done_at:
        return {"done_on": None, "note": ""}
    by_holder = item.done_by.startswith("customer:")
    # Noted by staff on the customer's word: the page says so, for the customer did not press the button.
    return {
        "done_on": queries.local_day(contract, item.done_at),
        "note": item.note,
        "as_told": not item.by_staff and not by_holder,
    }


def _earlier(bundle: Bundle, contract: Contract) -> list[dict[str, Any]]:
    """Return what was done and is part of no choice any more."""
    parts, names, planned = bundle.by_key, bundle.names, {step.key for step in bundle.plan.steps}
    needed = {key: names.get(part.depends_on or 0, "") for key, part in parts.items()}
    return [
        _done(item, contract)
        | {
            "words": parts_words.doing(
                item.code, names.get(item.component_id or 0, ""), needed.get(item.component_id or 0, "")
            )
        }
        for key, item in bundle.items.items()
        if item.done_at and key not in planned
    ]
