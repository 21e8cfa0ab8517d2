"""A live Asterisk into the queue of calls: whatever breaks, the same reports, each once."""

import csv
import json
import ssl
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from shared.contracts.calls import reports
from tests.service.asterisk.exchange import ACCEPTED, Exchange, Script, Start, broken_off, heard, words_of
from tests.support.infrastructure import Broker, eventually
from tests.unit.feeds.exchange import CAPTURES as FOLDER
from tests.unit.feeds.exchange import capture, rows, told

QUEUE = "calls.reports"
CAPTURES = sorted(path.stem for path in FOLDER.glob("*.txt") if path.name.count(".") == 1)
NAMES = ["13-queue-answered", "29-outbound-trunk-failover"]


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


def told_of(reports: list[dict]) -> list[dict]:
    """What they tell, whatever their names: those of a call that may have been heard by half have others."""
    return [{key: value for key, value in report.items() if key != "report_id"} for report in reports]


def in_time(question: Callable[[], bool]) -> None:
    eventually(question, seconds=20)


@pytest.mark.parametrize("name", [*NAMES, "26-ami-gap"])
def test_what_an_exchange_says_arrives_as_reports(start: Start, arrived: Arrived, name: str):
    connections = capture(name)
    scripts = [Script(words_of(one), hangs_up=one is not connections[-1]) for one in connections]
    with Exchange(*scripts).open() as exchange:
        start(exchange)
        in_time(lambda: arrived() == expected(connections))
        in_time(lambda: [action for action in exchange.asked if b"CoreShowChannels" in action])


@pytest.mark.parametrize("name", NAMES)
def test_a_connection_that_is_dropped_in_the_middle_changes_nothing(start: Start, arrived: Arrived, name: str):
    [connection] = capture(name)
    before, after = broken_off(connection, Random(name).randrange(1000, len(connection) - 1000))
    with Exchange(Script(before, hangs_up=True), Script(after)).open() as exchange:
        start(exchange)
        in_time(lambda: told_of(arrived()) == told_of(expected([connection])))


@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_is_killed_in_the_middle_goes_on_from_its_spool(start, arrived, tmp_path, name):
    [connection] = capture(name)
    before, after = broken_off(connection, Random(name).randrange(1000, len(connection) - 1000))
    with Exchange(Script(before), Script(after)).open() as exchange:
        first = start(exchange)
        in_time(lambda: heard(tmp_path / "spool").endswith(before[-200:]))
        first.process.kill()
        first.process.wait()
        arrived()
        start(exchange)
        in_time(lambda: told_of(arrived()) == told_of(expected([connection])))


def test_a_day_of_broken_lines_and_killed_processes_comes_to_the_journal_of_an_undisturbed_one(
    start, arrived, tmp_path
):
    """Every capture is broken off at a random byte; after every fifth the process is killed instead."""
    random, connections = Random(8), [one for name in CAPTURES for one in capture(name)]
    scripts, kills = [], []
    for number, connection in enumerate(connections):
        before, after = broken_off(connection, random.randrange(1000, len(connection) - 500))
        kill = number % 5 == 0
        kills += [kill, False]
        scripts += [Script(before, hangs_up=not kill), Script(after, hangs_up=connection is not connections[-1])]
    with Exchange(*scripts).open() as exchange:
        process = start(exchange)
        for script, kill in zip(scripts, kills, strict=True):
            if kill:
                eventually(lambda: heard(tmp_path / "spool").endswith(script.words[-200:]), seconds=60)  # noqa: B023
                process.kill()
                process = start(exchange)
        in_time(lambda: len(arrived()) == len(expected(connections)))
    assert sorted(map(str, told_of(arrived()))) == sorted(map(str, told_of(expected(connections))))
    assert sorted(map(str, rows(arrived()))) == sorted(map(str, rows(expected(connections))))


def test_a_second_one_beside_it_makes_no_doubles(start: Start, arrived: Arrived):
    [connection] = capture(NAMES[0])
    with Exchange(Script(words_of(connection)), same=True).open() as exchange:
        start(exchange, "one")
        start(exchange, "two")
        in_time(lambda: len(exchange.logins) == 2)
        in_time(lambda: sorted(map(str, arrived())) == sorted(map(str, expected([connection]))))


def test_while_the_broker_is_away_the_exchange_is_heard_all_the_same(start: Start, arrived: Arrived, tmp_path: Path):
    [connection] = capture(NAMES[0])
    with Exchange(Script(words_of(connection))).open() as exchange:
        first = start(exchange, AMQP_URI="amqp://guest:guest@127.0.0.1:1//")
        in_time(lambda: heard(tmp_path / "spool").endswith(connection[-200:]))
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


@pytest.fixture(params=["IP:127.0.0.1", "DNS:pbx.example"])
def certificate(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path, bool]:
    """Certificate, key, and whether they are the exchange's."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=exchange"
    told = [*command.split(), "-addext", f"subjectAltName={request.param}", "-out", files[0], "-keyout", files[1]]
    subprocess.run(told, check=True, capture_output=True)
    return *files, request.param.startswith("IP")


def test_by_tls_only_the_exchange_itself_is_shown_the_password(start: Start, arrived: Arrived, certificate):
    [connection], (shown, key, own) = capture(NAMES[0]), certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, key)
    with Exchange(Script(words_of(connection)), tls=context).open() as exchange:
        process = start(exchange, AMI_TLS="1", AMI_CA=str(shown))
        if own:
            in_time(lambda: arrived() == expected([connection]))
        else:
            in_time(lambda: b"certificate verify failed" in process.log.read_bytes())
        assert len(exchange.logins) == own


def test_a_clock_that_is_an_hour_off_is_kept_and_said(start: Start, arrived: Arrived):
    [connection] = capture(NAMES[0])
    with Exchange(Script(words_of(connection))).open() as exchange:
        process = start(exchange)
        in_time(lambda: arrived() == expected([connection]))
        in_time(lambda: process.log.read_bytes().count(b"the exchange's clock is off") == 1)


def test_an_exchange_that_is_not_there_is_waited_for(start: Start, arrived: Arrived):
    [connection] = capture(NAMES[0])
    exchange = Exchange(Script(words_of(connection)))
    with exchange.open():
        pass
    process = start(exchange)
    in_time(lambda: process.log.read_bytes().count(b"cannot connect to the exchange") >= 2)
    with Exchange(Script(words_of(connection)), port=exchange.port).open():
        in_time(lambda: arrived() == expected([connection]))


def test_what_began_and_ended_while_the_line_was_lost_comes_from_the_records(
    start: Start, arrived: Arrived, tmp_path: Path
):
    def now() -> int:
        return int(time.time())

    file, stamp = tmp_path / "Master.csv", f"Event: PeerStatus\r\nTimestamp: {time.time():.6f}\r\n\r\n".encode()
    exchange = Exchange(Script(ACCEPTED + stamp, hangs_up=True))
    with exchange.open():
        start(exchange, AMI_CDR=str(file), AMI_PHONES="bob=101")
        in_time(lambda: stamp in heard(tmp_path / "spool"))
    began = now() + 1
    in_time(lambda: now() >= began + 2)
    at = [datetime.fromtimestamp(began + after, UTC).strftime("%F %T") for after in (0, 1)]
    fields = [
        "",
        "0671112233",
        "101",
        "in",
        '"Ї" <0671112233>',
        "PJSIP/operator1-1",
        "PJSIP/bob-2",
        "Dial",
        "PJSIP/bob",
    ]
    fields += [at[0], at[0], at[1], "1", "1", "ANSWERED", "DOCUMENTATION", f"{began}.1", ""]
    with file.open("w", newline="") as table:
        csv.writer(table, quoting=csv.QUOTE_ALL).writerow(fields)
    with Exchange(port=exchange.port).open():
        in_time(lambda: [report["type"] for report in arrived()][-1:] == ["ended"])
    assert {report["call"] for report in arrived()} == {f"{began}.1"}
    assert [report["data"]["party"] for report in arrived() if report["type"] == "answered"] == ["101"]


def test_what_is_missing_in_the_environment_is_said(start: Start, broker: Broker):
    with Exchange().open() as exchange:
        process = start(exchange, AMI_SECRET="", AMI_TENANT="")
        assert process.process.wait(20) == 1
        assert b"AMI_SECRET, AMI_TENANT" in process.log.read_bytes()
