"""A detail record of FreeSWITCH as mod_json_cdr and mod_xml_cdr post it, or write it to a file.

Both modules send the body in several encodings: plain (`application/json`, `text/xml`), `cdr=` and URL-encoded,
`cdr=` and base64, `cdr=` and plain. With `disable-100-continue` they lose their Content-Type, so the encoding is
detected from the body.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from shared.feeds.asterisk.stream import decode_line

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_DIGITS = 18

_FIELD = b"cdr="
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+=*\s*")
_ARRAY, _SEPARATOR = "ARRAY::", "|:"


class InvalidRecord(ValueError):
    """The record is invalid. The message gives the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One pass of a channel through the dialplan, with the legs it called."""

    caller: dict[str, str]
    times: dict[str, str]
    originators: list[dict[str, str]]
    originatees: list[dict[str, str]]

    def at(self, name: str) -> datetime | None:
        """`at("bridged")`: an instant, or None if it did not happen."""
        return instant_of(self.times.get(f"{name}_time", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdr:
    """One leg. `profiles` are its passes through the dialplan, the last one first."""

    channel: dict[str, str]
    variables: dict[str, str]
    profiles: list[Profile]
    applications: list[tuple[str, str]] = field(default_factory=list)
    """The applications that were run: (name, data)."""

    def __getitem__(self, name: str) -> str:
        """A variable; "" if it is missing."""
        return self.variables.get(name, "")

    def at(self, name: str) -> datetime | None:
        """The instant of the variable `<name>_uepoch` (microseconds) or `<name>_epoch` (seconds)."""
        return instant_of(self[f"{name}_uepoch"]) or instant_of(self[f"{name}_epoch"], timedelta(seconds=1))

    def get_array(self, name: str) -> list[list[str]]:
        """`ARRAY::uuid;name;number|:uuid;name;number` as lists; a value without ARRAY:: is the only item."""
        text = self[name]
        items = text.removeprefix(_ARRAY).split(_SEPARATOR) if text.startswith(_ARRAY) else [text] if text else []
        return [item.split(";") for item in items]

    @property
    def uuid(self) -> str:
        return self["uuid"] or next((profile.caller.get("uuid", "") for profile in self.profiles), "")

    @property
    def first(self) -> dict[str, str]:
        """The caller profile of the first pass through the dialplan."""
        return self.profiles[-1].caller if self.profiles else {}


def read(body: bytes) -> Cdr:
    """Parse a record. Raises InvalidRecord."""
    text = decode_line(_decode_body(body)).strip().strip("\0").strip()
    if text.startswith("<"):
        cdr = _of_xml(text)
    elif text.startswith("{"):
        cdr = _of_json(text)
    else:
        raise InvalidRecord("It is neither JSON nor XML.")
    if not cdr.uuid:
        raise InvalidRecord("It has no uuid.")
    return cdr


def instant_of(digits: str, unit: timedelta = timedelta(microseconds=1)) -> datetime | None:
    """The instant so many units after 1970; None for 0, which means never, and for text that is not a number."""
    if not digits.isascii() or not digits.isdecimal() or len(digits) > MAX_DIGITS or not int(digits):
        return None
    try:
        return EPOCH + int(digits) * unit
    except OverflowError:
        return None


def _decode_body(body: bytes) -> bytes:
    body = body.strip().removeprefix(_FIELD)
    if body[:3].upper() in (b"%7B", b"%3C"):
        return unquote_to_bytes(body.replace(b"+", b" "))
    if body[:1] not in (b"{", b"<") and _BASE64.fullmatch(body):
        try:
            return base64.b64decode(body)
        except binascii.Error as error:
            raise InvalidRecord("Its base64 is truncated.") from error
    return body


# ── mod_json_cdr ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_json(text: str) -> Cdr:
    try:
        document = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise InvalidRecord(f"It is not JSON: {error}.") from error
    passes = document.get("callflow") or []
    applications = _object(document.get("app_log")).get("applications") or []
    return Cdr(
        channel=_texts(document.get("channel_data")),
        variables={name: _plain(value) for name, value in _texts(document.get("variables")).items()},
        profiles=[_profile_of_json(_object(flow)) for flow in (passes if isinstance(passes, list) else [passes])],
        applications=[(run.get("app_name", ""), run.get("app_data", "")) for run in map(_texts, _list(applications))],
    )


def _profile_of_json(flow: dict[str, Any]) -> Profile:
    caller = _object(flow.get("caller_profile"))
    return Profile(
        caller=_texts(caller),
        times=_texts(flow.get("times")),
        originators=_people(caller, "originator"),
        originatees=_people(caller, "originatee"),
    )


def _people(caller: dict[str, Any], name: str) -> list[dict[str, str]]:
    return [_texts(profile) for profile in _list(_object(caller.get(name)).get(f"{name}_caller_profiles"))]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> dict[str, str]:
    """The scalar values of an object, as text."""
    return {name: str(item) for name, item in _object(value).items() if isinstance(item, str | int | float)}


def _plain(value: str) -> str:
    """Decode a variable. The modules URL-encode variables by default."""
    return decode_line(unquote_to_bytes(value)) if _ENCODED.search(value) else value


# ── mod_xml_cdr ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_xml(text: str) -> Cdr:
    if "<!" in text:
        raise InvalidRecord("Its XML has a declaration (<!), which no exchange writes.")
    try:
        document = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InvalidRecord(f"It is not XML: {error}.") from error
    return Cdr(
        channel=_children(document.find("channel_data")),
        variables={name: _plain(value) for name, value in _children(document.find("variables")).items()},
        profiles=[_profile_of_xml(flow) for flow in document.findall("callflow")],
        applications=[
            (run.get("app_name", ""), _plain(run.get("app_data", "")))
            for run in document.findall("app_log/application")
        ],
    )


def _profile_of_xml(flow: ElementTree.Element) -> Profile:
    return Profile(
        caller=_children(flow.find("caller_profile")),
        times=_children(flow.find("times")),
        originators=list(map(_children, _profiles(flow, "originator"))),
        originatees=list(map(_children, _profiles(flow, "originatee"))),
    )


def _profiles(flow: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    yield from flow.findall(f"caller_profile/{name}/{name}_caller_profile")


def _children(element: ElementTree.Element | None) -> dict[str, str]:
    return {} if element is None else {child.tag: (child.text or "").strip() for child in element}
