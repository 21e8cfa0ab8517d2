"""An exchange is heard by the part of the system that docs/asterisk.md tells how to start."""

import os
import zlib
from base64 import b64encode
from collections.abc import Iterator

import pytest
import requests

from shared.contracts.calls.events import call_id
from tests.support.compose import address, compose, demonstration, docker, run
from tests.support.infrastructure import eventually
from tests.unit.feeds.exchange import TRUNKS, capture, row, told

pytestmark = pytest.mark.compose

PBX = """
import socket, sys, time, zlib
from base64 import b64decode
greeting, _, words = zlib.decompress(b64decode(sys.argv[1])).partition(b"\\n")
server = socket.create_server(("0.0.0.0", 5038))
while True:
    line, _ = server.accept()
    line.sendall(greeting + b"\\n")
    line.recv(4096)
    line.sendall(words)
    while line.recv(4096):
        line.sendall(b"Response: Success\\r\\nPing: Pong\\r\\nTimestamp: %.6f\\r\\n\\r\\n" % time.time())
"""
TOLD = "AMI_HOST={host}\nAMI_USER=journal\nAMI_SECRET=choose-one\nAMI_TENANT={tenant}\nAMI_TRUNKS={trunks}\n"
KEEP = "umask 077; cat >/run/stack/secrets/exchange"
FORGET = "rm -f /run/stack/secrets/exchange"
[WORDS] = capture("13-queue-answered")


@pytest.fixture
def pbx() -> Iterator[str]:
    """The name of a container that says what an Asterisk once said."""
    name = f"{os.environ['COMPOSE_PROJECT_NAME']}-pbx"
    said = b64encode(zlib.compress(WORDS)).decode()
    compose("run", "--detach", "--no-deps", "--name", name, "calls", "python", "-c", PBX, said)
    yield name
    docker("rm", "--force", name)


def test_a_call_at_an_exchange_becomes_a_row(pbx: str) -> None:
    demo, reports = demonstration(), told([WORDS])
    words = {"login": demo["ADMIN_LOGIN"], "password": demo["ADMIN_PASSWORD"]}
    token = requests.post(f"{address()}/api/v1/sessions", json=words, timeout=10).json()["token"]
    asked = f"{address()}/api/v1/calls/{call_id(demo['TENANT'], reports[0]['call'])}"
    bearer = {"Authorization": f"Bearer {token}"}

    def status() -> str | None:
        answer = requests.get(asked, headers=bearer, timeout=10)
        return answer.json()["status"] if answer.ok and answer.json()["ended_at"] else None

    assert status() is None
    told_of = TOLD.format(host=pbx, tenant=demo["TENANT"], trunks=",".join(TRUNKS))
    run("secrets", "bash", "-c", KEEP, given=told_of)
    try:
        compose("--profile", "asterisk", "up", "--detach", "--wait", "asterisk")
        eventually(lambda: status() == row(reports).status.value, 30)
    finally:
        compose("--profile", "asterisk", "rm", "--stop", "--force", "asterisk")
        run("secrets", "bash", "-c", FORGET)
