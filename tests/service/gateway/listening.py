"""A client of the stream that keeps every event, and can be told to stop reading or to go."""

import http.client
import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.infrastructure import eventually

STREAM = "/api/v1/journal/stream"
Json = dict[str, Any]


@dataclass(frozen=True)
class Event:
    type: str
    id: str
    data: Any


class Listening:
    """`headers` show who asks; `after` is the id to resume from. Reads in a thread of its own."""

    def __init__(self, url: str, headers: dict[str, str], after: str | None = None, **asked: Any) -> None:
        parts = urlsplit(url)
        self._line = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        told = headers if after is None else {**headers, "Last-Event-ID": after}
        query = f"?{urlencode(asked, doseq=True)}" if asked else ""
        self._line.request("GET", STREAM + query, headers=told)
        assert self._line.sock
        self._sock = self._line.sock
        self.answer = self._line.getresponse()
        self.events: list[Event] = []
        self.beats, self.last_id, self.over = 0, "", False
        self._reads = threading.Event()
        self._reads.set()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def entries(self) -> list[Json]:
        return [event.data for event in list(self.events) if event.type == "entry"]

    @property
    def reason(self) -> str:
        """Why the stream has ended, as its last event says."""
        return str(self.events[-1].data["reason"]) if self.events and self.events[-1].type == "end" else ""

    def begun(self) -> "Listening":
        assert self.answer.status == 200, self.answer.read()
        eventually(lambda: self.last_id)
        return self

    def until(self, count: int, seconds: float = 10) -> list[Json]:
        eventually(lambda: len(self.entries) >= count, seconds)
        return self.entries

    def pause(self) -> None:
        self._reads.clear()

    def go_on(self) -> None:
        self._reads.set()

    def close(self) -> None:
        """Goes away, as a browser whose page is closed does."""
        self.go_on()
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self.answer.close()
        self._sock.close()
        self._line.close()

    def _read(self) -> None:
        block: list[str] = []
        with suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            while line := self.answer.readline():
                self._reads.wait()
                text = line.decode().rstrip("\n")
                if text:
                    block.append(text)
                else:
                    self._take(block)
                    block = []
        self.over = True

    def _take(self, block: list[str]) -> None:
        said = dict(line.partition(": ")[::2] for line in block if not line.startswith(":"))
        self.beats += any(line.startswith(":") for line in block)
        self.last_id = said.get("id", self.last_id)
        if "data" in said:
            self.events.append(Event(said.get("event", "message"), said.get("id", ""), json.loads(said["data"])))
