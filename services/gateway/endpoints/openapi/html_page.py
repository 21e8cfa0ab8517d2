"""The document as one page of HTML: no script, nothing from elsewhere, found through with the browser's own search."""

import json
import re
import shlex
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from shared.contracts.wire import Json

TEMPLATES = Path(__file__).parent
STYLE = (TEMPLATES / "docs.css").read_text()
_style_hash = b64encode(sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_style_hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
TOKEN_ALONE = r's/.*"token":"([^"]+)".*/\1/'
NAMED = {"anonymous": "anybody", "ingest": "ingest keys", "export": "export keys"}
CODE = re.compile("`([^`]+)`")
CREDENTIALS = {"bearer": "Authorization: Bearer $TOKEN", "key": "X-Api-Key: $KEY"}


def rendered(document: Json) -> str:
    """The whole page. `document` is as `document.document` makes it."""
    page = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"type": type_of, "bounds": bounds, "json": _json, "prose": prose}
    sign_in = curl("POST", "/api/v1/sessions", document["paths"]["/api/v1/sessions"]["post"])
    return page.get_template("docs.html").render(
        document=document,
        schemas=document["components"]["schemas"],
        subjects=_subjects(document),
        refusals=_refusals(document),
        sign_in=f"TOKEN=$({sign_in} | sed -E '{TOKEN_ALONE}')",
        named=NAMED,
        style=STYLE,
    )


def _subjects(document: Json) -> dict[str, list[Json]]:
    """The doors by subject."""
    found: dict[str, list[Json]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            line = curl(method.upper(), path, operation)
            endpoint = {
                **operation,
                "method": method.upper(),
                "path": path,
                "answers": operation["responses"],
                "curl": line,
            }
            found.setdefault(operation["tags"][0], []).append(endpoint)
    return found


def _refusals(document: Json) -> Json:
    """Every status that any door refuses with."""
    doors = (door for path in document["paths"].values() for door in path.values())
    found = {code: _resolved(document, answer) for door in doors for code, answer in door["responses"].items()}
    return {code: answer for code, answer in sorted(found.items()) if code >= "4"}


def curl(method: str, path: str, operation: Json) -> str:
    """A line that can be tried: all that is required of a request and nothing else."""
    given = operation["parameters"]
    for parameter in given:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    asked = {p["name"]: p["example"] for p in given if p["in"] == "query" and p["required"]}
    words = ["curl", "-sS"] + ([] if method == "GET" else ["-X", method])
    words.append(f'"$BASE_URL{path}{"?" + urlencode(asked) if asked else ""}"')
    for scheme in operation["security"][:1]:
        words += ["-H", f'"{CREDENTIALS[next(iter(scheme))]}"']
    for type_, content in [*operation.get("requestBody", {"content": {}})["content"].items()][:1]:
        words += ["-H", shlex.quote(f"Content-Type: {type_}")]
        body = json.dumps(content["example"], ensure_ascii=False) if "example" in content else None
        words += ["--data", shlex.quote(body)] if body else ["--data-binary", "@file"]
    return " ".join(words)


def prose(text: str) -> Markup:
    """Plain words, in which what stands between backquotes is code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def type_of(schema: Json) -> list[tuple[str, str]]:
    """The type of a field in words, each with the schema that it names (or "")."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [(name, name)]
    if "anyOf" in schema:
        return [
            word for n, part in enumerate(schema["anyOf"]) for word in ([(" or ", "")] if n else []) + type_of(part)
        ]
    if "const" in schema:
        return [(json.dumps(schema["const"], ensure_ascii=False), "")]
    types = schema.get("type", "anything")
    types = [types] if isinstance(types, str) else types
    if types[0] == "array":
        return [("list of ", ""), *type_of(schema["items"])]
    if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
        return [("object of ", ""), *type_of(schema["additionalProperties"])]
    known = {"date-time": "instant", "date": "day", "uuid": "uuid"}.get(schema.get("format", ""), types[0])
    return [(" or ".join([known, *types[1:]]), "")]


def bounds(schema: Json) -> str:
    """What else a value must be, in words."""
    schema = schema.get("items", schema)
    said = []
    if enum := schema.get("enum"):
        said.append(", ".join(json.dumps(one) if one is None else str(one) for one in enum))
    said += _between(schema, "minLength", "maxLength", " characters")
    said += _between(schema, "minItems", "maxItems", " of them")
    said += _between(schema, "minimum", "maximum", "")
    if schema.get("default") is not None:
        said.append(f"default {schema['default']}")
    return "; ".join(said)


def _between(schema: Json, least: str, most: str, unit: str) -> list[str]:
    low, high = schema.get(least), schema.get(most)
    if high is None:
        return [] if not low else [f"{low} or more{unit}"]
    return [f"{low or 0} to {high}{unit}"]


def _resolved(document: Json, answer: Json) -> Json:
    if "$ref" not in answer:
        return answer
    found: Json = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
