"""From due to priced in the journal: many calls due at one instant, on one replica and on several.

What a call costs the replicas and the database is told apart: so many of each are needed for a speed that is wanted.
"""

import argparse
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg

from services.billing import handlers
from services.gateway import directory
from shared.contracts.billing.events import Rounding
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from shared.testing.infrastructure import Broker, Service, Services, Stack, emptied, eventually
from tests.integration.billing.company import RATES, TENANT
from tests.performance.figures import Figure

BAR, HEAVIEST = 800, 200.0
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


def measure(stack: Stack, services: Services, asked: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    with emptied(stack, "gateway") as gateway_db:
        with gateway_db.connection() as conn:
            directory.ensure_tenant(conn, TENANT, TENANT)
        background = [services.start(f"{BILLING}BillingRelay", of="billing")]
        background.append(services.start("services.gateway.service:Projector", of="gateway"))
        for count in REPLICAS:
            with emptied(stack, "billing") as billing_db:
                figures += _run(stack, services, billing_db, gateway_db, count, asked.due // count)
        for service in background:
            service.kill()
    return figures


def _run(
    stack: Stack, services: Services, billing_db: Postgres, gateway_db: Postgres, count: int, calls: int
) -> list[Figure]:
    Broker(stack.admin_uri).purge()
    _activate_tariff(billing_db)
    replicas = [services.start(f"{BILLING}BillingService", of="billing", ready=False) for _ in range(count)]
    for replica in replicas:
        replica.wait_until_ready()
    shown, idle, others = _count(gateway_db, "journal_prices"), sum(map(_cpu, replicas)), _backends(billing_db)
    due_at = _make_due(stack, calls)
    time.sleep(max(0.0, (due_at - clock.now()).total_seconds()))
    began = time.monotonic()
    eventually(lambda: _count(gateway_db, "journal_prices") - shown >= calls, seconds=600, every=0.2)
    speed = calls / (time.monotonic() - began)
    with billing_db.reading() as conn:
        row = conn.execute("select count(*), count(distinct stream) from events where stream like 'charge-%%'")
        assert row.fetchone() == (calls, calls), "a call was lost or priced twice"
    own = (sum(map(_cpu, replicas)) - idle) / calls * 1000
    used = _backends(billing_db)
    database = sum(used[pid] - others.get(pid, 0.0) for pid in used) / calls * 1000
    heaviest = max(map(_peak, replicas))
    for replica in replicas:
        replica.kill()
    about = f"{calls:,} calls due at one instant, {count} replica{'s' if count > 1 else ''}"
    single = count == 1
    figures = [
        Figure(
            f"{about}: due to journal row",
            f"{speed:,.0f} calls/s, a call takes {own:.2f} ms of the replicas, {database:.2f} ms of the database",
            f"{BAR} calls/s" if single else "",
            speed >= BAR or not single,
        ),
        Figure(f"{about}: heaviest replica", f"{heaviest:.0f} MiB", f"{HEAVIEST:.0f} MiB", heaviest <= HEAVIEST),
    ]
    if single:
        foretold = f"{1000 / own:,.0f} calls/s each, until the database does {1000 / database:,.0f} per core of its"
        figures.append(Figure("foretold of replicas that have a core each", foretold))
    return figures


def _activate_tariff(billing_db: Postgres) -> None:
    with billing_db.connection() as conn:
        tariff_id = uuid4()
        drafted = {"name": "bench", "currency": "UAH", "rounding": Rounding(), "drafted": RATES, "by": None}
        handlers.draft_tariff(conn, command_id=uuid4(), tenant=TENANT, tariff_id=tariff_id, **drafted)
        handlers.activate_tariff(conn, uuid4(), TENANT, tariff_id, clock.now() - timedelta(days=9), None)


def _make_due(stack: Stack, calls: int) -> datetime:
    """The instant, soon, at which all of them are due."""
    due_at = clock.now() + SOON + timedelta(seconds=calls / FILLED_A_SECOND)
    with psycopg.connect(stack.env("billing")["OWNER_DATABASE_URL"], autocommit=True) as owner:
        owner.execute(FILL, {"tenant": TENANT, "calls": calls, "due": due_at})
        owner.execute("analyze calls")
    return due_at


def _count(db: Postgres, table: str) -> int:
    with db.reading() as conn:
        row = conn.execute(f"select count(*) from {table}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row[0])


def _backends(db: Postgres) -> dict[int, float]:
    """Seconds of processor that each of the database's processes has used."""
    with db.reading() as conn:
        return {pid: _cpu_of(pid) for (pid,) in conn.execute(BACKENDS)}


def _cpu(service: Service) -> float:
    return _cpu_of(service.process.pid)


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(service: Service) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
