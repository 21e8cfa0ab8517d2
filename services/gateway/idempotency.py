"""A write that is repeated under the same Idempotency-Key is answered as it was the first time, and not done again.

Answers are kept for a day, under a key that is made of the Idempotency-Key and stands nowhere: some hold what
is shown only once. Refusals are not kept: nothing was done, so asking again does no harm.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.fernet import Fernet
from werkzeug.wrappers import Response

from shared.contracts.errors import Invalid
from shared.plumbing.database import Connection, Postgres

KEPT_FOR = timedelta(days=1)
MOST_FORGOTTEN = 1000

CLAIM = """
    insert into kept_answers (digest, asked, claimed_at) values (%(digest)s, %(asked)s, %(at)s)
        on conflict (digest) do update set asked = excluded.asked, claimed_at = excluded.claimed_at, answer = null
     where kept_answers.claimed_at <= %(expired_at)s
"""
RECALL = "select asked, answer from kept_answers where digest = %(digest)s and claimed_at > %(expired_at)s"
KEEP = """
    insert into kept_answers (digest, asked, claimed_at, answer)
    values (%(digest)s, %(asked)s, %(at)s, %(answer)s)
        on conflict (digest) do update
       set asked = excluded.asked, claimed_at = excluded.claimed_at, answer = excluded.answer
     where kept_answers.answer is null or kept_answers.claimed_at <= %(expired_at)s
"""
FORGET = """
    delete from kept_answers
     where digest in (select digest from kept_answers where claimed_at <= %(expired_at)s
                       limit %(most)s for update skip locked)
"""


class Repeat(NamedTuple):
    """A write that says it may be a repeat; `asked` tells two writes under one key apart."""

    owner: UUID
    key: str
    asked: bytes
    at: datetime

    @property
    def row(self) -> dict[str, Any]:
        kept_as = digest(str(self.owner), self.key)
        return {"digest": kept_as, "asked": self.asked, "at": self.at, "expired_at": self.at - KEPT_FOR}

    @property
    def command_id(self) -> UUID:
        """Of this write and no other under the key: an owner answers for ever what we forget, or have not kept."""
        return UUID(bytes=digest("command", str(self.owner), self.key, self.asked)[:16])

    @property
    def cipher(self) -> Fernet:
        return Fernet(urlsafe_b64encode(digest("answer", str(self.owner), self.key)))


def digest(*parts: str | bytes) -> bytes:
    """One hash of several parts, which cannot be shifted from one into the next."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8) + data)
    return whole.digest()


def here(db: Postgres, repeat: Repeat | None, write: Callable[[Connection], Response]) -> Response:
    """A write to our own database, in one transaction with what is kept of it: of two at once one waits."""
    with db.connection() as conn:
        if repeat is None:
            return write(conn)
        if conn.execute(CLAIM, repeat.row).rowcount == 0 and (kept := _recall(conn, repeat)):
            return kept
        response = write(conn)
        _keep(conn, repeat, response)
        return response


def elsewhere(db: Postgres, repeat: Repeat | None, write: Callable[[], Response]) -> Response:
    """A write that an owner does once by its command's id; no transaction is open while it is asked."""
    if repeat is None:
        return write()
    with db.reading() as conn:
        kept = _recall(conn, repeat)
    if kept:
        return kept
    response = write()
    with db.connection() as conn:
        _keep(conn, repeat, response)
    return response


def forget(conn: Connection, at: datetime) -> int:
    """Drop answers that nobody may ask for again; returns how many."""
    return conn.execute(FORGET, {"expired_at": at - KEPT_FOR, "most": MOST_FORGOTTEN}).rowcount


def _recall(conn: Connection, repeat: Repeat) -> Response | None:
    asked, answer = conn.execute(RECALL, repeat.row).fetchone() or (None, None)
    if asked is not None and asked != repeat.asked:
        used = "Used for another request."
        raise Invalid("An Idempotency-Key is for one request.", {"Idempotency-Key": [used]})
    return _response(repeat.cipher.decrypt(answer)) if answer else None


def _keep(conn: Connection, repeat: Repeat, response: Response) -> None:
    whole = {"status": response.status_code, "headers": list(response.headers), "body": response.get_data(as_text=True)}
    conn.execute(KEEP, repeat.row | {"answer": repeat.cipher.encrypt(json.dumps(whole).encode())})


def _response(kept: bytes) -> Response:
    whole = json.loads(kept)
    return Response(whole["body"], status=whole["status"], headers=whole["headers"])
