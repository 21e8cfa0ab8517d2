"""The entrypoints of comments: write and delete a comment, and read its history."""

from typing import Any
from uuid import UUID

from services.comments import handlers, queries
from shared.contracts.comments import rpc as contract
from shared.contracts.wire import Json
from shared.plumbing.database import Database
from shared.plumbing.relay import Relay
from shared.plumbing.rpc import rpc


class CommentsService:
    name = "comments"

    db = Database()

    @rpc(contract.write)
    def write(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return handlers.write(conn, **command)

    @rpc(contract.delete)
    def delete(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return handlers.delete(conn, **command)

    @rpc(contract.history)
    def history(self, tenant: str, call_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return {"versions": queries.history(conn, tenant, call_id)}

    @rpc(contract.timeline)
    def timeline(self, tenant: str, call_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return {"events": queries.timeline(conn, tenant, call_id)}

    @rpc(contract.resend)
    def resend(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return handlers.resend(conn, **command)


class CommentsRelay:
    name = "comments-relay"

    outbox = Relay("comments")
