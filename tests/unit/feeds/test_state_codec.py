"""What is saved as JSON is read back as it was, or not at all."""

import json
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from shared.feeds.state_codec import Codec, UnreadableState

AT = datetime(2026, 11, 22, 19, 10, 0, 1, tzinfo=UTC)


class Pair(NamedTuple):
    at: datetime
    node: "Node"


@dataclass(slots=True, eq=False)
class Node:
    name: str
    next: "Node | None" = None
    pair: Pair | None = None
    _private: int = 0


@dataclass
class Root:
    nodes: dict[str, Node] = field(default_factory=dict)
    queue: deque[Pair] = field(default_factory=deque)
    names: set[str] = field(default_factory=set)
    order: OrderedDict[str, None] = field(default_factory=OrderedDict)
    numbers: list[int] = field(default_factory=list)
    span: timedelta | None = None
    raw: bytes = b""
    sure: bool = False
    free: dict[str, Any] = field(default_factory=dict)


CODEC = Codec(Root, rows=Node)


def saved(root: Root) -> Any:
    return json.loads(json.dumps(CODEC.dump(root)))


def with_a_circle() -> Root:
    first, second = Node("first"), Node("second")
    first.next, second.next, second.pair = second, first, Pair(AT, second)
    return Root(nodes={"b": second, "a": first}, queue=deque([Pair(AT, first)]))


def test_objects_that_refer_to_each_other_do_so_after_loading():
    root = CODEC.load(saved(with_a_circle()))
    second, first = root.nodes.values()
    assert first.next is second
    assert second.next is first
    assert second.pair
    assert second.pair.node is second
    assert (list(root.nodes), root.queue[0].node is first, root.queue[0].at) == (["b", "a"], True, AT)


def test_values_of_each_type_are_read_back_as_they_were():
    root = Root(
        names={"b", "a"},
        order=OrderedDict.fromkeys(["z", "a"]),
        numbers=[3, -1],
        span=-timedelta(days=1, microseconds=7),
        raw=b"\x00\xff half a \xd0",
        sure=True,
        free={"any": [1, {"thing": None}]},
    )
    loaded = CODEC.load(saved(root))
    assert loaded == root
    assert (type(loaded.queue), type(loaded.order), repr(loaded.span)) == (deque, OrderedDict, repr(root.span))


def test_only_the_names_of_fields_are_written():
    assert saved(Root(nodes={"a": Node("x", _private=1)})) == {
        "rows": [{"name": "x", "next": None, "pair": None, "private": 1}],
        "nodes": {"a": 0},
        "queue": [],
        "names": [],
        "order": [],
        "numbers": [],
        "span": None,
        "raw": "",
        "sure": False,
        "free": {},
    }


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"numbers": [True]}, "numbers: bool instead of int"),
        ({"numbers": "12"}, "numbers: str instead of list"),
        ({"sure": 1}, "sure: int instead of bool"),
        ({"span": 1.5}, "span: float instead of int"),
        ({"span": 10**30}, "span: "),
        ({"names": [None]}, "names: NoneType instead of str"),
        ({"raw": "no base64"}, "raw: "),
        ({"nodes": {"a": 2}}, "nodes: no row 2 in rows"),
        ({"nodes": {"a": -1}}, "nodes: no row -1 in rows"),
        ({"nodes": []}, "nodes: list instead of dict"),
        ({"queue": [{"at": "2026-11-22T19:10:00", "node": 0}]}, "queue: at: an instant without its zone"),
        ({"queue": [{"at": "yesterday", "node": 0}]}, "queue: at: Invalid isoformat"),
        ({"queue": [{"at": AT.isoformat()}]}, "queue: missing: node"),
        ({"rows": [{"name": "x", "next": None, "pair": None}]}, "missing: private"),
        ({"rows": {}}, "dict instead of list"),
        ({"new": 1, "newer": 2}, "unknown: new, newer"),
    ],
)
def test_json_that_this_release_does_not_write_is_unreadable(change: dict[str, Any], error: str):
    with pytest.raises(UnreadableState, match=f"^{error}"):
        CODEC.load(saved(with_a_circle()) | change)


@pytest.mark.parametrize("data", [None, [], "", 1, {}])
def test_what_is_no_record_is_unreadable(data: object):
    with pytest.raises(UnreadableState):
        CODEC.load(data)
