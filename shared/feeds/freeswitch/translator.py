"""Translate FreeSWITCH's detail records (mod_json_cdr, mod_xml_cdr) into reports.

The calling leg (a) describes the whole call, so that an exchange with `log-b-leg` off loses little. Each called leg
(b) adds who rang and who answered to the same call. The reports of a leg depend on its record alone, so records may
arrive in any order, twice or never.
"""

from collections.abc import Iterator

from shared.feeds.asterisk.call import INBOUND
from shared.feeds.asterisk.channels import clean
from shared.feeds.freeswitch.call import DIRECTIONS, Call
from shared.feeds.freeswitch.cdr import Cdr, InvalidRecord, read
from shared.feeds.freeswitch.leg_reports import (
    NOT_REGISTERED,
    LegReporter,
    Report,
    caller_of,
    first,
    first_rang_at,
    gateway_of,
    number_of,
)

__all__ = ["InvalidRecord", "Report", "read", "translate"]

MAX_UUID_LENGTH = 64
LOOPBACK = "loopback/"


def translate(cdr: Cdr, tenant: str) -> list[Report]:
    """The reports of one leg; none for a loopback leg. Raises InvalidRecord."""
    if len(cdr.uuid) > MAX_UUID_LENGTH:
        raise InvalidRecord(f"Its uuid has more than {MAX_UUID_LENGTH} characters.")
    if cdr.first.get("chan_name", "").startswith(LOOPBACK):
        return []
    return [*(Leg(cdr, tenant) if caller_of(cdr) != cdr.uuid else Call(cdr, tenant))]


class Leg(LegReporter):
    """The reports of a called leg: it rang, answered or was offline."""

    def __iter__(self) -> Iterator[Report]:
        cdr, line = self.cdr, gateway_of(self.cdr)
        number = number_of(cdr.first.get("destination_number", ""))
        party = number if line else (clean(cdr["dialed_user"]) or number)
        if not party:
            return
        if cdr["hangup_cause"] in NOT_REGISTERED:
            yield from self.report("offline", self.placed_at, {"party": party})
        elif rang_at := first_rang_at(cdr.profiles):
            yield from self.report("ringing", rang_at, {"party": party})
        bridged = first(profile.at("bridged") for profile in reversed(cdr.profiles)) or cdr.at("bridge")
        if bridged:
            yield from self.report_answer(party, line, bridged, "", self._inbound())

    def _inbound(self) -> bool:
        """Is the call inbound, by what the leg's record has of its caller?"""
        if direction := DIRECTIONS.get(self.cdr["call_direction"]):
            return direction == INBOUND
        callers = [caller for profile in self.cdr.profiles for caller in profile.originators]
        return self.cdr["cc_side"] == "agent" or any(caller.get("context") == "public" for caller in callers)
