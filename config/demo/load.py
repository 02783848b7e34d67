"""Load the demo business. Deterministic for a day; loading it again changes nothing.

The past is computed with the product's own terms and quotes: every ended contract ended on the day that its notice
gave it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from cancellation import announcements, offering
from cancellation.actions import SYSTEM
from config.demo import STORIES, options, staff_password
from config.demo.crowd import load_crowd
from config.demo.goods import ONE_DAY, SOURCE, WARES, Ware, contract_for, payments, plan_of
from subscriptions.models import Activity, Component, Contract, Customer, Payment, Plan
from subscriptions.periods import month_later

WARE_OF_STORY = dict(zip((story.slug for story in STORIES), WARES, strict=True))


def load(*, today: date | None = None, crowd: bool = True) -> bool:
    """Load the demo once, the stories alone or with the crowd; return whether there was anything to do."""
    _staff()
    if Contract.objects.filter(source=SOURCE).exists():
        return False
    today = today or timezone.now().date()
    with transaction.atomic():
        plans = {ware.code: plan_of(ware) for ware in WARES}
        plans |= options.smaller_plans(plans)
        options.todays_prices(plans, today)
        offers = options.offers(plans, today)
        for story in STORIES:
            _story(story, WARE_OF_STORY[story.slug], plans, today)
        if crowd:
            load_crowd(plans, offers, today)
    offering.forget_offers()
    return True


def _staff() -> None:
    user, made = get_user_model().objects.get_or_create(
        username="demo", defaults={"is_staff": True, "is_superuser": True}
    )
    if made or not user.check_password(staff_password()):
        user.set_password(staff_password())
        user.save()


# How long each story's contract has run, in months, and for how many of them somebody used it.
RUNNING = {"hosting": 29, "agency": 31, "sleeping": 12, "audiobooks": 40, "moved": 7}


def _story(story: Any, ware: Ware, plans: dict[str, Plan], today: date) -> None:
    customer = Customer.objects.create(
        reference=story.customer,
        name=story.name,
        email=f"{story.slug}@customer.example",
        locale=story.locale,
        country=story.country,
    )
    starts_on = month_later(today, -RUNNING[story.slug]).replace(day=min(today.day, 12))
    contract = contract_for(ware, plans[ware.code], customer, starts_on, story.reference)
    contract.save()
    Payment.objects.bulk_create(payments(contract, today))
    if story.slug == "hosting":
        _bundle(contract)
        _announce(contract, today)
    used_until = starts_on + timedelta(days=40) if story.slug == "sleeping" else today
    days = [day for n in range(1, 12) if (day := used_until - timedelta(days=3 * n)) >= starts_on]
    Activity.objects.bulk_create([Activity(contract=contract, day=day, what="sign-in") for day in days])


def _bundle(contract: Contract) -> None:
    """Give a contract its parts: the domain carries the contract, and the mailbox stands on the domain."""
    domain = Component.objects.create(contract=contract, kind="domain", name="aoki-haruka.example", ends_contract=True)
    Component.objects.create(contract=contract, kind="server", name="web-4127")
    Component.objects.create(contract=contract, kind="mailbox", name="haruka@aoki-haruka.example", depends_on=domain)


def _announce(contract: Contract, today: date) -> None:
    """Let the new provider announce the move yesterday: the holder is asked and has not answered yet."""
    at = datetime.combine(today - ONE_DAY, time(1), UTC)
    told = announcements.Told(
        agent_name="Mika Saarinen",
        agent_company="Harbour Hosting",
        agent_email="transfers@harbour-hosting.example",
        about="aoki-haruka.example",
        holder_name=contract.customer.name,
        words="The domain is moving to us. Please ask the holder; we are in no haste.",
    )
    announcement = announcements.announce(told=told, token="demo", locale="en", at=at)  # noqa: S106 - names a form
    announcements.match(announcement=announcement, contract=contract, actor=SYSTEM, at=at)
