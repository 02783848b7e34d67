"""``manage.py import_contracts``: contracts from a CSV file, line by line, repeatable without doubling.

Exit status: 0 all well, 1 lines were refused (the rest is imported, or with --atomic nothing), 2 the file or the
mapping cannot be used at all and nothing was imported. The format is described in docs/import.md.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cancellation.importing import declared
from cancellation.importing.cells import FORMULA_STARTS, excerpt
from cancellation.importing.lines import FileError, Problem
from cancellation.importing.reading import EARLIEST
from cancellation.importing.run import Import, Summary
from cancellation.importing.writing import Outcome
from subscriptions.reading import FieldError, read_day

UNUSABLE = 2
WARNED = 20


def day(value: str) -> date:
    """Return the day of an argument."""
    try:
        found = read_day(value, "")
    except FieldError as wrong:
        raise argparse.ArgumentTypeError(str(wrong).removeprefix(": ")) from None
    if found < EARLIEST:
        raise argparse.ArgumentTypeError(f"{found} lies before {EARLIEST}")
    return found


class Command(BaseCommand):
    """Import contracts, with customers, plans, payments and ends, from a CSV file."""

    help = "Import contracts from a CSV file. Repeat it as you like: nothing is doubled. See docs/import.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be asked for."""
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--mapping", type=Path, metavar="FILE.toml", help="what the columns mean")
        parser.add_argument(
            "--as-of", type=day, metavar="DATE", help="the day for which the file speaks (default: today)"
        )
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
        parser.add_argument("--atomic", action="store_true", help="import all lines or none")
        parser.add_argument("--errors", type=Path, metavar="FILE.csv", help="write refused lines there, too")

    def handle(self, *args: object, **options: Any) -> None:
        """Import, report, and raise CommandError with the exit status where not all was well."""
        try:
            summary = self._import(options)
        except FileError as error:
            raise CommandError(f"Nothing was imported. {error}", returncode=UNUSABLE) from None
        except (OperationalError, ProgrammingError) as error:
            hint = "Has manage.py migrate run? Batches that were written stand; run it again to go on."
            raise CommandError(f"The database gave up: {str(error).strip()}. {hint}", returncode=UNUSABLE) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run it again to go on: nothing is doubled.", returncode=130) from None
        self._tell(summary, dry=options["dry_run"])
        if summary.refused:
            raise CommandError(f"{summary.refused} of {summary.lines} lines were refused.", returncode=1)

    def _import(self, options: dict[str, Any]) -> Summary:
        with ExitStack() as stack:
            mapping = declared.load(options["mapping"] or declared.PLAIN)
            errors = stack.enter_context(errors_file(options["errors"])) if options["errors"] else None
            report = stack.enter_context(Report(self.stderr, errors))
            job = Import(options["file"], mapping, timezone.now(), options["as_of"], report)
            return job.run(dry=options["dry_run"], atomic=options["atomic"])

    def _tell(self, summary: Summary, *, dry: bool) -> None:
        for (category, reason), found in list(summary.unlisted.items())[:WARNED]:
            text = " / ".join(excerpt(part) for part in (category, reason) if part) or "further reasons"
            self.stderr.write(
                f"Note: the reason {text} is not in the mapping; kept as it is, below the root {found.root} "
                f"(lines: {found.times}, the first is line {found.first_line})."
            )
        if (more := len(summary.unlisted) - WARNED) > 0:
            self.stderr.write(f"Note: {more} more reasons are not in the mapping.")
        if summary.nothing_written and summary.refused and not dry:
            self.stdout.write(f"Nothing was imported: {summary.refused} of {summary.lines} lines were refused.")
            return
        counts = [f"{summary.outcomes[what]} {what}" for what in Outcome if what != Outcome.KEPT]
        counts.append(f"{summary.refused} refused")
        if kept := summary.outcomes[Outcome.KEPT]:
            counts.append(f"{kept} left as they are (their holders have given notice here)")
        head = "Dry run, nothing was written: " if dry else ""
        self.stdout.write(f"{head}{summary.lines} contracts: {', '.join(counts)}.")


class Report:
    """Shows refused lines and, on a terminal, a progress bar; both on standard error."""

    def __init__(self, stderr: Any, errors: Any) -> None:
        self._stderr = stderr
        self._errors = errors
        self._bar: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> Report:
        if self._stderr.isatty():
            parts = TextColumn("Importing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
            self._bar = Progress(*parts, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("")
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar:
            self._bar.stop()

    def refused(self, problem: Problem) -> None:
        """Say what is wrong with a line."""
        where = f', column "{problem.column}", value {excerpt(problem.value)}' if problem.column else ""
        message = f"line {problem.line}{where}: {problem.reason}"
        if self._bar:
            self._bar.console.print(message, markup=False, highlight=False, soft_wrap=True)
        else:
            self._stderr.write(message)
        if self._errors:
            value = problem.value[:200]
            # Whoever opens the list in a spreadsheet must not run what a stranger typed.
            value = f"'{value}" if value.startswith(FORMULA_STARTS) else value
            self._errors.writerow([problem.line, problem.column, value, problem.reason])

    def advanced(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._bar:
            self._bar.update(self._task, completed=done, total=total)


@contextmanager
def errors_file(path: Path) -> Iterator[Any]:
    """Open the list of refused lines. Raises FileError where it cannot be written."""
    try:
        file: TextIO = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise FileError(f"The list of errors {path} cannot be written: {error.strerror}.") from None
    with file:
        writer = csv.writer(file)
        writer.writerow(["line", "column", "value", "reason"])
        yield writer
