"""Too many concurrent downloads get a 429 and leave nothing behind."""

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
from services.recordings.domain.recording import AudioFile
from services.recordings.folder import FolderStore
from shared.contracts.recordings.events import Format
from shared.contracts.recordings.links import Purpose
from shared.plumbing.database import Postgres
from tests.service.recordings.conftest import SERVICE
from tests.service.recordings.media_client import TENANT, Media
from tests.support.infrastructure import Services, Stack, eventually, free_port
from tests.support.problems import check_problem

SIZE = 100 * 1024**2
"""More than the socket buffers hold."""
MAX_CONCURRENT = 4


@pytest.fixture
def call(recordings_db: Postgres, folder: Path) -> Iterator[UUID]:
    """A call with a long recording."""
    call_id, object_id = uuid4(), uuid4()
    path = folder / "kept" / object_id.hex[:2] / str(object_id)
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as sparse:
        sparse.truncate(SIZE)
    sound = AudioFile(format=Format.WAV, duration=timedelta(hours=2), size=SIZE, sha256="a" * 64, peaks=None)
    with recordings_db.connection() as conn:
        handlers.store_recording(conn, TENANT, call_id, object_id, sound)
    yield call_id
    path.unlink()


def start(media: Media, call: UUID, purpose: Purpose) -> socket.socket:
    """A client that has received only the beginning of the response."""
    host, _, port = media.url.removeprefix("http://").partition(":")
    sock = socket.create_connection((host, int(port)), timeout=10)
    sock.sendall(f"GET {media.link(call, purpose)} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\n\r\n".encode())
    assert sock.recv(4096).startswith(b"HTTP/1.1 206")
    return sock


def test_concurrent_downloads_are_limited_per_account(call: UUID, media: Media):
    with ExitStack() as clients:
        downloads = [clients.enter_context(start(media, call, Purpose.DOWNLOAD)) for _ in range(MAX_CONCURRENT)]
        link = media.link(call, Purpose.DOWNLOAD)
        refused = media("GET", link, headers={"Range": "bytes=0-9"})
        check_problem(refused, 429, "too_many_concurrent_recordings")
        assert refused.headers["Retry-After"] == "1"
        assert media("HEAD", link).status_code == 200
        assert media.get(call, Range="bytes=0-9").status_code == 206
        other = replace(media, caller_id=uuid4())
        assert other("GET", other.link(call, Purpose.DOWNLOAD), headers={"Range": "bytes=0-9"}).status_code == 206
        downloads[0].close()
        eventually(lambda: media("GET", link, headers={"Range": "bytes=0-9"}).status_code == 206)


def test_more_playbacks_than_downloads_are_allowed_at_once(call: UUID, media: Media):
    with ExitStack() as clients:
        for _ in range(5 * MAX_CONCURRENT):
            clients.enter_context(start(media, call, Purpose.PLAY))


def test_sequential_range_requests_are_not_limited(call: UUID, media: Media):
    statuses = {media.get(call, Range=f"bytes={begin}-{begin + 9}").status_code for begin in range(10 * MAX_CONCURRENT)}
    assert statuses == {206}
    assert media.get(call, Range=f"bytes={SIZE}-").status_code == 416
    assert media.get(call, If_None_Match="*").status_code == 304


def test_a_rejected_stream_leaves_no_open_file(
    call: UUID, stack: Stack, services: Services, media: Media, folder: Path
):
    address = f"127.0.0.1:{free_port()}"
    service = services.start(SERVICE, of="recordings", RECORDINGS_FOLDER=str(folder), WEB_ADDRESS=address, STREAMS="0")
    client = replace(media, url=f"http://{address}", session=requests.Session())
    for _ in range(20):
        check_problem(client.get(call), 503, "too_many_streams")
    opened = [file.resolve() for file in Path(f"/proc/{service.process.pid}/fd").iterdir()]
    assert [path for path in opened if folder in path.parents] == []


def test_a_reader_that_never_started_is_closed(tmp_path: Path):
    objects, object_id = FolderStore(tmp_path), uuid4()
    (objects.incoming / "x").write_bytes(b"x")
    objects.put(object_id, objects.incoming / "x")
    pieces = objects.read(object_id, 0, 1)
    pieces.close()
    opened = [file.resolve() for file in Path("/proc/self/fd").iterdir()]
    assert [path for path in opened if tmp_path in path.parents] == []
