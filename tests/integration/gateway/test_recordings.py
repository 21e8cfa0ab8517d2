"""The recording in the journal's entry: told before or after the call, once or twice, late or not."""

from itertools import permutations
from typing import Any

import pytest

from services.gateway.domain.filters import Filters, Has
from services.gateway.domain.scope import Scope
from services.gateway.journal import entries, page_query, projections
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import TENANT, call_id, recorded, rows, show, state, told

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


def test_a_call_without_a_recording_says_so(gateway_db: Postgres):
    show(gateway_db, told(state()))
    assert recording(gateway_db) == entries.NO_RECORDING
    assert found(gateway_db) == []


def test_a_recording_that_comes_before_its_call_is_kept(gateway_db: Postgres):
    show(gateway_db, recorded(0))
    show(gateway_db, told(state()))
    assert recording(gateway_db) == AVAILABLE
    assert found(gateway_db) == [str(call_id(0))]


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_in_whatever_order_a_deleted_recording_stays_deleted(gateway_db: Postgres, order: tuple[int, ...]):
    show(gateway_db, told(state()))
    for version in order:
        news = recorded(0, "deleted" if version == 3 else "available", version)
        show(gateway_db, news, news)
    assert recording(gateway_db) == {**AVAILABLE, "state": "deleted"}
    assert found(gateway_db) == []


def test_that_somebody_listened_is_no_change_of_the_entry(gateway_db: Postgres):
    show(gateway_db, told(state()), recorded(0))
    before = last(gateway_db)
    show(gateway_db, recorded(0, version=2))
    assert last(gateway_db) == before
    show(gateway_db, recorded(0, "deleted", 3))
    assert last(gateway_db) == before + 1


def test_what_the_owner_answers_is_shown_at_once(gateway_db: Postgres):
    show(gateway_db, told(state()), recorded(0))
    news = recorded(0, "deleted", 2)
    with gateway_db.connection() as conn:
        assert projections.upsert_recording(conn, TENANT, 2, news.body["state"]) == {TENANT}
    assert recording(gateway_db)["state"] == "deleted"


def test_another_companys_recording_of_a_call_of_the_same_id_is_not_ours(gateway_db: Postgres):
    show(gateway_db, told(state()), recorded(0, tenant="krynytsia"))
    assert recording(gateway_db) == entries.NO_RECORDING
