"""A real Asterisk in a root of its own, and SIPp for its phones. All of it on loopback."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.infrastructure import ROOT, eventually, free_port

HOME = "srv/exchange"
ETC = Path(__file__).with_name("etc")
FIRST_PORT, FIRST_SOUND = 25100, 27000
NUMBERS = {
    "alice": "1001", "bob": "1002", "carol": "1003", "dave": "1004", "grace": "1007", "zoe": "1009", "bob2": "10010",
    "provider": "",
}  # fmt: skip
PORTS = {name: FIRST_PORT + number for number, name in enumerate(NUMBERS)}


def root() -> Path:
    """Made by `make test-asterisk`; ASTERISK_ROOT names another."""
    return Path(os.environ.get("ASTERISK_ROOT") or ROOT / ".stack/asterisk" / os.environ.get("ASTERISK_SUITE", "sid"))


class Pbx:
    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / HOME
        self.ami, self.sip = free_port(), free_port()
        self._phones: list[subprocess.Popen[bytes]] = []
        self._calling: dict[str, subprocess.Popen[bytes]] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator["Pbx"]:
        self._lay_out()
        try:
            self.start()
            yield self
        finally:
            for phone in self._phones:
                _end(phone)
            self.kill()

    def start(self) -> None:
        self._process = self._run("asterisk", "-f", "-C", f"/{HOME}/etc/asterisk.conf")
        eventually(lambda: "fully booted" in self.say("core waitfullybooted"), seconds=60, every=0.2)

    def kill(self) -> None:
        if self._process:
            _end(self._process)

    def say(self, command: str) -> str:
        done = self._run("asterisk", "-C", f"/{HOME}/etc/asterisk.conf", "-rx", command, out=subprocess.PIPE)
        return done.communicate(timeout=30)[0].decode()

    def channels(self) -> int:
        return int(self.say("core show channels count").split()[0])

    def phone(self, name: str, does: str) -> None:
        """It is rung, again and again, until the exchange is gone."""
        self._phones.append(self._sipp(name, does, []))
        port = f":{PORTS[name]:04X} "
        eventually(lambda: port in Path("/proc/net/udp").read_text())

    def call(self, name: str, extension: str, does: str) -> "subprocess.Popen[bytes]":
        """It calls once; a process that ends with 0 when all went as it was to go. Whatever it did before is over."""
        if before := self._calling.pop(name, None):
            _end(before)
        calling = self._sipp(name, does, ["-s", extension, "-m", "1", f"127.0.0.1:{self.sip}"])
        self._phones.append(calling)
        self._calling[name] = calling
        return calling

    def _sipp(self, name: str, does: str, more: list[str]) -> "subprocess.Popen[bytes]":
        file = self.home / "phones" / f"{name}-{len(self._phones)}.xml"
        file.write_text(does)
        own = ["-sf", f"/{HOME}/phones/{file.name}", "-i", "127.0.0.1", "-p", str(PORTS[name]), "-nostdin"]
        sound = ["-mi", "127.0.0.1", "-mp", str(FIRST_SOUND + 10 * len(self._phones))]
        return self._run("sipp", *own, *sound, *more)

    def _run(self, *command: str, out: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        with (self.home / "log/said").open("ab") as log:
            own: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": log, "start_new_session": True}
            return subprocess.Popen(["chroot", str(self.root), *command], stdout=out, **own)

    def _lay_out(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        for folder in ("etc", "var", "run", "log/cdr-csv", "spool/monitor", "spool/outgoing", "spool/tmp", "phones"):
            (self.home / folder).mkdir(parents=True)
        modules = next(self.root.glob("usr/lib/**/asterisk/modules")).relative_to(self.root)
        words = {"MODULES": f"/{modules}", "AMI": self.ami, "SIP": self.sip, "PHONES": _phones()}
        # Old exchanges are often set so that their events bear no time.
        words["STAMPED"] = "no" if self.root.name == "bullseye" else "yes"
        for file in ETC.iterdir():
            text = file.read_text()
            for word, value in words.items():
                text = text.replace(f"@{word}@", str(value))
            (self.home / "etc" / file.name).write_text(text)


def _phones() -> str:
    return "\n".join(
        f"[{name}](phone)\naors = {name}\ncontext = {'from-trunk' if not number else 'from-internal'}\n"
        + (f"callerid = {name.title()} <{number}>\n" if number else "")
        + f"[{name}](at)\ncontact = sip:{name}@127.0.0.1:{PORTS[name]}"
        for name, number in NUMBERS.items()
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
