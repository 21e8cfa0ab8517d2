"""How `pytest -n` distributes the tests: whole modules, and whole packages where these share a system.

The longest begin first. Those of TIMED run last, on one worker with nothing beside them: what they test is a time.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

PACKAGES = ("tests/browser/", "tests/system/")
"""The modules of each share a system of ten processes, which is started once."""
LONGEST = (
    *PACKAGES,
    "tests/chaos/test_chaos.py",
    "tests/architecture/test_add_a_service.py",
    "tests/service/gateway/test_schemathesis.py",
)
TIMED = (
    "tests/service/gateway/test_stream_in_trouble.py",
    "tests/service/gateway/test_limits.py",
    "tests/service/plumbing/test_rpc_in_trouble.py",
    "tests/service/plumbing/test_runner.py",
)


def scope_of(nodeid: str) -> str:
    """What is run by one worker, in one go."""
    return next((package for package in PACKAGES if nodeid.startswith(package)), nodeid.partition("::")[0])


def order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests as they are to be handed out; all workers must collect them in the same order."""

    def rank(item: pytest.Item) -> int:
        scope = scope_of(item.nodeid)
        if scope in LONGEST:
            return LONGEST.index(scope)
        return len(LONGEST) + (scope in TIMED)

    return sorted(items, key=rank)


class Scheduling(LoadScopeScheduling):
    """Hands out scopes in the order of the collection, and those of TIMED when all other tests are over."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def schedule(self) -> None:
        self.config.option.loadscopereorder = False
        super().schedule()

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        if self._only_timed_are_left and node is not self.nodes[-1]:
            self._reschedule(self.nodes[-1])

    def _reschedule(self, node: Any) -> None:
        if not self._only_timed_are_left or node.shutting_down:
            super()._reschedule(node)
        elif node is not self.nodes[-1]:
            # Without this a worker keeps its last test until it knows of another to run after it.
            node.shutdown()
        elif not any(self._pending_of(self.assigned_work[other]) for other in self.nodes[:-1]):
            super()._reschedule(node)

    @property
    def _only_timed_are_left(self) -> bool:
        return bool(self.workqueue) and next(iter(self.workqueue)) in TIMED


def encodable(report: Any) -> Any:
    """A report as a worker can send it: what was logged or compared may have a lone surrogate in it."""
    match report:
        case str():
            return report.encode("utf-8", "backslashreplace").decode()
        case list() | tuple():
            return type(report)(map(encodable, report))
        case dict():
            return {key: encodable(value) for key, value in report.items()}
    return report
