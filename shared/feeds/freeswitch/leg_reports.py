"""Make reports of the record of a leg, and read values that all legs have."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from shared.feeds.asterisk.channels import NO_NUMBER, clean
from shared.feeds.freeswitch.causes import REFUSALS
from shared.feeds.freeswitch.cdr import Cdr, InvalidRecord, Profile

Report = dict[str, Any]
"""`{report_id, tenant, call, type, at, data}`, JSON as it is; `at` is RFC 3339 in UTC with microseconds."""

NOT_REGISTERED = {"USER_NOT_REGISTERED", "SUBSCRIBER_ABSENT"}
NEVER_RANG = REFUSALS | NOT_REGISTERED | {"NO_ROUTE_DESTINATION", "UNALLOCATED_NUMBER", "NORMAL_CIRCUIT_CONGESTION"}


def caller_of(cdr: Cdr) -> str:
    """The uuid of the calling leg: a call's key. mod_callcenter calls agents itself and has it in a variable."""
    if cdr["cc_side"] == "agent":
        return cdr["cc_member_session_uuid"] or cdr.uuid
    originators = (caller.get("uuid", "") for profile in reversed(cdr.profiles) for caller in profile.originators)
    return next(filter(None, originators), "") or cdr["originating_leg_uuid"] or cdr.uuid


class LegReporter:
    """Makes the reports of one leg, each report_id once."""

    def __init__(self, cdr: Cdr, tenant: str) -> None:
        self.cdr, self.tenant = cdr, tenant
        placed = cdr.at("start") or first(profile.at("created") for profile in reversed(cdr.profiles))
        if placed is None:
            raise InvalidRecord("It has no start time: start_uepoch and start_epoch are missing.")
        self.placed_at: datetime = placed
        self.reported: set[str] = set()
        self.answered = False

    def report(self, type_: str, at: datetime | None, data: dict[str, Any], of: str = "") -> Iterator[Report]:
        """Make a report. An instant in whole seconds may precede the start of the call: then use the start."""
        report_id = f"{self.cdr.uuid}:{type_}:{of}".rstrip(":")[:128]
        if report_id in self.reported:
            return
        self.reported.add(report_id)
        self.answered = self.answered or type_ == "answered"
        yield {
            "report_id": report_id,
            "tenant": self.tenant,
            "call": caller_of(self.cdr),
            "type": type_,
            "at": format_instant(max(at or self.placed_at, self.placed_at)),
            "data": data,
        }

    def report_answer(self, party: str, line: str, at: datetime, of: str, inbound: bool) -> Iterator[Report]:
        yield from self.report("answered", at, {"party": party}, of)
        if line and inbound:
            yield from self.report("forwarded", at, {"to": party, "line": line}, of)


def first_rang_at(profiles: Iterable[Profile]) -> datetime | None:
    """When the first leg rang: the earlier of 180 and 183."""
    return first(
        min(filter(None, (profile.at("progress"), profile.at("progress_media"))), default=None) for profile in profiles
    )


def first(instants: Iterable[datetime | None]) -> datetime | None:
    return next(filter(None, instants), None)


def format_instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def gateway_of(cdr: Cdr) -> str:
    return clean(cdr["sip_gateway_name"] or cdr["sip_gateway"])


def number_of(text: str) -> str:
    number = clean(text)
    return "" if number.lower() in NO_NUMBER or number == "0000000000" else number
