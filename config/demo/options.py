"""What the demo business proposes beside leaving: options per product, in its language and in English.

Every option answers reasons that people tick. Nothing here says a figure: what a price, a day or an end comes to is
worked out for each contract, and so is what happens afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cancellation.models import Offer, OfferKind, OfferVersion
from subscriptions.models import Plan, PlanPrice
from subscriptions.periods import month_later

DEAR = ("cost-too-high", "cost-not-worth", "cost-better-offer")
OLD_PRICE = (*DEAR, "cost-old-price", "cost-extras")
SELDOM = ("outcome-unused", "cost-not-worth", "circumstance-no-need")
LESS = ("outcome-unused", "cost-too-high", "cost-not-worth", "circumstance-plans")
AWAY = ("circumstance-life", "circumstance-plans", "circumstance-no-need", "outcome-unused")
TROUBLE = (
    "outcome-results", "outcome-reliability", "outcome-missing", "outcome-equipment", "outcome-capacity",
    "relationship-unreachable", "relationship-not-understood", "relationship-promises",
)  # fmt: skip
START = ("outcome-unused", "outcome-results", "relationship-not-understood", "relationship-self-service")
GOING = ("circumstance-moved", "circumstance-closed", "circumstance-no-need", "circumstance-life")


@dataclass(frozen=True, slots=True)
class SmallerPlan:
    """A plan beside the one that most contracts of a product have."""

    code: str
    beside: str
    name: str
    price: int
    currency: str
    price_in_euro: int
    stays: str


SMALLER = (
    SmallerPlan(
        "hosting-small", "hosting-yearly", "ドメイン＋スモールサーバー", 7_200, "JPY", 5_400,
        "ドメインは引き続きお使いいただけます。他社へ移すこともできます。",
    ),
    SmallerPlan(
        "care-basic", "care", "Shop-Betreuung Basis", 29_000, "EUR", 29_000,
        "Alles, was wir für Sie gestaltet haben, gehört Ihnen.",
    ),
    SmallerPlan(
        "books-mini", "books-online", "Mini", 2_900, "PLN", 700,
        "Księgi pozostają dostępne do odczytu i można je wyeksportować.",
    ),
    SmallerPlan(
        "audio-light", "audio", "Membership Light", 499, "GBP", 599,
        "Your account and every audiobook you bought stay with you.",
    ),
)  # fmt: skip
# Prices that went down five months ago. Who came before still pays what was agreed then, until somebody tells them.
TODAYS_PRICES = {
    "audio": {"GBP": 799, "EUR": 999},
    "books-online": {"PLN": 5_900, "EUR": 1_400},
}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of the demo, for the contracts of one plan."""

    code: str
    kind: OfferKind
    plan: str
    reasons: tuple[str, ...]
    texts: Mapping[str, tuple[str, str]]
    terms: Mapping[str, Any] = field(default_factory=dict)
    eligibility: Mapping[str, Any] = field(default_factory=dict)
    budget: int | None = None
    cap_per_year: int = 1


OPTIONS = (
    # ------------------------------------------------------------ audiobooks, United Kingdom
    Option(
        "audio-todays-price", OfferKind.TODAYS_PRICE, "audio", OLD_PRICE,
        {"en": (
            "Pay what new members pay",
            "The membership costs less today than when you joined. You can have today’s price; nothing else changes.",
        )},
    ),
    Option(
        "audio-pause", OfferKind.PAUSE, "audio", AWAY,
        {"en": (
            "Pause for two months",
            "No payments and no new credits while it rests. Your library stays open, and you can still cancel.",
        )},
        {"months": 2},
    ),
    Option(
        "audio-light", OfferKind.SMALLER_PLAN, "audio", LESS,
        {"en": (
            "Membership Light",
            "One audiobook every second month instead of one a month, for readers with less time.",
        )},
        {"to_plan": "audio-light"},
    ),
    Option(
        "audio-skip", OfferKind.SKIP, "audio", SELDOM,
        {"en": ("Skip next month", "Still listening to the last one? Leave the next month out and pay nothing.")},
        cap_per_year=2,
    ),
    Option(
        "audio-half-price", OfferKind.DISCOUNT, "audio", ("cost-too-high", "cost-better-offer", "cost-not-worth"),
        {"en": (
            "Half price for three months",
            "The same membership at half the price for a while. You can cancel during these months, too.",
        )},
        {"percent": 50, "periods": 3}, {"tenure_months_at_least": 6}, budget=200,
    ),
    # ------------------------------------------------------------ book-keeping online, Poland
    Option(
        "books-help", OfferKind.HELP_SESSION, "books-online", START,
        {
            "pl": (
                "Wspólny początek",
                "Pół godziny przez telefon lub wideo: razem wprowadzimy pierwsze dokumenty. Bez zobowiązań.",
            ),
            "en": (
                "Get started together",
                "Half an hour by phone or video: we enter the first documents together. There is no commitment.",
            ),
        },
        {"minutes": 30},
    ),
    Option(
        "books-mini", OfferKind.SMALLER_PLAN, "books-online", LESS,
        {
            "pl": ("Plan Mini", "Dla firm, które wystawiają kilka faktur w miesiącu. Dotychczasowe dane zostają."),
            "en": ("The Mini plan", "For businesses with only a few invoices a month. All data so far stays."),
        },
        {"to_plan": "books-mini"},
    ),
    Option(
        "books-todays-price", OfferKind.TODAYS_PRICE, "books-online", OLD_PRICE,
        {
            "pl": (
                "Aktualna cena dla nowych klientów",
                "Plan Solo kosztuje dziś mniej niż w dniu zawarcia umowy. Poza ceną nic się nie zmienia.",
            ),
            "en": (
                "Pay what new customers pay",
                "The Solo plan costs less today than when this contract began. Nothing but the price changes.",
            ),
        },
    ),
    Option(
        "books-pause", OfferKind.PAUSE, "books-online", AWAY,
        {
            "pl": (
                "Przerwa na trzy miesiące",
                "Dane pozostają dostępne do odczytu. Umowę można wypowiedzieć także w czasie przerwy.",
            ),
            "en": (
                "Pause for three months",
                "Your data stays readable. You can still cancel during the pause.",
            ),
        },
        {"months": 3},
    ),
    # ------------------------------------------------------------ web hosting, Japan
    Option(
        "hosting-fix", OfferKind.FIX, "hosting-yearly", TROUBLE,
        {
            "ja": ("不具合を優先して調査します", "お困りの点をお書きください。担当者が優先して調べ、ご連絡します。"),
            "en": (
                "Have the problem solved first",
                "Tell us what is wrong. A technician looks at it before other work and tells you what was found.",
            ),
        },
    ),
    Option(
        "hosting-small", OfferKind.SMALLER_PLAN, "hosting-yearly", LESS,
        {
            "ja": ("スモールサーバーへの変更", "アクセスの少ないサイト向けです。ドメインとメールはそのまま使えます。"),
            "en": ("A smaller server", "For sites with few visitors. Domain and mailboxes stay as they are."),
        },
        {"to_plan": "hosting-small"},
    ),
    Option(
        "hosting-hand-over", OfferKind.HAND_OVER, "hosting-yearly", GOING,
        {
            "ja": ("ほかの方への引き継ぎ", "サイトを引き継ぐ方へ、契約とドメインの名義を変更します。"),
            "en": (
                "Hand it over to somebody else",
                "If somebody takes over the site, we help to put the contract and the domain in their name.",
            ),
        },
    ),
    # ------------------------------------------------------------ care by an agency, Germany
    Option(
        "care-fix", OfferKind.FIX, "care", TROUBLE,
        {
            "de": (
                "Erst das Problem lösen",
                "Schreiben Sie uns, was nicht läuft. Die Leitung sieht es sich an und macht einen Vorschlag.",
            ),
            "en": (
                "Have the problem solved first",
                "Tell us what is going wrong. The head of the agency looks into it and makes a proposal.",
            ),
        },
    ),
    Option(
        "care-help", OfferKind.HELP_SESSION, "care", START,
        {
            "de": (
                "Gemeinsame Bestandsaufnahme",
                "Eine Stunde mit Ihrer Ansprechpartnerin: was erreicht wurde, was fehlt, was nicht mehr nötig ist.",
            ),
            "en": ("Take stock together", "An hour with your contact: what was reached, what is missing, what can go."),
        },
        {"minutes": 60},
    ),
    Option(
        "care-basic", OfferKind.SMALLER_PLAN, "care", LESS,
        {
            "de": ("Basis-Betreuung", "Sicherheit, Sicherungen und kleine Änderungen; Kampagnen nur noch auf Zuruf."),
            "en": ("Basic care", "Security, backups and small changes; campaigns only when you ask for one."),
        },
        {"to_plan": "care-basic"},
    ),
    # ------------------------------------------------------------ fibre, France
    Option(
        "fibre-fix", OfferKind.FIX, "fibre-24", TROUBLE,
        {
            "fr": (
                "Faire réparer la ligne",
                "Décrivez ce qui ne va pas. Notre équipe technique s’en occupe en priorité et vous tient au courant.",
            ),
            "en": ("Have the line repaired", "Tell us what is wrong. A technician looks into it before other work."),
        },
    ),
    Option(
        "fibre-hand-over", OfferKind.HAND_OVER, "fibre-24", GOING,
        {
            "fr": (
                "Transmettre la ligne",
                "La personne qui reprend le logement peut reprendre le contrat, si elle est d’accord.",
            ),
            "en": ("Hand the line over", "Whoever takes over the home can take over the contract, if they agree."),
        },
    ),
    Option(
        "fibre-pause", OfferKind.PAUSE, "fibre-24", ("circumstance-moved", "circumstance-life", "circumstance-plans"),
        {
            "fr": (
                "Une pause le temps du déménagement",
                "La ligne se repose pendant que vous déménagez. Le contrat peut aussi être résilié pendant la pause.",
            ),
            "en": (
                "Pause while you move",
                "The line rests while you move. The contract can still be cancelled during the pause.",
            ),
        },
        {"months": 2},
    ),
    Option(
        "fibre-discount", OfferKind.DISCOUNT, "fibre-24", DEAR,
        {
            "fr": (
                "Un tarif réduit pendant six mois",
                "La même ligne, moins chère pendant six mois. L’engagement en cours ne s’allonge pas.",
            ),
            "en": (
                "A lower price for six months",
                "The same line at a lower price for six months. The current term does not get longer.",
            ),
        },
        {"percent": 20, "periods": 6}, budget=100,
    ),
)  # fmt: skip


def smaller_plans(plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """Keep the smaller plans with their prices; return them by code."""
    made = Plan.objects.bulk_create(
        [
            Plan(product=plans[one.beside].product, code=one.code, name=one.name, stays_usable=one.stays)
            for one in SMALLER
        ]
    )
    PlanPrice.objects.bulk_create(
        [
            PlanPrice(plan=plan, valid_from=date(2020, 1, 1), price_minor=price, currency=currency)
            for plan, one in zip(made, SMALLER, strict=True)
            for currency, price in {one.currency: one.price, "EUR": one.price_in_euro}.items()
        ]
    )
    return {plan.code: plan for plan in made}


def todays_prices(plans: Mapping[str, Plan], today: date) -> None:
    """Let the list price of some plans go down; contracts keep what was agreed."""
    since = month_later(today, -5).replace(day=1)
    PlanPrice.objects.bulk_create(
        [
            PlanPrice(plan=plans[code], valid_from=since, price_minor=price, currency=currency)
            for code, prices in TODAYS_PRICES.items()
            for currency, price in prices.items()
        ]
    )


def offers(plans: Mapping[str, Plan], today: date) -> dict[str, Offer]:
    """Keep the options as they have been open for over a year, each with its first version; return them by code."""
    since = today - timedelta(days=400)
    made = Offer.objects.bulk_create([_offer(option, since, nth) for nth, option in enumerate(OPTIONS, start=1)])
    Offer.plans.through.objects.bulk_create(
        [
            Offer.plans.through(offer_id=offer.pk, plan_id=plans[option.plan].pk)
            for offer, option in zip(made, OPTIONS, strict=True)
        ]
    )
    at = datetime.combine(since, time(9), UTC)
    OfferVersion.objects.bulk_create(
        [
            OfferVersion(offer=offer, version=1, definition=_definition(offer, option), at=at, actor="system")
            for offer, option in zip(made, OPTIONS, strict=True)
        ]
    )
    return {offer.code: offer for offer in made}


def _offer(option: Option, since: date, nth: int) -> Offer:
    return Offer(
        code=option.code,
        kind=option.kind,
        valid_from=since,
        texts={language: {"title": title, "text": text} for language, (title, text) in option.texts.items()},
        terms=dict(option.terms),
        reasons=list(option.reasons),
        eligibility=dict(option.eligibility),
        budget=option.budget,
        cap_per_year=option.cap_per_year,
        position=nth * 10,
    )


def _definition(offer: Offer, option: Option) -> dict[str, Any]:
    """Return an option whole, as its version keeps it."""
    names = (
        "code", "kind", "active", "texts", "terms", "reasons", "countries", "languages", "eligibility", "budget",
        "cap_per_year", "position",
    )  # fmt: skip
    return {name: getattr(offer, name) for name in names} | {
        "valid_from": offer.valid_from.isoformat(),
        "valid_until": None,
        "plans": [option.plan],
    }
