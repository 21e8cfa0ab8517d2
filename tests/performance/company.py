"""Create a company in the gateway's database and generate reports of its calls."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from services.gateway.directory import repository
from shared.plumbing.database import Postgres
from tests.support.infrastructure import Stack
from tests.support.system import PASSWORD

TENANT, KEY = "bench", "bench-ingest-key-0123456789abcdef"
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
Json = dict[str, Any]


def create(db: Postgres) -> None:
    """Create an administrator, and the operators 101 to 120."""
    with db.connection() as conn:
        repository.ensure_tenant(conn, TENANT, "Вимірювання")
        repository.ensure_api_key(conn, TENANT, "ingest", "bench", KEY)
        repository.ensure_account(conn, TENANT, "admin", PASSWORD, "Адміністратор", "administrator")
        for line in range(101, 121):
            account = repository.ensure_account(conn, TENANT, f"op{line}", PASSWORD, f"Оператор {line}", "operator")
            repository.ensure_line(conn, account, str(line), SINCE)


def reports(calls: int, run: str, seed: int = 1) -> list[Json]:
    """About 4.7 reports per call, sorted by time; calls overlap, and all have ended."""
    chance = random.Random(seed)
    start = datetime.now(UTC) - timedelta(days=2)
    told: list[tuple[datetime, Json]] = []
    for number in range(calls):
        told += _call(f"{run}-{number}", start + timedelta(seconds=number * 0.5), chance)
    told.sort(key=lambda pair: pair[0])
    return [report for _, report in told]


def _call(call: str, at: datetime, chance: random.Random) -> list[tuple[datetime, Json]]:
    number, line = f"+38050{chance.randrange(10**7):07d}", str(chance.randrange(101, 121))
    inbound = chance.random() < 0.5
    ends = {"caller": number, "callee": "+380443303018"} if inbound else {"caller": line, "callee": number}
    party = line if inbound else number
    told = [("placed", 0.0, {"direction": "inbound" if inbound else "outbound", **ends})]
    told += [("connecting", 0.5, {"group": "sales"}), ("ringing", 2.0, {"party": party})]
    told += [("answered", 8.0, {"party": party})] if chance.random() < 0.7 else []
    told += [("ended", 40.0, {"by": "caller", "cause": 16})]
    return [
        (moment := at + timedelta(seconds=after), _report(call, type_, moment, data)) for type_, after, data in told
    ]


def _report(call: str, type_: str, at: datetime, data: Json) -> Json:
    identity = f"{call}-{type_}"
    return {"report_id": identity, "tenant": TENANT, "call": call, "type": type_, "at": at.isoformat(), "data": data}


def address(stack: Stack) -> str:
    return f"http://{stack.env('gateway')['WEB_ADDRESS']}/api/v1"


def send(session: requests.Session, stack: Stack, batch: list[Json]) -> None:
    answer = session.post(f"{address(stack)}/reports", json=batch, headers={"X-Api-Key": KEY}, timeout=30)
    answer.raise_for_status()


def sign_in(stack: Stack, login: str) -> dict[str, str]:
    answer = requests.post(f"{address(stack)}/sessions", json={"login": login, "password": PASSWORD}, timeout=10)
    answer.raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['token']}"}
