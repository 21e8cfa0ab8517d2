"""What the records of all legs have in common: how a report is made of one, and small questions to it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from shared.feeds.asterisk.channels import NO_NUMBER, clean
from shared.feeds.freeswitch.causes import REFUSALS
from shared.feeds.freeswitch.cdr import Cdr, NotUnderstood, Profile

Report = dict[str, Any]
"""`{report_id, tenant, call, type, at, data}`, JSON as it is; `at` is RFC 3339 in UTC with microseconds."""

NOT_REGISTERED = {"USER_NOT_REGISTERED", "SUBSCRIBER_ABSENT"}
NEVER_RANG = REFUSALS | NOT_REGISTERED | {"NO_ROUTE_DESTINATION", "UNALLOCATED_NUMBER", "NORMAL_CIRCUIT_CONGESTION"}


def caller_of(cdr: Cdr) -> str:
    """The uuid of the leg that called: a call's key. mod_callcenter calls its agents itself, but says for whom."""
    if cdr["cc_side"] == "agent":
        return cdr["cc_member_session_uuid"] or cdr.uuid
    originators = (one.get("uuid", "") for profile in reversed(cdr.profiles) for one in profile.originators)
    return next(filter(None, originators), "") or cdr["originating_leg_uuid"] or cdr.uuid


class Teller:
    """Says the reports of one leg, each id once."""

    def __init__(self, cdr: Cdr, tenant: str) -> None:
        self.cdr, self.tenant = cdr, tenant
        placed = cdr.at("start") or next((at for one in reversed(cdr.profiles) if (at := one.at("created"))), None)
        if placed is None:
            raise NotUnderstood("It does not say when the call began: start_uepoch and start_epoch are missing.")
        self.placed_at: datetime = placed
        self.said: set[str] = set()
        self.answered = False

    def say(self, type_: str, at: datetime | None, data: dict[str, Any], of: str = "") -> Iterator[Report]:
        """Whole seconds may tell an instant before the call itself: then it is the call's."""
        report_id = f"{self.cdr.uuid}:{type_}:{of}".rstrip(":")[:128]
        if report_id in self.said:
            return
        self.said.add(report_id)
        self.answered = self.answered or type_ == "answered"
        yield {
            "report_id": report_id,
            "tenant": self.tenant,
            "call": caller_of(self.cdr),
            "type": type_,
            "at": text_of(max(at or self.placed_at, self.placed_at)),
            "data": data,
        }

    def answer(self, party: str, line: str, at: datetime, of: str, inbound: bool) -> Iterator[Report]:
        yield from self.say("answered", at, {"party": party}, of)
        if line and inbound:
            yield from self.say("forwarded", at, {"to": party, "line": line}, of)


def rang_at(profiles: Iterable[Profile]) -> datetime | None:
    """180 or 183, whichever came."""
    return first(min(filter(None, (one.at("progress"), one.at("progress_media"))), default=None) for one in profiles)


def first(instants: Iterable[datetime | None]) -> datetime | None:
    return next(filter(None, instants), None)


def text_of(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def gateway_of(cdr: Cdr) -> str:
    return clean(cdr["sip_gateway_name"] or cdr["sip_gateway"])


def number_of(text: str) -> str:
    number = clean(text)
    return "" if number.lower() in NO_NUMBER or number == "0000000000" else number
