"""Tokens that are none, made by somebody who knows the public key, and worse, by somebody who can sign."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.gateway.auth.tokens import Claims, Tokens, kid_of

OTHERS_KEY = ed25519.Ed25519PrivateKey.generate()
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HOUR = timedelta(hours=1)
Json = dict[str, Any]


def b64(raw: bytes | str) -> str:
    raw = raw.encode() if isinstance(raw, str) else raw
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Forger:
    """Forges tokens for a gateway that signs with `key`, of a session that is good otherwise."""

    key: ed25519.Ed25519PrivateKey
    who: Claims

    @property
    def kid(self) -> str:
        return kid_of(self.key.public_key())

    def good(self) -> str:
        now = datetime.now(UTC)
        return Tokens(self.key).issue(self.who, now, now + HOUR)

    def claims(self, **changed: Any) -> Json:
        payload: Json = jwt.decode(self.good(), options={"verify_signature": False})
        return {name: value for name, value in {**payload, **changed}.items() if value is not ...}

    def signed(self, payload: Any = None, key: Any = None, algorithm: str = "EdDSA", **header: Any) -> str:
        whole = self.claims() if payload is None else payload
        return jwt.encode(whole, key or self.key, algorithm=algorithm, headers={"kid": self.kid, **header})

    def by_hand(self, header: str, payload: str, key: ed25519.Ed25519PrivateKey | None = None) -> str:
        """Signed without asking a library whether it makes sense."""
        signing_input = f"{b64(header)}.{b64(payload)}"
        return f"{signing_input}.{b64((key or self.key).sign(signing_input.encode()))}"

    def header(self, **changed: Any) -> str:
        return json.dumps({"alg": "EdDSA", "typ": "JWT", "kid": self.kid, **changed})

    def body(self, **changed: Any) -> str:
        return json.dumps(self.claims(**changed))

    def with_hmac(self, secret: bytes) -> str:
        signing_input = f"{b64(self.header(alg='HS256'))}.{b64(self.body())}"
        return f"{signing_input}.{b64(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}"

    def pem(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def part(self, number: int, text: str) -> str:
        parts = self.good().split(".")
        parts[number] = text
        return ".".join(parts)

    def flipped(self, number: int) -> str:
        head, payload, signature = self.good().split(".")
        raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
        raw[number] ^= 1
        return f"{head}.{payload}.{b64(bytes(raw))}"

    def expired_after_all(self) -> str:
        """The same claim twice, the good one first."""
        return self.by_hand(self.header(), self.body()[:-1] + f', "exp": {int(time.time()) - 1}}}')


def public(key: ed25519.Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


NOBODY = UUID(int=0)
ATTACKS: dict[str, Callable[[Forger], str]] = {
    "nothing": lambda f: "",
    "a dot": lambda f: ".",
    "two dots": lambda f: "..",
    "words": lambda f: "not a token",
    "no signature part": lambda f: f.good().rpartition(".")[0],
    "an empty signature": lambda f: f.part(2, ""),
    "a fourth part": lambda f: f.good() + ".e30",
    "padding after the signature": lambda f: f.good() + "==",
    "a line break inside": lambda f: f.good().replace(".", ".\n", 1),
    "a letter of another alphabet": lambda f: f.good()[:-1] + "а",
    "alg none without signature": lambda f: f"{b64(f.header(alg='none'))}.{b64(f.body())}.",
    "alg none with our signature": lambda f: f.by_hand(f.header(alg="none"), f.body()),
    "alg nOnE": lambda f: f.by_hand(f.header(alg="nOnE"), f.body()),
    "alg empty": lambda f: f.by_hand(f.header(alg=""), f.body()),
    "alg left out": lambda f: f.by_hand(json.dumps({"kid": f.kid}), f.body()),
    "alg a list": lambda f: f.by_hand(f.header(alg=["EdDSA"]), f.body()),
    "HS256 with our public key as PEM": lambda f: f.with_hmac(f.pem()),
    "HS256 with our public key as bytes": lambda f: f.with_hmac(public(f.key)),
    "HS256 with nothing": lambda f: f.with_hmac(b""),
    "RS256 under our kid": lambda f: f.signed(key=RSA_KEY, algorithm="RS256"),
    "another key under our kid": lambda f: f.signed(key=OTHERS_KEY),
    "another key under its own kid": lambda f: f.signed(key=OTHERS_KEY, kid=kid_of(OTHERS_KEY.public_key())),
    "another key in the header": lambda f: f.signed(
        key=OTHERS_KEY, jwk={"kty": "OKP", "crv": "Ed25519", "x": b64(public(OTHERS_KEY))}
    ),
    "another key behind a link": lambda f: f.signed(
        key=OTHERS_KEY, jku="https://example.org/jwks", x5u="https://example.org"
    ),
    "no kid": lambda f: f.by_hand(json.dumps({"alg": "EdDSA"}), f.body()),
    "kid a path": lambda f: f.signed(kid="../../../../dev/null"),
    "kid SQL": lambda f: f.signed(kid="' or '1'='1"),
    "kid empty": lambda f: f.signed(kid=""),
    "kid a list": lambda f: f.by_hand(f.header(kid=[f.kid]), f.body()),
    "kid an object": lambda f: f.by_hand(f.header(kid={f.kid: f.kid}), f.body()),
    "kid null": lambda f: f.by_hand(f.header(kid=None), f.body()),
    "a critical header that we do not know": lambda f: f.by_hand(f.header(crit=["exp2"], exp2=1), f.body()),
    "a detached payload": lambda f: f.by_hand(f.header(b64=False, crit=["b64"]), f.body()),
    "expired": lambda f: f.signed(f.claims(exp=int(time.time()) - 1)),
    "expired by its second word": lambda f: f.expired_after_all(),
    "expiring never": lambda f: f.signed(f.claims(exp=...)),
    "exp a word": lambda f: f.signed(f.claims(exp="tomorrow")),
    "exp infinite": lambda f: f.by_hand(f.header(), f.body(exp=float("inf"))),
    "exp an object": lambda f: f.by_hand(f.header(), f.body(exp={})),
    "not valid yet": lambda f: f.signed(f.claims(nbf=int(time.time()) + 60)),
    "no nbf": lambda f: f.signed(f.claims(nbf=...)),
    "issued tomorrow": lambda f: f.signed(f.claims(iat=int(time.time()) + 86400)),
    "no iat": lambda f: f.signed(f.claims(iat=...)),
    "for another audience": lambda f: f.signed(f.claims(aud="billing")),
    "for several audiences": lambda f: f.signed(f.claims(aud=["call-journal", "billing"])),
    "no audience": lambda f: f.signed(f.claims(aud=...)),
    "from another issuer": lambda f: f.signed(f.claims(iss="somebody")),
    "no issuer": lambda f: f.signed(f.claims(iss=...)),
    "no subject": lambda f: f.signed(f.claims(sub=...)),
    "subject a number": lambda f: f.by_hand(f.header(), f.body(sub=1)),
    "subject a login": lambda f: f.signed(f.claims(sub="administrator")),
    "subject somebody else": lambda f: f.signed(f.claims(sub=str(NOBODY))),
    "no session": lambda f: f.signed(f.claims(jti=...)),
    "session not an id": lambda f: f.signed(f.claims(jti="1")),
    "session never begun": lambda f: f.signed(f.claims(jti=str(uuid4()))),
    "the payload of somebody else": lambda f: f.part(1, b64(f.body(sub=str(uuid4())))),
    "the payload a list": lambda f: f.by_hand(f.header(), "[]"),
    "the payload nothing": lambda f: f.by_hand(f.header(), ""),
    "the payload not JSON": lambda f: f.by_hand(f.header(), "{"),
    "the payload not UTF-8": lambda f: f.part(1, b64(b"\xff\xfe")),
    "the payload deep": lambda f: f.by_hand(f.header(), "[" * 2000),
    "the header a list": lambda f: f.by_hand("[]", f.body()),
    "the header deep": lambda f: f.part(0, b64("[" * 600)),
    "the first bit of the signature": lambda f: f.flipped(0),
    "the last bit of the signature": lambda f: f.flipped(63),
    "a signature with more after it": lambda f: f.good() + "AAAA",
    "as long as a header may be": lambda f: f.by_hand(f.header(), f.body(more="x" * 5000)),
}
UNBEGUN = frozenset({"subject somebody else", "session never begun"})
"""Well made: only the database knows that there is no such session."""
