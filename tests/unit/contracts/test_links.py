"""A link to a sound: two minutes, one key or another, and nothing of it changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.contracts.recordings.links import LIFETIME, BadLink, Keyring, Link, Purpose

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD, NEW = "o" * 40, "n" * 40
LINK = Link(call_id=UUID(int=1), tenant="oselia", caller_id=UUID(int=2), purpose=Purpose.PLAY, name="Дзвінок")
MOMENT = timedelta(microseconds=1)


def read(keyring: Keyring, signed: str, now: datetime = NOON, method: str = "GET") -> Link:
    path, _, query = signed.partition("?")
    return keyring.read(method, path, query, now)


@pytest.mark.parametrize("purpose", Purpose)
def test_what_was_signed_is_read(purpose: Purpose):
    link = replace(LINK, purpose=purpose)
    assert read(Keyring([NEW]), Keyring([NEW]).sign(link, NOON), method=purpose.method) == link


def test_it_is_good_for_two_minutes():
    keyring = Keyring([NEW])
    signed = keyring.sign(LINK, NOON)
    assert timedelta(seconds=120) == LIFETIME
    assert read(keyring, signed, NOON + LIFETIME - MOMENT) == LINK
    with pytest.raises(BadLink):
        read(keyring, signed, NOON + LIFETIME)


def test_keys_are_changed_without_a_link_going_bad():
    before, during, after = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
    assert read(during, before.sign(LINK, NOON)) == LINK
    assert read(after, during.sign(LINK, NOON)) == LINK
    with pytest.raises(BadLink):
        read(after, before.sign(LINK, NOON))


def test_every_caller_call_company_and_purpose_has_a_link_of_its_own():
    others = [
        replace(LINK, call_id=UUID(int=9)),
        replace(LINK, caller_id=UUID(int=9)),
        replace(LINK, tenant="krynytsia"),
        replace(LINK, purpose=Purpose.DOWNLOAD),
    ]
    signatures = {Keyring([NEW]).sign(link, NOON).rpartition(".")[2] for link in [LINK, *others]}
    assert len(signatures) == 5


@pytest.mark.parametrize("keys", [[], ["x" * 31], [NEW, ""]])
def test_a_key_that_could_be_guessed_is_none(keys: list[str]):
    with pytest.raises(ValueError, match="at least 32"):
        Keyring(keys)
