"""The containers keep their secrets and their walls, and what dies comes back."""

import json
import re
from contextlib import suppress
from subprocess import CalledProcessError
from typing import Any

import pytest
import requests

from tests.support.compose import address, compose, containers, demonstration, docker, inside, run
from tests.support.infrastructure import eventually

pytestmark = pytest.mark.compose

OURS = {
    "billing": "billing",
    "billing-relay": "billing",
    "calls": "calls",
    "calls-relay": "calls",
    "comments": "comments",
    "comments-relay": "comments",
    "recordings": "recordings",
    "recordings-relay": "recordings",
    "gateway": "gateway",
    "projector": "gateway",
}
SERVERS = ("edge", "postgres", "rabbitmq", "redis")
RECOVERY = 60.0


def inspected(*services: str) -> list[dict[str, Any]]:
    return list(json.loads(docker("inspect", *containers(*services))))


def healthy(service: str) -> bool:
    return {one["State"].get("Health", {}).get("Status") for one in inspected(service)} == {"healthy"}


def restarts(service: str) -> int:
    return sum(one["RestartCount"] for one in inspected(service))


def can_sign_in(demo: dict[str, str]) -> bool:
    words = {"login": demo["OPERATOR_LOGIN"], "password": demo["OPERATOR_PASSWORD"]}
    try:
        return requests.post(f"{address()}/api/v1/sessions", json=words, timeout=10).status_code == 201
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def demo() -> dict[str, str]:
    return demonstration()


@pytest.fixture(scope="module")
def words() -> list[str]:
    """Every secret there is."""
    files = run("secrets", "bash", "-c", "for file in /run/stack/secrets/*; do cat $file; echo; done")
    return re.findall(r"^[0-9a-f]{40}$|^[\w+/=]{60,}$", files, re.MULTILINE)


def test_the_demonstrations_people_sign_in_through_the_published_port(demo: dict[str, str]) -> None:
    assert can_sign_in(demo)


def test_no_secret_is_in_what_the_engine_knows_of_a_container(words: list[str]) -> None:
    known = docker("inspect", *containers())
    assert len(words) > 10
    assert [word for word in words if word in known] == []


def test_no_secret_is_in_an_image(words: list[str]) -> None:
    for image in {one["Image"] for one in inspected()}:
        history = docker("history", "--no-trunc", image) + docker("inspect", image)
        assert [word for word in words if word in history] == []


@pytest.mark.parametrize("service", [*OURS, *SERVERS])
def test_a_container_has_no_rights_to_lose(service: str) -> None:
    status = inside(service, "cat", "/proc/1/status")
    uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    capable = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    assert (uid != "0", int(capable, 16)) == (True, 0)
    assert "NoNewPrivs:\t1" in status


@pytest.mark.parametrize("service", [*OURS, *SERVERS])
def test_nothing_is_written_into_an_image(service: str) -> None:
    assert inside(service, "bash", "-c", "touch /var/tmp/x 2>&1 || true").endswith("Read-only file system\n")


@pytest.mark.parametrize(("process", "service"), OURS.items())
def test_an_image_holds_one_service(process: str, service: str) -> None:
    assert inside(process, "bash", "-c", "cd services && echo [a-z]*/").split() == [f"{service}/"]


@pytest.mark.parametrize("process", OURS)
def test_a_process_is_told_of_its_own_secrets_only(process: str) -> None:
    told = inside(process, "bash", "-c", "cat /run/stack/env/*.env")
    others = set(OURS.values()) - {OURS[process]}
    assert f"{OURS[process]}_app" in told
    assert [other for other in others if f"{other}_app" in told or f"//{other}:" in told] == []
    assert "_owner" not in told


@pytest.mark.parametrize("service", [*OURS, "edge", "rabbitmq", "redis", "postgres"])
def test_what_is_killed_comes_back(service: str, demo: dict[str, str]) -> None:
    before = restarts(service)
    # From inside, since the engine takes a kill through itself for a wish; who asked for it dies of it too.
    with suppress(CalledProcessError):
        inside(service, "bash", "-c", "kill -KILL -1; sleep 9")
    eventually(lambda: restarts(service) > before, RECOVERY)
    eventually(lambda: healthy(service), RECOVERY)
    eventually(lambda: can_sign_in(demo), RECOVERY)


def test_each_gateway_serves_alone(demo: dict[str, str]) -> None:
    gateways = containers("gateway")
    for stopped in gateways if len(gateways) > 1 else []:
        docker("stop", stopped)
        eventually(lambda: can_sign_in(demo), RECOVERY)
        assert [requests.get(f"{address()}/healthz", timeout=10).status_code for _ in range(20)] == [200] * 20
        docker("start", stopped)
        eventually(lambda: healthy("gateway"), RECOVERY)


def test_only_the_edge_is_published() -> None:
    published = {
        one["Config"]["Labels"]["com.docker.compose.service"]
        for one in inspected()
        if any(one["NetworkSettings"]["Ports"].values())
    }
    assert published == {"edge"}


def test_everything_is_up_a_second_time_without_being_made_anew() -> None:
    before = containers()
    compose("up", "--detach", "--wait", "--scale", f"gateway={len(containers('gateway'))}")
    assert set(containers()) == set(before)
