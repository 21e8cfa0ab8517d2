"""The exchange is heard again and again, and what kept it from being heard is said as what it is."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from services.asterisk import receiver
from services.asterisk.ami_client import NotLoggedIn
from services.asterisk.receiver import FIRST_REFUSED_PAUSE, MAX_PAUSE, AmiReceiver
from services.asterisk.settings import Settings
from services.asterisk.spool import Position, Spool, SpoolWriteError

Hear = Callable[[bytes], None]
Connection = Callable[[Hear], None]


def broken(hear: Hear) -> None:
    hear(b"Response: Success\r\n\r\n")
    raise ConnectionResetError("broken")


def refused(hear: Hear) -> None:
    raise NotLoggedIn("Authentication failed")


def nobody(hear: Hear) -> None:
    raise ConnectionRefusedError("nobody there")


def quiet(hear: Hear) -> None:
    hear(b"Response: Success\r\n\r\n")


class Stopping(threading.Event):
    """Waits no time, remembers how long it was to be, and is set when the connections are at their end."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times, self.pauses = times, []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        if len(self.pauses) == self.times:
            self.set()
        return self.is_set()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch, open_spool, tmp_path: Path):
    """Plays connections; answers the pauses after each of them."""
    settings = Settings(amqp_uri="", host="pbx", user="u", secret="s", tenant="t", spool=tmp_path)

    def play(*connections: Connection, spool: Spool | None = None) -> list[float]:
        left, stopping = list(connections), Stopping(len(connections))
        monkeypatch.setattr(receiver, "listen", lambda _, hear: left.pop(0)(hear))
        AmiReceiver(settings, spool or open_spool(tmp_path), stopping).listen()
        return stopping.pauses

    return play


def test_an_exchange_that_is_not_there_is_asked_less_and_less_often(pauses):
    assert pauses(*[nobody] * 8) == [0.4, 0.8, 1.6, 3.2, 6.4, 12.8, MAX_PAUSE, MAX_PAUSE]


def test_a_line_that_breaks_after_a_login_is_no_reason_to_wait_longer_than_after_the_first(pauses):
    assert pauses(*[broken] * 8) == [0.4] * 8


def test_a_login_ends_the_long_pauses(pauses):
    assert pauses(*[nobody] * 8, broken, refused, quiet)[8:] == [0.4, FIRST_REFUSED_PAUSE, 0.2]


def test_a_full_disk_is_said_as_what_it_is(pauses, open_spool, tmp_path: Path, monkeypatch, caplog):
    spool = open_spool(tmp_path)

    def full(*_: object) -> None:
        raise SpoolWriteError("[Errno 28] No space left on device")

    monkeypatch.setattr(spool, "append", full)
    with caplog.at_level(logging.WARNING):
        assert pauses(quiet, spool=spool) == [MAX_PAUSE]
    [record] = caplog.records
    assert (record.levelname, "cannot write to the spool" in record.message) == ("ERROR", True)
    assert "No space left" in record.error


def test_each_connection_begins_anew_in_the_spool(pauses, open_spool, tmp_path: Path):
    spool = open_spool(tmp_path)
    pauses(quiet, nobody, broken, spool=spool)
    assert [heard.data[:8] for heard, _ in spool.read(Position())] == [b"", b"Response"] * 2
