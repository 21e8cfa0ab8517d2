"""In Postgres a service adds to the past and never changes it, and leaves the tables to their owner."""

import psycopg
import pytest

from shared.contracts.topology import DATABASES
from tests.support.infrastructure import Stack


@pytest.mark.parametrize("name", DATABASES)
def test_a_service_makes_and_drops_no_tables(stack: Stack, name: str) -> None:
    with psycopg.connect(stack.env(name)["DATABASE_URL"], autocommit=True) as conn:
        for statement in ("create table public.mine (id int)", "create schema mine", "drop table migrations"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "alter table events add column more text",
        "drop table events",
        "create rule forget as on insert to events do instead nothing",
        "copy events to program 'cat'",
        "copy events from program 'true'",
    ],
)
def test_there_is_no_way_around_the_past(stack: Stack, statement: str) -> None:
    with (
        psycopg.connect(stack.env("calls")["DATABASE_URL"]) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", DATABASES)
def test_who_only_looks_cannot_set_himself_free(stack: Stack, name: str) -> None:
    with psycopg.connect(stack.env(name)["RO_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        for statement in ("delete from migrations", "truncate migrations", "create table public.mine (id int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
