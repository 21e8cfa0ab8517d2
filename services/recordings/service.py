"""The entrypoints of recordings: RPC, and deletion on timers. Audio is served by `endpoints/media.py`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import eventlet

from services.recordings import garbage_collection, handlers, queries
from services.recordings.endpoints.media import MediaEndpoints
from shared.contracts.recordings import rpc as contract
from shared.contracts.wire import Json
from shared.plumbing.relay import Relay
from shared.plumbing.rpc import rpc
from shared.plumbing.subscriptions import Message, subscribe
from shared.plumbing.timers import every

RETENTION_INTERVAL = 60
ORPHANS_INTERVAL = 3600


class RecordingsService(MediaEndpoints):
    name = "recordings"

    @subscribe("recordings.settings", batch=500)
    def save_settings(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            handlers.save_settings(conn, [message.body for message in messages])

    @every(RETENTION_INTERVAL)
    def delete_expired(self) -> None:
        garbage_collection.delete_expired(self.db, self.objects)

    @every(ORPHANS_INTERVAL)
    def delete_orphans(self) -> None:
        garbage_collection.delete_orphans(self.db, self.objects)

    @rpc(contract.delete)
    def delete(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            deleted = handlers.delete(conn, **command)
        # The caller does not wait for the bucket. Bytes that are not deleted now are garbage, and collected later.
        eventlet.spawn_n(garbage_collection.delete_objects, self.objects, [UUID(deleted["object_id"])])
        return deleted

    @rpc(contract.peaks)
    def peaks(self, tenant: str, call_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return {"peaks": queries.peaks(conn, tenant, call_id)}

    @rpc(contract.timeline)
    def timeline(self, tenant: str, call_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return {"events": queries.timeline(conn, tenant, call_id)}

    @rpc(contract.resend)
    def resend(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return handlers.resend(conn, **command)


class RecordingsRelay:
    name = "recordings-relay"

    outbox = Relay("recordings")
