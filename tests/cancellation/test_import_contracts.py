"""``manage.py import_contracts`` with the product's own columns: what it makes, refuses, repeats and leaves alone."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from django.core import signing
from django.core.management import call_command, execute_from_command_line
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from cancellation import actions
from cancellation.importing import run as running
from cancellation.importing.writing import Writer
from cancellation.models import Cancellation, Event, Notice, State, Way
from cancellation.queries import agreed_of
from cancellation.quotes import ordinary
from feedback.models import Answer
from subscriptions.models import Contract, Customer, Payment, Plan, Product
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.cancellation.import_help import COLUMNS, EXAMPLES, ROW, csv_of, run

pytestmark = pytest.mark.django_db
ENDED = {"last_day": "2026-01-31", "reason_category": "Price", "reason": "Too dear"}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path):
    def write(*rows, columns=COLUMNS, text=None):
        path = tmp_path / "contracts.csv"
        path.write_text(csv_of(*rows, columns=columns) if text is None else text, encoding="utf-8")
        return path

    return write


def everything():
    """Return how many rows of each kind there are."""
    models = (Customer, Product, Plan, Contract, Payment, Cancellation, Answer, Event)
    return {model.__name__: model.objects.count() for model in models}


def writes_of(queries):
    return [one["sql"] for one in queries if one["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]


def leave(contract, at=NOW):
    """Give notice as a holder does."""
    quote = ordinary(agreed_of(contract), at)
    who = actions.Actor.customer(contract.customer_id)
    notice = actions.receive_notice(
        contract=contract, shown=quote, received_at=at, actor=who, key="k", locale="en", declaration="I leave."
    )
    return actions.confirm(notice=notice, shown=quote, actor=who)


# What it makes.


def test_a_row_becomes_a_customer_a_plan_and_a_contract_as_agreed(file):
    result = run(file({}))

    contract = Contract.objects.select_related("customer", "plan__product").get()
    assert (result.status, result.out) == (
        0,
        "1 contracts: 1 created, 0 updated, 0 unchanged, 0 refused.\n",
    )
    assert contract.terms == {
        "starts_on": "2024-03-15",
        "timezone": "Europe/Berlin",
        "counting": "same_day_number",
        "initial_term": None,
        "renewal": "open_ended",
        "notice": {"days": 14},
        "renewal_notice": None,
        "notice_to": "billing_period",
        "billing": {"months": 1},
        "billing_anchor": "2024-03-15",
    }
    assert (contract.starts_on, contract.price_minor, contract.monthly_charge_minor) == (
        date(2024, 3, 15),
        990,
        990,
    )
    assert (contract.reference, contract.kind, contract.country, contract.source) == (
        "C-1",
        "Monthly",
        "DE",
        "contracts",
    )
    customer = contract.customer
    assert (customer.reference, customer.name, customer.email) == ("K-1", "Ada Winter", "ada@example.org")
    assert (customer.locale, customer.country) == ("de", "DE")
    assert (contract.plan.name, contract.plan.code) == ("Hosting S", "web-hosting--hosting-s")
    assert (contract.plan.product.name, contract.plan.product.code) == ("Web hosting", "web-hosting")
    event = Event.objects.get()
    assert (event.contract, event.what, event.after) == (contract, "imported", "")
    assert (event.actor, event.why) == ("import:contracts", "contracts.csv, line 2")
    contract.full_clean()


def test_an_end_with_its_reason_becomes_an_ended_cancellation_with_the_words_as_imported(file):
    run(file(ENDED))

    end = Cancellation.objects.get()
    assert (end.state, end.way, end.notice, end.quote) == (State.ENDED, Way.IMPORTED, None, {})
    assert (end.last_day, end.received_on, end.currency) == (date(2026, 1, 31), date(2026, 1, 31), "EUR")
    assert end.closed_at == datetime(2026, 1, 31, 23, tzinfo=UTC)
    answer = Answer.objects.get()
    assert (answer.contract, answer.cancellation_id) == (end.contract, end.pk)
    assert (answer.imported_category, answer.imported_reason, answer.root) == ("Price", "Too dear", "unstated")
    assert (answer.primary, answer.went_elsewhere, answer.words) == (None, None, "")
    assert answer.said_at == datetime(2026, 1, 31, 11, tzinfo=UTC)
    event = Event.objects.get()
    assert (event.what, event.cancellation, event.after) == ("imported", end, "ended")


def test_a_contract_that_was_left_before_it_began_ended_the_day_before(file):
    assert run(file({"last_day": "2024-03-14"})).status == 0

    assert Cancellation.objects.get().last_day == date(2024, 3, 14)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("2024-03-15", "", "9.90"), 'column "paid_to", value "": is empty; a payment needs paid_from, paid_to and'),
        (
            ("2024-03-15", "2024-03-14", "9.90"),
            'column "paid_to", value "2024-03-14": lies before paid_from, 2024-03-15',
        ),
        (("2024-03-15", "2024-04-14", "-1"), 'column "paid_amount", value "-1": is negative; give 0 or more'),
    ],
)
def test_a_payment_is_whole_or_refused(file, cells, said):
    paid = ["paid_from", "paid_to", "paid_amount"]

    result = run(file(dict(zip(paid, cells, strict=True)), columns=[*COLUMNS, *paid]))

    assert [line.removeprefix("line 2, ")[: len(said)] for line in result.lines] == [said]


def test_the_shipped_example_is_read_with_and_without_its_mapping_alike():
    first = run(EXAMPLES / "contracts.csv")
    again = run(EXAMPLES / "contracts.csv")

    assert first.out == "4 contracts: 4 created, 0 updated, 0 unchanged, 0 refused.\n"
    assert again.out == "4 contracts: 0 created, 0 updated, 4 unchanged, 0 refused.\n"
    assert everything() == {
        "Customer": 3,
        "Product": 2,
        "Plan": 3,
        "Contract": 4,
        "Payment": 4,
        "Cancellation": 1,
        "Answer": 1,
        "Event": 4,
    }
    assert Contract.objects.get(reference="C-1002").monthly_charge_minor == 150
    assert Contract.objects.get(reference="C-1003").terms["notice"] == {"by_day": 20, "months_before": 0}
    assert Contract.objects.get(reference="C-1004").price_minor == 1200

    mapped = run(EXAMPLES / "contracts.csv", "--mapping", str(EXAMPLES / "contracts.toml"))

    assert (mapped.status, mapped.err) == (0, "")
    assert mapped.out == "4 contracts: 0 created, 1 updated, 3 unchanged, 0 refused.\n"
    answer = Answer.objects.get()
    assert (answer.root, answer.primary.code, answer.imported_reason) == (
        "cost",
        "cost-not-worth",
        "Costs more than it brings",
    )
    assert [reason.code for reason in answer.reasons.all()] == ["cost-not-worth"]


def test_terms_may_stand_in_one_cell_as_json(file):
    terms = (
        '{""timezone"": ""Asia/Tokyo"", ""counting"": ""from_next_day"", ""initial_term"": {""months"": 6}, '
        '""renewal"": {""months"": 6}, ""notice"": {""by_day"": 20, ""months_before"": 0}, '
        '""notice_to"": ""month_end"", ""billing"": {""months"": 1}, ""billing_anchor"": ""2024-04-01""}'
    )
    columns = ["reference", "product", "plan", "starts_on", "price", "currency", "terms"]

    result = run(file({"terms": terms, "currency": "JPY", "price": "1200"}, columns=columns))

    contract = Contract.objects.get()
    assert (result.status, result.err) == (0, "")
    assert contract.terms["starts_on"] == "2024-03-15"
    assert contract.terms["billing_anchor"] == "2024-04-01"
    assert contract.agreed.renewal.months == 6
    assert contract.customer.reference == contract.customer.name == "C-1"


def test_a_price_per_billing_period_is_also_kept_per_month(file):
    run(
        file(
            {"reference": "year", "price": "100.00", "billing": "1 year"},
            {"reference": "week", "price": "7.00", "billing": "1 week"},
        )
    )

    charges = dict(Contract.objects.values_list("reference", "monthly_charge_minor"))
    assert charges == {"year": 833, "week": 3042}


def test_names_in_any_script_make_plans_of_their_own(file):
    names = ["基本プラン", "上級プラン", "C", "C++", "c", "Überraschung"]

    run(file(*({"reference": f"R{n}", "plan": name} for n, name in enumerate(names))))

    plans = dict(Contract.objects.values_list("reference", "plan__name"))
    assert plans == {"R0": "基本プラン", "R1": "上級プラン", "R2": "C", "R3": "C++", "R4": "C", "R5": "Überraschung"}
    assert all(len(code) <= 64 for code in Plan.objects.values_list("code", flat=True))


# Repeating.


def test_importing_again_writes_nothing_at_all(file):
    path = file({}, {**ENDED, "reference": "C-2"})
    run(path)
    before = everything()
    stamps = list(Contract.objects.values_list("reference", "updated_at"))

    with CaptureQueriesContext(connection) as queries:
        result = run(path)

    assert result.out == "2 contracts: 0 created, 0 updated, 2 unchanged, 0 refused.\n"
    assert writes_of(queries.captured_queries) == []
    assert everything() == before
    assert list(Contract.objects.values_list("reference", "updated_at")) == stamps


def test_what_has_changed_is_updated_and_noted_in_the_timeline(file):
    run(file({}, {"reference": "C-2"}))

    result = run(file({"price": "12.50", "email": "new@example.org"}, {"reference": "C-2", "email": "new@example.org"}))

    first, second = Contract.objects.order_by("reference")
    assert result.out == "2 contracts: 0 created, 1 updated, 1 unchanged, 0 refused.\n"
    assert (first.price_minor, first.monthly_charge_minor, second.price_minor) == (1250, 1250, 990)
    assert Customer.objects.get().email == "new@example.org"
    changes = Event.objects.filter(what="changed by import")
    assert [(event.contract, event.why) for event in changes] == [
        (first, "contracts.csv, line 2: monthly_charge_minor, price_minor")
    ]


def test_a_column_that_the_file_does_not_have_leaves_alone_what_is_known(file):
    run(file(ENDED))
    Customer.objects.update(name="Ada Summer")
    needed = "reference product plan starts_on price currency timezone notice notice_to billing".split()

    result = run(file({}, columns=needed))

    contract = Contract.objects.select_related("customer").get()
    assert result.out == "1 contracts: 0 created, 0 updated, 1 unchanged, 0 refused.\n"
    assert (contract.customer.name, contract.customer.email, contract.country) == (
        "Ada Summer",
        "ada@example.org",
        "DE",
    )
    assert Cancellation.objects.get().state == State.ENDED


def test_a_contract_made_by_hand_is_found_by_its_reference_and_stays_with_its_customer(file):
    run(file({}))
    Contract.objects.update(source="", kind="Old")
    columns = [column for column in COLUMNS if not column.startswith("customer")]

    run(file({"price": "5.00"}, columns=columns))

    contract = Contract.objects.select_related("customer").get()
    assert (contract.customer.reference, contract.price_minor, contract.kind) == ("K-1", 500, "Monthly")
    assert Customer.objects.count() == 1


def test_a_reason_that_was_corrected_is_updated(file):
    run(file(ENDED))

    result = run(file({**ENDED, "reason": "Too slow"}))

    answer = Answer.objects.get()
    assert result.out == "1 contracts: 0 created, 1 updated, 0 unchanged, 0 refused.\n"
    assert (answer.imported_reason, answer.cancellation_id) == ("Too slow", Cancellation.objects.get().pk)


def test_a_last_day_that_was_corrected_is_updated(file):
    run(file(ENDED))

    run(file({**ENDED, "last_day": "2026-02-28"}))

    end = Cancellation.objects.get()
    assert (end.last_day, end.received_on) == (date(2026, 2, 28), date(2026, 2, 28))
    assert end.closed_at == datetime(2026, 2, 28, 23, tzinfo=UTC)


def test_somebody_who_left_later_gets_an_end_and_somebody_who_did_not_loses_it_by_an_event(file):
    run(file({}, {**ENDED, "reference": "C-2"}))

    result = run(file(ENDED, {"reference": "C-2"}))

    assert result.out == "2 contracts: 0 created, 2 updated, 0 unchanged, 0 refused.\n"
    left, back = Contract.objects.order_by("reference")
    assert left.cancellations.get().state == State.ENDED
    undone = back.cancellations.get()
    assert (undone.state, undone.way) == (State.REVOKED, Way.IMPORTED)
    taken = Event.objects.get(what="imported end taken back")
    assert (taken.cancellation, taken.before, taken.after) == (undone, "ended", "revoked")
    assert taken.why == "contracts.csv, line 3: the file no longer says that they left"

    again = run(file(ENDED, {**ENDED, "reference": "C-2"}))

    assert again.out == "2 contracts: 0 created, 1 updated, 1 unchanged, 0 refused.\n"
    assert sorted(back.cancellations.values_list("state", flat=True)) == ["ended", "revoked"]
    assert Answer.objects.filter(contract=back).count() == 2


# What is left alone.


@pytest.mark.parametrize("row", [{"price": "99.00"}, {**ENDED, "last_day": "2026-01-01"}])
def test_a_contract_whose_holder_gave_notice_here_is_never_overwritten(file, row):
    run(file({"starts_on": "2024-03-15"}))
    contract = Contract.objects.get()
    cancellation = leave(contract)
    before = everything()

    result = run(file({**row, "email": "other@example.org"}))

    contract.refresh_from_db()
    assert result.status == 0
    assert result.out == (
        "1 contracts: 0 created, 0 updated, 0 unchanged, 0 refused, "
        "1 left as they are (their holders have given notice here).\n"
    )
    assert (contract.price_minor, contract.cancellations.get()) == (990, cancellation)
    assert Customer.objects.get().email == "ada@example.org"
    assert everything() == before


def test_a_notice_that_waits_for_its_holder_protects_the_contract_too(file):
    run(file({}))
    contract = Contract.objects.get()
    Notice.objects.create(
        channel="guided", contract=contract, received_at=NOW, declaration="x", actor="x", idempotency_key="k"
    )

    result = run(file(ENDED))

    assert "1 left as they are" in result.out
    assert not contract.cancellations.exists()


def test_after_the_holder_undid_a_notice_the_file_counts_again(file):
    run(file({}))
    cancellation = leave(Contract.objects.get())
    actions.revoke(cancellation_id=cancellation.pk, actor=actions.Actor("x"), at=NOW)

    run(file(ENDED))

    assert list(Cancellation.objects.order_by("pk").values_list("way", "state")) == [
        ("ordinary", "revoked"),
        ("imported", "ended"),
    ]


# All, nothing, or only a look.


GOOD_AND_BAD = [{}, {"reference": "C-2", "price": "-1"}, {"reference": "C-3"}]


def test_a_refused_line_does_not_keep_the_others_out(file):
    result = run(file(*GOOD_AND_BAD))

    assert (result.status, result.error) == (1, "1 of 3 lines were refused.")
    assert result.lines == ['line 3, column "price", value "-1": is negative; give 0 or more']
    assert result.out == "3 contracts: 2 created, 0 updated, 0 unchanged, 1 refused.\n"
    assert sorted(Contract.objects.values_list("reference", flat=True)) == ["C-1", "C-3"]


def test_atomic_imports_nothing_where_one_line_is_refused(file):
    result = run(file(*GOOD_AND_BAD), "--atomic")

    assert (result.status, result.error) == (1, "1 of 3 lines were refused.")
    assert result.lines == ['line 3, column "price", value "-1": is negative; give 0 or more']
    assert result.out == "Nothing was imported: 1 of 3 lines were refused.\n"
    assert set(everything().values()) == {0}


def test_atomic_imports_everything_where_all_is_well(file):
    result = run(file({}, {**ENDED, "reference": "C-2"}), "--atomic")

    assert (result.status, result.out) == (0, "2 contracts: 2 created, 0 updated, 0 unchanged, 0 refused.\n")
    assert Contract.objects.count() == 2
    assert result.err.count("is not in the mapping") == 1


def test_atomic_leaves_nothing_where_the_database_gives_up_half_way(file, monkeypatch):
    monkeypatch.setattr(running, "BATCH", 1)
    write = Writer.write

    def failing(self, rows):
        if not self.dry and rows and rows[0].reference == "C-2":
            raise OperationalError("disk full")
        return write(self, rows)

    monkeypatch.setattr(Writer, "write", failing)

    result = run(file({}, {"reference": "C-2"}), "--atomic")

    assert result.status == 2
    assert result.error.startswith("The database gave up: disk full.")
    assert set(everything().values()) == {0}


def test_a_dry_run_says_the_same_and_writes_nothing(file):
    path = file(*GOOD_AND_BAD, {**ENDED, "reference": "C-4"})

    with CaptureQueriesContext(connection) as queries:
        dry = run(path, "--dry-run")

    assert writes_of(queries.captured_queries) == []
    assert set(everything().values()) == {0}
    real = run(path)
    assert (dry.status, dry.lines, dry.err) == (real.status, real.lines, real.err)
    assert dry.out == f"Dry run, nothing was written: {real.out}"


def test_a_dry_run_tells_what_would_change(file):
    run(file({}, {**ENDED, "reference": "C-2"}))

    changes = [
        {"price": "1.00"},
        {**ENDED, "reference": "C-2", "reason": "Other"},
        {"reference": "C-3"},
        {"reference": "C-4", "plan": "New plan", "customer_reference": "K-9", "customer_name": "Bo"},
    ]
    with CaptureQueriesContext(connection) as queries:
        dry = run(file(*changes), "--dry-run")

    assert dry.out.endswith("4 contracts: 2 created, 2 updated, 0 unchanged, 0 refused.\n")
    assert writes_of(queries.captured_queries) == []


# What it refuses, line by line.


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"reference": ""}, 'column "reference", value "": is empty; give it here, or a default in the mapping'),
        ({"reference": "A 1"}, 'column "reference", value "A 1": is not a reference;'),
        ({"starts_on": "31.01.2025"}, 'column "starts_on", value "31.01.2025": is not a day; write one like'),
        ({"starts_on": "2025-02-29"}, 'column "starts_on", value "2025-02-29": is not a day; write one like'),
        ({"starts_on": "0024-01-01"}, 'column "starts_on", value "0024-01-01": lies before 1900-01-01'),
        ({"starts_on": ""}, 'column "starts_on", value "": is empty; give it here'),
        ({"price": "-0.01"}, 'column "price", value "-0.01": is negative; give 0 or more'),
        ({"price": ""}, 'column "price", value "": is empty; give a plain number like "12.50"'),
        ({"price": "9.999"}, 'column "price", value "9.999": may mean 9999 or 9 and a fraction'),
        ({"currency": "EURO"}, 'column "currency", value "EURO": is not a currency'),
        ({"customer_name": "=cmd|' /C calc'!A0"}, 'column "customer_name", value "=cmd|\' /C calc\'!A0": begins like'),
        ({"plan": "@SUM(A1)"}, 'column "plan", value "@SUM(A1)": begins like a spreadsheet formula'),
        ({"email": "ada"}, 'column "email", value "ada": is not an e-mail address'),
        ({"country": "Germany"}, 'column "country", value "Germany": is not a country code'),
        ({"timezone": "Berlin"}, 'column "timezone", value "Berlin": is not a time zone'),
        ({"timezone": ""}, 'column "timezone", value "": is empty; give it here, or a default in the mapping'),
        ({"notice": "soon"}, 'column "notice", value "soon": is not a notice; write one like 1 month'),
        ({"initial_term": "12 months"}, 'column "renewal", value "": is empty; say what follows the initial term'),
        (
            {"initial_term": "12 months", "renewal": "30 days"},
            'column "renewal", value "30 days": {"days": 30} has another unit than the initial term',
        ),
        ({"billing": "0 days"}, 'column "billing", value "0 days": a period of nothing never passes'),
        ({"last_day": "2999-01-01"}, 'column "last_day", value "2999-01-01": lies after'),
        ({"last_day": "2024-03-13"}, 'column "last_day", value "2024-03-13": lies before the contract starts'),
        ({"reason": "Too dear"}, 'column "reason", value "Too dear": is given, but the row does not say that they'),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_with_line_column_value_and_reason(file, row, said):
    result = run(file({"reference": "C-0"}, row))

    assert (result.status, len(result.lines)) == (1, 1)
    assert result.lines[0].startswith(f"line 3, {said}"), result.lines
    assert result.out == "2 contracts: 1 created, 0 updated, 0 unchanged, 1 refused.\n"


def test_everything_that_is_wrong_with_a_line_is_said_at_once(file):
    result = run(file({"price": "-1", "starts_on": "x", "country": "Germany", "email": "ada", "notice": "x"}))

    assert [line.split(", ")[1] for line in result.lines] == [
        'column "notice"',
        'column "price"',
        'column "starts_on"',
        'column "email"',
        'column "country"',
    ]
    assert result.error == "1 of 1 lines were refused."


def test_the_second_row_with_a_reference_is_refused_by_line(file):
    result = run(file({"price": "1.00"}, {"reference": "C-2"}, {"price": "2.00"}))

    assert result.lines == ['line 4, column "reference", value "C-1": stands on line 2 already; that one was taken']
    assert Contract.objects.get(reference="C-1").price_minor == 100


def test_a_row_that_was_refused_does_not_take_its_reference_from_a_good_one(file):
    result = run(file({"price": "-1"}, {"price": "2.00"}))

    assert len(result.lines) == 1
    assert Contract.objects.get(reference="C-1").price_minor == 200


def test_a_customer_with_two_names_is_refused_by_line(file):
    result = run(file({}, {"reference": "C-2", "customer_name": "Ada Summer"}, {"reference": "C-3"}))

    assert result.lines == [
        'line 3, column "customer_reference", value "K-1": has other customer details than on line 2; one customer '
        "has one name and address"
    ]
    assert Customer.objects.get().contracts.count() == 2


def test_broken_lines_among_good_ones_are_refused_by_line(file, tmp_path):
    good = csv_of({"reference": "C-2"}).splitlines()[1]
    path = tmp_path / "contracts.csv"
    lines = [
        ",".join(COLUMNS).encode(),
        good.encode(),
        b"C-3,too,short",
        good.replace("C-2", "C-4").replace("Ada", "\xc4da").encode("latin-1"),
        good.replace("C-2", "C-5").replace("Ada", "A\0da").encode(),
        good.replace("C-2", "C-6").encode() + b"x" * 10_000_000,
        good.replace("C-2", "C-7").replace("Ada", '"Ada').encode(),
        good.replace("C-2", "C-8").encode(),
    ]
    path.write_bytes(b"\n".join(lines) + b"\n")

    result = run(path)

    assert [line.split(":")[0] for line in result.lines] == [f"line {n}" for n in (3, 4, 5, 6, 7)]
    assert [reason in line for reason, line in zip(
        ("has 3 cells, the header has 21", "byte 0xC4 at position", "NUL", "longer than 65536", "quotes"),
        result.lines, strict=True,
    )] == [True] * 5  # fmt: skip
    assert sorted(Contract.objects.values_list("reference", flat=True)) == ["C-2", "C-8"]


def test_refused_lines_are_also_written_to_a_file_that_a_spreadsheet_can_open(file, tmp_path):
    errors = tmp_path / "errors.csv"

    run(file({"customer_name": "=1+1"}, {"reference": "C-2", "price": "-7"}), "--errors", str(errors))

    assert list(csv.reader(io.StringIO(errors.read_text(encoding="utf-8")))) == [
        ["line", "column", "value", "reason"],
        [
            "2",
            "customer_name",
            "'=1+1",
            "begins like a spreadsheet formula (= + - @); write it without that character",
        ],
        ["3", "price", "'-7", "is negative; give 0 or more"],
    ]


# What it refuses as a whole: exit status 2, nothing imported.


def test_a_missing_column_is_named_beside_those_that_are_there(file):
    columns = ["reference", "product", "plan", "starts_on", "currency", "timezone", "notice", "notice_to"]

    result = run(file({}, columns=columns))

    assert result.status == 2
    assert result.error == (
        'Nothing was imported. The columns are missing: "price", "billing". The file has: "reference", "product", '
        '"plan", "starts_on", "currency", "timezone", "notice", "notice_to".'
    )
    assert set(everything().values()) == {0}


def test_a_column_that_stands_twice_is_named(file):
    result = run(file({}, columns=[*COLUMNS, "Price "]))

    assert (result.status, result.error) == (
        2,
        'Nothing was imported. The column "price" stands twice; keep the one that is meant.',
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty."),
        ("reference\0,price\nA,1\n", "The header cannot be read: line 1 holds a NUL byte at position 10"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(file, text, said):
    result = run(file(text=text))

    assert result.status == 2
    assert result.error.startswith("Nothing was imported. ")
    assert said in result.error


def test_a_file_with_a_header_alone_is_no_mistake(file):
    result = run(file())

    assert (result.status, result.out) == (0, "0 contracts: 0 created, 0 updated, 0 unchanged, 0 refused.\n")


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("name = 'x'\nname 2", "is not TOML: Expected '=' after a key in a key/value pair (at line 2, column 6)"),
        ("name = 'x'", "cannot be used: columns: is missing; mapping needs name, columns"),
        ("name = 'x'\n[columns]\nprise = 'a'", 'cannot be used: columns: unknown field "prise"; known are'),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_by_its_key(file, tmp_path, mapping, said):
    path = tmp_path / "mapping.toml"
    path.write_text(mapping, encoding="utf-8")

    result = run(file({}), "--mapping", str(path))

    assert result.status == 2
    assert result.error.startswith(f"Nothing was imported. The mapping {path} {said}"), result.error
    assert set(everything().values()) == {0}


def test_files_that_are_not_there_are_named(file, tmp_path):
    nowhere = tmp_path / "nowhere"

    assert run(nowhere).error == f"Nothing was imported. {nowhere} cannot be read: No such file or directory."
    assert run(file({}), "--mapping", str(nowhere)).error == (
        f"Nothing was imported. The mapping {nowhere} cannot be read: No such file or directory."
    )
    assert run(file({}), "--errors", str(nowhere / "x")).error == (
        f"Nothing was imported. The list of errors {nowhere / 'x'} cannot be written: No such file or directory."
    )


@pytest.mark.parametrize("day", ["tomorrow", "2022-13-01", "0001-01-01"])
def test_a_day_that_is_none_is_refused_before_anything_is_read(file, day, capsys):
    with pytest.raises(SystemExit) as stopped:
        execute_from_command_line(["manage.py", "import_contracts", str(file({})), "--as-of", day])

    assert stopped.value.code == 2
    assert "argument --as-of" in capsys.readouterr().err
    assert not Contract.objects.exists()


# How it runs.


def test_the_number_of_statements_does_not_grow_with_the_rows(file):
    def statements(rows):
        path = file(*({**ENDED, "reference": f"{len(rows)}-{n}"} for n in rows))
        with CaptureQueriesContext(connection) as queries:
            call_command("import_contracts", str(path), stdout=io.StringIO(), stderr=io.StringIO())
        return len(queries)

    statements([1])

    assert statements(range(3)) == statements(range(30))


def test_what_a_stranger_wrote_as_a_reason_is_kept_whole(file):
    long = "=no, " + "too dear " * 60

    run(file({**ENDED, "reason": long.strip()}))

    answer = Answer.objects.get()
    assert len(answer.imported_reason) == 200
    assert answer.imported_reason.startswith("=no, too dear")
    assert answer.imported_reason.endswith("…")
    assert answer.words == long.strip()


def test_the_row_of_these_tests_is_complete():
    assert set(ROW) <= set(COLUMNS)


@pytest.mark.parametrize("page", ["/account/", "/contracts/C-1/", "/contracts/C-1/cancel/done/"])
@pytest.mark.parametrize("row", [{}, ENDED], ids=["running", "ended"])
def test_an_imported_contract_has_its_pages(client, file, row, page):
    run(file(row))
    customer = Customer.objects.get()
    client.cookies[COOKIE] = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)

    response = client.get(page, follow=True)

    assert response.status_code == 200
    assert "Hosting S" in response.content.decode()
