"""Uploads are accepted complete or not at all, also when the service is killed."""

import os
import random
import socket
import struct
import subprocess
import time
import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import islice
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import requests

from services.recordings import garbage_collection
from services.recordings.folder import FolderStore
from shared.contracts.recordings.links import Purpose
from shared.plumbing.database import Postgres
from tests.service.recordings.conftest import SERVICE
from tests.service.recordings.media_client import MP3, OPUS, VORBIS, Media, wav, wav_of
from tests.support.infrastructure import Service, Services, Stack, eventually, free_port
from tests.support.problems import check_problem

FRAME = bytes.fromhex("fffb9064") + bytes(413)
"""A frame of silent MP3: 128 kbit/s, 44.1 kHz."""
ID3_BOMB = b"ID3\x04\x00\x00" + bytes([0, 0x7F, 0x7F, 0x7F]) + zlib.compress(bytes(10**6))
WAV = wav(0.2)
KILLS, MAX_CONCURRENT = 2, 50
CHUNKS = b"RIFF" + struct.pack("<I", 10**6) + b"WAVE" + b"junk\x00\x00\x00\x00" * 100_000


OPUS_HEAD = OPUS.read_bytes()[:26] + b"\x01\x08OpusHead"
NARROW = WAV[:32] + b"\x01\x00" + WAV[34:36] + b"data\x90\x01\x00\x00" + bytes(400)


def cut(sound: bytes) -> bytes:
    return sound[: len(sound) // 2]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 415),
        (("Добрий день! " * 100).encode(), 415),
        (b"<html><script>alert(1)</script></html>" * 10, 415),
        (b"PK\x03\x04" + bytes(1000), 415),
        (b"fLaC" + bytes(1000), 415),
        (b"RIFF\x00\x00\x00\x00AVI " + bytes(1000), 415),
        (b"OggS" + bytes(1000), 415),
        (b"\xff\xd8\xff\xe0" + bytes(1000), 415),
        (ID3_BOMB, 415),
        (FRAME * 100 + FRAME[:200], 422),
        (cut(MP3.read_bytes()), 422),
        (cut(VORBIS.read_bytes()), 422),
        (cut(OPUS.read_bytes()), 422),
        (cut(WAV), 422),
        (WAV[:44], 422),
        (WAV[:20], 422),
        (CHUNKS, 422),
        (WAV.replace(b"fmt ", b"tmf "), 422),
        (wav_of(b""), 422),
        (wav_of(bytes(100), rate=0), 422),
        (wav_of(bytes(100), channels=0), 422),
        (b"RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\x7f" + bytes(1000), 422),
        (b"\xff", 415),
        (OPUS.read_bytes()[:26] + b"\x00" + OPUS.read_bytes()[27:], 422),
        (OPUS_HEAD, 422),
        (NARROW, 422),
    ],
    ids=[
        *("nothing", "text", "html", "zip", "flac", "avi", "no ogg", "jpeg", "id3 bomb", "broken frame"),
        *("half an mp3", "half a vorbis", "half an opus", "half a wav", "head of a wav", "piece of a head"),
        *("chunks without end", "no format", "no samples", "no rate", "no channels", "chunk larger than all"),
        *("one byte", "a page without packets", "a page with a head of nothing", "frames narrower than a sample"),
    ],
)
def test_a_damaged_or_unsupported_upload_is_rejected(
    recordings_db: Postgres, media: Media, folder: Path, body: bytes, status: int
):
    call_id, before = uuid4(), files(folder)
    answer = media.put(call_id, body)
    problem = check_problem(answer, status)
    if status == 415:
        assert problem["code"] == "recording_format_unknown"
    if status == 422:
        assert list(problem["errors"]) == ["recording"]
    assert media.get(call_id).status_code == 404
    assert files(folder) == before


@pytest.mark.parametrize("payload", [b"<html><script>alert(1)</script>", b"<svg onload=alert(1)>", b"PK\x03\x04"])
def test_html_inside_a_recording_is_served_as_audio(recordings_db: Postgres, media: Media, payload: bytes):
    call_id = uuid4()
    assert media.put(call_id, wav_of(payload + bytes(-len(payload) % 2)), headers={"Content-Type": "text/html"}).ok
    answer = media.get(call_id)
    assert (answer.headers["Content-Type"], answer.headers["X-Content-Type-Options"]) == ("audio/wav", "nosniff")


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%00", "..%c0%af..%c0%afetc",
        "%5c%5chost%5cshare", "....//....//etc", "/etc/passwd", "~root", "CON", "%uff0e%uff0e/", "incoming", "kept",
    ],
)  # fmt: skip
def test_path_traversal_is_rejected(media: Media, path: str):
    _, _, query = media.link(uuid4(), Purpose.UPLOAD).partition("?")
    with socket.create_connection(address(media)) as sock:
        sock.sendall(f"GET /media/{path}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert sock.recv(4096).split()[1] in (b"403", b"404")


def test_an_interrupted_upload_leaves_nothing(recordings_db: Postgres, media: Media, folder: Path):
    call_id, before = uuid4(), files(folder)
    with socket.create_connection(address(media)) as sock:
        head = f"PUT {media.link(call_id, Purpose.UPLOAD)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        sock.sendall(head.encode() + WAV)
        eventually(lambda: files(folder) > before)
    eventually(lambda: files(folder) == before)
    assert media.get(call_id).status_code == 404


@pytest.mark.parametrize(("length", "status"), [("2147483649", b"413"), ("99999999999999", b"413"), (None, b"411")])
def test_an_upload_over_the_limit_is_rejected_unread(media: Media, length: str | None, status: bytes):
    with socket.create_connection(address(media), timeout=5) as sock:
        says = f"Content-Length: {length}" if length else "Transfer-Encoding: chunked"
        sock.sendall(f"PUT {media.link(uuid4(), Purpose.UPLOAD)} HTTP/1.1\r\nHost: x\r\n{says}\r\n\r\n".encode())
        assert sock.recv(4096).split()[1] == status


def test_concurrent_uploads_of_a_call_store_one_recording(recordings_db: Postgres, media: Media, folder: Path):
    call_id, before = uuid4(), files(folder)
    clients = [replace(media, session=requests.Session()) for _ in range(8)]
    sounds = [wav(0.2), wav(0.3)] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client, sound: client.put(call_id, sound), clients, sounds))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, 200, 200, 201, 409, 409, 409, 409]
    assert media.get(call_id).content in sounds[:2]
    assert len(files(folder) - before) == 1


def test_accepted_uploads_are_complete_after_the_service_is_killed(
    recordings_db: Postgres, stack: Stack, services: Services, media: Media, tmp_path: Path
):
    rng = random.Random(20261124)
    folder, service, client = start_service(stack, services, media, tmp_path)
    sent: dict[UUID, bytes] = {}
    accepted: set[UUID] = set()
    for _ in range(KILLS):
        sounds = {uuid4(): wav_of(rng.randbytes(2 * rng.randrange(20_000, 200_000))) for _ in range(MAX_CONCURRENT)}
        sent |= sounds
        with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
            answers = {pool.submit(upload, client, call_id, sound): call_id for call_id, sound in sounds.items()}
            list(islice(as_completed(answers), rng.randrange(1, MAX_CONCURRENT // 2)))
            service.kill()
        accepted |= {call_id for answer, call_id in answers.items() if answer.result() == 201}
        _, service, client = start_service(stack, services, client, tmp_path)
    downloads = {call_id: client.get(call_id) for call_id in sent}
    assert 0 < len(accepted) < len(sent) == 100
    for call_id, answer in downloads.items():
        assert answer.status_code == 200 or call_id not in accepted
        assert answer.status_code == 404 or answer.content == sent[call_id], "visible but incomplete"
    make_files_old(folder)
    garbage_collection.delete_orphans(recordings_db, FolderStore(folder))
    assert len(files(folder)) == sum(answer.status_code == 200 for answer in downloads.values())
    again = {call_id: client.put(call_id, sound).status_code for call_id, sound in sent.items()}
    assert again == {call_id: 200 if answer.status_code == 200 else 201 for call_id, answer in downloads.items()}


def test_a_full_disk_is_a_507_and_leaves_no_partial_file(
    recordings_db: Postgres, stack: Stack, services: Services, media: Media, tmp_path: Path
):
    folder, service, client = start_service(stack, services, media, tmp_path)
    # A limit of one megabyte per file looks like a full disk to the service.
    subprocess.run(["prlimit", "--fsize=1000000", "--pid", str(service.process.pid)], check=True)
    small, large = uuid4(), uuid4()
    assert client.put(small, WAV).status_code == 201
    answer = client.put(large, wav_of(bytes(4_800_000)))
    check_problem(answer, 507, "storage_full")
    assert client.get(large).status_code == 404
    assert client.get(small).content == WAV
    assert len(files(folder)) == 1
    assert client.put(uuid4(), WAV).status_code == 201


def test_a_missing_store_is_a_503(
    recordings_db: Postgres, stack: Stack, services: Services, media: Media, tmp_path: Path
):
    folder, _, client = start_service(stack, services, media, tmp_path)
    call_id = uuid4()
    assert client.put(call_id, WAV).status_code == 201
    folder.rename(tmp_path / "elsewhere")
    answer = client.get(call_id)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert client.put(uuid4(), WAV).status_code == 503
    (tmp_path / "elsewhere").rename(folder)
    assert client.get(call_id).content == WAV


def test_deleted_and_orphaned_objects_are_deleted_from_the_store(recordings_db: Postgres, media: Media, tmp_path: Path):
    objects = FolderStore(tmp_path)
    kept, deleted, orphan = uuid4(), uuid4(), uuid4()
    for object_id in (kept, deleted, orphan):
        (tmp_path / "incoming" / "x").write_bytes(WAV)
        objects.put(object_id, tmp_path / "incoming" / "x")
    (tmp_path / "incoming" / "left").write_bytes(WAV[:100])
    with recordings_db.connection() as conn:
        conn.execute(
            "insert into recordings (call_id, tenant, version, state, available, object_id, stored_at)"
            " values (%s, 't', 1, '{}', true, %s, now()), (%s, 't', 2, '{}', false, %s, now())",
            (uuid4(), kept, uuid4(), deleted),
        )
    garbage_collection.delete_orphans(recordings_db, objects)
    assert len(files(tmp_path)) == 4
    make_files_old(tmp_path)
    garbage_collection.delete_orphans(recordings_db, objects)
    assert [path.name for path in files(tmp_path)] == [str(kept)]


def address(media: Media) -> tuple[str, int]:
    host, _, port = media.url.removeprefix("http://").partition(":")
    return host, int(port)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def make_files_old(folder: Path) -> None:
    """Make every file two hours old."""
    for path in files(folder):
        os.utime(path, (time.time() - 7200, time.time() - 7200))


def start_service(stack: Stack, services: Services, media: Media, tmp_path: Path) -> tuple[Path, Service, Media]:
    """A service that the test may kill."""
    folder, address = tmp_path / "recordings", f"127.0.0.1:{free_port()}"
    service = services.start(SERVICE, of="recordings", RECORDINGS_FOLDER=str(folder), WEB_ADDRESS=address)
    return folder, service, replace(media, url=f"http://{address}", session=requests.Session())


def upload(media: Media, call_id: UUID, sound: bytes) -> int:
    try:
        return replace(media, session=requests.Session()).put(call_id, sound).status_code
    except requests.RequestException:
        return 0
