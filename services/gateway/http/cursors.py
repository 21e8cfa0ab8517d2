"""Where a page ended, as a word that only we can read: opaque, and checked to the last bit.

It holds nothing secret and gives no right: whoever comes with it sees what their scope allows.
"""

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from shared.contracts.errors import Invalid

LAYOUT = struct.Struct(">B?q16s")
VERSION, PLACE, SUM = 1, 2, 3
ID_LENGTH = 16
CHECK_LENGTH = 6
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# A number with an exponent is short here, and of any length when it is written out.
AMOUNT = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


class Cursor(NamedTuple):
    """The calls on one side of a call: those placed before it, or `newer` ones."""

    placed_at: datetime
    call_id: UUID
    newer: bool = False


class Place(NamedTuple):
    """What comes after this in a list that is sorted by a text, and by the id where texts are equal."""

    text: str
    id: UUID


class Sum(NamedTuple):
    """What comes after this in a report: sums in their order, of one amount by what they are about and currency."""

    amount: Decimal
    about: str
    currency: str


def encode(cursor: Cursor) -> str:
    position = (cursor.placed_at - EPOCH) // MICROSECOND
    packed = LAYOUT.pack(VERSION, cursor.newer, position, cursor.call_id.bytes)
    return urlsafe_b64encode(packed + _check(packed)).decode().rstrip("=")


def decode(word: str) -> Cursor:
    """Raises Invalid for anything that `encode` has not made."""
    try:
        raw = urlsafe_b64decode(word + "=" * (-len(word) % 4))
        version, newer, position, call_id = LAYOUT.unpack(raw[:-CHECK_LENGTH])
        cursor = Cursor(EPOCH + position * MICROSECOND, UUID(bytes=call_id), newer)
        if version == VERSION and encode(cursor) == word:
            return cursor
    except (NotBase64, struct.error, OverflowError, ValueError):
        pass
    raise Invalid("cursor_invalid", field="cursor")


def encode_place(place: Place) -> str:
    packed = bytes([PLACE]) + place.id.bytes + place.text.encode()
    return urlsafe_b64encode(packed + _check(packed)).decode().rstrip("=")


def decode_place(word: str) -> Place:
    """Raises Invalid for anything that `encode_place` has not made."""
    try:
        raw = urlsafe_b64decode(word + "=" * (-len(word) % 4))[:-CHECK_LENGTH]
        place = Place(raw[1 + ID_LENGTH :].decode(), UUID(bytes=raw[1 : 1 + ID_LENGTH]))
        if "\0" not in place.text and encode_place(place) == word:
            return place
    except (NotBase64, ValueError):
        pass
    raise Invalid("cursor_invalid", field="cursor")


def encode_sum(one: Sum) -> str:
    packed = bytes([SUM]) + f"{one.amount:f} {one.currency} {one.about}".encode()
    return urlsafe_b64encode(packed + _check(packed)).decode().rstrip("=")


def decode_sum(word: str) -> Sum:
    """Raises Invalid for anything that `encode_sum` has not made."""
    try:
        raw = urlsafe_b64decode(word + "=" * (-len(word) % 4))[:-CHECK_LENGTH]
        amount, currency, about = raw[1:].decode().split(" ", 2)
        if "\0" not in currency + about and AMOUNT.fullmatch(amount):
            one = Sum(Decimal(amount), about, currency)
            if encode_sum(one) == word:
                return one
    except (NotBase64, ValueError):
        pass
    raise Invalid("cursor_invalid", field="cursor")


def _check(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=CHECK_LENGTH, person=b"journal").digest()
