"""Every door, everybody who may stand at it, and every thing it may be about: the answer follows from the table.

First who asks (401), then what they may (403), then what they see (404), then what they sent (422).
"""

import pytest
import requests

from services.gateway.domain.permissions import LEADERS
from services.gateway.endpoints.endpoint import EndpointSpec
from services.gateway.endpoints.openapi.document import PATH_ID
from services.gateway.service import ENDPOINTS
from tests.service.gateway.answers import complaints
from tests.service.gateway.callers import Caller
from tests.service.gateway.samples import SUPERVISORS_WORK
from tests.service.gateway.scenario import Thing, World

NOT_TAKEN = {"no-such-parameter": "1"}
ABOUT_THINGS = {name: spec for name, spec in ENDPOINTS.items() if PATH_ID.search(spec.path)}

pytestmark = pytest.mark.usefixtures("owners")


def refusal(spec: EndpointSpec, caller: Caller, thing: Thing) -> int | None:
    """What the table and the scope say; None is no refusal."""
    if spec.is_public:
        return None
    if caller.who is None:
        return 401
    if caller.who not in spec.roles:
        return 403
    return None if not thing.ids or thing.seen_by(caller) else 404


def decision(spec: EndpointSpec, caller: Caller, thing: Thing) -> int | None:
    """The same to a request with nothing wrong in it: whose work it is about is asked last."""
    of_another = spec.name in SUPERVISORS_WORK and caller.who not in LEADERS
    return refusal(spec, caller, thing) or (403 if of_another else None)


def in_order(spec: EndpointSpec, answer: requests.Response, expected: int | None) -> list[str]:
    """What is wrong with an answer; without a refusal anything that the door itself promises is right."""
    wrong = complaints(spec, answer)
    right = answer.status_code == expected if expected else answer.status_code in spec.answers and answer.ok
    return wrong if right else [f"{answer.status_code} and not {expected or list(spec.answers)}: {answer.text[:200]}"]


@pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=ENDPOINTS)
def test_who_comes_in_and_what_they_see_follows_from_the_table(world: World, spec: EndpointSpec):
    things = list(world.things(spec))
    wrong = [
        f"{name}, {thing.kind}: {complaint}"
        for name, caller_at in world.callers.all.items()
        # What is written to may be gone for the next one.
        for thing in (world.things(spec) if spec.writes else things)
        for caller in [caller_at()]
        for complaint in in_order(spec, world.knock(spec, caller, thing), decision(spec, caller, thing))
    ]
    assert wrong == []


@pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=ENDPOINTS)
def test_what_was_sent_is_looked_at_last(world: World, spec: EndpointSpec):
    things = list(world.things(spec))
    wrong = [
        f"{name}, {thing.kind}: {complaint}"
        for name, caller_at in world.callers.all.items()
        for caller in [caller_at()]
        for thing in things
        for answer in [world.knock(spec, caller, thing, params=NOT_TAKEN)]
        for complaint in in_order(spec, answer, refusal(spec, caller, thing) or 422)
    ]
    assert wrong == []


@pytest.mark.parametrize("spec", ABOUT_THINGS.values(), ids=ABOUT_THINGS)
def test_what_is_not_theirs_and_what_is_not_there_are_told_apart_by_nobody(world: World, spec: EndpointSpec):
    things = list(world.things(spec))
    for name, caller_at in world.callers.all.items():
        caller = caller_at()
        hidden = [thing for thing in things if refusal(spec, caller, thing) == 404]
        problems = [world.knock(spec, caller, thing).json() | {"request_id": ""} for thing in hidden]
        assert all(problem == problems[0] for problem in problems), name
