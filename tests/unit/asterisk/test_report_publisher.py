"""Reports of a spool: all of them, in order, whenever the process or the broker dies."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from services.asterisk import quarantine, report_publisher
from services.asterisk.report_publisher import ReportPublisher
from services.asterisk.spool import CONNECTED, DATA, Spool
from shared.contracts.calls import reports
from shared.contracts.errors import Unavailable
from shared.feeds.asterisk.translator import Translator
from tests.unit.feeds.exchange import CAPTURES, TENANT, TRUNKS, capture, told

DATA_OF_ASTERISK = CAPTURES.parent
AT = datetime(2026, 11, 22, 19, 10, tzinfo=UTC)
NAMES = ["26-ami-gap", "25-five-at-once", "13-queue-answered", "28-inbound-did-utf8-queue"]


def teller(spool: Spool, folder: Path) -> ReportPublisher:
    return ReportPublisher(spool, folder, lambda: Translator(TENANT, frozenset(TRUNKS)), "UA")


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
        one.publish_pending(out.extend)
    assert bodies(out) == expected(capture(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept", [True, False], ids=["state kept", "no state"])
def test_a_process_that_is_killed_anywhere_says_the_same_and_nothing_else(
    open_spool, tmp_path: Path, name, kept, monkeypatch
):
    monkeypatch.setattr(report_publisher, "BYTES_BETWEEN_STATES", 5_000 if kept else 10**9)
    spool, out, random = open_spool(tmp_path), [], Random(name)
    one = teller(spool, tmp_path)
    for heard in said(capture(name)):
        spool.append(*heard)
        one.publish_pending(out.extend)
        if random.random() < 0.3:
            spool.close()
            spool = open_spool(tmp_path)
            one = teller(spool, tmp_path)
    one.publish_pending(out.extend)
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
            one.save_state()
            one.publish_pending(out.extend)
        elif list(spool.read(one._position)):
            try:
                one.publish_pending(away)
            except Unavailable:
                one.save_state()
    one.publish_pending(out.extend)
    assert bodies(out) == expected(capture(NAMES[0]))


def test_a_state_that_the_disk_does_not_take_leaves_the_one_before_and_stops_nothing(
    open_spool, tmp_path: Path, monkeypatch, caplog
):
    monkeypatch.setattr(report_publisher, "BYTES_BETWEEN_STATES", 0)
    spool, out = open_spool(tmp_path), []
    one = teller(spool, tmp_path)
    one._file = tmp_path / "no such folder" / "state"
    for heard in said(capture(NAMES[0])):
        spool.append(*heard)
        one.publish_pending(out.extend)
    assert bodies(out) == expected(capture(NAMES[0]))
    assert "cannot save the state" in caplog.text


@pytest.mark.parametrize(("action", "said_so"), [("resync", 1), ("another", 0)])
def test_an_exchange_that_refuses_to_tell_what_lives_is_said(open_spool, tmp_path: Path, caplog, action, said_so):
    spool = open_spool(tmp_path)
    spool.append(DATA, AT, b"Response: Error\r\nActionID: %s\r\nMessage: Permission denied\r\n\r\n" % action.encode())
    teller(spool, tmp_path).publish_pending(list)
    assert [(one.levelname, one.response, one.needed[:17]) for one in caplog.records] == [
        ("ERROR", "Permission denied", "write = reporting")
    ] * said_so


class Fussy(Translator):
    def feed(self, event, received_at=None):
        if event.get("event") == "Newstate":
            raise OverflowError("too much")
        return super().feed(event, received_at)


def test_an_event_that_nobody_can_bear_is_set_aside_and_costs_only_itself(open_spool, tmp_path: Path, caplog):
    spool, out = open_spool(tmp_path), []
    one = ReportPublisher(spool, tmp_path, lambda: Fussy(TENANT, frozenset(TRUNKS)), "UA")
    for heard in said(capture(NAMES[0])):
        spool.append(*heard)
        one.publish_pending(out.extend)
    assert [body["type"] for body in bodies(out)][-1] == "ended"
    kept = [json.loads(line) for line in (tmp_path / quarantine.NAME).read_text().splitlines()]
    assert {(one["event"]["event"], one["error"]) for one in kept} == {("Newstate", "OverflowError('too much')")}
    assert caplog.text.count("cannot translate an event") == len(kept) > 0


def test_a_report_that_no_contract_takes_is_set_aside(open_spool, tmp_path: Path, monkeypatch):
    spool, out = open_spool(tmp_path), []
    one = ReportPublisher(spool, tmp_path, lambda: Translator("", frozenset(TRUNKS)), "UA")
    for heard in said(capture(NAMES[0])):
        spool.append(*heard)
    one.publish_pending(out.extend)
    kept = [json.loads(line) for line in (tmp_path / quarantine.NAME).read_text().splitlines()]
    assert (out, {tuple(one["errors"]) for one in kept}) == ([], {("0.tenant",)})


def test_what_is_set_aside_does_not_fill_the_disk(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(quarantine, "MAX_QUARANTINE_SIZE", 100)
    for _ in range(100):
        quarantine.Quarantine(tmp_path).put({"what": "ї" * 20})
    assert (tmp_path / quarantine.NAME).stat().st_size < 200


LAST = "02-answered-callee-hangs-up"
UNREADABLE = "the saved state cannot be read"
PICKLE = b"cos\nsystem\n(S'touch %s'\ntR."


def saved_halfway(spool: Spool, folder: Path, name: str = NAMES[0], share: float = 0.5) -> bytes:
    """The state as it is saved behind a share of a capture, all of which is in the spool."""
    heard = list(said(capture(name)))
    one = teller(spool, folder)
    for number, record in enumerate(heard):
        spool.append(*record)
        if number == int(len(heard) * share):
            one.publish_pending(list)
            one.save_state()
    return (folder / report_publisher.STATE).read_bytes()


def changed(state: bytes, **fields: object) -> bytes:
    document = json.loads(state)
    return json.dumps({**document, "state": document["state"] | fields}).encode()


def without_one_field(state: bytes) -> bytes:
    document = json.loads(state)
    del document["state"]["translator"]["clock"]["zone"]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        pytest.param(lambda state: b"", "not JSON", id="empty"),
        pytest.param(lambda state: state[: len(state) // 2], "not JSON", id="broken off"),
        pytest.param(lambda state: state[:-1], "not JSON", id="without its last byte"),
        pytest.param(lambda state: b"\xff" + state, "not JSON", id="no UTF-8"),
        pytest.param(lambda state: PICKLE % b"unpickled", "not JSON", id="a pickle"),
        pytest.param(lambda state: b"[" * 100_000, "not JSON", id="too deep"),
        pytest.param(lambda state: b"[]", "not an object with format and state", id="no object"),
        pytest.param(lambda state: b'{"format": 1}', "not an object with format and state", id="no state"),
        pytest.param(lambda state: state.replace(b'"format":1', b'"format":2'), "format 2", id="a newer format"),
        pytest.param(without_one_field, "clock: missing: zone", id="a missing field"),
        pytest.param(lambda state: changed(state, newer=1), "unknown: newer", id="an unknown field"),
        pytest.param(lambda state: changed(state, heard_at=12), "heard_at: int instead of str", id="a wrong type"),
        pytest.param(lambda state: changed(state, translator={}), "missing: ", id="no translator"),
        pytest.param(
            lambda state: changed(state, position={"segment": 99, "offset": 0}),
            "the spool has no",
            id="of another spool",
        ),
        pytest.param(
            lambda state: changed(state, position={"segment": 1, "offset": -1}), "the spool has no", id="before all"
        ),
    ],
)
def test_a_state_that_cannot_be_read_is_discarded_and_the_whole_spool_translated_again(
    open_spool, tmp_path: Path, monkeypatch, caplog, spoilt, why: str
):
    monkeypatch.chdir(tmp_path)
    spool, file, out = open_spool(tmp_path), tmp_path / report_publisher.STATE, []
    file.write_bytes(spoilt(saved_halfway(spool, tmp_path)))
    one = teller(spool, tmp_path)
    one.publish_pending(out.extend)
    assert bodies(out) == expected(capture(NAMES[0]))
    [record] = [record for record in caplog.records if UNREADABLE in record.message]
    assert (record.levelname, record.file, record.error[: len(why)]) == ("WARNING", str(file), why)
    assert not (tmp_path / "unpickled").exists()
    one.save_state()
    teller(spool, tmp_path).publish_pending(out.extend)
    assert len(out) == len(expected(capture(NAMES[0])))
    assert caplog.text.count(UNREADABLE) == 1


def test_a_state_that_the_disk_does_not_give_is_as_one_that_cannot_be_read(open_spool, tmp_path: Path, caplog):
    spool, out = open_spool(tmp_path), []
    saved_halfway(spool, tmp_path)
    (tmp_path / report_publisher.STATE).unlink()
    (tmp_path / report_publisher.STATE).mkdir()
    teller(spool, tmp_path).publish_pending(out.extend)
    assert bodies(out) == expected(capture(NAMES[0]))
    assert caplog.text.count(UNREADABLE) == 1


def test_no_state_is_no_reason_for_a_warning(open_spool, tmp_path: Path, caplog):
    teller(open_spool(tmp_path), tmp_path)
    assert caplog.text == ""


def test_a_state_whose_place_was_lost_with_the_power_goes_on_behind_it(open_spool, tmp_path: Path, caplog):
    spool, out = open_spool(tmp_path), []
    state = saved_halfway(spool, tmp_path)
    (tmp_path / report_publisher.STATE).write_bytes(changed(state, position={"segment": 1, "offset": 2**63}))
    spool = open_spool(tmp_path)
    spool.append(DATA, AT, b"Event: Newchannel\r\n\r\n")
    assert teller(spool, tmp_path).publish_pending(out.extend) == 1
    assert UNREADABLE not in caplog.text


def reports_told(spool: Spool, folder: Path) -> dict[str, dict]:
    out: list = []
    teller(spool, folder).publish_pending(out.extend)
    return {body["report_id"]: body for body in bodies(out)}


@pytest.mark.parametrize("name", NAMES)
def test_a_spool_without_its_beginning_is_translated_and_says_nothing_else_under_an_id_of_before(
    open_spool, tmp_path: Path, name: str, caplog
):
    """Calls that are in it from their beginning come to the same reports; others get ids of their own."""
    whole = tmp_path / "whole"
    spool = open_spool(whole, segment_size=1_500)
    for record in said([*capture(name), *capture(LAST)]):
        spool.append(*record)
    segments = sorted(whole.glob("*.ami"))
    told_of_all = {body["report_id"]: body for body in expected([*capture(name), *capture(LAST)])}
    told_of_last = {body["report_id"] for body in expected(capture(LAST))}
    for first in range(1, len(segments) * len(capture(name)[0]) // (len(capture(name)[0]) + len(capture(LAST)[0]))):
        folder, out = tmp_path / str(first), []
        folder.mkdir()
        for segment in segments[first:]:
            (folder / segment.name).write_bytes(segment.read_bytes())
        (folder / report_publisher.STATE).write_bytes(PICKLE % b"unpickled")
        teller(open_spool(folder), folder).publish_pending(out.extend)
        told_of_rest = {body["report_id"]: body for body in bodies(out)}
        assert told_of_last <= told_of_rest.keys()
        assert all(told_of_all.get(key, body) == body for key, body in told_of_rest.items())
        assert all("~seen" in key for key in told_of_rest.keys() - told_of_all.keys())
    assert not list(tmp_path.rglob(quarantine.NAME))
    assert "quarantine" not in caplog.text


def test_a_state_of_format_1_is_read_by_every_release_that_writes_format_1(open_spool, tmp_path: Path, caplog):
    """Where this fails, what is saved has changed: raise FORMAT, and save the new format to the file."""
    spool, out = open_spool(tmp_path), []
    now = saved_halfway(spool, tmp_path, "13-queue-answered", share=0.65)
    saved = (DATA_OF_ASTERISK / f"state-{report_publisher.FORMAT}.json").read_bytes()
    assert json.loads(now) == json.loads(saved)
    (tmp_path / report_publisher.STATE).write_bytes(saved)
    teller(spool, tmp_path).publish_pending(out.extend)
    assert UNREADABLE not in caplog.text
    assert 0 < len(out) < len(expected(capture("13-queue-answered")))
    assert bodies(out) == expected(capture("13-queue-answered"))[-len(out) :]


def test_a_saved_state_names_no_class_and_no_module(open_spool, tmp_path: Path):
    state = saved_halfway(open_spool(tmp_path), tmp_path).decode()
    assert [word for word in ('Channel"', 'Call"', "asterisk", "services", "shared", "__") if word in state] == []
