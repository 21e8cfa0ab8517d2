"""The OpenAPI document, and the page that displays it with Swagger UI."""

from functools import cache
from hashlib import sha256

import orjson
from werkzeug.wrappers import Request, Response

from services.gateway.domain.permissions import ANYBODY
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, all_endpoints, endpoint
from services.gateway.endpoints.openapi.document import JSON, document
from services.gateway.endpoints.static_files import REVALIDATE, VENDORED, File, load_file, send
from shared.http.entrypoint import http

HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
HTML = "text/html"
SWAGGER_UI = VENDORED / "swagger-ui"
FILES = ("swagger-ui.css", "swagger-ui-bundle.js", "start.js")
FILE_PATH = f"/api/v1/docs/<any({','.join(map(repr, FILES))}):name>"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PAGE = b"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Call Journal API</title>
<link rel="stylesheet" href="/api/v1/docs/swagger-ui.css">
<script src="/api/v1/docs/swagger-ui-bundle.js" defer></script>
<script src="/api/v1/docs/start.js" defer></script>
<main id="swagger-ui"></main>
</html>
"""


class DocumentEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/openapi.json", roles=ANYBODY, answers={200: JSON, 304: ""})
    def show_openapi(self, context: RequestContext) -> Response:
        """This API as OpenAPI 3.1."""
        return _conditional(context.request, _rendered_document(type(self)), JSON)  # type: ignore[arg-type]

    @endpoint("GET", "/api/v1/docs", roles=ANYBODY, answers={200: HTML, 304: ""})
    def show_docs(self, context: RequestContext) -> Response:
        """This API as a page to read."""
        response = _conditional(context.request, PAGE, f"{HTML}; charset=utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @http("GET", FILE_PATH)
    def show_docs_file(self, request: Request, name: str) -> Response:
        return send(request, _file(name), REVALIDATE)


def _conditional(request: Request, body: bytes, content_type: str) -> Response:
    """The response, or 304 if the client has it already."""
    response = Response(body, content_type=content_type, headers=HEADERS)
    response.set_etag(sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response


@cache
def _rendered_document(service: type[EndpointGroup]) -> bytes:
    return orjson.dumps(document(all_endpoints(service)))


@cache
def _file(name: str) -> File:
    return load_file(name, (SWAGGER_UI / name).read_bytes())
