"""What a policy pack may say: each parameter with its unit, the form of its values and its kinder direction.

Values are what TOML gives: text, true or false, whole numbers, lists and tables. Periods are tables such as
``{ months = 1 }``, money is in minor units beside its currency. Nothing here reads a file, a clock or a setting.
Source: LAW table B. What the words mean to a reader stands in ``docs/policies.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from subscriptions.money import minor_digits
from subscriptions.periods import MOST_MONTHS, Period
from subscriptions.reading import FieldError, read_count, read_object, shown

FIELD_NAMES = ("name", "reference", "email", "phone", "address", "wished_on", "reason", "evidence")
STEPS = ("overview", "reasons", "options", "confirm", "done")
LONGEST_LABEL = 80
# Long enough for every statute we know, short enough to notice a typing error.
MOST_YEARS, MOST_DAYS, MOST_SECONDS = 30, 3660, 86_400 * 30

Check = Callable[[Any], None]
# Tells whether a new value is at least as kind to the holder as the old one.
Kinder = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a pack decides.

    ``check`` raises FieldError for a value of the wrong form, ``form`` says what a right one looks like. ``kinder``
    is None where no other value could be called kinder. ``last_resort`` answers where even the default's file
    cannot be read, for what the doors cannot do without.
    """

    name: str
    unit: str
    form: str
    check: Check
    kinder: Kinder | None = None
    is_label: bool = False
    last_resort: Any = None


# What is kinder.


def smaller(new: Any, old: Any) -> bool:
    return bool(new <= old)


def larger(new: Any, old: Any) -> bool:
    return bool(new >= old)


def superset(new: Any, old: Any) -> bool:
    return set(new) >= set(old)


def subset(new: Any, old: Any) -> bool:
    return set(new) <= set(old)


def own_words(new: Any, old: Any) -> bool:
    """Let a business say it in its own words; a statutory label is refused before this is asked."""
    return True


def shorter(new: Any, old: Any) -> bool:
    """Tell whether a period never lasts longer than another, whichever months it is counted through."""
    fresh, known = Period.from_dict(new), Period.from_dict(old)
    if fresh.months and known.months:
        return fresh.months <= known.months
    return fresh == known or fresh.months * 31 + fresh.days <= known.months * 28 + known.days


def no_worse_receipt(new: Any, old: Any) -> bool:
    return bool(new["law"] == old["law"] and new["target_seconds"] <= old["target_seconds"])


def fewer_offers(new: Any, old: Any) -> bool:
    return bool(
        new["guided_max"] <= old["guided_max"]
        and (old["on_door"] or not new["on_door"])
        and old["condition"] in ("none", new["condition"])
    )


def lower_cap(new: Any, old: Any) -> bool:
    if new.get("currency", "") != old.get("currency", "") and "at_most" in old:
        return False
    most = old.get("at_most")
    return bool(new["months_of_fee"] <= old["months_of_fee"] and (most is None or new.get("at_most", most + 1) <= most))


def earlier_erasure(new: Any, old: Any) -> bool:
    return bool(new["years"] <= old["years"] and new["to_year_end"] <= old["to_year_end"])


# The forms of values.


def text(value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or value != value.strip() or len(value) > LONGEST_LABEL:
        raise FieldError(f"{shown(value)} is not a label of 1 to {LONGEST_LABEL} letters without blanks around it")
    if not value.isprintable():
        raise FieldError(f"{shown(value)} holds signs that cannot be seen")


def flag(value: Any) -> None:
    if not isinstance(value, bool):
        raise FieldError(f"{shown(value)} is neither true nor false")


def labels(value: Any) -> None:
    _table(value, ("entry", "confirm"))
    for part in ("entry", "confirm"):
        text(value[part])


def period(value: Any) -> None:
    Period.from_dict(value, "value")


def one_of(*words: str) -> Check:
    def check(value: Any) -> None:
        if value not in words:
            raise FieldError(f"{shown(value)} is not known; known are {', '.join(words)}")

    return check


def some_of(*words: str) -> Check:
    def check(value: Any) -> None:
        if not isinstance(value, list):
            raise FieldError(f"{shown(value)} is not a list")
        if strangers := [word for word in value if word not in words]:
            raise FieldError(f"{shown(strangers[0])} is not known; known are {', '.join(words)}")
        if len(set(value)) != len(value):
            raise FieldError(f"{shown(value)} names something twice")

    return check


def count(least: int, most: int) -> Check:
    def check(value: Any) -> None:
        read_count(value, "value", least=least, most=most)

    return check


def receipt(value: Any) -> None:
    _table(value, ("target_seconds", "law"))
    read_count(value["target_seconds"], "target_seconds", least=1, most=MOST_SECONDS)
    one_of("none", "at_once", "reasonable", "one_working_day", "24_hours")(value["law"])


def offers(value: Any) -> None:
    _table(value, ("on_door", "guided_max", "condition"))
    flag(value["on_door"])
    read_count(value["guided_max"], "guided_max", least=0, most=3)
    one_of("none", "near_entry", "not_on_recap", "beside_cancel", "with_permission")(value["condition"])


def retention(value: Any) -> None:
    _table(value, ("years", "to_year_end"), ("business_letter_years", "years_after_end"))
    flag(value["to_year_end"])
    for part in value.keys() - {"to_year_end"}:
        read_count(value[part], part, least=1, most=MOST_YEARS)


def fee_cap(value: Any) -> None:
    _table(value, ("months_of_fee",), ("at_most", "currency"))
    read_count(value["months_of_fee"], "months_of_fee", least=0, most=MOST_MONTHS)
    if ("at_most" in value) != ("currency" in value):
        raise FieldError(f"{shown(value)} needs at_most (minor units) and currency together")
    if "at_most" in value:
        read_count(value["at_most"], "at_most", least=0, most=10**12)
        minor_digits(value["currency"])


def alternatives(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise FieldError(f"{shown(value)} is not a table of fields")
    some_of(*FIELD_NAMES)([*value, *value.values()])


# What a reminder speaks of. Its days are counted back from the event itself, unless ``counted_from`` names another day.
COUNTED_FROM = ("event", "last_day", "last_day_to_refuse")
REMINDED = ("renewal", "term_of_a_year", "long_trial_end", "trial_end", "price_change", "yearly", "half_yearly")


def windows(value: Any) -> None:
    if not isinstance(value, list):
        raise FieldError(f"{shown(value)} is not a list of tables")
    for window in value:
        _table(window, ("event",), ("earliest", "latest", "in_good_time", "counted_from"))
        one_of(*REMINDED)(window["event"])
        one_of(*COUNTED_FROM)(window.get("counted_from", "event"))
        for part in window.keys() & {"earliest", "latest"}:
            Period.from_dict(window[part], part)
        if "in_good_time" in window:
            flag(window["in_good_time"])
    events = [window["event"] for window in value]
    if len(set(events)) != len(events):
        raise FieldError(f"{shown(events)} names an event twice")


def _table(value: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    read_object(value, "value", required, optional)


def _ranked(*words: str) -> Kinder:
    """Return the order in which words grow kinder; words that are not in it are kind in no order."""

    def at_least_as_kind(new: Any, old: Any) -> bool:
        return bool(new == old or (new in words and old in words and words.index(new) > words.index(old)))

    return at_least_as_kind


def _choice(name: str, *words: str, ranked: bool = False, last_resort: str | None = None) -> Parameter:
    """Return a parameter that is one of some words; ranked ones are named from the harshest to the kindest."""
    kinder = _ranked(*words) if ranked else None
    return Parameter(name, "choice", f"one of {', '.join(words)}", one_of(*words), kinder, last_resort=last_resort)


def _count(name: str, unit: str, most: int, kinder: Kinder | None, *, last_resort: int | None = None) -> Parameter:
    return Parameter(name, unit, f"a whole number from 0 to {most}", count(0, most), kinder, last_resort=last_resort)


def _fields(name: str, kinder: Kinder | None, last_resort: list[str]) -> Parameter:
    form = f"a list of {', '.join(FIELD_NAMES)}"
    return Parameter(name, "fields", form, some_of(*FIELD_NAMES), kinder, last_resort=last_resort)


def _label(name: str, last_resort: str) -> Parameter:
    return Parameter(name, "text", "the words of a button", text, own_words, is_label=True, last_resort=last_resort)


CONTENTS = ("declaration", "received_at", "last_day", "effects", "service", "refund", "confirmation", "reference")
MEDIA = ("durable", "retainable", "mail", "download")
PERIOD = "a period such as { months = 1 } or { days = 10 }"

_ALL = (
    # The doors.
    _choice("entry_without_login", "required_without_account", "yes", "required", ranked=True, last_resort="yes"),
    _label("entry_label", "Cancel contracts here"),
    _label("confirm_label", "Cancel now"),
    _choice("flow_shape", "recap", "one_page", ranked=True, last_resort="one_page"),
    _fields("mandatory_fields", subset, ["name", "reference", "email"]),
    Parameter(
        "mandatory_alternatives", "fields", 'a table such as { email = "address" }', alternatives, last_resort={}
    ),
    _fields("optional_fields", subset, ["wished_on"]),
    _count("max_fields", "field groups", 12, smaller, last_resort=4),
    _count("max_fields_with_ground", "field groups", 12, smaller, last_resort=6),
    _choice(
        "identity_check_before_acceptance",
        "allowed_with_account",
        "existing_account_may_be_asked",
        "no",
        "forbidden",
        ranked=True,
        last_resort="no",
    ),
    Parameter("page_may_show_terms_or_computed_date", "yes or no", "true or false", flag, last_resort=False),
    # Proof.
    Parameter(
        "receipt_deadline",
        "seconds",
        'a table such as { target_seconds = 60, law = "at_once" }',
        receipt,
        no_worse_receipt,
        last_resort={"target_seconds": 60, "law": "none"},
    ),
    Parameter(
        "receipt_required_contents",
        "contents",
        f"a list of {', '.join(CONTENTS)}",
        some_of(*CONTENTS),
        superset,
        last_resort=list(CONTENTS),
    ),
    Parameter(
        "durable_medium",
        "media",
        f"a list of {', '.join(MEDIA)}",
        some_of(*MEDIA),
        superset,
        last_resort=["mail", "download"],
    ),
    _count("durable_confirmation_days", "days", MOST_DAYS, smaller),
    Parameter(
        "record_retention",
        "years",
        "a table such as { years = 3, to_year_end = true }",
        retention,
        earlier_erasure,
        last_resort={"years": 3, "to_year_end": True},
    ),
    # Terms.
    _count("max_initial_term_months", "months", MOST_MONTHS, smaller),
    _choice("renewal_rule", "allowed", "allowed_with_reminders", "tacit_with_notice", "open_ended_only", ranked=True),
    _count("max_renewal_months", "months", MOST_MONTHS, smaller),
    Parameter("max_notice_before_initial_end", "period", PERIOD, period, shorter),
    Parameter("max_notice_after_initial_term", "period", PERIOD, period, shorter),
    Parameter("max_notice_open_ended", "period", PERIOD, period, shorter),
    _choice("no_date_given", "earliest", "end_of_paid_period", last_resort="earliest"),
    Parameter(
        "exit_fee_cap",
        "months of the fee",
        'a table such as { months_of_fee = 1, at_most = 1000, currency = "JPY" }',
        fee_cap,
        lower_cap,
    ),
    _count("early_exit_after_months", "months", MOST_MONTHS, smaller),
    _choice("button_broken_effect", "alert", "fine", "unlawful", "cancel_right", "end_at_receipt", last_resort="alert"),
    # Withdrawal.
    _count("withdrawal_days", "days", MOST_DAYS, larger, last_resort=14),
    _count("withdrawal_days_after_renewal", "days", MOST_DAYS, larger),
    _choice("withdrawal_counting", "first_day_counts", "day_after", ranked=True, last_resort="day_after"),
    _count("withdrawal_uninformed_months", "months", MOST_MONTHS, larger, last_resort=12),
    _count("withdrawal_refund_days", "days", MOST_DAYS, smaller),
    _choice("withdrawal_pays_for_use", "yes", "if_asked_and_informed", "never", ranked=True),
    Parameter(
        "withdrawal_labels",
        "text",
        'a table such as { entry = "…", confirm = "…" }',
        labels,
        own_words,
        is_label=True,
        last_resort={"entry": "withdraw from contract here", "confirm": "confirm withdrawal"},
    ),
    _fields("withdrawal_fields", subset, ["name", "reference", "email"]),
    # Days.
    _choice(
        "period_counting_rule",
        "eu_1182_71",
        "de_187_188",
        "fr_1182_71",
        "pl_kc_111_115",
        "uk_corresponding",
        "us_calendar",
        "jp_140_143",
        last_resort="eu_1182_71",
    ),
    _choice("weekend_roll", "none", "only_if_closed", "withdrawal_only", "acts", last_resort="withdrawal_only"),
    # What may be sent, asked and offered.
    Parameter(
        "reminder_windows",
        "periods before",
        'a list of tables such as { event = "renewal", earliest = { months = 3 }, latest = { months = 1 } }',
        windows,
    ),
    _count("missed_reminder_refund_days", "days", MOST_DAYS, smaller),
    Parameter(
        "offer_rules",
        "offers",
        'a table such as { on_door = false, guided_max = 3, condition = "none" }',
        offers,
        fewer_offers,
        last_resort={"on_door": False, "guided_max": 0, "condition": "none"},
    ),
    Parameter(
        "guided_steps",
        "steps",
        f"a list of {', '.join(STEPS)}",
        some_of(*STEPS),
        subset,
        last_resort=["overview", "confirm", "done"],
    ),
    _choice("survey_rule", "optional", "reason_optional", "after_success", ranked=True, last_resort="after_success"),
    _choice(
        "marketing_consent_rule",
        "opt_out",
        "soft_opt_in",
        "opt_in_customer_exception",
        "separate_opt_in",
        "separate_opt_in_logged",
        "prior_consent_no_exception",
        ranked=True,
    ),
    _count("marketing_opt_out_days", "days", MOST_DAYS, smaller),
    _count("marketing_opt_out_business_days", "business days", MOST_DAYS, smaller),
)
PARAMETERS: Mapping[str, Parameter] = {parameter.name: parameter for parameter in _ALL}
