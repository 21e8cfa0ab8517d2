"""What a process counts is told on a small door of its own."""

from collections.abc import Callable

import requests

from tests.service.plumbing.stage import WORK, Notes, say
from tests.service.plumbing.test_subscriptions import new
from tests.support.infrastructure import Broker, Service, eventually, free_port

Start = Callable[..., Service]


def metrics(port: int) -> list[str]:
    return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text.splitlines()


def test_taken_and_parked_messages_are_counted(start: Start, work: str, notes: Notes, broker: Broker) -> None:
    port = free_port()
    start("Listener", METRICS_ADDRESS=f"127.0.0.1:{port}")
    good = new()
    broker.publish(say(good), say(new(), fails=1000))
    eventually(notes(good))
    processed = f'journal_messages_processed_total{{queue="{WORK}"}} 1.0'
    dead_lettered = f'journal_messages_dead_lettered_total{{queue="{WORK}",reason='
    lines = eventually(lambda: (lines := metrics(port)) and dead_lettered in str(lines) and lines, seconds=20)
    assert processed in lines
    assert 'target_info{service="listener"} 1.0' in lines
    turns = next(line for line in lines if line.startswith("journal_event_loop_lag_seconds_count"))
    assert float(turns.split()[1]) > 0


def test_twins_take_the_first_free_port_of_a_range_and_who_finds_none_works_without(
    start: Start, work: str, notes: Notes
) -> None:
    port = free_port()
    twins = [start("Listener", METRICS_ADDRESS=f"127.0.0.1:{port}-{port}") for _ in range(2)]
    assert [twin.alive() for twin in twins] == [True, True]
    assert "no free port for metrics" in twins[1].log.read_text()
    assert metrics(port)
