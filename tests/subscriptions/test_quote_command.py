"""``manage.py quote``: lines in, lines out, and nothing a line holds stops the others."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.management.commands.quote import LONGEST_LINE, answer

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests/data/terms_vectors.json").read_text(encoding="utf-8"))
CASES = [{"kind": kind, **case, **case.get("given", {})} for kind in VECTORS for case in VECTORS[kind]]
for case in CASES:
    case.pop("given", None)
NOTICE, REFUND, EXIT_FEE = (next(case for case in CASES if case["kind"] == kind) for kind in VECTORS)
WITHDRAWAL = {
    "id": "w",
    "kind": "withdrawal",
    "concluded_at": "2026-12-23T12:00:00+01:00",
    "days": 14,
    "timezone": "Europe/Berlin",
    "country": "DE",
}


def lines(*cases: object) -> bytes:
    return b"".join(case if isinstance(case, bytes) else json.dumps(case).encode() + b"\n" for case in cases)


def ask(monkeypatch: pytest.MonkeyPatch, given_: bytes) -> tuple[list[Any], str | None]:
    """Return the answers to what stands on standard input, and the complaint at the end if any."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given_)))
    out, complaint = io.StringIO(), None
    try:
        call_command("quote", stdout=out)
    except CommandError as error:
        complaint = str(error)
    return [json.loads(line) for line in out.getvalue().splitlines()], complaint


def with_terms(**changes: object) -> dict[str, Any]:
    return {**NOTICE, "terms": {**NOTICE["terms"], **changes}}


def answered(case: object) -> Any:
    return answer(lines(case))


def error_of(case: object) -> str:
    given_ = answered(case)
    assert set(given_) == {"id", "error"}
    return str(given_["error"])


def test_every_worked_case_is_answered_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, complaint = ask(monkeypatch, lines(*CASES))

    assert answers == [{"id": case["id"], **case["expect"]} for case in CASES]
    assert complaint is None


@pytest.mark.parametrize(
    ("changes", "last_day"),
    [
        ({}, "2027-01-06"),
        ({"region": "BY"}, "2027-01-07"),
        ({"region": None}, "2027-01-06"),
        ({"region": ""}, "2027-01-06"),
    ],
)
def test_a_withdrawal_is_answered_by_its_last_day(changes: dict[str, Any], last_day: str) -> None:
    assert answered({**WITHDRAWAL, **changes}) == {"id": "w", "last_day": last_day}


def test_money_is_text_with_exactly_the_currencys_digits() -> None:
    dinar = {**REFUND, "amount": "30", "currency": "KWD", "policy": "none"}

    assert answered(dinar) == {"id": REFUND["id"], "refund": "0.000"}


def test_what_does_not_exist_is_null() -> None:
    terms = {**NOTICE["terms"], "initial_term": {"months": 12}, "renewal": "none"}

    assert answered({"id": 7, "kind": "notice", "terms": terms, "received_at": "2025-01-31T12:00:00Z"}) == {
        "id": 7,
        "received_on": "2025-01-31",
        "last_day": None,
        "latest_notice_day": None,
        "if_missed_last_day": None,
    }


def test_a_line_that_cannot_be_read_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    unread = [b"{not json\n", b"\xff\xfe\n", b"[1]\n", {"id": "x", "kind": "riddle"}, b'{"id": NaN}\n']

    answers, complaint = ask(monkeypatch, lines(NOTICE, *unread, WITHDRAWAL))

    first, *errors, last = answers
    assert first == {"id": NOTICE["id"], **NOTICE["expect"]}
    assert errors == [
        {
            "id": None,
            "error": "line: is not JSON (Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)); write one JSON object a line",
        },
        {"id": None, "error": "line: is not UTF-8 text; save the file as UTF-8"},
        {"id": None, "error": "line: is JSON but not an object; write one JSON object a line"},
        {"id": "x", "error": 'kind: "riddle" is not known; give one of notice, refund, exit_fee, withdrawal'},
        {"id": None, "error": "line: NaN is no JSON; write a number or null"},
    ]
    assert last == {"id": "w", "last_day": "2027-01-06"}
    assert complaint == "5 of 7 lines could not be read; see their errors."


def test_blank_lines_a_byte_order_mark_and_windows_line_ends_are_no_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_ = b"\xef\xbb\xbf" + json.dumps(WITHDRAWAL).encode() + b"\r\n\r\n \n" + json.dumps(WITHDRAWAL).encode()

    answers, complaint = ask(monkeypatch, given_)

    assert answers == [{"id": "w", "last_day": "2027-01-06"}] * 2
    assert complaint is None


def test_nothing_asked_is_nothing_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, b"") == ([], None)


@pytest.mark.parametrize("length", [LONGEST_LINE + 1, 3 * LONGEST_LINE, 3 * LONGEST_LINE + 17])
def test_a_line_too_long_to_hold_is_answered_and_passed_over(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    long_line = b"x" * (length - 1) + b"\n"

    answers, complaint = ask(monkeypatch, lines(long_line, WITHDRAWAL))

    assert answers == [
        {"id": None, "error": "line: is longer than 1048576 bytes; write one JSON object a line"},
        {"id": "w", "last_day": "2027-01-06"},
    ]
    assert complaint == "1 of 2 lines could not be read; see their errors."


def test_a_line_of_just_the_longest_length_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    case = json.dumps(WITHDRAWAL).encode()

    answers, _ = ask(monkeypatch, case + b" " * (LONGEST_LINE - len(case) - 1) + b"\n")

    assert answers == [{"id": "w", "last_day": "2027-01-06"}]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({**NOTICE, "received_at": "2025-01-31T12:00:00"}, "received_at: .* has no offset"),
        ({**NOTICE, "received_at": "2025-01-31"}, "received_at: .* has no offset"),
        ({**NOTICE, "received_at": "yesterday"}, 'received_at: "yesterday" is not an instant'),
        ({**NOTICE, "received_at": 1738321200}, "received_at: 1738321200 is not an instant"),
        ({**NOTICE, "received_at": "9999-12-31T23:59:59Z"}, "the days reach beyond the years 1 to 9999"),
        ({**NOTICE, "terms": None}, "terms: null is not an object"),
        (
            with_terms(notice={"months": "1"}),
            'notice.months: "1" cannot be used',
        ),
        (
            with_terms(timezone="Nowhere"),
            'timezone: "Nowhere" is not a time zone',
        ),
        ({**NOTICE, "recieved_at": "x"}, 'case: unknown field "recieved_at"; known are terms, received_at'),
        ({**REFUND, "amount": 12.5}, "amount: 12.5 is not an amount"),
        ({**REFUND, "last_day": "2025-02-30"}, 'last_day: "2025-02-30" is not a day'),
        ({**EXIT_FEE, "billing": {"months": 0}}, "billing: a period of nothing never passes"),
        ({**EXIT_FEE, "currency": ["EUR"]}, r'currency: \["EUR"\] is not a currency'),
        ({**WITHDRAWAL, "country": "Atlantis"}, 'country: "ATLANTIS" has no known holidays'),
        ({**WITHDRAWAL, "kind": None}, "kind: null is not known; give one of notice, "),
        ({**WITHDRAWAL, "kind": ["notice"]}, r'kind: \["notice"\] is not known; give one of notice, '),
        ({**WITHDRAWAL, "id": {"a": 1}}, "id: can be text or a whole number"),
        ({**WITHDRAWAL, "id": True}, "id: can be text or a whole number"),
        (b'{"id": "w", "kind": "refund", "kind": "notice"}\n', "kind: stands twice in one object"),
        (b"[" * 100_000 + b"\n", "line: is nested too deeply"),
        (b'{"days": ' + b"9" * 5000 + b"}\n", "line: is not JSON"),
    ],
)
def test_an_error_names_the_field(case: object, message: str) -> None:
    with pytest.raises(AssertionError, match=rf"^{message}"):
        raise AssertionError(error_of(case))


@pytest.mark.parametrize("case", [NOTICE, REFUND, EXIT_FEE, WITHDRAWAL], ids=lambda case: str(case["kind"]))
def test_each_missing_field_is_named(case: dict[str, Any]) -> None:
    needed = [field for field in case if field not in ("id", "kind", "expect")]

    errors = {field: error_of({name: case[name] for name in case if name != field}) for field in needed}

    assert [error.split(";")[0] for error in errors.values()] == [f"{field}: is missing" for field in needed]


def test_the_id_of_a_line_with_an_error_is_given_back() -> None:
    assert answered({**WITHDRAWAL, "days": None})["id"] == "w"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ODD_TEXTS = ["", "-1", "1e5", "UTC", "none", "\ud800", "\x00", "../../etc/passwd", "2025-01-31"]
ODD_DAYS = ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-12:00"]
ODD_NUMBERS = [-1, 10**30, 10**400, {"months": 10**30}, {"by_day": 31, "months_before": 10**9}]
ODD_PERIODS = [{"months": 119988}, {"days": 3652059}, {"weeks": 0}, {"by_day": 31, "months_before": 119988}]
ODD = JSON | st.sampled_from([*ODD_TEXTS, *ODD_DAYS, *ODD_NUMBERS, *ODD_PERIODS])


@given(st.sampled_from([NOTICE, REFUND, EXIT_FEE, WITHDRAWAL]), st.data())
def test_no_value_anywhere_brings_the_command_down(case: dict[str, Any], data: st.DataObject) -> None:
    target = json.loads(json.dumps(case))
    place = target
    if "terms" in target and data.draw(st.booleans()):
        place = target["terms"]
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(ODD)

    given_ = answered(target)

    assert json.loads(json.dumps(given_, allow_nan=False)) == given_
    assert "id" in given_
    assert len(given_) > 1


@given(st.binary(max_size=60))
def test_no_bytes_bring_the_command_down(line: bytes) -> None:
    assert set(answer(line)) == {"id", "error"}


# As a process of its own, as people call it.


def run(given_: bytes, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "manage.py", "quote"],
        input=given_,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"},
        check=False,
        **options,
    )


def test_as_a_process_it_needs_no_database_and_ends_with_0() -> None:
    done = run(lines(NOTICE, REFUND, EXIT_FEE, WITHDRAWAL))

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [given_["id"] for given_ in answers] == [NOTICE["id"], REFUND["id"], EXIT_FEE["id"], "w"]
    assert (done.returncode, done.stderr) == (0, b"")


def test_as_a_process_it_ends_with_1_when_a_line_could_not_be_read() -> None:
    done = run(lines(b"?\n", WITHDRAWAL))

    assert done.returncode == 1
    assert done.stdout.splitlines()[1] == b'{"id": "w", "last_day": "2027-01-06"}'
    assert done.stderr == b"CommandError: 1 of 2 lines could not be read; see their errors.\n"


def test_a_reader_who_has_seen_enough_gets_no_traceback(tmp_path: Path) -> None:
    asked = tmp_path / "cases.jsonl"
    asked.write_bytes(lines(*CASES) * 20)

    command = f"{sys.executable} manage.py quote < {asked} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, cwd=ROOT, check=False)

    assert json.loads(done.stdout) == {"id": NOTICE["id"], **NOTICE["expect"]}
    assert done.stderr == b""
