"""FreeSWITCH posts a leg's record as it likes; 200 ends its trying, anything else makes it try again."""

import json
from urllib.parse import quote

import pytest

from shared.contracts.calls.events import call_id
from tests.service.gateway.factories import Company, Gateway, Remote
from tests.support.infrastructure import Broker
from tests.support.problems import check_problem
from tests.unit.feeds.switch import A, dressed, json_of, leg, profile, xml_of

PATH = "/api/v1/reports/freeswitch"
QUEUE = "calls.reports"
RECORD = leg(profile("0501234567", "0443303018", A, context="public"))


def waiting(broker: Broker) -> list[dict]:
    return [json.loads(message.body) for message in broker.take(QUEUE)]


@pytest.mark.parametrize("body", [json_of(RECORD), xml_of(RECORD)], ids=["json", "xml"])
@pytest.mark.parametrize("media", dressed(b""))
def test_a_record_is_taken_in_any_dress(gateway: Gateway, company: Company, broker: Broker, body, media):
    sent = {"data": dressed(body)[media], "headers": {"Content-Type": media}}
    answer = gateway("POST", f"{PATH}?uuid=a_{A}", key=company.keys["ingest"], **sent)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2, "calls": {A: str(call_id("oselia", A))}})
    placed, ended = waiting(broker)
    assert placed["data"]["caller"] == "+380501234567"
    assert (placed["type"], ended["type"], placed["tenant"]) == ("placed", "ended", "oselia")


def test_without_a_content_type_the_body_tells(gateway: Gateway, company: Company, broker: Broker):
    """With `disable-100-continue` the modules lose theirs."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = gateway("POST", PATH, key=company.keys["ingest"], data=json_of(RECORD), headers=form)
    assert (answer.status_code, len(waiting(broker))) == (200, 2)


def test_the_key_may_come_as_the_password_of_cred(gateway: Gateway, company: Company, broker: Broker):
    cred = {"auth": ("pbx", company.keys["ingest"])}
    assert gateway("POST", PATH, data=json_of(RECORD), **cred).status_code == 200
    assert gateway("POST", PATH, data=json_of(RECORD), auth=("pbx", "wrong")).status_code == 401
    assert gateway("POST", PATH, data=json_of(RECORD), auth=("pbx", company.keys["export"])).status_code == 403


def test_a_password_opens_no_other_door(gateway: Gateway, company: Company):
    assert gateway("POST", "/api/v1/reports", data="[]", auth=("pbx", company.keys["ingest"])).status_code == 401
    assert gateway("GET", "/api/v1/journal", auth=("pbx", company.keys["export"])).status_code == 401


def test_a_record_again_gives_the_same_reports(gateway: Gateway, company: Company, broker: Broker):
    for _ in range(2):
        assert gateway("POST", PATH, key=company.keys["ingest"], data=json_of(RECORD)).status_code == 200
    first, second, *again = waiting(broker)
    assert again == [first, second]


def test_a_leg_that_is_nobodys_is_not_tried_again(gateway: Gateway, company: Company, broker: Broker):
    record = leg(profile("101", "102", A, chan_name="loopback/102-a"))
    answer = gateway("POST", PATH, key=company.keys["ingest"], data=json_of(record))
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "calls": {}})
    assert broker.count(QUEUE) == 0


def test_what_cannot_be_understood_stays_with_the_exchange(gateway: Gateway, company: Company, broker: Broker):
    for body in (b"", b"cdr=%7B", json_of(RECORD)[:-9], quote("[]").encode()):
        answer = gateway("POST", PATH, key=company.keys["ingest"], data=body)
        check_problem(answer, 422, "invalid", "")
    assert broker.count(QUEUE) == 0


def test_while_the_broker_is_away_the_exchange_tries_again(remote: Remote, company: Company, broker: Broker):
    remote.lines["broker"].cut()
    answer = remote.gateway("POST", PATH, key=company.keys["ingest"], data=json_of(RECORD))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
