"""Random phone numbers, in the forms in which an exchange receives them."""

from collections.abc import Callable
from random import Random

import phonenumbers

WITHHELD = ""
MOBILE_CODES = ("50", "63", "66", "67", "68", "73", "93", "95", "96", "97", "98", "99")
LANDLINES = ("44", "32", "48", "57", "56", "61", "43", "34")
ABROAD = (("48", "50", 7), ("49", "151", 8), ("420", "60", 7), ("44", "7400", 6), ("1", "212", 7), ("39", "347", 7))


def mobile(rng: Random) -> str:
    return f"+380{rng.choice(MOBILE_CODES)}{random_digits(rng, 7)}"


def landline(rng: Random) -> str:
    return _valid(lambda: f"+380{rng.choice(LANDLINES)}{random_digits(rng, 7)}")


def foreign(rng: Random) -> str:
    country, network, length = rng.choice(ABROAD)
    return _valid(lambda: f"+{country}{network}{random_digits(rng, length)}")


def random_digits(rng: Random, length: int) -> str:
    return f"{rng.randrange(10**length):0{length}}"


def is_valid(number: str) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(number))


def as_dialled(rng: Random, number: str) -> str:
    """People dial `0501234567` more often than `+380501234567`."""
    return number.replace("+380", "0", 1) if rng.random() < 0.6 else number


def as_presented(rng: Random, number: str) -> str:
    """Some trunks leave out the plus of a caller's number."""
    return number.removeprefix("+") if number.startswith("+380") and rng.random() < 0.2 else number


def _valid(candidate: Callable[[], str]) -> str:
    while not is_valid(number := candidate()):
        pass
    return number
