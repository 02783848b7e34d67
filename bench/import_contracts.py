"""How fast contracts are imported, and that the memory stays the same however long the file is.

    .venv/bin/python bench/import_contracts.py [--quick] [FILE.csv [MAPPING.toml]]

Imports made-up files of two sizes (10 000 and 100 000 rows; --quick: 1 000 and 5 000), each in a process and a
SQLite database of its own, first into an empty database, then again unchanged. Reported: wall and CPU time, the peak
of resident memory over that of a process that imported 500 rows, and the same of tracemalloc for the bigger file.
The limit in the same run: `executemany` of the same number of rows into one unindexed table. Nothing is asserted.
A file of your own, with its mapping, is measured as well when it is named.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import tracemalloc
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("FAIRWELL_TESTING", "1")

HEADER = (
    "reference,customer_reference,customer_name,email,locale,country,product,plan,kind,starts_on,price,currency,"
    "timezone,initial_term,renewal,notice,notice_to,billing,paid_from,paid_to,paid_amount,last_day,reason"
).split(",")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller files")
    parser.add_argument("--child", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("mapping", nargs="?", type=Path)
    options = parser.parse_args()
    if options.child is not None:
        print(json.dumps(measure(*options.child)))
        return
    import django

    print(f"Python {platform.python_version()}, Django {django.__version__}, SQLite {sqlite3.sqlite_version}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        report(Path(folder), (1_000, 5_000) if options.quick else (10_000, 100_000), options)
    print(f"load {os.getloadavg()[0]:.1f}")


def report(folder: Path, sizes: tuple[int, int], options: argparse.Namespace) -> None:
    """Print one line per file and pass."""
    print(f"{'rows':>8} {'pass':<10} {'wall s':>8} {'CPU s':>8} {'rows/s':>8} {'x limit':>8} {'RSS +MB':>8}")
    base = child(folder, made_up(folder, 500), None)[0]["rss"]
    for rows in sizes:
        path = made_up(folder, rows)
        limit = executemany(folder, path)
        show(rows, child(folder, path, None), base, limit)
    peak = child(folder, made_up(folder, sizes[1]), None, trace=True)[0]["traced"]
    small = child(folder, made_up(folder, sizes[0]), None, trace=True)[0]["traced"]
    print(f"tracemalloc peak: {small / 1e6:.1f} MB for {sizes[0]} rows, {peak / 1e6:.1f} MB for {sizes[1]}")
    if options.file:
        print(options.file.name)
        show(rows_of(options.file), child(folder, options.file, options.mapping), base, None)


def show(rows: int, passes: list[dict[str, float]], base: float, limit: float | None) -> None:
    """Print both passes over one file."""
    for name, one in zip(("new", "unchanged"), passes, strict=True):
        times = f"{one['cpu'] / limit:8.1f}" if limit else " " * 8
        more = (one["rss"] - base) / 1024
        speed = rows / one["wall"]
        print(f"{rows:>8} {name:<10} {one['wall']:>8.2f} {one['cpu']:>8.2f} {speed:>8.0f} {times} {more:>8.1f}")


def made_up(folder: Path, rows: int) -> Path:
    """Return a file of contracts, one in four of them ended."""
    path = folder / f"{rows}.csv"
    if path.exists():
        return path
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for n in range(rows):
            start = date(2015, 1, 1) + timedelta(days=n * 7919 % 3600)
            ended = [(start + timedelta(days=200)).isoformat(), f"Reason {n % 20}"] if n % 4 == 0 else ["", ""]
            term = ["12 months", "open_ended"] if n % 3 else ["", ""]
            price = f"{n % 9000 / 100 + 5:.2f}"
            paid = [start.isoformat(), (start + timedelta(days=27)).isoformat(), price]
            who = [f"C-{n:08}", f"K-{n:08}", f"Customer {n}", f"c{n}@example.org", "de", "DE"]
            what = ["Hosting", f"S{n % 7}", "Monthly", start.isoformat(), price, "EUR", "Europe/Berlin"]
            terms = [*term, "14 days", "billing_period", "1 month"]
            writer.writerow([*who, *what, *terms, *paid, *ended])
    return path


def rows_of(path: Path) -> int:
    """Return how many lines there are below the header."""
    with path.open("rb") as file:
        return sum(1 for _ in file) - 1


def executemany(folder: Path, path: Path) -> float:
    """Return the CPU seconds of reading the file and inserting it into one bare table: the limit."""
    database = sqlite3.connect(folder / "bare.sqlite3")
    with path.open(encoding="utf-8", newline="") as file, database:
        reader = csv.reader(file)
        names = next(reader)
        database.execute("DROP TABLE IF EXISTS bare")
        database.execute(f"CREATE TABLE bare ({', '.join(names)})")
        begun = time.process_time()
        database.executemany(f"INSERT INTO bare VALUES ({', '.join('?' * len(names))})", reader)
        database.commit()
    return time.process_time() - begun


def child(folder: Path, path: Path, mapping: Path | None, *, trace: bool = False) -> list[dict[str, float]]:
    """Import a file twice in a new process and database; return what each pass took."""
    with tempfile.TemporaryDirectory(dir=folder) as var:
        environment = {**os.environ, "FAIRWELL_VAR": var, "DATABASE_URL": f"sqlite:///{var}/db.sqlite3"}
        arguments = [str(path), str(mapping or ""), "trace" if trace else ""]
        done = subprocess.run(
            [sys.executable, __file__, "--child", *arguments], env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        found: list[dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
        return found


def measure(path: str, mapping: str, trace: str) -> list[dict[str, float]]:
    """Import a file twice in this process."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return [one_pass(path, mapping, trace) for _ in range(2)]


def one_pass(path: str, mapping: str, trace: str) -> dict[str, float]:
    """Import a file once; return seconds, and bytes or kilobytes at the peak."""
    from django.core.management import CommandError, call_command

    if trace:
        tracemalloc.start()
    wall, cpu = time.perf_counter(), time.process_time()
    more: dict[str, Any] = {"mapping": Path(mapping)} if mapping else {}
    with open(os.devnull, "w") as nowhere:
        try:
            call_command("import_contracts", path, stdout=nowhere, stderr=nowhere, **more)
        except CommandError as error:
            if error.returncode != 1:
                raise
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    traced = tracemalloc.get_traced_memory()[1] if trace else 0
    tracemalloc.stop()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"wall": wall, "cpu": cpu, "rss": rss, "traced": traced}


if __name__ == "__main__":
    main()
