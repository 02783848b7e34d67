"""Everything that is kept about a customer, as one JSON document that they may take along.

Which table gives what stands in ``PARTS``; a column that is left out says why, and a test walks all tables and columns.
Days are ISO dates, instants ISO with offset, money is integer minor units beside its ISO 4217 code, files are Base64.
Nobody else is in it: who acted is told as ``customer``, ``public``, ``staff``, ``system`` or ``other``, never by name.
Source: GDPR 15(3) and 20. The shape is described in docs/data-export.md.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Model, Q, QuerySet
from django.db.models.functions import Coalesce

from billing.models import Instruction
from cancellation import papers
from cancellation.models import (
    Acceptance,
    Announcement,
    Cancellation,
    ChecklistItem,
    ComponentChoice,
    Declared,
    DeletionRequest,
    DeskTask,
    Event,
    Evidence,
    Notice,
    NoticeState,
    OfferDecision,
    OfferEvent,
    Receipt,
    ReceiptKind,
    Visit,
)
from feedback.models import Answer
from messaging.models import Letter, Suppression
from subscriptions.models import Activity, Component, Consent, Contract, Customer, Payment, SignInToken

FORMAT = "fairwell-account/1"
BY = {"customer": "customer", "holder by letter": "customer", "public": "public", "staff": "staff", "system": "system"}

OPENS = "It lets whoever has it in."
INTERNAL = "A key of the desk's own, made of numbers that stand here anyway."
STAFF = "The name of somebody of the staff."
ABOVE = "It is the contract, or the customer, that the row stands under."
STRANGER = Q(notice__state=NoticeState.REPUDIATED)


@dataclass(frozen=True, slots=True)
class Part:
    """What a table gives: each name in the document with the column, or the way to it, that its value comes from.

    ``paths`` lead to the contract that a row stands under, or to the customer for what belongs to no contract; of
    several the first that is set counts. ``many`` are lists of values, ``left_out`` columns with the reason.
    """

    name: str
    model: type[Model]
    columns: Mapping[str, str]
    paths: tuple[str, ...] = ("contract",)
    many: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    without: Q | None = None
    of_customer: bool = False

    def rows(self, customer_id: int) -> QuerySet[Any]:
        """Return a customer's rows, the oldest first."""
        ending = "" if self.of_customer else "__customer"
        whose = Q()
        for path in self.paths:
            whose |= Q(**{f"{path}{ending}": customer_id})
        rows = self.model._default_manager.filter(whose)
        return (rows.exclude(self.without) if self.without else rows).order_by("pk")


def _same(*names: str, **others: str) -> dict[str, str]:
    """Return columns under their own names, then others under another."""
    return {name: name for name in names} | others


CUSTOMER = Part(
    "customer",
    Customer,
    _same(
        "reference", "name", "email", "country", "created_at", language="locale",
        times_signed_out_everywhere="sign_in_epoch",
    ),
    paths=("pk",),
    of_customer=True,
)  # fmt: skip
CONTRACT = Part(
    "contracts",
    Contract,
    _same(
        "reference", "kind", "country", "region", "is_consumer", "terms", "starts_on", "concluded_at",
        "informed_of_withdrawal", "asked_to_start", "price_minor", "currency", "monthly_charge_minor", "refund_policy",
        "upfront_cost_minor", "exit_fee_cap_minor", "price_changes", "source", "facts", "created_at", "updated_at",
        plan="plan__name", plan_code="plan__code", product="plan__product__name",
    ),
    paths=("customer",),
    left_out={"customer": ABOVE},
    of_customer=True,
)  # fmt: skip
# What stands under each contract.
PARTS = (
    Part(
        "components",
        Component,
        _same("kind", "name", "ends_contract", id="pk", depends_on="depends_on__pk"),
        left_out={"contract": ABOVE},
    ),
    Part(
        "choices",
        ComponentChoice,
        _same("choice", "chosen_at", component="component__pk", by="actor"),
        paths=("component__contract",),
    ),
    Part(
        "checklist",
        ChecklistItem,
        _same("code", "position", "by_staff", "done_at", "note", component="component__pk"),
        left_out={"contract": ABOVE, "done_by": STAFF},
    ),
    Part(
        "payments",
        Payment,
        _same("reference", "paid_from", "paid_to", "amount_minor", "currency"),
        left_out={"contract": ABOVE},
    ),
    Part("use", Activity, _same("day", "what", "amount"), left_out={"contract": ABOVE}),
    Part(
        "notices",
        Notice,
        _same(
            "reference", "act", "channel", "received_at", "declaration", "shown", "state", "button", "asks",
            "sender_zone", "digest", language="locale", by="actor", rules="pack",
        ),
        left_out={"contract": ABOVE, "idempotency_key": INTERNAL},
    ),
    Part(
        "declared",
        Declared,
        _same(
            "name", "email", "phone", "address", "reference", "reason", "wished_on", "salt", "erase_on", "erased_at",
            notice="notice__reference",
        ),
        paths=("notice__contract",),
        # Whoever declared that was not the holder, and has a right to be left out.
        without=STRANGER,
    ),
    Part(
        "files",
        Evidence,
        _same("name", "content_type", "size", "sha256", "content", "created_at", notice="notice__reference"),
        paths=("notice__contract",),
        without=STRANGER,
    ),
    Part(
        "cancellations",
        Cancellation,
        _same(
            "way", "judgement", "chosen", "quote", "received_on", "last_day", "refund_minor", "fee_minor", "currency",
            "state", "created_at", "closed_at", id="pk", notice="notice__reference",
        ),
        left_out={"contract": ABOVE},
    ),
    Part(
        "receipts",
        Receipt,
        _same(
            "number", "kind", "document", "jws", "kid", "issued_at",
            language="locale", notice="notice__reference", cancellation="cancellation__pk",
        ),
        paths=("notice__contract", "cancellation__contract"),
        left_out={"key": OPENS},
        without=STRANGER & Q(kind=ReceiptKind.RECEIVED),
    ),
    Part(
        "events",
        Event,
        _same(
            "at", "what", "before", "after", "why", by="actor", notice="notice__reference",
            cancellation="cancellation__pk",
        ),
        paths=("contract", "notice__contract", "cancellation__contract"),
        left_out={"contract": ABOVE},
    ),
    Part(
        "announcements",
        Announcement,
        _same(
            "reference", "agent_name", "agent_company", "agent_email", "about", "holder_name", "holder_email",
            "wished_on", "words", "received_at", "state", "is_held", "asked_at", "answered_at", "erase_on", "erased_at",
            language="locale", notice="notice__reference",
        ),
        paths=("contract", "notice__contract"),
        left_out={"contract": ABOVE, "key": OPENS, "idempotency_key": INTERNAL},
    ),
    Part(
        "answers",
        Answer,
        _same(
            "root", "went_elsewhere", "words", "went_well", "imported_category", "imported_reason", "said_at",
            cancellation="cancellation_id", main_reason="primary__code",
        ),
        many={"reasons": "reasons__code"},
        left_out={"contract": ABOVE},
    ),
    Part(
        "visits",
        Visit,
        _same("key", "step", "said", "chosen", "started_at", "seen_at", "outcome", "reminded_at"),
        left_out={"contract": ABOVE},
    ),
    Part(
        "option_decisions",
        OfferDecision,
        _same(
            "visit", "place", "at", "reasons", "held_out", "shown", "not_shown", "fault", "declined_at",
            rules="pack", language="locale",
        ),
        left_out={"contract": ABOVE, "key": INTERNAL},
    ),
    Part(
        "agreed_options",
        Acceptance,
        _same(
            "reference", "version", "kind", "visit", "place", "terms", "title", "afterwards", "asked", "before",
            "starts_on", "until", "is_passing", "cost_minor", "currency", "state", "fault", "accepted_at", "closed_at",
            option="offer__code", language="locale",
        ),
        left_out={"contract": ABOVE, "customer": ABOVE, "idempotency_key": INTERNAL},
    ),
    Part(
        "option_events",
        OfferEvent,
        _same(
            "version", "visit", "place", "what", "at", "why", option="offer__code", agreed="acceptance__reference",
            by="actor",
        ),
        left_out={"contract": ABOVE},
    ),
    Part(
        "tasks",
        DeskTask,
        _same(
            "kind", "words", "wishes", "is_urgent", "created_at", "done_at", "note", agreed="acceptance__reference"
        ),
        left_out={"contract": ABOVE, "done_by": STAFF},
    ),
    Part(
        "billing",
        Instruction,
        _same(
            "kind", "on_day", "amount_minor", "currency", "facts", "fault", "system", "outcome", "created_at",
            "done_at", cancellation="cancellation_id", agreed="acceptance_id",
        ),
        left_out={"contract": ABOVE, "key": INTERNAL},
    ),
)  # fmt: skip
# What stands beside the contracts; letters that are about a contract name it.
BESIDE = (
    Part(
        "letters",
        Letter,
        _same(
            "kind", "to", "subject", "text", "html", "message_id", "created_at", "sent_at", "undeliverable",
            contract="contract__reference", language="locale",
        ),
        paths=("customer",),
        left_out={"customer": ABOVE, "key": INTERNAL},
        of_customer=True,
    ),
    Part(
        "consents",
        Consent,
        _same("topic", "given", "wording", "at", "why", language="locale", by="actor"),
        paths=("customer",),
        left_out={"customer": ABOVE},
        of_customer=True,
    ),
    Part(
        "no_further_contact",
        Suppression,
        _same("since", by="actor"),
        paths=("customer",),
        left_out={"customer": ABOVE},
        of_customer=True,
    ),
    Part(
        "deletion_requests",
        DeletionRequest,
        _same("asked_at", "erase_on", "taken_back_at", "done_at", by="actor"),
        paths=("customer",),
        left_out={"customer": ABOVE},
        of_customer=True,
    ),
    Part(
        "sign_in_links",
        SignInToken,
        _same("next_path", "expires_at", "used_at"),
        paths=("customer",),
        left_out={"customer": ABOVE, "nonce": OPENS},
        of_customer=True,
    ),
)  # fmt: skip
ALL = (CUSTOMER, CONTRACT, *PARTS, *BESIDE)
# Tables that hold something of a customer and give nothing, each with the reason.
LEFT_OUT: dict[str, str] = {}


def everything(customer_id: int, at: datetime) -> dict[str, Any]:
    """Return all that is kept about a customer as values that JSON can hold; a fixed number of statements."""
    [customer] = _rows(CUSTOMER, customer_id)
    under = {part.name: _by_contract(part, customer_id) for part in PARTS}
    contracts = [
        row | {name: rows.get(row["reference"], []) for name, rows in under.items()}
        for row in _rows(CONTRACT, customer_id)
    ]
    return {
        "format": FORMAT,
        "made_at": at.isoformat(timespec="seconds"),
        "operator": {"name": str(settings.OPERATOR["name"]), "email": str(settings.OPERATOR["support_email"])},
        "customer": customer,
        "contracts": contracts,
        **{part.name: _rows(part, customer_id) for part in BESIDE},
    }


def as_file(customer_id: int, at: datetime) -> bytes:
    """Return the document as a file: UTF-8, indented, so that it can be read without tools."""
    return json.dumps(everything(customer_id, at), ensure_ascii=False, indent=2).encode()


def _rows(part: Part, customer_id: int) -> list[dict[str, Any]]:
    return [row for _contract, row in _read(part, customer_id)]


def _by_contract(part: Part, customer_id: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for contract, row in _read(part, customer_id):
        found[contract].append(row)
    return found


def _read(part: Part, customer_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a part, each with the reference of its contract; "" where it stands under none."""
    rows = part.rows(customer_id)
    paths = [F(f"{path}__reference") for path in part.paths]
    whose = {} if part.of_customer else {"_whose": Coalesce(*paths) if len(paths) > 1 else paths[0]}
    # Under names of their own, for one that a column has already may not be given again.
    told = rows.annotate(**whose).values_list("pk", *whose, *part.columns.values())
    lists = {name: _many(rows, lookup) for name, lookup in part.many.items()}
    found = []
    for pk, *values in told:
        contract = str(values.pop(0)) if whose else ""
        row = {name: _plain(name, value) for name, value in zip(part.columns, values, strict=True)}
        found.append((contract, row | {name: values_of.get(pk, []) for name, values_of in lists.items()}))
    return found


def _many(rows: QuerySet[Any], lookup: str) -> dict[Any, list[Any]]:
    values: dict[Any, list[Any]] = defaultdict(list)
    for pk, value in rows.exclude(**{lookup: None}).order_by("pk", lookup).values_list("pk", lookup):
        values[pk].append(value)
    return values


def _plain(name: str, value: Any) -> Any:
    """Return a value as JSON can hold it; who acted without a name, a letter without what lets somebody in."""
    if name == "by":
        return BY.get(str(value).partition(":")[0], "other")
    if name in ("text", "html"):
        return papers.OPENS.sub("[…]", value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    return str(value) if isinstance(value, UUID) else value
