"""The desk's page of options: what may be offered, to whom, in which words; each change is a version of its own.

What an option does is worked out by the rules; here staff say what they want and are told what cannot be.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cancellation import desk, desk_options, offering
from cancellation.admin import actor_of
from cancellation.desk_announcements import ContractForm
from cancellation.desk_offer_words import differences, figures
from cancellation.desk_options import title_of
from cancellation.models import Offer, OfferEvent, OfferKind, OfferWhat
from cancellation.offer_advice import advice
from cancellation.offer_boxes import KINDS, TERM_BOXES, TEXT_BOXES, WHO_BOXES, as_dict
from cancellation.offer_forms import CHANGED_MEANWHILE, FORMS
from cancellation.offer_trial import may_try, tried
from cancellation.offer_versions import ChangedMeanwhile, close_offers, delete_offer, history, save_offer, was_used
from config.admin import DeskAdmin, condition_filter, day, instant, link_to, url_of

COUNTED = {"shown": OfferWhat.SHOWN, "agreed": OfferWhat.ACCEPTED, "declined": OfferWhat.DECLINED}


def _number_of(what: str) -> Any:
    rows = OfferEvent.objects.filter(offer=OuterRef("pk"), what=what).order_by().values("offer")
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


@admin.register(Offer)
class OfferAdmin(DeskAdmin):
    """Options. One that somebody was shown or agreed to is closed, never deleted."""

    list_display = ("title", "kind", "is_open", "budget_taken", "were_shown", "were_agreed", "were_declined")
    list_display_links = ("title",)
    list_filter = (
        condition_filter(
            title=gettext_lazy("state"),
            parameter="state",
            conditions={
                "open": (gettext_lazy("open now"), Q(active=True)),
                "closed": (gettext_lazy("closed"), Q(active=False)),
            },
        ),
        "kind",
    )
    ordering = ("position", "pk")
    search_fields = ("code",)
    search_help_text = gettext_lazy("By code")
    actions = ("close",)
    change_form_template = "admin/desk/offer.html"

    # The list.

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count for the list what happened to each option, in the same statement."""
        rows = super().get_queryset(request)
        is_list = request.resolver_match and request.resolver_match.url_name == "cancellation_offer_changelist"
        return rows.annotate(**{name: _number_of(what) for name, what in COUNTED.items()}) if is_list else rows

    @admin.display(description=gettext_lazy("option"))
    def title(self, offer: Offer) -> str:
        """Return the title in the reader's language, else in English, else the code."""
        return title_of(offer)

    @admin.display(description=gettext_lazy("open now"), ordering="active")
    def is_open(self, offer: Offer) -> str:
        """Return whether it is open today, or from when, or since when not."""
        return open_in_words(offer)

    @admin.display(description=gettext_lazy("accepted of budget"), ordering="taken")
    def budget_taken(self, offer: Offer) -> str:
        """Return how many were accepted, and of how many where there is a limit."""
        if offer.budget is None:
            return _("%(taken)d, no limit") % {"taken": offer.taken}
        return _("%(taken)d of %(budget)d") % {"taken": offer.taken, "budget": offer.budget}

    @admin.display(description=gettext_lazy("times shown"), ordering="shown")
    def were_shown(self, offer: Any) -> int:
        """Return how often it was shown."""
        return int(offer.shown)

    @admin.display(description=gettext_lazy("times agreed"), ordering="agreed")
    def were_agreed(self, offer: Any) -> int:
        """Return how often it was agreed."""
        return int(offer.agreed)

    @admin.display(description=gettext_lazy("times declined"), ordering="declined")
    def were_declined(self, offer: Any) -> int:
        """Return how often it was declined."""
        return int(offer.declined)

    @admin.action(description=gettext_lazy("Close: nobody else is shown it"), permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Offer]) -> None:
        """Close chosen options; what was agreed stays as agreed."""
        ids = list(queryset.values_list("pk", flat=True))
        closed = close_offers(ids=ids, actor=actor_of(request), at=timezone.now())
        transaction.on_commit(offering.forget_offers)
        said = ngettext("%(n)d option is closed.", "%(n)d options are closed.", closed) % {"n": closed}
        self.message_user(request, said, messages.SUCCESS if closed else messages.INFO)

    # The form.

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form of the option's kind."""
        kwargs["form"] = FORMS[obj.kind if obj else kind_of(request)]
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep what others refer to; open pages send the code, and agreements name the kind."""
        if obj is None:
            return ("what_it_does",)
        return ("code", "what_it_does", "accepted", *SAID)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the boxes of the option's kind; to who may only look, the same as text."""
        if obj is not None and not self.has_change_permission(request, obj):
            return SAID_SETS
        kind = obj.kind if obj else kind_of(request)
        terms = ((_("What it offers"), {"fields": tuple(TERM_BOXES[kind])}),) if TERM_BOXES[kind] else ()
        counted = ("accepted",) if obj else ()
        return (
            (None, {"fields": ("read", "code", "what_it_does", "active", "valid_from", "valid_until")}),
            *terms,
            (_("Words for the customer"), {"fields": tuple(TEXT_BOXES), "description": WORDS_HELP}),
            (_("Which reasons it answers"), {"fields": ("reasons",)}),
            (_("Who may have it"), {"fields": ("plans", "countries", "languages", *WHO_BOXES)}),
            (_("How many"), {"fields": ("budget", *counted, "cap_per_year", "position")}),
        )

    @admin.display(description=gettext_lazy("kind"))
    def what_it_does(self, offer: Offer) -> SafeString:
        """Return the kind, and what it does."""
        name = OfferKind(offer.kind).label
        return format_html("<strong>{}</strong> – {}", name, KINDS[offer.kind])

    @admin.display(description=gettext_lazy("accepted so far"))
    def accepted(self, offer: Offer) -> int:
        """Return how many were accepted."""
        return offer.taken

    @admin.display(description=gettext_lazy("what it offers"))
    def said_terms(self, offer: Offer) -> SafeString:
        """Return the terms, one a line."""
        return _lines(figures(offer.terms))

    @admin.display(description=gettext_lazy("words for the customer"))
    def said_texts(self, offer: Offer) -> SafeString:
        """Return title and text in each language."""
        rows = ((code, words.get("title", ""), words.get("text", "")) for code, words in _texts(offer))
        return format_html_join("", '<p lang="{0}">{0}: <strong>{1}</strong><br>{2}</p>', rows)

    @admin.display(description=gettext_lazy("answers these reasons"))
    def said_reasons(self, offer: Offer) -> str:
        """Return the reasons in words."""
        labels = desk_options.labels_of(offer.reasons)
        return ", ".join(labels.get(code, code) for code in offer.reasons)

    @admin.display(description=gettext_lazy("plans"))
    def said_plans(self, offer: Offer) -> str:
        """Return the plans, or that all are meant."""
        return ", ".join(plan.name for plan in offer.plans.order_by("name")) or _("all")

    @admin.display(description=gettext_lazy("countries"))
    def said_countries(self, offer: Offer) -> str:
        """Return the countries, or that all are meant."""
        return ", ".join(offer.countries) or _("all")

    @admin.display(description=gettext_lazy("languages"))
    def said_languages(self, offer: Offer) -> str:
        """Return the languages, or that all are meant."""
        return ", ".join(offer.languages) or _("all")

    @admin.display(description=gettext_lazy("who may have it"))
    def said_eligibility(self, offer: Offer) -> SafeString | str:
        """Return the conditions, one a line."""
        return _lines(figures(offer.eligibility)) or _("everybody")

    # Saving.

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask which kind of option it is to be; then show the form of that kind."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.GET.get("kind") not in OfferKind.values:
            return self._ask_kind(request)
        return super().add_view(request, form_url, extra_context)

    def _ask_kind(self, request: HttpRequest) -> HttpResponse:
        kinds = [(code, label, KINDS[code]) for code, label in OfferKind.choices]
        context = {
            **self.admin_site.each_context(request),
            "title": _("A new option: what is it to do?"),
            "opts": self.opts,
            "kinds": kinds,
        }
        return TemplateResponse(request, "admin/desk/offer_kinds.html", context)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show and save the form; what somebody else saved in the same moment is never overwritten."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ChangedMeanwhile:
            messages.error(request, str(CHANGED_MEANWHILE))
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save with a version, let the next page offer what now stands, and say what is worth knowing."""
        now, plans = timezone.now(), list(form.cleaned_data["plans"])
        version = save_offer(
            offer=obj, plans=plans, read=form.cleaned_data.get("read"), actor=actor_of(request), at=now
        )
        transaction.on_commit(offering.forget_offers)
        if version is None:
            self.message_user(request, _("Nothing has changed, so there is no new version."), messages.INFO)
        for told in advice(obj, plans, timezone.localdate(now)):
            self.message_user(request, told, messages.WARNING)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow an option to go that nobody was ever shown, one at a time."""
        return obj is not None and request.user.has_perm("cancellation.delete_offer") and not was_used(obj)

    def get_deleted_objects(self, objs: Any, request: Any) -> Any:
        """Name what goes: the option with its versions, which nothing refers to yet."""
        return [str(obj) for obj in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete it, and let the next page offer what now stands."""
        delete_offer(offer_id=obj.pk)
        transaction.on_commit(offering.forget_offers)

    # The page around the form.

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show what is worth knowing, who would get it, and all versions with what each changed."""
        if obj is not None:
            # Read anew: a form that was refused has left its values on the object.
            kept = Offer.objects.get(pk=obj.pk)
            context = context | {
                "subtitle": title_of(kept),
                "advice": advice(kept, list(kept.plans.all()), timezone.localdate()),
                "versions": [
                    {
                        "number": version.version,
                        "when": instant(version.at),
                        "who": desk.who(version.actor),
                        "changes": differences(before, version.definition),
                    }
                    for version, before in history(kept)
                ],
                "may_try": may_try(request),
                "is_used": was_used(kept),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that says who would get an option."""
        page = path("<path:object_id>/who/", self.admin_site.admin_view(self.who_view), name="cancellation_offer_who")
        return [page, *super().get_urls()]

    def who_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say whether a contract would get an option now, and why not; nothing is stored and nobody is told."""
        offer = self.get_object(request, unquote(object_id))
        if offer is None:
            raise Http404
        if not (self.has_view_permission(request, offer) and may_try(request)):
            raise PermissionDenied
        form = ContractForm(request.GET if "contract" in request.GET else None)
        contract = form.cleaned_data["contract"] if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Who would get this?"),
            "opts": self.opts,
            "offer": offer,
            "name": title_of(offer),
            "back": url_of(offer),
            "form": form,
            "contract": contract,
            "contract_link": link_to(contract) if contract else "",
            "told": tried(offer, contract) if contract else None,
        }
        status = 422 if form.is_bound and contract is None else 200
        return TemplateResponse(request, "admin/desk/offer_who.html", context, status=status)


def kind_of(request: HttpRequest) -> str:
    """Return which kind is to be made."""
    kind = request.GET.get("kind", "")
    if kind not in OfferKind.values:
        raise Http404
    return kind


def open_in_words(offer: Offer) -> str:
    """Return whether an option is open today."""
    today = timezone.localdate()
    if not offer.active:
        return _("closed")
    if offer.valid_from > today:
        return _("from %(day)s on") % {"day": day(offer.valid_from)}
    if offer.valid_until is None:
        return _("open now")
    told = _("over since %(day)s") if offer.valid_until < today else _("until %(day)s")
    return told % {"day": day(offer.valid_until)}


def _texts(offer: Offer) -> list[tuple[str, dict[str, Any]]]:
    return [(code, as_dict(words)) for code, words in as_dict(offer.texts).items()]


def _lines(rows: Any) -> SafeString:
    return format_html_join("", "{}: {}<br>", rows)


WORDS_HELP = gettext_lazy(
    "Say what it is, calmly and shortly. Figures, days and what happens afterwards are added by Fairwell in the "
    "customer’s language; words that press are refused."
)
SAID = (
    "said_terms",
    "said_texts",
    "said_reasons",
    "said_plans",
    "said_countries",
    "said_languages",
    "said_eligibility",
)
SAID_SETS = (
    (None, {"fields": ("code", "what_it_does", "active", "valid_from", "valid_until", "said_terms", "said_texts")}),
    (gettext_lazy("Who may have it"), {"fields": SAID[2:]}),
    (gettext_lazy("How many"), {"fields": ("budget", "accepted", "cap_per_year", "position")}),
)
