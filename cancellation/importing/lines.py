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


@dataclass(frozen=True, slots=True)
class Source:
    """An open file whose lines end with LF, after its byte order mark, and the encoding of its lines."""

    file: BinaryIO
    encoding: str

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return os.fstat(self.file.fileno()).st_size


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[Source]:
    """Open a file for reading line by line. Raises FileError. A byte order mark outweighs ``encoding``."""
    try:
        with path.open("rb") as file:
            start = file.read(CHUNK)
            if not start.strip(b"\xef\xbb\xbf\xff\xfe \r\n\t\0") and not file.read(1):
                raise FileError(f"{path} is empty.")
            wide = _wide(start, encoding)
            if not wide and (b"\n" in start or b"\r" not in start):
                yield _after_mark(file, encoding)
                return
            with tempfile.TemporaryFile() as copy:
                _rewrite(file, copy, wide)
                yield _after_mark(copy, "utf-8" if wide else encoding)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None


def _after_mark(file: BinaryIO, encoding: str) -> Source:
    file.seek(0)
    if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
        return Source(file, "utf-8")
    file.seek(0)
    return Source(file, encoding)


def _wide(start: bytes, encoding: str) -> str:
    """Return the encoding of a file whose line ends take more than a byte, else nothing."""
    for mark, name in WIDE_MARKS:
        if start.startswith(mark):
            return name
    return encoding if encoding.startswith(("utf-16", "utf-32")) else ""


def _rewrite(file: BinaryIO, copy: BinaryIO, wide: str) -> None:
    """Copy a file that cannot be read line by line as bytes: wide ones as UTF-8, lone CR as LF."""
    decoder = codecs.getincrementaldecoder(wide or "latin-1")()
    file.seek(0)
    done = 0
    while True:
        chunk = file.read(CHUNK)
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            place = done - waiting + error.start + 1
            raise FileError(f"The file is not {wide.upper()}: see byte {place}.") from None
        done += len(chunk)
        copy.write(text.encode("utf-8", "surrogatepass") if wide else text.replace("\r", "\n").encode("latin-1"))
        if not chunk:
            return


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
        if self.size > LONGEST + 1:
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

    def __init__(self, source: Source, delimiter: str, fit: Callable[[Sequence[str]], int]) -> None:
        """Read the header. ``fit`` tells how many cells of a header are known; the delimiter with most wins."""
        self.file = source.file
        self._feed = _Feed(source.file, source.encoding)
        self.delimiter = self._delimiter(fit, delimiter)
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

    def _delimiter(self, fit: Callable[[Sequence[str]], int], given: str) -> str:
        line = self._feed.peek()
        if line and (named := NAMED_DELIMITER.fullmatch(line.text)):
            self._feed.waiting.clear()
            self._feed.peek()
            return given or named[1]
        if given or line is None:
            return given or ","

        def quality(delimiter: str) -> tuple[int, int]:
            names = next(csv.reader([line.text], delimiter=delimiter), [])
            return fit(names), len(names)

        return max(DELIMITERS, key=quality)

    def _header(self) -> list[str]:
        found = self._next()
        if found is None:
            raise FileError("The file has no header: the first line must name the columns.")
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
            reason = "has quotes that do not add up; close each, and write a quote inside quotes twice"
            return Problem(line.number, "", line.text.strip()[:200], reason)
        return Record(self._feed.record[0].number, cells)

    def _wrong_width(self, record: Record) -> Problem:
        # Should a stray quote have swallowed lines, only the first of them is to blame.
        line = self._feed.give_back()
        reason = f"has {len(record.cells)} cells, the header has {len(self.header)}; add or remove delimiters"
        return Problem(record.line, "", line.text.strip()[:200], reason)
