"""A link is valid for two minutes, one call, one caller and one purpose; an invalid one reveals nothing."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.recordings import handlers
from shared.contracts.recordings.links import Keyring, Purpose
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from shared.plumbing.publisher import Outgoing
from tests.service.recordings.media_client import Media, wav
from tests.support.infrastructure import Broker, eventually
from tests.support.problems import without_request_id

SOUND = wav(0.1)


@pytest.fixture
def call(recordings_db: Postgres, media: Media) -> UUID:
    call_id = uuid4()
    assert media.put(call_id, SOUND).status_code == 201
    return call_id


def refusal(media: Media, path: str, method: str = "GET") -> tuple[int, str, dict[str, str]]:
    """(Status, body, headers) without what differs between two equal refusals."""
    answer = media(method, path)
    headers = {name: value for name, value in answer.headers.items() if name not in ("X-Request-Id", "Date")}
    body = str(without_request_id(answer)) if answer.status_code >= 400 and answer.content else answer.text
    return answer.status_code, body, headers


def test_every_invalid_link_gets_the_same_response(call: UUID, media: Media):
    good, other = media.link(call), media.link(uuid4())
    path, _, query = good.partition("?")
    forger = Media(media.url, Keyring(["x" * 40]), caller_id=media.caller_id)
    bad = {
        "none": path,
        "empty": f"{path}?link=",
        "no signature": good.partition(".")[0],
        "expired": media.link(call, at=clock.now() - timedelta(seconds=121)),
        "of another call": f"{path}?{other.partition('?')[2]}",
        "forged, of a missing call": forger.link(uuid4()),
        "forged": forger.link(call),
        "to upload, used to download": media.link(call, Purpose.UPLOAD),
        "with something more": f"{good}&download=1",
        "under another name": f"{path}?{query.replace('link=', 'LINK=')}",
        "without its name": f"{path}?{query.removeprefix('link=')}",
        "nonsense": f"{path}?link=%00%ff.%00",
        "json of nothing": f"{path}?link=bnVsbA.x",
        "json of a list": f"{path}?link=W10.x",
        "of config's key": f"{path}?link=eyJrZXkiOltdfQ.x",
    }
    answers = {why: refusal(media, path) for why, path in bad.items()}
    assert {status for status, _, _ in answers.values()} == {403}
    assert len({(text, str(headers)) for _, text, headers in answers.values()}) == 1, answers


def test_a_download_link_cannot_upload(recordings_db: Postgres, media: Media):
    call_id = uuid4()
    for purpose in (Purpose.PLAY, Purpose.DOWNLOAD):
        assert media("PUT", media.link(call_id, purpose), data=SOUND).status_code == 403
    assert media.get(call_id).status_code == 404


def test_a_link_with_any_changed_bit_is_invalid(call: UUID, media: Media):
    good = media.link(call)
    now = clock.now()
    path, _, query = good.partition("?")
    sent = (f"{path}?{query}").encode()
    media.keyring.read("GET", path, query, now)
    accepted = []
    for place in range(len(sent) * 8):
        changed = bytearray(sent)
        changed[place // 8] ^= 1 << place % 8
        flipped_path, _, flipped = changed.decode("latin-1").partition("?")
        try:
            media.keyring.read("GET", flipped_path, flipped, now)
        except ValueError:
            continue
        accepted.append(place)
    assert accepted == []


def test_links_stop_working_when_the_recording_is_deleted(call: UUID, media: Media, recordings_db: Postgres):
    link = media.link(call)
    assert media("GET", link).status_code == 200
    with recordings_db.connection() as conn:
        handlers.delete(conn, uuid4(), media.tenant, call, media.caller_id)
    assert media("GET", link).status_code == 404
    assert media("HEAD", link).status_code == 404
    assert media.get(call).status_code == 404
    assert media.put(call, SOUND).status_code == 409


def test_retention_settings_are_consumed(recordings_db: Postgres, broker: Broker, media: Media):
    data = {"time_zone": "Europe/Kyiv", "region": "UA", "currency": "UAH", "retention_days": 30}
    data |= {"price_delay_seconds": None, "returned_window_hours": None}
    message = {"tenant": media.tenant, "version": 2, "type": "settings_changed", "schema_version": 1, "data": data}
    broker.publish(Outgoing("gateway.events", "settings_changed", json.dumps(message)))

    def stored_settings() -> object:
        with recordings_db.autocommit() as conn:
            return conn.execute("select tenant, retention_days from settings").fetchone()

    eventually(lambda: stored_settings() == (media.tenant, 30))


def test_a_link_of_another_tenant_cannot_read_or_upload(call: UUID, media: Media):
    assert media("GET", media.link(call, tenant="krynytsia")).status_code == 404
    assert media("PUT", media.link(call, Purpose.UPLOAD, tenant="krynytsia"), data=SOUND).status_code == 404
    assert media.get(call).content == SOUND
