"""A detail record of FreeSWITCH as mod_json_cdr and mod_xml_cdr post it, or leave it in a file.

Both modules send one body in many dresses: bare (`application/json`, `text/xml`), `cdr=` and URL-encoded, `cdr=` and
base64, `cdr=` and bare. With `disable-100-continue` they lose their Content-Type, so the body alone tells which it is.
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
MOST_DIGITS = 18

_FIELD = b"cdr="
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+=*\s*")
_ARRAY, _BETWEEN = "ARRAY::", "|:"


class NotUnderstood(ValueError):
    """The record cannot be understood; says what of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One pass of a channel through the dialplan, and whom it brought."""

    caller: dict[str, str]
    times: dict[str, str]
    originators: list[dict[str, str]]
    originatees: list[dict[str, str]]

    def at(self, name: str) -> datetime | None:
        """`at("bridged")`: an instant, or None for what did not happen."""
        return instant_of(self.times.get(f"{name}_time", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdr:
    """One leg. `profiles` are its passes through the dialplan, the last one first."""

    channel: dict[str, str]
    variables: dict[str, str]
    profiles: list[Profile]
    applications: list[tuple[str, str]] = field(default_factory=list)
    """What was run: (name, data)."""

    def __getitem__(self, name: str) -> str:
        """A variable; "" for one that is not there."""
        return self.variables.get(name, "")

    def at(self, name: str) -> datetime | None:
        """The instant that the variable `<name>_uepoch` tells to the microsecond, or `<name>_epoch` to the second."""
        return instant_of(self[f"{name}_uepoch"]) or instant_of(self[f"{name}_epoch"], timedelta(seconds=1))

    def many(self, name: str) -> list[list[str]]:
        """`ARRAY::uuid;name;number|:uuid;name;number` as lists; one without ARRAY:: is the only one."""
        text = self[name]
        items = text.removeprefix(_ARRAY).split(_BETWEEN) if text.startswith(_ARRAY) else [text] if text else []
        return [item.split(";") for item in items]

    @property
    def uuid(self) -> str:
        return self["uuid"] or next((profile.caller.get("uuid", "") for profile in self.profiles), "")

    @property
    def first(self) -> dict[str, str]:
        """Who called whom, before the dialplan sent the call on."""
        return self.profiles[-1].caller if self.profiles else {}


def read(body: bytes) -> Cdr:
    """Raises NotUnderstood."""
    text = decode_line(_undressed(body)).strip().strip("\0").strip()
    if text.startswith("<"):
        cdr = _of_xml(text)
    elif text.startswith("{"):
        cdr = _of_json(text)
    else:
        raise NotUnderstood("It is neither JSON nor XML.")
    if not cdr.uuid:
        raise NotUnderstood("It does not say which call it is of: there is no uuid.")
    return cdr


def instant_of(digits: str, unit: timedelta = timedelta(microseconds=1)) -> datetime | None:
    """The instant so many units after 1970; None for 0, which means never, and for what is no number."""
    if not digits.isascii() or not digits.isdecimal() or len(digits) > MOST_DIGITS or not int(digits):
        return None
    try:
        return EPOCH + int(digits) * unit
    except OverflowError:
        return None


def _undressed(body: bytes) -> bytes:
    body = body.strip().removeprefix(_FIELD)
    if body[:3].upper() in (b"%7B", b"%3C"):
        return unquote_to_bytes(body.replace(b"+", b" "))
    if body[:1] not in (b"{", b"<") and _BASE64.fullmatch(body):
        try:
            return base64.b64decode(body)
        except binascii.Error as error:
            raise NotUnderstood("Its base64 is broken off.") from error
    return body


# ── mod_json_cdr ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_json(text: str) -> Cdr:
    try:
        told = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"It is not JSON: {error}.") from error
    passes = told.get("callflow") or []
    applications = _object(told.get("app_log")).get("applications") or []
    return Cdr(
        channel=_texts(told.get("channel_data")),
        variables={name: _plain(value) for name, value in _texts(told.get("variables")).items()},
        profiles=[_profile_of_json(_object(one)) for one in (passes if isinstance(passes, list) else [passes])],
        applications=[(one.get("app_name", ""), one.get("app_data", "")) for one in map(_texts, _list(applications))],
    )


def _profile_of_json(one: dict[str, Any]) -> Profile:
    caller = _object(one.get("caller_profile"))
    return Profile(
        caller=_texts(caller),
        times=_texts(one.get("times")),
        originators=_people(caller, "originator"),
        originatees=_people(caller, "originatee"),
    )


def _people(caller: dict[str, Any], name: str) -> list[dict[str, str]]:
    return [_texts(one) for one in _list(_object(caller.get(name)).get(f"{name}_caller_profiles"))]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> dict[str, str]:
    """Of an object what is told plainly."""
    return {name: str(one) for name, one in _object(value).items() if isinstance(one, str | int | float)}


def _plain(value: str) -> str:
    """Variables are URL-encoded unless the module is told otherwise."""
    return decode_line(unquote_to_bytes(value)) if _ENCODED.search(value) else value


# ── mod_xml_cdr ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_xml(text: str) -> Cdr:
    if "<!" in text:
        raise NotUnderstood("Its XML declares things of its own, which no exchange does.")
    try:
        told = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise NotUnderstood(f"It is not XML: {error}.") from error
    return Cdr(
        channel=_children(told.find("channel_data")),
        variables={name: _plain(value) for name, value in _children(told.find("variables")).items()},
        profiles=[_profile_of_xml(one) for one in told.findall("callflow")],
        applications=[
            (one.get("app_name", ""), _plain(one.get("app_data", ""))) for one in told.findall("app_log/application")
        ],
    )


def _profile_of_xml(one: ElementTree.Element) -> Profile:
    return Profile(
        caller=_children(one.find("caller_profile")),
        times=_children(one.find("times")),
        originators=list(map(_children, _profiles(one, "originator"))),
        originatees=list(map(_children, _profiles(one, "originatee"))),
    )


def _profiles(one: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    yield from one.findall(f"caller_profile/{name}/{name}_caller_profile")


def _children(element: ElementTree.Element | None) -> dict[str, str]:
    return {} if element is None else {child.tag: (child.text or "").strip() for child in element}
