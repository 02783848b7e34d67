"""The other customers: who came to the guided way in the past year, what they were shown, and what came of it.

The past is worked out with the product's own rules: every option that stands here was open to that contract on that
day, every end lies where the notice of that day put it, and chance alone decided who was shown options.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from cancellation import offer_effects, offer_facts, offer_rules, offering
from cancellation.models import Offer
from cancellation.offer_effects import BY_STAFF, Standing
from cancellation.offer_facts import Catalogue
from cancellation.offer_rules import Decided, Rule, Situation
from cancellation.quotes import Agreed, Paid, Quote, ordinary
from config.demo import past
from config.demo.goods import CROWD, ONE_DAY, contract_for, payments
from config.demo.past import Met
from feedback.models import Reason
from subscriptions.amounts import Money
from subscriptions.models import Contract, Customer, Payment, Plan
from subscriptions.prices import read

CUSTOMERS = 900
# Of those, how many came to the guided way within the year; and how many agreed to an option without leaving.
VISITORS, ON_THE_PAGE = 760, 40
# So many in a hundred were shown no options while leaving.
HELD_OUT = 42
# How likely somebody is to say nothing, to agree to what they are shown, to leave at once, to leave after all.
SILENT, AGREES, LEAVES, LEAVES_LATER = 1 / 6, 0.34, 0.72, 0.3
GIVEN = (
    "Ada Aiko Ben Bruno Cleo Clara Dana Dmitri Elif Emil Femi Fleur Greta Gustaw Hana Hugo Igor Ines Jana Jonas Kaya "
    "Kenji Lena Marek Noor Olga Pavel Quinn Rosa Stan Tomo Uma Vera Wanda Ximena Yuki Zofia"
).split()
FAMILY = (
    "Adler Brandt Castel Dubois Ekman Fontaine Grabowski Hayashi Ito Jansen Kowalczyk Lindqvist Moreau Nowak Okafor "
    "Petit Quist Richter Sato Tanaka Ueda Vogel Weiss Yilmaz Zając"
).split()
COUNTRY_OF = {"hosting-yearly": "JP", "care": "DE", "books-online": "PL", "audio": "GB", "fibre-24": "FR"}
LANGUAGE_OF = {"JP": "ja", "PL": "pl", "GB": "en", "DE": "de", "FR": "fr"}


def load_crowd(plans: dict[str, Plan], offers: dict[str, Offer], today: date) -> None:
    """Load the customers with a year of visits, agreements, ends and answers, in a few statements."""
    dice = random.Random(4)  # noqa: S311 - made-up customers, not secrets
    customers = Customer.objects.bulk_create(_customers(dice))
    contracts = _contracts(customers, plans, today, dice)
    told = _Telling(today, dice)
    days = sorted(today - timedelta(days=dice.randrange(2, 365)) for _n in range(VISITORS))
    met = [told.visit(contract, day) for contract, day in zip(contracts, days, strict=False)]
    beside = contracts[VISITORS : VISITORS + ON_THE_PAGE]
    met += [told.page(contract, today - timedelta(days=dice.randrange(1, 300))) for contract in beside]
    for one in met:
        _change(one, plans)
    Contract.objects.bulk_create(contracts)
    since = {one.contract.pk: one for one in met}
    Payment.objects.bulk_create([row for contract in contracts for row in _paid(contract, since, today)])
    past.write(met, offers, today, dice)


def _customers(dice: random.Random) -> list[Customer]:
    names = [f"{given} {family}" for given in GIVEN for family in FAMILY]
    dice.shuffle(names)
    return [
        Customer(
            reference=f"K-DEMO-{n:04d}", name=name, email=f"customer-{n:04d}@customer.example",
            locale=LANGUAGE_OF[country], country=country,
        )
        for n, name in enumerate(names[:CUSTOMERS])
        for country in [COUNTRY_OF[CROWD[n % len(CROWD)].code]]
    ]  # fmt: skip


def _contracts(
    customers: Sequence[Customer], plans: dict[str, Plan], today: date, dice: random.Random
) -> list[Contract]:
    return [
        contract_for(
            ware, plans[ware.code], customer, today - timedelta(days=dice.randrange(400, 1500)), f"C-DEMO-{n:04d}"
        )
        for n, customer in enumerate(customers)
        for ware in [CROWD[n % len(CROWD)]]
    ]


def _paid(contract: Contract, met: dict[int, Met], today: date) -> Iterator[Payment]:
    """Yield the payments of a contract: since its holder was met, until it ended."""
    one = met.get(contract.pk)
    if one is None:
        return payments(contract, today, most=3)
    until = min(today, one.quote.last_day) if one.quote else today
    return payments(contract, until, since=one.at.date(), most=14, price=one.price_from)


class _Telling:
    """What somebody who came on a day said, saw and did. Nothing is written."""

    def __init__(self, today: date, dice: random.Random) -> None:
        offering.forget_offers()
        self.today, self.dice, self.kept = today, dice, offer_facts.catalogue()
        self.reasons = list(Reason.objects.filter(active=True).exclude(root="unstated"))
        self.roots = {reason.code: reason.root for reason in self.reasons}
        # What can be answered is said more often than the rest.
        answered = {code for rule in self.kept.rules for code in rule.reasons}
        self.weights = [3 if reason.code in answered else 1 for reason in self.reasons]

    def visit(self, contract: Contract, day: date) -> Met:
        """Return what happened to somebody who came to the guided way."""
        one = self._met(contract, day)
        one.visit = self._key()
        if self.reasons and self.dice.random() >= SILENT:
            one.reason = self.dice.choices(self.reasons, self.weights)[0]
        # Drawn for everybody, so that saying nothing changes nobody's luck.
        one.is_held_out, will_agree, will_leave = (
            self.dice.random() < HELD_OUT / 100, self.dice.random() < AGREES, self.dice.random() < LEAVES,
        )  # fmt: skip
        one.decided = self._decide(one, "flow")
        if one.decided.shown and will_agree:
            one.agreed = self.dice.choice(one.decided.shown)
            if self.dice.random() < LEAVES_LATER:
                self._leave(one, day + timedelta(days=self.dice.randrange(35, 150)), self._key())
        elif will_leave:
            self._leave(one, day, one.visit)
        return one

    def page(self, contract: Contract, day: date) -> Met:
        """Return what happened to somebody who agreed to an option without leaving."""
        one = self._met(contract, day)
        one.decided = self._decide(one, "page")
        if one.decided.shown:
            one.agreed = self.dice.choice(one.decided.shown)
        return one

    def _key(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128), version=4)

    def _met(self, contract: Contract, day: date) -> Met:
        at = datetime.combine(day, time(12), UTC)
        return Met(contract, contract.agreed, contract.price_minor, at)

    def _decide(self, one: Met, place: offer_rules.Place) -> Decided:
        contract, day = one.contract, one.at.date()
        limit = offering.limit_in_flow(contract, day) if place == "flow" else len(self.kept.rules)
        return offer_rules.decide(_of_plan(self.kept, contract), self._situation(one, day), limit=limit, place=place)

    def _situation(self, one: Met, day: date) -> Situation:
        contract, said = one.contract, frozenset([one.reason.code] if one.reason else [])
        paid = next(payments(contract, day, most=1), None)
        return Situation(
            today=day, terms=one.terms, plan=contract.plan.code, country=contract.country,
            language=contract.customer.locale, currency=contract.currency, price_minor=contract.price_minor,
            monthly_minor=contract.monthly_charge_minor, refund_policy=contract.refund_policy,
            paid_through=paid.paid_to if paid else None, prices=self.kept.prices_on(day, contract.currency),
            last_used_on=day - timedelta(days=self.dice.randrange(90)), reasons=said,
            primary=one.reason.code if one.reason else "", roots=self.roots, held_out=one.is_held_out,
        )  # fmt: skip

    def _leave(self, one: Met, day: date, visit: UUID) -> None:
        """Let somebody give notice on a day, if that day has come and the contract can end."""
        if day < self.today - ONE_DAY and (quote := _quote(one, day)):
            one.quote, one.left_in = quote, visit
            one.left_at = datetime.combine(day, time(12, 3), UTC)


def _of_plan(kept: Catalogue, contract: Contract) -> list[Rule]:
    return [rule for rule in kept.rules if contract.plan.code in rule.plans]


def _quote(one: Met, day: date) -> Quote | None:
    contract = one.contract
    paid = tuple(
        Paid(row.paid_from, row.paid_to, row.amount) for row in payments(contract, day, most=1, price=one.price_from)
    )
    figures = one.agreed.terms if one.agreed and one.agreed.kind not in BY_STAFF else {}
    lasts = bool(figures) and not figures["until"]
    agreed = Agreed(
        one.terms,
        Money(figures["price_minor"] if lasts else contract.price_minor, contract.currency),
        contract.refund_policy,
        paid,
        price_changes=read(_changes(one)),
    )
    return ordinary(agreed, datetime.combine(day, time(12), UTC))


def _changes(one: Met) -> list[dict[str, Any]]:
    if one.agreed is None or one.agreed.kind in BY_STAFF:
        return []
    by = past.reference_of(one.contract)
    added = offer_effects.prices_after(one.agreed.kind, one.agreed.terms, by=by, today=one.at.date())
    return [change.as_dict() for change in added]


def _change(one: Met, plans: dict[str, Plan]) -> None:
    """Change a contract as agreed; keep what stood there before."""
    if one.agreed is None or one.agreed.kind in BY_STAFF:
        return
    contract = one.contract
    stood = Standing(
        contract.price_minor, contract.monthly_charge_minor, contract.plan.code, contract.terms["billing"],
        contract.terms["billing_anchor"],
    )  # fmt: skip
    after = offer_effects.standing_after(one.agreed.kind, one.agreed.terms, stood)
    one.before = stood.as_dict() | ({"became": after.as_dict()} if after != stood else {})
    contract.price_changes = _changes(one)
    contract.plan = plans[after.plan]
    contract.price_minor, contract.monthly_charge_minor = after.price_minor, after.monthly_charge_minor
