"""Golden samples of RPC requests and responses: never edited, accepted by both sides for as long as the method exists.

`samples/rpc/<method>.request.v<n>.json` and `…response.v<n>.json`. A new optional field is a new sample with the next
number; a changed meaning is a new method.
"""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError

from shared.contracts.rpc import CommandSchema, QuerySchema, RpcMethod, methods_of

CONTRACTS = Path(__file__).parents[2] / "shared" / "contracts"
OWNERS = sorted(path.parent.name for path in CONTRACTS.glob("*/rpc.py"))
METHODS = [
    method for owner in OWNERS for method in methods_of(importlib.import_module(f"shared.contracts.{owner}.rpc"))
]
BY_NAME = {method.routing_key: method for method in METHODS}
SAMPLES = sorted(CONTRACTS.glob("*/samples/rpc/*.json"))
NAME = re.compile(r"(?P<method>\w+)\.(?P<direction>request|response)\.v(?P<version>\d+)\.json")


def parse(path: Path) -> tuple[RpcMethod, str, int]:
    name = NAME.fullmatch(path.name)
    assert name, f"{path.name} is not named <method>.<request or response>.v<version>.json"
    owner = path.parts[-4]
    assert f"{owner}.{name['method']}" in BY_NAME, f"{path.name} is a sample of no method"
    return BY_NAME[f"{owner}.{name['method']}"], name["direction"], int(name["version"])


def samples(direction: str) -> list[Path]:
    return [path for path in SAMPLES if f".{direction}." in path.name]


def content(path: Path) -> Any:
    return json.loads(path.read_text())


def newest(method: RpcMethod, direction: str) -> Path:
    found = [path for path in samples(direction) if parse(path)[0] is method]
    assert found, f"{method.routing_key} has no sample of its {direction}"
    return max(found, key=lambda path: parse(path)[2])


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.routing_key)
def test_every_method_has_a_sample_with_every_field(method: RpcMethod) -> None:
    assert set(content(newest(method, "request"))) == {
        field.data_key or name for name, field in method.request.fields.items()
    }
    if method.response is not None:
        required = {field.data_key or name for name, field in method.response.fields.items() if field.required}
        assert required <= set(content(newest(method, "response")))


@pytest.mark.parametrize("path", samples("request"), ids=lambda path: path.name)
def test_the_server_loads_a_request_and_the_client_dumps_it_as_before(path: Path) -> None:
    method, _, _ = parse(path)
    request = content(path)
    dumped = method.dump_request(method.load_request(request))
    assert {name: dumped[name] for name in request} == request


@pytest.mark.parametrize("path", samples("response"), ids=lambda path: path.name)
def test_the_client_accepts_a_response_as_it_is(path: Path) -> None:
    method, _, _ = parse(path)
    response = content(path)
    assert method.check_response(response) == response
    assert method.dump_response(response) == response


@pytest.mark.parametrize("path", samples("response"), ids=lambda path: path.name)
def test_the_client_ignores_fields_that_a_newer_server_adds(path: Path) -> None:
    method, _, _ = parse(path)
    response = content(path)
    assert method.check_response(response | {"added_later": 1}) == response


@pytest.mark.parametrize("path", samples("response"), ids=lambda path: path.name)
def test_a_response_without_a_required_field_is_refused(path: Path) -> None:
    method, _, _ = parse(path)
    response = content(path)
    for name in response:
        with pytest.raises(ValidationError, match=name):
            method.check_response({key: value for key, value in response.items() if key != name})


@pytest.mark.parametrize("path", samples("request"), ids=lambda path: path.name)
def test_a_query_ignores_unknown_fields_and_a_command_refuses_them(path: Path) -> None:
    method, _, _ = parse(path)
    newer = content(path) | {"added_later": 1}
    if isinstance(method.request, QuerySchema):
        assert method.load_request(newer) == method.load_request(content(path))
    else:
        with pytest.raises(ValidationError, match="added_later"):
            method.load_request(newer)


@pytest.mark.parametrize("path", samples("request"), ids=lambda path: path.name)
def test_a_command_carries_an_id(path: Path) -> None:
    method, _, _ = parse(path)
    if isinstance(method.request, CommandSchema):
        with pytest.raises(ValidationError, match="command_id"):
            method.load_request({key: value for key, value in content(path).items() if key != "command_id"})


def test_a_client_cannot_send_a_field_that_the_contract_does_not_have() -> None:
    with pytest.raises(TypeError, match=r"calls\.timeline has no field call"):
        BY_NAME["calls.timeline"].dump_request({"tenant": "acme", "call": "1"})
