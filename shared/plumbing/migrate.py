"""Apply numbered SQL files, forward only: `python -m shared.plumbing.migrate services/calls [URL]`.

The URL of the owning role comes from the second argument or OWNER_DATABASE_URL.
"""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import psycopg

LOCK = "select pg_advisory_lock(hashtext('migrate'))"
TABLE = """
    create table if not exists migrations
        (name text primary key, digest text not null, applied_at timestamptz not null default now())
"""


class MigrationEdited(Exception):
    """An applied migration was edited; write a new one instead."""


def migrate(conn: psycopg.Connection[Any], folder: Path) -> list[str]:
    """Apply new migrations, each in its own transaction; return their names. Concurrent calls are safe.

    `conn` is in autocommit mode and belongs to the owning role.
    """
    conn.execute(LOCK)
    conn.execute(TABLE)
    digests = dict(conn.execute("select name, digest from migrations").fetchall())
    applied = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        sql = path.read_text()
        digest = hashlib.sha256(sql.encode()).hexdigest()
        if path.name not in digests:
            with conn.transaction():
                conn.execute(sql)
                conn.execute("insert into migrations (name, digest) values (%s, %s)", (path.name, digest))
            applied.append(path.name)
        elif digests[path.name] != digest:
            raise MigrationEdited(f"{path} was edited after it was applied: write a new migration instead.")
    return applied


def main(arguments: list[str]) -> None:
    if not arguments:
        sys.exit("usage: python -m shared.plumbing.migrate services/calls [URL]")
    url = arguments[1] if len(arguments) > 1 else os.environ.get("OWNER_DATABASE_URL", "")
    try:
        with psycopg.connect(url, autocommit=True) as conn:
            applied = migrate(conn, Path(arguments[0]) / "migrations")
    except (psycopg.Error, MigrationEdited) as error:
        sys.exit(f"{arguments[0]}: {error}")
    sys.stdout.write(f"{arguments[0]}: {', '.join(applied) or 'nothing new'}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
