"""A signature is of one request, by one key, at one time."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.domain import signatures

KEY_ID = "6f0c3c1e-6a3e-5d1b-9a53-0f1f4a1d7c11"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECRET = hashlib.sha256(b"the key").digest()


def header(of: bytes = b"[]", at: datetime = NOW, secret: bytes = SECRET, path: str = "/api/v1/reports") -> str:
    seconds = int(at.timestamp())
    made = hmac.new(secret, f"{seconds}\nPOST\n{path}\n".encode() + of, hashlib.sha256).hexdigest()
    return f"Signature key={KEY_ID}, at={seconds}, hmac={made}"


def fits(shown: str, body: bytes = b"[]") -> bool:
    signature = signatures.read(shown)
    return signature is not None and signature.matches(SECRET, "POST", "/api/v1/reports", body)


def test_who_knows_the_key_signs():
    assert fits(header())
    assert fits(header().replace("Signature", "signature"))


@pytest.mark.parametrize(
    "shown", [header(of=b"[ ]"), header(secret=b"another"), header(path="/api/v1/contacts"), header().replace("0", "1")]
)
def test_anything_else_does_not_fit(shown):
    assert not fits(shown)


@pytest.mark.parametrize(("off", "fresh"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_clocks_may_be_five_minutes_off(off, fresh):
    signature = signatures.read(header(at=NOW + timedelta(seconds=off)))
    assert signature.is_fresh(NOW) is fresh


@pytest.mark.parametrize(
    "shown",
    ["", "Signature", "Signature key=1, at=2, hmac=3", header()[:-1], header().replace("at=", "at=-"),
     f"Signature key={'-' * 36}, at=1, hmac={'0' * 64}", header() + ", more=1"],
)  # fmt: skip
def test_what_is_no_signature_is_none(shown):
    assert signatures.read(shown) is None
