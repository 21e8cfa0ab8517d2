"""Objects in a bucket of any store that speaks S3. Keys and region come from the environment, as boto3 has it."""

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

from services.recordings.objects import PIECE, begun, forget_incoming, id_of, tell_of
from shared.contracts.errors import Unavailable
from shared.plumbing.cooperative import in_a_thread

logger = logging.getLogger(__name__)

PART = 8 * 1024 * 1024
# One part after the other, in the greenthread that asks: a whole upload holds one part in memory.
TRANSFER = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)
SETTINGS = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"total_max_attempts": 2},
    # Checksums beyond Content-MD5 are an extension that not every store knows.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class Bucket:
    """`folder` is where files wait until they are in the bucket."""

    def __init__(self, folder: Path, bucket: str, endpoint: str | None) -> None:
        self.incoming, self._bucket = folder / "incoming", bucket
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._s3: Any = boto3.client("s3", endpoint_url=endpoint, config=SETTINGS)

    def keep(self, object_id: UUID, file: Path) -> None:
        with _answering():
            self._s3.upload_file(str(file), self._bucket, str(object_id), Config=TRANSFER)
        file.unlink()

    def read(self, object_id: UUID, begin: int, end: int) -> Generator[bytes, None, None]:
        with _answering():
            asked = {"Bucket": self._bucket, "Key": str(object_id), "Range": f"bytes={begin}-{end - 1}"}
            body = self._s3.get_object(**asked)["Body"]
        return begun(_pieces(body))

    def delete(self, object_id: UUID) -> None:
        with _answering():
            self._s3.delete_object(Bucket=self._bucket, Key=str(object_id))

    def listed(self) -> Iterator[Sequence[tuple[UUID, datetime]]]:
        others = 0
        with _answering():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
                found = [(id_of(one["Key"]), one["LastModified"]) for one in page.get("Contents", ())]
                ours = [(object_id, kept_at) for object_id, kept_at in found if object_id]
                others += len(found) - len(ours)
                yield ours
        tell_of(others, self._bucket)

    def forget_begun(self, until: datetime) -> None:
        in_a_thread(forget_incoming, self.incoming, until)
        with _answering():
            for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket):
                for one in page.get("Uploads", ()):
                    if one["Initiated"] < until and id_of(one["Key"]):
                        self._abort(one["Key"], one["UploadId"])

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except self._s3.exceptions.NoSuchUpload:
            # Whole, or given up by another replica, meanwhile.
            logger.info("an upload was no longer there", extra={"object_id": key})


def _pieces(body: Any) -> Generator[bytes, None, None]:
    with closing(body):
        yield b""
        yield from body.iter_chunks(PIECE)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise Unavailable("The store of recordings does not answer.") from error
