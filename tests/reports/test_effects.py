"""What options do: who is compared, when they count as staying, what came in, and when nothing may be said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cancellation.models import Notice, State
from reports.effects import Verdict, effects
from reports.intervals import Share, newcombe
from reports.queries import Slice
from reports.visits import MonthLine, months
from subscriptions.amounts import Money
from subscriptions.models import Contract
from tests import desk_rows as rows

pytestmark = pytest.mark.django_db
ALL = Slice()
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
# A decision of this instant has its 30th day behind it, and its 90th; not its 180th.
MAY = datetime(2026, 5, 10, 12, tzinfo=UTC)
DAY = MAY.date()


def after(days: int) -> date:
    return DAY + timedelta(days=days)


@pytest.fixture(autouse=True)
def _three_are_enough(settings: Any) -> None:
    settings.EFFECT_MIN = 3


def group(n: int, staying: int, *, held_out: bool = False, at: datetime = MAY, **given: Any) -> list[Contract]:
    """Decide about ``n`` customers, of whom so many have paid for the whole year."""
    contracts = [rows.decided(at, held_out=held_out, **given).contract for _n in range(n)]
    for contract in contracts[:staying]:
        rows.paid(contract, date(2026, 1, 1), date(2026, 12, 31))
    return contracts


def kept_after(days: int, within: Slice = ALL, now: datetime = NOW) -> Any:
    return next(one for one in effects(within, now).kept if one.days == days)


def shares(days: int = 30, within: Slice = ALL) -> tuple[tuple[int, int], tuple[int, int]]:
    one = kept_after(days, within)
    assert one.shares is not None
    return (one.shares[0].hits, one.shares[0].of), (one.shares[1].hits, one.shares[1].of)


def received_after(days: int, currency: str = "EUR") -> Any:
    return next(one for one in effects(ALL, NOW).received if (one.days, one.currency) == (days, currency))


# ---------------------------------------------------------------- who is compared


def test_those_who_were_shown_options_stand_beside_those_held_out():
    group(8, 6)
    group(5, 2, held_out=True)

    one = kept_after(90)

    assert (one.of, one.shares) == ((8, 5), (Share(6, 8), Share(2, 5)))
    assert one.difference == newcombe(Share(6, 8), Share(2, 5))


def test_a_customer_counts_once_with_their_first_visit_whichever_contract_it_was_about():
    group(4, 4)
    group(3, 3, held_out=True)
    first = rows.decided(MAY - timedelta(days=1))
    later = rows.contract(customer=first.contract.customer)
    rows.paid(later, date(2026, 1, 1), date(2026, 12, 31))
    rows.decided(MAY, contract=later)

    assert shares() == ((4, 5), (3, 3))


def test_a_visit_in_which_nothing_could_be_shown_is_not_the_first():
    group(3, 3)
    group(3, 3, held_out=True)
    of = rows.decided(MAY - timedelta(days=2), shown=[], not_shown={"pause-2": "budget"}).contract
    rows.decided(MAY - timedelta(days=1), held_out=True, contract=of, not_shown={"pause-2": "budget"})

    assert shares() == ((3, 3), (3, 3))
    rows.decided(MAY, contract=of)
    assert shares() == ((3, 4), (3, 3))


def test_the_options_page_compares_nobody():
    group(3, 3)
    group(3, 3, held_out=True)
    rows.decided(MAY, place="page")

    assert effects(ALL, NOW).customers == (3, 3)


def test_somebody_held_out_who_saw_todays_price_or_took_an_option_elsewhere_stays_held_out():
    group(3, 3)
    group(3, 3, held_out=True)
    saw = rows.decided(MAY, held_out=True, shown=[{"code": "today", "kind": "todays_price"}], not_shown={})
    rows.agreed(MAY, contract=saw.contract, place="page")

    assert shares() == ((3, 3), (3, 4))


# ---------------------------------------------------------------- still active and paying


def test_only_those_count_whose_day_has_come_where_they_are():
    group(3, 3)
    group(3, 3, held_out=True)
    # The 30th day after 3 August is 2 September: it has come in Tokyo at 15:30 UTC of the day before, not in Berlin.
    tokyo = {"terms": rows.TERMS | {"timezone": "Asia/Tokyo"}}
    august = datetime(2026, 8, 3, 10, tzinfo=UTC)
    group(1, 1, at=august, of=tokyo)
    group(1, 1, at=august)

    assert kept_after(30, now=datetime(2026, 9, 1, 14, 30, tzinfo=UTC)).of == (3, 3)
    assert kept_after(30, now=datetime(2026, 9, 1, 15, 30, tzinfo=UTC)).of == (4, 3)
    assert kept_after(30, now=datetime(2026, 9, 1, 22, 30, tzinfo=UTC)).of == (5, 3)


@pytest.mark.parametrize(
    ("last_day", "state", "kept"),
    [
        pytest.param(after(30), State.SCHEDULED, False, id="ends-on-that-day"),
        pytest.param(after(31), State.SCHEDULED, True, id="ends-the-day-after"),
        pytest.param(after(5), State.ENDED, False, id="ended-before"),
        pytest.param(after(5), State.REVOKED, True, id="undone"),
    ],
)
def test_an_end_counts_up_to_that_day_unless_undone(last_day, state, kept):
    group(3, 3, held_out=True)
    group(2, 2)
    [one] = group(1, 1)
    end = rows.left(DAY, contract=one, state=state)
    type(end).objects.filter(pk=end.pk).update(last_day=last_day)

    assert shares()[0] == (2 + kept, 3)


@pytest.mark.parametrize(("months", "kept"), [(5, False), (6, True)])
def test_a_term_that_nothing_renews_runs_out_by_itself(months, kept):
    group(3, 3, held_out=True)
    group(2, 2)
    # From 1 January: the last day is 31 May, or 30 June; the 30th day after 10 May is 9 June.
    group(1, 1, of={"terms": rows.TERMS | {"initial_term": {"months": months}, "renewal": "none"}})

    assert shares()[0] == (2 + kept, 3)


def test_terms_that_cannot_be_read_stop_no_report():
    group(3, 3, held_out=True)
    group(3, 3, of={"terms": {"renewal": "none", "initial_term": 7, "timezone": "Mars/Olympus"}})

    assert shares() == ((3, 3), (3, 3))


@pytest.mark.parametrize(
    ("first", "last", "minor", "kept"),
    [
        pytest.param(after(30), after(60), 1, True, id="from-that-day"),
        pytest.param(after(1), after(30), 1, True, id="up-to-that-day"),
        pytest.param(after(1), after(29), 1230, False, id="ran-out-before"),
        pytest.param(after(31), after(60), 1230, False, id="begins-after"),
        pytest.param(after(1), after(60), 0, False, id="nothing-was-paid"),
    ],
)
def test_paying_means_that_a_payment_covers_the_day(first, last, minor, kept):
    group(3, 3, held_out=True)
    group(2, 2)
    [one] = group(1, 0)
    rows.paid(one, first, last, minor)

    assert shares()[0] == (2 + kept, 3)


# ---------------------------------------------------------------- what may be said


def test_below_the_minimum_there_are_counts_and_no_figure(settings):
    group(9, 9)
    group(2, 0, held_out=True)

    told = effects(ALL, NOW)

    assert [(one.days, one.of) for one in told.kept] == [(30, (9, 2)), (90, (9, 2)), (180, (0, 0))]
    assert {one.verdict for one in (*told.kept, *told.received)} == {Verdict.TOO_FEW}
    assert all(one.shares is None and one.difference is None for one in told.kept)
    assert all(one.means is None and one.costs is None and one.difference is None for one in told.received)


def test_an_interval_with_zero_in_it_tells_no_effect():
    group(5, 4)
    group(5, 3, held_out=True)

    one = kept_after(30)

    assert one.difference.estimate > 0
    assert one.verdict is Verdict.UNCLEAR


@pytest.mark.parametrize(
    ("shown", "held_out", "verdict"), [(20, 5, Verdict.MORE), (5, 20, Verdict.LESS), (20, 20, Verdict.UNCLEAR)]
)
def test_a_clear_difference_is_told_either_way(shown, held_out, verdict):
    group(20, shown)
    group(20, held_out, held_out=True)

    assert kept_after(30).verdict is verdict


# ---------------------------------------------------------------- money


def test_money_is_what_came_in_for_periods_after_the_decision_up_to_the_day():
    one, two, three = group(3, 0)
    group(3, 0, held_out=True)
    for first, minor in [(DAY, 10_000), (after(1), 100), (after(30), 20), (after(31), 3)]:
        rows.paid(one, first, first + timedelta(days=5), minor)
    rows.paid(two, after(2), after(3), 60, currency="USD")

    assert received_after(30).means == (pytest.approx(120 / 3), 0)
    assert received_after(90).means == (pytest.approx(123 / 3), 0)
    assert (two.currency, three.currency) == ("EUR", "EUR")


@pytest.mark.parametrize(
    ("on", "state", "mean"),
    [
        pytest.param(DAY, State.ENDED, -200, id="on-the-day-itself"),
        pytest.param(after(30), State.SCHEDULED, -200, id="on-the-30th-day"),
        pytest.param(after(31), State.SCHEDULED, 0, id="later"),
        pytest.param(DAY, State.REVOKED, 0, id="undone"),
    ],
)
def test_refunds_are_taken_off_and_exit_fees_added(on, state, mean):
    one, *_rest = group(3, 0)
    group(3, 0, held_out=True)
    end = rows.left(on, contract=one, state=state)
    type(end).objects.filter(pk=end.pk).update(refund_minor=900, fee_minor=300)

    assert received_after(30).means == (mean, 0)


@pytest.mark.parametrize(
    ("given", "cost"),
    [
        pytest.param({}, 300, id="begun"),
        pytest.param({"starts_on": after(30)}, 300, id="begins-on-that-day"),
        pytest.param({"starts_on": after(31)}, 0, id="begins-later"),
        pytest.param({"state": "reverted"}, 0, id="taken-back"),
        pytest.param({"state": "failed"}, 300, id="not-carried-out-yet-but-promised"),
        pytest.param({"currency": "USD"}, 0, id="another-currency"),
    ],
)
def test_the_cost_is_that_of_options_that_had_begun_by_then(given, cost):
    one, *_rest = group(3, 0)
    group(3, 0, held_out=True)
    rows.agreed(MAY, contract=one, cost_minor=900, **given)
    rows.agreed(MAY - timedelta(days=9), contract=one, cost_minor=5, offer=rows.offer("before"))

    assert received_after(30).costs == (cost, 0)


def test_two_currencies_are_never_added_up():
    for currency in ("EUR", "JPY"):
        for held_out in (False, True):
            for one in group(3, 0, held_out=held_out, of={"currency": currency}):
                rows.paid(one, after(1), after(9), 700 if currency == "JPY" else 40, currency)

    assert received_after(30, "EUR").means == (40, 40)
    assert received_after(30, "JPY").means == (700, 700)
    assert [one.currency for one in effects(ALL, NOW).received] == ["EUR"] * 3 + ["JPY"] * 3


def test_each_currency_needs_its_own_minimum():
    group(3, 3)
    group(3, 3, held_out=True)
    group(2, 2, of={"currency": "JPY"})

    assert received_after(30).verdict is Verdict.UNCLEAR
    assert (received_after(30, "JPY").verdict, received_after(30, "JPY").of) == (Verdict.TOO_FEW, (2, 0))


# ---------------------------------------------------------------- slices


def test_a_slice_looks_at_first_visits_of_its_days_plan_and_country():
    group(3, 3, held_out=True)
    group(3, 3)
    group(1, 0, at=datetime(2026, 6, 1, tzinfo=UTC))
    group(1, 0, of={"country": "PL"})
    group(1, 0, of={"plan": rows.plan("big", "Big")})

    assert effects(ALL, NOW).customers == (6, 3)
    assert effects(Slice(to_day=date(2026, 5, 31)), NOW).customers == (5, 3)
    assert effects(Slice(from_day=date(2026, 6, 1)), NOW).customers == (1, 0)
    assert effects(Slice(country="DE"), NOW).customers == (5, 3)
    assert effects(Slice(plan="big"), NOW).customers == (1, 0)
    assert shares(within=Slice(plan="host", country="DE", from_day=DAY, to_day=DAY)) == ((3, 3), (3, 3))


def test_a_second_visit_never_becomes_the_first_because_a_slice_leaves_the_first_out():
    of = rows.decided(MAY).contract
    rows.decided(datetime(2026, 6, 1, tzinfo=UTC), contract=of)

    assert effects(Slice(from_day=date(2026, 6, 1)), NOW).customers == (0, 0)


# ---------------------------------------------------------------- option by option


def test_an_option_is_told_by_what_became_of_it():
    stays, left = rows.contract(), rows.contract()
    rows.paid(stays, date(2026, 1, 1), date(2026, 12, 31))
    for contract in (stays, left, rows.contract()):
        rows.ledger("shown", MAY, contract=contract)
    rows.ledger("declined", MAY, contract=left)
    rows.agreed(MAY, contract=stays, cost_minor=600, state="over")
    rows.agreed(MAY, contract=left, cost_minor=500, state="reverted")
    rows.agreed(NOW, cost_minor=70, state="failed")
    rows.ledger("applied", MAY, contract=stays)

    [line] = effects(ALL, NOW).options

    assert line.offer.code == "pause-2"
    assert (line.shown, line.declined, line.agreed, line.taken_back, line.failed) == (3, 1, 3, 1, 1)
    assert (line.still_paying, line.followed, line.cost) == (1, 2, Money(670, "EUR"))


def test_options_stand_in_their_order_and_a_line_per_currency():
    rows.offer("second", position=20)
    rows.offer("first", position=10)
    rows.agreed(MAY, to="second", cost_minor=5)
    rows.agreed(MAY, to="second", contract=rows.contract(currency="JPY"), cost_minor=7)
    rows.ledger("shown", MAY, of="first", contract=rows.contract())

    told = effects(ALL, NOW).options

    assert [(line.offer.code, line.cost) for line in told] == [
        ("first", Money(0, "EUR")), ("second", Money(5, "EUR")), ("second", Money(7, "JPY")),
    ]  # fmt: skip


def test_a_slice_leaves_out_what_was_shown_or_agreed_on_other_days():
    of = rows.contract()
    rows.ledger("shown", MAY, contract=of)
    rows.agreed(NOW, contract=of)

    [line] = effects(Slice(to_day=date(2026, 5, 31)), NOW).options

    assert (line.shown, line.agreed) == (1, 0)


# ---------------------------------------------------------------- how visits were over


def notice_in(visit: Any, at: datetime) -> Notice:
    return Notice.objects.create(
        channel="guided",
        contract=visit.contract,
        received_at=at,
        declaration="I cancel.",
        actor="customer",
        idempotency_key=f"guided:{visit.contract_id}:{visit.key}:0",
    )


def test_a_visit_ended_was_kept_by_choice_or_was_left_open():
    rows.visit(MAY)
    rows.visit(MAY, outcome="kept")
    notice_in(rows.visit(MAY), MAY)
    # Cancelling after agreeing always works, and then it is an end.
    notice_in(rows.visit(datetime(2026, 4, 30, 21, tzinfo=UTC), outcome="kept"), MAY)

    assert months(ALL, NOW) == [MonthLine(date(2026, 4, 1), 1, 0, 0), MonthLine(date(2026, 5, 1), 1, 1, 1)]


def test_a_notice_of_another_visit_or_door_ends_no_visit():
    visit = rows.visit(MAY)
    elsewhere = notice_in(rows.visit(MAY, outcome="kept"), MAY)
    Notice.objects.filter(pk=elsewhere.pk).update(idempotency_key="erased:7")
    left = rows.visit(MAY - timedelta(days=40), of=visit.contract)
    notice_in(left, MAY)

    assert months(ALL, NOW) == [MonthLine(date(2026, 3, 1), 1, 0, 0), MonthLine(date(2026, 5, 1), 0, 1, 1)]


def test_a_visit_that_may_still_be_going_on_is_not_left_open_yet(settings):
    settings.CUSTOMER_COOKIE_HOURS = 12
    rows.visit(NOW - timedelta(hours=11))

    assert months(ALL, NOW) == []
    assert [line.left_open for line in months(ALL, NOW + timedelta(hours=1))] == [1]


def test_months_follow_the_slice():
    rows.visit(MAY)
    rows.visit(MAY, of=rows.contract(country="PL"))
    rows.visit(datetime(2026, 6, 1, tzinfo=UTC))

    assert months(Slice(to_day=date(2026, 5, 31), country="PL"), NOW) == [MonthLine(date(2026, 5, 1), 0, 0, 1)]


# ---------------------------------------------------------------- statements


def test_many_customers_cost_as_many_statements_as_few(django_assert_num_queries):
    for n in (1, 12):
        for held_out in (False, True):
            for one in group(n, n, held_out=held_out):
                rows.agreed(MAY, contract=one, cost_minor=5)
                rows.ledger("shown", MAY, contract=one)
                rows.visit(MAY, of=one)
        with django_assert_num_queries(6):
            effects(ALL, NOW)
        with django_assert_num_queries(2):
            months(ALL, NOW)
