"""The files of the web page: read once, sent compressed, cached by browsers until they change."""

import gzip
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from posixpath import dirname, join, normpath

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from services.gateway.endpoints.endpoint import EndpointGroup
from shared.http.entrypoint import http

FOLDER = Path(__file__).parents[3] / "web"
VENDORED = FOLDER / "vendor"
"""Not part of the page: docs.py serves it."""
INDEX = "index.html"
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
REVALIDATE, IMMUTABLE = "no-cache", "public, max-age=31536000, immutable"
"""The Cache-Control of a fixed address, and of an address that contains a hash of the content."""
IMPORT = re.compile(r'^import\b[^;]* from "(\.[^"]+)";$', re.MULTILINE)
PRELOAD = '<link rel="modulepreload" href="/assets/{release}/{name}">'


@dataclass(frozen=True, slots=True)
class File:
    """`compressed`: the content in gzip."""

    content: bytes
    compressed: bytes
    type: str
    etag: str


class PageEndpoints(EndpointGroup):
    @http("GET", "/")
    def show_page(self, request: Request) -> Response:
        return send(request, _files()[INDEX], REVALIDATE)

    @http("GET", "/<any(journal,legend,contacts,accounts,tariffs,rerating,charges,report,settings,keys):place>")
    def show_place(self, request: Request, place: str) -> Response:
        return send(request, _files()[INDEX], REVALIDATE)

    @http("GET", "/assets/<release>/<path:name>")
    def show_asset(self, request: Request, release: str, name: str) -> Response:
        """Also under the address of another release: during an upgrade a page may load files from two replicas."""
        file = _files().get(name)
        if file is None or name == INDEX:
            raise NotFound
        return send(request, file, IMMUTABLE if release == _release() else REVALIDATE)


def send(request: Request, file: File, cache_control: str) -> Response:
    accepts_gzip = request.accept_encodings["gzip"] > 0
    response = Response(file.compressed if accepts_gzip else file.content, content_type=file.type)
    response.headers |= {"Cache-Control": cache_control, "Content-Security-Policy": POLICY, "Vary": "Accept-Encoding"}
    if accepts_gzip:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{file.etag}-{'gzip' if accepts_gzip else 'plain'}")
    response.make_conditional(request)
    return response


@cache
def _files() -> dict[str, File]:
    return {name: load_file(name, path.read_bytes()) for name, path in _paths().items()}


def _paths() -> dict[str, Path]:
    """The files of the page by their names relative to its folder."""
    paths = (path for path in sorted(FOLDER.rglob("*")) if path.is_file() and VENDORED not in path.parents)
    return {path.relative_to(FOLDER).as_posix(): path for path in paths}


def load_file(name: str, content: bytes) -> File:
    if name == INDEX:
        preloads = "\n".join(PRELOAD.format(release=_release(), name=module) for module in sorted(_imported("main.js")))
        page = content.decode().replace("@PRELOADS@", preloads).replace("@RELEASE@", _release())
        content = page.encode()
    type_ = guess_type(name)[0] or "application/octet-stream"
    type_ = f"{type_}; charset=utf-8" if type_.startswith("text/") else type_
    return File(content, gzip.compress(content, 9, mtime=0), type_, sha256(content).hexdigest()[:32])


def _imported(name: str) -> set[str]:
    """Return the module and all that it imports statically, directly or not."""
    modules, unread = {name}, [name]
    while unread:
        importer = unread.pop()
        paths = IMPORT.findall((FOLDER / importer).read_text())
        imported = {normpath(join(dirname(importer), path)) for path in paths} - modules
        modules |= imported
        unread += imported
    return modules


@cache
def _release() -> str:
    """A hash of all files, so that a changed file and the files that import it have a new address."""
    digest = sha256()
    for name, path in _paths().items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
