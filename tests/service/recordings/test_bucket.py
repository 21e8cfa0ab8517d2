"""Recordings in a bucket: upload, download, delete and failure."""

import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import requests

from shared.plumbing.database import Postgres
from tests.service.recordings.conftest import SERVICE
from tests.service.recordings.media_client import Media, wav
from tests.support.asking import asking
from tests.support.bucket import s3_server
from tests.support.infrastructure import Services, Stack, free_port
from tests.support.proxy import Proxy


def test_a_bucket_works_like_a_folder_and_its_failure_is_a_503(
    recordings_db: Postgres, stack: Stack, services: Services, media: Media, tmp_path: Path
):
    sound, call_id, address = wav(5), uuid4(), f"127.0.0.1:{free_port()}"
    (tmp_path / "s3").mkdir()
    with s3_server(tmp_path / "s3") as s3:
        env = {**s3.env, "RECORDINGS_FOLDER": str(tmp_path / "incoming"), "WEB_ADDRESS": address}
        services.start(SERVICE, of="recordings", **env)
        client = replace(media, url=f"http://{address}", session=requests.Session())
        assert client.put(call_id, sound).status_code == 201
        assert client.put(call_id, sound).status_code == 200
        assert client.put(call_id, wav(1)).status_code == 409
        assert client.get(call_id).content == sound
        part = client.get(call_id, Range="bytes=70000-80000")
        assert (part.status_code, part.content) == (206, sound[70000:80001])
        assert [path for path in tmp_path.rglob("incoming/*/*") if path.is_file()] == []
    answer = client.get(call_id)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert client.put(uuid4(), sound).status_code == 503


def test_deleting_does_not_wait_for_a_slow_bucket(
    recordings_db: Postgres, stack: Stack, services: Services, media: Media, tmp_path: Path
):
    calls, address = [uuid4() for _ in range(6)], f"127.0.0.1:{free_port()}"
    (tmp_path / "s3").mkdir()
    with s3_server(tmp_path / "s3") as s3, asking(stack.admin_uri, "recordings") as ask:
        proxy = Proxy(s3.env["RECORDINGS_ENDPOINT"])
        env = {**s3.env, "RECORDINGS_ENDPOINT": proxy.uri, "RECORDINGS_FOLDER": str(tmp_path), "WEB_ADDRESS": address}
        services.start(SERVICE, of="recordings", **env)
        client = replace(media, url=f"http://{address}", session=requests.Session())
        assert {client.put(call_id, wav(0.1)).status_code for call_id in calls} == {201}
        proxy.pause()
        parameters = {"tenant": media.tenant, "account_id": uuid4()}
        # The service of the other tests may handle some of these requests, but not all.
        for call_id in calls:
            began = time.monotonic()
            assert ask("delete", command_id=uuid4(), call_id=call_id, **parameters)["error"] is None
            assert time.monotonic() - began < 2
            assert client.get(call_id).status_code == 404
        proxy.resume()
