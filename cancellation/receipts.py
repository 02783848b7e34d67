"""Hand out proof: a document of what was declared and what follows from it, signed as a JWS.

Part of the notice path: one INSERT, no SELECT, and nothing here imports mail, feedback, billing or reports. A document
holds strings, integers, null, lists and objects; days are ISO dates, instants ISO with their offset in the contract's
zone (and once more in UTC), money is {"minor", "currency", "text"}. It carries no advertising and asks for nothing.
The kind ``received`` repeats the declaration and its instant and nothing else: whoever gets it may be anybody.
Source: LAW R8, R9; DESIGN "Proof".
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, astuple
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cancellation import calendars, signing_keys
from cancellation.models import (
    Cancellation,
    Declared,
    Judgement,
    Notice,
    Receipt,
    ReceiptKind,
    Way,
    access_key,
    receipt_number,
)
from cancellation.proof import FORMAT
from cancellation.quotes import Quote
from cancellation.ways import Wish
from config.formats import format_day
from subscriptions import pack_words, places, words
from subscriptions.amounts import Money
from subscriptions.formats import format_money
from subscriptions.models import Contract

Document = dict[str, Any]

log = logging.getLogger(__name__)


def issue(
    *,
    kind: ReceiptKind,
    notice: Notice,
    contract: Contract | None = None,
    cancellation: Cancellation | None = None,
    quote: Quote | None = None,
    declared: Declared | None = None,
    locale: str,
    issued_at: datetime,
) -> Receipt:
    """Write, sign and store a receipt in the caller's transaction, in the language of ``locale``.

    ``quote`` is what the end was scheduled on; ``declared`` what was typed at a public page. Of a receipt of the kind
    ``received`` the contract is left out even where one is given: it must not tell that one was found.
    """
    receipt = Receipt(
        number=receipt_number(),
        key=access_key(),
        kind=kind,
        notice=notice,
        cancellation=cancellation,
        locale=locale,
        issued_at=issued_at,
    )
    if kind == ReceiptKind.RECEIVED:
        contract = cancellation = quote = None
    zone = _zone_of(notice, contract)
    with translation.override(locale):
        receipt.document = {
            **_heading(receipt, zone),
            **_of_notice(notice, zone, declared),
            **(_of_contract(contract) if contract else {}),
            **(_of_end(contract, cancellation, notice, quote) if contract and cancellation and quote else {}),
            **(_of_undo(cancellation, issued_at, zone) if kind == ReceiptKind.UNDONE and cancellation else {}),
        }
    receipt.jws, receipt.kid = signing_keys.sign(canonical(receipt.document))
    receipt.save(force_insert=True)
    return receipt


def of_end(
    contract: Contract, cancellation: Cancellation, notice: Notice, quote: Quote, declared: Declared | None = None
) -> Receipt:
    """Issue the receipt of an end that was just scheduled or moved; a withdrawal has a kind of its own."""
    return issue(
        kind=ReceiptKind.WITHDRAWN if cancellation.way == Way.WITHDRAWAL else ReceiptKind.END,
        notice=notice,
        contract=contract,
        cancellation=cancellation,
        quote=quote,
        declared=declared,
        locale=notice.locale,
        issued_at=timezone.now(),
    )


def of_undo(cancellation: Cancellation, at: datetime) -> Receipt | None:
    """Issue the receipt that an end was undone. None where no notice had brought it about, as after an import."""
    if (notice := cancellation.notice) is None:
        return None
    return issue(
        kind=ReceiptKind.UNDONE,
        notice=notice,
        contract=cancellation.contract,
        cancellation=cancellation,
        locale=notice.locale,
        issued_at=at,
    )


def canonical(document: Document) -> bytes:
    """Return the one way in which a document is written for its signature: keys in order, no blanks, UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def facts_of(receipt: Receipt) -> dict[str, str]:
    """Return what a letter needs to carry a receipt, to be frozen under ``facts["receipt"]``."""
    return {
        "jws": receipt.jws,
        "url": settings.BASE_URL + url_of(receipt),
        "calendar": calendars.of_receipt(receipt),
    }


def url_of(receipt: Receipt) -> str:
    """Return the address of a receipt's page. It lets whoever has it in, so it stands in no log."""
    return reverse("cancellation:receipt", args=[receipt.key])


def forget(receipts: QuerySet[Receipt]) -> int:
    """Erase what receipts say once their time is over; return how many.

    Number, kind, instant and key stay, and a digest of the signed text: whoever kept their copy can still show that it
    is the one that was handed out.
    """
    kept = list(receipts.exclude(jws="").only("number", "kind", "kid", "jws"))
    for receipt in kept:
        digest = hashlib.sha256(receipt.jws.encode()).hexdigest()
        bare = {"number": receipt.number, "kind": receipt.kind, "kid": receipt.kid, "digest": digest}
        Receipt.objects.filter(pk=receipt.pk).update(document=bare, jws="")
    return len(kept)


# ---------------------------------------------------------------- the parts of a document


def _heading(receipt: Receipt, zone: ZoneInfo) -> Document:
    return {
        "format": FORMAT,
        "number": receipt.number,
        "kind": str(receipt.kind),
        "language": receipt.locale,
        "issued_at": _at(receipt.issued_at, zone),
        "operator": {"name": str(settings.OPERATOR["name"]), "email": str(settings.OPERATOR["support_email"])},
        "verify": settings.BASE_URL + reverse("cancellation:verify"),
        "keys": settings.BASE_URL + reverse("cancellation:jwks"),
    }


def _of_notice(notice: Notice, zone: ZoneInfo, declared: Declared | None) -> Document:
    return {
        "notice": {
            "reference": notice.reference,
            "act": str(notice.act),
            "channel": str(notice.channel),
            "received_at": _at(notice.received_at, zone),
            "received_at_utc": _at(notice.received_at, ZoneInfo("UTC")),
            "time_zone": zone.key,
            "rules": notice.pack,
            "button": notice.button,
            "declaration": notice.declaration,
            "declared": _typed(declared) if declared else None,
        }
    }


def _typed(declared: Declared) -> Document:
    """Return what was typed, field by field; what was left empty is left out."""
    fields = ("name", "email", "phone", "address", "reference", "reason")
    typed = {name: value for name in fields if (value := getattr(declared, name))}
    return typed | ({"wished_on": declared.wished_on.isoformat()} if declared.wished_on else {})


def _of_contract(contract: Contract) -> Document:
    return {
        "contract": {
            "reference": contract.reference,
            "plan": contract.plan.name,
            "product": contract.plan.product.name,
            "starts_on": contract.starts_on.isoformat(),
        }
    }


def _of_end(contract: Contract, cancellation: Cancellation, notice: Notice, quote: Quote) -> Document:
    return {
        "way": str(cancellation.way),
        "last_day": quote.last_day.isoformat(),
        "rule": {"code": quote.rule, "words": _why(contract, quote)},
        "improvements": [asdict(line) for line in quote.improvements],
        "money": {
            "refund": _money(quote.refund),
            "other_refunds": [_money(other) for other in quote.other_refunds],
            "fee": _money(quote.fee),
            "fee_parts": list(_fee_parts(quote)),
            "still_to_pay": _money(quote.charges_total),
            "charges": quote.charges,
            "arithmetic": list(_arithmetic(contract, quote)),
        },
        "stays_usable": contract.plan.stays_usable,
        "notes": list(_notes(cancellation, quote)),
    }


def _why(contract: Contract, quote: Quote) -> list[str]:
    try:
        better = pack_words.better(astuple(line) for line in quote.improvements)
        return [*better, *words.why(quote.terms or contract.agreed, quote.rule)]
    except (ValueError, KeyError):
        # A rule that nobody has put into words yet; its code stands beside. Proof is not held up by a sentence.
        log.warning("the rule %r has no words", quote.rule)
        return []


def _fee_parts(quote: Quote) -> Iterator[Document]:
    """Yield what bounds the fee of an early release, where there is a fee; the smallest applies."""
    for name, money in quote.fee_parts if quote.fee.minor else ():
        yield {"code": name, "words": words.fee_part(name), **_money(money)}


def _arithmetic(contract: Contract, quote: Quote) -> Iterator[Document]:
    """Yield each payment of which something comes back, and how that comes about."""
    for line in quote.refund_lines:
        if quote.way == Way.WITHDRAWAL:
            # Worked out by the days used, whatever the contract says of refunds.
            how = ""
        else:
            how = words.refund(
                paid_from=line.paid_from,
                paid_to=line.paid_to,
                last_day=quote.last_day,
                policy=contract.refund_policy,
                paid=format_money(line.paid),
                back=format_money(line.refund),
            )
        yield {
            "paid_from": line.paid_from.isoformat(),
            "paid_to": line.paid_to.isoformat(),
            "paid": _money(line.paid),
            "back": _money(line.refund),
            "how": how,
        }


def _notes(cancellation: Cancellation, quote: Quote) -> Iterator[Document]:
    """Yield what was chosen after the declaration, and what was asked for and is not what applies, with the reason."""
    if words := cancellation.chosen.get("words"):
        yield {"code": "chosen_afterwards", "text": words}
    wished, ends = Wish.read(cancellation.asks).day, quote.last_day
    days = {"wished": format_day(wished) if wished else "", "last": format_day(ends)}
    if wished and wished < ends:
        told = _("You asked for %(wished)s. The earliest possible day is %(last)s, so the contract ends then.")
        yield {"code": "earliest_day_applies", "text": told % days}
    elif wished and wished > ends:
        told = _("You asked for %(wished)s. Your contract does not run that long: it ends on %(last)s.")
        yield {"code": "other_day_applies", "text": told % days}
    if cancellation.judgement == Judgement.OPEN:
        told = _(
            "You asked for an earlier end and gave a reason. A person looks at it and answers you. Meanwhile the end "
            "on %(last)s is certain, so that nothing is lost."
        )
        yield {"code": "earlier_end_is_judged", "text": told % days}
    elif cancellation.asks.get("way") == Way.EARLY_RELEASE and quote.way != Way.EARLY_RELEASE:
        told = _("You asked to leave before the end of a fixed term. No such term runs, so the ordinary end applies.")
        yield {"code": "no_early_release", "text": told}


def _of_undo(cancellation: Cancellation, at: datetime, zone: ZoneInfo) -> Document:
    """Return what was undone: the day that no longer counts, and when."""
    return {"undone": {"at": _at(at, zone), "last_day": cancellation.last_day.isoformat()}}


def _money(money: Money) -> Document:
    return {"minor": money.minor, "currency": money.currency, "text": format_money(money)}


def _at(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _zone_of(notice: Notice, contract: Contract | None) -> ZoneInfo:
    """Return the zone in which a receipt tells its instants: the contract's, or that of the rules of the page."""
    try:
        return ZoneInfo(contract.terms["timezone"] if contract else places.zone_of_page(notice.pack))
    except (KeyError, ValueError, OSError):
        # Terms that nobody can read must not keep a receipt from its holder.
        return ZoneInfo("UTC")
