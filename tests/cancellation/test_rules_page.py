"""The public page of the rules: from the same files, for everybody, without a statement to the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client

from subscriptions.packs import CODES

TODAY = "2026-11-24T12:00Z"


def page(path: str = "/rules/", language: str = "en") -> str:
    with time_machine.travel(TODAY, tick=False):
        answer = Client(headers={"accept-language": language}).get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("code", CODES)
def test_every_place_has_its_rules_on_a_page_without_the_database(code: str) -> None:
    told = page(f"/rules/{code}/")

    assert told.count("<h1>") == 1
    assert told.count('aria-current="page"') == 1


def test_without_a_place_it_is_the_operators_own(settings: Any) -> None:
    settings.HOME_PACK = "jp"

    assert '<span lang="ja">解約手続きはこちら</span>' in page()


def test_labels_stand_in_the_language_of_the_place_with_law_source_and_review() -> None:
    told = page("/rules/de/", "pl")

    assert '<span lang="de">Verträge hier kündigen</span>' in told
    assert "A2 · BGB 312k(2) s. 2-3" in told


def test_each_rule_says_since_when_by_which_source_and_how_certain_it_is() -> None:
    told = page("/rules/de/")

    assert "Law · since: 1 March 2022 (by the day the contract was made) · source: A10 · BGB 309 no. 9 b" in told
    assert "certainty: the text of the law was read · to be looked at again: 22 May 2027" in told
    assert told.count("<summary>At other times</summary>") > 5
    assert "Telecommunications" in told


def test_a_draft_says_so() -> None:
    assert "Draft, not in force." in page("/rules/uk/")
    assert "Draft, not in force." not in page("/rules/fr/")


def test_a_place_that_nobody_knows_is_not_found() -> None:
    assert Client().get("/rules/at/").status_code == 404
    assert Client().post("/rules/de/").status_code == 405


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("code", ["de", "uk"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_reads_well_in_a_browser(
    page: Any, live_server: Any, axe: Callable[[Any], None], console_errors: list[str], code: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{live_server.url}/rules/{code}/")

    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert console_errors == []
