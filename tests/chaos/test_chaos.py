"""Everything is killed, nothing is lost: what was accepted is in the journal once, and right.

The seed is printed; `CHAOS_SEED` sets it. The long form is `make soak`.
"""

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import pytest

from services.billing.domain import rating
from services.billing.domain.rate_book import RateBook
from services.billing.policies import ENDED_CALL, FACTS
from services.gateway.directory import repository
from shared.contracts.billing.events import Rounding, TariffUsed
from shared.contracts.calls.schemas import CallStateSchema
from shared.contracts.topology import QUEUES, dead
from shared.contracts.values import Direction, Status
from shared.plumbing.database import Postgres
from tests.chaos.traffic import Traffic, traffic
from tests.chaos.world import JOURNAL, ROLES, SERVERS, World
from tests.integration.billing.company import Billing, a_rate
from tests.support.infrastructure import Broker, Services, Stack
from tests.support.system import PASSWORD

TENANT = "acme"
LOGIN, REMARKS = "chaos", 30
KEY = "chaos-ingest-key-0123456789abcdef"
QUIET, SETTLE = 10.0, 90.0
"""Seconds: longer than a subscription pauses between two tries while a server is away; what it holds is not counted."""
RATES = [a_rate("", "1.20"), a_rate("", "0.30", Direction.INBOUND)]
FIRST_PRICES = "select data ->> 'call_id', count(*) from events where type = 'call_priced' group by 1"
OWN_PARTIES = "select call_id, array_agg(address) from journal_parties where own group by call_id"


@pytest.fixture
def seed() -> int:
    seed = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    sys.stdout.write(f"CHAOS_SEED={seed}\n")
    return seed


@pytest.fixture
def world(
    stack: Stack,
    services: Services,
    billing_db: Postgres,
    calls_db: Postgres,
    comments_db: Postgres,
    gateway_db: Postgres,
    recordings_db: Postgres,
    broker: Broker,
) -> Iterator[World]:
    with gateway_db.connection() as conn:
        repository.ensure_tenant(conn, TENANT, "Хаос")
        repository.ensure_api_key(conn, TENANT, "ingest", "chaos", KEY)
        repository.ensure_account(conn, TENANT, LOGIN, PASSWORD, "Хаос", "administrator")
    Billing(billing_db).tariff(RATES, tenant=TENANT)
    world = World(stack, services, KEY, LOGIN, PASSWORD)
    yield world
    world.stop()


def storm(world: World, told: Traffic, faults: list[str], seconds: float, seed: int) -> None:
    """Tell of the calls over `seconds` while the faults strike, evenly spread; then let the dust settle."""
    chance = random.Random(seed)
    sender = threading.Thread(target=world.tell, args=(told.told, seconds))
    sender.start()
    commented = list(told.expected)[:REMARKS] if world.has("comments") else []
    remarker = threading.Thread(target=world.remark, args=(commented, seconds))
    remarker.start()
    for fault in faults:
        time.sleep(seconds / len(faults) * chance.uniform(0.2, 0.8))
        world.strike(fault, chance)
    sender.join()
    remarker.join()
    world.wait_until_quiet(QUIET, SETTLE)


def faults_of(told: Traffic, world: World) -> list[str]:
    """What is wrong, in words; nothing when every call is there once, as its reports say."""
    written = [report_id for (report_id,) in world.rows("calls", "select data ->> 'report_id' from events")]
    reported = [report_id for report_id in written if report_id is not None]
    shown = {
        str(call_id): (status, version)
        for call_id, status, version in world.rows("gateway", "select call_id, status, version from journal")
    }
    kept = {
        str(call_id): (status, version)
        for call_id, status, version in world.rows("calls", "select call_id, status, version from calls")
    }
    expected = {call_id: str(state.status) for call_id, state in told.expected.items()}
    seen_by = {
        call_id: {state.caller, *state.rung, *state.answered_by} - {""} for call_id, state in told.expected.items()
    }
    parties = {str(call_id): set(addresses) for call_id, addresses in world.rows("gateway", OWN_PARTIES)}
    twice = [one for one, times in Counter(reported).items() if times > 1]
    return [
        *(f"report lost: {one}" for one in told.report_ids - set(reported)),
        *(f"report written twice: {one}" for one in twice),
        *(f"{one} is not in the scope of its parties" for one in seen_by if seen_by[one] != parties.get(one)),
        *(f"call not in the journal: {one}" for one in expected.keys() - shown.keys()),
        *(f"call nobody told of: {one}" for one in shown.keys() - expected.keys()),
        *(
            f"{one} is {shown[one][0]}, not {expected[one]}"
            for one in expected.keys() & shown.keys()
            if shown[one][0] != expected[one]
        ),
        *(
            f"{one} is behind: {shown[one]} of {kept[one]}"
            for one in shown.keys() & kept.keys()
            if shown[one] != kept[one]
        ),
        *(wrong_prices(told, world) if world.has("billing") else []),
        *wrong_remarks(world),
        *wrong_sounds(world),
    ]


def wrong_prices(told: Traffic, world: World) -> list[str]:
    """Calls that were not priced once, or have another price in the journal than their facts come to."""
    times = dict(world.rows("billing", FIRST_PRICES))
    shown = {
        str(call_id): amount for call_id, amount in world.rows("gateway", "select call_id, amount from journal_prices")
    }
    used = TariffUsed(id=UUID(int=0), name="", version=1, rounding=Rounding())
    book, found = RateBook(used, "UAH", RATES), []
    for call_id, state in told.expected.items():
        facts = {name: value for name, value in CallStateSchema().dump(state).items() if name in FACTS}
        amount = rating.rate(ENDED_CALL.load(facts), book, "UAH").amount
        if times.get(call_id) != 1 or shown.get(call_id) != amount:
            found.append(
                f"{call_id} was priced {times.get(call_id)} times and costs {shown.get(call_id)}, not {amount}"
            )
    return found


def wrong_remarks(world: World) -> list[str]:
    """Comments that were accepted and were not written once, or are not in the journal."""
    times = dict(world.rows("comments", "select stream, count(*) from events group by 1"))
    shown = {
        str(call_id): text for call_id, text in world.rows("gateway", "select call_id, text from journal_comments")
    }
    return [
        f"the comment on {call_id} was written {times.get(f'comment-{call_id}')} times and is {shown.get(call_id)}"
        for call_id, text in world.remarks.items()
        if (times.get(f"comment-{call_id}"), shown.get(call_id)) != (1, text)
    ]


def wrong_sounds(world: World) -> list[str]:
    """Recordings that were accepted and are not kept once, or are not in the journal."""
    times = dict(world.rows("recordings", "select stream, count(*) from events group by 1"))
    shown = {str(call_id) for (call_id,) in world.rows("gateway", "select call_id from journal_recordings")}
    return [
        f"the recording of {call_id} was kept {times.get(f'recording-{call_id}')} times, shown: {call_id in shown}"
        for call_id in world.sounds
        if times.get(f"recording-{call_id}") != 1 or call_id not in shown
    ]


def nothing_parked(broker: Broker) -> bool:
    return not any(broker.count(dead(queue.name)) for queue in QUEUES)


def plan(seed: int, kills: int, pauses: int) -> list[str]:
    """Every role and server gets its turn to be killed, in a seeded order."""
    chance = random.Random(seed)
    victims = [*ROLES, *SERVERS]
    faults = [f"kill {victims[number % len(victims)]}" for number in range(kills)]
    faults += [f"pause {victim}" for victim in ("postgres", *chance.choices(victims, k=pauses - 1))]
    chance.shuffle(faults)
    return faults


@pytest.mark.timeout(500)
def test_what_was_accepted_is_in_the_journal_once_and_right(world: World, broker: Broker, seed: int) -> None:
    told = traffic(TENANT, 1500, seed)
    world.start()
    storm(world, told, plan(seed, kills=len(ROLES) + len(SERVERS), pauses=2), 40, seed)
    assert faults_of(told, world) == []
    assert (len(world.remarks), len(world.sounds)) == (REMARKS, REMARKS)
    assert nothing_parked(broker)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_ten_thousand_reports_and_twenty_kills(world: World, broker: Broker, seed: int) -> None:
    told = traffic(TENANT, 10_000, seed)
    world.start()
    storm(world, told, plan(seed, kills=21, pauses=5), 280, seed)
    assert faults_of(told, world) == []
    assert nothing_parked(broker)
    assert sum(count for fault, count in world.faults.items() if fault.startswith("kill")) >= 20


STRIKES = {
    "ack_before_commit": ["kill calls", "kill calls, second replica"] * 3,
    "no_confirm": ["kill rabbitmq"] * 2,
    "naive_cursor": ["kill relay"],
}


@pytest.mark.timeout(500)
@pytest.mark.parametrize("bug", STRIKES)
def test_a_planted_bug_is_caught_within_three_runs(world: World, bug: str, seed: int) -> None:
    world.planted = bug
    world.start(JOURNAL)
    told = Traffic([], {}, set())
    for attempt in range(3):
        more = traffic(TENANT, 1500, seed + attempt)
        storm(world, more, STRIKES[bug], 8, seed)
        told = told + more
        assert world.restarts <= world.killed, "a process died of itself, which proves nothing"
        if faults_of(told, world):
            return
    pytest.fail(f"{bug} was not noticed")


@pytest.mark.timeout(500)
def test_the_same_strikes_without_a_bug_do_no_harm(world: World, seed: int) -> None:
    told = traffic(TENANT, 1500, seed)
    world.start(JOURNAL)
    storm(world, told, [fault for faults in STRIKES.values() for fault in faults], 16, seed)
    assert faults_of(told, world) == []


def test_every_outcome_that_the_traffic_has_is_one_that_it_expects() -> None:
    told = traffic(TENANT, 3000, 1)
    seen = {state.status for state in told.expected.values()}
    assert {Status.RETURNED, Status.MISSED, Status.NO_CHANNELS, Status.DECLINED} <= seen
