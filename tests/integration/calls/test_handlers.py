"""Handlers of calls against PostgreSQL: events, rows, returned calls, stale calls and settings."""

import random
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from uuid import UUID, uuid4

import psycopg
import pytest
from marshmallow import ValidationError
from psycopg import errors

from services.calls import handlers, queries
from services.calls.domain import call as domain
from services.calls.domain.returns import Windows
from shared.contracts.calls import reports
from shared.contracts.calls.events import call_id
from shared.contracts.errors import Conflict, Invalid, NotFound, Rejected
from shared.contracts.event import Recorded
from shared.contracts.gateway.events import SettingsChanged
from shared.contracts.wire import encode, message
from shared.plumbing import clock, decider, store
from shared.plumbing.database import Postgres
from tests.support import scenarios
from tests.support.infrastructure import Stack
from tests.support.problems import field_codes, refused
from tests.support.scenarios import DAY, TENANT

WINDOW = timedelta(hours=24)
WINDOWS = Windows(WINDOW)
NUMBER = "+380501112233"
MISSED_CALLS = f"""
    10:00:00 | placed   | inbound {NUMBER} -> +380443303018
    10:00:02 | ringing  | 101
    10:00:30 | ended    | by caller, cause 16
    => missed
"""
CALL_BACK = f"""
    11:00:00 | placed   | outbound 101 -> {NUMBER}
    11:00:05 | ringing  | {NUMBER}
    11:00:09 | answered | {NUMBER}
    11:01:00 | ended    | by callee, cause 16
    => answered
"""
Body = dict[str, Any]


def bodies_of(text: str, call: str) -> list[Body]:
    [scenario] = scenarios.read(text, call)
    return [reports.dump(report) for report in scenario.reports]


def record(db: Postgres, bodies: Sequence[Body]) -> None:
    with db.connection() as conn:
        due = handlers.record_reports(conn, [(body, "test") for body in bodies], WINDOWS)
    while due:
        with db.connection() as conn:
            due = handlers.recompute_returns(conn, WINDOWS)


def state(db: Postgres, call: str) -> Body:
    with db.connection() as conn:
        row = conn.execute("select state from calls where call_id = %s", (call_id(TENANT, call),)).fetchone()
    assert row, f"there is no call {call}"
    return row[0]


def count(db: Postgres, table: str) -> int:
    with db.connection() as conn:
        row = conn.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])


def test_reports_create_a_call(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(CALL_BACK, "a"))
    row = state(calls_db, "a")
    assert (row["status"], row["talk_time"], row["wait_time"]) == ("answered", "51.000", "9.000")


def test_each_event_has_one_outbox_row(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(CALL_BACK, "a"))
    assert count(calls_db, "events") == count(calls_db, "outbox") == 4


def test_a_repeated_report_is_recorded_once(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(CALL_BACK, "a") + bodies_of(CALL_BACK, "a"))
    record(calls_db, bodies_of(CALL_BACK, "a"))
    assert count(calls_db, "events") == 4


def test_a_report_id_with_other_content_is_rejected(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a"))
    other = {**bodies_of(MISSED_CALLS, "a")[1], "data": {"party": "102"}}
    with refused("report_id_used_for_other_content", Rejected):
        record(calls_db, [*bodies_of(CALL_BACK, "b"), other])
    assert count(calls_db, "events") == 3


def test_a_report_id_with_other_content_in_the_same_batch_is_rejected(calls_db: Postgres) -> None:
    first, *_ = bodies_of(MISSED_CALLS, "a")
    with refused("report_id_used_for_other_content", Rejected):
        record(calls_db, [first, {**first, "call": "b"}])


def test_two_tenants_may_use_the_same_report_ids(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a"))
    record(calls_db, [{**body, "tenant": "other", "data": {**body["data"]}} for body in bodies_of(MISSED_CALLS, "a")])
    assert count(calls_db, "calls") == 2


def test_a_malformed_report_is_rejected_with_its_position(calls_db: Postgres) -> None:
    good, bad, *_ = bodies_of(MISSED_CALLS, "a")
    with pytest.raises(Invalid) as refusal:
        record(calls_db, [good, {**bad, "at": "yesterday"}])
    assert field_codes(refusal.value.errors) == {"1.at": ["not_instant"]}


def test_a_missed_call_is_returned_by_the_call_back(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a"))
    assert state(calls_db, "a")["status"] == "missed"
    record(calls_db, bodies_of(CALL_BACK, "b"))
    row = state(calls_db, "a")
    assert (row["status"], row["returned_by"]) == ("returned", str(call_id(TENANT, "b")))


def test_the_call_back_may_be_reported_first(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(CALL_BACK, "b"))
    record(calls_db, bodies_of(MISSED_CALLS, "a"))
    assert state(calls_db, "a")["status"] == "returned"


def test_a_return_is_withdrawn_when_the_call_back_is_corrected(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a") + bodies_of(CALL_BACK, "b"))
    placed_before = {**bodies_of(CALL_BACK, "b")[0], "report_id": "earlier", "at": "2026-11-22T10:59:59Z"}
    placed_before["data"] = {**placed_before["data"], "direction": "internal"}
    record(calls_db, [placed_before])
    assert state(calls_db, "a")["status"] == "missed"


def test_a_failing_number_is_stored_with_its_error_and_does_not_block_others(calls_db: Postgres, stack: Stack) -> None:
    bad = MISSED_CALLS.replace(NUMBER, "+380671112233")
    with calls_db.connection() as conn:
        for text, call in ((bad, "bad"), (MISSED_CALLS, "a"), (CALL_BACK, "b")):
            handlers.record_reports(conn, [(body, "test") for body in bodies_of(text, call)], WINDOWS)
    corrupt_first_event(stack, "bad")
    with calls_db.connection() as conn:
        assert handlers.recompute_returns(conn, WINDOWS)
    assert state(calls_db, "a")["status"] == "returned"
    with calls_db.connection() as conn:
        assert not handlers.recompute_returns(conn, WINDOWS), "what is set aside is not due"
        [(number, error)] = conn.execute("select number, error from returns_due").fetchall()
    assert (number, bool(error)) == ("+380671112233", True)


def test_a_conflict_leaves_the_batch_pending(calls_db: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    with calls_db.connection() as conn:
        handlers.record_reports(conn, [(body, "test") for body in bodies_of(MISSED_CALLS, "a")], WINDOWS)
    monkeypatch.setattr(handlers.policies, "return_commands", Mock(side_effect=Conflict))
    with pytest.raises(Conflict), calls_db.connection() as conn:
        handlers.recompute_returns(conn, WINDOWS)
    assert count(calls_db, "returns_due where error is null") == 1


def corrupt_first_event(stack: Stack, call: str) -> None:
    """Give the first event of the call an unknown schema version."""
    with psycopg.connect(stack.env("calls")["OWNER_DATABASE_URL"]) as conn:
        stream = f"call-{call_id(TENANT, call)}"
        conn.execute("update events set type = 'unheard_of' where stream = %s and version = 1", (stream,))


@pytest.mark.parametrize("seed", range(8))
def test_returns_do_not_depend_on_order_and_batches(calls_db: Postgres, seed: int) -> None:
    bodies = (
        bodies_of(MISSED_CALLS, "a") + bodies_of(MISSED_CALLS.replace("10:", "12:"), "c") + bodies_of(CALL_BACK, "b")
    )
    bodies += bodies_of(CALL_BACK.replace("11:", "13:"), "d") + bodies_of(CALL_BACK.replace("11:", "14:"), "e")
    shuffler = random.Random(seed)
    heard = bodies + shuffler.sample(bodies, 6)
    shuffler.shuffle(heard)
    while heard:
        size = shuffler.randint(1, 6)
        record(calls_db, heard[:size])
        del heard[:size]
    returned = {call: state(calls_db, call)["returned_by"] for call in "ac"}
    assert returned == {"a": str(call_id(TENANT, "b")), "c": str(call_id(TENANT, "d"))}


def test_concurrent_consumers_record_each_report_once(calls_db: Postgres) -> None:
    calls = [f"c{number}" for number in range(30)]
    bodies = [body for call in calls for body in bodies_of(MISSED_CALLS if call.endswith("1") else CALL_BACK, call)]

    def consume(seed: int) -> None:
        mine = list(bodies)
        random.Random(seed).shuffle(mine)
        for start in range(0, len(mine), 10):
            record(calls_db, mine[start : start + 10])

    threads = [threading.Thread(target=consume, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with calls_db.connection() as conn:
        facts = conn.execute("select count(*) from events where type <> 'call_returned'").fetchone()
    assert facts == (len(bodies),)
    assert {state(calls_db, call)["status"] for call in calls} == {"returned", "answered"}


def test_the_row_equals_a_replay_of_the_stream(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a") + bodies_of(CALL_BACK, "b"))
    for call in "ab":
        stream = f"call-{call_id(TENANT, call)}"
        with calls_db.connection() as conn:
            replayed = decider.replay(domain, store.read(conn, [stream])[stream])
        assert handlers.published_state(stream, replayed) == state(calls_db, call)


def test_a_call_without_reports_is_given_up(calls_db: Postgres) -> None:
    with clock.fixed(DAY):
        record(calls_db, bodies_of(CALL_BACK, "b")[:3])
    with clock.fixed(DAY + timedelta(hours=12, seconds=1)), calls_db.connection() as conn:
        assert handlers.give_up_stale_calls(conn, timedelta(hours=12), WINDOWS) == 1
    row = state(calls_db, "b")
    assert (row["status"], row["ended_at"]) == ("network_error", "2026-11-22T11:00:09.000000Z")


def test_a_call_with_a_recent_report_is_not_given_up(calls_db: Postgres) -> None:
    with clock.fixed(DAY):
        record(calls_db, bodies_of(CALL_BACK, "b")[:3])
    with clock.fixed(DAY + timedelta(hours=12)), calls_db.connection() as conn:
        assert handlers.give_up_stale_calls(conn, timedelta(hours=12), WINDOWS) == 0


def test_a_late_end_replaces_giving_up(calls_db: Postgres) -> None:
    with clock.fixed(DAY):
        record(calls_db, bodies_of(CALL_BACK, "b")[:3])
    with clock.fixed(DAY + timedelta(hours=13)), calls_db.connection() as conn:
        handlers.give_up_stale_calls(conn, timedelta(hours=12), WINDOWS)
    record(calls_db, bodies_of(CALL_BACK, "b"))
    assert state(calls_db, "b")["status"] == "answered"


def test_the_timeline_is_sorted_by_time(calls_db: Postgres) -> None:
    record(calls_db, list(reversed(bodies_of(CALL_BACK, "b"))))
    with calls_db.connection() as conn:
        events = queries.timeline(conn, TENANT, call_id(TENANT, "b"))
    assert [event["type"] for event in events] == ["call_placed", "party_rang", "call_answered", "call_ended"]


@pytest.mark.parametrize("seed", range(5))
def test_events_of_one_instant_are_sorted_by_type(calls_db: Postgres, seed: int) -> None:
    bodies = [{**body, "at": "2026-11-22T11:00:00Z"} for body in bodies_of(CALL_BACK, "b")]
    random.Random(seed).shuffle(bodies)
    for body in bodies:
        record(calls_db, [body])
    with calls_db.connection() as conn:
        events = queries.timeline(conn, TENANT, call_id(TENANT, "b"))
    assert [event["type"] for event in events] == ["call_placed", "party_rang", "call_answered", "call_ended"]


def test_the_timeline_replays_to_the_state_of_the_row(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a") + bodies_of(CALL_BACK, "b"))
    placed_before = {**bodies_of(CALL_BACK, "b")[0], "report_id": "earlier", "at": "2026-11-22T10:59:59Z"}
    placed_before["data"] = {**placed_before["data"], "direction": "internal"}
    record(calls_db, [placed_before])
    with calls_db.connection() as conn:
        events = queries.timeline(conn, TENANT, call_id(TENANT, "a"))
    assert [event["type"] for event in events[-2:]] == ["call_returned", "call_return_withdrawn"]


def test_a_call_reported_concurrently_is_not_given_up(calls_db: Postgres) -> None:
    with clock.fixed(DAY):
        record(calls_db, bodies_of(CALL_BACK, "b")[:2])
    looked, given_up = threading.Event(), list[int]()
    with clock.fixed(DAY + timedelta(hours=13)), calls_db.connection() as reporting:
        store.lock(reporting, [f"call-{call_id(TENANT, 'b')}"])

        def watch() -> None:
            with calls_db.connection() as conn:
                looked.set()
                given_up.append(handlers.give_up_stale_calls(conn, timedelta(hours=12), WINDOWS))

        watching = threading.Thread(target=watch)
        watching.start()
        looked.wait()
        handlers.record_reports(reporting, [(bodies_of(CALL_BACK, "b")[2], "test")], WINDOWS)
    watching.join()
    assert given_up == [0]


def test_a_call_of_another_tenant_has_no_timeline(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(CALL_BACK, "b"))
    with calls_db.connection() as conn, pytest.raises(NotFound):
        queries.timeline(conn, "other", call_id(TENANT, "b"))


def resend(db: Postgres, command: UUID, tenant: str = TENANT) -> Any:
    with db.connection() as conn:
        return handlers.resend(conn, command, tenant, None, None, 100)


def test_resending_publishes_the_current_state_of_each_call_once(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a") + bodies_of(CALL_BACK, "b"))
    before = count(calls_db, "outbox")
    assert resend(calls_db, uuid4())["sent"] == 2
    assert count(calls_db, "outbox") == before + 2


def test_a_concurrently_repeated_resend_is_executed_once_with_the_same_result(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a") + bodies_of(CALL_BACK, "b"))
    before, command, answers = count(calls_db, "outbox"), uuid4(), list[Any]()
    threads = [threading.Thread(target=lambda: answers.append(resend(calls_db, command))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(calls_db, "outbox") == before + 2
    assert answers == [answers[0]] * 3


def test_a_tenant_cannot_resend_the_calls_of_another(calls_db: Postgres) -> None:
    record(calls_db, bodies_of(MISSED_CALLS, "a"))
    with calls_db.connection() as conn:
        answer = handlers.resend(conn, uuid4(), "other", [call_id(TENANT, "a")], None, 100)
    assert answer["sent"] == 0


@pytest.mark.parametrize("forbidden", ["update events set tenant = 'x'", "delete from events", "truncate events"])
def test_the_service_has_no_permission_to_change_events(calls_db: Postgres, forbidden: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege), calls_db.connection() as conn:
        conn.execute(forbidden)


class TestSettings:
    def settings_message(self, hours: int | None, version: int = 2, tenant: str = TENANT) -> Body:
        event = SettingsChanged(
            time_zone="Europe/Kyiv",
            region="UA",
            price_delay_seconds=None,
            returned_window_hours=hours,
            retention_days=None,
            currency="UAH",
        )
        recorded = Recorded(
            id=uuid4(),
            tenant=tenant,
            stream=f"settings-{tenant}",
            version=version,
            recorded_at=clock.now(),
            correlation_id="test",
            event=event,
        )
        return message(recorded, encode(event), {})

    def save(self, db: Postgres, *messages: Body) -> Windows:
        with db.connection() as conn:
            handlers.save_settings(conn, messages)
            return queries.windows(conn, WINDOW)

    def test_a_company_sets_its_return_window(self, calls_db: Postgres) -> None:
        windows = self.save(calls_db, self.settings_message(48))
        assert (windows.of(TENANT), windows.of("another")) == (timedelta(hours=48), WINDOW)

    def test_the_default_window_applies_without_a_setting(self, calls_db: Postgres) -> None:
        assert self.save(calls_db, self.settings_message(48), self.settings_message(None, 3)).of(TENANT) == WINDOW

    @pytest.mark.parametrize("order", [(2, 3, 4), (4, 3, 2), (3, 4, 2), (4, 2, 4)])
    @pytest.mark.parametrize("batched", [True, False])
    def test_the_newest_settings_win_in_any_order(
        self, calls_db: Postgres, order: Sequence[int], batched: bool
    ) -> None:
        messages = [self.settings_message(version * 10, version) for version in order]
        for batch in [messages] if batched else [[message_] for message_ in messages]:
            windows = self.save(calls_db, *batch)
        assert windows.of(TENANT) == timedelta(hours=40)

    def test_malformed_settings_are_rejected(self, calls_db: Postgres) -> None:
        with pytest.raises(ValidationError):
            self.save(calls_db, self.settings_message(48) | {"version": "2"})

    def test_a_call_back_counts_within_the_window_of_its_company(self, calls_db: Postgres) -> None:
        """It came 59 minutes after the missed call."""
        for hours, status in ((1, "returned"), (0, "missed")):
            windows = Windows(WINDOW, {TENANT: timedelta(hours=hours)})
            with calls_db.connection() as conn:
                calls = f"{hours}-missed", f"{hours}-back"
                bodies = [
                    body
                    for text, call in zip((MISSED_CALLS, CALL_BACK), calls, strict=True)
                    for body in bodies_of(text, call)
                ]
                handlers.record_reports(conn, [(body, "test") for body in bodies], windows)
                handlers.recompute_returns(conn, windows)
            assert state(calls_db, calls[0])["status"] == status
