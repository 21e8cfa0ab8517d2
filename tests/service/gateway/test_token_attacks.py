"""Whatever is forged is refused over HTTP too, and soon."""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.gateway.auth.tokens import Claims
from tests.service.gateway.factories import Gateway, found
from tests.support.infrastructure import Stack, emptied
from tests.support.problems import check_problem
from tests.unit.gateway.forgery import ATTACKS, Forger

SOON, TRIES = 0.020, 30
"""Seconds; the machine may be busy with something else, but not each time."""


@pytest.fixture(scope="module")
def forger(stack: Stack, gateway: Gateway) -> Iterator[Forger]:
    """Somebody who has the gateway's key and a session of the operator: all they do is still refused."""
    key = load_pem_private_key(Path(stack.env("gateway")["TOKEN_KEY_FILE"]).read_bytes(), None)
    with emptied(stack, "gateway") as db:
        found(db, "oselia")
        claims = jwt.decode(gateway.token("operator"), options={"verify_signature": False})
        forger = Forger(key, Claims(UUID(claims["sub"]), UUID(claims["jti"])))
        assert gateway("GET", "/api/v1/me", token=forger.good()).status_code == 200
        yield forger


def test_there_are_enough_attacks():
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forged_token_is_refused_soon(gateway: Gateway, forger: Forger, attack):
    took = SOON
    for _ in range(TRIES):
        token = ATTACKS[attack](forger).replace("\n", " ")
        began = time.perf_counter()
        answer = gateway("GET", "/api/v1/me", headers={"Authorization": f"Bearer {token}".encode()})
        took = time.perf_counter() - began
        check_problem(answer, 401)
        if took <= SOON:
            break
    assert took <= SOON


def test_a_token_longer_than_any_header_gets_nobody_in(gateway: Gateway, forger: Forger):
    token = forger.by_hand(forger.header(), forger.body(more="x" * 40_000))
    answer = gateway("GET", "/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert 400 <= answer.status_code < 500
