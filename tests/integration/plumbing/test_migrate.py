"""Migrations: each once, in order, whole, forward only, whoever starts them and however many at once."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.plumbing.migrate import MigrationEdited, migrate
from tests.support.infrastructure import ROOT, Stack

DATABASE = "migrations_of_a_test"


@pytest.fixture
def url(stack: Stack) -> Iterator[str]:
    """An empty database."""
    admin = stack.env("admin")["PG_ADMIN_URL"]
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(f"drop database if exists {DATABASE} with (force)")
        conn.execute(f"create database {DATABASE}")
        yield admin.rpartition("/")[0] + f"/{DATABASE}"
        conn.execute(f"drop database {DATABASE} with (force)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    write(tmp_path, "0001_things.sql", "create table things (id int); create table more (id int)")
    return tmp_path


def write(folder: Path, name: str, sql: str) -> None:
    (folder / "migrations" / name).write_text(sql)


def apply(url: str, folder: Path) -> list[str]:
    with psycopg.connect(url, autocommit=True) as conn:
        return migrate(conn, folder / "migrations")


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as conn:
        rows: list[Any] = conn.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    return {name for (name,) in rows}


def test_what_is_new_is_applied_in_order_and_once(url: str, folder: Path) -> None:
    write(folder, "0002_alter.sql", "alter table things add name text")
    write(folder, "notes.txt", "nothing to do with it")
    assert apply(url, folder) == ["0001_things.sql", "0002_alter.sql"]
    assert apply(url, folder) == []
    assert tables(url) == {"things", "more", "migrations"}


def test_half_a_migration_is_none(url: str, folder: Path) -> None:
    write(folder, "0002_wrong.sql", "create table half (id int); create table half (id int)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        apply(url, folder)
    assert "half" not in tables(url)
    write(folder, "0002_wrong.sql", "create table whole (id int)")
    assert apply(url, folder) == ["0002_wrong.sql"]


def test_a_migration_that_was_not_noted_was_not_made(url: str, folder: Path) -> None:
    apply(url, folder)
    write(folder, "0002_unnoted.sql", "create table half (id int); alter table migrations rename to gone")
    with pytest.raises(psycopg.errors.UndefinedTable):
        apply(url, folder)
    assert tables(url) == {"things", "more", "migrations"}


def test_an_applied_migration_must_not_be_edited(url: str, folder: Path) -> None:
    apply(url, folder)
    write(folder, "0001_things.sql", "create table other (id int)")
    with pytest.raises(MigrationEdited, match="write a new migration"):
        apply(url, folder)


def test_many_at_once_apply_each_once(url: str, folder: Path) -> None:
    write(folder, "0002_slow.sql", "select pg_sleep(0.2); create table slow (id int)")
    with ThreadPoolExecutor(4) as pool:
        applied = [name for names in pool.map(lambda _: apply(url, folder), range(4)) for name in names]
    assert sorted(applied) == ["0001_things.sql", "0002_slow.sql"]


@pytest.mark.parametrize("arguments", [[], ["services/calls", "postgresql://127.0.0.1:1/x"]])
def test_what_is_wrong_is_said_in_a_sentence(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "shared.plumbing.migrate", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
