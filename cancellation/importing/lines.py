"""A CSV file as records: one list of cells for each, or what is wrong with a line.

Reads bytes, a line at a time, and never holds more than ``LONGEST`` of one line or record. A line that cannot be
read (not in the encoding, too long, with a NUL, with quotes that do not add up) is a Problem of its own, and the next
line is read as if nothing had been. Raises FileError where the file as a whole cannot be used.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LONGEST = 2**16
CHUNK = 2**16
DELIMITERS = (",", ";", "\t", "|")
# Excel writes (and reads) a first line of this kind.
NAMED_DELIMITER = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class FileError(Exception):
    """The file as a whole cannot be used; nothing was imported."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line was refused. ``column`` and ``value`` are empty where the whole line is meant."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record, and the line on which it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    problem: str = ""


class _BadLine(Exception):
    """The next line cannot be read."""


class _Torn(Exception):
    """A record goes on and on: a quote was opened and never closed."""


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[BinaryIO]:
    """Open a file for reading lines that end with LF, after a byte order mark. Raises FileError."""
    try:
        with path.open("rb") as file:
            start = file.read(CHUNK)
            if not start.strip(b"\xef\xbb\xbf \r\n\t\0") and not file.read(1):
                raise FileError(f"{path} is empty.")
            wide = _wide(start, encoding)
            if wide or (b"\r" in start and b"\n" not in start):
                with _rewritten(file, wide or encoding) as plain:
                    yield plain
            else:
                file.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
                yield file
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None


def _wide(start: bytes, encoding: str) -> str:
    """Return the encoding of a file whose line ends take more than a byte, else nothing."""
    for mark, name in WIDE_MARKS:
        if start.startswith(mark):
            return name
    return encoding if encoding.startswith(("utf-16", "utf-32")) else ""


@contextmanager
def _rewritten(file: BinaryIO, encoding: str) -> Iterator[BinaryIO]:
    """Yield a copy on disk with lines that end with LF, in UTF-8 where the original's line ends were wide.

    Such a file cannot be read line by line as bytes; the copy goes when it is done with.
    """
    wide = encoding.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(encoding if wide else "latin-1")()
    with tempfile.TemporaryFile() as plain:
        file.seek(0)
        done = 0
        while chunk := file.read(CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise FileError(f"Byte {done + error.start} of the file is not {encoding}.") from None
            done += len(chunk)
            text = text.removeprefix("\ufeff") if wide else text.replace("\r", "\n")
            plain.write(text.encode("utf-8" if wide else "latin-1"))
        plain.seek(0)
        yield plain


def encoding_of(start: bytes, encoding: str) -> str:
    """Return the encoding in which lines are decoded: UTF-8 for a file that was rewritten or says so."""
    return "utf-8" if _wide(start, encoding) or start.startswith(codecs.BOM_UTF8) else encoding


class _Feed:
    """The lines of a file for the csv module; keeps those of the record that is being read, to give them back."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self.file = file
        self.encoding = encoding
        self.number = 0
        self.waiting: deque[_Line] = deque()
        self.record: list[_Line] = []
        self.size = 0

    def begin(self) -> None:
        """Start a new record."""
        self.record = []
        self.size = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else self._read()
        if line is None:
            raise StopIteration
        if line.problem and self.record:
            self.waiting.appendleft(line)
            raise _Torn
        self.record.append(line)
        if line.problem:
            raise _BadLine
        self.size += len(line.text)
        if self.size > LONGEST:
            raise _Torn
        return line.text

    def give_back(self) -> _Line:
        """Return the first line of a record that came to nothing; the others are read again."""
        first, *others = self.record
        self.waiting.extendleft(reversed(others))
        return first

    def peek(self) -> _Line | None:
        """Return the next line that is not blank, to be read again."""
        while (line := self._read()) is not None:
            if line.problem or line.text.strip():
                self.waiting.append(line)
                return line
        return None

    def drop(self) -> None:
        """Leave out the line that was peeked at."""
        self.waiting.popleft()

    def _read(self) -> _Line | None:
        raw = self.file.readline(LONGEST + 1)
        if not raw:
            return None
        self.number += 1
        if len(raw) > LONGEST and not raw.endswith(b"\n"):
            size = len(raw)
            while (more := self.file.readline(LONGEST)) and not more.endswith(b"\n"):
                size += len(more)
            return _Line(self.number, "", f"is longer than {LONGEST} bytes ({size + len(more)}); split or shorten it")
        if (at := raw.find(b"\0")) >= 0:
            return _Line(self.number, "", f"holds a NUL byte at position {at + 1}; this is not plain text")
        try:
            return _Line(self.number, raw.decode(self.encoding))
        except UnicodeDecodeError as error:
            return _Line(self.number, "", self._not_decoded(error))

    def _not_decoded(self, error: UnicodeDecodeError) -> str:
        return (
            f"byte 0x{error.object[error.start]:02X} at position {error.start + 1} is not {self.encoding.upper()}; "
            "save the file as UTF-8, or name its encoding in the mapping (encoding)"
        )


class Table:
    """A CSV file after its header has been read. Iterate it for a Record or a Problem each."""

    def __init__(
        self, file: BinaryIO, encoding: str, delimiter: str, fit: Callable[[Sequence[str]], int]
    ) -> None:
        """Read the header. ``fit`` tells how many cells of a header are known; the delimiter with most wins."""
        self.file = file
        self._feed = _Feed(file, encoding)
        self.delimiter = delimiter or self._delimiter(fit)
        self._reader = csv.reader(self._feed, delimiter=self.delimiter, strict=True)
        self.header = self._header()

    def __iter__(self) -> Iterator[Record | Problem]:
        width = len(self.header)
        while (found := self._next()) is not None:
            if isinstance(found, Problem):
                yield found
            elif not any(cell.strip() for cell in found.cells):
                continue
            elif len(found.cells) != width:
                yield self._wrong_width(found)
            else:
                yield found

    @property
    def bytes_read(self) -> int:
        """Return how far the file has been read, for a progress bar."""
        return self.file.tell()

    def _delimiter(self, fit: Callable[[Sequence[str]], int]) -> str:
        line = self._feed.peek()
        if line is None or line.problem:
            return ","
        if named := NAMED_DELIMITER.fullmatch(line.text):
            self._feed.drop()
            self._feed.peek()
            return named[1]

        def quality(delimiter: str) -> tuple[int, int]:
            names = next(csv.reader([line.text], delimiter=delimiter), [])
            return fit(names), len(names)

        return max(DELIMITERS, key=quality)

    def _header(self) -> list[str]:
        if not self._feed.waiting:
            self._feed.peek()
        found = self._next()
        if found is None:
            raise FileError("The file has no header line: the first line must name the columns.")
        if isinstance(found, Problem):
            raise FileError(f"The header cannot be read: line {found.line} {found.reason}.")
        return [name.replace("\ufeff", "").strip() for name in found.cells]

    def _next(self) -> Record | Problem | None:
        self._feed.begin()
        try:
            cells = next(self._reader)
        except StopIteration:
            return None
        except _BadLine:
            line = self._feed.record[0]
            return Problem(line.number, "", "", line.problem)
        except (_Torn, csv.Error):
            line = self._feed.give_back()
            return Problem(
                line.number,
                "",
                line.text.strip()[:200],
                "has quotes that do not add up; close each, and write a quote inside quotes twice",
            )
        return Record(self._feed.record[0].number, cells)

    def _wrong_width(self, record: Record) -> Problem:
        # Should a stray quote have swallowed lines, only the first of them is to blame.
        line = self._feed.give_back()
        reason = f"has {len(record.cells)} cells, the header has {len(self.header)}; add or remove delimiters"
        return Problem(record.line, "", line.text.strip()[:200], reason)


def size_of(file: BinaryIO) -> int:
    """Return how many bytes an open file has."""
    return os.fstat(file.fileno()).st_size
