"""Serve bytes with conditional requests and ranges: RFC 9110, §13 and §14."""

import re
from collections.abc import Callable, Generator
from typing import NamedTuple
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from shared.http.entrypoint import Problem, Stream
from shared.plumbing.cooperative import cooperatively

SLOW_READER_TIMEOUT = 600
"""Seconds for which a client that stops reading, as a paused player does, keeps its connection."""
EMPTY_SUFFIX = re.compile(r"bytes=\s*-\s*0+\s*", re.ASCII | re.IGNORECASE)
"""The last 0 bytes: not satisfiable (§14.1.2), but malformed for werkzeug."""
CHUNKS_PER_TURN = 4
MAX_FILE_NAME = 120
UNSAFE = frozenset('/\\:*?"<>|')


class Entity(NamedTuple):
    """The content: `size` in bytes, `tag` without quotes; `read(begin, end)` yields the bytes in chunks.

    Closing the generator releases what it holds, whether it was started or not.
    """

    size: int
    tag: str
    read: Callable[[int, int], Generator[bytes, None, None]]


def serve(request: Request, entity: Entity, headers: dict[str, str]) -> Response:
    """The whole entity, or the one requested range; a request for several ranges gets the whole.

    Raises Problem 412 and 416.
    """
    headers = headers | {"ETag": f'"{entity.tag}"', "Accept-Ranges": "bytes"}
    if request.if_match and entity.tag not in request.if_match:
        raise Problem("precondition_failed")
    if request.if_none_match.contains_weak(entity.tag):
        return Response(status=304, headers=headers)
    status, (begin, end) = 200, (0, entity.size)
    if requested := _requested_range(request, entity):
        status, (begin, end) = 206, requested
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{entity.size}"
    headers["Content-Length"] = str(end - begin)
    if request.method == "HEAD":
        return Response(status=status, headers=headers)
    # The server's timeout is for clients that send slowly; this one reads slowly.
    request.environ["eventlet.input"].get_socket().settimeout(SLOW_READER_TIMEOUT)
    chunks = entity.read(begin, end)
    stream = Stream(cooperatively(chunks, CHUNKS_PER_TURN), status=status, headers=headers)
    stream.call_on_close(chunks.close)
    return stream


def _requested_range(request: Request, entity: Entity) -> tuple[int, int] | None:
    """(Begin, end) of the requested range of a GET; None for a malformed one, several, or those of another version."""
    if request.method != "GET" or request.headers.get("If-Range") not in (None, f'"{entity.tag}"'):
        return None
    if EMPTY_SUFFIX.fullmatch(request.headers.get("Range", "")):
        raise _not_satisfiable(entity)
    requested = request.range
    if requested is None or requested.units != "bytes" or len(requested.ranges) != 1:
        return None
    [(begin, end)] = requested.ranges
    if begin < 0:
        # Counted from the end.
        begin = max(entity.size + begin, 0)
    if begin >= entity.size:
        raise _not_satisfiable(entity)
    return begin, entity.size if end is None else min(end, entity.size)


def _not_satisfiable(entity: Entity) -> Problem:
    headers = {"Content-Range": f"bytes */{entity.size}"}
    return Problem("range_not_satisfiable", params={"size": entity.size}, headers=headers)


def disposition(kind: str, name: str) -> str:
    """`Content-Disposition` with a file name in any language (RFC 6266, RFC 8187), without characters of a path."""
    safe = "".join(char for char in name if char.isprintable() and char not in UNSAFE).strip(" .")[:MAX_FILE_NAME]
    stem, dot, extension = safe.rpartition(".")
    ascii_name = safe if safe.isascii() else f"file{dot}{extension}" if stem and extension.isascii() else "file"
    return f"{kind}; filename=\"{ascii_name or 'file'}\"; filename*=UTF-8''{quote(safe or 'file', safe='')}"
