"""Tokens of an outside provider: its keys are fetched seldom, kept while it is away, and used for what they are for."""

import base64
import json
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.warnings import InsecureKeyLengthWarning

from services.gateway.auth.oidc import KEYS_TTL, UNKNOWN_KEY_INTERVAL, JwksCache, OidcSettings, Provider
from services.gateway.auth.tokens import BadToken

TERMS = OidcSettings(issuer="https://id.example.org", audience="journal", tenant_claim="org", login_claim="login")
ED = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHORT_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)
EC = ec.generate_private_key(ec.SECP256R1())
ALGORITHMS = {"ed": "EdDSA", "rsa": "RS256", "short": "RS256", "ec": "ES256"}
PRIVATE = {"ed": ED, "rsa": RSA, "short": SHORT_RSA, "ec": EC}
Json = dict[str, Any]


def jwk(kid: str, **changed: Any) -> Json:
    algorithm = jwt.get_algorithm_by_name(ALGORITHMS[kid])
    public = algorithm.to_jwk(PRIVATE[kid].public_key(), as_dict=True)
    return {**public, "kid": kid, "use": "sig", **changed}


def token(kid: str = "ed", key: Any = None, algorithm: str | None = None, **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": TERMS.issuer,
        "aud": TERMS.audience,
        "sub": "0a1b",
        "org": "oselia",
        "login": "olha",
        "iat": now,
        "exp": now + 600,
        **changed,
    }
    kept = {name: value for name, value in claims.items() if value is not ...}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        return jwt.encode(kept, key or PRIVATE[kid], algorithm=algorithm or ALGORITHMS[kid], headers={"kid": kid})


@dataclass
class Away:
    """A provider whose document is `says`; what is an exception is raised."""

    says: Any = field(default_factory=lambda: {"keys": [jwk("ed"), jwk("rsa")]})
    asked: int = 0
    seconds: float = 0.0

    def fetch(self) -> bytes:
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says if isinstance(self.says, bytes) else json.dumps(self.says).encode()

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def site() -> Away:
    return Away()


@pytest.fixture
def provider(site: Away) -> Provider:
    return Provider(TERMS, JwksCache(site.fetch, site.now))


def refused(provider: Provider, shown: str) -> bool:
    try:
        provider.read(shown)
    except BadToken:
        return True
    return False


@pytest.mark.parametrize("kid", ["ed", "rsa"])
def test_a_token_introduces_an_account_by_company_and_login(provider: Provider, kid):
    shown = provider.read(token(kid))
    assert (shown.tenant, shown.login) == ("oselia", "olha")
    assert 590 < shown.expires_at.timestamp() - time.time() <= 600


def test_the_session_of_a_token_is_always_the_same_and_its_own(provider: Provider):
    one, other = token(jti="1"), token(jti="2")
    assert provider.read(one).session_id == provider.read(one).session_id != provider.read(other).session_id


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://id.example.net"},
        {"iss": ...},
        {"aud": "another"},
        {"aud": ...},
        {"exp": 1},
        {"exp": ...},
        {"iat": ...},
        {"nbf": 4_000_000_000},
        {"sub": ...},
        {"org": ...},
        {"org": 7},
        {"login": None},
        {"login": ["olha"]},
    ],
)
def test_a_token_that_does_not_say_what_it_must_is_refused(provider: Provider, changed):
    assert refused(provider, token(**changed))


def test_one_key_cannot_stand_for_another(provider: Provider):
    assert refused(provider, token("rsa", key=ED, algorithm="EdDSA"))
    assert refused(provider, token("ed", key=RSA, algorithm="RS256"))
    assert refused(provider, token("rsa", key=RSA, algorithm="RS512"))
    assert refused(provider, token("ed", key=b"x" * 32, algorithm="HS256"))


@pytest.mark.parametrize(
    "unfit",
    [
        jwk("ec"),
        jwk("short"),
        jwk("ed", use="enc"),
        jwk("ed", alg="RS256"),
        {**jwk("ed"), "kid": 7},
        {"kty": "oct", "kid": "ed", "k": base64.urlsafe_b64encode(b"x" * 32).decode()},
        {**jwk("ed"), "d": "AA"},
        {**jwk("ed"), "x": "AA"},
        {"kid": "ed"},
        "ed",
    ],
)
def test_a_key_that_is_not_for_this_verifies_nothing(site: Away, provider: Provider, unfit):
    site.says = {"keys": [unfit, jwk("rsa")]}
    kid = unfit["kid"] if isinstance(unfit, dict) and unfit.get("kid") in PRIVATE else "ed"
    assert refused(provider, token(kid))
    assert not refused(provider, token("rsa"))


def test_keys_are_fetched_once_for_many_tokens(site: Away, provider: Provider):
    for _ in range(100):
        provider.read(token())
    assert site.asked == 1


def test_a_new_key_is_found_and_unknown_keys_are_not_asked_for_all_the_time(site: Away, provider: Provider):
    site.says = {"keys": [jwk("rsa")]}
    assert all(refused(provider, token("ed")) for _ in range(100))
    assert site.asked == 1
    site.says = {"keys": [jwk("ed")]}
    site.seconds += UNKNOWN_KEY_INTERVAL + 1
    assert not refused(provider, token("ed"))
    assert site.asked == 2


def test_a_key_that_was_withdrawn_counts_no_longer(site: Away, provider: Provider):
    provider.read(token("ed"))
    site.says = {"keys": [jwk("rsa")]}
    site.seconds += KEYS_TTL + 1
    assert refused(provider, token("ed"))


@pytest.mark.parametrize(
    "answer",
    [OSError("away"), ValueError("large"), b"<html>", b"\xff", b"[]", {"keys": 1}, {"keys": []}, {"keys": [{}] * 101}],
)
def test_while_the_provider_says_nothing_usable_the_last_good_keys_count(site: Away, provider: Provider, answer):
    provider.read(token())
    site.says = answer
    for _ in range(3):
        site.seconds += KEYS_TTL + 1
        assert not refused(provider, token())
    assert site.asked == 4


def test_a_provider_that_was_never_there_lets_nobody_in_and_is_asked_seldom(site: Away, provider: Provider):
    site.says = OSError("away")
    assert all(refused(provider, token()) for _ in range(50))
    assert site.asked == 1
    site.says = {"keys": [jwk("ed")]}
    site.seconds += UNKNOWN_KEY_INTERVAL + 1
    assert not refused(provider, token())


@pytest.mark.parametrize("shown", ["", "a.b.c", "x" * 5000, token().rpartition(".")[0]])
def test_what_is_no_token_is_refused(provider: Provider, shown):
    assert refused(provider, shown)
