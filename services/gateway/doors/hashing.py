"""Passwords beside the event loop: in native threads, two at a time, so that nobody else waits for them."""

from eventlet import tpool
from eventlet.semaphore import Semaphore

from services.gateway import passwords

AT_ONCE = 2
_free = Semaphore(AT_ONCE)


def is_right(password: str, stored: str | None) -> bool:
    with _free:
        right: bool = tpool.execute(passwords.is_right, password, stored)
    return right


def hash_of(password: str) -> str:
    with _free:
        made: str = tpool.execute(passwords.hash_of, password)
    return made
