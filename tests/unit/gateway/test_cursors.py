"""A cursor leads back to where it was made, and nothing else is a cursor."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.http import cursors
from services.gateway.http.cursors import (
    Cursor,
    Place,
    Sum,
    decode,
    decode_place,
    decode_sum,
    encode,
    encode_place,
    encode_sum,
)
from shared.contracts.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(0), datetime(9999, 12, 31, tzinfo=UTC) - EPOCH).map(EPOCH.__add__)
CURSORS = st.builds(Cursor, INSTANTS, st.uuids(), st.booleans())
ONE = Cursor(datetime(2026, 11, 22, 8, 15, tzinfo=UTC), UUID(int=7))
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(CURSORS)
def test_a_cursor_is_read_as_it_was_written(cursor):
    assert decode(encode(cursor)) == cursor


@given(CURSORS, CURSORS)
def test_different_places_have_different_cursors(one, other):
    assert (encode(one) == encode(other)) == (one == other)


@given(CURSORS, st.data())
def test_a_cursor_with_one_letter_changed_is_not_ours(cursor, data):
    word = encode(cursor)
    place = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != word[place]))
    with pytest.raises(Invalid):
        decode(word[:place] + letter + word[place + 1 :])


@given(st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: urlsafe_b64encode(raw).decode().rstrip("=")))
def test_what_we_have_not_made_is_not_ours(word):
    with pytest.raises(Invalid):
        decode(word)


@pytest.mark.parametrize("changed", [encode(ONE) + "=", encode(ONE) + "A", encode(ONE)[:-1], " " + encode(ONE), ""])
def test_a_cursor_is_written_in_one_way_only(changed):
    with pytest.raises(Invalid) as refused:
        decode(changed)
    assert list(refused.value.errors) == ["cursor"]


def test_a_cursor_of_another_version_is_not_ours():
    raw = urlsafe_b64decode(encode(ONE) + "==")
    with pytest.raises(Invalid):
        decode(urlsafe_b64encode(b"\x02" + raw[1:]).decode().rstrip("="))


PLACES = st.builds(Place, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), st.uuids())


@given(PLACES)
def test_a_place_in_a_list_is_read_as_it_was_written(place):
    assert decode_place(encode_place(place)) == place


@given(PLACES, st.data())
def test_a_place_with_one_letter_changed_is_not_ours(place, data):
    word = encode_place(place)
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != word[at]))
    with pytest.raises(Invalid):
        decode_place(word[:at] + letter + word[at + 1 :])


@given(CURSORS)
def test_a_place_in_the_journal_is_none_in_a_list(cursor):
    with pytest.raises(Invalid):
        decode_place(encode(cursor))


@pytest.mark.parametrize("word", ["", "=", "їжак", "AAAA", encode_place(Place("\0", UUID(int=7)))])
def test_what_is_no_place_is_refused(word):
    with pytest.raises(Invalid):
        decode_place(word)


SUMS = st.builds(
    Sum,
    st.decimals(0, 10**12, places=6),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    st.sampled_from(["UAH", "EUR"]),
)


@given(SUMS)
def test_a_place_in_a_report_is_read_as_it_was_written(one):
    assert decode_sum(encode_sum(one)) == one


@given(SUMS, st.data())
def test_a_place_in_a_report_with_one_letter_changed_is_not_ours(one, data):
    word = encode_sum(one)
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != word[at]))
    with pytest.raises(Invalid):
        decode_sum(word[:at] + letter + word[at + 1 :])


def test_a_short_cursor_does_not_become_a_long_number():
    for amount in ("1E300000000", "1E-300000000", "NaN", "-Infinity", "0" * 31):
        packed = bytes([cursors.SUM]) + f"{amount} UAH outbound +380".encode()
        with pytest.raises(Invalid):
            decode_sum(urlsafe_b64encode(packed + cursors._check(packed)).decode().rstrip("="))


@given(CURSORS, PLACES)
def test_a_place_in_the_journal_or_a_list_is_none_in_a_report(cursor, place):
    for word in (encode(cursor), encode_place(place)):
        with pytest.raises(Invalid):
            decode_sum(word)
