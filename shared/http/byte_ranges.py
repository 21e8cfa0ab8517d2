"""Serving bytes of which a client may want a part: RFC 9110, §13 (conditional requests) and §14 (ranges)."""

import re
from collections.abc import Callable, Generator
from typing import NamedTuple
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from shared.http.entrypoint import Problem, Stream
from shared.plumbing.cooperative import cooperatively

STALLED = 600
"""Seconds for which a listener who pauses is waited for."""
RANGE = re.compile(r"bytes=\s*(\d{0,99})\s*-\s*(\d{0,99})\s*", re.ASCII | re.IGNORECASE)
AT_A_STRETCH = 4
UNSAFE = frozenset('/\\:*?"<>|')


class Entity(NamedTuple):
    """What may be asked for: `size` in bytes, `tag` without quotes; `read(begin, end)` gives the bytes in pieces.

    To close the pieces gives back what they hold, whether any was taken or not.
    """

    size: int
    tag: str
    read: Callable[[int, int], Generator[bytes, None, None]]


def serve(request: Request, entity: Entity, headers: dict[str, str]) -> Response:
    """All of it, or the one part that was asked for; several parts at once are answered with all of it.

    Raises Problem 412 and 416.
    """
    headers = headers | {"ETag": f'"{entity.tag}"', "Accept-Ranges": "bytes"}
    if request.if_match and entity.tag not in request.if_match:
        raise Problem("precondition_failed")
    if request.if_none_match.contains_weak(entity.tag):
        return Response(status=304, headers=headers)
    status, (begin, end) = 200, (0, entity.size)
    if part := _part(request, entity):
        status, (begin, end) = 206, part
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{entity.size}"
    headers["Content-Length"] = str(end - begin)
    if request.method == "HEAD":
        return Response(status=status, headers=headers)
    # A client that reads slowly is not one that sends slowly.
    request.environ["eventlet.input"].get_socket().settimeout(STALLED)
    pieces = entity.read(begin, end)
    stream = Stream(cooperatively(pieces, AT_A_STRETCH), status=status, headers=headers)
    stream.call_on_close(pieces.close)
    return stream


def _part(request: Request, entity: Entity) -> tuple[int, int] | None:
    """Only GET has parts; what is malformed, or of another version, is as if it had not been asked for."""
    asked = RANGE.fullmatch(request.headers.get("Range", ""))
    condition = request.headers.get("If-Range")
    if request.method != "GET" or not asked or condition not in (None, f'"{entity.tag}"'):
        return None
    first, last = (int(number) if number else None for number in asked.groups())
    if first is None:
        if last is None:
            return None
        first, last = max(entity.size - last, 0) if last else entity.size, None
    if last is not None and last < first:
        return None
    if first >= entity.size:
        headers = {"Content-Range": f"bytes */{entity.size}"}
        raise Problem("range_not_satisfiable", params={"size": entity.size}, headers=headers)
    return first, entity.size if last is None else min(last + 1, entity.size)


def disposition(kind: str, name: str) -> str:
    """`Content-Disposition` with a name in any language (RFC 6266, RFC 8187), of which nothing is a path."""
    safe = "".join(one for one in name if one.isprintable() and one not in UNSAFE).strip(" .")[:120]
    stem, dot, ending = safe.rpartition(".")
    plain = safe if safe.isascii() else f"file{dot}{ending}" if stem and ending.isascii() else "file"
    return f"{kind}; filename=\"{plain or 'file'}\"; filename*=UTF-8''{quote(safe or 'file', safe='')}"
