"""A call travels from the exchange to the journal, and everybody sees what their role allows."""

import json
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.contracts.wire import Json
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem
from tests.support.system import System

NUMBER = "+380501112233"


def report(call: str, type_: str, at: datetime, **data: object) -> Json:
    identity = f"{call}-{type_}-{data.get('party', '')}"
    return {"report_id": identity, "tenant": "acme", "call": call, "type": type_, "at": at.isoformat(), "data": data}


def inbound(call: str, at: datetime) -> list[Json]:
    return [
        report(call, "placed", at, direction="inbound", caller="0501112233", callee="0443303018"),
        report(call, "ringing", at + timedelta(seconds=2), party="101"),
        report(call, "answered", at + timedelta(seconds=6), party="101"),
        report(call, "ended", at + timedelta(seconds=18), by="callee", cause=16),
    ]


def report_call(system: System, reports: list[Json], tenant: str = "acme") -> str:
    answer = system.report(tenant, reports)
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert body["accepted"] == len(reports)
    [call_id] = body["calls"].values()
    return str(call_id)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def test_a_row_lives_while_the_phone_still_rings(system: System, now: datetime) -> None:
    reports = inbound(str(uuid4()), now)
    call_id = report_call(system, reports[:1])
    assert system.entry(call_id, "admin")["phase"] == "connecting"
    for report_, phase in zip(reports[1:], ["ringing", "talking", "ended"], strict=True):
        report_call(system, [report_])
        system.entry(call_id, "admin", phase=phase)


def test_an_answered_call_is_shown_with_names_and_exact_times(system: System, now: datetime) -> None:
    entry = system.entry(report_call(system, inbound(str(uuid4()), now)), "admin", phase="ended")
    assert entry["status"] == "answered"
    assert (entry["wait_seconds"], entry["talk_seconds"]) == ("6.000", "12.000")
    assert entry["caller"] == {"address": NUMBER, "name": "Катерина Власова", "kind": "contact"}
    assert (entry["callee"]["address"], entry["callee"]["name"]) == ("+380443303018", "Ольга Кобилянська")


def test_an_operator_sees_only_own_calls_and_another_call_is_not_there(system: System, now: datetime) -> None:
    call_id = report_call(system, inbound(str(uuid4()), now))
    system.entry(call_id, "olha", phase="ended")
    assert system.get(f"/calls/{call_id}", "petro").status_code == 404
    assert system.get(f"/calls/{call_id}/timeline", "petro").status_code == 404
    assert call_id not in {entry["call_id"] for entry in system.get("/journal", "petro").json()["entries"]}


@pytest.mark.parametrize(("login", "sees"), [("admin", True), ("super", True), ("lesia", False), ("foreign", False)])
def test_each_role_sees_what_it_may(system: System, now: datetime, login: str, sees: bool) -> None:
    call_id = report_call(system, inbound(str(uuid4()), now))
    system.entry(call_id, "admin", phase="ended")
    assert (system.get(f"/calls/{call_id}", login).status_code == 200) is sees
    listed = {entry["call_id"] for entry in system.get("/journal", login).json()["entries"]}
    assert (call_id in listed) is sees


def test_the_timeline_tells_what_happened_in_order(system: System, now: datetime) -> None:
    call_id = report_call(system, inbound(str(uuid4()), now)[::-1])
    system.entry(call_id, "admin", phase="ended")
    events = system.get(f"/calls/{call_id}/timeline", "admin").json()["events"]
    assert [event["type"] for event in events] == ["call_placed", "party_rang", "call_answered", "call_ended"]
    assert {event["owner"] for event in events} == {"calls"}


def test_reports_told_twice_change_nothing(system: System, now: datetime) -> None:
    reports = inbound(str(uuid4()), now)
    call_id = report_call(system, reports)
    before = system.entry(call_id, "admin", phase="ended")
    report_call(system, reports)
    time.sleep(0.5)
    assert system.entry(call_id, "admin") == before


def test_another_tenants_key_cannot_speak_for_this_one(system: System, now: datetime) -> None:
    answer = system.report("other", inbound(str(uuid4()), now))
    assert answer.status_code == 422
    assert "tenant" in json.dumps(answer.json()["errors"])


def test_a_bad_report_refuses_the_whole_request_and_names_its_place(system: System, now: datetime) -> None:
    call = str(uuid4())
    good, *others = inbound(call, now)
    answer = system.report("acme", [good, {**others[0], "at": "2026-02-30T00:00:00Z"}])
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["1.at"]
    call_id = report_call(system, others)
    time.sleep(0.5)
    assert system.get(f"/calls/{call_id}", "admin").status_code == 404


def test_the_correlation_id_follows_a_report_to_its_row(system: System, now: datetime) -> None:
    reports = inbound(str(uuid4()), now)[:1]
    system.report("acme", reports, **{"X-Request-Id": "follow-me-123"})
    for process in ("calls", "projector"):
        log = system.processes[process]
        eventually(lambda log=log: any("follow-me-123" in line for line in log.lines()))


def test_the_journal_says_how_fresh_it_is(system: System) -> None:
    def fresh() -> bool:
        page = system.get("/journal", "admin").json()
        return page["degraded"] == [] and page["freshness"]["calls"] < 3

    eventually(fresh)


@pytest.mark.parametrize("path", ["/me", "/calls/{call}", "/calls/{call}/timeline", "/journal"])
def test_a_parameter_that_a_door_does_not_know_is_refused(system: System, now: datetime, path: str) -> None:
    call_id = report_call(system, inbound(str(uuid4()), now))
    system.entry(call_id, "admin", phase="ended")
    answer = system.get(path.format(call=call_id), "admin", surprise=1)
    check_problem(answer, 422, "invalid", "surprise")


@pytest.mark.parametrize("path", ["/calls/00000000-0000-0000-0000-000000000000", "/nothing", "/journal"])
def test_every_problem_says_what_it_is(system: System, path: str) -> None:
    answer = system.get(path, "admin", **({"limit": 0} if path == "/journal" else {}))
    check_problem(answer, 422 if path == "/journal" else 404)


def test_nobody_speaks_where_nobody_listens(system: System) -> None:
    time.sleep(2)
    said = [line for process in system.processes.values() for line in process.lines() if "no queue is bound" in line]
    assert said == []
