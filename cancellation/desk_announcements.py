"""The desk's view of announcements: what somebody else told us, what the holder answered, and what staff add.

Staff find the contract that a text only hints at, let go what was held back, or set aside what means nobody here. They
answer nothing for the holder.
"""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cancellation import announcements, desk
from cancellation.actions import Actor
from cancellation.models import Announcement, AnnouncementState
from config.admin import FactAdmin, condition_filter, link_to, shown_day, shown_instant, shown_link, shown_text, url_of
from subscriptions.models import Contract


class ContractForm(forms.Form):
    """The contract that staff have found."""

    contract = forms.CharField(max_length=64, label=gettext_lazy("Contract reference"))

    def clean_contract(self) -> Contract:
        """Return the contract of the reference, whatever its capitals."""
        typed = self.cleaned_data["contract"]
        rows = Contract.objects.select_related("customer", "plan__product")
        found = rows.filter(reference=typed).first() or rows.filter(reference__iexact=typed).first()
        if found is None:
            raise forms.ValidationError(_("No contract has this reference. It looks like C-7KQ2MX4P."))
        return found


@admin.register(Announcement)
class AnnouncementAdmin(FactAdmin):
    """Announcements by third parties. What was told stands; the holder alone answers."""

    list_display = ("reference", "received", "agent_name", "about", "holder_name", "state", "is_held", "contract_link")
    list_filter = (
        condition_filter(
            title=gettext_lazy("what follows"),
            parameter="follows",
            conditions={
                "to-see": (gettext_lazy("to look at"), desk.ANNOUNCEMENTS_TO_SEE),
                "waits": (gettext_lazy("the holder has not answered"), Q(state=AnnouncementState.ASKED)),
                "nobody": (gettext_lazy("set aside"), Q(state=AnnouncementState.NOT_MINE, contract=None)),
            },
        ),
        "state",
        "is_held",
    )
    list_select_related = ("contract", "notice")
    ordering = ("-pk",)
    search_fields = ("reference", "contract__reference", "agent_name", "agent_email", "about", "holder_name")
    search_help_text = gettext_lazy("Reference, contract, who announced it, or whose contract it is")
    fields = (
        "reference", "received", "state", "is_held", "agent_name", "agent_company", "agent_email", "about",
        "holder_name", "holder_email", "wished", "message", "locale", "customer_link", "contract_link", "asked",
        "answered", "notice_link", "find",
    )  # fmt: skip
    readonly_fields = (
        "received", "wished", "message", "customer_link", "contract_link", "asked", "answered", "notice_link", "find",
    )  # fmt: skip
    actions = ("release", "set_aside")

    received = shown_instant("received_at", gettext_lazy("received at"))
    asked = shown_instant("asked_at", gettext_lazy("holder asked at"))
    answered = shown_instant("answered_at", gettext_lazy("answered at"))
    wished = shown_day("wished_on", gettext_lazy("wished day"))
    message = shown_text("words", gettext_lazy("message"))
    contract_link = shown_link("contract", gettext_lazy("contract"))
    notice_link = shown_link("notice", gettext_lazy("notice"))

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, announcement: Announcement) -> str:
        """Return a link to whose contract it is."""
        return link_to(announcement.contract.customer) if announcement.contract else ""

    @admin.display(description=gettext_lazy("which contract is meant"))
    def find(self, announcement: Announcement) -> str:
        """Return the way to say which contract is meant, while nobody knows."""
        if announcement.contract_id is not None or announcement.erased_at is not None:
            return ""
        address = reverse("admin:cancellation_announcement_match", args=[announcement.pk])
        return format_html('<a href="{}">{}</a>', address, _("Find the contract and ask its holder"))

    def has_carry_out_permission(self, request: HttpRequest) -> bool:
        """Tell who may take an announcement further."""
        return request.user.has_perm("cancellation.change_announcement")

    @admin.action(description=gettext_lazy("Let it go: it was held back"), permissions=["carry_out"])
    def release(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        """Let chosen announcements take their way."""
        now = timezone.now()
        done = sum(announcements.release(announcement_id=row.pk, at=now) for row in queryset)
        said = ngettext("%(n)d announcement takes its way.", "%(n)d announcements take their way.", done)
        self.message_user(request, said % {"n": done}, messages.SUCCESS if done else messages.INFO)

    @admin.action(description=gettext_lazy("Set aside: no contract of ours is meant"), permissions=["carry_out"])
    def set_aside(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        """Say that no contract of ours is meant; what has a contract is left alone."""
        now, actor = timezone.now(), _actor(request)
        done = sum(announcements.set_aside(announcement_id=row.pk, actor=actor, at=now) for row in queryset)
        said = ngettext("%(n)d announcement is set aside.", "%(n)d announcements are set aside.", done)
        self.message_user(request, said % {"n": done}, messages.SUCCESS if done else messages.INFO)

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which staff say which contract is meant."""
        page = path(
            "<int:pk>/contract/", self.admin_site.admin_view(self.match_page), name="cancellation_announcement_match"
        )
        return [page, *super().get_urls()]

    def match_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reference, show whose contract it is, and only then write to its holder."""
        announcement = self.get_object(request, str(pk))
        if announcement is None:
            raise Http404
        if not self.has_carry_out_permission(request):
            raise PermissionDenied
        back = url_of(announcement)
        if announcement.contract_id is not None:
            return HttpResponseRedirect(back)
        given = request.POST if request.method == "POST" else request.GET
        form = ContractForm(given if "contract" in given else None)
        contract = form.cleaned_data["contract"] if form.is_valid() else None
        if request.method == "POST" and contract is not None:
            matched = announcements.match(
                announcement=announcement, contract=contract, actor=_actor(request), at=timezone.now()
            )
            said = _("The holder is asked.") if matched else _("Somebody else was quicker; nothing was changed.")
            self.message_user(request, said, messages.SUCCESS if matched else messages.INFO)
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Which contract is meant?"),
            "opts": self.opts,
            "announcement": announcement,
            "form": form,
            "contract": contract,
            "back": back,
        }
        status = 422 if form.is_bound and contract is None else 200
        return TemplateResponse(request, "admin/desk/match_announcement.html", context, status=status)


def _actor(request: HttpRequest) -> Actor:
    return Actor.staff(request.user.get_username())
