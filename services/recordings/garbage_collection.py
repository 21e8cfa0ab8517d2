"""Deleting bytes: those of recordings that were deleted, and what a crash left behind."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from services.recordings import handlers, queries
from services.recordings.objects import Objects
from shared.contracts.errors import Unavailable
from shared.plumbing import clock
from shared.plumbing.database import Postgres

logger = logging.getLogger(__name__)

STILL_ARRIVING = timedelta(hours=1)
"""So old an object may be before it must belong to a recording; so long a file may come in without a byte."""


def delete_kept_long_enough(db: Postgres, objects: Objects) -> None:
    """Delete what companies want kept no longer."""
    while True:
        with db.long_transaction() as conn:
            gone = handlers.delete_kept_long_enough(conn)
        if not gone:
            return
        delete_objects(objects, gone)


def delete_objects(objects: Objects, object_ids: Iterable[UUID]) -> None:
    """Delete objects that no recording is made of any more. What the store does not delete now is an orphan."""
    for object_id in object_ids:
        try:
            objects.delete(object_id)
        except (Unavailable, OSError) as error:
            logger.warning("an object was left behind", extra={"object_id": str(object_id), "error": repr(error)})


def delete_orphans(db: Postgres, objects: Objects) -> None:
    """Delete old objects without a recording, and files that stopped coming in: nobody ever saw them."""
    until = clock.now() - STILL_ARRIVING
    for some in objects.listed():
        old = [object_id for object_id, kept_at in some if kept_at < until]
        with db.long_transaction() as conn:
            needed = queries.needed(conn, old)
        orphans = [object_id for object_id in old if object_id not in needed]
        delete_objects(objects, orphans)
        if orphans:
            logger.info("orphans deleted", extra={"count": len(orphans)})
    objects.forget_begun(until)
