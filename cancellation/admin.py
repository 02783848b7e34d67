"""The desk: customers and contracts with all that happened to them, notices, ends, events, and what billing does.

It stands here and not lower, for these pages join what every other app keeps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing.models import Instruction, Outcome
from cancellation import desk, desk_contact, desk_judgements, desk_options
from cancellation.actions import Actor
from cancellation.component_forms import DependenciesInline
from cancellation.desk_doors import DeclaredInline
from cancellation.event_words import state_in_words, why_in_words
from cancellation.models import Cancellation, Event, Judgement, Notice, NoticeState
from cancellation.queries import contracts_with_state
from config.admin import (
    DeskAdmin,
    FactAdmin,
    ModelForm,
    condition_filter,
    day,
    link_to,
    shown_day,
    shown_instant,
    shown_json,
    shown_link,
    shown_text,
)
from messaging.models import Letter
from subscriptions.admin import AmountsForm, shown_money
from subscriptions.models import Component, Contract, Customer
from subscriptions.signin import sign_out_everywhere
from subscriptions.terms import Terms, TermsError

MOST_CONTRACTS_SHOWN = 200


def actor_of(request: HttpRequest) -> Actor:
    """Return who of the staff acts."""
    return Actor.staff(request.user.get_username())


def country(code: str) -> str:
    """Return a country's code in capitals; refuse what is none."""
    code = code.strip().upper()
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise forms.ValidationError(_("Give two letters, such as DE."))
    return code


# ---------------------------------------------------------------- customers


class CustomerForm(ModelForm):
    """Who somebody is. The language is one this desk speaks, or the one that stands there."""

    class Meta:
        model = Customer
        fields = ("reference", "name", "email", "locale", "country")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.instance.locale
        choices = [*settings.LANGUAGES, *([] if kept in dict(settings.LANGUAGES) else [(kept, kept)])]
        self.fields["locale"] = forms.ChoiceField(label=_("Language"), choices=choices)

    def clean_country(self) -> str:
        """Return the code in capitals."""
        return country(self.cleaned_data["country"])


@admin.register(Customer)
class CustomerAdmin(DeskAdmin):
    """Customers, found by anything that staff may be told on the phone."""

    form = CustomerForm
    list_display = ("name", "email", "reference", "country", "locale")
    fields = ("reference", "name", "email", "locale", "country")
    ordering = ("name", "pk")
    # The box stands there because of this; what it looks through is said in get_search_results.
    search_fields = ("name",)
    search_help_text = _("Name, e-mail address, customer reference, contract reference or notice reference")
    actions = ("sign_out_everywhere",)

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        """End every sign-in of the chosen customers, as when a phone was lost."""
        for customer in queryset:
            sign_out_everywhere(customer.pk)
            self.log_change(request, customer, [{"changed": {"fields": ["sign_in_epoch"]}}])
        self.message_user(request, _("Signed out on every device."))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return customers that every word fits: by themselves, by a contract, or by a notice."""
        for word in search_term.split():
            # Sub-selects, not joins: nobody is found twice, and each table is read once.
            contracts = Contract.objects.filter(reference__icontains=word)
            notices = Notice.objects.filter(reference__icontains=word, contract__isnull=False)
            queryset = queryset.filter(
                Q(name__icontains=word)
                | Q(email__icontains=word)
                | Q(reference__icontains=word)
                | Q(pk__in=contracts.order_by().values("customer"))
                | Q(pk__in=notices.order_by().values("contract__customer"))
            )
        return queryset, False

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which staff note what a customer wants to hear."""
        return [*desk_contact.urls(), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the reference of a customer: imports find them by it."""
        return ("reference",) if obj else ()

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show the customer's contracts, notices, letters and line of time around the form."""
        if obj is not None:
            context = context | self._desk(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _desk(self, customer: Customer) -> dict[str, Any]:
        rows = (
            contracts_with_state().filter(customer=customer).order_by(F("live_last_day").desc(nulls_first=True), "-pk")
        )
        contracts, now = list(rows[:MOST_CONTRACTS_SHOWN]), timezone.now()
        letters = Letter.objects.filter(Q(customer=customer) | Q(contract__customer=customer))
        return {
            "contracts": [desk.standing(contract, now) for contract in contracts],
            "notices": desk.notices_of(contracts),
            "letters": letters.defer("text", "html").order_by("-pk")[: desk.MOST_OF_A_KIND],
            "moments": desk.timeline(contracts, customer),
            "several": len(contracts) > 1,
            **desk_contact.panel(customer),
        }


# ---------------------------------------------------------------- contracts


class IndentedJSON(json.JSONEncoder):
    """JSON that can be read: one line per entry."""

    def __init__(self, *, indent: int | None = None, **given: Any) -> None:
        super().__init__(indent=2, **given)


class ContractForm(AmountsForm):
    """A contract as agreed. Amounts are written as people write them, terms as JSON that is read before it is kept."""

    amounts: ClassVar[dict[str, Any]] = {
        "price_minor": _("Price per billing period"),
        "monthly_charge_minor": _("Monthly charge, for reports"),
        "upfront_cost_minor": _("Up-front cost"),
        "exit_fee_cap_minor": _("Cap of an exit fee"),
    }

    class Meta:
        model = Contract
        fields = (
            "reference", "customer", "plan", "kind", "country", "starts_on", "concluded_at", "terms", "currency",
            "price_minor", "monthly_charge_minor", "upfront_cost_minor", "exit_fee_cap_minor", "refund_policy",
        )  # fmt: skip
        widgets: ClassVar[dict[str, Any]] = {"terms": forms.Textarea(attrs={"rows": 22, "cols": 60, "class": "code"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "upfront_cost_minor" in self.fields:
            self.fields["upfront_cost_minor"].required = False
        if "terms" in self.fields:
            self.fields["terms"].encoder = IndentedJSON  # type: ignore[attr-defined]

    def clean_country(self) -> str:
        """Return the code in capitals."""
        return country(self.cleaned_data["country"])

    def clean_terms(self) -> Any:
        """Refuse terms that cannot be read; the message names the field in them."""
        terms = self.cleaned_data["terms"]
        try:
            Terms.from_dict(terms)
        except TermsError as wrong:
            raise forms.ValidationError(str(wrong)) from wrong
        return terms

    def clean(self) -> dict[str, Any]:
        """Take no up-front cost for none."""
        given = super().clean()
        if given.get("upfront_cost_minor", 0) is None:
            given["upfront_cost_minor"] = 0
        return given


class ComponentInline(DependenciesInline):
    """The parts of a bundle."""

    model = Component
    fields = ("kind", "name", "depends_on", "ends_contract")
    extra = 0
    template = "admin/desk/tabular.html"


_LIVE = Q(live_id__isnull=False)
STATES: dict[str, tuple[Any, Callable[[date], Q]]] = {
    "running": (_("no end is set"), lambda _today: ~_LIVE),
    "ending": (_("ending"), lambda today: _LIVE & Q(live_last_day__gte=today)),
    "ended": (_("ended by a notice"), lambda today: _LIVE & Q(live_last_day__lt=today)),
}


class StateFilter(admin.SimpleListFilter):
    """Whether an end is set. A contract that expires by itself has none; its row says so."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states."""
        return [(name, label) for name, (label, _condition) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the contracts of the chosen state."""
        chosen = self.value() or ""
        return queryset.filter(STATES[chosen][1](timezone.localdate())) if chosen in STATES else queryset


@admin.register(Contract)
class ContractAdmin(DeskAdmin):
    """Contracts, in plain words."""

    form = ContractForm
    list_display = ("reference", "customer_link", "plan", "country", "begins", "price_shown", "standing")
    list_filter = (StateFilter, "plan")
    ordering = ("-starts_on", "-pk")
    search_fields = ("reference", "customer__name", "customer__email", "customer__reference")
    search_help_text = _("Contract reference, or the customer's name, e-mail address or reference")
    raw_id_fields = ("customer",)
    inlines = (ComponentInline,)
    fieldsets = (
        (None, {"fields": ("reference", "customer", "plan", "kind", "country", "region", "is_consumer")}),
        (
            _("Terms as agreed"),
            {"fields": ("starts_on", "concluded_at", "informed_of_withdrawal", "asked_to_start", "terms")},
        ),
        (
            _("Money"),
            {
                "fields": (
                    "currency", "price_minor", "monthly_charge_minor", "refund_policy", "upfront_cost_minor",
                    "exit_fee_cap_minor",
                )
            },
        ),
    )  # fmt: skip

    customer_link = shown_link("customer", _("customer"))
    begins = shown_day("starts_on", _("starts on"))
    price_shown = shown_money("price_minor", _("price"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return contracts with customer, plan and the end that is set, in one statement."""
        return contracts_with_state()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep what others refer to: the reference, and whose contract it is."""
        return ("reference", "customer_link") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the customer of a contract as a link."""
        sets = super().get_fieldsets(request, obj)
        if obj is None:
            return sets
        names = tuple("customer_link" if name == "customer" else name for name in sets[0][1]["fields"])
        return ((sets[0][0], {"fields": names}), *sets[1:])

    @admin.display(description=_("state"))
    def standing(self, contract: Contract) -> str:
        """Return whether it runs, ends or has ended."""
        return desk.standing_short(contract, timezone.now())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; an edit of what was agreed leaves an event."""
        super().save_model(request, obj, form, change)
        if change:
            desk.record_edit(contract=obj, changed=form.changed_data, actor=actor_of(request), at=timezone.now())

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show the contract in plain words, what a notice today would mean, and its line of time."""
        if obj is not None:
            # Read anew: a form that was refused has left its values on the object.
            kept = contracts_with_state().get(pk=obj.pk)
            context = context | {
                "standing": desk.standing(kept, timezone.now()),
                "notices": desk.notices_of([kept]),
                "moments": desk.timeline([kept]),
                "options": desk_options.of_contract(kept, desk.zone_of(kept)),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)


# ---------------------------------------------------------------- what happened


@admin.register(Notice)
class NoticeAdmin(FactAdmin):
    """Declarations. They stand as they were received."""

    list_display = ("reference", "received", "act", "channel", "customer_link", "contract_link", "follows")
    list_filter = (
        condition_filter(
            title=_("what follows"),
            parameter="follows",
            conditions={
                "end": (_("an end"), Q(cancellation__isnull=False)),
                "waiting": (_("waits for the holder"), desk.WAITING),
                "nothing": (_("nothing to end"), desk.NOTHING_TO_END),
                "unmatched": (_("no contract found yet"), Q(contract__isnull=True)),
                "none": (_("no end, for whatever reason"), Q(cancellation__isnull=True)),
            },
        ),
        "act",
        "channel",
        "state",
    )
    list_select_related = ("contract__customer", "cancellation")
    inlines = (DeclaredInline,)
    ordering = ("-pk",)
    search_fields = ("reference", "contract__reference", "contract__customer__name", "contract__customer__email")
    search_help_text = _("Notice reference, contract reference, or the customer's name or e-mail address")
    fields = (
        "reference", "received", "act", "channel", "state", "customer_link", "contract_link", "words", "actor_words",
        "locale", "follows", "figures",
    )  # fmt: skip
    readonly_fields = (
        "received", "customer_link", "contract_link", "words", "actor_words", "follows", "figures",
    )  # fmt: skip

    received = shown_instant("received_at", _("received at"))
    contract_link = shown_link("contract", _("contract"))
    words = shown_text("declaration", _("declaration"))
    figures = shown_json("shown", _("figures that were shown"))

    @admin.display(description=_("customer"))
    def customer_link(self, notice: Notice) -> str:
        """Return a link to whose contract it is."""
        return link_to(notice.contract.customer) if notice.contract else ""

    @admin.display(description=_("by"))
    def actor_words(self, notice: Notice) -> str:
        """Return who declared it."""
        return desk.who(notice.actor)

    @admin.display(description=_("what follows"))
    def follows(self, notice: Notice) -> Any:
        """Return the end it brought about, or that there is none."""
        if hasattr(notice, "cancellation"):
            ends = notice.cancellation
            return link_to(ends, f"{ends.get_state_display()}: {day(ends.last_day)}")
        return _("no contract found yet") if notice.state == NoticeState.UNMATCHED else _("no end")


@admin.register(Cancellation)
class CancellationAdmin(FactAdmin):
    """Ends of contracts. Their states change by what happens, never here."""

    # The first column is the link to this page, so it is no link of its own.
    list_display = ("contract", "customer_link", "state", "way", "judgement", "received", "ends", "back", "costs")
    list_filter = ("state", "way", "judgement")
    list_select_related = ("contract__customer", "notice")
    ordering = ("-received_on", "-pk")
    search_fields = ("contract__reference", "notice__reference", "contract__customer__name")
    search_help_text = _("Contract reference, notice reference or the customer's name")
    fields = (
        "contract_link", "customer_link", "notice_link", "state", "way", "judgement", "to_judge", "received", "ends",
        "back",
        "costs", "created", "closed", "figures",
    )  # fmt: skip
    readonly_fields = (
        "contract_link", "customer_link", "notice_link", "to_judge", "received", "ends", "back", "costs", "created",
        "closed",
        "figures",
    )  # fmt: skip

    contract_link = shown_link("contract", _("contract"))
    notice_link = shown_link("notice", _("notice"))
    received = shown_day("received_on", _("notice received on"))
    ends = shown_day("last_day", _("last day"))
    back = shown_money("refund_minor", _("refund"))
    costs = shown_money("fee_minor", _("fee"))
    created = shown_instant("created_at", _("created at"))
    closed = shown_instant("closed_at", _("ended or undone at"))
    figures = shown_json("quote", _("quote"))

    @admin.display(description=_("customer"))
    def customer_link(self, cancellation: Cancellation) -> str:
        """Return a link to whose contract it is."""
        return link_to(cancellation.contract.customer)

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which an earlier end is judged."""
        return [*desk_judgements.urls(), *super().get_urls()]

    @admin.display(description=_("earlier end"))
    def to_judge(self, cancellation: Cancellation) -> str:
        """Return the link to the judgement, while there is something to judge."""
        if cancellation.judgement != Judgement.OPEN:
            return "–"
        url = reverse("admin:cancellation_cancellation_judge", args=[cancellation.pk])
        return format_html('<a href="{}">{}</a>', url, _("Judge the earlier end"))


@admin.register(Event)
class EventAdmin(FactAdmin):
    """What happened, by whom and why."""

    list_display = ("when", "happened", "by", "contract_link", "was", "became")
    list_select_related = ("contract",)
    ordering = ("-pk",)
    search_fields = ("contract__reference", "notice__reference", "what")
    search_help_text = _("Contract reference, notice reference or what happened")
    fields = (
        "when",
        "happened",
        "by",
        "contract_link",
        "notice_link",
        "cancellation_link",
        "was",
        "became",
        "reason",
    )
    readonly_fields = fields

    when = shown_instant("at", _("at"))
    contract_link = shown_link("contract", _("contract"))
    notice_link = shown_link("notice", _("notice"))
    cancellation_link = shown_link("cancellation", _("cancellation"))

    @admin.display(description=_("before"))
    def was(self, event: Event) -> str:
        """Return the state before, in words."""
        return state_in_words(event.before)

    @admin.display(description=_("after"))
    def became(self, event: Event) -> str:
        """Return the state after, in words."""
        return state_in_words(event.after)

    @admin.display(description=_("why"))
    def reason(self, event: Event) -> SafeString:
        """Return why it happened, in words, line breaks and all."""
        return format_html("<pre>{}</pre>", why_in_words(event.why))

    @admin.display(description=_("what"))
    def happened(self, event: Event) -> str:
        """Return what happened, in words."""
        return str(desk.WHAT.get(event.what, event.what))

    @admin.display(description=_("by"))
    def by(self, event: Event) -> str:
        """Return who did it."""
        return desk.who(event.actor)


# ---------------------------------------------------------------- what billing does


@admin.register(Instruction)
class InstructionAdmin(FactAdmin):
    """What the billing side has to do. Where no system does it, staff do it by hand and say so here."""

    list_display = ("what", "for_day", "amount", "contract_link", "customer_link", "system", "outcome", "done")
    list_filter = ("outcome", "kind")
    list_select_related = ("contract__customer",)
    ordering = ("outcome", "on_day", "pk")
    search_fields = ("contract__reference", "contract__customer__name")
    search_help_text = _("Contract reference or the customer's name")
    fields = (*list_display, "figures", "fault")
    readonly_fields = ("what", "for_day", "amount", "contract_link", "customer_link", "done", "figures")
    actions = ("mark_done", "mark_failed")

    figures = shown_json("facts", _("figures"))
    for_day = shown_day("on_day", _("for the day"))
    contract_link = shown_link("contract", _("contract"))
    done = shown_instant("done_at", _("done at"))

    @admin.display(description=_("what"), ordering="kind")
    def what(self, instruction: Instruction) -> str:
        """Return what is to be done."""
        return instruction.get_kind_display()

    @admin.display(description=_("amount"))
    def amount(self, instruction: Instruction) -> Any:
        """Return the amount of a refund; the others have none."""
        return _money(self, instruction) if instruction.amount_minor else ""

    @admin.display(description=_("customer"))
    def customer_link(self, instruction: Instruction) -> str:
        """Return a link to whose contract it is."""
        return link_to(instruction.contract.customer)

    def has_carry_out_permission(self, request: HttpRequest) -> bool:
        """Tell who may mark instructions done."""
        return request.user.has_perm("billing.change_instruction")

    @admin.action(description=_("Mark done: it was carried out"), permissions=["carry_out"])
    def mark_done(self, request: HttpRequest, queryset: QuerySet[Instruction]) -> None:
        """Note that the chosen instructions were carried out."""
        ids = [row.pk for row in queryset]
        done = desk.mark_done(ids=ids, actor=actor_of(request), at=timezone.now())
        said = ngettext("%(n)d instruction is marked done.", "%(n)d instructions are marked done.", done) % {"n": done}
        self.message_user(request, said, messages.SUCCESS if done else messages.INFO)

    @admin.action(description=_("Could not be done: say why"), permissions=["carry_out"])
    def mark_failed(self, request: HttpRequest, queryset: QuerySet[Instruction]) -> HttpResponse | None:
        """Ask why what agreed options need could not be done, and note it; ends and refunds stay to be done."""
        chosen = list(queryset.filter(outcome=Outcome.OPEN, acceptance_id__isnull=False))
        if not chosen:
            self.message_user(
                request,
                _("None of these comes of an agreed option and is still open. An end or a refund stays to be done."),
                messages.WARNING,
            )
            return None
        form = FaultForm(request.POST if "why" in request.POST else None)
        if form.is_valid():
            ids = [row.pk for row in chosen]
            why = form.cleaned_data["why"]
            failed = desk.mark_failed(ids=ids, actor=actor_of(request), at=timezone.now(), why=why)
            said = ngettext(
                "%(n)d instruction is noted: an urgent task is open, and the customer is told.",
                "%(n)d instructions are noted: urgent tasks are open, and the customers are told.",
                failed,
            )
            self.message_user(request, said % {"n": failed}, messages.SUCCESS if failed else messages.INFO)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Could not be done"),
            "opts": self.opts,
            "chosen": chosen,
            "form": form,
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/desk/could_not.html", context, status=422 if form.is_bound else 200)


class FaultForm(forms.Form):
    """Why the billing side could not do what was agreed."""

    why = forms.CharField(
        label=_("What is in the way"),
        help_text=_("For your colleagues; the customer does not read it."),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2000,
    )


_money = shown_money("amount_minor", _("amount"))

# Pages of their own; each registers itself.
from cancellation import desk_announcements, desk_care, desk_parts, desk_receipts  # noqa: E402, F401, I001
from cancellation import desk_agreements, desk_deletions, desk_offers, desk_tasks  # noqa: E402, F401
