"""The desk's word on whether a customer is written to: noted for them when they ask, lifted only with a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cancellation import desk
from cancellation.actions import Actor
from messaging import suppression
from subscriptions import choices
from subscriptions.models import ConsentTopic, Customer


class ContactForm(forms.Form):
    """Why; needed where contact is to be allowed again, for the customer said otherwise."""

    why = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as: asked for it on the phone."),
    )

    def __init__(self, is_suppressed: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Which of the two the page offered: what somebody else has done meanwhile is not turned round.
        self.fields["lifts"] = forms.BooleanField(required=False, initial=is_suppressed, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Refuse to lift without a reason."""
        given = super().clean() or {}
        if given.get("lifts") and not given.get("why", "").strip():
            self.add_error("why", _("Write why: the customer asked not to be contacted."))
        return given


def contact(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what stands, and note that a customer wants no further contact, or that they may be written to again."""
    customer = Customer.objects.filter(pk=pk).first()
    if customer is None:
        raise Http404
    if not request.user.has_perm("subscriptions.change_customer"):
        raise PermissionDenied
    since = suppression.since(customer)
    form = ContactForm(since is not None, request.POST or None)
    back = reverse("admin:subscriptions_customer_change", args=[pk])
    if request.method == "POST" and form.is_valid():
        _write(request, customer, form.cleaned_data)
        return HttpResponseRedirect(back)
    context = {
        **admin.site.each_context(request),
        "title": _("Further contact"),
        "customer": customer,
        "since": timezone.localtime(since) if since else None,
        "form": form,
        "back": back,
    }
    return render(request, "admin/desk/contact.html", context, status=422 if form.is_bound else 200)


def _write(request: HttpRequest, customer: Customer, given: dict[str, Any]) -> None:
    write = suppression.lift if given["lifts"] else suppression.suppress
    is_new = write(
        customer=customer,
        actor=Actor.staff(request.user.get_username()).name,
        at=timezone.now(),
        locale=get_language() or "en",
        why=given["why"],
    )
    if not is_new:
        messages.info(request, _("Nothing to change: this stood already."))
    elif given["lifts"]:
        messages.success(request, _("The customer may be written to again."))
    else:
        messages.success(request, _("From now on only what is necessary is sent to this customer."))


def urls() -> list[URLPattern]:
    """Return the page, for the admin of customers."""
    view = admin.site.admin_view(contact)
    return [path("<int:pk>/contact/", view, name="subscriptions_customer_contact")]


def panel(customer: Customer) -> dict[str, Any]:
    """Return what the desk's page of a customer shows: what stands on each topic, and since when."""
    said = choices.standing(customer)
    since = suppression.since(customer)
    return {
        "suppressed_since": timezone.localtime(since) if since else None,
        "choices": [_line(topic, said) for topic in ConsentTopic if topic != ConsentTopic.CONTACT],
        "choices_history": [
            (timezone.localtime(word.at), desk.choice_in_words(word), desk.who(word.actor), word)
            for word in choices.history(customer)
        ],
    }


def _line(topic: ConsentTopic, said: dict[str, Any]) -> dict[str, Any]:
    word = said.get(topic)
    return {
        "label": topic.label,
        "given": word.given if word else choices.UNSAID[topic],
        "since": timezone.localtime(word.at) if word else None,
    }
