"""Which calls a caller may see, and which endpoints they may call."""

from uuid import uuid4

import pytest

from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.domain.people import Account, Line
from services.gateway.domain.scope import SEES_ALL, scope_of
from services.gateway.service import ENDPOINTS
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
    allowed = {name for name, spec in ENDPOINTS.items() if spec.access.allows(key(KeyKind.INGEST))}
    assert allowed == {"take_reports", "take_freeswitch_record", "take_recording"}


def test_an_export_key_may_filter_by_account():
    assert ENDPOINTS["show_journal"].access.allows(key(KeyKind.EXPORT), ["account"])


def test_an_export_key_only_reads():
    allowed = {name for name, spec in ENDPOINTS.items() if spec.access.allows(key(KeyKind.EXPORT))}
    journal = {
        "show_journal",
        "show_call",
        "show_timeline",
        "show_comment_history",
        "show_price",
    }
    recording = {"show_recording", "show_recording_peaks"}
    whole = {"show_summary", "export_journal", "stream_journal"}
    assert allowed == journal | recording | whole | {"list_contacts", "show_contact", "export_contacts"}


@pytest.mark.parametrize("role", list(Role))
def test_a_person_may_not_send_reports(role):
    assert not ENDPOINTS["take_reports"].access.allows(account(role))


@pytest.mark.parametrize("role", list(Role))
def test_who_leads_may_ask_for_the_calls_of_another(role):
    assert ENDPOINTS["show_journal"].access.allows(account(role), ["account"]) == (role in SEES_ALL)


@pytest.mark.parametrize("name", ["show_journal", "show_call", "show_timeline", "show_me", "end_session"])
@pytest.mark.parametrize("role", list(Role))
def test_the_other_endpoints_are_for_all_people(role, name):
    assert ENDPOINTS[name].access.allows(account(role))
