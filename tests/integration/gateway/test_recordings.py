"""The recording in the journal's entry: told before or after the call, once or twice, late or not."""

from itertools import permutations
from typing import Any

import pytest

from services.gateway.domain.filters import Filters, Has
from services.gateway.domain.scope import Scope
from services.gateway.journal import entries, page_query, projections
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import (
    TENANT,
    call_id,
    call_message,
    project_messages,
    recording_message,
    rows,
    state,
)

EVERYTHING = Scope(tenant=TENANT, lines=None)
AVAILABLE = {"state": "available", "duration_seconds": "11.200", "format": "wav", "size": 179244}


def recording(db: Postgres) -> Any:
    with db.autocommit() as conn:
        return entries._build_recording(page_query.get_call(conn, EVERYTHING, call_id(0)))


def found(db: Postgres) -> list[str]:
    with db.connection() as conn:
        return [
            row.call_id
            for row in page_query.get_page(conn, EVERYTHING, Filters(has=frozenset({Has.RECORDING})), 5).rows
        ]


def last(db: Postgres) -> int:
    [row] = rows(db, "journal_feeds", "1")
    return int(row["last"])


def test_a_call_without_a_recording_has_the_state_none(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state()))
    assert recording(gateway_db) == entries.NO_RECORDING
    assert found(gateway_db) == []


def test_a_recording_that_arrives_before_its_call_is_stored(gateway_db: Postgres):
    project_messages(gateway_db, recording_message(0))
    project_messages(gateway_db, call_message(state()))
    assert recording(gateway_db) == AVAILABLE
    assert found(gateway_db) == [str(call_id(0))]


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_messages_in_any_order_leave_a_recording_deleted(gateway_db: Postgres, order: tuple[int, ...]):
    project_messages(gateway_db, call_message(state()))
    for version in order:
        news = recording_message(0, "deleted" if version == 3 else "available", version)
        project_messages(gateway_db, news, news)
    assert recording(gateway_db) == {**AVAILABLE, "state": "deleted"}
    assert found(gateway_db) == []


def test_listening_to_a_recording_does_not_change_the_entry(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state()), recording_message(0))
    before = last(gateway_db)
    project_messages(gateway_db, recording_message(0, version=2))
    assert last(gateway_db) == before
    project_messages(gateway_db, recording_message(0, "deleted", 3))
    assert last(gateway_db) == before + 1


def test_an_rpc_response_is_stored_at_once(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state()), recording_message(0))
    news = recording_message(0, "deleted", 2)
    with gateway_db.connection() as conn:
        assert projections.upsert_recording(conn, TENANT, 2, news.body["state"]) == {TENANT}
    assert recording(gateway_db)["state"] == "deleted"


def test_another_companys_recording_of_a_call_of_the_same_id_is_not_ours(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state()), recording_message(0, tenant="krynytsia"))
    assert recording(gateway_db) == entries.NO_RECORDING
