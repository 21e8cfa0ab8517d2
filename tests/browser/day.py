"""A day with a call of each of the thirteen statuses; Olha on line 101 takes part in most of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.contracts.wire import Json
from tests.support.system import System
from tests.system.test_journal import report

Step = tuple[int, str, Json]
TARIFF = "direction;prefix;per_minute\noutbound;;0.24\ninbound;;0\n"
INBOUND = {"direction": "inbound", "caller": "0501112233", "callee": "0443303018"}
RINGING: Step = (2, "ringing", {"party": "101"})
ENDED: Step = (20, "ended", {"by": "caller", "cause": 16})


def outbound(last_digits: str) -> Step:
    return (0, "placed", {"direction": "outbound", "caller": "101", "callee": f"06700000{last_digits}"})


def ringing(last_digits: str) -> Step:
    return (3, "ringing", {"party": f"+3806700000{last_digits}"})


def answered(last_digits: str, after: int = 6) -> Step:
    return (after, "answered", {"party": f"+3806700000{last_digits}"})


def ended(by: str, cause: int | None, after: int = 20) -> Step:
    return (after, "ended", {"by": by, "cause": cause})


def inbound(**data: str) -> Step:
    return (0, "placed", INBOUND | data)


DAY: dict[str, list[Step]] = {
    "unreachable": [outbound("11"), ended("system", 20)],
    "declined": [outbound("12"), ringing("12"), ended("callee", 21)],
    "no_answer": [outbound("13"), ringing("13"), ended("system", 19)],
    "cancelled": [outbound("14"), ringing("14"), ended("caller", 16)],
    "missed": [inbound(caller="0670000015"), RINGING, ENDED],
    "returned": [inbound(caller="0670000016"), RINGING, ENDED],
    "unknown_error": [outbound("17"), ended("unknown", 111)],
    "network_error": [outbound("18"), ringing("18"), answered("18"), ended("system", 38, 26)],
    "no_channels": [outbound("19"), (1, "refused", {"reason": "no_channels"}), ended("system", 34)],
    "missed_offline": [inbound(caller="0670000020"), (1, "offline", {"party": "101"}), ENDED],
    "answered": [inbound(), RINGING, (6, "answered", {"party": "101"}), (114, "ended", {"by": "callee", "cause": 16})],
    "ringing": [inbound(caller="0670000022"), RINGING],
    "connecting": [inbound(caller="0670000023"), (1, "connecting", {"group": "продаж"})],
}
CALL_BACK: list[Step] = [outbound("16"), ringing("16"), answered("16"), ended("caller", 16, 36)]
CALL_OF_PETRO: list[Step] = [
    inbound(caller="0670000030"),
    (2, "ringing", {"party": "102"}),
    (4, "answered", {"party": "102"}),
    ended("caller", 16),
]


def report_day(system: System) -> dict[str, str]:
    """Report the calls of the day. Return their ids by status once all are in the journal."""
    tariff = {"name": "Базовий", "currency": "UAH"}
    imported = system.send(
        "POST",
        "/tariffs/import",
        "lesia",
        params=tariff,
        data=TARIFF.encode(),
        headers={"Content-Type": "text/csv"},
    )
    validity = {"from": "2020-01-01T00:00:00Z"}
    assert system.send("POST", f"/tariffs/{imported.json()['id']}/activate", "lesia", json=validity).ok
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    reports_by_status = {status: list(_reports(*steps)) for status, steps in _calls_with_times(begin)}
    response = system.report("acme", [item for call in reports_by_status.values() for item in call])
    ids = response.json()["calls"]
    calls = {status: ids[call[0]["call"]] for status, call in reports_by_status.items()}
    for status, call_id in calls.items():
        system.entry(call_id, "admin", **({} if status in ("call_back", "of_petro") else {"status": status}))
    return calls


def _calls_with_times(begin: datetime) -> Iterator[tuple[str, tuple[datetime, list[Step]]]]:
    for minute, (status, steps) in enumerate(DAY.items()):
        yield status, (begin + timedelta(minutes=minute), steps)
    yield "call_back", (begin + timedelta(minutes=20), CALL_BACK)
    yield "of_petro", (begin + timedelta(minutes=21), CALL_OF_PETRO)


def _reports(begin: datetime, steps: list[Step]) -> Iterator[Json]:
    call = str(uuid4())
    for seconds, type_, data in steps:
        yield report(call, type_, begin + timedelta(seconds=seconds), **data)
