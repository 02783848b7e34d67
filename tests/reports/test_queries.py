"""Which cancellations count, where they belong, and what they were worth."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cancellation.actions import SYSTEM, confirm, receive_notice
from cancellation.models import Cancellation, State
from cancellation.pages import quote_now
from cancellation.queries import contracts_with_state
from feedback.models import Answer, Reason, Root
from reports.queries import By, Figures, Slice, figures
from subscriptions.amounts import Money
from tests import desk_rows as rows

pytestmark = pytest.mark.django_db


def told(figures: Figures) -> list[tuple[Any, ...]]:
    """Return rows as plain tuples: names, number, amount."""
    return [(*row.names, row.cancellations, str(row.value_lost)) for row in figures.rows]


def by(*dimensions: By, **within: Any) -> list[tuple[Any, ...]]:
    return told(figures(dimensions, Slice(**within), "en"))


def test_nothing_is_an_empty_report():
    found = figures([By.ROOT], Slice())

    assert (found.rows, found.total, found.value_lost, found.is_mixed) == ((), 0, (), False)


def test_scheduled_and_ended_count_and_an_undone_one_does_not():
    rows.left(state=State.SCHEDULED, root=Root.COST, charge=1000)
    rows.left(state=State.ENDED, root=Root.COST, charge=2050)
    rows.left(state=State.REVOKED, root=Root.COST, charge=9999)

    assert by(By.ROOT) == [("cost", 2, "30.50 EUR")]


def test_without_an_answer_the_root_is_unstated():
    rows.left(root=None)
    rows.left(root=Root.UNSTATED)
    rows.left(root=Root.OUTLOOK)

    assert by(By.ROOT) == [("unstated", 2, "24.60 EUR"), ("outlook", 1, "12.30 EUR")]


def test_an_answer_belongs_to_its_own_cancellation_even_where_the_contract_was_cancelled_twice():
    contract = rows.contract()
    rows.left(contract=contract, state=State.REVOKED, root=Root.COST)
    rows.left(contract=contract, state=State.SCHEDULED, root=Root.OUTCOME)

    assert by(By.ROOT) == [("outcome", 1, "12.30 EUR")]


def test_a_second_cancellation_without_an_answer_does_not_borrow_the_first_ones():
    contract = rows.contract()
    rows.left(contract=contract, state=State.REVOKED, root=Root.COST)
    rows.left(contract=contract, state=State.SCHEDULED, root=None)

    assert by(By.ROOT) == [("unstated", 1, "12.30 EUR")]


def test_several_ticked_reasons_count_once():
    reasons = [Reason.objects.create(code=f"r{n}", root=Root.COST, labels={"en": f"R{n}"}) for n in range(3)]
    cancellation = rows.left(primary=reasons[1])
    Answer.objects.get(cancellation_id=cancellation.pk).reasons.set(reasons)

    assert by(By.REASON) == [("R1", 1, "12.30 EUR")]


def test_imported_reasons_keep_their_words_and_ours_their_label():
    ours = Reason.objects.create(code="dear", root=Root.COST, labels={"en": "Too dear", "de": "Zu teuer"})
    rows.left(primary=ours)
    rows.left(primary=ours, imported_reason="Price too high", imported_category="Price")
    rows.left(root=Root.RELATIONSHIP)
    rows.left(root=None)

    assert by(By.REASON) == [
        ("Not stated", 1, "12.30 EUR"),
        ("Price too high", 1, "12.30 EUR"),
        ("Relationship", 1, "12.30 EUR"),
        ("Too dear", 1, "12.30 EUR"),
    ]
    assert [row[0] for row in by(By.CATEGORY)] == ["Cost", "Not stated", "Price", "Relationship"]
    in_german = figures([By.REASON], Slice(), "de").rows
    assert [row.names for row in in_german if row.names[0] == "Zu teuer"] == [("Zu teuer",)]


def test_one_imported_reason_under_two_categories_stays_two_pairs_and_one_reason():
    for category in ("Dissatisfaction", "Other", "Other"):
        rows.left(imported_reason="Poor expertise of online support", imported_category=category)

    assert by(By.REASON) == [("Poor expertise of online support", 3, "36.90 EUR")]
    assert by(By.CATEGORY, By.REASON) == [
        ("Other", "Poor expertise of online support", 2, "24.60 EUR"),
        ("Dissatisfaction", "Poor expertise of online support", 1, "12.30 EUR"),
    ]


def test_rows_go_by_number_then_name_and_months_ascend():
    for day, root in [
        ("2026-03-01", "cost"),
        ("2026-01-31", "cost"),
        ("2026-03-02", "cost"),
        ("2026-03-03", "outlook"),
    ]:
        rows.left(day, root=root)

    assert [row[0] for row in by(By.MONTH)] == ["2026-01", "2026-03"]
    assert [row[:3] for row in by(By.MONTH, By.ROOT)] == [
        ("2026-01", "cost", 1),
        ("2026-03", "cost", 2),
        ("2026-03", "outlook", 1),
    ]
    assert [row[:3] for row in by(By.ROOT, By.MONTH)] == [
        ("cost", "2026-01", 1),
        ("cost", "2026-03", 2),
        ("outlook", "2026-03", 1),
    ]


def test_currencies_stand_in_rows_of_their_own_and_are_never_added():
    rows.left(charge=1230, currency="EUR")
    rows.left(charge=1000, currency="JPY")
    rows.left(charge=1500, currency="JPY")
    rows.left(charge=1234, currency="KWD", root=Root.OUTLOOK)

    found = figures([By.ROOT], Slice())

    assert told(found) == [
        ("cost", 2, "2500 JPY"),
        ("cost", 1, "12.30 EUR"),
        ("outlook", 1, "1.234 KWD"),
    ]
    assert found.total == 4
    assert found.value_lost == (Money(1230, "EUR"), Money(2500, "JPY"), Money(1234, "KWD"))


def test_a_period_includes_both_its_days():
    for day in ("2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01"):
        rows.left(day)

    within = {"from_day": date(2026, 2, 1), "to_day": date(2026, 2, 28)}

    assert by(By.MONTH, **within) == [("2026-02", 2, "24.60 EUR")]


def test_plan_and_country_narrow_the_figures():
    rows.left(plan=rows.plan("big", "Big"), country="DE")
    rows.left(plan=rows.plan("big", "Big"), country="PL")
    rows.left(plan=rows.plan("small", "Small"), country="PL")

    assert by(By.PLAN) == [("Big", 2, "24.60 EUR"), ("Small", 1, "12.30 EUR")]
    assert by(By.PLAN, country="PL") == [("Big", 1, "12.30 EUR"), ("Small", 1, "12.30 EUR")]
    assert by(By.PLAN, plan="big", country="PL") == [("Big", 1, "12.30 EUR")]
    assert by(By.PLAN, plan="big", country="JP") == []


def test_two_plans_of_one_name_are_told_apart():
    rows.left(plan=rows.plan("a", "Basic"))
    rows.left(plan=rows.plan("b", "Basic"))

    assert [row[0] for row in by(By.PLAN)] == ["Basic (a)", "Basic (b)"]


def test_contract_kinds_are_the_business_own_words():
    rows.left(kind="One Year")
    rows.left(kind="")

    assert by(By.CONTRACT_KIND, By.ROOT) == [("", "cost", 1, "12.30 EUR"), ("One Year", "cost", 1, "12.30 EUR")]


@pytest.mark.parametrize(
    ("zone", "instant", "month"),
    [
        pytest.param("Asia/Tokyo", datetime(2026, 1, 31, 15, 30, tzinfo=UTC), "2026-02", id="past-midnight-in-tokyo"),
        pytest.param("Asia/Tokyo", datetime(2026, 1, 31, 14, 59, tzinfo=UTC), "2026-01", id="before-it"),
        pytest.param("America/New_York", datetime(2026, 2, 1, 4, 59, tzinfo=UTC), "2026-01", id="still-january-there"),
    ],
)
def test_a_notice_at_a_month_border_belongs_to_the_contracts_own_day(zone, instant, month):
    made = rows.contract(terms=rows.TERMS | {"timezone": zone})
    contract = contracts_with_state().get(pk=made.pk)
    quote = quote_now(contract, instant)
    notice = receive_notice(
        contract=contract, shown=quote, received_at=instant, actor=SYSTEM, key="k", locale="en", declaration="I end it."
    )
    confirm(notice=notice, shown=quote, actor=SYSTEM)

    assert by(By.MONTH) == [(month, 1, "12.30 EUR")]


def test_three_rows_cost_as_many_statements_as_one(django_assert_num_queries):
    rows.left()
    with django_assert_num_queries(3):
        figures([By.REASON, By.PLAN, By.MONTH], Slice())
    for root in ("cost", "outlook"):
        rows.left(plan=rows.plan(root, root), root=root)
    with django_assert_num_queries(3):
        found = figures([By.REASON, By.PLAN, By.MONTH], Slice())

    assert found.total == Cancellation.objects.count() == 3
