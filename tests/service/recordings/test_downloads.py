"""Downloads, whole or by range: RFC 9110, §13 and §14."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.recordings import handlers
from services.recordings.domain.recording import AudioFile
from shared.contracts.recordings.events import Format
from shared.contracts.recordings.links import Purpose
from shared.plumbing.database import Postgres
from tests.service.recordings.media_client import MP3, OPUS, TENANT, VORBIS, Media, wav
from tests.support.problems import check_problem

SOUND = wav(0.5)
SIZE = len(SOUND)


@pytest.fixture
def call(recordings_db: Postgres, media: Media) -> UUID:
    """A call with a recording."""
    call_id = uuid4()
    assert media.put(call_id, SOUND).status_code == 201
    return call_id


def etag(media: Media, call: UUID) -> str:
    return media.get(call).headers["ETag"]


@pytest.mark.parametrize(
    ("sound", "seconds", "format_", "media_type"),
    [
        (SOUND, 0.5, "wav", "audio/wav"),
        (MP3.read_bytes(), 1.0, "mp3", "audio/mpeg"),
        (VORBIS.read_bytes(), 1.0, "ogg", "audio/ogg"),
        (OPUS.read_bytes(), 1.0, "ogg", "audio/ogg"),
    ],
    ids=["wav", "mp3", "vorbis", "opus"],
)
def test_an_upload_can_be_downloaded(
    recordings_db: Postgres, media: Media, sound: bytes, seconds: float, format_: str, media_type: str
):
    call_id = uuid4()
    uploaded, downloaded = media.put(call_id, sound), media.get(call_id)
    response = uploaded.json()
    assert (uploaded.status_code, response["format"], response["size"]) == (201, format_, len(sound))
    assert response["sha256"] == sha256(sound).hexdigest()
    assert abs(float(response["duration_seconds"]) - seconds) < 0.15
    assert (downloaded.status_code, downloaded.headers["Content-Type"], downloaded.content) == (200, media_type, sound)


def test_repeating_an_upload_is_allowed_and_replacing_it_is_not(call: UUID, media: Media):
    assert media.put(call, SOUND).status_code == 200
    other = media.put(call, wav(1.0))
    check_problem(other, 409, "recording_exists")
    assert media.get(call).content == SOUND


def test_responses_have_security_headers(call: UUID, media: Media):
    headers = media.get(call).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Content-Disposition"].startswith("inline; ")


def test_a_download_has_a_unicode_file_name(call: UUID, media: Media):
    headers = media("GET", media.link(call, Purpose.DOWNLOAD, name="Дзвінок 1")).headers
    assert headers["Content-Disposition"] == (
        "attachment; filename=\"file.wav\"; filename*=UTF-8''%D0%94%D0%B7%D0%B2%D1%96%D0%BD%D0%BE%D0%BA%201.wav"
    )


def test_head_has_the_size_and_no_body(call: UUID, media: Media):
    answer = media("HEAD", media.link(call), headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, str(SIZE), b"")
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("requested", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-9", 0, 9),
        ("bytes=10-19", 10, 19),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        ("bytes=-100", SIZE - 100, SIZE - 1),
        (f"bytes=-{SIZE + 5}", 0, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        (f"bytes=0-{SIZE * 2}", 0, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        (f"bytes={SIZE - 1}-{10**30}", SIZE - 1, SIZE - 1),
    ],
)
def test_a_range_is_served_exactly(call: UUID, media: Media, requested: str, first: int, last: int):
    answer = media.get(call, Range=requested)
    assert (answer.status_code, answer.content) == (206, SOUND[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("range_", [f"bytes={SIZE}-", f"bytes={SIZE + 1}-{SIZE + 9}", f"bytes={10**30}-", "bytes=-0"])
def test_an_unsatisfiable_range_is_a_416_with_the_size(call: UUID, media: Media, range_: str):
    answer = media.get(call, Range=range_)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize(
    "requested",
    [
        "bytes",
        "bytes=",
        "bytes=a-b",
        "bytes=9-0",
        "bytes=--1",
        "items=0-9",
        "0-9",
        "bytes=0-9,20-29",
        "bytes=0-9, -5",
        "=",
    ],
)
def test_invalid_and_multiple_ranges_get_the_whole_file(call: UUID, media: Media, requested: str):
    answer = media.get(call, Range=requested)
    assert (answer.status_code, answer.content) == (200, SOUND)


def test_if_range_with_another_tag_gets_the_whole_file(call: UUID, media: Media):
    tag = etag(media, call)
    for condition, status in [
        (tag, 206),
        ('"other"', 200),
        (f"W/{tag}", 200),
        (tag.strip('"'), 200),
        ("Tue, 24 Nov 2026 08:00:00 GMT", 200),
    ]:
        assert media.get(call, Range="bytes=0-9", If_Range=condition).status_code == status, condition


def test_if_none_match_with_the_tag_is_a_304(call: UUID, media: Media):
    tag = etag(media, call)
    for condition, status in [(tag, 304), (f"W/{tag}", 304), ("*", 304), ('"other"', 200), (f'"other", {tag}', 304)]:
        assert media.get(call, If_None_Match=condition).status_code == status, condition


def test_if_match_with_another_tag_is_a_412(call: UUID, media: Media):
    tag = etag(media, call)
    for condition, status in [(tag, 200), ("*", 200), ('"other"', 412)]:
        assert media.get(call, If_Match=condition).status_code == status, condition


def test_one_connection_serves_many_ranges(call: UUID, media: Media):
    parts = [media.get(call, Range=f"bytes={begin}-{begin + 999}").content for begin in range(0, SIZE, 1000)]
    assert b"".join(parts) == SOUND


def test_a_range_beyond_four_gigabytes_is_served_exactly(recordings_db: Postgres, media: Media, folder: Path):
    call_id, object_id, size = uuid4(), uuid4(), 5 * 1024**3
    place = folder / "kept" / object_id.hex[:2] / str(object_id)
    place.parent.mkdir(exist_ok=True)
    with place.open("wb") as sparse:
        sparse.truncate(size)
        sparse.seek(2**32 + 1000)
        sparse.write(SOUND)
    sound = AudioFile(format=Format.WAV, duration=timedelta(days=3), size=size, sha256="a" * 64, peaks=None)
    with recordings_db.connection() as conn:
        handlers.store_recording(conn, TENANT, call_id, object_id, sound)
    answer = media.get(call_id, Range=f"bytes={2**32 + 1000}-{2**32 + 1000 + SIZE - 1}")
    assert (answer.status_code, answer.content) == (206, SOUND)
    assert answer.headers["Content-Range"].endswith(f"/{size}")
    assert media("HEAD", media.link(call_id)).headers["Content-Length"] == str(size)
    assert media.get(call_id, Range="bytes=-3").content == bytes(3)
    place.unlink()
