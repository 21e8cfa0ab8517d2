"""What calls writes when it hears reports: facts once, rows that follow, returns decided from either side."""

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
from tests.support.scenarios import DAY, TENANT

WINDOW = timedelta(hours=24)
WINDOWS = Windows(WINDOW)
NUMBER = "+380501112233"
MISSED = f"""
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


def told(text: str, call: str) -> list[Body]:
    [scenario] = scenarios.read(text, call)
    return [reports.dump(report) for report in scenario.reports]


def take(db: Postgres, bodies: Sequence[Body]) -> None:
    with db.connection() as conn:
        due = handlers.take_reports(conn, [(body, "test") for body in bodies], WINDOWS)
    while due:
        with db.connection() as conn:
            due = handlers.decide_returns(conn, WINDOWS)


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


def test_a_call_is_told_by_its_reports(calls_db: Postgres) -> None:
    take(calls_db, told(CALL_BACK, "a"))
    shown = state(calls_db, "a")
    assert (shown["status"], shown["talk_time"], shown["wait_time"]) == ("answered", "51.000", "9.000")


def test_every_fact_leaves_one_message_for_the_relay(calls_db: Postgres) -> None:
    take(calls_db, told(CALL_BACK, "a"))
    assert count(calls_db, "events") == count(calls_db, "outbox") == 4


def test_a_report_told_twice_is_one(calls_db: Postgres) -> None:
    take(calls_db, told(CALL_BACK, "a") + told(CALL_BACK, "a"))
    take(calls_db, told(CALL_BACK, "a"))
    assert count(calls_db, "events") == 4


def test_a_report_id_used_for_other_content_is_refused_and_nothing_is_written(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a"))
    other = {**told(MISSED, "a")[1], "data": {"party": "102"}}
    with pytest.raises(Rejected, match="report_id_used_for_other_content"):
        take(calls_db, [*told(CALL_BACK, "b"), other])
    assert count(calls_db, "events") == 3


def test_a_report_id_used_twice_at_once_is_refused(calls_db: Postgres) -> None:
    first, *_ = told(MISSED, "a")
    with pytest.raises(Rejected, match="report_id_used_for_other_content"):
        take(calls_db, [first, {**first, "call": "b"}])


def test_two_tenants_may_use_the_same_report_ids(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a"))
    take(calls_db, [{**body, "tenant": "other", "data": {**body["data"]}} for body in told(MISSED, "a")])
    assert count(calls_db, "calls") == 2


def test_a_malformed_report_is_refused_by_its_place(calls_db: Postgres) -> None:
    good, bad, *_ = told(MISSED, "a")
    with pytest.raises(Invalid) as refused:
        take(calls_db, [good, {**bad, "at": "yesterday"}])
    assert refused.value.errors == {"1": {"at": ["Not an RFC 3339 instant."]}}


def test_a_missed_call_is_returned_by_the_call_back(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a"))
    assert state(calls_db, "a")["status"] == "missed"
    take(calls_db, told(CALL_BACK, "b"))
    shown = state(calls_db, "a")
    assert (shown["status"], shown["returned_by"]) == ("returned", str(call_id(TENANT, "b")))


def test_the_call_back_may_be_heard_of_first(calls_db: Postgres) -> None:
    take(calls_db, told(CALL_BACK, "b"))
    take(calls_db, told(MISSED, "a"))
    assert state(calls_db, "a")["status"] == "returned"


def test_a_call_back_that_proves_to_be_no_outbound_call_is_withdrawn(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a") + told(CALL_BACK, "b"))
    placed_before = {**told(CALL_BACK, "b")[0], "report_id": "earlier", "at": "2026-11-22T10:59:59Z"}
    placed_before["data"] = {**placed_before["data"], "direction": "internal"}
    take(calls_db, [placed_before])
    assert state(calls_db, "a")["status"] == "missed"


def test_a_number_that_cannot_be_decided_is_set_aside_and_holds_up_no_other(calls_db: Postgres, stack: Stack) -> None:
    bad = MISSED.replace(NUMBER, "+380671112233")
    with calls_db.connection() as conn:
        for text, call in ((bad, "bad"), (MISSED, "a"), (CALL_BACK, "b")):
            handlers.take_reports(conn, [(body, "test") for body in told(text, call)], WINDOWS)
    spoil(stack, "bad")
    with calls_db.connection() as conn:
        assert handlers.decide_returns(conn, WINDOWS)
    assert state(calls_db, "a")["status"] == "returned"
    with calls_db.connection() as conn:
        assert not handlers.decide_returns(conn, WINDOWS), "what is set aside is not due"
        [(number, error)] = conn.execute("select number, error from returns_due").fetchall()
    assert (number, bool(error)) == ("+380671112233", True)


def test_nothing_is_set_aside_because_another_writer_was_first(
    calls_db: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with calls_db.connection() as conn:
        handlers.take_reports(conn, [(body, "test") for body in told(MISSED, "a")], WINDOWS)
    monkeypatch.setattr(handlers.policies, "orders_for_returns", Mock(side_effect=Conflict))
    with pytest.raises(Conflict), calls_db.connection() as conn:
        handlers.decide_returns(conn, WINDOWS)
    assert count(calls_db, "returns_due where error is null") == 1


def spoil(stack: Stack, call: str) -> None:
    """Make the call's first event one that nobody understands."""
    with psycopg.connect(stack.env("calls")["OWNER_DATABASE_URL"]) as conn:
        stream = f"call-{call_id(TENANT, call)}"
        conn.execute("update events set type = 'unheard_of' where stream = %s and version = 1", (stream,))


@pytest.mark.parametrize("seed", range(8))
def test_missed_calls_and_call_backs_in_any_order_and_batches_come_to_the_same(calls_db: Postgres, seed: int) -> None:
    bodies = told(MISSED, "a") + told(MISSED.replace("10:", "12:"), "c") + told(CALL_BACK, "b")
    bodies += told(CALL_BACK.replace("11:", "13:"), "d") + told(CALL_BACK.replace("11:", "14:"), "e")
    shuffler = random.Random(seed)
    heard = bodies + shuffler.sample(bodies, 6)
    shuffler.shuffle(heard)
    while heard:
        size = shuffler.randint(1, 6)
        take(calls_db, heard[:size])
        del heard[:size]
    returned = {call: state(calls_db, call)["returned_by"] for call in "ac"}
    assert returned == {"a": str(call_id(TENANT, "b")), "c": str(call_id(TENANT, "d"))}


def test_many_consumers_at_once_write_each_fact_once(calls_db: Postgres) -> None:
    calls = [f"c{number}" for number in range(30)]
    bodies = [body for call in calls for body in told(MISSED if call.endswith("1") else CALL_BACK, call)]

    def consume(seed: int) -> None:
        mine = list(bodies)
        random.Random(seed).shuffle(mine)
        for start in range(0, len(mine), 10):
            take(calls_db, mine[start : start + 10])

    threads = [threading.Thread(target=consume, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with calls_db.connection() as conn:
        facts = conn.execute("select count(*) from events where type <> 'call_returned'").fetchone()
    assert facts == (len(bodies),)
    assert {state(calls_db, call)["status"] for call in calls} == {"returned", "answered"}


def test_the_row_is_what_a_replay_of_the_stream_gives(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a") + told(CALL_BACK, "b"))
    for call in "ab":
        stream = f"call-{call_id(TENANT, call)}"
        with calls_db.connection() as conn:
            replayed = decider.replay(domain, store.read(conn, [stream])[stream])
        assert handlers.describe(stream, replayed) == state(calls_db, call)


def test_the_watchdog_ends_a_call_that_nobody_reports_on(calls_db: Postgres) -> None:
    with clock.fixed(DAY):
        take(calls_db, told(CALL_BACK, "b")[:3])
    with clock.fixed(DAY + timedelta(hours=12, seconds=1)), calls_db.connection() as conn:
        assert handlers.give_up_silent_calls(conn, timedelta(hours=12), WINDOWS) == 1
    shown = state(calls_db, "b")
    assert (shown["status"], shown["ended_at"]) == ("network_error", "2026-11-22T11:00:09.000000Z")


def test_the_watchdog_leaves_a_call_that_was_reported_on_in_time(calls_db: Postgres) -> None:
    with clock.fixed(DAY):
        take(calls_db, told(CALL_BACK, "b")[:3])
    with clock.fixed(DAY + timedelta(hours=12)), calls_db.connection() as conn:
        assert handlers.give_up_silent_calls(conn, timedelta(hours=12), WINDOWS) == 0


def test_an_end_however_late_replaces_the_watchdogs(calls_db: Postgres) -> None:
    with clock.fixed(DAY):
        take(calls_db, told(CALL_BACK, "b")[:3])
    with clock.fixed(DAY + timedelta(hours=13)), calls_db.connection() as conn:
        handlers.give_up_silent_calls(conn, timedelta(hours=12), WINDOWS)
    take(calls_db, told(CALL_BACK, "b"))
    assert state(calls_db, "b")["status"] == "answered"


def test_the_timeline_is_in_the_order_of_happening(calls_db: Postgres) -> None:
    take(calls_db, list(reversed(told(CALL_BACK, "b"))))
    with calls_db.connection() as conn:
        events = queries.timeline(conn, TENANT, call_id(TENANT, "b"))
    assert [event["type"] for event in events] == ["call_placed", "party_rang", "call_answered", "call_ended"]


@pytest.mark.parametrize("seed", range(5))
def test_what_happens_in_one_instant_stands_in_the_order_of_a_calls_life(calls_db: Postgres, seed: int) -> None:
    bodies = [{**body, "at": "2026-11-22T11:00:00Z"} for body in told(CALL_BACK, "b")]
    random.Random(seed).shuffle(bodies)
    for body in bodies:
        take(calls_db, [body])
    with calls_db.connection() as conn:
        events = queries.timeline(conn, TENANT, call_id(TENANT, "b"))
    assert [event["type"] for event in events] == ["call_placed", "party_rang", "call_answered", "call_ended"]


def test_the_last_word_of_a_timeline_is_the_state_of_the_row(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a") + told(CALL_BACK, "b"))
    placed_before = {**told(CALL_BACK, "b")[0], "report_id": "earlier", "at": "2026-11-22T10:59:59Z"}
    placed_before["data"] = {**placed_before["data"], "direction": "internal"}
    take(calls_db, [placed_before])
    with calls_db.connection() as conn:
        events = queries.timeline(conn, TENANT, call_id(TENANT, "a"))
    assert [event["type"] for event in events[-2:]] == ["call_returned", "call_return_withdrawn"]


def test_the_watchdog_ends_no_call_that_was_reported_on_while_it_looked(calls_db: Postgres) -> None:
    with clock.fixed(DAY):
        take(calls_db, told(CALL_BACK, "b")[:2])
    looked, given_up = threading.Event(), list[int]()
    with clock.fixed(DAY + timedelta(hours=13)), calls_db.connection() as reporting:
        store.lock(reporting, [f"call-{call_id(TENANT, 'b')}"])

        def watch() -> None:
            with calls_db.connection() as conn:
                looked.set()
                given_up.append(handlers.give_up_silent_calls(conn, timedelta(hours=12), WINDOWS))

        watching = threading.Thread(target=watch)
        watching.start()
        looked.wait()
        handlers.take_reports(reporting, [(told(CALL_BACK, "b")[2], "test")], WINDOWS)
    watching.join()
    assert given_up == [0]


def test_a_call_of_another_tenant_has_no_timeline(calls_db: Postgres) -> None:
    take(calls_db, told(CALL_BACK, "b"))
    with calls_db.connection() as conn, pytest.raises(NotFound):
        queries.timeline(conn, "other", call_id(TENANT, "b"))


def resend(db: Postgres, command: UUID, tenant: str = TENANT) -> Any:
    with db.connection() as conn:
        return handlers.resend(conn, command, tenant, None, None, 100)


def test_resending_publishes_the_current_state_of_each_call_once(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a") + told(CALL_BACK, "b"))
    before = count(calls_db, "outbox")
    assert resend(calls_db, uuid4())["sent"] == 2
    assert count(calls_db, "outbox") == before + 2


def test_a_resend_given_three_times_at_once_is_carried_out_once_and_answered_alike(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a") + told(CALL_BACK, "b"))
    before, command, answers = count(calls_db, "outbox"), uuid4(), list[Any]()
    threads = [threading.Thread(target=lambda: answers.append(resend(calls_db, command))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(calls_db, "outbox") == before + 2
    assert answers == [answers[0]] * 3


def test_a_tenant_cannot_resend_the_calls_of_another(calls_db: Postgres) -> None:
    take(calls_db, told(MISSED, "a"))
    with calls_db.connection() as conn:
        answer = handlers.resend(conn, uuid4(), "other", [call_id(TENANT, "a")], None, 100)
    assert answer["sent"] == 0


@pytest.mark.parametrize("forbidden", ["update events set tenant = 'x'", "delete from events", "truncate events"])
def test_the_service_itself_cannot_rewrite_history(calls_db: Postgres, forbidden: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege), calls_db.connection() as conn:
        conn.execute(forbidden)


class TestSettings:
    def said(self, hours: int | None, version: int = 2, tenant: str = TENANT) -> Body:
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

    def keep(self, db: Postgres, *said: Body) -> Windows:
        with db.connection() as conn:
            handlers.keep_settings(conn, said)
            return queries.windows(conn, WINDOW)

    def test_a_company_sets_how_long_a_call_back_counts(self, calls_db: Postgres) -> None:
        windows = self.keep(calls_db, self.said(48))
        assert (windows.of(TENANT), windows.of("another")) == (timedelta(hours=48), WINDOW)

    def test_what_it_has_not_set_is_as_everywhere(self, calls_db: Postgres) -> None:
        assert self.keep(calls_db, self.said(48), self.said(None, 3)).of(TENANT) == WINDOW

    @pytest.mark.parametrize("order", [(2, 3, 4), (4, 3, 2), (3, 4, 2), (4, 2, 4)])
    @pytest.mark.parametrize("at_once", [True, False])
    def test_the_newest_stays_however_they_come(self, calls_db: Postgres, order: Sequence[int], at_once: bool) -> None:
        said = [self.said(version * 10, version) for version in order]
        for batch in [said] if at_once else [[one] for one in said]:
            windows = self.keep(calls_db, *batch)
        assert windows.of(TENANT) == timedelta(hours=40)

    def test_what_is_malformed_is_refused(self, calls_db: Postgres) -> None:
        with pytest.raises(ValidationError):
            self.keep(calls_db, self.said(48) | {"version": "2"})

    def test_a_call_back_counts_within_the_time_of_its_company(self, calls_db: Postgres) -> None:
        """It came 59 minutes after the missed call."""
        for hours, status in ((1, "returned"), (0, "missed")):
            windows = Windows(WINDOW, {TENANT: timedelta(hours=hours)})
            with calls_db.connection() as conn:
                calls = f"{hours}-missed", f"{hours}-back"
                bodies = [
                    body for text, call in zip((MISSED, CALL_BACK), calls, strict=True) for body in told(text, call)
                ]
                handlers.take_reports(conn, [(body, "test") for body in bodies], windows)
                handlers.decide_returns(conn, windows)
            assert state(calls_db, calls[0])["status"] == status
