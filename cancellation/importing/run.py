"""Import a whole file: read, check, write in batches, and say what became of each line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from django.db import transaction

from cancellation.importing.declared import MappingError
from cancellation.importing.lines import Problem, Source, Table, opened
from cancellation.importing.mapping import Mapping, lay_out
from cancellation.importing.reading import RowReader
from cancellation.importing.rows import Row
from cancellation.importing.seen import Seen
from cancellation.importing.writing import Origin, Outcome, Writer
from feedback.models import Reason

BATCH = 500
# Beyond these, unlisted reasons are counted together: a column of free text must not fill the memory.
MOST_UNLISTED = 500


class Listener(Protocol):
    """Who wants to know how an import goes."""

    def refused(self, problem: Problem) -> None:
        """Take note of what is wrong with a line; a line can have several problems."""

    def advanced(self, done: int, total: int) -> None:
        """Take note of how many bytes of all have been worked through."""


@dataclass(slots=True)
class Unlisted:
    """A stated reason that the mapping does not list: how often, first on which line, and under which root."""

    root: str
    first_line: int
    times: int = 0


@dataclass(slots=True)
class Summary:
    """What became of the lines of a file. ``refused`` counts lines, however many problems each has."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: int = 0
    unlisted: dict[tuple[str, str], Unlisted] = field(default_factory=dict)
    # With ``atomic``, a file with a refused line leaves nothing behind.
    nothing_written: bool = False

    @property
    def lines(self) -> int:
        """Return how many lines with a contract there were."""
        return self.outcomes.total() + self.refused


@dataclass(slots=True)
class Import:
    """One import of one file. ``as_of`` is None for today in each contract's own zone."""

    path: Path
    mapping: Mapping
    now: datetime
    as_of: date | None
    listener: Listener

    def run(self, *, dry: bool = False, atomic: bool = False) -> Summary:
        """Import the file and return what became of it. Raises FileError where it cannot be used at all.

        ``dry`` writes nothing. ``atomic`` writes all or nothing: it reads the file once to check it, and again,
        in one transaction, to write it; so a file with mistakes never holds up those who write meanwhile.
        """
        if not atomic:
            return self._pass(dry=dry, tell=True, share=(0, 1))
        checked = self._pass(dry=True, tell=True, share=(0, 1 if dry else 2))
        if dry or checked.refused:
            checked.nothing_written = True
            return checked
        with transaction.atomic():
            return self._pass(dry=False, tell=False, share=(1, 2))

    def _pass(self, *, dry: bool, tell: bool, share: tuple[int, int]) -> Summary:
        summary = Summary(nothing_written=dry)
        writer = Writer(self._origin(), self._reasons(), dry=dry)
        with opened(self.path, self.mapping.encoding) as source, Seen() as seen:
            table = Table(source, self.mapping.delimiter, self.mapping.fit)
            reader = RowReader(self.mapping, lay_out(self.mapping, table.header), self.now, self.as_of)
            batch: list[Row] = []
            for row in self._rows(table, reader, seen, summary, tell=tell):
                batch.append(row)
                if len(batch) == BATCH:
                    summary.outcomes += writer.write(batch)
                    batch = []
                    self._advance(table, source, share)
            summary.outcomes += writer.write(batch)
            self._advance(table, source, share)
        return summary

    def _rows(self, table: Table, reader: RowReader, seen: Seen, summary: Summary, *, tell: bool) -> Iterator[Row]:
        for found in table:
            row = [found] if isinstance(found, Problem) else reader.read(found)
            if not isinstance(row, list) and (objection := seen.objection(row)):
                name, reason = objection
                value = row.reference if name == "reference" else str(row.customer_reference)
                row = [Problem(row.line, reader.layout.name_of(name), value, reason)]
            if isinstance(row, list):
                summary.refused += 1
                for problem in row if tell else ():
                    self.listener.refused(problem)
                continue
            _note_unlisted(row, summary)
            yield row

    def _advance(self, table: Table, source: Source, share: tuple[int, int]) -> None:
        done, parts = share
        self.listener.advanced(done * source.size + table.bytes_read, parts * source.size)

    def _origin(self) -> Origin:
        derive = self.mapping.payments == "last_period"
        return Origin(self.mapping.name, self.path.name, self.now, derive)

    def _reasons(self) -> dict[str, Reason]:
        """Return the reasons that the mapping ticks. Raises MappingError for one that is not there."""
        rules = {rule.ticks: rule for rule in self.mapping.reasons.values() if rule.ticks}
        found = {reason.code: reason for reason in Reason.objects.filter(code__in=rules)}
        for code, rule in rules.items():
            if code not in found:
                raise MappingError(f'reasons.texts: ticks "{code}", which is no reason here; add it or leave it out.')
            if found[code].root != rule.root:
                raise MappingError(
                    f'reasons.texts: ticks "{code}" below the root {found[code].root}, but says {rule.root}.'
                )
        return found


def _note_unlisted(row: Row, summary: Summary) -> None:
    if row.said is None or row.said.is_listed:
        return
    pair = row.said.category or "", row.said.reason or ""
    if pair not in summary.unlisted and len(summary.unlisted) >= MOST_UNLISTED:
        pair = "", ""
    found = summary.unlisted.setdefault(pair, Unlisted(row.said.rule.root, row.line))
    found.times += 1
