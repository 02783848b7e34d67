"""A public door that is missing or wrong is noticed, told, and counts for whoever came while it lasted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client
from django.urls import path as route

from cancellation import actions, care, door_page
from cancellation.care import check_doors, was_at_fault
from cancellation.door_page import Rules
from cancellation.models import Declared, DoorFault, Event, Notice
from cancellation.tasks import check_doors as task
from config import urls
from messaging.compose import draft
from outbox.models import Entry
from subscriptions import places
from tests.admin.conftest import clerk
from tests.factories import make_contract

BEFORE = datetime(2026, 11, 10, 12, tzinfo=UTC)
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
PLACES = (
    ("DE", ""),
    ("FR", ""),
    ("PL", ""),
    ("US", "CA"),
    ("US", "NY"),
    ("US", "MN"),
    ("JP", ""),
    ("AT", ""),
    ("GB", ""),
)


def faults(now: datetime = BEFORE) -> dict[str, list[str]]:
    """Look, and return what is wrong, by pack."""
    return {door.pack.code: door.faults for door in check_doors(now)}


@pytest.fixture(autouse=True)
def at_home(settings: Any) -> None:
    settings.HOME_PACK = "de"


@pytest.fixture
def change(settings: Any, tmp_path: Path) -> Callable[[str, str, str], None]:
    """Return what changes a template as a careless hand would; it lies before the shipped ones."""
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]

    def changed(name: str, old: str, new: str) -> None:
        text = (TEMPLATES / name).read_text()
        assert old in text
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.replace(old, new))
        settings.TEMPLATES = [*settings.TEMPLATES]

    return changed


@pytest.fixture
def repair(settings: Any, tmp_path: Path) -> Callable[[], None]:
    """Return what takes every change of a template back."""

    def repaired() -> None:
        for changed in tmp_path.rglob("*.html"):
            changed.unlink()
        settings.TEMPLATES = [*settings.TEMPLATES]

    return repaired


def with_urls(settings: Any, *first: Any, without: str = "") -> None:
    """Answer some addresses by other views, and some not at all."""
    module = ModuleType("urls_of_a_test")
    shipped = [one for one in urls.urlpatterns if not without or without not in str(getattr(one, "urlconf_name", ""))]
    vars(module).update({name: getattr(urls, name) for name in dir(urls) if name.startswith("handler")})
    module.urlpatterns = [*first, *shipped]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = module


BUTTON = 'data-action="confirm">{{ door.confirm.text }}</button>'
ENTRY = "{{ entry.label.text }}</a>"

# ---------------------------------------------------------------- in order


@pytest.mark.django_db
@pytest.mark.parametrize("home", ["default", "de", "fr", "pl", "us-ca", "us-ny", "us-mn", "jp"])
def test_r11_every_door_is_in_order_wherever_home_is(settings: Any, home: str) -> None:
    settings.HOME_PACK = home
    for country, region in PLACES:
        make_contract(country=country, region=region)

    looked = faults()

    assert set(looked) == {"default", "de", "eu", "fr", "jp", "pl", "us-ca", "us-mn", "us-ny"}
    assert [line for found in looked.values() for line in found] == []
    assert not DoorFault.objects.exists()


@pytest.mark.django_db
def test_r11_a_look_leaves_nothing_behind_not_even_at_the_door_that_takes_fields_first(settings: Any) -> None:
    settings.HOME_PACK = "fr"

    assert faults() == {"fr": []}

    assert [model.objects.count() for model in (Notice, Declared, Entry)] == [0, 0, 0]


@pytest.mark.django_db
def test_r11_only_doors_that_somebody_needs_are_looked_at() -> None:
    make_contract(country="FR")
    make_contract(country="", customer=make_contract(country="JP").customer)

    assert [pack.code for pack in care.doors()] == ["de", "fr", "jp"]


# ---------------------------------------------------------------- what is noticed


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("template", "old", "new", "told"),
    [
        pytest.param(
            "doors/form.html", BUTTON, 'data-action="confirm">Jetzt kündigen</button>',
            "/cancel/de/: no button says “jetzt kündigen”; there is: “Jetzt kündigen”", id="another-label",
        ),
        pytest.param(
            "includes/entries.html", ENTRY, "Kündigen</a>", "/sign-in/: no entry says “Verträge hier kündigen”",
            id="another-entry",
        ),
        pytest.param(
            "base.html", '{% include "includes/entries.html" %}', "",
            "/sign-in/: no entry says “Verträge hier kündigen”", id="no-entry",
        ),
        pytest.param(
            "base.html", '{% include "includes/entries.html" %}',
            '<details><summary>More</summary>{% include "includes/entries.html" %}</details>',
            "/sign-in/: the entry “Verträge hier kündigen” is hidden", id="an-entry-behind-an-expander",
        ),
        pytest.param(
            "includes/entries.html", '"{{ entry.url }}"', '"/sign-in/?next={{ entry.url }}"',
            "/sign-in/: the entry “Verträge hier kündigen” leads to /sign-in/, not to the form",
            id="an-entry-to-a-sign-in",
        ),
        pytest.param(
            "doors/base.html", '{% extends "base.html" %}', '{% extends "base.htm" %}',
            "/cancel/de/: the page answers 500", id="a-page-that-breaks",
        ),
        pytest.param(
            "doors/form.html", '<div class="buttons">', '<img src="/static/stay.png" alt=""><div class="buttons">',
            "/cancel/de/: <img> does not belong on this page", id="a-picture",
        ),
        pytest.param(
            "doors/form.html", '<div class="buttons">', '<a href="/pause/">Pause</a><div class="buttons">',
            "/cancel/de/: <a> does not belong on this page", id="another-link",
        ),
        pytest.param(
            "doors/form.html", '<div class="buttons">', '<div class="buttons"><button name="stay">Pause</button>',
            "/cancel/de/: 2 buttons, one is allowed", id="another-button",
        ),
        pytest.param(
            "doors/form.html", '<div class="buttons">', "<p>Nur 5,00 € im Monat</p><div class='buttons'>",
            "/cancel/de/: a price does not belong on this page", id="an-offer",
        ),
        pytest.param(
            "doors/form.html", '<div class="buttons">', '<input type="tel" name="phone" required><div class="buttons">',
            "/cancel/de/: the field “phone” may not be required", id="one-more-field-required",
        ),
        pytest.param(
            "doors/form.html", '<div class="buttons">', '<input type="password" name="p"><div class="buttons">',
            "/cancel/de/: a password is asked for", id="a-password",
        ),
        pytest.param(
            "doors/includes/line.html", 'name="{{ field.name }}"', 'name="x{{ field.name }}"',
            "/cancel/de/: the field “name” is missing", id="a-field-that-is-missing",
        ),
        pytest.param(
            "doors/includes/kind.html", '{% if form.kind.value == value %}checked{% endif %}', "checked",
            "/cancel/de/: “kind” is chosen beforehand (ordinary)", id="a-choice-beforehand",
        ),
        pytest.param(
            "doors/form.html", '<form class="act door" method="post"', '<form class="act door" method="get"',
            "/cancel/de/: the form is not sent by POST", id="a-form-that-is-not-sent",
        ),
    ],
)  # fmt: skip
def test_r11_a_fault_of_a_page_is_noticed(change: Any, template: str, old: str, new: str, told: str) -> None:
    change(template, old, new)

    assert told in faults()["de"]


@pytest.mark.django_db
def test_r11_more_groups_of_fields_than_allowed_are_noticed(change: Any) -> None:
    change("doors/form.html", '<div class="buttons">', "<fieldset></fieldset>" * 5 + '<div class="buttons">')

    [told, _again] = faults()["de"]
    assert told.endswith("groups of fields, at most 5 are allowed")


@pytest.mark.django_db
def test_r11_a_wrong_label_after_the_fields_is_noticed_too(settings: Any, change: Any) -> None:
    settings.HOME_PACK = "fr"
    change("doors/recap.html", BUTTON, 'data-action="confirm">Confirmer</button>')

    told = "(page to check): no button says “notification de la résiliation”; there is:"
    assert [line.partition(told)[0] for line in faults()["fr"]] == ["/cancel/ ", "/cancel/fr/ "]


@pytest.mark.django_db
def test_r11_a_door_whose_address_is_gone_is_noticed(settings: Any) -> None:
    with_urls(settings, route("cancel/de/", lambda request: HttpResponse(status=404)))

    assert faults()["de"] == ["/cancel/de/: the page answers 404"]


@pytest.mark.django_db
def test_r11_a_door_behind_a_sign_in_is_noticed(settings: Any) -> None:
    def wall(request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect("/sign-in/")

    with_urls(settings, route("cancel/", wall), route("cancel/<slug:pack>/", lambda request, pack: wall(request)))

    assert faults()["de"] == [
        "/cancel/: the page answers 302 and leads to /sign-in/",
        "/cancel/de/: the page answers 302 and leads to /sign-in/",
    ]


@pytest.mark.django_db
def test_r11_a_desk_without_any_door_is_noticed_and_the_look_does_not_break(settings: Any) -> None:
    with_urls(settings, without="cancellation.urls")

    assert "/cancel/: the page answers 404" in faults()["de"]


@pytest.mark.django_db
def test_r11_an_address_that_the_desk_does_not_answer_to_is_noticed(settings: Any) -> None:
    settings.BASE_URL = "https://cancel.example.org"

    assert "/cancel/: the page answers 400" in faults()["de"]


@pytest.mark.django_db
@pytest.mark.parametrize("proxy", [None, ("HTTP_X_FORWARDED_PROTO", "https")])
def test_r11_a_desk_behind_tls_is_asked_as_its_visitors_ask(settings: Any, proxy: Any) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "https://cancel.example.org", ["cancel.example.org"]
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = True, proxy

    assert faults() == {"de": []}


@pytest.mark.django_db
def test_r11_maintenance_keeps_the_doors_in_order(settings: Any) -> None:
    settings.MAINTENANCE = True

    assert faults() == {"de": []}


# ---------------------------------------------------------------- a stretch opens and closes


@pytest.mark.django_db
def test_r11_a_fault_opens_one_stretch_and_a_good_look_closes_it(change: Any, repair: Any) -> None:
    assert faults(BEFORE) == {"de": []}
    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')

    for minutes in (10, 20, 30):
        check_doors(BEFORE + timedelta(minutes=minutes))
    [fault] = DoorFault.objects.all()
    assert (fault.pack, fault.since, fault.until) == ("de", BEFORE + timedelta(minutes=10), None)
    assert fault.faults[0] == "/cancel/: no button says “jetzt kündigen”; there is: “weiter”"

    repair()
    for minutes in (40, 50):
        check_doors(BEFORE + timedelta(minutes=minutes))
    assert DoorFault.objects.get().until == BEFORE + timedelta(minutes=40)

    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')
    check_doors(BEFORE + timedelta(minutes=60))
    assert list(DoorFault.objects.values_list("until", flat=True)) == [None, BEFORE + timedelta(minutes=40)]


@pytest.mark.django_db
def test_r11_what_is_wrong_is_kept_up_to_date_while_it_lasts(change: Any) -> None:
    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')
    check_doors(BEFORE)
    change("doors/form.html", BUTTON, 'data-action="confirm">los</button>')
    check_doors(BEFORE + timedelta(minutes=10))

    [fault] = DoorFault.objects.all()
    assert (fault.since, fault.faults[0][-5:]) == (BEFORE, "“los”")


@pytest.mark.django_db
def test_r11_a_place_that_nobody_needs_any_more_is_closed(settings: Any) -> None:
    DoorFault.objects.create(pack="nowhere", since=BEFORE, faults=["gone"])

    assert faults(BEFORE + timedelta(hours=1)) == {"de": []}
    assert DoorFault.objects.get().until == BEFORE + timedelta(hours=1)


@pytest.mark.django_db
def test_r11_two_looks_at_once_open_one_stretch(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')
    rows = [DoorFault(pack="de", since=BEFORE), DoorFault(pack="de", since=BEFORE)]

    def a_moment_too_late(self: DoorFault, **given: Any) -> None:
        DoorFault.objects.bulk_create(rows)

    monkeypatch.setattr(DoorFault, "save", a_moment_too_late)
    check_doors(BEFORE)

    # The database refused the second stretch, and who came second tells nobody.
    assert not Entry.objects.exists()


# ---------------------------------------------------------------- what follows from it


@pytest.mark.django_db
def test_r11_who_came_while_a_door_was_at_fault_is_known_later_too() -> None:
    since, until = BEFORE, BEFORE + timedelta(hours=2)
    DoorFault.objects.create(pack="de", since=since, until=until)
    DoorFault.objects.create(pack="de", since=until + timedelta(hours=1))

    asked = [since - timedelta(seconds=1), since, until - timedelta(seconds=1), until, until + timedelta(days=9)]
    assert [was_at_fault("de", at) for at in asked] == [False, True, True, False, True]
    assert not was_at_fault("fr", since)


@pytest.mark.django_db
def test_r11_in_germany_a_contract_ends_at_receipt_while_the_door_is_at_fault(change: Any, repair: Any) -> None:
    contracts = [make_contract(country="DE") for _number in range(3)]
    french, company = make_contract(country="FR"), make_contract(country="DE", is_consumer=False)
    # Nobody finds the way in: the doors of all places are at fault.
    change("base.html", '{% include "includes/entries.html" %}', "")
    check_doors(BEFORE)
    during = BEFORE + timedelta(minutes=5)
    assert was_at_fault("fr", during)

    ended = _end(contracts[0], during)
    others = [_end(contract, during) for contract in (french, company)]
    repair()
    check_doors(BEFORE + timedelta(minutes=10))
    # It came while the door was at fault, and is taken up after the repair.
    late = _end(contracts[1], during)
    after = _end(contracts[2], BEFORE + timedelta(minutes=15))

    assert [ended, late] == [date(2026, 11, 10), date(2026, 11, 10)]
    assert after == date(2026, 12, 31)
    # The law of France, and that of contracts between businesses, says something else.
    assert others == [date(2026, 12, 31), date(2026, 12, 31)]


def _end(contract: Any, received_at: datetime) -> date:
    actor = actions.Actor("public")
    notice = actions.receive_notice(
        contract=contract, shown=None, received_at=received_at, actor=actor, key=f"k-{contract.pk}", locale="de",
        declaration="Ich kündige.",
    )  # fmt: skip
    return actions.confirm(notice=notice, shown=None, actor=actor, accept_any=True).last_day


# ---------------------------------------------------------------- who is told


@pytest.mark.django_db
def test_r11_the_desk_is_written_to_once_a_stretch(change: Any, repair: Any, settings: Any) -> None:
    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')
    for minutes in (0, 10, 20):
        check_doors(BEFORE + timedelta(minutes=minutes))

    [entry] = Entry.objects.filter(topic="letter")
    fault = DoorFault.objects.get()
    assert entry.dedupe_key == f"staff-alert:{fault.pk}"
    assert (entry.payload["to"], entry.payload["customer_id"]) == (settings.OPERATOR["support_email"], None)

    repair()
    check_doors(BEFORE + timedelta(minutes=30))
    assert Entry.objects.count() == 1
    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')
    check_doors(BEFORE + timedelta(minutes=40))
    assert Entry.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("home", "follows"), [("de", "ends on the day a notice is received"), ("pl", "end as agreed")])
def test_r11_the_letter_says_what_is_wrong_and_what_follows(
    change: Any, settings: Any, home: str, follows: str
) -> None:
    settings.HOME_PACK = home
    change("doors/form.html", BUTTON, 'data-action="confirm"><b>x</b></button>')
    check_doors(BEFORE)
    fault = DoorFault.objects.get()

    letter = draft(Entry.objects.get().payload)

    assert letter.subject == f"The public page for cancelling is at fault ({places.packs()[home].name})"
    for told in (letter.text, letter.html):
        assert follows in " ".join(told.split())
        assert "there is: “x”" in told
        assert f"/admin/cancellation/doorfault/{fault.pk}/change/" in told
        assert f"{settings.BASE_URL}/cancel/{home}/" in told


@pytest.mark.django_db
def test_r11_the_first_page_of_the_desk_says_so_in_red_until_it_is_over(change: Any, repair: Any) -> None:
    desk = Client()
    desk.force_login(User.objects.create_superuser("nobody"))
    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')
    check_doors(BEFORE)

    page = desk.get("/admin/").content.decode()
    fault = DoorFault.objects.get()
    assert 'class="desk-alert" role="alert"' in page
    assert "no button says “jetzt kündigen”" in page
    assert f"/admin/cancellation/doorfault/{fault.pk}/change/" in page
    shown = desk.get(f"/admin/cancellation/doorfault/{fault.pk}/change/").content.decode()
    assert "Germany" in shown
    assert "no button says" in shown

    repair()
    check_doors(BEFORE + timedelta(minutes=10))
    assert "desk-alert" not in desk.get("/admin/").content.decode()
    assert desk.get("/admin/cancellation/doorfault/?state=over").content.decode().count("Germany") >= 1


@pytest.mark.django_db
def test_r11_everybody_at_the_desk_is_told_but_only_who_may_gets_the_link() -> None:
    DoorFault.objects.create(pack="de", since=BEFORE, faults=["/cancel/: gone"])

    page = clerk().get("/admin/").content.decode()

    assert "/cancel/: gone" in page
    assert "doorfault" not in page


# ---------------------------------------------------------------- by whom


@pytest.mark.django_db
def test_r11_the_command_names_the_faults_and_exits_with_one(change: Any) -> None:
    out = StringIO()
    call_command("doors", "check", stdout=out)
    assert out.getvalue() == "de: in order\n"

    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("doors", "check", stdout=out)

    assert left.value.code == 1
    assert "  /cancel/de/: no button says “jetzt kündigen”; there is: “weiter”\n" in out.getvalue()


@pytest.mark.django_db
def test_r11_the_command_says_what_a_door_must_be_like(settings: Any) -> None:
    make_contract(country="FR")
    out = StringIO()
    call_command("doors", stdout=out)

    told = out.getvalue()
    assert "de: Germany (home)" in told
    assert "button        jetzt kündigen\n" in told
    assert "when broken   end_at_receipt\n" in told
    assert "button        notification de la résiliation, on a page to check\n" in told


@pytest.mark.django_db
def test_r11_who_has_customers_under_another_law_is_advised(settings: Any) -> None:
    settings.HOME_PACK = "default"
    make_contract(country="DE")

    [line] = care.advice()
    assert "Verträge hier kündigen" in line
    assert "FAIRWELL_HOME=de" in line


@pytest.mark.django_db
def test_r11_a_clock_looks_every_ten_minutes(settings: Any, change: Any) -> None:
    assert settings.CELERY_BEAT_SCHEDULE["check-the-doors"] == {"task": task.name, "schedule": 600.0}
    assert task() == 0
    change("doors/form.html", BUTTON, 'data-action="confirm">weiter</button>')
    with time_machine.travel(BEFORE, tick=False):
        assert task() == 1
    assert DoorFault.objects.get().since == BEFORE
    assert not Event.objects.exists()


# ---------------------------------------------------------------- reading a page

RULES = Rules("Cancel now", has_recap=False, needed=("name",), most_groups=1, is_closed=False)
GOOD = (
    '<main><form method="post"><fieldset><input name="name" required></fieldset>'
    "<button> Cancel now </button></form></main>"
)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("html", "told"),
    [
        pytest.param(GOOD, [], id="in-order"),
        pytest.param("", ["/x/: one form is expected, there are 0"], id="nothing"),
        pytest.param("%PDF-1.7", ["/x/: one form is expected, there are 0"], id="no-page"),
        pytest.param(GOOD.replace("<main>", "<main hidden>"), ["/x/: one form is expected, there are 0"], id="hidden"),
        pytest.param(
            GOOD.replace("<button>", "<button disabled>"),
            ["/x/: the button “Cancel now” cannot be pressed"],
            id="disabled",
        ),
        pytest.param(
            GOOD.replace("Cancel now", "Cancel  now"),
            ["/x/: no button says “Cancel now”; there is: “Cancel  now”"],
            id="byte-for-byte",
        ),
        pytest.param(
            GOOD.replace("<button> Cancel now </button>", '<input type="submit" value="Cancel now">'), [], id="an-input"
        ),
        pytest.param(
            GOOD.replace("<button>", '<button type="button">'),
            ["/x/: no button says “Cancel now”; there is: none"],
            id="a-button-that-sends-nothing",
        ),
    ],
)
def test_r11_a_form_is_read_as_a_browser_gets_it(html: str, told: list[str]) -> None:
    assert list(door_page.form_faults(html, "/x/", RULES)) == told


@pytest.mark.pure
def test_r11_a_form_that_declares_at_once_where_a_page_to_check_must_come_is_a_fault() -> None:
    rules = Rules("Cancel now", has_recap=True, needed=("name",), most_groups=1, is_closed=False)

    assert list(door_page.form_faults(GOOD, "/x/", rules)) == [
        "/x/: it declares at once, a page to check has to come first"
    ]
