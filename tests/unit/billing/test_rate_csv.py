"""A price list as spreadsheets save it, and what is said of one that cannot be taken."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from services.billing import rate_csv
from services.billing.schemas import COLUMNS, MOST_ERRORS, RATE, checked, loaded
from shared.contracts.billing.events import Rate
from shared.contracts.errors import Invalid
from shared.contracts.values import Direction

HEADING = "direction,prefix,per_minute"
KYIVSTAR = Rate(direction=Direction.OUTBOUND, prefix="+38067", per_minute=Decimal("1.20"))


def errors(text: str | bytes) -> dict[str, dict[str, list[str]]]:
    with pytest.raises(Invalid) as refused:
        rate_csv.read(text.encode() if isinstance(text, str) else text)
    return refused.value.errors


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
    assert refused.value.errors == {"line 2": {"encoding": ["Not text in UTF-8, UTF-16 or cp1251."]}}


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
    ("column", "cell"),
    [
        ("direction", "internal"),
        ("direction", "вихідний"),
        ("prefix", "+38O50"),
        ("prefix", "+38 050"),
        ("prefix", "٣٨"),
        ("per_minute", "-1"),
        ("per_minute", "NaN"),
        ("per_minute", "1.2345678"),
        ("per_minute", "1000000"),
        ("per_minute", "дорого"),
        ("per_minute", "1e-7"),
        ("per_minute", "-0"),
        ("per_minute", "1_000"),
        ("per_minute", "1.234,50"),
        ("per_minute", "١"),
        ("connection_fee", "-0.01"),
        ("minimal_charge", "∞"),
        ("increment_seconds", "0"),
        ("increment_seconds", "1.5"),
        ("minimum_seconds", "-1"),
        ("free_seconds", "1000000000"),
        ("free_seconds", "99999999999999999999"),
        ("line", "a\x07b"),
    ],
)
def test_a_bad_cell_is_named_by_its_line_and_column(column: str, cell: str) -> None:
    row = {"direction": "outbound", "prefix": "+38067", "per_minute": "1"} | {column: cell}
    found = errors(f"{';'.join(row)}\n{';'.join(row.values())}\n")
    assert list(found) == ["line 2"]
    assert list(found["line 2"]) == [column]


def test_every_bad_line_is_told_up_to_a_hundred() -> None:
    rows = "\n".join(f"outbound,+{number},-1" for number in range(500))
    assert len(errors(f"{HEADING}\n{rows}")) == MOST_ERRORS


def test_overlapping_rates_name_each_other() -> None:
    found = errors(f"{HEADING}\noutbound,+38067,1\n\noutbound,+3806,1\noutbound,+38067,2\n")
    assert found == {"line 5": {"prefix": ["Has the direction, prefix and line of line 2."]}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"\n\r\n{HEADING}\noutbound,+38O67,1\n", "line 4"),
        (f"{HEADING}\noutbound,+38050,1\n , ,\n\noutbound,+38O67,1\n", "line 5"),
        (f'{HEADING}\noutbound,"\n+38050\n",1\noutbound,+38O67,1\n', "line 5"),
        (f'{HEADING}\r\n\r\noutbound,"\r\n+38O67",1\r\noutbound,+1,1\r\n', "line 3"),
    ],
    ids=["blank ones before the heading", "blank ones between", "a cell of several", "in a cell of several"],
)
def test_a_line_is_counted_as_it_stands_in_the_file(text: str, line: str) -> None:
    assert {at: list(columns) for at, columns in errors(text).items()} == {line: ["prefix"]}


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b"", "line 1", "columns"),
        (b"\n\n", "line 1", "columns"),
        (b"direction,prefix\noutbound,+1\n", "line 1", "per_minute"),
        (b"direction,prefix,per_minute,colour\n", "line 1", "colour"),
        (b"direction,prefix,per_minute,prefix\n", "line 1", "prefix"),
        (b"direction,prefix,per_minute\noutbound,+1,1\noutbound,+2\n", "line 3", "columns"),
        (b'direction,prefix,per_minute\noutbound,"+1,1\n', "line 2", "quotes"),
        (b"direction,prefix,per_minute\noutbound,\x98\xff,1\n", "line 2", "encoding"),
        (b'direction,prefix,per_minute\n\noutbound,"+1,1\noutbound,+2,1\n', "line 3", "quotes"),
        (b"direction,prefix,per_minute\r\routbound,\x98\xff,1\r", "line 3", "encoding"),
        (b"\xff\xfed", "line 1", "encoding"),
        ("\n\u0a0a\n".encode("utf-16") + b"d", "line 3", "encoding"),
    ],
)
def test_what_is_no_price_list_is_refused_where_it_ceases_to_be_one(content: bytes, line: str, column: str) -> None:
    assert list(errors(content)[line]) == [column]


def test_a_list_without_rates_is_an_empty_one() -> None:
    assert rate_csv.read(HEADING.encode()) == []


def test_a_rate_that_is_like_another_but_for_its_prefix_is_checked_as_if_it_were_alone() -> None:
    one = {"direction": "outbound", "prefix": "+38067", "per_minute": "1", "increment_seconds": 1}
    wrong = [{"increment_seconds": True}, {"increment_seconds": 1.0}, {"per_minute": 1}, {"prefix": None}, {"x": 1}]
    with pytest.raises(Invalid) as refused:
        checked(enumerate([one, *({**one, "prefix": "+38050", **bad} for bad in wrong)]), "rate")
    assert [list(fields) for fields in refused.value.errors.values()] == [list(bad) for bad in wrong]
    assert [rate.prefix for rate in checked(enumerate([one, {**one, "prefix": "+1"}]), "rate")] == ["+38067", "+1"]


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
