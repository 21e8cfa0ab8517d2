"""The counters over the journal: each call once, in the scope of who asks."""

from datetime import timedelta
from typing import Any

import pytest

from services.gateway.journal.schemas import SummarySchema
from shared.contracts.values import Direction, Phase, Status
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import NOON, project_states, state
from tests.service.gateway.factories import Company, Gateway
from tests.support.problems import check_problem

SUMMARY = "/api/v1/journal/summary"
MINUTE = timedelta(minutes=1)


def call(name: int, *lines: str, **changed: Any) -> Any:
    return state(name, rung=list(lines), answered_by=list(lines), **changed)


@pytest.fixture
def calls(company: Company, gateway_db: Postgres) -> Company:
    """Of the operator (101): one answered by both, one missed, one internal. The rest is of others."""
    made = [
        call(1, "101", "103"),
        state(2, status=Status.MISSED, rung=["101"], answered_by=[], talk_time=None),
        call(3, "103", direction=Direction.INTERNAL, caller="101", talk_time=timedelta(seconds=1.5)),
        state(4, status=Status.MISSED_OFFLINE, rung=[], answered_by=[], talk_time=None),
        state(5, status=Status.RETURNED, rung=["103"], answered_by=[], talk_time=None),
        call(6, "103", status=Status.NETWORK_ERROR, direction=Direction.OUTBOUND, placed_at=NOON - 24 * 60 * MINUTE),
        call(7, "103", status=Status.RINGING, phase=Phase.RINGING, talk_time=None),
    ]
    project_states(gateway_db, made, company.tenant)
    return company


def summary(gateway: Gateway, who: str, **asked: Any) -> Any:
    answer = gateway("GET", SUMMARY, token=gateway.token(who), params=asked)
    assert answer.status_code == 200, answer.text
    assert SummarySchema().validate(answer.json()) == {}
    return answer.json()


def counted(found: Any) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "by_status"}


def test_who_leads_counts_all(gateway: Gateway, calls: Company):
    found = summary(gateway, "administrator")
    assert counted(found) == {
        "total": 7,
        "inbound": 5,
        "outbound": 1,
        "internal": 1,
        "missed": 2,
        "returned": 1,
        "answered": 2,
        "talk_seconds": "121.500",
    }
    assert found["by_status"] == {
        **dict.fromkeys(map(str, Status), 0),
        "answered": 2,
        "missed": 1,
        "missed_offline": 1,
        "returned": 1,
        "network_error": 1,
        "ringing": 1,
    }


def test_an_operator_counts_own_calls_once_each(gateway: Gateway, calls: Company, gateway_db: Postgres):
    with gateway_db.connection() as conn:
        conn.execute("delete from lines where address = '103'")
        conn.execute(
            "insert into lines (tenant, account_id, address) values (%s, %s, '103')",
            (calls.tenant, calls.people["operator"]),
        )
    both = summary(gateway, "operator")
    assert (both["total"], both["internal"], both["talk_seconds"]) == (6, 1, "121.500")
    with gateway_db.connection() as conn:
        conn.execute("delete from lines where address = '103'")


def test_an_operator_counts_nothing_of_others(gateway: Gateway, calls: Company):
    found = summary(gateway, "operator")
    assert (found["total"], found["missed"], found["returned"], found["talk_seconds"]) == (3, 1, 0, "61.500")
    assert summary(gateway, "accountant")["total"] == 0


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ({"from": "2026-11-22"}, 6),
        ({"to": "2026-11-22"}, 1),
        ({"direction": "inbound"}, 5),
        ({"status": ["missed", "returned"]}, 2),
        ({"phase": "ringing"}, 1),
        ({"party": "101"}, 3),
        ({"q": "10"}, 6),
        ({"has": "callback"}, 1),
        ({"has": "comment"}, 0),
        ({"min_talk": "2"}, 2),
        ({"max_talk": "2"}, 1),
        ({"period": "today"}, 0),
    ],
)
def test_what_is_counted_is_what_the_list_shows(gateway: Gateway, calls: Company, asked, total):
    token = gateway.token("administrator")
    listed = gateway("GET", "/api/v1/journal", token=token, params={**asked, "limit": 200}).json()["entries"]
    assert summary(gateway, "administrator", **asked)["total"] == len(listed) == total


def test_the_calls_of_an_account_are_counted_for_who_may_ask(gateway: Gateway, calls: Company):
    asked = {"account": str(calls.people["operator"])}
    assert summary(gateway, "supervisor", **asked)["total"] == 3
    assert gateway("GET", SUMMARY, token=gateway.token("operator"), params=asked).status_code == 403


def test_another_company_counts_its_own(gateway: Gateway, calls: Company, other_company: Company):
    assert summary(gateway, "other-administrator")["total"] == 0


@pytest.mark.parametrize("name", ["limit", "cursor", "since"])
def test_what_is_not_taken_is_refused_by_name(gateway: Gateway, calls: Company, name):
    answer = gateway("GET", SUMMARY, token=gateway.token("operator"), params={name: "1"})
    assert [path.partition(".")[0] for path in check_problem(answer, 422, "invalid")["errors"]] == [name]


def test_nobody_counts_without_credentials(gateway: Gateway, calls: Company):
    assert gateway("GET", SUMMARY).status_code == 401
    assert gateway("GET", SUMMARY, key=calls.keys["ingest"]).status_code == 403
    assert gateway("GET", SUMMARY, key=calls.keys["export"]).json()["total"] == 7


def test_talk_is_told_to_the_microsecond_as_that_of_each_call_is(
    gateway: Gateway, company: Company, gateway_db: Postgres
):
    talks = [timedelta(seconds=1, microseconds=400_400), timedelta(seconds=2, microseconds=100)]
    project_states(gateway_db, [state(n, talk_time=talk) for n, talk in enumerate(talks)], company.tenant)
    assert summary(gateway, "administrator")["talk_seconds"] == "3.400500"
