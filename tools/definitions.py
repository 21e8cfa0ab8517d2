"""The topology as RabbitMQ definitions: `python -m tools.definitions`.

Passwords come from `AMQP_PASSWORD_<USER>` in the environment. The definitions are JSON for
`load_definitions` or `rabbitmqctl import_definitions`.
"""

import hashlib
import json
import os
import re
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts import topology
from shared.contracts.service import Service
from shared.contracts.topology import DEAD_EXCHANGE, QUEUES, RPC_EXCHANGE, RPC_SERVICES, SERVICES, dead, retry

Json = dict[str, Any]
UUID_PATTERN = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def definitions(
    passwords: Mapping[str, str], *, vhost: str = "journal", pauses: Sequence[float] = topology.RETRY_PAUSES
) -> Json:
    """Users, permissions, exchanges, queues and bindings; `passwords` by user, `admin` among them."""
    users = [
        {"name": name, "password_hash": _hash(password), "tags": "", "limits": {}}
        for name, password in passwords.items()
    ]
    permissions = [{"user": "admin", "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}]
    topics: list[Json] = []
    for service in SERVICES:
        permissions.append({"user": service.name, "vhost": vhost, **_permissions(service, pauses)})
        topics += [{"user": service.name, "vhost": vhost, **topic} for topic in _topic_permissions(service, pauses)]
    queues, bindings = _queues(pauses)
    exchanges = [RPC_EXCHANGE, DEAD_EXCHANGE, *topology.EXCHANGES, *map(retry, pauses)]
    return {
        "users": users,
        "vhosts": [{"name": vhost}],
        "permissions": permissions,
        "topic_permissions": topics,
        "exchanges": [_exchange(name) | {"vhost": vhost} for name in exchanges],
        "queues": [queue | {"vhost": vhost} for queue in queues],
        "bindings": [binding | {"vhost": vhost} for binding in bindings],
    }


def _hash(password: str) -> str:
    # https://www.rabbitmq.com/docs/passwords#computing-password-hash
    # The salt is derived from the password, so that equal input gives equal definitions.
    salt = hashlib.sha256(b"salt of " + password.encode()).digest()[:4]
    return b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _exchange(name: str) -> Json:
    return {"name": name, "type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}


DEAD_LETTER_QUEUE = {"x-delivery-limit": 1_000_000}
"""A dead letter is requeued each time that it is inspected; RabbitMQ 4 would drop it after twenty times."""


def _queue(name: str, **arguments: Any) -> Json:
    return {
        "name": name,
        "durable": True,
        "auto_delete": False,
        "arguments": {"x-queue-type": "quorum", "x-overflow": "reject-publish", **arguments},
    }


def _binding(source: str, queue: str, key: str) -> Json:
    return {
        "source": source,
        "destination": queue,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }


def _queues(pauses: Sequence[float]) -> tuple[list[Json], list[Json]]:
    queues, bindings = [], []
    for queue in QUEUES:
        to_dead = {"x-dead-letter-exchange": DEAD_EXCHANGE, "x-dead-letter-routing-key": queue.name}
        limits = {"x-dead-letter-strategy": "at-least-once", "x-delivery-limit": topology.DELIVERY_LIMIT}
        queues += [_queue(queue.name, **to_dead, **limits), _queue(dead(queue.name), **DEAD_LETTER_QUEUE)]
        bindings += [_binding(exchange, queue.name, key) for exchange in queue.exchanges for key in queue.keys]
        bindings += [_binding(DEAD_EXCHANGE, dead(queue.name), queue.name)]
    for pause in pauses:
        back = {"x-dead-letter-exchange": "", "x-dead-letter-strategy": "at-least-once"}
        queues.append(_queue(retry(pause), **back, **{"x-message-ttl": int(pause * 1000)}))
        bindings.append(_binding(retry(pause), retry(pause), "#"))
    return queues, bindings


def _any_of(patterns: Sequence[str]) -> str:
    return f"^({'|'.join(patterns)})$" if patterns else "^$"


def _permissions(service: Service, pauses: Sequence[float]) -> Json:
    if service.name not in RPC_SERVICES:
        return {"configure": "^$", "write": _any_of([*map(re.escape, service.publishes)]), "read": "^$"}
    rpc_queues = [re.escape(f"rpc-{service.name}"), rf"rpc\.reply-{service.name}-{UUID_PATTERN}"]
    rpc = re.escape(RPC_EXCHANGE)
    reads = [re.escape(queue.name) for queue in QUEUES if queue.service == service.name]
    retries = [DEAD_EXCHANGE, *map(re.escape, map(retry, pauses))] if reads else []
    return {
        # configure on the RPC exchange is what Nameko's declaration of it needs; it exists and cannot change.
        "configure": _any_of([*rpc_queues, rpc]),
        "write": _any_of([*rpc_queues, rpc, *map(re.escape, service.publishes), *retries]),
        "read": _any_of([*rpc_queues, rpc, *reads]),
    }


def _topic_permissions(service: Service, pauses: Sequence[float]) -> list[Json]:
    anything = [{"exchange": name, "write": ".*", "read": "^$"} for name in service.publishes]
    if service.name not in RPC_SERVICES:
        return anything
    own_queues = _any_of([re.escape(queue.name) for queue in QUEUES if queue.service == service.name])
    may_call = _any_of([*map(re.escape, service.calls), UUID_PATTERN])
    may_bind = _any_of([rf"{service.name}\.\*", UUID_PATTERN])
    retried = [{"exchange": name, "write": own_queues, "read": "^$"} for name in [DEAD_EXCHANGE, *map(retry, pauses)]]
    return [{"exchange": RPC_EXCHANGE, "write": may_call, "read": may_bind}, *anything, *retried]


def main() -> None:
    users = ["admin", *(service.name for service in SERVICES)]
    missing = [name for name in users if f"AMQP_PASSWORD_{name.upper()}" not in os.environ]
    if missing:
        sys.exit(f"Set AMQP_PASSWORD_<USER> for every user of the broker; missing: {', '.join(missing)}.")
    json.dump(definitions({name: os.environ[f"AMQP_PASSWORD_{name.upper()}"] for name in users}), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
