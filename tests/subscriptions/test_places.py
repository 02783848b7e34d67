"""The packs of this desk: which one a contract follows, what the checks say, nothing in a notice's way."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from subscriptions import ledger, pack_words, places
from subscriptions.checks import check_packs
from subscriptions.law import Applied, Improvement
from subscriptions.models import Contract, Customer, Plan, Product
from subscriptions.packs import PackError
from subscriptions.parameters import PARAMETERS
from subscriptions.periods import Period
from subscriptions.terms import Boundary, CutOff
from tests.factories import terms_dict

SHIPPED = Path(__file__).resolve().parents[2] / "policies"
TODAY = date(2026, 11, 24)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """Let the desk read its packs from a copy that a test may spoil."""
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "policies"))
    settings.POLICY_DIR = str(copy)
    return copy


def spoil(folder: Path, code: str, old: str, new: str) -> None:
    path = folder / f"{code}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def contract(country: str = "DE", region: str = "", sector: str = "", **changes: Any) -> Contract:
    """Return a contract that is stored nowhere: places ask no database."""
    terms = changes.pop("terms", None) or terms_dict(
        starts_on="2023-03-15", initial_term={"months": 24}, renewal={"months": 12}, notice={"months": 3}
    )
    values: dict[str, Any] = {
        "customer": Customer(name="Customer", country="PL"),
        "plan": Plan(product=Product(sector=sector)),
        "country": country,
        "region": region,
        "terms": terms,
        "starts_on": date.fromisoformat(terms["starts_on"]),
        "price_minor": 4980,
        "currency": "JPY" if country == "JP" else "EUR",
        **changes,
    }
    return Contract(**values)


@pytest.mark.parametrize(
    ("country", "region", "code", "own"),
    [
        ("DE", "", "de", True),
        ("US", "CA", "us-ca", True),
        ("US", "", "default", False),
        ("IT", "", "eu", False),
        ("GB", "", "default", False),
        # Without a country of its own it is where its holder is.
        ("", "", "pl", True),
    ],
)
def test_the_pack_of_a_contract(country: str, region: str, code: str, own: bool) -> None:
    here = contract(country, region)

    assert (places.pack_of(here).code, places.has_own_pack(here)) == (code, own)


def test_the_terms_that_apply_are_those_of_the_place() -> None:
    german = places.applied(contract(), TODAY)

    assert german.quote(TODAY).last_day == date(2026, 12, 24)
    assert [line.parameter for line in german.improvements] == [
        "max_notice_before_initial_end", "renewal_rule", "max_notice_after_initial_term",
    ]  # fmt: skip
    for other in (contract("JP"), contract("GB"), contract(is_consumer=False)):
        assert places.applied(other, TODAY) == Applied.as_agreed(other.agreed)


def test_an_old_contract_is_told_by_the_local_day_it_was_made_on() -> None:
    old = contract(concluded_at=datetime(2022, 2, 28, 22, 59, tzinfo=UTC))
    new = contract(concluded_at=datetime(2022, 2, 28, 23, 0, tzinfo=UTC))

    assert places.concluded_on(new) == date(2022, 3, 1)
    assert (len(places.applied(old, TODAY).improvements), len(places.applied(new, TODAY).improvements)) == (0, 3)


def test_what_leaving_early_may_cost_is_the_lower_of_contract_and_law() -> None:
    assert places.exit_fee_cap(contract("JP", sector="mobile"), TODAY) == 1000
    assert places.exit_fee_cap(contract("JP", sector="telecom"), TODAY) == 4980
    assert places.exit_fee_cap(contract("JP", sector="telecom", exit_fee_cap_minor=300), TODAY) == 300
    assert places.exit_fee_cap(contract("JP", sector="telecom", is_consumer=False), TODAY) is None
    assert places.exit_fee_cap(contract("JP", exit_fee_cap_minor=9000), TODAY) == 9000
    assert places.exit_fee_cap(contract("DE"), TODAY) is None


def test_until_when_a_contract_may_be_withdrawn_from() -> None:
    made = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert places.withdrawal_last_day(contract(concluded_at=made)) == date(2026, 12, 7)
    assert places.withdrawal_last_day(contract(concluded_at=made, informed_of_withdrawal=False)) == date(2027, 12, 6)
    assert places.withdrawal_last_day(contract("US", "CA", concluded_at=made)) is None
    assert places.withdrawal_last_day(contract(concluded_at=made, is_consumer=False)) is None
    assert places.withdrawal_last_day(contract()) is None


def test_the_packs_are_read_once() -> None:
    assert places.packs() is places.packs()


def test_a_spoilt_pack_stops_the_start_and_never_a_notice(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    spoil(folder, "de", "[[confirm_label]]", "[[confirm_lable]]")

    [told] = [message for message in check_packs(app_configs=None) if message.id == "subscriptions.E005"]
    running = places.packs()

    assert told.is_serious()
    assert told.msg == "de.toml, confirm_lable: is a parameter that nobody knows"
    assert told.hint == "Did you mean confirm_label?"
    assert running["de"].get("entry_label", TODAY) == "Verträge hier kündigen"
    assert "de.toml, confirm_lable" in caplog.text


def test_a_running_desk_keeps_the_last_good_packs(folder: Path) -> None:
    good = places.packs()
    spoil(folder, "default", 'name = "Default"', 'name = "Default')

    faults = places.reload()

    assert faults[0].file == "default.toml"
    assert places.packs() is good


def test_packs_that_were_mended_are_taken(folder: Path) -> None:
    before = places.packs()
    spoil(folder, "jp", "解約する", "解約を確定")

    assert places.reload() == []
    assert places.packs() is not before
    assert places.packs()["jp"].get("confirm_label", TODAY) == "解約を確定"


@pytest.mark.parametrize("home", ["de", "us-ca"])
def test_the_doors_follow_the_operators_home(settings: Any, home: str) -> None:
    settings.HOME_PACK = home

    assert places.home().code == home
    assert check_packs(app_configs=None) == []


def test_a_home_that_nobody_knows_is_told_with_those_that_are_known(settings: Any) -> None:
    settings.HOME_PACK = "austria"

    [told] = check_packs(app_configs=None)

    assert (told.id, told.msg) == ("subscriptions.E008", "FAIRWELL_HOME='austria' names no pack.")
    assert told.hint == "Give one of default, eu, de, fr, pl, uk, us-ca, us-ny, us-mn, jp."
    assert places.home().code == "default"


def test_a_home_that_is_a_draft_is_a_warning(settings: Any) -> None:
    settings.HOME_PACK = "uk"

    [told] = check_packs(app_configs=None)

    assert (told.id, told.is_serious()) == ("subscriptions.W002", False)
    assert places.home().code == "uk"


def test_r04_an_override_of_a_statutory_label_stops_the_start(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "de.toml").write_text(
        '[[confirm_label]]\nsince = 2026-01-01\nvalue = "Weiter"\nunit = "text"\nsource = "ours"\n'
        'confidence = "A"\nreview_on = 2027-01-01\nbasis = "ours"\n',
        encoding="utf-8",
    )
    settings.POLICY_OVERRIDES = str(tmp_path)

    [told] = check_packs(app_configs=None)

    assert told.is_serious()
    assert "would replace words that the law prescribes" in told.msg
    assert places.packs()["de"].get("confirm_label", TODAY) == "jetzt kündigen"


def test_history_that_was_changed_stops_the_start(folder: Path) -> None:
    spoil(folder, "de", "value = { months = 3 }", "value = { months = 2 }")

    [told] = check_packs(app_configs=None)

    assert (told.id, told.is_serious()) == ("subscriptions.E007", True)
    assert told.msg == "de.toml, max_notice_before_initial_end: the entry of 2002-01-01 has been changed"


def test_a_ledger_that_is_missing_stops_the_start(folder: Path) -> None:
    (folder / ledger.FILE).unlink()

    assert [message.id for message in check_packs(app_configs=None)] == ["subscriptions.E006"]


# The command.


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("packs", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_every_entry() -> None:
    lines = [line.split("\t") for line in run("jp").splitlines()]

    assert {len(line) for line in lines} == {5}
    assert lines[1] == ["jp", "entry_label", '"解約手続きはこちら"', "1900-01-01", "G3"]
    assert len(run().splitlines()) > 300


def test_a_new_entry_is_a_warning_until_it_is_recorded(folder: Path) -> None:
    with (folder / "jp.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[confirm_label]]\nsince = 2027-04-01\nvalue = "解約を確定する"\nunit = "text"\nsource = "G3"\n'
            'confidence = "C"\nbasis = "ours"\n'
        )
    [told] = check_packs(app_configs=None)
    assert (told.id, told.is_serious()) == ("subscriptions.W001", False)

    assert run("--record").startswith("1 new entries recorded in ")

    assert check_packs(app_configs=None) == []
    spoil(folder, "jp", "解約を確定する", "解約")
    with pytest.raises(CommandError, match="the entry of 2027-04-01 has been changed"):
        run("--record")


def test_the_command_names_what_it_cannot_do(folder: Path) -> None:
    with pytest.raises(CommandError, match="austria is no pack; known are default, eu"):
        run("austria")
    spoil(folder, "de", "[[confirm_label]]", "[[confirm_lable]]")
    with pytest.raises(CommandError, match="Did you mean confirm_label"):
        run()


def test_a_pack_error_carries_every_fault() -> None:
    assert issubclass(PackError, ValueError)


# In words.


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            Improvement("max_notice_after_initial_term", Period(months=3), Period(months=1), "A10"),
            "Longest notice after the first term: your contract says 3 months; the law says 1 month.",
        ),
        (
            Improvement("max_notice_after_initial_term", CutOff(15, 3), Period(days=14), "ours", "ours"),
            "Longest notice after the first term: your contract says by day 15 of the month, 3 months before; "
            "with us it is 2 weeks.",
        ),
        (
            Improvement("renewal_rule", Period(months=12), "open_ended", "A10"),
            "What may follow the first term: your contract says 1 year; the law says no fixed term.",
        ),
        (
            Improvement("notice_to", Boundary.QUARTER_END, Boundary.ANY_DAY, "A10"),
            "Days on which it may end: your contract says the end of a quarter; the law says any day.",
        ),
        (
            Improvement("max_notice_open_ended", Period(days=30), Period(), "F2"),
            "Longest notice without a first term: your contract says 30 days; the law says none.",
        ),
    ],
)
def test_what_the_law_made_better_in_plain_words(line: Improvement, told: str) -> None:
    with translation.override("en"):
        assert pack_words.improvement(line) == told


@pytest.mark.parametrize("language", ["en", "de", "fr", "pl", "ja"])
def test_every_entry_of_every_pack_can_be_said(language: str) -> None:
    with translation.override(language):
        said = [
            pack_words.told(entry)
            for pack in places.packs().values()
            for entries in pack.entries.values()
            for entry in entries
        ]

    assert all(lines and all(lines) for lines in said)


def test_every_parameter_has_a_name_and_stands_in_one_group() -> None:
    grouped = [name for group in pack_words.GROUPS for name in group.parameters]

    assert sorted(grouped) == sorted(PARAMETERS)
    assert set(PARAMETERS) <= set(pack_words.TITLES)
