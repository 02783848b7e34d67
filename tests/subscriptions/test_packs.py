"""Policy packs: what holds on which day, every fault at once, kinder choices and never harsher ones, and the ledger."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from subscriptions import ledger
from subscriptions.packs import BEGINNING, CODES, EU, Fault, PackError, Packs, load, read
from subscriptions.parameters import PARAMETERS

SHIPPED = Path(__file__).resolve().parents[2] / "policies"
TODAY = date(2026, 11, 24)
PACKS: Packs = load(SHIPPED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the shipped packs that a test may spoil."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "policies"))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return an empty folder for the operator's own choices."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def spoil(folder: Path, code: str, old: str, new: str) -> None:
    path = folder / f"{code}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def faults_in(folder: Path, own: Path | None = None) -> list[str]:
    return [f"{fault}. {fault.remedy}" for fault in read(folder, own)[1]]


def choose(own: Path, code: str, parameter: str, value: str, **more: str) -> None:
    """Write one choice of an operator."""
    keys = {
        "since": "2026-01-01",
        "value": value,
        "unit": f'"{PARAMETERS[parameter].unit}"' if parameter in PARAMETERS else '"text"',
        "source": '"our board, 2025-12-01"',
        "confidence": '"A"',
        "review_on": "2027-01-01",
        "basis": '"ours"',
        **more,
    }
    lines = [f"[[{parameter}]]", *(f"{key} = {said}" for key, said in keys.items()), ""]
    with (own / f"{code}.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines))


# What the packs say.


@pytest.mark.parametrize(
    ("code", "entry", "confirm"),
    [
        ("default", "Cancel contracts here", "Cancel now"),
        ("de", "Verträge hier kündigen", "jetzt kündigen"),
        ("fr", "résilier votre contrat", "notification de la résiliation"),
        ("pl", "Wypowiedz umowę tutaj", "Wypowiedz teraz"),
        ("uk", "Cancel subscription", "Cancel now"),
        ("us-ca", "Cancel subscription", "click to cancel"),
        ("us-ny", "Cancel subscription", "Cancel now"),
        ("us-mn", "Cancel subscription", "Cancel now"),
        ("jp", "解約手続きはこちら", "解約する"),
    ],
)
def test_r04_the_labels_are_those_of_the_baseline_byte_for_byte(code: str, entry: str, confirm: str) -> None:
    pack = PACKS[code]

    assert pack.get("entry_label", TODAY).encode() == entry.encode()
    assert pack.get("confirm_label", TODAY).encode() == confirm.encode()


@pytest.mark.parametrize(
    ("code", "entry", "confirm"),
    [
        ("de", "Vertrag widerrufen", "Widerruf bestätigen"),
        ("fr", "renoncer au contrat ici", "confirmer la rétractation"),
        ("pl", "odstąp od umowy tutaj", "potwierdź odstąpienie od umowy"),
        ("eu", "withdraw from contract here", "confirm withdrawal"),
        ("jp", "withdraw from contract here", "confirm withdrawal"),
    ],
)
def test_r04_so_are_the_labels_of_the_withdrawal(code: str, entry: str, confirm: str) -> None:
    assert PACKS[code].get("withdrawal_labels", TODAY) == {"entry": entry, "confirm": confirm}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("sector", ["", "telecom", "mobile"])
@pytest.mark.parametrize("on", [BEGINNING, date(2013, 5, 5), TODAY, date(2040, 1, 1)])
def test_every_question_has_an_answer_with_a_source(code: str, sector: str, on: date) -> None:
    pack = PACKS[code]

    for name in PARAMETERS:
        told = pack.rule(name, on, sector)
        if told.value is not None:
            assert told.source
            assert told.since <= on


def test_a_rule_holds_from_its_first_day_on() -> None:
    german = PACKS["de"]

    assert german.law("entry_label", date(2022, 6, 30)) is None
    assert german.law("entry_label", date(2022, 7, 1)) == "Verträge hier kündigen"
    assert german.rule("withdrawal_labels", date(2026, 6, 18)).basis == "ours"
    assert german.rule("withdrawal_labels", date(2026, 6, 19)).basis == "law"


def test_some_rules_go_by_the_day_the_contract_was_made() -> None:
    german, on = PACKS["de"], date(2026, 11, 1)

    old = [german.law("renewal_rule", on, concluded_on=date(2022, 2, 28)), german.law("renewal_rule", on)]
    telecom = german.law("renewal_rule", on, "telecom", concluded_on=date(2015, 1, 1))

    assert (*old, telecom) == ("allowed", "open_ended_only", "open_ended_only")


def test_no_rule_is_said_in_so_many_words_and_falls_to_the_default() -> None:
    polish = PACKS["pl"]

    told = polish.rule("max_notice_after_initial_term", TODAY)

    assert (told.value, told.basis, told.pack) == ({"months": 1}, "ours", "default")
    assert polish.law("max_notice_after_initial_term", TODAY) is None
    assert polish.law("max_notice_after_initial_term", TODAY, "telecom") == {"months": 1}
    assert polish.history("max_notice_after_initial_term")[0].value is None


def test_mobile_telephony_is_telecommunications_unless_it_has_a_rule_of_its_own() -> None:
    japanese = PACKS["jp"]

    assert japanese.get("withdrawal_days", TODAY, "mobile") == 8
    assert japanese.get("exit_fee_cap", TODAY, "mobile")["at_most"] == 1000
    assert "at_most" not in japanese.get("exit_fee_cap", TODAY, "telecom")
    assert japanese.get("exit_fee_cap", TODAY) is None


def test_the_recommendations_of_the_default_are_never_law() -> None:
    ours = [name for name in PARAMETERS if PACKS["default"].law(name, TODAY) is not None]

    assert ours == []


def test_a_parameter_that_nobody_knows_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        PACKS["de"].get("entry_lable", TODAY)


@pytest.mark.parametrize(
    ("place", "code", "own_pack"),
    [
        (("DE", ""), "de", True),
        (("DE", "BY"), "de", True),
        (("US", "CA"), "us-ca", True),
        (("us", "us-ny"), "us-ny", True),
        (("US", "TX"), "default", False),
        (("ES", ""), "eu", False),
        (("EL", ""), "eu", False),
        # A draft is not applied to contracts.
        (("GB", ""), "default", False),
        (("UK", ""), "default", False),
        (("CH", ""), "default", False),
        (("", ""), "default", False),
    ],
)
def test_the_pack_of_a_place(place: tuple[str, str], code: str, own_pack: bool) -> None:
    pack, has_own = PACKS.for_place(*place)

    assert (pack.code, has_own) == (code, own_pack)


def test_all_members_of_the_union_follow_it_at_least() -> None:
    assert len(EU) == 27
    for country in EU:
        pack = PACKS.for_place(country)[0]
        assert pack.law("withdrawal_days", TODAY) == 14, country


# Faults.


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "[[entry_label]]", "[[entry_lable]]",
            "de.toml, entry_lable: is a parameter that nobody knows. Did you mean entry_label?",
        ),
        ("since = 2022-07-01", "sinze = 2022-07-01", 'de.toml, entry_without_login: unknown key "sinze". Known are '),
        ("since = 2022-07-01", 'since = "2022-07-01"', 'since "2022-07-01" is not a day. Write it like since = '),
        ("since = 2022-07-01", "since = 2022-07-01T00:00:00", "is not a day. Write it like since = 2026-06-19"),
        ("since = 2022-07-01", "since = 2022-02-31", "de.toml: cannot be read: "),
        ('unit = "months"', 'unit = "days"', 'max_initial_term_months: unit "days" is wrong. Write unit = "months".'),
        ("value = 24", 'value = "24"', 'max_initial_term_months: value: "24" cannot be used; give a whole number'),
        ("value = 24", "value = true", "max_initial_term_months: value: true cannot be used; give a whole number"),
        ("value = 24", "value = -1", "max_initial_term_months: value: -1 cannot be used; give a whole number"),
        ('"name", "reference"', '"name", "custmer"', 'mandatory_fields: "custmer" is not known; known are name, '),
        ('"name", "reference"', '"name", "name"', "names something twice"),
        ('"name", "reference"', '"name", "wished_on"', "wished_on is mandatory and optional from 2022-07-01 on"),
        ('value = "one_page"', 'value = "onepage"', 'flow_shape: "onepage" is not known; known are recap, one_page'),
        ('value = "one_page"', "no_rule = false", "flow_shape: has both a value and no rule"),
        ('value = "one_page"', "", "flow_shape: has no value. Give one of recap, one_page, or no_rule = true."),
        ('value = "jetzt kündigen"', 'value = "jetzt kündigen "', "confirm_label: "),
        ('value = "jetzt kündigen"', 'value = "jetzt\\u202ekündigen"', "holds signs that cannot be seen"),
        ("value = { months = 3 }", "value = { month = 3 }", 'max_notice_before_initial_end: value: unknown unit'),
        ('confidence = "A"', 'confidence = "high"', '"high" is not known. Give one of A, B, C, ?.'),
        ('basis = "law"', 'basis = "statute"', '"statute" is not known. Give one of law, ours.'),
        ('sector = "telecom"', 'sector = "telekom"', '"telekom" is not known. Give one of telecom, mobile.'),
        ('by = "concluded"', 'by = "signed"', '"signed" is not known. Give one of received, concluded.'),
        ('source = "A5 · BGB 312k(2) s. 4"', 'source = ""', "entry_without_login: has no source. Name the row"),
        ("since = 2022-03-01", "since = 2001-03-01", "the days of renewal_rule are not in order. Put earlier"),
        ('status = "in_force"', 'status = "inforce"', 'status: "inforce" is not known. Give one of in_force, draft.'),
        ('timezone = "Europe/Berlin"', 'timezone = "Berlin"', 'de.toml, timezone: "Berlin" is not a time zone'),
        ('base = "eu"', 'base = "europe"', 'de.toml, base: "europe" is not known. Give one of default, eu.'),
        ('language = "de"', "", "de.toml, language: null is not text. Write language at the top of the file."),
        ('name = "Germany"', 'name = "Germany', "de.toml: cannot be read: "),
    ],
)  # fmt: skip
def test_a_typing_error_is_named_with_file_parameter_and_remedy(folder: Path, old: str, new: str, told: str) -> None:
    spoil(folder, "de", old, new)

    assert [fault for fault in faults_in(folder) if told in fault], faults_in(folder)
    with pytest.raises(PackError) as refused:
        load(folder)
    assert told in str(refused.value)


def test_all_faults_are_told_at_once(folder: Path) -> None:
    spoil(folder, "de", "[[entry_label]]", "[[entry_lable]]")
    spoil(folder, "fr", 'value = "recap"', 'value = "two pages"')
    spoil(folder, "jp", 'unit = "text"', 'unit = "words"')
    (folder / "us-mn.toml").unlink()
    (folder / "at.toml").write_text("", encoding="utf-8")

    assert {fault.file for fault in read(folder)[1]} == {"de.toml", "fr.toml", "jp.toml", "us-mn.toml", "at.toml"}


def test_a_gap_in_the_default_is_a_fault(folder: Path) -> None:
    spoil(folder, "default", "since = 1900-01-01", "since = 2020-01-01")
    spoil(folder, "default", "[[max_fields]]", "[[max_field]]")

    told = faults_in(folder)

    assert (
        "default.toml, entry_without_login: leaves a gap: nothing holds before 2020-01-01. "
        "Let its first entry begin on 1900-01-01." in told
    )
    assert (
        "default.toml, max_fields: has no answer in any pack. Add a value, or no_rule = true, to default.toml." in told
    )


def test_what_is_faulty_is_left_out_and_the_rest_goes_on(folder: Path) -> None:
    spoil(folder, "de", 'name = "Germany"', 'name = "Germany')
    spoil(folder, "fr", 'value = "recap"', 'value = "two pages"')

    packs, faults = read(folder)

    assert faults
    assert packs.for_place("DE")[0].code == "eu"
    assert packs["fr"].get("confirm_label", TODAY) == "notification de la résiliation"


@pytest.mark.parametrize("left", [[], ["de"]])
def test_without_any_default_the_doors_can_still_be_drawn(tmp_path: Path, left: list[str]) -> None:
    for code in left:
        shutil.copy(SHIPPED / f"{code}.toml", tmp_path)

    packs, faults = read(tmp_path)

    assert Fault("default.toml", "", "is missing", "Put it back from the release.") in faults
    pack, _own = packs.for_place("DE")
    assert pack.code == "default"
    # What a door cannot do without is the same as the shipped default says.
    for name, known in PARAMETERS.items():
        if known.last_resort is not None:
            assert pack.get(name, TODAY) is not None, name
    for name in ("entry_label", "confirm_label", "flow_shape", "mandatory_fields", "withdrawal_labels", "max_fields"):
        assert pack.get(name, TODAY) == PACKS["default"].get(name, TODAY)


def test_a_folder_that_is_not_there_is_a_fault_as_well(tmp_path: Path) -> None:
    packs, faults = read(tmp_path / "nowhere")

    assert list(packs) == ["default"]
    assert str(faults[0]).endswith("nowhere: is not a folder")


# An operator's own choices.


@pytest.mark.parametrize(
    ("code", "parameter", "value"),
    [
        ("de", "withdrawal_days", "30"),
        ("de", "max_notice_after_initial_term", "{ days = 14 }"),
        ("de", "max_initial_term_months", "12"),
        ("de", "receipt_required_contents", '["declaration", "received_at", "last_day", "refund"]'),
        ("fr", "max_fields", "4"),
        ("jp", "confirm_label", '"解約を確定する"'),
        ("default", "entry_label", '"Leave here"'),
        ("default", "offer_rules", '{ on_door = false, guided_max = 1, condition = "none" }'),
        ("us-mn", "marketing_consent_rule", '"separate_opt_in"'),
        ("default", "exit_fee_cap", "{ months_of_fee = 2 }"),
        # The same as the pack says is no override at all.
        ("de", "confirm_label", '"jetzt kündigen"'),
    ],
)
def test_a_desk_may_be_kinder_than_its_place(own: Path, code: str, parameter: str, value: str) -> None:
    choose(own, code, parameter, value)

    packs = load(SHIPPED, own)

    told = packs[code].rule(parameter, TODAY)
    assert told.is_override
    assert told.source == "our board, 2025-12-01"
    assert packs[code].get(parameter, date(2025, 12, 31)) == PACKS[code].get(parameter, date(2025, 12, 31))
    assert packs[code].law(parameter, TODAY) == PACKS[code].law(parameter, TODAY)


@pytest.mark.parametrize(
    ("code", "parameter", "value"),
    [
        ("de", "withdrawal_days", "13"),
        ("de", "max_notice_after_initial_term", "{ days = 30 }"),
        ("de", "max_initial_term_months", "36"),
        ("de", "receipt_required_contents", '["last_day"]'),
        ("de", "mandatory_fields", '["name", "reference", "email", "phone"]'),
        ("de", "identity_check_before_acceptance", '"no"'),
        ("de", "offer_rules", '{ on_door = true, guided_max = 0, condition = "near_entry" }'),
        ("us-mn", "offer_rules", '{ on_door = false, guided_max = 3, condition = "none" }'),
        ("default", "receipt_deadline", '{ target_seconds = 3600, law = "none" }'),
        ("fr", "record_retention", "{ years = 10, to_year_end = false }"),
    ],
)
def test_a_desk_may_never_be_harsher(own: Path, code: str, parameter: str, value: str) -> None:
    choose(own, code, parameter, value)

    [told] = faults_in(SHIPPED, own)

    assert told.startswith(f"{code}.toml (yours), {parameter}: ")
    assert "is harsher than the pack (" in told
    packs, _faults = read(SHIPPED, own)
    assert packs[code].get(parameter, TODAY) == PACKS[code].get(parameter, TODAY)


@pytest.mark.parametrize(
    ("code", "parameter", "value"),
    [
        ("de", "entry_label", '"Kündigen"'),
        ("de", "confirm_label", '"Jetzt kündigen"'),
        ("fr", "confirm_label", '"Confirmer"'),
        ("us-ca", "confirm_label", '"Cancel"'),
        ("pl", "withdrawal_labels", '{ entry = "odstąp", confirm = "potwierdź" }'),
    ],
)
def test_r04_a_statutory_label_cannot_be_overridden(own: Path, code: str, parameter: str, value: str) -> None:
    choose(own, code, parameter, value)

    [told] = faults_in(SHIPPED, own)

    assert "would replace words that the law prescribes" in told
    assert "With other words the button does not count, and contracts may be left at once." in told
    packs, _faults = read(SHIPPED, own)
    assert packs[code].get(parameter, TODAY) == PACKS[code].get(parameter, TODAY)


def test_r04_nor_from_a_day_on_which_it_is_not_the_law_yet(own: Path) -> None:
    choose(own, "de", "entry_label", '"Kündigen"', since="2020-01-01")

    [told] = faults_in(SHIPPED, own)

    assert "would replace words that the law prescribes" in told


@pytest.mark.parametrize(
    ("parameter", "value", "more", "told"),
    [
        ("period_counting_rule", '"jp_140_143"', {}, "cannot be chosen: it is what the place says"),
        ("withdrawal_days", "30", {"basis": '"law"'}, "is your own choice, not a rule"),
        ("withdrawl_days", "30", {}, "Did you mean withdrawal_days?"),
        ("withdrawal_days", '"30"', {}, "cannot be used; give a whole number"),
    ],
)
def test_other_choices_are_refused(own: Path, parameter: str, value: str, more: dict[str, str], told: str) -> None:
    choose(own, "de", parameter, value, **more)

    [fault] = faults_in(SHIPPED, own)

    assert told in fault


def test_a_choice_that_a_later_law_overtakes_is_told_before_that_day(folder: Path, own: Path) -> None:
    choose(own, "de", "withdrawal_days", "20")
    with (folder / "de.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[withdrawal_days]]\nsince = 2028-01-01\nvalue = 30\nunit = "days"\nsource = "to come"\n'
            'confidence = "?"\nbasis = "law"\n'
        )

    [told] = faults_in(folder, own)

    assert "20 is harsher than the pack (30, since 2028-01-01, to come)" in told


def test_a_file_of_choices_holds_parameters_only(own: Path) -> None:
    (own / "de.toml").write_text('status = "draft"\n', encoding="utf-8")
    (own / "at.toml").write_text("", encoding="utf-8")

    told = faults_in(SHIPPED, own)

    assert told == [
        "at.toml: is a pack that nobody knows. Name it one of default, eu, de, fr, pl, uk, us-ca, us-ny, us-mn, jp.",
        "de.toml (yours), status: cannot be overridden. Keep only parameters in this file.",
    ]


# The ledger.


def recorded() -> ledger.Ledger:
    found = ledger.read((SHIPPED / ledger.FILE).read_text(encoding="utf-8"))
    assert found is not None
    return found


def test_history_is_only_added_to() -> None:
    assert ledger.broken(recorded(), PACKS) == []
    assert ledger.unrecorded(recorded(), PACKS) == []


def test_a_changed_or_missing_entry_of_the_past_is_noticed(folder: Path) -> None:
    spoil(folder, "de", "value = { months = 3 }", "value = { months = 2 }")
    spoil(folder, "jp", "since = 2008-12-01", "since = 2009-12-01")
    spoil(folder, "fr", 'source = "C2 · C. conso. D215-1 al. 4"', 'source = "C2 · D215-1, better said"')
    packs = load(folder)

    told = [str(fault) for fault in ledger.broken(recorded(), packs)]

    assert told == [
        "de.toml, max_notice_before_initial_end: the entry of 2002-01-01 has been changed",
        "jp.toml, marketing_consent_rule: the entry of 2008-12-01 is gone",
    ]
    assert ledger.unrecorded(recorded(), packs) == ["jp marketing_consent_rule 2009-12-01"]


def test_recording_adds_and_changes_nothing(folder: Path) -> None:
    spoil(folder, "de", "value = { months = 3 }", "value = { months = 2 }")
    before: Any = recorded()

    grown = ledger.added(before, load(folder))

    assert grown == before
    assert ledger.read(ledger.write(grown)) == grown
    assert ledger.added({}, PACKS) == before


@pytest.mark.parametrize("text", ["", "[]", "{", '{"de": []}', '{"de": {"x": 3}}'])
def test_a_ledger_that_is_none_is_none(text: str) -> None:
    assert ledger.read(text) is None
