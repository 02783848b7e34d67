"""What is allowed about an option and yet worth knowing: that nobody would get it, or that no place would show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from django.utils.translation import gettext as _

from cancellation import guidance
from cancellation.models import Offer, OfferKind
from config.admin import day
from subscriptions import places
from subscriptions.models import Plan, PlanPrice
from subscriptions.packs import Pack


def advice(offer: Offer, plans: Sequence[Plan], today: date) -> list[str]:
    """Return what staff should know about an option as it stands, each with a remedy where there is one."""
    return [*_nobody(offer, today), *_nowhere(offer, today), *_prices(offer, plans, today)]


def _nobody(offer: Offer, today: date) -> Iterator[str]:
    if not offer.active:
        yield _("It is closed: nobody is shown it. What was agreed stays as agreed.")
    if offer.valid_until and offer.valid_until < today:
        yield _("Its last day, %(day)s, is over: nobody is shown it.") % {"day": day(offer.valid_until)}
    if offer.budget == 0:
        yield _("Its budget is 0: nobody gets it. Empty the box for no limit.")
    elif offer.budget is not None and offer.taken >= offer.budget:
        yield _("Its budget is used up: nobody else gets it.")


def _nowhere(offer: Offer, today: date) -> Iterator[str]:
    """Say where the guided way never shows it; the options page always may."""
    if not offer.reasons and offer.kind != OfferKind.TODAYS_PRICE:
        yield _("It answers no reason, so it is shown on the options page only. Tick the reasons that it answers.")
    packs = _packs_of(offer)
    closed = [pack for pack in packs if not guidance.most_options(pack, today)]
    names = ", ".join(pack.name for pack in closed)
    if packs and len(closed) == len(packs):
        told = _("The rules of %(places)s allow no options on the way out, so the options page alone shows it.")
        yield told % {"places": names}
    elif closed and offer.countries:
        told = _("In %(places)s the options page alone shows it: no options are allowed there on the way out.")
        yield told % {"places": names}
    for pack in packs if offer.countries else []:
        if guidance.most_options(pack, today) and guidance.asks_permission(pack, today):
            told = _("In %(place)s it is shown on the way out to those alone who have agreed to hear of options.")
            yield told % {"place": pack.name}


def _packs_of(offer: Offer) -> list[Pack]:
    """Return the packs in force that contracts of its countries follow; without countries, all."""
    known = places.packs()
    if not offer.countries:
        return [pack for pack in known.values() if pack.is_in_force]
    wanted = {known.for_place(str(code))[0].code: known.for_place(str(code))[0] for code in offer.countries}
    # Parts of a country, such as a state, have rules of their own beside it.
    parts = {code: pack for code, pack in known.items() if pack.is_in_force and pack.country in offer.countries}
    return list((wanted | parts).values())


def _prices(offer: Offer, plans: Sequence[Plan], today: date) -> Iterator[str]:
    if offer.kind == OfferKind.TODAYS_PRICE:
        priced = set(PlanPrice.objects.filter(valid_from__lte=today).values_list("plan_id", flat=True))
        among = plans or list(Plan.objects.all())
        missing = [plan.name for plan in among if plan.pk not in priced]
        if missing:
            yield _("No price of today, so nobody there gets it: %(plans)s.") % {"plans": ", ".join(missing)}
    if offer.kind == OfferKind.SMALLER_PLAN and plans:
        yield from _not_smaller(offer, plans, today)


def _not_smaller(offer: Offer, plans: Sequence[Plan], today: date) -> Iterator[str]:
    target = _price_list(Plan.objects.filter(code=str(offer.terms.get("to_plan", ""))).first(), today)
    for plan in plans:
        prices = _price_list(plan, today)
        shared = target.keys() & prices.keys()
        if shared and all(target[currency] >= prices[currency] for currency in shared):
            told = _(
                "The plan it leads to costs no less today than “%(plan)s”; only those who pay more than that get it."
            )
            yield told % {"plan": plan.name}


def _price_list(plan: Plan | None, today: date) -> dict[str, int]:
    """Return what a plan costs today, by currency."""
    if plan is None:
        return {}
    rows = PlanPrice.objects.filter(plan=plan, valid_from__lte=today).order_by("valid_from")
    return {row.currency: row.price_minor for row in rows}
