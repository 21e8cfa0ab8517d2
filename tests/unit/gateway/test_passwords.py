"""Passwords are kept as argon2id and never as they are."""

import statistics
import time

import argon2

from services.gateway.directory import passwords


def test_the_right_password_is_right():
    assert passwords.is_right("сезам", passwords.hash_of("сезам"))


def test_another_password_is_wrong():
    assert not passwords.is_right("сезаm", passwords.hash_of("сезам"))


def test_nobody_has_no_password_not_even_the_one_that_is_verified_in_vain():
    assert not passwords.is_right("nobody's", None)


def test_the_same_password_is_never_kept_as_the_same_text():
    assert passwords.hash_of("сезам") != passwords.hash_of("сезам")


def test_what_is_kept_is_argon2id_of_19_mebibytes():
    assert passwords.hash_of("сезам").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_what_is_not_a_hash_matches_nothing():
    assert not passwords.is_right("сезам", "сезам")
    assert not passwords.is_right("sesame", "sesame")


def test_a_hash_of_weaker_parameters_still_opens_and_is_outdated():
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("сезам")
    assert passwords.is_right("сезам", weaker)
    assert passwords.is_outdated(weaker)
    assert not passwords.is_outdated(passwords.hash_of("сезам"))


def test_it_takes_as_long_when_there_is_nobody_of_that_name():
    somebodys = passwords.hash_of("сезам")
    taken: dict[str | None, list[float]] = {somebodys: [], None: []}
    for stored in [somebodys, None] * 20:
        began = time.perf_counter()
        passwords.is_right("не сезам", stored)
        taken[stored].append(time.perf_counter() - began)
    known, unknown = (statistics.median(times) for times in taken.values())
    assert abs(known - unknown) < 0.5 * known
