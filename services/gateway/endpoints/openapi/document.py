"""The OpenAPI 3.1 document: from the specs of the doors, the schemas that check, and the table of who may."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from marshmallow import Schema

from services.gateway.auth.authenticator import BY_PASSWORD, SIGNED
from services.gateway.domain.keys import KeyKind
from services.gateway.domain.permissions import ANONYMOUS, PERMISSIONS, Allowed
from services.gateway.endpoints.endpoint import LONGEST_KEY, PROBLEM, EndpointSpec
from services.gateway.endpoints.openapi import converter
from services.gateway.endpoints.openapi.examples import example
from services.gateway.endpoints.openapi.problem import ProblemSchema
from shared.contracts.calls import reports
from shared.contracts.values import Role
from shared.contracts.wire import Json

VERSION = "1.0.0"
JSON = "application/json"
DESCRIPTION = """\
The journal of a company's telephone calls: who rang whom, when, and how it ended.

Instants are RFC 3339 in UTC, money and other decimals are strings. What is not known is refused: parameters and fields
too. The order of checks: who asks (401), what they may (403), what they see (404), what they sent (422). What is out of
the caller's scope is not there: 404. Every error is a problem (RFC 9457), whose `type` a program can read."""

PATH_ID = re.compile(r"<(?:\w+:)?(\w+)>")
SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "People: the token of POST /api/v1/sessions.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "Machines: a key of kind ingest may only send, one of kind export may only read.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "Machines, instead of the key: Signature key=<id>, at=<Unix seconds>, hmac=<HMAC-SHA256>.",
    },
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "FreeSWITCH, instead of the key: it is the password.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "People on the page: the same token, set by POST /api/v1/sessions, if nothing else is shown.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "Goes with the cookie on every write: what the cookie csrf holds, from the same origin.",
    },
}
MACHINES: Mapping[str, frozenset[str] | None] = {"key": None, "signature": SIGNED, "password": BY_PASSWORD}
"""How machines may show a key, and at which doors; None is all of theirs."""
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
CHALLENGE = {"WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}}}
REFUSALS: dict[int, tuple[str, Json]] = {
    400: ("The body is not JSON.", {}),
    401: ("No credentials, or not valid ones.", CHALLENGE),
    403: ("The caller's role may not do this.", {}),
    404: ("Not there, or not in the caller's scope: the two are told apart by nobody.", {}),
    408: ("The body did not arrive in time.", {}),
    409: ("It cannot be done as things are now; read again.", {}),
    411: ("A body needs a Content-Length.", {}),
    413: ("The body is too large.", {}),
    415: ("The body has the wrong Content-Type.", {}),
    422: ("A parameter or a field is wrong; `errors` says which.", {}),
    429: ("Too many requests.", RETRY_AFTER),
    503: ("Something needed for this does not answer in time.", RETRY_AFTER),
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the caller for one request, kept for a day: a repeat is answered as the first was, also"
    " with 409, and does nothing. Who sent what could not be taken (422), was not let in (401, 403, 404) or came too"
    " soon may ask again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    "example": "8f14e45f-ceea-467f-9575-0b9f6e3f6b1a",
}


def document(specs: Mapping[str, EndpointSpec]) -> Json:
    """The whole document, plain JSON."""
    document = APISpec(
        "Call Journal", VERSION, "3.1.0", plugins=[converter.plugin()], info={"description": DESCRIPTION}
    )
    document.plugins[0].converter.add_attribute_function(converter.our_fields)  # type: ignore[attr-defined]
    document.components.schema("Problem", schema=ProblemSchema())
    for name, scheme in SCHEMES.items():
        document.components.security_scheme(name, scheme)
    for status, (description, headers) in REFUSALS.items():
        document.components.response(
            _named(status), _problem(description, headers, {"$ref": "#/components/schemas/Problem"})
        )
    _tell_shapes(document)
    for spec in sorted(specs.values(), key=lambda spec: (spec.path, spec.method)):
        document.path(path_of(spec), operations={spec.method.lower(): _operation(document, spec)})
    made: Json = document.to_dict()
    _exemplify(made)
    return made


def path_of(spec: EndpointSpec) -> str:
    return PATH_ID.sub(r"{\1}", spec.path)


def subject_of(spec: EndpointSpec) -> str:
    """Doors are grouped by what comes first in their path: journal, calls, sessions."""
    return spec.path.split("/")[3]


def refusals(spec: EndpointSpec) -> list[int]:
    """What a door may refuse with, as follows from its spec."""
    found = [422, 503]
    if spec.writes or not spec.is_public:
        found += [429]
    if not spec.is_public:
        found += [401, 403]
    if PATH_ID.search(spec.path):
        found += [404]
    if spec.body is not None:
        found += [408, 411, 413, 415]
    if isinstance(spec.body, Schema):
        found += [400]
    return found


def _operation(document: APISpec, spec: EndpointSpec) -> Json:
    allowed = PERMISSIONS[spec.name]
    made: Json = {
        "operationId": spec.name,
        "tags": [subject_of(spec)],
        "summary": spec.summary,
        "security": _security(spec),
        "x-roles": _in_order(allowed),
        "parameters": _parameters(document, spec),
        "responses": {str(status): _answer(status, content) for status, content in spec.answers.items()}
        | {str(status): _named(status) for status in refusals(spec)},
    }
    if spec.description:
        made["description"] = spec.description
    if spec.body is not None:
        made["requestBody"] = {"required": True, "content": _content(spec.body)}
    made["responses"] = dict(sorted(made["responses"].items()))
    return made


def _in_order(allowed: Allowed) -> list[str]:
    return [one for one in (*Role, *KeyKind, ANONYMOUS) if one in allowed]


def _security(spec: EndpointSpec) -> list[Json]:
    if spec.is_public:
        return []
    allowed = PERMISSIONS[spec.name]
    people, machines = allowed & set(Role), allowed & set(KeyKind)
    page: Json = {"cookie": [], "csrf": []} if spec.writes else {"cookie": []}
    return [{"bearer": []}, page] * bool(people) + [
        {scheme: []} for scheme, doors in MACHINES.items() if machines and (doors is None or spec.name in doors)
    ]


def _parameters(document: APISpec, spec: EndpointSpec) -> list[Json]:
    ids: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in PATH_ID.findall(spec.path)
    ]
    asked, headers = (
        document.plugins[0].converter.schema2parameters(schema, location=location)  # type: ignore[attr-defined]
        for schema, location in ((spec.query, "query"), (spec.headers, "header"))
    )
    for parameter in asked:
        if allowed := PERMISSIONS.get(f"show_{subject_of(spec)}_of_{parameter['name']}"):
            parameter["x-roles"] = _in_order(allowed)
    repeatable = spec.writes and not spec.is_public
    return [*ids, *asked, *headers, *[IDEMPOTENCY_KEY] * repeatable]


def _answer(status: int, content: Schema | str) -> Any:
    if content == PROBLEM:
        return _named(status)
    if status >= HTTPStatus.BAD_REQUEST:
        return _problem(REFUSALS[status][0], REFUSALS[status][1], content)
    made: Json = {"description": HTTPStatus(status).phrase}
    return {**made, "content": _content(content)} if content else made


def _problem(description: str, headers: Json, schema: Any) -> Json:
    made = {"description": description, "content": {PROBLEM: {"schema": schema}}}
    return {**made, "headers": headers} if headers else made


def _content(content: Schema | str) -> Json:
    if isinstance(content, Schema):
        return {JSON: {"schema": content}}
    return {media: {"schema": {"type": "object" if media == JSON else "string"}} for media in content.split(", ")}


def _named(status: int) -> str:
    return re.sub(r"\W", "", HTTPStatus(status).phrase.title())


def _tell_shapes(spec: APISpec) -> None:
    """What no schema can say of itself: data whose shape follows from a type beside it."""
    spec.components.schema("Report", schema=reports.ReportSchema())
    schemas = spec.components.schemas
    schemas["Report"]["oneOf"] = [_variant(spec, type_, data) for type_, data in reports.DATA.items()]


def _variant(spec: APISpec, type_: str, data: Schema) -> Json:
    shape = spec.plugins[0].converter.resolve_nested_schema(data)  # type: ignore[attr-defined]
    properties = {"type": {"const": type_}, "data": shape}
    needed = any(field.required for field in data.fields.values())
    return {"type": "object", "properties": properties, "required": ["type", "data"] if needed else ["type"]}


def _exemplify(made: Json) -> None:
    """Put an example beside every parameter, body and answer."""
    schemas = made["components"]["schemas"]
    for operation in (operation for path in made["paths"].values() for operation in path.values()):
        for parameter in operation["parameters"]:
            parameter.setdefault("example", example(parameter["schema"], schemas, parameter["name"]))
        answers = [answer for answer in operation["responses"].values() if "content" in answer]
        for holder in [operation.get("requestBody", {"content": {}}), *answers]:
            for type_, content in holder["content"].items():
                if type_ == JSON:
                    content["example"] = example(content["schema"], schemas)
