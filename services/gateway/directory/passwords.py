"""Hash and verify passwords with argon2id.

Each call takes about 20 ms of CPU time and 19 MiB; endpoints call it through `auth.password_workers`.
"""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_dummy_hash = _hasher.hash("nobody's")


def hash_of(password: str) -> str:
    return _hasher.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Whether the password matches the stored hash. False for None, after the same time as for a wrong password."""
    try:
        return _hasher.verify(stored or _dummy_hash, password) and stored is not None
    except (VerificationError, ValueError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's, so that it should be replaced at sign-in."""
    return _hasher.check_needs_rehash(stored)
