"""Calls to be told of under fault, and what the journal must show of each in the end."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from services.calls.domain import call as domain
from services.calls.domain.returns import CallBack, MissedCall, returned_by
from services.calls.handlers import EVENT_OF_REPORT
from shared.contracts.calls import reports
from shared.contracts.calls.events import CallReturned, CallState, call_id
from shared.contracts.calls.reports import Report
from shared.contracts.values import Direction, Status
from tests.support import scenarios

WINDOW = timedelta(hours=24)
SHAPES = """
    00:00:00 | placed     | inbound {number} -> +380443303018
    00:00:01 | connecting | support
    00:00:02 | ringing    | 101
    00:00:02 | ringing    | 102
    00:00:09 | answered   | 102
    00:00:40 | ended      | by callee, cause 16
    => answered

    00:00:00 | placed     | inbound {number} -> +380443303018
    00:00:02 | ringing    | 101
    00:00:30 | ended      | by caller, cause 16
    => missed

    00:00:00 | placed     | inbound {number} -> +380443303018
    00:00:02 | offline    | 101
    00:00:05 | ended      | by system, cause 20
    => missed_offline

    00:00:00 | placed     | outbound 101 -> {number}
    00:00:03 | ringing    | {number}
    00:00:09 | answered   | {number}
    00:01:00 | ended      | by callee, cause 16
    => answered

    00:00:00 | placed     | outbound 101 -> {number}
    00:00:04 | ended      | by callee, cause 17
    => declined

    00:00:00 | placed     | outbound 101 -> {number}
    00:00:00 | refused    | no_channels
    00:00:01 | ended      | by system
    => no_channels

    00:00:00 | placed     | outbound 101 -> {number}
    00:00:03 | ringing    | {number}
    00:00:09 | answered   | {number}
    00:00:20 | ended      | by system, cause 38
    => network_error
"""


@dataclass(frozen=True)
class Traffic:
    """`told`: report bodies in the order of sending, some twice. `expected`: the state of every call."""

    told: list[dict[str, Any]]
    expected: dict[str, CallState]
    report_ids: set[str]

    def __add__(self, other: "Traffic") -> "Traffic":
        """Both, where no number of the one is in the other."""
        return Traffic(self.told + other.told, self.expected | other.expected, self.report_ids | other.report_ids)


def traffic(tenant: str, events: int, seed: int) -> Traffic:
    """At least `events` reports of calls to and from a few hundred numbers, interleaved and disordered."""
    chance = random.Random(seed)
    calls: dict[str, list[Report]] = {}
    while sum(map(len, calls.values())) < events:
        key = f"chaos-{seed}-{len(calls)}"
        calls[key] = _call(tenant, key, seed, chance)
    queue = [(at + chance.gauss(0, 5), report) for told in calls.values() for at, report in _spread(told, chance)]
    queue += [(at + chance.expovariate(0.1), report) for at, report in chance.sample(queue, len(queue) // 20)]
    ordered = [reports.dump(report) for _, report in sorted(queue, key=lambda entry: entry[0])]
    ids = {report.report_id for told in calls.values() for report in told}
    return Traffic(ordered, _expected(tenant, calls), ids)


def _call(tenant: str, key: str, seed: int, chance: random.Random) -> list[Report]:
    number = f"+38050{seed % 100:02d}{chance.randrange(300):03d}11"
    shape = chance.choice(list(scenarios.read(SHAPES.format(number=number), key)))
    later = timedelta(seconds=chance.randrange(6 * 3600), microseconds=chance.randrange(10**6))
    return [
        Report(
            report_id=report.report_id,
            tenant=tenant,
            call=key,
            type=report.type,
            at=report.at + later,
            data=report.data,
        )
        for report in shape.reports
    ]


def _spread(told: list[Report], chance: random.Random) -> list[tuple[float, Report]]:
    start = chance.random() * 600
    return [(start + 5 * place, report) for place, report in enumerate(told)]


def _expected(tenant: str, calls: dict[str, list[Report]]) -> dict[str, CallState]:
    folded = {key: _fold(tenant, key, told) for key, told in calls.items()}
    states = {key: domain.state(call_id(tenant, key), call) for key, call in folded.items()}
    call_backs: dict[str, list[CallBack]] = defaultdict(list)
    for state in states.values():
        if state.direction is Direction.OUTBOUND and state.answered_at and state.callee:
            call_backs[state.callee].append(CallBack(state.call_id, state.answered_at))
    for key, state in states.items():
        if state.status in (Status.MISSED, Status.MISSED_OFFLINE) and state.caller and state.ended_at:
            missed = MissedCall(state.call_id, state.ended_at, None)
            if found := returned_by(missed, call_backs[state.caller], WINDOW):
                states[key] = _returned(folded[key], state, found.call_id, found.answered_at)
    return {str(state.call_id): state for state in states.values()}


def _fold(tenant: str, key: str, told: list[Report]) -> domain.Call:
    facts = [
        EVENT_OF_REPORT[report.type](
            call_id=call_id(tenant, key), at=report.at, report_id=report.report_id, **report.data
        )
        for report in told
    ]
    return reduce(domain.evolve, facts, domain.INITIAL)


def _returned(call: domain.Call, state: CallState, by: Any, at: datetime) -> CallState:
    event = CallReturned(call_id=state.call_id, returned_by=by, at=at)
    return domain.state(state.call_id, domain.evolve(call, event))
