"""Cursors decode to the position that was encoded, and every other text is refused."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.http.cursors import CALLS, PLACES, SUMS, Cursor, CursorCodec, Place, Sum
from services.gateway.journal import last_event_id
from shared.contracts.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(0), datetime(9999, 12, 31, tzinfo=UTC) - EPOCH).map(EPOCH.__add__)
JOURNAL_POSITIONS = st.builds(Cursor, INSTANTS, st.uuids(), st.booleans())
POSITION = Cursor(datetime(2026, 11, 22, 8, 15, tzinfo=UTC), UUID(int=7))
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(JOURNAL_POSITIONS)
def test_a_journal_cursor_decodes_to_the_encoded_position(cursor):
    assert CALLS.decode(CALLS.encode(cursor)) == cursor


@given(JOURNAL_POSITIONS, JOURNAL_POSITIONS)
def test_different_positions_have_different_cursors(position, other):
    assert (CALLS.encode(position) == CALLS.encode(other)) == (position == other)


@given(JOURNAL_POSITIONS, st.data())
def test_a_journal_cursor_with_a_changed_letter_is_refused(cursor, data):
    text = CALLS.encode(cursor)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != text[place]))
    with pytest.raises(Invalid):
        CALLS.decode(text[:place] + letter + text[place + 1 :])


@given(st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: urlsafe_b64encode(raw).decode().rstrip("=")))
def test_any_other_text_is_refused(text):
    with pytest.raises(Invalid):
        CALLS.decode(text)


@pytest.mark.parametrize(
    "changed",
    [
        CALLS.encode(POSITION) + "=",
        CALLS.encode(POSITION) + "A",
        CALLS.encode(POSITION)[:-1],
        " " + CALLS.encode(POSITION),
        "",
    ],
)
def test_another_spelling_of_a_cursor_is_refused(changed):
    with pytest.raises(Invalid) as refused:
        CALLS.decode(changed)
    assert list(refused.value.errors) == ["cursor"]


def test_a_cursor_of_another_version_is_refused():
    raw = urlsafe_b64decode(CALLS.encode(POSITION) + "==")
    with pytest.raises(Invalid):
        CALLS.decode(urlsafe_b64encode(b"\x02" + raw[1:]).decode().rstrip("="))


LIST_POSITIONS = st.builds(
    Place, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), st.uuids()
)


@given(LIST_POSITIONS)
def test_a_list_cursor_decodes_to_the_encoded_position(place):
    assert PLACES.decode(PLACES.encode(place)) == place


@given(LIST_POSITIONS, st.data())
def test_a_list_cursor_with_a_changed_letter_is_refused(place, data):
    text = PLACES.encode(place)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != text[at]))
    with pytest.raises(Invalid):
        PLACES.decode(text[:at] + letter + text[at + 1 :])


@given(JOURNAL_POSITIONS)
def test_a_journal_cursor_is_refused_by_a_list(cursor):
    with pytest.raises(Invalid):
        PLACES.decode(CALLS.encode(cursor))


@pytest.mark.parametrize("text", ["", "=", "їжак", "AAAA", PLACES.encode(Place("\0", UUID(int=7)))])
def test_a_text_that_is_not_a_list_cursor_is_refused(text):
    with pytest.raises(Invalid):
        PLACES.decode(text)


REPORT_POSITIONS = st.builds(
    Sum,
    st.decimals(0, 10**12, places=6),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    st.sampled_from(["UAH", "EUR"]),
)


@given(REPORT_POSITIONS)
def test_a_report_cursor_decodes_to_the_encoded_position(position):
    assert SUMS.decode(SUMS.encode(position)) == position


@given(REPORT_POSITIONS, st.data())
def test_a_report_cursor_with_a_changed_letter_is_refused(position, data):
    text = SUMS.encode(position)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != text[at]))
    with pytest.raises(Invalid):
        SUMS.decode(text[:at] + letter + text[at + 1 :])


def test_an_amount_with_an_exponent_or_too_many_digits_is_refused():
    for amount in ("1E300000000", "1E-300000000", "NaN", "-Infinity", "0" * 31):
        packed = b"\3" + f"{amount} UAH outbound +380".encode()
        with pytest.raises(Invalid):
            SUMS.decode(CursorCodec[bytes](bytes, bytes).encode(packed))


@given(JOURNAL_POSITIONS, LIST_POSITIONS)
def test_a_journal_or_list_cursor_is_refused_by_a_report(cursor, place):
    for text in (CALLS.encode(cursor), PLACES.encode(place)):
        with pytest.raises(Invalid):
            SUMS.decode(text)


CALL_ID = UUID("0193a5c4-7f10-7c3e-9d20-5a1b2c3d4e5f")
PLACED_AT = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("codec", "text", "position"),
    [
        (CALLS, "AQAABmDZFJrOwAGTpcR_EHw-nSBaGyw9Tl_jkJxSDxo", Cursor(PLACED_AT, CALL_ID)),
        (CALLS, "AQEABmDZFJrOwAGTpcR_EHw-nSBaGyw9Tl-Yd0RFcLo", Cursor(PLACED_AT, CALL_ID, newer=True)),
        (PLACES, "AgGTpcR_EHw-nSBaGyw9Tl_QntC70LXQvdCwsU27I5Kt", Place("Олена", CALL_ID)),
        (PLACES, "AgGTpcR_EHw-nSBaGyw9Tl9hYmN1Q8u4vy4", Place("abc", CALL_ID)),
        (SUMS, "AzEyLjUwIFVBSCArMzgwIDQ0-ixbCLY7", Sum(Decimal("12.50"), "+380 44", "UAH")),
        (SUMS, "AzEwMCBFVVIgslIvk5IJ", Sum(Decimal(100), "", "EUR")),
    ],
)
def test_cursors_of_earlier_releases_stay_valid(codec, text, position):
    assert codec.decode(text) == position
    assert codec.encode(position) == text


@pytest.mark.parametrize(
    ("tenant", "event_id", "feed"),
    [("kyivstar", "AQAAAAAAEtaHOK3_KzZ_", 1234567), ("other", "AQAAAAAAAAAAyef52X4u", 0)],
)
def test_event_ids_of_earlier_releases_stay_valid(tenant, event_id, feed):
    assert last_event_id.encode(tenant, feed) == event_id
    assert last_event_id.decode(tenant, event_id, last_feed=feed) == feed


def test_an_event_id_is_refused_for_another_tenant_and_beyond_the_last_feed_number():
    event_id = last_event_id.encode("kyivstar", 7)
    for tenant, last_feed in (("other", 7), ("kyivstar", 6)):
        with pytest.raises(Invalid) as refused:
            last_event_id.decode(tenant, event_id, last_feed)
        assert list(refused.value.errors) == ["Last-Event-ID"]
