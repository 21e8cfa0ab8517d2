"""A price list as spreadsheets save it, and what is said of one that cannot be taken."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from services.billing import rate_csv
from services.billing.schemas import COLUMNS, MAX_INVALID_RATES, RATE, checked, loaded
from shared.contracts.billing.events import Rate
from shared.contracts.errors import Invalid
from shared.contracts.values import Direction
from tests.support.problems import field_codes

HEADING = "direction,prefix,per_minute"
KYIVSTAR = Rate(direction=Direction.OUTBOUND, prefix="+38067", per_minute=Decimal("1.20"))


def errors(text: str | bytes) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refused:
        rate_csv.read(text.encode() if isinstance(text, str) else text)
    assert refused.value.code == "file_has_errors"
    return field_codes(refused.value.errors)


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADING}\noutbound,+38067,1.20\n".encode(),
        f"{HEADING}\r\noutbound,+38067,1.20\r\n\r\n".encode("utf-8-sig"),
        b"direction;prefix;per_minute\noutbound;+38067;1,20",
        f"{HEADING}\noutbound,+38067,1.20".encode("utf-16"),
        b"Direction\tPREFIX\tper_minute\noutbound\t+38067\t1.20\n",
        b'per_minute,direction,prefix\n"1,20",outbound,"+38067"\n',
        b"direction,prefix,per_minute,line,free_seconds\noutbound , +38067,1.20,,\n",
        b"\r\n;;\r\ndirection;prefix;per_minute\r\noutbound;+38067;1,20\r\n",
        f"{HEADING}\routbound,+38067,1.20\r".encode(),
    ],
    ids=["commas", "BOM", "semicolons", "utf-16", "tabs", "quotes", "empty cells", "blank lines", "carriage returns"],
)
def test_a_price_list_is_read_as_spreadsheets_save_it(content: bytes) -> None:
    assert rate_csv.read(content) == [KYIVSTAR]


def test_cp1251_is_read_too() -> None:
    [rate] = rate_csv.read("direction;prefix;per_minute;line\ninbound;;0,5;Лінія Київ\n".encode("cp1251"))
    assert (rate.line, rate.prefix, rate.per_minute) == ("Лінія Київ", "", Decimal("0.5"))


def test_what_is_no_text_is_named_by_its_line_behind_a_mark_of_the_encoding_too() -> None:
    with pytest.raises(Invalid) as refused:
        rate_csv.read(f"{HEADING}\nоutbound,Київ".encode("utf-8-sig") + b"\x98\xff\n")
    assert field_codes(refused.value.errors) == {"2": ["file_not_text"]}


def test_utf_8_with_one_invalid_byte_is_refused_and_not_read_as_cp1251() -> None:
    content = f"{HEADING},line\noutbound,+38067,1.20,Київ".encode() + b"\xd0\n"
    assert errors(content) == {"2": ["file_not_text"]}


def test_every_field_of_a_rate_is_a_column() -> None:
    [rate] = rate_csv.read(f"{','.join(COLUMNS)}\ninbound,+380,+380800,0.6,0.01,30,6,10,0.2\n".encode())
    assert rate == Rate(
        direction=Direction.INBOUND,
        prefix="+380",
        line="+380800",
        per_minute=Decimal("0.6"),
        connection_fee=Decimal("0.01"),
        minimum_seconds=30,
        increment_seconds=6,
        free_seconds=10,
        minimal_charge=Decimal("0.2"),
    )


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("direction", "internal", "not_a_choice"),
        ("direction", "вихідний", "not_a_choice"),
        ("prefix", "+38O50", "prefix_invalid"),
        ("prefix", "+38 050", "prefix_invalid"),
        ("prefix", "٣٨", "prefix_invalid"),
        ("per_minute", "-1", "amount_out_of_range"),
        ("per_minute", "NaN", "not_number"),
        ("per_minute", "1.2345678", "too_many_decimals"),
        ("per_minute", "1000000", "amount_out_of_range"),
        ("per_minute", "дорого", "not_number"),
        ("per_minute", "1e-7", "not_number"),
        ("per_minute", "-0", "amount_out_of_range"),
        ("per_minute", "1_000", "not_number"),
        ("per_minute", "1.234,50", "not_number"),
        ("per_minute", "١", "not_number"),
        ("connection_fee", "-0.01", "amount_out_of_range"),
        ("minimal_charge", "∞", "not_number"),
        ("increment_seconds", "0", "out_of_range"),
        ("increment_seconds", "1.5", "not_integer"),
        ("minimum_seconds", "-1", "out_of_range"),
        ("free_seconds", "1000000000", "not_integer"),
        ("free_seconds", "99999999999999999999", "not_integer"),
        ("line", "a\x07b", "line_invalid"),
    ],
)
def test_a_bad_cell_is_named_by_its_line_and_column(column: str, cell: str, code: str) -> None:
    row = {"direction": "outbound", "prefix": "+38067", "per_minute": "1"} | {column: cell}
    found = errors(f"{';'.join(row)}\n{';'.join(row.values())}\n")
    assert found == {f"2.{column}": [code]}


def test_every_bad_line_is_told_up_to_a_hundred() -> None:
    rows = "\n".join(f"outbound,+{number},-1" for number in range(500))
    assert len(errors(f"{HEADING}\n{rows}")) == MAX_INVALID_RATES


def test_overlapping_rates_name_each_other() -> None:
    found = errors(f"{HEADING}\noutbound,+38067,1\n\noutbound,+3806,1\noutbound,+38067,2\n")
    assert found == {"5.prefix": ["duplicate_rate"]}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"\n\r\n{HEADING}\noutbound,+38O67,1\n", "4"),
        (f"{HEADING}\noutbound,+38050,1\n , ,\n\noutbound,+38O67,1\n", "5"),
        (f'{HEADING}\noutbound,"\n+38050\n",1\noutbound,+38O67,1\n', "5"),
        (f'{HEADING}\r\n\r\noutbound,"\r\n+38O67",1\r\noutbound,+1,1\r\n', "3"),
    ],
    ids=["blank ones before the heading", "blank ones between", "a cell of several", "in a cell of several"],
)
def test_a_line_is_counted_as_it_stands_in_the_file(text: str, line: str) -> None:
    assert errors(text) == {f"{line}.prefix": ["prefix_invalid"]}


@pytest.mark.parametrize(
    ("content", "path", "code"),
    [
        (b"", "1", "file_empty"),
        (b"\n\n", "1", "file_empty"),
        (b"direction,prefix\noutbound,+1\n", "1.per_minute", "missing_column"),
        (b"direction,prefix,per_minute,colour\n", "1.colour", "unknown_column"),
        (b"direction,prefix,per_minute,prefix\n", "1.prefix", "duplicate_column"),
        (b"direction,prefix,per_minute\noutbound,+1,1\noutbound,+2\n", "3", "wrong_number_of_cells"),
        (b'direction,prefix,per_minute\noutbound,"+1,1\n', "2", "file_not_csv"),
        (b"direction,prefix,per_minute\noutbound,\x98\xff,1\n", "2", "file_not_text"),
        (b'direction,prefix,per_minute\n\noutbound,"+1,1\noutbound,+2,1\n', "3", "file_not_csv"),
        (b"direction,prefix,per_minute\r\routbound,\x98\xff,1\r", "3", "file_not_text"),
        (b"\xff\xfed", "1", "file_not_text"),
        ("\n\u0a0a\n".encode("utf-16") + b"d", "3", "file_not_text"),
    ],
)
def test_an_invalid_price_list_is_refused_by_its_first_wrong_line(content: bytes, path: str, code: str) -> None:
    assert errors(content) == {path: [code]}


def test_a_list_without_rates_is_an_empty_one() -> None:
    assert rate_csv.read(HEADING.encode()) == []


def test_a_rate_that_is_like_another_but_for_its_prefix_is_checked_as_if_it_were_alone() -> None:
    one = {"direction": "outbound", "prefix": "+38067", "per_minute": "1", "increment_seconds": 1}
    wrong = [{"increment_seconds": True}, {"increment_seconds": 1.0}, {"per_minute": 1}, {"prefix": None}, {"x": 1}]
    with pytest.raises(Invalid) as refused:
        checked(enumerate([one, *({**one, "prefix": "+38050", **bad} for bad in wrong)]), "rates.")
    assert list(refused.value.errors) == [
        f"rates.{number}.{name}" for number, bad in enumerate(wrong, 1) for name in bad
    ]
    assert [rate.prefix for rate in checked(enumerate([one, {**one, "prefix": "+1"}]), "rates.")] == ["+38067", "+1"]


cells = st.sampled_from(["outbound", "", "0", "1", "-1", "1.5", "+38067", "x"])
rows = st.fixed_dictionaries(dict.fromkeys(("direction", "prefix", "per_minute", "increment_seconds"), cells))


@given(st.lists(rows, max_size=20))
def test_many_rates_are_taken_or_refused_as_each_alone(some: list[dict[str, str]]) -> None:
    def outcome(load: Callable[[Any], Any], row: Any) -> object:
        try:
            return load(row)
        except ValidationError as error:
            return error.messages

    alike: dict[str, Rate] = {}
    for row in some:
        assert outcome(lambda row: loaded(row, alike), row) == outcome(RATE.load, row)
