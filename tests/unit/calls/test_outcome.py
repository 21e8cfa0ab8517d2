"""The status for each Q.850 cause and SIP code in each situation."""

from dataclasses import replace
from itertools import product

import pytest

from services.calls.domain.outcome import Facts, decide_outcome
from shared.contracts.values import Direction, EndedBy, Status

INBOUND = Facts(direction=Direction.INBOUND, ended=True, ended_by=EndedBy.UNKNOWN)
OUTBOUND = replace(INBOUND, direction=Direction.OUTBOUND)
SITUATIONS = {
    "outbound, never rang": OUTBOUND,
    "outbound, rang": replace(OUTBOUND, rang=True),
    "outbound, dialling timed out": replace(OUTBOUND, rang=True, ended_by=EndedBy.SYSTEM),
    "outbound, talked": replace(OUTBOUND, rang=True, answered=True),
    "inbound, rang": replace(INBOUND, rang=True),
    "inbound, nobody there": INBOUND,
    "inbound, every party offline": replace(INBOUND, offline=True),
    "inbound, talked": replace(INBOUND, rang=True, answered=True),
}
OTHERWISE = {
    "outbound, never rang": (Status.UNKNOWN_ERROR, "nothing_matched"),
    "outbound, rang": (Status.UNKNOWN_ERROR, "nothing_matched"),
    "outbound, dialling timed out": (Status.UNKNOWN_ERROR, "nothing_matched"),
    "outbound, talked": (Status.ANSWERED, "answered_by_party"),
    "inbound, rang": (Status.MISSED, "nobody_picked_up"),
    "inbound, nobody there": (Status.UNKNOWN_ERROR, "nothing_matched"),
    "inbound, every party offline": (Status.MISSED_OFFLINE, "every_party_offline"),
    "inbound, talked": (Status.ANSWERED, "answered_by_party"),
}
RANG = ("outbound, rang", "outbound, dialling timed out")
NOT_REACHED = ("outbound, never rang", *RANG)
TALKED = ("outbound, talked", "inbound, talked")
NOT_ANSWERED = (*NOT_REACHED, "inbound, rang", "inbound, nobody there", "inbound, every party offline")
UNREACHABLE = [1, 3, 18, 19, 20, 22, 27, 28], [404, 408, 410, 480, 484, 502]
TABLE = [
    (NOT_ANSWERED, [34, 42, 44], [503], Status.NO_CHANNELS, "cause_means_no_channels"),
    (NOT_REACHED, [], [487], Status.CANCELLED, "cancelled_by_caller"),
    (NOT_REACHED, [17], [486, 600], Status.DECLINED, "far_end_busy"),
    (NOT_REACHED, [21], [603, 403], Status.DECLINED, "far_end_refused"),
    (["outbound, never rang"], *UNREACHABLE, Status.UNREACHABLE, "never_rang"),
    (RANG, *UNREACHABLE, Status.NO_ANSWER, "rang_unanswered"),
    (["outbound, dialling timed out"], [0, 16, 19], [], Status.NO_ANSWER, "rang_unanswered"),
    (TALKED, [38, 41, 47, 102, 127], [408, 481, *range(500, 600)], Status.NETWORK_ERROR, "torn_down_by_failure"),
]
"""Situation, causes, SIP codes, status, rule: the specification, written by hand."""
EXPECTED = {
    (situation, kind, number): (status, rule)
    for situations, causes, codes, status, rule in TABLE
    for kind, numbers in (("cause", causes), ("sip", codes))
    for situation, number in product(situations, numbers)
}
NUMBERS = {"cause": range(128), "sip": range(100, 700)}


def decided(situation: str, **numbers: int | None) -> tuple[Status, str]:
    outcome = decide_outcome(replace(SITUATIONS[situation], **numbers))
    return outcome.status, outcome.rule


@pytest.mark.parametrize(("situation", "kind", "number"), list(EXPECTED))
def test_each_code_gives_the_status_of_its_row(situation: str, kind: str, number: int) -> None:
    assert decided(situation, **{kind: number}) == EXPECTED[situation, kind, number]


@pytest.mark.parametrize(("situation", "kind"), list(product(SITUATIONS, NUMBERS)))
def test_other_codes_have_no_effect(situation: str, kind: str) -> None:
    without = decided(situation)
    timed_out = situation == "outbound, dialling timed out"
    assert without == ((Status.NO_ANSWER, "rang_unanswered") if timed_out else OTHERWISE[situation])
    # A code alone does not say that the dialling did not time out; a cause does.
    otherwise = without if kind == "sip" else OTHERWISE[situation]
    other = [number for number in NUMBERS[kind] if (situation, kind, number) not in EXPECTED]
    assert {number: decided(situation, **{kind: number}) for number in other} == dict.fromkeys(other, otherwise)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_cause_takes_precedence_over_a_sip_code(situation: str) -> None:
    """Exchanges send 503 for five causes, and 480 for three."""
    for cause, code in ((38, 503), (17, 503), (31, 480), (16, 486), (34, 480)):
        assert decided(situation, cause=cause, sip=code) == decided(situation, cause=cause)
    for code in (503, 480, 486, 481):
        assert decided(situation, cause=0, sip=code) == decided(situation, sip=code)


@pytest.mark.parametrize("situation", [*NOT_REACHED, "outbound, talked"])
def test_an_internal_call_follows_the_rules_of_outbound_ones(situation: str) -> None:
    for kind, numbers in NUMBERS.items():
        for number in numbers:
            outbound = replace(SITUATIONS[situation], **{kind: number})
            assert decide_outcome(replace(outbound, direction=Direction.INTERNAL)) == decide_outcome(outbound)


@pytest.mark.parametrize(("number", "reason"), [(17, "busy"), (21, "declined")])
def test_a_decline_has_its_reason(number: int, reason: str) -> None:
    assert decide_outcome(replace(OUTBOUND, cause=number)).reason == reason
