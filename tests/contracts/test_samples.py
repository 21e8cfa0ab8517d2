"""The published language: a golden sample of every version that was ever published, never edited, always readable."""

import importlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from shared.contracts import topology
from shared.contracts.calls.events import CallState, Forward
from shared.contracts.calls.schemas import CallStateSchema
from shared.contracts.event import Event, Recorded
from shared.contracts.values import Direction, EndedBy, Phase, Status
from shared.contracts.wire import EVENT_REGISTRATIONS, EnvelopeSchema, Json, decode, encode, message

CONTRACTS = Path(__file__).parents[2] / "shared" / "contracts"
NAME = re.compile(r"(?P<type>\w+)\.v(?P<version>\d+)\.json")

for owner in ("gateway", *topology.EVENT_SOURCES):
    importlib.import_module(f"shared.contracts.{owner}.schemas")

SAMPLES = sorted(CONTRACTS.glob("*/samples/*.json"))
VERSIONS = [(wire.type, version) for wire in EVENT_REGISTRATIONS.values() for version in range(1, wire.version + 1)]
STATE = CallStateSchema()


def sample(type_: str, version: int) -> Path:
    owner = EVENT_REGISTRATIONS[type_].schema.__module__.split(".")[2]
    return CONTRACTS / owner / "samples" / f"{type_}.v{version}.json"


def read(path: Path) -> tuple[str, int, Json]:
    named = NAME.fullmatch(path.name)
    assert named, f"{path.name} is not named <type>.v<version>.json"
    return named["type"], int(named["version"]), json.loads(path.read_text())


@pytest.mark.parametrize(("type_", "version"), VERSIONS)
def test_every_version_that_is_published_has_a_sample(type_: str, version: int) -> None:
    assert sample(type_, version).exists()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample_is_of_a_version_that_is_published(path: Path) -> None:
    type_, version, _ = read(path)
    assert (type_, version) in VERSIONS


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_read_and_one_of_todays_version_is_written_again_as_it_was(path: Path) -> None:
    type_, version, data = read(path)
    event = decode(type_, version, data)
    assert isinstance(event, Event)
    again = encode(event)
    assert (again[0], again[1]) == (type_, EVENT_REGISTRATIONS[type_].version)
    if version == EVENT_REGISTRATIONS[type_].version:
        assert again[2] == data


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_what_a_newer_writer_adds_is_ignored(path: Path) -> None:
    type_, version, data = read(path)
    assert decode(type_, version, data | {"added_later": 1}) == decode(type_, version, data)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_what_is_missing_is_not_made_up(path: Path) -> None:
    type_, version, data = read(path)
    for name in data:
        with pytest.raises(ValidationError, match=name):
            decode(type_, version, {key: value for key, value in data.items() if key != name})


instants = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
lengths = st.integers(0, 10**13).map(lambda microseconds: timedelta(microseconds=microseconds))
words = st.text(max_size=20)
states = st.builds(
    CallState,
    call_id=st.uuids(),
    direction=st.none() | st.sampled_from(Direction),
    status=st.sampled_from(Status),
    phase=st.sampled_from(Phase),
    rule=words,
    reason=st.none() | words,
    caller=st.none() | words,
    caller_name=st.none() | words,
    callee=st.none() | words,
    line=st.none() | words,
    groups=st.lists(words, max_size=2),
    rung=st.lists(words, max_size=2),
    offline=st.lists(words, max_size=2),
    answered_by=st.lists(words, max_size=2),
    forwarded=st.lists(st.builds(Forward, to=words, line=st.none() | words, at=instants), max_size=2),
    ended_by=st.none() | st.sampled_from(EndedBy),
    cause=st.none() | st.integers(0, 127),
    sip=st.none() | st.integers(100, 699),
    placed_at=st.none() | instants,
    ringing_at=st.none() | instants,
    answered_at=st.none() | instants,
    ended_at=st.none() | instants,
    wait_time=st.none() | lengths,
    talk_time=st.none() | lengths,
    recorded=st.booleans(),
    returned_by=st.none() | st.uuids(),
)


@given(states)
def test_a_state_comes_back_from_json_as_it_went(state: CallState) -> None:
    assert STATE.load(json.loads(json.dumps(STATE.dump(state)))) == state


def test_a_published_message_says_what_happened_and_what_is_now() -> None:
    type_, version, data = read(sample("call_placed", 1))
    recorded = Recorded(
        id=UUID(int=1),
        tenant="acme",
        stream="call-1",
        version=7,
        recorded_at=datetime(2026, 11, 22, tzinfo=UTC),
        correlation_id="trace",
        event=decode(type_, version, data),
    )
    told = message(recorded, encode(recorded.event), {"status": "ringing"})
    loaded = EnvelopeSchema().load(told)
    assert (loaded["data"], loaded["state"], loaded["version"]) == (data, {"status": "ringing"}, 7)
    assert loaded["recorded_at"] == recorded.recorded_at
    assert set(told) == set(EnvelopeSchema().fields)
