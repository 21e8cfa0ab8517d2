"""From due to priced in the journal: many calls due at one instant, on one replica and on several.

What a call costs the replicas and the database is told apart: so many of each are needed for a speed that is wanted.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psycopg

from services.billing import handlers
from services.gateway.directory import repository
from shared.contracts.billing.events import Rounding
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from tests.integration.billing.company import RATES, TENANT
from tests.performance.figures import Figure
from tests.support.infrastructure import Broker, Service, Services, Stack, emptied, eventually

LIMIT, MAX_MIB = 800, 200.0
REPLICAS = (1, 2, 4)
SOON, FILLED_A_SECOND = timedelta(seconds=3), 10_000
BILLING = "services.billing.service:"
BACKENDS = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
FILL = """
    insert into calls (tenant, call_id, version, facts, placed_at, ended_at, received_at, due_at, pending,
                       correlation_id)
    select %(tenant)s, gen_random_uuid(), 4,
           jsonb_build_object('direction', 'outbound', 'caller', '101', 'line', null, 'forwarded', '[]'::jsonb,
                              'callee', '+38050' || lpad(n::text, 7, '0'), 'placed_at', placed_at,
                              'answered_at', placed_at, 'ended_at', due_at, 'talk_time', '61.500'),
           placed_at, due_at, due_at, due_at, true, ''
      from generate_series(1, %(calls)s::int) as n,
           (select %(due)s::timestamptz as due_at, %(due)s::timestamptz - interval '61.5 s' as placed_at) as at
"""


class Pipeline(NamedTuple):
    """Everything a price passes through from billing's database to the journal's."""

    stack: Stack
    services: Services
    billing: Postgres
    journal: Postgres
    relay: Service
    projector: Service

    def cpu_seconds(self, replicas: Sequence[Service]) -> Counter[str]:
        """CPU seconds by process."""
        processes = {"the replicas": replicas, "the relay": [self.relay], "the projector": [self.projector]}
        own = {name: sum(_cpu(one.process.pid) for one in some) for name, some in processes.items()}
        return Counter({**own, "billing's database": _backends(self.billing), "the journal's": _backends(self.journal)})


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    with emptied(stack, "gateway") as journal:
        with journal.connection() as conn:
            repository.ensure_tenant(conn, TENANT, TENANT)
        relay = services.start(f"{BILLING}BillingRelay", of="billing")
        projector = services.start("services.gateway.service:Projector", of="gateway")
        for count in REPLICAS:
            with emptied(stack, "billing") as billing:
                figures += _run(
                    Pipeline(stack, services, billing, journal, relay, projector), count, arguments.due // count
                )
        for service in (relay, projector):
            service.kill()
    return figures


def _run(pipeline: Pipeline, count: int, calls: int) -> list[Figure]:
    Broker(pipeline.stack.admin_uri).purge()
    _activate_tariff(pipeline.billing)
    replicas = [pipeline.services.start(f"{BILLING}BillingService", of="billing", ready=False) for _ in range(count)]
    for replica in replicas:
        replica.wait_until_ready()
    shown = _count(pipeline.journal, "journal_prices")
    due_at, used = _make_due(pipeline.stack, calls), pipeline.cpu_seconds(replicas)
    time.sleep(max(0.0, (due_at - clock.now()).total_seconds()))
    began = time.monotonic()
    eventually(lambda: _count(pipeline.billing, "charges") >= calls, seconds=600, every=0.2)
    priced = calls / (time.monotonic() - began)
    eventually(lambda: _count(pipeline.journal, "journal_prices") - shown >= calls, seconds=600, every=0.2)
    speed = calls / (time.monotonic() - began)
    took = {name: (seconds - used[name]) / calls * 1000 for name, seconds in pipeline.cpu_seconds(replicas).items()}
    with pipeline.billing.autocommit() as conn:
        row = conn.execute("select count(*), count(distinct stream) from events where stream like 'charge-%%'")
        assert row.fetchone() == (calls, calls), "a call was lost or priced twice"
    heaviest = max(map(_peak, replicas))
    for replica in replicas:
        replica.kill()
    about, single = f"{calls:,} calls due at one instant, {count} replica{'s' if count > 1 else ''}", count == 1
    return [
        Figure(
            f"{about}: due to journal row",
            f"{speed:,.0f} calls/s ({priced:,.0f} calls/s to billing's own row)",
            f"{LIMIT} calls/s" if single else "",
            speed >= LIMIT or not single,
        ),
        Figure(f"{about}: CPU time per call", _per_call(took)),
        Figure(f"{about}: largest replica", f"{heaviest:.0f} MiB", f"{MAX_MIB:.0f} MiB", heaviest <= MAX_MIB),
    ]


def _per_call(took: Mapping[str, float]) -> str:
    """CPU time per call and process; with enough replicas, the process with the most limits the speed."""
    return ", ".join(f"{milliseconds:.2f} ms {name}" for name, milliseconds in took.items())


def _activate_tariff(billing_db: Postgres) -> None:
    with billing_db.connection() as conn:
        tariff_id = uuid4()
        drafted = {"name": "bench", "currency": "UAH", "rounding": Rounding(), "drafted": RATES, "by": None}
        handlers.draft_tariff(conn, command_id=uuid4(), tenant=TENANT, tariff_id=tariff_id, **drafted)
        handlers.activate_tariff(conn, uuid4(), TENANT, tariff_id, clock.now() - timedelta(days=9), None)


def _make_due(stack: Stack, calls: int) -> datetime:
    """Insert calls that are all due at one instant soon; return the instant."""
    due_at = clock.now() + SOON + timedelta(seconds=calls / FILLED_A_SECOND)
    with psycopg.connect(stack.env("billing")["OWNER_DATABASE_URL"], autocommit=True) as owner:
        owner.execute(FILL, {"tenant": TENANT, "calls": calls, "due": due_at})
        owner.execute("analyze calls")
    return due_at


def _count(db: Postgres, table: str) -> int:
    with db.autocommit() as conn:
        row = conn.execute(f"select count(*) from {table}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row[0])


def _backends(db: Postgres) -> float:
    """CPU seconds used by the database backends of the services."""
    with db.autocommit() as conn:
        return sum(_cpu(pid) for (pid,) in conn.execute(BACKENDS))


def _cpu(pid: int) -> float:
    """CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(service: Service) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
