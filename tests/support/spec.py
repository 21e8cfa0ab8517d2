"""`given(...).when(...).then(...)`: the one way a decision is tested here."""

from collections.abc import Callable
from functools import reduce
from typing import Any

from shared.contracts.errors import Rejected
from shared.contracts.event import Event
from shared.plumbing.decider import Decider
from tests.support.problems import refused


class When:
    def __init__(self, run: Callable[[], list[Event]]) -> None:
        self._run = run

    def then(self, *events: Event) -> None:
        assert self._run() == list(events)

    def then_nothing(self) -> None:
        self.then()

    def then_rejected(self, code: str) -> None:
        with refused(code, Rejected):
            self._run()


class Given:
    def __init__(self, decider: Decider, state: Any) -> None:
        self._decider, self._state = decider, state

    def when(self, command: Any) -> When:
        return When(lambda: self._decider.decide(self._state, command))


class Spec:
    def __init__(self, decider: Decider) -> None:
        self._decider = decider

    def given(self, *events: Event) -> Given:
        return Given(self._decider, reduce(self._decider.evolve, events, self._decider.INITIAL))
