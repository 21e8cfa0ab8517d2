"""A consumer that dies again and again takes no innocent message into the dead-letter queue with it."""

from kombu import Connection

from shared.contracts.topology import DELIVERY_LIMIT, QUEUES, dead
from shared.plumbing.publisher import Outgoing
from tests.support.infrastructure import Broker, Stack, eventually

KILLS, PREFETCH = 60, 20
QUEUE = QUEUES[0]


def take_and_die(stack: Stack) -> None:
    with Connection(stack.admin_uri) as connection:
        taken, channel = list[object](), connection.default_channel
        channel.basic_qos(0, PREFETCH, False)
        channel.basic_consume(QUEUE.name, callback=taken.append)
        while len(taken) < PREFETCH:
            connection.drain_events(timeout=5)
        connection.collect()


def test_sixty_crashes_with_twenty_messages_in_hand_lose_none_to_the_dead(stack: Stack, broker: Broker) -> None:
    assert DELIVERY_LIMIT > 2 * KILLS
    broker.publish(*(Outgoing(QUEUE.exchanges[0], QUEUE.keys[0], f"{number}") for number in range(PREFETCH)))
    for _ in range(KILLS):
        take_and_die(stack)
    eventually(lambda: broker.count(QUEUE.name) == PREFETCH)
    assert broker.count(dead(QUEUE.name)) == 0
    left = broker.take(QUEUE.name)
    assert sorted(int(message.body) for message in left) == list(range(PREFETCH))
