"""Policy packs in plain words: names of parameters, what their values mean, and what the law made better.

Words are translated for the active language. Labels and sources are not: they are shown as they stand in the pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from subscriptions import words
from subscriptions.amounts import Money
from subscriptions.formats import format_money
from subscriptions.law import Improvement
from subscriptions.packs import Value
from subscriptions.periods import Period
from subscriptions.terms import Boundary, CutOff


class Group(NamedTuple):
    """Parameters that belong together, under one heading."""

    code: str
    title: Any
    parameters: tuple[str, ...]


TITLES = {
    "entry_without_login": gettext_lazy("Without signing in"),
    "entry_label": gettext_lazy("Words of the link to the page"),
    "confirm_label": gettext_lazy("Words of the button that cancels"),
    "flow_shape": gettext_lazy("Shape of the page"),
    "mandatory_fields": gettext_lazy("What must be filled in"),
    "mandatory_alternatives": gettext_lazy("What may be given instead"),
    "optional_fields": gettext_lazy("What may be filled in"),
    "max_fields": gettext_lazy("Most that is asked for"),
    "max_fields_with_ground": gettext_lazy("Most that is asked for, with a reason"),
    "identity_check_before_acceptance": gettext_lazy("Check of identity before it counts"),
    "page_may_show_terms_or_computed_date": gettext_lazy("Last day and money may stand on the page"),
    "receipt_deadline": gettext_lazy("When the receipt comes"),
    "receipt_required_contents": gettext_lazy("What the receipt says"),
    "durable_medium": gettext_lazy("How the receipt comes"),
    "durable_confirmation_days": gettext_lazy("Full confirmation within"),
    "record_retention": gettext_lazy("How long records are kept"),
    "max_initial_term_months": gettext_lazy("Longest first term"),
    "renewal_rule": gettext_lazy("What may follow the first term"),
    "max_renewal_months": gettext_lazy("Longest renewal"),
    "max_notice_before_initial_end": gettext_lazy("Longest notice before the end of the first term"),
    "max_notice_after_initial_term": gettext_lazy("Longest notice after the first term"),
    "max_notice_open_ended": gettext_lazy("Longest notice without a first term"),
    "notice_to": gettext_lazy("Days on which it may end"),
    "no_date_given": gettext_lazy("End if no day is named"),
    "exit_fee_cap": gettext_lazy("Most that leaving early may cost"),
    "early_exit_after_months": gettext_lazy("May be left early after"),
    "button_broken_effect": gettext_lazy("If the page is missing or wrong"),
    "withdrawal_days": gettext_lazy("Time to withdraw"),
    "withdrawal_days_after_renewal": gettext_lazy("Time to withdraw after a renewal"),
    "withdrawal_counting": gettext_lazy("First day of that time"),
    "withdrawal_uninformed_months": gettext_lazy("Longer for those who were not told, by"),
    "withdrawal_refund_days": gettext_lazy("Refund after a withdrawal within"),
    "withdrawal_pays_for_use": gettext_lazy("Payment for use before a withdrawal"),
    "withdrawal_labels": gettext_lazy("Words of the link and the button to withdraw"),
    "withdrawal_fields": gettext_lazy("What a withdrawal asks for"),
    "period_counting_rule": gettext_lazy("How months are counted"),
    "weekend_roll": gettext_lazy("Last days on a week-end or holiday"),
    "reminder_windows": gettext_lazy("Reminders"),
    "missed_reminder_refund_days": gettext_lazy("Refund after a missed reminder within"),
    "offer_rules": gettext_lazy("Offers"),
    "guided_steps": gettext_lazy("Steps of the guided way"),
    "survey_rule": gettext_lazy("Questions about the reasons"),
    "marketing_consent_rule": gettext_lazy("Consent to advertising mail"),
    "marketing_opt_out_days": gettext_lazy("No advertising mail after a refusal, within"),
    "marketing_opt_out_business_days": gettext_lazy("The same by law, within"),
}

GROUPS = (
    Group(
        "door",
        gettext_lazy("The page to cancel"),
        (
            "entry_label", "confirm_label", "flow_shape", "entry_without_login", "identity_check_before_acceptance",
            "mandatory_fields", "mandatory_alternatives", "optional_fields", "max_fields", "max_fields_with_ground",
            "page_may_show_terms_or_computed_date", "button_broken_effect",
        ),
    ),
    Group(
        "proof",
        gettext_lazy("Receipts and records"),
        (
            "receipt_deadline", "receipt_required_contents", "durable_medium", "durable_confirmation_days",
            "record_retention",
        ),
    ),
    Group(
        "terms",
        gettext_lazy("How a contract may bind"),
        (
            "max_initial_term_months", "renewal_rule", "max_renewal_months", "max_notice_before_initial_end",
            "max_notice_after_initial_term", "max_notice_open_ended", "no_date_given", "early_exit_after_months",
            "exit_fee_cap", "period_counting_rule", "weekend_roll",
        ),
    ),
    Group(
        "withdrawal",
        gettext_lazy("Withdrawal (cooling-off)"),
        (
            "withdrawal_days", "withdrawal_counting", "withdrawal_uninformed_months", "withdrawal_days_after_renewal",
            "withdrawal_labels", "withdrawal_fields", "withdrawal_pays_for_use", "withdrawal_refund_days",
        ),
    ),
    Group(
        "contact",
        gettext_lazy("Reminders, offers and mail"),
        (
            "reminder_windows", "missed_reminder_refund_days", "offer_rules", "guided_steps", "survey_rule",
            "marketing_consent_rule", "marketing_opt_out_days", "marketing_opt_out_business_days",
        ),
    ),
)  # fmt: skip

CHOICES = {
    "entry_without_login": {
        "required": gettext_lazy("nobody has to sign in"),
        "required_without_account": gettext_lazy("nobody has to open an account"),
        "yes": gettext_lazy("nobody has to sign in"),
    },
    "flow_shape": {
        "one_page": gettext_lazy("one page with all fields and the button"),
        "recap": gettext_lazy("fields first, then a page to check them with the button"),
    },
    "identity_check_before_acceptance": {
        "forbidden": gettext_lazy("forbidden"),
        "no": gettext_lazy("none"),
        "existing_account_may_be_asked": gettext_lazy("an existing account may be asked for"),
        "allowed_with_account": gettext_lazy("allowed where there is an account"),
    },
    "renewal_rule": {
        "open_ended_only": gettext_lazy("no fixed term; it may end at any time"),
        "tacit_with_notice": gettext_lazy("a further term, after a reminder"),
        "allowed_with_reminders": gettext_lazy("a further term, with reminders"),
        "allowed": gettext_lazy("a further term"),
    },
    "no_date_given": {
        "earliest": gettext_lazy("the earliest day that is possible"),
        "end_of_paid_period": gettext_lazy("the end of the paid time, or at once"),
    },
    "button_broken_effect": {
        "end_at_receipt": gettext_lazy("the contract may be left at once, without notice"),
        "fine": gettext_lazy("a fine"),
        "cancel_right": gettext_lazy("a right to cancel"),
        "unlawful": gettext_lazy("it is unlawful"),
        "alert": gettext_lazy("the business is alerted"),
    },
    "withdrawal_counting": {
        "day_after": gettext_lazy("the day after the contract was made"),
        "first_day_counts": gettext_lazy("the day on which the document arrived"),
    },
    "withdrawal_pays_for_use": {
        "never": gettext_lazy("never"),
        "if_asked_and_informed": gettext_lazy("only if the customer asked for an early start and was told"),
        "yes": gettext_lazy("yes"),
    },
    "period_counting_rule": {
        "de_187_188": gettext_lazy("the day itself is not counted; to the same day number"),
        "fr_1182_71": gettext_lazy("the day itself is not counted; to the same day number"),
        "pl_kc_111_115": gettext_lazy("the day itself is not counted; to the same day number"),
        "uk_corresponding": gettext_lazy("the day itself is not counted; to the same day number"),
        "us_calendar": gettext_lazy("the day itself is not counted; to the same day number"),
        "eu_1182_71": gettext_lazy("the day itself is not counted; to the same day number"),
        "jp_140_143": gettext_lazy("from the next day on; whole calendar months where that is a first"),
    },
    "weekend_roll": {
        "withdrawal_only": gettext_lazy("move to the next working day for a withdrawal, never for notice"),
        "acts": gettext_lazy("move to the next working day for what has to be done"),
        "only_if_closed": gettext_lazy("move only where no business is done on that day"),
        "none": gettext_lazy("stay as they are"),
    },
    "survey_rule": {
        "after_success": gettext_lazy("only afterwards, and never needed"),
        "reason_optional": gettext_lazy("may be asked, never needed"),
        "optional": gettext_lazy("never needed"),
    },
    "marketing_consent_rule": {
        "separate_opt_in_logged": gettext_lazy("a yes of its own, recorded"),
        "separate_opt_in": gettext_lazy("a yes of its own"),
        "prior_consent_no_exception": gettext_lazy("a yes beforehand, without exception"),
        "opt_in_customer_exception": gettext_lazy("a yes beforehand; customers may be told of the like"),
        "soft_opt_in": gettext_lazy("customers may be told of the like until they refuse"),
        "opt_out": gettext_lazy("until somebody refuses"),
    },
}

FIELDS = {
    "name": pgettext_lazy("of a person", "name"),
    "reference": gettext_lazy("which contract"),
    "email": gettext_lazy("e-mail address"),
    "phone": gettext_lazy("telephone"),
    "address": gettext_lazy("postal address"),
    "wished_on": gettext_lazy("wished day"),
    "reason": gettext_lazy("reason (for cause only)"),
    "evidence": gettext_lazy("evidence (for cause only)"),
}
CONTENTS = {
    "declaration": gettext_lazy("the words of the declaration"),
    "received_at": gettext_lazy("day and time of receipt"),
    "last_day": gettext_lazy("last day"),
    "effects": gettext_lazy("what follows from it"),
    "service": gettext_lazy("which service"),
    "refund": gettext_lazy("refund"),
    "confirmation": gettext_lazy("that it was received"),
    "reference": gettext_lazy("number"),
}
MEDIA = {
    "durable": gettext_lazy("in a form that lasts"),
    "retainable": gettext_lazy("in a form that can be kept"),
    "mail": gettext_lazy("by mail"),
    "download": gettext_lazy("as a file"),
}
STEPS = {
    "overview": gettext_lazy("overview"),
    "reasons": gettext_lazy("reasons"),
    "options": gettext_lazy("other options"),
    "confirm": gettext_lazy("confirmation"),
    "done": pgettext_lazy("step", "done"),
}
LISTS = {
    "mandatory_fields": FIELDS,
    "optional_fields": FIELDS,
    "withdrawal_fields": FIELDS,
    "receipt_required_contents": CONTENTS,
    "durable_medium": MEDIA,
    "guided_steps": STEPS,
}
RECEIPT_BY_LAW = {
    "none": gettext_lazy("the law names no time"),
    "at_once": gettext_lazy("by law at once"),
    "reasonable": gettext_lazy("by law within a reasonable time"),
    "one_working_day": gettext_lazy("by law within one working day"),
    "24_hours": gettext_lazy("by law within 24 hours"),
}
OFFER_CONDITIONS = {
    "near_entry": gettext_lazy("they may stand near the link to the page"),
    "not_on_recap": gettext_lazy("none on the page to check"),
    "beside_cancel": gettext_lazy("only beside the button that cancels"),
    "with_permission": gettext_lazy("only with permission"),
}
EVENTS = {
    "renewal": gettext_lazy("Renewal"),
    "term_of_a_year": gettext_lazy("Renewal of a term of a year or more"),
    "long_trial_end": gettext_lazy("End of a trial of more than 31 days"),
    "trial_end": gettext_lazy("End of a trial"),
    "price_change": gettext_lazy("Change of price"),
    "yearly": gettext_lazy("Once a year"),
    "half_yearly": gettext_lazy("Once in six months"),
}
SECTORS = {"telecom": gettext_lazy("Telecommunications"), "mobile": gettext_lazy("Mobile telephony")}
PLACES = {
    "default": gettext_lazy("Default"),
    "eu": gettext_lazy("European Union"),
    "de": gettext_lazy("Germany"),
    "fr": gettext_lazy("France"),
    "pl": gettext_lazy("Poland"),
    "uk": gettext_lazy("United Kingdom"),
    "us-ca": gettext_lazy("California"),
    "us-ny": gettext_lazy("New York"),
    "us-mn": gettext_lazy("Minnesota"),
    "jp": gettext_lazy("Japan"),
}
CONFIDENCES = {
    "A": gettext_lazy("the text of the law was read"),
    "B": gettext_lazy("official or several sources agree"),
    "C": gettext_lazy("one source, or our own choice"),
    "?": gettext_lazy("open"),
}


def title(parameter: str) -> str:
    """Return the name of a parameter."""
    return str(TITLES[parameter])


def told(entry: Value) -> list[str]:
    """Return what an entry says, as one or more short lines."""
    if entry.value is None:
        return [_("no rule")]
    if choices := CHOICES.get(entry.parameter):
        return [str(choices[entry.value])]
    if names := LISTS.get(entry.parameter):
        return [str(names[name]) for name in entry.value] or [_("nothing")]
    return SAID[entry.parameter](entry.value) if entry.parameter in SAID else [_count(entry)]


def _count(entry: Value) -> str:
    value = entry.value
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return value
    match entry.unit:
        case "months":
            return words.period(Period(months=value)) if value else _("none")
        case "days":
            return ngettext("%(n)d day", "%(n)d days", value) % {"n": value} if value else _("none")
        case "business days":
            return ngettext("%(n)d business day", "%(n)d business days", value) % {"n": value}
        case _:
            return str(value)


def _period(value: dict[str, int]) -> list[str]:
    length = Period.from_dict(value)
    if length.is_nothing:
        return [_("none: at will")]
    return [_count_of(length)]


def _count_of(length: Period) -> str:
    if length.months or not length.days:
        return words.period(length)
    return ngettext("%(n)d day", "%(n)d days", length.days) % {"n": length.days}


def _labels(value: dict[str, str]) -> list[str]:
    return [value["entry"], value["confirm"]]


def _alternatives(value: dict[str, str]) -> list[str]:
    told_ = _("%(instead)s in place of %(field)s")
    return [told_ % {"field": FIELDS[name], "instead": FIELDS[other]} for name, other in value.items()] or [
        _("nothing")
    ]


def _receipt(value: dict[str, Any]) -> list[str]:
    seconds = value["target_seconds"]
    target = ngettext("within %(n)d second", "within %(n)d seconds", seconds) % {"n": seconds}
    return [target, str(RECEIPT_BY_LAW[value["law"]])]


def _retention(value: dict[str, Any]) -> list[str]:
    lines = [words.period(Period(months=12 * value["years"]))]
    if value["to_year_end"]:
        lines.append(_("counted from the end of the year"))
    if letters := value.get("business_letter_years"):
        lines.append(_("as a business letter: %(period)s") % {"period": words.period(Period(months=12 * letters))})
    if after := value.get("years_after_end"):
        lines.append(_("after the end: %(period)s") % {"period": words.period(Period(months=12 * after))})
    return lines


def _fee(value: dict[str, Any]) -> list[str]:
    months = value["months_of_fee"]
    lines = [ngettext("the fee of %(n)d month", "the fees of %(n)d months", months) % {"n": months}]
    if "at_most" in value:
        most = format_money(Money(value["at_most"], value["currency"]))
        lines.append(_("at most %(amount)s without tax") % {"amount": most})
    return lines


def _reminders(value: list[dict[str, Any]]) -> list[str]:
    return [_reminder(window) for window in value] or [_("none")]


def _reminder(window: dict[str, Any]) -> str:
    event = str(EVENTS[window["event"]])
    earliest, latest = (
        _count_of(Period.from_dict(window[end])) if end in window else "" for end in ("earliest", "latest")
    )
    if earliest and latest:
        return _("%(event)s: %(earliest)s to %(latest)s before") % {
            "event": event, "earliest": earliest, "latest": latest,
        }  # fmt: skip
    if latest:
        return _("%(event)s: at least %(latest)s before") % {"event": event, "latest": latest}
    return _("%(event)s: in good time") % {"event": event} if window.get("in_good_time") else event


def _offers(value: dict[str, Any]) -> list[str]:
    most = value["guided_max"]
    lines = [_("none on this page") if not value["on_door"] else _("allowed on this page")]
    lines.append(
        ngettext("in the guided way at most %(n)d", "in the guided way at most %(n)d", most) % {"n": most}
        if most
        else _("none in the guided way")
    )
    if value["condition"] != "none":
        lines.append(str(OFFER_CONDITIONS[value["condition"]]))
    return lines


SAID: dict[str, Callable[[Any], list[str]]] = {
    "max_notice_before_initial_end": _period,
    "max_notice_after_initial_term": _period,
    "max_notice_open_ended": _period,
    "withdrawal_labels": _labels,
    "mandatory_alternatives": _alternatives,
    "receipt_deadline": _receipt,
    "record_retention": _retention,
    "exit_fee_cap": _fee,
    "reminder_windows": _reminders,
    "offer_rules": _offers,
}


# What the law made better.

ENDS = {
    Boundary.ANY_DAY: gettext_lazy("any day"),
    Boundary.BILLING_PERIOD: gettext_lazy("the end of a billing period"),
    Boundary.MONTH_END: gettext_lazy("the end of a month"),
    Boundary.QUARTER_END: gettext_lazy("the end of a quarter"),
    Boundary.HALF_YEAR_END: gettext_lazy("the end of a half-year"),
    Boundary.YEAR_END: gettext_lazy("the end of a year"),
}


def better(lines: Iterable[Sequence[Any]]) -> list[str]:
    """Return a sentence for each term that is better than agreed, as a quote keeps it in JSON.

    Each is (parameter, agreed, applied, source, basis); periods and cut-off days are objects, the rest are names.
    """
    return [
        improvement(Improvement(parameter, _read(agreed), _read(applied), source, basis))
        for parameter, agreed, applied, source, basis in lines
    ]


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return CutOff(**value) if "by_day" in value else Period.from_dict(value)
    return Boundary(value) if value in set(Boundary) else value


def improvement(line: Improvement) -> str:
    """Return one line of what applies instead of what was agreed, such as "your contract says 3 months"."""
    facts = {"what": title(line.parameter), "agreed": _term(line, line.agreed), "applied": _term(line, line.applied)}
    if line.basis == "law":
        return _("%(what)s: your contract says %(agreed)s; the law says %(applied)s.") % facts
    return _("%(what)s: your contract says %(agreed)s; with us it is %(applied)s.") % facts


def _term(line: Improvement, term: Any) -> str:
    if isinstance(term, Boundary):
        return str(ENDS[term])
    if isinstance(term, CutOff):
        return _cut_off(term)
    if term == "open_ended":
        return _("the end of the paid time") if line.parameter == "no_date_given" else _("no fixed term")
    return _("none") if term == "none" or term.is_nothing else words.period(term)


def _cut_off(term: CutOff) -> str:
    if not term.months_before:
        return pgettext("notice", "by day %(day)d of the month") % {"day": term.by_day}
    return ngettext(
        "by day %(day)d of the month before", "by day %(day)d of the month, %(n)d months before", term.months_before
    ) % {"day": term.by_day, "n": term.months_before}
