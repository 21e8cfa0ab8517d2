"""An exchange in a few words, for tests: what it would say of calls, second by second."""

from dataclasses import dataclass, field

from shared.feeds.asterisk.stream import Event

STARTED = 1_795_373_800
STATES = {"down": "0", "ring": "4", "ringing": "5", "up": "6"}


@dataclass(frozen=True)
class Leg:
    """A channel; `number` is its Uniqueid's counter, `call` that of the call's first channel."""

    name: str
    number: int
    call: int
    num: str = ""
    exten: str = ""
    label: str = ""
    born: int = 0

    def fields(self, prefix: str = "", **other: str) -> dict[str, str]:
        own = {
            "channel": self.name,
            "uniqueid": f"{STARTED + self.born}.{self.number}",
            "linkedid": f"{STARTED}.{self.call}",
            "calleridnum": self.num or "<unknown>",
            "calleridname": self.label or "<unknown>",
            "exten": self.exten or "s",
        }
        return {f"{prefix}{key}": value for key, value in (own | other).items()}


@dataclass
class Script:
    """Each method says one event at `now`, seconds after the exchange's start; `stamped` as `timestampevents` is."""

    stamped: bool = True
    now: float = 0
    events: list[Event] = field(default_factory=list)

    def at(self, seconds: float) -> "Script":
        self.now = seconds
        return self

    def say(self, name: str, *parts: dict[str, str], **fields: str) -> "Script":
        stamp = {"timestamp": f"{STARTED + self.now:.6f}"} if self.stamped else {}
        event = {"event": name, **stamp}
        for part in (*parts, fields):
            event |= part
        self.events.append(event)
        return self

    def new(self, leg: Leg, state: str = "down") -> "Script":
        return self.say("Newchannel", leg.fields(), channelstate=STATES[state])

    def calls(self, leg: Leg) -> "Script":
        return self.new(leg, "ring")

    def dials(self, caller: Leg, callee: Leg, string: str = "") -> "Script":
        return self.new(callee).say("DialBegin", caller.fields(), callee.fields("dest"), dialstring=string)

    def rings(self, leg: Leg) -> "Script":
        return self.say("Newstate", leg.fields(), channelstate=STATES["ringing"])

    def up(self, leg: Leg) -> "Script":
        return self.say("Newstate", leg.fields(), channelstate=STATES["up"])

    def dial_ends(self, caller: Leg, callee: Leg, status: str) -> "Script":
        return self.say("DialEnd", caller.fields(), callee.fields("dest"), dialstatus=status)

    def talk(self, *legs: Leg, bridge: str = "b1", **fields: str) -> "Script":
        for leg in legs:
            self.say("BridgeEnter", leg.fields(), bridgeuniqueid=bridge, bridgetype="basic", **fields)
        return self

    def hangs_up(self, leg: Leg, cause: int = 16, sip: int | None = None) -> "Script":
        return self.say("HangupRequest", leg.fields(), cause=str(cause), techcause=str(sip or ""))

    def gone(self, *legs: Leg, cause: int = 16, sip: int | None = None) -> "Script":
        for leg in legs:
            self.say("Hangup", leg.fields(), cause=str(cause), techcause=str(sip or ""))
        return self
