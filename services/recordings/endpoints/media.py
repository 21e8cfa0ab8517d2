"""Where sound goes out and comes in: bytes over HTTP, to whoever has a link that the gateway made for them."""

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
from services.recordings.audio import Unknown
from services.recordings.domain.recording import Sound
from services.recordings.objects import NoRoom, Objects, objects_of
from services.recordings.uploads import Incomplete, received
from services.recordings.wav import Damaged
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
LARGEST = 2 * 1024**3
TYPES = {Format.WAV: "audio/wav", Format.MP3: "audio/mpeg", Format.OGG: "audio/ogg"}
GUARDS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOTED_AT_MOST = 10_000
DOWNLOADED_AT_ONCE, PLAYED_AT_ONCE = 4, 250
"""By one account or key, of each process: who plays to many takes a quarter of all STREAMS at most."""


class Store(DependencyProvider):
    """Gives a worker the `Objects` that are configured."""

    def setup(self) -> None:
        self.objects = objects_of(self.container.config)

    def get_dependency(self, worker_ctx: object) -> Objects:
        return self.objects


class Links(DependencyProvider):
    """Gives a worker the `Keyring` of LINK_KEYS_FILE: a key a line, the first of which signs."""

    def setup(self) -> None:
        self.keyring = Keyring(Path(self.container.config["LINK_KEYS_FILE"]).read_text().split())

    def get_dependency(self, worker_ctx: object) -> Keyring:
        return self.keyring


class MediaEndpoints:
    """Every refusal of a link is the same answer: it does not tell what there is, nor what was wrong with the link."""

    db = Database()
    objects = Store()
    links = Links()

    _noted: ClassVar[OrderedDict[str, None]] = OrderedDict()
    """Links whose listening or download is written down: a player asks for many parts on one link."""
    _downloads: ClassVar[AtOnce] = AtOnce(DOWNLOADED_AT_ONCE, "recordings")
    _plays: ClassVar[AtOnce] = AtOnce(PLAYED_AT_ONCE, "recordings")

    @http("GET", PATH)
    def serve_sound(self, request: Request, call_id: str) -> Response:
        """The sound, or a part of it."""
        link = self._link(request)
        with self.db.autocommit() as conn:
            sound = queries.sound(conn, link.tenant, link.call_id)
        state, form = sound.state, Format(sound.state["format"])
        is_download = link.purpose is Purpose.DOWNLOAD
        kind, places = ("attachment", self._downloads) if is_download else ("inline", self._plays)
        about = {"Content-Type": TYPES[form], "Content-Disposition": disposition(kind, f"{link.name}.{form}"), **GUARDS}
        entity = Entity(state["size"], state["sha256"], partial(self.objects.read, sound.object_id))
        if request.method == "HEAD":
            return serve(request, entity, about)
        with ExitStack() as held:
            held.enter_context(places.place(link.caller_id))
            self._note(link, request.query_string.decode())
            response = serve(request, entity, about)
            response.call_on_close(held.pop_all().close)
        return response

    @http("PUT", PATH, body_limit=LARGEST)
    def take_sound(self, request: Request, call_id: str) -> Response:
        """Keep the sound that is sent, if it is whole and is sound."""
        link, size = self._link(request), request.content_length or 0
        self._refuse_where_one_was_deleted(link)
        with _refusals(), received(self.objects.incoming, request.environ["wsgi.input"].read, size) as (path, digest):
            found = in_a_thread(audio.examine, path)
            sound = Sound(**found._asdict(), size=size, sha256=digest)
            new = self._keep(link, path, sound)
        told = {"call_id": link.call_id, "format": found.format, "duration": found.duration}
        uploaded = schemas.UploadedSchema().dump({**told, "size": size, "sha256": digest})
        return answer(uploaded, 201 if new else 200, GUARDS)

    def _link(self, request: Request) -> Link:
        method = "GET" if request.method == "HEAD" else request.method
        try:
            link: Link = self.links.read(method, request.path, request.query_string.decode(), clock.now())
            return link
        except (BadLink, ValueError) as error:
            detail = "This link is not valid, or no longer: ask for another."
            raise Problem(403, "bad-link", "Not allowed", detail, headers={"Connection": "close"}) from error

    def _note(self, link: Link, query: str) -> None:
        if query not in self._noted:
            note = handlers.note_download if link.purpose is Purpose.DOWNLOAD else handlers.note_listening
            with self.db.connection() as conn:
                note(conn, link.tenant, link.call_id, link.caller_id)
            self._noted[query] = None
            while len(self._noted) > NOTED_AT_MOST:
                self._noted.popitem(last=False)

    def _refuse_where_one_was_deleted(self, link: Link) -> None:
        with self.db.autocommit() as conn:
            before = queries.get(conn, link.tenant, link.call_id)
        if before and before["state"]["status"] == "deleted":
            raise _conflict("recording_deleted")

    def _keep(self, link: Link, path: Path, sound: Sound) -> bool:
        """Whether it is new. The object is there before the recording is: whoever sees the recording can hear it."""
        object_id = uuid4()
        self.objects.keep(object_id, path)
        try:
            with self.db.connection() as conn:
                new = handlers.keep(conn, link.tenant, link.call_id, object_id, sound)
        except (Conflict, Rejected):
            garbage_collection.delete_objects(self.objects, [object_id])
            raise
        if not new:
            garbage_collection.delete_objects(self.objects, [object_id])
        return new


@contextmanager
def _refusals() -> Iterator[None]:
    """What is wrong with an upload, in the words of HTTP."""
    try:
        yield
    except Incomplete as error:
        raise Problem(400, "incomplete", "Incomplete", str(error), headers={"Connection": "close"}) from error
    except Unknown as error:
        raise Problem(415, "wrong-content", "Wrong content", str(error)) from error
    except Damaged as error:
        raise Invalid("The recording cannot be taken.", {"recording": [str(error)]}) from error
    except Rejected as error:
        raise _conflict(str(error)) from error
    except NoRoom as error:
        detail = "There is no room left for recordings: somebody has to make some."
        raise Problem(507, "no-room", "No room left", detail, headers={"Connection": "close"}) from error


def _conflict(why: str) -> Problem:
    detail = "The recording of this call was deleted: it is not taken again." if why == "recording_deleted" else why
    return Problem(409, "conflict", "Conflict", detail, headers={"Connection": "close"})
