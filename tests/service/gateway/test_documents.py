"""The API's own description: for programs and for people, the same for everybody, known by its tag."""

import re
from html.parser import HTMLParser

from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.service.gateway.factories import Gateway
from tests.service.gateway.samples import DOCUMENT

OPENAPI, DOCS = "/api/v1/openapi.json", "/api/v1/docs"


class Page(HTMLParser):
    """What a page holds: its tags, its ids and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.ids, self.links, self.handlers = set[str](), set[str](), set[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids |= {value for name, value in attrs if name == "id"}
        self.links |= {value for name, value in attrs if name in ("href", "src")}
        self.handlers |= {name for name, _ in attrs if name.startswith("on") or name == "style"}


def test_the_document_is_openapi_3_1_and_what_the_doors_are_made_from(gateway: Gateway):
    answer = gateway("GET", OPENAPI)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    OpenAPIV31SpecValidator(answer.json()).validate()
    assert answer.json() == DOCUMENT


def test_who_knows_the_document_is_not_sent_it_again(gateway: Gateway):
    for path in (OPENAPI, DOCS):
        tag = gateway("GET", path).headers["ETag"]
        again = gateway("GET", path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert gateway("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_page_shows_every_door_schema_role_and_error(gateway: Gateway):
    answer = gateway("GET", DOCS)
    page = Page(answer.text)
    operations = [door for path in DOCUMENT["paths"].values() for door in path.values()]
    assert {door["operationId"] for door in operations} <= page.ids
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= page.ids
    assert {f"error-{code}" for door in operations for code in door["responses"] if code >= "4"} <= page.ids
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(gateway: Gateway):
    answer = gateway("GET", DOCS)
    page, policy = Page(answer.text), answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not page.tags & {"script", "link", "img", "iframe", "form", "base"}
    assert not page.handlers
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}
    assert not re.search(r"url\(|@import", answer.text)
