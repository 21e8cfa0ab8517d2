"""Whatever is not the answer asked for, as an RFC 9457 problem that tells no more than it should."""

import json
from math import ceil
from typing import Any
from uuid import uuid4

from nameko.exceptions import ContainerBeingKilled
from psycopg.errors import QueryCanceled
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from shared.contracts.errors import Conflict, Invalid, NotFound, Rejected, ServiceError
from shared.plumbing.database import is_outage

RETRY_AFTER = {"Retry-After": "1"}
DETAILS = {
    400: "The request is not HTTP as we read it.",
    404: "There is nothing here that you may see.",
    408: "The request did not arrive in time.",
    414: "The address is longer than we read.",
    431: "The header is longer than we read.",
    500: "The logs know more of it, by its instance.",
}
TITLES = {
    400: "Malformed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    411: "Length required",
    413: "Too large",
    414: "Too long",
    431: "Too large",
}

GUARDED = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
"""What every answer says, unless its door says otherwise: who asks for what is between us and the client."""

Headers = dict[str, str] | None


class Problem(Exception):
    """An answer that is not the one asked for."""

    def __init__(
        self,
        status: int,
        type_: str,
        title: str,
        detail: str = "",
        *,
        errors: Any = None,
        headers: Headers = None,
        **more: Any,
    ) -> None:
        """`more`: what else the answer says, by name."""
        super().__init__(title)
        self.status, self.headers = status, headers or {}
        self.body = {"type": type_, "title": title, "status": status, "detail": detail or DETAILS.get(status, title)}
        self.body |= more
        if errors:
            self.body["errors"] = errors
        if status >= 500:
            self.body["instance"] = f"urn:uuid:{uuid4()}"

    def response(self) -> Response:
        # A lone surrogate that was sent to us, in a field's name for example, goes back as the escape it came as.
        body = json.dumps(self.body, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return Response(body, status=self.status, headers=self.headers, mimetype="application/problem+json")


def problem_of(error: BaseException) -> Problem:
    """What the client is told of an error."""
    match error:
        case Problem():
            return error
        case Invalid():
            return Problem(422, "invalid", "Invalid", str(error), errors=error.errors)
        case NotFound():
            return Problem(404, "not-found", "Not found")
        case Conflict() | Rejected():
            return Problem(409, "conflict", "Conflict", str(error))
        case HTTPException():
            return _http_problem(error)
    if isinstance(error, ContainerBeingKilled | QueryCanceled) or is_outage(error):
        detail = "Something needed for this does not answer."
        return Problem(503, "unavailable", "Try again", detail, headers=dict(RETRY_AFTER))
    detail = str(error) if isinstance(error, ServiceError) else ""
    return Problem(500, "failed", "Failed", detail)


def too_many(wait: float, why: str) -> Problem:
    """429, saying when to come again: `wait` is in seconds."""
    seconds = max(1, ceil(wait))
    detail = f"{why} Try again in {seconds} s."
    return Problem(429, "too-many", "Too many requests", detail, headers={"Retry-After": str(seconds)})


def _http_problem(error: HTTPException) -> Problem:
    # A redirect would only mend the slashes of an address that we do not have.
    code = 404 if isinstance(error, RequestRedirect) else error.code or 500
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return problem_by_status(code, error.name, headers)


def problem_by_status(status: int, title: str = "Malformed", headers: Headers = None) -> Problem:
    """The problem that is nothing but its status; `title` is for one that we have no words for."""
    title = TITLES.get(status, title)
    return Problem(status, title.lower().replace(" ", "-"), title, headers=headers)
