"""The ways out as the overview lists them: what each means, what it costs, and how to take it.

Part of the notice path: nothing here imports feedback, mail, billing or reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from cancellation import queries, ways
from cancellation.quotes import Agreed, Quote, ordinary
from cancellation.steps import Walk, urls_of
from config.formats import format_day
from subscriptions.amounts import Money
from subscriptions.places import concluded_on, pack_of

ONE_DAY = ways.ONE_DAY


@dataclass(frozen=True, slots=True)
class Card:
    """One way out. ``saving`` is what it spares beside the ordinary one; ``door`` where its link leads."""

    way: str
    name: str
    text: str
    quote: Quote
    saving: Money | None = None
    is_cheapest: bool = False
    is_chosen: bool = False
    is_judged: bool = False
    door: str = ""
    # What the link says; a statutory label stands in the pack's own language.
    label: str = ""
    label_lang: str = ""
    # The days that may be chosen, where the day is the holder's.
    least: date | None = None
    most: date | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Tell whether the link leads to a page of its own, outside this walk."""
        return self.way in {"withdrawal", "for_cause"}


def cards(at: Walk, now: datetime) -> list[Card]:
    """Return every way out that is really open, the ordinary one first."""
    counted = getattr(at.contract, "standing_at", None) or now
    agreed = queries.agreed_of(at.contract, counted)
    usual = ordinary(agreed, counted)
    if usual is None:
        return []
    wish = at.wish
    early_on = wish.day if wish.way == "early_release" else None
    quotes = [usual, *ways.others(agreed, counted, early_on=early_on)]
    best = ways.cheapest(quotes)
    found = [_card(at, quote, usual, best, wish.way or "ordinary") for quote in quotes]
    return [*found[:1], _later(at, agreed, usual), *found[1:]]


def _card(at: Walk, quote: Quote, usual: Quote, best: Quote | None, chosen: str) -> Card:
    saving = usual.cost - quote.cost
    label, lang = _label(at, quote.way)
    return Card(
        way=quote.way,
        name=name_of(quote.way),
        text=_text(at, quote, usual),
        quote=quote,
        saving=saving if saving.minor > 0 else None,
        # Where all cost the same there is no cheapest one.
        is_cheapest=(quote is best and any(other.cost.minor > quote.cost.minor for other in (usual,))) or False,
        is_chosen=quote.way == chosen,
        is_judged=quote.way in {"hardship", "for_cause"},
        door=_door(at, quote.way),
        label=label,
        label_lang=lang,
        least=usual.received_on if quote.way == "early_release" else None,
        most=usual.last_day - ONE_DAY if quote.way == "early_release" else None,
    )


def _later(at: Walk, agreed: Agreed, usual: Quote) -> Card:
    wish = at.wish
    day = wish.day if wish.way == "later" and wish.day else usual.last_day
    quote = ways.later(agreed, usual, day)
    text = _("Any day after %(day)s. You use it and pay for it until then.") % {"day": format_day(usual.last_day)}
    return Card(
        way="later",
        name=name_of("later"),
        text=text,
        quote=quote,
        is_chosen=wish.way == "later" and quote.way == "later",
        label=_label(at, "later")[0],
        least=usual.last_day + ONE_DAY,
        most=usual.received_on + ways.LATEST,
    )


def name_of(way: str) -> str:
    """Return what a way out is called."""
    return {
        "ordinary": _("Ordinary notice"),
        "later": _("A later day"),
        "early_release": _("Leave before the fixed term ends"),
        "hardship": _("You cannot use it any more"),
        "withdrawal": _("Withdraw from the contract"),
        "for_cause": _("Cancel for cause"),
    }[way]


def _text(at: Walk, quote: Quote, usual: Quote) -> str:
    if quote.way == "early_release":
        return _("On any day from today on, for a fee that never exceeds what staying would cost.")
    if quote.way == "hardship":
        return _(
            "You moved out of reach, are ill, closed the business, or the holder has died. There is no fee. A person "
            "looks at it, and until then the ordinary end is safe."
        )
    if quote.way == "withdrawal":
        right = queries.agreed_of(at.contract).withdrawable
        assert right is not None  # otherwise there is no such quote
        return _("Until %(day)s you may step back from the contract altogether.") % {"day": format_day(right.last_day)}
    if quote.way == "for_cause":
        return _(
            "Something serious happened that makes going on unreasonable. You say what, and a person looks at it; "
            "until then the ordinary end is safe."
        )
    return _("The earliest day, with the notice period kept.")


def _door(at: Walk, way: str) -> str:
    """Return where a way is taken: the page of an act that is never merged with this one, or this page with it."""
    names = {"withdrawal": "cancellation:withdrawal-door", "for_cause": "cancellation:door"}
    if way == "hardship":
        return f"{urls_of(at.contract)['overview']}?way=hardship"
    if way not in names:
        return ""
    return reverse(names[way], args=[pack_of(at.contract).code]) + f"?contract={at.contract.reference}"


def _label(at: Walk, way: str) -> tuple[str, str]:
    """Return what the link to a way says, and in which language if it is not the page's."""
    if way == "withdrawal":
        pack = pack_of(at.contract)
        return str(pack.get("withdrawal_labels", concluded_on(at.contract))["entry"]), pack.language
    if way == "hardship":
        return _("Ask for an end without a fee"), ""
    return name_of(way) if way == "for_cause" else _("Show what this means"), ""


def better(found: list[Card]) -> Card | None:
    """Return the way that would be better for the holder than the ordinary one, if there is: with its amount.

    A withdrawal comes first, for it is a right; hardship where it would spare something.
    """
    return next((card for way in ("withdrawal", "hardship") for card in found if card.way == way and card.saving), None)


def note(at: Walk, quote: Quote) -> str:
    """Return why the day that was asked for is not the one that is shown; "" where it is."""
    wish = at.wish
    if wish.way == "later" and wish.day and quote.way != "later":
        if wish.day > quote.last_day:
            return _("%(wished)s lies too far ahead to be fixed today.") % {"wished": format_day(wish.day)}
        return _("The contract cannot end on %(wished)s by ordinary notice. The earliest day is %(day)s.") % {
            "wished": format_day(wish.day),
            "day": format_day(quote.last_day),
        }
    if wish.way == "early_release" and quote.way != "early_release":
        return _("By ordinary notice the contract ends on %(day)s already, without a fee.") % {
            "day": format_day(quote.last_day)
        }
    return ""
