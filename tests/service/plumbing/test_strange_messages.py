"""No message, whatever it is made of, ends a service, stays in its queue, or is tried again and again."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from amqp.basic_message import Message
from amqp.exceptions import InternalError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kombu import Connection

from shared.contracts.topology import EXCHANGES, RETRY_PAUSES, RPC_EXCHANGE, SERVICES, retry
from tests.sizes import Size, sized
from tests.support.infrastructure import Broker, Service, Services, Stack, eventually
from tests.support.system import PROCESSES

AT_ONCE = 40
text = st.text(st.characters(codec="utf-8"), max_size=20)
short = st.sampled_from(["", "application/json", "utf-8", "utf-16", "application/x-python-serialize", "gzip"]) | text
table = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | text
    | st.floats(allow_nan=False)
    | st.just(Decimal("1.5"))
    | st.just(datetime(2026, 11, 24, tzinfo=UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    ["x-attempts", "x-original-key", "nameko.deadline", "nameko.correlation_id", "nameko.call_id_stack", "x-death"]
)
properties = st.fixed_dictionaries(
    {},
    optional={
        "content_type": short,
        "content_encoding": short,
        "delivery_mode": st.sampled_from([1, 2]),
        "priority": st.integers(0, 255),
        "correlation_id": text,
        "reply_to": text,
        "expiration": st.sampled_from(["0", "1", "60000"]),
        "message_id": text,
        "timestamp": st.integers(0, 2**63),
        "type": text,
        "app_id": text,
        "application_headers": st.dictionaries(names | text, table, max_size=3),
    },
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
reports = st.fixed_dictionaries(
    {},
    optional={
        "report_id": anything,
        "tenant": st.just("acme") | anything,
        "call": st.just("c") | anything,
        "type": st.sampled_from(["placed", "ringing", "answered", "ended"]) | anything,
        "at": st.just("2026-11-24T10:00:00Z") | anything,
        "data": st.fixed_dictionaries({}, optional={"by": st.just("caller"), "party": anything, "caller": anything})
        | anything,
    },
)
events = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("id", "tenant", "stream", "version", "type", "data", "state", "recorded_at"), anything)
    | {"type": st.sampled_from(["heartbeat", "call_placed", "call_ended"]) | anything},
)
questions = st.fixed_dictionaries(
    {"args": st.just([]) | anything, "kwargs": st.dictionaries(text, anything, max_size=3) | anything}
)
documents = st.one_of(anything, reports, events, questions)
bodies = st.binary(max_size=300) | documents.map(lambda document: json.dumps(document).encode())
destinations = st.sampled_from(
    [(exchange, key) for exchange in EXCHANGES for key in ("call_placed", "placed", "ended", "heartbeat")]
    + [(RPC_EXCHANGE, method) for service in SERVICES for method in (*service.calls, "calls.get", "calls.resend")]
    + [(RPC_EXCHANGE, "calls.unheard_of"), ("", "replies")]
)
letters = st.lists(st.tuples(destinations, properties, bodies), min_size=AT_ONCE, max_size=AT_ONCE)


@pytest.fixture
def everything(stack: Stack, services: Services) -> list[Service]:
    """Every service, really running."""
    running = [services.start(target, of=target.split(".")[1], ready=False) for target in PROCESSES.values()]
    for service in running:
        service.wait_until_ready()
    return running


def waiting(stack: Stack) -> dict[str, int]:
    """How many messages each queue has, those of the dead left out."""
    said = stack.rabbitmqctl("--quiet", "list_queues", "--vhost", "journal", "--no-table-headers", "name", "messages")
    counts = dict(line.split("\t") for line in said.splitlines())
    return {name: int(count) for name, count in counts.items() if int(count) and not name.endswith(".dead")}


def reply_queue(stack: Stack) -> str:
    """One that a gateway listens to now."""
    said = stack.rabbitmqctl("--quiet", "list_queues", "--vhost", "journal", "--no-table-headers", "name", "consumers")
    found, *_ = [line.split("\t")[0] for line in said.splitlines() if re.match(r"rpc\.reply-gateway-.*\t[1-9]", line)]
    return found


@sized("R4")
def test_no_message_ends_a_service_or_stays(
    size: Size, stack: Stack, broker: Broker, everything: list[Service]
) -> None:
    retries = [retry(pause) for pause in RETRY_PAUSES]
    with broker.channel() as channel:
        for queue in retries:
            channel.queue_purge(queue)
    replies = reply_queue(stack)

    @settings(
        max_examples=size.messages // AT_ONCE,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(letters)
    def send(messages: list[tuple[tuple[str, str], dict[str, Any], bytes]]) -> None:
        # What RabbitMQ itself stumbles over comes to nobody, nor does what was sent behind it.
        with suppress(InternalError), Connection(stack.admin_uri) as connection:
            channel = connection.default_channel
            for (exchange, key), how, body in messages:
                channel.basic_publish(Message(body, **how), exchange, replies if key == "replies" else key)

    send()
    eventually(lambda: not waiting(stack), seconds=20 + size.messages / 100, every=0.5)
    assert all(service.alive() for service in everything)
