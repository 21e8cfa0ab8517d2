"""A write that is repeated under the same Idempotency-Key is answered as it was the first time, and not done again.

Answers are kept for a day, under a key that is made of the Idempotency-Key and stands nowhere: some hold what
is shown only once. Which refusals are answers that are kept, and which are not: docs/decisions/0016.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from werkzeug.wrappers import Response

from shared.contracts.errors import Invalid, ServiceError
from shared.contracts.wire import instant
from shared.http.problems import Problem, problem_of
from shared.plumbing.database import Connection, Postgres

KEPT_FOR = timedelta(days=1)
MOST_FORGOTTEN = 1000
KEPT_REFUSAL = 409
SERVER_ERRORS = 500

# A row that is there is locked by this, whether or not it is too old: who comes second waits, and finds it. A key that
# was released keeps its instant: another who still asks for the same has the same command.
CLAIM = """
    insert into kept_answers (digest, asked, claimed_at) values (%(digest)s, %(asked)s, %(at)s)
        on conflict (digest) do update
       set asked = excluded.asked, answer = null,
           claimed_at = case when kept_answers.claimed_at <= %(expired_at)s then excluded.claimed_at
                             else kept_answers.claimed_at end
     where kept_answers.claimed_at <= %(expired_at)s or kept_answers.asked is null
"""
CLAIMED = "select asked, claimed_at, answer from kept_answers where digest = %(digest)s"
KEEP = """
    update kept_answers
       set asked = %(asked)s, answer = %(answer)s
     where digest = %(digest)s and claimed_at = %(claimed_at)s and answer is null
       and (asked is null or asked = %(asked)s)
"""
RELEASE = """
    update kept_answers
       set asked = null
     where digest = %(digest)s and claimed_at = %(claimed_at)s and answer is null and asked = %(asked)s
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

    def command_id(self, claimed_at: datetime) -> UUID:
        """Of this write and no other under the key, on this day: for days an owner answers what we have not kept."""
        return UUID(bytes=digest("command", str(self.owner), self.key, self.asked, instant(claimed_at))[:16])

    @property
    def cipher(self) -> Fernet:
        return Fernet(urlsafe_b64encode(digest("answer", str(self.owner), self.key)))


class Claim(NamedTuple):
    """A key in use since `claimed_at`, and what was answered, if that is known already."""

    claimed_at: datetime
    answer: Response | None


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
        claim = _claim(conn, repeat)
        if claim.answer:
            return claim.answer
        response = _answered(lambda: _whole_or_not(conn, write))
        _keep(conn, repeat, claim, response)
        return response


def elsewhere(db: Postgres, repeat: Repeat | None, write: Callable[[UUID], Response]) -> Response:
    """A write that an owner does once by its command's id; no transaction is open while it is asked.

    A repeat has the same id on every gateway, since the row of the first claim is the same for all.
    """
    if repeat is None:
        return write(uuid4())
    with db.connection() as conn:
        claim = _claim(conn, repeat)
    if claim.answer:
        return claim.answer
    try:
        response = _answered(lambda: write(repeat.command_id(claim.claimed_at)))
    except (Problem, ServiceError) as error:
        if problem_of(error).status < SERVER_ERRORS:
            # Nothing was done: who mends what was wrong may keep the key.
            with db.connection() as conn:
                conn.execute(RELEASE, repeat.row | {"claimed_at": claim.claimed_at})
        raise
    with db.connection() as conn:
        _keep(conn, repeat, claim, response)
    return response


def forget(db: Postgres, at: datetime) -> int:
    """Drop all answers that nobody may ask for again, some at a time; returns how many."""
    forgotten, found = 0, MOST_FORGOTTEN
    while found == MOST_FORGOTTEN:
        with db.long_transaction() as conn:
            found = conn.execute(FORGET, {"expired_at": at - KEPT_FOR, "most": MOST_FORGOTTEN}).rowcount
        forgotten += found
    return forgotten


def _claim(conn: Connection, repeat: Repeat) -> Claim:
    """Raises Invalid if the key is another request's."""
    conn.execute(CLAIM, repeat.row)
    [(asked, claimed_at, answer)] = conn.execute(CLAIMED, repeat.row)
    if asked != repeat.asked:
        used = "Used for another request."
        raise Invalid("An Idempotency-Key is for one request.", {"Idempotency-Key": [used]})
    return Claim(claimed_at, _response(repeat.cipher.decrypt(answer)) if answer else None)


def _answered(write: Callable[[], Response]) -> Response:
    """The answer, and a refusal that is one too; others are raised."""
    try:
        return write()
    except (Problem, ServiceError) as error:
        refusal = problem_of(error)
        if refusal.status != KEPT_REFUSAL:
            raise
        return refusal.response()


def _whole_or_not(conn: Connection, write: Callable[[Connection], Response]) -> Response:
    """The write, nothing of which stays when it is refused."""
    with conn.transaction():
        return write(conn)


def _keep(conn: Connection, repeat: Repeat, claim: Claim, response: Response) -> None:
    whole = {"status": response.status_code, "headers": list(response.headers), "body": response.get_data(as_text=True)}
    answer = repeat.cipher.encrypt(json.dumps(whole).encode())
    conn.execute(KEEP, repeat.row | {"claimed_at": claim.claimed_at, "answer": answer})


def _response(kept: bytes) -> Response:
    whole = json.loads(kept)
    return Response(whole["body"], status=whole["status"], headers=whole["headers"])
