"""Declarations, what follows from them, and everything that happened to them.

A ``Notice`` is written once and never edited. A ``Cancellation`` changes state by the table ``ALLOWED`` only, and
every change writes an ``Event``; nothing is erased. Screens ask the ``last_day``, not whether last night's job ran.
"""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from subscriptions.amounts import Money
from subscriptions.models import Contract, new_reference


def notice_reference() -> str:
    """Return a new reference of a notice, as it stands in letters and on the phone."""
    return new_reference("N")


class Act(models.TextChoices):
    """What is declared. The three are never merged."""

    CANCEL = "cancel", _("cancellation")
    FOR_CAUSE = "for_cause", _("cancellation for cause")
    WITHDRAW = "withdraw", _("withdrawal")


class Channel(models.TextChoices):
    """The door through which a declaration came."""

    GUIDED = "guided", _("guided way")
    DESK = "desk", _("desk")


class Way(models.TextChoices):
    """The way out that a cancellation takes."""

    ORDINARY = "ordinary", _("ordinary notice")
    IMPORTED = "imported", _("imported")


class NoticeState(models.TextChoices):
    """What became of a declaration."""

    MATCHED = "matched", _("matched")
    UNMATCHED = "unmatched", _("unmatched")
    REPUDIATED = "repudiated", _("repudiated")
    # Nothing more follows from it: another notice ended the contract, it had ended already, or it was taken back.
    CLOSED = "closed", _("closed")


class Notice(models.Model):
    """A declaration, received at an instant. What was shown to the holder is kept with it."""

    reference = models.CharField(_("reference"), max_length=32, unique=True, default=notice_reference)
    act = models.CharField(_("act"), max_length=12, choices=Act.choices, default=Act.CANCEL)
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices)
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, null=True, related_name="notices", verbose_name=_("contract")
    )
    received_at = models.DateTimeField(_("received at"))
    declaration = models.TextField(_("declaration"), help_text=_("The words that were declared by the click."))
    # The fingerprint and the figures that the holder saw when they clicked.
    shown = models.JSONField(_("shown"), default=dict)
    locale = models.CharField(_("language"), max_length=12, default="en")
    actor = models.CharField(_("by"), max_length=100)
    idempotency_key = models.CharField(max_length=100, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=NoticeState.choices, default=NoticeState.MATCHED)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-received_at", "-pk"]

    def __str__(self) -> str:
        return self.reference


# A notice that stands without an end: whoever may take it up, close it or be asked about it finds it by this.
OPEN = Q(state=NoticeState.MATCHED, cancellation__isnull=True)


class State(models.TextChoices):
    """Where a cancellation stands."""

    SCHEDULED = "scheduled", _("scheduled")
    ENDED = "ended", _("ended")
    REVOKED = "revoked", _("undone")


# Everything else is refused, but for one thing: an import may take back an end that an import made.
ALLOWED: dict[str, frozenset[str]] = {
    State.SCHEDULED: frozenset({State.ENDED, State.REVOKED}),
    State.ENDED: frozenset(),
    State.REVOKED: frozenset(),
}


class Cancellation(models.Model):
    """The end of a contract that a notice brought about, on the terms that its holder was shown."""

    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="cancellations", verbose_name=_("contract")
    )
    notice = models.OneToOneField(
        Notice, on_delete=models.PROTECT, null=True, related_name="cancellation", verbose_name=_("notice")
    )
    way = models.CharField(_("way"), max_length=12, choices=Way.choices, default=Way.ORDINARY)
    quote = models.JSONField(_("quote"), default=dict)
    received_on = models.DateField(_("notice received on"))
    last_day = models.DateField(_("last day"))
    refund_minor = models.BigIntegerField(_("refund, in minor units"), default=0)
    fee_minor = models.BigIntegerField(_("fee, in minor units"), default=0)
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.SCHEDULED)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    closed_at = models.DateTimeField(_("ended or undone at"), null=True)

    class Meta:
        verbose_name = _("cancellation")
        verbose_name_plural = _("cancellations")
        ordering = ["-received_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_unrevoked_cancellation", fields=["contract"], condition=~Q(state="revoked")
            ),
            models.CheckConstraint(name="refund_not_negative", condition=Q(refund_minor__gte=0)),
            models.CheckConstraint(name="fee_not_negative", condition=Q(fee_minor__gte=0)),
            models.CheckConstraint(
                name="cancellation_state_known", condition=Q(state__in=["scheduled", "ended", "revoked"])
            ),
        ]
        indexes = [
            models.Index(fields=["last_day"], name="cancellation_due", condition=Q(state="scheduled")),
            models.Index(fields=["received_on"], name="cancellation_received"),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id} → {self.last_day}"

    @property
    def refund(self) -> Money:
        """Return what is paid back."""
        return Money(self.refund_minor, self.currency)

    @property
    def fee(self) -> Money:
        """Return what leaving costs."""
        return Money(self.fee_minor, self.currency)

    def can_be_revoked_on(self, day: date) -> bool:
        """Tell whether the holder may still undo on this local day."""
        return self.state == State.SCHEDULED and day <= self.last_day


class Event(models.Model):
    """One thing that happened, by whom and why. Only ever added."""

    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, null=True, related_name="events", verbose_name=_("contract")
    )
    notice = models.ForeignKey(
        Notice, on_delete=models.PROTECT, null=True, related_name="events", verbose_name=_("notice")
    )
    cancellation = models.ForeignKey(
        Cancellation,
        on_delete=models.PROTECT,
        null=True,
        related_name="events",
        verbose_name=_("cancellation"),
    )
    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("by"), max_length=100)
    what = models.CharField(_("what"), max_length=40)
    before = models.CharField(_("before"), max_length=40, blank=True)
    after = models.CharField(_("after"), max_length=40, blank=True)
    why = models.TextField(_("why"), blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["contract", "-at"], name="event_of_contract")]

    def __str__(self) -> str:
        return f"{self.what} {self.at:%F %T}"


class Visit(models.Model):
    """One walk through the guided way: which steps were seen, and what was ticked or typed so far."""

    key = models.UUIDField(primary_key=True)
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="visits", verbose_name=_("contract"))
    step = models.CharField(_("last step seen"), max_length=12)
    said = models.JSONField(_("said so far"), default=dict)
    started_at = models.DateTimeField(_("started at"), auto_now_add=True)
    seen_at = models.DateTimeField(_("last seen at"))

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.contract_id} {self.step}"
