"""Load the demo business. Deterministic for a day; loading it again changes nothing.

The past is computed with the product's own terms and quotes: every ended contract ended on the day that its notice
gave it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone, translation

from cancellation import announcements
from cancellation.actions import SYSTEM
from cancellation.commit import declaration_of
from cancellation.models import Cancellation, Channel, Event, Notice, State
from cancellation.quotes import Agreed, Paid, Quote, ordinary
from config.demo import STORIES, staff_password
from feedback.models import Answer, Reason
from subscriptions.amounts import Money
from subscriptions.models import (
    Activity,
    Component,
    Contract,
    Customer,
    Payment,
    Plan,
    PlanPrice,
    Product,
    RefundPolicy,
)
from subscriptions.periods import month_later
from subscriptions.terms import Terms, billing_period_around

SOURCE = "demo"
CUSTOMERS = 320
LEAVERS = 190
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan of the demo with the terms that its contracts copy, in the language of the customers it is sold to."""

    code: str
    product: str
    name: str
    price: int
    currency: str
    terms: dict[str, Any]
    refund: str
    stays: str = ""
    kind: str = ""
    upfront: int = 0
    sector: str = ""
    is_consumer: bool = True


MONTHLY = {"billing": {"months": 1}, "initial_term": None, "renewal": "open_ended", "renewal_notice": None}
OFFERS = (
    Offer(
        "hosting-yearly", "ウェブホスティング", "ドメイン＋サーバー", 13_200, "JPY",
        {**MONTHLY, "timezone": "Asia/Tokyo", "counting": "from_next_day", "notice": {"months": 1},
         "notice_to": "month_end", "billing": {"months": 12}},
        RefundPolicy.MONTHLY, "ドメインは引き続きお使いいただけます。他社へ移すこともできます。", "Yearly",
    ),
    Offer(
        "care", "Agenturbetreuung", "Shop-Betreuung", 49_000, "EUR",
        {**MONTHLY, "timezone": "Europe/Berlin", "counting": "same_day_number", "notice": {"weeks": 6},
         "notice_to": "quarter_end"},
        RefundPolicy.DAILY, "Alles, was wir für Sie gestaltet haben, gehört Ihnen.", "Open-ended", is_consumer=False,
    ),
    Offer(
        "books-online", "Księgowość online", "Solo", 7_900, "PLN",
        {**MONTHLY, "timezone": "Europe/Warsaw", "counting": "same_day_number", "notice": {"months": 1},
         "notice_to": "month_end"},
        RefundPolicy.MONTHLY, "Księgi pozostają dostępne do odczytu i można je wyeksportować.", "Open-ended",
    ),
    Offer(
        "audio", "Audiobooks", "Membership", 999, "GBP",
        {**MONTHLY, "timezone": "Europe/London", "counting": "same_day_number", "notice": {"days": 0},
         "notice_to": "billing_period"},
        RefundPolicy.NONE, "Your account and every audiobook you bought stay with you.", "Month-to-Month",
    ),
    Offer(
        "fibre-24", "Internet fibre", "Fibre 500, 24 mois", 3_999, "EUR",
        {**MONTHLY, "timezone": "Europe/Paris", "counting": "same_day_number", "initial_term": {"months": 24},
         "notice": {"months": 1}, "notice_to": "any_day"},
        RefundPolicy.DAILY, "Votre numéro de téléphone peut vous suivre.", "Two Year", 12_000, "telecom",
    ),
)  # fmt: skip
OFFER_OF_STORY = dict(zip((story.slug for story in STORIES), OFFERS, strict=True))
# The crowd pays in euro wherever it lives: a report that never adds currencies is easier to read with one of them.
EURO = dict(zip((offer.code for offer in OFFERS), (9_600, 49_000, 1_900, 1_199, 3_999), strict=True))
CROWD = tuple(replace(offer, price=EURO[offer.code], currency="EUR") for offer in OFFERS)
GIVEN = (
    "Ada Ben Cleo Dana Elif Femi Greta Hana Igor Jana Kenji Lena Marek Noor Olga Pavel Quinn Rosa Stan Tomo Uma Vera "
    "Wanda Ximena Yuki Zofia"
).split()
FAMILY = (
    "Adler Brandt Castel Dubois Ekman Fontaine Grabowski Hayashi Ito Jansen Kowalczyk Lindqvist Moreau Nowak Okafor "
    "Petit Quist Richter Sato Tanaka Ueda Vogel Weiss Yilmaz Zając"
).split()
COUNTRY_OF = {"JPY": "JP", "PLN": "PL", "GBP": "GB"}


def load(*, today: date | None = None, crowd: bool = True) -> bool:
    """Load the demo once, the stories alone or with the crowd; return whether there was anything to do."""
    _staff()
    if Contract.objects.filter(source=SOURCE).exists():
        return False
    today = today or timezone.now().date()
    with transaction.atomic():
        plans = {offer.code: _plan(offer) for offer in OFFERS}
        for story in STORIES:
            _story(story, OFFER_OF_STORY[story.slug], plans, today)
        if crowd:
            _crowd(plans, today)
    return True


def _staff() -> None:
    user, made = get_user_model().objects.get_or_create(
        username="demo", defaults={"is_staff": True, "is_superuser": True}
    )
    if made or not user.check_password(staff_password()):
        user.set_password(staff_password())
        user.save()


def _plan(offer: Offer) -> Plan:
    product = Product.objects.create(code=f"{offer.code}-product", name=offer.product, sector=offer.sector)
    plan = Plan.objects.create(product=product, code=offer.code, name=offer.name, stays_usable=offer.stays)
    prices = {offer.currency: offer.price, "EUR": EURO[offer.code]}
    for currency, price in prices.items():
        PlanPrice.objects.create(plan=plan, valid_from=date(2020, 1, 1), price_minor=price, currency=currency)
    return plan


def _terms(offer: Offer, starts_on: date) -> Terms:
    days = {"starts_on": starts_on.isoformat(), "billing_anchor": starts_on.isoformat()}
    return Terms.from_dict({**offer.terms, **days})


def _contract(offer: Offer, plan: Plan, customer: Customer, starts_on: date, reference: str) -> Contract:
    months = offer.terms["billing"]["months"]
    return Contract(
        reference=reference,
        customer=customer,
        plan=plan,
        kind=offer.kind,
        country=customer.country,
        is_consumer=offer.is_consumer,
        terms=_terms(offer, starts_on).as_dict(),
        starts_on=starts_on,
        concluded_at=datetime.combine(starts_on, time(9), UTC),
        price_minor=offer.price,
        currency=offer.currency,
        monthly_charge_minor=offer.price // months,
        refund_policy=offer.refund,
        upfront_cost_minor=offer.upfront,
        source=SOURCE,
    )


def _payments(contract: Contract, until: date, most: int = 6) -> Iterator[Payment]:
    """Yield the payments of the newest billing periods that have begun by a day."""
    day = until
    for _nth in range(most):
        first, last = billing_period_around(contract.agreed, day)
        if first < contract.starts_on:
            return
        yield Payment(
            contract=contract,
            reference=f"P-{first:%Y%m%d}",
            paid_from=first,
            paid_to=last,
            amount_minor=contract.price_minor,
            currency=contract.currency,
        )
        day = first - ONE_DAY


# How long each story's contract has run, in months, and for how many of them somebody used it.
RUNNING = {"hosting": 29, "agency": 31, "sleeping": 12, "audiobooks": 40, "moved": 7}


def _story(story: Any, offer: Offer, plans: dict[str, Plan], today: date) -> None:
    customer = Customer.objects.create(
        reference=story.customer,
        name=story.name,
        email=f"{story.slug}@customer.example",
        locale=story.locale,
        country=story.country,
    )
    starts_on = month_later(today, -RUNNING[story.slug]).replace(day=min(today.day, 12))
    contract = _contract(offer, plans[offer.code], customer, starts_on, story.reference)
    contract.save()
    Payment.objects.bulk_create(_payments(contract, today))
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


def _crowd(plans: dict[str, Plan], today: date) -> None:
    """Load the other customers; the first of them have left in the course of a year, each in a month."""
    dice = random.Random(4)  # noqa: S311 - made-up customers, not secrets
    customers = Customer.objects.bulk_create(_customers(dice))
    contracts = Contract.objects.bulk_create(
        [
            _contract(
                offer, plans[offer.code], customer, today - timedelta(days=dice.randrange(400, 1500)),
                f"C-DEMO-{n:04d}",
            )
            for n, customer in enumerate(customers)
            for offer in [CROWD[n % len(CROWD)]]
        ]
    )  # fmt: skip
    leavers = list(zip(contracts[:LEAVERS], _spread(today, LEAVERS, dice), strict=True))
    Payment.objects.bulk_create([row for contract in contracts[LEAVERS:] for row in _payments(contract, today, most=3)])
    _leave(leavers, today, dice)


def _customers(dice: random.Random) -> list[Customer]:
    names = [f"{given} {family}" for given in GIVEN for family in FAMILY]
    dice.shuffle(names)
    rows = []
    for n, name in enumerate(names[:CUSTOMERS]):
        currency = OFFERS[n % len(OFFERS)].currency
        country = COUNTRY_OF.get(currency, "DE" if OFFERS[n % len(OFFERS)].code == "care" else "FR")
        locale = {"JP": "ja", "PL": "pl", "GB": "en", "DE": "de", "FR": "fr"}[country]
        rows.append(
            Customer(
                reference=f"K-DEMO-{n:04d}", name=name, email=f"customer-{n:04d}@customer.example",
                locale=locale, country=country,
            )
        )  # fmt: skip
    return rows


def _spread(today: date, count: int, dice: random.Random) -> list[date]:
    return sorted(today - timedelta(days=dice.randrange(2, 365)) for _n in range(count))


def _leave(leavers: list[tuple[Contract, date]], today: date, dice: random.Random) -> None:
    """Write notices, ends, events and answers of the past year in a few statements."""
    told = [(contract, day, _quote(contract, day)) for contract, day in leavers]
    kept = [(contract, day, quote) for contract, day, quote in told if quote is not None]
    notices = Notice.objects.bulk_create([_notice(contract, day, quote) for contract, day, quote in kept])
    cancellations = Cancellation.objects.bulk_create(
        [_cancellation(notice, quote, today) for notice, (_c, _d, quote) in zip(notices, kept, strict=True)]
    )
    Event.objects.bulk_create(
        [
            Event(
                contract_id=one.contract_id, notice=one.notice, cancellation=one, at=one.notice.received_at,
                actor=f"customer:{one.contract.customer_id}", what="end scheduled", after=State.SCHEDULED,
            )
            for one in cancellations
            if one.notice
        ]
    )  # fmt: skip
    _answers(cancellations, dice)


def _quote(contract: Contract, day: date) -> Quote | None:
    agreed = Agreed(
        contract.agreed,
        Money(contract.price_minor, contract.currency),
        contract.refund_policy,
        _paid(contract, day),
    )
    return ordinary(agreed, datetime.combine(day, time(12), UTC))


def _paid(contract: Contract, day: date) -> tuple[Paid, ...]:
    return tuple(Paid(row.paid_from, row.paid_to, row.amount) for row in _payments(contract, day, most=1))


def _notice(contract: Contract, day: date, quote: Quote) -> Notice:
    with translation.override(contract.customer.locale):
        declaration = declaration_of(contract)
    return Notice(
        channel=Channel.GUIDED,
        contract=contract,
        received_at=datetime.combine(day, time(12), UTC),
        declaration=declaration,
        shown=quote.as_dict(),
        locale=contract.customer.locale,
        actor=f"customer:{contract.customer_id}",
        idempotency_key=f"demo:{contract.reference}",
    )


def _cancellation(notice: Notice, quote: Quote, today: date) -> Cancellation:
    ended = quote.last_day < today
    return Cancellation(
        contract=notice.contract,
        notice=notice,
        quote=quote.as_dict(),
        received_on=quote.received_on,
        last_day=quote.last_day,
        refund_minor=quote.refund.minor,
        currency=quote.refund.currency,
        state=State.ENDED if ended else State.SCHEDULED,
        closed_at=datetime.combine(quote.last_day + ONE_DAY, time(0), UTC) if ended else None,
    )


WORDS = (
    "Nobody answered the phone for two weeks.",
    "We only ever got invoices.",
    "Nie korzystałam z tego od stycznia.",
    "Ich habe eine kleinere Lösung gefunden.",
    "引っ越しのため使えなくなりました。",
    "Le prix a doublé depuis mon inscription.",
)


def _answers(cancellations: list[Cancellation], dice: random.Random) -> None:
    reasons = list(Reason.objects.filter(active=True).exclude(root="unstated"))
    if not reasons:
        return
    rows = []
    for one in cancellations:
        reason = dice.choice(reasons)
        # One in six says nothing at all; that is their right, and the report shows it.
        if dice.random() < 1 / 6 or one.notice is None:
            continue
        rows.append(
            Answer(
                contract=one.contract, cancellation_id=one.pk, root=reason.root, primary=reason,
                words=dice.choice(WORDS) if dice.random() < 0.25 else "", said_at=one.notice.received_at,
                went_elsewhere=dice.random() < 0.3,
            )
        )  # fmt: skip
    for answer in Answer.objects.bulk_create(rows):
        if answer.primary:
            answer.reasons.add(answer.primary)
