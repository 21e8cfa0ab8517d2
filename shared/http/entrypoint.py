"""HTTP doors: bounded bodies and waits, and every error an RFC 9457 problem."""

import json
import logging
from collections.abc import Callable
from typing import Any

import orjson
from nameko.web.handlers import HttpRequestHandler
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request, Response

from shared.contracts.errors import ServiceError
from shared.http.problems import Headers, Problem, to_problem
from shared.http.server import Server, Stream

__all__ = ["Http", "Problem", "Stream", "answer", "body_of", "bytes_of", "http"]

logger = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
DEEPEST = 20
"""Lists and objects that may stand in each other."""


def answer(payload: Any, status: int = 200, headers: Headers = None) -> Response:
    """A JSON answer; no body for None."""
    if payload is None:
        return Response(status=status, headers=headers)
    return Response(orjson.dumps(payload), status=status, headers=headers, content_type="application/json")


def bytes_of(request: Request) -> bytes:
    """The request's body as it was sent; asked for again it is there again. Raises Problem 408."""
    try:
        return request.get_data()
    except ClientDisconnected as error:
        raise Problem("request_timeout") from error


def body_of(request: Request) -> Any:
    """The request's JSON. Raises Problem 415, 408 or 400."""
    if request.mimetype != "application/json":
        raise Problem("wrong_content_type", params={"expected": "application/json"})
    try:
        body = json.loads(bytes_of(request).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Problem("body_not_json", params={"reason": str(error)}) from error
    if _is_too_deep(body):
        raise Problem("body_nested_too_deep", params={"max": DEEPEST})
    return body


def _is_too_deep(body: Any) -> bool:
    level = [body]
    for _ in range(DEEPEST + 1):
        outers = [one for one in level if isinstance(one, dict | list)]
        if not outers:
            return False
        level = [inner for outer in outers for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return True


class Http(HttpRequestHandler):
    """`@http("POST", "/path", body_limit=…)`: the method is given the werkzeug request and returns a Response."""

    server = Server()

    def __init__(self, method: str, url: str, *, body_limit: int = BODY_LIMIT, **kwargs: Any) -> None:
        self.body_limit = body_limit
        super().__init__(method, url, expected_exceptions=(Problem, ServiceError), **kwargs)

    def handle_request(self, request: Any) -> Response:
        length = request.content_length
        if length is None and "Transfer-Encoding" in request.headers:
            return self._refused(Problem("length_required"))
        if (length or 0) > self.body_limit:
            return self._refused(Problem("body_too_large", params={"max": self.body_limit}))
        response: Response = super().handle_request(request)
        return response

    def stop(self) -> None:
        self.server.drain()
        super().stop()

    def _refused(self, problem: Problem) -> Response:
        problem.headers["Connection"] = "close"
        return problem.response()

    def response_from_exception(self, exc: BaseException) -> Response:
        problem = to_problem(exc)
        if problem.status >= 500:
            level = logging.WARNING if problem.status == 503 else logging.ERROR
            logger.log(level, "request failed", extra={"instance": problem.body["instance"]}, exc_info=exc)
        return problem.response()


http: Callable[..., Any] = Http.decorator
