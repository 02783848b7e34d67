"""Running the import in tests: a file in, exit status and words out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from django.core.management import CommandError, call_command

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TELCO = EXAMPLES / "telco_churn.toml"
AS_OF = "2022-09-30"

COLUMNS = (
    "reference,customer_reference,customer_name,email,locale,country,product,plan,kind,starts_on,price,currency,"
    "timezone,initial_term,renewal,notice,notice_to,billing,last_day,reason_category,reason"
).split(",")
ROW = {
    "reference": "C-1",
    "customer_reference": "K-1",
    "customer_name": "Ada Winter",
    "email": "ada@example.org",
    "locale": "de",
    "country": "DE",
    "product": "Web hosting",
    "plan": "Hosting S",
    "kind": "Monthly",
    "starts_on": "2024-03-15",
    "price": "9.90",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "notice": "14 days",
    "notice_to": "billing_period",
    "billing": "1 month",
}


@dataclass(frozen=True)
class Result:
    """What an import said. ``error`` is the closing message where the status is not 0."""

    status: int
    out: str
    err: str
    error: str

    @property
    def lines(self) -> list[str]:
        """Return the lines about refused lines."""
        return [line for line in self.err.splitlines() if line.startswith("line ")]


def run(path: Path, *args: str) -> Result:
    """Import a file and return what came of it."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_contracts", str(path), *args, stdout=out, stderr=err)
    except CommandError as error:
        return Result(error.returncode, out.getvalue(), err.getvalue(), str(error))
    return Result(0, out.getvalue(), err.getvalue(), "")


def csv_of(*rows: dict[str, str], columns: list[str] = COLUMNS) -> str:
    """Return a file of rows that say how they differ from ``ROW``. Cells are quoted where they must be."""

    def cell(value: str) -> str:
        return f'"{value}"' if "," in value else value

    lines = [",".join(columns)]
    lines += [",".join(cell({**ROW, **row}.get(column, "")) for column in columns) for row in rows]
    return "\n".join(lines) + "\n"
