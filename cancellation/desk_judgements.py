"""The desk's judgement of an earlier end that was asked for with a reason: hardship, or a cause.

The ordinary end is scheduled already and safe; a person grants an earlier one, or says why not.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cancellation import actions, desk
from cancellation.models import Cancellation, Judgement, State
from config.formats import format_day


class JudgementForm(forms.Form):
    """Grant an end on a day, or decline; both with the reason that the holder reads."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[("grant", _("Grant the earlier end, without a fee")), ("decline", _("Keep the ordinary end"))],
        widget=forms.RadioSelect,
    )
    last_day = forms.DateField(
        label=_("Last day, if granted"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    why = forms.CharField(
        label=_("Reason, in words that the holder may read"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )

    def __init__(self, live: Cancellation, today: date, *args: Any, **kwargs: Any) -> None:
        self.live, self.today = live, today
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """Ask for the day where an earlier end is granted, and for one that is earlier."""
        given = super().clean() or {}
        if given.get("decision") != "grant" or "last_day" in self.errors:
            return given
        day = given.get("last_day")
        if day is None:
            self.add_error("last_day", _("Give the day on which the contract is to end."))
        elif not self.live.received_on <= day < self.live.last_day:
            told = _("Give a day from %(first)s on and before %(last)s.") % {
                "first": format_day(self.live.received_on),
                "last": format_day(self.live.last_day),
            }
            self.add_error("last_day", told)
        return given


def judge(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the case with what was declared, and take the decision; a case that was decided meanwhile says so."""
    live = (
        Cancellation.objects.select_related("contract__customer", "contract__plan__product", "notice")
        .filter(pk=pk)
        .first()
    )
    if live is None:
        raise Http404
    if not request.user.has_perm("cancellation.change_cancellation"):
        raise PermissionDenied
    form = JudgementForm(live, timezone.localdate(), request.POST or None)
    back = reverse("admin:cancellation_cancellation_change", args=[pk])
    if live.state == State.REVOKED or live.judgement != Judgement.OPEN:
        messages.info(request, _("There is nothing to judge here any more."))
        return HttpResponseRedirect(back)
    if request.method == "POST" and form.is_valid():
        _decide(request, live, form.cleaned_data)
        return HttpResponseRedirect(back)
    context = {
        **admin.site.each_context(request),
        "title": _("Judge an earlier end"),
        "live": live,
        "declared": getattr(live.notice, "declared", None),
        "moments": desk.timeline([live.contract]),
        "form": form,
        "back": back,
    }
    return render(request, "admin/desk/judge.html", context, status=422 if form.is_bound else 200)


def _decide(request: HttpRequest, live: Cancellation, given: dict[str, Any]) -> None:
    actor = actions.Actor.staff(request.user.get_username())
    if given["decision"] == "decline":
        actions.decline_early(cancellation_id=live.pk, actor=actor, why=given["why"])
        messages.success(request, _("The ordinary end stands. The holder gets a letter with your reason."))
        return
    try:
        actions.release_early(cancellation_id=live.pk, last_day=given["last_day"], actor=actor, why=given["why"])
    except actions.CannotMove:
        messages.error(request, _("The end could not be moved: it is not scheduled any more, or ends earlier already."))
        return
    messages.success(request, _("The contract ends earlier now. The holder gets a new confirmation."))


def urls() -> list[URLPattern]:
    """Return the page of a judgement, for the admin of cancellations."""
    view = admin.site.admin_view(judge)
    return [path("<int:pk>/judge/", view, name="cancellation_cancellation_judge")]
