"""How visits to the guided way were over, month by month.

A visit in which notice was given is *ended*, also where an option was agreed to before or the notice was undone
afterwards. One in which an option was agreed to is *kept by choice*. Every other one is *left open*: somebody left the
page, which is no decision, and nothing is known of why. A visit that may still be going on is not counted yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from cancellation.models import Channel, Notice, Visit, VisitOutcome
from cancellation.steps import visit_named_by
from reports.fates import CHUNK
from reports.queries import Slice
from reports.windows import Window

ENDED, KEPT, LEFT_OPEN = range(3)


@dataclass(frozen=True, slots=True)
class MonthLine:
    """The visits that began in a month. ``month`` is its first day, in the desk's time zone."""

    month: date
    ended: int
    kept: int
    left_open: int

    @property
    def total(self) -> int:
        """Return all visits of the month."""
        return self.ended + self.kept + self.left_open


def months(within: Slice, now: datetime) -> list[MonthLine]:
    """Return a line per month in which visits began, with two statements."""
    window = Window.of(within)
    ended = {visit for key in _notice_keys(window) if (visit := visit_named_by(key))}
    still_going = now - timedelta(hours=settings.CUSTOMER_COOKIE_HOURS)
    zone = timezone.get_current_timezone()
    counts: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    rows = window.rows(Visit.objects.order_by(), "started_at")
    for key, outcome, started_at, seen_at in rows.values_list("key", "outcome", "started_at", "seen_at").iterator(
        CHUNK
    ):
        how = ENDED if key in ended else KEPT if outcome == VisitOutcome.KEPT else LEFT_OPEN
        if how != LEFT_OPEN or seen_at <= still_going:
            counts[started_at.astimezone(zone).date().replace(day=1)][how] += 1
    return [MonthLine(month, *numbers) for month, numbers in sorted(counts.items())]


def _notice_keys(window: Window) -> Iterator[str]:
    # A notice may follow its visit by some hours, into the next month.
    rows = window.rows(Notice.objects.filter(channel=Channel.GUIDED).order_by(), "received_at", open_ended=True)
    yield from rows.values_list("idempotency_key", flat=True).iterator(CHUNK)
