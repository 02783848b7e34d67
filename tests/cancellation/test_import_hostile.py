"""Whatever a file holds, an import answers: a row, a refusal, or "this file cannot be used". Never a crash."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cancellation.importing.declared import PLAIN, load
from cancellation.importing.lines import FileError, Problem, Record, Table, opened
from cancellation.importing.mapping import lay_out
from cancellation.importing.reading import RowReader
from cancellation.importing.rows import Row
from tests.cancellation.import_help import COLUMNS, ROW, TELCO

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAPPINGS = {path.name: load(path) for path in (PLAIN, TELCO)}
HEADERS = {
    PLAIN.name: [*COLUMNS, "terms", "paid_from", "paid_to", "paid_amount", "billing_anchor", "concluded_at"],
    TELCO.name: "Customer ID,Contract,Monthly Charge,Tenure in Months,Churn Value,Churn Reason,Churn Category,"
    "Phone Service,Internet Type,Offer".split(","),
}
NASTY = [
    "",
    "=1+1",
    "-1",
    "1,234",
    "1e9",
    "\u202e",
    "\ud7ff",
    "9" * 400,
    "NaN",
    "[[",
    '{"a":',
    "2024-02-30",
    "\x1b[31m",
]
TRUE_CELLS = [*ROW.values(), "Month-to-Month", "One Year", "12", "0", "1", "2024-03-15", "none", "{}", '{"months": 1}']


def records(content: bytes) -> list[Record | Problem]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content)
        with opened(path, "utf-8") as source:
            return list(Table(source, "", len))


@given(st.binary(max_size=400))
@example(b"\xff\xfea")
@example(b'"')
@example(b'a\n"\r\n"')
def test_any_bytes_are_records_and_refusals_or_no_file_at_all(content):
    try:
        found = records(content)
    except FileError:
        return
    lines = [one.line for one in found]
    assert lines == sorted(set(lines))
    assert all(one.reason for one in found if isinstance(one, Problem))


@given(
    st.lists(
        st.sampled_from(["a,b", '"a",b', '"a,b', 'a,"b', '"a""b",c', 'a"b,c', '"a"b,c', "a", '"', ""]), max_size=12
    )
)
def test_quotes_never_swallow_a_good_line_for_good(lines):
    content = "\n".join(["x,y", *lines, "good,line", ""])

    found = records(content.encode())

    assert Record(len(lines) + 2, ["good", "line"]) in found


@pytest.mark.parametrize("name", MAPPINGS)
@settings(max_examples=300)
@given(st.data())
def test_any_cells_are_a_row_or_a_list_of_what_is_wrong(name, data):
    header = HEADERS[name]
    reader = RowReader(MAPPINGS[name], lay_out(MAPPINGS[name], header), NOW, None)
    cell = st.one_of(st.sampled_from(TRUE_CELLS), st.sampled_from(NASTY), st.text(max_size=30))
    given_cells = [ROW.get(column, "") if data.draw(st.booleans()) else data.draw(cell) for column in header]

    found = reader.read(Record(2, given_cells))

    if isinstance(found, Row):
        assert found.contract["price_minor"] >= 0
        assert found.reference
    else:
        assert found
        assert all(one.line == 2 and one.column and one.reason for one in found)
