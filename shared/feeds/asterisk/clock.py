"""When an event happened: by the stream's own times, or by the time of receipt if it has none."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.feeds.asterisk.stream import Event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
TOLERATED_SKEW = 2 * SECOND
ZONE_STEP = timedelta(minutes=15)
MAX_ZONE_OFFSET = timedelta(hours=15)

_STAMP = re.compile(r"(\d{1,11})(?:\.(\d{1,6})\d*)?")
_CREATED = re.compile(r"(?:^|-)(\d{9,11})\.\d+$")


@dataclass(slots=True, eq=False)
class Clock:
    """One stream's time, UTC.

    An event's `Timestamp` is exact. Without it, a channel is created in the second of its Uniqueid, a CEL record has
    whole seconds in the exchange's own zone, and other events have the time of receipt. If the stream has CEL, `read`
    returns None for other events: a later CEL record has their time.
    """

    latest: datetime = EPOCH
    offset: timedelta = timedelta()
    """By how much the exchange's clock is ahead of ours, if its events have timestamps."""
    _received: datetime = EPOCH
    _has_timestamps: bool = False
    _skew: timedelta = timedelta()
    _zone: timedelta | None = None

    def read(self, event: Event, received_at: datetime | None) -> datetime | None:
        at = self._event_time(event, received_at)
        if at and received_at and "timestamp" in event:
            self.offset = at - received_at
        if at is None and received_at is not None and not self._has_timestamps:
            at = received_at + self._skew
        self.advance(at)
        if received_at:
            self._received = received_at + (self.offset or self._skew)
        return at

    @property
    def now(self) -> datetime:
        """The time by the exchange's clock at the last receipt. Lists of live channels have no timestamps."""
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
        """Compute the zone: a channel's first wall clock reading and the epoch in its Uniqueid are the same instant."""
        reading, created = _wall_clock(text), created_at(uniqueid)
        if reading and created and abs(reading - created) < MAX_ZONE_OFFSET:
            self._zone = round((reading - created) / ZONE_STEP) * ZONE_STEP

    @property
    def knows_zone(self) -> bool:
        return self._zone is not None

    def _event_time(self, event: Event, received_at: datetime | None) -> datetime | None:
        if stamp := event.get("timestamp"):
            # Ping responses have a timestamp even if events have none.
            self._has_timestamps = self._has_timestamps or "event" in event
            return _stamp(stamp)
        if event.get("event") == "CEL":
            return self._cel(event)
        if event.get("event") == "Newchannel":
            return self._created(event, received_at)
        return None

    def _cel(self, event: Event) -> datetime | None:
        self._has_timestamps = True
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
    """The second in which a channel was created: from `pbx1-1795373819.14` or `1795373819.14`."""
    match = _CREATED.search(uniqueid)
    return EPOCH + int(match[1]) * SECOND if match else None


def within_second(at: datetime) -> datetime:
    """The end of a second: an estimate must not be earlier than the true instant."""
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
