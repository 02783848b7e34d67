"""The real customer file through import and report: every figure equals the tables beside it, and the file itself."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

MAPPING = str(Path(__file__).resolve().parents[2] / "examples" / "telco_churn.toml")
AS_OF = "2026-11-01"
# A table beside the file, its columns, and what they are called in the report.
TABLES = [
    ("reason_counts", {"reason": "reason"}),
    ("category_counts", {"category": "category"}),
    ("category_reason_pairs", {"category": "category", "reason": "reason"}),
    ("reason_by_contract", {"reason": "reason", "contract": "contract_kind"}),
    ("category_by_contract", {"category": "category", "contract": "contract_kind"}),
]
# The editions name their columns differently; blanks and capitals do not count.
NAMES = {
    "reason": ("churnreason",),
    "category": ("churncategory",),
    "contract_kind": ("contract",),
    "charge": ("monthlycharge", "monthlycharges"),
}

Figures = dict[tuple[str, ...], tuple[int, Decimal]]


@pytest.fixture(scope="module")
def sample(shared_data: Path, django_db_setup: None, django_db_blocker: Any) -> Iterator[Path]:
    """Import the whole sample once; the tests of this module only read."""
    path = shared_data / "telco" / "telco_sample.csv"
    with django_db_blocker.unblock(), transaction.atomic():
        imported(path)
        yield path
        transaction.set_rollback(True)


def imported(path: Path) -> None:
    """Import a file; lines that are refused are left out of the figures, as its README asks."""
    try:
        options = ["--mapping", MAPPING, "--as-of", AS_OF]
        call_command("import_contracts", str(path), *options, stdout=io.StringIO(), stderr=io.StringIO())
    except CommandError as some_refused:
        if some_refused.returncode != 1:
            raise


def report(*options: str) -> str:
    out = io.StringIO()
    call_command("report", "reasons", *options, stdout=out)
    return out.getvalue()


def reported(*by: str) -> Figures:
    """Return the rows of the command, by name."""
    rows = json.loads(report("--by", ",".join(by)))["rows"]
    return {tuple(row[name] for name in by): (row["cancellations"], Decimal(row["value_lost"])) for row in rows}


def counted(path: Path, *by: str, delimiter: str = ",") -> Figures:
    """Return the same figures from the file alone; rows with a negative charge do not count."""
    found: dict[tuple[str, ...], list[Any]] = defaultdict(lambda: [0, Decimal(0)])
    with path.open(encoding="utf-8-sig", newline="") as file:
        for raw in csv.DictReader(file, delimiter=delimiter):
            row = {name.strip().lower().replace(" ", ""): value for name, value in raw.items()}
            charge = Decimal(_cell(row, "charge").replace(",", "."))
            if _cell(row, "reason") and charge >= 0:
                sums = found[tuple(_cell(row, name) for name in by)]
                sums[0] += 1
                sums[1] += charge
    return {names: (n, lost) for names, (n, lost) in found.items()}


def _cell(row: dict[str, str], name: str) -> str:
    return next(row[column] for column in NAMES[name] if column in row)


@pytest.mark.parametrize(("table", "columns"), TABLES, ids=[name for name, _columns in TABLES])
def test_the_report_equals_the_table_beside_the_file(sample, table, columns):
    with (sample.parent / "expected" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    expected = {
        tuple(line[name] for name in columns): (int(line["churned"]), Decimal(line["monthly_charge_lost"]))
        for line in lines
    }

    assert len(expected) == len(lines) > 0
    assert reported(*columns.values()) == expected


@pytest.mark.parametrize("columns", [tuple(columns.values()) for _name, columns in TABLES], ids="-".join)
def test_the_report_equals_what_the_file_says(sample, columns):
    assert reported(*columns) == counted(sample, *columns)


@pytest.mark.parametrize("name", ["reason_counts", "category_counts"])
def test_rows_come_in_the_order_of_the_table(sample, name):
    key = name.removesuffix("_counts")
    with (sample.parent / "expected" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        expected = [(line[key], line["churned"], line["monthly_charge_lost"]) for line in csv.DictReader(file)]

    lines = list(csv.DictReader(io.StringIO(report("--by", key, "--format", "csv"))))

    assert [(line[key], line["cancellations"], line["value_lost"]) for line in lines] == expected


@pytest.mark.parametrize("by", ["root", "category", "reason", "plan", "contract_kind", "month"])
def test_every_breakdown_has_the_same_totals(sample, by):
    totals = json.loads((sample.parent / "expected" / "totals.json").read_text(encoding="utf-8"))

    found = json.loads(report("--by", by))

    assert (found["total"], found["value_lost"]) == (totals["churned"], totals["monthly_charge_lost"])
    assert sum(row["cancellations"] for row in found["rows"]) == totals["churned"]
    assert sum(Decimal(row["value_lost"]) for row in found["rows"]) == Decimal(totals["monthly_charge_lost"])


def test_the_page_and_the_download_show_the_same_figures(sample):
    client = Client()
    with transaction.atomic():
        client.force_login(User.objects.create_superuser("mia"))
        download = client.get("/reports/reasons.csv", {"by": "reason"}).content.decode("utf-8-sig")
        page = client.get("/reports/reasons/").text
        transaction.set_rollback(True)

    assert download.replace("\r\n", "\n") == report("--by", "reason", "--format", "csv")
    for row in json.loads(report("--by", "root"))["rows"]:
        assert f">{row['cancellations']}</td>" in page
        assert f"${Decimal(row['value_lost']):,}</td>" in page


# Other rows, other editions.


@pytest.mark.django_db
def test_any_cut_of_the_file_gives_its_own_figures(shared_data, tmp_path):
    with (shared_data / "telco" / "telco_sample.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    cut = tmp_path / "cut.csv"
    with cut.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *lines[5::9]])
    imported(cut)

    for columns in (["reason"], ["category", "reason"], ["category", "contract_kind"]):
        assert reported(*columns) == counted(cut, *columns)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("edition", "delimiter", "columns"),
    [
        ("bom_padded_header_excerpt.csv", ",", ["category", "reason"]),
        ("semicolon_decimal_comma_excerpt.csv", ";", ["reason"]),
    ],
)
def test_the_other_editions_give_their_own_figures(shared_data, edition, delimiter, columns):
    path = shared_data / "telco" / edition
    imported(path)

    expected = counted(path, *columns, delimiter=delimiter)
    assert expected
    assert reported(*columns) == expected
