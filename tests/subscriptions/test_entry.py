"""A host app's token: genuine, meant for this desk, in time, and once – or a page that says what is wrong."""

from __future__ import annotations

import base64
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.checks import Error
from django.db import connection
from django.test import Client
from django.utils import timezone
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from subscriptions import entry, signin
from subscriptions.checks import check_entry_keys
from subscriptions.models import Customer, EntryToken
from tests.factories import make_contract, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:EdDSA")]
DESK = "https://desk.example"
SHARED = OctKey.import_key({"kty": "oct", "k": base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")})
OTHER = OctKey.import_key({"kty": "oct", "k": base64.urlsafe_b64encode(b"o" * 32).decode().rstrip("=")})
SIGNER = OKPKey.generate_key("Ed25519")


@pytest.fixture(autouse=True)
def desk(settings: Any) -> None:
    """Let two host apps in, one with a shared secret and one with a key pair; count each test's requests apart."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid.uuid4().hex}
    }
    settings.ENTRY_AUDIENCE = DESK
    settings.ENTRY_KEYS = {
        "shop": SHARED.as_dict(private=True),
        "portal": SIGNER.as_dict(private=False),
    }


@pytest.fixture
def anna() -> Customer:
    """Return the customer that the tokens name."""
    return make_customer(reference="K-ANNA2345")


def claims(**changes: Any) -> dict[str, Any]:
    now = int(timezone.now().timestamp())
    known = {"iss": "shop", "aud": DESK, "sub": "K-ANNA2345", "iat": now, "exp": now + 300, "jti": "one", **changes}
    return {name: value for name, value in known.items() if value is not None}


def token(key: Any = SHARED, alg: str = "HS256", **changes: Any) -> str:
    return jwt.encode({"alg": alg}, claims(**changes), key, algorithms=[alg])


def enter(client: Client, given: str) -> Any:
    return client.get("/enter/", {"t": given})


# ---------------------------------------------------------------- who gets in


def test_a_good_token_lets_its_customer_in(client: Client, anna: Customer) -> None:
    answer = enter(client, token())

    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert signin.COOKIE in answer.cookies
    assert list(EntryToken.objects.values_list("issuer", "jti")) == [("shop", "one")]


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_shared_secret_signs_with_any_of_its_algorithms(client: Client, anna: Customer, alg: str) -> None:
    assert enter(client, token(alg=alg)).status_code == 302


@pytest.mark.parametrize("alg", ["Ed25519", "EdDSA"])
def test_a_key_pair_signs_under_its_new_and_its_old_name(client: Client, anna: Customer, alg: str) -> None:
    assert enter(client, token(SIGNER, alg, iss="portal")).status_code == 302


def test_the_desk_may_be_one_audience_among_several(client: Client, anna: Customer) -> None:
    assert enter(client, token(aud=["https://other.example", DESK])).status_code == 302


def test_a_clock_that_is_a_little_ahead_is_forgiven(client: Client, anna: Customer) -> None:
    now = int(timezone.now().timestamp())

    assert enter(client, token(iat=now + 20, exp=now + 20 + 900)).status_code == 302


def test_a_contract_claim_leads_to_the_contract(client: Client, anna: Customer) -> None:
    contract = make_contract(customer=anna)

    answer = enter(client, token(contract=contract.reference))

    assert answer["Location"] == f"/contracts/{contract.reference}/"
    assert client.get(answer["Location"]).status_code == 200


def test_somebody_elses_contract_stays_closed(client: Client, anna: Customer) -> None:
    stranger = make_contract()

    answer = enter(client, token(contract=stranger.reference))

    assert client.get(answer["Location"]).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ({"next": "/contracts/C-1/cancel/"}, "/contracts/C-1/cancel/"),
        ({"next": "https://evil.example/"}, "/account/"),
        ({"next": "//evil.example"}, "/account/"),
        ({"next": 7}, "/account/"),
        ({"contract": "../admin"}, "/account/"),
        ({"contract": ["C-1"]}, "/account/"),
    ],
)
def test_a_token_leads_to_a_page_of_the_desk_only(
    client: Client, anna: Customer, wanted: dict[str, Any], leads_to: str
) -> None:
    assert enter(client, token(**wanted))["Location"] == leads_to


# ---------------------------------------------------------------- who does not


def unsigned(**changes: Any) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims(**changes))}."


def confused() -> str:
    """Return a token signed with HMAC, with the public key of ``portal`` as the secret."""
    public = OctKey.import_key(json.dumps(SIGNER.as_dict(private=False)).encode())
    return jwt.encode({"alg": "HS256"}, claims(iss="portal"), public, algorithms=["HS256"])


def escaped(**changes: Any) -> str:
    """Return a well signed token, written in ASCII as JSON allows: half a letter passes there."""
    return jws.serialize_compact({"alg": "HS256"}, json.dumps(claims(**changes)), SHARED)


def nested(around: str) -> str:
    """Return a token whose header or payload is deeper than any parser follows; nobody need have signed it."""
    deep = base64.urlsafe_b64encode(around.replace("…", "[" * 2900).encode()).decode().rstrip("=")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")
    return f"{deep}.e30.AA" if "alg" in around else f"{head}.{deep}.AA"


def ago(seconds: int, life: int = 300) -> dict[str, int]:
    now = int(timezone.now().timestamp())
    return {"iat": now - seconds, "exp": now - seconds + life}


@pytest.mark.parametrize(
    ("make", "status"),
    [
        pytest.param(lambda: "", 400, id="no-token"),
        pytest.param(lambda: "not.a.token", 400, id="nonsense"),
        pytest.param(lambda: "a" * 5000, 400, id="too-long"),
        pytest.param(lambda: "é.é.é", 400, id="no-ascii"),
        pytest.param(lambda: nested("…"), 400, id="a-deep-payload"),
        pytest.param(lambda: nested('{"iss":"shop","sub":…'), 400, id="a-deep-claim"),
        pytest.param(lambda: nested('{"alg":"HS256","kid":…'), 400, id="a-deep-header"),
        pytest.param(lambda: token(iss=None), 400, id="no-issuer"),
        pytest.param(lambda: token(iss=["shop"]), 400, id="a-list-as-issuer"),
        pytest.param(lambda: token(iss="stranger"), 403, id="unknown-issuer"),
        pytest.param(lambda: token(OTHER), 403, id="wrong-key"),
        pytest.param(lambda: token(iss="portal"), 403, id="another-issuers-key"),
        pytest.param(unsigned, 403, id="alg-none"),
        pytest.param(lambda: unsigned()[:-1] + ".", 403, id="alg-none-again"),
        pytest.param(confused, 403, id="public-key-as-secret"),
        pytest.param(lambda: token(RSAKey.generate_key(2048), "RS256"), 403, id="rsa"),
        pytest.param(lambda: token(ECKey.generate_key("P-256"), "ES256"), 403, id="ec"),
        pytest.param(lambda: token()[:-2], 403, id="signature-cut"),
        pytest.param(lambda: token(aud="https://other.example"), 403, id="wrong-audience"),
        pytest.param(lambda: token(aud=None), 400, id="no-audience"),
        pytest.param(lambda: token(sub="K-NOBODY22"), 403, id="unknown-customer"),
        pytest.param(lambda: token(sub=None), 400, id="no-customer"),
        pytest.param(lambda: token(sub=7), 400, id="a-number-as-customer"),
        pytest.param(lambda: token(sub="K-ANNA2345\x00"), 400, id="a-nul-in-the-customer"),
        pytest.param(lambda: token(sub="K-ANNA2345\n"), 400, id="a-line-end-in-the-customer"),
        pytest.param(lambda: token(contract="C-1\x00"), 400, id="a-nul-in-the-contract"),
        pytest.param(lambda: escaped(contract="C-\ud800"), 400, id="half-a-letter-in-the-contract"),
        pytest.param(lambda: token(next="/account/\x00"), 400, id="a-nul-in-the-path"),
        pytest.param(lambda: token(jti="one\x00"), 400, id="a-nul-in-the-jti"),
        pytest.param(lambda: escaped(jti="\ud800"), 400, id="half-a-letter-as-jti"),
        pytest.param(lambda: token(jti=None), 400, id="no-jti"),
        pytest.param(lambda: token(jti=""), 400, id="empty-jti"),
        pytest.param(lambda: token(jti="x" * 201), 400, id="endless-jti"),
        pytest.param(lambda: token(iat=None), 400, id="no-iat"),
        pytest.param(lambda: token(exp=None), 400, id="no-exp"),
        pytest.param(lambda: token(exp="soon"), 400, id="exp-no-number"),
        pytest.param(lambda: token(exp=True), 400, id="exp-true"),
        pytest.param(lambda: token(**ago(301)), 410, id="expired-a-second-ago"),
        pytest.param(lambda: token(**ago(300)), 410, id="expired-now"),
        pytest.param(lambda: token(**ago(-3600)), 400, id="from-the-future"),
        pytest.param(lambda: token(**ago(0, 901)), 400, id="lives-longer-than-a-quarter"),
        pytest.param(lambda: token(**ago(600, 1200)), 400, id="old-and-long-lived"),
        pytest.param(lambda: token(exp=10**12), 400, id="lives-for-ever"),
        pytest.param(lambda: token(**ago(60, -30)), 410, id="ends-before-it-begins"),
        pytest.param(lambda: token(nbf=10**12), 400, id="not-yet"),
    ],
)
def test_any_other_token_is_refused_and_used_up_by_nothing(
    client: Client, anna: Customer, make: Any, status: int
) -> None:
    answer = enter(client, make())

    assert answer.status_code == status
    assert signin.COOKIE not in answer.cookies
    assert EntryToken.objects.count() == 0
    page = answer.content.decode()
    assert 'href="/sign-in/"' in page
    assert "<h1" in page


def test_a_token_works_once(client: Client, anna: Customer) -> None:
    given = token()
    enter(client, given)

    again = enter(Client(), given)

    assert again.status_code == 410
    assert signin.COOKIE not in again.cookies


def test_two_issuers_may_count_alike(client: Client, anna: Customer) -> None:
    assert enter(client, token()).status_code == 302
    assert enter(client, token(SIGNER, "Ed25519", iss="portal")).status_code == 302


def test_the_same_jti_in_another_token_is_the_same_token(client: Client, anna: Customer) -> None:
    enter(client, token())

    assert enter(client, token(contract="C-1")).status_code == 410


@pytest.mark.django_db(transaction=True)
def test_of_many_replays_at_once_one_gets_in(settings: Any) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("an in-memory SQLite has one connection; PostgreSQL plays this")
    make_customer(reference="K-ANNA2345")
    given = token()

    def try_it(_number: int) -> int:
        try:
            return enter(Client(), given).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(try_it, range(8)))

    assert answers == [302] + [410] * 7
    assert EntryToken.objects.count() == 1


def test_a_browser_that_only_looks_ahead_uses_nothing_up(client: Client, anna: Customer) -> None:
    given = token()

    ahead = client.get("/enter/", {"t": given}, headers={"sec-purpose": "prefetch;prerender"})

    assert ahead.status_code == 503
    assert client.head("/enter/", {"t": given}).status_code == 405
    assert enter(client, given).status_code == 302


def test_used_tokens_are_forgotten_a_day_after_their_end(client: Client, anna: Customer) -> None:
    enter(client, token())

    assert signin.forget_old_links(now=timezone.now() + timedelta(hours=24)) == 0
    assert signin.forget_old_links(now=timezone.now() + timedelta(hours=25)) == 1


@pytest.mark.pure
def test_claims_are_checked_against_the_clock_that_is_handed_in() -> None:
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    stamp = int(at.timestamp())
    given = token(iat=stamp, exp=stamp + 900)

    assert entry.verified(given, now=at)["jti"] == "one"
    with pytest.raises(entry.EntryRefused, match="expired"):
        entry.verified(given, now=at + timedelta(minutes=15))


# ---------------------------------------------------------------- the settings


def check() -> list[str]:
    found = check_entry_keys(app_configs=None)
    assert all(isinstance(message, Error) for message in found)
    return [f"{message.id}: {message.msg}" for message in found]


@pytest.mark.pure
def test_good_keys_pass_the_check() -> None:
    assert check() == []


@pytest.mark.pure
@pytest.mark.filterwarnings("ignore:Key size")
@pytest.mark.parametrize(
    ("jwk", "said"),
    [
        pytest.param({"kty": "oct", "k": "c2hvcnQ"}, "shorter than 32 bytes", id="short"),
        pytest.param({"kty": "oct", "k": "c3Nz" * 10 + "cw"}, "shorter than 32 bytes", id="thirty-one-bytes"),
        pytest.param({"kty": "oct"}, "shorter than 32 bytes", id="no-secret"),
        pytest.param({"kty": "OKP", "crv": "Ed25519"}, "no valid JWK", id="no-point"),
        pytest.param({"kty": "OKP", "crv": "X25519", "x": "AA"}, "must be a JWK", id="for-encryption"),
        pytest.param({"kty": "RSA", "n": "AA", "e": "AQAB"}, "must be a JWK", id="rsa"),
        pytest.param("secret", "must be a JWK", id="a-word"),
        pytest.param({}, "must be a JWK", id="nothing"),
    ],
)
def test_a_weak_or_strange_key_stops_the_start(settings: Any, jwk: Any, said: str) -> None:
    settings.ENTRY_KEYS = {"shop": jwk}

    [message] = check()

    assert message.startswith("subscriptions.E003: The key of 'shop' in FAIRWELL_ENTRY_KEYS is refused")
    assert said in message


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_weak_key_lets_nobody_in_even_where_the_check_was_skipped(
    client: Client, anna: Customer, settings: Any
) -> None:
    weak = OctKey.import_key({"kty": "oct", "k": "c2hvcnQ"})
    settings.ENTRY_KEYS = {"shop": weak.as_dict(private=True)}

    assert enter(client, token(weak)).status_code == 403


@pytest.mark.pure
def test_keys_of_the_wrong_shape_stop_the_start(settings: Any) -> None:
    settings.ENTRY_KEYS = ["shop"]
    assert check() == ["subscriptions.E001: FAIRWELL_ENTRY_KEYS must be a JSON object of issuers and their keys."]

    settings.ENTRY_KEYS = {"": SHARED.as_dict(private=True)}
    assert check()[0].startswith("subscriptions.E002: An issuer")


@pytest.mark.pure
def test_an_empty_audience_stops_the_start_where_there_are_keys(settings: Any) -> None:
    settings.ENTRY_AUDIENCE = ""
    assert check() == ["subscriptions.E004: FAIRWELL_ENTRY_AUDIENCE is empty."]

    settings.ENTRY_KEYS = {}
    assert check() == []
