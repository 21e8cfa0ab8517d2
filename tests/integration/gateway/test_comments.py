"""A comment in the journal: whichever comes first, it or its call; the last version; and a number for every change."""

from itertools import permutations
from typing import Any

import pytest

from services.gateway.directory import repository
from services.gateway.domain.filters import Filters, Has
from services.gateway.domain.scope import Scope
from services.gateway.journal import page_query, projections
from shared.contracts.errors import Invalid
from shared.contracts.values import Status
from shared.contracts.wire import Json
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import (
    AUTHOR,
    NOON,
    TENANT,
    Message,
    call_id,
    call_message,
    comment_message,
    project_messages,
    rows,
    state,
)

EVERYTHING = Scope(tenant=TENANT, lines=None)


def comment(db: Postgres, name: str | int = 0) -> Json | None:
    with db.connection() as conn:
        return page_query.get_call(conn, EVERYTHING, call_id(name)).comment


def text(db: Postgres) -> Any:
    shown = comment(db)
    return shown and shown["text"]


def feed(db: Postgres) -> dict[Any, int]:
    return {row["call_id"]: row["feed"] for row in rows(db, "journal_feed")}


def last(db: Postgres) -> int:
    [row] = rows(db, "journal_feeds", "1")
    return int(row["last"])


def test_an_entry_has_the_whole_comment_with_the_current_name_of_its_author(gateway_db: Postgres):
    with gateway_db.connection() as conn:
        repository.ensure_tenant(conn, TENANT, TENANT)
        author = repository.ensure_account(conn, TENANT, "olha", "x", "Ольга", "operator")
    project_messages(gateway_db, call_message(state()), comment_message(0, "передзвонити", 3, author_id=author))
    with gateway_db.connection() as conn:
        repository.ensure_account(conn, TENANT, "olha", "x", "Ольга Кобилянська", "operator")
    assert comment(gateway_db) == {
        "text": "передзвонити",
        "author": {"account_id": str(author), "name": "Ольга Кобилянська"},
        "created_at": "2026-11-22T12:00:00.000000Z",
        "updated_at": "2026-11-22T12:03:00.000000Z",
        "version": 3,
    }


def test_a_comment_that_arrives_before_its_call_is_stored(gateway_db: Postgres):
    project_messages(gateway_db, comment_message(0, "рано"))
    project_messages(gateway_db, call_message(state()))
    assert text(gateway_db) == "рано"
    with gateway_db.connection() as conn:
        [row] = page_query.get_page(conn, EVERYTHING, Filters(has=frozenset({Has.COMMENT})), 5).rows
    assert row.call_id == str(call_id(0))


def test_a_later_version_of_a_call_keeps_its_comment(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state(status=Status.MISSED)), comment_message(0, "передзвонити"))
    project_messages(gateway_db, call_message(state(status=Status.RETURNED), 2))
    assert text(gateway_db) == "передзвонити"


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_messages_in_any_order_leave_the_last_version(gateway_db: Postgres, order: tuple[int, ...]):
    texts = {1: "перше", 2: None, 3: "третє"}
    project_messages(gateway_db, call_message(state()))
    for version in order:
        project_messages(
            gateway_db, comment_message(0, texts[version], version), comment_message(0, texts[version], version)
        )
    assert text(gateway_db) == "третє"


def test_a_late_message_does_not_restore_a_deleted_comment(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state()), comment_message(0, None, 2))
    project_messages(gateway_db, comment_message(0, "пізно", 1))
    assert comment(gateway_db) is None
    [row] = rows(gateway_db, "journal_comments")
    assert (row["text"], row["folded_text"], row["author_id"]) == (None, None, None)


def test_each_change_of_a_comment_gets_a_feed_number(gateway_db: Postgres):
    project_messages(
        gateway_db, call_message(state(0)), call_message(state(1)), comment_message(1, "разом із дзвінком")
    )
    both = last(gateway_db)
    assert sorted(feed(gateway_db).values()) == [both - 1, both]
    project_messages(gateway_db, comment_message(0, "так"))
    after = last(gateway_db)
    assert feed(gateway_db)[call_id(0)] == after > both
    project_messages(gateway_db, comment_message(0, "так"))
    assert last(gateway_db) == after


def test_an_rpc_response_is_stored_at_once_and_its_event_changes_nothing(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state()))
    news = comment_message(0, "щойно", 4)
    with gateway_db.connection() as conn:
        projections.upsert_comment(conn, TENANT, 4, news.body["state"])
    shown = text(gateway_db), last(gateway_db)
    assert shown[0] == "щойно"
    project_messages(gateway_db, news)
    project_messages(gateway_db, comment_message(0, "давно", 3))
    assert (text(gateway_db), last(gateway_db)) == shown


def test_another_companys_comment_on_a_call_of_the_same_id_is_not_ours(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state()), comment_message(0, "чуже", tenant="krynytsia"))
    assert comment(gateway_db) is None


@pytest.mark.parametrize("changed", [{"stream": "note-1"}, {"state": {}}, {"version": None}])
def test_a_malformed_message_is_refused_and_nothing_is_written(gateway_db: Postgres, changed: Json):
    good = comment_message(0, "так")
    with pytest.raises(Invalid):
        project_messages(gateway_db, call_message(state()), Message({**good.body, **changed}, good.key))
    assert rows(gateway_db, "journal") == []


def test_an_unknown_author_has_an_empty_name(gateway_db: Postgres):
    project_messages(gateway_db, call_message(state()), comment_message(0, "так"))
    shown = comment(gateway_db)
    assert shown is not None
    assert shown["author"] == {"account_id": str(AUTHOR), "name": ""}
    assert shown["created_at"].startswith(f"{NOON:%Y-%m-%d}")
