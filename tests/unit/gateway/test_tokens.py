"""Only a token that we signed, for us, now, with every claim, is a token."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.gateway.tokens import BadToken, Claims, Tokens, kid_of

KEY = ed25519.Ed25519PrivateKey.generate()
OTHERS_KEY = ed25519.Ed25519PrivateKey.generate()
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KID = kid_of(KEY.public_key())
TOKENS = Tokens(KEY)
WHO = Claims(uuid4(), uuid4())
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
Json = dict[str, Any]


def good() -> str:
    return TOKENS.issue(WHO, NOW, NOW + HOUR)


def claims(**changed: Any) -> Json:
    payload: Json = jwt.decode(good(), options={"verify_signature": False})
    return {name: value for name, value in {**payload, **changed}.items() if value is not ...}


def signed(payload: Any = None, key: Any = KEY, algorithm: str = "EdDSA", **header: Any) -> str:
    return jwt.encode(
        claims() if payload is None else payload, key, algorithm=algorithm, headers={"kid": KID, **header}
    )


def b64(raw: bytes | str) -> str:
    raw = raw.encode() if isinstance(raw, str) else raw
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header: str, payload: str, key: ed25519.Ed25519PrivateKey = KEY) -> str:
    """Signed without asking a library whether it makes sense."""
    signing_input = f"{b64(header)}.{b64(payload)}"
    return f"{signing_input}.{b64(key.sign(signing_input.encode()))}"


def header(**changed: Any) -> str:
    return json.dumps({"alg": "EdDSA", "typ": "JWT", "kid": KID, **changed})


def with_hmac_of_the_public_key() -> str:
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signing_input = f"{b64(header(alg='HS256'))}.{b64(json.dumps(claims()))}"
    return f"{signing_input}.{b64(hmac.digest(public, signing_input.encode(), hashlib.sha256))}"


def with_hmac_of_the_raw_key() -> str:
    signing_input = f"{b64(header(alg='HS256'))}.{b64(json.dumps(claims()))}"
    raw = KEY.public_key().public_bytes_raw()
    return f"{signing_input}.{b64(hmac.digest(raw, signing_input.encode(), hashlib.sha256))}"


def part(number: int, text: str) -> str:
    parts = good().split(".")
    parts[number] = text
    return ".".join(parts)


def flipped(number: int) -> str:
    head, payload, signature = good().split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[number] ^= 1
    return f"{head}.{payload}.{b64(bytes(raw))}"


ATTACKS: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "a dot": lambda: ".",
    "two dots": lambda: "..",
    "words": lambda: "not a token",
    "no signature part": lambda: good().rpartition(".")[0],
    "an empty signature": lambda: part(2, ""),
    "a fourth part": lambda: good() + ".e30",
    "padding after the signature": lambda: good() + "==",
    "a line break inside": lambda: good().replace(".", ".\n", 1),
    "a letter of another alphabet": lambda: good()[:-1] + "а",
    "alg none without signature": lambda: f"{b64(header(alg='none'))}.{b64(json.dumps(claims()))}.",
    "alg none with our signature": lambda: by_hand(header(alg="none"), json.dumps(claims())),
    "alg nOnE": lambda: by_hand(header(alg="nOnE"), json.dumps(claims())),
    "alg left out": lambda: by_hand(json.dumps({"kid": KID}), json.dumps(claims())),
    "alg a list": lambda: by_hand(header(alg=["EdDSA"]), json.dumps(claims())),
    "HS256 with our public key as PEM": with_hmac_of_the_public_key,
    "HS256 with our public key as bytes": with_hmac_of_the_raw_key,
    "RS256 under our kid": lambda: signed(key=RSA_KEY, algorithm="RS256"),
    "another key under our kid": lambda: signed(key=OTHERS_KEY),
    "another key under its own kid": lambda: signed(key=OTHERS_KEY, kid=kid_of(OTHERS_KEY.public_key())),
    "another key in the header": lambda: signed(
        key=OTHERS_KEY, jwk={"kty": "OKP", "crv": "Ed25519", "x": b64(OTHERS_KEY.public_key().public_bytes_raw())}
    ),
    "another key behind a link": lambda: signed(
        key=OTHERS_KEY, jku="https://example.org/jwks", x5u="https://example.org"
    ),
    "no kid": lambda: by_hand(json.dumps({"alg": "EdDSA"}), json.dumps(claims())),
    "kid a path": lambda: signed(kid="../../../../dev/null"),
    "kid SQL": lambda: signed(kid="' or '1'='1"),
    "kid a list": lambda: by_hand(header(kid=[KID]), json.dumps(claims())),
    "kid an object": lambda: by_hand(header(kid={KID: KID}), json.dumps(claims())),
    "kid null": lambda: by_hand(header(kid=None), json.dumps(claims())),
    "a critical header that we do not know": lambda: by_hand(header(crit=["exp2"], exp2=1), json.dumps(claims())),
    "a detached payload": lambda: by_hand(header(b64=False, crit=["b64"]), json.dumps(claims())),
    "expired": lambda: signed(claims(exp=int(time.time()) - 1)),
    "expiring never": lambda: signed(claims(exp=...)),
    "exp a word": lambda: signed(claims(exp="tomorrow")),
    "exp infinite": lambda: by_hand(header(), json.dumps(claims(exp=float("inf")))),
    "exp an object": lambda: by_hand(header(), json.dumps(claims(exp={}))),
    "not valid yet": lambda: signed(claims(nbf=int(time.time()) + 60)),
    "no nbf": lambda: signed(claims(nbf=...)),
    "issued tomorrow": lambda: signed(claims(iat=int(time.time()) + 86400)),
    "no iat": lambda: signed(claims(iat=...)),
    "for another audience": lambda: signed(claims(aud="billing")),
    "for several audiences": lambda: signed(claims(aud=["call-journal", "billing"])),
    "no audience": lambda: signed(claims(aud=...)),
    "from another issuer": lambda: signed(claims(iss="somebody")),
    "no issuer": lambda: signed(claims(iss=...)),
    "no subject": lambda: signed(claims(sub=...)),
    "subject a number": lambda: by_hand(header(), json.dumps(claims(sub=1))),
    "subject a login": lambda: signed(claims(sub="administrator")),
    "no session": lambda: signed(claims(jti=...)),
    "session not an id": lambda: signed(claims(jti="1")),
    "the payload of somebody else": lambda: part(1, b64(json.dumps(claims(sub=str(uuid4()))))),
    "the payload a list": lambda: by_hand(header(), "[]"),
    "the payload nothing": lambda: by_hand(header(), ""),
    "the payload not JSON": lambda: by_hand(header(), "{"),
    "the payload not UTF-8": lambda: part(1, b64(b"\xff\xfe")),
    "the header a list": lambda: by_hand("[]", json.dumps(claims())),
    "the header deep": lambda: part(0, b64("[" * 600)),
    "the first bit of the signature": lambda: flipped(0),
    "the last bit of the signature": lambda: flipped(63),
    "a signature with more after it": lambda: good() + "AAAA",
    "a megabyte": lambda: by_hand(header(), json.dumps(claims(more="x" * 1_000_000))),
}


def test_a_token_says_who_and_which_session():
    assert TOKENS.read(good()) == WHO


def test_a_token_says_nothing_of_roles_or_names():
    assert set(claims()) == {"iss", "aud", "sub", "jti", "iat", "nbf", "exp"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_is_refused_that_is(attack):
    with pytest.raises(BadToken):
        TOKENS.read(ATTACKS[attack]())


def test_refusing_takes_less_than_twenty_milliseconds():
    for attack in ATTACKS.values():
        token = attack()
        began = time.process_time()
        with pytest.raises(BadToken):
            TOKENS.read(token)
        assert time.process_time() - began < 0.02


def test_a_token_of_a_retired_key_is_read_while_the_key_is_known():
    old = Tokens(OTHERS_KEY).issue(WHO, NOW, NOW + HOUR)
    retired = {kid_of(OTHERS_KEY.public_key()): OTHERS_KEY.public_key()}
    assert Tokens(KEY, retired).read(old) == WHO


def test_the_key_comes_from_a_file(tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert Tokens.from_files(str(file)).read(good()) == WHO


def test_a_key_of_another_kind_is_refused(tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(TypeError, match="not an Ed25519 key"):
        Tokens.from_files(str(file))
