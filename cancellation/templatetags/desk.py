"""What the first page of the desk shows as waiting."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User
from django.template import Context
from django.urls import reverse
from django.utils.translation import gettext as _

from cancellation import desk

register = template.Library()


@register.simple_tag(takes_context=True)
def desk_to_do(context: Context) -> list[dict[str, Any]]:
    """Return what waits for somebody: how much, its name and where it is listed; only what they may see."""
    user: User | AnonymousUser = context["request"].user
    lists = [
        ("waiting", _("notices whose holder is asked"), "cancellation.notice", "follows=waiting"),
        ("to_judge", _("earlier ends to judge"), "cancellation.cancellation", "judgement__exact=open"),
        ("instructions", _("instructions for billing"), "billing.instruction", "outcome__exact=open"),
        ("undeliverable", _("letters that cannot be sent"), "messaging.letter", "outcome=undeliverable"),
        ("given_up", _("promises given up"), "outbox.entry", "outcome=dead"),
    ]
    numbers = desk.to_do()
    return [
        {"number": numbers[name], "label": label, "url": _list(model) + "?" + query}
        for name, label, model, query in lists
        if _may_see(user, model)
    ]


def _may_see(user: User | AnonymousUser, model: str) -> bool:
    app, name = model.split(".")
    return user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}")


def _list(model: str) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_changelist")
