"""What the first page of the desk shows as waiting."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cancellation import care, desk
from cancellation.models import DoorFault
from config.admin import url_of
from subscriptions import places

register = template.Library()


@register.simple_tag(takes_context=True)
def desk_to_do(context: Context) -> list[dict[str, Any]]:
    """Return what waits for somebody: how much, its name and where it is listed; only what they may see."""
    user: User | AnonymousUser = context["request"].user
    lists = [
        ("waiting", _("notices whose holder is asked"), "cancellation.notice", "follows=waiting"),
        ("at_the_door", _("declarations without a contract"), "cancellation.declared", "state=waiting"),
        ("announcements", _("announcements to look at"), "cancellation.announcement", "follows=to-see"),
        ("to_judge", _("earlier ends to judge"), "cancellation.cancellation", "judgement__exact=open"),
        ("instructions", _("instructions for billing"), "billing.instruction", "outcome__exact=open"),
        ("tasks", _("tasks that customers wait for"), "cancellation.desktask", "state=open"),
        ("steps", _("steps of exit checklists"), "cancellation.checklistitem", "state=ours"),
        ("undeliverable", _("letters that cannot be sent"), "messaging.letter", "outcome=undeliverable"),
        ("given_up", _("promises given up"), "outbox.entry", "outcome=dead"),
    ]
    numbers = desk.to_do()
    return [
        {"number": numbers[name], "label": label, "url": _list(model) + "?" + query}
        for name, label, model, query in lists
        if _may_see(user, model)
    ]


@register.simple_tag(takes_context=True)
def door_alerts(context: Context) -> list[dict[str, Any]]:
    """Return the public doors that are at fault now; everybody at the desk is told, who may see more gets a link."""
    user: User | AnonymousUser = context["request"].user
    may_see = _may_see(user, "cancellation.doorfault")
    return [
        {
            "place": _place(fault),
            "since": timezone.localtime(fault.since),
            "faults": fault.faults,
            "url": url_of(fault) if may_see else "",
        }
        for fault in care.open_faults()
    ]


def _place(fault: DoorFault) -> str:
    pack = places.packs().get(fault.pack)
    return pack.name if pack else fault.pack


def _may_see(user: User | AnonymousUser, model: str) -> bool:
    app, name = model.split(".")
    return user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}")


def _list(model: str) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_changelist")
