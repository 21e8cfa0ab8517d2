"""Reports come in all or nothing, normalised, and are acknowledged when the broker has them."""

import json
import time
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.service.gateway.factories import Company, Gateway, Remote, report
from tests.support.infrastructure import Broker, eventually
from tests.support.problems import check_problem, field_codes

QUEUE = "calls.reports"


def waiting(broker: Broker) -> list[dict]:
    return [json.loads(message.body) for message in broker.take(QUEUE)]


def test_reports_wait_for_calls_when_the_answer_is_there(gateway: Gateway, company: Company, broker: Broker):
    placed, ended = report(company), report(company, "ended", data={"by": "caller", "cause": 16})
    answer = gateway.send(company.keys["ingest"], placed, ended)
    call_id = str(uuid5(NAMESPACE_URL, "call:oselia:call"))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "calls": {"call": call_id}})
    assert [body["report_id"] for body in waiting(broker)] == [placed["report_id"], ended["report_id"]]


def test_a_report_travels_by_its_type_with_the_id_of_its_request(gateway: Gateway, company: Company, broker: Broker):
    answer = gateway.send(company.keys["ingest"], report(company))
    [message] = broker.take(QUEUE)
    assert message.delivery_info["routing_key"] == "placed"
    assert message.properties["correlation_id"] == answer.headers["X-Request-Id"]
    assert message.properties["delivery_mode"] == 2


@pytest.mark.parametrize("written", ["0501234567", "80501234567", "380501234567", "+380501234567", "050 123-45-67"])
def test_a_number_is_one_number_however_it_is_written(gateway: Gateway, company: Company, broker: Broker, written):
    gateway.send(
        company.keys["ingest"],
        report(company, data={"direction": "outbound", "caller": "101", "callee": written, "line": written}),
        report(company, "ringing", data={"party": written}),
        report(company, "forwarded", data={"to": written, "line": written}),
    )
    placed, ringing, forwarded = (body["data"] for body in waiting(broker))
    assert (placed["caller"], placed["callee"], placed["line"]) == ("101", "+380501234567", "+380501234567")
    assert (ringing["party"], forwarded["to"], forwarded["line"]) == ("+380501234567",) * 3


def test_numbers_are_read_in_the_region_of_the_company(gateway: Gateway, company: Company, broker: Broker, gateway_db):
    with gateway_db.connection() as conn:
        conn.execute("update tenants set region = 'PL'")
    gateway.send(company.keys["ingest"], report(company, "answered", data={"party": "221234567"}))
    assert [body["data"]["party"] for body in waiting(broker)] == ["+48221234567"]


@pytest.mark.parametrize("kept", ["101", "sip:101@pbx", "anonymous", "*97", "+999"])
def test_what_is_not_a_number_stays_as_it_came(gateway: Gateway, company: Company, broker: Broker, kept):
    gateway.send(company.keys["ingest"], report(company, "answered", data={"party": kept}))
    assert [body["data"]["party"] for body in waiting(broker)] == [kept]


def test_a_withheld_number_may_be_empty(gateway: Gateway, company: Company, broker: Broker):
    sent = report(company, data={"direction": "inbound", "caller": "", "callee": "101"})
    assert gateway.send(company.keys["ingest"], sent).status_code == 202
    assert [body["data"]["caller"] for body in waiting(broker)] == [""]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"type": "sneezed"}, "type"),
        ({"type": None}, "type"),
        ({"at": "2026-11-22T10:00:00"}, "at"),
        ({"at": "2026-02-30T10:00:00Z"}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"at": 1795441534}, "at"),
        ({"report_id": ""}, "report_id"),
        ({"report_id": "x" * 129}, "report_id"),
        ({"call": "x" * 10_000}, "call"),
        ({"call": "a\0b"}, "call"),
        ({"tenant": "krynytsia"}, "tenant"),
        ({"data": []}, "data"),
        ({"data": {"direction": "inbound", "caller": "1", "callee": "x" * 10_000}}, "data.callee"),
        ({"data": {"direction": "sideways", "caller": "1", "callee": "2"}}, "data.direction"),
        ({"data": {"direction": "inbound", "caller": "1", "callee": "2", "colour": "red"}}, "data.colour"),
        ({"status": "answered"}, "status"),
    ],
)
def test_one_bad_report_refuses_all_and_is_named(gateway: Gateway, company: Company, broker: Broker, changed, field):
    answer = gateway.send(company.keys["ingest"], report(company), report(company, **changed), report(company))
    check_problem(answer, 422, "invalid", f"1.{field}")
    assert broker.count(QUEUE) == 0


def test_every_bad_report_is_named(gateway: Gateway, company: Company, broker: Broker):
    answer = gateway.send(company.keys["ingest"], {}, report(company), report(company, type="sneezed"))
    assert {path.partition(".")[0] for path in check_problem(answer, 422, "invalid")["errors"]} == {"0", "2"}


def test_a_report_of_another_company_does_not_hide_a_report_of_the_future(gateway: Gateway, company: Company):
    late = {"at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    answer = gateway.send(company.keys["ingest"], report(company, tenant="krynytsia", **late))
    errors = check_problem(answer, 422, "invalid")["errors"]
    assert field_codes(errors) == {"0.tenant": ["wrong_tenant"], "0.at": ["too_far_in_future"]}


@pytest.mark.parametrize(("ahead", "status"), [(timedelta(hours=12, seconds=5), 422), (timedelta(hours=11.99), 202)])
def test_a_clock_may_be_less_than_twelve_hours_ahead(gateway: Gateway, company: Company, broker: Broker, ahead, status):
    answer = gateway.send(company.keys["ingest"], report(company, at=(datetime.now(UTC) + ahead).isoformat()))
    assert answer.status_code == status
    if status == 422:
        check_problem(answer, 422, "invalid", "0.at")


def test_the_same_report_twice_in_a_request_is_fine(gateway: Gateway, company: Company, broker: Broker):
    twice = report(company)
    answer = gateway.send(company.keys["ingest"], twice, twice)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)


def test_one_report_id_for_two_reports_is_refused(gateway: Gateway, company: Company, broker: Broker):
    first = report(company)
    answer = gateway.send(company.keys["ingest"], first, {**first, "call": "another"})
    errors = check_problem(answer, 422, "invalid")["errors"]
    assert field_codes(errors) == {"1.report_id": ["report_id_used_for_other_content"]}
    assert broker.count(QUEUE) == 0


@pytest.mark.parametrize("count", [0, 1001])
def test_none_and_too_many_are_refused(gateway: Gateway, company: Company, count):
    assert gateway.send(company.keys["ingest"], *[report(company)] * count).status_code == 422


def test_a_thousand_reports_are_taken(gateway: Gateway, company: Company, broker: Broker):
    answer = gateway.send(company.keys["ingest"], *(report(company, call=f"call-{n}") for n in range(1000)))
    assert (answer.status_code, answer.json()["accepted"], len(answer.json()["calls"])) == (202, 1000, 1000)
    assert len(waiting(broker)) == 1000


@pytest.mark.parametrize("body", ["{}", '"reports"', "1", "null", '{"0": {}}'])
def test_what_is_not_a_list_is_refused(gateway: Gateway, company: Company, body):
    json_ = {"Content-Type": "application/json"}
    assert gateway("POST", "/api/v1/reports", key=company.keys["ingest"], data=body, headers=json_).status_code == 422


def test_two_mebibytes_are_read_and_not_a_byte_more(gateway: Gateway, company: Company):
    json_ = {"Content-Type": "application/json"}
    most = 2 * 1024 * 1024
    for length, status in ((most, 422), (most + 1, 413)):
        body = "{}".ljust(length)
        answer = gateway("POST", "/api/v1/reports", key=company.keys["ingest"], data=body, headers=json_)
        assert answer.status_code == status


def test_while_the_broker_is_away_the_sender_is_told_to_come_again(remote: Remote, company: Company, broker: Broker):
    sent = report(company)
    remote.lines["broker"].cut()
    answer = remote.gateway.send(company.keys["ingest"], sent)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["instance"].startswith("urn:uuid:")
    remote.lines["broker"].resume()
    eventually(lambda: remote.gateway.send(company.keys["ingest"], sent).status_code == 202)


def test_a_broker_that_does_not_answer_is_not_waited_for_long(remote: Remote, company: Company, broker: Broker):
    remote.gateway.send(company.keys["ingest"], report(company))
    remote.lines["broker"].pause()
    began = time.monotonic()
    assert remote.gateway.send(company.keys["ingest"], report(company)).status_code == 503
    assert time.monotonic() - began < 4


def test_after_a_restart_of_the_broker_the_first_report_is_taken(remote: Remote, company: Company, broker: Broker):
    remote.gateway.send(company.keys["ingest"], report(company))
    remote.lines["broker"].reset()
    time.sleep(1.1)
    assert remote.gateway.send(company.keys["ingest"], report(company)).status_code == 202


def test_without_the_database_nobody_is_let_in(remote: Remote, company: Company, broker: Broker):
    remote.lines["database"].cut()
    answer = remote.gateway.send(company.keys["ingest"], report(company))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert broker.count(QUEUE) == 0
