"""The report pages: who may read them, and one request turned into one call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from reports import exports, option_exports, option_pages, pages, queries
from reports import fairness as meter
from reports.forms import Filters
from reports.queries import By

PERMISSION = "reports.view_reports"
# What can be downloaded, by its name in the address.
DOWNLOADS = {
    "month,root": (By.MONTH, By.ROOT),
    "root": (By.ROOT,),
    "reason": (By.REASON,),
    "category,reason": (By.CATEGORY, By.REASON),
    "plan": (By.PLAN,),
}

View = Callable[[HttpRequest], HttpResponse]


def for_managers(view: View) -> View:
    """Open a page to staff with the permission; others sign in first, or are told whom to ask (403)."""

    @functools.wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not (request.user.is_staff and request.user.has_perm(PERMISSION)):
            return render(request, "reports/forbidden.html", status=403)
        return view(request)

    return inner


@require_safe
@for_managers
def reasons(request: HttpRequest) -> HttpResponse:
    """Show why customers left: by month and root, by root, by reason."""
    form = Filters(request.GET)
    if not form.is_valid():
        return render(request, "reports/reasons.html", {"form": form, "presets": presets(request)}, status=422)
    context = {"form": form, "presets": presets(request), "query": request.GET.urlencode()}
    return render(request, "reports/reasons.html", context | pages.reasons(form.within()))


@require_safe
@for_managers
def reasons_csv(request: HttpRequest) -> HttpResponse:
    """Download the figures of the page. ``by`` chooses the breakdown."""
    form = Filters(request.GET)
    by = DOWNLOADS.get(request.GET.get("by", "month,root"))
    if by is None or not form.is_valid():
        return refused(form, {} if by else {"by": DOWNLOADS})
    text = exports.as_csv(queries.figures(by, form.within()), line_end="\r\n")
    return csv_file(text, f"reasons-by-{'-and-'.join(by)}.csv")


@require_safe
@for_managers
def options(request: HttpRequest) -> HttpResponse:
    """Show what options do: those who were shown some beside those held out, how visits ended, option by option."""
    form = Filters(request.GET)
    context = {"form": form, "presets": presets(request), "needed": settings.EFFECT_MIN}
    if not form.is_valid():
        return render(request, "reports/options.html", context, status=422)
    context["query"] = request.GET.urlencode()
    return render(request, "reports/options.html", context | option_pages.options(form.within(), timezone.now()))


@require_safe
@for_managers
def options_csv(request: HttpRequest) -> HttpResponse:
    """Download the figures of the page about options. ``what`` chooses the table."""
    form = Filters(request.GET)
    what = request.GET.get("what", "effect")
    if what not in option_exports.TABLES or not form.is_valid():
        known = {} if what in option_exports.TABLES else {"what": option_exports.TABLES}
        return refused(form, known)
    text = option_exports.as_csv(what, form.within(), timezone.now())
    return csv_file(text, f"options-{what}.csv")


@require_safe
@for_managers
def fairness(request: HttpRequest) -> HttpResponse:
    """Show what each way out asks of somebody, beside its limits and what others published."""
    try:
        told = meter.card()
    except meter.NoCard:
        # A card that is gone or broken is said so; it takes nothing else with it.
        return render(request, "reports/fairness.html")
    return render(request, "reports/fairness.html", meter.page(told, settings.JOIN_COUNTERS))


@require_safe
@for_managers
def fairness_json(request: HttpRequest) -> HttpResponse:
    """Download the card as it is shipped."""
    headers = {"Content-Disposition": 'attachment; filename="fairness.json"'}
    try:
        return HttpResponse(meter.CARD.read_bytes(), content_type="application/json", headers=headers)
    except OSError:
        return HttpResponse(_("There is no card.") + "\n", "text/plain; charset=utf-8", status=404)


def refused(form: Filters, unknown: Mapping[str, Iterable[str]]) -> HttpResponse:
    """Return what is wrong with what was asked for, as text; ``unknown`` names what can be given instead."""
    wrong = [f"{name}: {' '.join(map(str, said))}" for name, said in form.errors.items()]
    instead = _("give one of")
    others = [f"{name}: {instead} {' | '.join(known)}" for name, known in unknown.items()]
    return HttpResponse("\n".join([*wrong, *others]) + "\n", "text/plain; charset=utf-8", status=422)


def csv_file(text: str, name: str) -> HttpResponse:
    """Return a table as a file that spreadsheets open."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    # With a byte order mark, or spreadsheets take the file for another encoding.
    return HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8", headers=headers)


def presets(request: HttpRequest) -> list[tuple[str, str, bool]]:
    """Return the periods that are asked for most: name, query (plan and country stay), and whether it is this one."""
    today = timezone.localdate()
    last_month = date(today.year - (today.month == 1), (today.month - 2) % 12 + 1, 1)
    periods = [
        (_("All time"), ""),
        (_("A year back"), date(today.year - 1, today.month, 1).isoformat()),
        (_("This year"), date(today.year, 1, 1).isoformat()),
        (_("Since last month"), last_month.isoformat()),
    ]
    kept = {name: request.GET[name] for name in ("plan", "country") if request.GET.get(name)}
    asked = request.GET.get("from", ""), request.GET.get("to", "")
    return [(name, "?" + urlencode(kept | ({"from": day} if day else {})), asked == (day, "")) for name, day in periods]
