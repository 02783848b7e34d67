"""The embedded default: SQLite in a file, with one writer at a time and no row locks; the budget holds there too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Everything happens in a process of its own, so one run is enough.
pytestmark = pytest.mark.pure
CLICKS = """
import json, threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
from cancellation.models import Acceptance, Offer, OfferEvent
from cancellation.offer_actions import NotOpen
from subscriptions.models import Contract
from tests.cancellation.option_help import click, make_offer, shown
from tests.factories import make_contract

make_offer("discount", budget=5)
contracts = [make_contract() for _nth in range(16)]
pages = [(contract, shown(contract, "discount")) for contract in contracts]
start = threading.Barrier(len(pages))

def run(page):
    start.wait(30)
    try:
        click(*page)
        return "agreed"
    except NotOpen as refused:
        return str(refused.cause)
    finally:
        connection.close()

with ThreadPoolExecutor(len(pages)) as pool:
    told = Counter(pool.map(run, pages))
print(json.dumps({
    "told": told,
    "taken": Offer.objects.get().taken,
    "agreed": Acceptance.objects.count(),
    "changed": sum(bool(row.price_changes) for row in Contract.objects.all()),
    "ledger": Counter(OfferEvent.objects.exclude(what="shown").values_list("what", flat=True)),
}))
"""


def test_sixteen_at_once_on_a_budget_of_five_are_five(tmp_path: Path) -> None:
    keep = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env = {**keep, "FAIRWELL_VAR": str(tmp_path / "var"), "PYTHONPATH": str(ROOT)}

    def manage(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=env, check=False, timeout=120, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("migrate", "--verbosity", "0")
    told = json.loads(manage("shell", "--verbosity", "0", "-c", CLICKS).splitlines()[-1])

    assert told == {
        "told": {"agreed": 5, "budget": 11},
        "taken": 5,
        "agreed": 5,
        "changed": 5,
        "ledger": {"accepted": 5, "expired": 11},
    }
