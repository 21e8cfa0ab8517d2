"""Events, records and reports that cannot be processed, one JSON line each, for a person to inspect."""

import logging
from pathlib import Path
from typing import Any

import orjson

logger = logging.getLogger(__name__)

NAME = "not-understood.ndjson"
MAX_QUARANTINE_SIZE = 16 * 1024 * 1024
"""Bytes. Further entries are only logged, so that a repeated error does not fill the disk."""


class Quarantine:
    def __init__(self, folder: Path) -> None:
        self.file = folder / NAME

    def put(self, entry: dict[str, Any]) -> None:
        try:
            with self.file.open("ab") as file:
                if file.tell() < MAX_QUARANTINE_SIZE:
                    file.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            logger.error("cannot write to the quarantine", extra={"entry": entry, "error": str(error)})  # noqa: TRY400
