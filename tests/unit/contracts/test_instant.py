"""What counts as an instant, and what is kept of it."""

import pytest
from marshmallow import ValidationError

from shared.contracts.wire import Instant, instant

INSTANT = Instant()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2026-11-22T08:15:00Z", "2026-11-22T08:15:00.000000Z"),
        ("2026-11-22t08:15:00.5z", "2026-11-22T08:15:00.500000Z"),
        ("2026-11-22T10:15:00.123456+02:00", "2026-11-22T08:15:00.123456Z"),
        ("2026-11-22 08:15:00.123456789Z", "2026-11-22T08:15:00.123456Z"),
    ],
)
def test_an_instant_is_kept_in_utc_to_the_microsecond(said: str, kept: str) -> None:
    assert instant(INSTANT.deserialize(said)) == kept


@pytest.mark.parametrize(
    "said",
    [
        "2026-W47-1T08:15:00Z",
        "2026-11-22T08:15:00+0200",
        "2026-11-22T08:15:00,5Z",
        "2026-11-22T08:15Z",
        "2026-11-22",
        "2026-02-30T08:15:00Z",
        "2026-11-22T08:15:00",
        "0001-01-01T00:00:00+05:00",
        "1969-12-31T23:59:59Z",
        "٢٠٢٦-11-22T08:15:00Z",
        1795334100,
        None,
    ],
)
def test_what_is_not_rfc_3339_or_has_no_offset_is_no_instant(said: object) -> None:
    with pytest.raises(ValidationError):
        INSTANT.deserialize(said)
