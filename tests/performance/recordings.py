"""Measure downloads compared with nginx, many slow listeners, and the memory use of a large upload."""

import argparse
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import requests

from shared.contracts.recordings.links import Keyring, Link, Purpose
from shared.plumbing import clock
from tests.performance.figures import Figure, median
from tests.support.infrastructure import Service, Services, Stack, emptied, eventually, free_port

TARGET = "services.recordings.service:RecordingsService"
GIBIBYTE = 1024**3
LISTENERS, LISTENING = 200, 10
ROUNDS = 5
DOWNLOADS, DOWNLOADED = 20, "0-52428799"
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1;
events {{}}
http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root {root};
        client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
        uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; }} }}
"""


@dataclass
class Server:
    service: Service
    url: str
    keyring: Keyring
    folder: Path

    def link(self, call_id: UUID, purpose: Purpose = Purpose.PLAY) -> str:
        link = Link(call_id=call_id, tenant="oselia", caller_id=uuid4(), purpose=purpose)
        return self.url + self.keyring.sign(link, clock.now())


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    with emptied(stack, "recordings"), tempfile.TemporaryDirectory(dir=stack.folder) as name:
        server, call_id = _server(stack, services, Path(name)), uuid4()
        idle = _resident(server.service)
        with _sampling_memory(server.service) as weights:
            took = _upload(server, call_id)
        [kept] = (server.folder / "kept").rglob("*-*")
        ratio, ours, theirs = _against_nginx(server, call_id, kept, Path(name))
        small, asking = _beside_downloads(server, call_id)
        listening = _listen_slowly(server, call_id)
    speed, heaviest = f"{ratio:.0%} ({ours:.0f} of {theirs:.0f} MiB/s)", max(weights)
    listeners = f"recordings with {LISTENERS} slow listeners, resident"
    return [
        Figure("a download, against nginx with the same file", speed, "60%", ratio >= 0.6),
        Figure(f"a small request beside {DOWNLOADS} downloads, p99", f"{small:.0f} ms", "100 ms", small <= 100),
        Figure("the same for a request that queries the database", f"{asking:.0f} ms"),
        Figure(listeners, f"{listening:.0f} MiB", "200 MiB", listening < 200),
        Figure("the same during an upload of 1 GiB", f"{heaviest:.0f} MiB", "80 MiB", heaviest < 80),
        Figure("the same before", f"{idle:.0f} MiB"),
        Figure("an upload of 1 GiB, until it is verified and stored", f"{1024 / took:.0f} MiB/s"),
    ]


def _server(stack: Stack, services: Services, folder: Path) -> Server:
    env, address = stack.env("recordings"), f"127.0.0.1:{free_port()}"
    service = services.start(TARGET, of="recordings", RECORDINGS_FOLDER=str(folder), WEB_ADDRESS=address)
    keys = Path(env["LINK_KEYS_FILE"]).read_text().split()
    return Server(service, f"http://{address}", Keyring(keys), folder)


def _upload(server: Server, call_id: UUID) -> float:
    """Seconds to upload one GiB of silence."""
    file = server.folder / "silence.wav"
    data = GIBIBYTE - 44
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", data + 36, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", data
    )
    with file.open("wb") as written:
        written.write(head)
        written.truncate(GIBIBYTE)
    began = time.monotonic()
    command = ["curl", "-sS", "--fail", "-T", str(file), server.link(call_id, Purpose.UPLOAD)]
    subprocess.run(command, check=True, capture_output=True)
    file.unlink()
    return time.monotonic() - began


def _against_nginx(server: Server, call_id: UUID, kept: Path, folder: Path) -> tuple[float, float, float]:
    """Our speed as a share of nginx's, and both in MiB/s: medians of alternating pairs."""
    with _nginx(folder, kept.parent) as nginx:
        pairs = [(_speed(server.link(call_id)), _speed(f"{nginx}/{kept.name}")) for _ in range(ROUNDS)]
    ours, theirs = median([one for one, _ in pairs]), median([other for _, other in pairs])
    return median([one / other for one, other in pairs]), ours, theirs


def _speed(url: str) -> float:
    command = ["curl", "-sS", "--fail", "-o", "/dev/null", "-w", "%{speed_download}", url]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024**2


@contextmanager
def _nginx(folder: Path, root: Path) -> Iterator[str]:
    own, port = folder / "nginx", free_port()
    own.mkdir()
    for above in (folder, folder / "kept", root):
        above.chmod(0o755)
    (own / "conf").write_text(CONFIG.format(folder=own, port=port, root=root))
    process = subprocess.Popen(["nginx", "-e", str(own / "log"), "-p", str(own), "-c", str(own / "conf")])
    try:
        eventually(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _beside_downloads(server: Server, call_id: UUID) -> tuple[float, float]:
    """99th percentile in milliseconds of two small requests during downloads of 50 MiB each."""
    command = ["curl", "-sS", "-o", "/dev/null", "-r", DOWNLOADED]
    loads = [subprocess.Popen([*command, server.link(call_id)]) for _ in range(DOWNLOADS)]
    session = requests.Session()
    waits: dict[int, list[float]] = {404: [], 200: []}
    while any(load.poll() is None for load in loads):
        for url, status in ((f"{server.url}/nothing", 404), (server.link(call_id), 200)):
            began = time.monotonic()
            assert session.head(url, timeout=30).status_code == status
            waits[status].append(time.monotonic() - began)
    for load in loads:
        load.wait()
    small, asking = (sorted(one)[int(len(one) * 0.99)] * 1000 for one in waits.values())
    return small, asking


def _listen_slowly(server: Server, call_id: UUID) -> float:
    """MiB of the process while all clients listen at telephone speed."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    sockets = []
    for _ in range(LISTENERS):
        sock = socket.create_connection((host, int(port)))
        sockets.append(sock)
        path = server.link(call_id).removeprefix(server.url)
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert sock.recv(16000).startswith(b"HTTP/1.1 200")
    until, most = time.monotonic() + LISTENING, 0.0
    while time.monotonic() < until:
        for sock in sockets:
            assert sock.recv(16000)
        most = max(most, _resident(server.service))
        time.sleep(1.0)
    for sock in sockets:
        sock.close()
    return most


@contextmanager
def _sampling_memory(service: Service) -> Iterator[list[float]]:
    """Sample the memory use ten times per second until the block ends."""
    weights, done = [_resident(service)], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            weights.append(_resident(service))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield weights
    finally:
        done.set()
        thread.join()


def _resident(service: Service) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024
