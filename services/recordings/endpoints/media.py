"""Upload, playback and download of recordings over HTTP, with links that the gateway signs."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request, Response

from services.recordings import audio, garbage_collection, handlers, queries, schemas
from services.recordings.audio import UnsupportedFormat
from services.recordings.domain.recording import AudioFile
from services.recordings.objects import ObjectStore, StorageFull
from services.recordings.stores import configured_store
from services.recordings.uploads import IncompleteUpload, received_file
from services.recordings.wav import DamagedFile
from shared.contracts.errors import Conflict, Invalid, Rejected
from shared.contracts.recordings.events import Format
from shared.contracts.recordings.links import BadLink, Keyring, Link, Purpose
from shared.http.byte_ranges import Entity, disposition, serve
from shared.http.concurrency_limit import AtOnce
from shared.http.entrypoint import Problem, answer, http
from shared.plumbing import clock
from shared.plumbing.cooperative import in_a_thread
from shared.plumbing.database import Database

PATH = "/media/<call_id>"
MAX_UPLOAD_SIZE = 2 * 1024**3
MEDIA_TYPES = {Format.WAV: "audio/wav", Format.MP3: "audio/mpeg", Format.OGG: "audio/ogg"}
SECURITY_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MAX_REMEMBERED_LINKS = 10_000
MAX_DOWNLOADS_PER_CALLER, MAX_PLAYS_PER_CALLER = 4, 250
"""At once, of one account or API key, in one process. One caller can use a quarter of STREAMS for playback."""


class ObjectStoreProvider(DependencyProvider):
    """Inject the configured `ObjectStore`."""

    def setup(self) -> None:
        self.objects = configured_store(self.container.config)

    def get_dependency(self, worker_ctx: object) -> ObjectStore:
        return self.objects


class KeyringProvider(DependencyProvider):
    """Inject the `Keyring` of LINK_KEYS_FILE: one key per line; the first one signs."""

    def setup(self) -> None:
        self.keyring = Keyring(Path(self.container.config["LINK_KEYS_FILE"]).read_text().split())

    def get_dependency(self, worker_ctx: object) -> Keyring:
        return self.keyring


class MediaEndpoints:
    """All invalid links get the same response, which does not reveal what was wrong or whether the call exists."""

    db = Database()
    objects = ObjectStoreProvider()
    links = KeyringProvider()

    _recorded_links: ClassVar[OrderedDict[str, None]] = OrderedDict()
    """Links whose playback or download is recorded: a player requests many parts with one link."""
    _downloads: ClassVar[AtOnce] = AtOnce(MAX_DOWNLOADS_PER_CALLER, "too_many_concurrent_recordings")
    _plays: ClassVar[AtOnce] = AtOnce(MAX_PLAYS_PER_CALLER, "too_many_concurrent_recordings")

    @http("GET", PATH)
    def download(self, request: Request, call_id: str) -> Response:
        """Serve the recording, or a range of it."""
        link = self._link(request)
        with self.db.autocommit() as conn:
            recording = queries.get_available(conn, link.tenant, link.call_id)
        state, format_ = recording.state, Format(recording.state["format"])
        is_download = link.purpose is Purpose.DOWNLOAD
        disposition_type, limit = ("attachment", self._downloads) if is_download else ("inline", self._plays)
        headers = {
            "Content-Type": MEDIA_TYPES[format_],
            "Content-Disposition": disposition(disposition_type, f"{link.name}.{format_}"),
            **SECURITY_HEADERS,
        }
        entity = Entity(state["size"], state["sha256"], partial(self.objects.read, recording.object_id))
        if request.method == "HEAD":
            return serve(request, entity, headers)
        with ExitStack() as slot:
            slot.enter_context(limit.place(link.caller_id))
            self._record_use(link, request.query_string.decode())
            response = serve(request, entity, headers)
            response.call_on_close(slot.pop_all().close)
        return response

    @http("PUT", PATH, body_limit=MAX_UPLOAD_SIZE)
    def upload(self, request: Request, call_id: str) -> Response:
        """Store the uploaded recording if it is complete and has a supported format."""
        link, size = self._link(request), request.content_length or 0
        self._check_not_deleted(link)
        read = request.environ["wsgi.input"].read
        with _upload_problems(), received_file(self.objects.incoming, read, size) as (path, digest):
            info = in_a_thread(audio.examine, path)
            file = AudioFile(**info._asdict(), size=size, sha256=digest)
            is_new = self._store(link, path, file)
        response = {"call_id": link.call_id, "format": info.format, "duration": info.duration}
        uploaded = schemas.UploadedSchema().dump({**response, "size": size, "sha256": digest})
        return answer(uploaded, 201 if is_new else 200, SECURITY_HEADERS)

    def _link(self, request: Request) -> Link:
        method = "GET" if request.method == "HEAD" else request.method
        try:
            link: Link = self.links.read(method, request.path, request.query_string.decode(), clock.now())
            return link
        except (BadLink, ValueError) as error:
            raise Problem("link_invalid", headers={"Connection": "close"}) from error

    def _record_use(self, link: Link, query: str) -> None:
        if query not in self._recorded_links:
            record = handlers.record_download if link.purpose is Purpose.DOWNLOAD else handlers.record_listening
            with self.db.connection() as conn:
                record(conn, link.tenant, link.call_id, link.caller_id)
            self._recorded_links[query] = None
            while len(self._recorded_links) > MAX_REMEMBERED_LINKS:
                self._recorded_links.popitem(last=False)

    def _check_not_deleted(self, link: Link) -> None:
        with self.db.autocommit() as conn:
            recording = queries.get(conn, link.tenant, link.call_id)
        if recording and recording["state"]["status"] == "deleted":
            raise Problem("recording_deleted", headers={"Connection": "close"})

    def _store(self, link: Link, path: Path, file: AudioFile) -> bool:
        """Whether the recording is new. The object is stored before the event is, so that it can be played at once."""
        object_id = uuid4()
        self.objects.put(object_id, path)
        try:
            with self.db.connection() as conn:
                is_new = handlers.store_recording(conn, link.tenant, link.call_id, object_id, file)
        except (Conflict, Rejected):
            garbage_collection.delete_objects(self.objects, [object_id])
            raise
        if not is_new:
            garbage_collection.delete_objects(self.objects, [object_id])
        return is_new


@contextmanager
def _upload_problems() -> Iterator[None]:
    """Translate what is wrong with an upload to an HTTP problem."""
    try:
        yield
    except IncompleteUpload as error:
        raise Problem("upload_interrupted", headers={"Connection": "close"}) from error
    except UnsupportedFormat as error:
        raise Problem("recording_format_unknown") from error
    except DamagedFile as error:
        raise Invalid(error.code, field="recording") from error
    except Rejected as error:
        raise Problem(error.code, headers={"Connection": "close"}) from error
    except StorageFull as error:
        raise Problem("storage_full", headers={"Connection": "close"}) from error
