"""The doors of recordings: its RPC, and the clockwork that deletes. Sound comes and goes by `doors/media.py`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import eventlet

from services.recordings import garbage_collection, handlers, queries, schemas
from services.recordings.endpoints.media import MediaEndpoints
from shared.contracts.wire import Json
from shared.plumbing.relay import Relay
from shared.plumbing.rpc import rpc
from shared.plumbing.subscriptions import Message, subscribe
from shared.plumbing.timers import every

RETENTION_EVERY = 60
ORPHANS_EVERY = 3600


class RecordingsService(MediaEndpoints):
    name = "recordings"

    @subscribe("recordings.settings", batch=500)
    def keep_settings(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            handlers.keep_settings(conn, [message.body for message in messages])

    @every(RETENTION_EVERY)
    def delete_kept_long_enough(self) -> None:
        garbage_collection.delete_kept_long_enough(self.db, self.objects)

    @every(ORPHANS_EVERY)
    def delete_orphans(self) -> None:
        garbage_collection.delete_orphans(self.db, self.objects)

    @rpc
    def delete(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            answer = handlers.delete(conn, **schemas.DeleteSchema().load(command))
        # Whoever deletes need not wait for the store; bytes that it does not delete now are an orphan's.
        eventlet.spawn_n(garbage_collection.delete_objects, self.objects, [UUID(answer.pop("object_id"))])
        return answer

    @rpc
    def peaks(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            return {"peaks": queries.peaks(conn, **schemas.CallQuerySchema().load(query))}

    @rpc
    def timeline(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            events = queries.timeline(conn, **schemas.CallQuerySchema().load(query))
        return {"events": schemas.TimelineEventSchema(many=True).dump(events)}

    @rpc
    def resend(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return handlers.resend(conn, **schemas.ResendSchema().load(command))


class RecordingsRelay:
    name = "recordings-relay"

    outbox = Relay("recordings")
