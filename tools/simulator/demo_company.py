"""The company whose exchange is simulated: always the same people, lines and customers."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tools.simulator import numbers
from tools.simulator.names import full_name

NAME = "Тепла оселя"
MAIN_LINE = "+380443303018"
FREE_LINE = "+380800330018"
MOBILE_LINE = "+380673303018"
GROUPS = ("sales", "service", "delivery")
CUSTOMERS = 400
OPERATORS = 16


@dataclass(frozen=True, slots=True)
class Person:
    """An employee with a telephone."""

    login: str
    name: str
    role: str
    line: str


@dataclass(frozen=True, slots=True)
class Customer:
    """An outside caller or callee; the `known` ones are contacts."""

    number: str
    name: str
    known: bool


@dataclass(frozen=True, slots=True)
class Company:
    staff: tuple[Person, ...]
    customers: tuple[Customer, ...]
    engineers: tuple[str, ...]
    lines: tuple[str, ...] = (MAIN_LINE, FREE_LINE, MOBILE_LINE)

    @property
    def contacts(self) -> Iterator[Customer]:
        return (customer for customer in self.customers if customer.known)


def demo_company(operator: str = "101", operator2: str = "102", accountant: str = "120") -> Company:
    """Build the company; the arguments are the extensions of the demonstration's accounts."""
    rng = Random(NAME)
    people = _staff(rng, operator, operator2, accountant)
    engineers = tuple(numbers.mobile(rng) for _ in range(4))
    return Company(staff=tuple(people), customers=_customers(rng), engineers=engineers)


def _staff(rng: Random, operator: str, operator2: str, accountant: str) -> Iterator[Person]:
    taken = {operator, operator2, accountant}
    spare = (str(line) for line in range(100, 1000) if str(line) not in taken)
    yield Person("administrator", "Соломія Кравець", "administrator", next(spare))
    yield Person("operator", "Кирило Унцов", "operator", operator)
    yield Person("operator2", "Оксана Бондаренко", "operator", operator2)
    yield Person("accountant", "Людмила Поліщук", "accountant", accountant)
    yield Person("supervisor", "Юрій Садовий", "supervisor", next(spare))
    for number in range(3, OPERATORS + 1):
        yield Person(f"operator{number}", full_name(rng), "operator", next(spare))


def _customers(rng: Random) -> tuple[Customer, ...]:
    kinds = (numbers.mobile, numbers.landline, numbers.foreign)
    found: dict[str, Customer] = {}
    while len(found) < CUSTOMERS:
        number = rng.choices(kinds, (88, 9, 3))[0](rng)
        found[number] = Customer(number, full_name(rng), known=rng.random() < 0.7)
    return tuple(found.values())
