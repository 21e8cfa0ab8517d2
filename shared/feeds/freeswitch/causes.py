"""FreeSWITCH's hang-up causes as Q.850.

Its own causes, beyond those of Q.850 and numbered above 127, map to the cause that a telephone network would give.
Source: switch_types.h, switch_call_cause_t.
"""

MAX_Q850_CAUSE = 127

FREESWITCH_CAUSES: dict[str, int | None] = {
    "SUCCESS": 16,
    "ORIGINATOR_CANCEL": None,
    "CRASH": 41,
    "SYSTEM_SHUTDOWN": 41,
    "LOSE_RACE": 16,
    "MANAGER_REQUEST": 16,
    "BLIND_TRANSFER": 16,
    "ATTENDED_TRANSFER": 16,
    "ALLOTTED_TIMEOUT": 16,
    "USER_CHALLENGE": 57,
    "MEDIA_TIMEOUT": 102,
    "PICKED_OFF": 16,
    "USER_NOT_REGISTERED": 20,
    "PROGRESS_TIMEOUT": 18,
    "INVALID_GATEWAY": 3,
    "GATEWAY_DOWN": 27,
    "INVALID_URL": 28,
    "INVALID_PROFILE": 3,
    "NO_PICKUP": 19,
    "SRTP_READ_ERROR": 41,
    "BOWOUT": 16,
    "BUSY_EVERYWHERE": 17,
    "DECLINE": 21,
    "DOES_NOT_EXIST_ANYWHERE": 1,
    "NOT_ACCEPTABLE": 88,
    "UNWANTED": 21,
    "NO_IDENTITY": 21,
    "BAD_IDENTITY_INFO": 21,
}
Q850 = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "CHANNEL_UNACCEPTABLE": 6,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "FACILITY_REJECTED": 29,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "FACILITY_NOT_SUBSCRIBED": 50,
    "OUTGOING_CALL_BARRED": 52,
    "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAUTH": 57,
    "BEARERCAPABILITY_NOTAVAIL": 58,
    "SERVICE_UNAVAILABLE": 63,
    "SERVICE_NOT_IMPLEMENTED": 79,
    "INCOMPATIBLE_DESTINATION": 88,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
}
REFUSALS = {"USER_BUSY", "CALL_REJECTED", "BUSY_EVERYWHERE", "DECLINE", "UNWANTED"}


def q850(name: str, number: str = "") -> int | None:
    """The Q.850 cause of a name; for an unknown name, its number if Q.850 has it."""
    if name in FREESWITCH_CAUSES:
        return FREESWITCH_CAUSES[name]
    if name in Q850:
        return Q850[name]
    return int(number) if number.isdecimal() and 0 < int(number) <= MAX_Q850_CAUSE else None
