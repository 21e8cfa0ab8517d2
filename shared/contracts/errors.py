"""Errors that may cross a service boundary: a stable code, its params, and an English text for logs.

* ServiceError
  + Invalid       the message is malformed; `errors` names the fields
  + NotFound      no such thing, or the caller may not see it
  + Rejected      the rules of the domain forbid it
  + Conflict      another change came first; read again
  + Unavailable   a server or service needed for this does not respond in time
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from shared.contracts.error_codes import english

Params = Mapping[str, Any]


class FieldError(TypedDict):
    """What is wrong with one field."""

    code: str
    params: dict[str, Any]
    message: str


FieldErrors = dict[str, list[FieldError]]
"""By path: `text`, `lines.0.address`; `17.number` in line 17 of a file; "" for the whole body."""


def field_error(code: str, **params: Any) -> FieldError:
    return {"code": code, "params": params, "message": english(code, params)}


def in_line(number: int, errors: FieldErrors) -> FieldErrors:
    """The errors of one line of a file, or of one item of a list, by path from the whole."""
    return {f"{number}.{path}".rstrip("."): of_path for path, of_path in errors.items()}


class ServiceError(Exception):
    """The service cannot do this."""

    default_code = "failed"

    def __init__(self, code: str | None = None, *, params: Params | None = None, message: str | None = None) -> None:
        """`message` replaces the text of a code that this release does not know."""
        self.code = code or self.default_code
        self.params = dict(params or {})
        super().__init__(message or english(self.code, self.params))


class Invalid(ServiceError):
    """The message is malformed."""

    default_code = "invalid"

    def __init__(
        self,
        code: str | None = None,
        *,
        params: Params | None = None,
        message: str | None = None,
        field: str | None = None,
        errors: FieldErrors | None = None,
    ) -> None:
        """With `field` the code is what is wrong with that field; `errors` holds what is wrong with several."""
        super().__init__(code, params=params, message=message)
        self.errors: FieldErrors = errors or {}
        if field is not None:
            self.errors = {field: [field_error(self.code, **self.params)]}

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.code in _codes(self.errors) else f"{text} {_listed(self.errors)}".strip()


class NotFound(ServiceError):
    """There is no such thing, or the caller may not see it."""

    default_code = "not_found"


class Rejected(ServiceError):
    """The rules of the domain forbid it."""

    default_code = "conflict"


class Conflict(ServiceError):
    """Another change came first. `current` is the present state, where it is known."""

    default_code = "conflict"

    def __init__(
        self,
        code: str | None = None,
        *,
        params: Params | None = None,
        message: str | None = None,
        current: Any = None,
    ) -> None:
        super().__init__(code, params=params, message=message)
        self.current = current


class Unavailable(ServiceError):
    """A server or service that is needed does not respond."""

    default_code = "unavailable"


def _codes(errors: FieldErrors) -> set[str]:
    return {error["code"] for of_field in errors.values() for error in of_field}


def _listed(errors: FieldErrors) -> str:
    return "; ".join(f"{path or 'body'}: {error['message']}" for path, of_path in errors.items() for error in of_path)
