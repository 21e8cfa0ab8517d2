"""An example of everything, made from its schema and the words of an ordinary company."""

from typing import Any

from shared.contracts.wire import Json

WORDS: Json = {
    "Last-Event-ID": "AQAGYRa0KKAqd24VTaLF",
    "address": "101",
    "amount": "0.0800",
    "by": "callee",
    "call": "1795600000.42",
    "callee": "+380443303018",
    "caller": "+380501234567",
    "caller_name": "Катерина Власова",
    "current": "весняна злива",
    "currency": "UAH",
    "detail": "Send the token: Authorization: Bearer ….",
    "duration_seconds": "11.2",
    "explanation": "2026 (version 1), outbound +38050: 5 s talked, 0 s free; 1 s + 4 × 1 s = 5 s billed; "
    "5 × 1.20 / 60 + 0 connection fee, 0 at least, rounded half_up to 4 digits = 0.1000",
    "from": "2026-11-01",
    "format": "wav",
    "freshness": {"calls": 0.08},
    "line": "+380443303018",
    "login": "kateryna",
    "max_talk": 600,
    "min_talk": 10,
    "name": "Катерина Власова",
    "new": "жайворонок над полем",
    "next_cursor": None,
    "note": "дзвонить щосереди",
    "number": "+380501234567",
    "owner": "calls",
    "party": "101",
    "password": "соловейко на вербі",
    "per_minute": "1.20",
    "prefix": "+38050",
    "previous_cursor": None,
    "q": "Власова",
    "region": "UA",
    "report_id": "1795600000.42-placed",
    "rule": "answered_by_party",
    "rung": ["101", "102"],
    "talk_seconds": "12.000",
    "tenant": "oselia",
    "text": "передзвонити 2 серпня",
    "time_zone": "Europe/Kyiv",
    "title": "Not signed in",
    "to": "2026-12-01",
    "token": "eyJhbGciOiJFZERTQSJ9…",
    "type": "unauthorised",
    "wait_seconds": "6.000",
    "why": "corrected",
}
BY_FORMAT = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T08:15:00.000000Z",
    "uuid": "6f0c3c1e-6a3e-5d1b-9a53-0f1f4a1d7c11",
}
BY_TYPE: Json = {"integer": 1, "number": 1.0, "boolean": True, "string": "text", "null": None, "object": {}}
DECIMAL = "1.00"


def example(schema: Json, schemas: Json, name: str = "") -> Any:
    """What fits `schema`, whose references are to `schemas`; `name` is the field's."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    for known in ("example", "const"):
        if known in schema:
            return schema[known]
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return _object(schema, schemas)
    if name in WORDS and _fits(WORDS[name], schema):
        return WORDS[name]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], schemas, name)
    return _plain(schema, schemas, name)


def _object(schema: Json, schemas: Json) -> Json:
    made = {name: example(field, schemas, name) for name, field in schema["properties"].items()}
    for variant in schema.get("oneOf", ())[:1]:
        made |= _object(variant, schemas)
    return made


def _plain(schema: Json, schemas: Json, name: str) -> Any:
    type_ = _types(schema)[0]
    if type_ == "array":
        return [example(schema["items"], schemas, name)]
    if schema.get("default") is not None:
        return schema["default"]
    if type_ == "string" and r"\d" in schema.get("pattern", ""):
        return DECIMAL
    if type_ in ("integer", "number") and "minimum" in schema:
        return schema["minimum"]
    return BY_FORMAT.get(schema.get("format", ""), BY_TYPE[type_])


def _types(schema: Json) -> list[str]:
    types = schema.get("type", "object")
    return [types] if isinstance(types, str) else list(types)


def _fits(word: Any, schema: Json) -> bool:
    kinds = {str: "string", list: "array", dict: "object", int: "integer", type(None): "null"}
    kind = kinds[type(word)]
    types = _types(schema) if "type" in schema else [part.get("type") for part in schema.get("anyOf", ())]
    return (kind in types or (kind == "integer" and "number" in types)) and schema.get("format") is None
