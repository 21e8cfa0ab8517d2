"""`type` of a problem leads to a page about it, without credentials."""

import pytest
import requests

from shared.contracts.error_codes import ERROR_CODES
from shared.http.problem_types import PROBLEM_TYPES, url
from tests.service.gateway.factories import Gateway
from tests.support.problems import check_problem


def test_the_type_of_a_problem_is_a_page_with_its_codes(gateway: Gateway) -> None:
    problem = check_problem(gateway("GET", "/api/v1/me"), 401, "credentials_missing")
    page = gateway("GET", problem["type"])
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "credentials_missing" in page.text


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
def test_every_type_has_a_page_that_is_listed(gateway: Gateway, slug: str) -> None:
    page: requests.Response = gateway("GET", url(slug))
    assert (page.status_code, PROBLEM_TYPES[slug].title in page.text) == (200, True)
    assert all(code in page.text for code in PROBLEM_TYPES[slug].codes)
    assert f'href="{url(slug)}"' in gateway("GET", "/problems").text


def test_the_page_of_invalid_input_lists_the_codes_of_fields(gateway: Gateway) -> None:
    text = gateway("GET", url("invalid")).text
    assert all(code in text for code in ("comment_too_long", "duplicate_number", "not_a_choice"))
    assert "comment_too_long" in ERROR_CODES


def test_an_unknown_type_is_a_404(gateway: Gateway) -> None:
    check_problem(gateway("GET", "/problems/nothing"), 404, "not_found")
