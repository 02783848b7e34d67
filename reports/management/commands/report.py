"""``manage.py report reasons``: why customers left, as JSON or CSV."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from reports import exports, queries
from reports.queries import By, Slice
from subscriptions.reading import FieldError, read_day

WRITERS = {"json": lambda figures: exports.as_json(figures) + "\n", "csv": exports.as_csv}


class Command(BaseCommand):
    """Print the figures of the page, by the same statement."""

    help = "Print why customers left, from the same figures as /reports/reasons/."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the report and its filters; days are inclusive."""
        parser.add_argument("report", choices=["reasons"], help="which report")
        parser.add_argument("--from", dest="from_day", type=_day, metavar="DATE", help="first day, YYYY-MM-DD")
        parser.add_argument("--to", dest="to_day", type=_day, metavar="DATE", help="last day, YYYY-MM-DD")
        parser.add_argument(
            "--by",
            action="append",
            required=True,
            help=f"{', '.join(By)}; repeat it or join with commas for a crosstab",
        )
        parser.add_argument("--plan", default="", metavar="CODE", help="this plan's contracts only")
        parser.add_argument("--country", default="", metavar="CC", help="this country's contracts only, such as DE")
        parser.add_argument("--format", choices=sorted(WRITERS), default="json", help="json by default")
        parser.add_argument(
            "--language",
            choices=[code for code, _name in settings.LANGUAGES],
            default="en",
            help="language of our own reasons; imported ones keep their words",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print to standard output."""
        by = read_by(",".join(options["by"]))
        within = Slice(options["from_day"], options["to_day"], options["plan"], options["country"].upper())
        if within.from_day and within.to_day and within.from_day > within.to_day:
            raise CommandError(f"--from {within.from_day} lies after --to {within.to_day}; give the earlier day first.")
        if within.plan and within.plan not in dict(queries.known_plans()):
            raise CommandError(f"--plan {within.plan}: there is no plan with this code.")
        found = queries.figures(by, within, options["language"])
        self.stdout.write(WRITERS[options["format"]](found), ending="")


def read_by(text: str) -> tuple[By, ...]:
    """Return the dimensions of a comma-joined list. CommandError names the one that nobody knows."""
    try:
        by = tuple(By(part.strip()) for part in text.split(","))
    except ValueError as unknown:
        raise CommandError(f"--by {text}: {unknown}; give one of {', '.join(By)}.") from None
    if len(set(by)) != len(by):
        raise CommandError(f"--by {text}: each may stand once.")
    return by


def _day(text: str) -> date:
    try:
        return read_day(text, "day")
    except FieldError as wrong:
        raise ArgumentTypeError(str(wrong)) from None
