"""The one place that asks what time it is. Decisions are given the time; tests set it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_fixed: datetime | None = None


def now() -> datetime:
    return _fixed or datetime.now(UTC)


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """For tests: it is `at` until the block ends."""
    global _fixed
    before, _fixed = _fixed, at
    try:
        yield
    finally:
        _fixed = before
