"""An outside identity provider's token is a session like any other; the provider may be slow, strange or away."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from shared.plumbing.database import Postgres
from tests.service.gateway.conftest import SERVICE
from tests.service.gateway.factories import Company, Gateway, found
from tests.support.infrastructure import Services, Stack, eventually, free_port

pytestmark = pytest.mark.process

ISSUER, AUDIENCE, KID = "https://id.example.org", "journal", "2026-11"
ME, OUT = "/api/v1/me", "/api/v1/sessions/current"


@dataclass
class IdentityProvider:
    """Publishes the key it signs with, or does as `mood` says: slow, large, elsewhere, failing."""

    key: ed25519.Ed25519PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    mood: str = "well"
    asked: int = 0
    port: int = field(default_factory=free_port)

    def __enter__(self) -> "IdentityProvider":
        provider = self

        class Publish(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                provider.answer(self)

            def log_message(self, *said: Any) -> None:
                """Nothing to the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Publish)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        public = jwt.get_algorithm_by_name("EdDSA").to_jwk(self.key.public_key(), as_dict=True)
        document = orjson.dumps({"keys": [{**public, "kid": KID, "use": "sig"}]})
        if self.mood == "slow":
            time.sleep(5)
        if self.mood == "large":
            document += b" " * 300_000
        request.send_response({"failing": 500, "elsewhere": 302}.get(self.mood, 200))
        request.send_header("Location", f"http://127.0.0.1:{self.port}/other")
        request.send_header("Content-Length", str(len(document)))
        request.end_headers()
        request.wfile.write(document)

    def token(self, login: str, tenant: str = "oselia", **changed: Any) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": login, "tenant": tenant, "iat": now, "exp": now + 600}
        return jwt.encode({**claims, **changed}, self.key, algorithm="EdDSA", headers={"kid": KID})


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as provider:
        yield provider


def started(stack: Stack, services: Services, provider: IdentityProvider) -> Gateway:
    address = f"127.0.0.1:{free_port()}"
    told = {
        "WEB_ADDRESS": address,
        "IDENTITY_JWKS_URL": f"http://127.0.0.1:{provider.port}/jwks",
        "IDENTITY_ISSUER": ISSUER,
        "IDENTITY_AUDIENCE": AUDIENCE,
    }
    services.start(SERVICE, of="gateway", **told)
    return Gateway(f"http://{address}")


@pytest.fixture(scope="module")
def trusting(stack: Stack, provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that knows the provider, and for a second whom it introduced: so each test has somebody of its own."""
    services = Services(stack, tmp_path_factory.mktemp("trusting"))
    yield started(stack, services, provider)
    services.stop()


def test_who_the_provider_introduces_is_in_without_a_password(
    trusting: Gateway, provider: IdentityProvider, company: Company
):
    me = trusting("GET", ME, token=provider.token("supervisor")).json()
    assert (me["account"]["id"], me["role"]) == (str(company.people["supervisor"]), "supervisor")


def test_our_own_tokens_count_beside_it(trusting: Gateway, company: Company):
    assert trusting("GET", ME, token=trusting.token("operator")).status_code == 200


def test_the_company_is_the_one_that_the_provider_names(
    trusting: Gateway, provider: IdentityProvider, company: Company, gateway_db: Postgres
):
    found(gateway_db, "krynytsia")
    assert trusting("GET", ME, token=provider.token("operator", "krynytsia")).json()["tenant"] == "krynytsia"
    assert trusting("GET", ME, token=provider.token("operator", "oselia")).json()["tenant"] == "oselia"


@pytest.mark.parametrize("who", [("nobody", "oselia"), ("operator", "verba"), ("operator", "")])
def test_who_has_no_account_is_not_in(trusting: Gateway, provider: IdentityProvider, company: Company, who):
    assert trusting("GET", ME, token=provider.token(*who)).status_code == 401


def test_a_token_of_somebody_elses_is_refused(trusting: Gateway, provider: IdentityProvider, company: Company):
    forged = IdentityProvider(port=0).token("operator")
    assert trusting("GET", ME, token=forged).status_code == 401
    assert trusting("GET", ME, token=provider.token("operator", iss="https://id.example.net")).status_code == 401
    assert trusting("GET", ME, token=provider.token("operator", aud="another")).status_code == 401
    assert trusting("GET", ME, token=provider.token("operator", exp=int(time.time()) - 1)).status_code == 401


def test_without_a_provider_its_tokens_are_nothing(gateway: Gateway, provider: IdentityProvider, company: Company):
    assert gateway("GET", ME, token=provider.token("operator")).status_code == 401


def test_signing_out_ends_the_providers_token_too(trusting: Gateway, provider: IdentityProvider, company: Company):
    token, another = provider.token("administrator"), provider.token("administrator", jti="2")
    assert trusting("GET", ME, token=token).status_code == 200
    assert trusting("DELETE", OUT, token=token).status_code == 204
    assert trusting("GET", ME, token=token).status_code == 401
    assert trusting("GET", ME, token=another).status_code == 200


def test_sessions_of_tokens_that_have_run_out_are_forgotten(
    trusting: Gateway, provider: IdentityProvider, company: Company, gateway_db: Postgres
):
    def sessions() -> int:
        with gateway_db.autocommit() as conn:
            [[count]] = conn.execute("select count(*) from sessions")
        return int(count)

    tokens = [provider.token("operator", jti=f"forgotten {number}") for number in range(4)]
    assert {trusting("GET", ME, token=token).status_code for token in tokens[:3]} == {200}
    assert sessions() == 3
    with gateway_db.connection() as conn:
        conn.execute("update sessions set expires_at = now() - interval '1 second'")
    assert trusting("GET", ME, token=tokens[3]).status_code == 200
    assert sessions() == 1


@pytest.mark.parametrize(
    "change",
    ["update accounts set disabled_at = now()", "update accounts set session_version = session_version + 1"],
)
def test_a_disabled_or_changed_account_is_out_within_two_seconds(
    trusting: Gateway, provider: IdentityProvider, company: Company, gateway_db: Postgres, change
):
    token = provider.token("accountant")
    assert trusting("GET", ME, token=token).status_code == 200
    with gateway_db.connection() as conn:
        conn.execute(change)
    eventually(lambda: trusting("GET", ME, token=token).status_code == 401, seconds=2)


def test_while_the_provider_is_away_its_tokens_still_count(stack: Stack, services: Services, company: Company):
    with IdentityProvider() as provider:
        gateway = started(stack, services, provider)
        assert gateway("GET", ME, token=provider.token("operator")).status_code == 200
    assert gateway("GET", ME, token=provider.token("operator", jti="2")).status_code == 200
    assert provider.asked == 1


@pytest.mark.parametrize("mood", ["slow", "large", "failing", "elsewhere"])
def test_a_strange_provider_lets_nobody_in_and_holds_nobody_up(
    stack: Stack, services: Services, company: Company, mood
):
    with IdentityProvider(mood=mood) as provider:
        gateway = started(stack, services, provider)
        waiting = threading.Thread(target=gateway, args=("GET", ME), kwargs={"token": provider.token("operator")})
        waiting.start()
        others = Gateway(gateway.url)
        began = time.monotonic()
        for _ in range(5):
            assert others("GET", "/healthz").status_code == 200
        assert time.monotonic() - began < 2
        waiting.join(10)
        assert gateway("GET", ME, token=provider.token("operator")).status_code == 401
        assert provider.asked == 1
