"""JSON that clients send: read whole, or refused with what is wrong with it."""

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from shared.http.entrypoint import DEEPEST, Problem, body_of


def sent(body: bytes, content_type: str = "application/json") -> Request:
    return Request(EnvironBuilder(method="POST", data=body, content_type=content_type).get_environ())


def lists(deep: int) -> bytes:
    return b"[" * deep + b"]" * deep


def objects(deep: int) -> bytes:
    return b'{"a": [1, ' * (deep // 2) + b"{}" * (deep % 2) + b"0" * (1 - deep % 2) + b"]}" * (deep // 2)


@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("deep", [DEEPEST - 1, DEEPEST])
def test_what_is_nested_as_deep_as_may_be_is_read(nested, deep):
    assert body_of(sent(nested(deep)))


@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("deep", [DEEPEST + 1, DEEPEST + 2, 10_000])
def test_what_is_nested_deeper_is_refused(nested, deep):
    with pytest.raises(Problem) as refused:
        body_of(sent(nested(deep)))
    assert refused.value.status == 400


def test_a_long_list_is_not_deep():
    assert len(body_of(sent(b"[" + b"[1]," * 9999 + b"{}]"))) == 10_000


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1] 2"])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(Problem) as refused:
        body_of(sent(body))
    assert refused.value.status == 400


def test_another_content_is_refused():
    with pytest.raises(Problem) as refused:
        body_of(sent(b"{}", "text/plain"))
    assert refused.value.status == 415
