"""How fast the terms answer: ``.venv/bin/python bench/terms.py [--quick]``. Reports, asserts nothing.

1. Notice cases through ``manage.py quote``, as a process of its own on one core, start-up included.
   Goal: 100 000 in under 10 s.
2. The mean time of ``notice_quote`` over the worked cases with parsed terms, as a ratio against its
   limit in the same run: one clamped month step. Rounds are interleaved. Goal: at most 20 times.
"""

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from subscriptions.terms import Terms, month_later, notice_quote  # noqa: E402 - the path comes first

VECTORS = json.loads((ROOT / "tests/data/terms_vectors.json").read_text(encoding="utf-8"))["notice"]
# More spread than this between rounds of the limit, and the machine was too busy to tell.
STEADY = 0.25


def write_cases(path: Path, count: int) -> None:
    """Write worked cases over and over, each received on another day; the same file every time."""
    days = random.Random(20)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            case = VECTORS[number % len(VECTORS)]
            received = datetime.fromisoformat(case["received_at"]) + timedelta(days=days.randrange(-400, 400))
            line = {
                "id": number,
                "kind": "notice",
                "terms": case["terms"],
                "received_at": received.isoformat(),
            }
            file.write(json.dumps(line) + "\n")


def time_command(count: int) -> tuple[float, float]:
    """Return wall and CPU seconds of the command over so many cases."""
    with tempfile.TemporaryDirectory() as folder:
        cases, answers = Path(folder, "cases.jsonl"), Path(folder, "answers.jsonl")
        write_cases(cases, count)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        with cases.open("rb") as given, answers.open("wb") as out:
            subprocess.run([sys.executable, "manage.py", "quote"], cwd=ROOT, stdin=given, stdout=out, check=True)
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        answered = len(answers.read_bytes().splitlines())
    if answered != count:
        raise SystemExit(f"{answered} answers to {count} cases: nothing to report.")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def time_once(repeat: int, run: Callable[[], None]) -> float:
    """Return the CPU seconds of one run, the mean of some."""
    started = time.process_time()
    for _ in range(repeat):
        run()
    return (time.process_time() - started) / repeat


def time_ratio(rounds: int, repeat: int) -> tuple[list[float], list[float]]:
    """Return the seconds per month step and per quote, a pair for each interleaved round."""
    parsed = [(Terms.from_dict(case["terms"]), datetime.fromisoformat(case["received_at"])) for case in VECTORS]
    days = [date.fromisoformat(case["expect"]["received_on"]) for case in VECTORS]

    def step_months() -> None:
        for day in days:
            month_later(day, 1)

    def quote_all() -> None:
        for terms, received_at in parsed:
            notice_quote(terms, received_at)

    steps, quotes = [], []
    for _ in range(rounds):
        steps.append(time_once(repeat * 10, step_months) / len(days))
        quotes.append(time_once(repeat, quote_all) / len(parsed))
    return steps, quotes


def report_ratio(rounds: int, repeat: int) -> None:
    steps, quotes = time_ratio(rounds, repeat)
    ratios = [quote / step for step, quote in zip(steps, quotes, strict=True)]
    spread = (max(steps) - min(steps)) / median(steps)
    for name, times in (("month step", steps), ("notice_quote", quotes)):
        low, middle, high = (1e6 * seconds for seconds in (min(times), median(times), max(times)))
        print(f"{name:>14}: median {middle:.2f} µs, min {low:.2f}, max {high:.2f}")
    print(f"{'ratio':>14}: {median(ratios):.1f} (rounds: {' '.join(f'{ratio:.1f}' for ratio in ratios)})")
    print(f"{'goal':>14}: at most 20")
    if spread > STEADY:
        print(f"{'':>14}  the month step varied by {spread:.0%}: too busy a machine, please run again")


def report_command(count: int) -> None:
    wall, cpu = time_command(count)
    print(f"{'manage.py quote':>14}: {count} cases in {wall:.2f} s ({cpu:.2f} s CPU), start-up included")
    print(f"{'goal':>14}: 100000 in under 10 s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the cases, three short rounds")
    quick = parser.parse_args().quick

    if hasattr(os, "sched_setaffinity"):
        # One core, for this process and the command it starts.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores, one used")
    print(f"load before: {os.getloadavg()[0]:.2f}")
    report_command(10_000 if quick else 100_000)
    report_ratio(rounds=3 if quick else 9, repeat=20 if quick else 100)
    print(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
