"""What a caller may see, and which doors open."""

from uuid import uuid4

import pytest

from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.domain.people import Account, Line
from services.gateway.domain.permissions import PERMISSIONS, may
from services.gateway.domain.scope import scope_of
from shared.contracts.values import Role

LINE = Line(id=uuid4(), address="101")


def account(role: Role, *lines: Line) -> Account:
    return Account(id=uuid4(), tenant="oselia", login="olha", name="Ольга", role=role, lines=lines)


def key(kind: KeyKind) -> ApiKey:
    return ApiKey(id=uuid4(), tenant="oselia", kind=kind)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_who_leads_sees_every_call_of_the_tenant(role):
    scope = scope_of(account(role, LINE))
    assert (scope.tenant, scope.lines) == ("oselia", None)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ACCOUNTANT])
def test_who_works_on_a_line_sees_the_calls_of_that_line(role):
    scope = scope_of(account(role, LINE))
    assert (scope.tenant, scope.lines) == ("oselia", (LINE,))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ACCOUNTANT])
def test_who_has_no_line_sees_no_call(role):
    assert scope_of(account(role)).lines == ()


def test_an_export_key_sees_every_call_of_its_tenant():
    scope = scope_of(key(KeyKind.EXPORT))
    assert (scope.tenant, scope.lines) == ("oselia", None)


def test_an_ingest_key_only_sends():
    assert [door for door in PERMISSIONS if may(key(KeyKind.INGEST), door)] == ["take_reports"]


def test_an_export_key_only_reads():
    opened = {door for door in PERMISSIONS if may(key(KeyKind.EXPORT), door)}
    assert opened == {"show_journal", "show_call", "show_timeline"}


@pytest.mark.parametrize("role", list(Role))
def test_a_person_may_do_all_but_send_reports(role):
    assert {door for door in PERMISSIONS if not may(account(role), door)} == {"take_reports"}
