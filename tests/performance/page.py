"""Measure a journal page over HTTP, compared with its query in bare psycopg, for few and for many calls."""

import argparse
import http.client
import time
from collections.abc import Callable
from typing import Any, LiteralString, cast

import psycopg

from services.gateway.directory import repository
from services.gateway.domain.filters import Filters
from services.gateway.domain.people import Line
from services.gateway.domain.scope import Scope
from services.gateway.journal import page_query
from tests.performance import company
from tests.performance.figures import Figure, median
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied

FEW, LIMIT, TIMES = 10_000, 50, 200
WARM_UP = 20
FILL = """
    insert into journal (tenant, call_id, version, direction, status, phase, rule, caller, callee, line, groups, rung,
                         offline, answered_by, forwarded, ended_by, cause, placed_at, ringing_at, answered_at,
                         ended_at, wait_time, talk_time, recorded, correlation_id)
    select %(tenant)s, gen_random_uuid(), 5, direction, 'answered', 'ended', 'answered_by_party',
           case direction when 'inbound' then number else extension end,
           case direction when 'inbound' then '+380443303018' else number end, '+380443303018', '{}',
           array[extension], '{}', array[extension], '[]', 'caller', 16, at, at + interval '2 s',
           at + interval '6 s', at + interval '60 s', interval '6 s', interval '54 s', false, ''
      from (select now() - n * interval '20 s' as at, '+38050' || lpad((n * 7919 %% 10000000)::text, 7, '0') as number,
                   (101 + n / 7 %% 20)::text as extension, (array['inbound', 'outbound'])[1 + n %% 2] as direction
              from generate_series(%(first)s::bigint, %(last)s::bigint) as n) as made
"""
FILL_PARTIES = """
    insert into journal_parties (tenant, call_id, address, own, placed_at, direction, status, talk_time)
    select tenant, call_id, address, address <> '+380443303018', placed_at, direction, status, talk_time
      from journal
     cross join lateral (select distinct address from unnest(array[caller, callee] || rung) as address) as party
     where tenant = %(tenant)s
        on conflict do nothing
"""
FILL_ADDRESSES = """
    insert into journal_addresses (tenant, address)
    select distinct tenant, address from journal_parties where tenant = %(tenant)s
        on conflict do nothing
"""


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        next(system.start(stack, services, {}))
        times: dict[tuple[int, str], float] = {}
        for rows in (FEW, arguments.rows):
            _fill(stack, rows)
            for login in ("admin", "op101"):
                over_http, bare = _compare(stack, login)
                times[rows, login] = over_http
                ratio = over_http / bare
                what = f"GET /journal, {LIMIT} rows of {rows:,} calls, as {login}"
                measured = f"{over_http * 1000:.1f} ms, {ratio:.1f} times bare psycopg ({bare * 1000:.1f} ms)"
                figures.append(Figure(what, measured, "5 times", ratio <= 5))
    for login in ("admin", "op101"):
        slower = times[arguments.rows, login] / times[FEW, login]
        what = f"{arguments.rows:,} calls against {FEW:,}, as {login}"
        figures.append(Figure(what, f"{slower:.2f} times as long", "as fast (1.3)", slower <= 1.3))
    return figures


def _compare(stack: Stack, login: str) -> tuple[float, ...]:
    headers = company.sign_in(stack, login)
    line = http.client.HTTPConnection(stack.env("gateway")["WEB_ADDRESS"], timeout=10)

    def over_http() -> None:
        line.request("GET", f"/api/v1/journal?limit={LIMIT}", headers=headers)
        assert line.getresponse().read().count(b'"call_id"') == LIMIT

    with psycopg.connect(stack.env("gateway")["DATABASE_URL"], autocommit=True) as conn:
        query, values = _query_of(conn, login)

        def bare() -> None:
            assert len(conn.execute(query, values).fetchall()) >= LIMIT

        return _median_times(over_http, bare)


def _query_of(conn: psycopg.Connection[Any], login: str) -> tuple[LiteralString, Any]:
    """The query and parameters that the gateway runs for the page."""
    sent: list[tuple[Any, Any]] = []

    class Listening:
        def execute(self, query: Any, values: Any = None) -> Any:
            sent.append((query, values))
            return conn.execute(query, values)

    page_query.get_page(cast(Any, Listening()), _scope(conn, login), Filters(), LIMIT)
    query, values = sent[-1]
    return query, values


def _scope(conn: psycopg.Connection[Any], login: str) -> Scope:
    if login == "admin":
        return Scope(tenant=company.TENANT, lines=None)
    row = conn.execute("select id from accounts where login = %s", (login,)).fetchone()
    assert row is not None
    lines: tuple[Line, ...] = repository.account_lines(conn, company.TENANT, row[0])
    return Scope(tenant=company.TENANT, lines=lines)


def _median_times(*runs: Callable[[], None]) -> tuple[float, ...]:
    """The median time of each run; runs alternate, so that other load affects them equally."""
    times: list[list[float]] = [[] for _ in runs]
    for turn in range(WARM_UP + TIMES):
        for run, taken in zip(runs, times, strict=True):
            began = time.perf_counter()
            run()
            if turn >= WARM_UP:
                taken.append(time.perf_counter() - began)
    return tuple(map(median, times))


def _fill(stack: Stack, rows: int) -> None:
    """Insert `rows` calls, one every twenty seconds, back from now."""
    with psycopg.connect(stack.env("gateway")["OWNER_DATABASE_URL"], autocommit=True) as conn:
        (there,) = conn.execute("select count(*) from journal").fetchone() or (0,)
        values = {"tenant": company.TENANT, "first": there + 1, "last": rows}
        for statement in (FILL, FILL_PARTIES, FILL_ADDRESSES):
            conn.execute(statement, values)
        conn.execute("vacuum (analyze) journal")
        conn.execute("vacuum (analyze) journal_parties")
