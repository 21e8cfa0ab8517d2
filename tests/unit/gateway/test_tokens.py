"""Only a token that we signed, for us, now, with every claim, is a token."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.gateway.auth.tokens import BadToken, Claims, Tokens, UnknownKey, kid_of
from tests.unit.gateway.forgery import ATTACKS, HOUR, OTHERS_KEY, RSA_KEY, UNBEGUN, Forger

KEY = ed25519.Ed25519PrivateKey.generate()
TOKENS = Tokens(KEY)
WHO = Claims(uuid4(), uuid4())
NOW = datetime.now(UTC)
FORGER = Forger(KEY, WHO)
FORGED = {**ATTACKS, "a megabyte": lambda f: f.by_hand(f.header(), f.body(more="x" * 1_000_000))}


def test_a_token_says_who_and_which_session():
    assert TOKENS.read(FORGER.good()) == WHO


def test_a_token_says_nothing_of_roles_or_names():
    assert set(FORGER.claims()) == {"iss", "aud", "sub", "jti", "iat", "nbf", "exp"}


@pytest.mark.parametrize("attack", sorted(set(FORGED) - UNBEGUN))
def test_a_token_is_refused_that_is(attack):
    with pytest.raises(BadToken):
        TOKENS.read(FORGED[attack](FORGER))


def test_refusing_takes_less_than_twenty_milliseconds():
    for attack in set(FORGED) - UNBEGUN:
        token = FORGED[attack](FORGER)
        began = time.process_time()
        with pytest.raises(BadToken):
            TOKENS.read(token)
        assert time.process_time() - began < 0.02


def written(path: Path, key: Any) -> str:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def retired(folder: Path, *keys: Any) -> str:
    folder.mkdir()
    for number, key in enumerate(keys):
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{number}.pem").write_bytes(pem)
    return str(folder)


def test_the_key_comes_from_a_file(tmp_path):
    assert Tokens.from_files(written(tmp_path / "key.pem", KEY)).read(FORGER.good()) == WHO


def test_a_token_of_a_retired_key_is_read_until_it_expires(tmp_path):
    tokens = Tokens.from_files(written(tmp_path / "key.pem", KEY), retired(tmp_path / "retired", OTHERS_KEY))
    assert tokens.read(Tokens(OTHERS_KEY).issue(WHO, NOW, NOW + HOUR)) == WHO
    with pytest.raises(BadToken):
        tokens.read(Tokens(OTHERS_KEY).issue(WHO, NOW - 2 * HOUR, NOW - HOUR))


def test_a_key_that_is_to_come_is_read_before_it_signs(tmp_path):
    old = Tokens.from_files(written(tmp_path / "old.pem", OTHERS_KEY), retired(tmp_path / "known", KEY))
    assert old.read(FORGER.good()) == WHO


def test_new_tokens_are_signed_with_the_new_key(tmp_path):
    tokens = Tokens.from_files(written(tmp_path / "key.pem", KEY), retired(tmp_path / "retired", OTHERS_KEY))
    header = jwt.get_unverified_header(tokens.issue(WHO, NOW, NOW + HOUR))
    assert header["kid"] == kid_of(KEY.public_key())


def test_a_token_of_a_key_that_is_gone_is_refused(tmp_path):
    tokens = Tokens.from_files(written(tmp_path / "key.pem", KEY), retired(tmp_path / "retired"))
    with pytest.raises(UnknownKey):
        tokens.read(Tokens(OTHERS_KEY).issue(WHO, NOW, NOW + HOUR))


def test_a_key_of_another_kind_is_refused(tmp_path):
    with pytest.raises(TypeError, match="not an Ed25519 key"):
        Tokens.from_files(written(tmp_path / "key.pem", RSA_KEY))
    with pytest.raises(TypeError, match="not an Ed25519 public key"):
        Tokens.from_files(written(tmp_path / "good.pem", KEY), retired(tmp_path / "retired", RSA_KEY))
