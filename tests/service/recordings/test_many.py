"""Who takes more sound at once than there are places is told to come again, and leaves nothing behind."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import requests

from services.recordings import handlers
from services.recordings.domain.recording import Sound
from services.recordings.objects import Folder
from shared.contracts.recordings.events import Format
from shared.contracts.recordings.links import Purpose
from shared.plumbing.database import Postgres
from tests.service.recordings.conftest import SERVICE
from tests.service.recordings.stage import TENANT, Media
from tests.support.infrastructure import Services, Stack, eventually, free_port

SIZE = 100 * 1024**2
"""More than the sockets on its way hold."""
AT_ONCE = 4


@pytest.fixture
def call(recordings_db: Postgres, folder: Path) -> Iterator[UUID]:
    """A call with a long recording."""
    call_id, object_id = uuid4(), uuid4()
    place = folder / "kept" / object_id.hex[:2] / str(object_id)
    place.parent.mkdir(exist_ok=True)
    with place.open("wb") as sparse:
        sparse.truncate(SIZE)
    sound = Sound(format=Format.WAV, duration=timedelta(hours=2), size=SIZE, sha256="a" * 64, peaks=None)
    with recordings_db.connection() as conn:
        handlers.keep(conn, TENANT, call_id, object_id, sound)
    yield call_id
    place.unlink()


def begun(media: Media, call: UUID, purpose: Purpose) -> socket.socket:
    """Somebody who listens, and has taken no more than the beginning."""
    host, _, port = media.url.removeprefix("http://").partition(":")
    sock = socket.create_connection((host, int(port)), timeout=10)
    sock.sendall(f"GET {media.link(call, purpose)} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\n\r\n".encode())
    assert sock.recv(4096).startswith(b"HTTP/1.1 206")
    return sock


def test_an_account_downloads_four_at_once_and_nobody_else_is_kept_waiting(call: UUID, media: Media):
    with ExitStack() as held:
        downloads = [held.enter_context(begun(media, call, Purpose.DOWNLOAD)) for _ in range(AT_ONCE)]
        link = media.link(call, Purpose.DOWNLOAD)
        refused = media("GET", link, headers={"Range": "bytes=0-9"})
        assert (refused.status_code, refused.json()["type"], refused.headers["Retry-After"]) == (429, "too-many", "1")
        assert media("HEAD", link).status_code == 200
        assert media.get(call, Range="bytes=0-9").status_code == 206
        other = replace(media, caller_id=uuid4())
        assert other("GET", other.link(call, Purpose.DOWNLOAD), headers={"Range": "bytes=0-9"}).status_code == 206
        downloads[0].close()
        eventually(lambda: media("GET", link, headers={"Range": "bytes=0-9"}).status_code == 206)


def test_an_account_plays_more_than_it_downloads(call: UUID, media: Media):
    with ExitStack() as held:
        for _ in range(5 * AT_ONCE):
            held.enter_context(begun(media, call, Purpose.PLAY))


def test_parts_asked_for_one_after_the_other_are_not_at_once(call: UUID, media: Media):
    statuses = {media.get(call, Range=f"bytes={begin}-{begin + 9}").status_code for begin in range(10 * AT_ONCE)}
    assert statuses == {206}
    assert media.get(call, Range=f"bytes={SIZE}-").status_code == 416
    assert media.get(call, If_None_Match="*").status_code == 304


def test_who_is_refused_as_one_stream_too_many_leaves_no_file_open(
    call: UUID, stack: Stack, services: Services, media: Media, folder: Path
):
    address = f"127.0.0.1:{free_port()}"
    service = services.start(SERVICE, of="recordings", RECORDINGS_FOLDER=str(folder), WEB_ADDRESS=address, STREAMS="0")
    client = replace(media, url=f"http://{address}", session=requests.Session())
    for _ in range(20):
        assert client.get(call).json()["type"] == "too-many-streams"
    opened = [file.resolve() for file in Path(f"/proc/{service.process.pid}/fd").iterdir()]
    assert [path for path in opened if folder in path.parents] == []


def test_what_was_never_begun_is_closed(tmp_path: Path):
    objects, object_id = Folder(tmp_path), uuid4()
    (objects.incoming / "x").write_bytes(b"x")
    objects.keep(object_id, objects.incoming / "x")
    pieces = objects.read(object_id, 0, 1)
    pieces.close()
    opened = [file.resolve() for file in Path("/proc/self/fd").iterdir()]
    assert [path for path in opened if tmp_path in path.parents] == []
