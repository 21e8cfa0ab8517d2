"""The wire shapes of the gateway's events, and how services that store settings load them."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields

from shared.contracts.gateway.events import SettingsChanged
from shared.contracts.wire import EnvelopeSchema, EventSchema, decode, wire


@wire(SettingsChanged, "settings_changed")
class SettingsChangedSchema(EventSchema):
    time_zone = fields.String(required=True)
    region = fields.String(required=True)
    price_delay_seconds = fields.Integer(required=True, allow_none=True, strict=True)
    returned_window_hours = fields.Integer(required=True, allow_none=True, strict=True)
    retention_days = fields.Integer(required=True, allow_none=True, strict=True)
    currency = fields.String(required=True)


ENVELOPE = EnvelopeSchema(only=("tenant", "version", "type", "schema_version", "data"))


def newest(messages: Sequence[Any]) -> Mapping[str, tuple[int, SettingsChanged]]:
    """The newest settings of each tenant in the messages, with their version. Raises ValidationError."""
    envelopes = sorted(ENVELOPE.load(messages, many=True), key=lambda envelope: int(envelope["version"]))
    return {envelope["tenant"]: (envelope["version"], _settings(envelope)) for envelope in envelopes}


def _settings(envelope: Mapping[str, Any]) -> SettingsChanged:
    settings = decode(envelope["type"], envelope["schema_version"], envelope["data"])
    assert isinstance(settings, SettingsChanged)
    return settings
