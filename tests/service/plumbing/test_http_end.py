"""HTTP doors at their end: whoever is inside is served, whoever comes goes elsewhere, and nobody notices."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sizes import Size, sized
from tests.support.edge import edge_settings, start_edge
from tests.support.infrastructure import Service, Services, eventually, free_port

Start = Callable[..., Service]


def test_who_is_inside_is_served_while_the_service_stops(start: Start, web_port: int) -> None:
    asker = start("Asker", WEB_PORT=web_port)
    door = f"http://127.0.0.1:{web_port}"
    with ThreadPoolExecutor(5) as pool:
        inside = [pool.submit(requests.get, f"{door}/sleep/1.5", timeout=10) for _ in range(5)]
        time.sleep(0.7)
        asker.process.terminate()
        time.sleep(0.5)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{door}/quick", timeout=5)
        assert {one.result().status_code for one in inside} == {200}
    assert asker.process.wait(10) == 0


def test_who_has_only_just_come_is_served_before_the_end(start: Start, web_port: int) -> None:
    asker = start("Asker", WEB_PORT=web_port)
    with socket.create_connection(("127.0.0.1", web_port), timeout=5) as line:
        asker.process.terminate()
        eventually(lambda: '"stopping"' in asker.log.read_text(), every=0.01)
        time.sleep(0.3)
        line.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in answer
    assert asker.process.wait(5) == 0


def test_a_stream_ends_as_it_should_when_the_service_stops(start: Start, web_port: int) -> None:
    service = start("Asker", WEB_PORT=web_port)
    with requests.get(f"http://127.0.0.1:{web_port}/stream", stream=True, timeout=10) as answer:
        service.process.terminate()
        started = time.monotonic()
        assert set(answer.iter_content(9)) == {b": tick\n\n"}, "a stream cut short would raise an error"
        assert time.monotonic() - started < 5
    assert service.process.wait(5) == 0


@pytest.fixture
def edge(services: Services, tmp_path: Path) -> tuple[str, list[int]]:
    """The URL of an edge before two gateways, and their ports."""
    port, ports = free_port(), [free_port(), free_port()]
    both = "".join(f"server 127.0.0.1:{one} fail_timeout=1s; " for one in ports)
    conf = edge_settings(tmp_path, port, "gateways")
    conf = conf.replace("    server {", f"    upstream gateways {{ {both}}}\n    server {{")
    start_edge(services, tmp_path, conf)
    return f"http://127.0.0.1:{port}", ports


class Load:
    """Asks without pause, in four threads; `statuses` counts what came back."""

    def __init__(self, url: str) -> None:
        self.url, self.statuses, self._over = url, dict[Any, int](), threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(4)]
        for thread in self._threads:
            thread.start()

    def _ask(self, number: int) -> None:
        with requests.Session() as session:
            while not self._over.is_set():
                try:
                    if number % 2:
                        answer = session.get(f"{self.url}/sleep/0.05", timeout=10)
                    else:
                        answer = session.post(f"{self.url}/echo", json={"n": number}, timeout=10)
                    found: Any = answer.status_code
                except requests.RequestException as error:
                    found = repr(error)
                self.statuses[found] = self.statuses.get(found, 0) + 1

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@sized("R26")
def test_a_gateway_that_ends_under_load_takes_no_request_with_it(
    size: Size, start: Start, edge: tuple[str, list[int]]
) -> None:
    url, ports = edge
    gateways = [start("Asker", WEB_PORT=port, ready=False) for port in ports]
    for gateway in gateways:
        gateway.wait_until_ready()
    load = Load(url)
    try:
        for which in (number % 2 for number in range(size.ends)):
            if not gateways[which - 1].alive():
                gateways[which - 1] = start("Asker", WEB_PORT=ports[which - 1])
                # The edge asks one that refused it again after a second, and counts whole seconds.
                time.sleep(2.1)
            assert gateways[which].terminate(25) == 0
    finally:
        load.end()
    assert set(load.statuses) == {200}, load.statuses
    assert load.statuses[200] > size.ends * 20
