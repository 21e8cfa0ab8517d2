"""From the end of a call to its price: never before it is due, once per version of its facts, in any order."""

import random
import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from marshmallow import ValidationError

from services.billing import handlers, policies, queries
from services.billing.domain import charge as domain
from services.billing.rate_book_cache import RateBookCache
from shared.contracts.values import Direction, Phase
from shared.plumbing import clock, decider, store
from tests.integration.billing.company import (
    MOBILE,
    NOON,
    NUMBER,
    OTHER,
    RATES,
    TENANT,
    TERMS,
    Billing,
    Message,
    a_rate,
    call_id,
    ended,
    freephone,
    settings,
    told,
)


def test_a_price_appears_five_minutes_after_the_end_and_not_a_microsecond_before(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")))
    assert billing.rate(after=299.999999) == 0
    assert billing.price("a") | {"history": []} == {
        "state": "pending",
        "amount": None,
        "currency": None,
        "due_at": "2026-11-22T12:05:00.000000Z",
        "priced_at": None,
        "reason": None,
        "number": None,
        "tariff": None,
        "lines": [],
        "history": [],
    }
    assert billing.rate(after=300) == 1
    shown = billing.price("a")
    assert (shown["state"], shown["amount"], shown["currency"]) == ("priced", "1.2000", "UAH")
    assert (shown["due_at"], shown["priced_at"]) == ("2026-11-22T12:05:00.000000Z",) * 2


def test_a_call_is_priced_once_and_one_message_is_left_for_the_relay(billing: Billing) -> None:
    billing.tariff()
    before = billing.count("outbox")
    billing.hear(told(ended("a")), told(ended("a")))
    billing.rate(after=300)
    billing.hear(told(ended("a")))
    assert billing.rate(after=400) == 0
    assert billing.count("outbox") == before + 1


def test_the_price_has_its_lines_and_explains_them(billing: Billing) -> None:
    tariff_id = billing.tariff()
    billing.hear(told(freephone("a", talked=90, forwarded_after=30)))
    billing.rate(after=300)
    shown = billing.price("a")
    lines = [(line["leg"], line["prefix"], line["billed_seconds"], line["amount"]) for line in shown["lines"]]
    assert lines == [("inbound", "+380", 90, "0.4500"), ("forwarded", "+38067", 60, "0.6000")]
    assert shown["amount"] == "1.0500"
    assert shown["tariff"] == {"id": str(tariff_id), "name": "Тариф", "version": 1}
    assert shown["lines"][1]["explanation"] == (
        "Тариф (version 1), outbound +38067: 60 s talked, 0 s free; 1 s + 59 × 1 s = 60 s billed; "
        "60 × 0.60 / 60 + 0 connection fee, 0 at least, rounded half_up to 4 digits = 0.6000"
    )


@pytest.mark.parametrize("state", [ended("a", None), ended("a", 60, direction=Direction.INTERNAL)])
def test_unanswered_and_internal_calls_cost_nothing_at_the_same_moment_with_no_tariff_at_all(
    billing: Billing, state: Any
) -> None:
    billing.hear(told(state))
    assert billing.rate(after=299) == 0
    billing.rate(after=300)
    assert (billing.amount("a"), billing.price("a")["currency"]) == ("0.00", "UAH")


def test_live_calls_and_those_that_nobody_placed_are_not_due(billing: Billing) -> None:
    billing.hear(told(ended("a", phase=Phase.TALKING)))
    billing.hear(told(ended("b", placed_at=None, direction=None)))
    billing.hear(Message({"type": "heartbeat"}, "heartbeat"))
    assert billing.rate(after=9999) == 0
    assert billing.price("a")["state"] == "not_due"


def test_a_call_of_which_the_clock_is_off_is_due_after_its_receipt(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a"), received=61))
    assert billing.rate(after=360.9) == 0
    assert billing.rate(after=361) == 1


def test_whatever_the_clock_does_a_call_is_priced_once_and_not_before_it_says_that_it_is_due(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")), told(ended("b")))
    hour = 3600
    assert [billing.rate(after=300 + jump) for jump in (-hour, -0.1)] == [0, 0]
    assert billing.rate(after=300, most=1) == 1
    assert [billing.rate(after=300 + jump) for jump in (-hour, hour, -hour, 0)] == [0, 1, 0, 0]
    assert [billing.price(name)["history"] for name in "ab"] == [[], []]


def test_a_company_may_have_a_delay_and_a_currency_of_its_own(billing: Billing) -> None:
    with billing.db.connection() as conn:
        handlers.save_settings(conn, [settings(TENANT, 10, version=2), settings(TENANT, 99, version=1)])
        handlers.save_settings(conn, [settings(TENANT, 99, version=1)])
    billing.hear(told(ended("a", None)), told(ended("b", None), tenant=OTHER))
    assert billing.rate(after=10) == 1
    assert (billing.price("a")["currency"], billing.price("b", OTHER)["state"]) == ("EUR", "pending")


def test_a_company_that_has_set_no_delay_has_that_of_the_installation(billing: Billing) -> None:
    with billing.db.connection() as conn:
        handlers.save_settings(conn, [settings(TENANT, None, version=1)])
    billing.hear(told(ended("a", None)))
    assert billing.rate(after=299) == 0
    assert billing.rate(after=300) == 1


def test_what_is_malformed_is_refused(billing: Billing) -> None:
    message = told(ended("a"))
    with pytest.raises(ValidationError, match="ended_at"):
        billing.hear(Message({**message.body, "state": {**message.body["state"], "ended_at": "yesterday"}}))
    with pytest.raises(ValidationError, match="tenant"):
        billing.hear(Message({**message.body, "tenant": None}))
    assert billing.count("calls") == 0


def test_a_correction_before_the_price_is_priced_when_the_corrected_end_is_due(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")))
    billing.hear(told(ended("a", 120, ended_at=NOON + timedelta(seconds=60)), version=6, received=90))
    assert billing.rate(after=300) == 0
    assert billing.rate(after=360) == 1
    assert billing.amount("a") == "2.4000"
    assert billing.price("a")["history"] == []


def test_a_late_correction_rates_the_call_again_and_keeps_the_earlier_price(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")))
    billing.rate(after=300)
    billing.hear(told(ended("a", 30), version=5, received=4000))
    assert billing.rate(after=4001) == 1
    shown = billing.price("a")
    [earlier] = shown["history"]
    assert (shown["amount"], earlier["amount"], earlier["difference"]) == ("0.6000", "1.2000", "-0.6000")
    assert (earlier["why"], earlier["by"], earlier["replaced_at"]) == ("corrected", None, "2026-11-22T13:06:41.000000Z")
    assert earlier["lines"][0]["billed_seconds"] == 60


def test_a_correction_that_changes_no_price_fact_leaves_the_price_alone(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")))
    billing.rate(after=300)
    billing.hear(told(ended("a", recorded=True, rung=["101"]), version=5, received=4000))
    assert billing.rate(after=9000) == 0


def test_no_tariff_and_no_rate_are_reasons_that_a_person_can_act_on(billing: Billing) -> None:
    billing.hear(told(ended("a")))
    billing.rate(after=300)
    billing.tariff([a_rate("+38067", "1")])
    billing.hear(told(ended("b")), told(ended("c", 10**9)))
    billing.rate(after=300)
    found = [billing.price(name) for name in "abc"]
    assert [(one["state"], one["reason"], one["number"], one["amount"]) for one in found] == [
        ("failed", "no_tariff", None, None),
        ("failed", "no_rate", NUMBER, None),
        ("failed", "talk_too_long", NUMBER, None),
    ]


def test_failed_prices_are_listed_and_priced_when_the_tariff_is_mended(billing: Billing) -> None:
    billing.hear(told(ended("a")), told(ended("b", None)), told(ended("c"), tenant=OTHER))
    billing.rate(after=300)
    with billing.db.autocommit() as conn:
        page = {"tenant": TENANT, "limit": 50, "after_at": None, "after_id": None}
        assert [one["call_id"] for one in queries.failed(conn, **page)] == [str(call_id("a"))]
    assert billing.retry("a", "b", "c") == {"retried": 1}
    assert billing.rate(after=301) == 1
    assert billing.price("a")["state"] == "failed"
    billing.tariff()
    assert billing.rate(after=302) == 0
    assert billing.retry("a") == {"retried": 1}
    billing.rate(after=303)
    shown = billing.price("a")
    assert (shown["state"], shown["amount"]) == ("priced", "1.2000")
    assert [(one["state"], one["reason"]) for one in shown["history"]] == [("failed", "no_tariff")]


def test_a_retry_sent_twice_is_one(billing: Billing) -> None:
    billing.hear(told(ended("a")))
    billing.rate(after=300)
    command = uuid4()
    assert billing.retry("a", command_id=command) == {"retried": 1}
    billing.rate(after=301)
    assert billing.retry("a", command_id=command) == {"retried": 1}
    assert billing.rate(after=302) == 0


def test_another_company_sees_no_price_and_retries_none(billing: Billing) -> None:
    billing.hear(told(ended("a")))
    billing.rate(after=300)
    assert billing.price("a", OTHER)["state"] == "not_due"
    assert billing.retry("a", tenant=OTHER) == {"retried": 0}


@pytest.mark.parametrize("seed", range(6))
def test_versions_heard_in_any_order_batches_and_number_come_to_the_same(billing: Billing, seed: int) -> None:
    billing.tariff()
    versions = []
    for name in range(4):
        versions += [
            told(ended(name, phase=Phase.TALKING), version=3),
            told(ended(name), version=4),
            told(ended(name, 90), version=5, received=20),
            told(ended(name, 30, callee=MOBILE), version=6, received=70),
            told(ended(name, 30, callee=MOBILE, recorded=True), version=7, received=80),
        ]
    chance = random.Random(seed)
    heard = versions + chance.sample(versions, 8)
    chance.shuffle(heard)
    while heard:
        size = chance.randint(1, 7)
        billing.hear(*heard[:size])
        del heard[:size]
    assert billing.rate(after=299.9) == 0
    assert billing.rate(after=300) == 4
    assert {billing.amount(name) for name in range(4)} == {"0.3000"}
    assert billing.count("events") == 4 + 2


def test_many_replicas_share_the_work_and_price_each_call_once(billing: Billing) -> None:
    billing.tariff()
    names = range(200)
    billing.hear(*(told(ended(name)) for name in names))
    rated = list[int]()

    def replica() -> None:
        books = RateBookCache()
        with clock.fixed(NOON + timedelta(seconds=300)):
            while True:
                with billing.db.connection() as conn:
                    rated.append(policies.rate_due(conn, books, TERMS, 7))
                if not rated[-1]:
                    return

    threads = [threading.Thread(target=replica) for _ in range(4)]
    billing.now = NOON + timedelta(seconds=300)
    with clock.fixed(billing.now):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(rated) == 200
    assert billing.count("charges") == 200
    assert billing.count("events") == 200 + 2


def test_a_correction_heard_while_the_call_is_rated_is_not_lost(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")))
    hearing = threading.Thread(target=lambda: billing.hear(told(ended("a", 30), version=5)))
    with clock.fixed(NOON + timedelta(seconds=300)), billing.db.connection() as conn:
        assert policies.rate_due(conn, billing.books, TERMS, 10) == 1
        hearing.start()
    hearing.join()
    assert billing.rate(after=300) == 1
    assert billing.amount("a") == "0.6000"


def test_a_replica_that_dies_while_it_rates_loses_and_doubles_nothing(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")))

    def die_before_the_commit() -> None:
        with billing.db.connection() as conn:
            policies.rate_due(conn, billing.books, TERMS, 10)
            raise RuntimeError("killed")

    with clock.fixed(NOON + timedelta(seconds=300)), pytest.raises(RuntimeError, match="killed"):
        die_before_the_commit()
    assert billing.price("a")["state"] == "pending"
    assert billing.rate(after=300) == 1
    assert billing.count("charges") == 1


def test_the_tariff_in_force_when_the_call_was_answered_rules(billing: Billing) -> None:
    billing.tariff(RATES)
    billing.tariff([a_rate("+38050", "6.00")], valid_from=NOON - timedelta(seconds=60))
    at_the_instant, before = ended("a", 60), ended("b", 60.000001)
    billing.hear(told(at_the_instant), told(before))
    billing.rate(after=300)
    assert (billing.amount("a"), billing.amount("b")) == ("6.0000", "1.2200")


def test_a_tariff_activated_in_the_past_leaves_what_is_priced_alone(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")))
    billing.rate(after=300)
    billing.tariff([a_rate("+38050", "6.00")], valid_from=NOON - timedelta(days=1))
    billing.hear(told(ended("b")))
    billing.rate(after=301)
    assert (billing.amount("a"), billing.amount("b")) == ("1.2000", "6.0000")


def test_the_row_is_what_a_replay_of_the_stream_gives(billing: Billing) -> None:
    billing.tariff()
    billing.hear(told(ended("a")), told(ended("b", callee="+15550100")))
    billing.rate(after=300)
    billing.hear(told(ended("a", 30), version=5))
    billing.rate(after=300)
    for name in "ab":
        stream = f"charge-{call_id(name)}"
        with billing.db.autocommit() as conn:
            replayed = decider.replay(domain, store.read(conn, [stream])[stream])
            assert policies.describe(stream, replayed) == queries.charge(conn, TENANT, call_id(name))
