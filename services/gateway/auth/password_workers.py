"""Password hashing in native threads, two at a time, so that it does not block the event loop."""

import ctypes
from contextlib import suppress

from eventlet import tpool
from eventlet.semaphore import Semaphore

from services.gateway.directory import passwords

CONCURRENCY = 2
M_MMAP_THRESHOLD = -3
MEBIBYTE = 1024 * 1024
_slots = Semaphore(CONCURRENCY)

# By default glibc keeps the 19 MiB of a hash in every thread of the pool: 400 MiB in total.
with suppress(AttributeError):
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MEBIBYTE)


def is_right(password: str, stored: str | None) -> bool:
    with _slots:
        right: bool = tpool.execute(passwords.is_right, password, stored)
    return right


def hash_of(password: str) -> str:
    with _slots:
        hashed: str = tpool.execute(passwords.hash_of, password)
    return hashed
