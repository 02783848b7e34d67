"""What the pages cost beside an empty view behind the full middleware, in CPU time of one process.

    .venv/bin/python bench/pages.py [--quick]

Runs on DATABASE_URL, or on SQLite in memory. Limit and pages are measured in turn (limit, overview, reasons,
confirm, limit, …); the figure is the median of the ratios per round. Nothing is asserted. Goals: overview at
most 6 times the empty view, confirm at most 3.5 times.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("FAIRWELL_TESTING", "1")

import django
from django.conf import settings

QUOTE = re.compile(r'name="quote"\s+value="([^"]+)"')


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds, each = (5, 20) if parser.parse_args().quick else (9, 100)
    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.CELERY_BROKER_URL = "memory://"
    made = setup_databases(verbosity=0, interactive=False)
    try:
        report(rounds, each)
    finally:
        teardown_databases(made, verbosity=0)


def report(rounds: int, each: int) -> None:
    """Print the median ratio of each page to the empty view."""
    from django.db import connection

    print(
        f"Python {platform.python_version()}, Django {django.__version__}, {connection.vendor}, {os.cpu_count()} cores"
    )
    print(f"load {os.getloadavg()[0]:.1f}; {rounds} rounds of {each} requests; CPU milliseconds of one process")
    pages = prepare(rounds * each)
    for page in pages.values():
        page()
    times: dict[str, list[float]] = {name: [] for name in pages}
    for _round in range(rounds):
        for name, page in pages.items():
            start = time.process_time()
            for _nth in range(each):
                page()
            times[name].append((time.process_time() - start) / each * 1000)
    limit = times["empty view"]
    for name, spent in times.items():
        ratios = [mine / empty for mine, empty in zip(spent, limit, strict=True)]
        print(
            f"{name:12} median {statistics.median(spent):6.2f} ms  min {min(spent):6.2f}  max {max(spent):6.2f}"
            f"  ratio to the empty view {statistics.median(ratios):5.2f}"
        )
    print(f"load {os.getloadavg()[0]:.1f} afterwards")


def prepare(confirms: int) -> dict[str, Callable[[], None]]:
    """Return what is measured, by name; each confirm ends a contract of its own."""
    from django.core import signing
    from django.http import HttpRequest, HttpResponse
    from django.test import Client
    from django.urls import path

    from config import urls
    from outbox import actions as outbox
    from subscriptions.signin import COOKIE, COOKIE_SALT
    from tests.factories import make_contract, make_customer, make_plan, pay

    def empty(request: HttpRequest) -> HttpResponse:
        return HttpResponse("")

    urls.urlpatterns.append(path("bench-empty/", empty))
    outbox.nudge.wake = lambda: None
    customer, plan = make_customer(), make_plan()
    contracts = [make_contract(customer=customer, plan=plan) for _nth in range(confirms + 2)]
    for contract in contracts[:2]:
        pay(contract, "2026-11-01", "2027-10-31", 12_000)
    client = Client()
    client.cookies[COOKIE] = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    looked_at = contracts.pop()

    def get(address: str) -> Callable[[], None]:
        def page() -> None:
            assert client.get(address).status_code == 200

        return page

    from django.utils import timezone

    from cancellation.pages import quote_now
    from cancellation.steps import sealed

    forms = []
    for contract in contracts:
        quote = quote_now(contract, timezone.now())
        assert quote is not None
        forms.append((f"/contracts/{contract.reference}/cancel/now/", {"quote": sealed(quote, contract)}))

    def confirm() -> None:
        address, data = forms.pop()
        assert client.post(address, data).status_code == 302

    base = f"/contracts/{looked_at.reference}/cancel/"
    return {
        "empty view": get("/bench-empty/"),
        "overview": get(base),
        "reasons": get(f"{base}reasons/"),
        "confirm": confirm,
    }


if __name__ == "__main__":
    main()
