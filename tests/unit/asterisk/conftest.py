"""Spools that are closed when their test is over."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from services.asterisk.spool import Spool


@pytest.fixture
def open_spool() -> Iterator[Callable[..., Spool]]:
    with ExitStack() as opened:
        yield lambda *how, **more: opened.enter_context(closing(Spool(*how, **more)))
