"""Who walks, where and when: a contract per place, on days for which a published vector gives the answer."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core import signing
from playwright.sync_api import Browser, BrowserContext

from cancellation.models import Offer, OfferVersion
from cancellation.offering import forget_offers
from subscriptions.models import Contract
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.factories import make_contract, make_customer, pay, terms_dict

WIDTHS = (390, 1280)
HEIGHTS = {390: 844, 1280: 800}
# A month's notice on this day ends on 28 March, and on 31 March where counting starts with the next morning.
NOTICE_AT = datetime(2027, 2, 28, 12, tzinfo=UTC)
# Ten days into a year that was paid in advance.
WITHDRAWAL_AT = datetime(2027, 1, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pack is walked: a country of it, the language people speak there, and their money."""

    country: str
    region: str
    timezone: str
    locale: str
    currency: str
    counting: str = "same_day_number"
    # The published vectors for a month's notice on 28 February, and for what comes back of 120 a year after ten days.
    end_vector: str = ""
    refund_vector: str = ""


PLACES = {
    "default": Place("CH", "", "Europe/Zurich", "en-GB", "CHF"),
    "de": Place("DE", "", "Europe/Berlin", "de-DE", "EUR", end_vector="N03", refund_vector="W14"),
    "fr": Place("FR", "", "Europe/Paris", "fr-FR", "EUR", refund_vector="W14"),
    "pl": Place("PL", "", "Europe/Warsaw", "pl-PL", "PLN", end_vector="N14", refund_vector="W14"),
    "uk": Place("GB", "", "Europe/London", "en-GB", "GBP"),
    "us-ca": Place("US", "CA", "America/Los_Angeles", "en-US", "USD"),
    "us-ny": Place("US", "NY", "America/New_York", "en-US", "USD"),
    "us-mn": Place("US", "MN", "America/Chicago", "en-US", "USD"),
    "jp": Place("JP", "", "Asia/Tokyo", "ja-JP", "JPY", "from_next_day", end_vector="N09"),
}
VECTORS = Path(__file__).parents[1] / "data" / "law_vectors.json"


@functools.cache
def published() -> dict[str, dict[str, Any]]:
    """Return what each published vector expects, by its id."""
    told = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    return {vector["id"]: vector["expected"] for vector in told}


# More options than any place allows at once, of every kind that a monthly contract can have. They answer every reason
# of the root, and stand in English where a place speaks another language: measured is the page, not a text.
OPTIONS: dict[str, dict[str, Any]] = {
    "pause": {"months": 2},
    "discount": {"percent": 50, "periods": 3},
    "skip": {},
    "help_session": {"minutes": 30},
    "fix": {},
}


def open_options() -> None:
    """Keep the options, once."""
    if Offer.objects.exists():
        return
    for nth, (kind, terms) in enumerate(OPTIONS.items()):
        texts = {"en": {"title": f"Something else {nth}", "text": "In a few words, what it is."}}
        offer = Offer.objects.create(
            code=kind, kind=kind, valid_from="2020-01-01", texts=texts, terms=terms, reasons=["cost"], position=nth
        )
        OfferVersion.objects.create(offer=offer, version=1, definition={}, at=NOTICE_AT, actor="system")
    forget_offers()


def agreed_at(place: Place) -> Contract:
    """Return a stored contract that ends a month after a notice, on any day, and is paid for half a year."""
    terms = terms_dict(timezone=place.timezone, counting=place.counting, notice_to="any_day")
    contract = _contract(place, terms=terms, kind="Month-to-Month")
    # Paid ahead, so that something comes back and the receipt has to say how much.
    pay(contract, "2027-02-01", "2027-07-31", 7_200, place.currency)
    return contract


def just_concluded_at(place: Place) -> Contract:
    """Return a stored contract for a year, 120 a year, begun ten days ago at the customer's wish and paid."""
    terms = terms_dict(
        timezone=place.timezone, counting=place.counting, starts_on="2027-01-10", initial_term={"months": 12},
        billing={"months": 12}, billing_anchor="2027-01-10",
    )  # fmt: skip
    contract = _contract(
        place, terms=terms, kind="One Year", price_minor=12_000, monthly_charge_minor=1_000, asked_to_start=True,
        concluded_at=datetime(2027, 1, 10, 9, tzinfo=UTC),
    )  # fmt: skip
    pay(contract, "2027-01-10", "2028-01-09", 12_000, place.currency)
    return contract


def _contract(place: Place, **values: Any) -> Contract:
    customer = make_customer(country=place.country, locale=place.locale[:2])
    return make_contract(
        customer=customer, country=place.country, region=place.region, currency=place.currency, **values
    )


def persona(contract: Contract) -> dict[str, str]:
    """Return what the holder types, by the names of fields."""
    return {"name": contract.customer.name, "email": contract.customer.email, "reference": contract.reference}


def fresh(browser: Browser, place: Place, width: int) -> BrowserContext:
    """Return a profile that has never been here, in the language of the place."""
    return browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]}, locale=place.locale, reduced_motion="reduce"
    )


def signed_in(context: BrowserContext, contract: Contract, url: str) -> None:
    """Let the holder of a contract in, as the link in their mail does."""
    customer = contract.customer
    value = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    context.add_cookies([{"name": COOKIE, "value": value, "url": url}])
