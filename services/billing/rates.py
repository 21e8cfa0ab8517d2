"""Rates where they are kept: in slices, named by the SHA-256 of them all, so that what was decided can be proved."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import orjson

from shared.contracts.billing.events import Rate
from shared.contracts.values import Direction
from shared.plumbing.database import Connection

SLICE = 1000
KEEP = """
    insert into rate_slices (digest, number, rates)
    values (%(digest)s, %(number)s, %(rates)s)
        on conflict do nothing
"""
READ = "select rates::text from rate_slices where digest = %(digest)s and number = %(number)s"
MONEY = ("per_minute", "connection_fee", "minimal_charge")


def keep(conn: Connection, rates: Sequence[Rate]) -> str:
    """Keep the rates and return their digest; the same rates are kept once."""
    slices = [_encode(rates[start : start + SLICE]) for start in range(0, len(rates), SLICE)]
    digest = hashlib.sha256(b"\n".join(slices)).hexdigest()
    for number, encoded in enumerate(slices):
        conn.execute(KEEP, {"digest": digest, "number": number, "rates": encoded.decode()})
    return digest


def read_slice(conn: Connection, digest: str, number: int) -> list[dict[str, Any]]:
    """Up to SLICE rates as they were written; [] after the last."""
    row = conn.execute(READ, {"digest": digest, "number": number}).fetchone()
    return orjson.loads(row[0]) if row else []


def read(conn: Connection, digest: str) -> Iterator[Rate]:
    """All of them, letting others work between the slices."""
    known: dict[str, Decimal] = {}
    number = 0
    while rows := read_slice(conn, digest, number):
        yield from (_rate(row, known) for row in rows)
        number += 1
        time.sleep(0)


def _encode(rates: Iterable[Rate]) -> bytes:
    return orjson.dumps(list(rates), default=_plain)


def _plain(amount: Decimal) -> str:
    return f"{amount:f}"


def _rate(row: dict[str, Any], known: dict[str, Decimal]) -> Rate:
    """A tariff has few amounts and many rates: each amount is one object."""
    amounts = {name: known.setdefault(row[name], Decimal(row[name])) for name in MONEY}
    return Rate(**{**row, **amounts, "direction": Direction(row["direction"])})
