"""Publish the current state of streams again, so that a view gets rows back that it lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.contracts.wire import Json
from shared.plumbing import commands, decider, store
from shared.plumbing.database import Connection
from shared.plumbing.decider import Decider

CALL_IDS = """
    select call_id
      from {table}
     where tenant = %(tenant)s and (%(after)s::uuid is null or call_id > %(after)s)
     order by call_id
     limit %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Resend:
    """The streams `<kind>-<call_id>` of an owner; `table` has a row for each of them.

    `describe(stream, state)` is what is published of a state.
    """

    kind: str
    table: str
    decider: Decider
    describe: Callable[[str, Any], Json]

    def __call__(
        self,
        conn: Connection,
        command_id: UUID,
        tenant: str,
        call_ids: Sequence[UUID] | None,
        after: UUID | None,
        limit: int,
    ) -> Json:
        """Publish the states of `call_ids`; without them those of the first `limit` calls after `after`.

        Returns `{"sent": 3, "last": "…"}`; `last` is the `after` of the next command, None when no call is left.
        """
        return commands.once(conn, command_id, lambda: self._publish(conn, tenant, call_ids, after, limit))

    def _publish(
        self, conn: Connection, tenant: str, call_ids: Sequence[UUID] | None, after: UUID | None, limit: int
    ) -> Json:
        selected = self._call_ids(conn, tenant, after, limit) if call_ids is None else call_ids
        histories = store.read(conn, [f"{self.kind}-{call_id}" for call_id in selected])
        latest = [
            (history[-1], self.describe(stream, decider.replay(self.decider, history)))
            for stream, history in histories.items()
            if history and history[0].tenant == tenant
        ]
        store.resend(conn, latest)
        return {"sent": len(latest), "last": str(selected[-1]) if selected else None}

    def _call_ids(self, conn: Connection, tenant: str, after: UUID | None, limit: int) -> list[UUID]:
        query: Any = CALL_IDS.format(table=self.table)
        rows = conn.execute(query, {"tenant": tenant, "after": after, "limit": limit})
        return [call_id for (call_id,) in rows]
