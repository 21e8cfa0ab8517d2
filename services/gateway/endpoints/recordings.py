"""The recording of a call: links to its audio, valid two minutes, and its deletion. The bytes bypass the gateway."""

from pathlib import Path
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

import eventlet
from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Response

from services.gateway.domain.permissions import ADMINISTRATORS, INGEST_KEYS, READERS, Caller
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.scopes import find_call
from services.gateway.http.upstream import call_upstream, call_upstreams
from services.gateway.journal import projections, schemas
from services.gateway.journal.rows import Row
from shared.contracts.errors import NotFound
from shared.contracts.recordings import rpc as recordings
from shared.contracts.recordings.links import Keyring, Link, Purpose
from shared.http.entrypoint import answer
from shared.plumbing import clock

PATH = "/api/v1/calls/<call_id>/recording"
MAX_AUDIO_BYTES, MAX_DISCARDED_BYTES = 2 * 1024**3, 1024**2
POLL_INTERVAL = 0.1
"""Seconds between two look-ups of a call that is not in the journal yet."""


class Links(DependencyProvider):
    """Gives a worker the `Keyring` of LINK_KEYS_FILE: one key per line, the first of which signs."""

    def setup(self) -> None:
        self.keyring = Keyring(Path(self.container.config["LINK_KEYS_FILE"]).read_text().split())

    def get_dependency(self, worker_ctx: object) -> Keyring:
        return self.keyring


def find_recorded_call(group: EndpointGroup, context: RequestContext, call_id: UUID) -> Row:
    """The journal row of a call whose recording is available. Raises NotFound."""
    row = find_call(group, context, call_id)
    if row.recording is None or row.recording["state"] != "available":
        raise NotFound
    return row


def wait_for_call(group: EndpointGroup, context: RequestContext, call_id: UUID) -> Row:
    """As `find_call`, but wait for up to CALL_AWAITED seconds.

    An exchange sends the audio right after its reports, which may reach the journal a moment later.
    """
    deadline = monotonic() + float(group.config["CALL_AWAITED"])
    while True:
        try:
            return find_call(group, context, call_id)
        except NotFound:
            if monotonic() > deadline:
                raise
        eventlet.sleep(POLL_INTERVAL)


class RecordingEndpoints(EndpointGroup):
    links = Links()

    @endpoint(
        "GET",
        PATH,
        roles=READERS,
        scope=find_recorded_call,
        query=schemas.DownloadQuerySchema(),
        answers={307: ""},
    )
    def show_recording(self, context: RequestContext, call_id: UUID) -> Response:
        """Play or download the recording of a call: a link to the audio, valid for two minutes."""
        purpose = Purpose.DOWNLOAD if context.query["download"] else Purpose.PLAY
        return self._link(context.caller, call_id, purpose, _name(context.resource, context.caller))

    @endpoint("GET", f"{PATH}/peaks", roles=READERS, scope=find_recorded_call, answers={200: schemas.PeaksSchema()})
    def show_recording_peaks(self, context: RequestContext, call_id: UUID) -> Response:
        """The peaks of a recording's waveform.

        Null if they are unknown; the header `Degraded` says if that is because recordings do not answer.
        """
        parameters = {"tenant": context.caller.tenant, "call_id": call_id}
        peaks = call_upstreams({"recordings": (self.recordings, recordings.peaks)}, **parameters)["recordings"]
        return answer({"peaks": None}, headers={"Degraded": "recordings"}) if peaks is None else answer(peaks)

    @endpoint(
        "PUT",
        PATH,
        roles=INGEST_KEYS,
        scope=wait_for_call,
        body="audio/*",
        body_limit=MAX_AUDIO_BYTES,
        answers={307: ""},
        idempotent=False,
    )
    def take_recording(self, context: RequestContext, call_id: UUID) -> Response:
        """Upload the recording of a call: a link to upload the audio to, valid for two minutes.

        WAV, MP3 or Ogg (Opus, Vorbis), of up to 2 GiB. The same bytes may be sent again, others are refused.
        """
        link = self._link(context.caller, call_id, Purpose.UPLOAD)
        if (context.request.content_length or 0) > MAX_DISCARDED_BYTES:
            link.headers["Connection"] = "close"
        return link

    @endpoint("DELETE", PATH, roles=ADMINISTRATORS, scope=find_call, answers={204: ""})
    def delete_recording(self, context: RequestContext, call_id: UUID) -> Response:
        """Delete the recording of a call permanently."""
        account = context.account
        parameters = {"tenant": account.tenant, "account_id": account.id, "call_id": call_id}
        deleted = call_upstream(self.recordings, recordings.delete, command_id=context.command_id, **parameters)
        with self.db.connection() as conn:
            changed = projections.upsert_recording(conn, account.tenant, deleted["version"], deleted["state"])
        self.notifier.publish(changed)
        return answer(None, 204)

    def _link(self, caller: Caller, call_id: UUID, purpose: Purpose, name: str = "") -> Response:
        link = Link(call_id=call_id, tenant=caller.tenant, caller_id=caller.id, purpose=purpose, name=name)
        return Response(status=307, headers={"Location": self.links.sign(link, clock.now())})


def _name(row: Row, caller: Caller) -> str:
    """The file name: when the call was placed, in the time zone of the caller."""
    return f"Дзвінок {row.at.astimezone(ZoneInfo(caller.time_zone)):%Y-%m-%d %H-%M-%S}"
