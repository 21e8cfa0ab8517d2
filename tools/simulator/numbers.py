"""Phone numbers as the exchange meets them."""

from collections.abc import Callable
from random import Random

import phonenumbers

WITHHELD = ""
MOBILE_CODES = ("50", "63", "66", "67", "68", "73", "93", "95", "96", "97", "98", "99")
LANDLINES = ("44", "32", "48", "57", "56", "61", "43", "34")
ABROAD = (("48", "50", 7), ("49", "151", 8), ("420", "60", 7), ("44", "7400", 6), ("1", "212", 7), ("39", "347", 7))


def mobile(dice: Random) -> str:
    return f"+380{dice.choice(MOBILE_CODES)}{digits(dice, 7)}"


def landline(dice: Random) -> str:
    return _valid(lambda: f"+380{dice.choice(LANDLINES)}{digits(dice, 7)}")


def foreign(dice: Random) -> str:
    country, network, length = dice.choice(ABROAD)
    return _valid(lambda: f"+{country}{network}{digits(dice, length)}")


def digits(dice: Random, length: int) -> str:
    return f"{dice.randrange(10**length):0{length}}"


def is_valid(number: str) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(number))


def as_dialled(dice: Random, number: str) -> str:
    """A person dials `0501234567` more often than `+380501234567`."""
    return number.replace("+380", "0", 1) if dice.random() < 0.6 else number


def as_presented(dice: Random, number: str) -> str:
    """Some trunks leave out the plus of a caller's number."""
    return number.removeprefix("+") if number.startswith("+380") and dice.random() < 0.2 else number


def _valid(candidate: Callable[[], str]) -> str:
    while not is_valid(number := candidate()):
        pass
    return number
