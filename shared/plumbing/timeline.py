"""The timeline of a call, read from one of its owner's streams."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import dict_row

from shared.contracts.wire import Json
from shared.plumbing.database import Connection

QUERY = """
    select type, {at} as at, recorded_at, {data} as data, {by} as by
      from events
     where stream = %(stream)s and tenant = %(tenant)s
     order by {order}
"""


class TimelineQuery(NamedTuple):
    """How an owner reads its events. Each of `at`, `by`, `data` and `order` is an SQL expression over `events`.

    `kind` is the prefix of the stream's name, `by` the account that caused an event.
    """

    owner: str
    kind: str
    at: str
    by: str = "null"
    data: str = "data"
    order: str = "version"
    parameters: Mapping[str, Any] = {}

    def read(self, conn: Connection, tenant: str, call_id: UUID) -> list[Json]:
        """The events as `TimelineEventSchema` dumps them; [] for a stream that does not exist."""
        query: Any = QUERY.format(at=self.at, by=self.by, data=self.data, order=self.order)
        parameters = {**self.parameters, "stream": f"{self.kind}-{call_id}", "tenant": tenant}
        rows = conn.cursor(row_factory=dict_row).execute(query, parameters)
        return [{"owner": self.owner, **row} for row in rows]
