"""Saving an option: what stands from now on, and a version of it that is never changed again.

What a customer was shown or agreed to names the version it was, so the words and figures of that day can always be
read. A definition is JSON: days in ISO form, money in minor units, plans by their codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from cancellation.actions import Actor
from cancellation.models import Acceptance, Offer, OfferEvent, OfferVersion
from subscriptions.models import Plan

# What the desk may change. How many were accepted is counted elsewhere, at the same time; a save never writes it.
DEFINED = (
    "code", "kind", "active", "valid_from", "valid_until", "texts", "terms", "reasons", "countries", "languages",
    "eligibility", "budget", "cap_per_year", "position",
)  # fmt: skip


class ChangedMeanwhile(Exception):
    """Somebody else saved the option since it was read; ``newest`` is what they saved."""

    def __init__(self, newest: OfferVersion) -> None:
        super().__init__(newest.version)
        self.newest = newest


class WasUsed(Exception):
    """The option was shown or agreed: it is closed, never deleted."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between two versions. Values are JSON; None where there was, or is, none."""

    name: str
    before: Any
    after: Any


def definition_of(offer: Offer, plans: Iterable[Plan]) -> dict[str, Any]:
    """Return an option as JSON can hold it, whole."""
    plain = {name: getattr(offer, name) for name in DEFINED}
    days = {name: plain[name].isoformat() if plain[name] else None for name in ("valid_from", "valid_until")}
    return plain | days | {"plans": sorted(plan.code for plan in plans)}


@transaction.atomic
def save_offer(
    *, offer: Offer, plans: Sequence[Plan], read: int | None = None, actor: Actor, at: datetime
) -> OfferVersion | None:
    """Save a new or changed option and add its version; return it, or None where nothing has changed.

    ``read`` is the version that whoever saves has looked at. Raises ChangedMeanwhile where a newer one stands.
    """
    if offer.pk is None:
        offer.version = 1
        offer.save()
        offer.plans.set(plans)
        return _added(offer, plans, actor, at)

    kept = Offer.objects.select_for_update().get(pk=offer.pk)
    newest = kept.versions.first()
    if newest is not None and read is not None and newest.version != read:
        raise ChangedMeanwhile(newest)
    if newest is not None and newest.definition == definition_of(offer, plans):
        return None
    if newest is None:
        # Made without the desk: what stood before the first change here is kept as well.
        _added(kept, list(kept.plans.all()), actor, at)
    offer.version = kept.version + 1
    offer.save(update_fields=[*DEFINED, "version", "changed_at"])
    offer.plans.set(plans)
    return _added(offer, plans, actor, at)


def _added(offer: Offer, plans: Iterable[Plan], actor: Actor, at: datetime) -> OfferVersion:
    return OfferVersion.objects.create(
        offer=offer, version=offer.version, definition=definition_of(offer, plans), at=at, actor=actor.name
    )


def was_used(offer: Offer) -> bool:
    """Tell whether an option was ever shown to anybody, or agreed."""
    return OfferEvent.objects.filter(offer=offer).exists() or Acceptance.objects.filter(offer=offer).exists()


@transaction.atomic
def delete_offer(*, offer_id: int) -> None:
    """Delete an option that nobody ever saw, with its versions. Raises WasUsed."""
    offer = Offer.objects.select_for_update().get(pk=offer_id)
    if was_used(offer):
        raise WasUsed
    OfferVersion.objects.filter(offer=offer).delete()
    offer.delete()


def close_offers(*, ids: Iterable[int], actor: Actor, at: datetime) -> int:
    """Close options, each in a transaction of its own and with a version; return how many were open."""
    return sum(_closed(pk, actor, at) for pk in ids)


@transaction.atomic
def _closed(pk: int, actor: Actor, at: datetime) -> bool:
    # Locked before it is read, or a save at the same time would be undone by this one.
    offer = Offer.objects.select_for_update().get(pk=pk)
    if not offer.active:
        return False
    offer.active = False
    return save_offer(offer=offer, plans=list(offer.plans.all()), actor=actor, at=at) is not None


def changes(before: dict[str, Any] | None, after: dict[str, Any]) -> list[Change]:
    """Return what differs between two definitions; texts, terms and conditions by each of their parts.

    Without a definition before, there is nothing to compare with: no changes.
    """
    if before is None:
        return []
    old, new = _flat(before), _flat(after)
    names = [*new, *(name for name in old if name not in new)]
    return [Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        path = f"{prefix}{name}"
        if isinstance(inner, dict):
            flat |= _flat(inner, f"{path}.")
        else:
            flat[path] = inner
    return flat


def history(offer: Offer) -> list[tuple[OfferVersion, dict[str, Any] | None]]:
    """Return all versions of an option, newest first, each with the definition before it. One statement."""
    rows = list(offer.versions.order_by("-version"))
    befores = [*(row.definition for row in rows[1:]), None]
    return list(zip(rows, befores, strict=True))
