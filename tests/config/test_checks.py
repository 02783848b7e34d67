"""What is checked in the settings before the first page: each fault under a name of its own, with a remedy."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "subscriptions", "feedback", "cancellation", "messaging", "billing", "outbox", "reports")
CHECK_ID = re.compile(r"""id="(\w+\.[EW]\d{3})\"""")


@pytest.mark.pure
def test_every_check_has_an_id_of_its_own_named_after_its_app() -> None:
    found = [
        (app, check_id)
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        for check_id in CHECK_ID.findall(path.read_text(encoding="utf-8"))
    ]

    assert len(found) >= 5
    assert [check_id for check_id, times in Counter(check_id for _app, check_id in found).items() if times > 1] == []
    assert [check_id for app, check_id in found if not check_id.startswith(f"{app}.")] == []
