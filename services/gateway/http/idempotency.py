"""Idempotency keys: a write repeated under the same Idempotency-Key gets the first response and is not done again.

Responses are stored for a day, encrypted with a key that is derived from the Idempotency-Key and not stored: some
contain a secret that is returned only once. Which refusals are stored: docs/decisions/0016.
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
from shared.http.problems import MEDIA_TYPE, Problem, to_problem, with_request_id
from shared.plumbing.database import Connection, Postgres

RETENTION = timedelta(days=1)
DELETE_BATCH = 1000
STORED_REFUSAL = 409
SERVER_ERRORS = 500

# Locks an existing row, expired or not: a concurrent request waits and then reads it. A released key keeps its claim
# time: another request that still runs under it has the same command id.
CLAIM = """
    insert into idempotency_keys (digest, request_digest, claimed_at) values (%(digest)s, %(request_digest)s, %(at)s)
        on conflict (digest) do update
       set request_digest = excluded.request_digest, response = null,
           claimed_at = case when idempotency_keys.claimed_at <= %(expired_at)s then excluded.claimed_at
                             else idempotency_keys.claimed_at end
     where idempotency_keys.claimed_at <= %(expired_at)s or idempotency_keys.request_digest is null
"""
CLAIMED = "select request_digest, claimed_at, response from idempotency_keys where digest = %(digest)s"
STORE = """
    update idempotency_keys
       set request_digest = %(request_digest)s, response = %(response)s
     where digest = %(digest)s and claimed_at = %(claimed_at)s and response is null
       and (request_digest is null or request_digest = %(request_digest)s)
"""
RELEASE = """
    update idempotency_keys
       set request_digest = null
     where digest = %(digest)s and claimed_at = %(claimed_at)s and response is null
       and request_digest = %(request_digest)s
"""
DELETE_EXPIRED = """
    delete from idempotency_keys
     where digest in (select digest from idempotency_keys where claimed_at <= %(expired_at)s
                       limit %(limit)s for update skip locked)
"""


class IdempotentRequest(NamedTuple):
    """A write with an Idempotency-Key; `request_digest` tells two requests under one key apart."""

    caller_id: UUID
    key: str
    request_digest: bytes
    at: datetime

    @property
    def row(self) -> dict[str, Any]:
        return {
            "digest": digest(str(self.caller_id), self.key),
            "request_digest": self.request_digest,
            "at": self.at,
            "expired_at": self.at - RETENTION,
        }

    def command_id(self, claimed_at: datetime) -> UUID:
        """The id of the command, the same for each repetition until the key expires."""
        return UUID(
            bytes=digest("command", str(self.caller_id), self.key, self.request_digest, instant(claimed_at))[:16]
        )

    @property
    def cipher(self) -> Fernet:
        return Fernet(urlsafe_b64encode(digest("answer", str(self.caller_id), self.key)))


class Claim(NamedTuple):
    """A key in use since `claimed_at`, and the response if it is stored already."""

    claimed_at: datetime
    response: Response | None


def digest(*parts: str | bytes) -> bytes:
    """A hash of several parts with their lengths, so that no byte can move from one part into the next."""
    hasher = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        hasher.update(len(data).to_bytes(8) + data)
    return hasher.digest()


def run_in_transaction(
    db: Postgres, request: IdempotentRequest | None, write: Callable[[Connection], Response]
) -> Response:
    """Write to the gateway's database in one transaction with the key. Of two requests at once, one waits."""
    with db.connection() as conn:
        if request is None:
            return write(conn)
        claim = _claim(conn, request)
        if claim.response:
            return claim.response
        response = _response_or_refusal(lambda: _all_or_nothing(conn, write))
        _store(conn, request, claim, response)
        return response


def run_upstream(db: Postgres, request: IdempotentRequest | None, write: Callable[[UUID], Response]) -> Response:
    """Write by a command that its owner executes once by its id. No transaction is open during the call.

    A repetition has the same id on every gateway, since all of them read the row of the first claim.
    """
    if request is None:
        return write(uuid4())
    with db.connection() as conn:
        claim = _claim(conn, request)
    if claim.response:
        return claim.response
    try:
        response = _response_or_refusal(lambda: write(request.command_id(claim.claimed_at)))
    except (Problem, ServiceError) as error:
        if to_problem(error).status < SERVER_ERRORS:
            # Nothing was done: the client may use the key again for a corrected request.
            with db.connection() as conn:
                conn.execute(RELEASE, request.row | {"claimed_at": claim.claimed_at})
        raise
    with db.connection() as conn:
        _store(conn, request, claim, response)
    return response


def delete_expired(db: Postgres, at: datetime) -> int:
    """Delete the expired keys in batches; return their number."""
    total, deleted = 0, DELETE_BATCH
    while deleted == DELETE_BATCH:
        with db.long_transaction() as conn:
            deleted = conn.execute(DELETE_EXPIRED, {"expired_at": at - RETENTION, "limit": DELETE_BATCH}).rowcount
        total += deleted
    return total


def _claim(conn: Connection, request: IdempotentRequest) -> Claim:
    """Raises Invalid if the key is in use for another request."""
    conn.execute(CLAIM, request.row)
    [(request_digest, claimed_at, response)] = conn.execute(CLAIMED, request.row)
    if request_digest != request.request_digest:
        raise Invalid("idempotency_key_reused", field="Idempotency-Key")
    return Claim(claimed_at, _response(request.cipher.decrypt(response)) if response else None)


def _response_or_refusal(write: Callable[[], Response]) -> Response:
    """The response, or a refusal that is stored like one; other refusals are raised."""
    try:
        return write()
    except (Problem, ServiceError) as error:
        refusal = to_problem(error)
        if refusal.status != STORED_REFUSAL:
            raise
        return refusal.response()


def _all_or_nothing(conn: Connection, write: Callable[[Connection], Response]) -> Response:
    """Write in a nested transaction, which is rolled back when the write is refused."""
    with conn.transaction():
        return write(conn)


def _store(conn: Connection, request: IdempotentRequest, claim: Claim, response: Response) -> None:
    parts = {"status": response.status_code, "headers": list(response.headers), "body": response.get_data(as_text=True)}
    encrypted = request.cipher.encrypt(json.dumps(parts).encode())
    conn.execute(STORE, request.row | {"claimed_at": claim.claimed_at, "response": encrypted})


def _response(stored: bytes) -> Response:
    parts = json.loads(stored)
    response = Response(parts["body"], status=parts["status"], headers=parts["headers"])
    if response.mimetype == MEDIA_TYPE:
        # The id is that of the present request, as in the header X-Request-Id.
        return with_request_id(response, json.loads(parts["body"]))
    return response
