"""Nothing is left behind: no queues of those who are gone, no memory of what is done."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.service.plumbing.stage import WORK, Asker, Notes, say
from tests.sizes import Size, sized
from tests.support.infrastructure import Broker, Service, Stack, eventually

Start = Callable[..., Service]
MIB = 1024 * 1024


def resident(service: Service, what: str = "VmRSS") -> int:
    """Bytes of memory; `VmHWM` for the most that it ever was."""
    found = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{service.process.pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def queues(stack: Stack, *columns: str) -> list[list[str]]:
    said = stack.rabbitmqctl("--quiet", "list_queues", "--vhost", "journal", "--no-table-headers", "name", *columns)
    return [line.split("\t") for line in said.splitlines()]


def reply_queues(stack: Stack) -> set[str]:
    return {name for name, *_ in queues(stack) if name.startswith("rpc.reply-asker")}


@sized("R18")
def test_reply_queues_go_with_those_who_listened_to_them(size: Size, start: Start, stack: Stack) -> None:
    others = reply_queues(stack)
    for _ in range(size.restarts):
        began = time.monotonic()
        start("Asker", REPLY_QUEUE_EXPIRES=int(size.expires * 1000)).kill()
        time.sleep(max(0.0, began + size.every - time.monotonic()))
    assert 1 <= len(reply_queues(stack) - others) <= 20
    eventually(lambda: not reply_queues(stack) - others, seconds=size.within, every=0.3)


@sized("R9")
def test_a_long_queue_is_not_taken_into_memory(
    size: Size, start: Start, work: str, notes: Notes, broker: Broker, stack: Stack
) -> None:
    words = [f"w{number}" for number in range(size.messages)]
    broker.publish(say(words[0], seconds=3), *map(say, words[1:]))
    listener = start("Listener")
    eventually(lambda: '"heard"' in listener.log.read_text())
    [taken] = [int(unacknowledged) for name, unacknowledged in queues(stack, "messages_unacknowledged") if name == WORK]
    assert taken <= 100, "two batches"
    eventually(lambda: len(notes.words()) == size.messages, seconds=10 + size.messages / 300, every=0.5)
    assert resident(listener, "VmHWM") <= 150 * MIB
    assert "PoolTimeout" not in listener.log.read_text()


@sized("R34")
def test_memory_does_not_grow_with_the_work_done(
    size: Size, start: Start, work: str, notes: Notes, broker: Broker, web_port: int
) -> None:
    listener, answers = start("Listener"), start("Answers")
    both = [listener, answers, start("Asker", WEB_PORT=web_port)]
    asker = Asker(web_port)
    work_on(size, 0, size.messages // 10, asker, broker)
    before = [resident(service) for service in both]
    work_on(size, size.messages // 10, size.messages, asker, broker)
    assert all(resident(one) <= was + 20 * MIB for one, was in zip(both, before, strict=True))


def work_on(size: Size, first: int, last: int, asker: Asker, broker: Broker) -> None:
    for start in range(first, last, 1000):
        broker.publish(*(say(f"w{number}") for number in range(start, min(start + 1000, last))))
    asked = size.requests * (last - first) // size.messages
    with ThreadPoolExecutor(4) as pool:
        told = pool.map(lambda n: asker.ask("echo", n=n) if n % 2 else asker.ask("reject"), range(asked))
        assert {status for status, _ in told} <= {200, 409}
    eventually(lambda: broker.count(WORK) == 0, seconds=10 + (last - first) / 100, every=0.5)
