"""FreeSWITCH's detail records (mod_json_cdr, mod_xml_cdr) into reports.

The leg that called (a) tells the whole call, so that an exchange with `log-b-leg` off loses little; each leg that was
called (b) adds who rang and who answered, to the same call. Whichever comes first, comes twice or never comes: the
reports of one leg are a function of its record alone.
"""

from collections.abc import Iterator

from shared.feeds.asterisk.call import INBOUND
from shared.feeds.asterisk.channels import clean
from shared.feeds.freeswitch.call import DIRECTIONS, Call
from shared.feeds.freeswitch.cdr import Cdr, NotUnderstood, read
from shared.feeds.freeswitch.leg_reports import (
    NOT_REGISTERED,
    Report,
    Teller,
    caller_of,
    first,
    gateway_of,
    number_of,
    rang_at,
)

__all__ = ["NotUnderstood", "Report", "read", "translate"]

LONGEST_UUID = 64
LOOPBACK = "loopback/"


def translate(cdr: Cdr, tenant: str) -> list[Report]:
    """The reports of one leg; none for one that is nobody's. Raises NotUnderstood."""
    if len(cdr.uuid) > LONGEST_UUID:
        raise NotUnderstood(f"Its uuid has more than {LONGEST_UUID} characters.")
    if cdr.first.get("chan_name", "").startswith(LOOPBACK):
        return []
    return [*(Leg(cdr, tenant) if caller_of(cdr) != cdr.uuid else Call(cdr, tenant))]


class Leg(Teller):
    """A leg that was called: it rang, it was answered, or it was not there."""

    def __iter__(self) -> Iterator[Report]:
        cdr, line = self.cdr, gateway_of(self.cdr)
        number = number_of(cdr.first.get("destination_number", ""))
        party = number if line else (clean(cdr["dialed_user"]) or number)
        if not party:
            return
        if cdr["hangup_cause"] in NOT_REGISTERED:
            yield from self.say("offline", self.placed_at, {"party": party})
        elif rang := rang_at(cdr.profiles):
            yield from self.say("ringing", rang, {"party": party})
        bridged = first(profile.at("bridged") for profile in reversed(cdr.profiles)) or cdr.at("bridge")
        if bridged:
            yield from self.answer(party, line, bridged, "", self._inbound())

    def _inbound(self) -> bool:
        """What the leg knows of the call it was made for: whoever called it, and from where."""
        if told := DIRECTIONS.get(self.cdr["call_direction"]):
            return told == INBOUND
        callers = [one for profile in self.cdr.profiles for one in profile.originators]
        return self.cdr["cc_side"] == "agent" or any(one.get("context") == "public" for one in callers)
