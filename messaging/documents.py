"""Receipts as files: text, a page, PDF, the signed original, the calendar entry.

All of them are made from the signed document alone, so the files of a letter, of its retry and of the receipt's page
are the same, byte for byte. The PDF needs the extra ``pdf``; where it is missing, fails, or lacks a font for some
character, the page takes its place: no file ever leaves a character out.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from django.template.loader import render_to_string
from django.utils import translation
from joserfc.util import urlsafe_b64decode

from subscriptions import receipt_lines

Document = dict[str, Any]

LARGEST_FILE = 4_000_000
SOURCE = Path(__file__).with_name("receipt.typ")
# A standard that refuses what cannot be shown: without it a missing letter is drawn as a box, and nobody is told.
STANDARD: Literal["ua-1"] = "ua-1"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served and attached."""

    name: str
    content: bytes
    type: str


def files_of(receipt: dict[str, str]) -> list[File]:
    """Return what a letter with a receipt carries: the receipt to read, the signed original, the calendar entry."""
    document = document_in(receipt["jws"])
    readable = (pdf_file(document) if receipt_lines.can_print() else None) or html_file(document)
    files = [readable, signed_file(receipt["jws"])]
    return [*files, calendar_file(receipt["calendar"])] if receipt.get("calendar") else files


def document_in(jws: str) -> Document:
    """Return what was signed. Nothing is checked here: it comes from our own table."""
    read: Document = json.loads(urlsafe_b64decode(jws.split(".")[1].encode()))
    return read


def text(document: Document) -> str:
    """Return a receipt as plain text."""
    return "\n\n".join([receipt_lines.title(document), *map(_as_text, receipt_lines.sections(document))]) + "\n"


def _as_text(section: receipt_lines.Section) -> str:
    said = "\n".join(f"> {line}" for line in section.words.splitlines())
    rows = "\n".join(_row(label, value) for label, value in section.rows)
    parts = [rows, said, *section.sentences]
    return "\n".join([section.title, "\n\n".join(part for part in parts if part)])


def _row(label: str, value: str) -> str:
    return f"{label}: " + "\n  ".join(value.splitlines())


def text_file(document: Document) -> File:
    """Return a receipt as plain text, with the mark that tells every program its letters."""
    return File(_name(document, "txt"), ("\ufeff" + text(document)).encode(), "text/plain; charset=utf-8")


def html_file(document: Document) -> File:
    """Return a receipt as a page that needs nothing else."""
    with translation.override(receipt_lines.language_of(document)):
        page = render_to_string("messaging/receipt.file.html", {"receipt": {"document": document}})
    return File(_name(document, "html"), page.lstrip().encode(), "text/html; charset=utf-8")


def signed_file(jws: str) -> File:
    """Return the signed receipt, with what it says beside it in plain sight."""
    document = document_in(jws)
    both = {"jws": jws, "document": document}
    content = json.dumps(both, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    return File(_name(document, "json"), content.encode(), "application/json")


def calendar_file(content: str) -> File:
    """Return a calendar entry as a file."""
    return File("last-day.ics", content.encode(), "text/calendar; charset=utf-8")


def pdf_file(document: Document) -> File | None:
    """Return a receipt as PDF, or None where it cannot be made without losing something."""
    try:
        return File(_name(document, "pdf"), _printed(document), "application/pdf")
    except Exception:
        # An engine of its own, fed with strangers' text: whatever it stumbles over, the letter does not wait for it.
        log.warning("Receipt %s could not be made into a PDF.", document.get("number"), exc_info=True)
        return None


def _printed(document: Document) -> bytes:
    # Both are large and seldom needed: they are loaded by the first PDF only.
    import typst
    from noto_cjk_sans_jp_regular import FONT_PATH

    told = {
        "title": receipt_lines.title(document),
        "operator": document["operator"]["name"],
        "language": receipt_lines.language_of(document),
        "sections": [asdict(section) for section in receipt_lines.sections(document)],
    }
    # What others wrote travels as data: it is never read as markup.
    return bytes(
        typst.compile(  # type: ignore[misc]  # its stub leaves a type variable open
            SOURCE.read_bytes(),
            font_paths=[str(Path(str(FONT_PATH)).parent)],
            ignore_system_fonts=True,
            sys_inputs={"told": json.dumps(told)},
            pdf_standards=[STANDARD],
        )
    )


def _name(document: Document, ending: str) -> str:
    return f"receipt-{document['number']}.{ending}"
