"""What the services say of their work names nobody: no number, no name, no password, no token, no key."""

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

import requests

from shared.contracts.calls.events import call_id
from tests.support.infrastructure import eventually
from tests.support.system import PASSWORD, System
from tests.system.people import KEYS, PEOPLE

NUMBERS = [f"+38067{number:07d}" for number in range(7_300_000, 7_300_006)]
WRONG, NAME, TEXT = "пароль-навмання", "Катерина Власова", "Власов"
JOURNAL = {"q": TEXT, "party": NUMBERS[0]}


def report(number: str, type_: str, call: str, **data: Any) -> dict[str, Any]:
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    whole = {"report_id": str(uuid4()), "tenant": "acme", "call": call, "type": type_, "at": at}
    placed = {"direction": "inbound", "caller": number, "callee": "+380443303018"}
    return {**whole, "data": placed if type_ == "placed" else data}


def lines(system: System, process: str) -> list[dict[str, Any]]:
    """What a process has said, letters instead of the escapes of JSON; what is not JSON too."""
    return [
        json.loads(line) if line.startswith("{") else {"message": line} for line in system.processes[process].lines()
    ]


def told(system: System) -> str:
    return "\n".join(str(line) for process in system.processes for line in lines(system, process))


def test_logs_name_nobody(system: System):
    tokens = [system.sign_in(login).json()["token"] for login in ("admin", "olha")]
    admin = {"Authorization": f"Bearer {tokens[0]}"}
    for number in NUMBERS:
        call = f"log-{number}"
        placed = report(number, "placed", call)
        system.report("acme", [placed, report(number, "answered", call, party="101")]).raise_for_status()
        system.entry(str(call_id("acme", call)), "admin", phase="talking")
        # The same report with another content is parked, and a report that says nothing is refused.
        system.report("acme", [{**placed, "data": {**placed["data"], "callee": number}}]).raise_for_status()
        assert system.report("acme", [report(number, "ringing", call, party="x" * 9000, to=number)]).status_code == 422
        assert system.sign_in(number, WRONG).status_code == 401
        assert requests.get(f"{system.url}/journal", params=JOURNAL, headers=admin, timeout=10).status_code == 200
        requests.get(f"{system.url}/journal", params={"party": number, "cursor": number}, headers=admin, timeout=10)
        assert requests.get(f"{system.url}/calls/{number}", headers=admin, timeout=10).status_code == 404
    forged = tokens[1][:-4] + "AAAA"
    assert (
        requests.get(f"{system.url}/me", headers={"Authorization": f"Bearer {forged}"}, timeout=10).status_code == 401
    )
    assert requests.get(f"{system.url}/me", headers={"X-Api-Key": KEYS["acme"]}, timeout=10).status_code == 403
    eventually(lambda: told(system).count("message dead-lettered") >= len(NUMBERS))

    said = told(system)
    secrets = [PASSWORD, WRONG, *KEYS.values(), forged, *tokens]
    secrets += [part for token in tokens for part in token.split(".")[1:]]
    for nobodys in [*secrets, *NUMBERS, *(number.lstrip("+38") for number in NUMBERS), NAME, TEXT, *PEOPLE["olha"][:1]]:
        assert nobodys not in said
    assert "denied" in said


def test_who_was_denied_is_told_by_id(system: System):
    me = system.get("/me", "petro").json()["account"]
    assert system.get("/journal", "petro", account=str(uuid4())).status_code == 403

    def told_of() -> list[dict[str, Any]]:
        said = (line for line in lines(system, "gateway") if line["message"] == "denied")
        return [line for line in said if (line["who"], line["endpoint"]) == (me["id"], "show_journal")]

    denied = eventually(told_of)[-1]
    assert denied["status"] == 403
    assert ip_address(denied["address"])
    assert "petro" not in str(denied)
