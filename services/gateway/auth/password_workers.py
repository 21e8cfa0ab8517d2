"""Passwords beside the event loop: in native threads, two at a time, so that nobody else waits for them."""

import ctypes
from contextlib import suppress

from eventlet import tpool
from eventlet.semaphore import Semaphore

from services.gateway.directory import passwords

AT_ONCE = 2
M_MMAP_THRESHOLD = -3
MEBIBYTE = 1024 * 1024
_free = Semaphore(AT_ONCE)

# Left alone, glibc keeps the 19 MiB of a hash for the next one, in every thread of the pool: 400 MiB.
with suppress(AttributeError):
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MEBIBYTE)


def is_right(password: str, stored: str | None) -> bool:
    with _free:
        right: bool = tpool.execute(passwords.is_right, password, stored)
    return right


def hash_of(password: str) -> str:
    with _free:
        made: str = tpool.execute(passwords.hash_of, password)
    return made
