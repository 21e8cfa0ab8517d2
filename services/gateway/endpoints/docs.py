"""The doors, described: for programs as OpenAPI, for people as a page. Both are made once, when first asked for."""

from functools import cache
from hashlib import sha256

import orjson
from werkzeug.wrappers import Request, Response

from services.gateway.endpoints.endpoint import ENDPOINTS, EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.openapi import html_page
from services.gateway.endpoints.openapi.document import JSON, document

HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
HTML = "text/html"


class DocumentEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/openapi.json", answers={200: JSON, 304: ""})
    def show_openapi(self, context: RequestContext) -> Response:
        """This API as OpenAPI 3.1."""
        context.query()
        return _unless_known(context.request, _json(), JSON)

    @endpoint("GET", "/api/v1/docs", answers={200: HTML, 304: ""})
    def show_docs(self, context: RequestContext) -> Response:
        """This API as a page to read."""
        context.query()
        response = _unless_known(context.request, _page(), f"{HTML}; charset=utf-8")
        response.headers["Content-Security-Policy"] = html_page.POLICY
        return response


def _unless_known(request: Request, body: bytes, content_type: str) -> Response:
    response = Response(body, content_type=content_type, headers=HEADERS)
    response.set_etag(sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response


@cache
def _json() -> bytes:
    return orjson.dumps(document(ENDPOINTS))


@cache
def _page() -> bytes:
    return html_page.rendered(document(ENDPOINTS)).encode()
