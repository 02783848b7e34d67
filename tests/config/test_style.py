"""What holds for every page before any of them is rendered: weight, direction, no inline code, one kind of button."""

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHEET = ROOT / "static" / "fairwell" / "fairwell.css"
PAGES = sorted((ROOT / "templates").rglob("*.html"))
MAILS = ROOT / "templates" / "messaging"
OURS = [page for page in PAGES if MAILS not in page.parents]
LAYOUTS = {"base.html", "flow.html"}
ADMIN = ROOT / "templates" / "admin"  # pages of Django's own, in part
FINISHED = [
    page for page in OURS if "{% extends" in page.read_text() and page.name not in LAYOUTS and ADMIN not in page.parents
]


def named(page: Path) -> str:
    """Return a page's path below templates, for the names of tests."""
    return page.relative_to(ROOT / "templates").as_posix()


def test_the_style_sheet_stays_small() -> None:
    sheet = SHEET.read_bytes()
    assert len(sheet) <= 14_000
    assert len(gzip.compress(sheet, 6)) <= 4_500


def test_the_style_sheet_turns_round_with_the_direction_of_the_script() -> None:
    sides = "left|right|top|bottom"
    physical = rf"(?:margin|padding|border)-(?:{sides})|[\s;{{](?:{sides})\s*:|: (?:left|right)\b"
    assert re.findall(physical, SHEET.read_text()) == []


def test_the_style_sheet_asks_nobody_else_for_anything() -> None:
    assert re.findall(r"url\(|@import", SHEET.read_text()) == []


def test_there_is_one_kind_of_button() -> None:
    kinds = set(re.findall(r"\.button[.\w-]*", SHEET.read_text()))
    assert kinds == {".button", ".buttons"}


@pytest.mark.parametrize("template", OURS, ids=named)
def test_a_page_carries_no_inline_code_and_trusts_no_markup(template: Path) -> None:
    inline = r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:|\|safe\b|autoescape off"
    assert re.findall(inline, template.read_text()) == []


@pytest.mark.parametrize("template", FINISHED, ids=named)
def test_a_page_has_a_title_of_its_own(template: Path) -> None:
    assert template.read_text().count("{% block title %}") == 1


@pytest.mark.parametrize("step", ["overview", "reasons", "confirm"])
def test_the_committing_button_comes_before_every_other_control_of_a_step(step: str) -> None:
    text = (ROOT / "templates" / "cancellation" / f"{step}.html").read_text()
    controls = [tag for tag in re.findall(r"<(?:button|a|input|select|textarea)\b[^>]*>", text) if "hidden" not in tag]
    committing = "confirm" if step == "confirm" else "cancel-now"
    assert f'data-action="{committing}"' in controls[0]


def test_the_enter_key_goes_on_and_never_commits() -> None:
    """Browsers press the first submit button of a form when somebody types Enter in a field."""
    text = (ROOT / "templates" / "cancellation" / "reasons.html").read_text()
    first = re.findall(r"<button\b[^>]*>", text)[0]
    assert first == '<button type="submit" hidden>'
