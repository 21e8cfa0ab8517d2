"""The company is believable: its people and customers are of Ukraine and their numbers exist."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.addresses import normalise
from tools.simulator import numbers
from tools.simulator.demo_company import demo_company

COMPANY = demo_company()
rng = st.integers(0, 2**32).map(Random)


@given(rng=rng)
def test_every_generated_number_is_valid(rng):
    for number in (numbers.mobile(rng), numbers.landline(rng), numbers.foreign(rng)):
        assert numbers.is_valid(number)


@given(rng=rng)
def test_every_notation_of_a_number_normalises_to_the_same_number(rng):
    number = numbers.mobile(rng)
    assert normalise(numbers.as_dialled(rng, number)) == number
    assert normalise(numbers.as_presented(rng, number)) == number


def test_the_numbers_of_the_company_are_valid():
    assert all(numbers.is_valid(number) for number in (*COMPANY.lines, *COMPANY.engineers))


def test_most_customers_are_contacts():
    assert len({customer.number for customer in COMPANY.customers}) == len(COMPANY.customers) == 400
    assert 200 < len(list(COMPANY.contacts)) < 350


def test_names_are_written_in_ukrainian():
    letters = set("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя' ")
    for somebody in (*COMPANY.staff, *COMPANY.customers):
        assert set(somebody.name.lower()) <= letters


def test_logins_and_lines_are_unique():
    assert len({person.login for person in COMPANY.staff}) == len(COMPANY.staff)
    assert len({person.line for person in COMPANY.staff}) == len(COMPANY.staff)


def test_the_extensions_of_the_demo_accounts_can_be_chosen():
    company = demo_company(operator="103", operator2="100", accountant="105")
    lines = {person.login: person.line for person in company.staff}
    assert (lines["operator"], lines["operator2"], lines["accountant"]) == ("103", "100", "105")
    assert len(set(lines.values())) == len(lines)


def test_the_company_is_the_same_every_time():
    assert demo_company() == COMPANY
