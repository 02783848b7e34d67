"""Which options answer a contract: worked cases, and what no combination of rule and contract may break."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cancellation.offer_rules import (
    MONEY_KINDS,
    Cause,
    Eligibility,
    Past,
    PlanToday,
    Proposal,
    Rule,
    RuleError,
    Situation,
    decide,
    exactness,
    next_unpaid_day,
    propose,
    read_terms,
)
from subscriptions.periods import Period, month_later
from subscriptions.prices import PriceChange
from subscriptions.terms import Boundary, Terms, billing_period_around, quote_for_day
from tests.factories import terms_dict

TODAY = date(2026, 11, 10)
WORDS = {"en": {"title": "An option", "text": "Words."}}
TERMS_OF: dict[str, dict[str, Any]] = {
    "pause": {"months": 2},
    "smaller_plan": {"to_plan": "small"},
    "todays_price": {},
    "discount": {"percent": 20, "periods": 3},
    "free_period": {"periods": 1},
    "interval": {"months": 3, "prices": {"EUR": 3300}},
    "help_session": {"minutes": 30},
    "fix": {},
    "skip": {},
    "hand_over": {},
}


def rule(kind: str = "discount", **changes: Any) -> Rule:
    return Rule(**{"code": kind, "kind": kind, "texts": WORDS, "terms": TERMS_OF.get(kind, {}), **changes})


def terms(**changes: Any) -> Terms:
    return Terms.from_dict(terms_dict(**changes))


def situation(**changes: Any) -> Situation:
    """Return a contract of 12.00 EUR a month since January 2025, paid until the end of November."""
    values: dict[str, Any] = {
        "today": TODAY,
        "terms": terms(),
        "plan": "large",
        "country": "DE",
        "language": "en",
        "currency": "EUR",
        "price_minor": 1200,
        "monthly_minor": 1200,
        "paid_through": date(2026, 11, 30),
        "prices": {"large": PlanToday("Large", 900), "small": PlanToday("Small", 700)},
        "reasons": frozenset({"cost-too-high"}),
        "roots": {"cost-too-high": "cost", "outcome-results": "outcome"},
    }
    return Situation(**{**values, **changes})


def figures(found: Proposal | Cause) -> dict[str, Any]:
    assert isinstance(found, Proposal), found
    return found.terms


# ---------------------------------------------------------------- days and money


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "pause",
            {
                "starts_on": "2026-12-01", "until": "2027-01-31", "paused_from": "2026-12-01",
                "paused_to": "2027-01-31", "months": 2, "periods": 2, "price_minor": 0, "price_before_minor": 1200,
                "price_after_minor": 1200, "cost_minor": 2400,
            },
        ),
        (
            "discount",
            {
                "starts_on": "2026-12-01", "until": "2027-02-28", "periods": 3, "percent": 20, "price_minor": 960,
                "price_before_minor": 1200, "price_after_minor": 1200, "cost_minor": 720,
            },
        ),
        (
            "free_period",
            {
                "starts_on": "2026-12-01", "until": "2026-12-31", "periods": 1, "price_minor": 0,
                "price_before_minor": 1200, "price_after_minor": 1200, "cost_minor": 1200,
            },
        ),
        (
            "skip",
            {
                "starts_on": "2026-12-01", "until": "2026-12-31", "periods": 1, "price_minor": 0,
                "price_before_minor": 1200, "price_after_minor": 1200, "cost_minor": 1200,
            },
        ),
        (
            "todays_price",
            {
                "starts_on": "2026-12-01", "until": None, "price_minor": 900, "price_before_minor": 1200,
                "price_after_minor": 900, "cost_minor": 3600,
            },
        ),
        (
            "smaller_plan",
            {
                "starts_on": "2026-12-01", "until": None, "price_minor": 700, "price_before_minor": 1200,
                "price_after_minor": 700, "cost_minor": 6000, "to_plan": "small", "to_plan_name": "Small",
            },
        ),
        (
            "interval",
            {
                "starts_on": "2026-12-01", "until": None, "price_minor": 3300, "price_before_minor": 1200,
                "price_after_minor": 3300, "cost_minor": 1200, "months": 3, "billing": {"months": 3},
                "billing_before": {"months": 1}, "billing_anchor": "2026-12-01",
            },
        ),
        ("help_session", {"starts_on": "2026-11-10", "until": None, "cost_minor": 0, "minutes": 30}),
        ("fix", {"starts_on": "2026-11-10", "until": None, "cost_minor": 0}),
        ("hand_over", {"starts_on": "2026-11-10", "until": None, "cost_minor": 0}),
    ],
)  # fmt: skip
def test_what_each_kind_means(kind: str, expected: dict[str, Any]) -> None:
    assert figures(propose(rule(kind), situation())) == {"currency": "EUR", "billing": {"months": 1}, **expected}


@pytest.mark.parametrize(
    ("today", "paid_through", "expected"),
    [
        pytest.param("2026-11-10", "2026-11-30", "2026-12-01", id="after-what-is-paid"),
        pytest.param("2026-11-10", "2027-01-31", "2027-02-01", id="however-far-that-reaches"),
        pytest.param("2026-11-10", None, "2026-12-01", id="a-period-that-has-begun-is-taken-for-billed"),
        pytest.param("2026-12-01", "2026-11-30", "2026-12-01", id="today-is-the-billing-day"),
        pytest.param("2026-11-10", "2026-12-14", "2027-01-01", id="a-payment-reaches-into-it"),
        pytest.param("2024-11-10", None, "2025-01-01", id="before-the-contract-begins"),
    ],
)
def test_the_next_billing_day_that_is_not_paid_for(today: str, paid_through: str | None, expected: str) -> None:
    paid = date.fromisoformat(paid_through) if paid_through else None

    assert next_unpaid_day(terms(), date.fromisoformat(today), paid) == date.fromisoformat(expected)


def test_a_discount_is_rounded_in_favour_of_the_customer() -> None:
    found = figures(propose(rule(terms={"percent": 33, "periods": 1}), situation(price_minor=1001)))

    assert found["price_minor"] == 670  # 670.67 rounded down


def test_a_discount_by_an_amount_never_goes_below_nothing() -> None:
    found = figures(propose(rule(terms={"amount_minor": 5000, "currency": "EUR", "periods": 1}), situation()))

    assert (found["price_minor"], found["cost_minor"]) == (0, 1200)


def test_a_pause_may_cost_something() -> None:
    found = figures(propose(rule("pause", terms={"months": 1, "price_minor": 200, "currency": "EUR"}), situation()))

    assert (found["price_minor"], found["price_after_minor"], found["cost_minor"]) == (200, 1200, 1000)


def test_a_pause_of_weeks_ends_with_a_whole_week() -> None:
    weekly = terms(billing={"weeks": 1}, billing_anchor="2025-01-06")

    found = figures(propose(rule("pause", terms={"months": 1}), situation(terms=weekly, paid_through=None)))

    # 16 November and a month reach 15 December; four whole weeks fit.
    assert (found["starts_on"], found["until"], found["periods"]) == ("2026-11-16", "2026-12-13", 4)


def test_the_31st_stays_the_31st_where_a_year_is_paid_by_the_month() -> None:
    yearly = terms(billing={"months": 12}, billing_anchor="2024-01-31", notice_to="billing_period")
    known = situation(terms=yearly, price_minor=12000, paid_through=date(2027, 1, 30))

    found = figures(propose(rule("interval", terms={"months": 1, "prices": {"EUR": 1000}}), known))

    assert (found["starts_on"], found["billing_anchor"]) == ("2027-01-31", "2024-01-31")


# ---------------------------------------------------------------- why not


HERE = Past("discount", "discount", date(2026, 6, 1), is_here=True)
RUNS = replace(HERE, is_passing=True, until=date(2026, 12, 31), code="other")


@pytest.mark.parametrize(
    ("changed", "known", "cause"),
    [
        pytest.param({"active": False}, {}, Cause.NOT_OPEN, id="closed"),
        pytest.param({"valid_from": date(2026, 11, 11)}, {}, Cause.NOT_YET, id="from-tomorrow"),
        pytest.param({"valid_until": date(2026, 11, 9)}, {}, Cause.NO_LONGER, id="until-yesterday"),
        pytest.param({}, {"is_ending": True}, Cause.ENDING, id="an-end-is-scheduled"),
        pytest.param(
            {},
            {"terms": terms(initial_term={"months": 24}, renewal="none")},
            Cause.ENDING,
            id="ends-by-itself-before-it-is-over",
        ),
        pytest.param({"plans": frozenset({"small"})}, {}, Cause.OTHER_PLAN, id="plan"),
        pytest.param({"countries": frozenset({"PL"})}, {}, Cause.OTHER_COUNTRY, id="country"),
        pytest.param({"languages": frozenset({"pl"})}, {}, Cause.OTHER_LANGUAGE, id="language"),
        pytest.param({"texts": {"de": {"text": "Nur"}}}, {"language": "pl"}, Cause.NO_TEXT, id="no-words"),
        pytest.param({"texts": ["x"]}, {}, Cause.NO_TEXT, id="no-texts-at-all"),
        pytest.param({"texts": {"en": {"title": " ", "text": ""}}}, {}, Cause.NO_TEXT, id="empty-words"),
        pytest.param({"kind": "gift"}, {}, Cause.UNREADABLE, id="unknown-kind"),
        pytest.param({"terms": {"percent": 0, "periods": 1}}, {}, Cause.UNREADABLE, id="terms"),
        pytest.param({"terms": None}, {}, Cause.UNREADABLE, id="no-terms"),
        pytest.param({"eligibility": {"tenure": 3}}, {}, Cause.UNREADABLE, id="eligibility"),
        pytest.param({"eligibility": "all"}, {}, Cause.UNREADABLE, id="eligibility-of-another-shape"),
        pytest.param({"eligibility": {"tenure_months_at_least": 23}}, {}, Cause.TOO_NEW, id="too-new"),
        pytest.param({"eligibility": {"tenure_months_at_most": 22}}, {}, Cause.TOO_LONG_HERE, id="too-long"),
        pytest.param({"eligibility": {"monthly_minor_at_least": 1201, "currency": "EUR"}}, {}, Cause.VALUE, id="value"),
        pytest.param({"eligibility": {"monthly_minor_at_most": 1199, "currency": "EUR"}}, {}, Cause.VALUE, id="much"),
        pytest.param({"eligibility": {"monthly_minor_at_most": 9999, "currency": "PLN"}}, {}, Cause.VALUE, id="zloty"),
        pytest.param(
            {"eligibility": {"unused_for_days": 30}}, {"last_used_on": date(2026, 10, 12)}, Cause.USAGE, id="is-used"
        ),
        pytest.param(
            {"eligibility": {"used_within_days": 30}}, {"last_used_on": date(2026, 10, 10)}, Cause.USAGE, id="unused"
        ),
        pytest.param({"eligibility": {"used_within_days": 30}}, {}, Cause.USAGE, id="never-used"),
        pytest.param(
            {"eligibility": {"months_since_last": 6}},
            {"past": (replace(HERE, code="fix"),)},
            Cause.TOO_SOON,
            id="not-within-six-months-of-the-last",
        ),
        pytest.param({"budget": 0}, {}, Cause.BUDGET, id="budget-of-nothing"),
        pytest.param({"budget": 10, "taken": 10}, {}, Cause.BUDGET, id="budget"),
        pytest.param({}, {"past": (HERE,)}, Cause.CAP, id="once-a-year"),
        pytest.param({}, {"past": (replace(HERE, is_here=False),)}, Cause.CAP, id="on-another-contract-of-theirs"),
        pytest.param({"cap_per_year": 0}, {}, Cause.CAP, id="for-nobody"),
        pytest.param({}, {"past": (RUNS,)}, Cause.ALREADY_RUNNING, id="no-discount-on-a-discount"),
        pytest.param(
            {},
            {"price_changes": (PriceChange(date(2026, 12, 1), date(2026, 12, 31), 0, "skip"),)},
            Cause.ALREADY_RUNNING,
            id="another-price-is-to-come",
        ),
        pytest.param(
            {"terms": {"amount_minor": 1, "currency": "PLN", "periods": 1}}, {}, Cause.OTHER_CURRENCY, id="currency"
        ),
        pytest.param({}, {"price_minor": 0}, Cause.NOT_CHEAPER, id="it-costs-nothing-already"),
    ],
)
def test_why_a_discount_is_not_shown(changed: dict[str, Any], known: dict[str, Any], cause: Cause) -> None:
    assert propose(rule(**changed), situation(**known)) is cause


@pytest.mark.parametrize(
    ("kind", "changed", "known", "cause"),
    [
        ("todays_price", {}, {"price_minor": 900}, Cause.NOT_CHEAPER),
        ("todays_price", {}, {"price_minor": 800}, Cause.NOT_CHEAPER),
        ("todays_price", {}, {"prices": {}}, Cause.NO_PLAN),
        ("todays_price", {}, {"prices": {"large": PlanToday("Large", None, True)}}, Cause.OTHER_CURRENCY),
        ("todays_price", {"terms": {"billing_months": 12}}, {}, Cause.NO_FIT),
        ("smaller_plan", {"terms": {"to_plan": "gone"}}, {}, Cause.NO_PLAN),
        ("smaller_plan", {"terms": {"to_plan": "large"}}, {}, Cause.SAME_ALREADY),
        ("smaller_plan", {}, {"price_minor": 700}, Cause.NOT_CHEAPER),
        ("smaller_plan", {}, {"past": (Past("y", "interval", date(2026, 1, 1), is_here=True),)}, Cause.NO_FIT),
        ("pause", {"terms": {"months": 1, "price_minor": 1200, "currency": "EUR"}}, {}, Cause.NOT_CHEAPER),
        ("pause", {"terms": {"months": 1, "price_minor": 2, "currency": "PLN"}}, {}, Cause.OTHER_CURRENCY),
        ("pause", {}, {"terms": terms(billing={"months": 12})}, Cause.NO_FIT),
        ("interval", {"terms": {"months": 1, "prices": {"EUR": 9}}}, {}, Cause.SAME_ALREADY),
        ("interval", {"terms": {"months": 3, "prices": {"PLN": 9}}}, {}, Cause.OTHER_CURRENCY),
        ("interval", {"terms": {"months": 3, "prices": {"EUR": 3601}}}, {}, Cause.NOT_CHEAPER),
        ("interval", {}, {"refund_policy": "none"}, Cause.WOULD_TIE_LONGER),
        ("interval", {}, {"terms": terms(notice_to="billing_period")}, Cause.WOULD_TIE_LONGER),
        (
            "interval",
            {"terms": {"months": 2, "prices": {"EUR": 2}}},
            {"terms": terms(billing={"months": 3}, notice_to="billing_period")},
            Cause.WOULD_TIE_LONGER,
        ),
        # 13.50 a month: whoever leaves after 31 of the year's 365 days would pay 13.76.
        (
            "interval",
            {"terms": {"months": 12, "prices": {"EUR": 16_200}}},
            {"refund_policy": "daily", "price_minor": 1350},
            Cause.WOULD_TIE_LONGER,
        ),
        # A month may begin while the fourth week still runs.
        (
            "interval",
            {"terms": {"months": 1, "prices": {"EUR": 1200}}},
            {"terms": terms(billing={"days": 7}), "price_minor": 300},
            Cause.WOULD_TIE_LONGER,
        ),
        # Months counted from one 31st begin on other days than those counted from the next.
        ("interval", {}, {"terms": terms(billing_anchor="2025-01-31")}, Cause.WOULD_TIE_LONGER),
        # The days from 20 November to the first whole month would cost a whole year's price.
        ("interval", {}, {"terms": terms(starts_on="2026-11-20"), "paid_through": None}, Cause.WOULD_TIE_LONGER),
    ],
)
def test_why_other_kinds_are_not_shown(kind: str, changed: dict[str, Any], known: dict[str, Any], cause: Cause) -> None:
    assert propose(rule(kind, **changed), situation(**known)) is cause


def test_nothing_for_a_while_where_the_contract_ends_with_it_for_no_price_comes_afterwards() -> None:
    ends = situation(terms=terms(initial_term={"months": 24}, renewal="none"))

    assert propose(rule("skip"), ends) is Cause.ENDING


@pytest.mark.parametrize(
    ("changed", "known"),
    [
        pytest.param({"valid_from": TODAY, "valid_until": TODAY}, {}, id="both-days-belong-to-it"),
        pytest.param({"eligibility": {"tenure_months_at_least": 22, "tenure_months_at_most": 23}}, {}, id="tenure"),
        pytest.param({"eligibility": {"unused_for_days": 30}}, {}, id="never-used-since-its-start"),
        pytest.param({"eligibility": {"unused_for_days": 29}}, {"last_used_on": date(2026, 10, 12)}, id="idle"),
        pytest.param({"eligibility": {"months_since_last": 5}}, {"past": (replace(HERE, code="fix"),)}, id="long-ago"),
        pytest.param({}, {"past": (replace(HERE, accepted_on=date(2025, 11, 10)),)}, id="a-year-is-over"),
        pytest.param({}, {"past": (replace(HERE, is_reverted=True, runs=False),)}, id="what-was-taken-back"),
        pytest.param({}, {"past": (replace(RUNS, is_here=False),)}, id="another-price-on-another-contract"),
        pytest.param({}, {"past": (replace(RUNS, until=date(2026, 11, 9)),)}, id="over-though-nobody-closed-it"),
        pytest.param({"budget": 10, "taken": 9}, {}, id="one-is-left"),
        pytest.param({"countries": frozenset({"DE"}), "plans": frozenset({"large"})}, {"country": "de"}, id="for-it"),
        pytest.param({}, {"language": "pl"}, id="english-where-there-are-no-other-words"),
        pytest.param({}, {"terms": terms(initial_term={"months": 24}, renewal="open_ended")}, id="runs-on"),
        pytest.param(
            {}, {"price_changes": (PriceChange(TODAY, date(2026, 12, 31), 0, "billed"),)}, id="days-billed-before"
        ),
    ],
)
def test_what_does_not_stand_against_it(changed: dict[str, Any], known: dict[str, Any]) -> None:
    assert isinstance(propose(rule(**changed), situation(**known)), Proposal)


def test_what_costs_nothing_stands_beside_another_price() -> None:
    assert isinstance(propose(rule("fix"), situation(past=(RUNS,))), Proposal)


# ---------------------------------------------------------------- what is shown where, and in which order


def decided(*rules: Rule, limit: int = 3, place: Any = "flow", **known: Any) -> tuple[list[str], dict[str, Cause]]:
    found = decide(rules, situation(**known), limit=limit, place=place)
    return [proposal.code for proposal in found.shown], found.not_shown


def answering(code: str, *reasons: str, **changes: Any) -> Rule:
    return rule("fix", code=code, reasons=frozenset(reasons), **changes)


def test_what_answers_the_main_reason_comes_first_then_what_an_operator_puts_first() -> None:
    rules = [
        answering("root-of-main", "cost"),
        answering("another-reason", "outcome-results"),
        answering("main", "cost-too-high", position=300),
        answering("main-first", "cost-too-high", position=200),
        answering("root-of-another", "outcome", position=1),
        answering("neither", "outlook"),
    ]

    shown, not_shown = decided(*rules, reasons=frozenset({"cost-too-high", "outcome-results"}), primary="cost-too-high")

    assert shown == ["main-first", "main", "another-reason"]
    assert not_shown == {
        "root-of-main": Cause.BEYOND_LIMIT,
        "root-of-another": Cause.BEYOND_LIMIT,
        "neither": Cause.OTHER_REASON,
    }


def test_todays_price_answers_whatever_was_said_but_needs_that_something_was_said() -> None:
    rules = [rule("todays_price"), answering("other", "circumstance")]

    assert decided(*rules, reasons=frozenset({"outcome-results"})) == (["todays_price"], {"other": Cause.OTHER_REASON})
    assert decided(*rules, reasons=frozenset()) == (
        [],
        {"todays_price": Cause.NOTHING_SAID, "other": Cause.NOTHING_SAID},
    )


def test_a_reason_that_nobody_knows_any_more_is_answered_by_its_code_alone() -> None:
    assert decided(answering("a", "old"), answering("b", "cost"), reasons=frozenset({"old"}))[0] == ["a"]


def test_of_a_death_nothing_speaks_but_what_was_made_for_it() -> None:
    rules = [
        rule("todays_price"),
        answering("root", "circumstance"),
        answering("cost", "cost"),
        rule("hand_over", reasons=frozenset({"circumstance-died"})),
    ]
    said = {"circumstance-died", "cost-too-high"}
    roots = {"circumstance-died": "circumstance", "cost-too-high": "cost"}

    assert decided(*rules, reasons=frozenset(said), roots=roots)[0] == ["hand_over"]


def test_an_option_without_reasons_stands_on_its_page_alone() -> None:
    assert decided(rule("fix")) == ([], {"fix": Cause.OTHER_REASON})
    assert decided(rule("fix"), place="page") == (["fix"], {})


@pytest.mark.parametrize(
    ("known", "limit", "cause"),
    [
        ({}, 0, Cause.PLACE_FORBIDS),
        ({"may_stand": False}, 3, Cause.PLACE_FORBIDS),
        ({"declined": True}, 3, Cause.DECLINED),
        ({"held_out": True}, 3, Cause.HELD_OUT),
    ],
)
def test_what_keeps_options_from_the_flow_keeps_none_from_their_page(
    known: dict[str, Any], limit: int, cause: Cause
) -> None:
    answers = answering("fix", "cost")

    assert decided(answers, limit=limit, **known) == ([], {"fix": cause})
    assert decided(answers, limit=limit, place="page", **known) == (["fix"], {})


def test_nobody_is_kept_from_todays_price_so_that_an_effect_can_be_told() -> None:
    assert decided(rule("todays_price"), answering("fix", "cost"), held_out=True) == (
        ["todays_price"],
        {"fix": Cause.HELD_OUT},
    )


def test_the_flow_never_shows_more_than_three_whatever_the_limit_says() -> None:
    many = [answering(f"n{n}", "cost") for n in range(6)]

    assert len(decided(*many, limit=6)[0]) == 3
    assert len(decided(*many, limit=1)[0]) == 1
    assert len(decided(*many, limit=1, place="page")[0]) == 6


def test_one_rule_that_fails_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    broken = rule("discount", code="broken", valid_from="never", reasons=frozenset({"cost"}))

    assert decided(broken, answering("fix", "cost")) == (["fix"], {"broken": Cause.FAULT})
    assert "broken" in caplog.text


# ---------------------------------------------------------------- what an operator writes


@pytest.mark.parametrize("kind", TERMS_OF)
def test_the_terms_of_each_kind_are_read(kind: str) -> None:
    read = read_terms(kind, TERMS_OF[kind])

    assert read == TERMS_OF[kind] | ({"price_minor": 0} if kind == "pause" else {})


@pytest.mark.parametrize(
    ("kind", "given", "field", "remedy"),
    [
        ("gift", {}, "kind", "give one of pause,"),
        ("pause", [], "terms", "is not an object"),
        ("pause", {}, "months", "months: is missing"),
        ("pause", {"months": 13}, "months", "whole number from 1 to 12"),
        ("pause", {"months": "2"}, "months", "whole number"),
        ("pause", {"months": True}, "months", "whole number"),
        ("pause", {"months": 2, "price_minor": 100}, "currency", 'such as "EUR"'),
        ("pause", {"months": 2, "price_minor": -1, "currency": "EUR"}, "price_minor", "from 0"),
        ("pause", {"months": 2, "price_minor": 1, "currency": "euro"}, "currency", "ISO 4217"),
        ("pause", {"months": 2, "weeks": 1}, "weeks", "known are months, price_minor, currency"),
        ("smaller_plan", {"to_plan": " "}, "to_plan", "give the code of one"),
        ("smaller_plan", {"to_plan": 7}, "to_plan", "give the code of one"),
        ("todays_price", {"price": 7}, "price", "known are billing_months"),
        ("discount", {"periods": 3}, "percent", "either percent or amount_minor"),
        ("discount", {"periods": 3, "percent": 5, "amount_minor": 5, "currency": "EUR"}, "percent", "either"),
        ("discount", {"periods": 3, "percent": 100}, "percent", "from 1 to 99"),
        ("discount", {"periods": 3, "percent": 5, "currency": "EUR"}, "currency", "leave it out"),
        ("discount", {"periods": 0, "percent": 5}, "periods", "from 1 to 36"),
        ("discount", {"periods": 3, "amount_minor": 100}, "currency", "is missing"),
        ("free_period", {"periods": 1.5}, "periods", "whole number"),
        ("interval", {"months": 3, "prices": {}}, "prices", "names no price"),
        ("interval", {"months": 3, "prices": {"EURO": 1}}, "prices", "ISO 4217"),
        ("interval", {"months": 3, "prices": {"EUR": "9"}}, "prices.EUR", "whole number"),
        ("help_session", {"minutes": 1}, "minutes", "from 5 to 480"),
        ("fix", {"x": 1}, "x", "this kind needs none"),
        ("skip", None, "terms", "is not an object"),
    ],
)
def test_terms_that_cannot_be_used_are_named_with_a_remedy(kind: str, given: Any, field: str, remedy: str) -> None:
    with pytest.raises(RuleError) as refused:
        read_terms(kind, given)

    assert refused.value.field == field
    assert remedy in refused.value.words


@pytest.mark.parametrize(
    ("given", "field", "remedy"),
    [
        ([], "eligibility", "is not an object"),
        ({"tenure": 6}, "tenure", "known are tenure_months_at_least"),
        ({"tenure_months_at_least": "6"}, "tenure_months_at_least", "whole number from 0"),
        ({"unused_for_days": -1}, "unused_for_days", "whole number from 0"),
        ({"currency": "EUR"}, "currency", "give both or neither"),
        ({"monthly_minor_at_least": 1}, "currency", "give both or neither"),
        ({"monthly_minor_at_least": 1, "currency": "Euro"}, "currency", "ISO 4217"),
        ({"tenure_months_at_least": 7, "tenure_months_at_most": 6}, "tenure_months_at_least", "swap the two"),
    ],
)
def test_an_eligibility_that_cannot_be_used_is_named_with_a_remedy(given: Any, field: str, remedy: str) -> None:
    with pytest.raises(RuleError) as refused:
        Eligibility.from_dict(given)

    assert refused.value.field == field
    assert remedy in refused.value.words


def test_an_eligibility_of_nothing_is_for_everybody() -> None:
    assert Eligibility.from_dict({}) == Eligibility()
    assert Eligibility().as_dict() == {}


# ---------------------------------------------------------------- whatever the rules and the contract

CODES = ["cost-too-high", "outcome-results", "gone"]
BILLINGS = st.sampled_from([{"months": 1}, {"months": 2}, {"months": 3}, {"months": 12}, {"weeks": 1}, {"days": 30}])
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
COUNTS = st.integers(0, 40)
JUNK = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@st.composite
def eligibilities(draw: st.DrawFn) -> Any:
    if draw(st.integers(0, 9)) == 0:
        return draw(JUNK | st.dictionaries(st.sampled_from(["tenure_months_at_least", "x"]), JUNK, min_size=1))
    names = ["tenure_months_at_least", "tenure_months_at_most", "used_within_days", "unused_for_days"]
    asked = draw(st.dictionaries(st.sampled_from([*names, "months_since_last"]), COUNTS, max_size=2))
    if draw(st.booleans()):
        asked |= {
            "monthly_minor_at_least": draw(st.integers(0, 2000)),
            "currency": draw(st.sampled_from(["EUR", "PLN"])),
        }
    return asked


TERMS = {
    "pause": st.fixed_dictionaries(
        {"months": st.integers(1, 12)},
        optional={"price_minor": st.integers(0, 2000), "currency": st.sampled_from(["EUR", "PLN"])},
    ),
    "smaller_plan": st.fixed_dictionaries({"to_plan": st.sampled_from(["small", "large", "gone"])}),
    "todays_price": st.just({}),
    "discount": st.fixed_dictionaries({"percent": st.integers(1, 99), "periods": st.integers(1, 36)})
    | st.fixed_dictionaries(
        {"amount_minor": st.integers(1, 3000), "currency": st.just("EUR"), "periods": st.integers(1, 36)}
    ),
    "free_period": st.fixed_dictionaries({"periods": st.integers(1, 12)}),
    "interval": st.fixed_dictionaries(
        {"months": st.integers(1, 36), "prices": st.fixed_dictionaries({"EUR": st.integers(0, 40000)})}
    ),
    "help_session": st.just({}),
    "fix": st.just({}),
    "skip": st.just({}),
    "hand_over": st.just({}),
}


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    kind = draw(st.sampled_from([*TERMS]))
    return Rule(
        code=draw(st.uuids()).hex,
        kind=kind,
        texts=draw(st.sampled_from([WORDS, {"de": {"text": "Nur"}}, {}])),
        terms=draw(TERMS[kind] | JUNK) if draw(st.integers(0, 9)) == 0 else draw(TERMS[kind]),
        reasons=draw(st.frozensets(st.sampled_from([*CODES, "cost", "outcome", ""]), max_size=2)),
        plans=draw(st.sampled_from([frozenset(), frozenset({"large"}), frozenset({"small"})])),
        eligibility=draw(eligibilities()),
        budget=draw(st.none() | st.integers(0, 2)),
        taken=draw(st.integers(0, 2)),
        cap_per_year=draw(st.integers(0, 2)),
        position=draw(st.integers(0, 3)),
        valid_until=draw(st.none() | DAYS),
    )


PASTS = st.builds(
    Past,
    code=st.sampled_from(["a", "b"]),
    kind=st.sampled_from([*TERMS]),
    accepted_on=st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    is_here=st.booleans(),
    runs=st.booleans(),
    is_reverted=st.booleans(),
    is_passing=st.booleans(),
    until=st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31)),
)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    start = draw(st.dates(date(2023, 1, 1), date(2026, 12, 31)))
    agreed = terms(
        starts_on=start.isoformat(),
        billing=draw(BILLINGS),
        billing_anchor=draw(st.dates(date(2023, 1, 1), date(2024, 12, 31))).isoformat(),
        initial_term=draw(st.sampled_from([None, {"months": 12}, {"months": 24}])),
        renewal=draw(st.sampled_from(["none", "open_ended", {"months": 12}])),
        notice_to=draw(st.sampled_from([str(one) for one in Boundary])),
        notice=draw(st.sampled_from([{"months": 1}, {"days": 14}, {"days": 0}])),
    )
    today = draw(DAYS)
    return situation(
        today=today,
        terms=agreed,
        price_minor=draw(st.integers(0, 20000)),
        monthly_minor=draw(st.integers(0, 2000)),
        refund_policy=draw(st.sampled_from(["none", "daily", "monthly"])),
        paid_through=draw(st.none() | st.dates(today - timedelta(days=60), today + timedelta(days=400))),
        last_used_on=draw(st.none() | st.dates(start, max(start, today))),
        is_ending=draw(st.integers(0, 9)) == 0,
        past=tuple(draw(st.lists(PASTS, max_size=2))),
        prices={"large": PlanToday("Large", draw(st.none() | st.integers(0, 20000))), "small": PlanToday("Small", 500)},
        reasons=draw(st.frozensets(st.sampled_from(CODES), max_size=2)),
        language=draw(st.sampled_from(["en", "de", "pl"])),
        may_stand=draw(st.integers(0, 9)) != 0,
        held_out=draw(st.booleans()),
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(rules(), max_size=8), situations(), st.integers(-1, 9), st.sampled_from(["flow", "page"]))
def test_every_rule_is_shown_or_has_its_cause_and_never_more_than_the_limit(
    given_rules: list[Rule], known: Situation, limit: int, place: Any
) -> None:
    found = decide(given_rules, known, limit=limit, place=place)

    shown = [proposal.code for proposal in found.shown]
    assert len(set(shown)) == len(shown)
    assert {*shown, *found.not_shown} == {one.code for one in given_rules}
    assert not {*shown} & {*found.not_shown}
    assert Cause.FAULT not in found.not_shown.values()
    if place == "flow":
        assert len(shown) <= max(0, min(limit, 3))
    else:
        assert not {*found.not_shown.values()} & {
            Cause.BEYOND_LIMIT, Cause.HELD_OUT, Cause.PLACE_FORBIDS, Cause.NOTHING_SAID, Cause.OTHER_REASON,
        }  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(rules(), min_size=1, max_size=4), situations())
def test_what_the_flow_shows_answers_what_was_said_and_its_page_shows_it_too(
    given_rules: list[Rule], known: Situation
) -> None:
    flow = decide(given_rules, known, limit=3, place="flow")
    page = decide(given_rules, known, limit=0, place="page")
    by_code = {one.code: one for one in given_rules}

    assert {proposal.code for proposal in flow.shown} <= {proposal.code for proposal in page.shown}
    for proposal in flow.shown:
        one = by_code[proposal.code]
        said = known.reasons | {known.roots[code] for code in known.reasons if code in known.roots}
        assert known.reasons
        assert one.kind == "todays_price" or said & one.reasons
        assert not known.held_out or one.kind == "todays_price"
    ranks = [exactness(by_code[proposal.code], known) for proposal in flow.shown]
    assert ranks == sorted(rank for rank in ranks if rank is not None)


@settings(max_examples=400, deadline=None)
@given(rules(), situations())
def test_what_is_shown_meets_who_may_have_it(one: Rule, known: Situation) -> None:
    found = propose(one, known)
    if isinstance(found, Cause):
        return

    asked, start = one.eligibility, known.terms.starts_on
    if least := asked.get("tenure_months_at_least"):
        assert month_later(start, least) <= known.today
    if (most := asked.get("tenure_months_at_most")) is not None:
        assert known.today <= month_later(start, most)
    if "monthly_minor_at_least" in asked:
        assert (asked["currency"], True) == ("EUR", asked["monthly_minor_at_least"] <= known.monthly_minor)
    if (within := asked.get("used_within_days")) is not None:
        assert known.last_used_on is not None
        assert known.last_used_on >= known.today - timedelta(days=within)
    if (idle := asked.get("unused_for_days")) is not None:
        assert (known.last_used_on or start) <= known.today - timedelta(days=idle)
    if months := asked.get("months_since_last"):
        agreed = [past.accepted_on for past in known.past if not past.is_reverted]
        assert all(day <= month_later(known.today, -months) for day in agreed)
    assert one.budget is None or one.taken < one.budget
    assert one.cap_per_year > 0
    assert not one.plans or known.plan in one.plans
    assert not known.is_ending


@settings(max_examples=500, deadline=None)
@given(rules(), situations())
def test_no_option_is_dearer_than_now_nor_makes_leaving_later(one: Rule, known: Situation) -> None:
    found = propose(one, known)
    if isinstance(found, Cause) or found.kind not in MONEY_KINDS:
        return

    told = found.terms
    starts_on, old, new = date.fromisoformat(told["starts_on"]), known.terms.billing, Period.from_dict(told["billing"])
    # A month may have 28 days: the strictest comparison of a price by the month with one by the day.
    now = Fraction(told["price_before_minor"], old.months * 28 or old.days)
    assert Fraction(told["price_minor"], new.months * 28 or new.days) <= now
    assert told["price_before_minor"] == known.price_minor
    assert told["cost_minor"] >= 0
    assert starts_on >= known.today
    assert known.paid_through is None or starts_on > known.paid_through
    assert told["until"] is None or date.fromisoformat(told["until"]) >= starts_on
    if found.kind != "interval":
        assert told["price_minor"] < known.price_minor


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([1, 2, 3, 4, 6, 12, 24]), situations())
def test_another_interval_never_makes_leaving_later(months: int, known: Situation) -> None:
    known = replace(known, price_minor=20000, past=(), is_ending=False)
    found = propose(rule("interval", terms={"months": months, "prices": {"EUR": 1}}), known)
    if isinstance(found, Cause):
        assert found in {Cause.SAME_ALREADY, Cause.WOULD_TIE_LONGER, Cause.ENDING}
        return

    billing, anchor = Period(months=months), date.fromisoformat(found.terms["billing_anchor"])
    billed = replace(known.terms, billing=billing, billing_anchor=anchor)
    for days in range(0, 400, 7):
        day = known.today + timedelta(days=days)
        before, after = (quote_for_day(each, day).last_day for each in (known.terms, billed))
        assert before is None or (after is not None and after <= before)
    assert (
        billing_period_around(billed, date.fromisoformat(found.terms["starts_on"]))[0].isoformat()
        == (found.terms["starts_on"])
    )
