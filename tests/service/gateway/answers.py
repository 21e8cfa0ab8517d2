"""Whether an answer is what the OpenAPI document says of its door."""

import requests
from jsonschema import Draft202012Validator, FormatChecker

from services.gateway.endpoints.endpoint import EndpointSpec
from tests.service.gateway.samples import DOCUMENT, operation
from tests.support.problems import check_problem

PROBLEM = "application/problem+json"


def complaints(spec: EndpointSpec, answer: requests.Response) -> list[str]:
    """What is wrong with an answer: a status, a content or a field that is not in the document.

    Every refusal is a problem whose members are those of the registry of error codes.
    """
    if answer.status_code >= 400 and answer.headers.get("Content-Type") == PROBLEM:
        check_problem(answer, answer.status_code)
    told = operation(spec)["responses"].get(str(answer.status_code))
    if told is None:
        return [f"{answer.status_code} is not in the document: {answer.text[:200]}"]
    if "$ref" in told:
        told = DOCUMENT["components"]["responses"][told["$ref"].rpartition("/")[2]]
    media = answer.headers.get("Content-Type", "").partition(";")[0]
    content = told.get("content", {})
    if media not in content:
        return [f"{media or 'no content'} is not in the document"] if content or answer.content else []
    if "json" not in media or media.endswith("x-ndjson"):
        return []
    schema = {**content[media]["schema"], "components": DOCUMENT["components"]}
    found = Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(answer.json())
    return [f"{error.json_path}: {error.message}" for error in found]
