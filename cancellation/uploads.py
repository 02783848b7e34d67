"""Files that come with a declaration for cause: what is kept, what is not, and why.

Nothing is unpacked, opened or run: a file is told by its first bytes, kept as it came, and handed out as a
download only. A file that cannot be kept never stops the declaration that it came with; it is named with its reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers
from django.utils.translation import gettext_lazy as _

from cancellation.models import Evidence, Notice

MOST_FILES = 5
LARGEST = 10 * 1024 * 1024
LONGEST_NAME = 200
# A file that was not kept leaves a row without content, so that everybody sees that it was there, and why it is not.
NOT_KEPT = "not-kept/"
WHY = {
    "too-large": _("larger than 10 MB"),
    "too-many": _("more than 5 files"),
    "empty": _("empty"),
    "type": _("not a PDF, a picture or plain text"),
    "ordinary": _("files belong to a cancellation for cause"),
    "held": _("too many files from one address at once"),
    "fault": _("it could not be stored"),
}
HEIC = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
# What plain text may hold below the blank: tab, line ends, form feed.
TEXT_CONTROLS = frozenset(b"\t\n\r\f")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came. ``fault`` is a key of ``WHY`` where it is not kept, and then there is no content."""

    name: str
    size: int
    content: bytes = b""
    content_type: str = ""
    fault: str = ""

    @property
    def sha256(self) -> str:
        """Return the digest of the content; empty for a file that is not kept."""
        return "" if self.fault else hashlib.sha256(self.content).hexdigest()

    def row(self, notice: Notice | None) -> Evidence:
        """Return the row that keeps the file, or the memory of it."""
        return Evidence(
            notice=notice,
            name=self.name,
            content_type=NOT_KEPT + self.fault if self.fault else self.content_type,
            size=self.size,
            sha256=self.sha256,
            content=self.content,
        )


class KeepingHandler(FileUploadHandler):
    """Hold uploads in memory up to what is kept, and let the rest of a file pass by: no disk is filled."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.seen = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file; nobody else handles it."""
        super().new_file(*args, **kwargs)
        self.seen += 1
        self.passed, self.held = 0, BytesIO()
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a chunk while the file may still be kept."""
        self.passed += len(raw_data)
        if self.passed <= LARGEST and self.seen <= MOST_FILES:
            self.held.write(raw_data)
        else:
            self.held = BytesIO()

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """Return the file with its true size, whether its bytes were kept or not."""
        self.held.seek(0)
        return InMemoryUploadedFile(
            self.held, self.field_name, self.file_name, self.content_type, self.passed, self.charset
        )


def read(files: Sequence[Any], *, before: int = 0) -> list[Upload]:
    """Return what came, each file kept or with the reason why not. ``before`` came with an earlier page."""
    return [_read(file, before + number) for number, file in enumerate(files, 1)]


def refused(files: Sequence[Any], fault: str) -> list[Upload]:
    """Return what came, none of it kept."""
    return [Upload(name_of(file.name), file.size or 0, fault=fault) for file in files]


def _read(file: Any, number: int) -> Upload:
    name, size = name_of(file.name), file.size or 0
    if number > MOST_FILES:
        return Upload(name, size, fault="too-many")
    if size > LARGEST:
        return Upload(name, size, fault="too-large")
    content = file.read()
    if not content:
        return Upload(name, size, fault="empty")
    content_type = type_of(content)
    return Upload(name, size, content, content_type) if content_type else Upload(name, size, fault="type")


def name_of(name: str | None) -> str:
    """Return the last part of a file's name, on one line, as long as it may be; never a path."""
    last = PureWindowsPath(PurePosixPath(name or "").name).name
    return "".join(c if c.isprintable() else " " for c in last).strip(" .")[-LONGEST_NAME:] or "file"


def type_of(content: bytes) -> str:
    """Return the type that the bytes themselves show, or "" for one that is not kept."""
    if b"%PDF-" in content[:1024]:
        return "application/pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[4:8] == b"ftyp" and content[8:12] in HEIC:
        return "image/heic"
    return "text/plain" if _is_text(content) else ""


def _is_text(content: bytes) -> bool:
    return not any(byte < 32 and byte not in TEXT_CONTROLS for byte in set(content))


def left_out(notice: Notice) -> list[Evidence]:
    """Return the files of a notice that were not kept."""
    return list(notice.evidence.filter(content_type__startswith=NOT_KEPT).defer("content"))


def fault_of(row: Evidence) -> str:
    """Return the key in ``WHY`` of what kept a file from being kept; "" for one that was."""
    return row.content_type.removeprefix(NOT_KEPT) if row.content_type.startswith(NOT_KEPT) else ""


def why(row: Evidence) -> Any:
    """Return in words why a file was not kept; "" for one that was."""
    return WHY.get(fault_of(row), "")
