"""Send recorded Asterisk manager streams into the demonstration system.

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

MAX_REPORTS_PER_REQUEST = 500
CHUNK = 1 << 16
TIMEOUT = (5, 60)
RETRYABLE_STATUSES = {429, 502, 503, 504}
ATTEMPTS, PAUSE = 20, 0.5
INSTANTS_IN_DATA = ("started_at",)

_PART = re.compile(r"\.part(\d+)$")


class ReplayFailed(Exception):
    """The replay failed; the text says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    parsed = _read_arguments(arguments)
    try:
        demo = demonstration.read(demonstration.demo_env())
        if not {"BASE_URL", "INGEST_KEY", "TENANT"} <= demo.keys():
            raise ReplayFailed(
                f"{demonstration.demo_env()} does not describe a demonstration system; run `make up` first."
            )
        reports = [*read(parsed.files, demo["TENANT"], parsed.trunks)]
        if parsed.now:
            reports = shift_to_now(reports, datetime.now(UTC))
        send(reports, demo["BASE_URL"], demo["INGEST_KEY"])
    except ReplayFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(reports)} reports of {len({report['call'] for report in reports})} calls accepted.")
    return 0


def read(files: Iterable[Path], tenant: str, trunks: Iterable[str]) -> Iterator[Report]:
    for parts in streams(files):
        yield from translate(map(_chunks, parts), Translator(tenant, frozenset(trunks)))


def streams(files: Iterable[Path]) -> list[list[Path]]:
    """Group files into streams, the parts of each in order."""
    grouped: dict[Path, list[tuple[int, Path]]] = {}
    for file in files:
        match = _PART.search(file.stem)
        whole = file.with_name(_PART.sub("", file.stem) + file.suffix)
        grouped.setdefault(whole, []).append((int(match[1]) if match else 1, file))
    return [[file for _, file in sorted(parts)] for parts in grouped.values()]


def shift_to_now(reports: Sequence[Report], now: datetime) -> list[Report]:
    """The same calls with new keys, shifted so that the last instant is `now`."""
    shift = now - max((datetime.fromisoformat(report["at"]) for report in reports), default=now)
    mark = f"@{now:%Y%m%dT%H%M%S}"
    return [_shifted(report, shift, mark) for report in reports]


def _shifted(report: Report, shift: timedelta, mark: str) -> Report:
    instants = {
        name: _shift_instant(report["data"][name], shift) for name in INSTANTS_IN_DATA if name in report["data"]
    }
    return report | {
        "report_id": report["report_id"] + mark,
        "call": report["call"] + mark,
        "at": _shift_instant(report["at"], shift),
        "data": report["data"] | instants,
    }


def _shift_instant(instant: str, shift: timedelta) -> str:
    return (datetime.fromisoformat(instant) + shift).isoformat(timespec="microseconds")


def send(reports: Sequence[Report], base_url: str, key: str) -> None:
    with requests.Session() as session:
        session.headers.update({"X-Api-Key": key, "Content-Type": "application/json"})
        for first in range(0, len(reports), MAX_REPORTS_PER_REQUEST):
            _deliver(session, f"{base_url}/api/v1/reports", reports[first : first + MAX_REPORTS_PER_REQUEST])


def _deliver(session: requests.Session, url: str, batch: Sequence[Report]) -> None:
    body = json.dumps(batch, ensure_ascii=False).encode()
    for _ in range(ATTEMPTS):
        response = _post(session, url, body)
        if response.ok:
            return
        if response.status_code not in RETRYABLE_STATUSES:
            raise ReplayFailed(f"The gateway refused the reports ({response.status_code}): {response.text.strip()}")
        time.sleep(PAUSE)
    raise ReplayFailed(f"The gateway does not accept reports now ({response.status_code}): see `make logs`.")


def _post(session: requests.Session, url: str, body: bytes) -> requests.Response:
    try:
        return session.post(url, data=body, headers={"Idempotency-Key": sha256(body).hexdigest()}, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise ReplayFailed(f"The gateway at {url} does not answer: is the system up? `make up` starts it.") from error


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except OSError as error:
        raise ReplayFailed(f"{file} cannot be read: {error.strerror}.") from error


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.replay", description="Send Asterisk captures.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--trunks",
        type=lambda names: list(filter(None, names.split(","))),
        default=CAPTURED_TRUNKS,
        help="endpoints that are trunks, separated by commas (default: %(default)s)",
    )
    parser.add_argument("--now", action="store_true", help="shift all times so that the last event happens now")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
