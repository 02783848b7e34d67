"""The real customer file, its two other editions, and cuts of them, through the shipped mapping.

Figures are compared with the tables beside the file, or counted from the file by other means: never with a number
written here. They are read by direct queries; the report has tests of its own.
"""

import csv
import io
import json
import random
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellation.importing.derived import months_lasted
from cancellation.models import Cancellation, Event, State, Way
from cancellation.queries import agreed_of, local_day
from cancellation.quotes import ordinary
from feedback.models import Answer
from subscriptions.amounts import Money
from subscriptions.models import Contract, Customer, Payment
from tests.cancellation.import_help import AS_OF, TELCO, run

END = date.fromisoformat(AS_OF)
ARGS = ("--mapping", str(TELCO), "--as-of", AS_OF)


@pytest.fixture(scope="module")
def telco(shared_data) -> Path:
    return shared_data / "telco"


@pytest.fixture(scope="module")
def imported(telco, django_db_setup, django_db_blocker):
    """Import the whole sample once for the tests of this module that only read."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield run(telco / "telco_sample.csv", *ARGS)
        transaction.set_rollback(True)


@pytest.fixture
def unblocked(imported, django_db_blocker):
    """Let a test read what was imported; it writes nothing that it does not take back."""
    sid = transaction.savepoint()
    yield imported
    transaction.savepoint_rollback(sid)


def rows_of(path, encoding="utf-8-sig", delimiter=","):
    with path.open(encoding=encoding, newline="") as file:
        return [
            {name.strip().lower().replace(" ", ""): value for name, value in row.items()}
            for row in csv.DictReader(file, delimiter=delimiter)
        ]


def table(telco, name, *keys):
    """Return a table of expected figures: names to how many left, and the monthly charges that went."""
    with (telco / "expected" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {
            tuple(row[key] for key in keys): (int(row["churned"]), Decimal(row["monthly_charge_lost"]))
            for row in csv.DictReader(file)
        }


def figures(*columns):
    """Return the same figures from the database, by columns of the answer and of its contract."""
    sums = defaultdict(lambda: [0, 0])
    ended = Cancellation.objects.filter(state=State.ENDED).values_list("pk", flat=True)
    answers = Answer.objects.filter(cancellation_id__in=ended)
    for *names, charge in answers.values_list(*columns, "contract__monthly_charge_minor"):
        sums[tuple(names)][0] += 1
        sums[tuple(names)][1] += charge
    return {names: (count, Decimal(minor).scaleb(-2)) for names, (count, minor) in sums.items()}


CATEGORY, REASON, KIND = "imported_category", "imported_reason", "contract__kind"


# The sample, whole.


def test_the_sample_is_imported_completely(telco, unblocked):
    totals = json.loads((telco / "expected" / "totals.json").read_text(encoding="utf-8"))

    assert (unblocked.status, unblocked.err) == (0, "")
    assert unblocked.out == (
        f"{totals['customers']} contracts: {totals['customers']} created, 0 updated, 0 unchanged, 0 refused.\n"
    )
    assert Contract.objects.count() == Customer.objects.count() == totals["customers"]
    assert Cancellation.objects.count() == Answer.objects.count() == totals["churned"]
    assert Event.objects.count() == totals["customers"]
    charges = Contract.objects.values_list("monthly_charge_minor", flat=True)
    assert Decimal(sum(charges)).scaleb(-2) == Decimal(totals["monthly_charge_total"])


@pytest.mark.parametrize(
    ("name", "keys", "columns"),
    [
        ("reason_counts", ["reason"], [REASON]),
        ("category_counts", ["category"], [CATEGORY]),
        ("category_reason_pairs", ["category", "reason"], [CATEGORY, REASON]),
        ("reason_by_contract", ["reason", "contract"], [REASON, KIND]),
        ("category_by_contract", ["category", "contract"], [CATEGORY, KIND]),
    ],
)
def test_the_figures_equal_the_tables_beside_the_file(telco, unblocked, name, keys, columns):
    assert figures(*columns) == table(telco, name, *keys)


def test_later_reports_find_the_facts_they_need(telco, unblocked):
    offers = Counter(facts["offer"] for facts in Contract.objects.values_list("facts", flat=True))

    assert offers == Counter(row["offer"] for row in rows_of(telco / "telco_sample.csv"))


def test_every_contract_has_lasted_its_tenure_and_is_paid_until_the_last_whole_month(telco, unblocked):
    tenures = {row["customerid"]: int(row["tenureinmonths"]) for row in rows_of(telco / "telco_sample.csv")}
    payments = {payment.contract_id: payment for payment in Payment.objects.all()}

    for contract in Contract.objects.all():
        tenure = tenures[contract.reference]
        payment = payments.pop(contract.pk)
        assert months_lasted(contract.starts_on, END) == tenure == contract.facts["tenure_months"]
        assert contract.terms["starts_on"] == contract.terms["billing_anchor"] == contract.starts_on.isoformat()
        assert (payment.reference, payment.paid_to) == (f"period-{tenure}", END)
        assert (payment.amount_minor, payment.currency) == (contract.price_minor, "USD")
    assert payments == {}


def test_terms_fit_the_kind_of_contract(unblocked):
    terms = {(c.kind, c.terms["initial_term"] and c.terms["initial_term"]["months"]) for c in Contract.objects.all()}
    contract = Contract.objects.filter(kind="One Year").first()

    assert terms == {("Month-to-Month", None), ("One Year", 12), ("Two Year", 24)}
    assert (contract.currency, contract.country, contract.terms["timezone"]) == ("USD", "US", "America/Los_Angeles")
    assert (contract.terms["renewal"], contract.terms["notice"], contract.terms["notice_to"]) == (
        "open_ended",
        {"days": 0},
        "billing_period",
    )
    contract.full_clean()


def test_those_who_left_have_an_ended_cancellation_without_a_notice(unblocked):
    ends = set(Cancellation.objects.values_list("way", "state", "notice", "received_on", "last_day", "currency"))

    assert ends == {(Way.IMPORTED, State.ENDED, None, END, END, "USD")}
    left = Event.objects.filter(cancellation__isnull=False)
    assert set(left.values_list("what", "after", "actor")) == {("imported", "ended", "import:telco-churn")}
    assert left.count() == Cancellation.objects.count()


def test_a_customer_is_called_by_the_reference_and_has_no_address(unblocked):
    assert all(name == reference for name, reference in Customer.objects.values_list("name", "reference"))
    assert set(Customer.objects.values_list("email", "locale", "country")) == {("", "en", "US")}


def test_plans_follow_what_is_served(telco, unblocked):
    rows = rows_of(telco / "telco_sample.csv")
    served = Counter((row["phoneservice"], row["internettype"]) for row in rows)

    named = {
        ("Yes", "Fiber Optic"): ("Phone and internet", "Fiber optic with phone"),
        ("Yes", "DSL"): ("Phone and internet", "DSL with phone"),
        ("Yes", "Cable"): ("Phone and internet", "Cable with phone"),
        ("Yes", "None"): ("Phone", "Phone"),
        ("No", "Fiber Optic"): ("Internet", "Fiber optic"),
        ("No", "DSL"): ("Internet", "DSL"),
        ("No", "Cable"): ("Internet", "Cable"),
    }
    plans = Counter(Contract.objects.values_list("plan__product__name", "plan__name"))
    assert plans == Counter({named[what]: count for what, count in served.items()})


ROOTS = {
    "Competitor had better devices": ("outcome", True),
    "Competitor offered higher download speeds": ("outcome", True),
    "Competitor offered more data": ("outcome", True),
    "Competitor made better offer": ("cost", True),
    "Network reliability": ("outcome", None),
    "Product dissatisfaction": ("outcome", None),
    "Service dissatisfaction": ("outcome", None),
    "Limited range of services": ("outcome", None),
    "Poor expertise of phone support": ("outlook", None),
    "Poor expertise of online support": ("outlook", None),
    "Attitude of support person": ("relationship", None),
    "Attitude of service provider": ("relationship", None),
    "Lack of self-service on Website": ("relationship", None),
    "Price too high": ("cost", None),
    "Extra data charges": ("cost", None),
    "Long distance charges": ("cost", None),
    "Lack of affordable download/upload speed": ("cost", None),
    "Moved": ("circumstance", None),
    "Deceased": ("circumstance", None),
    "Don't know": ("unstated", None),
}


def test_each_stated_reason_stands_below_one_root_and_a_competitor_is_a_fact_beside_it(unblocked):
    stated = set(Answer.objects.values_list(REASON, "root", "went_elsewhere"))

    assert stated == {(reason, *meaning) for reason, meaning in ROOTS.items()}


def test_each_mapped_reason_ticks_one_of_the_shipped_reasons_below_its_root(unblocked):
    for answer in Answer.objects.select_related("primary").prefetch_related("reasons"):
        if answer.root == "unstated":
            assert (answer.primary, list(answer.reasons.all())) == (None, [])
        else:
            assert answer.primary.root == answer.root
            assert list(answer.reasons.all()) == [answer.primary]


def test_a_reason_that_stands_under_two_categories_keeps_both(unblocked):
    reason = "Poor expertise of online support"

    assert set(Answer.objects.filter(imported_reason=reason).values_list(CATEGORY, "root")) == {
        ("Dissatisfaction", "outlook"),
        ("Other", "outlook"),
    }


def test_importing_the_sample_again_writes_nothing(telco, unblocked):
    with CaptureQueriesContext(connection) as queries:
        again = run(telco / "telco_sample.csv", *ARGS)

    count = Contract.objects.count()
    assert again.out == f"{count} contracts: 0 created, 0 updated, {count} unchanged, 0 refused.\n"
    assert not [one for one in queries.captured_queries if one["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]


def test_a_week_later_the_same_file_moves_no_day(telco, unblocked):
    again = run(telco / "telco_sample.csv", *ARGS[:-1], "2022-10-07")

    count = Contract.objects.count()
    assert again.out == f"{count} contracts: 0 created, 0 updated, {count} unchanged, 0 refused.\n"


def test_an_earlier_day_moves_starts_ends_and_derived_payments(telco, unblocked):
    earlier = date(2022, 6, 30)

    run(telco / "telco_sample.csv", *ARGS[:-1], earlier.isoformat())

    assert set(Cancellation.objects.values_list("last_day", flat=True)) == {earlier}
    assert set(Payment.objects.values_list("paid_to", flat=True)) == {earlier}
    assert Payment.objects.count() == Contract.objects.count()
    tenures = {contract.facts["tenure_months"]: contract for contract in Contract.objects.all()}
    assert all(months_lasted(one.starts_on, earlier) == tenure for tenure, one in tenures.items())


# The other editions. Columns are looked up by their name without blanks, in lower case.


def expected(rows, keys):
    """Return the figures of those who left, worked out from the rows of a file."""
    sums = defaultdict(lambda: [0, Decimal(0)])
    for row in rows:
        if row.get("churnvalue", row.get("customerstatus")) in ("1", "Churned"):
            names = tuple(row.get(key, "") for key in keys)
            sums[names][0] += 1
            sums[names][1] += charge_of(row)
    return {names: (count, charge) for names, (count, charge) in sums.items()}


def charge_of(row):
    return Decimal(row.get("monthlycharge", row.get("monthlycharges")).replace(",", "."))


@pytest.fixture
def edition(telco, request, db):
    name, delimiter = request.param
    return telco / name, rows_of(telco / name, delimiter=delimiter)


EDITIONS = pytest.mark.parametrize(
    "edition",
    [("semicolon_decimal_comma_excerpt.csv", ";"), ("bom_padded_header_excerpt.csv", ",")],
    indirect=True,
    ids=["semicolons-and-decimal-commas", "padded-headings-and-negative-charges"],
)


@EDITIONS
def test_another_edition_is_read_by_the_same_mapping(edition):
    path, rows = edition
    good = [row for row in rows if charge_of(row) >= 0]
    bad = [number for number, row in enumerate(rows, start=2) if charge_of(row) < 0]

    result = run(path, *ARGS)

    assert result.status == (1 if bad else 0)
    assert [int(line.split(",")[0].removeprefix("line ")) for line in result.lines] == bad
    assert all("is negative; give 0 or more" in line for line in result.lines)
    assert result.out.startswith(f"{len(rows)} contracts: {len(good)} created")
    assert set(Contract.objects.values_list("reference", flat=True)) == {row["customerid"] for row in good}
    assert set(Contract.objects.values_list("kind", flat=True)) == {"Month-to-Month", "One Year", "Two Year"}
    assert figures(CATEGORY, REASON) == expected(good, ["churncategory", "churnreason"])
    with_kind = {
        (*names, kind.title().replace("-To-", "-to-")) for *names, kind in expected(good, ["churnreason", "contract"])
    }
    assert set(figures(REASON, KIND)) == {tuple(names) for names in with_kind}
    assert {
        (reason, root, gone) for reason, root, gone in Answer.objects.values_list(REASON, "root", "went_elsewhere")
    } <= {(reason, *meaning) for reason, meaning in ROOTS.items()}


@EDITIONS
def test_another_edition_is_repeated_without_doubling(edition):
    path, _ = edition
    run(path, *ARGS)
    count = Contract.objects.count()

    again = run(path, *ARGS)

    assert f"0 created, 0 updated, {count} unchanged" in again.out


@EDITIONS
def test_another_edition_with_a_refused_line_leaves_nothing_behind_when_atomic(edition):
    path, rows = edition
    bad = sum(charge_of(row) < 0 for row in rows)

    result = run(path, *ARGS, "--atomic")

    assert Contract.objects.count() == (0 if bad else len(rows))
    assert result.status == (1 if bad else 0)


def test_a_contract_of_this_month_has_begun_but_paid_nothing_yet(telco, db):
    path = telco / "semicolon_decimal_comma_excerpt.csv"
    new = [row["customerid"] for row in rows_of(path, delimiter=";") if row["tenuremonths"] == "0"]
    assert new, "the edition is there to show contracts of zero months"

    run(path, *ARGS)

    contracts = Contract.objects.filter(reference__in=new)
    assert set(contracts.values_list("starts_on", "payments")) == {(END, None)}


def test_an_edition_without_categories_does_not_take_away_those_that_are_known(telco, db):
    both = {row["customerid"] for row in rows_of(telco / "telco_sample.csv") if row["churncategory"]} & {
        row["customerid"] for row in rows_of(telco / "semicolon_decimal_comma_excerpt.csv", delimiter=";")
    }
    run(telco / "telco_sample.csv", *ARGS)
    before = dict(Answer.objects.filter(contract__reference__in=both).values_list("contract__reference", CATEGORY))

    run(telco / "semicolon_decimal_comma_excerpt.csv", *ARGS)

    after = dict(Answer.objects.filter(contract__reference__in=both).values_list("contract__reference", CATEGORY))
    assert after == before
    assert all(before.values())


# Cuts and changes of the sample.


@pytest.fixture
def cut(telco, tmp_path):
    """Return a writer of files made from rows of the sample."""
    with (telco / "telco_sample.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)

    def write(chosen, columns=None, delimiter=","):
        places = [header.index(name) for name in columns or header]
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter)
        writer.writerow([header[place] for place in places])
        writer.writerows([row[place] for place in places] for row in chosen)
        path = tmp_path / "cut.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        return path

    write.header, write.rows = header, rows
    return write


@pytest.mark.parametrize("seed", [1, 2])
def test_any_cut_in_any_order_of_rows_and_columns_gives_its_own_figures(cut, db, seed):
    dice = random.Random(seed)
    chosen = dice.sample(cut.rows, 300)
    columns = dice.sample(cut.header, len(cut.header))

    result = run(cut(chosen, columns, delimiter=dice.choice(",;\t")), *ARGS)

    assert (result.status, result.out.split(",")[0]) == (0, "300 contracts: 300 created")
    rows = [dict(zip((name.lower().replace(" ", "") for name in cut.header), row, strict=True)) for row in chosen]
    assert figures(CATEGORY, REASON, KIND) == expected(rows, ["churncategory", "churnreason", "contract"])


def changed(cut, row, **values):
    row = list(row)
    for name, value in values.items():
        row[cut.header.index(name.replace("_", " "))] = value
    return row


@pytest.fixture
def left(cut):
    """Return the first row of somebody who left."""
    return next(row for row in cut.rows if row[cut.header.index("Churn Value")] == "1")


def test_a_reason_nobody_has_listed_is_kept_below_unstated_with_a_note(cut, left, db):
    path = cut([changed(cut, left, Churn_Category="Competitor", Churn_Reason="Competitor has a nicer name")])

    result = run(path, *ARGS)

    answer = Answer.objects.get()
    assert result.status == 0
    assert result.err == (
        'Note: the reason "Competitor" / "Competitor has a nicer name" is not in the mapping; kept as it is, below '
        "the root unstated (lines: 1, the first is line 2).\n"
    )
    assert (answer.imported_category, answer.imported_reason) == ("Competitor", "Competitor has a nicer name")
    assert (answer.root, answer.went_elsewhere, answer.primary) == ("unstated", True, None)


def test_somebody_who_left_without_a_word_is_unstated_and_no_note_is_made(cut, left, db):
    result = run(cut([changed(cut, left, Churn_Category="", Churn_Reason="")]), *ARGS)

    answer = Answer.objects.get()
    assert (result.status, result.err) == (0, "")
    assert (answer.root, answer.imported_category, answer.imported_reason) == ("unstated", "", "")
    assert Cancellation.objects.get().state == State.ENDED


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"Contract": "Three Year"}, "is not a kind of contract that the mapping knows: Month-to-Month, One Year, Two"),
        ({"Contract": ""}, "is empty; it decides which terms apply"),
        ({"Tenure_in_Months": "-3"}, "is not a number of months; give a whole number from 0 to 1200"),
        ({"Tenure_in_Months": ""}, "is empty; give it here, or a default in the mapping"),
        ({"Monthly_Charge": "59.999"}, "may mean 59999 or 59 and a fraction"),
        ({"Churn_Value": "2"}, "is not known; the mapping knows yes, no"),
        ({"Churn_Value": ""}, "is empty; say whether they have left"),
        ({"Customer_ID": "=1+1"}, "begins like a spreadsheet formula"),
    ],
)
def test_a_row_of_the_set_that_makes_no_sense_is_refused(cut, left, db, values, said):
    result = run(cut([changed(cut, left, **values)]), *ARGS)

    assert (result.status, len(result.lines), Contract.objects.count()) == (1, 1, 0)
    column, value = next(iter(values.items()))
    assert result.lines[0].startswith(f'line 2, column "{column.replace("_", " ")}", value "{value}": {said}')


def test_contract_types_are_known_by_any_spelling_and_shown_in_one(cut, left, db):
    spellings = ["month-to-month", "MONTH TO MONTH", " Two  year", "one-year"]
    rows = [changed(cut, left, Customer_ID=f"C{n}", Contract=kind) for n, kind in enumerate(spellings)]

    assert run(cut(rows), *ARGS).status == 0

    kinds = dict(Contract.objects.values_list("reference", "kind"))
    assert kinds == {"C0": "Month-to-Month", "C1": "Month-to-Month", "C2": "Two Year", "C3": "One Year"}


def test_the_pair_outweighs_the_text_where_a_mapping_says_so(cut, left, db, tmp_path):
    reason = "Poor expertise of online support"
    rows = [
        changed(cut, left, Customer_ID=f"C{n}", Churn_Category=category, Churn_Reason=reason)
        for n, category in enumerate(["Other", "Dissatisfaction", ""])
    ]
    pair = f'{{ category = "Other", reason = "{reason}", root = "circumstance" }},\n  {{ reason = "Moved"'
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(TELCO.read_text(encoding="utf-8").replace('{ reason = "Moved"', pair), encoding="utf-8")

    run(cut(rows), "--mapping", str(mapping), "--as-of", AS_OF)

    roots = dict(Answer.objects.values_list("contract__reference", "root"))
    assert roots == {"C0": "circumstance", "C1": "outlook", "C2": "outlook"}


def test_a_customer_of_today_can_be_told_what_leaving_means(cut, db):
    stays = next(row for row in cut.rows if row[cut.header.index("Churn Value")] == "0")

    run(cut([stays]), "--mapping", str(TELCO))

    contract = Contract.objects.get()
    quote = ordinary(agreed_of(contract), timezone.now())
    assert quote is not None
    assert quote.last_day >= local_day(contract, timezone.now())
    assert quote.refund == Money(0, "USD")
