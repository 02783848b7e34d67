"""No words that press: in five languages, in pages and letters, and in what operators type."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.test import Client

from feedback.models import Reason
from subscriptions.checks import check_operator_words, check_words_of_packs
from subscriptions.lexicon import PHRASES, Chosen, Pressure, preselected, pressing
from subscriptions.models import Plan, Product
from tests.factories import make_plan

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html"))

# ---------------------------------------------------------------- the lexicon


@pytest.mark.pure
@pytest.mark.parametrize(
    ("language", "pressure", "sentence"),
    [
        # Seen in products when their ways out were compared.
        ("en", "guilt", "Before you go"),
        ("en", "guilt", "We’d hate to see you leave"),
        ("en", "guilt", "We are sorry to see you go."),
        ("en", "guilt", "This doesn’t have to be goodbye"),
        ("en", "guilt", "Is this really goodbye?"),
        ("en", "guilt", "Are you sure?"),
        ("en", "loss", "You will lose your saved articles"),
        ("en", "urgency", "Limited-time offer"),
        ("en", "urgency", "Your one-time offer"),
        ("en", "shaming", "No thanks, I want to cancel"),
        # And their like, in every language.
        ("en", "loss", "Don’t miss what comes next."),
        ("en", "countdown", "Only 3 days left"),
        ("en", "countdown", "{{ hours }} hours remaining"),
        ("en", "double negative", "Untick this box if you do not wish to stay."),
        ("en", "double negative", "Don’t cancel my cancellation"),
        ("en", "shaming", "No, I would rather pay the full price"),
        ("de", "guilt", "Schade, dass Sie gehen. Sind Sie sicher?"),
        ("de", "guilt", "Möchten Sie wirklich\u00a0kündigen?"),
        ("de", "loss", "Sie verlieren Ihren Rabatt."),
        ("de", "urgency", "Nur noch heute"),
        ("de", "countdown", "Nur noch 2 Stunden"),
        ("de", "double negative", "Häkchen entfernen, um nicht zu bleiben"),
        ("de", "shaming", "Nein danke, ich will nicht sparen"),
        ("fr", "guilt", "Êtes-vous vraiment sûr ?"),
        ("fr", "loss", "Vous allez perdre votre remise."),
        ("fr", "urgency", "Aujourd’hui seulement"),
        ("fr", "countdown", "Plus que 3 jours"),
        ("fr", "double negative", "Décochez la case pour ne pas rester"),
        ("fr", "shaming", "Non merci, je préfère payer plus"),
        ("pl", "guilt", "Przykro nam. Czy na pewno zakończyć?"),
        ("pl", "loss", "Stracisz swój rabat"),
        ("pl", "urgency", "To ostatnia szansa."),
        ("pl", "countdown", "Zostało tylko 5 godzin"),
        ("pl", "double negative", "Odznacz to pole, jeśli nie chcesz zostać"),
        ("pl", "shaming", "Nie, dziękuję, wolę zapłacić więcej"),
        ("ja", "guilt", "本当によろしいですか。"),
        ("ja", "loss", "特典が失われます。"),
        ("ja", "urgency", "今だけの特典"),
        ("ja", "countdown", "残り３日"),
        ("ja", "double negative", "チェックを外すと配信されません"),
        ("ja", "shaming", "いいえ、割引はいりません"),
    ],
)
def test_r15_a_sentence_that_presses_is_noticed_and_says_how(language: str, pressure: str, sentence: str) -> None:
    assert pressure in {found.pressure for found in pressing(sentence, language)}


@pytest.mark.pure
@pytest.mark.parametrize(
    "sentence",
    [
        "Your contract ends on 31 December 2026. You get 12.00 EUR back.",
        "You can use the server until the last day. Backups are kept for 30 days.",
        "The link is valid for 15 minutes and works once.",
        "I no longer need it",
        "I do not want it any more",
        "No, this contract is not mine",
        "No, the contract goes on",
        "Verträge hier kündigen",
        "Nein, das war ich nicht",
        "Ihre Domain gehört weiter Ihnen.",
        "renoncer au contrat ici",
        "Vous conservez votre nom de domaine.",
        "odstąp od umowy tutaj",
        "Nie chcę już tej usługi",
        "Domena pozostaje do końca okresu.",
        "解約手続きはこちら",
        "最終日まで利用できます。",
    ],
)
def test_r15_a_calm_sentence_passes_in_every_language(sentence: str) -> None:
    assert pressing(sentence) == []


@pytest.mark.pure
def test_r15_every_language_has_phrases_of_every_kind() -> None:
    assert {language: set(phrases) for language, phrases in PHRASES.items()} == {
        language: set(Pressure) for language in ("en", "de", "fr", "pl", "ja")
    }


@pytest.mark.pure
@pytest.mark.parametrize(
    "hidden",
    [
        "last\nchance",
        "LAST  CHANCE",
        "last\u00a0chance",
        "la\u00adst chance",
        "last\u200b chance",
        "ｌａｓｔ ｃｈａｎｃｅ",
    ],
)
def test_r15_breaks_and_invisible_signs_hide_no_word(hidden: str) -> None:
    assert [found.phrase.lower() for found in pressing(hidden, "en")] == ["last chance"]


# ---------------------------------------------------------------- nothing is chosen before somebody chose

# An attribute that always stands there, whatever was said before: not inside {% if … %}.
GIVEN = re.compile(r"{%\s*(?:if|elif)\b[^%]*%}\s*(?:checked|selected)\s*(?:{%|=)")
ANY = re.compile(r"[\s%}\"'](?:checked|selected)(?=[\s>={/])")


@pytest.mark.pure
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_r15_a_template_chooses_nothing_by_itself(path: Path) -> None:
    """What is ticked was ticked by its reader: each such attribute hangs on what they said."""
    text = path.read_text()
    tags = " ".join(re.findall(r"<(?:input|option)\b(?:[^>{]|{[^%]|{%.*?%})*>", text, re.DOTALL))

    assert len(ANY.findall(tags)) == len(GIVEN.findall(tags))


@pytest.mark.pure
def test_r15_what_a_page_shows_as_chosen_is_found() -> None:
    html = """
        <input type="radio" name="part-1" value="keep" checked><input type="radio" name="part-1" value="take">
        <input type="checkbox" name="offers" checked="checked">
        <select name="way"><option value="">–</option><option value="stay" selected>stay</option></select>"""

    assert preselected(html) == [Chosen("part-1", "keep"), Chosen("offers", "on"), Chosen("way", "stay")]


# ---------------------------------------------------------------- what operators type


@pytest.mark.django_db
def test_r15_a_plan_whose_words_press_is_refused_with_the_words_and_the_remedy() -> None:
    plan = make_plan(stays_usable="You’ll lose your backups. This is your last chance to keep them.")

    with pytest.raises(ValidationError) as refused:
        plan.full_clean()

    assert refused.value.message_dict == {
        "stays_usable": [
            "These words press somebody who leaves: “You'll lose”, “last chance”. Say the fact without them."
        ]
    }


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["Ihre Domain.", "Files stay readable until the last day; export them as CSV.", ""])
def test_r15_a_plan_in_plain_words_passes(text: str) -> None:
    make_plan(stays_usable=text).full_clean()


@pytest.mark.django_db
def test_r15_the_names_of_plans_and_products_are_checked_too() -> None:
    plan = make_plan(name="Limited-time special")
    product = Product(code="rush", name="Jetzt zugreifen: Hosting")

    with pytest.raises(ValidationError, match="Limited-time"):
        plan.full_clean()
    with pytest.raises(ValidationError, match="Jetzt zugreifen"):
        product.full_clean()


@pytest.mark.django_db
def test_r15_the_desk_refuses_at_the_box_and_saves_nothing() -> None:
    desk = Client()
    desk.force_login(User.objects.create_superuser("carl"))
    plan = make_plan()
    reason = Reason.objects.order_by("pk").first()
    assert reason
    prices = {f"prices-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    told = {"product": plan.product_id, "code": plan.code, "name": plan.name, "stays_usable": "Hurry!", **prices}
    labels = {
        "root": reason.root,
        "position": 1,
        "active": "on",
        "label_en": "Price",
        "label_de": "Schade, dass es endet",
    }

    at_plan = desk.post(f"/admin/subscriptions/plan/{plan.pk}/change/", told)
    at_reason = desk.post(f"/admin/feedback/reason/{reason.pk}/change/", labels)

    assert "stays_usable" in at_plan.context["adminform"].form.errors
    assert list(at_reason.context["adminform"].form.errors) == ["label_de"]
    assert Plan.objects.get().stays_usable == plan.stays_usable
    assert Reason.objects.get(pk=reason.pk).labels == reason.labels


@pytest.mark.pure
def test_r15_an_operators_name_that_presses_is_warned_of(settings: Any) -> None:
    assert check_operator_words(app_configs=None) == []

    settings.OPERATOR = {**settings.OPERATOR, "name": "Last Chance Hosting"}
    [message] = check_operator_words(app_configs=None)

    assert (message.id, message.msg) == (
        "subscriptions.W003",
        "Words that press: FAIRWELL_OPERATOR_NAME: “Last Chance”",
    )
    assert message.hint


@pytest.mark.pure
def test_r15_labels_of_packs_press_nobody_and_an_operators_own_is_warned_of(settings: Any, tmp_path: Path) -> None:
    assert check_words_of_packs(app_configs=None) == []

    own = 'since = 2026-01-01\nvalue = "Before you go: cancel"\nunit = "text"\n'
    own += 'source = "ours"\nconfidence = "C"\nbasis = "ours"\nreview_on = 2027-01-01\n'
    (tmp_path / "default.toml").write_text(f"[[entry_label]]\n{own}")
    settings.POLICY_OVERRIDES = str(tmp_path)
    told = [message.msg for message in check_words_of_packs(app_configs=None)]

    assert told == ["Words that press: entry_label of pack default: “Before you go”"]


@pytest.mark.django_db
def test_r15_words_that_an_import_brought_are_warned_of() -> None:
    plan = make_plan(stays_usable="Vous allez perdre vos fichiers.")
    Reason.objects.create(code="rushed", root="cost", labels={"pl": "To ostatnia szansa"})

    told = {(message.id, message.msg) for message in run_checks(databases=["default"]) if "that press" in message.msg}

    assert told == {
        ("subscriptions.W004", f"Words that press: what stays usable of plan {plan.code}: “Vous allez perdre”"),
        ("feedback.W001", "Words that press: the label of reason rushed in pl: “ostatnia szansa”"),
    }


@pytest.mark.django_db
def test_r15_the_shipped_reasons_press_nobody() -> None:
    assert [(r.code, found) for r in Reason.objects.all() for t in r.labels.values() if (found := pressing(t))] == []
