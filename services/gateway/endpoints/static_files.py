"""The page people look at: files beside the code, read once, sent compressed, kept by browsers until they change."""

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
INDEX = "index.html"
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
CHECKED, KEPT = "no-cache", "public, max-age=31536000, immutable"
"""What may be asked for again each time, and what stands at an address made of its content."""
IMPORT = re.compile(r'^import\b[^;]* from "(\.[^"]+)";$', re.MULTILINE)
PRELOAD = '<link rel="modulepreload" href="/assets/{release}/{name}">'


@dataclass(frozen=True, slots=True)
class File:
    """`packed` is the same in gzip."""

    content: bytes
    packed: bytes
    type: str
    etag: str


class PageEndpoints(EndpointGroup):
    @http("GET", "/")
    def show_page(self, request: Request) -> Response:
        return _sent(request, _files()[INDEX], CHECKED)

    @http("GET", "/<any(journal,legend,contacts,accounts,tariffs,rerating,charges,report,settings,keys):place>")
    def show_place(self, request: Request, place: str) -> Response:
        return _sent(request, _files()[INDEX], CHECKED)

    @http("GET", "/assets/<release>/<path:name>")
    def show_asset(self, request: Request, release: str, name: str) -> Response:
        """Of another release what we have: while replicas change, a page may get its files from two of them."""
        file = _files().get(name)
        if file is None or name == INDEX:
            raise NotFound
        return _sent(request, file, KEPT if release == _release() else CHECKED)


def _sent(request: Request, file: File, cache_control: str) -> Response:
    packs = request.accept_encodings["gzip"] > 0
    response = Response(file.packed if packs else file.content, content_type=file.type)
    response.headers |= {"Cache-Control": cache_control, "Content-Security-Policy": POLICY, "Vary": "Accept-Encoding"}
    if packs:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{file.etag}-{'gzip' if packs else 'plain'}")
    response.make_conditional(request)
    return response


@cache
def _files() -> dict[str, File]:
    return {name: _file(name, path.read_bytes()) for name, path in _paths().items()}


def _paths() -> dict[str, Path]:
    """The files of the page by their names relative to its folder."""
    return {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*")) if path.is_file()}


def _file(name: str, content: bytes) -> File:
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
    """Made of all files, so that a changed one has another address, and so have those that import it."""
    digest = sha256()
    for name, path in _paths().items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
