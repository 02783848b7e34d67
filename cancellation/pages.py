"""What the pages of a contract show, gathered once for all of them.

Part of the notice path, too: nothing here imports feedback, mail, billing or reports.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from cancellation import lawful, parts_words, queries, ways
from cancellation.models import Cancellation, Judgement, Notice, Receipt
from cancellation.quotes import Quote, RefundLine
from cancellation.steps import Walk, after, place_of, sealed, urls_of
from cancellation.ways import ORDINARY, Wish
from config.formats import format_day
from subscriptions import pack_words, prices, words
from subscriptions.amounts import Money
from subscriptions.formats import format_money
from subscriptions.law import Applied
from subscriptions.models import Contract
from subscriptions.periods import ONE_DAY, billing_period_of
from subscriptions.terms import NoticeQuote, TermsError, initial_last_day

PAYMENTS_SHOWN = 6


def quote_now(contract: Contract, at: datetime, wish: Wish = ORDINARY) -> Quote | None:
    """Return what a notice at this instant would mean; None where the contract has ended by itself.

    Where a notice stands already and waits for its holder's choice, its own instant counts.
    """
    counted = standing_at(contract) or at
    return ways.asked_for(queries.agreed_of(contract, counted), counted, wish)


def standing_at(contract: Contract) -> datetime | None:
    """Return when the notice came that stands without an end yet."""
    return getattr(contract, "standing_at", None)


def step(name: str, at: Walk, quote: Quote) -> dict[str, Any]:
    """Return what every step before the act shows: the contract, the quote, and where the buttons lead."""
    urls = urls_of(at.contract)
    return {
        **_common(at.contract),
        **place_of(name, at.steps),
        "next_url": urls.get(after(name, at.steps), ""),
        "options_may_follow": "options" in at.steps,
        "standing_at": standing_at(at.contract),
        "components": components_of(at.contract),
        "quote": quote,
        "sealed": sealed(quote, at.contract),
        "why": why(at.contract, quote),
        "arithmetic": arithmetic(quote, at.contract.refund_policy),
        "fee_parts": fee_parts(quote),
        "said": at.said,
        "wish": at.wish,
    }


def why(contract: Contract, quote: Quote) -> list[str]:
    """Return the sentences that explain a last day, first those in which the law is better than the contract."""
    better = pack_words.better(astuple(line) for line in quote.improvements)
    return [*better, *words.why(quote.terms or contract.agreed, quote.rule)]


def changed(at: Walk, quote: Quote, shown: Quote | None, said: dict[str, Any]) -> dict[str, Any]:
    """Return the confirm step that says what has changed since the holder saw it."""
    return {**step("confirm", at, quote), "changed": True, "shown": shown, "said": said}


def contract(contract: Contract, **more: Any) -> dict[str, Any]:
    """Return the plain contract page: what is paid, until when, and how to leave."""
    now = timezone.now()
    today = queries.local_day(contract, now)
    live = live_of(contract)
    quote = None if live else quote_now(contract, now)
    return {
        **_common(contract),
        "cancellation": live,
        "quote": quote or (Quote.from_dict(live.quote) if live and live.quote else None),
        "state": _state(live, quote, today),
        "can_undo": bool(live and live.can_be_revoked_on(today)),
        "standing_at": standing_at(contract),
        "ended_by_itself": live is None and quote is None,
        "ended_on": initial_last_day(contract.agreed) if live is None and quote is None else None,
        "deadline": next_deadline(quote),
        "payments": queries.payments_of(contract)[:PAYMENTS_SHOWN],
        "has_more_payments": len(queries.payments_of(contract)) > PAYMENTS_SHOWN,
        "components": components_of(contract),
        "period": words.period(contract.agreed.billing),
        "price": price_on(contract, today),
        "price_note": price_note(contract, today),
        "how_to_leave": how_to_leave(contract),
        "last_used_on": contract.activities.order_by("-day").values_list("day", flat=True).first(),
        "urls": urls_of(contract),
        **more,
    }


def price_on(contract: Contract, today: date) -> Money:
    """Return what the billing period of a day costs: what is agreed, or another price for a while."""
    terms = contract.agreed
    first = billing_period_of(terms.billing_anchor, terms.billing, max(today, terms.starts_on)).first_day
    return Money(prices.price_of(contract.price_minor, _price_changes(contract), first), contract.currency)


def price_note(contract: Contract, today: date) -> str:
    """Return until when another price holds, or from when it will; "" where none does."""
    agreed, terms = format_money(contract.price), contract.agreed
    for change in sorted(_price_changes(contract), key=lambda change: change.first):
        until = billing_period_of(terms.billing_anchor, terms.billing, change.last).last_day
        facts = {"until": format_day(until), "agreed": agreed}
        if until < today or change.price_minor >= contract.price_minor:
            continue
        if price_on(contract, today).minor < contract.price_minor:
            return _("until %(until)s, then %(agreed)s") % facts
        other = format_money(Money(change.price_minor, contract.currency))
        facts |= {"first": format_day(change.first), "price": other}
        return _("from %(first)s until %(until)s %(price)s, then %(agreed)s again") % facts
    return ""


def _price_changes(contract: Contract) -> list[prices.PriceChange]:
    """Return the prices that were agreed for a while, without what only keeps days from being billed twice."""
    return [change for change in prices.read(contract.price_changes) if change.kind != "billed"]


def done(at: Walk, live: Cancellation) -> dict[str, Any]:
    """Return the page after the act: what was declared, when, what follows, and the undo while it is open."""
    contract = at.contract
    quote = Quote.from_dict(live.quote)
    return {
        **_common(contract),
        "cancellation": live,
        "quote": quote,
        "why": why(contract, quote),
        "arithmetic": arithmetic(quote, contract.refund_policy),
        "fee_parts": fee_parts(quote),
        "components": components_of(contract),
        "can_undo": live.can_be_revoked_on(queries.local_day(contract, timezone.now())),
        "is_judged_later": live.judgement == Judgement.OPEN,
        "wished_day": Wish.read(live.asks).too_early_for(live.last_day),
    }


def after_the_act(contract: Contract) -> dict[str, Any]:
    """Return what a page beside the one after the act shows: the contract, and where its links lead."""
    return _common(contract)


def account_row(contract: Contract, at: datetime) -> dict[str, Any]:
    """Return one contract as the account lists it."""
    try:
        return {"contract": contract, **state_on_account(contract, at)}
    except TermsError:
        # One contract that cannot be read must not hide the others.
        return {"contract": contract, "state": "unreadable"}


def state_on_account(contract: Contract, at: datetime) -> dict[str, Any]:
    """Return where a contract stands: running, ending or ended, by when, and what is paid; asks the database nothing.

    What counts today is what the law makes of the terms. TermsError where nobody can say.
    """
    agreed, today = contract.agreed, queries.local_day(contract, at)
    ends: date | None = contract.live_last_day  # type: ignore[attr-defined]
    told = (lawful.of(contract, at).get("law") or Applied.as_agreed(agreed)).quote(today)
    last_day = ends or (told.last_day if agreed.renewal == "none" else None)
    over = (ends is not None and ends < today) or (ends is None and told.last_day is None)
    return {
        "state": "ended" if over else "ending" if ends else "running",
        "last_day": last_day,
        "told": None if over or ends else told,
        "deadline": None if over or ends else next_deadline(told),
        "period": words.period(agreed.billing),
        "price": price_on(contract, today),
    }


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day until which a notice ends a contract on ``ends``; from the next day on it would be ``else_ends``."""

    day: date
    ends: date
    else_ends: date


def next_deadline(told: Quote | NoticeQuote | None) -> Deadline | None:
    """Return the next day on which a notice matters; None where a day later means no more than a day later."""
    if told is None or told.last_day is None or told.latest_notice_day is None or told.if_missed_last_day is None:
        return None
    if told.if_missed_last_day <= told.last_day + ONE_DAY:
        return None
    return Deadline(told.latest_notice_day, told.last_day, told.if_missed_last_day)


def unreadable(contract: Contract) -> dict[str, Any]:
    """Return the page of a contract whose terms cannot be read: the way out stays open all the same."""
    return {**_common(contract), "standing_at": standing_at(contract)}


def recorded(contract: Contract, notice: Notice) -> dict[str, Any]:
    """Return the page that a notice is recorded while a person works out its last day."""
    return {**_common(contract), "notice": notice}


def components_of(contract: Contract) -> list[dict[str, Any]]:
    """Return the parts of a bundle in the order they were agreed: name, kind and choice in words."""
    parts: list[dict[str, Any]] = getattr(contract, "parts", None) or []
    return [
        part | {"kind": parts_words.kind(part["kind"]), "choice_words": parts_words.choice(part.get("choice") or "")}
        for part in sorted(parts, key=lambda part: int(part["pk"]))
    ]


def live_of(contract: Contract) -> Cancellation | None:
    """Return the end that is scheduled or has come, with its notice and what leads to its receipt."""
    live_id = getattr(contract, "live_id", None)
    if not live_id:
        return None
    newest = Receipt.objects.filter(cancellation=OuterRef("pk")).exclude(jws="").order_by("-pk")
    return (
        Cancellation.objects.select_related("notice")
        .annotate(receipt_key=Subquery(newest.values("key")[:1]), receipt_number=Subquery(newest.values("number")[:1]))
        .get(pk=live_id)
    )


def how_to_leave(contract: Contract) -> list[str]:
    """Return how this contract may be ended, in plain sentences."""
    agreed = contract.agreed
    if agreed.initial_term is None:
        return [words.boundary(agreed.notice_to), words.notice(agreed.notice)]
    sentences = [
        _("The first term is %(period)s.") % {"period": words.period(agreed.initial_term)},
        words.notice(agreed.notice),
    ]
    return sentences + words.afterwards(agreed)


def arithmetic(quote: Quote, policy: str) -> list[tuple[RefundLine, str]]:
    """Return each refund line with how its amount comes about."""
    if quote.way == "withdrawal":
        # Its refund follows no policy; the reason beside it says how it comes about.
        return [(line, "") for line in quote.refund_lines]
    return [(line, _how(line, quote.last_day, policy)) for line in quote.refund_lines]


def fee_parts(quote: Quote) -> list[tuple[str, Money, bool]]:
    """Return what bounds the fee, each with its words and whether it is the one that applies."""
    told = [(words.fee_part(name), money, money == quote.fee) for name, money in quote.fee_parts]
    return told if quote.fee.minor else []


def _how(line: RefundLine, last_day: date, policy: str) -> str:
    return words.refund(
        paid_from=line.paid_from,
        paid_to=line.paid_to,
        last_day=last_day,
        policy=policy,
        paid=format_money(line.paid),
        back=format_money(line.refund),
    )


def _state(live: Cancellation | None, quote: Quote | None, today: date) -> str:
    if live is None:
        return "running" if quote else "ended"
    return "ending" if live.last_day >= today else "ended"


def _common(contract: Contract) -> dict[str, Any]:
    return {"contract": contract, "customer": contract.customer, "urls": urls_of(contract)}
