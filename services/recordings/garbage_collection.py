"""Delete the bytes of deleted recordings, and objects and uploads that a crash left behind."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from services.recordings import handlers, queries
from services.recordings.objects import ObjectStore
from shared.contracts.errors import Unavailable
from shared.plumbing import clock
from shared.plumbing.database import Postgres

logger = logging.getLogger(__name__)

ORPHAN_AGE = timedelta(hours=1)
"""Age at which an object without a recording, or a file that no longer grows, is deleted."""


def delete_expired(db: Postgres, objects: ObjectStore) -> None:
    """Delete recordings older than the retention period of their company."""
    while True:
        with db.long_transaction() as conn:
            object_ids = handlers.delete_expired(conn)
        if not object_ids:
            return
        delete_objects(objects, object_ids)


def delete_objects(objects: ObjectStore, object_ids: Iterable[UUID]) -> None:
    """Delete objects. One that the store cannot delete now is deleted later by `delete_orphans`."""
    for object_id in object_ids:
        try:
            objects.delete(object_id)
        except (Unavailable, OSError) as error:
            logger.warning("cannot delete an object", extra={"object_id": str(object_id), "error": repr(error)})


def delete_orphans(db: Postgres, objects: ObjectStore) -> None:
    """Delete old objects that belong to no recording, and uploads that stopped."""
    before = clock.now() - ORPHAN_AGE
    for batch in objects.list_objects():
        old = [object_id for object_id, stored_at in batch if stored_at < before]
        with db.long_transaction() as conn:
            in_use = queries.objects_in_use(conn, old)
        orphans = [object_id for object_id in old if object_id not in in_use]
        delete_objects(objects, orphans)
        if orphans:
            logger.info("orphaned objects deleted", extra={"count": len(orphans)})
    objects.abort_stale_uploads(before)
