"""The journal over HTTP: whose it is, how it is paged, and what is said when it cannot be shown."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.gateway.journal.schemas import EntrySchema, JournalSchema
from shared.contracts.topology import EVENT_SOURCES
from shared.contracts.values import Direction
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import (
    NOON,
    call_id,
    heartbeat_message,
    project_messages,
    project_states,
    state,
)
from tests.service.gateway.factories import Company, Gateway
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem, field_codes

JOURNAL = "/api/v1/journal"
OPERATORS, SUPERVISORS = "101", "103"


def door(name: str | int = 0, rest: str = "") -> str:
    return f"/api/v1/calls/{call_id(name)}{rest}"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["call_id"] for entry in answer.json()["entries"]]


@pytest.fixture
def calls(company: Company, gateway_db: Postgres) -> Company:
    """Call n was placed n minutes after noon; the even ones the operator answered, the odd ones the supervisor."""
    lines = [OPERATORS, SUPERVISORS]
    made = [
        state(n, placed_at=NOON + timedelta(minutes=n), rung=[lines[n % 2]], answered_by=[lines[n % 2]])
        for n in range(6)
    ]
    project_states(gateway_db, made, company.tenant)
    return company


@pytest.mark.parametrize("path", [JOURNAL, door(), door(rest="/timeline")])
def test_nobody_sees_anything_without_credentials(gateway: Gateway, calls: Company, path):
    answer = gateway("GET", path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


@pytest.mark.parametrize("path", [JOURNAL, door(), door(rest="/timeline")])
def test_an_ingest_key_may_not_read(gateway: Gateway, calls: Company, path):
    assert gateway("GET", path, key=calls.keys["ingest"]).status_code == 403


@pytest.mark.parametrize("role", ["administrator", "supervisor"])
def test_who_leads_sees_all_newest_first(gateway: Gateway, calls: Company, role):
    shown = ids(gateway("GET", JOURNAL, token=gateway.token(role)))
    assert shown == [str(call_id(n)) for n in (5, 4, 3, 2, 1, 0)]


def test_an_export_key_reads_all(gateway: Gateway, calls: Company):
    assert len(ids(gateway("GET", JOURNAL, key=calls.keys["export"]))) == 6
    assert gateway("GET", door(1), key=calls.keys["export"]).status_code == 200


def test_an_operator_sees_own_calls_only(gateway: Gateway, calls: Company):
    token = gateway.token("operator")
    assert ids(gateway("GET", JOURNAL, token=token)) == [str(call_id(n)) for n in (4, 2, 0)]
    assert gateway("GET", door(0), token=token).status_code == 200


@pytest.mark.parametrize("rest", ["", "/timeline"])
def test_a_foreign_call_is_not_there(gateway: Gateway, calls: Company, other_company: Company, rest):
    assert gateway("GET", door(1, rest), token=gateway.token("operator")).status_code == 404
    assert gateway("GET", door(0, rest), token=gateway.token("other-administrator")).status_code == 404
    assert ids(gateway("GET", JOURNAL, token=gateway.token("other-administrator"))) == []


@pytest.mark.parametrize("path", ["/api/v1/calls/7", f"/api/v1/calls/{UUID(int=7)}", "/api/v1/calls/x/timeline"])
def test_a_call_that_is_not_there_and_an_id_that_is_none_are_the_same(gateway: Gateway, calls: Company, path):
    assert gateway("GET", path, token=gateway.token("administrator")).status_code == 404


def test_the_pages_lead_through_the_journal_and_back(gateway: Gateway, calls: Company):
    token, seen = gateway.token("administrator"), []
    page = gateway("GET", JOURNAL, token=token, params={"limit": 4})
    seen += ids(page)
    assert page.json()["previous_cursor"] is None
    page = gateway("GET", JOURNAL, token=token, params={"limit": 4, "cursor": page.json()["next_cursor"]})
    seen += ids(page)
    assert page.json()["next_cursor"] is None
    back = gateway("GET", JOURNAL, token=token, params={"limit": 4, "cursor": page.json()["previous_cursor"]})
    assert seen == [str(call_id(n)) for n in (5, 4, 3, 2, 1, 0)]
    assert ids(back) == seen[:4]


def test_a_cursor_gives_nobody_more_than_their_scope(gateway: Gateway, calls: Company):
    page = gateway("GET", JOURNAL, token=gateway.token("administrator"), params={"limit": 1}).json()
    shown = ids(gateway("GET", JOURNAL, token=gateway.token("operator"), params={"cursor": page["next_cursor"]}))
    assert shown == [str(call_id(n)) for n in (4, 2, 0)]


@pytest.mark.parametrize(
    ("name", "value"), [("cursor", "bmljZSB0cnk"), ("cursor", ""), ("limit", "0"), ("since", "2026"), ("q", " ")]
)
def test_what_is_not_taken_is_refused_by_name(gateway: Gateway, calls: Company, name, value):
    answer = gateway("GET", JOURNAL, token=gateway.token("operator"), params={name: value})
    assert [path.partition(".")[0] for path in check_problem(answer, 422, "invalid")["errors"]] == [name]


def test_only_who_leads_may_ask_for_the_calls_of_an_account(gateway: Gateway, calls: Company):
    asked = {"account": str(calls.people["operator"])}
    assert len(ids(gateway("GET", JOURNAL, token=gateway.token("supervisor"), params=asked))) == 3
    assert len(ids(gateway("GET", JOURNAL, key=calls.keys["export"], params=asked))) == 3
    assert gateway("GET", JOURNAL, token=gateway.token("operator"), params=asked).status_code == 403


def test_the_role_is_looked_at_before_the_words(gateway: Gateway, calls: Company):
    assert gateway("GET", JOURNAL, token=gateway.token("operator"), params={"account": "7"}).status_code == 403


def test_the_account_of_another_company_has_no_calls(gateway: Gateway, calls: Company, other_company: Company):
    asked = {"account": str(other_company.people["operator"])}
    assert ids(gateway("GET", JOURNAL, token=gateway.token("administrator"), params=asked)) == []


def test_filters_come_from_the_query(gateway: Gateway, calls: Company, gateway_db: Postgres):
    token = gateway.token("administrator")
    project_states(
        gateway_db, [state("out", direction=Direction.OUTBOUND, talk_time=timedelta(minutes=9))], calls.tenant
    )
    for asked in ({"direction": "outbound"}, {"min_talk": "500"}, {"direction": ["outbound", "internal"]}):
        assert ids(gateway("GET", JOURNAL, token=token, params=asked)) == [str(call_id("out"))]
    assert len(ids(gateway("GET", JOURNAL, token=token, params={"party": "050 111 22 33"}))) == 7
    assert ids(gateway("GET", JOURNAL, token=token, params={"from": "2026-11-23"})) == []
    assert ids(gateway("GET", JOURNAL, token=token, params={"has": "comment"})) == []


def test_a_page_is_what_its_schema_says(gateway: Gateway, calls: Company):
    page = gateway("GET", JOURNAL, token=gateway.token("administrator"), params={"limit": 3}).json()
    assert JournalSchema().validate(page) == {}
    entry = gateway("GET", door(0), token=gateway.token("administrator")).json()
    assert EntrySchema().validate(entry) == {}
    assert (entry["placed_at"], entry["wait_seconds"]) == ("2026-11-22T12:00:00.000000Z", "6.000")
    assert entry["callee"]["name"] == "Operator"


def test_what_is_shown_is_not_to_be_kept_by_anyone_between(gateway: Gateway, calls: Company):
    assert "no-store" in gateway("GET", JOURNAL, token=gateway.token("operator")).headers["Cache-Control"]


def test_the_page_says_how_fresh_it_is(gateway: Gateway, calls: Company, gateway_db: Postgres):
    token = gateway.token("operator")

    def page() -> Any:
        return gateway("GET", JOURNAL, token=token).json()

    eventually(lambda: page()["freshness"]["calls"] is None and page()["degraded"] == list(EVENT_SOURCES))
    project_messages(gateway_db, *(heartbeat_message(clock.now(), 1.5, owner) for owner in EVENT_SOURCES))
    eventually(lambda: page()["degraded"] == [])
    assert 1.5 <= page()["freshness"]["calls"] < 6.5


def test_a_timeline_waits_for_no_service_for_long(gateway_process: Gateway, calls: Company):
    answer = gateway_process("GET", door(0, "/timeline"), token=gateway_process.token("operator"))
    check_problem(answer, 503, "service_unavailable")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(("asked", "code"), [({"q": "катерина"}, "invalid"), ({"min_talk": "1"}, "query_too_slow")])
def test_what_takes_too_long_is_answered_with_what_to_do(
    gateway: Gateway, calls: Company, gateway_db: Postgres, asked, code
):
    token = gateway.token("administrator")
    with gateway_db.connection() as conn:
        conn.execute("lock table journal_parties, journal_addresses, journal")
        answer = gateway("GET", JOURNAL, token=token, params=asked)
    problem = check_problem(answer, 422 if code == "invalid" else 503, code)
    if code == "invalid":
        assert field_codes(problem["errors"]) == {"q": ["query_too_broad"]}
