"""The sound of calls, as the exchange left it on a disk that is seen from here, brought to the journal.

What is due is noted in a folder before its report is published, so that it outlives this process. The note is gone when
the sound was taken, or never will be.
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

ENDING = ".json"
TIMEOUT = (5, 300)
TAKEN, NEVER = {200, 201}, {409, 413, 415, 422}
"""What recordings answer: it is kept, or it was deleted here, is too large, or is no sound."""
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(minutes=5)
RETRY_PERIOD = timedelta(days=1)
"""For how long a sound may be missing, or the journal not take it."""
BARE_HEAD = 44
"""Bytes of a WAV file without sound: more is to come."""


class Note(NamedTuple):
    path: Path
    call_id: str
    file: str
    named: bool
    """Is `file` the file's name, or only what its name holds?"""
    since: datetime


class RecordingUpload:
    """`folder` has the notes, `sounds` is the exchange's folder of recordings as it is seen from here."""

    def __init__(self, folder: Path, sounds: Path, base_url: str, key: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._sounds, self._base_url, self._key = folder, sounds, base_url.rstrip("/"), key
        self._again: dict[Path, tuple[datetime, timedelta]] = {}
        self._looked: dict[Path, tuple[int, int]] = {}

    def note(self, report: dict[str, Any]) -> None:
        """`report`: one of the type `recorded`, as it is published."""
        path = self._folder / f"{call_id(report['tenant'], report['call'])}{ENDING}"
        data = report["data"]
        said = {"file": data["file"], "named": bool(data.get("format")), "since": clock.now().isoformat()}
        new = path.with_suffix(".new")
        with new.open("w") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)

    def upload_due(self) -> None:
        """Try once each that is due."""
        now = clock.now()
        for path in sorted(self._folder.glob(f"*{ENDING}")):
            due_at, pause = self._again.get(path, (now, SHORTEST))
            if due_at <= now and not self._tried(path, now):
                self._again[path] = (now + pause, min(2 * pause, LONGEST))

    def _tried(self, path: Path, now: datetime) -> bool:
        """Whether it is done with. What a disk says no to costs one sound, not the line to the exchange."""
        try:
            note = _read(path)
        except (ValueError, KeyError):
            logger.exception("a note of a recording is set aside", extra={"file": str(path)})
            path.rename(path.with_suffix(".unreadable"))
            return True
        try:
            return self._done(note, now)
        except OSError as error:
            logger.warning("a recording cannot be looked at", extra={"file": note.file, "error": str(error)})
            return self._given_up(note, now, str(error))

    def _done(self, note: Note, now: datetime) -> bool:
        file = found(self._sounds, note.file, note.named)
        why = self._refusal(note, file) if file and self._is_whole(file) else "The file is not there, or not yet whole."
        done = not why or self._given_up(note, now, why)
        if done:
            self._looked.pop(file or note.path, None)
        if not why:
            self._forget(note)
        return done

    def _given_up(self, note: Note, now: datetime, why: str) -> bool:
        if now - note.since < RETRY_PERIOD:
            return False
        logger.error("a recording was given up", extra={"call_id": note.call_id, "file": note.file, "why": why})
        self._forget(note)
        return True

    def _forget(self, note: Note) -> None:
        note.path.unlink()
        self._again.pop(note.path, None)

    def _is_whole(self, file: Path) -> bool:
        """Nobody has written to it since it was looked at before."""
        stat = file.stat()
        look = (stat.st_size, stat.st_mtime_ns)
        before, self._looked[file] = self._looked.get(file), look
        return before == look and stat.st_size > BARE_HEAD

    def _refusal(self, note: Note, file: Path) -> str:
        """Empty when it was taken, or never will be and is written off."""
        try:
            answer = self._put(note.call_id, file)
        except (requests.RequestException, OSError) as error:
            return str(error)
        if answer.status_code in TAKEN:
            return ""
        said = f"{answer.status_code} {answer.text[:300]}".strip()
        told = {"call_id": note.call_id, "file": str(file), "answer": said}
        logger.log(logging.ERROR if answer.status_code in NEVER else logging.WARNING, "not taken", extra=told)
        return "" if answer.status_code in NEVER else said

    def _put(self, call: str, file: Path) -> requests.Response:
        url = f"{self._base_url}/api/v1/calls/{call}/recording"
        link = requests.put(url, headers={"X-Api-Key": self._key}, allow_redirects=False, timeout=TIMEOUT)
        if link.status_code != requests.codes.temporary_redirect:
            return link
        with file.open("rb") as sound:
            return requests.put(urljoin(url, link.headers["Location"]), data=sound, timeout=TIMEOUT)


def found(sounds: Path, file: str, named: bool) -> Path | None:
    """The file in this folder that the exchange, which may know the folder by another name, calls `file`."""
    if not named:
        return _with(file, sounds) if file else None
    parts = [part for part in PurePosixPath(file).parts if part not in ("/", "..")]
    tails = [sounds.joinpath(*parts[start:]) for start in range(len(parts))]
    whole = [path for path in tails if path.is_file()]
    # The exchange may have been told to make an MP3 of it afterwards.
    return next(iter(whole), None) or next((other for path in tails for other in _alike(path)), None)


def _with(uniqueid: str, sounds: Path) -> Path | None:
    whole = re.compile(rf"(?<!\d){re.escape(uniqueid)}(?!\d)")
    files = (path for path in sorted(sounds.rglob(f"*{escape(uniqueid)}*")) if path.is_file())
    return next((path for path in files if whole.search(path.name)), None)


def _alike(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{escape(path.stem)}.*"))


def _read(path: Path) -> Note:
    said = json.loads(path.read_text())
    return Note(path, path.stem, said["file"], said["named"], datetime.fromisoformat(said["since"]))
