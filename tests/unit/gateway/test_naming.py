"""Names that a reader takes for the same are the same when they are looked for."""

from unicodedata import normalize

import pytest

from services.gateway.domain.naming import fold


@pytest.mark.parametrize("written", ["Дар'я", "Дар’я", "Дарʼя", "ДАР`Я", " дар'я ", "Дар´я"])
def test_case_apostrophes_and_spaces_do_not_matter(written):
    assert fold(written) == "дар'я"


def test_a_letter_in_one_piece_and_in_two_is_the_same():
    assert fold(normalize("NFD", "Київ")) == fold("Київ")


def test_spaces_within_a_name_are_one():
    assert fold("Катерина \t Власова") == "катерина власова"


def test_i_and_yi_stay_different():
    assert fold("Їжак") != fold("Іжак")
