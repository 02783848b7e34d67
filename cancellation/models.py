"""Declarations, what follows from them, and everything that happened to them.

A ``Notice`` is written once and never edited. A ``Cancellation`` changes state by the table ``ALLOWED`` only, and
every change writes an ``Event``; nothing is erased. Screens ask the ``last_day``, not whether last night's job ran.
"""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from subscriptions.amounts import Money
from subscriptions.models import Component, Contract, Customer, Plan, new_reference


def notice_reference() -> str:
    """Return a new reference of a notice, as it stands in letters and on the phone."""
    return new_reference("N")


def receipt_number() -> str:
    """Return a new number of a receipt."""
    return new_reference("R", 10)


def announcement_reference() -> str:
    """Return a new reference of a third party's announcement."""
    return new_reference("A")


def acceptance_reference() -> str:
    """Return a new reference of an option that a customer agreed to."""
    return new_reference("O")


def access_key() -> str:
    """Return what lets whoever holds it in; it stands in an address and nowhere else."""
    return secrets.token_urlsafe(32)


class OnlyAdded(models.Model):
    """Rows that are written once: one by one they are neither changed nor deleted.

    A guard against slips of ours. Statements over many rows (``update``, ``delete`` of a queryset) pass it by, for the
    erasing of words needs them; whoever may write SQL can change anything. What nobody can change unnoticed is a
    receipt that somebody keeps: it is signed.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; TypeError for one that stands already."""
        if not self._state.adding:
            raise TypeError(f"A row of {self._meta.label} is only ever added.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raise TypeError."""
        raise TypeError(f"A row of {self._meta.label} is never deleted.")


class Act(models.TextChoices):
    """What is declared. The three are never merged."""

    CANCEL = "cancel", _("cancellation")
    FOR_CAUSE = "for_cause", _("cancellation for cause")
    WITHDRAW = "withdraw", _("withdrawal")


class Channel(models.TextChoices):
    """The door through which a declaration came."""

    GUIDED = "guided", _("guided way")
    DOOR = "door", _("public page")
    AGENT = "agent", _("announcement")
    DESK = "desk", _("desk")


class Way(models.TextChoices):
    """The way out that a cancellation takes."""

    ORDINARY = "ordinary", _("ordinary notice")
    LATER = "later", _("later day")
    EARLY_RELEASE = "early_release", _("early release")
    WITHDRAWAL = "withdrawal", _("withdrawal")
    HARDSHIP = "hardship", _("hardship")
    FOR_CAUSE = "for_cause", _("for cause")
    # The place for it was missing or wrong on that day, so the law lets the contract end at once.
    AT_ONCE = "at_once", _("at once, for the public page was at fault")
    IMPORTED = "imported", _("imported")


class NoticeState(models.TextChoices):
    """What became of a declaration."""

    MATCHED = "matched", _("matched")
    UNMATCHED = "unmatched", _("unmatched")
    # More came from one address than a person sends: recorded like any other, but no mail leaves until staff look.
    QUARANTINED = "quarantined", _("held back")
    REPUDIATED = "repudiated", _("repudiated")
    # Nothing more follows from it: another notice ended the contract, it had ended already, or it was taken back.
    CLOSED = "closed", _("closed")


class Notice(OnlyAdded):
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
    # Which rules the page followed, and the button as it was labelled there.
    pack = models.CharField(_("rules"), max_length=12, blank=True)
    button = models.CharField(_("button"), max_length=200, blank=True)
    # What is asked for beside the end itself: {"way": …, "day": …, "ground": …}, each only where it was said.
    asks = models.JSONField(_("asks for"), default=dict)
    # Where the sender was, if that is known: an earlier day there counts for them.
    sender_zone = models.CharField(_("time zone of the sender"), max_length=64, blank=True)
    # Salted SHA-256 of what was declared: the words and the salt can be erased, this stays.
    digest = models.CharField(_("digest"), max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-received_at", "-pk"]

    def __str__(self) -> str:
        return self.reference


# A notice that stands without an end: whoever may take it up, close it or be asked about it finds it by this.
OPEN = Q(state=NoticeState.MATCHED, cancellation__isnull=True)
# Of these, what its holder may still choose an end for. A withdrawal that waits is the desk's, and blocks no other way.
STANDING = OPEN & ~Q(act=Act.WITHDRAW)


class Declared(models.Model):
    """What somebody wrote at a public page, in a row of its own: it is erased when its time is over."""

    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="declared", verbose_name=_("notice"))
    name = models.TextField(_("name"), blank=True)
    email = models.TextField(_("e-mail address"), blank=True)
    phone = models.TextField(_("telephone"), blank=True)
    address = models.TextField(_("postal address"), blank=True)
    reference = models.TextField(_("contract"), blank=True)
    reason = models.TextField(_("reason"), blank=True)
    wished_on = models.DateField(_("wished day"), null=True)
    salt = models.CharField(max_length=43, blank=True, editable=False)
    erase_on = models.DateField(_("to be erased on"), null=True, db_index=True)
    erased_at = models.DateTimeField(_("erased at"), null=True)

    class Meta:
        verbose_name = _("declared")
        verbose_name_plural = _("declared")

    def __str__(self) -> str:
        return self.name or str(self.notice_id)


class Evidence(models.Model):
    """A file that came with a declaration. It stands in the database, so that it is committed and backed up with it."""

    notice = models.ForeignKey(
        Notice, on_delete=models.PROTECT, null=True, related_name="evidence", verbose_name=_("notice")
    )
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(_("type"), max_length=60)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField("SHA-256", max_length=64)
    content = models.BinaryField(_("content"))
    created_at = models.DateTimeField(_("received at"), auto_now_add=True)

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


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


class Judgement(models.TextChoices):
    """What became of an earlier end that was asked for with a reason; the ordinary end is safe meanwhile."""

    NONE = "", _("nothing to judge")
    OPEN = "open", _("to be judged")
    GRANTED = "granted", _("granted")
    DECLINED = "declined", _("declined")


class Cancellation(models.Model):
    """The end of a contract that a notice brought about, on the terms that its holder was shown."""

    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="cancellations", verbose_name=_("contract")
    )
    notice = models.OneToOneField(
        Notice, on_delete=models.PROTECT, null=True, related_name="cancellation", verbose_name=_("notice")
    )
    way = models.CharField(_("way"), max_length=16, choices=Way.choices, default=Way.ORDINARY)
    judgement = models.CharField(
        _("judgement"), max_length=10, choices=Judgement.choices, default=Judgement.NONE, blank=True
    )
    quote = models.JSONField(_("quote"), default=dict)
    # What the holder chose on a later click, after the quote had changed: {"way", "day", "ground", "words", "at"}.
    chosen = models.JSONField(_("chosen afterwards"), default=dict)
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
            models.Index(fields=["id"], name="cancellation_to_judge", condition=Q(judgement="open")),
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

    @property
    def asks(self) -> dict[str, Any]:
        """Return what the holder asked for: on the later click where there was one, else with the notice."""
        return self.chosen or (self.notice.asks if self.notice else {})

    def can_be_revoked_on(self, day: date) -> bool:
        """Tell whether the holder may still undo on this local day."""
        return self.state == State.SCHEDULED and day <= self.last_day


class Event(OnlyAdded):
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


class VisitOutcome(models.TextChoices):
    """How a walk through the guided way came to its end. Leaving the page is no outcome: it is left open."""

    OPEN = "", _("left open")
    KEPT = "kept", _("kept by choice")


class Visit(models.Model):
    """One walk through the guided way: which steps were seen, and what was ticked or typed so far."""

    key = models.UUIDField(primary_key=True)
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="visits", verbose_name=_("contract"))
    step = models.CharField(_("last step seen"), max_length=12)
    said = models.JSONField(_("said so far"), default=dict)
    # The way out that was picked: {"way": …, "day": …}; empty means the ordinary one.
    chosen = models.JSONField(_("chosen way"), default=dict)
    started_at = models.DateTimeField(_("started at"), auto_now_add=True)
    seen_at = models.DateTimeField(_("last seen at"))
    # An option was accepted in this walk. That a notice ended the contract, the notice says.
    outcome = models.CharField(
        _("outcome"), max_length=8, choices=VisitOutcome.choices, default=VisitOutcome.OPEN, blank=True
    )
    # The one message about a walk that was left half-way, or that was put off; never a second one.
    reminded_at = models.DateTimeField(_("reminded at"), null=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["-seen_at"]
        indexes = [
            # What a message may still be written about.
            models.Index(fields=["seen_at"], name="visit_left_open", condition=Q(outcome="", reminded_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id} {self.step}"


class ReceiptKind(models.TextChoices):
    """What a receipt proves."""

    RECEIVED = "received", _("a declaration was received")
    END = "end", _("a contract ends")
    WITHDRAWN = "withdrawn", _("a contract is withdrawn from")
    UNDONE = "undone", _("an end is undone")


class Receipt(OnlyAdded):
    """A signed document that its holder keeps. ``document`` is what was signed, ``jws`` the signature with it."""

    number = models.CharField(_("number"), max_length=32, unique=True, default=receipt_number)
    key = models.CharField(max_length=43, unique=True, default=access_key, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=ReceiptKind.choices)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="receipts", verbose_name=_("notice"))
    cancellation = models.ForeignKey(
        Cancellation, on_delete=models.PROTECT, null=True, related_name="receipts", verbose_name=_("cancellation")
    )
    locale = models.CharField(_("language"), max_length=12, default="en")
    document = models.JSONField(_("document"))
    jws = models.TextField(_("signature"))
    kid = models.CharField(_("key"), max_length=43)
    issued_at = models.DateTimeField(_("issued at"))

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.number


class SigningKey(models.Model):
    """The public half of a key that receipts were signed with; published for good."""

    kid = models.CharField(_("key"), max_length=43, unique=True)
    public_jwk = models.JSONField(_("public key"))
    first_used_at = models.DateTimeField(_("first used at"), auto_now_add=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.kid


class AnnouncementState(models.TextChoices):
    """What the holder has answered to somebody else's announcement."""

    UNMATCHED = "unmatched", _("no contract found yet")
    ASKED = "asked", _("the holder is asked")
    YES = "yes", _("yes")
    NO = "no", _("no")
    NOT_MINE = "not_mine", _("not mine")


class Announcement(models.Model):
    """Somebody other than the holder says that a contract is to end. By itself it changes nothing."""

    reference = models.CharField(_("reference"), max_length=32, unique=True, default=announcement_reference)
    key = models.CharField(max_length=43, unique=True, default=access_key, editable=False)
    agent_name = models.TextField(_("name"))
    agent_company = models.TextField(_("company"), blank=True)
    agent_email = models.TextField(_("e-mail address"))
    about = models.TextField(_("which contract"), help_text=_("A reference, a domain, or whatever names it."))
    holder_name = models.TextField(_("name of the holder"))
    holder_email = models.TextField(_("e-mail address of the holder"), blank=True)
    wished_on = models.DateField(_("wished day"), null=True, blank=True)
    words = models.TextField(_("message"), blank=True)
    locale = models.CharField(_("language"), max_length=12, default="en")
    received_at = models.DateTimeField(_("received at"))
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, null=True, related_name="announcements", verbose_name=_("contract")
    )
    notice = models.OneToOneField(
        Notice, on_delete=models.PROTECT, null=True, related_name="announcement", verbose_name=_("notice")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=AnnouncementState.choices, default=AnnouncementState.UNMATCHED
    )
    is_held = models.BooleanField(_("held back"), default=False)
    asked_at = models.DateTimeField(_("holder asked at"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    idempotency_key = models.CharField(max_length=100, unique=True, editable=False)
    erase_on = models.DateField(_("to be erased on"), null=True, db_index=True)
    erased_at = models.DateTimeField(_("erased at"), null=True)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering = ["-received_at", "-pk"]

    def __str__(self) -> str:
        return self.reference


class PartChoice(models.TextChoices):
    """What is to become of a part of a bundle."""

    TAKE = "take", _("take along")
    KEEP = "keep", _("keep")
    LET_GO = "let_go", _("let it go")


class ComponentChoice(models.Model):
    """What a holder wants to become of one part; the latest choice stands."""

    component = models.OneToOneField(
        Component, on_delete=models.CASCADE, related_name="choice", verbose_name=_("component")
    )
    choice = models.CharField(_("choice"), max_length=8, choices=PartChoice.choices)
    chosen_at = models.DateTimeField(_("chosen at"))
    actor = models.CharField(_("by"), max_length=100)

    class Meta:
        verbose_name = _("choice for a part")
        verbose_name_plural = _("choices for parts")

    def __str__(self) -> str:
        return f"{self.component_id} {self.choice}"


class ChecklistItem(models.Model):
    """One step of leaving with a part of a bundle, in its order, by the customer or by staff."""

    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, related_name="checklist", verbose_name=_("contract")
    )
    component = models.ForeignKey(
        Component, on_delete=models.CASCADE, null=True, related_name="checklist", verbose_name=_("component")
    )
    code = models.CharField(_("step"), max_length=32)
    position = models.PositiveSmallIntegerField(_("position"))
    by_staff = models.BooleanField(_("done by staff"), default=False)
    done_at = models.DateTimeField(_("done at"), null=True)
    done_by = models.CharField(_("done by"), max_length=100, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("step of the exit checklist")
        verbose_name_plural = _("steps of the exit checklist")
        ordering = ["contract", "position", "pk"]
        constraints = [
            models.UniqueConstraint(name="one_step_a_part", fields=["contract", "component", "code"]),
            models.UniqueConstraint(
                name="one_step_a_contract", fields=["contract", "code"], condition=Q(component__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id} {self.code}"


class DoorFault(models.Model):
    """A stretch of time in which a public page was missing or wrong; ``until`` is empty while it still is."""

    pack = models.CharField(_("rules"), max_length=12)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)
    faults = models.JSONField(_("faults"), default=list)

    class Meta:
        verbose_name = _("fault of a public page")
        verbose_name_plural = _("faults of public pages")
        ordering = ["-since", "-pk"]
        constraints = [models.UniqueConstraint(name="one_open_fault", fields=["pack"], condition=Q(until__isnull=True))]

    def __str__(self) -> str:
        return f"{self.pack} {self.since:%F %T}"


class OfferKind(models.TextChoices):
    """What an option does."""

    PAUSE = "pause", _("pause")
    SMALLER_PLAN = "smaller_plan", _("smaller plan")
    TODAYS_PRICE = "todays_price", _("today’s price")
    DISCOUNT = "discount", _("discount")
    FREE_PERIOD = "free_period", _("free period")
    INTERVAL = "interval", _("other billing interval")
    HELP_SESSION = "help_session", _("help session")
    FIX = "fix", _("have a problem solved")
    SKIP = "skip", _("skip once")
    HAND_OVER = "hand_over", _("hand over to somebody else")


class Offer(models.Model):
    """An option beside leaving, as data. What was shown or agreed is kept with the version it was."""

    code = models.SlugField(_("code"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=OfferKind.choices)
    active = models.BooleanField(_("open to customers"), default=True)
    valid_from = models.DateField(_("open from"))
    valid_until = models.DateField(_("open until"), null=True, blank=True)
    # {"en": {"title": …, "text": …}, …}; what happens afterwards is worked out, never written by hand.
    texts = models.JSONField(_("texts"), default=dict)
    # What the kind needs, such as {"months": 2}; read by ``offer_rules``.
    terms = models.JSONField(_("terms"), default=dict, blank=True)
    # Codes of reasons, or of whole roots.
    reasons = models.JSONField(_("answers these reasons"), default=list, blank=True)
    plans = models.ManyToManyField(Plan, blank=True, related_name="+", verbose_name=_("plans"))
    countries = models.JSONField(_("countries"), default=list, blank=True)
    languages = models.JSONField(_("languages"), default=list, blank=True)
    eligibility = models.JSONField(_("who may have it"), default=dict, blank=True)
    budget = models.PositiveIntegerField(
        _("budget"), null=True, blank=True, help_text=_("How many may be accepted in all; empty: no limit.")
    )
    taken = models.PositiveIntegerField(_("accepted so far"), default=0, editable=False)
    cap_per_year = models.PositiveSmallIntegerField(
        _("per customer and year"), default=1, help_text=_("How often one customer may accept it within a year.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.code


class OfferVersion(OnlyAdded):
    """An option as it stood from an instant on, whole."""

    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="versions", verbose_name=_("option"))
    version = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("definition"))
    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("by"), max_length=100)

    class Meta:
        verbose_name = _("version of an option")
        verbose_name_plural = _("versions of options")
        ordering = ["offer", "-version"]
        constraints = [models.UniqueConstraint(name="one_offer_version", fields=["offer", "version"])]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.version}"


class OfferPlace(models.TextChoices):
    """Where options were shown."""

    FLOW = "flow", _("guided way")
    PAGE = "page", _("options page")


class OfferDecision(models.Model):
    """Which options somebody was shown, and for each other one why not. ``key`` makes it one a visit, or one a day."""

    key = models.CharField(max_length=100, unique=True, editable=False)
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="offer_decisions", verbose_name=_("contract")
    )
    visit = models.UUIDField(_("visit"), null=True)
    place = models.CharField(_("place"), max_length=8, choices=OfferPlace.choices)
    at = models.DateTimeField(_("at"))
    pack = models.CharField(_("rules"), max_length=12, blank=True)
    locale = models.CharField(_("language"), max_length=12, default="en")
    reasons = models.JSONField(_("reasons said"), default=list)
    # Share of the guided way that is shown nothing, so that the effect of options can be told.
    held_out = models.BooleanField(_("held out"), default=False)
    # [{"code", "version", "kind", "terms", "title", "text", "afterwards"}, …], as they were shown.
    shown = models.JSONField(_("shown"), default=list)
    # {"code": "cause", …}
    not_shown = models.JSONField(_("not shown"), default=dict)
    fault = models.TextField(_("fault"), blank=True)
    declined_at = models.DateTimeField(_("declined at"), null=True)

    class Meta:
        verbose_name = _("decision about options")
        verbose_name_plural = _("decisions about options")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["contract", "-at"], name="offer_decision_of_contract"),
            models.Index(fields=["place", "at"], name="offer_decision_when"),
        ]

    def __str__(self) -> str:
        return self.key


class AcceptanceState(models.TextChoices):
    """Where an agreed option stands. It counts from the moment it is agreed; billing follows."""

    ACCEPTED = "accepted", _("agreed")
    APPLIED = "applied", _("carried out")
    FAILED = "failed", _("could not be carried out yet")
    REVERTED = "reverted", _("taken back")
    OVER = "over", _("over")


# What still binds: agreed and not taken back, nor over.
RUNNING_STATES = (AcceptanceState.ACCEPTED, AcceptanceState.APPLIED, AcceptanceState.FAILED)


class Acceptance(models.Model):
    """An option that a customer agreed to, on the terms they were shown."""

    reference = models.CharField(_("reference"), max_length=32, unique=True, default=acceptance_reference)
    # One for each page that was shown: accepting twice, in two tabs, finds the first.
    idempotency_key = models.CharField(max_length=100, unique=True, editable=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="acceptances", verbose_name=_("option"))
    version = models.PositiveIntegerField(_("version"))
    kind = models.CharField(_("kind"), max_length=16, choices=OfferKind.choices)
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="acceptances", verbose_name=_("contract")
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="acceptances", verbose_name=_("customer")
    )
    visit = models.UUIDField(_("visit"), null=True)
    place = models.CharField(_("place"), max_length=8, choices=OfferPlace.choices)
    # As shown: figures, and the words in the customer's language.
    terms = models.JSONField(_("terms"))
    title = models.CharField(_("title"), max_length=200)
    afterwards = models.TextField(_("what happens afterwards"), blank=True)
    locale = models.CharField(_("language"), max_length=12, default="en")
    # What the customer asked for with it: days that suit, words, the other person.
    asked = models.JSONField(_("asked for"), default=dict)
    # What stood on the contract before, so that it can be put back.
    before = models.JSONField(_("before"), default=dict)
    starts_on = models.DateField(_("starts on"))
    until = models.DateField(_("until"), null=True)
    # A change of price for a while: of these, one at a time.
    is_passing = models.BooleanField(_("for a while"), default=False)
    cost_minor = models.BigIntegerField(_("what it costs the business, in minor units"), default=0)
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(
        _("state"), max_length=12, choices=AcceptanceState.choices, default=AcceptanceState.ACCEPTED
    )
    fault = models.TextField(_("fault"), blank=True)
    accepted_at = models.DateTimeField(_("agreed at"))
    closed_at = models.DateTimeField(_("taken back or over at"), null=True)

    class Meta:
        verbose_name = _("agreed option")
        verbose_name_plural = _("agreed options")
        ordering = ["-accepted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_passing_price",
                fields=["contract"],
                condition=Q(is_passing=True, state__in=["accepted", "applied", "failed"]),
            ),
            models.CheckConstraint(name="acceptance_cost_not_negative", condition=Q(cost_minor__gte=0)),
        ]
        indexes = [models.Index(fields=["customer", "offer", "-accepted_at"], name="acceptance_of_customer")]

    def __str__(self) -> str:
        return self.reference


class OfferWhat(models.TextChoices):
    """What can happen to an option, as the ledger names it."""

    SHOWN = "shown", pgettext_lazy("option ledger", "shown")
    DECLINED = "declined", _("declined")
    ACCEPTED = "accepted", _("agreed")
    APPLIED = "applied", _("carried out")
    FAILED = "failed", _("failed")
    EXPIRED = "expired", _("no longer open when accepted")
    REVERTED = "reverted", _("taken back")
    OVER = "over", _("over")


class OfferEvent(OnlyAdded):
    """The ledger of options: one thing that happened to one option of one contract. Only ever added."""

    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="events", verbose_name=_("option"))
    version = models.PositiveIntegerField(_("version"))
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="offer_events", verbose_name=_("contract")
    )
    acceptance = models.ForeignKey(
        Acceptance, on_delete=models.PROTECT, null=True, related_name="events", verbose_name=_("agreed option")
    )
    visit = models.UUIDField(_("visit"), null=True)
    place = models.CharField(_("place"), max_length=8, choices=OfferPlace.choices)
    what = models.CharField(_("what"), max_length=12, choices=OfferWhat.choices)
    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("by"), max_length=100)
    why = models.TextField(_("why"), blank=True)

    class Meta:
        verbose_name = _("entry of the option ledger")
        verbose_name_plural = _("option ledger")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["offer", "what", "at"], name="offer_event_what"),
            models.Index(fields=["contract", "-at"], name="offer_event_of_contract"),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.what} {self.at:%F %T}"


class TaskKind(models.TextChoices):
    """What somebody of the staff has to do."""

    HELP_SESSION = "help_session", _("hold a help session")
    FIX = "fix", _("solve a problem")
    HAND_OVER = "hand_over", _("arrange a hand-over")
    BILLING = "billing", _("put billing right")
    REPUDIATED = "repudiated", _("look at what the holder did not declare")


class DeskTask(models.Model):
    """Work for a person of the staff, such as an agreed option has left. A customer waits for it."""

    kind = models.CharField(_("what"), max_length=16, choices=TaskKind.choices)
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="desk_tasks", verbose_name=_("contract")
    )
    acceptance = models.ForeignKey(
        Acceptance, on_delete=models.PROTECT, null=True, related_name="tasks", verbose_name=_("agreed option")
    )
    # What the customer wrote; erased with the rest of their words.
    words = models.TextField(_("words"), blank=True)
    wishes = models.JSONField(_("wishes"), default=dict, blank=True)
    is_urgent = models.BooleanField(_("urgent"), default=False)
    created_at = models.DateTimeField(_("created at"))
    done_at = models.DateTimeField(_("done at"), null=True)
    done_by = models.CharField(_("done by"), max_length=100, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ["-is_urgent", "created_at", "pk"]
        indexes = [models.Index(fields=["created_at"], name="desk_task_open", condition=Q(done_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.contract_id}"


class DeletionRequest(models.Model):
    """Somebody asked to have their data deleted. What the law has kept a while is deleted when that is over."""

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="deletion_requests", verbose_name=_("customer")
    )
    asked_at = models.DateTimeField(_("asked at"))
    actor = models.CharField(_("by"), max_length=100)
    # The day on which the last duty to keep ends; empty while a contract is alive.
    erase_on = models.DateField(_("to be erased on"), null=True, db_index=True)
    taken_back_at = models.DateTimeField(_("taken back at"), null=True)
    done_at = models.DateTimeField(_("done at"), null=True)

    class Meta:
        verbose_name = _("request for deletion")
        verbose_name_plural = _("requests for deletion")
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_open_deletion",
                fields=["customer"],
                condition=Q(done_at__isnull=True, taken_back_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.asked_at:%F}"
