"""The OpenAPI document and the page that displays it."""

import re
from html.parser import HTMLParser

from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.service.gateway.factories import Gateway
from tests.service.gateway.samples import DOCUMENT

OPENAPI, DOCS = "/api/v1/openapi.json", "/api/v1/docs"


class Page(HTMLParser):
    """The tags, ids, links and inline handlers of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.ids, self.links, self.handlers = set[str](), set[str](), set[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids |= {value for name, value in attrs if name == "id"}
        self.links |= {value for name, value in attrs if name in ("href", "src")}
        self.handlers |= {name for name, _ in attrs if name.startswith("on") or name == "style"}


def test_the_document_is_valid_openapi_3_1_generated_from_the_endpoints(gateway: Gateway):
    answer = gateway("GET", OPENAPI)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    OpenAPIV31SpecValidator(answer.json()).validate()
    assert answer.json() == DOCUMENT


def test_a_known_etag_is_answered_with_304(gateway: Gateway):
    for path in (OPENAPI, DOCS):
        tag = gateway("GET", path).headers["ETag"]
        again = gateway("GET", path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert gateway("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_page_loads_its_own_files_only(gateway: Gateway):
    page = Page(gateway("GET", DOCS).text)
    assert "swagger-ui" in page.ids
    assert page.links == {f"{DOCS}/swagger-ui.css", f"{DOCS}/swagger-ui-bundle.js", f"{DOCS}/start.js"}
    for link in page.links:
        response = gateway("GET", link)
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith(("text/css", "text/javascript"))
    assert gateway("GET", f"{DOCS}/LICENSE").status_code == 404


def test_the_page_has_a_strict_policy_and_nothing_inline(gateway: Gateway):
    response = gateway("GET", DOCS)
    page, policy = Page(response.text), response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert not page.tags & {"style", "img", "iframe", "form", "base"}
    assert not page.handlers
    assert re.findall(r"<script[^>]*>(.*?)</script>", response.text) == [""] * 2
