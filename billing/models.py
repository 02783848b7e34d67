"""What the billing side has to do because of a cancellation, or of an option that was agreed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from subscriptions.models import Contract


class Kind(models.TextChoices):
    """What is to be done."""

    END = "end", _("end the contract")
    UNDO = "undo", _("let the contract go on")
    REFUND = "refund", _("pay a refund")
    FEE = "fee", _("charge the fee for leaving")
    # What follows from an option that was agreed; its figures stand in ``facts``.
    PLAN = "plan", _("change the plan")
    PRICE = "price", _("change the price")
    DISCOUNT = "discount", _("charge less for a while")
    PAUSE = "pause", _("pause the contract")
    INTERVAL = "interval", _("change the billing interval")
    SKIP = "skip", _("skip a period")
    RESTORE = "restore", _("put back what was agreed before")


class Outcome(models.TextChoices):
    """How far it is."""

    OPEN = "open", _("to be done")
    DONE = "done", _("done")
    DROPPED = "dropped", _("no longer needed")
    FAILED = "failed", _("failed")


class Instruction(models.Model):
    """One act for the billing side. Without an adapter, staff carry it out by hand and mark it done."""

    key = models.CharField(max_length=200, unique=True, editable=False)
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="instructions", verbose_name=_("contract")
    )
    # One of the two; neither is a foreign key upwards.
    cancellation_id = models.BigIntegerField(_("cancellation"), null=True, blank=True, db_index=True)
    acceptance_id = models.BigIntegerField(_("agreed option"), null=True, blank=True, db_index=True)
    kind = models.CharField(_("what"), max_length=8, choices=Kind.choices)
    on_day = models.DateField(_("for the day"))
    amount_minor = models.BigIntegerField(_("amount, in minor units"), default=0)
    currency = models.CharField(_("currency"), max_length=3)
    facts = models.JSONField(_("figures"), default=dict, blank=True)
    fault = models.TextField(_("what went wrong"), blank=True)
    system = models.CharField(_("system"), max_length=32, default="by-hand")
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, default=Outcome.OPEN)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("instruction")
        verbose_name_plural = _("instructions")
        ordering = ["outcome", "on_day", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on_day}"
