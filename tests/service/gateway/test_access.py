"""Every door, everybody who may stand at it, and every thing it may be about: the answer follows from the table.

First who asks (401), then what they may (403), then what they see (404), then what they sent (422).
"""

import pytest
import requests

from services.gateway.domain.permissions import LEADERS, PERMISSIONS
from services.gateway.endpoints.endpoint import PLATES, Plate
from services.gateway.endpoints.openapi.document import PATH_ID
from tests.service.gateway.answers import complaints
from tests.service.gateway.callers import Caller
from tests.service.gateway.samples import SUPERVISORS_WORK
from tests.service.gateway.scenario import Thing, World

NOT_TAKEN = {"no-such-parameter": "1"}
ABOUT_THINGS = {name: plate for name, plate in PLATES.items() if PATH_ID.search(plate.path)}

pytestmark = pytest.mark.usefixtures("owners")


def refusal(plate: Plate, caller: Caller, thing: Thing) -> int | None:
    """What the table and the scope say; None is no refusal."""
    if plate.open:
        return None
    if caller.who is None:
        return 401
    if caller.who not in PERMISSIONS[plate.name]:
        return 403
    return None if not thing.ids or thing.seen_by(caller) else 404


def decision(plate: Plate, caller: Caller, thing: Thing) -> int | None:
    """The same to a request with nothing wrong in it: whose work it is about is asked last."""
    of_another = plate.name in SUPERVISORS_WORK and caller.who not in LEADERS
    return refusal(plate, caller, thing) or (403 if of_another else None)


def in_order(plate: Plate, answer: requests.Response, expected: int | None) -> list[str]:
    """What is wrong with an answer; without a refusal anything that the door itself promises is right."""
    wrong = complaints(plate, answer)
    right = answer.status_code == expected if expected else answer.status_code in plate.answers and answer.ok
    return wrong if right else [f"{answer.status_code} and not {expected or list(plate.answers)}: {answer.text[:200]}"]


@pytest.mark.parametrize("plate", PLATES.values(), ids=PLATES)
def test_who_comes_in_and_what_they_see_follows_from_the_table(world: World, plate: Plate):
    things = list(world.things(plate))
    wrong = [
        f"{name}, {thing.kind}: {complaint}"
        for name, caller_at in world.callers.all.items()
        # What is written to may be gone for the next one.
        for thing in (world.things(plate) if plate.writes else things)
        for caller in [caller_at()]
        for complaint in in_order(plate, world.knock(plate, caller, thing), decision(plate, caller, thing))
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
        for answer in [world.knock(plate, caller, thing, params=NOT_TAKEN)]
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
