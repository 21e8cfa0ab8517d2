"""What a caller may see, and which doors open."""

from uuid import uuid4

import pytest

from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.domain.people import Account, Line
from services.gateway.domain.permissions import PERMISSIONS, may
from services.gateway.domain.scope import SEES_ALL, scope_of
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
    opened = {door for door in PERMISSIONS if may(key(KeyKind.INGEST), door)}
    assert opened == {"take_reports", "take_freeswitch_record", "take_recording"}


def test_an_export_key_only_reads_and_is_nobody():
    opened = {door for door in PERMISSIONS if may(key(KeyKind.EXPORT), door)}
    journal = {
        "show_journal",
        "show_journal_of_account",
        "show_call",
        "show_timeline",
        "show_comment_history",
        "show_price",
    }
    recording = {"show_recording", "show_recording_peaks"}
    whole = {"show_summary", "export_journal", "stream_journal"}
    assert opened == journal | recording | whole | {"list_contacts", "show_contact", "export_contacts"}


@pytest.mark.parametrize("role", list(Role))
def test_a_person_may_not_send_reports(role):
    assert not may(account(role), "take_reports")


@pytest.mark.parametrize("role", list(Role))
def test_who_leads_may_ask_for_the_calls_of_another(role):
    assert may(account(role), "show_journal_of_account") == (role in SEES_ALL)


@pytest.mark.parametrize("door", ["show_journal", "show_call", "show_timeline", "show_me", "end_session"])
@pytest.mark.parametrize("role", list(Role))
def test_the_other_doors_are_everybodys(role, door):
    assert may(account(role), door)
