"""A store keeps objects whole or not at all: the folder and the bucket by the same rules."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.recordings.bucket import Bucket
from services.recordings.objects import PIECE, Objects, objects_of
from shared.contracts.errors import Unavailable
from tests.support.bucket import BUCKET, S3, s3_server

BYTES = bytes(range(256)) * 80_000
"""20 MB: more than a part of an upload."""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Objects:
    config = {"RECORDINGS_FOLDER": str(tmp_path), "RECORDINGS_BUCKET": "", "RECORDINGS_ENDPOINT": ""}
    if request.param == "bucket":
        for name, value in request.getfixturevalue("s3").env.items():
            monkeypatch.setenv(name, value)
            config[name] = value
    return objects_of(config)


def keep(objects: Objects, content: bytes = BYTES) -> UUID:
    object_id = uuid4()
    file = objects.incoming / str(uuid4())
    file.write_bytes(content)
    objects.keep(object_id, file)
    assert not file.exists()
    return object_id


def listed(objects: Objects) -> dict[UUID, datetime]:
    return {object_id: kept_at for some in objects.listed() for object_id, kept_at in some}


def test_what_is_kept_is_read_to_the_byte(objects: Objects):
    object_id = keep(objects)
    size = len(BYTES)
    for begin, end in [(0, size), (0, 1), (size - 1, size), (65_535, 131_073), (9_999_999, 10_000_010)]:
        pieces = list(objects.read(object_id, begin, end))
        assert b"".join(pieces) == BYTES[begin:end]
        assert max(map(len, pieces)) <= PIECE


def test_what_is_kept_is_listed_with_its_time(objects: Objects):
    object_id = keep(objects, b"x")
    assert abs(listed(objects)[object_id] - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_is_deleted_is_gone_and_may_be_deleted_again(objects: Objects):
    object_id = keep(objects, b"x")
    objects.delete(object_id)
    objects.delete(object_id)
    assert object_id not in listed(objects)
    with pytest.raises(Unavailable):
        next(objects.read(object_id, 0, 1))


def test_what_others_have_put_beside_it_is_left_alone(
    objects: Objects, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    object_id = keep(objects, b"x")
    if isinstance(objects, Bucket):
        for name in ("read me", f"{{{uuid4()}}}", f"old/{uuid4()}"):
            objects._s3.put_object(Bucket=BUCKET, Key=name, Body=b"x")
    else:
        shelf = tmp_path / "kept" / object_id.hex[:2]
        for path in (tmp_path / "kept" / "read me", shelf / "read me", shelf / f"{{{uuid4()}}}"):
            path.write_bytes(b"x")
        (objects.incoming / "folder").mkdir()
    assert object_id in listed(objects)
    [said] = [one for one in caplog.records if "among the recordings" in one.message]
    assert said.count == 3  # type: ignore[attr-defined]
    objects.forget_begun(datetime.now(UTC) + timedelta(hours=1))


def test_an_upload_that_died_is_given_up_when_it_is_old(objects: Objects):
    if isinstance(objects, Bucket):
        objects._s3.create_multipart_upload(Bucket=BUCKET, Key=str(uuid4()))
    (objects.incoming / "half").write_bytes(b"x")

    def begun() -> int:
        files = len(list(objects.incoming.glob("half")))
        if not isinstance(objects, Bucket):
            return files
        return files + len(objects._s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))

    before = begun()
    objects.forget_begun(datetime.now(UTC) - timedelta(hours=1))
    assert begun() == before > 0
    objects.forget_begun(datetime.now(UTC) + timedelta(hours=1))
    assert begun() == 0


def test_what_only_came_in_is_not_listed(objects: Objects):
    before = listed(objects)
    (objects.incoming / "half").write_bytes(b"x")
    assert listed(objects) == before


def test_reading_may_be_given_up(objects: Objects):
    pieces = objects.read(keep(objects), 0, len(BYTES))
    assert len(next(pieces)) > 0
    pieces.close()


def test_a_bucket_that_does_not_answer_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    nobody = {"RECORDINGS_BUCKET": "x", "RECORDINGS_ENDPOINT": "http://127.0.0.1:9", "RECORDINGS_FOLDER": str(tmp_path)}
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    objects = objects_of(nobody)
    with pytest.raises(Unavailable):
        keep(objects, b"x")
    with pytest.raises(Unavailable):
        objects.read(uuid4(), 0, 1)
    with pytest.raises(Unavailable):
        objects.delete(uuid4())
