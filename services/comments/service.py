"""The doors of comments: a comment is written and deleted here, and its past is told."""

from typing import Any

from services.comments import handlers, queries, schemas
from shared.contracts.wire import Json
from shared.plumbing.database import Database
from shared.plumbing.relay import Relay
from shared.plumbing.rpc import rpc


class CommentsService:
    name = "comments"

    db = Database()

    @rpc
    def write(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return handlers.write(conn, **schemas.WriteSchema().load(command))

    @rpc
    def delete(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return handlers.delete(conn, **schemas.DeleteSchema().load(command))

    @rpc
    def history(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            versions = queries.history(conn, **schemas.CallQuerySchema().load(query))
        return {"versions": schemas.VersionSchema(many=True).dump(versions)}

    @rpc
    def timeline(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            events = queries.timeline(conn, **schemas.CallQuerySchema().load(query))
        return {"events": schemas.TimelineEventSchema(many=True).dump(events)}

    @rpc
    def resend(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return handlers.resend(conn, **schemas.ResendSchema().load(command))


class CommentsRelay:
    name = "comments-relay"

    outbox = Relay("comments")
