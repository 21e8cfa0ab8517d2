"""Every door, everybody who may stand at it, and every thing it may be about: the answer follows from the table.

First who asks (401), then what they may (403), then what they see (404), then what they sent (422).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import requests

from services.gateway import service  # noqa: F401  (hangs the doors)
from services.gateway.domain.permissions import PERMISSIONS
from services.gateway.doors.door import PLATES, Plate
from services.gateway.doors.openapi.document import PATH_ID
from shared.testing.infrastructure import Services, Stack, emptied
from tests.service.gateway import samples
from tests.service.gateway.answers import complaints
from tests.service.gateway.callers import Caller, Callers
from tests.service.gateway.samples import Homes
from tests.service.gateway.stage import Company, Gateway, found

CALLS = "services.calls.service:CallsService"
NOT_TAKEN = {"no-such-parameter": "1"}
ABOUT_THINGS = {name: plate for name, plate in PLATES.items() if PATH_ID.search(plate.path)}
MALFORMED = ("abc", "7", "00000000-0000-0000-0000-00000000000g")


@dataclass(frozen=True)
class Thing:
    """What a request is about; `tenant` is whose it is, None is nobody's."""

    kind: str
    ids: dict[str, Any]
    tenant: str | None
    for_all: bool = True

    def seen_by(self, caller: Caller) -> bool:
        return self.tenant == caller.tenant and (self.for_all or caller.sees_all)


@dataclass(frozen=True)
class World:
    """Two companies with the same logins but for a prefix, and the services that answer for them."""

    gateway: Gateway
    callers: Callers
    homes: Homes
    company: Company
    other: Company

    def things(self, plate: Plate) -> Iterator[Thing]:
        """Fresh ones, one of each kind for each id in the door's path."""
        own = samples.ids_of(plate, self.homes, self.company)
        yield Thing("own", own, self.company.tenant)
        for name in own:
            foreign = samples.ids_of(plate, self.homes, self.other)[name]
            alone = len(own) == 1
            yield Thing(f"foreign {name}", own | {name: foreign}, self.other.tenant if alone else None)
            yield Thing(f"missing {name}", own | {name: uuid4()}, None)
            yield from (Thing(f"malformed {name} {text}", own | {name: text}, None) for text in MALFORMED)
            if name in samples.COLLEAGUES:
                colleagues = samples.COLLEAGUES[name](self.homes, self.company)
                yield Thing(f"colleague's {name}", own | {name: colleagues}, self.company.tenant, for_all=False)

    def knock(self, plate: Plate, caller: Caller, thing: Thing, **query: str) -> requests.Response:
        sent = samples.sent(plate, self.company if caller.tenant == self.company.tenant else self.other)
        headers = {**caller.headers, **sent.pop("headers", {})}
        params = samples.asked(plate) | query
        where = samples.path(plate, thing.ids)
        with self.gateway(
            plate.method, where, headers=headers, params=params, stream=True, allow_redirects=False, **sent
        ) as answer:
            if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                answer.content  # noqa: B018  (read while it is open)
            return answer


@pytest.fixture(scope="module")
def world(stack: Stack, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    owners = Services(stack, tmp_path_factory.mktemp("owners"))
    with emptied(stack, "gateway") as gateway_db, emptied(stack, "calls") as calls_db:
        owners.start(CALLS, of="calls")
        company, other = found(gateway_db, "oselia"), found(gateway_db, "krynytsia", "other-")
        yield World(gateway, Callers(stack, gateway_db, company, other), Homes(gateway_db, calls_db), company, other)
        owners.stop()


def refusal(plate: Plate, caller: Caller, thing: Thing) -> int | None:
    """What the table and the scope say to a request with nothing wrong in it; None is no refusal."""
    if plate.open:
        return None
    if caller.who is None:
        return 401
    if caller.who not in PERMISSIONS[plate.name]:
        return 403
    return None if not thing.ids or thing.seen_by(caller) else 404


def in_order(plate: Plate, answer: requests.Response, expected: int | None) -> list[str]:
    """What is wrong with an answer; without a refusal anything that the door itself promises is right."""
    wrong = complaints(plate, answer)
    right = answer.status_code == expected if expected else answer.status_code in plate.answers and answer.ok
    return wrong if right else [f"{answer.status_code} and not {expected or list(plate.answers)}: {answer.text[:200]}"]


@pytest.mark.parametrize("plate", PLATES.values(), ids=PLATES)
def test_who_comes_in_and_what_they_see_follows_from_the_table(world: World, plate: Plate):
    wrong = [
        f"{name}, {thing.kind}: {complaint}"
        for name, caller_at in world.callers.all.items()
        for thing in world.things(plate)
        for caller in [caller_at()]
        for complaint in in_order(plate, world.knock(plate, caller, thing), refusal(plate, caller, thing))
    ]
    assert wrong == []


@pytest.mark.parametrize("plate", PLATES.values(), ids=PLATES)
def test_what_was_sent_is_looked_at_last(world: World, plate: Plate):
    things = list(world.things(plate))
    wrong = [
        f"{name}, {thing.kind}: {complaint}"
        for name, caller_at in world.callers.all.items()
        for caller in [caller_at()]
        for thing in things
        for answer in [world.knock(plate, caller, thing, **NOT_TAKEN)]
        for complaint in in_order(plate, answer, refusal(plate, caller, thing) or 422)
    ]
    assert wrong == []


@pytest.mark.parametrize("plate", ABOUT_THINGS.values(), ids=ABOUT_THINGS)
def test_what_is_not_theirs_and_what_is_not_there_are_told_apart_by_nobody(world: World, plate: Plate):
    things = list(world.things(plate))
    for name, caller_at in world.callers.all.items():
        caller = caller_at()
        hidden = [thing for thing in things if refusal(plate, caller, thing) == 404]
        assert len({world.knock(plate, caller, thing).text for thing in hidden}) <= 1, name
