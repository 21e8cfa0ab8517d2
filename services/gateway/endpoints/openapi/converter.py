"""How our marshmallow schemas read as JSON Schema; apispec knows all but what is here."""

import re
from copy import copy
from inspect import cleandoc
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

from services.gateway.http.schemas import Moment
from shared.contracts.wire import Instant, Json, Length, storable

DECIMAL = r"^-?\d+(\.\d+)?$"
STORABLE = r"^[^\u0000]*$"
SENTENCE = re.compile(r"(?<=\.)\s")
INSTANT: Json = {"type": "string", "format": "date-time"}
DAY: Json = {"type": "string", "format": "date"}


class Converter(OpenAPIConverter):
    def field2property(self, field: Any) -> Json:
        flat = copy(field)
        flat.validators = list(_each(field.validators))
        return dict(super().field2property(flat))

    def schema2jsonschema(self, schema: Any) -> Json:
        made = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        class_ = type(schema) if isinstance(schema, Schema) else schema
        if said := class_.__dict__.get("__doc__"):
            made["description"] = SENTENCE.split(cleandoc(said))[0]
        return dict(made)

    def field2range(self, field: Any, ret: Any) -> Json:
        """Bounds of a decimal are decimals, which JSON has not."""
        return {name: _number(bound) for name, bound in super().field2range(field, ret=ret).items()}

    def _field2parameter(self, field: Any, *, name: str, location: str) -> Json:
        """Nothing can be asked for as null: what may be None is what was not asked for."""
        given = copy(field)
        given.allow_none = False
        made = super()._field2parameter(given, name=name, location=location)
        if made["schema"].get("default", "") is None:
            del made["schema"]["default"]
        return dict(made)


def our_fields(_: Converter, field: Any, **__: Any) -> Json:
    match field:
        case fields.Enum():
            return _nullable(field, {"type": "string"})
        case Moment():
            return {"anyOf": [INSTANT, DAY]}
        case Instant():
            return _nullable(field, INSTANT)
        case Length() | fields.Decimal(as_string=True):
            return _nullable(field, {"type": "string", "pattern": DECIMAL})
        case fields.String() if storable in field.validators and not field.metadata.get("pattern"):
            return {"pattern": STORABLE}
    return {}


def plugin() -> MarshmallowPlugin:
    """Schemas are named for their classes: `EntrySchema` is `Entry`."""
    made = MarshmallowPlugin(schema_name_resolver=_name)
    made.Converter = Converter
    return made


def _name(schema: Any) -> str:
    class_ = schema if isinstance(schema, type) else type(schema)
    return class_.__name__.removesuffix("Schema")


def _nullable(field: Any, made: Json) -> Json:
    return {**made, "type": [made["type"], "null"]} if field.allow_none else made


def _each(validators: Any) -> Any:
    for validator in validators:
        if isinstance(validator, validate.And):
            yield from _each(validator.validators)
        else:
            yield validator


def _number(bound: Any) -> int | float:
    return int(bound) if bound == int(bound) else float(bound)
