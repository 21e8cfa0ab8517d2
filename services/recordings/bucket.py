"""Objects in a bucket of a store with the S3 protocol. boto3 reads keys and region from the environment."""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from services.recordings.objects import CHUNK_SIZE, delete_stale_files, object_id_of, start, warn_about_foreign_files
from shared.contracts.errors import Unavailable
from shared.plumbing.cooperative import in_a_thread

logger = logging.getLogger(__name__)

PART_SIZE = 8 * 1024 * 1024
# Without threads: an upload sends one part after the other and holds one part in memory.
TRANSFER = TransferConfig(multipart_threshold=PART_SIZE, multipart_chunksize=PART_SIZE, use_threads=False)
CLIENT_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"total_max_attempts": 2},
    # Not every store supports checksums other than Content-MD5.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class BucketStore:
    """`folder` is where uploads are received before they are sent to the bucket."""

    def __init__(self, folder: Path, bucket: str, endpoint: str | None) -> None:
        self.incoming, self._bucket = folder / "incoming", bucket
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._s3: Any = boto3.client("s3", endpoint_url=endpoint, config=CLIENT_CONFIG)

    def put(self, object_id: UUID, file: Path) -> None:
        with _unavailable_on_error():
            self._s3.upload_file(str(file), self._bucket, str(object_id), Config=TRANSFER)
        file.unlink()

    def read(self, object_id: UUID, begin: int, end: int) -> Generator[bytes, None, None]:
        with _unavailable_on_error():
            response = self._s3.get_object(Bucket=self._bucket, Key=str(object_id), Range=f"bytes={begin}-{end - 1}")
        return start(_read_chunks(response["Body"]))

    def delete(self, object_id: UUID) -> None:
        with _unavailable_on_error():
            self._s3.delete_object(Bucket=self._bucket, Key=str(object_id))

    def list_objects(self) -> Iterator[Sequence[tuple[UUID, datetime]]]:
        foreign = 0
        with _unavailable_on_error():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
                items = [(object_id_of(item["Key"]), item["LastModified"]) for item in page.get("Contents", ())]
                objects = [(object_id, stored_at) for object_id, stored_at in items if object_id]
                foreign += len(items) - len(objects)
                yield objects
        warn_about_foreign_files(foreign, self._bucket)

    def abort_stale_uploads(self, before: datetime) -> None:
        in_a_thread(delete_stale_files, self.incoming, before)
        with _unavailable_on_error():
            for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket):
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before and object_id_of(upload["Key"]):
                        self._abort(upload["Key"], upload["UploadId"])

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except self._s3.exceptions.NoSuchUpload:
            # It was completed, or aborted by another replica, meanwhile.
            logger.info("multipart upload no longer exists", extra={"object_id": key})


def _read_chunks(body: Any) -> Generator[bytes, None, None]:
    with closing(body):
        yield b""
        yield from body.iter_chunks(CHUNK_SIZE)


@contextmanager
def _unavailable_on_error() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise Unavailable("storage_unavailable") from error
