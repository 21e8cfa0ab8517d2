"""The table of who may come through which door has every door, and every door is in it."""

import pytest

from services.gateway import service
from services.gateway.domain.permissions import PERMISSIONS
from services.gateway.endpoints.endpoint import ENDPOINTS
from shared.contracts import topology

NOT_DOORS = {"show_journal_of_account"}
ASKED_BY_SEVERAL = {owner.name for owner in topology.SERVICES}


def test_every_door_is_in_the_table_and_the_table_has_no_other():
    assert set(PERMISSIONS) - NOT_DOORS == set(ENDPOINTS)


@pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=ENDPOINTS)
def test_a_door_says_what_it_is_for_and_what_it_answers(spec):
    assert spec.summary.endswith(".")
    assert spec.answers


@pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=ENDPOINTS)
def test_only_a_door_that_writes_takes_a_body(spec):
    assert spec.writes or spec.body is None


def test_no_two_doors_stand_at_the_same_place():
    places = [(spec.method, spec.path) for spec in ENDPOINTS.values()]
    assert len(places) == len(set(places))


def test_no_two_subjects_have_a_method_of_the_same_name():
    """One service inherits them all, so one would stand in for the other."""
    subjects = [class_ for class_ in service.GatewayService.__mro__ if class_.__name__.endswith("Doors")]
    names = [name for class_ in subjects for name in vars(class_) if not name.startswith("__")]
    assert [name for name in set(names) - ASKED_BY_SEVERAL if names.count(name) > 1] == []
