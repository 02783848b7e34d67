"""Letters as they were sent."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from subscriptions.models import Contract, Customer


class Fault(models.TextChoices):
    """Why a letter cannot be sent, now or ever."""

    NO_ADDRESS = "no-address", _("no e-mail address is on file")
    BAD_ADDRESS = "bad-address", _("the e-mail address on file is not one")
    NOT_WANTED = "not-wanted", _("the customer asked not to be contacted")
    TOO_LATE = "too-late", _("it would have come too late")


class Letter(models.Model):
    """A mail as it left: a snapshot, never edited. A secret link in it is blotted out here."""

    key = models.CharField(max_length=200, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    locale = models.CharField(_("language"), max_length=12)
    # No EmailField: what stands on the customer is kept as it is, even where nothing can be sent there.
    to = models.CharField(_("to"), max_length=254, blank=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="letters", verbose_name=_("customer")
    )
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, null=True, related_name="letters", verbose_name=_("contract")
    )
    subject = models.CharField(_("subject"), max_length=300)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"))
    message_id = models.CharField(_("Message-ID"), max_length=255)
    created_at = models.DateTimeField(_("written at"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    # Nothing is tried again; somebody has to write by post, or ask for an address.
    undeliverable = models.CharField(_("cannot be sent because"), max_length=200, blank=True, choices=Fault.choices)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.subject


class Suppression(models.Model):
    """“Please do not contact me again”: only what has to be sent is sent. A row that is gone was lifted."""

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, related_name="suppression", verbose_name=_("customer")
    )
    since = models.DateTimeField(_("since"))
    actor = models.CharField(_("by"), max_length=100)

    class Meta:
        verbose_name = _("no further contact")
        verbose_name_plural = _("no further contact")
        ordering = ["-since"]

    def __str__(self) -> str:
        return str(self.customer_id)
