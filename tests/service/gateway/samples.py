"""What the tests of all doors need to know of each: the things that the ids in paths are of, and bodies that are taken.

A new door needs an entry here only if it has an id of a new kind in its path, or if the example in the OpenAPI
document is not a body that it takes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.calls import handlers
from services.gateway import service  # noqa: F401  (hangs the doors)
from services.gateway.doors.door import PLATES, Plate
from services.gateway.doors.openapi.document import PATH_ID, document, path_of
from shared.contracts.calls.events import call_id
from shared.plumbing.database import Postgres
from tests.integration.gateway.told import NOON, show_states, state
from tests.service.gateway.stage import PASSWORD, ROLES, Company, report

DOCUMENT = document(PLATES)
A_DAY = timedelta(days=1)
SUPERVISORS = ROLES["supervisor"]
_numbers = count()

Ids = Mapping[str, Any]


@dataclass(frozen=True)
class Homes:
    """The databases in which a thing lives."""

    gateway: Postgres
    calls: Postgres


def a_call(homes: Homes, company: Company, rung: tuple[str, ...] = tuple(ROLES.values())) -> UUID:
    """A call that everybody of the company may see, or only who holds a line that rang."""
    key = f"call {next(_numbers)}"
    made = call_id(company.tenant, key)
    with homes.calls.connection() as conn:
        handlers.take_reports(conn, [(report(company, call=key), "test")], A_DAY)
    shown = state(placed_at=NOON, call_id=made, rung=list(rung), answered_by=[rung[0]])
    show_states(homes.gateway, [shown], company.tenant)
    return made


THINGS: dict[str, Callable[[Homes, Company, Ids], UUID]] = {
    "call_id": lambda homes, company, ids: a_call(homes, company),
}
"""By the name of an id in a path: makes such a thing of a company; `ids` are those that stand before it."""

COLLEAGUES: dict[str, Callable[[Homes, Company], UUID]] = {
    "call_id": lambda homes, company: a_call(homes, company, (SUPERVISORS,)),
}
"""The same for things that not everybody of a company sees: makes one of somebody else's."""

BODIES: dict[str, Callable[[Company], Any]] = {
    "begin_session": lambda company: {
        "tenant": company.tenant,
        "login": f"{company.prefix}operator",
        "password": PASSWORD,
    },
    "take_reports": lambda company: [report(company, call=str(uuid4()))],
}
"""By the name of a door: a body that it takes; made for each request, so that it may be unique."""


def operation(plate: Plate) -> Any:
    return DOCUMENT["paths"][path_of(plate)][plate.method.lower()]


def ids_of(plate: Plate, homes: Homes, company: Company) -> dict[str, Any]:
    """Things of the company for all ids in the path."""
    ids: dict[str, Any] = {}
    for name in PATH_ID.findall(plate.path):
        if name not in THINGS:
            pytest.fail(f"Say in samples.THINGS how a company comes to a {name}: {plate.name} has one in its path.")
        ids[name] = THINGS[name](homes, company, ids)
    return ids


def path(plate: Plate, ids: Ids) -> str:
    return path_of(plate).format(**ids)


def asked(plate: Plate) -> dict[str, Any]:
    """The parameters that a question must have."""
    return {p["name"]: p["example"] for p in operation(plate)["parameters"] if p["in"] == "query" and p["required"]}


def sent(plate: Plate, company: Company) -> dict[str, Any]:
    """The body, as arguments for the client."""
    if plate.body is None:
        return {}
    [(media, content)] = operation(plate)["requestBody"]["content"].items()
    if plate.name not in BODIES and "example" not in content:
        pytest.fail(f"Say in samples.BODIES what {plate.name} takes: it is {media}, of which there is no example.")
    made = BODIES[plate.name](company) if plate.name in BODIES else content["example"]
    return {"data": made, "headers": {"Content-Type": media}} if isinstance(made, bytes) else {"json": made}
