"""Errors that may cross a service boundary. The docstring is the default message; what else they bring is JSON.

* ServiceError
  + Invalid       the message is malformed; `errors` names the fields
  + NotFound      no such thing, or not yours to see
  + Rejected      the rules of the domain say no; the message is a stable slug
  + Conflict      somebody else was first; read again
  + Unavailable   a server or service needed for this does not answer in time
"""

from typing import Any


class ServiceError(Exception):
    """The service cannot do this."""

    def __init__(self, message: str | None = None, *details: Any) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip(), *details)

    def __str__(self) -> str:
        return str(self.args[0])


class Invalid(ServiceError):
    """The message is malformed."""

    def __init__(self, message: str | None = None, errors: dict[str, Any] | None = None) -> None:
        super().__init__(message, errors or {})

    @property
    def errors(self) -> dict[str, Any]:
        """What is wrong, by field: `{"0": {"at": ["Not a valid datetime."]}}`."""
        found: dict[str, Any] = self.args[1]
        return found


class NotFound(ServiceError):
    """There is no such thing."""


class Rejected(ServiceError):
    """The rules say no."""


class Conflict(ServiceError):
    """Somebody else was first."""

    @property
    def current(self) -> Any:
        """What there is now, where whoever raised it says so."""
        return self.args[1] if len(self.args) > 1 else None


class Unavailable(ServiceError):
    """A service that is needed does not answer."""
