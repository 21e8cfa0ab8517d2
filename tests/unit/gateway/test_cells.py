"""A cell that is exported is no formula, and comes back as the text that it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.cells import plain, safe

CALCULATED = "=+-@＝＋－＠\t\r\n\0"
texts = st.text(st.sampled_from("'=+-@＝＋－＠\t\r\n\0 \u00a0;,\"їЖ5"), max_size=6) | st.text(max_size=20)


@given(texts)
def test_no_cell_is_calculated(text: str) -> None:
    assert safe(text).lstrip(" \u00a0")[:1] not in [*CALCULATED]


@given(texts)
def test_a_cell_comes_back_as_the_text_that_it_was(text: str) -> None:
    assert plain(safe(text)) == text


@pytest.mark.parametrize("text", ["", "101", "Катерина Власова", "sip:101@pbx", "'лапки'", "Об'єднання", "п'ять = 5"])
def test_what_no_spreadsheet_calculates_stays_as_it_is(text: str) -> None:
    assert safe(text) == plain(text) == text


def test_a_number_stays_readable() -> None:
    assert safe("+380501234567") == "'+380501234567"


@pytest.mark.parametrize("cell", ["+380501234567", "=1+1", "'101"])
def test_a_cell_that_somebody_else_wrote_is_taken_as_it_stands(cell: str) -> None:
    assert plain(cell) == cell
