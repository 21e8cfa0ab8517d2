"""Errors cross RPC with code and params, also between two releases."""

import json

import pytest
from nameko.exceptions import RemoteError

from shared.contracts.errors import Conflict, Invalid, NotFound, Rejected, ServiceError, Unavailable, field_error
from shared.plumbing import rpc_errors

ERRORS = [
    ServiceError(message="Failed."),
    Invalid("comment_too_long", params={"max": 200, "length": 201}, field="text"),
    Invalid(errors={"lines.0.address": [field_error("required")]}),
    NotFound(),
    Rejected("tariff_is_active"),
    Conflict("comment_changed", current={"version": 2}),
    Unavailable("service_unavailable", params={"service": "billing"}),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__} {error.code}")
def test_an_error_is_the_same_on_the_other_side(error: ServiceError) -> None:
    received = rpc_errors.load(json.loads(json.dumps(rpc_errors.dump(error))))
    assert (type(received), vars(received), str(received)) == (type(error), vars(error), str(error))


def test_an_error_of_the_previous_release_is_understood() -> None:
    def load(exc_type: str, *exc_args: object) -> ServiceError:
        error = rpc_errors.load({"exc_type": exc_type, "exc_path": "", "exc_args": list(exc_args), "value": ""})
        assert isinstance(error, ServiceError)
        return error

    assert load("Rejected", "tariff_is_active").code == "tariff_is_active"
    assert load("Conflict", "Somebody else was first.", {"version": 2}).current == {"version": 2}  # type: ignore[attr-defined]
    invalid = load("Invalid", "Not what is taken here.", {"lines": {"0": {"address": ["Is blank."]}}})
    assert isinstance(invalid, Invalid)
    assert invalid.errors == {"lines.0.address": [{"code": "invalid_value", "params": {}, "message": "Is blank."}]}
    assert (load("NotFound", "There is no such thing.").code, load("Unavailable").code) == ("not_found", "unavailable")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__} {error.code}")
def test_the_previous_release_finds_its_arguments(error: ServiceError) -> None:
    arguments = rpc_errors.dump(error)["exc_args"]
    assert arguments[0] == (error.code if isinstance(error, Rejected) else error.args[0])
    assert arguments[1:] == ([error.errors] if isinstance(error, Invalid) else []) + (
        [error.current] if isinstance(error, Conflict) else []
    )


def test_a_code_of_a_newer_release_keeps_its_text() -> None:
    newer = Rejected("second_factor_required", message="Send the code of the second factor.")
    received = rpc_errors.load(rpc_errors.dump(newer))
    assert (received.code, str(received)) == ("second_factor_required", "Send the code of the second factor.")  # type: ignore[attr-defined]


def test_a_foreign_error_is_a_remote_error() -> None:
    reply = {"exc_type": "KeyError", "exc_path": "builtins.KeyError", "exc_args": ["x"], "value": "x"}
    assert isinstance(rpc_errors.load(reply), RemoteError)
