"""Why customers leave: the reason tree, and what they said.

The tree has five roots (``VOICES``: outcome, outlook, relationship, cost, circumstance); what a customer did not
say has the root ``unstated``. Going elsewhere is a separate fact, not a reason.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from subscriptions.models import Contract
from subscriptions.wording import refused


class Root(models.TextChoices):
    """The five sources of a reason, and the silence beside them."""

    OUTCOME = "outcome", _("Outcome")
    OUTLOOK = "outlook", _("Outlook")
    RELATIONSHIP = "relationship", _("Relationship")
    COST = "cost", _("Cost")
    CIRCUMSTANCE = "circumstance", _("Circumstance")
    UNSTATED = "unstated", _("Not stated")


class Reason(models.Model):
    """A reason that can be ticked, below one of the roots."""

    code = models.SlugField(_("code"), max_length=64, unique=True)
    root = models.CharField(_("root"), max_length=16, choices=Root.choices)
    labels = models.JSONField(_("labels"), help_text=_('The wording per language: {"en": …, "de": …}.'))
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    active = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("reason")
        verbose_name_plural = _("reasons")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Refuse a label that presses. The desk's form says so at the box; this is for whoever comes without it."""
        labels = self.labels if isinstance(self.labels, dict) else {}
        if wrong := refused((language, str(words)) for language, words in labels.items()):
            raise ValidationError(list(wrong.values()))

    @property
    def label(self) -> str:
        """Return the wording in the active language, else in English, else the code."""
        language = (translation.get_language() or "en").split("-")[0]
        return str(self.labels.get(language) or self.labels.get("en") or self.code)


class Answer(models.Model):
    """What one customer said about one cancellation. Imported words are kept as imported."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="answers", verbose_name=_("contract"))
    # No foreign key upwards: the notice path must not depend on feedback.
    cancellation_id = models.BigIntegerField(_("cancellation"), unique=True)
    root = models.CharField(_("root"), max_length=16, choices=Root.choices, default=Root.UNSTATED)
    primary = models.ForeignKey(
        Reason, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("main reason")
    )
    reasons = models.ManyToManyField(Reason, blank=True, related_name="answers", verbose_name=_("reasons"))
    went_elsewhere = models.BooleanField(_("went elsewhere"), null=True)
    words = models.TextField(_("in their own words"), blank=True)
    went_well = models.TextField(_("what went well"), blank=True)
    imported_category = models.CharField(_("category as imported"), max_length=200, blank=True)
    imported_reason = models.CharField(_("reason as imported"), max_length=200, blank=True)
    said_at = models.DateTimeField(_("said at"))

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["-said_at", "-pk"]

    def __str__(self) -> str:
        return self.imported_reason or (self.primary.label if self.primary else self.get_root_display())
