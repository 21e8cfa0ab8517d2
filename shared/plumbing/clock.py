"""The one place that asks what time it is. Decisions are given the time; tests set it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_fixed: list[datetime] = []


def now() -> datetime:
    return _fixed[-1] if _fixed else datetime.now(UTC)


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """For tests: it is `at` until the block ends, in whatever order the blocks of several threads do."""
    _fixed.append(at)
    try:
        yield
    finally:
        _fixed.remove(at)
