"""Values that several services use."""

from enum import StrEnum


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class EndedBy(StrEnum):
    CALLER = "caller"
    CALLEE = "callee"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    CONNECTING = "connecting"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


class Status(StrEnum):
    """The thirteen outcomes of a call."""

    ANSWERED = "answered"
    UNREACHABLE = "unreachable"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"
    MISSED = "missed"
    RETURNED = "returned"
    UNKNOWN_ERROR = "unknown_error"
    NETWORK_ERROR = "network_error"
    RINGING = "ringing"
    CONNECTING = "connecting"
    NO_CHANNELS = "no_channels"
    MISSED_OFFLINE = "missed_offline"


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    ACCOUNTANT = "accountant"
