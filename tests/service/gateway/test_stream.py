"""The stream of the journal: who is told what, how it is resumed, and how it ends."""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.gateway.journal.change_notifier import ChangeNotifier
from services.gateway.journal.schemas import EntrySchema
from shared.contracts.values import Direction, Status
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import (
    NOON,
    call_id,
    call_message,
    project_messages,
    project_states,
    state,
)
from tests.service.gateway.factories import Company, Gateway
from tests.service.gateway.listening import STREAM, Listening
from tests.support.infrastructure import Stack, eventually
from tests.support.problems import check_problem

pytestmark = pytest.mark.process

OPERATORS, SUPERVISORS = "101", "103"
Listen = Callable[..., Listening]


def ids(listening: Listening) -> list[str]:
    return [entry["call_id"] for entry in listening.entries]


def call(name: str | int, line: str = OPERATORS, **changed: Any) -> Any:
    return state(name, rung=[line], answered_by=[line], **changed)


@pytest.fixture
def listen(gateway: Gateway, company: Company) -> Iterator[Listen]:
    """`listen(role, …)`: an open stream of that person or of the key of that kind."""
    opened = []

    def open_(who: str = "administrator", at: Gateway = gateway, **how: Any) -> Listening:
        shown = {"X-Api-Key": company.keys[who]} if who in company.keys else None
        headers = shown or {"Authorization": f"Bearer {how.pop('token', None) or gateway.token(who)}"}
        opened.append(Listening(at.url, headers, **how))
        return opened[-1]

    yield open_
    for listening in opened:
        listening.close()


@pytest.fixture
def ring(stack: Stack, company: Company) -> Callable[[], None]:
    notifier = ChangeNotifier(stack.env("gateway")["REDIS_URL"])
    return lambda: notifier.publish([company.tenant])


def test_nobody_listens_without_credentials_and_an_ingest_key_may_not(gateway: Gateway, company: Company):
    assert gateway("GET", STREAM).status_code == 401
    assert gateway("GET", STREAM, key=company.keys["ingest"]).status_code == 403


def test_an_entry_is_told_as_the_journal_shows_it(gateway: Gateway, company: Company, gateway_db: Postgres, listen):
    listening = listen().begun()
    assert listening.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    project_states(gateway_db, [call(1)], company.tenant)
    [entry] = listening.until(1)
    assert EntrySchema().validate(entry) == {}
    assert entry == gateway("GET", f"/api/v1/calls/{call_id(1)}", token=gateway.token("administrator")).json()


def test_the_stream_begins_now(gateway_db: Postgres, company: Company, listen):
    project_states(gateway_db, [call(1)], company.tenant)
    listening = listen().begun()
    project_states(gateway_db, [call(2)], company.tenant)
    listening.until(1)
    assert ids(listening) == [str(call_id(2))]


def test_each_is_told_of_what_they_may_see(
    gateway_db: Postgres, company: Company, other_company: Company, gateway: Gateway, listen
):
    everybody = {
        who: listen(who).begun() for who in ("administrator", "supervisor", "operator", "accountant", "export")
    }
    foreign = listen(token=gateway.token("other-administrator")).begun()
    project_states(gateway_db, [call(1), call(2, SUPERVISORS), call(3, "120")], company.tenant)
    project_states(gateway_db, [call(9)], other_company.tenant)
    all_of_it = sorted(str(call_id(n)) for n in (1, 2, 3))
    seen = {
        who: listening.until(3 if who in {"administrator", "supervisor", "export"} else 1)
        for who, listening in everybody.items()
    }
    foreign.until(1)
    assert ids(foreign) == [str(call_id(9))]
    told_ = {who: sorted(entry["call_id"] for entry in entries) for who, entries in seen.items()}
    assert told_ == {
        "administrator": all_of_it,
        "supervisor": all_of_it,
        "export": all_of_it,
        "operator": [str(call_id(1))],
        "accountant": [str(call_id(3))],
    }


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({"status": ["missed", "returned"]}, [2]),
        ({"direction": "outbound"}, [3]),
        ({"party": "0671112233"}, [3]),
        ({"q": "067 111"}, [3]),
        ({"min_talk": "100"}, [4]),
        ({"from": "2026-11-23"}, [5]),
        ({"has": "callback", "phase": "ended"}, []),
    ],
)
def test_the_filters_are_those_of_the_list(
    gateway_db: Postgres, company: Company, gateway: Gateway, listen, asked, fits
):
    listening, everything = listen(**asked).begun(), listen().begun()
    calls = [
        call(1),
        state(2, status=Status.MISSED, rung=[], answered_by=[]),
        call(3, direction=Direction.OUTBOUND, callee="+380671112233"),
        call(4, talk_time=timedelta(seconds=100)),
        call(5, placed_at=NOON + timedelta(days=1)),
    ]
    project_states(gateway_db, calls, company.tenant)
    everything.until(5)
    listening.until(len(fits))
    listed = gateway("GET", "/api/v1/journal", token=gateway.token("administrator"), params=asked).json()["entries"]
    assert sorted(ids(listening)) == sorted(str(call_id(n)) for n in fits)
    assert sorted(ids(listening)) == sorted(entry["call_id"] for entry in listed)


def test_only_who_leads_may_follow_an_account(gateway_db: Postgres, company: Company, gateway: Gateway, listen):
    asked = {"account": str(company.people["operator"])}
    assert gateway("GET", STREAM, token=gateway.token("operator"), params=asked).status_code == 403
    listening, everything = listen("supervisor", **asked).begun(), listen().begun()
    project_states(gateway_db, [call(1, SUPERVISORS), call(2)], company.tenant)
    everything.until(2)
    listening.until(1)
    assert ids(listening) == [str(call_id(2))]


@pytest.mark.parametrize(
    "word", ["", "7", "AQAAAAAAAAAB", "AQAAAAAAAAABqqqqqqqq", "ї".encode().decode("latin-1"), "x" * 500]
)
def test_an_id_that_is_not_ours_is_refused_by_name(gateway: Gateway, company: Company, word):
    answer = gateway("GET", STREAM, token=gateway.token("operator"), headers={"Last-Event-ID": word})
    check_problem(answer, 422, "invalid", "Last-Event-ID")


def test_the_id_of_another_company_is_not_ours(gateway: Gateway, other_company: Company, listen):
    word = listen().begun().last_id
    token = gateway.token("other-administrator")
    assert gateway("GET", STREAM, token=token, headers={"Last-Event-ID": word}).status_code == 422


@pytest.mark.parametrize("name", ["limit", "cursor", "since"])
def test_what_a_stream_does_not_take_is_refused_by_name(gateway: Gateway, company: Company, name):
    answer = gateway("GET", STREAM, token=gateway.token("operator"), params={name: "1"})
    assert [path.partition(".")[0] for path in check_problem(answer, 422, "invalid")["errors"]] == [name]


def test_a_cut_stream_goes_on_where_it_was_without_gap_or_duplicate(gateway_db: Postgres, company: Company, listen):
    first = listen().begun()
    project_states(gateway_db, [call(n) for n in range(3)], company.tenant)
    first.until(3)
    first.close()
    for n in range(3, 9):
        project_states(gateway_db, [call(n)], company.tenant)
    second = listen(after=first.last_id).begun()
    second.until(6)
    project_states(gateway_db, [call(9)], company.tenant)
    second.until(7)
    assert [*sorted(ids(first)), *ids(second)] == [
        *sorted(str(call_id(n)) for n in range(3)),
        *(str(call_id(n)) for n in range(3, 10)),
    ]


def test_the_first_id_resumes_before_anything_was_told(gateway_db: Postgres, company: Company, listen):
    first = listen().begun()
    first.close()
    project_states(gateway_db, [call(1)], company.tenant)
    assert listen(after=first.last_id).begun().until(1)


def test_a_call_that_changed_twice_meanwhile_is_told_once_as_it_is_now(gateway_db: Postgres, company: Company, listen):
    first = listen().begun()
    first.close()
    project_messages(gateway_db, call_message(call(1, status=Status.RINGING), 1, company.tenant))
    project_messages(gateway_db, call_message(call(1, status=Status.ANSWERED), 2, company.tenant))
    second = listen(after=first.last_id).begun()
    [entry] = second.until(1)
    project_states(gateway_db, [call(2)], company.tenant)
    second.until(2)
    assert entry["status"] == "answered"
    assert ids(second) == [str(call_id(1)), str(call_id(2))]


def test_more_than_a_look_holds_is_caught_up_with_in_order(gateway_db: Postgres, company: Company, listen):
    first = listen().begun()
    first.close()
    for start in range(0, 1200, 400):
        project_states(gateway_db, [call(n) for n in range(start, start + 400)], company.tenant)
    second = listen(after=first.last_id).begun()
    second.until(1200, 20)
    assert len(set(ids(second))) == len(ids(second)) == 1200
    places = [urlsafe_b64decode(event.id) for event in second.events]
    assert places == sorted(places)


def test_the_bell_brings_it_sooner_than_the_next_look(gateway_db: Postgres, company: Company, listen, ring):
    listening = listen().begun()
    waits = []
    for n in range(10):
        project_states(gateway_db, [call(n)], company.tenant)
        ring()
        eventually(lambda n=n: len(listening.entries) > n, 0.6, every=0.005)
        waits.append(n)
    assert len(waits) == 10


def test_without_redis_it_comes_with_the_next_look(remote, gateway_db: Postgres, company: Company, listen):
    remote.lines["cache"].cut()
    listening = listen(at=remote.gateway).begun()
    project_states(gateway_db, [call(1)], company.tenant)
    assert listening.until(1, 3)


def test_streams_outlive_the_database(remote, gateway_db: Postgres, company: Company, listen):
    listening = listen(at=remote.gateway).begun()
    remote.lines["database"].cut()
    project_states(gateway_db, [call(1)], company.tenant)
    eventually(lambda: listening.over or not listening.entries)
    remote.lines["database"].resume()
    assert listening.until(1, 20)


def test_a_session_that_ends_ends_its_streams(gateway: Gateway, company: Company, listen):
    token = gateway.token("operator")
    listening, other = listen(token=token).begun(), listen("operator").begun()
    assert gateway("DELETE", "/api/v1/sessions/current", token=token).status_code == 204
    eventually(lambda: listening.over, 2.5)
    assert listening.reason == "session-ended"
    assert not other.over


@pytest.mark.parametrize(
    "change",
    [
        "update accounts set disabled_at = now() where login = 'operator'",
        "update accounts set role = 'accountant', session_version = session_version + 1 where login = 'operator'",
    ],
)
def test_a_new_role_or_a_closed_account_ends_the_stream(gateway_db: Postgres, company: Company, listen, change):
    listening = listen("operator").begun()
    with gateway_db.connection() as conn:
        conn.execute(change)
    eventually(lambda: listening.over, 2.5)
    assert listening.reason == "session-ended"


def test_a_revoked_key_ends_its_streams(gateway_db: Postgres, company: Company, listen):
    listening = listen("export").begun()
    with gateway_db.connection() as conn:
        conn.execute("update api_keys set revoked_at = now() where kind = 'export'")
    eventually(lambda: listening.over, 2.5)
    assert listening.reason == "session-ended"
