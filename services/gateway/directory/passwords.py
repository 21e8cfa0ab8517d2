"""Passwords as argon2id. Each call works for some 20 ms with 19 MiB: doors go through `doors.hashing`."""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_nobodys = _hasher.hash("nobody's")


def hash_of(password: str) -> str:
    return _hasher.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Whether the password is the one of the stored hash; for None it is not, after just as long."""
    try:
        return _hasher.verify(stored or _nobodys, password) and stored is not None
    except (VerificationError, ValueError):
        return False


def is_outdated(stored: str) -> bool:
    """Made with other parameters than are used now: to be hashed again while the password is known."""
    return _hasher.check_needs_rehash(stored)
