"""The page's files: small, kept by browsers until they change, and unable to run what is not ours."""

import re

import pytest

from services.gateway.endpoints import static_files
from tests.service.gateway.factories import Gateway

PLACES = ["", "journal?status=missed", "legend", "contacts", "accounts"]
PLACES += ["tariffs", "rerating", "charges", "report", "settings", "keys"]
MAX_PAGE_BYTES = 150_000
"""Limit for all files together, compressed."""
FILES = sorted(set(static_files._paths()) - {static_files.INDEX})


def assets(gateway: Gateway) -> list[str]:
    return sorted(set(re.findall(r'"(/assets/[^"]+)"', gateway("GET", "/").text)))


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_the_page_and_runs_only_what_is_ours(gateway: Gateway, place):
    answer = gateway("GET", f"/{place}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; img-src 'self' data:;")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", answer.text) is None


def test_all_the_page_has_is_small(gateway: Gateway):
    release = "/".join(assets(gateway)[0].split("/")[:3])
    paths = ["/", *(f"{release}/{name}" for name in FILES)]
    sent = [gateway("GET", path, headers={"Accept-Encoding": "gzip"}, stream=True) for path in paths]
    assert {answer.headers["Content-Encoding"] for answer in sent} == {"gzip"}
    assert sum(len(answer.raw.read()) for answer in sent) < MAX_PAGE_BYTES


def test_what_the_page_loads_is_kept_and_the_page_itself_is_asked_for_again(gateway: Gateway):
    release = "/".join(assets(gateway)[0].split("/")[:3])
    for name in FILES:
        assert "immutable" in gateway("GET", f"{release}/{name}").headers["Cache-Control"]
    page = gateway("GET", "/")
    assert page.headers["Cache-Control"] == "no-cache"
    again = gateway("GET", "/", headers={"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_of_another_release_is_sent_but_not_kept(gateway: Gateway):
    answer = gateway("GET", "/assets/0123456789abcdef/main.js")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


def test_every_module_that_the_page_imports_at_start_is_preloaded(gateway: Gateway):
    preloaded = {path.split("/", 3)[3] for path in assets(gateway) if path.endswith(".js")}
    assert {"main.js", "api.js", "lib/i18n.js", "views/journal.js"} <= preloaded
    assert "views/settings.js" not in preloaded
    for path in assets(gateway):
        assert gateway("GET", path).status_code == 200


@pytest.mark.parametrize("name", ["index.html", "missing.js", "..%2Fdocs.html", "%2e%2e/docs.css"])
def test_nothing_else_is_sent(gateway: Gateway, name):
    assert gateway("GET", f"/assets/0123456789abcdef/{name}").status_code == 404


def test_a_browser_that_takes_no_gzip_gets_the_file_as_it_is(gateway: Gateway):
    answer = gateway("GET", "/assets/x/page.css", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert answer.content == (static_files.FOLDER / "page.css").read_bytes()
