"""Reports of a spool: all of them, in order, whenever the process or the broker dies."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from services.asterisk import quarantine, report_publisher
from services.asterisk.report_publisher import Teller
from services.asterisk.spool import CONNECTED, DATA, Spool
from shared.contracts.calls import reports
from shared.contracts.errors import Unavailable
from shared.feeds.asterisk.translator import Translator
from tests.unit.feeds.exchange import TENANT, TRUNKS, capture, told

AT = datetime(2026, 11, 22, 19, 10, tzinfo=UTC)
NAMES = ["26-ami-gap", "25-five-at-once", "13-queue-answered", "28-inbound-did-utf8-queue"]


def teller(spool: Spool, folder: Path) -> Teller:
    return Teller(spool, folder, lambda: Translator(TENANT, frozenset(TRUNKS)), "UA")


def said(connections: list[bytes], seed: int = 1):
    """What is appended to a spool, in pieces."""
    random = Random(seed)
    for connection in connections:
        yield CONNECTED, AT, b""
        while connection:
            size = random.randint(1, 3000)
            yield DATA, AT + timedelta(seconds=1), connection[:size]
            connection = connection[size:]


def expected(connections: list[bytes]) -> list[dict]:
    return [reports.dump(reports.normalised(one, "UA")) for one in reports.load(told(connections))]


def bodies(messages) -> list[dict]:
    return [json.loads(message.body) for message in messages]


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_comes_to_its_reports(open_spool, tmp_path: Path, name: str):
    spool, out = open_spool(tmp_path), []
    one = teller(spool, tmp_path)
    for heard in said(capture(name)):
        spool.append(*heard)
        one.tell(out.extend)
    assert bodies(out) == expected(capture(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept", [True, False], ids=["state kept", "no state"])
def test_a_process_that_is_killed_anywhere_says_the_same_and_nothing_else(
    open_spool, tmp_path: Path, name, kept, monkeypatch
):
    monkeypatch.setattr(report_publisher, "KEEP_EVERY", 5_000 if kept else 10**9)
    spool, out, random = open_spool(tmp_path), [], Random(name)
    one = teller(spool, tmp_path)
    for heard in said(capture(name)):
        spool.append(*heard)
        one.tell(out.extend)
        if random.random() < 0.3:
            spool.close()
            spool = open_spool(tmp_path)
            one = teller(spool, tmp_path)
    one.tell(out.extend)
    once = {json.dumps(body): body for body in bodies(out)}
    assert list(once.values()) == expected(capture(name))
    assert (len(out) > len(once)) or kept


def test_while_the_broker_is_away_nothing_is_lost(open_spool, tmp_path: Path):
    spool, out = open_spool(tmp_path), []
    one = teller(spool, tmp_path)

    def away(_):
        raise Unavailable("away")

    for n, heard in enumerate(said(capture(NAMES[0]))):
        spool.append(*heard)
        if n % 3:
            one.keep()
            one.tell(out.extend)
        elif list(spool.read(one._position)):
            try:
                one.tell(away)
            except Unavailable:
                one.keep()
    one.tell(out.extend)
    assert bodies(out) == expected(capture(NAMES[0]))


def test_a_state_that_the_disk_does_not_take_leaves_the_one_before_and_stops_nothing(
    open_spool, tmp_path: Path, monkeypatch, caplog
):
    monkeypatch.setattr(report_publisher, "KEEP_EVERY", 0)
    spool, out = open_spool(tmp_path), []
    one = teller(spool, tmp_path)
    one._file = tmp_path / "no such folder" / "state"
    for heard in said(capture(NAMES[0])):
        spool.append(*heard)
        one.tell(out.extend)
    assert bodies(out) == expected(capture(NAMES[0]))
    assert "the state cannot be kept" in caplog.text


@pytest.mark.parametrize(("action", "said_so"), [("resync", 1), ("another", 0)])
def test_an_exchange_that_refuses_to_tell_what_lives_is_said(open_spool, tmp_path: Path, caplog, action, said_so):
    spool = open_spool(tmp_path)
    spool.append(DATA, AT, b"Response: Error\r\nActionID: %s\r\nMessage: Permission denied\r\n\r\n" % action.encode())
    teller(spool, tmp_path).tell(list)
    assert [(one.levelname, one.answer, one.needed[:17]) for one in caplog.records] == [
        ("ERROR", "Permission denied", "write = reporting")
    ] * said_so


class Fussy(Translator):
    def feed(self, event, received_at=None):
        if event.get("event") == "Newstate":
            raise OverflowError("too much")
        return super().feed(event, received_at)


def test_an_event_that_nobody_can_bear_is_set_aside_and_costs_only_itself(open_spool, tmp_path: Path, caplog):
    spool, out = open_spool(tmp_path), []
    one = Teller(spool, tmp_path, lambda: Fussy(TENANT, frozenset(TRUNKS)), "UA")
    for heard in said(capture(NAMES[0])):
        spool.append(*heard)
        one.tell(out.extend)
    assert [body["type"] for body in bodies(out)][-1] == "ended"
    kept = [json.loads(line) for line in (tmp_path / quarantine.NAME).read_text().splitlines()]
    assert {(one["event"]["event"], one["error"]) for one in kept} == {("Newstate", "OverflowError('too much')")}
    assert caplog.text.count("an event is set aside") == len(kept) > 0


def test_a_report_that_no_contract_takes_is_set_aside(open_spool, tmp_path: Path, monkeypatch):
    spool, out = open_spool(tmp_path), []
    one = Teller(spool, tmp_path, lambda: Translator("", frozenset(TRUNKS)), "UA")
    for heard in said(capture(NAMES[0])):
        spool.append(*heard)
    one.tell(out.extend)
    kept = [json.loads(line) for line in (tmp_path / quarantine.NAME).read_text().splitlines()]
    assert (out, {tuple(one["errors"]["0"]) for one in kept}) == ([], {("tenant",)})


def test_what_is_set_aside_does_not_fill_the_disk(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(quarantine, "MOST_BYTES", 100)
    for _ in range(100):
        quarantine.Aside(tmp_path).put({"what": "ї" * 20})
    assert (tmp_path / quarantine.NAME).stat().st_size < 200


def test_a_state_of_another_version_is_not_trusted(open_spool, tmp_path: Path, monkeypatch):
    spool, out = open_spool(tmp_path), []
    one = teller(spool, tmp_path)
    for heard in said(capture(NAMES[0])):
        spool.append(*heard)
        one.tell(out.extend)
    one.keep()
    monkeypatch.setattr(report_publisher, "VERSION", "another")
    again: list = []
    teller(spool, tmp_path).tell(again.extend)
    assert bodies(again) == expected(capture(NAMES[0]))
