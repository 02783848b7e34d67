"""``manage.py report reasons``: the shapes that scripts read, and what bad options get."""

import csv
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from feedback.models import Reason, Root
from tests import desk_rows as rows

pytestmark = pytest.mark.django_db


def report(*options: str) -> str:
    out = io.StringIO()
    call_command("report", "reasons", *options, stdout=out)
    return out.getvalue()


def as_json(*options: str) -> dict[str, Any]:
    return json.loads(report(*options))


def test_the_json_has_exactly_this_shape():
    rows.left(imported_reason="Price too high", charge=2850)
    rows.left(imported_reason="Price too high", charge=5)
    rows.left(imported_reason="Moved", charge=100)

    assert as_json("--by", "reason") == {
        "rows": [
            {"reason": "Price too high", "cancellations": 2, "value_lost": "28.55"},
            {"reason": "Moved", "cancellations": 1, "value_lost": "1.00"},
        ],
        "total": 3,
        "value_lost": "29.55",
    }


def test_an_empty_report_is_zeros_and_no_error():
    assert as_json("--by", "root") == {"rows": [], "total": 0, "value_lost": "0.00"}
    assert report("--by", "root", "--format", "csv") == "root,cancellations,value_lost\n"


def test_a_crosstab_is_asked_for_twice_or_with_a_comma():
    rows.left(imported_reason="Moved", imported_category="Other", kind="One Year", root=Root.CIRCUMSTANCE)

    row = {"category": "Other", "reason": "Moved", "cancellations": 1, "value_lost": "12.30"}
    assert as_json("--by", "category", "--by", "reason")["rows"] == [row]
    assert as_json("--by", "category,reason")["rows"] == [row]
    assert as_json("--by", "reason,contract_kind")["rows"] == [
        {"reason": "Moved", "contract_kind": "One Year", "cancellations": 1, "value_lost": "12.30"}
    ]


def test_csv_has_the_same_columns():
    rows.left("2026-01-05", root=Root.COST)

    assert report("--by", "month,root", "--format", "csv") == (
        "month,root,cancellations,value_lost\n2026-01,cost,1,12.30\n"
    )


def test_several_currencies_make_a_column_and_are_never_added():
    rows.left(charge=1230, currency="EUR")
    rows.left(charge=1000, currency="JPY")

    assert as_json("--by", "root") == {
        "rows": [
            {"root": "cost", "currency": "EUR", "cancellations": 1, "value_lost": "12.30"},
            {"root": "cost", "currency": "JPY", "cancellations": 1, "value_lost": "1000"},
        ],
        "total": 2,
        "value_lost": {"EUR": "12.30", "JPY": "1000"},
    }
    assert report("--by", "root", "--format", "csv") == (
        "root,currency,cancellations,value_lost\ncost,EUR,1,12.30\ncost,JPY,1,1000\n"
    )


@pytest.mark.parametrize(
    "reason",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", " =1", '=cmd|" /C calc"!A0', "a,b", 'say "no"', "two\nlines"],
)
def test_csv_keeps_every_text_and_runs_none(reason):
    rows.left(imported_reason=reason)

    cells = next(csv.DictReader(io.StringIO(report("--by", "reason", "--format", "csv"), newline="")))

    harmless = reason in ("a,b", 'say "no"', "two\nlines")
    assert cells == {"reason": reason if harmless else f"'{reason}", "cancellations": "1", "value_lost": "12.30"}
    assert as_json("--by", "reason")["rows"][0]["reason"] == reason


def test_filters_narrow_the_figures():
    rows.left("2026-02-01", plan=rows.plan("big"), country="DE")
    rows.left("2026-02-01", plan=rows.plan("big"), country="PL")
    rows.left("2026-02-01", plan=rows.plan("small"), country="DE")
    rows.left("2026-03-01", plan=rows.plan("big"), country="DE")

    options = ["--from", "2026-02-01", "--to", "2026-02-28", "--plan", "big", "--country", "de"]

    assert as_json("--by", "month", *options)["rows"] == [
        {"month": "2026-02", "cancellations": 1, "value_lost": "12.30"}
    ]


def test_our_own_reasons_speak_the_language_asked_for():
    dear = Reason.objects.create(code="dear", root=Root.COST, labels={"en": "Too dear", "ja": "高すぎる"})
    rows.left(primary=dear)

    assert as_json("--by", "reason")["rows"][0]["reason"] == "Too dear"
    assert as_json("--by", "reason", "--language", "ja")["rows"][0]["reason"] == "高すぎる"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--by", "weather"], "weather"),
        (["--by", "root,root"], "each may stand once"),
        (["--by", "root", "--from", "2026-02-30"], "2026-02-30"),
        (["--by", "root", "--from", "01.02.2026"], "write one like 2025-01-31"),
        (["--by", "root", "--from", "2026-03-01", "--to", "2026-02-01"], "lies after"),
        (["--by", "root", "--plan", "nope"], "--plan nope"),
        ([], "--by"),
        (["--by", "root", "--format", "xml"], "xml"),
    ],
)
def test_a_bad_option_is_named(options, said):
    with pytest.raises(CommandError, match="(?s).*" + said):
        report(*options)
