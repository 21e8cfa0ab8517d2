"""Problem responses (RFC 9457): what a client receives instead of the result. They disclose nothing internal."""

import json
from math import ceil
from typing import Any
from uuid import uuid4

from nameko.exceptions import ContainerBeingKilled
from psycopg.errors import QueryCanceled
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from shared.contracts.error_codes import english
from shared.contracts.errors import (
    Conflict,
    FieldErrors,
    Invalid,
    NotFound,
    Params,
    Rejected,
    ServiceError,
    Unavailable,
)
from shared.http.problem_types import CODE_OF_STATUS, PROBLEM_TYPES, SLUG_OF, url
from shared.plumbing import logs
from shared.plumbing.database import is_outage

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "1"}
CLASS_SLUGS: tuple[tuple[type[ServiceError], str], ...] = (
    (Invalid, "invalid"),
    (NotFound, "not-found"),
    (Conflict, "conflict"),
    (Rejected, "conflict"),
    (Unavailable, "unavailable"),
)
"""The problem type of a code that this release does not know, by its class."""

DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Headers of every response, unless its endpoint sets others."""

Headers = dict[str, str] | None


class Problem(Exception):
    """A response other than the expected one, by its code."""

    def __init__(
        self,
        code: str,
        *,
        params: Params | None = None,
        detail: str | None = None,
        errors: FieldErrors | None = None,
        headers: Headers = None,
        slug: str | None = None,
        **members: Any,
    ) -> None:
        """`detail` and `slug` only for a code that this release does not know; `members` are further members."""
        slug = slug or SLUG_OF[code]
        problem_type, params = PROBLEM_TYPES[slug], dict(params or {})
        detail = detail or english(code, params)
        super().__init__(detail)
        self.code, self.status, self.headers = code, problem_type.status, dict(headers or {})
        if self.status == 503:
            self.headers = RETRY_AFTER | self.headers
        self.body: dict[str, Any] = {
            "type": url(slug),
            "title": problem_type.title,
            "status": self.status,
            "detail": detail,
            "code": code,
            "params": params,
        }
        self.body |= members
        if errors:
            self.body["errors"] = errors
        if self.status >= 500:
            self.body["instance"] = f"urn:uuid:{uuid4()}"

    def response(self) -> Response:
        response = Response(status=self.status, headers=self.headers, mimetype=MEDIA_TYPE)
        return with_request_id(response, self.body)


def with_request_id(response: Response, body: dict[str, Any]) -> Response:
    """The response with this problem for a body, and the id of the present request in it."""
    encoded = json.dumps(body | {"request_id": logs.correlation_id()}, ensure_ascii=False)
    # A lone surrogate that a client sent, in a field's name for example, is escaped.
    response.set_data(encoded.encode("utf-8", "backslashreplace"))
    return response


def to_problem(error: BaseException) -> Problem:
    """The problem that a client receives for an error."""
    match error:
        case Problem():
            return error
        case ServiceError():
            return _of_service_error(error)
        case HTTPException():
            return _of_http_exception(error)
    if isinstance(error, ContainerBeingKilled | QueryCanceled) or is_outage(error):
        return Problem("unavailable")
    return Problem("failed")


def too_many(code: str, wait: float, **params: Any) -> Problem:
    """429 with `Retry-After`; `wait` in seconds."""
    seconds = max(1, ceil(wait))
    headers = {"Retry-After": str(seconds)}
    return Problem(code, params={**params, "retry_after": seconds}, headers=headers)


def problem_by_status(status: int, *, params: Params | None = None, headers: Headers = None) -> Problem:
    """The problem of a refusal that is nothing but its status."""
    code = CODE_OF_STATUS.get(status, "failed" if status >= 500 else "malformed_request")
    return Problem(code, params=params, headers=headers)


def _of_service_error(error: ServiceError) -> Problem:
    by_class = next((slug for class_, slug in CLASS_SLUGS if isinstance(error, class_)), "failed")
    slug = SLUG_OF.get(error.code, by_class)
    if isinstance(error, Invalid) and error.code not in SLUG_OF:
        # The code is that of a field, which `errors` names.
        return Problem("invalid", errors=error.errors, detail=None if error.errors else str(error))
    errors = error.errors if isinstance(error, Invalid) else None
    return Problem(error.code, slug=slug, params=error.params, detail=str(error.args[0]), errors=errors)


def _of_http_exception(error: HTTPException) -> Problem:
    # A redirect would only correct the slashes of an address that does not exist.
    status = 404 if isinstance(error, RequestRedirect) else error.code or 500
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return problem_by_status(status, headers=headers)
