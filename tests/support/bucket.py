"""A real S3 server on this machine, with a bucket in it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.infrastructure import eventually, free_port

BUCKET = "recordings"
KEY, SECRET = "journal", "journal-secret-of-a-test"
TRIES = 5
OTHERS = ("master", "master.port.grpc", "volume", "volume.port.grpc", "filer", "filer.port.grpc", "s3.port.grpc")


@dataclass(frozen=True)
class S3:
    """`env`: what a service is told so that it keeps its objects here."""

    process: subprocess.Popen[bytes]
    env: Mapping[str, str]


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """SeaweedFS with its data in the folder, until the block ends."""
    (folder / "s3.json").write_text(json.dumps({"identities": [_identity()]}))
    server = next(started for _ in range(TRIES) if (started := _started(folder)))
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def _started(folder: Path) -> S3 | None:
    """None if it ended by itself: somebody took one of its many ports before it did."""
    port = free_port()
    ports = [f"-{name if 'port' in name else f'{name}.port'}={free_port()}" for name in OTHERS]
    weed = str(Path(sys.executable).with_name("weed"))
    where = [f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={folder}/s3.json"]
    quick = ["-volume.max=10", "-master.volumeSizeLimitMB=64", "-master.electionTimeout=1s"]
    command = [weed, "server", *where, *quick, f"-s3.port={port}", *ports, "-s3.port.iceberg=0", "-s3.port.lance=0"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    env = {
        "RECORDINGS_BUCKET": BUCKET,
        "RECORDINGS_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        eventually(lambda: process.poll() is not None or _makes_a_bucket(env), seconds=30)
    except BaseException:
        process.kill()
        raise
    return S3(process, env) if process.poll() is None else None


def _identity() -> dict[str, Any]:
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    return {"name": "journal", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}


def _makes_a_bucket(env: Mapping[str, str]) -> bool:
    client: Any = boto3.client(
        "s3",
        endpoint_url=env["RECORDINGS_ENDPOINT"],
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name=env["AWS_DEFAULT_REGION"],
    )
    try:
        client.create_bucket(Bucket=BUCKET)
    except (BotoCoreError, ClientError):
        return False
    return True
