"""Errors in RPC replies: as Nameko writes them, and our code and params beside that.

Both releases of a rolling upgrade understand it: the previous one reads `exc_args`, as it wrote them; this one reads
`details`, and makes do with `exc_args` where there are none.
"""

from typing import Any

from nameko import exceptions as nameko_errors

from shared.contracts import errors
from shared.contracts.errors import Conflict, Invalid, Rejected, ServiceError
from shared.contracts.validation import field_errors
from shared.contracts.wire import Json

CLASSES: dict[str, type[ServiceError]] = {
    name: error for name, error in vars(errors).items() if isinstance(error, type) and issubclass(error, ServiceError)
}


def dump(error: ServiceError) -> Json:
    """The error as JSON."""
    details: Json = {"code": error.code, "params": error.params, "message": error.args[0]}
    text = error.code if isinstance(error, Rejected) else error.args[0]
    arguments: list[Any] = [text]
    if isinstance(error, Invalid):
        details["errors"] = error.errors
        arguments.append(error.errors)
    if isinstance(error, Conflict):
        details["current"] = error.current
        arguments.append(error.current)
    return {**nameko_errors.serialize(error), "exc_args": arguments, "details": details}


def load(reply: Json) -> Exception:
    """The error of a reply; one that is not a ServiceError as Nameko's RemoteError."""
    error_class = CLASSES.get(reply.get("exc_type", ""))
    if error_class is None:
        remote: Exception = nameko_errors.deserialize(reply)
        return remote
    return error_class(**(reply.get("details") or _previous(error_class, reply.get("exc_args") or [])))


def _previous(error_class: type[ServiceError], arguments: list[Any]) -> Json:
    """The details of an error of the previous release."""
    text = arguments[0] if arguments else None
    second = arguments[1] if len(arguments) > 1 else None
    if error_class is Rejected:
        return {"code": text}
    if error_class is Invalid:
        return {"message": text, "errors": field_errors(second or {})}
    if error_class is Conflict:
        return {"message": text, "current": second}
    return {"message": text}
