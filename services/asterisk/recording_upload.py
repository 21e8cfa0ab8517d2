"""Upload recordings from the exchange's folder, mounted here, to the journal.

A pending upload is saved as a file before its report is published, so that it survives a restart. The file is deleted
when the journal accepts the recording or refuses it for good.
"""

import json
import logging
import os
import re
from datetime import datetime, timedelta
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urljoin

import requests

from shared.contracts.calls.events import call_id
from shared.plumbing import clock

logger = logging.getLogger(__name__)

SUFFIX = ".json"
TIMEOUT = (5, 300)
ACCEPTED_STATUSES, REFUSED_STATUSES = {200, 201}, {409, 413, 415, 422}
"""HTTP statuses. Refused for good: deleted in the journal, too large, or not audio."""
MIN_PAUSE, MAX_PAUSE = timedelta(seconds=1), timedelta(minutes=5)
RETRY_PERIOD = timedelta(days=1)
"""How long to retry while the file is missing or the journal does not accept it."""
WAV_HEADER_SIZE = 44
"""Bytes of a WAV file without audio: the exchange has not written it yet."""


class PendingUpload(NamedTuple):
    path: Path
    call_id: str
    file: str
    named: bool
    """Is `file` the name of the file? Otherwise it is a part of the name."""
    since: datetime


class RecordingUpload:
    """`folder` holds the pending uploads, `sounds` is the mounted folder of recordings."""

    def __init__(self, folder: Path, sounds: Path, base_url: str, key: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._sounds, self._base_url, self._key = folder, sounds, base_url.rstrip("/"), key
        self._next_tries: dict[Path, tuple[datetime, timedelta]] = {}
        self._last_stats: dict[Path, tuple[int, int]] = {}

    def schedule(self, report: dict[str, Any]) -> None:
        """Save a pending upload. `report` is of the type `recorded`, as published."""
        path = self._folder / f"{call_id(report['tenant'], report['call'])}{SUFFIX}"
        data = report["data"]
        document = {"file": data["file"], "named": bool(data.get("format")), "since": clock.now().isoformat()}
        new = path.with_suffix(".new")
        with new.open("w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)

    def upload_due(self) -> None:
        """Try each upload that is due once."""
        now = clock.now()
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            due_at, pause = self._next_tries.get(path, (now, MIN_PAUSE))
            if due_at <= now and not self._try_upload(path, now):
                self._next_tries[path] = (now + pause, min(2 * pause, MAX_PAUSE))

    def _try_upload(self, path: Path, now: datetime) -> bool:
        """Is the upload finished? A disk error delays one recording, not the process."""
        try:
            upload = _read(path)
        except (ValueError, KeyError):
            logger.exception("cannot read a pending upload: it is renamed to .unreadable", extra={"file": str(path)})
            path.rename(path.with_suffix(".unreadable"))
            return True
        try:
            return self._upload(upload, now)
        except OSError as error:
            logger.warning("cannot read a recording", extra={"file": upload.file, "error": str(error)})
            return self._give_up(upload, now, str(error))

    def _upload(self, upload: PendingUpload, now: datetime) -> bool:
        file = find_recording(self._sounds, upload.file, upload.named)
        reason = self._refusal(upload, file) if file and self._is_whole(file) else "The file is missing or incomplete."
        done = not reason or self._give_up(upload, now, reason)
        if done:
            self._last_stats.pop(file or upload.path, None)
        if not reason:
            self._forget(upload)
        return done

    def _give_up(self, upload: PendingUpload, now: datetime, reason: str) -> bool:
        if now - upload.since < RETRY_PERIOD:
            return False
        logger.error(
            "stopped retrying the upload of a recording",
            extra={"call_id": upload.call_id, "file": upload.file, "reason": reason},
        )
        self._forget(upload)
        return True

    def _forget(self, upload: PendingUpload) -> None:
        upload.path.unlink()
        self._next_tries.pop(upload.path, None)

    def _is_whole(self, file: Path) -> bool:
        """Is the file unchanged since the last check?"""
        stat = file.stat()
        current = (stat.st_size, stat.st_mtime_ns)
        before, self._last_stats[file] = self._last_stats.get(file), current
        return before == current and stat.st_size > WAV_HEADER_SIZE

    def _refusal(self, upload: PendingUpload, file: Path) -> str:
        """Why to retry; empty when the journal accepted the recording or refused it for good."""
        try:
            response = self._put(upload.call_id, file)
        except (requests.RequestException, OSError) as error:
            return str(error)
        if response.status_code in ACCEPTED_STATUSES:
            return ""
        reason = f"{response.status_code} {response.text[:300]}".strip()
        details = {"call_id": upload.call_id, "file": str(file), "response": reason}
        refused = response.status_code in REFUSED_STATUSES
        message = "the journal did not accept a recording"
        logger.log(logging.ERROR if refused else logging.WARNING, message, extra=details)
        return "" if refused else reason

    def _put(self, call: str, file: Path) -> requests.Response:
        url = f"{self._base_url}/api/v1/calls/{call}/recording"
        redirect = requests.put(url, headers={"X-Api-Key": self._key}, allow_redirects=False, timeout=TIMEOUT)
        if redirect.status_code != requests.codes.temporary_redirect:
            return redirect
        with file.open("rb") as sound:
            return requests.put(urljoin(url, redirect.headers["Location"]), data=sound, timeout=TIMEOUT)


def find_recording(sounds: Path, file: str, named: bool) -> Path | None:
    """Find in this folder the file that the exchange calls `file`. The exchange may name the folder differently."""
    if not named:
        return _find_by_uniqueid(file, sounds) if file else None
    parts = [part for part in PurePosixPath(file).parts if part not in ("/", "..")]
    tails = [sounds.joinpath(*parts[start:]) for start in range(len(parts))]
    whole = [path for path in tails if path.is_file()]
    # The exchange may convert it to MP3 afterwards.
    return next(iter(whole), None) or next((other for path in tails for other in _same_stem(path)), None)


def _find_by_uniqueid(uniqueid: str, sounds: Path) -> Path | None:
    whole = re.compile(rf"(?<!\d){re.escape(uniqueid)}(?!\d)")
    files = (path for path in sorted(sounds.rglob(f"*{escape(uniqueid)}*")) if path.is_file())
    return next((path for path in files if whole.search(path.name)), None)


def _same_stem(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{escape(path.stem)}.*"))


def _read(path: Path) -> PendingUpload:
    document = json.loads(path.read_text())
    return PendingUpload(
        path, path.stem, document["file"], document["named"], datetime.fromisoformat(document["since"])
    )
