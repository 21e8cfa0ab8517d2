"""A day with a call of each of the thirteen statuses; Olha on line 101 takes part in most of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.contracts.wire import Json
from tests.support.system import System
from tests.system.test_journal import report

Step = tuple[int, str, Json]
TARIFF = "direction;prefix;per_minute\noutbound;;0.24\ninbound;;0\n"
IN = {"direction": "inbound", "caller": "0501112233", "callee": "0443303018"}
RINGING: Step = (2, "ringing", {"party": "101"})
HANGS_UP: Step = (20, "ended", {"by": "caller", "cause": 16})


def out(last_digits: str) -> Step:
    return (0, "placed", {"direction": "outbound", "caller": "101", "callee": f"06700000{last_digits}"})


def rings(last_digits: str) -> Step:
    return (3, "ringing", {"party": f"+3806700000{last_digits}"})


def answers(last_digits: str, after: int = 6) -> Step:
    return (after, "answered", {"party": f"+3806700000{last_digits}"})


def ends(by: str, cause: int | None, after: int = 20) -> Step:
    return (after, "ended", {"by": by, "cause": cause})


def placed(**data: str) -> Step:
    return (0, "placed", IN | data)


DAY: dict[str, list[Step]] = {
    "unreachable": [out("11"), ends("system", 20)],
    "declined": [out("12"), rings("12"), ends("callee", 21)],
    "no_answer": [out("13"), rings("13"), ends("system", 19)],
    "cancelled": [out("14"), rings("14"), ends("caller", 16)],
    "missed": [placed(caller="0670000015"), RINGING, HANGS_UP],
    "returned": [placed(caller="0670000016"), RINGING, HANGS_UP],
    "unknown_error": [out("17"), ends("unknown", 111)],
    "network_error": [out("18"), rings("18"), answers("18"), ends("system", 38, 26)],
    "no_channels": [out("19"), (1, "refused", {"reason": "no_channels"}), ends("system", 34)],
    "missed_offline": [placed(caller="0670000020"), (1, "offline", {"party": "101"}), HANGS_UP],
    "answered": [placed(), RINGING, (6, "answered", {"party": "101"}), (114, "ended", {"by": "callee", "cause": 16})],
    "ringing": [placed(caller="0670000022"), RINGING],
    "connecting": [placed(caller="0670000023"), (1, "connecting", {"group": "продаж"})],
}
CALL_BACK: list[Step] = [out("16"), rings("16"), answers("16"), ends("caller", 16, 36)]
CALL_OF_PETRO: list[Step] = [
    placed(caller="0670000030"),
    (2, "ringing", {"party": "102"}),
    (4, "answered", {"party": "102"}),
    ends("caller", 16),
]


def report_day(system: System) -> dict[str, str]:
    """Report the calls of the day. Return their ids by status once all are in the journal."""
    imported = {"name": "Базовий", "currency": "UAH"}
    made = system.send(
        "POST",
        "/tariffs/import",
        "lesia",
        params=imported,
        data=TARIFF.encode(),
        headers={"Content-Type": "text/csv"},
    )
    since = {"from": "2020-01-01T00:00:00Z"}
    assert system.send("POST", f"/tariffs/{made.json()['id']}/activate", "lesia", json=since).ok
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    told = {status: list(reports(*steps)) for status, steps in _timed(begins)}
    answer = system.report("acme", [one for of_call in told.values() for one in of_call])
    ids = answer.json()["calls"]
    calls = {status: ids[of_call[0]["call"]] for status, of_call in told.items()}
    for status, call_id in calls.items():
        system.entry(call_id, "admin", **({} if status in ("call_back", "of_petro") else {"status": status}))
    return calls


def _timed(begins: datetime) -> Iterator[tuple[str, tuple[datetime, list[Step]]]]:
    for minute, (status, steps) in enumerate(DAY.items()):
        yield status, (begins + timedelta(minutes=minute), steps)
    yield "call_back", (begins + timedelta(minutes=20), CALL_BACK)
    yield "of_petro", (begins + timedelta(minutes=21), CALL_OF_PETRO)


def reports(begins: datetime, steps: list[Step]) -> Iterator[Json]:
    call = str(uuid4())
    for seconds, type_, data in steps:
        yield report(call, type_, begins + timedelta(seconds=seconds), **data)
