"""The folder and the bucket follow the same rules: an object is complete or does not exist."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.recordings.bucket import BucketStore
from services.recordings.objects import CHUNK_SIZE, ObjectStore
from services.recordings.stores import configured_store
from shared.contracts.errors import Unavailable
from tests.support.bucket import BUCKET, S3, s3_server

BYTES = bytes(range(256)) * 80_000
"""20 MB: more than a part of an upload."""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    config = {"RECORDINGS_FOLDER": str(tmp_path), "RECORDINGS_BUCKET": "", "RECORDINGS_ENDPOINT": ""}
    if request.param == "bucket":
        for name, value in request.getfixturevalue("s3").env.items():
            monkeypatch.setenv(name, value)
            config[name] = value
    return configured_store(config)


def keep(objects: ObjectStore, content: bytes = BYTES) -> UUID:
    object_id = uuid4()
    file = objects.incoming / str(uuid4())
    file.write_bytes(content)
    objects.put(object_id, file)
    assert not file.exists()
    return object_id


def listed(objects: ObjectStore) -> dict[UUID, datetime]:
    return {object_id: stored_at for batch in objects.list_objects() for object_id, stored_at in batch}


def test_ranges_of_an_object_are_read_exactly(objects: ObjectStore):
    object_id = keep(objects)
    size = len(BYTES)
    for begin, end in [(0, size), (0, 1), (size - 1, size), (65_535, 131_073), (9_999_999, 10_000_010)]:
        pieces = list(objects.read(object_id, begin, end))
        assert b"".join(pieces) == BYTES[begin:end]
        assert max(map(len, pieces)) <= CHUNK_SIZE


def test_objects_are_listed_with_their_time(objects: ObjectStore):
    object_id = keep(objects, b"x")
    assert abs(listed(objects)[object_id] - datetime.now(UTC)) < timedelta(minutes=1)


def test_deleting_an_object_is_idempotent(objects: ObjectStore):
    object_id = keep(objects, b"x")
    objects.delete(object_id)
    objects.delete(object_id)
    assert object_id not in listed(objects)
    with pytest.raises(Unavailable):
        next(objects.read(object_id, 0, 1))


def test_foreign_files_are_skipped_with_a_warning(
    objects: ObjectStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    object_id = keep(objects, b"x")
    if isinstance(objects, BucketStore):
        for name in ("read me", f"{{{uuid4()}}}", f"old/{uuid4()}"):
            objects._s3.put_object(Bucket=BUCKET, Key=name, Body=b"x")
    else:
        shelf = tmp_path / "kept" / object_id.hex[:2]
        for path in (tmp_path / "kept" / "read me", shelf / "read me", shelf / f"{{{uuid4()}}}"):
            path.write_bytes(b"x")
        (objects.incoming / "folder").mkdir()
    assert object_id in listed(objects)
    [warning] = [record for record in caplog.records if "among the recordings" in record.message]
    assert warning.count == 3  # type: ignore[attr-defined]
    objects.abort_stale_uploads(datetime.now(UTC) + timedelta(hours=1))


def test_stale_uploads_are_aborted(objects: ObjectStore):
    if isinstance(objects, BucketStore):
        objects._s3.create_multipart_upload(Bucket=BUCKET, Key=str(uuid4()))
    (objects.incoming / "half").write_bytes(b"x")

    def pending_uploads() -> int:
        files = len(list(objects.incoming.glob("half")))
        if not isinstance(objects, BucketStore):
            return files
        return files + len(objects._s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))

    before = pending_uploads()
    objects.abort_stale_uploads(datetime.now(UTC) - timedelta(hours=1))
    assert pending_uploads() == before > 0
    objects.abort_stale_uploads(datetime.now(UTC) + timedelta(hours=1))
    assert pending_uploads() == 0


def test_incoming_files_are_not_listed(objects: ObjectStore):
    before = listed(objects)
    (objects.incoming / "half").write_bytes(b"x")
    assert listed(objects) == before


def test_a_reader_may_stop_early(objects: ObjectStore):
    pieces = objects.read(keep(objects), 0, len(BYTES))
    assert len(next(pieces)) > 0
    pieces.close()


def test_an_unreachable_bucket_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    config = {"RECORDINGS_BUCKET": "x", "RECORDINGS_ENDPOINT": "http://127.0.0.1:9", "RECORDINGS_FOLDER": str(tmp_path)}
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    objects = configured_store(config)
    with pytest.raises(Unavailable):
        keep(objects, b"x")
    with pytest.raises(Unavailable):
        objects.read(uuid4(), 0, 1)
    with pytest.raises(Unavailable):
        objects.delete(uuid4())
