"""What every refusal looks like: the checks of errors and problem responses, for all tests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from shared.contracts.error_codes import ERROR_CODES, param_names
from shared.contracts.errors import FieldErrors, ServiceError
from shared.http.problem_types import PROBLEM_TYPES, SLUG_OF, url

MEDIA_TYPE = "application/problem+json"


def field_codes(errors: Mapping[str, Any]) -> dict[str, list[str]]:
    """The codes of field errors by path: `{"text": ["comment_too_long"]}`."""
    return {path: [error["code"] for error in of_path] for path, of_path in errors.items()}


@contextmanager
def refused(code: str, error: type[ServiceError] = ServiceError) -> Iterator[None]:
    """The block raises this error with this code."""
    with pytest.raises(error) as refusal:
        yield
    assert refusal.value.code == code


def check_problem(response: Any, status: int, code: str | None = None, *fields: str) -> dict[str, Any]:
    """The body of a problem response, every member of which is as `docs/api/errors.md` says.

    `fields`: the paths of its errors, where they matter. `response` is one of requests or of werkzeug.
    """
    problem: dict[str, Any] = response.json() if callable(response.json) else response.json
    assert (response.status_code, response.headers["Content-Type"]) == (status, MEDIA_TYPE), problem
    check_members(problem)
    assert problem["status"] == status, problem
    assert problem["request_id"] == response.headers.get("X-Request-Id", problem["request_id"])
    if code is not None:
        assert problem["code"] == code, problem
    if fields:
        assert sorted(problem["errors"]) == sorted(fields), problem
    return problem


def without_request_id(response: Any) -> dict[str, Any]:
    """A problem without the only member that differs between two equal refusals."""
    return {
        name: value for name, value in check_problem(response, response.status_code).items() if name != "request_id"
    }


def check_members(problem: dict[str, Any]) -> None:
    """Hold the members of a problem against the registry of codes."""
    assert problem.keys() >= {"type", "title", "status", "detail", "code", "params", "request_id"}, problem
    slug = SLUG_OF[problem["code"]]
    assert problem["type"] == url(slug), problem
    assert problem["status"] == PROBLEM_TYPES[slug].status, problem
    assert set(param_names(problem["code"])) <= problem["params"].keys(), problem
    assert isinstance(problem["request_id"], str), problem
    assert ("instance" in problem) == (problem["status"] >= 500), problem
    check_field_errors(problem.get("errors", {}))


def check_field_errors(errors: FieldErrors) -> None:
    """Every error has a known code, all its params and a message."""
    for path, of_path in errors.items():
        for error in of_path:
            assert error.keys() == {"code", "params", "message"}, (path, error)
            assert error["code"] in ERROR_CODES, (path, error)
            assert error["code"] != "invalid_value", (path, error)
            assert set(param_names(error["code"])) <= error["params"].keys(), (path, error)
