"""A page of the journal is asked for in one or two statements, however long it is and whoever asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from services.gateway.domain.filters import Filters, Has
from services.gateway.domain.people import Line
from services.gateway.domain.scope import Scope
from services.gateway.journal import entries, page_query
from shared.contracts.values import Status
from shared.plumbing.database import Connection, Postgres
from tests.integration.gateway.event_factories import (
    NOON,
    TENANT,
    comment_message,
    project_messages,
    project_states,
    state,
)

LEADS = Scope(tenant=TENANT, lines=None)
OPERATOR = Scope(tenant=TENANT, lines=(Line(id=uuid4(), address="101"),))


@contextmanager
def asking(conn: Connection) -> Iterator[list[str]]:
    """The questions that are asked in the block, without what only says how to answer them."""
    asked = list[str]()

    class Noting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **how: Any) -> Any:
            if not str(query).startswith("set local"):
                asked.append(str(query))
            return super().execute(query, *args, **how)

    before, conn.cursor_factory = conn.cursor_factory, Noting
    yield asked
    conn.cursor_factory = before


@pytest.mark.parametrize("scope", [LEADS, OPERATOR], ids=["leads", "operator"])
@pytest.mark.parametrize("limit", [1, 200])
@pytest.mark.parametrize(
    ("filters", "questions"),
    [
        (Filters(), 2),
        (Filters(placed_from=NOON), 2),
        (Filters(statuses=frozenset({Status.ANSWERED})), 2),
        (Filters(min_talk=timedelta(seconds=1)), 2),
        (Filters(has=frozenset({Has.COMMENT})), 3),
    ],
    ids=["nothing", "from", "status", "talk", "comment, after a look whether they are few"],
)
def test_a_page_takes_two_queries_one_for_calls_and_one_for_names(
    gateway_db: Postgres, scope: Scope, limit: int, filters: Filters, questions: int
) -> None:
    project_states(gateway_db, [state(n, placed_at=NOON + timedelta(seconds=n)) for n in range(300)], TENANT)
    project_messages(gateway_db, *(comment_message(n, "передзвонити") for n in range(300)))
    with gateway_db.connection() as conn, asking(conn) as asked:
        page = page_query.get_page(conn, scope, filters, limit)
        entries.build_entries(conn, TENANT, page.rows)
    assert (len(page.rows), len(asked)) == (limit, questions)
