"""The recording of a call: links to its sound, good for two minutes, and its end. The bytes go past the gateway."""

from pathlib import Path
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

import eventlet
from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Response

from services.gateway.domain.permissions import Caller
from services.gateway.domain.scope import scope_of
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http.upstream import call_upstream, call_upstreams
from services.gateway.journal import page_query, projections, schemas
from services.gateway.journal.rows import Row
from shared.contracts.errors import NotFound
from shared.contracts.recordings import rpc as recordings
from shared.contracts.recordings.links import Keyring, Link, Purpose
from shared.http.entrypoint import answer
from shared.plumbing import clock

PATH = "/api/v1/calls/<call_id>/recording"
LARGEST, READ_HERE = 2 * 1024**3, 1024**2
PAUSE = 0.1
"""Seconds between two looks. An exchange sends the sound when it has told of the call, which may come into the journal
a moment later."""


class Links(DependencyProvider):
    """Gives a worker the `Keyring` of LINK_KEYS_FILE: a key a line, the first of which signs."""

    def setup(self) -> None:
        self.keyring = Keyring(Path(self.container.config["LINK_KEYS_FILE"]).read_text().split())

    def get_dependency(self, worker_ctx: object) -> Keyring:
        return self.keyring


class RecordingEndpoints(EndpointGroup):
    links = Links()

    @endpoint("GET", PATH, query=schemas.DownloadQuerySchema(), answers={307: ""})
    def show_recording(self, context: RequestContext, call_id: UUID) -> Response:
        """Listen to the recording of a call, or take it away: a link to the sound, good for two minutes."""
        row = self._recorded(context, call_id)
        purpose = Purpose.DOWNLOAD if context.query()["download"] else Purpose.PLAY
        return self._link(context.caller, call_id, purpose, _name(row, context.caller))

    @endpoint("GET", f"{PATH}/peaks", answers={200: schemas.PeaksSchema()})
    def show_recording_peaks(self, context: RequestContext, call_id: UUID) -> Response:
        """How loud a recording is from its beginning to its end, to be drawn.

        Null where nobody can tell; the header `Degraded` says if that is because recordings do not answer now.
        """
        self._recorded(context, call_id)
        context.query()
        words = {"tenant": context.caller.tenant, "call_id": call_id}
        told = call_upstreams({"recordings": (self.recordings, recordings.peaks)}, **words)["recordings"]
        return answer({"peaks": None}, headers={"Degraded": "recordings"}) if told is None else answer(told)

    @endpoint("PUT", PATH, body="audio/*", body_limit=LARGEST, answers={307: ""}, idempotent=False)
    def take_recording(self, context: RequestContext, call_id: UUID) -> Response:
        """Bring the recording of a call: a link to where its sound is taken, good for two minutes.

        WAV, MP3 or Ogg (Opus, Vorbis), of up to 2 GiB. The same bytes may be sent again, others may not.
        """
        self._wait_for(context.caller, call_id)
        context.query()
        link = self._link(context.caller, call_id, Purpose.UPLOAD)
        if (context.request.content_length or 0) > READ_HERE:
            link.headers["Connection"] = "close"
        return link

    @endpoint("DELETE", PATH, answers={204: ""})
    def delete_recording(self, context: RequestContext, call_id: UUID) -> Response:
        """Delete the recording of a call for good."""
        with self.db.autocommit() as conn:
            page_query.get_call(conn, scope_of(context.caller), call_id)
        context.query()
        account = context.account
        words = {"tenant": account.tenant, "account_id": account.id, "call_id": call_id}
        told = call_upstream(self.recordings, recordings.delete, command_id=context.command_id, **words)
        with self.db.connection() as conn:
            changed = projections.upsert_recording(conn, account.tenant, told["version"], told["state"])
        self.notifier.publish(changed)
        return answer(None, 204)

    def _recorded(self, context: RequestContext, call_id: UUID) -> Row:
        with self.db.autocommit() as conn:
            row = page_query.get_call(conn, scope_of(context.caller), call_id)
        if row.recording is None or row.recording["state"] != "available":
            raise NotFound
        return row

    def _wait_for(self, caller: Caller, call_id: UUID) -> None:
        """Raises NotFound for a call that is not there, nor comes in time."""
        until = monotonic() + float(self.config["CALL_AWAITED"])
        while True:
            try:
                with self.db.autocommit() as conn:
                    page_query.get_call(conn, scope_of(caller), call_id)
                return
            except NotFound:
                if monotonic() > until:
                    raise
            eventlet.sleep(PAUSE)

    def _link(self, caller: Caller, call_id: UUID, purpose: Purpose, name: str = "") -> Response:
        link = Link(call_id=call_id, tenant=caller.tenant, caller_id=caller.id, purpose=purpose, name=name)
        return Response(status=307, headers={"Location": self.links.sign(link, clock.now())})


def _name(row: Row, caller: Caller) -> str:
    """What a file with the sound is called: when the call was placed, where the caller is."""
    return f"Дзвінок {row.at.astimezone(ZoneInfo(caller.time_zone)):%Y-%m-%d %H-%M-%S}"
