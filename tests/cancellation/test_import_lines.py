"""A CSV file as records: every broken line is one refusal, and the next line is read as if nothing had been."""

import tracemalloc

import pytest

from cancellation.importing.lines import LONGEST, FileError, Problem, Record, Table, opened

KNOWN = ("reference", "name", "price")


def read(path, encoding="utf-8", delimiter=""):
    with opened(path, encoding) as source:
        table = Table(source, delimiter, lambda names: sum(name.strip().lower() in KNOWN for name in names))
        return table.header, list(table)


def cells_of(records):
    return [(one.line, one.cells) if isinstance(one, Record) else (one.line, one.reason) for one in records]


@pytest.fixture
def file(tmp_path):
    def write(content, encoding="utf-8"):
        path = tmp_path / "contracts.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


PLAIN = "reference,name,price\nA,Ada,1\nB,Żółć,2\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        pytest.param(PLAIN.encode(), "utf-8", id="utf-8"),
        pytest.param(PLAIN.encode("utf-8-sig"), "utf-8", id="utf-8-with-a-mark"),
        pytest.param(PLAIN.encode("utf-8-sig"), "cp1250", id="the-mark-outweighs-what-is-declared"),
        pytest.param(PLAIN.encode("cp1250"), "cp1250", id="declared"),
        pytest.param(PLAIN.encode("utf-16"), "utf-8", id="utf-16-with-a-mark"),
        pytest.param(PLAIN.encode("utf-16-le"), "utf-16-le", id="utf-16-declared"),
        pytest.param(PLAIN.encode("utf-32"), "utf-8", id="utf-32-with-a-mark"),
        pytest.param(PLAIN.replace("\n", "\r\n").encode(), "utf-8", id="crlf"),
        pytest.param(PLAIN.replace("\n", "\r").encode(), "utf-8", id="lone-cr"),
        pytest.param(PLAIN.replace("\n", "\r").encode("utf-8-sig"), "utf-8", id="lone-cr-with-a-mark"),
        pytest.param(PLAIN.rstrip("\n").encode(), "utf-8", id="no-line-end-at-the-end"),
    ],
)
def test_a_file_is_read_whatever_its_encoding_and_line_ends(file, content, encoding):
    header, records = read(file(content), encoding)

    assert header == ["reference", "name", "price"]
    assert cells_of(records) == [(2, ["A", "Ada", "1"]), (3, ["B", "Żółć", "2"])]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_makes_known_headings(file, mark):
    content = f"\n reference{mark}name {mark}price\nA{mark}Ada{mark}1\n"

    assert read(file(content)) == (["reference", "name", "price"], [Record(3, ["A", "Ada", "1"])])


def test_commas_in_another_file_do_not_mislead(file):
    content = "reference;name;a, b, c, d, e\nA;1,5;x\n"

    assert read(file(content))[1] == [Record(2, ["A", "1,5", "x"])]


def test_a_first_line_that_names_the_delimiter_is_understood(file):
    header, records = read(file("sep=!\nreference!name\nA!Ada\n"))

    assert (header, cells_of(records)) == (["reference", "name"], [(3, ["A", "Ada"])])


def test_blank_lines_and_rows_of_nothing_are_passed_over(file):
    _, records = read(file("reference,name,price\n\nA,Ada,1\n,, \n\r\nB,Bo,2\n"))

    assert cells_of(records) == [(3, ["A", "Ada", "1"]), (6, ["B", "Bo", "2"])]


def test_a_quoted_cell_may_span_lines_and_the_record_is_known_by_its_first(file):
    _, records = read(file('reference,name,price\nA,"Ada\nWinter, ""the"" one",1\nB,Bo,2\n'))

    assert cells_of(records) == [(2, ["A", 'Ada\nWinter, "the" one', "1"]), (4, ["B", "Bo", "2"])]


QUOTES = "has quotes that do not add up; close each, and write a quote inside quotes twice"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param('A,"Ada,1', id="opened-never-closed"),
        pytest.param('A,Ada,"1', id="opened-in-the-last-cell"),
        pytest.param('A,"Ada" Winter,1', id="text-after-a-closed-quote"),
    ],
)
def test_a_stray_quote_costs_its_own_line_only(file, broken):
    rest = "".join(f"B{n},Bo,{n}\n" for n in range(500))

    _, records = read(file(f"reference,name,price\n{broken}\n{rest}"))

    assert records[0] == Problem(2, "", broken, QUOTES)
    assert cells_of(records[1:]) == [(n + 3, [f"B{n}", "Bo", f"{n}"]) for n in range(500)]


def test_a_stray_quote_that_finds_another_costs_those_two_lines_only(file):
    content = 'reference,name,price\nA,"Ada,1\nB,Bo,2\nC,"Cy,3\nD,Di,4\n'

    _, records = read(file(content))

    assert [(one.line, isinstance(one, Problem)) for one in records] == [
        (2, True),
        (3, False),
        (4, True),
        (5, False),
    ]


def test_a_quote_inside_an_unquoted_cell_is_a_character_like_any_other(file):
    _, records = read(file('reference,name,price\nA,5" pipe,1\n'))

    assert cells_of(records) == [(2, ["A", '5" pipe', "1"])]


@pytest.mark.parametrize(("line", "cells"), [("A,Ada", 2), ("A,Ada,1,2", 4), ("A", 1)])
def test_a_line_with_another_number_of_cells_is_refused(file, line, cells):
    _, records = read(file(f"reference,name,price\n{line}\nB,Bo,2\n"))

    reason = f"has {cells} cells, the header has 3; add or remove delimiters"
    assert records == [Problem(2, "", line, reason), Record(3, ["B", "Bo", "2"])]


def test_a_byte_that_is_not_of_the_encoding_is_named_with_line_and_place(file):
    _, records = read(file(b"reference,name,price\nA,Ada,1\nB,J\xfcrgen,2\nC,Cy,3\n"))

    assert cells_of(records) == [
        (2, ["A", "Ada", "1"]),
        (
            3,
            "byte 0xFC at position 4 is not UTF-8; save the file as UTF-8, or name its encoding in the mapping "
            "(encoding)",
        ),
        (4, ["C", "Cy", "3"]),
    ]


def test_a_line_with_a_nul_byte_is_refused(file):
    _, records = read(file(b"reference,name,price\nA,A\0da,1\nB,Bo,2\n"))

    assert cells_of(records) == [
        (2, "holds a NUL byte at position 4; this is not plain text"),
        (3, ["B", "Bo", "2"]),
    ]


def test_a_line_of_ten_megabytes_is_refused_without_eating_memory(file):
    path = file(b"reference,name,price\nA," + b"x" * 10_000_000 + b",1\nB,Bo,2\n")

    tracemalloc.start()
    _, records = read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert cells_of(records) == [
        (2, f"is longer than {LONGEST} bytes (10000005); split or shorten it"),
        (3, ["B", "Bo", "2"]),
    ]
    assert peak < 2_000_000


def test_a_long_line_behind_a_stray_quote_is_a_problem_of_its_own(file):
    path = file(b'reference,name,price\nA,"Ada,1\n' + b"x" * 200_000 + b"\nB,Bo,2\n")

    assert [(one.line, isinstance(one, Problem)) for one in read(path)[1]] == [(2, True), (3, True), (4, False)]


def test_a_line_just_short_enough_is_read(file):
    name = "x" * (LONGEST - 20)

    assert read(file(f"reference,name,price\nA,{name},1\n"))[1] == [Record(2, ["A", name, "1"])]


@pytest.mark.parametrize("content", [b"", b"\n\n \r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0\0\0"])
def test_an_empty_file_is_said_to_be_empty(file, content):
    with pytest.raises(FileError, match=r"contracts\.csv is empty\."):
        read(file(content))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"r\xe9f,name\nA,Ada\n", "The header cannot be read: line 1 byte 0xE9 at position 2 is not UTF-8"),
        (b"x" * 100_000, "The header cannot be read: line 1 is longer than 65536 bytes"),
        (b"PK\x03\x04\0\0\n", "The header cannot be read: line 1 holds a NUL byte at position 5"),
        (b'"reference,name\nA,Ada\n', "The header cannot be read: line 1 has quotes that do not add up"),
        (b"\xff\xfe" + "reference\n".encode("utf-16-le") + b"x", "The file is not UTF-16: see byte 23."),
        (b"sep=;\n", "The file has no header: the first line must name the columns."),
    ],
)
def test_a_file_whose_header_cannot_be_read_is_refused_as_a_whole(file, content, reason):
    with pytest.raises(FileError) as refused:
        read(file(content))

    assert str(refused.value).startswith(reason)


def test_a_file_that_is_not_there_or_a_folder_is_said_to_be_so(tmp_path):
    with pytest.raises(FileError, match=r"nowhere\.csv cannot be read: No such file or directory\."):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(FileError, match=r"cannot be read: Is a directory\."):
        read(tmp_path)
