"""When an event happened: what the stream itself tells, and the moment of receipt where it tells nothing."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.feeds.asterisk.stream import Event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
TOLERATED_SKEW = 2 * SECOND
ZONE_STEP = timedelta(minutes=15)
WIDEST_ZONE = timedelta(hours=15)

_STAMP = re.compile(r"(\d{1,11})(?:\.(\d{1,6})\d*)?")
_CREATED = re.compile(r"(?:^|-)(\d{9,11})\.\d+$")


@dataclass(slots=True, eq=False)
class Clock:
    """One stream's time, UTC.

    An event's `Timestamp` is exact. Without it a channel is created in the second its Uniqueid tells, a CEL record
    tells whole seconds in the exchange's own zone, and anything else has the moment of receipt, unless the stream
    has CEL: then the CEL record of the same happening will tell, and `read` answers None until it comes.
    """

    latest: datetime = EPOCH
    off: timedelta = timedelta()
    """By how much the exchange's clock is ahead of ours, where its events are stamped."""
    _received: datetime = EPOCH
    _tells_time: bool = False
    _skew: timedelta = timedelta()
    _zone: timedelta | None = None

    def read(self, event: Event, received_at: datetime | None) -> datetime | None:
        at = self._told(event, received_at)
        if at and received_at and "timestamp" in event:
            self.off = at - received_at
        if at is None and received_at is not None and not self._tells_time:
            at = received_at + self._skew
        self.advance(at)
        if received_at:
            self._received = received_at + (self.off or self._skew)
        return at

    @property
    def now(self) -> datetime:
        """By the exchange's clock, when what was read last was received; lists of what lives have no stamps."""
        return max(self.latest, self._received)

    def advance(self, at: datetime | None) -> None:
        if at is not None and at > self.latest:
            self.latest = at

    def local(self, text: str) -> datetime | None:
        """The instant of a wall clock reading such as `2026-11-22 18:56:59`."""
        at = _wall_clock(text)
        try:
            return at - (self._zone or timedelta()) if at else None
        except OverflowError:
            return None

    def learn_zone(self, text: str, uniqueid: str) -> None:
        """A channel's first wall clock reading and the epoch in its Uniqueid are one moment."""
        reading, created = _wall_clock(text), created_at(uniqueid)
        if reading and created and abs(reading - created) < WIDEST_ZONE:
            self._zone = round((reading - created) / ZONE_STEP) * ZONE_STEP

    @property
    def knows_zone(self) -> bool:
        return self._zone is not None

    def _told(self, event: Event, received_at: datetime | None) -> datetime | None:
        if stamp := event.get("timestamp"):
            # An answer to a ping tells the time in streams too whose events do not.
            self._tells_time = self._tells_time or "event" in event
            return _stamp(stamp)
        if event.get("event") == "CEL":
            return self._cel(event)
        if event.get("event") == "Newchannel":
            return self._created(event, received_at)
        return None

    def _cel(self, event: Event) -> datetime | None:
        self._tells_time = True
        reading = event.get("eventtime", "")
        if event.get("eventname") == "CHAN_START":
            self.learn_zone(reading, event.get("uniqueid", ""))
        return self.local(reading)

    def _created(self, event: Event, received_at: datetime | None) -> datetime | None:
        created = created_at(event.get("uniqueid", ""))
        if created and received_at:
            skew = created - received_at
            self._skew = skew if abs(skew) > TOLERATED_SKEW else timedelta()
        return created


def created_at(uniqueid: str) -> datetime | None:
    """The second in which a channel was created: `pbx1-1795373819.14` and `1795373819.14` tell it."""
    match = _CREATED.search(uniqueid)
    return EPOCH + int(match[1]) * SECOND if match else None


def within_second(at: datetime) -> datetime:
    """The end of a second of which no more is known: an estimate must not be earlier than the fact it stands for."""
    return at.replace(microsecond=0) + SECOND - MICROSECOND


def _stamp(text: str) -> datetime | None:
    match = _STAMP.fullmatch(text)
    if not match:
        return None
    return EPOCH + timedelta(seconds=int(match[1]), microseconds=int((match[2] or "").ljust(6, "0")))


def _wall_clock(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
