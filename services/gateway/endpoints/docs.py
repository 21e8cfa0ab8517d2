"""The doors, described: for programs as OpenAPI, for people as a page. Both are made once, when first asked for."""

from functools import cache
from hashlib import sha256

import orjson
from werkzeug.wrappers import Request, Response

from services.gateway.endpoints.endpoint import PLATES, Door, Visit, door
from services.gateway.endpoints.openapi import html_page
from services.gateway.endpoints.openapi.document import JSON, document

HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
HTML = "text/html"


class DocumentDoors(Door):
    @door("GET", "/api/v1/openapi.json", answers={200: JSON, 304: ""})
    def show_openapi(self, visit: Visit) -> Response:
        """This API as OpenAPI 3.1."""
        visit.asked()
        return _unless_known(visit.request, _json(), JSON)

    @door("GET", "/api/v1/docs", answers={200: HTML, 304: ""})
    def show_docs(self, visit: Visit) -> Response:
        """This API as a page to read."""
        visit.asked()
        response = _unless_known(visit.request, _page(), f"{HTML}; charset=utf-8")
        response.headers["Content-Security-Policy"] = html_page.POLICY
        return response


def _unless_known(request: Request, body: bytes, content_type: str) -> Response:
    response = Response(body, content_type=content_type, headers=HEADERS)
    response.set_etag(sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response


@cache
def _json() -> bytes:
    return orjson.dumps(document(PLATES))


@cache
def _page() -> bytes:
    return html_page.rendered(document(PLATES)).encode()
