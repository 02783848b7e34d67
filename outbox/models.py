"""Promises of side effects, written in the transaction of the fact that causes them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Entry(models.Model):
    """One promised side effect. The row is the promise; a delivered row stays as proof."""

    topic = models.CharField(_("topic"), max_length=40)
    dedupe_key = models.CharField(_("key"), max_length=200, unique=True)
    payload = models.JSONField(_("payload"), default=dict)
    # Entries of one topic and lane leave one after the other, as they were promised; "" waits for nobody.
    lane = models.CharField(max_length=64, blank=True, editable=False)
    due_at = models.DateTimeField(_("due at"))
    claimed_at = models.DateTimeField(_("claimed at"), null=True, editable=False)
    claimed_by = models.CharField(_("claimed by"), max_length=100, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    dead_at = models.DateTimeField(_("given up at"), null=True)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("outbox entry")
        verbose_name_plural = _("outbox entries")
        ordering = ["-pk"]
        indexes = [
            models.Index(
                name="outbox_pending",
                fields=["due_at", "id"],
                condition=Q(delivered_at__isnull=True, dead_at__isnull=True),
            ),
            models.Index(
                name="outbox_lane",
                fields=["topic", "lane", "id"],
                condition=Q(delivered_at__isnull=True, dead_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.dedupe_key
