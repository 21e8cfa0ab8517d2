"""Records as FreeSWITCH writes them: JSON and XML of the same leg, and the dresses in which they are posted."""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

BEGAN = datetime(2026, 11, 22, 10, tzinfo=UTC)
A, B, C = (f"{letter * 8}-c133-4959-9e24-e72875cb33a1" for letter in "abc")
TENANT = "oselia"
CAUSES = {
    "NORMAL_CLEARING": 16, "USER_BUSY": 17, "NO_ANSWER": 19, "CALL_REJECTED": 21, "ORIGINATOR_CANCEL": 487,
    "USER_NOT_REGISTERED": 606, "NORMAL_CIRCUIT_CONGESTION": 34, "NO_USER_RESPONSE": 18, "ALLOTTED_TIMEOUT": 602,
    "RECOVERY_ON_TIMER_EXPIRE": 102, "LOSE_RACE": 502, "UNALLOCATED_NUMBER": 1, "MEDIA_TIMEOUT": 604,
}  # fmt: skip


def micro(after: float | None) -> str:
    """So many seconds after the call began, in microseconds; 0 is never."""
    return "0" if after is None else str(round((BEGAN.timestamp() + after) * 1_000_000))


def profile(caller: str, callee: str, uuid: str, **more: str) -> dict[str, Any]:
    made = {"username": caller, "dialplan": "XML", "caller_id_name": caller, "ani": caller, "aniii": ""}
    made |= {"caller_id_number": caller, "network_addr": "10.10.10.100", "rdnis": "", "destination_number": callee}
    made |= {"uuid": uuid, "source": "mod_sofia", "context": "default"}
    return made | {"chan_name": f"sofia/internal/{caller}@pbx"} | more


def times(rang=None, bridged=None, answered=None, ended=None, created=0.0) -> dict[str, str]:
    told = {"created": created, "profile_created": created, "progress": rang, "progress_media": bridged}
    told |= {"answered": answered if answered is not None else bridged, "bridged": bridged, "last_hold": None}
    return {f"{name}_time": micro(at) for name, at in (told | {"hangup": ended, "transfer": None}).items()}


def leg(
    own: dict[str, Any],
    cause: str = "NORMAL_CLEARING",
    ended: float = 20.0,
    *,
    rang: float | None = 1.5,
    bridged: float | None = 5.0,
    answered: float | None = None,
    by: str = "recv_bye",
    direction: str = "inbound",
    called: Iterable[dict[str, Any]] = (),
    caller: dict[str, Any] | None = None,
    applications: Iterable[tuple[str, str]] = (),
    **variables: str,
) -> dict[str, Any]:
    """One leg, as `switch_ivr_generate_json_cdr` makes it; `called` are whom it called, `caller` who called it."""
    applications, called = list(applications), list(called)
    answered = answered if answered is not None else bridged
    stamps = {"start": 0.0, "profile_start": 0.0, "answer": answered, "bridge": bridged, "progress": rang, "end": ended}
    told: dict[str, str] = {"direction": direction, "uuid": own["uuid"], "session_id": "7", "call_uuid": A}
    for name, at in stamps.items():
        told |= {f"{name}_uepoch": micro(at), f"{name}_epoch": str(int(micro(at)) // 1_000_000)}
    told |= {"hangup_cause": cause, "hangup_cause_q850": str(CAUSES[cause]), "sip_hangup_disposition": by}
    if applications:
        told |= {"last_app": applications[-1][0], "last_arg": applications[-1][1]}
    own = own | ({"originatee": {"originatee_caller_profiles": [*called, *called]}} if called else {})
    own = own | ({"originator": {"originator_caller_profiles": [caller]}} if caller else {})
    ran = [{"app_name": name, "app_data": data, "app_stamp": micro(0.1)} for name, data in applications]
    passed = {
        "dialplan": "XML",
        "profile_index": "1",
        "extension": {"name": "Local", "number": "1", "applications": ran},
    }
    return {
        "core-uuid": "eb8bcdd2-d9eb-4f8f-80c3-1a4042aabe31",
        "switchname": "pbx",
        "channel_data": {"state": "CS_REPORTING", "direction": direction, "state_number": "11", "caps": "1=1"},
        "callStats": {"audio": {"inbound": {"raw_bytes": 572588, "mos": 4.5}}},
        "variables": told | variables,
        "app_log": {"applications": ran},
        "callflow": [{**passed, "caller_profile": own, "times": times(rang, bridged, answered, ended)}],
    }


def json_of(record: dict[str, Any], encode_values: bool = True) -> bytes:
    """By default the module URL-encodes the values of variables."""
    variables = {k: quote(v, safe="") if encode_values else v for k, v in record["variables"].items()}
    return json.dumps(record | {"variables": variables}, ensure_ascii=False).encode()


def xml_of(record: dict[str, Any]) -> bytes:
    cdr = ElementTree.Element("cdr", {"core-uuid": record["core-uuid"]})
    grow(cdr, "channel_data", record["channel_data"])
    grow(cdr, "variables", {name: quote(value, safe="") for name, value in record["variables"].items()})
    ran = ElementTree.SubElement(cdr, "app_log")
    for one in record["app_log"]["applications"]:
        ElementTree.SubElement(ran, "application", one)
    for passed in record["callflow"]:
        flow = ElementTree.SubElement(cdr, "callflow", {"dialplan": "XML", "profile_index": "1"})
        caller = dict(passed["caller_profile"])
        others = {name: caller.pop(name, None) for name in ("originator", "originatee")}
        grown = grow(flow, "caller_profile", caller)
        for name, people in others.items():
            if people:
                around = ElementTree.SubElement(grown, name)
                for one in people[f"{name}_caller_profiles"]:
                    grow(around, f"{name}_caller_profile", one)
        grow(flow, "times", passed["times"])
    return b'<?xml version="1.0"?>\n' + ElementTree.tostring(cdr)


def grow(parent: ElementTree.Element, name: str, fields: dict[str, str]) -> ElementTree.Element:
    grown = ElementTree.SubElement(parent, name)
    for key, value in fields.items():
        ElementTree.SubElement(grown, key).text = value
    return grown


def dressed(body: bytes) -> dict[str, bytes]:
    """The same body as each setting of the modules sends it, by Content-Type."""
    return {
        "application/json": body,
        "text/xml": body,
        "application/x-www-form-plaintext": b"cdr=" + body,
        "application/x-www-form-urlencoded": b"cdr=" + quote(body, safe="").encode(),
        "application/x-www-form-base64-encoded": b"cdr=" + base64.b64encode(body + b"\0"),
    }
