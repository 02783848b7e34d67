"""What stood in earlier lines of a file, kept on disk: the memory stays the same for a million lines."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from cancellation.importing.rows import Row


class Seen:
    """The references of a file, and what it said about each customer. A database of its own, gone when closed."""

    def __init__(self) -> None:
        # An empty name: a file without a name, removed by SQLite itself.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096;
            CREATE TABLE contract (reference TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID;
            CREATE TABLE customer (reference TEXT PRIMARY KEY, line INTEGER, facts BLOB) WITHOUT ROWID;
            BEGIN;
            """
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def objection(self, row: Row) -> tuple[str, str] | None:
        """Return the field and the reason why a row contradicts an earlier line; None for one that does not."""
        if line := self._first_line(row.reference, row.line):
            return "reference", f"stands on line {line} already; that one was taken"
        if row.customer_reference and (line := self._other_customer(row)):
            return (
                "customer_reference",
                f"has other customer details than on line {line}; one customer has one name and address",
            )
        return None

    def _first_line(self, reference: str, line: int) -> int | None:
        added = self._database.execute("INSERT OR IGNORE INTO contract VALUES (?, ?)", (reference, line))
        if added.rowcount:
            return None
        found = self._database.execute("SELECT line FROM contract WHERE reference = ?", (reference,))
        return int(found.fetchone()[0])

    def _other_customer(self, row: Row) -> int | None:
        facts = _digest(row.customer)
        given = (row.customer_reference, row.line, facts)
        if self._database.execute("INSERT OR IGNORE INTO customer VALUES (?, ?, ?)", given).rowcount:
            return None
        found = self._database.execute(
            "SELECT line FROM customer WHERE reference = ? AND facts <> ?", (row.customer_reference, facts)
        ).fetchone()
        return int(found[0]) if found else None


def _digest(facts: Mapping[str, str]) -> bytes:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).digest()[:16]
