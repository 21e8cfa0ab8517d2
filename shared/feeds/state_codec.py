"""Dataclasses and named tuples as JSON, read back strictly.

Only field names are written, without a leading underscore, never the names of classes or modules: these may be moved
and renamed. Objects of a `shared` class are written once, in a table beside the root's fields, and elsewhere as the
number of their row. So references between objects, circular ones too, are the same after loading.

A field that is missing, unknown or of another type makes the whole JSON unreadable. Unknown fields are not ignored:
what a newer release saved in them would be lost.
"""

from base64 import b64decode, b64encode
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

MICROSECOND = timedelta(microseconds=1)

T = TypeVar("T")
Objects = dict[str, list[Any]]
"""The objects of each table, by the number of their row."""


class UnreadableState(Exception):
    """The JSON is not what this release writes. The message names the field and the reason."""


class Codec(Generic[T]):
    """Write and read one record, the root, and all it refers to. `shared` maps each table to its class."""

    def __init__(self, root: type[T], **shared: type) -> None:
        self._shared = shared
        self._tables = {class_: name for name, class_ in shared.items()}
        self._rows = {name: self._fields_of(class_) for name, class_ in shared.items()}
        self._root, self._fields = root, self._fields_of(root)

    def dump(self, root: T) -> dict[str, Any]:
        writer = _Writer()
        tables: dict[str, list[Any]] = {name: [] for name in self._shared}
        encoded = _encoded(self._fields, root, writer)
        # A row may refer to new objects: the list grows during the loop.
        for name, object_ in writer.objects:
            tables[name].append(_encoded(self._rows[name], object_, writer))
        return {**tables, **encoded}

    def load(self, data: object) -> T:
        """Raises UnreadableState."""
        try:
            root = dict(_object_with({*self._shared, *(field.name for field in self._fields)}, data))
            objects = self._loaded({name: _expect(list, root.pop(name)) for name in self._shared})
            return self._root(**dict(_decoded(self._fields, root, objects)))
        except (ValueError, OverflowError) as error:
            raise UnreadableState(str(error)) from error

    def _loaded(self, tables: dict[str, list[Any]]) -> Objects:
        """Create all objects before filling the first, which may refer to the last."""
        objects: Objects = {}
        for name, rows in tables.items():
            objects[name] = [object.__new__(self._shared[name]) for _ in rows]
        for name, rows in tables.items():
            for object_, row in zip(objects[name], rows, strict=True):
                for attribute, value in _decoded(self._rows[name], row, objects):
                    setattr(object_, attribute, value)
        return objects

    def _fields_of(self, class_: Any) -> list["_Field"]:
        hints = get_type_hints(class_)
        names = [field.name for field in fields(class_)] if is_dataclass(class_) else class_._fields
        return [_Field(name.lstrip("_"), name, *self._kind(hints[name])) for name in names]

    def _kind(self, type_: Any) -> "_Kind":
        origin, of = get_origin(type_), get_args(type_)
        if type_ in _PLAIN:
            return _PLAIN[type_]
        if type_ in self._tables:
            return _reference(self._tables[type_])
        if origin in _CONTAINERS:
            return _CONTAINERS[origin](self._kind(of[-1]))
        if origin is UnionType:
            [inner] = set(of) - {NoneType}
            return _optional(self._kind(inner))
        return _record(type_, self._fields_of(type_))


class _Writer:
    """Number the shared objects in the order of their first use, from 0 in each table."""

    def __init__(self) -> None:
        self.objects: list[tuple[str, Any]] = []
        self._numbers: dict[int, int] = {}
        self._next: dict[str, int] = {}

    def number(self, table: str, object_: Any) -> int:
        if id(object_) not in self._numbers:
            self._numbers[id(object_)] = self._next.get(table, 0)
            self._next[table] = self._numbers[id(object_)] + 1
            self.objects.append((table, object_))
        return self._numbers[id(object_)]


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Encode = Callable[[Any, _Writer], Any]
Decode = Callable[[Any, Objects], Any]
"""Raises ValueError or OverflowError for a value of another type."""


class _Kind(NamedTuple):
    """How to write and read values of one type. Without `encode` they are JSON already."""

    encode: Encode | None
    decode: Decode


class _Field(NamedTuple):
    name: str
    attribute: str
    encode: Encode | None
    decode: Decode


def _encoded(parts: Iterable[_Field], record: Any, writer: _Writer) -> dict[str, Any]:
    return {
        name: encode(getattr(record, attribute), writer) if encode else getattr(record, attribute)
        for name, attribute, encode, _ in parts
    }


def _decoded(parts: list[_Field], data: Any, objects: Objects) -> Iterator[tuple[str, Any]]:
    """The attributes and their values."""
    record = _object_with({part.name for part in parts}, data)
    for part in parts:
        try:
            value = part.decode(record[part.name], objects)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{part.name}: {error}") from error
        yield part.attribute, value


def _object_with(names: set[str], data: Any) -> dict[str, Any]:
    record: dict[str, Any] = _expect(dict, data)
    if missing := sorted(names - record.keys()):
        raise ValueError(f"missing: {', '.join(missing)}")
    if unknown := sorted(record.keys() - names):
        raise ValueError(f"unknown: {', '.join(unknown)}")
    return record


def _expect(type_: type, value: Any) -> Any:
    """The value if it is exactly of this type: True is not an int."""
    if type(value) is not type_:
        raise ValueError(f"{type(value).__name__} instead of {type_.__name__}")
    return value


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plain(type_: type) -> _Kind:
    return _Kind(None, lambda value, _: _expect(type_, value))


def _as_text(encode: Callable[[Any], str], decode: Callable[[str], Any]) -> _Kind:
    return _Kind(lambda value, _: encode(value), lambda text, _: decode(_expect(str, text)))


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without its zone")
    return at


_PLAIN: dict[Any, _Kind] = {
    Any: _Kind(None, lambda value, _: value),
    **{type_: _plain(type_) for type_ in (str, int, bool)},
    None: _plain(NoneType),
    bytes: _as_text(lambda data: b64encode(data).decode(), lambda text: b64decode(text, validate=True)),
    datetime: _as_text(datetime.isoformat, _instant),
    timedelta: _Kind(
        lambda span, _: span // MICROSECOND,
        lambda microseconds, _: timedelta(microseconds=_expect(int, microseconds)),
    ),
}


def _reference(table: str) -> _Kind:
    def decode(number: Any, objects: Objects) -> Any:
        if 0 <= _expect(int, number) < len(objects[table]):
            return objects[table][number]
        raise ValueError(f"no row {number} in {table}")

    return _Kind(lambda object_, writer: writer.number(table, object_), decode)


def _record(class_: Any, parts: list[_Field]) -> _Kind:
    return _Kind(
        lambda record, writer: _encoded(parts, record, writer),
        lambda data, objects: class_(**dict(_decoded(parts, data, objects))),
    )


def _optional(of: _Kind) -> _Kind:
    encode, decode = of
    return _Kind(
        encode and (lambda value, writer: None if value is None else encode(value, writer)),
        lambda value, objects: None if value is None else decode(value, objects),
    )


def _sequence(of: _Kind, ordered: Callable[[Any], list[Any]], build: Callable[[Iterable[Any]], Any]) -> _Kind:
    encode, decode = of
    return _Kind(
        lambda values, writer: [encode(value, writer) if encode else value for value in ordered(values)],
        lambda values, objects: build([decode(value, objects) for value in _expect(list, values)]),
    )


def _mapping(of: _Kind) -> _Kind:
    """A mapping with string keys. JSON keeps their order."""
    encode, decode = of
    return _Kind(
        lambda values, writer: {key: encode(value, writer) if encode else value for key, value in values.items()},
        lambda values, objects: {key: decode(value, objects) for key, value in _expect(dict, values).items()},
    )


_CONTAINERS: dict[Any, Callable[[_Kind], _Kind]] = {
    list: lambda of: _sequence(of, list, list),
    deque: lambda of: _sequence(of, list, deque),
    set: lambda of: _sequence(of, sorted, set),
    dict: _mapping,
    # Only the keys: it serves as an ordered set.
    OrderedDict: lambda of: _sequence(_PLAIN[str], list, OrderedDict[str, None].fromkeys),
}
