"""Cursors: the position after a page, as an opaque text that the client sends to get the next page.

A cursor contains nothing secret and grants no access: the next page is limited to the caller's scope as well.
"""

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from shared.contracts.errors import Invalid

Position = TypeVar("Position")

CALL_LAYOUT = struct.Struct(">B?q16s")
CALL_VERSION, PLACE_VERSION, SUM_VERSION = 1, 2, 3
UUID_BYTES = 16
CHECKSUM_BYTES = 6
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Decimal also accepts an exponent: a few bytes that become a number of millions of digits when formatted.
AMOUNT = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


class CursorCodec(Generic[Position]):
    """Encode positions as URL-safe Base64 of their bytes and a checksum.

    `unpack` is the inverse of `pack`. For bytes that `pack` does not return it may raise ValueError, OverflowError or
    struct.error. `person` separates the checksums of codecs whose bytes can be equal.
    """

    def __init__(
        self,
        pack: Callable[[Position], bytes],
        unpack: Callable[[bytes], Position],
        *,
        person: bytes = b"journal",
        field: str = "cursor",
        error_code: str = "cursor_invalid",
    ) -> None:
        self._pack = pack
        self._unpack = unpack
        self._person = person
        self._field = field
        self._error_code = error_code

    def encode(self, position: Position, context: str = "") -> str:
        """The text is valid only in the same `context`, such as the tenant."""
        packed = self._pack(position)
        checksum = blake2b(packed + context.encode(), digest_size=CHECKSUM_BYTES, person=self._person).digest()
        return urlsafe_b64encode(packed + checksum).decode().rstrip("=")

    def decode(self, text: str, context: str = "") -> Position:
        """Raises Invalid for any text that `encode` does not return in this context."""
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            position = self._unpack(raw[:-CHECKSUM_BYTES])
            # Encoding again checks the checksum and also refuses other spellings of the same position.
            if self.encode(position, context) == text:
                return position
        except (ValueError, OverflowError, struct.error):
            pass
        raise self.invalid()

    def invalid(self) -> Invalid:
        return Invalid(self._error_code, field=self._field)


class Cursor(NamedTuple):
    """The calls placed before this call; with `newer` the calls placed after it."""

    placed_at: datetime
    call_id: UUID
    newer: bool = False


class Place(NamedTuple):
    """The rows after this row in a list that is sorted by a text and then by id."""

    text: str
    id: UUID


class Sum(NamedTuple):
    """The rows after this row in a report that is sorted by amount, then by subject and currency."""

    amount: Decimal
    about: str
    currency: str


def _pack_call(cursor: Cursor) -> bytes:
    position = (cursor.placed_at - EPOCH) // MICROSECOND
    return CALL_LAYOUT.pack(CALL_VERSION, cursor.newer, position, cursor.call_id.bytes)


def _unpack_call(packed: bytes) -> Cursor:
    _, newer, position, call_id = CALL_LAYOUT.unpack(packed)
    return Cursor(EPOCH + position * MICROSECOND, UUID(bytes=call_id), newer)


def _pack_place(place: Place) -> bytes:
    return bytes([PLACE_VERSION]) + place.id.bytes + place.text.encode()


def _unpack_place(packed: bytes) -> Place:
    place = Place(packed[1 + UUID_BYTES :].decode(), UUID(bytes=packed[1 : 1 + UUID_BYTES]))
    _check_storable(place.text)
    return place


def _pack_sum(position: Sum) -> bytes:
    return bytes([SUM_VERSION]) + f"{position.amount:f} {position.currency} {position.about}".encode()


def _unpack_sum(packed: bytes) -> Sum:
    amount, currency, about = packed[1:].decode().split(" ", 2)
    _check_storable(currency + about)
    if not AMOUNT.fullmatch(amount):
        raise ValueError(f"not an amount: {amount}")
    return Sum(Decimal(amount), about, currency)


def _check_storable(text: str) -> None:
    """PostgreSQL cannot compare a text with a null character."""
    if "\0" in text:
        raise ValueError("null character")


CALLS = CursorCodec(_pack_call, _unpack_call)
PLACES = CursorCodec(_pack_place, _unpack_place)
SUMS = CursorCodec(_pack_sum, _unpack_sum)
