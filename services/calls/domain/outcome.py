"""The thirteen statuses: decide the status, phase, rule and reason of a call from its facts.

Cause numbers are ITU-T Q.850 (05/2018), §2.2; status codes are those of RFC 3261, §21.
"""

from dataclasses import dataclass

from shared.contracts.values import Direction, EndedBy, Phase, Status

BUSY_CAUSES, REFUSED_CAUSES = {17}, {21}
BUSY_CODES, REFUSED_CODES = {486, 600}, {603, 403}
NO_CHANNEL_CAUSES, NO_CHANNEL_CODES = {34, 42, 44}, {503}
UNREACHABLE_CAUSES = {1, 3, 18, 19, 20, 22, 27, 28}
UNREACHABLE_CODES = {404, 408, 410, 480, 484, 502}
FAILURE_CAUSES = {38, 41, 47, 102, 127}
FAILURE_CODES = {408, 481, *range(500, 600)}
TIMEOUT_CAUSES = {None, 0, 16}
"""Cause 19 also means a timeout; it is in UNREACHABLE_CAUSES."""
CANCEL_CODE = 487


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of a call that its status depends on."""

    direction: Direction | None = None
    rang: bool = False
    offline: bool = False
    group_was_searched: bool = False
    answered: bool = False
    refused: bool = False
    ended: bool = False
    given_up: bool = False
    ended_by: EndedBy | None = None
    cause: int | None = None
    sip: int | None = None
    returned: bool = False

    def failed_with(self, causes: set[int], codes: set[int]) -> bool:
        """A Q.850 cause takes precedence over the SIP code: exchanges send 503 for five causes and 480 for three."""
        return self.cause in causes if self.cause else self.sip in codes


@dataclass(frozen=True, slots=True)
class Outcome:
    status: Status
    phase: Phase
    rule: str
    reason: str | None = None


def decide_outcome(facts: Facts) -> Outcome:
    if not facts.ended:
        return _live(facts)
    if not facts.answered and (outcome := _no_channels(facts)):
        return outcome
    if facts.answered:
        return _answered(facts)
    if facts.direction is Direction.INBOUND:
        return _missed(facts) or _ended(Status.UNKNOWN_ERROR, "nothing_matched")
    if facts.direction is None:
        return _ended(Status.UNKNOWN_ERROR, "not_placed")
    return _outbound_unanswered(facts) or _ended(Status.UNKNOWN_ERROR, "nothing_matched")


def _ended(status: Status, rule: str, reason: str | None = None) -> Outcome:
    return Outcome(status, Phase.ENDED, rule, reason)


def _live(facts: Facts) -> Outcome:
    if facts.answered:
        return Outcome(Status.ANSWERED, Phase.TALKING, "answered_by_party")
    if facts.rang:
        return Outcome(Status.RINGING, Phase.RINGING, "party_is_alerted")
    return Outcome(Status.CONNECTING, Phase.CONNECTING, "nobody_alerted_yet")


def _no_channels(facts: Facts) -> Outcome | None:
    if facts.refused:
        return _ended(Status.NO_CHANNELS, "refused_for_channels")
    if facts.failed_with(NO_CHANNEL_CAUSES, NO_CHANNEL_CODES):
        return _ended(Status.NO_CHANNELS, "cause_means_no_channels")
    return None


def _answered(facts: Facts) -> Outcome:
    if facts.given_up:
        return _ended(Status.NETWORK_ERROR, "given_up_by_watchdog")
    if facts.failed_with(FAILURE_CAUSES, FAILURE_CODES):
        return _ended(Status.NETWORK_ERROR, "torn_down_by_failure")
    return _ended(Status.ANSWERED, "answered_by_party")


def _missed(facts: Facts) -> Outcome | None:
    if facts.offline and not facts.rang:
        missed = _ended(Status.MISSED_OFFLINE, "every_party_offline")
    elif facts.rang:
        missed = _ended(Status.MISSED, "nobody_picked_up")
    elif facts.group_was_searched:
        missed = _ended(Status.MISSED, "group_found_nobody")
    else:
        return None
    return _ended(Status.RETURNED, "called_back") if facts.returned else missed


def _outbound_unanswered(facts: Facts) -> Outcome | None:
    if facts.ended_by is EndedBy.CALLER or facts.failed_with(set(), {CANCEL_CODE}):
        return _ended(Status.CANCELLED, "cancelled_by_caller")
    if facts.failed_with(BUSY_CAUSES, BUSY_CODES):
        return _ended(Status.DECLINED, "far_end_busy", "busy")
    if facts.failed_with(REFUSED_CAUSES, REFUSED_CODES):
        return _ended(Status.DECLINED, "far_end_refused", "declined")
    unreachable = facts.failed_with(UNREACHABLE_CAUSES, UNREACHABLE_CODES)
    timed_out = facts.ended_by is EndedBy.SYSTEM and facts.cause in TIMEOUT_CAUSES
    if facts.rang and (unreachable or timed_out):
        return _ended(Status.NO_ANSWER, "rang_unanswered")
    if unreachable:
        return _ended(Status.UNREACHABLE, "never_rang")
    return None
