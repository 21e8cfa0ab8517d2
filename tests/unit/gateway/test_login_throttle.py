"""Who guesses is slowed down, and not whom they guess at. The clock is set; the password is held against a word."""

from dataclasses import dataclass

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from services.gateway.auth.login_throttle import LoginThrottle
from services.gateway.auth.rate_limits import Limiter, LocalBuckets
from services.gateway.domain.limits import MICRO
from shared.http.client_address import Proxies
from shared.http.entrypoint import Problem

CONFIG = {"FAILED_SIGN_INS_PER_ACCOUNT": 5, "FAILED_SIGN_INS_PER_ADDRESS": 20}
HOME, OFFICE = "192.0.2.1", "198.51.100.7"
RIGHT = "соловейко"


@dataclass
class Desk:
    """Where passwords are shown; `looked_at` counts those that were held against the hash."""

    seconds: float = 0.0
    looked_at: int = 0

    def __post_init__(self) -> None:
        shared, own = (LocalBuckets(lambda: round(self.seconds * MICRO)) for _ in range(2))
        self.guesses = LoginThrottle(Limiter(shared, own), Proxies("127.0.0.1"), CONFIG, self._is_right)

    def _is_right(self, password: str, stored: str | None) -> bool:
        self.looked_at += 1
        return stored is not None and password == stored

    def show(self, password: str, login: str = "olha", address: str = HOME, stored: str | None = RIGHT) -> int:
        """200, 401, or 429."""
        request = Request(EnvironBuilder(environ_base={"REMOTE_ADDR": address}).get_environ())
        try:
            return 200 if self.guesses.is_right(request, login, password, stored) else 401
        except Problem as refusal:
            return refusal.status if int(refusal.headers["Retry-After"]) >= 1 else 0


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("wrong", [4, 5, 6])
def test_five_wrong_passwords_of_an_account_in_a_minute_are_the_limit(desk: Desk, wrong):
    assert [desk.show("x") for _ in range(wrong)] == [401] * min(wrong, 5) + [429] * (wrong - 5)
    assert desk.show(RIGHT) == (200 if wrong < 5 else 429)


@pytest.mark.parametrize("wrong", [19, 20, 21])
def test_twenty_wrong_passwords_from_an_address_in_a_minute_are_the_limit(desk: Desk, wrong):
    shown = [desk.show("x", login=f"login-{n}") for n in range(wrong)]
    assert shown == [401] * min(wrong, 20) + [429] * (wrong - 20)
    assert desk.show(RIGHT, login="another") == (200 if wrong < 20 else 429)


def test_right_passwords_do_not_count(desk: Desk):
    assert [desk.show(RIGHT) for _ in range(100)] == [200] * 100


def test_the_wait_that_is_told_is_the_wait(desk: Desk):
    for _ in range(5):
        desk.show("x")
    desk.seconds += 59.9
    assert desk.show(RIGHT) == 429
    desk.seconds += 0.2
    assert desk.show(RIGHT) == 200


def test_who_gets_in_begins_anew(desk: Desk):
    for _ in range(6):
        desk.show("x")
    desk.seconds += 60
    assert desk.show(RIGHT) == 200
    assert [desk.show("x") for _ in range(6)] == [401] * 5 + [429]


def test_what_is_refused_is_not_looked_at(desk: Desk):
    for _ in range(100):
        desk.show("x")
    assert desk.looked_at == 5


def test_an_account_that_is_not_there_is_limited_alike(desk: Desk):
    known = [desk.show("x") for _ in range(7)]
    unknown = [desk.show("x", login="nobody", stored=None) for _ in range(7)]
    assert known == unknown


def test_ten_thousand_guesses_from_one_address_in_ten_minutes_are_few_and_keep_nobody_else_out(desk: Desk):
    for _ in range(10_000):
        desk.show("x", address=OFFICE)
        desk.seconds += 0.06
    assert desk.looked_at <= 60
    assert desk.show(RIGHT, address=HOME) == 200


def test_ten_thousand_guesses_from_as_many_addresses_are_few(desk: Desk):
    for number in range(10_000):
        desk.show("x", address=f"203.0.{number // 250}.{number % 250}")
        desk.seconds += 0.06
    assert desk.looked_at <= 60


def test_guesses_from_everywhere_do_not_keep_out_who_comes_from_where_they_came_before(desk: Desk):
    assert desk.show(RIGHT) == 200
    for number in range(1000):
        desk.show("x", address=f"203.0.{number // 250}.{number % 250}")
    assert desk.show(RIGHT) == 200
    assert desk.show(RIGHT, address=OFFICE) == 429
    desk.seconds += 12
    assert desk.show(RIGHT, address=OFFICE) == 200


def test_after_any_number_of_guesses_the_door_opens_again(desk: Desk):
    for _ in range(500):
        desk.show("x")
        desk.seconds += 60
    desk.seconds += 300
    assert desk.show(RIGHT) == 200
