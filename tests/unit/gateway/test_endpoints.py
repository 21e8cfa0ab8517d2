"""Each endpoint declares what it is for and what it answers."""

import pytest

from services.gateway.service import ENDPOINTS, GatewayService
from shared.contracts import topology

SHARED_DEPENDENCIES = {owner.name for owner in topology.SERVICES}
each_endpoint = pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=ENDPOINTS)


@each_endpoint
def test_an_endpoint_has_a_summary_and_answers(spec):
    assert spec.summary.endswith(".")
    assert spec.answers


@each_endpoint
def test_an_endpoint_declares_the_roles_that_may_call_it(spec):
    assert spec.roles


@each_endpoint
def test_only_a_write_takes_a_body(spec):
    assert spec.writes or spec.body is None


@each_endpoint
def test_a_write_by_cookie_needs_the_csrf_token_and_a_read_does_not(spec):
    assert spec.access.csrf is spec.writes


@each_endpoint
def test_a_role_for_a_query_parameter_is_for_a_parameter_that_exists(spec):
    parameters = {field.data_key or name for name, field in spec.query.load_fields.items()}
    assert set(spec.access.query_roles) <= parameters


def test_exports_share_one_rate_limit():
    assert {name for name, spec in ENDPOINTS.items() if spec.access.limit} == {"export_journal", "export_contacts"}


def test_two_endpoints_never_have_the_same_method_and_path():
    routes = [(spec.method, spec.path) for spec in ENDPOINTS.values()]
    assert len(routes) == len(set(routes))


def test_two_groups_never_have_a_method_of_the_same_name():
    """The service inherits all groups, so one method would override the other."""
    groups = [class_ for class_ in GatewayService.__mro__ if class_.__name__.endswith("Endpoints")]
    assert len(groups) > 10
    names = [name for class_ in groups for name in vars(class_) if not name.startswith("__")]
    assert [name for name in set(names) - SHARED_DEPENDENCIES if names.count(name) > 1] == []
