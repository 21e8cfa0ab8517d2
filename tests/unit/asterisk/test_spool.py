"""What was heard is on disk, in order, whatever breaks off."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.asterisk.spool import CONNECTED, DATA, HEADER, MAX_RECORD_SIZE, Position, Spool, SpoolWriteError

AT = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)


def said(spool: Spool, since: Position = Position()) -> list[bytes]:  # noqa: B008
    return [heard.data for heard, _ in spool.read(since)]


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """As on a full disk: what crosses it is written in part, and the next write is refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_is_appended_is_read_with_the_moment_it_was_heard(open_spool, tmp_path: Path):
    spool = open_spool(tmp_path)
    spool.append(CONNECTED, AT)
    spool.append(DATA, AT, "Event: Їжак".encode())
    assert [(heard.kind, heard.at, heard.data.decode()) for heard, _ in spool.read(Position())] == [
        (CONNECTED, AT, ""),
        (DATA, AT, "Event: Їжак"),
    ]


def test_reading_goes_on_from_any_position_through_all_segments(open_spool, tmp_path: Path):
    spool = open_spool(tmp_path, segment_size=100)
    for n in range(20):
        spool.append(DATA, AT, b"%030d" % n)
    read = list(spool.read(Position()))
    assert len({position.segment for _, position in read}) > 5
    for n, (_, position) in enumerate(read):
        assert said(spool, position) == [heard.data for heard, _ in read[n + 1 :]]


@pytest.mark.parametrize("kept", range(1, HEADER.size + 10))
def test_a_record_that_was_broken_off_is_left_out_and_the_next_process_goes_on_after_it(
    open_spool, tmp_path: Path, kept: int
):
    before = open_spool(tmp_path)
    before.append(DATA, AT, b"whole")
    before.append(DATA, AT, b"broken off")
    [segment] = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes()[: HEADER.size + len(b"whole") + kept])
    after = open_spool(tmp_path)
    after.append(DATA, AT, b"new")
    assert said(after) == [b"whole", b"new"]


@pytest.mark.parametrize("room", [0, 1, HEADER.size, HEADER.size + 9])
def test_a_full_disk_says_so_and_costs_only_what_it_did_not_take(open_spool, tmp_path: Path, room: int):
    spool = open_spool(tmp_path)
    spool.append(DATA, AT, b"before")
    with no_file_beyond(HEADER.size + len(b"before") + room):
        for _ in range(2):
            with pytest.raises(SpoolWriteError, match="File too large"):
                spool.append(DATA, AT, b"no room for it")
    for data in (b"after", b"and on"):
        spool.append(DATA, AT, data)
    assert said(spool) == [b"before", b"after", b"and on"]


def test_a_record_that_the_disk_changed_is_left_out(open_spool, tmp_path: Path):
    spool = open_spool(tmp_path)
    spool.append(DATA, AT, b"one")
    [segment] = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes().replace(b"one", b"two"))
    assert said(spool) == []


def test_much_at_once_is_several_records(open_spool, tmp_path: Path):
    spool = open_spool(tmp_path)
    spool.append(DATA, AT, b"x" * (MAX_RECORD_SIZE + 1))
    assert list(map(len, said(spool))) == [MAX_RECORD_SIZE, 1]


def test_what_nobody_reads_again_is_forgotten_and_what_is_written_to_never(open_spool, tmp_path: Path):
    spool = open_spool(tmp_path, segment_size=100)
    for n in range(10):
        spool.append(DATA, AT, b"%040d" % n)
    spool.forget(list(spool.read(Position()))[4][1])
    assert said(spool)[0] <= b"%040d" % 4
    spool.forget(Position(10**6))
    spool.append(DATA, AT, b"still here")
    assert said(spool)[-1] == b"still here"
