"""``manage.py quote``: what would this contract answer? One case a line in, one answer a line out.

Both are JSON objects, in the shapes of tests/data/terms_vectors.json with ``kind`` added. Days are
YYYY-MM-DD, instants carry an offset, money is text with exactly the currency's digits. A line that
cannot be read is answered with its ``error``, the others go on, and the exit status is 1 then.
Blank lines are skipped. Reads no database.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from django.core.management.base import BaseCommand, CommandError

from subscriptions.money import format_amount
from subscriptions.reading import FieldError, read_instant, read_object, shown
from subscriptions.settlement import exit_fee, refund
from subscriptions.terms import Terms, notice_quote
from subscriptions.withdrawal import withdrawal_deadline

# More than any case needs, and little enough to hold: a file without line ends must not fill the memory.
LONGEST_LINE = 2**20

Case = Mapping[str, Any]
Answer = dict[str, str | None]


def answer_notice(case: Case) -> Answer:
    quote = notice_quote(Terms.from_dict(case["terms"]), read_instant(case["received_at"], "received_at"))
    return {name: None if day is None else day.isoformat() for name, day in quote._asdict().items()}


def answer_refund(case: Case) -> Answer:
    given = {name: case[name] for name in KINDS["refund"].required}
    return {"refund": format_amount(refund(**given), case["currency"])}


def answer_exit_fee(case: Case) -> Answer:
    given = {name: case[name] for name in KINDS["exit_fee"].required}
    return {"exit_fee": format_amount(exit_fee(**given), case["currency"])}


def answer_withdrawal(case: Case) -> Answer:
    concluded_at = read_instant(case["concluded_at"], "concluded_at")
    place = case["timezone"], case["country"], case.get("region")
    return {"last_day": withdrawal_deadline(concluded_at, case["days"], *place).isoformat()}


class Kind(NamedTuple):
    """Who answers a kind of case, and which fields it needs and may have."""

    answer: Callable[[Case], Answer]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


EXIT_FEE_FIELDS = (
    "starts_on initial_term last_day ordinary_last_day upfront_cost price currency billing billing_anchor cap"
)
KINDS = {
    "notice": Kind(answer_notice, ("terms", "received_at")),
    "refund": Kind(answer_refund, ("paid_from", "paid_to", "amount", "currency", "last_day", "policy")),
    "exit_fee": Kind(answer_exit_fee, tuple(EXIT_FEE_FIELDS.split())),
    "withdrawal": Kind(answer_withdrawal, ("concluded_at", "days", "timezone", "country"), ("region",)),
}
# "expect" may stay in, so that a file of worked cases can be asked as it is.
ALWAYS = ("id", "kind", "expect")


def answer(line: bytes) -> dict[str, Any]:
    """Return the answer to one line, or its error: nothing a line holds raises an exception."""
    case_id: str | int | None = None
    try:
        case = read_case(line)
        case_id = read_id(case.get("id"))
        kind = read_kind(case)
        read_object(case, "case", kind.required, (*kind.optional, *ALWAYS))
        return {"id": case_id, **kind.answer(case)}
    except FieldError as wrong:
        return {"id": case_id, "error": str(wrong)}


def read_case(line: bytes) -> Case:
    """Return the JSON object a line holds. Raises FieldError where it holds none."""
    try:
        case = DECODER.decode(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FieldError("line: is not UTF-8 text; save the file as UTF-8") from None
    except RecursionError:
        raise FieldError("line: is nested too deeply; a case needs three levels") from None
    except FieldError:
        raise
    except ValueError as wrong:
        raise FieldError(f"line: is not JSON ({wrong}); write one JSON object a line") from None
    if not isinstance(case, dict):
        raise FieldError("line: is JSON but not an object; write one JSON object a line")
    return case


def read_kind(case: Case) -> Kind:
    """Return what is to be done with a case. Raises FieldError for a kind nobody knows."""
    name = case.get("kind")
    if isinstance(name, str) and name in KINDS:
        return KINDS[name]
    raise FieldError(f"kind: {shown(name)} is not known; give one of {', '.join(KINDS)}")


def read_id(value: object) -> str | int | None:
    """Return the id of a case, which may be missing."""
    if value is None or isinstance(value, str) or type(value) is int:
        return value
    raise FieldError("id: can be text or a whole number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of the pairs, refusing a field that stands there twice: which one was meant?"""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FieldError(f"{twice}: stands twice in one object; keep the one that is meant")
    return fields


def _refuse_constant(name: str) -> None:
    raise FieldError(f"line: {name} is no JSON; write a number or null")


DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse_constant)


def lines_of(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield the lines of a stream, and None for one too long to be held."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)
        yield None


class Command(BaseCommand):
    """Answer cases from standard input on standard output."""

    help = (
        "Tell what contracts would answer: one JSON object a line in (kinds: notice, refund, exit_fee, "
        "withdrawal), one a line out. A line that cannot be read is answered with its error."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        """Answer every line in order; CommandError (exit status 1) if any could not be read."""
        if sys.stdin.isatty():
            self.stderr.write("One JSON object a line, please; Ctrl-D ends.")
        try:
            asked, unread = self._answer_all(sys.stdin.buffer)
            self.stdout.flush()
        except BrokenPipeError:
            # Whoever read the answers has enough; what is still buffered goes nowhere, quietly.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        if unread:
            raise CommandError(f"{unread} of {asked} lines could not be read; see their errors.", returncode=1)

    def _answer_all(self, stream: BinaryIO) -> tuple[int, int]:
        asked = unread = 0
        for line in lines_of(stream):
            if line is not None and not line.strip():
                continue
            given = TOO_LONG if line is None else answer(line)
            asked += 1
            unread += "error" in given
            self.stdout.write(json.dumps(given))
        return asked, unread


TOO_LONG = {"id": None, "error": f"line: is longer than {LONGEST_LINE} bytes; write one JSON object a line"}
