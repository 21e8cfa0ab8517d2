"""Play recorded Asterisk manager streams into the demonstration system.

python -m tools.replay tests/data/asterisk/captures/*.txt
python -m tools.replay day.txt day.part2.txt --trunks provider,gsm --now

Files that differ only by `.partN` before their ending are connections of one stream, in that order; any other file is a
stream of its own. Times are those of the recording; `--now` moves them so that the last event happens now, and makes
new calls of it each time.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import requests

from shared.feeds.asterisk.translator import Report, Translator, translate
from tools import demonstration

CAPTURED_TRUNKS = "erin,frank,operator1"
"""The outside lines of the exchange that the captures in tests/data were made of."""

LARGEST_BATCH = 500
CHUNK = 1 << 16
TIMEOUT = (5, 60)
TRY_AGAIN = {429, 502, 503, 504}
ATTEMPTS, PAUSE = 20, 0.5
INSTANTS_IN_DATA = ("started_at",)

_PART = re.compile(r"\.part(\d+)$")


class NotPlayed(Exception):
    """Its text tells a person what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _read_arguments(arguments)
    try:
        demo = demonstration.read(demonstration.demo_env())
        if not {"BASE_URL", "INGEST_KEY", "TENANT"} <= demo.keys():
            raise NotPlayed(f"{demonstration.demo_env()} does not tell of a demonstration system: run `make up` first.")
        reports = [*read(asked.files, demo["TENANT"], asked.trunks)]
        if asked.now:
            reports = as_if_now(reports, datetime.now(UTC))
        send(reports, demo["BASE_URL"], demo["INGEST_KEY"])
    except NotPlayed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(reports)} reports of {len({report['call'] for report in reports})} calls accepted.")
    return 0


def read(files: Iterable[Path], tenant: str, trunks: Iterable[str]) -> Iterator[Report]:
    for parts in streams(files):
        yield from translate(map(_chunks, parts), Translator(tenant, frozenset(trunks)))


def streams(files: Iterable[Path]) -> list[list[Path]]:
    """Files grouped into streams, each with its parts in their order."""
    grouped: dict[Path, list[tuple[int, Path]]] = {}
    for file in files:
        match = _PART.search(file.stem)
        whole = file.with_name(_PART.sub("", file.stem) + file.suffix)
        grouped.setdefault(whole, []).append((int(match[1]) if match else 1, file))
    return [[file for _, file in sorted(parts)] for parts in grouped.values()]


def as_if_now(reports: Sequence[Report], now: datetime) -> list[Report]:
    """The same calls with new keys, moved so that the last instant is `now`."""
    shift = now - max((datetime.fromisoformat(report["at"]) for report in reports), default=now)
    mark = f"@{now:%Y%m%dT%H%M%S}"
    return [_moved(report, shift, mark) for report in reports]


def _moved(report: Report, shift: timedelta, mark: str) -> Report:
    instants = {name: _later(report["data"][name], shift) for name in INSTANTS_IN_DATA if name in report["data"]}
    return report | {
        "report_id": report["report_id"] + mark,
        "call": report["call"] + mark,
        "at": _later(report["at"], shift),
        "data": report["data"] | instants,
    }


def _later(instant: str, shift: timedelta) -> str:
    return (datetime.fromisoformat(instant) + shift).isoformat(timespec="microseconds")


def send(reports: Sequence[Report], base_url: str, key: str) -> None:
    with requests.Session() as session:
        session.headers.update({"X-Api-Key": key, "Content-Type": "application/json"})
        for first in range(0, len(reports), LARGEST_BATCH):
            _deliver(session, f"{base_url}/api/v1/reports", reports[first : first + LARGEST_BATCH])


def _deliver(session: requests.Session, url: str, batch: Sequence[Report]) -> None:
    body = json.dumps(batch, ensure_ascii=False).encode()
    for _ in range(ATTEMPTS):
        answer = _post(session, url, body)
        if answer.ok:
            return
        if answer.status_code not in TRY_AGAIN:
            raise NotPlayed(f"The gateway refused the reports ({answer.status_code}): {answer.text.strip()}")
        time.sleep(PAUSE)
    raise NotPlayed(f"The gateway takes no reports now ({answer.status_code}): look at `make logs` and try again.")


def _post(session: requests.Session, url: str, body: bytes) -> requests.Response:
    try:
        return session.post(url, data=body, headers={"Idempotency-Key": sha256(body).hexdigest()}, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise NotPlayed(f"The gateway at {url} does not answer: is the system up? `make up` starts it.") from error


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except OSError as error:
        raise NotPlayed(f"{file} cannot be read: {error.strerror}.") from error


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.replay", description="Play Asterisk captures.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--trunks",
        type=lambda names: list(filter(None, names.split(","))),
        default=CAPTURED_TRUNKS,
        help="endpoints that are outside lines, with commas between (default: %(default)s)",
    )
    parser.add_argument("--now", action="store_true", help="as if the last event happened now")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
