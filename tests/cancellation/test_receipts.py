"""Receipts: what they hold, what they leave out, and that nobody can change a character of one unnoticed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws

from cancellation import actions, proof, receipts, signing_keys
from cancellation.models import Act, Cancellation, Declared, NoticeState, Receipt, ReceiptKind, SigningKey
from cancellation.proof import Fault, NotProven
from cancellation.queries import agreed_of
from cancellation.quotes import ordinary
from config import guard
from messaging import documents
from outbox.models import Entry
from subscriptions import receipt_lines
from subscriptions.models import Contract
from subscriptions.signin import COOKIE, COOKIE_SALT
from tests.factories import NOON, make_contract, make_customer, make_plan, pay, terms_dict

pytestmark = pytest.mark.django_db
HOLDER = actions.Actor("customer:1")
WORDS = 'Ich kündige.\n\nŁukasz 山田 · 1\u202f234,50\u00a0€ · #eval("1+1") <script>alert(1)</script>'
GUIDED = actions.Door(button="Jetzt kündigen", pack="de")


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def leave(contract: Contract, *, locale: str = "en", asks: dict[str, Any] | None = None, **more: Any) -> Cancellation:
    """End a contract by the ordinary notice that its holder was shown."""
    quote = ordinary(agreed_of(contract), NOON)
    notice = actions.receive_notice(
        contract=contract,
        shown=quote,
        received_at=NOON,
        actor=HOLDER,
        key=f"visit:{contract.pk}",
        locale=locale,
        declaration=WORDS,
        door=GUIDED,
        asks=asks,
        **more,
    )
    return actions.confirm(notice=notice, shown=quote, actor=HOLDER)


def paid_contract(**changes: Any) -> Contract:
    plan = make_plan(stays_usable="Your domain.\nYour mail for 30 days.")
    contract = make_contract(plan=plan, customer=make_customer(name="Anna", email="anna@example.org"), **changes)
    pay(contract, "2026-11-01", "2027-10-31", 14_400)
    return contract


def declared_at_the_door(**typed: Any) -> Receipt:
    """Return the receipt of somebody who wrote at the public page."""
    notice = actions.receive_notice(
        contract=None,
        shown=None,
        received_at=NOON,
        actor=actions.Actor("door"),
        key="door:1",
        locale="de",
        declaration="Ich kündige den Vertrag K-1.",
        door=actions.Door("door", "de", "jetzt kündigen"),  # type: ignore[arg-type]
        state=NoticeState.UNMATCHED,
    )
    declared = Declared.objects.create(notice=notice, **typed)
    return receipts.issue(
        kind=ReceiptKind.RECEIVED,
        notice=notice,
        # Given by mistake, or because it was found already: it must not show.
        contract=paid_contract(),
        declared=declared,
        locale="de",
        issued_at=NOON,
    )


@contextmanager
def key_of(settings: Any, *, seed: bytes | None) -> Iterator[None]:
    before, settings.RECEIPT_KEY = settings.RECEIPT_KEY, seed
    yield
    settings.RECEIPT_KEY = before


# ---------------------------------------------------------------- R8: what a receipt holds


def test_r08_the_receipt_of_an_end_holds_everything() -> None:
    contract = paid_contract()

    cancellation = leave(contract)

    receipt = Receipt.objects.get()
    notice = cancellation.notice
    assert notice is not None
    assert receipt.document == {
        "format": "fairwell-receipt/1",
        "number": receipt.number,
        "kind": "end",
        "language": "en",
        "issued_at": "2026-11-10T13:00:00+01:00",
        "operator": {"name": "Larkspur Services", "email": "support@larkspur.example"},
        "verify": "http://127.0.0.1:8000/receipts/verify",
        "keys": "http://127.0.0.1:8000/.well-known/jwks.json",
        "notice": {
            "reference": notice.reference,
            "act": "cancel",
            "channel": "guided",
            "received_at": "2026-11-10T13:00:00+01:00",
            "received_at_utc": "2026-11-10T12:00:00+00:00",
            "time_zone": "Europe/Berlin",
            "rules": "de",
            "button": "Jetzt kündigen",
            "declaration": WORDS,
            "declared": None,
        },
        "contract": {
            "reference": contract.reference,
            "plan": "Server S",
            "product": "Hosting",
            "starts_on": "2025-01-01",
        },
        "way": "ordinary",
        "last_day": "2026-12-31",
        "rule": {
            "code": "boundary",
            "words": [
                "Your contract runs without a fixed term.",
                "It can end with any month.",
                "The notice period is 1 month.",
            ],
        },
        "improvements": [],
        "money": {
            "refund": {"minor": 12_000, "currency": "EUR", "text": "€120.00"},
            "other_refunds": [],
            "fee": {"minor": 0, "currency": "EUR", "text": "€0.00"},
            "fee_parts": [],
            "still_to_pay": {"minor": 0, "currency": "EUR", "text": "€0.00"},
            "charges": 0,
            "arithmetic": [
                {
                    "paid_from": "2026-11-01",
                    "paid_to": "2027-10-31",
                    "paid": {"minor": 14_400, "currency": "EUR", "text": "€144.00"},
                    "back": {"minor": 12_000, "currency": "EUR", "text": "€120.00"},
                    "how": "10 of 12 months are unused: €144.00 × 10 ÷ 12 = €120.00",
                }
            ],
        },
        "stays_usable": "Your domain.\nYour mail for 30 days.",
        "notes": [],
    }
    assert (receipt.kind, receipt.cancellation, receipt.notice) == ("end", cancellation, notice)


def test_r08_a_receipt_of_a_bare_declaration_tells_nothing_else() -> None:
    receipt = declared_at_the_door(name="Jan Kowalski", email="jan@example.org", reference="K-1", wished_on=None)

    document = receipt.document
    assert set(document) == {
        "format", "number", "kind", "language", "issued_at", "operator", "verify", "keys", "notice",
    }  # fmt: skip
    assert document["notice"]["declared"] == {"name": "Jan Kowalski", "email": "jan@example.org", "reference": "K-1"}
    assert document["notice"]["declaration"] == "Ich kündige den Vertrag K-1."
    assert (document["notice"]["rules"], document["notice"]["button"]) == ("de", "jetzt kündigen")
    contract = Contract.objects.get()
    assert contract.reference not in json.dumps(document)
    # Not even by the clock: its zone is that of the page's rules, whichever contract was found.
    assert document["notice"]["received_at"] == "2026-11-10T13:00:00+01:00"
    assert receipts.facts_of(receipt)["calendar"] == ""


@pytest.mark.parametrize(
    ("asks", "codes"),
    [
        pytest.param({}, [], id="nothing-was-asked-for"),
        pytest.param({"way": "later", "day": "2026-11-20"}, ["earliest_day_applies"], id="too-early"),
        pytest.param({"way": "later", "day": "2026-12-31"}, [], id="the-very-day"),
        pytest.param({"day": "not a day"}, [], id="unreadable"),
    ],
)
def test_r08_what_was_asked_for_and_is_not_given_is_said(asks: dict[str, str], codes: list[str]) -> None:
    leave(paid_contract(), asks=asks)

    notes = Receipt.objects.get().document["notes"]
    assert [note["code"] for note in notes] == codes
    if codes:
        assert notes[0]["text"] == (
            "You asked for 20 November 2026. The earliest possible day is 31 December 2026, so the contract ends then."
        )


def ask(contract: Contract, act: Act = Act.CANCEL, **asks: str) -> Cancellation:
    """End a contract another way than the ordinary one, as a door without figures does."""
    notice = actions.receive_notice(
        contract=contract, shown=None, received_at=NOON, actor=HOLDER, key=f"asked:{contract.pk}", locale="en",
        declaration="I end it.", act=act, asks=asks,
    )  # fmt: skip
    return actions.confirm(notice=notice, shown=None, actor=HOLDER, accept_any=True)


def test_r08_the_fee_of_an_early_release_is_worked_out_in_the_receipt() -> None:
    terms = terms_dict(starts_on="2026-03-01", billing_anchor="2026-03-01", initial_term={"months": 12})
    contract = make_contract(terms=terms, is_consumer=False, upfront_cost_minor=36_500)

    cancellation = ask(contract, way="early_release")

    document = Receipt.objects.get().document
    assert (document["way"], document["last_day"], document["rule"]["code"]) == (
        "early_release", "2026-11-10", "early_release",
    )  # fmt: skip
    money = document["money"]
    assert money["fee"]["minor"] == cancellation.fee_minor > 0
    assert min(part["minor"] for part in money["fee_parts"]) == cancellation.fee_minor
    assert "The fee is the smallest of these:" in documents.text(document)


def test_r08_what_a_person_has_to_judge_is_said_and_the_ordinary_end_is_certain() -> None:
    ask(paid_contract(), way="hardship", ground="moved")

    document = Receipt.objects.get().document
    assert (document["kind"], document["last_day"]) == ("end", "2026-12-31")
    assert [note["code"] for note in document["notes"]] == ["earlier_end_is_judged"]
    assert "the end on 31 December 2026 is certain" in documents.text(document)


def test_r08_a_withdrawal_has_a_receipt_of_its_own_kind() -> None:
    contract = make_contract(
        terms=terms_dict(starts_on="2026-11-05", billing_anchor="2026-11-05"), concluded_at=NOON - timedelta(days=3)
    )
    pay(contract, "2026-11-05", "2026-12-04", 1200)

    ask(contract, Act.WITHDRAW)

    document = Receipt.objects.get().document
    assert (document["kind"], document["notice"]["act"], document["last_day"]) == (
        "withdrawn",
        "withdraw",
        "2026-11-10",
    )
    assert document["money"]["refund"]["minor"] == 1200
    assert documents.text(document).startswith("You have withdrawn from your contract")
    assert "Everything works until midnight" not in documents.text(document)


def test_r08_an_undo_has_a_receipt_of_its_own() -> None:
    cancellation = leave(paid_contract())

    actions.revoke(cancellation_id=cancellation.pk, actor=HOLDER, at=NOON)

    first, second = Receipt.objects.order_by("pk")
    assert (first.kind, second.kind) == ("end", "undone")
    assert second.document["undone"] == {"at": "2026-11-10T13:00:00+01:00", "last_day": "2026-12-31"}
    assert second.document["notice"] == first.document["notice"]
    assert {"money", "last_day"} & set(second.document) == set()
    assert Entry.objects.get(dedupe_key=f"undo-confirmed:{cancellation.pk}").payload["facts"]["receipt"] == (
        receipts.facts_of(second)
    )


def test_a_document_holds_strings_integers_null_lists_and_objects_alone() -> None:
    leave(paid_contract())

    def kinds(value: Any) -> set[type]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return {type(value)}.union(*map(kinds, inner))

    assert kinds(Receipt.objects.get().document) <= {str, int, type(None), list, dict}


def test_r08_every_form_of_a_receipt_says_the_same(settings: Any) -> None:
    leave(paid_contract(), locale="pl", asks={"way": "later", "day": "2026-11-20"})
    document = Receipt.objects.get().document

    text, html = documents.text(document), documents.html_file(document).content.decode()
    seen = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    for section in receipt_lines.sections(document):
        for told in (section.title, *(part for row in section.rows for part in row), *section.sentences):
            for line in told.splitlines():
                assert line in text
                assert escaped(line) in seen
        for line in section.words.splitlines():
            assert f"> {line}".rstrip() in text
            assert escaped(line) in seen


def escaped(line: str) -> str:
    marks = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
    return " ".join("".join(marks.get(character, character) for character in line).split())


def test_a_receipt_asks_for_nothing_and_offers_nothing() -> None:
    leave(paid_contract())

    text = documents.text(Receipt.objects.get().document)

    assert re.search(r"offer|discount|survey|feedback|rate us|sorry to see|newsletter|come back", text, re.I) is None


def test_the_language_of_a_receipt_is_that_of_its_declaration() -> None:
    leave(paid_contract(), locale="ja")
    document = Receipt.objects.get().document

    assert document["money"]["refund"]["text"] == "€120.00"
    assert "2026年12月31日" in documents.text(document)


# ---------------------------------------------------------------- the signature, by other people's libraries


def test_an_independent_library_verifies_a_receipt_offline_with_the_published_keys(client: Client) -> None:
    leave(paid_contract())
    receipt = Receipt.objects.get()
    published = client.get("/.well-known/jwks.json").content.decode()

    token = jwcrypto_jws.JWS()
    token.allowed_algs = ["Ed25519"]
    token.deserialize(receipt.jws, jwcrypto_jwk.JWKSet.from_json(published))

    assert json.loads(token.payload) == receipt.document
    assert token.jose_header == {"alg": "Ed25519", "kid": receipt.kid, "typ": "fairwell-receipt+jws"}


def test_bare_cryptography_verifies_it_too() -> None:
    leave(paid_contract())
    receipt = Receipt.objects.get()
    [jwk] = signing_keys.published()

    header, payload, signature = receipt.jws.split(".")

    key = Ed25519PublicKey.from_public_bytes(unpadded(jwk["x"]))
    key.verify(unpadded(signature), f"{header}.{payload}".encode())
    with pytest.raises(InvalidSignature):
        key.verify(unpadded(signature), f"{header}.{payload}A".encode())


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_payload_is_canonical() -> None:
    leave(paid_contract())
    receipt = Receipt.objects.get()

    payload = unpadded(receipt.jws.split(".")[1])

    assert payload == receipts.canonical(receipt.document)
    assert payload == json.dumps(receipt.document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert "山田".encode() in payload


@pytest.mark.pure
def test_the_published_example_of_rfc_8037_is_signed_and_verified_alike(shared_data: Path) -> None:
    example = json.loads((shared_data / "signatures" / "jose_cookbook" / "curve25519__jws.json").read_text())
    given, compact = example["input"], example["output"]["compact"]
    signer = signing_keys._signer(guard.receipt_key(json.dumps(given["key"])), "unused")
    header, payload, signature = compact.split(".")

    # The example names the algorithm by its older name; the signature is of the same kind.
    assert signer.key.private_key is not None
    signed = signer.key.private_key.sign(f"{header}.{payload}".encode())  # type: ignore[union-attr,call-arg]

    assert signed == unpadded(signature)
    signer.key.public_key.verify(signed, f"{header}.{payload}".encode())  # type: ignore[union-attr,call-arg]
    assert signer.public["x"] == given["key"]["x"]
    # RFC 8037, A.3 prints the thumbprint of this very key.
    assert signer.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


# ---------------------------------------------------------------- the check: what passes, what does not


def test_a_genuine_receipt_passes_as_text_as_file_and_as_a_mail_program_broke_it() -> None:
    leave(paid_contract())
    receipt = Receipt.objects.get()
    broken = "\r\n".join(receipt.jws[at : at + 76] for at in range(0, len(receipt.jws), 76))

    for given in (receipt.jws, documents.signed_file(receipt.jws).content.decode(), f"  {broken}\n"):
        assert proof.check(given) == proof.Proven(receipt.document, receipt.kid)


def test_changing_any_single_character_is_detected() -> None:
    receipt = declared_at_the_door(name="Jan Kowalski")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    unnoticed = []
    for at, character in enumerate(receipt.jws):
        # Its neighbour in the alphabet differs in the lowest bit alone, which the last character has to spare.
        other = alphabet[alphabet.index(character) ^ 1] if character in alphabet else "A"
        try:
            proof.check(receipt.jws[:at] + other + receipt.jws[at + 1 :])
        except NotProven:
            continue
        unnoticed.append(at)

    assert unnoticed == []


def test_all_sixty_three_other_last_characters_are_detected() -> None:
    jws = declared_at_the_door().jws
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    for other in set(alphabet) - {jws[-1]}:
        with pytest.raises(NotProven) as failed:
            proof.check(jws[:-1] + other)
        assert failed.value.fault is Fault.CHANGED


def foreign(payload: bytes, *, kid: str, alg: str = "Ed25519", typ: str = signing_keys.TYPE) -> str:
    key = OKPKey.generate_key("Ed25519")
    return joserfc_jws.serialize_compact({"alg": alg, "kid": kid, "typ": typ}, payload, key, algorithms=[alg])


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_what_is_wrong_is_told_apart() -> None:
    receipt = declared_at_the_door()
    header, payload, signature = receipt.jws.split(".")
    signed = receipts.canonical(receipt.document)
    ours = signing_keys.current()
    registry = signing_keys.Registry(algorithms=["Ed25519"])

    def signed_by_us(content: bytes, typ: str = signing_keys.TYPE) -> str:
        head = {"alg": "Ed25519", "kid": ours.kid, "typ": typ}
        return joserfc_jws.serialize_compact(head, content, ours.key, registry=registry)

    file = json.loads(documents.signed_file(receipt.jws).content)
    file["document"]["number"] = "R-OTHER"
    hmac = encoded({"alg": "HS256", "kid": ours.kid, "typ": signing_keys.TYPE})
    none = encoded({"alg": "none", "kid": ours.kid})
    cases = {
        "": Fault.EMPTY,
        " \n": Fault.EMPTY,
        "x" * 4_000_001: Fault.TOO_LARGE,
        "Dear Sir or Madam": Fault.NO_RECEIPT,
        "{}": Fault.NO_RECEIPT,
        '{"jws": 7}': Fault.NO_RECEIPT,
        "{" * 100_000: Fault.NO_RECEIPT,
        "[" * 100_000: Fault.NO_RECEIPT,
        "a.b.c": Fault.NO_RECEIPT,
        "..": Fault.NO_RECEIPT,
        f"{encoded('x')}.{payload}.{signature}": Fault.NO_RECEIPT,
        f"{'W' * 80_000}.{payload}.{signature}": Fault.NO_RECEIPT,
        f"{hmac}.{payload}.{signature}": Fault.OTHER_ALGORITHM,
        f"{none}.{payload}.{signature}": Fault.OTHER_ALGORITHM,
        foreign(signed, kid="nobody"): Fault.UNKNOWN_KEY,
        foreign(signed, kid=ours.kid): Fault.CHANGED,
        f"{header}.{encoded({**receipt.document, 'number': 'R-1'})}.{signature}": Fault.CHANGED,
        f"{receipt.jws}=": Fault.NO_RECEIPT,
        json.dumps(file): Fault.NOT_THE_SAME,
        signed_by_us(signed, typ="JWT"): Fault.NO_RECEIPT,
        signed_by_us(b'{"format":"another"}'): Fault.NO_RECEIPT,
        signed_by_us(b"[]"): Fault.NO_RECEIPT,
    }

    told = {}
    for given in cases:
        with pytest.raises(NotProven) as failed:
            proof.check(given)
        told[given] = failed.value.fault

    assert told == cases


def test_a_key_in_the_header_is_not_believed() -> None:
    receipt = declared_at_the_door()
    key = OKPKey.generate_key("Ed25519")
    head = {"alg": "Ed25519", "kid": receipt.kid, "typ": signing_keys.TYPE, "jwk": key.as_dict(private=False)}
    forged = joserfc_jws.serialize_compact(head, receipts.canonical(receipt.document), key, algorithms=["Ed25519"])

    with pytest.raises(NotProven) as failed:
        proof.check(forged)
    assert failed.value.fault is Fault.CHANGED


def test_a_very_long_declaration_is_signed_and_checked() -> None:
    contract = paid_contract()
    notice = actions.receive_notice(
        contract=None, shown=None, received_at=NOON, actor=HOLDER, key="long", locale="ja", declaration="契" * 50_000
    )
    receipt = receipts.issue(kind=ReceiptKind.RECEIVED, notice=notice, contract=contract, locale="ja", issued_at=NOON)

    assert proof.check(documents.signed_file(receipt.jws).content.decode()).document == receipt.document


# ---------------------------------------------------------------- the page that checks


def test_the_page_says_that_a_receipt_is_genuine_and_shows_it(client: Client) -> None:
    leave(paid_contract())
    receipt = Receipt.objects.get()

    page = client.post("/receipts/verify", {"receipt": receipt.jws})

    assert page.status_code == 200
    seen = page.content.decode()
    assert "This receipt is genuine" in seen
    assert receipt.number in seen
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in seen
    assert "<script>alert(1)" not in seen


def test_the_page_takes_the_file_and_needs_no_cookie_and_no_token(client: Client, tmp_path: Path) -> None:
    leave(paid_contract())
    file = tmp_path / "receipt.json"
    file.write_bytes(documents.signed_file(Receipt.objects.get().jws).content)

    with file.open("rb") as opened:
        page = Client(enforce_csrf_checks=True).post("/receipts/verify", {"file": opened})

    assert page.status_code == 200
    assert "This receipt is genuine" in page.content.decode()


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ("", 422, "Nothing was given."),
        ("<script>alert(1)</script>\u202e", 422, "This is not a signed receipt."),
        ("x" * 2_700_000, 413, "This is too large to be a receipt."),
    ],
)
def test_the_page_says_plainly_what_is_wrong(client: Client, given: str, status: int, said: str) -> None:
    page = (
        client.post("/receipts/verify", {"receipt": given}, content_type="application/x-www-form-urlencoded")
        if (not given)
        else client.post("/receipts/verify", {"receipt": given})
    )

    assert page.status_code == status
    assert said in page.content.decode()
    assert "<script>alert(1)" not in page.content.decode()


def test_a_program_gets_json(client: Client) -> None:
    leave(paid_contract())
    receipt = Receipt.objects.get()
    accept = {"HTTP_ACCEPT": "application/json"}

    good = client.post("/receipts/verify", {"receipt": receipt.jws}, **accept)
    body = client.post(
        "/receipts/verify", documents.signed_file(receipt.jws).content, content_type="application/json", **accept
    )
    bad = client.post("/receipts/verify", {"receipt": receipt.jws[:-6] + "AAAAAA"}, **accept)
    noise = client.post("/receipts/verify", b"\xff\xfe", content_type="text/plain", **accept)

    assert (good.status_code, good.json()) == (
        200, {"valid": True, "kid": receipt.kid, "document": receipt.document},
    )  # fmt: skip
    assert body.json() == good.json()
    assert (bad.status_code, bad.json()["valid"], bad.json()["fault"]) == (422, False, "changed")
    assert (noise.status_code, noise.json()["fault"]) == (422, "no-receipt")


def test_the_check_is_found_with_a_slash_too(client: Client) -> None:
    assert client.get("/receipts/verify").status_code == 200
    assert client.get("/receipts/verify/").url == "/receipts/verify"


# ---------------------------------------------------------------- keys


SEED = bytes(range(32))


def test_an_old_receipt_still_verifies_after_the_key_changed(client: Client, settings: Any) -> None:
    old = declared_at_the_door()
    signing_keys.store()
    settings.RECEIPT_KEY = SEED

    new_kid = signing_keys.current().kid
    keys = client.get("/.well-known/jwks.json").json()["keys"]

    assert [jwk["kid"] for jwk in keys] == [new_kid, old.kid]
    assert old.kid != new_kid
    assert proof.check(old.jws).kid == old.kid
    assert signing_keys.sign(b"{}")[1] == new_kid


def test_a_key_of_the_operators_list_verifies_where_the_table_was_lost(settings: Any) -> None:
    old = declared_at_the_door()
    listed = guard.old_receipt_keys(json.dumps({"keys": [signing_keys.current().public]}))
    settings.RECEIPT_KEY = SEED

    with pytest.raises(NotProven):
        proof.check(old.jws)
    settings.RECEIPT_KEYS_OLD = listed
    assert proof.check(old.jws).kid == old.kid


def test_the_keys_are_public_parts_alone_and_may_be_kept_for_an_hour(client: Client) -> None:
    answer = client.get("/.well-known/jwks.json")

    assert answer["Content-Type"] == "application/jwk-set+json"
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert answer["Access-Control-Allow-Origin"] == "*"
    [jwk] = answer.json()["keys"]
    assert set(jwk) == {"kty", "crv", "x", "use", "alg", "kid"}
    assert (jwk["kty"], jwk["crv"], jwk["use"], jwk["alg"]) == ("OKP", "Ed25519", "sig", "Ed25519")


def test_the_key_is_derived_from_the_secret_where_none_is_given(settings: Any) -> None:
    settings.RECEIPT_KEY, settings.SECRET_KEY = None, "s" * 50
    one = signing_keys.current().kid
    again = signing_keys.current().kid
    settings.SECRET_KEY = "t" * 50
    other = signing_keys.current().kid
    settings.RECEIPT_KEY = SEED
    given = signing_keys.current().kid

    assert one == again
    assert len({one, other, given}) == 3


@pytest.mark.pure
def test_a_key_is_given_as_bytes_or_as_jwk_and_a_bad_one_is_named_without_its_secret() -> None:
    private = OKPKey.generate_key("Ed25519").as_dict(private=True)
    seed = base64.urlsafe_b64encode(SEED).decode()

    assert guard.receipt_key("") is None
    assert guard.receipt_key(f" {seed} ") == guard.receipt_key(seed.rstrip("=")) == SEED
    assert guard.receipt_key(json.dumps(private)) == unpadded(str(private["d"]))
    bad = [
        "short",
        seed[:-4],
        "ü" * 43,
        "{",
        "{}",
        '{"kty":"oct","k":"x"}',
        "{" * 9999,
        json.dumps({**private, "d": 7}),
    ]
    for given in bad:
        with pytest.raises(ImproperlyConfigured, match="FAIRWELL_RECEIPT_KEY is no Ed25519 key") as refused:
            guard.receipt_key(given)
        assert given not in str(refused.value) or len(given) < 3


@pytest.mark.pure
def test_old_keys_are_a_list_of_public_ones() -> None:
    key = OKPKey.generate_key("Ed25519")
    public, private = key.as_dict(private=False), key.as_dict(private=True)

    assert guard.old_receipt_keys("") == []
    assert [jwk["x"] for jwk in guard.old_receipt_keys(json.dumps([public]))] == [public["x"]]
    for given in ("x", "7", "[7]", '{"key": []}', json.dumps([private]), json.dumps([{**public, "x": "AA"}])):
        with pytest.raises(ImproperlyConfigured, match="FAIRWELL_RECEIPT_KEYS_OLD"):
            guard.old_receipt_keys(given)


@pytest.mark.django_db(transaction=True)
def test_the_public_key_is_kept_after_the_notice_and_once(monkeypatch: Any) -> None:
    monkeypatch.setattr(signing_keys, "_stored", set())

    leave(paid_contract())
    leave(paid_contract())

    stored = SigningKey.objects.get()
    assert (stored.kid, stored.public_jwk) == (signing_keys.current().kid, signing_keys.current().public)


@pytest.mark.django_db(transaction=True)
def test_a_key_that_cannot_be_kept_stops_no_receipt(monkeypatch: Any) -> None:
    def broken() -> None:
        raise RuntimeError("no table")

    monkeypatch.setattr(signing_keys, "_stored", set())
    monkeypatch.setattr(signing_keys, "store", broken)

    leave(paid_contract())

    assert Receipt.objects.count() == 1
    assert signing_keys.published()[0]["kid"] == Receipt.objects.get().kid


def test_issuing_costs_one_insert_and_no_select() -> None:
    contract = paid_contract()
    cancellation = leave(contract)
    notice = cancellation.notice
    assert notice is not None
    quote = ordinary(agreed_of(contract), NOON)
    assert quote is not None
    # As in the act itself: everything that a receipt tells has been read by then.
    assert contract.plan.product.name

    with CaptureQueriesContext(connection) as captured:
        receipts.of_end(contract, cancellation, notice, quote)

    assert [query["sql"].split()[0] for query in captured] == ["INSERT"]


# ---------------------------------------------------------------- R9: the holder's own copy


def let_in(client: Client, contract: Contract) -> Client:
    customer = contract.customer
    client.cookies[COOKIE] = signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT)
    return client


def click_through(client: Client, contract: Contract) -> Any:
    let_in(client, contract)
    page = client.get(f"/contracts/{contract.reference}/cancel/").content.decode()
    found = re.search(r'name="quote" value="([^"]+)"', page)
    assert found
    return client.post(f"/contracts/{contract.reference}/cancel/now/", {"quote": found[1]}, follow=True)


def test_r09_the_done_page_leads_to_a_print_view_and_files(client: Client) -> None:
    done = click_through(client, paid_contract()).content.decode()

    receipt = Receipt.objects.get()
    address = receipts.url_of(receipt)
    links = set(re.findall(rf'href="{address}([^"]*)"', done))
    assert links == {"", "receipt.pdf", "receipt.html", "receipt.txt", "receipt.json"}
    assert receipt.number in done
    for link in links:
        assert client.get(address + link).status_code == 200


def test_r09_page_and_files_name_the_button_and_the_time_of_submission(client: Client) -> None:
    click_through(client, paid_contract())
    address = receipts.url_of(Receipt.objects.get())

    for name in ("", "receipt.txt", "receipt.html"):
        told = client.get(address + name).content.decode()
        assert "Declared with the button" in told
        assert "“Cancel now”" in told
        assert "10 November 2026, 13:00:00 (UTC+01:00)" in told
    notice = client.get(address + "receipt.json").json()["document"]["notice"]
    assert (notice["button"], notice["received_at"]) == ("Cancel now", "2026-11-10T13:00:00+01:00")


def test_a_receipt_is_read_without_sign_in_and_leaves_no_trace(client: Client) -> None:
    leave(paid_contract())
    address = receipts.url_of(Receipt.objects.get())

    for name in ("", "receipt.txt", "receipt.html", "receipt.json", "receipt.pdf", "last-day.ics"):
        answer = client.get(address + name)
        assert answer.status_code == 200, name
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Robots-Tag"] == "noindex"
        assert "Set-Cookie" not in answer
        if name:
            assert answer["Content-Disposition"].startswith("attachment; filename=")


def test_a_receipts_page_asks_nobody_else_for_anything(client: Client) -> None:
    leave(paid_contract(), locale="de")

    page = client.get(receipts.url_of(Receipt.objects.get())).content.decode()

    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]+"', page) == []
    assert "<form" not in page
    assert '<html lang="de"' in page


@pytest.mark.parametrize("key", ["x", "A" * 43, "%00", "verify.json", "'; DROP TABLE", "\u202e"])
def test_an_unknown_key_is_not_there(client: Client, key: str) -> None:
    answer = client.get(f"/receipts/{key}/")

    assert answer.status_code == 404
    assert "no such page" in answer.content.decode()
    assert answer["Referrer-Policy"] == "no-referrer"


def test_a_receipt_costs_one_statement(client: Client, django_assert_num_queries: Any) -> None:
    leave(paid_contract())
    address = receipts.url_of(Receipt.objects.get())

    for name in ("", "receipt.txt", "receipt.json"):
        with django_assert_num_queries(1):
            client.get(address + name)


def test_the_calendar_file_is_the_event_of_the_contracts_page(client: Client) -> None:
    contract = paid_contract()
    click_through(client, contract)

    of_page = client.get(f"/contracts/{contract.reference}/cancel/last-day.ics").content.decode()
    of_receipt = client.get(receipts.url_of(Receipt.objects.get()) + "last-day.ics").content.decode()

    assert of_receipt.split("\r\n") == of_page.split("\r\n")


def test_a_receipt_without_a_last_day_has_no_calendar_file(client: Client) -> None:
    address = receipts.url_of(declared_at_the_door())

    assert client.get(address + "last-day.ics").status_code == 404
    assert "last-day.ics" not in client.get(address).content.decode()


def test_without_the_extra_no_link_leads_nowhere(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(receipt_lines, "can_print", lambda: False)
    done = click_through(client, paid_contract()).content.decode()
    address = receipts.url_of(Receipt.objects.get())

    assert "receipt.pdf" not in done
    assert "receipt.pdf" not in client.get(address).content.decode()
    assert client.get(address + "receipt.pdf").status_code == 404


def test_an_erased_receipt_is_gone_and_its_number_stays(client: Client) -> None:
    leave(paid_contract())
    receipt = Receipt.objects.get()
    address, digest = receipts.url_of(receipt), hashlib.sha256(receipt.jws.encode()).hexdigest()

    assert receipts.forget(Receipt.objects.all()) == 1

    assert client.get(address).status_code == 404
    erased = Receipt.objects.get()
    assert erased.jws == ""
    # Whoever kept their copy can still show that it is the one that was handed out.
    assert erased.document == {"number": receipt.number, "kind": "end", "kid": receipt.kid, "digest": digest}
    assert receipts.forget(Receipt.objects.all()) == 0


def test_the_desk_reads_receipts_and_changes_none(admin_client: Client) -> None:
    leave(paid_contract())
    receipt = Receipt.objects.get()

    listed = admin_client.get("/admin/cancellation/receipt/").content.decode()
    shown = admin_client.get(f"/admin/cancellation/receipt/{receipt.pk}/change/").content.decode()

    assert receipt.number in listed
    assert receipts.url_of(receipt) in shown
    assert "<script>alert(1)" not in shown
    assert admin_client.get("/admin/cancellation/receipt/add/").status_code == 403


def test_terms_that_nobody_can_read_hold_up_no_receipt_of_a_declaration() -> None:
    contract = make_contract()
    contract.terms = {"timezone": "Mars/Base"}
    notice = actions.receive_notice(
        contract=contract, shown=None, received_at=NOON, actor=HOLDER, key="k", locale="en", declaration="I end it."
    )

    receipt = receipts.issue(
        kind=ReceiptKind.END,
        notice=notice,
        contract=contract,
        locale="en",
        issued_at=datetime(2026, 11, 10, tzinfo=UTC),
    )

    assert receipt.document["notice"]["time_zone"] == "UTC"
    assert "last_day" not in receipt.document
    assert documents.text(receipt.document).startswith("Your notice is recorded")


def test_an_end_before_the_start_says_so() -> None:
    contract = paid_contract()
    cancellation = leave(contract)
    notice, quote = cancellation.notice, ordinary(agreed_of(contract), NOON)
    assert notice is not None
    assert quote is not None
    contract.starts_on = date(2027, 6, 1)

    receipt = receipts.of_end(contract, cancellation, notice, quote)

    assert receipt_lines.title(receipt.document) == "Your contract does not start"


def test_acts_are_told_apart() -> None:
    told = {act: receipt_lines.ACTS[act] for act in Act.values}

    assert len(set(map(str, told.values()))) == 3
