"""The only place that reads the current time. Decisions get the time as an argument; tests set it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_fixed: list[datetime] = []


def now() -> datetime:
    """The current time, in UTC."""
    return _fixed[-1] if _fixed else datetime.now(UTC)


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """For tests: set the time to `at` until the block ends. Blocks of several threads may overlap."""
    _fixed.append(at)
    try:
        yield
    finally:
        _fixed.remove(at)
