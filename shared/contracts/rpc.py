"""RPC methods as contracts: the request and the response of each, used by the client and by the server.

Wire format: `{"args": [], "kwargs": <request>}` in, `{"result": <response>, "error": …}` out, as Nameko has it.

How a method may change while old and new processes run side by side:

* A response may get new fields. Clients ignore fields that they do not know.
* A query may get new optional fields, if a response that ignores them is right too. Servers ignore unknown fields of
  a query.
* A command refuses unknown fields: it is carried out once, so half of it must not be recorded as done.
* A changed meaning, a new required field or a removed field is a new method.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, fields, validate

from shared.contracts.wire import Instant, Json

MAX_RESENT_CALLS = 1000


class QuerySchema(Schema):
    """The request of a method that changes nothing. Unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE

    tenant = fields.String(required=True)


class StrictSchema(Schema):
    """A request, or a part of it, in which unknown fields are refused."""

    class Meta:
        unknown = RAISE


class CommandSchema(StrictSchema):
    """The request of a method that writes, once for each `command_id`."""

    command_id = fields.UUID(required=True)
    tenant = fields.String(required=True)


class ResponseSchema(Schema):
    """What a method returns, or a part of it. Unknown fields are ignored.

    A value from a closed list, such as a state, is a string here, so that an older client accepts a new one.
    """

    class Meta:
        unknown = EXCLUDE


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcMethod:
    """One method of the service `owner`. A method without a response schema returns null."""

    owner: str
    name: str
    request: Schema
    response: Schema | None = None

    @property
    def routing_key(self) -> str:
        """The name at the broker: `calls.timeline`."""
        return f"{self.owner}.{self.name}"

    def dump_request(self, request: Json) -> Json:
        """The request as JSON. Raises TypeError for a field that the contract does not have."""
        if unknown := set(request) - set(self.request.fields):
            raise TypeError(f"{self.routing_key} has no field {', '.join(sorted(unknown))}")
        dumped: Json = self.request.dump(request)
        return dumped

    def load_request(self, request: Json) -> Json:
        """The arguments of the method. Raises ValidationError."""
        loaded: Json = self.request.load(request)
        return loaded

    def dump_response(self, response: Any) -> Any:
        """The response as JSON, with the fields of the contract only."""
        return None if self.response is None else self.response.dump(response)

    def check_response(self, response: Any) -> Any:
        """The response as JSON, without fields that this client does not know. Raises ValidationError."""
        return None if self.response is None else self.response.dump(self.response.load(response))


def methods_of(*contracts: ModuleType) -> tuple[RpcMethod, ...]:
    """Every method that the modules define, in their order."""
    return tuple(value for module in contracts for value in vars(module).values() if isinstance(value, RpcMethod))


class CallQuerySchema(QuerySchema):
    call_id = fields.UUID(required=True)


class TimelineEventSchema(ResponseSchema):
    """`data` is the event as it was recorded. `by` is the account that caused it, if one did."""

    owner = fields.String(required=True)
    type = fields.String(required=True)
    at = Instant(required=True)
    recorded_at = Instant(required=True)
    data = fields.Dict(required=True)
    by = fields.String(required=True, allow_none=True)


class TimelineSchema(ResponseSchema):
    events = fields.List(fields.Nested(TimelineEventSchema), required=True)


class ResendSchema(CommandSchema):
    """The calls of `call_ids`; without them the first `limit` calls of the tenant after `after`, ordered by id."""

    call_ids = fields.List(
        fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(max=MAX_RESENT_CALLS)
    )
    after = fields.UUID(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=MAX_RESENT_CALLS, validate=validate.Range(1, MAX_RESENT_CALLS))


class ResentSchema(ResponseSchema):
    """How many states were published again, and the `after` of the next request; null when no call is left."""

    sent = fields.Integer(required=True)
    last = fields.UUID(required=True, allow_none=True)


def timeline_method(owner: str) -> RpcMethod:
    """`timeline`: every event that the owner has recorded of a call."""
    return RpcMethod(owner=owner, name="timeline", request=CallQuerySchema(), response=TimelineSchema())


def resend_method(owner: str) -> RpcMethod:
    """`resend`: publish the current state of calls again."""
    return RpcMethod(owner=owner, name="resend", request=ResendSchema(), response=ResentSchema())
