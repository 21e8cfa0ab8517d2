"""A live Asterisk into the queue of calls: whatever breaks, the same reports, each once."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from services.calls.ami.spool import HEAD
from shared.contracts.calls import reports
from shared.testing.infrastructure import ROOT, Broker, Service, Services, Stack, eventually
from tests.service.calls.exchange import SECRET, USER, Exchange, Script, broken_off, words_of
from tests.unit.feeds.exchange import TENANT, TRUNKS, capture, told

QUEUE = "calls.reports"
NAMES = ["13-queue-answered", "29-outbound-trunk-failover"]
Start = Callable[..., Service]


@pytest.fixture
def start(stack: Stack, services: Services, tmp_path: Path) -> Start:
    def started(exchange: Exchange, spool: str = "spool", **told_: str) -> Service:
        own = {"AMI_HOST": "127.0.0.1", "AMI_PORT": str(exchange.port), "AMI_USER": USER, "AMI_SECRET": SECRET}
        own |= {"AMI_TENANT": TENANT, "AMI_TRUNKS": ",".join(TRUNKS), "AMI_SPOOL": str(tmp_path / spool)}
        environment = {**os.environ, **stack.env("calls"), **own, **told_, "PYTHONPATH": str(ROOT)}
        return services.spawn([sys.executable, "-m", "services.calls.ami"], environment, ready=False)

    return started


def expected(connections: list[bytes]) -> list[dict]:
    return [reports.dump(reports.normalised(one, "UA")) for one in reports.load(told(connections))]


class Arrived:
    """What came into the queue so far; a repeat must say the same as the first."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.reports: dict[str, dict] = {}

    def __call__(self) -> list[dict]:
        for message in self._broker.take(QUEUE):
            body = json.loads(message.body)
            assert self.reports.setdefault(body["report_id"], body) == body
        return list(self.reports.values())


@pytest.fixture
def arrived(broker: Broker) -> Arrived:
    return Arrived(broker)


def spooled(folder: Path) -> int:
    """Bytes that were heard, as the segments' heads tell."""
    number = 0
    for segment in folder.glob("*.ami"):
        data = segment.read_bytes()
        while len(data) >= HEAD.size:
            length = HEAD.unpack(data[: HEAD.size])[0]
            number, data = number + length, data[HEAD.size + length :]
    return number


def in_time(question: Callable[[], bool]) -> None:
    eventually(question, seconds=20)


@pytest.mark.parametrize("name", [*NAMES, "26-ami-gap"])
def test_what_an_exchange_says_arrives_as_reports(start: Start, arrived: Arrived, name: str):
    connections = capture(name)
    scripts = [Script(words_of(one), hangs_up=one is not connections[-1]) for one in connections]
    with Exchange(*scripts).open() as exchange:
        start(exchange)
        in_time(lambda: arrived() == expected(connections))
        eventually(lambda: [action for action in exchange.asked if b"CoreShowChannels" in action])


@pytest.mark.parametrize("name", NAMES)
def test_a_connection_that_is_dropped_in_the_middle_changes_nothing(start: Start, arrived: Arrived, name: str):
    [connection] = capture(name)
    before, after = broken_off(connection, Random(name).randrange(1000, len(connection) - 1000))
    with Exchange(Script(before, hangs_up=True), Script(after)).open() as exchange:
        start(exchange)
        in_time(lambda: arrived() == expected([connection]))


@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_is_killed_in_the_middle_goes_on_from_its_spool(start, arrived, tmp_path, name):
    [connection] = capture(name)
    before, after = broken_off(connection, Random(name).randrange(1000, len(connection) - 1000))
    with Exchange(Script(before), Script(after)).open() as exchange:
        first = start(exchange)
        in_time(lambda: spooled(tmp_path / "spool") >= len(before))
        first.process.kill()
        first.process.wait()
        arrived()
        start(exchange)
        in_time(lambda: arrived() == expected([connection]))


def test_a_second_one_beside_it_makes_no_doubles(start: Start, arrived: Arrived):
    [connection] = capture(NAMES[0])
    with Exchange(Script(words_of(connection)), same=True).open() as exchange:
        start(exchange, "one")
        start(exchange, "two")
        in_time(lambda: len(exchange.logins) == 2)
        in_time(lambda: sorted(map(str, arrived())) == sorted(map(str, expected([connection]))))


def test_while_the_broker_is_away_the_exchange_is_heard_all_the_same(start: Start, arrived: Arrived, tmp_path: Path):
    [connection] = capture(NAMES[0])
    with Exchange(Script(words_of(connection)), Script(b"")).open() as exchange:
        first = start(exchange, AMQP_URI="amqp://guest:guest@127.0.0.1:1//")
        in_time(lambda: spooled(tmp_path / "spool") >= len(words_of(connection)))
        first.process.terminate()
        first.process.wait()
        assert arrived() == []
        start(exchange)
        in_time(lambda: arrived() == expected([connection]))


def test_a_wrong_password_is_said_and_not_shown_again_at_once(start: Start, broker: Broker):
    with Exchange().open() as exchange:
        process = start(exchange, AMI_SECRET="wrong")
        in_time(lambda: b"wrong AMI_USER or AMI_SECRET" in process.log.read_bytes())
        time.sleep(2)
        assert len(exchange.logins) == 1
        assert b"wrong\r\n" in exchange.logins[0]


def test_an_exchange_that_is_not_there_is_waited_for(start: Start, arrived: Arrived):
    [connection] = capture(NAMES[0])
    exchange = Exchange(Script(words_of(connection)))
    with exchange.open():
        pass
    process = start(exchange)
    in_time(lambda: process.log.read_bytes().count(b"no exchange") >= 2)
    with Exchange(Script(words_of(connection)), port=exchange.port).open():
        in_time(lambda: arrived() == expected([connection]))


def test_what_is_missing_in_the_environment_is_said(start: Start, broker: Broker):
    with Exchange().open() as exchange:
        process = start(exchange, AMI_SECRET="", AMI_TENANT="")
        assert process.process.wait(20) == 1
        assert b"AMI_SECRET, AMI_TENANT" in process.log.read_bytes()
