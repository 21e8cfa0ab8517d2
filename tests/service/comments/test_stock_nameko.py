"""The published language is for everybody: a service in stock Nameko hears our events, with rights to hear alone."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import yaml
from kombu import Connection

from services.comments import handlers
from shared.contracts.values import Role
from shared.plumbing.database import Postgres
from tests.support.infrastructure import ROOT, Broker, Services, Stack, eventually

STOCK = "tests.service.comments.stock"
USER, PASSWORD = "listener", "nothing-but-listening"
QUEUE = "evt-comments-comment_added--listener.write_down"
OWN = r"^evt-.*--listener\..*$"
CALL, OLHA = UUID(int=1), UUID(int=11)


@pytest.fixture
def uri(stack: Stack, broker: Broker) -> Iterator[str]:
    """A user of the broker who may have queues of its own and bind them to the exchange of comments."""
    with Connection(stack.admin_uri) as connection:
        host, vhost = connection.host, connection.virtual_host
    stack.rabbitmqctl("add_user", USER, PASSWORD)
    stack.rabbitmqctl("set_permissions", "-p", vhost, USER, OWN, OWN, r"^(evt-.*--listener\..*|comments\.events)$")
    yield f"amqp://{USER}:{PASSWORD}@{host}/{vhost}"
    stack.rabbitmqctl("delete_user", USER)
    with broker.channel() as channel:
        channel.queue_delete(QUEUE)


def test_a_stock_event_handler_hears_what_was_added(
    uri: str, services: Services, comments_db: Postgres, tmp_path: Path
) -> None:
    heard, config = tmp_path / "heard", tmp_path / "config.yml"
    config.write_text(yaml.safe_dump({"AMQP_URI": uri, "DECLARE_EVENT_EXCHANGES": False}))
    command = [str(Path(sys.executable).with_name("nameko")), "run", "--config", str(config), STOCK]
    stock = services.spawn(command, {**os.environ, "HEARD": str(heard), "PYTHONPATH": str(ROOT)}, ready=False)
    eventually(lambda: any("Connected to amqp" in line for line in stock.lines()), 30)
    with comments_db.connection() as conn:
        handlers.write(conn, uuid4(), "acme", CALL, OLHA, Role.OPERATOR, "передзвонити", None)
    services.start("services.comments.service:CommentsRelay", of="comments")
    eventually(heard.exists, 30)
    [event] = map(json.loads, heard.read_text(encoding="utf-8").splitlines())
    assert (event["type"], event["version"], event["tenant"]) == ("comment_added", 1, "acme")
    assert event["data"]["text"] == event["state"]["text"] == "передзвонити"
    assert event["stream"] == f"comment-{CALL}"
