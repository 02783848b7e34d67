"""Read contracts for their holders: who may see what, and what the pages need, in few statements."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, F, JSONField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone

from cancellation import lawful
from cancellation.models import (
    STANDING,
    Announcement,
    AnnouncementState,
    Cancellation,
    ChecklistItem,
    DoorFault,
    Notice,
    NoticeState,
    Receipt,
    State,
    Visit,
)
from cancellation.quotes import Agreed, Paid
from subscriptions import prices, reading
from subscriptions.amounts import Money
from subscriptions.models import Component, Consent, ConsentTopic, Contract, Customer, Payment

# Those that reach furthest come first, so every payment that can still reach past a last day is among them.
PAYMENTS_READ = 120
NO_VISIT = UUID(int=0)


class JsonList(Aggregate):
    """Gather rows as one JSON list, so that a page's small parts come with the row they belong to."""

    function = "JSON_GROUP_ARRAY"
    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, function="JSONB_AGG", **context)


def local_day(contract: Contract, at: datetime) -> date:
    """Return the calendar day of an instant in the contract's time zone. Raises TermsError where it has none."""
    return reading.local_day(at, contract.agreed.timezone)


def agreed_of(contract: Contract, at: datetime | None = None, *, sender_zone: str = "") -> Agreed:
    """Return what a quote needs of a contract; reads its payments with one statement.

    ``at`` is the instant of the notice, for the law of that day; now where none is given.
    """
    return Agreed(
        terms=contract.agreed,
        price=contract.price,
        refund_policy=contract.refund_policy,
        paid=tuple(Paid(row.paid_from, row.paid_to, row.amount) for row in payments_of(contract)),
        upfront_cost=Money(contract.upfront_cost_minor, contract.currency),
        early_release=contract.plan.early_release,
        sender_zone=sender_zone,
        price_changes=prices.read(contract.price_changes),
        **lawful.of(contract, at or timezone.now()),
    )


def packs_at_fault(at: datetime) -> Subquery:
    """Return the packs whose public page was at fault at an instant, as a JSON list beside another row."""
    stretch = DoorFault.objects.filter(Q(until__isnull=True) | Q(until__gt=at), since__lte=at).order_by()
    listed = stretch.annotate(one=Value(1)).values("one").annotate(packs=JsonList("pack")).values("packs")
    return Subquery(listed, output_field=JSONField())


def payments_of(contract: Contract) -> list[Any]:
    """Return the payments that reach furthest, read once per contract object, or with its row already."""
    if not hasattr(contract, "newest_payments"):
        contract.newest_payments = (  # type: ignore[attr-defined]
            _furthest(contract.payments_beside)
            if hasattr(contract, "payments_beside")
            else list(contract.payments.order_by("-paid_to", "-pk")[:PAYMENTS_READ])
        )
    return contract.newest_payments  # type: ignore[attr-defined,no-any-return]


def _furthest(rows: list[dict[str, Any]] | None) -> list[Payment]:
    payments = sorted(map(_payment, rows or []), key=lambda row: (row.paid_to, row.pk), reverse=True)
    return payments[:PAYMENTS_READ]


def payments_beside() -> Subquery:
    """Return a contract's payments as a JSON list beside its row: the committing click has no statement to spare."""
    columns = JSONObject(**{name: name for name in ("pk", "paid_from", "paid_to", "amount_minor", "currency")})
    paid = Payment.objects.filter(contract=OuterRef("pk")).order_by().values("contract")
    return Subquery(paid.annotate(rows=JsonList(columns)).values("rows"), output_field=JSONField())


def _payment(row: dict[str, Any]) -> Payment:
    days = {name: date.fromisoformat(row[name]) for name in ("paid_from", "paid_to")}
    return Payment(pk=row["pk"], amount_minor=row["amount_minor"], currency=row["currency"], **days)


def contracts_with_state() -> QuerySet[Contract]:
    """Return contracts with their customer and plan, annotated with the end that is scheduled or has come.

    ``live_id`` and ``live_last_day`` belong to the unrevoked cancellation, ``revoked`` counts undone ones.
    """
    live = Cancellation.objects.filter(contract=OuterRef("pk")).exclude(state=State.REVOKED).order_by()
    undone = (
        Cancellation.objects.filter(contract=OuterRef("pk"), state=State.REVOKED)
        .order_by()
        .values("contract")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return Contract.objects.select_related("customer", "plan__product").annotate(
        live_id=Subquery(live.values("pk")[:1]),
        live_last_day=Subquery(live.values("last_day")[:1]),
        revoked=Coalesce(Subquery(undone), 0),
    )


@functools.cache
def _contracts_with_parts() -> QuerySet[Contract]:
    """Return the query that every page of a contract begins with; putting it together costs more than running it."""
    parts = (
        Component.objects.filter(contract=OuterRef("pk"))
        .order_by()
        .values("contract")
        .annotate(
            parts=JsonList(
                JSONObject(
                    pk="pk", kind="kind", name="name", depends_on="depends_on_id", ends_contract="ends_contract",
                    choice="choice__choice",
                )
            )
        )
        .values("parts")
    )  # fmt: skip
    steps = ChecklistItem.objects.filter(contract=OuterRef("pk")).order_by().values("contract")
    closed = (
        Notice.objects.filter(contract=OuterRef("pk"), state=NoticeState.CLOSED)
        .order_by()
        .values("contract")
        .annotate(n=Count("pk"))
        .values("n")
    )
    standing = Notice.objects.filter(STANDING, contract=OuterRef("pk")).order_by("received_at", "pk")
    announced = Announcement.objects.filter(
        contract=OuterRef("pk"), state=AnnouncementState.ASKED, erased_at=None
    ).order_by("received_at", "pk")
    permitted = Consent.objects.filter(customer=OuterRef("customer"), topic=ConsentTopic.OPTIONS)
    return (
        contracts_with_state()
        .annotate(
            parts=Subquery(parts),
            steps=Subquery(steps.annotate(n=Count("pk")).values("n")),
            steps_done=Subquery(steps.annotate(n=Count("done_at")).values("n")),
            taken_back=Coalesce(Subquery(closed), 0),
            standing_id=Subquery(standing.values("pk")[:1]),
            standing_at=Subquery(standing.values("received_at")[:1]),
            announced_key=Subquery(announced.values("key")[:1]),
            announced_at=Subquery(announced.values("received_at")[:1]),
            permits_options=Subquery(permitted.order_by("-at", "-pk").values("given")[:1]),
        )
        .order_by()
    )


def contract_of(
    customer_id: int, reference: str, visit: UUID | None = None, beside: Mapping[str, Any] | None = None
) -> Contract | None:
    """Return a customer's own contract with its customer, or None: not there, or not theirs.

    ``beside`` holds further annotations that a page needs, so that it asks with one statement.

    ``visit_said`` and ``visit_chosen`` carry what was ticked, typed or chosen in the visit so far, ``parts`` the
    components of a bundle with their choices, ``steps`` and ``steps_done`` count its exit checklist (None without
    one), ``packs_at_fault`` names the places whose public page is at fault today, ``standing_id`` and
    ``standing_at`` the first notice that waits for its holder's choice, ``announced_key`` and ``announced_at`` the
    first announcement of somebody else that they have not answered, ``permits_options`` is what the holder has said
    to options on the way out (None: nothing).
    """
    if not reference.isprintable():
        return None
    row = Visit.objects.filter(key=visit or NO_VISIT, contract=OuterRef("pk")).order_by()
    found = (
        _contracts_with_parts()
        .annotate(
            visit_said=Subquery(row.values("said")[:1], output_field=JSONField()),
            visit_chosen=Subquery(row.values("chosen")[:1], output_field=JSONField()),
            packs_at_fault=packs_at_fault(timezone.now()),
            **(beside or {}),
        )
        .filter(reference=reference, customer_id=customer_id)
    )
    return next(iter(found), None)


def contracts_of(customer_id: int, epoch: int) -> QuerySet[Contract]:
    """Return all contracts of a customer, running ones first."""
    return (
        contracts_with_state()
        .filter(customer_id=customer_id, customer__sign_in_epoch=epoch)
        .order_by(F("live_last_day").asc(nulls_first=True), "-starts_on", "-pk")
    )


def contracts_to_end(customer_id: int, epoch: int) -> QuerySet[Contract]:
    """Return all contracts of a customer with all that quotes and ends ask for, so that none asks again.

    ``receipt_key`` leads to the newest receipt of the end that is scheduled or has come.
    """
    proof = Receipt.objects.filter(cancellation=OuterRef("live_id")).exclude(jws="").order_by("-pk")
    return (
        _contracts_with_parts()
        .annotate(
            payments_beside=payments_beside(),
            packs_at_fault=packs_at_fault(timezone.now()),
            receipt_key=Subquery(proof.values("key")[:1]),
        )
        .filter(customer_id=customer_id, customer__sign_in_epoch=epoch)
        .order_by(F("live_last_day").asc(nulls_first=True), "-starts_on", "-pk")
    )


def customer_of(customer_id: int, epoch: int) -> Customer | None:
    """Return the customer of a sign-in that is still valid."""
    return Customer.objects.filter(pk=customer_id, sign_in_epoch=epoch).first()
